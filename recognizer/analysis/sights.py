"""The people in the sampled frames of a file, without their pictures: enough to follow them again."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognizer.people.tracking import Cues
from recognizer.types import APPEARANCE_SIZE, CameraStep, Detection, TrackedPerson


class UnfitError(Exception):
    """The stored sights do not fit this analysis, which must begin at the start."""


@dataclass(frozen=True, eq=False)
class Sight:
    """The people in one sampled frame.

    Attributes:
        frame_index: index of the frame in its file.
        time_s: its time.
        shape_hw: its height and width.
        detections: the people that the detector found.
        is_cut: whether a new shot begins.
        is_blank: whether the frame is of one colour, so that the next one is not compared with it.
        camera: the camera's motion since the sample before.
        camera_roughly: the same, if need be to a few pixels.
        cues: what the tracker took from the picture.
        appearances: appearance of each tracked person, before numbers are swapped.
        people_crc: CRC-32 of the tracked people, see ``crc_of``.
    """

    frame_index: int
    time_s: float
    shape_hw: tuple[int, int]
    detections: tuple[Detection, ...]
    is_cut: bool
    is_blank: bool
    camera: CameraStep
    camera_roughly: CameraStep
    cues: Cues
    appearances: tuple[NDArray[np.uint8], ...]
    people_crc: int


def crc_of(people: Sequence[TrackedPerson]) -> int:
    """Return the CRC-32 of people's numbers, boxes and confidences."""
    rows = [(person.person_id, *person.box_xyxy, person.confidence) for person in people]
    return zlib.crc32(np.array(rows, np.float64).tobytes())


_DTYPES: dict[str, np.dtype[Any]] = {
    "frame_index": np.dtype("<i8"),
    "time_s": np.dtype("<f8"),
    "shape_hw": np.dtype("<i4"),
    "detections": np.dtype("<f8"),
    "detection_count": np.dtype("<i4"),
    "is_cut": np.dtype("?"),
    "is_blank": np.dtype("?"),
    "camera": np.dtype("<f8"),
    "camera_roughly": np.dtype("<f8"),
    "cue_appearances": np.dtype("u1"),
    "cue_count": np.dtype("<i4"),
    "warps": np.dtype("<f8"),
    "has_warp": np.dtype("?"),
    "appearances": np.dtype("u1"),
    "person_count": np.dtype("<i4"),
    "people_crc": np.dtype("<u4"),
}


def packed(sights: Sequence[Sight]) -> dict[str, bytes]:
    """Return sights as arrays of bytes, by column."""
    warps = [sight.cues.warp for sight in sights if sight.cues.warp is not None]
    cues = [sight.cues.appearances for sight in sights]
    columns: dict[str, Any] = {
        "frame_index": [sight.frame_index for sight in sights],
        "time_s": [sight.time_s for sight in sights],
        "shape_hw": [sight.shape_hw for sight in sights],
        "detections": [(*one.box_xyxy, one.confidence) for sight in sights for one in sight.detections],
        "detection_count": [len(sight.detections) for sight in sights],
        "is_cut": [sight.is_cut for sight in sights],
        "is_blank": [sight.is_blank for sight in sights],
        "camera": [sight.camera for sight in sights],
        "camera_roughly": [sight.camera_roughly for sight in sights],
        "cue_appearances": [row for one in cues if one is not None for row in one],
        "cue_count": [-1 if one is None else len(one) for one in cues],
        "warps": warps,
        "has_warp": [sight.cues.warp is not None for sight in sights],
        "appearances": [one for sight in sights for one in sight.appearances],
        "person_count": [len(sight.appearances) for sight in sights],
        "people_crc": [sight.people_crc for sight in sights],
    }
    return {name: np.array(values, _DTYPES[name]).tobytes() for name, values in columns.items()}


def unpacked(columns: Mapping[str, bytes]) -> Iterator[Sight]:
    """Yield the sights that ``packed`` turned into bytes.

    Raises:
        KeyError, ValueError: the bytes are not from ``packed``.
    """
    arrays = {name: np.frombuffer(columns[name], dtype) for name, dtype in _DTYPES.items()}
    shapes = arrays["shape_hw"].reshape(-1, 2).tolist()
    detections = arrays["detections"].reshape(-1, 5).tolist()
    camera, roughly = (arrays[name].reshape(-1, 4).tolist() for name in ("camera", "camera_roughly"))
    cues = arrays["cue_appearances"].reshape(-1, APPEARANCE_SIZE)
    warps = iter(arrays["warps"].reshape(-1, 2, 3))
    appearances = arrays["appearances"].reshape(-1, APPEARANCE_SIZE)
    detection = cue = person = 0
    for k, frame_index in enumerate(arrays["frame_index"].tolist()):
        found = detections[detection : detection + arrays["detection_count"][k]]
        detection += len(found)
        cue_count, person_count = int(arrays["cue_count"][k]), int(arrays["person_count"][k])
        cues_here = None if cue_count < 0 else cues[cue : cue + cue_count]
        cue += max(cue_count, 0)
        yield Sight(
            frame_index=frame_index,
            time_s=float(arrays["time_s"][k]),
            shape_hw=(shapes[k][0], shapes[k][1]),
            detections=tuple(Detection((x1, y1, x2, y2), confidence) for x1, y1, x2, y2, confidence in found),
            is_cut=bool(arrays["is_cut"][k]),
            is_blank=bool(arrays["is_blank"][k]),
            camera=CameraStep(*camera[k]),
            camera_roughly=CameraStep(*roughly[k]),
            cues=Cues(cues_here, next(warps) if arrays["has_warp"][k] else None),
            appearances=tuple(appearances[person : person + person_count]),
            people_crc=int(arrays["people_crc"][k]),
        )
        person += person_count
