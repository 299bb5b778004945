"""The CPU seconds of every stage after the networks, on generated analyses: no video, no weights.

Half of the people stay for the whole video. The others are lost every 20 seconds and get another number, as behind
somebody or at the edge of the picture, so that stitching, and whatever counts by track, has much to do.
"""

from __future__ import annotations

import gc
import json
import resource
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from recognizer.comparison.agreement import agreement, disagreements
from recognizer.comparison.bouts import score_bouts
from recognizer.dashboard.workbench.documents import segments_document
from recognizer.drawing.overlay import Overlay
from recognizer.export import content_of
from recognizer.export.formats import FORMATS
from recognizer.memory import collect_rarely, without_collections
from recognizer.networks.classifiers.kinetics400 import KINETICS400_LABELS
from recognizer.palette import ActionPalette
from recognizer.people.stitching import stitch
from recognizer.people.tracklets import Tracklet
from recognizer.plots import swimlane
from recognizer.service.shown import Lane, Layer, View, shown_of
from recognizer.service.timeline_bytes import timelines_from_bytes, timelines_to_bytes
from recognizer.settings import Settings, recommended
from recognizer.timeline.builder import TimelineBuilder
from recognizer.timeline.corrections import Corrected, Replay
from recognizer.timeline.edits import Check, Relabel
from recognizer.timeline.model import Timeline
from recognizer.timeline.movement import people_moving
from recognizer.types import APPEARANCE_SIZE, CameraStep, Prediction, Segment, TrackedPerson, VideoInfo

RATE_HZ: Final = 30
SIZE_WH: Final = (1280, 720)

SEEN_S: Final = 20.0
"""Mean time until a person who does not stay is lost."""

LOST_S: Final = (0.3, 0.6, 3.0, 8.0)
"""For how long they are lost; after the last, they are somebody else."""

ACTION_S: Final = 5.0
CUT_EVERY_S: Final = 600.0
EDITS: Final = 1000
LOOKS: Final = 2000

FLOOR_S: Final = 0.1
"""Stages that take less are not judged."""

MOST_TIMES: Final = 2.6
"""A stage may take this many times as long for a video of twice the length: linear, and what noise and caches add."""


class _Track(NamedTuple):
    number: int
    place: int
    start_s: float
    end_s: float


class _Stages:
    """Measures stages, one after the other."""

    def __init__(self) -> None:
        self.took_s: dict[str, float] = {}

    def take(self, name: str, work: Callable[[], Any]) -> Any:
        """Do a stage's work and note the CPU seconds that it takes, on all threads."""
        gc.collect()
        started_s = time.process_time()
        result = work()
        self.took_s[name] = time.process_time() - started_s
        return result


class Measured(NamedTuple):
    """What one length took.

    Attributes:
        facts: how much there was.
        took_s: CPU seconds by stage, in order.
    """

    facts: Mapping[str, float]
    took_s: Mapping[str, float]


def measure(minutes: float, people: int) -> Measured:
    """Return the CPU seconds of each stage for a video of this length with so many people at a time."""
    collect_rarely()  # as a server does
    stages, duration_s = _Stages(), 60 * minutes
    settings = recommended(Settings(video_classifier_model="i3d"), RATE_HZ)
    tracks = list(_tracks(people, duration_s, np.random.default_rng(1)))
    builder = TimelineBuilder(settings, RATE_HZ)
    stages.take("tracks", lambda: _follow(builder, settings, tracks, duration_s))
    builder.add_predictions(_predictions(settings, tracks, np.random.default_rng(2)))
    video = VideoInfo("0" * 64, *SIZE_WH, Fraction(RATE_HZ), duration_s, round(duration_s * RATE_HZ), "h264")
    times_s = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    so_far: Timeline = stages.take(
        "growing: timeline", lambda: builder.build(video, frame_times_s=np.zeros(0), complete=False)
    )
    so_far = replace(so_far, camera=None)  # as for a page, without the line of movement of so many
    shown = stages.take("growing: segments", lambda: so_far.segments(0.3))
    stages.take("growing: chart", lambda: json.dumps(swimlane(so_far, shown, ActionPalette())))
    tracklets = list(_tracklets(builder, tracks, people))
    interval_s = settings.sample_interval_s(RATE_HZ)
    cuts_s = np.arange(CUT_EVERY_S, duration_s, CUT_EVERY_S).tolist()
    person_of = stages.take("stitching", lambda: stitch(tracklets, interval_s=interval_s, cuts_s=cuts_s))
    timeline: Timeline = stages.take(
        "timeline", lambda: builder.build(video, frame_times_s=times_s, complete=True, person_of=person_of)
    )
    _later(stages, timeline)
    facts = {
        "tracks": len(tracks),
        "people": len(timeline.people),
        "clips": len(timeline.predictions),
        "segments": len(timeline.segments(0.3)),
        "MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    return Measured(facts, stages.took_s)


def _later(stages: _Stages, timeline: Timeline) -> None:
    """Measure what follows an analysis: the page, corrections, exports, summaries, comparison, storage."""
    corrected, palette = Corrected(timeline), ActionPalette()
    segments: tuple[Segment, ...] = stages.take("segments, first", lambda: timeline.segments(0.3))
    stages.take("a slider: answer", lambda: _answer(corrected, palette, View(0.35, shows_brief=True)))
    stages.take("a slider: duration", lambda: _answer(corrected, palette, View(0.35, 2.0, shows_brief=True)))
    stages.take("likely labels", lambda: timeline.likely_labels(segments))
    stages.take("movement", lambda: [moving.spans(0.5) for moving in people_moving(timeline)])
    stages.take("chart", lambda: json.dumps(swimlane(timeline, segments, palette)))
    edited = stages.take(f"{EDITS} edits", lambda: _edited(timeline, segments))
    stages.take("a slider: corrected", lambda: _answer(edited, palette, View(0.35, shows_brief=True)))
    overlay = stages.take("overlay", lambda: Overlay(timeline, segments, palette))
    looks_s = np.linspace(0, timeline.analysed_s, LOOKS).tolist()
    stages.take(f"{LOOKS} pictures' overlays", lambda: [overlay.at(time_s) for time_s in looks_s])
    content = stages.take("export: content", lambda: content_of(edited, "two hours.mp4", min_confidence=0.3))
    for one in FORMATS:
        stages.take(f"export: {one.ending}", lambda one=one: one.write(content))  # type: ignore[misc]
    other = timeline.segments(0.5)
    stages.take("agreement", lambda: (agreement(segments, other), disagreements(segments, other)))
    stages.take("bouts", lambda: score_bouts(segments, other))
    stored = stages.take("storing", lambda: timelines_to_bytes([timeline]))
    with without_collections():  # as the database's
        stages.take("loading", lambda: timelines_from_bytes(stored))


def _answer(corrected: Corrected, palette: ActionPalette, view: View) -> bytes:
    """Return the answer to a browser that wants another threshold."""
    lanes = [Lane(0, track) for track in corrected.timeline.people]
    shown = shown_of([Layer(None, corrected)], lanes, view)
    return msgspec.json.encode(segments_document(1, shown, palette))


def _edited(timeline: Timeline, segments: tuple[Segment, ...]) -> Corrected:
    """Apply edits one by one, each after a look at the result, spread over the video."""
    replay = Replay(timeline)
    for k in range(EDITS):
        one = segments[k * len(segments) // EDITS]
        where = one.person_id, one.start_s, one.end_s
        replay.apply(Check(*where) if k % 2 else Relabel(*where, "resting"))
        replay.result()
    return replay.result()


def _tracks(people: int, duration_s: float, rng: np.random.Generator) -> Iterator[_Track]:
    number = 0
    for place in range(people):
        start_s = rng.random() if place % 2 else 0.0
        while start_s < duration_s - 1:
            number += 1
            end_s = min(duration_s, start_s + (1 + rng.exponential(SEEN_S) if place % 2 else duration_s))
            yield _Track(number, place, start_s, end_s)
            start_s = end_s + float(rng.choice(LOST_S))


def _follow(builder: TimelineBuilder, settings: Settings, tracks: list[_Track], duration_s: float) -> None:
    coming = sorted(tracks, key=lambda one: one.start_s, reverse=True)
    here: list[_Track] = []
    still = CameraStep(1.0, 0.0, 0.0, 0.0)
    interval_s = settings.sample_interval_s(RATE_HZ)
    for k in range(int(duration_s / interval_s)):
        time_s = k * interval_s
        while coming and coming[-1].start_s <= time_s:
            here.append(coming.pop())
        here = [one for one in here if one.end_s > time_s]
        builder.add_people(time_s, [TrackedPerson(one.number, _box(one.place, k), 0.8) for one in here], still)


def _box(place: int, sample: int) -> tuple[float, float, float, float]:
    """Return the box of a place in a grid; people sway and, one after the other, walk."""
    sway = (sample // (7 + place)) % 11 + (sample % 40 if (sample // 200 + place) % 5 == 0 else 0)
    left, top = 20.0 + 124 * (place % 10) + sway, 20.0 + 230 * (place // 10)
    return left, top, left + 60, top + 180


def _predictions(settings: Settings, tracks: list[_Track], rng: np.random.Generator) -> list[Prediction]:
    clip_s = settings.clip_span_s(RATE_HZ)
    hop_s = settings.new_samples_per_clip * settings.sample_interval_s(RATE_HZ)
    made = []
    for track in tracks:
        labels, left_s = _five(rng), rng.exponential(ACTION_S)
        start_s = track.start_s
        while start_s + clip_s <= track.end_s:
            shares = np.sort(rng.random(len(labels)))[::-1].tolist()
            total = 1.2 * sum(shares)
            top = tuple((label, share / total) for label, share in zip(labels, shares, strict=True))
            made.append(Prediction(track.number, start_s, start_s + clip_s, top, "i3d"))
            start_s, left_s = start_s + hop_s, left_s - hop_s
            if left_s < 0:
                labels, left_s = _five(rng), rng.exponential(ACTION_S)
    return made


def _five(rng: np.random.Generator) -> list[str]:
    return [KINETICS400_LABELS[k] for k in rng.integers(len(KINETICS400_LABELS) - 5) + np.arange(5)]


def _tracklets(builder: TimelineBuilder, tracks: list[_Track], people: int) -> Iterator[Tracklet]:
    place_of = {one.number: one.place for one in tracks}
    looks = np.random.default_rng(3).random((people, APPEARANCE_SIZE))
    for k, track in enumerate(builder.tracks()):
        own = np.random.default_rng(k).random(APPEARANCE_SIZE)
        yield Tracklet(track.person_id, track.time_s, track.box_xyxy, _look(looks[place_of[track.person_id]] + own / 4))


def _look(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return an appearance: shares of colors of both halves, each 1 in all."""
    halves = weights.reshape(2, -1)
    return np.asarray(halves / halves.sum(axis=1, keepdims=True)).ravel()


def growth(shorter: Measured, longer: Measured, times_as_long: float) -> dict[str, float]:
    """Return by stage how many times as long it takes for a video of twice the length; without stages under the floor.

    Args:
        shorter: what the shorter video took.
        longer: what the longer one took.
        times_as_long: the ratio of their lengths.
    """
    return {
        name: (took_s / max(shorter.took_s[name], FLOOR_S)) * 2 / times_as_long
        for name, took_s in longer.took_s.items()
        if took_s > FLOOR_S
    }
