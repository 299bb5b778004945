"""The servers that are alive: each holds a lock that the system releases when its process ends."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import socket
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from recognizer.service.runs import Run

_log = logging.getLogger(__name__)

SILENT_FOR: Final = timedelta(seconds=60)
"""A server that gave no sign of life within this time is gone. It gives one every ``recovery.EVERY_S``."""

_SUFFIX: Final = ".lock"


class Server:
    """This server among those that share the data.

    Args:
        folder: holds the servers' locks; created if it is missing.

    Attributes:
        server_id: names the machine and the process.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._place = _place(folder)
        self.server_id = f"{self._place}-{uuid.uuid4().hex}"
        self._lock = FileLock(self._path(self.server_id), thread_local=False)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(blocking=False)
        except OSError as error:  # on a read-only disk, signs of life alone must do
            _log.warning("this server cannot lock '%s': %s", folder, error)

    def leave(self) -> None:
        """Release the lock: runs that are not finished are anybody's."""
        self._lock.release()
        with contextlib.suppress(OSError):
            self._path(self.server_id).unlink(missing_ok=True)

    def is_gone(self, run: Run) -> bool:
        """Return whether the server of an unfinished run has ended.

        On this machine its lock tells at once; elsewhere, and if the lock is held, a long silence does.
        """
        if run.server_id == self.server_id or not run.server_id:
            return False
        if run.server_id.startswith(f"{self._place}-") and _is_free(self._path(run.server_id)):
            return True
        latest = max(one for one in (run.heartbeat_at, run.started_at, run.created_at) if one is not None)
        return datetime.now(UTC) - latest > SILENT_FOR

    def forget(self, server_id: str) -> None:
        """Remove the lock of a server that is gone."""
        with contextlib.suppress(OSError):
            self._path(server_id).unlink(missing_ok=True)

    def _path(self, server_id: str) -> Path:
        return self._folder / f"{server_id}{_SUFFIX}"


def _is_free(path: Path) -> bool:
    if not path.is_file():  # a server that ends in order removes its lock
        return True
    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except (Timeout, OSError):
        return False
    lock.release()
    return True


def _place(folder: Path) -> str:
    """Return a name for this machine and folder that tells nothing about them."""
    return hashlib.sha256(f"{socket.gethostname()} {uuid.getnode()} {folder.resolve()}".encode()).hexdigest()[:12]
