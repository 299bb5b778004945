"""Disks without room, folders without rights, databases that are busy, damaged, deleted or away: one true sentence,
nothing half written, and everything works again afterwards without a restart."""

from __future__ import annotations

import io
import os
import resource
import shutil
import sqlite3
import subprocess
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from recognizer.errors import StoreError
from recognizer.service import engines
from recognizer.service.corrections import CorrectionStore
from recognizer.service.database import Database
from recognizer.service.runs import Run, RunQuery, RunStore
from recognizer.service.store import AnalysisStore, StoredFile
from recognizer.timeline.edits import Name
from tests.support.postgres import PostgresServer
from tests.support.workbench import generated_timeline

TIMELINE = generated_timeline(2, 6.0)
NOBODY = 65534
WRITTEN_BY_0_1 = Path(__file__).parent / "data" / "analyses-0.1.sqlite3"


def save(store: AnalysisStore, analysis_id: str) -> None:
    store.save_analysis(analysis_id, StoredFile(store.file_path("v.mp4"), "v.mp4", "ab" * 32, 1), TIMELINE)


def told(error: pytest.ExceptionInfo[StoreError]) -> str:
    """The message, which has to be one sentence without a path."""
    text = str(error.value)
    assert text.endswith(".")
    assert "\n" not in text
    assert tempfile.gettempdir() not in text
    return text


# --- the disk ---


@contextmanager
def full_disk(folder: Path) -> Iterator[None]:
    """No more room in a folder: really, if it is a disk of its own, else by a limit on the size of files."""
    if not folder.is_mount():
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1, limits[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        return
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    try:
        yield
    finally:
        filler.unlink()


@pytest.fixture(params=["folder", "disk"])
def small_disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A folder, and one on a disk of 2 MB where this machine lets the tests mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    mounted = (
        request.param == "disk"
        and os.getuid() == 0
        and subprocess.run(mount, capture_output=True, check=False).returncode == 0
    )
    yield folder
    if mounted:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_loses_nothing_and_is_used_again_when_there_is_room(
    small_disk: Path, set_limits: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    set_limits(min_free_bytes=0)  # the limit would refuse an upload before the disk does
    store = AnalysisStore(small_disk)
    runs, corrections = RunStore(store.database), CorrectionStore(store.database)
    save(store, "one")
    runs.create(Run("one", "analysis", "v.mp4"))
    runs.begin("one", "server")
    with full_disk(small_disk):
        for _ in range(3):
            with pytest.raises(StoreError, match=r"the analysis of 'v\.mp4' could not be saved, because") as error:
                save(store, "two")
            assert "make room" in told(error)
            assert error.value.reason[0].islower()
            assert "could not be saved" not in error.value.reason, "the page says itself what is not saved"
        assert len(caplog.records) == 1, "a run tries every few seconds"
        with pytest.raises(StoreError, match="make room") as error:
            runs.beat("one", 0.5, os.urandom(100_000))
        told(error)
        with pytest.raises(StoreError, match="the corrections could not be saved, because"):
            corrections.add("one", Name(1, "Anna"), lambda _: None)
        with pytest.raises(StoreError, match=r"'talk\.mp4' could not be stored .*make room"):
            store.add_file(io.BytesIO(os.urandom(100_000)), "talk.mp4")
        assert list((small_disk / "files").iterdir()) == []
        assert store.load_analysis("one") is not None
        assert store.load_analysis("two") is None
        assert (runs.chunks("one"), corrections.number("one")) == ([], 0)
        assert AnalysisStore(small_disk).load_analysis("one") is not None
    assert store.load_analysis("two") is None
    caplog.clear()
    for _ in range(2):
        save(store, "two")
    assert caplog.messages == ["that is over: the analysis of 'v.mp4' could not be saved"]
    assert runs.beat("one", 0.5, b"a")
    assert store.load_analysis("two") is not None
    assert store.add_file(io.BytesIO(b"talk"), "talk.mp4").path.read_bytes() == b"talk"


def test_a_migration_without_room_leaves_the_older_database_as_it_was(small_disk: Path) -> None:
    path = small_disk / "analyses.sqlite3"
    shutil.copy(WRITTEN_BY_0_1, path)
    before = path.read_bytes()
    with full_disk(small_disk), pytest.raises(StoreError, match="make room") as error:
        Database(path)
    told(error)
    assert path.read_bytes() == before
    assert RunStore(Database(path)).load("old-analysis") is not None


# --- rights ---


@pytest.fixture
def folder_of_nobody() -> Iterator[Path]:
    """A folder outside pytest's own, which only its user may enter."""
    with tempfile.TemporaryDirectory(prefix="data-") as name:
        yield Path(name)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Take the right to write away, also from root."""
    everything = [folder, *folder.rglob("*")]
    for path in everything:
        path.chmod(0o555 if path.is_dir() else 0o444)
    as_root = os.geteuid() == 0
    if as_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if as_root:
            os.seteuid(0)
        for path in everything:
            path.chmod(0o755 if path.is_dir() else 0o644)


def test_what_is_in_a_read_only_folder_can_be_read(folder_of_nobody: Path) -> None:
    """Regression: reading set the journal mode, which writes."""
    store = AnalysisStore(folder_of_nobody)
    save(store, "one")
    for _ in range(2):
        with read_only(folder_of_nobody):
            for reading in (store, AnalysisStore(folder_of_nobody)):
                assert reading.load_analysis("one") is not None
                assert [one.item_id for one in reading.stored_analyses(["one"])] == ["one"]
                with pytest.raises(
                    StoreError, match=r"the data folder cannot be written to .*let this program"
                ) as error:
                    save(reading, "two")
                told(error)
                with pytest.raises(StoreError, match="could not be stored"):
                    reading.add_file(io.BytesIO(b"talk"), "talk.mp4")
        assert store.load_analysis("two") is None
    save(store, "two")
    assert store.load_analysis("two") is not None


def test_an_older_database_in_a_read_only_folder_asks_for_the_right_to_write(folder_of_nobody: Path) -> None:
    path = folder_of_nobody / "analyses.sqlite3"
    shutil.copy(WRITTEN_BY_0_1, path)
    (folder_of_nobody / "files").mkdir()
    before = path.read_bytes()
    with read_only(folder_of_nobody), pytest.raises(StoreError, match="cannot be written to") as error:
        AnalysisStore(folder_of_nobody)
    told(error)
    assert path.read_bytes() == before
    assert AnalysisStore(folder_of_nobody).load_analysis("old-analysis") is not None


# --- other programs ---


def test_a_busy_database_is_waited_for_and_then_reported(
    monkeypatch: pytest.MonkeyPatch, open_database: Callable[[], Database]
) -> None:
    monkeypatch.setattr(engines, "BUSY_TIMEOUT_S", 0.1)
    ours, theirs = CorrectionStore(open_database()), open_database()
    ours.add("one", Name(1, "Anna"), lambda _: None)
    with theirs.transaction("corrections"):
        with pytest.raises(StoreError, match=r"the corrections could not be saved, because .*busy.*try again") as error:
            ours.add("one", Name(1, "Ben"), lambda _: None)
        told(error)
        assert ours.number("one") == 1  # readers never wait
    assert ours.add("one", Name(1, "Ben"), lambda _: None).number == 2


def damage_pages(path: Path) -> None:
    """Overwrite everything but the first page."""
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(path.stat().st_size - 4096))


def cut(path: Path) -> None:
    """Leave the first half."""
    os.truncate(path, path.stat().st_size // 2)


def overwrite(path: Path) -> None:
    """Another file by the same name."""
    path.write_bytes(b"something else entirely" * 1000)


@pytest.mark.parametrize("damage", [damage_pages, cut, overwrite])
def test_a_damaged_database_says_so_until_a_copy_is_back(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    store = AnalysisStore(tmp_path)
    save(store, "one")
    path = tmp_path / "analyses.sqlite3"
    copy = path.read_bytes()
    damage(path)
    with pytest.raises(StoreError, match=r"'analyses\.sqlite3' is damaged .*put a copy in its place") as error:
        store.load_analysis("one")
    told(error)
    with pytest.raises(StoreError, match=r"could not be saved, because .* damaged"):
        save(store, "two")
    path.write_bytes(copy)
    assert store.load_analysis("one") is not None
    save(store, "two")
    assert store.load_analysis("two") is not None


def test_a_deleted_database_begins_empty_and_says_so_once(tmp_path: Path) -> None:
    store = AnalysisStore(tmp_path)
    save(store, "one")
    (tmp_path / "analyses.sqlite3").unlink()
    with pytest.raises(StoreError, match=r"'analyses\.sqlite3' was deleted .*put a copy there") as error:
        store.load_analysis("one")
    told(error)
    assert store.load_analysis("one") is None
    assert RunStore(store.database).list(RunQuery()) == []


def test_a_result_is_saved_although_the_whole_folder_was_deleted(tmp_path: Path) -> None:
    store = AnalysisStore(tmp_path / "data")
    shutil.rmtree(tmp_path / "data")
    save(store, "one")
    assert store.load_analysis("one") is not None
    shutil.rmtree(tmp_path / "data")
    assert store.add_file(io.BytesIO(b"talk"), "talk.mp4").path.read_bytes() == b"talk"


def test_a_database_without_tables_is_not_taken_for_a_mistake(tmp_path: Path) -> None:
    store = AnalysisStore(tmp_path)
    with closing(sqlite3.connect(tmp_path / "analyses.sqlite3")) as connection:
        connection.execute("DROP TABLE analysis")
    with pytest.raises(StoreError, match="lacks a table") as error:
        store.load_analysis("one")
    told(error)


# --- a server ---


def test_a_server_that_was_away_is_used_again(tmp_path: Path, postgres_server: PostgresServer) -> None:
    database = Database(postgres_server.url)
    store = AnalysisStore(tmp_path, database=database)
    save(store, "one")
    postgres_server.stop()
    try:
        for _ in range(2):
            with pytest.raises(
                StoreError, match="could not be read, because the database server cannot be reached"
            ) as e:
                store.load_analysis("one")
            told(e)
            with pytest.raises(StoreError, match="could not be saved, because the database server cannot be reached"):
                save(store, "two")
        with pytest.raises(StoreError, match="cannot be reached"):
            Database(postgres_server.url)
    finally:
        postgres_server.start()
    assert store.load_analysis("one") is not None
    save(store, "two")
    database.close()


def test_a_server_that_reads_only_by_default_is_heeded_after_reading(postgres_server: PostgresServer) -> None:
    """Regression: after a transaction with ``postgresql_readonly``, its connection wrote whatever the default."""
    Database(postgres_server.url).close()  # makes the tables
    with psycopg.connect(postgres_server.url, autocommit=True) as connection:
        connection.execute("ALTER ROLE recognizer SET default_transaction_read_only = on")
    database = Database(postgres_server.url)
    try:
        runs = RunStore(database)
        assert runs.load("none") is None
        with pytest.raises(StoreError, match="lets this program only read"):
            runs.create(Run("one", "analysis", "talk.mp4"))
    finally:
        database.close()
        with psycopg.connect(postgres_server.url, autocommit=True) as connection:
            connection.execute("SET default_transaction_read_only = off")
            connection.execute("ALTER ROLE recognizer RESET default_transaction_read_only")


def test_a_server_that_lets_this_program_only_read_says_so(postgres_server: PostgresServer) -> None:
    with psycopg.connect(postgres_server.url) as connection:
        connection.execute("DROP ROLE IF EXISTS reader")
        connection.execute("CREATE ROLE reader LOGIN IN ROLE pg_read_all_data")
    database = Database(postgres_server.url.replace("//recognizer@", "//reader@"))
    runs = RunStore(database)
    assert runs.load("none") is None
    with pytest.raises(StoreError, match=r"refuses this program .*what it may do") as error:
        runs.create(Run("one", "analysis", "v.mp4"))
    told(error)
    database.close()


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgresql://anna:quite-secret@127.0.0.1:1/name", "cannot be reached"),
        ("postgresql://anna:quite-secret@127.0.0.1:port/name", "write it like postgresql:"),
        ("postgresql+nothing://anna:quite-secret@127.0.0.1/name", "cannot be reached"),
        ("mysql://anna:quite-secret@127.0.0.1/name", "write it like postgresql:"),
        ("quite-secret", "write it like postgresql:"),
    ],
)
def test_a_password_is_in_no_message_and_no_log(url: str, reason: str, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(StoreError, match=reason) as error:
        Database(url)
    assert "quite-secret" not in "".join(traceback.format_exception(error.value))
    assert "quite-secret" not in caplog.text
