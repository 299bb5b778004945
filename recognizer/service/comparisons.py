"""Store comparisons across restarts, in the database of analyses."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select, update

from recognizer.annotations.model import Answers, LabelFile
from recognizer.annotations.reading import read_labels
from recognizer.comparison.model import Comparison, named
from recognizer.errors import SettingsError, StoreError, TruthError
from recognizer.service import tables
from recognizer.service.database import put
from recognizer.service.entry_bytes import entries_from_bytes, entries_to_bytes
from recognizer.service.store import AnalysisStore, StoredFile, StoredSummary, now, summaries
from recognizer.settings import Settings
from recognizer.timeline.features import feature_table
from recognizer.timeline.groups import LabelGroups
from recognizer.types import Segment

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class StoredComparison:
    """A stored comparison, with its timelines in memory.

    Attributes:
        comparison_id: identifies it; cannot be guessed.
        created_at: when it was first stored.
        video: the file; it may have been removed.
        comparison: the result.
        labels: the file with the user's own labels; None if there is none.
        answers: what the user said about them.
        truth: these labels as they are shown above the classifiers', each person's by time; not stored.
        groups: the label groups that ``comparison`` and ``truth`` are folded into; not stored here.
        number: counts what a page has shown of it; not stored.
    """

    comparison_id: str
    created_at: datetime
    video: StoredFile
    comparison: Comparison
    labels: LabelFile | None
    answers: Answers = field(default_factory=Answers)
    truth: tuple[Segment, ...] = ()
    groups: LabelGroups | None = None
    number: int = 0

    @property
    def is_of_camera(self) -> bool:
        """Whether two classifiers ran on a camera: there is no uploaded video, at most a recording."""
        return not self.video.sha256


class ComparisonStore:
    """Stores comparisons in the database of analyses. Safe to call from any thread."""

    def __init__(self, store: AnalysisStore) -> None:
        self._store = store
        self._database = store.database

    def save(self, comparison_id: str, video: StoredFile, comparison: Comparison) -> StoredComparison:
        """Store a comparison with its features and return it; replace one with the same id, but keep its labels.

        Raises:
            StoreError: the database cannot be written to.
        """
        row = {
            "comparison_id": comparison_id,
            "created_at": now(),
            "video_name": video.name,
            "video_file": video.path.name,
            "video_sha256": video.sha256,
            "entries": entries_to_bytes(comparison.entries),
        }
        with self._database.transaction(f"comparison on '{video.name}'") as connection:
            put(connection, tables.comparison, [row], update=["entries"])
            stored = connection.execute(_of(comparison_id)).one()
        self._save_features(comparison_id, comparison)
        return StoredComparison(
            comparison_id=comparison_id,
            created_at=stored.created_at,
            video=video,
            comparison=comparison,
            labels=None if stored.truth is None else _readable_labels(stored.truth, stored.truth_name),
            answers=_answers(stored.truth_answers),
        )

    def _save_features(self, comparison_id: str, comparison: Comparison) -> None:
        for entry in comparison.finished:
            assert entry.timeline is not None
            table = feature_table(entry.timeline.predictions)
            if table is not None:  # an entry that was loaded has its features on the disk
                self._store.features.save(features_id(comparison_id, entry.settings), table)

    def save_truth(self, comparison_id: str, name: str | None, data: bytes | None) -> None:
        """Store the user's own labels with a comparison, byte for byte, without answers; None removes them."""
        self._change(comparison_id, truth_name=name, truth=data, truth_answers=None)

    def save_answers(self, comparison_id: str, answers: Answers) -> None:
        """Store what the user said about their own labels."""
        self._change(comparison_id, truth_answers=json.dumps(answers.as_dict()))

    def _change(self, comparison_id: str, **values: object) -> None:
        with self._database.transaction("labels of comparisons") as connection:
            changed = tables.comparison.c.comparison_id == comparison_id
            connection.execute(update(tables.comparison).where(changed).values(values))

    def stored_comparisons(self, comparison_ids: Sequence[str]) -> list[StoredSummary]:
        """Return summaries of the stored ones among these comparisons, latest first."""
        return summaries(self._database, tables.comparison.c.comparison_id, comparison_ids)

    def has(self, comparison_id: str) -> bool:
        """Return whether there is a comparison with this id."""
        stored = tables.comparison.c.comparison_id
        with self._database.reading() as connection:
            return connection.scalar(select(stored).where(stored == comparison_id)) is not None

    def load(self, comparison_id: str) -> StoredComparison | None:
        """Return the comparison with this id; None if there is none.

        Raises:
            StoreError: it is damaged, or a later version of this program wrote it.
            TruthError: its labels can no longer be read.
        """
        with self._database.reading() as connection:
            row = connection.execute(_of(comparison_id)).one_or_none()
        if row is None:
            return None
        path = self._store.file_path(row.video_file)
        size_bytes = path.stat().st_size if path.is_file() else 0
        try:
            entries = entries_from_bytes(row.entries)
        except (ValueError, KeyError, TypeError, SettingsError) as error:
            raise StoreError(
                f"the stored comparison of '{row.video_name}' cannot be read; compare the classifiers again."
            ) from error
        return StoredComparison(
            comparison_id=comparison_id,
            created_at=row.created_at,
            video=StoredFile(path, row.video_name, row.video_sha256, size_bytes),
            comparison=Comparison(named(entries)),
            labels=None if row.truth is None else read_labels(row.truth, row.truth_name),
            answers=_answers(row.truth_answers),
        )


def features_id(comparison_id: str, settings: Settings) -> str:
    """Return what the features of a comparison's entry with these settings are stored under."""
    return f"{comparison_id} {json.dumps(settings.as_dict(), sort_keys=True)}"


def _of(comparison_id: str) -> Select[Any]:
    return select(tables.comparison).where(tables.comparison.c.comparison_id == comparison_id)


def comparison_of(
    comparison_id: str, video: StoredFile, comparison: Comparison, before: StoredComparison | None
) -> StoredComparison:
    """Return a comparison that is not stored, with the labels of what was stored of it before."""
    if before is not None:
        return replace(before, comparison=comparison)
    return StoredComparison(comparison_id, now(), video, comparison, None)


def _answers(stored: str | None) -> Answers:
    return Answers() if stored is None else Answers.from_dict(json.loads(stored))


def _readable_labels(data: bytes, name: str) -> LabelFile | None:
    """Read stored labels; return None if they are no longer readable, because that must not stop a comparison."""
    try:
        return read_labels(data, name)
    except TruthError:
        _log.warning("the labels of a stored comparison cannot be read", exc_info=True)
        return None
