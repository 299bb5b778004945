"""Room on the disk: what an upload or a run may take before it is refused with a sentence."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from pathlib import Path
from typing import Final

from sqlalchemy import delete, select

from recognizer.files import size_text
from recognizer.limits import exceeded, limits
from recognizer.service import tables
from recognizer.service.database import Database, put
from recognizer.service.fairness import NOBODY

_CHECK_EVERY_BYTES: Final = 16 * 2**20


def check_free(folder: Path, wanted_bytes: int = 0) -> None:
    """Refuse work when the disk is nearly full: it would fail later, and everybody's with it.

    Args:
        folder: a folder on the disk.
        wanted_bytes: what the work is known to take.

    Raises:
        LimitError: less would stay free than the operator wants.
        OSError: there is no such folder.
    """
    left_bytes = shutil.disk_usage(folder).free - wanted_bytes
    if left_bytes < limits().min_free_bytes:
        fact = f"the server's disk has {size_text(max(0, left_bytes))} left for this"
        raise exceeded("min_free_bytes", fact, "delete what is not needed any more, or try again later")


class Arrival:
    """Watches one upload as it arrives."""

    def __init__(self, ledger: UploadLedger, folder: Path, shown: str, visitor_id: str) -> None:
        """Look up what the visitor has already.

        Raises:
            LimitError: the disk is nearly full.
        """
        self._folder = folder
        self._shown = shown
        self._is_shared = visitor_id != NOBODY and not limits().alone
        self._own_bytes = ledger.bytes_of(visitor_id, folder) if self._is_shared else 0
        self._size_bytes = 0
        self._checked_bytes = 0
        check_free(folder)

    def take(self, piece_bytes: int) -> None:
        """Count the next piece, before it is written.

        Raises:
            LimitError: the upload is too large, the visitor has too much already, or the disk is nearly full.
        """
        self._size_bytes += piece_bytes
        allowed = limits()
        if self._size_bytes > allowed.max_upload_bytes:
            fact = f"{self._shown} has more than {size_text(allowed.max_upload_bytes)}"
            raise exceeded("max_upload_bytes", fact, "cut it into shorter pieces")
        if self._is_shared and self._own_bytes + self._size_bytes > allowed.max_uploads_bytes_per_visitor:
            fact = f"with {self._shown}, your files take more than {size_text(allowed.max_uploads_bytes_per_visitor)}"
            raise exceeded("max_uploads_bytes_per_visitor", fact, "delete on the page Library what you do not need")
        if self._size_bytes - self._checked_bytes >= _CHECK_EVERY_BYTES:
            self._checked_bytes = self._size_bytes
            check_free(self._folder, piece_bytes)


class UploadLedger:
    """Uploaded files by visitor. Equal uploads share a file, and count for everybody who has them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, visitor_id: str, path: Path, size_bytes: int) -> None:
        """Note an upload; the server's own files are nobody's.

        Raises:
            StoreError: the database cannot be written to.
        """
        if visitor_id == NOBODY:
            return
        row = {"visitor_id": visitor_id, "video_file": path.name, "size_bytes": size_bytes}
        with self._database.transaction("uploads") as connection:
            put(connection, tables.upload, [row])

    def remove(self, visitor_id: str, names: Collection[str]) -> None:
        """Forget that a visitor uploaded these files.

        Raises:
            StoreError: the database cannot be written to.
        """
        stored = tables.upload.c
        with self._database.transaction("uploads") as connection:
            connection.execute(
                delete(tables.upload).where(stored.visitor_id == visitor_id, stored.video_file.in_(names))
            )

    def all(self) -> list[tuple[str, str, int]]:
        """Return all uploads: visitor, name in the folder of files, and size in bytes.

        Raises:
            StoreError: the database cannot be read.
        """
        stored = tables.upload.c
        with self._database.reading() as connection:
            rows = connection.execute(select(stored.visitor_id, stored.video_file, stored.size_bytes))
            return [(row.visitor_id, row.video_file, row.size_bytes) for row in rows]

    def would_exceed(self, visitor_id: str, folder: Path, wanted_bytes: int) -> bool:
        """Return whether a visitor would have too much with so much more.

        Raises:
            StoreError: the database cannot be read.
        """
        if visitor_id == NOBODY or not wanted_bytes:
            return False
        return self.bytes_of(visitor_id, folder) + wanted_bytes > limits().max_uploads_bytes_per_visitor

    def bytes_of(self, visitor_id: str, folder: Path) -> int:
        """Return the size of a visitor's uploads that are still in the folder.

        Raises:
            StoreError: the database cannot be read.
        """
        stored = tables.upload.c
        with self._database.reading() as connection:
            rows = connection.execute(
                select(stored.video_file, stored.size_bytes).where(stored.visitor_id == visitor_id)
            ).all()
        return sum(row.size_bytes for row in rows if (folder / row.video_file).is_file())
