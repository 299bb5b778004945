"""Track people from frame to frame with the trackers that Ultralytics ships."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from ultralytics.engine.results import Boxes
from ultralytics.trackers.track import TRACKER_MAP
from ultralytics.trackers.utils.kalman_filter import KalmanFilterXYWH
from ultralytics.trackers.utils.matching import embedding_distance
from ultralytics.utils import YAML, IterableSimpleNamespace
from ultralytics.utils.checks import check_yaml

from recognizer.people.appearance import appearance_of
from recognizer.people.box_filter import BoxFilter
from recognizer.people.compensation import moved
from recognizer.people.tracklets import areas, common_areas
from recognizer.settings import Settings
from recognizer.types import CameraStep, Detection, TrackedPerson

_FOLLOWS_CAMERA = "tracktrack"
"""This tracker compensates for camera motion and needs the whole picture. BoT-SORT can do so too, but on videos with a
moving camera, this tracks nobody better and takes 4 to 15 ms more per frame."""

_WEIGH_APPEARANCE = ("botsort", "deepocsort")
"""These trackers also use appearance: of two overlapping boxes, the one with the person's colours is matched."""

_MOVES_WITH_CAMERA = ("botsort",)
"""For this tracker, people are moved along with the camera before boxes are matched. TrackTrack measures the camera's
motion itself; the other trackers' states are not centre, width and height."""

_AHEAD_S = 1.0
"""In a gap, people are taken to walk on for this long; after that, nobody knows."""

_WEIGHS_SIZE = ("botsort",)
_MOST_TIMES_AS_LARGE = 3.0
"""This tracker does not match boxes of which one has more than three times the area of the other: nobody grows so much
between two samples, but a wrestler before the camera took over the number of a spectator behind him."""

_GROWS_WITHIN_S = 0.5
"""After a longer gap between two calls, a box may have any size: somebody who spreads their arms takes three times the
area a second later."""

_LEAST_LOOK = 0.5
"""Nor does it match a box whose colours overlap by less with those that the person had so far. In the shared videos,
999 of 1,000 boxes overlap by 0.51 or more with their person's; those below belonged to somebody else, whom the tracker
took for the person behind (decision 043)."""

_COVERED_FROM = 0.5
"""A box of which another covers more than this share may show mostly the other person: its colours say nothing."""

_FUSES_FROM_CONFIDENCE = 0.4
"""The trackers multiply the overlap of two boxes by the detector's confidence, and start a person at a product of 0.3
(as ByteTrack's own implementation does). A person with a lower confidence would never start, so below this threshold
the overlap counts alone."""

_MEMORIES = ("max_frames_lost", "max_time_lost")
"""Each tracker stores the number of calls for which it remembers a lost person under one of these names."""

_BUFFER_PER_S = 1.25
_MOST_BUFFER = 0.5
"""The trackers match boxes that overlap, but a small person who walks leaves their own box within 0.3 s. Each box is
therefore widened for matching, on each side by this share of its width and height per second between two samples
(C-BIoU, arXiv 2211.14317, widens by 0.3 to 0.5). At 5 samples a second this halves the person numbers in
``opencv_vtest.avi``; at 15 it changes little (docs/accuracy-identities.md)."""

_ROUNDING = 1e-9
"""A product of two rounded numbers may lie just above the whole number that it stands for."""


@cache
def _published(tracker: str) -> Mapping[str, Any]:
    """Return a tracker's settings as Ultralytics ships them; cached, because finding the file takes milliseconds."""
    settings: Mapping[str, Any] = YAML.load(check_yaml(f"{tracker}.yaml"))
    return settings


class Cues(NamedTuple):
    """The evidence that a tracker takes from the picture besides the boxes.

    Attributes:
        appearances: uint8 (n, APPEARANCE_SIZE), one for each detection that the tracker considers; None without any.
        warp: float64 (2, 3), the camera's motion that the tracker measured; None if it measures none.
    """

    appearances: NDArray[np.uint8] | None = None
    warp: NDArray[np.float64] | None = None


class _OwnCamera:
    """Stands between a tracker and its measurement of the camera's motion: notes a warp, or gives one that is known."""

    def __init__(self, measured: Any) -> None:
        self._measured = measured
        self.method = measured.method
        self.given: NDArray[np.float64] | None = None
        self.latest: NDArray[np.float64] | None = None

    def apply(self, bgr: NDArray[np.uint8], detections: Any = None) -> NDArray[np.float64]:
        """Return the warp from the frame before, float64 (2, 3)."""
        if self.given is not None:
            return self.given
        self.latest = np.eye(2, 3)  # what the tracker assumes if measuring fails
        self.latest = np.asarray(self._measured.apply(bgr, detections), np.float64)
        return self.latest


class PersonTracker:
    """Tracks the people of one stream and numbers them 1, 2, … in the order in which they are confirmed.

    Args:
        settings: the tracker, and the least confidence of a tracked person.
        frame_rate_hz: frame rate of the stream.
        first_id: number of the first person.
        updates_per_s: how often ``update`` is called; once per sample by default.

    Attributes:
        cues: what the latest ``update`` took from the picture.
    """

    def __init__(
        self, settings: Settings, frame_rate_hz: float, *, first_id: int = 1, updates_per_s: float | None = None
    ) -> None:
        config = dict(_published(settings.tracker))
        self._lowest_confidence: float = config["track_low_thresh"]
        self._max_gap_s = settings.max_gap_s(frame_rate_hz)
        self._fuses: bool = config.get("fuse_score", False)
        updates_per_s = updates_per_s or 1 / settings.sample_interval_s(frame_rate_hz)
        self._widening = _widening(updates_per_s)
        self._boxes = BoxFilter(frame_rate_hz)
        self._boxes.expect(updates_per_s)
        memory = self._updates_per_gap(updates_per_s)
        self._name = settings.tracker
        self._weighs_size = settings.tracker in _WEIGHS_SIZE
        self._weighs_appearance = settings.tracker in _WEIGH_APPEARANCE
        config.update(track_buffer=memory, with_reid=self._weighs_appearance, **self._thresholds(settings))
        if settings.tracker != _FOLLOWS_CAMERA:
            config.update(gmc_method="none")
        self._tracker = TRACKER_MAP[settings.tracker](IterableSimpleNamespace(**config))
        self._camera = _OwnCamera(self._tracker.gmc) if settings.tracker == _FOLLOWS_CAMERA else None
        if self._camera is not None:
            self._tracker.gmc = self._camera
        self.cues = Cues()
        self._is_after_gap = False
        if self._weighs_size:
            distances_of = self._tracker.get_dists
            self._tracker.get_dists = lambda *pairs: _distances(distances_of, *pairs, any_size=self._is_after_gap)
        self._person_ids: dict[int, int] = {}
        self._first_id = first_id

    def _updates_per_gap(self, updates_per_s: float) -> int:
        """Return the number of calls for which a lost person is remembered: the tracker counts calls, not seconds."""
        return math.ceil(self._max_gap_s * updates_per_s - _ROUNDING)

    def expect(self, updates_per_s: float, next_after_s: float = 0.0) -> None:
        """Set how often ``update`` will be called; a lost person is remembered for the same time as before.

        Args:
            updates_per_s: calls per second, on average.
            next_after_s: seconds from the latest call to the next, which count if they are more than the average: a
                busy machine may look at nothing for two seconds, and people move meanwhile.
        """
        interval_s = max(1 / updates_per_s, next_after_s)
        beyond = min(interval_s, _AHEAD_S) * updates_per_s - 1  # the tracker goes on by one call itself
        self._go_on(max(beyond, 0.0), _widening(1 / interval_s))
        self._boxes.expect(1 / interval_s)
        self._is_after_gap = next_after_s > _GROWS_WITHIN_S
        for name in _MEMORIES:
            if hasattr(self._tracker, name):
                setattr(self._tracker, name, self._updates_per_gap(updates_per_s))

    def _go_on(self, calls: float, widening: float) -> None:
        """Move known people on by some calls, and widen them as detections are from now on."""
        # a state is centre, width and height, or centre, ratio and height; then the speed of each
        size = slice(2, 4) if isinstance(self._tracker.kalman_filter, KalmanFilterXYWH) else slice(3, 4)
        for track in (*self._tracker.tracked_stracks, *self._tracker.lost_stracks):
            track.mean = track.mean.copy()
            track.mean[:2] += calls * track.mean[4:6]
            track.mean[size] *= widening / self._widening
        self._widening = widening

    def change(self, settings: Settings) -> bool:
        """Continue with other settings and the same numbers; return False if they need another tracker."""
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

    def _move(self, camera: CameraStep) -> None:
        """Move people along with the camera before they are matched, if it takes them further than the widening."""
        beyond = (self._widening - 1) / 2
        for track in (*self._tracker.tracked_stracks, *self._tracker.lost_stracks):
            track.mean = moved(track.mean, camera, beyond)
        self._boxes.move(camera, beyond)

    @property
    def people_seen(self) -> int:
        """The highest number assigned so far."""
        return self._first_id - 1 + len(self._person_ids)

    def update(
        self, rgb: NDArray[np.uint8], detections: Sequence[Detection], camera: CameraStep | None = None
    ) -> list[TrackedPerson]:
        """Match the detections in the next frame with known people; return them by ``person_id``.

        Args:
            rgb: the frame, uint8 (H, W, 3).
            detections: the people detected in it.
            camera: the camera's motion since the previous call; None if it is unknown.
        """
        considered = self._considered(detections)
        appearances = None
        if self._weighs_appearance and considered:
            appearances = np.stack([appearance_of(rgb, one.box_xyxy) for one in considered])
        bgr = None if self._camera is None else np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), np.uint8)
        people = self._matched(rgb.shape[:2], considered, camera, appearances, bgr)
        self.cues = Cues(appearances, None if self._camera is None else self._camera.latest)
        return people

    def repeat(
        self, shape_hw: tuple[int, int], detections: Sequence[Detection], camera: CameraStep | None, cues: Cues
    ) -> list[TrackedPerson]:
        """Do what ``update`` did, without the picture; ``see_again`` must follow before the next ``update``.

        Args:
            shape_hw: height and width of the frame.
            detections: as for ``update``.
            camera: as for ``update``.
            cues: what ``update`` took from the picture.
        """
        nothing = None
        if self._camera is not None:
            self._camera.given, nothing = cues.warp, np.zeros((1, 1, 3), np.uint8)
        people = self._matched(shape_hw, self._considered(detections), camera, cues.appearances, nothing)
        if self._camera is not None:
            self._camera.given = None
        return people

    def see_again(self, rgb: NDArray[np.uint8]) -> None:
        """Take the latest frame, uint8 (H, W, 3), whose update was repeated: the camera moves on from it."""
        if self._camera is not None:
            self._camera.apply(np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), np.uint8))

    def _considered(self, detections: Sequence[Detection]) -> list[Detection]:
        """Return what the tracker considers: it skips weaker detections too, but after computing their appearance."""
        return [one for one in detections if one.confidence >= self._tracker.args.track_low_thresh]

    def _matched(
        self,
        shape_hw: tuple[int, ...],
        detections: Sequence[Detection],
        camera: CameraStep | None,
        appearances: NDArray[np.uint8] | None,
        bgr: NDArray[np.uint8] | None,
    ) -> list[TrackedPerson]:
        height, width = shape_hw
        if camera is not None and camera.is_known and self._name in _MOVES_WITH_CAMERA:
            self._move(camera)
        rows = np.array([[*d.box_xyxy, d.confidence, 0] for d in detections], np.float32).reshape(-1, 6)
        rows[:, :4] = _scaled(rows[:, :4], self._widening)
        boxes = Boxes(rows, (height, width))
        if bgr is not None:
            tracks = np.asarray(self._tracker.update(boxes, bgr), np.float64)
        elif appearances is not None:
            tracks = np.asarray(self._tracker.update(boxes, feats=appearances.astype(np.float32)), np.float64)
        else:
            tracks = np.asarray(self._tracker.update(boxes), np.float64)
        people = []
        found = {int(row[4]): detections[int(row[7])] for row in tracks.reshape(-1, 8)}
        boxes_of = self._boxes.update({track_id: one.box_xyxy for track_id, one in found.items()})
        for track_id, (x1, y1, x2, y2) in boxes_of.items():
            box = (max(x1, 0.0), max(y1, 0.0), min(x2, float(width)), min(y2, float(height)))
            if box[2] - box[0] < 1 or box[3] - box[1] < 1:
                continue
            person_id = self._person_ids.setdefault(track_id, self.people_seen + 1)
            people.append(TrackedPerson(person_id, box, found[track_id].confidence))
        return sorted(people, key=lambda person: person.person_id)


def _distances(
    distances_of: Callable[[Sequence[Any], Sequence[Any]], NDArray[np.floating]],
    tracks: Sequence[Any],
    detections: Sequence[Any],
    *,
    any_size: bool,
) -> NDArray[np.floating]:
    """Return the tracker's distances of tracks and detections, the largest for very different sizes or colours."""
    distances = distances_of(tracks, detections)
    if distances.size:
        if not any_size:
            was, now = (np.array([max(np.prod(one.tlwh[2:4]), 1.0) for one in them]) for them in (tracks, detections))
            times_as_large = was[:, None] / now[None]
            distances[np.maximum(times_as_large, 1 / times_as_large) > _MOST_TIMES_AS_LARGE] = 1.0
        distances[_are_unlike(tracks, detections, distances < 1.0)] = 1.0
    return distances


def _are_unlike(tracks: Sequence[Any], detections: Sequence[Any], may_match: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which detections show colours that the people of tracks do not have, (tracks, detections).

    If nobody looks like anybody so far, the light has changed, or the only person is hidden, which looks the same: the
    colours of those who may be matched, (tracks, detections), are forgotten, and they keep the number of their place.
    """
    is_known = np.array([one.smooth_feat is not None for one in tracks])
    is_unlike = (embedding_distance(tracks, detections) > 1 - _LEAST_LOOK) & is_known[:, None]
    if is_unlike[is_known].all():
        for k in np.flatnonzero(may_match.any(axis=1)).tolist():
            tracks[k].smooth_feat = None
        return np.zeros_like(is_unlike)
    return np.asarray(is_unlike & ~_are_covered(np.array([one.xyxy for one in detections])))


def _are_covered(boxes_xyxy: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return of which of some boxes, (n, 4), another covers more than ``_COVERED_FROM``."""
    count = len(boxes_xyxy)
    ones, others = boxes_xyxy.repeat(count, axis=0), np.tile(boxes_xyxy, (count, 1))
    inside = (common_areas(ones, others) / np.maximum(areas(ones), 1.0)).reshape(count, count)
    np.fill_diagonal(inside, 0.0)
    return np.asarray((inside > _COVERED_FROM).any(axis=1))


def _widening(updates_per_s: float) -> float:
    """Return the factor by which a box is widened for matching."""
    return 1 + 2 * min(_BUFFER_PER_S / updates_per_s, _MOST_BUFFER)


def _scaled(boxes_xyxy: NDArray[np.floating], factor: float) -> NDArray[np.floating]:
    """Scale boxes (n, 4) about their centres by ``factor``."""
    centres = (boxes_xyxy[:, :2] + boxes_xyxy[:, 2:]) / 2
    halves = (boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]) * (factor / 2)
    return np.concatenate((centres - halves, centres + halves), axis=1)
