"""What one pass over a video saw, kept on disk, so that another classifier need not decode or detect again.

A record holds who was where in every sampled frame; beside it, for each crop margin, the crops themselves, raw,
so that an analysis from the record equals one from the video to the bit::

    <folder>/<key>/pass.npz             samples, people, frame times
    <folder>/<key>/crops-<margin>.u8    (rows, CROP_SIZE_PX, CROP_SIZE_PX, 3)
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import tempfile
import time
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recognizer.settings import Settings
from recognizer.types import CROP_SIZE_PX, Observation, TrackedPerson

_log = logging.getLogger(__name__)

MAX_FOLDER_BYTES = 4 * 2**30
"""The oldest records go when all together are larger than this."""

MAX_CROPS_BYTES = 2 * 2**30
"""Crops of one pass beyond this are not kept (about 14,000 crops: fifteen minutes of one person at 15 a second)."""

_FORMAT = 1
"""Part of the key: a record of another format is never found."""

_ASIDE = "writing-"
"""Begins the name of a folder that is not finished."""

_WRITING_TAKES_AT_MOST_S = 24 * 3600.0

_CROP_SHAPE = (CROP_SIZE_PX, CROP_SIZE_PX, 3)


def pass_key(video_sha256: str, detector_sha256: str, settings: Settings) -> str:
    """Names everything that decides who is seen where: two passes with the same key see the same."""
    parts = {
        "format": _FORMAT,
        "video": video_sha256,
        "detector": detector_sha256,
        "skip_frame": settings.skip_frame,
        "min_person_confidence": settings.min_person_confidence,
        "tracker": settings.tracker,
        "device": settings.device,
        "precision": settings.precision,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


@dataclass(frozen=True, eq=False)
class RecordedPass:
    """A finished pass over a video.

    Attributes:
        frame_times_s: float64 (n,), presentation time of every frame of the video.
        frame_index: int64 (s,), index of each sampled frame.
        time_s: float64 (s,), time of each sampled frame.
        people: for each sampled frame, who was there.
        notes: what the reader of the video remarked.
    """

    folder: Path
    frame_times_s: NDArray[np.float64]
    frame_index: NDArray[np.int64]
    time_s: NDArray[np.float64]
    people: tuple[tuple[TrackedPerson, ...], ...]
    notes: tuple[str, ...]

    def has_crops(self, margin_percentage: int) -> bool:
        """Whether the crops with this margin were kept."""
        return _crops_path(self.folder, margin_percentage).is_file()

    def observations(self, margin_percentage: int) -> Iterator[Observation]:
        """The pass again, crops read from the disk as they are asked for.

        Raises:
            FileNotFoundError: the crops with this margin were not kept.
        """
        rows = sum(len(people) for people in self.people)
        crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8] = ()
        if rows:
            path = _crops_path(self.folder, margin_percentage)
            crops = np.memmap(path, np.uint8, "r", shape=(rows, *_CROP_SHAPE))
        row = 0
        for frame_index, time_s, people in zip(self.frame_index, self.time_s, self.people, strict=True):
            those = tuple(np.array(crop) for crop in crops[row : row + len(people)])
            row += len(people)
            yield Observation(int(frame_index), float(time_s), people, those)


class CropStore:
    """A size-limited folder of recorded passes. Safe to share: records are written aside and renamed into place."""

    def __init__(
        self, folder: Path, max_folder_bytes: int = MAX_FOLDER_BYTES, max_crops_bytes: int = MAX_CROPS_BYTES
    ) -> None:
        self._folder = folder
        self._max_folder_bytes = max_folder_bytes
        self._max_crops_bytes = max_crops_bytes
        folder.mkdir(parents=True, exist_ok=True)

    def find(self, key: str) -> RecordedPass | None:
        """The finished pass of this key, if it is kept."""
        folder = self._folder / key
        try:
            with np.load(folder / "pass.npz", allow_pickle=False) as arrays:
                loaded = {name: arrays[name] for name in arrays.files}
        except FileNotFoundError:
            return None
        os.utime(folder)  # the most recently used is the last to go
        return RecordedPass(
            folder=folder,
            frame_times_s=loaded["frame_times_s"],
            frame_index=loaded["frame_index"],
            time_s=loaded["time_s"],
            people=_people_by_sample(loaded),
            notes=tuple(json.loads(str(loaded["notes"]))),
        )

    def record(self, key: str, margin_percentage: int) -> PassRecorder:
        """Begin to record a pass; use as a context manager and call ``keep`` at its end."""
        return PassRecorder(self, self._folder / key, margin_percentage, self._max_crops_bytes)

    def prune(self, keep: Path) -> None:
        """Remove the least recently used records until the folder fits; never the one just written."""
        folders = {p: p.stat().st_mtime for p in self._folder.iterdir() if p.is_dir()}
        abandoned_before = time.time() - _WRITING_TAKES_AT_MOST_S
        records = [p for p in sorted(folders, key=folders.__getitem__) if _is_prunable(p, folders[p], abandoned_before)]
        sizes = {record: sum(file.stat().st_size for file in record.iterdir()) for record in records}
        total = sum(sizes.values())
        for record in records:
            if total <= self._max_folder_bytes:
                break
            if record != keep:
                shutil.rmtree(record, ignore_errors=True)
                total -= sizes[record]


class PassRecorder:
    """Writes one pass to a folder aside; what is not kept explicitly leaves nothing behind."""

    def __init__(self, store: CropStore, target: Path, margin_percentage: int, max_crops_bytes: int) -> None:
        self._store = store
        self._target = target
        self._margin_percentage = margin_percentage
        self._crops_left = max_crops_bytes // int(np.prod(_CROP_SHAPE))
        self._aside = Path(tempfile.mkdtemp(prefix=_ASIDE, dir=target.parent))
        self._crops = _crops_path(self._aside, margin_percentage).open("wb")
        self._frame_index: list[int] = []
        self._time_s: list[float] = []
        self._rows = array("d")

    def __enter__(self) -> PassRecorder:
        return self

    def __exit__(self, *_: object) -> None:
        self._crops.close()
        shutil.rmtree(self._aside, ignore_errors=True)

    def add(self, observation: Observation) -> None:
        """Record one sampled frame."""
        sample = len(self._time_s)
        self._frame_index.append(observation.frame_index)
        self._time_s.append(observation.time_s)
        for person, crop in zip(observation.people, observation.crops_rgb, strict=True):
            self._rows.extend((sample, person.person_id, *person.box_xyxy, person.confidence))
            self._crops_left -= 1
            if self._crops_left >= 0:
                self._crops.write(crop.tobytes())

    def keep(self, frame_times_s: NDArray[np.float64], notes: Sequence[str]) -> None:
        """The pass went through to its end: put the record in its place."""
        self._crops.close()
        aside_crops = _crops_path(self._aside, self._margin_percentage)
        if self._crops_left < 0:
            aside_crops.unlink()
            _log.info("the crops of a pass were larger than the limit; only who was where is kept")
        rows = np.array(self._rows, np.float64).reshape(-1, 7)
        np.savez(
            self._aside / "pass.npz",
            frame_times_s=frame_times_s,
            frame_index=np.array(self._frame_index, np.int64),
            time_s=np.array(self._time_s, np.float64),
            rows=rows,
            notes=np.array(json.dumps(list(notes))),
        )
        if (self._target / "pass.npz").is_file():
            # the same pass with another margin: it saw the same people, only the crops are new
            if aside_crops.is_file():
                aside_crops.replace(_crops_path(self._target, self._margin_percentage))
        else:
            shutil.rmtree(self._target, ignore_errors=True)
            self._aside.replace(self._target)
        self._store.prune(keep=self._target)


def _is_prunable(folder: Path, modified: float, abandoned_before: float) -> bool:
    """A folder that is still being written to is left alone; one that a crash left behind is not."""
    return not folder.name.startswith(_ASIDE) or modified < abandoned_before


def _crops_path(folder: Path, margin_percentage: int) -> Path:
    return folder / f"crops-{margin_percentage}.u8"


def _people_by_sample(arrays: dict[str, NDArray[np.float64]]) -> tuple[tuple[TrackedPerson, ...], ...]:
    people: list[list[TrackedPerson]] = [[] for _ in arrays["time_s"]]
    for sample, person_id, x1, y1, x2, y2, confidence in arrays["rows"].tolist():
        people[int(sample)].append(TrackedPerson(int(person_id), (x1, y1, x2, y2), confidence))
    return tuple(tuple(those) for those in people)
