"""Keeping people's identities from frame to frame, with the trackers that Ultralytics ships."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from ultralytics.engine.results import Boxes
from ultralytics.trackers.track import TRACKER_MAP
from ultralytics.utils import YAML, IterableSimpleNamespace
from ultralytics.utils.checks import check_yaml

from recognizer.settings import Settings
from recognizer.types import Detection, TrackedPerson

_NEED_PICTURE = ("botsort", "tracktrack", "deepocsort")
"""These trackers compensate the camera's motion, for which they look at the picture."""

_FUSES_FROM_CONFIDENCE = 0.4
"""The trackers weigh the overlap of two boxes by the detector's confidence, and want a product of 0.3 to start a person
(the figure of ByteTrack's own implementation). A person less sure than that would never start, so where such are asked
for the overlap counts alone."""

_MEMORIES = ("max_frames_lost", "max_time_lost")
"""Under one of these names each tracker keeps for how many calls a lost person is remembered."""

_ROUNDING = 1e-9
"""A product of two rounded numbers may be a hair above the whole number that it is."""


class PersonTracker:
    """One stream's tracker. Numbers people 1, 2, … in the order in which they are confirmed.

    Args:
        settings: which tracker, and from which confidence on people are followed.
        frame_rate_hz: of the stream.
        first_id: number of the first person.
        updates_per_s: how often ``update`` is called; once a sample where not given.
    """

    def __init__(
        self, settings: Settings, frame_rate_hz: float, *, first_id: int = 1, updates_per_s: float | None = None
    ) -> None:
        config = YAML.load(check_yaml(f"{settings.tracker}.yaml"))
        self._lowest_confidence: float = config["track_low_thresh"]
        self._max_gap_s = settings.max_gap_s(frame_rate_hz)
        self._fuses: bool = config.get("fuse_score", False)
        buffer = self._updates_per_gap(updates_per_s or 1 / settings.sample_interval_s(frame_rate_hz))
        config.update(track_buffer=buffer, with_reid=False, **self._thresholds(settings))
        self._name = settings.tracker
        self._needs_picture = settings.tracker in _NEED_PICTURE
        self._tracker = TRACKER_MAP[settings.tracker](IterableSimpleNamespace(**config))
        self._person_ids: dict[int, int] = {}
        self._first_id = first_id

    def _updates_per_gap(self, updates_per_s: float) -> int:
        """For how many calls a lost person is remembered: the tracker counts calls, not seconds."""
        return math.ceil(self._max_gap_s * updates_per_s - _ROUNDING)

    def expect(self, updates_per_s: float) -> None:
        """``update`` is called this often from now on; a lost person is remembered for the same time as before."""
        for name in _MEMORIES:
            if hasattr(self._tracker, name):
                setattr(self._tracker, name, self._updates_per_gap(updates_per_s))

    def change(self, settings: Settings) -> bool:
        """Go on with other settings, everybody keeping their number; False where that takes another tracker."""
        if settings.tracker != self._name:
            return False
        for name, value in self._thresholds(settings).items():
            setattr(self._tracker.args, name, value)
            if hasattr(self._tracker, name):  # TrackTrack keeps copies of some
                setattr(self._tracker, name, value)
        return True

    def _thresholds(self, settings: Settings) -> dict[str, float | bool]:
        return {
            "track_high_thresh": settings.min_person_confidence,
            "new_track_thresh": settings.min_person_confidence,
            "track_low_thresh": min(self._lowest_confidence, settings.min_person_confidence),
            "fuse_score": self._fuses and settings.min_person_confidence >= _FUSES_FROM_CONFIDENCE,
        }

    @property
    def people_seen(self) -> int:
        """The highest number that was given."""
        return self._first_id - 1 + len(self._person_ids)

    def update(self, rgb: NDArray[np.uint8], detections: Sequence[Detection]) -> list[TrackedPerson]:
        """Join the people found in the next frame, uint8 (H, W, 3), to those known; in order of ``person_id``."""
        height, width = rgb.shape[:2]
        rows = np.array([[*d.box_xyxy, d.confidence, 0] for d in detections], np.float32).reshape(-1, 6)
        bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR) if self._needs_picture else None
        tracks = np.asarray(self._tracker.update(Boxes(rows, (height, width)), bgr), np.float64)
        people = []
        for x1, y1, x2, y2, track_id, confidence in tracks.reshape(-1, 8)[:, :6]:
            box = (max(x1, 0.0), max(y1, 0.0), min(x2, float(width)), min(y2, float(height)))
            if box[2] - box[0] < 1 or box[3] - box[1] < 1:
                continue
            person_id = self._person_ids.setdefault(int(track_id), self.people_seen + 1)
            people.append(TrackedPerson(person_id, box, float(confidence)))
        return sorted(people, key=lambda person: person.person_id)
