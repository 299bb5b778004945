"""An analysis that no network made, stored as if one had: for the workbench's tests."""

from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np

from recognizer.service.store import AnalysisStore, StoredAnalysis
from recognizer.settings import Settings
from recognizer.timeline.builder import TimelineBuilder
from recognizer.timeline.model import Timeline
from recognizer.types import Prediction, TrackedPerson, VideoInfo
from tests.support.counted_video import NTSC_RATE, counted_video

LABELS = ("waving", "jogging", "juggling", "reading", "yoga", "tai chi")
CLIP_S = 1.0


def generated_timeline(
    info: VideoInfo,
    *,
    people: int = 3,
    samples_every: int = 2,
    clip_s: float = CLIP_S,
    seed: int = 16,
) -> Timeline:
    """Return a timeline in which each person walks about, leaves once, and changes the action now and then.

    The confidences cover everything from 0.3 to 1; the last of four or more people is there for half a second.

    Args:
        info: the video; ``frame_rate`` and ``frame_count`` are needed.
        people: how many there are.
        samples_every: frames from one sample to the next.
        clip_s: seconds from one prediction to the next.
        seed: of the random numbers.
    """
    assert info.frame_rate is not None
    assert info.frame_count is not None
    rng = random.Random(seed)
    times_s = np.arange(info.frame_count) / float(info.frame_rate)
    builder = TimelineBuilder(Settings(skip_frame=samples_every), float(info.frame_rate))
    visits = {number: _visits(number, people, float(times_s[-1]), rng) for number in range(1, people + 1)}
    for time_s in times_s[::samples_every].tolist():
        present = [k for k, some in visits.items() if any(start_s <= time_s < end_s for start_s, end_s in some)]
        builder.add_people(time_s, [_person(k, people, time_s, info) for k in present])
    for number, some in visits.items():
        for start_s, end_s in some:
            builder.add_predictions(_predictions(number, start_s, end_s, clip_s, rng))
    return builder.build(info, frame_times_s=times_s, complete=True, provenance={"classifier": "i3d"})


def store_generated(
    store: AnalysisStore, folder: Path, analysis_id: str, *, frames: int = 360, people: int = 3, clip_s: float = CLIP_S
) -> StoredAnalysis:
    """Write a video whose pictures show their number, and store it with a generated analysis."""
    path = counted_video(folder / "counted.mp4", frames)
    with path.open("rb") as stream:
        video = store.add_file(stream, path.name)
    duration_s = float(frames / NTSC_RATE)
    info = VideoInfo(video.sha256, 320, 180, Fraction(NTSC_RATE), duration_s, frames, "h264")
    return store.save_analysis(analysis_id, video, generated_timeline(info, people=people, clip_s=clip_s))


def _visits(number: int, people: int, end_s: float, rng: random.Random) -> list[tuple[float, float]]:
    if people > 3 and number == people:
        return [(0.5, 1.0)]
    leaves_s = end_s * rng.uniform(0.45, 0.6)
    return [(0.0, leaves_s), (leaves_s + 1.5, end_s)]


def _person(number: int, people: int, time_s: float, info: VideoInfo) -> TrackedPerson:
    """Return a person who sways in a column of the picture of their own."""
    column = info.width / people
    x = column * (number - 0.5 + 0.2 * np.sin(time_s + number))
    width, height = 0.5 * column, 0.5 * info.height
    top = 0.15 * info.height
    return TrackedPerson(number, (x - width / 2, top, x + width / 2, top + height), 0.9)


def _predictions(number: int, start_s: float, end_s: float, clip_s: float, rng: random.Random) -> Iterator[Prediction]:
    time_s = start_s
    label = rng.choice(LABELS)
    while time_s + clip_s <= end_s:
        label = rng.choice(LABELS) if rng.random() < 0.6 else label
        sure = rng.uniform(0.3, 0.99)
        others = [other for other in LABELS if other != label][:4]
        top = ((label, sure), *((other, (1 - sure) / 5) for other in others))
        yield Prediction(number, time_s, time_s + clip_s, top, "i3d")
        time_s += clip_s
