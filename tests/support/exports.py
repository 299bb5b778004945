"""An invented timeline with labels and names that formats find hard, for exports and summaries."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from typing import Any

import numpy as np

from recognizer.export import Content
from recognizer.settings import Settings
from recognizer.timeline.model import PersonTrack, Timeline
from recognizer.types import Prediction, Segment, VideoInfo

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
    timeline = Timeline(
        video=VideoInfo("ab" * 32, 640, 360, Fraction(10), 3700.0, 37000, "h264"),
        settings=Settings(video_classifier_model="i3d"),
        people=(person(1, 0.0, 10.0), person(2, 0.8, 3663.0), person(3, 5.0, 6.0)),
        predictions=(
            Prediction(1, 0.0, 2.0, (("tai chi", 0.9), ("yoga", 0.05)), "i3d"),
            Prediction(2, 1.0, 3.0, tuple((f"label {k}", 0.3 - k / 20) for k in range(5)), "i3d"),
        ),
        frame_times_s=np.empty(0),
        analysed_s=3700.0,
        complete=True,
        notes=("2 packets could not be decoded",),
        provenance={"torch": "2.15.0"},
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
