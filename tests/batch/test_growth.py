"""The data set grows with the batch: parts of it are there, whole and right, before the command ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from recognizer.batch import growth as growth_module
from recognizer.batch.dataset import PARTS, gather, part_name
from recognizer.batch.driver import StoppedError
from recognizer.batch.findings import Findings
from recognizer.batch.growth import Growth
from recognizer.batch.manifest import Manifest
from recognizer.batch.messages import Outcome, Task
from recognizer.batch.results import BatchFolder
from recognizer.errors import OutputError
from tests.support.batch import Serial, results_of, run_serially, small_video
from tests.support.batches import Video, batch_at, seen, store_batch
from tests.support.waiting import wait_until

VIDEOS = [Video(f"{number}.mp4", "yard", seen(1, 12.0, number)) for number in range(6)]


@pytest.fixture(autouse=True)
def from_one_result_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth_module, "_FEWEST", 1)


@pytest.fixture
def folder(tmp_path: Path) -> BatchFolder:
    """The folder of a batch whose results are there, but no data set."""
    return store_batch(tmp_path / "out", VIDEOS, tmp_path / "in", gathers=False).folder


def grow(growth: Growth) -> None:
    """Write one part, and wait for it."""
    growth.go_on()
    growth._thread.submit(lambda: None).result()  # it is after the part in the one thread's queue


def held(folder: BatchFolder, table: str) -> set[str]:
    """The results that a table of the data set holds now."""
    files = [folder.data / part_name(table, part) for part in PARTS]
    return {one for file in files if file.is_file() for one in pq.read_table(file)["video"].to_pylist()}


def test_what_a_stopped_command_has_written_is_that_of_one_that_came_to_the_end(
    folder: BatchFolder, tmp_path: Path
) -> None:
    with Manifest(folder.manifest) as manifest:
        everything = set(manifest.results())
        with Growth(folder, manifest) as growth:
            for _ in PARTS:
                grow(growth)
        assert held(folder, "segments") == held(folder, "people") == held(folder, "predictions") == everything
        assert not list(folder.data.rglob("*.part"))
        stopped = results_of(folder.root)
        gather(folder, manifest)
    whole = store_batch(tmp_path / "whole", VIDEOS, tmp_path / "in")
    assert stopped == results_of(folder.root) == results_of(whole.root)


def test_a_page_counts_every_result_once_at_every_moment_of_the_writing(folder: BatchFolder) -> None:
    """Regression: a part with new segments and old people, or one written since the page looked, counted twice."""
    right = Findings(batch_at(folder.root)).by_group
    before = Findings(batch_at(folder.root))
    with Manifest(folder.manifest) as manifest, Growth(folder, manifest) as growth:
        while set(manifest.results()) - held(folder, "people"):
            grow(growth)
            assert Findings(batch_at(folder.root)).by_group.equals(right)
            assert Findings(batch_at(folder.root)).left_out == 0
    assert before.by_group.equals(right)
    for file in folder.data.glob("people/*/*.parquet"):  # as if it had been killed between the two
        file.unlink()
    with Manifest(folder.manifest) as manifest:
        for part in PARTS:
            manifest.set_fact(part_name("people", part), "")
    assert Findings(batch_at(folder.root)).by_group.equals(right)


def test_a_part_that_cannot_be_written_waits_for_the_end(
    folder: BatchFolder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise OutputError("the disk is full.")

    with Manifest(folder.manifest) as manifest:
        with monkeypatch.context() as patched, Growth(folder, manifest) as growth:
            patched.setattr(growth_module, "write_part", fail)
            grow(growth)
        assert "the disk is full" in caplog.text
        assert held(folder, "segments") == set()
        gather(folder, manifest)
        assert held(folder, "segments") == set(manifest.results())


def test_a_batch_that_stops_early_has_a_data_set_already(tmp_path: Path) -> None:
    videos, out = tmp_path / "videos", tmp_path / "out"
    for frames in (12, 13, 14):
        small_video(videos / f"{frames}.mkv", frames)

    class StopsAtLast(Serial):
        def run(self, tasks: Iterator[Task]) -> Iterator[object]:  # type: ignore[override]
            yield from super().run(next(tasks) for _ in range(2))
            wait_until(lambda: bool(held(BatchFolder(out), "people")))
            yield Outcome(next(tasks).number, "waiting", error="no weights.", ends_batch=True)

    with pytest.raises(StoppedError):
        run_serially(videos, out=out, executor=StopsAtLast())  # type: ignore[arg-type]
    assert held(BatchFolder(out), "people")
    run_serially(videos, out=out)
    run_serially(videos, out=tmp_path / "other")
    assert results_of(out) == results_of(tmp_path / "other")
