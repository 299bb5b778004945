"""A PostgreSQL server of Debian's package, for the tests: in a temporary folder, on a socket there, gone at the end."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg

from recognizer.service import tables
from recognizer.service.database import Database
from tests.support.environment import skip_or_fail
from tests.support.waiting import WAIT_S, wait_until

_USER: Final = "recognizer"
_MORTAL: Final = ("setpriv", "--pdeathsig", "INT") if shutil.which("setpriv") else ()
"""Lets the server stop when the tests are killed."""

_QUICK: Final = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "listen_addresses=")
"""The tests need neither crash safety of the machine nor a port."""


class PostgresServer:
    """A cluster of its own. Tests stop and start it again; ``running`` removes it.

    Attributes:
        url: of its only database.
    """

    def __init__(self, folder: Path, programs: Path) -> None:
        self._data, self._sockets, self._programs = folder / "data", folder, programs
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"postgresql://{_USER}@/postgres?host={folder}"
        words = ["--no-sync", "--no-instructions", "--auth=trust", "--encoding=UTF8", "--locale=C"]
        self._run("initdb", *words, f"--username={_USER}", "-D", str(self._data))

    def start(self) -> None:
        """Start the server and wait until it answers."""
        settings = [word for one in (*_QUICK, f"unix_socket_directories={self._sockets}") for word in ("-c", one)]
        command = [*_MORTAL, str(self._programs / "postgres"), "-D", str(self._data), *settings]
        with (self._sockets / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, user=_unprivileged())
        wait_until(self._answers)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop the server: connections end at once; SIGQUIT does not even wait until everything is written."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(WAIT_S)
            self._process = None

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, program: str, *words: str) -> None:
        subprocess.run([self._programs / program, *words], check=True, capture_output=True, user=_unprivileged())


def _unprivileged() -> str | None:
    """PostgreSQL refuses to run as root; its package made a user for it."""
    return "postgres" if os.getuid() == 0 else None


def _programs() -> Path:
    """Return the folder of PostgreSQL's programs, the latest version's."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
    found = shutil.which("initdb")
    folders += [Path(found).resolve().parent] if found else []
    if not folders:
        skip_or_fail("PostgreSQL is not here; install Debian's package postgresql")
    return folders[-1]


@contextmanager
def running() -> Iterator[PostgresServer]:
    """Yield a server that runs; remove it at the end."""
    programs = _programs()
    with tempfile.TemporaryDirectory(prefix="pg-") as name:  # a socket's path may have 107 characters
        folder = Path(name)
        if user := _unprivileged():
            shutil.chown(folder, user)
        server = PostgresServer(folder, programs)
        try:
            server.start()
            yield server
        finally:
            server.stop(signal.SIGQUIT)


def empty(url: str) -> None:
    """Remove all rows; creating a database for each test would take longer."""
    with psycopg.connect(url) as connection:
        connection.execute("; ".join(f"DELETE FROM {table.name}" for table in tables.metadata.sorted_tables))


def opened(place: str) -> Database:
    """Return the database of a path or URL, as another process gets it by a word."""
    return Database(place if "://" in place else Path(place))
