"""The data set grows with the batch: parts of it are written while workers work, on a thread beside them.

A part is what it would be at the command's end: whole, and the same bytes for the same results. So a batch that has run
for days can be looked at, and what a killed command has written stays.
"""

from __future__ import annotations

import logging
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, NamedTuple

from recognizer.batch.dataset import PARTS, holds, note_part, write_part
from recognizer.batch.manifest import Manifest
from recognizer.batch.results import BatchFolder
from recognizer.errors import RecognizerError

_log = logging.getLogger(__name__)

_FEWEST: Final = 32
"""New results for which a part is written: a page reads about 500 single ones, 16 times as many."""

_SHARE: Final = 8
"""A part is also not written before it has grown by an eighth, or a large one would be written all the time: over a
batch, every result is read nine times, which takes 30 ms."""


class _Writing(NamedTuple):
    part: str
    results: list[str]
    done: Future[None]


class _EndedError(Exception):
    """The command ends."""


class Growth:
    """Writes parts of the data set; use it in a ``with`` block on the thread that has the manifest.

    Args:
        folder: of the batch.
        manifest: its videos.
    """

    def __init__(self, folder: BatchFolder, manifest: Manifest) -> None:
        self._folder = folder
        self._manifest = manifest
        self._held: dict[str, int] = {}
        self._new: dict[str, int] = {}
        for part in PARTS:
            results = list(manifest.results(part))
            is_held = holds(folder, manifest, part, results)
            self._held[part], self._new[part] = (len(results), 0) if is_held else (0, len(results))
        self._ends = threading.Event()
        self._thread = ThreadPoolExecutor(1, "data-set")
        self._writing: _Writing | None = None

    def __enter__(self) -> Growth:
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.shutdown()
        self._note()

    def add(self, result: str) -> None:
        """Take note of a result that the manifest has."""
        self._new[result[0]] += 1

    def go_on(self) -> None:
        """Begin to write the part that has grown most, if it has grown enough and none is being written."""
        if self._writing is not None and not self._writing.done.done():
            return
        self._note()
        part = max(PARTS, key=lambda one: self._new[one] - self._due(one))
        if self._new[part] >= self._due(part):
            results = list(self._manifest.results(part))
            self._writing = _Writing(part, results, self._thread.submit(self._write, part, results))
            self._new[part] = 0

    def _due(self, part: str) -> int:
        return max(_FEWEST, self._held[part] // _SHARE)

    def _write(self, part: str, results: list[str]) -> None:
        write_part(self._folder, part, results, self._check)

    def _check(self) -> None:
        if self._ends.is_set():
            raise _EndedError

    def _note(self) -> None:
        """Note in the manifest what has been written. What could not be is written when the command ends."""
        writing, self._writing = self._writing, None
        if writing is None:
            return
        try:
            writing.done.result()
        except _EndedError:
            return
        except RecognizerError as error:
            _log.warning("a part of the data set waits for the end of the command: %s", error)
            return
        note_part(self._manifest, writing.part, writing.results)
        self._held[writing.part] = len(writing.results)
