"""One stored pass over a video: the people in every sampled frame, and their crops.

The crops are stored raw, so that an analysis from the record equals one from the video to the bit::

    <folder>/pass.npz                         samples, people, appearances, cuts, frame times
    <folder>/crops-<margin>[-steady].u8       (rows, CROP_SIZE_PX, CROP_SIZE_PX, 3)
    <folder>/surroundings[-steady].u8         the same shape
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recognizer.settings import CropStyle
from recognizer.types import CROP_SIZE_PX, Box, CameraStep, Crossing, Observation, Picture, Reading, TrackedPerson
from recognizer.video.reading import reading_from, values_of

FORMAT = 7
"""Part of a pass's key: a record of another format is never found. 2 added appearances and cuts; since 3, other people
are covered in the surroundings, and boxes are smoothed as if every frame had been sampled; since 4, it holds how the
video was read, and times and pictures are those that a player shows; since 5, it holds who crossed;
since 6, people are tracked apart from the camera's motion; since 7, nobody takes the number of someone in other
colours."""

CROP_SHAPE = (CROP_SIZE_PX, CROP_SIZE_PX, 3)
CROP_BYTES = CROP_SIZE_PX * CROP_SIZE_PX * 3

_FILE_NAME = "pass.npz"

_SAME_BOX_PX = 0.01
"""Boxes further apart than this differ: a timeline stores boxes as float32, a record as float64."""


@dataclass(frozen=True, eq=False)
class RecordedPass:
    """A finished pass over a video.

    Attributes:
        folder: the folder with its files.
        frame_times_s: float64 (n,), presentation time of every frame of the video.
        frame_index: int64 (s,), index of each sampled frame.
        time_s: float64 (s,), time of each sampled frame.
        rows: float64 (r, 7), one for each person in each sampled frame: sample number, ``person_id``, x1, y1, x2, y2,
            confidence.
        appearances: uint8 (r, APPEARANCE_SIZE), one for each of ``rows``; (r, 0) if the pass has none.
        cuts: int64 (c,), numbers of the samples at which a new shot begins.
        crossings: float64 (c, 5), what the samples tell about people who crossed: number of the sample, ``Crossing``.
        camera: float64 (s, 4), the camera's motion up to each sample (``CameraStep``); (0, 4) if it was not measured.
        camera_roughly: float64 (s, 4), like ``camera``, with the steps that can only be measured to a few pixels.
        notes: the video reader's remarks.
        reading: how the video was read.
    """

    folder: Path
    frame_times_s: NDArray[np.float64]
    frame_index: NDArray[np.int64]
    time_s: NDArray[np.float64]
    rows: NDArray[np.float64]
    appearances: NDArray[np.uint8]
    cuts: NDArray[np.int64]
    crossings: NDArray[np.float64]
    camera_roughly: NDArray[np.float64]
    camera: NDArray[np.float64]
    notes: tuple[str, ...]
    reading: Reading

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a record; crops are read when needed.

        Raises:
            OSError, ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile: the file is missing or damaged.
        """
        # open it here, because NumPy leaves the file open if it is not an archive
        with (folder / _FILE_NAME).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return cls(
                folder=folder,
                frame_times_s=arrays["frame_times_s"],
                frame_index=arrays["frame_index"],
                time_s=arrays["time_s"],
                rows=arrays["rows"],
                appearances=arrays["looks"],
                cuts=arrays["cuts"],
                crossings=arrays["crossings"],
                camera_roughly=arrays["camera_roughly"],
                camera=arrays["camera"],
                notes=tuple(json.loads(str(arrays["notes"]))),
                reading=reading_from(json.loads(str(arrays["reading"]))),
            )

    def save(self, folder: Path) -> None:
        """Write everything but the crops to ``folder``.

        Raises:
            OSError: the folder cannot be written to.
        """
        np.savez(
            folder / _FILE_NAME,
            frame_times_s=self.frame_times_s,
            frame_index=self.frame_index,
            time_s=self.time_s,
            rows=self.rows,
            looks=self.appearances,  # the name in files of this format
            cuts=self.cuts,
            crossings=self.crossings,
            camera_roughly=self.camera_roughly,
            camera=self.camera,
            notes=np.array(json.dumps(self.notes)),
            reading=np.array(json.dumps(values_of(self.reading))),
        )

    def has_crops(self, style: CropStyle) -> bool:
        """Return whether all crops of this style are stored."""
        try:
            sizes_bytes = {path.stat().st_size for path in crop_paths(self.folder, style)}
        except OSError:
            return False
        return sizes_bytes == {len(self.rows) * CROP_BYTES}

    def people_in(self, sample: int) -> tuple[TrackedPerson, ...]:
        """Return the people in a sampled frame; built on demand, because a long video has very many."""
        return tuple(
            TrackedPerson(int(person_id), (x1, y1, x2, y2), confidence)
            for _, person_id, x1, y1, x2, y2, confidence in self.rows[self._rows_in(sample)].tolist()
        )

    def appearances_in(self, sample: int) -> tuple[NDArray[np.uint8], ...]:
        """Return the appearance of each person in a sampled frame; empty if the pass has none."""
        return tuple(self.appearances[self._rows_in(sample)]) if self.appearances.shape[1] else ()

    def is_cut(self, sample: int) -> bool:
        """Return whether a new shot begins at that sampled frame."""
        return sample in self.cuts

    def crossings_at(self, sample: int) -> tuple[Crossing, ...]:
        """Return what a sampled frame tells about people who crossed."""
        rows = self.crossings[self.crossings[:, 0] == sample, 1:].tolist()
        return tuple(Crossing(int(one), int(other), since_s, bool(swapped)) for one, other, since_s, swapped in rows)

    def camera_at(self, sample: int) -> CameraStep | None:
        """Return the camera's motion up to a sampled frame; None if it was not measured."""
        return _step(self.camera, sample)

    def camera_roughly_at(self, sample: int) -> CameraStep | None:
        """Return the same, if need be to a few pixels."""
        return _step(self.camera_roughly, sample)

    def _rows_in(self, sample: int) -> slice:
        start, end = np.searchsorted(self.rows[:, 0], (sample, sample + 1)).tolist()
        return slice(start, end)

    def pictures_at(
        self, boxes_xyxy: Mapping[float, Box], style: CropStyle
    ) -> list[tuple[float, tuple[NDArray[np.uint8], ...]]]:
        """Return the crops of these boxes, with their surroundings if the style has them, by the time of their sample.

        Boxes are matched by position, because the numbers in a record are the tracker's, before tracks are stitched.
        Boxes that are not in the record are skipped.

        Raises:
            FileNotFoundError: the crops of this style are not stored.
        """
        kinds = self._pictures_of(style)
        found = []
        for time_s, box in boxes_xyxy.items():
            rows = self._rows_in(int(np.searchsorted(self.time_s, time_s)))
            apart_px = np.abs(self.rows[rows, 2:6] - np.array(box)).max(axis=1, initial=0.0)
            if len(apart_px) and apart_px.min() <= _SAME_BOX_PX:
                row = rows.start + int(apart_px.argmin())
                found.append((time_s, tuple(np.array(kind[row]) for kind in kinds)))
        return found

    def observations(self, style: CropStyle) -> Iterator[Observation]:
        """Yield the pass's observations; crops are read from the disk one sample at a time.

        Raises:
            FileNotFoundError: the crops of this style are not stored.
        """
        kinds = self._pictures_of(style)
        row = 0
        for sample in range(len(self.time_s)):
            people = self.people_in(sample)
            pictures = [tuple(np.array(picture) for picture in kind[row : row + len(people)]) for kind in kinds]
            row += len(people)
            crops, surroundings = (*pictures, (), ())[:2]
            yield self.observation(sample, people, crops, surroundings)

    def observation(
        self,
        sample: int,
        people: tuple[TrackedPerson, ...],
        crops_rgb: tuple[Picture, ...],
        surroundings_rgb: tuple[Picture, ...],
    ) -> Observation:
        """Return the observation of a sampled frame, with these pictures of ``people_in``."""
        return Observation(
            int(self.frame_index[sample]),
            float(self.time_s[sample]),
            people,
            crops_rgb,
            self.appearances_in(sample),
            self.is_cut(sample),
            surroundings_rgb,
            self.camera_at(sample),
            self.camera_roughly_at(sample),
            self.crossings_at(sample),
        )

    def _pictures_of(self, style: CropStyle) -> list[NDArray[np.uint8]]:
        """Map the crops and, if the style has them, the surroundings: each uint8 (r, CROP_SIZE_PX, CROP_SIZE_PX, 3)."""
        if not len(self.rows):
            return []  # an empty file cannot be mapped
        shape = (len(self.rows), *CROP_SHAPE)
        return [np.memmap(path, np.uint8, "r", shape=shape) for path in crop_paths(self.folder, style)]


def is_record(folder: Path) -> bool:
    """Return whether a folder holds a finished pass."""
    return (folder / _FILE_NAME).is_file()


def crop_paths(folder: Path, style: CropStyle) -> list[Path]:
    """Return the files of a style's pictures: the crops and, if the style has them, the surroundings."""
    steady = "-steady" if style.steady else ""
    crops = folder / f"crops-{style.margin_percentage}{steady}.u8"
    return [crops, folder / f"surroundings{steady}.u8"] if style.surroundings else [crops]


def _step(steps: NDArray[np.float64], sample: int) -> CameraStep | None:
    return CameraStep(*steps[sample].tolist()) if len(steps) else None
