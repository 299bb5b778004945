"""The command ``batch``: its options, sentences and exit codes."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from recognizer.batch import cluster, sizing
from recognizer.batch.gpus import Gpu
from recognizer.batch.local import Bounds
from recognizer.batch.messages import Outcome, Report, Task
from recognizer.batch.places import batches_dir, batches_in
from recognizer.batch.results import BatchFolder
from recognizer.cli import batch_command, batch_progress, main
from recognizer.cli.signals import Interrupted
from tests.support.batch import Serial, small_video

OPTIONS = ("--classifier", "i3d", "--sequence-length", "4", "--skip", "1")


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> list[Serial]:
    """Let videos be analyzed in this process; return who did it."""
    monkeypatch.setenv("RECOGNIZER_DECODER", "inline")
    used: list[Serial] = []

    def executor(*_: object) -> Serial:
        used.append(Serial())
        return used[-1]

    monkeypatch.setattr(batch_command, "LocalExecutor", executor)
    return used


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return small_video(tmp_path / "in" / "a.mkv")


def batch(*words: Path | str) -> int:
    return main(["batch", *map(str, words)])


def test_a_batch_is_done_and_says_so(video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert batch(video.parent, "--out", out, *OPTIONS, "--workers", "2") == 0
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "note: 1 worker with " in shown.err, "no more than there are videos"
    last = shown.err.splitlines()[-1]  # with a speed, on a slow machine
    assert last.startswith("note: 1 of 1 videos, 1 s of video")
    assert last.endswith(f". Results are in '{out}'.")
    assert batch(video.parent, "--out", out, *OPTIONS, "--quiet") == 0
    assert capsys.readouterr().err == ""


def test_without_a_folder_results_go_to_the_data_folder_where_the_page_finds_them(
    video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECOGNIZER_DATA", str(tmp_path / "data"))
    assert batch(video.parent, *OPTIONS) == 0
    (found,) = batches_in([batches_dir()])
    assert found.name.startswith("in-")
    assert f"Results are in '{found.root}'." in capsys.readouterr().err
    monkeypatch.chdir(video.parent.parent)
    assert batch("in", *OPTIONS) == 0
    assert batches_in([batches_dir()]) == [found], "the same sources go on in the same folder"


def test_a_failure_is_a_sentence_and_an_exit_code(
    video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (video.parent / "b.mp4").write_text("no video")
    words = (video.parent, "--out", tmp_path / "out", *OPTIONS)
    assert batch(*words, "--quiet") == 2
    (sentence,) = capsys.readouterr().err.splitlines()
    assert sentence.startswith(f"error: {video.parent / 'b.mp4'}: 'b.mp4' ")
    assert batch(*words) == 2
    assert "note: left alone: 1 video of earlier failures; --retry tries again." in capsys.readouterr().err


def test_an_interrupted_batch_says_how_to_go_on(
    video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: Task) -> Outcome | None:
        raise Interrupted

    monkeypatch.setattr(batch_command, "LocalExecutor", lambda *_: Serial(before=interrupt))
    with pytest.raises(Interrupted):  # no signal came, so there is no exit code
        batch(video, "--out", tmp_path / "out", *OPTIONS)
    assert "stopped; run the same command to go on: 0 of 1 videos" in capsys.readouterr().err


def test_a_log_gets_a_line_now_and_then(
    video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_progress, "_LINE_EVERY_S", 0.0)
    assert batch(video, "--out", tmp_path / "out", *OPTIONS, "--plain") == 0
    lines = [line for line in capsys.readouterr().err.splitlines() if "of 1 videos" in line]
    assert [line[:19] for line in lines] == ["note: 0 of 1 videos"] * 2 + ["note: 1 of 1 videos"] * 2


def test_a_terminal_gets_a_bar(
    video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_progress, "shows_progress", lambda _quiet: True)
    assert batch(video, "--out", tmp_path / "out", *OPTIONS) == 0
    assert "1 of 1 videos" in capsys.readouterr().err


def test_other_machines_get_the_videos_and_the_bounds(
    video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[object, ...]] = []

    def executor(*given: object) -> Serial:
        asked.append(given)
        return Serial()

    monkeypatch.setattr(cluster, "RayExecutor", executor)
    assert batch(video, "--out", tmp_path / "out", *OPTIONS, "--ray", "head:6379", "--max-seconds", "60") == 0
    ((address, folder, most, bounds),) = asked
    assert (address, most, bounds) == ("head:6379", 1, Bounds(most_s=60.0))
    assert isinstance(folder, BatchFolder)
    assert folder.root == tmp_path / "out"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--workers", "0"), "--workers is '0'; give a number from 1 on, or auto."),
        (("--max-seconds", "0"), "--max-seconds is 0; give a number above 0."),
        (("--max-memory-mb", "nan"), "--max-memory-mb is nan; give a number above 0."),
        (("--min-confidence", "2"), "--min-confidence is 2; give a number from 0 to 1."),
        (("--out", ""), "--out is empty; give a folder."),
        (("--skip", "99"), "--skip is 99; give a value from 1 to 30."),
        (("--stream", "-1"), "--stream is -1; streams are numbered from 0."),
        (("--settings", "gone.toml"), "'gone.toml' cannot be read (no such file or directory)"),
    ],
)
def test_what_does_not_fit_is_a_sentence(
    video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], sentence: str
) -> None:
    assert batch(video, "--out", tmp_path / "out", *words, "--classifier", "i3d") == 2
    assert sentence in capsys.readouterr().err


def test_an_option_takes_precedence_over_the_file_of_settings(video: Path, tmp_path: Path) -> None:
    (tmp_path / "lab.toml").write_text('preset = "recommended"\nskip = 3\noverlap = 0.75\nmin_confidence = 0.2\n')
    recipes = []

    class Noting(Serial):
        def run(self, tasks: Iterator[Task]) -> Iterator[Report]:
            for task in tasks:
                recipes.append(task.recipe)
                yield Outcome(task.number, "failed")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch_command, "LocalExecutor", lambda *_: Noting())
        batch(video, "--out", tmp_path / "out", "--settings", tmp_path / "lab.toml", *OPTIONS)
    (recipe,) = recipes
    assert recipe.preset == "recommended"
    assert recipe.own == {
        "video_classifier_model": "i3d", "num_video_sequence_samples": 4, "skip_frame": 1, "overlap": 0.75,
    }  # fmt: skip
    assert recipe.min_confidence == 0.2


def test_without_options_the_defaults_of_analyze_hold() -> None:
    parser = argparse.ArgumentParser()
    from recognizer.cli import batch as options

    options.add_command(parser.add_subparsers())
    recipe = batch_command.recipe_of(parser.parse_args(["batch", "a.mp4", "--out", "b"]))
    assert (recipe.preset, recipe.own, recipe.least_confidence, recipe.min_duration_s) == ("documented", {}, 0.0, 0.0)


@pytest.mark.parametrize(
    ("workers", "videos", "cores", "free_gb", "expected"),
    [
        ("auto", 100, 8, 64, (8, 1)),
        ("auto", 100, 8, 6, (3, 2)),
        ("auto", 100, 2, 1, (1, 2)),
        ("auto", 3, 8, 64, (3, 2)),
        ("4", 100, 2, 64, (4, 1)),
    ],
)
def test_workers_follow_cores_and_memory(
    monkeypatch: pytest.MonkeyPatch, workers: str, videos: int, cores: int, free_gb: int, expected: tuple[int, int]
) -> None:
    monkeypatch.setattr(sizing, "cores", lambda: cores)
    free = type("Memory", (), {"available": free_gb * 10**9})
    monkeypatch.setattr(psutil, "virtual_memory", lambda: free)
    size = sizing.size_of(workers, videos)
    assert (size.workers, size.threads) == expected


@pytest.mark.parametrize(
    ("workers", "free_gb", "expected"),
    [("auto", [22.0], 2), ("auto", [22.0, 40.0], 6), ("auto", [3.0, 3.0], 2), ("auto", [139.0], 8), ("5", [22.0], 5)],
)
def test_workers_follow_the_memory_of_gpus(
    monkeypatch: pytest.MonkeyPatch, workers: str, free_gb: list[float], expected: int
) -> None:
    monkeypatch.setattr(sizing, "cores", lambda: 8)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("Memory", (), {"available": 64 * 10**9}))
    found = [Gpu(str(number), int(free * 1e9)) for number, free in enumerate(free_gb)]
    assert sizing.size_of(workers, 100, found).workers == expected


@pytest.mark.parametrize(("device", "asked"), [("auto", 1), ("cpu", 0)])
def test_gpus_count_unless_the_networks_run_elsewhere(
    device: str, asked: int, video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions: list[str] = []

    def found() -> tuple[Gpu, ...]:
        questions.append(device)
        return ()

    monkeypatch.setattr(batch_command, "gpus", found)
    assert batch(video, "--out", tmp_path / "out", *OPTIONS, "--device", device, "--quiet") == 0
    assert len(questions) == asked
