"""Store passes over videos on the disk, so that another classifier need not decode or detect again.

Each pass has a folder of its own, ``<folder>/<key>``; ``recognizer/analysis/pass_record.py`` describes its files.
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
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Self

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from recognizer.analysis.pass_record import CROP_BYTES, FORMAT, RecordedPass, crop_paths, is_record
from recognizer.files import is_abandoned, prune_lru
from recognizer.settings import CropStyle, Settings, specs_of
from recognizer.types import Observation, Reading

_log = logging.getLogger(__name__)

MAX_FOLDER_BYTES = 4 * 2**30
"""If all records together exceed this, the least recently used are removed."""

MAX_CROPS_BYTES = 2 * 2**30
"""Crops of one pass are not stored beyond this (about 14,000 crops: fifteen minutes of one person at 15 a second)."""

_ASIDE = "writing-"
"""Prefix of a folder that is still being written."""


_KNOWN_BY_RESULT = ("model", "backend")
"""Settings that the key replaces with their result: the detector's hash, and the library that ran it."""


def pass_key(
    video_sha256: str,
    detector_sha256: str,
    settings: Settings,
    detector_backend: str = "",
    reading: Reading | None = None,
) -> str:
    """Return the key of a pass: two passes with the same key find the same people in the same places.

    Args:
        video_sha256: hash of the file, or of the recording.
        detector_sha256: hash of the detector's weights.
        settings: those of the analysis.
        detector_backend: the library that runs the detector: libraries round differently.
        reading: holds what the user chose about the file: its stream and its frame rate.
    """
    parts: dict[str, Any] = {
        "format": FORMAT,
        "video": video_sha256,
        "detector": detector_sha256,
        "detector_backend": detector_backend,
    }
    if reading is not None and reading.stream_given:
        parts["stream"] = reading.stream
    if reading is not None and reading.rate_given_hz is not None:
        parts["frame_rate_hz"] = reading.rate_given_hz
    for name, spec in specs_of(type(settings)).items():
        if spec.scope.decides_pass and name not in _KNOWN_BY_RESULT:
            parts[name] = getattr(settings, name)
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def pass_key_from(
    video_sha256: str | None, provenance: Mapping[str, str], settings: Settings, reading: Reading
) -> str | None:
    """Return the ``pass_key`` for networks of this provenance; None if it lacks the detector's hash."""
    detector_sha256 = provenance.get("detector_sha256")
    if video_sha256 is None or detector_sha256 is None:
        return None
    return pass_key(video_sha256, detector_sha256, settings, provenance.get("detector_backend", ""), reading)


class PassStore:
    """A size-limited folder of recorded passes. Safe to share: records are written to a temporary folder and renamed.

    Attributes:
        placing: lock, also between processes, held while a record is moved into place or removed: crops moved into a
            record during its removal would be left behind.
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
        """Return the stored pass of this key, or None. A record that cannot be read is removed."""
        folder = self._folder / key
        try:
            found = RecordedPass.load(folder)
            os.utime(folder)  # the least recently used is removed first
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile) as error:
            # a crash or a full disk can leave a partial file; the pass can be run again
            _log.warning("the record of a pass cannot be read and is removed: %s", error)
            with suppress(OSError), self.placing:  # if it cannot be removed, the next analysis tries again
                shutil.rmtree(folder, ignore_errors=True)
            return None
        return found

    def has_crops(self, key: str, style: CropStyle) -> bool:
        """Return whether the pass of this key has crops of this style, without reading it."""
        return all(path.is_file() for path in crop_paths(self._folder / key, style))

    def record(self, key: str, style: CropStyle, *, with_crops: bool = True) -> PassRecorder:
        """Begin to record a pass; use as a context manager and call ``commit`` at its end.

        Args:
            key: see ``pass_key``.
            style: how the crops are cut.
            with_crops: whether to record them; the first ones of a pass that is resumed are not here.
        """
        return PassRecorder(self, self._folder / key, style, self._max_crops_bytes if with_crops else -1)

    def remember(self, key: str, finished: RecordedPass) -> None:
        """Do nothing. Called with every finished pass, stored or not; ``RememberingPassStore`` overrides it."""

    def remembering(self) -> RememberingPassStore:
        """Return a store of the same folder for a few analyses of one video that must not detect people twice."""
        return RememberingPassStore(self._folder, self._max_folder_bytes, self._max_crops_bytes)

    def remove_leftovers(self) -> None:
        """Remove what killed processes did not finish writing."""
        with suppress(OSError), self.placing:  # from a folder that cannot be written nothing can be removed
            for folder in self._folder.glob(f"{_ASIDE}*"):
                if folder.is_dir() and _is_left_over(folder):
                    shutil.rmtree(folder, ignore_errors=True)
                    _lock_of(folder).unlink(missing_ok=True)

    def prune(self, keep: Path) -> None:
        """Remove the least recently used records except ``keep`` until the folder fits; call with ``placing`` held."""
        records = [(path, _lock_of(path)) for path in self._folder.iterdir() if path.is_dir() and _is_prunable(path)]
        prune_lru(records, self._max_folder_bytes, keep={keep})


class RememberingPassStore(PassStore):
    """A store that also remembers passes in memory: 312 bytes for each person in each sampled frame.

    If the disk is full, or newer records displace a pass, the next analysis decodes to crop but does not detect again.
    Discard the store after the analyses that need it.
    """

    def __init__(self, folder: Path, max_folder_bytes: int, max_crops_bytes: int) -> None:
        super().__init__(folder, max_folder_bytes, max_crops_bytes)
        self._remembered: dict[str, RecordedPass] = {}

    def find(self, key: str) -> RecordedPass | None:
        """Return the pass of this key from the disk or from memory; from memory it has no crops."""
        return super().find(key) or self._remembered.get(key)

    def remember(self, key: str, finished: RecordedPass) -> None:
        """Remember a finished pass."""
        self._remembered[key] = finished


class PassRecorder:
    """Writes one pass to a temporary folder, and moves it into place on ``commit``; otherwise nothing remains.

    If writing fails, the recorder gives up and logs why; the analysis continues without a record.
    """

    def __init__(self, store: PassStore, target: Path, style: CropStyle, max_crops_bytes: int) -> None:
        self._store = store
        self._target = target
        self._style = style
        self._crops_left = max_crops_bytes // CROP_BYTES
        self._frame_index = array("q")
        self._time_s = array("d")
        self._rows = array("d")
        self._appearances = array("B")
        self._cuts = array("q")
        self._crossings = array("d")
        self._camera = array("d")
        self._camera_roughly = array("d")
        self._aside: Path | None = None
        self._files: list[BinaryIO] = []
        self._lock: FileLock | None = None
        try:
            with store.placing:  # nobody may take the folder for left over before it is locked
                self._aside = Path(tempfile.mkdtemp(prefix=_ASIDE, dir=target.parent))
                self._lock = FileLock(_lock_of(self._aside), thread_local=False)
                self._lock.acquire(blocking=False)  # the system releases it if this process is killed
            self._files += [path.open("wb") for path in crop_paths(self._aside, style)]
        except OSError as error:
            self._give_up(error)

    def __enter__(self) -> Self:
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
        for crossing in observation.crossings:
            self._crossings.extend((sample, *crossing))
        if observation.camera is not None:
            self._camera.extend(observation.camera)
        if observation.camera_roughly is not None:
            self._camera_roughly.extend(observation.camera_roughly)
        try:
            for file, pictures in zip(self._files, (observation.crops_rgb, observation.surroundings_rgb), strict=False):
                for picture in pictures:
                    self._crops_left -= 1
                    if self._crops_left >= 0:
                        file.write(np.ascontiguousarray(picture).data)
        except OSError as error:
            self._give_up(error)

    def commit(self, frame_times_s: NDArray[np.float64], notes: Sequence[str], reading: Reading) -> None:
        """Store the finished pass."""
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
            crossings=np.array(self._crossings, np.float64).reshape(-1, 5),
            camera=np.array(self._camera, np.float64).reshape(-1, 4),
            camera_roughly=np.array(self._camera_roughly, np.float64).reshape(-1, 4),
            notes=tuple(notes),
            reading=reading,
        )
        self._store.remember(self._target.name, finished)
        if self._aside is None:
            return
        try:
            for file in self._files:
                file.close()
            if self._crops_left < 0:
                for path in crop_paths(self._aside, self._style):
                    path.unlink()
                _log.info("the crops of a pass exceed the limit, or it was resumed; the record has none")
            finished.save(self._aside)
            with self._store.placing:
                self._put_in_place(self._aside)
                self._store.prune(keep=self._target)
        except OSError as error:
            self._give_up(error)

    def _put_in_place(self, aside: Path) -> None:
        if not is_record(self._target):
            shutil.rmtree(self._target, ignore_errors=True)
            try:
                aside.replace(self._target)
                return
            except OSError:
                # another recorder may have stored the same pass first
                if not is_record(self._target):
                    raise
        # the same pass, perhaps in another crop style: only the crops are new
        for path in crop_paths(aside, self._style):
            if path.is_file():
                path.replace(self._target / path.name)

    def _give_up(self, error: OSError) -> None:
        _log.warning("a pass is not stored, so the next analysis starts from the video again: %s", error)
        self.discard()

    def discard(self) -> None:
        """Remove the temporary folder; does nothing after ``commit``."""
        for file in self._files:
            with suppress(OSError):  # on a full disk the buffer cannot be flushed, and need not be
                file.close()
        self._files = []
        if self._aside is not None:
            shutil.rmtree(self._aside, ignore_errors=True)
            if self._lock is not None:
                self._lock.release()
                _lock_of(self._aside).unlink(missing_ok=True)
            self._aside = None


def _lock_of(aside: Path) -> Path:
    return aside.with_name(f"{aside.name}.lock")


def _is_left_over(aside: Path) -> bool:
    """Return whether the process that wrote a folder is gone; without a lock, whether it must be by its age."""
    path = _lock_of(aside)
    if not path.is_file():
        return is_abandoned(aside)
    lock = FileLock(path)
    try:
        with lock.acquire(blocking=False):
            if aside.is_dir():
                return True
            # its recorder ended since we looked and removed the lock, which we have made again
            path.unlink(missing_ok=True)
            return False
    except (Timeout, OSError):
        return False


def _is_prunable(folder: Path) -> bool:
    """Return whether a folder may be removed: a finished record, or one that a crash left unfinished."""
    return not folder.name.startswith(_ASIDE) or _is_left_over(folder)
