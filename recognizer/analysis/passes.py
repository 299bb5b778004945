"""What one pass over a video saw, kept on disk, so that another classifier need not decode or detect again.

A record holds who was where in every sampled frame; beside it, for each way of cutting, the crops themselves, raw,
so that an analysis from the record equals one from the video to the bit::

    <folder>/<key>/pass.npz                         samples, people, looks, cuts, frame times
    <folder>/<key>/crops-<margin>[-steady].u8       (rows, CROP_SIZE_PX, CROP_SIZE_PX, 3)
    <folder>/<key>/surroundings[-steady].u8         the same shape
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import tempfile
import zipfile
from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from recognizer.files import is_abandoned, prune_lru
from recognizer.settings import CropStyle, Settings
from recognizer.types import CROP_SIZE_PX, Box, Observation, TrackedPerson

_log = logging.getLogger(__name__)

MAX_FOLDER_BYTES = 4 * 2**30
"""The oldest records go when all together are larger than this."""

MAX_CROPS_BYTES = 2 * 2**30
"""Crops of one pass beyond this are not kept (about 14,000 crops: fifteen minutes of one person at 15 a second)."""

_FORMAT = 3
"""Part of the key: a record of another format is never found. 2 has looks and cuts; in the surroundings of 3 the other
people are covered, and boxes are smoothed as if all frames had been looked at."""

_ASIDE = "writing-"
"""Begins the name of a folder that is not finished."""

_SAME_BOX_PX = 0.01
"""A timeline keeps boxes as float32, a record as float64: further apart than this are two boxes."""

_CROP_SHAPE = (CROP_SIZE_PX, CROP_SIZE_PX, 3)
_CROP_BYTES = CROP_SIZE_PX * CROP_SIZE_PX * 3


def pass_key(video_sha256: str, detector_sha256: str, settings: Settings, detector_backend: str = "") -> str:
    """Names everything that decides who is seen where: two passes with the same key see the same.

    ``detector_backend`` is what ran the detector: libraries round differently.
    """
    parts = {
        "format": _FORMAT,
        "video": video_sha256,
        "detector": detector_sha256,
        "detector_backend": detector_backend,
        "skip_frame": settings.skip_frame,
        "min_person_confidence": settings.min_person_confidence,
        "tracker": settings.tracker,
        "device": settings.device,
        "precision": settings.precision,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def pass_key_from(video_sha256: str | None, provenance: Mapping[str, str], settings: Settings) -> str | None:
    """The ``pass_key`` of an analysis whose networks have this provenance; None where what decides it is not known."""
    detector_sha256 = provenance.get("detector_sha256")
    if video_sha256 is None or detector_sha256 is None:
        return None
    return pass_key(video_sha256, detector_sha256, settings, provenance.get("detector_backend", ""))


@dataclass(frozen=True, eq=False)
class RecordedPass:
    """A finished pass over a video.

    Attributes:
        frame_times_s: float64 (n,), presentation time of every frame of the video.
        frame_index: int64 (s,), index of each sampled frame.
        time_s: float64 (s,), time of each sampled frame.
        rows: float64 (r, 7), one for each person in each sampled frame: number of the sample, ``person_id``, x1, y1,
            x2, y2, confidence.
        looks: uint8 (r, LOOK_SIZE), what each of ``rows`` looks like; (r, 0) where nobody asked.
        cuts: int64 (c,), numbers of the samples that begin another shot.
        notes: what the reader of the video remarked.
    """

    folder: Path
    frame_times_s: NDArray[np.float64]
    frame_index: NDArray[np.int64]
    time_s: NDArray[np.float64]
    rows: NDArray[np.float64]
    appearances: NDArray[np.uint8]
    cuts: NDArray[np.int64]
    notes: tuple[str, ...]

    def has_crops(self, style: CropStyle) -> bool:
        """Whether the crops of this style were kept, all of them."""
        try:
            kept_bytes = {path.stat().st_size for path in _paths(self.folder, style)}
        except OSError:
            return False
        return kept_bytes == {len(self.rows) * _CROP_BYTES}

    def people_in(self, sample: int) -> tuple[TrackedPerson, ...]:
        """Who was there in that sampled frame; made when asked for, as a long video has very many."""
        return tuple(
            TrackedPerson(int(person_id), (x1, y1, x2, y2), confidence)
            for _, person_id, x1, y1, x2, y2, confidence in self.rows[self._rows_in(sample)].tolist()
        )

    def appearances_in(self, sample: int) -> tuple[NDArray[np.uint8], ...]:
        """What those in that sampled frame look like; empty where nobody asked when the pass was made."""
        return tuple(self.appearances[self._rows_in(sample)]) if self.appearances.shape[1] else ()

    def is_cut(self, sample: int) -> bool:
        """Whether that sampled frame begins another shot."""
        return sample in self.cuts

    def _rows_in(self, sample: int) -> slice:
        start, end = np.searchsorted(self.rows[:, 0], (sample, sample + 1)).tolist()
        return slice(start, end)

    def pictures_at(
        self, boxes_xyxy: Mapping[float, Box], style: CropStyle
    ) -> list[tuple[float, tuple[NDArray[np.uint8], ...]]]:
        """What was cut out for these boxes, by the time of their samples: the crop, and its surroundings if there are.

        They are looked up by place: the numbers of people in here are the tracker's, before what belongs to one person
        is joined. A box that is not in the record is left out.

        Raises:
            FileNotFoundError: the crops of this style were not kept.
        """
        kinds = [self._pictures(path) for path in _paths(self.folder, style)] if len(self.rows) else []
        found = []
        for time_s, box in boxes_xyxy.items():
            rows = self._rows_in(int(np.searchsorted(self.time_s, time_s)))
            apart_px = np.abs(self.rows[rows, 2:6] - np.array(box)).max(axis=1, initial=0.0)
            if len(apart_px) and apart_px.min() <= _SAME_BOX_PX:
                row = rows.start + int(apart_px.argmin())
                found.append((time_s, tuple(np.array(kind[row]) for kind in kinds)))
        return found

    def _pictures(self, path: Path) -> NDArray[np.uint8]:
        return np.memmap(path, np.uint8, "r", shape=(len(self.rows), *_CROP_SHAPE))

    def observations(self, style: CropStyle) -> Iterator[Observation]:
        """The pass again, crops read from the disk as they are asked for.

        Raises:
            FileNotFoundError: the crops of this style were not kept.
        """
        # a file without a byte cannot be mapped
        kinds = [self._pictures(path) for path in _paths(self.folder, style)] if len(self.rows) else []
        row = 0
        for sample, (frame_index, time_s) in enumerate(zip(self.frame_index, self.time_s, strict=True)):
            people = self.people_in(sample)
            those = [tuple(np.array(picture) for picture in kind[row : row + len(people)]) for kind in kinds]
            row += len(people)
            appearances, is_cut = self.appearances_in(sample), self.is_cut(sample)
            crops, around = (*those, (), ())[:2]
            yield Observation(int(frame_index), float(time_s), people, crops, appearances, is_cut, around)


class PassStore:
    """A size-limited folder of recorded passes. Safe to share: records are written aside and renamed into place.

    Attributes:
        placing: held while a record is put in its place or taken away, in this process and in others: what is put into
            a record that is just being removed would stay behind alone.
    """

    def __init__(
        self, folder: Path, max_folder_bytes: int = MAX_FOLDER_BYTES, max_crops_bytes: int = MAX_CROPS_BYTES
    ) -> None:
        self._folder = folder
        self._max_folder_bytes = max_folder_bytes
        self._max_crops_bytes = max_crops_bytes
        folder.mkdir(parents=True, exist_ok=True)
        self.placing = FileLock(folder.with_name(f"{folder.name}.lock"))

    def find(self, key: str) -> RecordedPass | None:
        """The finished pass of this key, if it is kept. One that cannot be read is removed."""
        folder = self._folder / key
        try:
            # opened here, because NumPy leaves a file open that turns out to be no archive
            with (folder / "pass.npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                found = RecordedPass(
                    folder=folder,
                    frame_times_s=arrays["frame_times_s"],
                    frame_index=arrays["frame_index"],
                    time_s=arrays["time_s"],
                    rows=arrays["rows"],
                    appearances=arrays["looks"],
                    cuts=arrays["cuts"],
                    notes=tuple(json.loads(str(arrays["notes"]))),
                )
            os.utime(folder)  # the most recently used is the last to go
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            # a crash or a full disk can leave half a file; the pass can be made again
            _log.warning("the record of a pass cannot be read and is removed: %s", error)
            with suppress(OSError), self.placing:  # where it cannot be removed it is met again
                shutil.rmtree(folder, ignore_errors=True)
            return None
        return found

    def record(self, key: str, style: CropStyle) -> PassRecorder:
        """Begin to record a pass; use as a context manager and call ``keep`` at its end."""
        return PassRecorder(self, self._folder / key, style, self._max_crops_bytes)

    def remember(self, key: str, finished: RecordedPass) -> None:
        """Told of every pass that came to its end, whether the disk takes it or not."""

    def remembering(self) -> RememberingCropStore:
        """The same folder, for a few analyses of one video that must not look for people twice."""
        return RememberingCropStore(self._folder, self._max_folder_bytes, self._max_crops_bytes)

    def prune(self, keep: Path) -> None:
        """Remove the least recently used records until the folder fits; never the one just written.

        To be called while ``placing`` is held.
        """
        records = [(path,) for path in self._folder.iterdir() if path.is_dir() and _is_prunable(path)]
        prune_lru(records, self._max_folder_bytes, keep={keep})


class RememberingCropStore(PassStore):
    """Also keeps in memory who was where, 312 bytes for each person in each sampled frame.

    Where the disk is full, or others' records push a pass out, the next analysis decodes for its crops but looks for
    nobody again. It is to live only as long as the analyses that need it.
    """

    def __init__(self, folder: Path, max_folder_bytes: int, max_crops_bytes: int) -> None:
        super().__init__(folder, max_folder_bytes, max_crops_bytes)
        self._remembered: dict[str, RecordedPass] = {}

    def find(self, key: str) -> RecordedPass | None:
        """The finished pass of this key, from the disk or from memory; from memory it has no crops."""
        return super().find(key) or self._remembered.get(key)

    def remember(self, key: str, finished: RecordedPass) -> None:
        """Keep who was where."""
        self._remembered[key] = finished


class PassRecorder:
    """Writes one pass to a folder aside; what is not kept explicitly leaves nothing behind.

    Where the disk refuses, the record is given up and the log says so: the analysis goes on without it.
    """

    def __init__(self, store: PassStore, target: Path, style: CropStyle, max_crops_bytes: int) -> None:
        self._store = store
        self._target = target
        self._style = style
        self._crops_left = max_crops_bytes // _CROP_BYTES
        self._frame_index = array("q")
        self._time_s = array("d")
        self._rows = array("d")
        self._appearances = array("B")
        self._cuts = array("q")
        self._aside: Path | None = None
        self._files: list[BinaryIO] = []
        try:
            self._aside = Path(tempfile.mkdtemp(prefix=_ASIDE, dir=target.parent))
            self._files += [path.open("wb") for path in _paths(self._aside, style)]
        except OSError as error:
            self._give_up(error)

    def __enter__(self) -> PassRecorder:
        return self

    def __exit__(self, *_: object) -> None:
        self.discard()

    def add(self, observation: Observation) -> None:
        """Record one sampled frame."""
        sample = len(self._time_s)
        self._frame_index.append(observation.frame_index)
        self._time_s.append(observation.time_s)
        for person in observation.people:
            self._rows.extend((sample, person.person_id, *person.box_xyxy, person.confidence))
        for appearance in observation.appearances:
            self._appearances.frombytes(appearance.tobytes())
        if observation.is_cut:
            self._cuts.append(sample)
        try:
            for file, pictures in zip(self._files, (observation.crops_rgb, observation.surroundings_rgb), strict=False):
                for picture in pictures:
                    self._crops_left -= 1
                    if self._crops_left >= 0:
                        file.write(np.ascontiguousarray(picture).data)
        except OSError as error:
            self._give_up(error)

    def keep(self, frame_times_s: NDArray[np.float64], notes: Sequence[str]) -> None:
        """The pass went through to its end: put the record in its place."""
        finished = RecordedPass(
            folder=self._target,
            frame_times_s=frame_times_s,
            frame_index=np.array(self._frame_index, np.int64),
            time_s=np.array(self._time_s, np.float64),
            rows=np.array(self._rows, np.float64).reshape(-1, 7),
            appearances=np.array(self._appearances, np.uint8).reshape(
                len(self._rows) // 7, -1 if self._appearances else 0
            ),
            cuts=np.array(self._cuts, np.int64),
            notes=tuple(notes),
        )
        self._store.remember(self._target.name, finished)
        if self._aside is None:
            return
        try:
            for file in self._files:
                file.close()
            if self._crops_left < 0:
                for path in _paths(self._aside, self._style):
                    path.unlink()
                _log.info("the crops of a pass were larger than the limit; only who was where is kept")
            np.savez(
                self._aside / "pass.npz",
                frame_times_s=finished.frame_times_s,
                frame_index=finished.frame_index,
                time_s=finished.time_s,
                rows=finished.rows,
                looks=finished.appearances,  # the name in files of this format
                cuts=finished.cuts,
                notes=np.array(json.dumps(finished.notes)),
            )
            with self._store.placing:
                self._put_in_place(self._aside)
                self._store.prune(keep=self._target)
        except OSError as error:
            self._give_up(error)

    def _put_in_place(self, aside: Path) -> None:
        if not (self._target / "pass.npz").is_file():
            shutil.rmtree(self._target, ignore_errors=True)
            try:
                aside.replace(self._target)
                return
            except OSError:
                # another recorder of the same pass may have come first
                if not (self._target / "pass.npz").is_file():
                    raise
        # the same pass, perhaps cut otherwise: it saw the same people, only the crops are new
        for path in _paths(aside, self._style):
            if path.is_file():
                path.replace(self._target / path.name)

    def _give_up(self, error: OSError) -> None:
        _log.warning("a pass is not kept, so the next analysis starts from the video again: %s", error)
        self.discard()

    def discard(self) -> None:
        """Remove what was written, unless it was kept."""
        for file in self._files:
            with suppress(OSError):  # on a full disk the rest of its buffer cannot be written; it goes anyway
                file.close()
        self._files = []
        if self._aside is not None:
            shutil.rmtree(self._aside, ignore_errors=True)
            self._aside = None


def _is_prunable(folder: Path) -> bool:
    """A folder that is still being written to is left alone; one that a crash left behind is not."""
    return not folder.name.startswith(_ASIDE) or is_abandoned(folder)


def _paths(folder: Path, style: CropStyle) -> list[Path]:
    """The files that hold what a style cuts out: the crops, and their surroundings where it wants them."""
    crops = _crops_path(folder, style)
    return [crops, folder / f"surroundings{_steady(style)}.u8"] if style.surroundings else [crops]


def _crops_path(folder: Path, style: CropStyle) -> Path:
    return folder / f"crops-{style.margin_percentage}{_steady(style)}.u8"


def _steady(style: CropStyle) -> str:
    return "-steady" if style.steady else ""
