"""Timelines as the database keeps them: every bit comes back, quickly and small, and damage is noticed."""

from __future__ import annotations

import zlib
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from recognizer.comparison.model import Entry
from recognizer.errors import StoreError
from recognizer.export import timeline_json
from recognizer.service.entry_bytes import entries_from_bytes, entries_to_bytes
from recognizer.service.timeline_bytes import timeline_from_stored, timelines_from_bytes, timelines_to_bytes
from recognizer.settings import Settings
from recognizer.timeline.model import PersonTrack, Timeline
from recognizer.types import CameraPath, Prediction
from tests.support.workbench import generated_timeline

PLAIN = generated_timeline(3, 20.0)


def odd_timeline() -> Timeline:
    """Numbers that lose something when they are rounded, and everything that may be missing."""
    times_s = np.array([0.0, 1 / 3, 0.1 + 0.2, 1e-300, 7.5e8])
    boxes = np.array([[-0.0, 0.1, 1e-40, 3e38], [5, 6, 7, 8], [np.pi, 0, 0, 0], [1, 2, 3, 4], [9, 8, 7, 6]], np.float32)
    return replace(
        PLAIN,
        settings=Settings(video_classifier_model="i3d", skip_frame=3),
        people=(
            PersonTrack(7, np.empty(0), np.empty((0, 4), np.float32), np.empty(0, np.float32), ((0.0, 1 / 3),)),
            PersonTrack(9, times_s, boxes, boxes[:, 1], ((0.0, 0.1 + 0.2), (0.5, 0.7))),
        ),
        predictions=(
            Prediction(9, 0.0, 1 / 3, (("ünïcode ☃", 1 / 3), ("half \udc80", 1e-17)), "a"),
            Prediction(9, 0.1, 0.3, (), "b"),
            Prediction(9, 0.1, 0.3, (("yoga", 1.0),), "a", (0.1 + 0.2,)),
        ),
        frame_times_s=times_s[:3],
        camera=CameraPath(np.array([0.0, 0.1]), np.array([[np.nan] * 4, [1.0, -0.0, 1 / 3, 2.0]])),
        complete=False,
        notes=("one packet could not be decoded", "half \udc80"),
        provenance={"torch": "2"},
    )


def assert_equal_to_the_bit(found: Timeline, timeline: Timeline) -> None:
    assert (found.video, found.settings, found.predictions) == (timeline.video, timeline.settings, timeline.predictions)
    assert (found.complete, found.analysed_s, found.notes) == (
        timeline.complete,
        timeline.analysed_s,
        timeline.notes,
    )
    assert (dict(found.provenance), found.reading) == (dict(timeline.provenance), timeline.reading)
    arrays: list[tuple[NDArray[Any], NDArray[Any]]] = [(found.frame_times_s, timeline.frame_times_s)]
    for track, other in zip(found.people, timeline.people, strict=True):
        assert (track.person_id, track.presence) == (other.person_id, other.presence)
        arrays += [
            (track.time_s, other.time_s),
            (track.box_xyxy, other.box_xyxy),
            (track.confidence, other.confidence),
        ]
    assert (found.camera is None) == (timeline.camera is None)
    if found.camera is not None and timeline.camera is not None:
        arrays += [(found.camera.time_s, timeline.camera.time_s), (found.camera.steps, timeline.camera.steps)]
    for ours, theirs in arrays:
        assert (ours.dtype, ours.shape, ours.tobytes()) == (theirs.dtype, theirs.shape, theirs.tobytes())


@pytest.mark.parametrize(
    "timeline",
    [PLAIN, odd_timeline(), replace(PLAIN, people=(), predictions=(), frame_times_s=np.empty(0), camera=None)],
    ids=["plain", "odd", "empty"],
)
def test_every_bit_comes_back(timeline: Timeline) -> None:
    (found,) = timelines_from_bytes(timelines_to_bytes([timeline]))
    assert_equal_to_the_bit(found, timeline)


def test_random_bits_come_back() -> None:
    random = np.random.default_rng(3)
    track = PLAIN.people[0]
    count = len(track.time_s)
    noise = random.integers(0, 2**32, 5 * count, np.uint32).view(np.float32)
    noisy = replace(
        track,
        time_s=random.integers(0, 2**64, count, np.uint64).view(np.float64),
        box_xyxy=noise[: 4 * count].reshape(count, 4),
        confidence=noise[4 * count :],
    )
    timeline = replace(PLAIN, people=(noisy, *PLAIN.people[1:]))
    (found,) = timelines_from_bytes(timelines_to_bytes([timeline]))
    assert_equal_to_the_bit(found, timeline)


def test_the_exported_document_is_the_same_to_the_byte() -> None:
    (found,) = timelines_from_bytes(timelines_to_bytes([PLAIN]))
    texts = [timeline_json(one, include_boxes=True, include_frame_times=True) for one in (found, PLAIN)]
    assert texts[0] == texts[1]


def test_timelines_of_one_pass_share_their_boxes() -> None:
    one = timelines_to_bytes([PLAIN])
    other = replace(PLAIN, predictions=PLAIN.predictions[:5])
    assert len(timelines_to_bytes([PLAIN, other])) < 1.5 * len(one)
    first, second = timelines_from_bytes(timelines_to_bytes([PLAIN, other]))
    assert first.frame_times_s is second.frame_times_s
    assert_equal_to_the_bit(second, other)


def test_a_timeline_from_before_version_5_is_read() -> None:
    text = timeline_json(PLAIN, include_boxes=True, include_frame_times=True)
    assert_equal_to_the_bit(timeline_from_stored(zlib.compress(text.encode())), PLAIN)


def test_entries_come_back_with_and_without_timelines() -> None:
    entries = (
        Entry("", Settings(), "mine.pt", ("a", "b"), PLAIN),
        Entry("", Settings(skip_frame=5), problem="the weights cannot be had; put them there."),
        Entry("", Settings(), None, ("c",), odd_timeline()),
    )
    found = entries_from_bytes(entries_to_bytes(entries))
    for ours, theirs in zip(found, entries, strict=True):
        assert (ours.settings, ours.checkpoint_name, ours.labels, ours.problem) == (
            theirs.settings,
            theirs.checkpoint_name,
            theirs.labels,
            theirs.problem,
        )
        assert (ours.timeline is None) == (theirs.timeline is None)
        if theirs.timeline is not None and ours.timeline is not None:
            assert_equal_to_the_bit(ours.timeline, theirs.timeline)
    assert found[1].timeline is None


def test_what_a_later_version_wrote_is_refused() -> None:
    with pytest.raises(StoreError, match="install the latest version"):
        timeline_from_stored(b"TL2\n...")
    with pytest.raises(StoreError, match="install the latest version"):
        entries_from_bytes(b"CE2\n...")


def test_damage_is_noticed_and_never_anything_else() -> None:
    """A flipped or missing byte is either damage, or in a number, where only a checksum could tell."""
    content, random, noticed = timelines_to_bytes([PLAIN]), Random(1), 0
    for _ in range(200):
        broken = bytearray(content)
        position = random.randrange(4, len(broken))
        if random.random() < 0.3:
            del broken[position:]
        else:
            broken[position] ^= 1 << random.randrange(8)
        try:
            timelines_from_bytes(bytes(broken))
        except (ValueError, StoreError):
            noticed += 1
    assert noticed > 150
