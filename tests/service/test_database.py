from __future__ import annotations

import json
import math
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, select

from recognizer.annotations.model import Answers
from recognizer.errors import StoreError
from recognizer.export import comparison_json
from recognizer.export.comparison_json import COMPARISON_SCHEMA_VERSION
from recognizer.export.json_file import SCHEMA_VERSION
from recognizer.service import schema, tables
from recognizer.service.action_sets import ActionSetStore
from recognizer.service.comparisons import ComparisonStore
from recognizer.service.corrections import CorrectionStore
from recognizer.service.database import Database, put
from recognizer.service.engines import prepare_file
from recognizer.service.runs import RunQuery, RunStore
from recognizer.service.schema import COUNTED_VERSION, VERSION
from recognizer.service.store import AnalysisStore
from recognizer.timeline.edits import Name
from tests.support.environment import ROOT
from tests.support.postgres import PostgresServer

WRITTEN_BY_0_1 = Path(__file__).parent / "data" / "analyses-0.1.sqlite3"
"""Version 0.1 wrote it: one analysis, one comparison with labels, two colors; its version is 0."""

WRITTEN_BY_VERSION_4 = Path(__file__).parent / "data" / "version-4.sql"
"""The same after the program before runs corrected the analysis, and made a set of own actions for it."""

WRITTEN_BY_0002 = Path(__file__).parent / "data" / "postgresql-0002.sql"
"""The first tables in PostgreSQL."""

MIGRATIONS = Path(schema.__file__).parent / "migrations"

COMPARISON_BY_0_1 = Path(__file__).parents[1] / "export" / "data" / "comparison.json"
"""Its export of the comparison in that database."""


def version_of(path: Path) -> int:
    connection = sqlite3.connect(path)
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    connection.close()
    return int(version)


def rows_of(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of every table, in their order."""
    connection = sqlite3.connect(path)
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    rows = {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in names}
    connection.close()
    return rows


def differences(connection: Connection) -> list[Any]:
    """What differs from the tables of a new database, except that SQLite lets old keys be null."""
    found = compare_metadata(MigrationContext.configure(connection), tables.metadata)
    return [one for one in found if not (isinstance(one, list) and {kind for kind, *_ in one} == {"modify_nullable"})]


@pytest.fixture
def folder_of(tmp_path: Path) -> Callable[[int], Path]:
    """Makes a data folder as a version of the database left it."""

    def make(version: int) -> Path:
        folder = tmp_path / f"version {version}"
        folder.mkdir()
        if version == 0:
            shutil.copy(WRITTEN_BY_0_1, folder / "analyses.sqlite3")
            return folder
        connection = sqlite3.connect(folder / "analyses.sqlite3")
        connection.executescript(WRITTEN_BY_VERSION_4.read_text("utf-8"))
        for later in range(4, version, -1):
            connection.executescript(_ADDED[later])
        connection.execute(f"PRAGMA user_version = {version}")
        connection.close()
        return folder

    return make


_ADDED = {
    4: "".join(
        f"DROP TABLE {name};"
        for name in ("action_set", "example", "example_picture", "background", "action_set_change", "chosen_set")
    ),
    3: "DROP TABLE correction; DROP TABLE edit;",
    2: "ALTER TABLE comparison DROP COLUMN truth_answers;",
}
"""How to take away what each version of the database brought."""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A data folder with a copy of the old database."""
    folder = tmp_path / "data"
    folder.mkdir()
    shutil.copy(WRITTEN_BY_0_1, folder / "analyses.sqlite3")
    return folder


def test_everything_that_version_0_1_wrote_is_still_read(old: Path) -> None:
    assert version_of(old / "analyses.sqlite3") == 0
    store = AnalysisStore(old)
    analysis = store.load_analysis("old-analysis")
    assert analysis is not None
    assert analysis.video_name == "dance.mp4"
    assert [track.person_id for track in analysis.timeline.people] == [1, 2]
    assert len(analysis.timeline.predictions) == 12
    assert len(analysis.timeline.frame_times_s) == 60
    assert [one.item_id for one in store.stored_analyses(["old-analysis"])] == ["old-analysis"]
    assert store.action_slots() == {"tai chi": 0, "yoga": 3}
    comparisons = ComparisonStore(store)
    comparison = comparisons.load("old-comparison")
    assert comparison is not None
    assert [entry.name for entry in comparison.comparison.finished] == ["i3d", "s3d"]
    assert comparison.comparison.entries[2].problem == "the weights cannot be had; put them there."
    assert comparison.labels is not None
    assert [label.action for label in comparison.labels.parts[0].labels] == ["tai chi", "yoga"]
    assert comparison.answers == Answers()
    assert [one.item_id for one in comparisons.stored_comparisons(["old-comparison"])] == ["old-comparison"]


def test_a_comparison_that_version_0_1_stored_is_exported_as_it_did(old: Path) -> None:
    comparison = ComparisonStore(AnalysisStore(old)).load("old-comparison")
    assert comparison is not None
    text = comparison_json(comparison.comparison, min_confidence=0.3, min_duration_s=0.25)
    written, now = json.loads(COMPARISON_BY_0_1.read_bytes()), json.loads(text)
    assert {one["timeline"].pop("schema_version") for one in now["entries"] if one["timeline"]} == {SCHEMA_VERSION}
    assert {one["timeline"].pop("schema_version") for one in written["entries"] if one["timeline"]} == {"1.0"}
    assert (now.pop("schema_version"), written.pop("schema_version")) == (COMPARISON_SCHEMA_VERSION, "1.0")
    assert without_new_fields(now, written) == written


def without_new_fields(now: Any, written: Any) -> Any:
    """Return a document without the fields that an older one lacks: a minor version adds fields."""
    if isinstance(now, dict) and isinstance(written, dict):
        return {name: without_new_fields(now[name], written[name]) for name in written if name in now}
    if isinstance(now, list) and isinstance(written, list):
        return [without_new_fields(*pair) for pair in zip(now, written, strict=True)]
    if isinstance(now, float) and isinstance(written, float) and math.isclose(now, written, rel_tol=1e-12):
        return written  # a mean that is added up in another order
    return now


@pytest.mark.parametrize("version", range(5))
def test_every_older_database_gets_the_tables_of_a_new_one(folder_of: Callable[[int], Path], version: int) -> None:
    path = folder_of(version) / "analyses.sqlite3"
    assert version_of(path) == version
    Database(path)
    assert version_of(path) == COUNTED_VERSION
    with create_engine(f"sqlite:///{path}").connect() as connection:
        assert differences(connection) == []
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one() == VERSION
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"


def test_an_older_database_on_a_server_gets_the_tables_of_a_new_one(postgres_server: PostgresServer) -> None:
    with psycopg.connect(postgres_server.url, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS older")
        connection.execute("CREATE DATABASE older")
    url = postgres_server.url.replace("/postgres?", "/older?")
    with psycopg.connect(url) as connection:
        connection.execute(WRITTEN_BY_0002.read_bytes())
    database = Database(url)
    with database.reading() as opened:
        assert differences(opened) == []
        assert opened.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one() == VERSION
        assert opened.execute(select(tables.action_colour)).all() == [("yoga", 3)]
    database.close()


def test_the_version_is_that_of_the_last_migration() -> None:
    (head,) = ScriptDirectory(str(MIGRATIONS)).get_heads()
    assert head == VERSION


def test_a_new_database_needs_no_alembic(tmp_path: Path) -> None:
    """Importing it takes an eighth of a second, and the first page waits for the database."""
    code = (
        "import sys, pathlib; from recognizer.service.database import Database;"
        "[Database(pathlib.Path(sys.argv[1])) for _ in range(2)];"
        "print({'alembic', 'mako', 'psycopg', 'sqlalchemy.dialects.postgresql'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "new.sqlite3")]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


@pytest.mark.parametrize("version", range(5))
def test_nothing_that_an_older_version_stored_is_lost(folder_of: Callable[[int], Path], version: int) -> None:
    folder = folder_of(version)
    before = rows_of(folder / "analyses.sqlite3")
    store = AnalysisStore(folder)
    after = rows_of(folder / "analyses.sqlite3")
    assert after["analysis"] == before.pop("run")
    for table, rows in before.items():
        places = [len(after[table][0]) - 1] if table in ("example", "background") else []
        assert [row[: places[0]] if places else row[: len(rows[0])] for row in after[table]] == rows, table
    runs = RunStore(store.database).list(RunQuery())
    assert {(one.run_id, one.kind, one.state) for one in runs} == {
        ("old-analysis", "analysis", "done"),
        ("old-comparison", "comparison", "done"),
    }
    analysis = store.load_analysis("old-analysis")
    assert analysis is not None
    assert len(analysis.timeline.predictions) == 12


def test_what_version_4_stored_is_used_as_before(folder_of: Callable[[int], Path]) -> None:
    database = AnalysisStore(folder_of(4)).database
    corrections = CorrectionStore(database)
    revision = corrections.load("old-analysis")
    assert (revision.number, revision.corrections.edits) == (4, (Name(1, "Anna"),))
    assert revision.groups is not None
    assert corrections.redo("old-analysis").corrections.edits == (Name(1, "Anna"), Name(2, "Ben"))
    sets = ActionSetStore(database)
    assert sets.chosen("old-analysis").set_id == "old-set"
    found = sets.load("old-set")
    assert found is not None
    assert [one.action for one in found.examples] == ["walk"]
    assert [one.action for one in sets.undo("old-set").examples] == ["walk", "sit"]
    assert sets.picture("old-set", "sit-0-1", 0) is not None


def test_an_old_database_without_comparisons_gets_their_table(old: Path) -> None:
    connection = sqlite3.connect(old / "analyses.sqlite3")
    connection.execute("DROP TABLE comparison")
    connection.close()
    store = AnalysisStore(old)
    assert not ComparisonStore(store).has("old-comparison")
    assert store.load_analysis("old-analysis") is not None


@pytest.mark.parametrize(
    "later", [f"PRAGMA user_version = {COUNTED_VERSION + 1}", "UPDATE alembic_version SET version_num = '9999'"]
)
def test_a_database_of_a_later_version_is_refused_and_left_alone(tmp_path: Path, later: str) -> None:
    AnalysisStore(tmp_path)
    path = tmp_path / "analyses.sqlite3"
    connection = sqlite3.connect(path)
    connection.execute(later)
    connection.commit()
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="later version of this program wrote the database; install the latest"):
        AnalysisStore(tmp_path)
    assert path.read_bytes() == before


def test_the_version_before_refuses_this_database(tmp_path: Path) -> None:
    """It knows versions up to 4, and would create its tables anew beside these."""
    AnalysisStore(tmp_path)
    assert version_of(tmp_path / "analyses.sqlite3") > 4


def test_several_processes_may_open_a_new_database_at_once(tmp_path: Path) -> None:
    failures: list[BaseException] = []

    def open_it() -> None:
        try:
            Database(tmp_path / "new.sqlite3")
        except BaseException as error:  # noqa: BLE001 - the assertion below reports it
            failures.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert version_of(tmp_path / "new.sqlite3") == COUNTED_VERSION


def test_several_may_create_a_file_at_once(tmp_path: Path) -> None:
    """Regression: in one of ten tries, one of them was told at once that the database was busy for over 30 s."""
    with ThreadPoolExecutor(8) as pool:
        for k in range(60):
            list(pool.map(prepare_file, [tmp_path / f"{k}.sqlite3"] * 8))


def test_several_processes_may_migrate_a_database_at_once(old: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(Database, [old / "analyses.sqlite3"] * 4))
    assert version_of(old / "analyses.sqlite3") == COUNTED_VERSION


def test_a_block_that_fails_saves_nothing(tmp_path: Path) -> None:
    database = Database(tmp_path / "new.sqlite3")

    def fail() -> None:
        with database.transaction("colors") as connection:
            put(connection, tables.action_colour, [{"action": "yoga", "slot": 1}])
            raise ValueError("half way")

    with pytest.raises(ValueError, match="half way"):
        fail()
    with database.reading() as connection:
        assert connection.execute(select(tables.action_colour)).all() == []
