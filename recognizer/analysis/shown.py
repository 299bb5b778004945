"""Show what a classifier saw: the pictures of one clip, from the stored pass or from the video."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognizer.analysis.passes import PassStore, pass_key_from
from recognizer.classifier_specs import spec_of
from recognizer.clips.cropping import Cropper, square_crop, surroundings_crop
from recognizer.networks.classifiers.clip_input import sample_indices
from recognizer.settings import least_height_px
from recognizer.timeline.model import PersonTrack, Timeline
from recognizer.types import Box, Prediction, TrackedPerson
from recognizer.video import VideoInput, open_video

_SAME_TIME_S = 1e-6


@dataclass(frozen=True, eq=False)
class SeenFrame:
    """One frame, as a network saw it.

    Attributes:
        time_s: time of the frame.
        rgb: the crop around the person, uint8 (S, S, 3).
        surroundings_rgb: the person's surroundings, mirrored, as the network sees them; None if it sees only the crop.
    """

    time_s: float
    rgb: NDArray[np.uint8]
    surroundings_rgb: NDArray[np.uint8] | None = None


def prediction_at(timeline: Timeline, person_id: int, time_s: float) -> Prediction | None:
    """Return the prediction for a person's clip at ``time_s``; of several, the one whose middle is nearest."""
    around = [p for p in timeline.predictions if p.person_id == person_id and p.start_s <= time_s < p.end_s]
    return min(around, key=lambda p: abs((p.start_s + p.end_s) / 2 - time_s), default=None)


def frames_seen(timeline: Timeline, prediction: Prediction, video: VideoInput, store: PassStore) -> list[SeenFrame]:
    """Return the frames that the network saw for one prediction, in order of time, each frame once.

    Args:
        timeline: the prediction's timeline.
        prediction: the prediction.
        video: the file; decoded again if the pass is not stored.
        store: the stored passes.

    Raises:
        VideoError: the file must be decoded but cannot be read as a video.
    """
    settings = timeline.settings
    boxes = _boxes(timeline, prediction)
    if not boxes:
        return []
    samples = _from_record(timeline, boxes, store)
    if samples is None:
        samples = _from_video(timeline, prediction, boxes, video)
    length = spec_of(settings.video_classifier_model).length.network_length(len(samples))
    return [samples[k] for k in dict.fromkeys(sample_indices(len(samples), length).tolist())]


def _track(timeline: Timeline, prediction: Prediction) -> PersonTrack:
    return next(track for track in timeline.people if track.person_id == prediction.person_id)


def _boxes(timeline: Timeline, prediction: Prediction) -> dict[float, Box]:
    """Return the person's box in each sample of the clip, by time."""
    track = _track(timeline, prediction)
    high = track.box_xyxy[:, 3] - track.box_xyxy[:, 1] >= least_height_px(timeline.video.height)
    within = (track.time_s > prediction.start_s - _SAME_TIME_S) & (track.time_s < prediction.end_s)
    samples = np.flatnonzero(high & within)[: timeline.settings.num_video_sequence_samples]
    boxes = track.box_xyxy[samples].astype(np.float64).tolist()
    return {
        time_s: (x1, y1, x2, y2) for time_s, (x1, y1, x2, y2) in zip(track.time_s[samples].tolist(), boxes, strict=True)
    }


def _cut_boxes(timeline: Timeline, prediction: Prediction, boxes: dict[float, Box]) -> dict[float, Box]:
    """Return the box of each crop, by time. Starts at the first sample: a steady crop depends on earlier ones."""
    track = _track(timeline, prediction)
    cropper = Cropper(timeline.settings.crop_style, timeline.settings.max_gap_s(timeline.frame_rate_hz))
    cut: dict[float, Box] = {}
    for time_s, (x1, y1, x2, y2) in zip(track.time_s.tolist(), track.box_xyxy.tolist(), strict=True):
        (cut[time_s],) = cropper.boxes(time_s, [TrackedPerson(prediction.person_id, (x1, y1, x2, y2), 1.0)])
    return {time_s: cut[time_s] for time_s in boxes}


def _from_record(timeline: Timeline, boxes: dict[float, Box], store: PassStore) -> list[SeenFrame] | None:
    style = timeline.settings.crop_style
    key = pass_key_from(timeline.video.sha256, timeline.provenance, timeline.settings, timeline.reading)
    found = None if key is None else store.find(key)
    if found is None or not found.has_crops(style):
        return None
    try:
        pictures = found.pictures_at(boxes, style)
    except FileNotFoundError:  # another analysis has just removed it
        return None
    if len(pictures) < len(boxes):
        return None
    return [SeenFrame(time_s, crop, *map(_mirrored, around)) for time_s, (crop, *around) in pictures]


def _others(timeline: Timeline, prediction: Prediction, times_s: Collection[float]) -> dict[float, list[Box]]:
    """Return everybody else's boxes, by time."""
    others: dict[float, list[Box]] = {time_s: [] for time_s in times_s}
    for track in timeline.people:
        if track.person_id != prediction.person_id:
            # of a long video, only the samples of a few seconds
            first, past = np.searchsorted(track.time_s, (min(others), np.nextafter(max(others), np.inf))).tolist()
            samples = zip(track.time_s[first:past].tolist(), track.box_xyxy[first:past].tolist(), strict=True)
            for time_s, (x1, y1, x2, y2) in samples:
                if time_s in others:
                    others[time_s].append((x1, y1, x2, y2))
    return others


def _from_video(
    timeline: Timeline, prediction: Prediction, boxes: dict[float, Box], video: VideoInput
) -> list[SeenFrame]:
    last_s, style = max(boxes), timeline.settings.crop_style
    cut = _cut_boxes(timeline, prediction, boxes)
    others = _others(timeline, prediction, boxes) if style.surroundings else {}
    seen = []
    with (
        open_video(video, sha256=timeline.video.sha256) as reader,
        closing(reader.frames(lambda _, time_s: time_s in boxes)) as frames,
    ):
        for frame in frames:
            time_s, box = frame.time_s, cut[frame.time_s]
            crop = square_crop(frame.rgb, box, style.margin_percentage)
            around = []
            if style.surroundings:
                around.append(_mirrored(surroundings_crop(frame.rgb, box, boxes[time_s], others[time_s])))
            seen.append(SeenFrame(time_s, crop, *around))
            if time_s >= last_s:
                break
    return seen


def _mirrored(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return rgb[:, ::-1]
