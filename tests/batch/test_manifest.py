"""The manifest: who waits, for any number of videos."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from recognizer.batch.manifest import Counts, Manifest
from recognizer.batch.messages import Outcome
from recognizer.batch.recipe import Recipe
from recognizer.batch.sources import Entry
from recognizer.errors import OutputError, StoreError
from tests.support.environment import ROOT

RECIPE = Recipe()


def entry(place: str, size_bytes: int = 10, changed: str = "1") -> Entry:
    return Entry(place, RECIPE, place, "", size_bytes, changed)


def done(number: int, key: str = "k", took_s: float = 1.0) -> Outcome:
    return Outcome(number, "done", key=key, sha256="5", video_s=2.0, took_s=took_s, people=1, segments=3)


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    return Manifest(tmp_path / "manifest.sqlite3")


def waiting(manifest: Manifest) -> list[str]:
    return [due.place for due in manifest.due()]


def test_new_and_changed_videos_wait_and_done_ones_do_not(manifest: Manifest) -> None:
    with manifest:
        manifest.list([entry("a", 1), entry("b", 3), entry("c", 2)], retry=False)
        assert waiting(manifest) == ["b", "c", "a"]
        for due in list(manifest.due()):
            manifest.record(done(due.number))
        manifest.list([entry("a", 1), entry("b", 4), entry("c", 2, "2"), entry("d", 9)], retry=False)
        assert waiting(manifest) == ["d", "b", "c"]
        assert manifest.counts() == Counts(done=1, failed=0, waiting=3, waiting_bytes=15)


def test_nothing_is_known_of_a_video_that_failed(manifest: Manifest) -> None:
    """Regression: 0 people and 0 segments stood there, as if somebody had looked."""
    with manifest:
        manifest.list([entry("a")], retry=False)
        (due,) = manifest.due()
        manifest.record(Outcome(due.number, "failed", took_s=0.1, error="broken."))
        (row,) = manifest.rows()
        assert (row["video_s"], row["people"], row["segments"]) == (None, None, None)


def test_failed_videos_wait_only_for_a_retry_and_postponed_ones_always(manifest: Manifest) -> None:
    with manifest:
        both = [entry("a", 2), entry("b", 1)]
        manifest.list(both, retry=False)
        a, b = (due.number for due in manifest.due())
        manifest.record(Outcome(a, "failed", error="broken."))
        manifest.record(Outcome(b, "waiting", error="gone."))
        manifest.list(both, retry=False)
        assert waiting(manifest) == ["b"]
        manifest.list(both, retry=True)
        assert waiting(manifest) == ["a", "b"]


def test_a_file_of_unknown_age_is_looked_at_again(manifest: Manifest) -> None:
    with manifest:
        manifest.list([entry("https://a", changed="")], retry=False)
        (due,) = manifest.due()
        manifest.record(done(due.number))
        manifest.list([entry("https://a", changed="")], retry=False)
        assert waiting(manifest) == ["https://a"]


def test_videos_that_are_not_named_any_more_are_not_listed(manifest: Manifest, tmp_path: Path) -> None:
    with manifest:
        manifest.list([entry("a"), entry("b")], retry=False)
        for number, due in enumerate(list(manifest.due())):
            manifest.record(done(due.number, key=f"k{number}"))
        manifest.list([entry("b")], retry=False)
        assert [row["path"] for row in manifest.rows()] == ["b"]
        assert list(manifest.results()) == ["k1"]
        manifest.list([entry("a"), entry("b")], retry=False)
        assert waiting(manifest) == [], "what was done is remembered"


def test_a_table_holds_no_formula(manifest: Manifest, tmp_path: Path) -> None:
    with manifest:
        manifest.list([Entry("/a.mp4", RECIPE, "=1+1", "@group", 1, "1")], retry=False)
        manifest.write_table(tmp_path / "manifest.csv")
    assert ",'@group," in (tmp_path / "manifest.csv").read_text()
    assert "\n'=1+1," in (tmp_path / "manifest.csv").read_text()


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database" * 100)
    with pytest.raises(StoreError, match="is damaged"):
        Manifest(tmp_path / "text")
    with sqlite3.connect(tmp_path / "later") as later:
        later.execute("PRAGMA user_version = 99")
    later.close()
    with pytest.raises(StoreError, match="of a later version"):
        Manifest(tmp_path / "later")
    with pytest.raises(OutputError, match="cannot be written"):
        Manifest(tmp_path / "gone" / "manifest.sqlite3")


START = """
import sys, time
from pathlib import Path
from recognizer.batch.driver import Request, Watch, run_batch
from recognizer.batch.recipe import Recipe

class Started(Exception):
    pass

def see(tally):
    # ru_maxrss would count the tests' process, from which this one was forked
    (peak_kb,) = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")]
    print(time.process_time() - began_s, int(peak_kb) / 1000, tally.before)
    raise Started

began_s = time.process_time()
request = Request((sys.argv[1],), Path(sys.argv[2]), Recipe(own={"video_classifier_model": "i3d"}), lambda: "i3d")
try:
    run_batch(request, lambda folder, waiting: None, Watch(see=see))
except Started:
    pass
"""


@pytest.mark.slow
def test_a_batch_of_100_000_videos_starts_within_seconds(tmp_path: Path) -> None:
    """Processor time, because other tests run at the same time."""
    files, folders, out = 250, 400, tmp_path / "out"
    (tmp_path / "real").mkdir()
    for number in range(files):
        (tmp_path / "real" / f"{number}.mp4").touch()
    for number in range(folders):  # so that there are 100,000 paths, but fewer files
        (tmp_path / f"camera {number}").symlink_to("real")
    places = [f"camera {folder}/{number}.mp4" for folder in range(folders) for number in range(files)]
    (tmp_path / "list.txt").write_text("\n".join(places))
    (out / "videos" / "00" / "00").mkdir(parents=True)
    digest = Recipe(own={"video_classifier_model": "i3d"}).digest
    Manifest(out / "manifest.sqlite3").__exit__()
    changed = [str((tmp_path / "real" / f"{number}.mp4").stat().st_mtime_ns) for number in range(files)]
    rows = ((str(tmp_path / place), digest, changed[k % files]) for k, place in enumerate(places))
    with sqlite3.connect(out / "manifest.sqlite3") as connection:
        columns = 'place, recipe, changed, id, "group", size_bytes, is_listed, state, result'
        connection.executemany(f"INSERT INTO video ({columns}) VALUES (?, ?, ?, '', '', 0, 1, 'done', '00')", rows)
    connection.close()
    command = [sys.executable, "-c", START, str(tmp_path / "list.txt"), str(out)]
    started = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    took_s, memory_mb, before = map(float, started.stdout.split())
    assert before == files * folders
    assert took_s < 15.0
    assert memory_mb < 300.0
