"""Comparisons, kept over restarts, in the database of analyses."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any

from recognizer.comparison.model import Comparison, Cost, Entry, named
from recognizer.comparison.truth import Truth, read_truth
from recognizer.errors import SettingsError, StoreError
from recognizer.export import timeline_from_json, timeline_json
from recognizer.service.store import AnalysisStore, StoredFile, StoredSummary
from recognizer.settings import Settings

_SCHEMA = """
CREATE TABLE IF NOT EXISTS comparison (
    comparison_id TEXT PRIMARY KEY,
    created_at TEXT NOT NULL,
    video_name TEXT NOT NULL,
    video_path TEXT NOT NULL,
    video_sha256 TEXT NOT NULL,
    entries_zlib BLOB NOT NULL,
    truth_name TEXT,
    truth BLOB
);
"""


@dataclass(frozen=True, eq=False)
class StoredComparison:
    """A comparison that was kept.

    Attributes:
        comparison_id: names it; cannot be guessed.
        created_at: when it was begun.
        video: the file; its path may be gone.
        comparison: what came out.
        truth: the person's own labels; None where there are none.
    """

    comparison_id: str
    created_at: datetime
    video: StoredFile
    comparison: Comparison
    truth: Truth | None

    @property
    def is_of_camera(self) -> bool:
        """Whether two classifiers spoke while a camera ran: there is no video, at most the recording."""
        return not self.video.sha256


class ComparisonStore:
    """Keeps comparisons beside the analyses. Any thread may call."""

    def __init__(self, store: AnalysisStore) -> None:
        self._store = store
        with store.connection() as connection:
            connection.executescript(_SCHEMA)

    def save(self, comparison_id: str, video: StoredFile, comparison: Comparison) -> None:
        """Keep a comparison; one of the same name is replaced, and its labels stay.

        Raises:
            StoreError: it cannot be written.
        """
        document = json.dumps([_entry_values(entry) for entry in comparison.entries])
        values = (
            comparison_id,
            datetime.now(UTC).isoformat(timespec="seconds"),
            video.name,
            video.path.name,
            video.sha256,
            zlib.compress(document.encode()),
        )
        try:
            with self._store.connection() as connection:
                connection.execute(
                    "INSERT INTO comparison VALUES (?, ?, ?, ?, ?, ?, NULL, NULL) "
                    "ON CONFLICT (comparison_id) DO UPDATE SET entries_zlib = excluded.entries_zlib",
                    values,
                )
        except sqlite3.Error as error:
            raise StoreError(
                f"the comparison on '{video.name}' could not be kept ({error}); make room on the disk and try again."
            ) from error

    def save_truth(self, comparison_id: str, name: str | None, data: bytes | None) -> None:
        """Keep the person's own labels with a comparison, as their file came; None takes them away."""
        with self._store.connection() as connection:
            connection.execute(
                "UPDATE comparison SET truth_name = ?, truth = ? WHERE comparison_id = ?", (name, data, comparison_id)
            )

    def kept(self, comparison_ids: Sequence[str]) -> list[StoredSummary]:
        """Those of the comparisons that are here, the newest first."""
        return self._store.kept("comparison", comparison_ids)

    def has(self, comparison_id: str) -> bool:
        """Whether there is a comparison of this name."""
        with self._store.connection() as connection:
            found = connection.execute("SELECT 1 FROM comparison WHERE comparison_id = ?", (comparison_id,)).fetchone()
        return found is not None

    def load(self, comparison_id: str) -> StoredComparison | None:
        """The comparison of this name, if there is one.

        Raises:
            StoreError: it is there, but cannot be read.
            TruthError: its labels cannot be read any more.
        """
        with self._store.connection() as connection:
            connection.row_factory = sqlite3.Row
            row = connection.execute("SELECT * FROM comparison WHERE comparison_id = ?", (comparison_id,)).fetchone()
        if row is None:
            return None
        path = self._store.file_path(row["video_path"])
        size_bytes = path.stat().st_size if path.is_file() else 0
        try:
            entries = tuple(map(_entry, json.loads(zlib.decompress(row["entries_zlib"]).decode())))
        except (zlib.error, ValueError, KeyError, TypeError, SettingsError) as error:
            raise StoreError(
                f"the stored comparison of '{row['video_name']}' cannot be read; compare the classifiers again."
            ) from error
        return StoredComparison(
            comparison_id=comparison_id,
            created_at=datetime.fromisoformat(row["created_at"]),
            video=StoredFile(path, row["video_name"], row["video_sha256"], size_bytes),
            comparison=Comparison(named(entries)),
            truth=None if row["truth"] is None else read_truth(row["truth"], row["truth_name"]),
        )


def _entry_values(entry: Entry) -> dict[str, Any]:
    timeline = entry.timeline
    return {
        # with the folder of a checkpoint, which stays on this machine, so that it can be run again
        "settings": entry.settings.as_dict(),
        "checkpoint_name": entry.checkpoint_name,
        "labels": entry.labels,
        "problem": entry.problem,
        "cost": None if entry.cost is None else asdict(entry.cost),
        "timeline": None if timeline is None else timeline_json(timeline, include_boxes=True, include_frame_times=True),
    }


def _entry(values: dict[str, Any]) -> Entry:
    known = {field.name for field in fields(Settings)}  # a later version may have more
    return Entry(
        name="",
        settings=Settings(**{name: value for name, value in values["settings"].items() if name in known}),
        checkpoint_name=values["checkpoint_name"],
        labels=tuple(values["labels"]),
        timeline=None if values["timeline"] is None else timeline_from_json(values["timeline"]),
        cost=None if values["cost"] is None else Cost(**values["cost"]),
        problem=values["problem"],
    )
