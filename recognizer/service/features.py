"""Store the features of analyses: one memory-mapped file each, in a size-limited folder."""

from __future__ import annotations

import hashlib
import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from recognizer.files import is_abandoned, is_staged, prune_lru, staged
from recognizer.service.timeline_bytes import timelines_from_bytes
from recognizer.timeline.features import FeatureTable
from recognizer.timeline.model import Timeline
from recognizer.types import packed_size

_log = logging.getLogger(__name__)

MAX_FEATURES_BYTES: Final = 4 * 2**30
"""If all files together exceed this, the least recently used are removed: 650 hours of one person, at 2.3 kB a clip and
a clip every 1.3 seconds. Their analyses stay, and can be run again."""


class FeatureStore:
    """A folder of the features of analyses. Safe to share: files are written aside and renamed.

    A file is a NumPy array of records ``codes``, ``low``, ``step``, ``has`` and ``rising``, one for each prediction of
    the stored timeline, in its order.

    Args:
        folder: created when needed.
        max_bytes: see ``MAX_FEATURES_BYTES``.
    """

    def __init__(self, folder: Path, max_bytes: int = MAX_FEATURES_BYTES) -> None:
        self._folder = folder
        self._max_bytes = max_bytes

    def save(self, analysis_id: str, table: FeatureTable | None) -> None:
        """Store the features of an analysis in place of earlier ones; None removes them.

        On a full disk, nothing is stored: the analysis is worth more than its features, which another run brings back.
        """
        path = self._path(analysis_id)
        try:
            if table is None:
                path.unlink(missing_ok=True)
                return
            self._folder.mkdir(parents=True, exist_ok=True)
            with staged(path) as part, part.open("wb") as file:
                np.save(file, feature_records(table), allow_pickle=False)
            self._prune(keep=path)
        except OSError as error:
            _log.warning("the features of an analysis are not stored, so it cannot get own names: %s", error)

    def load(self, analysis_id: str) -> FeatureTable | None:
        """Return the features of an analysis, row by row as its stored predictions; None if they are not here.

        The arrays are read from the disk when they are used. A damaged file is removed.
        """
        path = self._path(analysis_id)
        try:
            table = features_in(path)
            os.utime(path)  # the least recently used is removed first
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            # a crash or a full disk can leave a partial file; the analysis can be run again
            _log.warning("the features of an analysis cannot be read and are removed: %s", error)
            with suppress(OSError):
                path.unlink(missing_ok=True)
            return None
        return table

    def has(self, analysis_id: str) -> bool:
        """Return whether the features of an analysis are here, without reading them."""
        return self._path(analysis_id).is_file()

    def _path(self, analysis_id: str) -> Path:
        # an id may come from an address, and whoever knows one may open its analysis
        return self._folder / f"{hashlib.sha256(analysis_id.encode()).hexdigest()[:32]}.npy"

    def _prune(self, keep: Path) -> None:
        files = [path for path in self._folder.iterdir() if not is_staged(path) or is_abandoned(path)]
        prune_lru([(path,) for path in files], self._max_bytes, keep={keep})


def feature_records(table: FeatureTable) -> NDArray[np.void]:
    """Return features as the records of a file."""
    views, size = table.views, table.size
    numbers = [("codes", "u1", (views, size)), ("low", "<f4", (views,)), ("step", "<f4", (views,))]
    fields = [*numbers, ("has", "?"), ("rising", "u1", (views, packed_size(size)))]
    records = np.empty(len(table), fields)
    records["codes"], records["low"], records["step"], records["has"] = table.codes, table.low, table.step, table.has
    records["rising"] = table.rising
    return records


def features_in(path: Path) -> FeatureTable:
    """Return the features in a file, which are read when they are used.

    Raises:
        OSError: it cannot be read.
        ValueError: it holds something else.
    """
    try:
        records = np.load(path, mmap_mode="r", allow_pickle=False)
        return FeatureTable(records["codes"], records["low"], records["step"], records["has"], records["rising"])
    except (TypeError, IndexError, KeyError, EOFError) as error:
        raise ValueError(f"'{path}' holds no features") from error


def timeline_and_features(timeline: Path, features: Path) -> tuple[Timeline, FeatureTable | None]:
    """Return the timeline in a file, and the features of its predictions in another; None without that.

    Raises:
        OSError: one cannot be read.
        ValueError: one holds something else.
        StoreError: a later version of this program wrote it.
    """
    (found,) = timelines_from_bytes(timeline.read_bytes())
    return found, features_in(features) if features.is_file() else None
