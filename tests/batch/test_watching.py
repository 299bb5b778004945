"""What a page reads of a manifest: while a command writes it, after one was killed, and of any number of videos."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from filelock import FileLock

from recognizer.batch.manifest import Manifest
from recognizer.batch.messages import Outcome
from recognizer.batch.places import Batch
from recognizer.batch.results import LOCK, BatchFolder
from recognizer.batch.sources import Entry
from recognizer.batch.watching import Order, RowQuery, Watcher, is_at_work
from recognizer.errors import StoreError
from tests.support.batch import Serial, run_serially, small_video
from tests.support.batches import RECIPE, batch_at


@pytest.fixture
def batch(tmp_path: Path) -> Batch:
    """Three videos are done, one has failed, one waits, and one waits to be tried again."""
    folder = BatchFolder(tmp_path / "out")
    folder.make()
    groups = {"a": "yard", "b": "yard", "c": "", "Broken": "hall", "late": "hall", "gone": "hall"}
    with Manifest(folder.manifest) as manifest:
        manifest.list(
            [Entry(f"/in/{name}", RECIPE, name, group, 100, "1") for name, group in groups.items()], retry=False
        )
        numbers = {Path(due.place).name: due.number for due in manifest.due()}
        for k, name in enumerate("abc", 1):
            manifest.record(Outcome(numbers[name], "done", f"{k:032}", "5", 60.0 * k, 30.0 * k**2, 2, 7))
        manifest.record(Outcome(numbers["Broken"], "failed", took_s=1.0, error="'/in/Broken' is no video."))
        manifest.record(Outcome(numbers["gone"], "waiting", error="'/in/gone' in Übersicht cannot be read."))
    return batch_at(tmp_path / "out")


def names(batch: Batch, query: RowQuery, most: int | None = None, skipped: int = 0) -> list[str]:
    return [row.id for row in Watcher(batch).rows(query, most, skipped)]


def test_progress_has_counts_and_guesses_the_whole_by_size(batch: Batch) -> None:
    progress = Watcher(batch).progress()
    assert (progress.done, progress.failed, progress.waiting, progress.again) == (3, 1, 2, 1)
    assert (progress.total, progress.ended) == (6, 4)
    assert progress.done_s == 360.0
    assert progress.expected_s == pytest.approx(360.0 * 5 / 3)
    assert progress.news is None


def test_rows_are_filtered_sorted_and_cut_by_the_database(batch: Batch) -> None:
    assert names(batch, RowQuery()) == ["Broken", "a", "b", "c", "gone", "late"]
    assert names(batch, RowQuery(), 2, 1) == ["a", "b"]
    assert names(batch, RowQuery("failed")) == ["Broken"]
    assert names(batch, RowQuery(group="yard")) == ["a", "b"]
    assert names(batch, RowQuery(group="")) == ["c"]
    assert names(batch, RowQuery(text=" NO VIDEO ")) == ["Broken"]
    assert names(batch, RowQuery(text="ÜBERSICHT")) == ["gone"]
    assert names(batch, RowQuery(text="%")) == [], "a sign of the database's own is a letter like others"
    assert Watcher(batch).count(RowQuery("waiting", "hall")) == 2
    assert Watcher(batch).groups() == ["", "hall", "yard"]
    orders: dict[Order, str] = {"longest": "c", "slowest": "c", "group": "c"}
    assert {order: names(batch, RowQuery("done", order=order))[0] for order in orders} == orders
    (row,) = Watcher(batch).rows(RowQuery(text="b", group="yard"))
    assert (row.speed, row.people, row.segments, row.state) == (1.0, 2, 7, "done")


def test_a_result_is_found_with_how_its_video_was_read(batch: Batch) -> None:
    found = Watcher(batch).finished(f"{2:032}")
    assert found is not None
    assert (found.id, found.group, found.place, found.size_bytes, found.recipe) == ("b", "yard", "/in/b", 100, RECIPE)
    assert Watcher(batch).finished("0" * 32) is None
    assert Watcher(batch).finished("") is None, "videos without a result have this one"


def test_a_command_that_works_is_noticed_and_is_not_kept_out(batch: Batch, tmp_path: Path) -> None:
    assert not is_at_work(batch.folder)
    with FileLock(batch.folder.root / LOCK):
        assert is_at_work(batch.folder)
    assert not is_at_work(batch.folder)
    small_video(tmp_path / "in" / "a.mkv")
    seen: list[bool] = []

    def look(_: object) -> None:
        seen.append(is_at_work(batch.folder))

    run_serially(tmp_path / "in", out=batch.folder.root, executor=Serial(before=look))
    assert seen == [True]


def test_a_command_leaves_how_far_it_is(tmp_path: Path) -> None:
    small_video(tmp_path / "in" / "a.mkv")
    run_serially(tmp_path / "in", out=tmp_path / "out")
    news = Watcher(batch_at(tmp_path / "out")).progress().news
    assert news is not None
    assert news.analysed_s == 0.0, "this was left at the beginning"
    assert (news.times_real_time, news.left_s) == (None, None)


KILLED = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA cache_size = 1")
connection.execute("BEGIN IMMEDIATE")
connection.execute("UPDATE video SET error = hex(zeroblob(40000))")
os._exit(9)
"""


def test_half_a_write_of_a_killed_command_is_taken_back(batch: Batch) -> None:
    subprocess.run([sys.executable, "-c", KILLED, str(batch.folder.manifest)], check=False)
    assert batch.folder.manifest.with_name("manifest.sqlite3-journal").exists()
    assert Watcher(batch).progress().again == 1
    assert names(batch, RowQuery("failed")) == ["Broken"]


def test_nothing_can_be_written_and_what_is_no_manifest_is_said(batch: Batch) -> None:
    with Watcher(batch)._reading() as connection, pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("DELETE FROM video")
    batch.folder.manifest.write_bytes(b"no database" * 100)
    with pytest.raises(StoreError, match="the manifest of the batch 'out' cannot be read now"):
        Watcher(batch).progress()
    batch.folder.manifest.unlink()
    with pytest.raises(StoreError, match="cannot be read now"):
        Watcher(batch).progress()
    assert not batch.folder.manifest.exists(), "looking makes no manifest"


MANY = """
WITH RECURSIVE counted(k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM counted LIMIT 100000)
INSERT INTO video (place, recipe, id, "group", size_bytes, changed, is_listed, state, result, video_s, took_s, error)
SELECT '/big/' || k, digest, 'camera ' || k, 'group ' || (k % 20), 1000 + k, '1', 1, iif(k % 50, 'done', 'failed'), k,
    k % 900, 30, iif(k % 50, '', 'broken.')
FROM counted, recipe;
"""


def test_watching_100_000_videos_costs_little(batch: Batch) -> None:
    """Processor time, because other tests run at the same time."""
    with sqlite3.connect(batch.folder.manifest) as connection:
        connection.executescript(MANY)
    connection.close()
    watcher = Watcher(batch)
    began_s = time.thread_time()
    assert watcher.progress().total == 100_006
    progress_s = time.thread_time() - began_s
    assert watcher.count(RowQuery("failed", "broken.")) == 2000
    assert len(watcher.rows(RowQuery("failed", order="longest"), 200, 1000)) == 200
    assert progress_s < 0.3
    assert time.thread_time() - began_s < 1.0
