"""Both kinds of database, for the tests of everything that is stored, and a library of runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from recognizer.analysis.passes import PassStore
from recognizer.networks.cache import ModelCache
from recognizer.service.database import Database
from recognizer.service.jobs import Jobs
from recognizer.service.library import Library
from recognizer.service.store import AnalysisStore
from recognizer.service.tasks import ServerContext
from tests.support import postgres
from tests.support.postgres import PostgresServer


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One server for a worker's tests."""
    with postgres.running() as server:
        Database(server.url).close()
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where an empty database is: a path, then a URL."""
    if request.param == "sqlite":
        yield str(tmp_path / "analyses.sqlite3")
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    postgres.empty(server.url)
    yield server.url


@pytest.fixture
def open_database(place: str) -> Iterator[Callable[[], Database]]:
    """Opens the database, as often as servers would use it."""
    made: list[Database] = []

    def another() -> Database:
        made.append(postgres.opened(place))
        return made[-1]

    yield another
    for one in made:
        one.close()


@pytest.fixture
def database(open_database: Callable[[], Database]) -> Database:
    """An empty database of each kind."""
    return open_database()


@pytest.fixture
def open_store(tmp_path: Path, open_database: Callable[[], Database]) -> Callable[[], AnalysisStore]:
    """Opens a store in one folder, with the same database each time."""
    return lambda: AnalysisStore(tmp_path, database=open_database())


@pytest.fixture
def context(tmp_path: Path) -> ServerContext:
    return ServerContext(Jobs(), AnalysisStore(tmp_path / "data"), ModelCache(), PassStore(tmp_path / "passes"))


@pytest.fixture
def library(context: ServerContext, monkeypatch: pytest.MonkeyPatch) -> Library:
    """A library that is not tidied in the background."""
    monkeypatch.setattr(Library, "_tidy", lambda _: None)
    return Library(context)
