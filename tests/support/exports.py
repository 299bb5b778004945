"""An invented timeline with labels and names that formats find hard, for exports and summaries."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from typing import Any

import numpy as np

from recognizer.export import Content
from recognizer.settings import Settings
from recognizer.timeline.model import PersonTrack, Timeline
from recognizer.types import UNKNOWN_STEP, CameraPath, CameraStep, Prediction, Segment, VideoInfo

HARD_LABELS = (
    "tai chi",
    'say "hi"',
    "a < b & c > d",
    "jump --> land",
    "naïve, 跳舞; äß",
    "=1+1",
    "unknown",
    "tab\there",
)


def person(person_id: int, start_s: float, end_s: float) -> PersonTrack:
    """A person who crosses a picture of 640 x 360 pixels, sampled every 0.2 s."""
    times_s = np.arange(start_s, end_s - 1e-9, 0.2)
    lefts = np.linspace(0, 540, len(times_s))
    boxes = np.stack([lefts, np.full_like(lefts, 90), lefts + 100, np.full_like(lefts, 350)], axis=1)
    confidence = np.full(len(times_s), 0.9, np.float32)
    return PersonTrack(person_id, times_s, boxes.astype(np.float32), confidence, ((start_s, end_s),))


def still_camera(*people: PersonTrack, unknown_s: tuple[float, float] = (0.0, 0.1)) -> CameraPath:
    """A camera that stands still, except from one time to another, when its motion is unknown."""
    times_s = np.unique(np.concatenate([track.time_s for track in people]))
    steps = np.tile(CameraStep(1.0, 0.0, 0.0, 0.0), (len(times_s), 1))
    steps[(times_s >= unknown_s[0]) & (times_s < unknown_s[1])] = UNKNOWN_STEP
    return CameraPath(times_s, steps)


def hard_segments() -> tuple[Segment, ...]:
    """Two people's segments: touching ones, gaps, odd milliseconds, one of a human, one of less than a millisecond."""
    first = [
        Segment(1, label, 0.25 + 1.1004 * k, 0.25 + 1.1004 * (k + 1), 0.5 + k / 20)
        for k, label in enumerate(HARD_LABELS)
    ]
    second = [
        Segment(2, "tai chi", 1.0, 2.0006, 0.8),
        Segment(2, "tai chi", 2.0006, 3.5, 1.0, source="human"),
        Segment(2, "brief", 3.6, 3.6003, 0.4),
        Segment(2, "jogging", 3661.5, 3662.9999, 0.7),
    ]
    return (*second, *first)


def exported(**changes: Any) -> Content:
    """An hour of video with two people who do something and one who does not."""
    people = (person(1, 0.0, 10.0), person(2, 0.8, 3663.0), person(3, 5.0, 6.0))
    timeline = Timeline(
        video=VideoInfo("ab" * 32, 640, 360, Fraction(10), 3700.0, 37000, "h264"),
        settings=Settings(video_classifier_model="i3d"),
        people=people,
        predictions=(
            Prediction(1, 0.0, 2.0, (("tai chi", 0.9), ("yoga", 0.05)), "i3d", (0.6, 0.3)),
            Prediction(2, 1.0, 3.0, tuple((f"label {k}", 0.3 - k / 20) for k in range(5)), "i3d"),
        ),
        frame_times_s=np.empty(0),
        analysed_s=3700.0,
        complete=True,
        notes=("2 packets could not be decoded",),
        provenance={"torch": "2.15.0"},
        camera=still_camera(*people, unknown_s=(8.0, 9.5)),
    )
    values: dict[str, Any] = {
        "timeline": timeline,
        "segments": hard_segments(),
        "video_name": "my video.mp4",
        "names": {2: 'Änna & "Bo" <x>'},
        "min_confidence": 0.3,
        "made_at": dt.datetime(2026, 11, 29, 12, 30, 15, tzinfo=dt.timezone(dt.timedelta(hours=1))),
    }
    return Content(**values | changes)
