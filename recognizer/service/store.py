"""The database of analyses, and the folder of the videos they were made from.

SQLite, one file; every connection is short and its own, so that any thread may call. A timeline is kept as the JSON
of the export, compressed.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import uuid
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, NamedTuple

from platformdirs import user_data_dir

from recognizer.errors import StoreError
from recognizer.export import timeline_from_json, timeline_json
from recognizer.files import StagedFile, is_abandoned, is_staged, prune_lru
from recognizer.timeline.model import Timeline

DATA_VARIABLE = "RECOGNIZER_DATA"
"""Environment variable that names another folder for what people made."""

MAX_VIDEOS_BYTES = 20 * 2**30
"""Uploaded videos beyond this go, the least recently used first; the analyses made from them stay."""

_CHUNK_BYTES = 1 << 20
_BUSY_TIMEOUT_S = 30.0

_SCHEMA = """
CREATE TABLE IF NOT EXISTS run (
    run_id TEXT PRIMARY KEY,
    created_at TEXT NOT NULL,
    video_name TEXT NOT NULL,
    video_path TEXT NOT NULL,
    timeline_zlib BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS action_colour (
    action TEXT PRIMARY KEY,
    slot INTEGER NOT NULL
);
"""


def data_dir() -> Path:
    """The folder of what people made: analyses and uploaded videos."""
    return Path(os.environ.get(DATA_VARIABLE) or user_data_dir("who-does-what-when", appauthor=False))


@dataclass(frozen=True)
class StoredFile:
    """A file that was uploaded, on this machine's disk.

    Attributes:
        path: named by its hash, with the suffix that it came with.
        name: what the person calls it; never used as a path.
        sha256: of its bytes.
        size_bytes: of the file.
    """

    path: Path
    name: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, eq=False)
class StoredAnalysis:
    """One analysis that was kept."""

    run_id: str
    created_at: datetime
    video_name: str
    video_path: Path
    timeline: Timeline


class StoredSummary(NamedTuple):
    """What somebody sees of a thing that was kept before it is loaded."""

    kept_id: str
    created_at: datetime
    video_name: str


class AnalysisStore:
    """What people made, kept over restarts."""

    def __init__(self, folder: Path | None = None, max_videos_bytes: int = MAX_VIDEOS_BYTES) -> None:
        self.folder = folder or data_dir()
        self._files = self.folder / "files"
        self._database = self.folder / "analyses.sqlite3"
        self._max_videos_bytes = max_videos_bytes
        try:
            self._files.mkdir(parents=True, exist_ok=True)
            with self.connection() as connection:
                connection.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            reason = getattr(error, "strerror", None) or error
            raise StoreError(
                f"'{self._database}' cannot be used ({reason}); move it away or name another folder in {DATA_VARIABLE}."
            ) from error

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """A short connection to the database; at its end all that was written is kept, or none of it."""
        connection = sqlite3.connect(self._database, timeout=_BUSY_TIMEOUT_S)
        try:
            with connection:
                connection.execute("PRAGMA journal_mode=WAL")
                yield connection
        finally:
            connection.close()

    def add_file(self, stream: BinaryIO, name: str) -> StoredFile:
        """Copy an upload to the disk, piece by piece, under the name of its hash; the same bytes are kept once."""
        digest, size = hashlib.sha256(), 0
        suffix = Path(name).suffix.lower()
        safe_suffix = suffix if suffix[1:].isalnum() and len(suffix) <= 8 else ""
        arriving = StagedFile(self._files)
        try:
            arriving.path.touch(mode=0o600)  # a person's video is nobody else's
            with arriving.path.open("wb") as file:
                while chunk := stream.read(_CHUNK_BYTES):
                    digest.update(chunk)
                    file.write(chunk)
                    size += len(chunk)
            path = self._files / f"{digest.hexdigest()}{safe_suffix}"
            arriving.commit(path)
        finally:
            arriving.discard()
        self._prune(keep=path)
        return StoredFile(path, name, digest.hexdigest(), size)

    def new_file(self, suffix: str) -> Path:
        """Where something that is made here may be written to; nobody else gets the same path."""
        return self._files / f"{uuid.uuid4().hex}{suffix}"

    def file_path(self, name: str) -> Path:
        """Where the stored file of this name is, or was."""
        return self._files / name

    def path_beside(self, path: Path, ending: str) -> Path:
        """Where something made from a stored file goes, such as its preview; it is pruned like the files."""
        return self._files / f"{path.stem}-{ending}"

    def save_analysis(self, run_id: str, video: StoredFile, timeline: Timeline) -> None:
        """Keep an analysis; one of the same name is replaced.

        Raises:
            StoreError: it cannot be written.
        """
        document = zlib.compress(timeline_json(timeline, include_boxes=True, include_frame_times=True).encode())
        try:
            with self.connection() as connection:
                connection.execute(
                    "INSERT OR REPLACE INTO run VALUES (?, ?, ?, ?, ?)",
                    (run_id, datetime.now(UTC).isoformat(timespec="seconds"), video.name, video.path.name, document),
                )
        except sqlite3.Error as error:
            raise StoreError(
                f"'{video.name}' could not be kept in '{self._database}' ({error}); download its table now, and make "
                "room on the disk."
            ) from error

    def load_analysis(self, run_id: str) -> StoredAnalysis | None:
        """The analysis of this name, if there is one.

        Raises:
            StoreError: it is there, but cannot be read.
        """
        with self.connection() as connection:
            row = connection.execute(
                "SELECT created_at, video_name, video_path, timeline_zlib FROM run WHERE run_id = ?", (run_id,)
            ).fetchone()
        if row is None:
            return None
        created_at, video_name, file_name, document = row
        try:
            text = zlib.decompress(document).decode()
        except (zlib.error, UnicodeDecodeError) as error:
            raise StoreError(f"the stored analysis of '{video_name}' is damaged; analyse the video again.") from error
        return StoredAnalysis(
            run_id=run_id,
            created_at=datetime.fromisoformat(created_at),
            video_name=video_name,
            video_path=self.file_path(file_name),
            timeline=timeline_from_json(text),
        )

    def stored_analyses(self, run_ids: Sequence[str]) -> list[StoredSummary]:
        """Those of the analyses that are here, the newest first."""
        return self.kept("run", run_ids)

    def kept(self, table: str, ids: Sequence[str]) -> list[StoredSummary]:
        """Those rows of a table that are here, the newest first; its column ``<table>_id`` names them."""
        if not ids:
            return []
        marks = ", ".join("?" * len(ids))
        with self.connection() as connection:
            rows = connection.execute(
                f"SELECT {table}_id, created_at, video_name FROM {table} WHERE {table}_id IN ({marks})"
                " ORDER BY created_at DESC, rowid DESC",
                tuple(ids),
            ).fetchall()
        return [StoredSummary(kept_id, datetime.fromisoformat(created_at), name) for kept_id, created_at, name in rows]

    def action_slots(self) -> dict[str, int]:
        """Which action has which colour on this machine, so that it keeps it from page to page."""
        with self.connection() as connection:
            return dict(connection.execute("SELECT action, slot FROM action_colour").fetchall())

    def save_action_slots(self, slots: Mapping[str, int]) -> None:
        """Remember the colours of actions; a colour that an action already has stays."""
        with self.connection() as connection:
            connection.executemany("INSERT OR IGNORE INTO action_colour VALUES (?, ?)", slots.items())

    def _prune(self, keep: Path) -> None:
        """Remove the least recently used files until the folder fits; never the one that was just added."""
        files = [path for path in self._files.iterdir() if not is_staged(path) or is_abandoned(path)]
        kept = {path for path in files if path.stem.split("-")[0] == keep.stem}
        prune_lru([(path,) for path in files], self._max_videos_bytes, keep=kept)
