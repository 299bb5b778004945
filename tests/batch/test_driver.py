"""A batch as a whole, in this process: what is done, what is done again, and what is left for the next command."""

from __future__ import annotations

import csv
import errno
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow.dataset as ds
import pytest
from filelock import FileLock

from recognizer.batch import driver
from recognizer.batch.messages import Outcome, Task
from recognizer.batch.results import BatchFolder
from recognizer.errors import OutputError, SettingsError, WeightsError
from recognizer.networks.loading import Models
from recognizer.settings import Settings
from tests.support.batch import RECIPE, ScriptedNetworks, Serial, Told, results_of, run_serially, small_video

pytestmark = pytest.mark.slow


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three videos, two of them in a folder below."""
    for name, frames in (("a.mkv", 12), ("b/b.mkv", 16), ("b/c.mkv", 20)):
        small_video(tmp_path / "in" / name, frames)
    return tmp_path / "in"


def rows(out: Path) -> dict[str, dict[str, str]]:
    """The manifest's table by id."""
    with (out / "manifest.csv").open(encoding="utf-8", newline="") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


def places(executor: Serial) -> list[str]:
    return [Path(task.place).name for task in executor.given]


def test_everything_is_done_largest_first(folder: Path, out: Path) -> None:
    executor = Serial()
    summary = run_serially(folder, out=out, executor=executor)
    assert summary.is_complete
    assert places(executor) == ["c.mkv", "b.mkv", "a.mkv"]
    assert {name: row["state"] for name, row in rows(out).items()} == dict.fromkeys(("a.mkv", "b.mkv", "c.mkv"), "done")
    row = rows(out)["c.mkv"]
    assert (row["people"], row["error"]) == ("1", "")
    assert float(row["video_s"]) == pytest.approx(20 / 30, abs=0.05)
    files = {path.name for path in (out / row["outputs"]).iterdir()}
    assert files == {
        "timeline.json", "timeline.bin", "segments.csv", "segments.parquet", "people.parquet", "predictions.parquet",
    }  # fmt: skip
    assert not (out / ".work").exists(), "nothing unfinished is left"


def test_the_same_command_does_nothing_twice(folder: Path, out: Path) -> None:
    run_serially(folder, out=out)
    before = results_of(out)
    executor = Serial()
    assert run_serially(folder, out=out, executor=executor).is_complete
    assert executor.given == []
    assert results_of(out) == before


def test_renamed_copied_and_moved_files_are_not_analyzed_again(folder: Path, out: Path) -> None:
    run_serially(folder, out=out)
    before = results_of(out)
    (folder / "a.mkv").rename(folder / "renamed.mkv")
    shutil.copy(folder / "b" / "b.mkv", folder / "copy.mkv")
    networks = ScriptedNetworks()
    summary = run_serially(folder, out=out, executor=Serial(networks))
    assert (summary.is_complete, networks.asked) == (True, [])
    assert set(rows(out)) == {"b.mkv", "c.mkv", "renamed.mkv", "copy.mkv"}
    assert rows(out)["copy.mkv"]["result"] == rows(out)["b.mkv"]["result"]
    assert float(rows(out)["renamed.mkv"]["took_s"]) > 0, "what it took is that of the analysis"
    assert results_of(out) == before


def test_changed_files_and_changed_settings_are_analyzed_again(folder: Path, out: Path) -> None:
    run_serially(folder, out=out)
    first = rows(out)
    small_video(folder / "a.mkv", 14)
    executor = Serial()
    run_serially(folder, out=out, executor=executor)
    assert places(executor) == ["a.mkv"]
    assert rows(out)["a.mkv"]["sha256"] != first["a.mkv"]["sha256"]
    executor = Serial()
    run_serially(folder, out=out, executor=executor, recipe=RECIPE.with_values({"overlap": 0.5}, "a test"))
    assert len(executor.given) == 3
    assert {row["result"] for row in rows(out).values()}.isdisjoint(row["result"] for row in first.values())
    executor = Serial()
    run_serially(folder, out=out, executor=executor)
    assert executor.given == [], "the first results are still there"


def test_a_result_that_somebody_removed_is_made_again(folder: Path, out: Path) -> None:
    run_serially(folder, out=out)
    before = results_of(out)
    shutil.rmtree(out / rows(out)["b.mkv"]["outputs"])
    executor = Serial()
    run_serially(folder, out=out, executor=executor)
    assert places(executor) == ["b.mkv"]
    assert results_of(out) == before


def test_results_survive_the_loss_of_the_manifest(folder: Path, out: Path) -> None:
    run_serially(folder, out=out)
    before = results_of(out)
    (out / "manifest.sqlite3").unlink()
    networks = ScriptedNetworks()
    assert run_serially(folder, out=out, executor=Serial(networks)).is_complete
    assert networks.asked == []
    assert results_of(out) == before


def test_a_broken_video_costs_itself_alone_and_is_not_tried_again(folder: Path, out: Path) -> None:
    (folder / "broken.mkv").write_bytes((folder / "b" / "c.mkv").read_bytes()[:600])
    (folder / "text.mp4").write_text("no video")
    told = Told()
    summary = run_serially(folder, out=out, told=told)
    assert (summary.tally.done, summary.tally.failed, summary.is_complete) == (3, 2, False)
    assert len(told.sentences) == 2
    assert rows(out)["text.mp4"]["state"] == "failed"
    told_of_text = [sentence for sentence in told.sentences if sentence.startswith(f"{folder / 'text.mp4'}: ")]
    assert [rows(out)["text.mp4"]["error"] in sentence for sentence in told_of_text] == [True]
    executor = Serial()
    again = run_serially(folder, out=out, executor=executor)
    assert (executor.given, again.tally.failed, again.is_complete) == ([], 2, False)
    run_serially(folder, out=out, executor=executor, retry=True)
    assert sorted(places(executor)) == ["broken.mkv", "text.mp4"]


def test_a_video_that_vanished_is_tried_again(folder: Path, out: Path) -> None:
    hidden = folder.with_name("hidden.mkv")

    def take_away(task: Task) -> Outcome | None:
        if task.place.endswith("a.mkv"):
            (folder / "a.mkv").rename(hidden)
        return None

    told = Told()
    summary = run_serially(folder, out=out, executor=Serial(before=take_away), told=told)
    assert (summary.tally.done, summary.tally.postponed) == (2, 1)
    assert "cannot be read (no such file or directory)" in told.sentences[0]
    hidden.rename(folder / "a.mkv")
    assert run_serially(folder, out=out).is_complete


def test_a_video_that_ends_early_because_its_folder_is_gone_has_no_result(folder: Path, out: Path) -> None:
    class Vanishing(ScriptedNetworks):
        def get(self, settings: Settings) -> Models:
            (folder / "a.mkv").write_bytes(b"")
            return super().get(settings)

    told = Told()
    summary = run_serially(folder / "a.mkv", out=out, executor=Serial(Vanishing()), told=told)
    assert (summary.tally.done, summary.tally.postponed) == (0, 1)
    assert results_of(out) == {}


def test_a_source_that_is_not_there_does_not_stop_the_others(folder: Path, out: Path) -> None:
    told = Told()
    summary = run_serially(folder / "gone" / "*.mp4", folder, out=out, told=told)
    assert (summary.tally.done, summary.is_complete) == (3, False)
    assert told.sentences == [f"no file is named like '{folder}/gone/*.mp4'; check the pattern, or put it in quotes."]


def test_nothing_to_do_is_one_sentence(tmp_path: Path, out: Path) -> None:
    (tmp_path / "empty.txt").touch()
    told = Told()
    for source, sentence in (("empty.txt", "there is nothing to analyze in"), ("*.mp4", "no file is named like")):
        with pytest.raises(SettingsError, match=sentence):
            run_serially(tmp_path / source, out=out, told=told)
    assert told.sentences == []
    with pytest.raises(SettingsError, match="there is nothing to analyze in"):
        run_serially(tmp_path / "*.mp4", tmp_path / "gone.csv", out=out, told=told)
    assert len(told.sentences) == 2


def test_a_full_disk_leaves_no_part_of_a_result(folder: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from recognizer.batch import results

    write = results._write_synced

    def fail(path: Path, content: bytes) -> None:
        if path.name == "people.parquet":
            raise OSError(errno.ENOSPC, "No space left on device")
        write(path, content)

    told = Told()
    with monkeypatch.context() as patch:
        patch.setattr(results, "_write_synced", fail)
        summary = run_serially(folder, out=out, told=told)
    assert (summary.tally.done, summary.tally.postponed) == (0, 3)
    assert all("cannot be written (no space left on device)" in sentence for sentence in told.sentences)
    assert results_of(out) == {}
    networks = ScriptedNetworks()
    assert run_serially(folder, out=out, executor=Serial(networks)).is_complete


def test_a_disk_that_is_nearly_full_stops_the_batch_before_the_next_video(
    folder: Path, out: Path, set_limits: Callable[..., None]
) -> None:
    set_limits(min_free_bytes=10**18)
    executor = Serial()
    with pytest.raises(driver.StoppedError, match="make room, and run the command again"):
        run_serially(folder, out=out, executor=executor)
    assert executor.given == []


def test_missing_weights_stop_the_batch(folder: Path, out: Path) -> None:
    class Without(ScriptedNetworks):
        def get(self, settings: Settings) -> Models:
            raise WeightsError("i3d cannot be had; put it into a folder.")

    executor = Serial(Without())
    with pytest.raises(driver.StoppedError, match="i3d cannot be had"):
        run_serially(folder, out=out, executor=executor)
    assert len(executor.given) == 1
    assert run_serially(folder, out=out).is_complete


def test_two_commands_do_not_work_in_one_folder(folder: Path, out: Path) -> None:
    out.mkdir()
    with FileLock(out / ".lock"), pytest.raises(OutputError, match="another batch works in"):
        run_serially(folder, out=out)


def test_later_commands_use_the_classifier_of_the_first(folder: Path, out: Path) -> None:
    """Regression: i3d stood in for s3d, and all was analyzed again when s3d could be had."""
    own = {name: value for name, value in RECIPE.own.items() if name != "video_classifier_model"}
    recipe = type(RECIPE)(own=own)
    asked: list[str] = []

    def usable(name: str) -> Callable[[], str]:
        return lambda: asked.append(name) or name  # type: ignore[func-returns-value]

    run_serially(folder, out=out, recipe=recipe, usable_classifier=usable("i3d"))
    executor = Serial()
    run_serially(folder, out=out, executor=executor, recipe=recipe, usable_classifier=usable("s3d"))
    assert (asked, executor.given) == (["i3d"], [])


def test_the_data_set_holds_the_videos_of_the_command(folder: Path, out: Path) -> None:
    run_serially(folder, out=out)
    table = ds.dataset(out / "data" / "segments", partitioning="hive").to_table()
    assert set(table["video"].to_pylist()) == {row["result"] for row in rows(out).values()}
    assert table.column_names[:3] == ["video", "person_id", "action"]
    people = ds.dataset(out / "data" / "people", partitioning="hive").to_table()
    assert people.num_rows == 3
    run_serially(folder / "a.mkv", out=out)
    left = ds.dataset(out / "data" / "segments", partitioning="hive").to_table()
    assert set(left["video"].to_pylist()) == {rows(out)["a.mkv"]["result"]}


def test_results_do_not_depend_on_the_order(folder: Path, tmp_path: Path) -> None:
    class Backwards(Serial):
        def run(self, tasks: Iterator[Task]) -> Iterator[object]:  # type: ignore[override]
            yield from super().run(iter(list(tasks)[::-1]))

    run_serially(folder, out=tmp_path / "one")
    run_serially(folder, out=tmp_path / "other", executor=Backwards())  # type: ignore[arg-type]
    for path in sorted(folder.rglob("*.mkv")):
        run_serially(path, out=tmp_path / "alone")
    assert results_of(tmp_path / "one") == results_of(tmp_path / "other")
    run_serially(folder, out=tmp_path / "alone")
    assert results_of(tmp_path / "alone") == results_of(tmp_path / "one")


def test_leftovers_of_killed_commands_and_workers_are_removed(folder: Path, out: Path) -> None:
    work = BatchFolder(out).work
    (work / "0123.part").mkdir(parents=True)
    (work / "fetched.mp4.part").touch()
    (work / "0123.lock").touch()
    (work / "0123").mkdir()
    half_written = out / "data" / "people" / "part=3" / ".rows.parquet.0123.part"
    half_written.parent.mkdir(parents=True)
    half_written.touch()
    (out / ".manifest.csv.0123.part").touch()
    run_serially(folder, out=out, executor=Serial(before=lambda task: Outcome(task.number, "waiting", error="no.")))
    assert [path.name for path in work.iterdir()] == ["0123"], "save points stay while videos wait"
    assert list(out.rglob("*.part")) == []
