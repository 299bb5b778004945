"""The files of each video in the folder of videos, and how much they take."""

from __future__ import annotations

import logging
import os
import time
from collections import defaultdict
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from recognizer.files import is_staged
from recognizer.service.sources import SOURCE_SUFFIX, is_here, stored_names

_log = logging.getLogger(__name__)

PICTURE_ENDING: Final = "library.jpg"
"""Ending of a video's small picture; an empty file says that the video has none."""


class VideoFiles:
    """The folder of videos as it was at one time: each video with its parts and what was made from them.

    Args:
        folder: the folder; a missing one has no files.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._of_stem: dict[str, list[os.DirEntry[str]]] = defaultdict(list)
        with suppress(FileNotFoundError), os.scandir(folder) as entries:
            for entry in entries:
                if not is_staged(Path(entry.name)):
                    self._of_stem[_stem(entry.name)].append(entry)

    def size_bytes(self, names: Iterable[str]) -> int:
        """Return what these videos take together, with everything made from them; shared files count once."""
        stems = {stem for name in names for stem in self.stems(name)}
        return sum(_size_bytes(entry) for stem in stems for entry in self._of_stem[stem])

    def is_here(self, name: str) -> bool:
        """Return whether a video, with all its parts, is on the disk."""
        if name.endswith(SOURCE_SUFFIX):
            return is_here(self._folder / name)
        return bool(name) and self._has(name)

    def has_picture(self, name: str) -> bool:
        """Return whether there is a picture of a video, or one can be made."""
        kept = f"{_stem(name)}-{PICTURE_ENDING}"
        for entry in self._of_stem.get(_stem(name), []):
            if entry.name == kept:
                return _size_bytes(entry) > 0
        return self.is_here(name)

    def remove(self, names: Iterable[str], keep: Collection[str]) -> None:
        """Remove videos with everything made from them, except the files that the videos to keep need."""
        kept = {stem for name in keep for stem in self.stems(name)}
        for stem in {stem for name in names for stem in self.stems(name)} - kept:
            for entry in self._of_stem.pop(stem, []):
                try:
                    Path(entry.path).unlink(missing_ok=True)
                except OSError as error:  # read-only, or open on Windows; the next purge tries again
                    _log.warning("a file of a deleted run stays on the disk: %s", error)

    def use(self, name: str, time_s: float | None = None) -> None:
        """Note that a video is used now, or at another time: the least recently used make room for new ones."""
        when_s = time.time() if time_s is None else time_s
        for stem in self.stems(name):
            for entry in self._of_stem[stem]:
                with suppress(OSError):  # it has gone, or the folder is read-only
                    os.utime(entry.path, (when_s, when_s))

    def stems(self, name: str) -> set[str]:
        """Return what the names of a video's own file, of its parts, and of everything made from them begin with."""
        return {_stem(own) for own in self._own_names(name)}

    def _own_names(self, name: str) -> set[str]:
        """Return the names of a video's own file and of its parts."""
        return stored_names(self._folder / name) if name else set()

    def _has(self, name: str) -> bool:
        return any(entry.name == name for entry in self._of_stem.get(_stem(name), []))


def _stem(name: str) -> str:
    """Return what the names of a video and of everything made from it begin with."""
    return name.split(".")[0].split("-")[0]


def _size_bytes(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat().st_size if entry.is_file() else 0
    except FileNotFoundError:
        return 0
