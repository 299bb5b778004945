"""Store users' data: videos in a folder, analyses in the database."""

from __future__ import annotations

import hashlib
import logging
import os
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from sqlalchemy import Column, ColumnElement, Row, Select, func, select

from recognizer.errors import StoreError
from recognizer.files import DATA_VARIABLE, StagedFile, data_dir, is_abandoned, is_staged, prune_lru
from recognizer.limits import limits
from recognizer.memory import exempt_from_collection, without_collections
from recognizer.service import tables
from recognizer.service.database import DATABASE_VARIABLE, Database, batched, put
from recognizer.service.fairness import NOBODY
from recognizer.service.features import FeatureStore
from recognizer.service.room import Arrival, UploadLedger
from recognizer.service.sources import (
    SOURCE_SUFFIX,
    STORED_NAME,
    StoredPart,
    is_here,
    read_source,
    stored_names,
    write_source,
)
from recognizer.service.timeline_bytes import timeline_from_stored, timelines_to_bytes
from recognizer.service.video_files import VideoFiles
from recognizer.timeline.features import feature_table
from recognizer.timeline.model import Timeline
from recognizer.video import VideoSource, display_name, in_order
from recognizer.video.source import recording_sha256

_log = logging.getLogger(__name__)

_LEFT_OVER_AFTER_S = 3600.0
"""Uploads, drawings and copies grow every few seconds while they are written."""

_CHUNK_BYTES = 1 << 20

_MANY_PREDICTIONS = 10_000
"""An analysis of more makes garbage collections long enough to be felt while a slider moves."""


@dataclass(frozen=True)
class StoredFile:
    """An uploaded video on this machine's disk.

    Attributes:
        path: the file's hash, with the suffix of the upload; or a source's file, which ``AnalysisStore.source`` reads.
        name: the upload's own name; never part of a path.
        sha256: hash of its bytes; of a recording, that of its parts' hashes.
        size_bytes: its size, or that of all parts.
    """

    path: Path
    name: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, eq=False)
class StoredAnalysis:
    """A stored analysis, with its timeline in memory.

    Attributes:
        analysis_id: identifies it; cannot be guessed.
        created_at: when it was stored.
        video_name: the user's name for the video.
        video_path: path of the video; the file may have been removed.
        timeline: the result.
    """

    analysis_id: str
    created_at: datetime
    video_name: str
    video_path: Path
    timeline: Timeline


class StoredSummary(NamedTuple):
    """The facts about a stored analysis or comparison that a user sees before it is loaded."""

    item_id: str
    created_at: datetime
    name: str


class AnalysisStore:
    """Uploads, analyses and the colors of actions, stored across restarts. Safe to call from any thread.

    Attributes:
        folder: holds everything.
        database: the tables, shared with comparisons.
        features: what the networks computed of the analyses' clips.
    """

    def __init__(
        self,
        folder: Path | None = None,
        max_videos_bytes: int | None = None,
        database: Database | None = None,
    ) -> None:
        """Open the store; create it if it is missing.

        Args:
            folder: where users' data are; None for ``data_dir`` and the database that the environment names.
            max_videos_bytes: when all videos exceed this, the least recently used are removed; None for the limit of
                this server.
            database: the tables; None for a file in the folder.

        Raises:
            StoreError: the folder or the database cannot be used.
        """
        self.folder = folder or data_dir()
        self.features = FeatureStore(self.folder / "features")
        self._files = self.folder / "files"
        self._max_videos_bytes = limits().max_videos_bytes if max_videos_bytes is None else max_videos_bytes
        url = os.environ.get(DATABASE_VARIABLE) if folder is None else None
        try:
            self._files.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            _log.error("the data folder '%s' cannot be used: %s", self.folder, error)
            raise StoreError(
                f"the data folder cannot be used ({error.strerror}); name another one in {DATA_VARIABLE}."
            ) from error
        self.database = database or Database(url or self.folder / "analyses.sqlite3")
        self._ledger = UploadLedger(self.database)

    def add_file(
        self, stream: BinaryIO, name: str, *, keep: Sequence[StoredFile] = (), visitor_id: str = NOBODY
    ) -> StoredFile:
        """Copy an upload to the disk in pieces, and name the file by its hash; equal uploads share one file.

        Older videos make room for it, except those to ``keep``.

        Args:
            stream: the upload.
            name: its name.
            keep: files that must stay.
            visitor_id: whose it is; empty for the server's own.

        Raises:
            StoreError: it cannot be written to the disk.
            LimitError: it is too large, its visitor has too much already, or the disk is nearly full.
        """
        digest, size = hashlib.sha256(), 0
        suffix = Path(name).suffix.lower()
        safe_suffix = suffix if suffix[1:].isalnum() and len(suffix) <= 8 and suffix != SOURCE_SUFFIX else ""
        arriving = StagedFile(self._files)
        try:
            with _written(name):
                self._files.mkdir(parents=True, exist_ok=True)  # somebody may have removed it
                arrival = Arrival(self._ledger, self._files, display_name(name), visitor_id)
                arriving.path.touch(mode=0o600)  # other users of this machine must not read the video
            with arriving.path.open("wb") as file:  # unbuffered writing may stop after a part, without an error
                while chunk := stream.read(_CHUNK_BYTES):
                    digest.update(chunk)
                    size += len(chunk)
                    arrival.take(len(chunk))
                    with _written(name):
                        file.write(chunk)
                        file.flush()  # nothing is left for the end, where an error would count as the browser's
            path = self._files / f"{digest.hexdigest()}{safe_suffix}"
            with _written(name):
                arriving.commit(path)
        finally:
            with suppress(OSError):
                arriving.discard()
        self._ledger.add(visitor_id, path, size)
        self._prune(keep=(path, *(one.path for one in keep)))
        return StoredFile(path, name, digest.hexdigest(), size)

    def add_recording(self, uploads: Sequence[tuple[BinaryIO, str]], *, visitor_id: str = NOBODY) -> StoredFile:
        """Store the files of one recording, each with its name, and return the whole; a single file is itself.

        Raises:
            VideoError: the files are not parts of one recording.
            LimitError: see ``add_file``.
        """
        order = in_order([name for _, name in uploads])
        files: list[StoredFile] = []
        for k in order:
            files.append(self.add_file(*uploads[k], keep=files, visitor_id=visitor_id))
        return files[0] if len(files) == 1 else self.with_choices(files)

    def with_choices(
        self, files: Sequence[StoredFile], *, stream: int | None = None, frame_rate_hz: float | None = None
    ) -> StoredFile:
        """Return the video of these files, in order, that is read with these choices (see ``VideoSource``).

        Raises:
            StoreError: it cannot be stored.
        """
        if len(files) == 1 and stream is None and frame_rate_hz is None:
            return files[0]
        parts = [StoredPart(file.path, file.name, file.sha256) for file in files]
        try:
            path = write_source(self._files, parts, stream, frame_rate_hz)
        except OSError as error:
            _log.error("the files of a recording could not be listed: %s", error)
            raise StoreError(
                f"the data folder cannot be written to ({error.strerror or error}); make room on this server's disk."
            ) from error
        sha256 = files[0].sha256 if len(files) == 1 else recording_sha256([file.sha256 for file in files])
        return StoredFile(path, read_source(path).name, sha256, sum(file.size_bytes for file in files))

    def source(self, path: Path) -> VideoSource:
        """Return what to read for a stored video.

        Raises:
            StoreError: the list of its files is missing or damaged.
        """
        return read_source(path)

    def files_of(self, video: StoredFile) -> list[StoredFile]:
        """Return the uploaded files of a video, in order.

        Raises:
            StoreError: the list of its files, or one of them, is missing.
        """
        if video.path.suffix != SOURCE_SUFFIX:
            return [video]
        source = read_source(video.path)
        try:
            return [
                StoredFile(path, name, sha256, path.stat().st_size)
                for path, name, sha256 in zip(source.paths, source.part_names, source.sha256s, strict=True)
            ]
        except OSError as error:
            raise StoreError(f"a file of '{video.name}' is no longer stored here; drop the files in again.") from error

    def withdraw(self, video: StoredFile, visitor_id: str) -> None:
        """Forget an upload that cannot be analyzed; its files go, unless another visitor or a run has them.

        Raises:
            StoreError: the database cannot be read or written to.
        """
        self.let_go([video.path.name], visitor_id)

    def let_go(self, names: Iterable[str], visitor_id: str, keep: Collection[str] = ()) -> None:
        """Forget that a visitor uploaded these videos, unless one of the visitor's runs has them; unused files go.

        Args:
            names: the names of the videos in the folder of files.
            visitor_id: the visitor.
            keep: videos whose files stay in any case.

        Raises:
            StoreError: the database cannot be read or written to.
        """
        gone, run = self._with_parts(names), tables.run.c
        with self.database.reading() as connection:
            own = connection.scalars(select(run.video_file).where(run.visitor_id == visitor_id).distinct()).all()
        self._ledger.remove(visitor_id, gone - self._with_parts(own))
        VideoFiles(self._files).remove(gone, self._names_in_use().union(keep))

    def _with_parts(self, names: Iterable[str]) -> set[str]:
        """Return the names of videos and of their parts."""
        return {part for name in names for part in stored_names(self._files / name)}

    def _names_in_use(self) -> set[str]:
        """Return the names of the videos that somebody uploaded, or that a run or a result has."""
        with self.database.reading() as connection:
            return {
                name
                for table in (tables.upload, tables.run, tables.analysis, tables.comparison)
                for name in connection.scalars(select(table.c.video_file).distinct())
            }

    def is_here(self, path: Path) -> bool:
        """Return whether a stored video, with all its files, is still on the disk."""
        return is_here(path)

    def remove_leftovers(self) -> None:
        """Remove files that killed processes did not finish: those that have not grown for an hour."""
        for path in self._files.iterdir():
            if is_staged(path) and is_abandoned(path, _LEFT_OVER_AFTER_S):
                path.unlink(missing_ok=True)

    def new_file(self, suffix: str) -> Path:
        """Return a new, unique path for a file that this program creates."""
        return self._files / f"{uuid.uuid4().hex}{suffix}"

    def file_path(self, name: str) -> Path:
        """Return the path of the stored file of this name, whether or not it still exists."""
        return self._files / name

    def derived_path(self, path: Path, ending: str) -> Path:
        """Return the path of a file made from a stored one, such as its preview; both kinds are pruned."""
        return self._files / f"{path.stem}-{ending}"

    def save_analysis(self, analysis_id: str, video: StoredFile, timeline: Timeline) -> StoredAnalysis:
        """Store an analysis and its features, and return it; replace one with the same id.

        Raises:
            StoreError: the database cannot be written to.
        """
        analysis = analysis_of(analysis_id, video, timeline)
        row = {
            "analysis_id": analysis_id,
            "created_at": analysis.created_at,
            "video_name": video.name,
            "video_file": video.path.name,
            "timeline": timelines_to_bytes([timeline]),
        }
        with self.database.transaction(f"analysis of '{video.name}'") as connection:
            put(connection, tables.analysis, [row])
        self.features.save(analysis_id, feature_table(timeline.predictions))
        return analysis

    def load_analysis(self, analysis_id: str) -> StoredAnalysis | None:
        """Return the analysis with this id; None if there is none.

        Raises:
            StoreError: it is damaged, or a later version of this program wrote it.
        """
        stored = tables.analysis.c
        with self.database.reading() as connection:
            row = connection.execute(select(tables.analysis).where(stored.analysis_id == analysis_id)).one_or_none()
        if row is None:
            return None
        try:
            with without_collections():
                timeline = timeline_from_stored(row.timeline)
        except ValueError as error:
            raise StoreError(
                f"the stored analysis of '{row.video_name}' is damaged; analyse the video again."
            ) from error
        if len(timeline.predictions) >= _MANY_PREDICTIONS:
            exempt_from_collection()
        return StoredAnalysis(analysis_id, row.created_at, row.video_name, self.file_path(row.video_file), timeline)

    def stored_analyses(self, analysis_ids: Sequence[str]) -> list[StoredSummary]:
        """Return summaries of the stored ones among these analyses, latest first."""
        stored = tables.analysis.c
        return summaries(self.database, stored.analysis_id, analysis_ids)

    def stored_videos(self, analysis_ids: Sequence[str]) -> list[StoredFile]:
        """Return the uploaded videos of those among these analyses that are still on the disk, latest first."""
        stored = tables.analysis.c
        columns = select(stored.analysis_id, stored.created_at, stored.video_file, stored.video_name)
        names: dict[str, str] = {}
        for row in latest_first(self.database, columns, stored.analysis_id, analysis_ids):
            names.setdefault(row.video_file, row.video_name)
        paths = {self.file_path(file_name): name for file_name, name in names.items()}
        return [self._upload(path, name) for path, name in paths.items() if _is_upload(path) and self.is_here(path)]

    def _upload(self, path: Path, name: str) -> StoredFile:
        source = read_source(path)
        sha256s = source.sha256s or (path.stem,)
        sha256 = sha256s[0] if len(sha256s) == 1 else recording_sha256(sha256s)
        return StoredFile(path, name, sha256, sum(part.stat().st_size for part in source.paths))

    def action_slots(self) -> dict[str, int]:
        """Return the palette slot of each action; an action has one permanent color on all pages."""
        with self.database.reading() as connection:
            return {row.action: row.slot for row in connection.execute(select(tables.action_colour))}

    def save_action_slots(self, slots: Mapping[str, int]) -> None:
        """Store the palette slots of new actions; the slots of other actions do not change."""
        rows = [{"action": action, "slot": slot} for action, slot in slots.items()]
        with self.database.transaction("colors") as connection:
            put(connection, tables.action_colour, rows, update=())

    def replace_action_slot(self, action: str, slot: int) -> None:
        """Store another palette slot for an action."""
        with self.database.transaction("colors") as connection:
            put(connection, tables.action_colour, [{"action": action, "slot": slot}])

    def _prune(self, keep: Sequence[Path]) -> None:
        """Remove the least recently used files until the folder fits, except those to keep and files made from them.

        Unfinished files are left alone unless a crash left them behind.
        """
        files = [path for path in self._files.iterdir() if not is_staged(path) or is_abandoned(path)]
        stems = {path.stem for path in keep}
        kept = {path for path in files if path.stem.split("-")[0] in stems or path.suffix == SOURCE_SUFFIX}
        prune_lru([(path,) for path in files], self._max_videos_bytes, keep=kept)


def summaries(
    database: Database, id_column: Column[str], ids: Sequence[str], *conditions: ColumnElement[bool]
) -> list[StoredSummary]:
    """Return the id, time and name of those that are stored among these results, the latest first.

    Args:
        database: the database.
        id_column: the key of the results' table.
        ids: the results.
        conditions: what else they have to be.
    """
    result, run = id_column.table.c, tables.run
    name = func.coalesce(func.nullif(run.c.title, ""), result.video_name)
    with_runs = id_column.table.outerjoin(run, run.c.run_id == id_column)
    columns = select(id_column, result.created_at, name).select_from(with_runs).where(*conditions)
    return list(map(StoredSummary._make, latest_first(database, columns, id_column, ids)))


def latest_first(
    database: Database, columns: Select[Any], id_column: Column[str], ids: Sequence[str]
) -> list[Row[Any]]:
    """Return the rows with these ids, the latest first; ``created_at`` is one of the columns."""
    rows: list[Row[Any]] = []
    with database.reading() as connection:
        for part in batched(dict.fromkeys(ids)):
            rows += connection.execute(columns.where(id_column.in_(part)))
    return sorted(rows, key=attrgetter("created_at"), reverse=True)


@contextmanager
def _written(name: str) -> Iterator[None]:
    """Say in a sentence that a file could not be written; errors of the browser that sends it are not meant."""
    try:
        yield
    except OSError as error:
        _log.error("an upload could not be stored: %s", error)
        raise StoreError(
            f"'{name}' could not be stored ({error.strerror or error}); make room on the disk of this server, and "
            "drop it in again."
        ) from error


def _is_upload(path: Path) -> bool:
    """Return whether a stored file is an upload or a list of some; a camera's recording is not."""
    return path.suffix == SOURCE_SUFFIX or STORED_NAME.fullmatch(path.name) is not None


def analysis_of(analysis_id: str, video: StoredFile, timeline: Timeline) -> StoredAnalysis:
    """Return a new analysis of a stored video."""
    return StoredAnalysis(analysis_id, now(), video.name, video.path, timeline)


def now() -> datetime:
    """Return the current time, as the database stores it."""
    return datetime.now(UTC)
