"""Workers' processes: who gets what, and what happens to those that die, hang or take too much."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from recognizer.batch import local
from recognizer.batch.local import Bounds, LocalExecutor, Process
from recognizer.batch.messages import Advanced, Began, Outcome, Task
from recognizer.batch.recipe import Recipe
from recognizer.errors import OutputError
from tests.support import batch_worker

pytestmark = pytest.mark.slow


class Starts:
    """Starts processes that do what the names of the videos say."""

    def __init__(self) -> None:
        self.started: list[subprocess.Popen[bytes]] = []

    def __call__(self) -> Process:
        command = [sys.executable, "-S", "-E", batch_worker.__file__]
        self.started.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
        return self.started[-1]


@pytest.fixture
def starts() -> Starts:
    return Starts()


def tasks(tmp_path: Path, *deeds: str) -> Iterator[Task]:
    yield from (Task(number, deed, Recipe(), "", str(tmp_path)) for number, deed in enumerate(deeds))


def outcomes(executor: LocalExecutor, given: Iterator[Task]) -> dict[int, Outcome]:
    return {one.number: one for one in executor.run(given) if isinstance(one, Outcome)}


def test_workers_share_the_videos_and_are_used_again(tmp_path: Path, starts: Starts) -> None:
    found = outcomes(LocalExecutor(2, starts), tasks(tmp_path, *["sleeps"] * 4))
    assert [found[k].state for k in range(4)] == ["done"] * 4
    assert len({one.sha256 for one in found.values()}) == len(starts.started) == 2
    assert [one.poll() for one in starts.started] == [0, 0], "they end by themselves"


def test_tasks_are_taken_when_somebody_is_free(tmp_path: Path, starts: Starts) -> None:
    taken: list[int] = []

    def noted() -> Iterator[Task]:
        for task in tasks(tmp_path, *["x"] * 5):
            taken.append(task.number)
            yield task

    for report in LocalExecutor(1, starts).run(noted()):
        if isinstance(report, Outcome):
            assert taken[-1] == report.number


def test_a_video_that_ends_its_worker_twice_is_left_and_the_others_are_done(tmp_path: Path, starts: Starts) -> None:
    found = outcomes(LocalExecutor(2, starts), tasks(tmp_path, "dies", "x", "y", "z"))
    assert [found[k].state for k in range(4)] == ["waiting", "done", "done", "done"]
    assert found[0].error == "'dies' ended its worker 2 times (it ended with code 9); convert it, or leave it out."


def test_a_video_whose_worker_was_killed_once_is_done(tmp_path: Path, starts: Starts) -> None:
    found = outcomes(LocalExecutor(1, starts), tasks(tmp_path, "dies-once", "x"))
    assert [found[k].state for k in range(2)] == ["done", "done"]
    assert len(starts.started) == 2


@pytest.mark.parametrize(
    ("deed", "bounds", "sentence"),
    [
        ("hangs", Bounds(most_s=600), "'hangs' took longer than 10 min; raise --max-seconds, or cut the video."),
        ("hangs", Bounds(stall_s=600), "'hangs' made no progress for 10 min; cut the video, or convert it."),
        ("eats", Bounds(most_bytes=200 * 10**6), "of memory, the limit is 200.0 MB; raise --max-memory-mb"),
    ],
)
def test_a_video_that_takes_too_much_fails_and_the_others_are_done(
    tmp_path: Path, starts: Starts, monkeypatch: pytest.MonkeyPatch, deed: str, bounds: Bounds, sentence: str
) -> None:
    later_s = 0.0  # the clock moves on while the first video hangs; the process of the next one may start slowly
    monkeypatch.setattr(local, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + later_s))
    found: dict[int, Outcome] = {}
    for report in LocalExecutor(1, starts, bounds).run(tasks(tmp_path, deed, "x")):
        if isinstance(report, Began) and report.number == 0:
            later_s = 601.0
        elif isinstance(report, Outcome):
            found[report.number] = report
    assert (found[0].state, found[1].state) == ("failed", "done")
    assert sentence in found[0].error


def test_a_video_that_stands_still_is_noticed_while_others_report_all_the_time(tmp_path: Path, starts: Starts) -> None:
    """Regression: workers were looked at only when nobody had reported for half a second."""
    reports = LocalExecutor(2, starts, Bounds(stall_s=2.0)).run(tasks(tmp_path, "hangs", *["sleeps"] * 100))
    ended: list[Outcome] = []
    for report in reports:
        if isinstance(report, Outcome):
            ended.append(report)
            if report.number == 0:
                break
    reports.close()  # type: ignore[attr-defined]
    assert "made no progress" in ended[-1].error
    assert len(ended) < 90


def test_whoever_stops_in_the_middle_leaves_no_process(tmp_path: Path, starts: Starts) -> None:
    reports = LocalExecutor(2, starts).run(tasks(tmp_path, *["sleeps"] * 20))
    first = next(one for one in reports if isinstance(one, Advanced))
    assert first.number in (0, 1)
    began_s = time.monotonic()
    reports.close()  # type: ignore[attr-defined]
    assert time.monotonic() - began_s < 30
    assert [psutil.pid_exists(one.pid) and one.poll() is None for one in starts.started] == [False, False]


def test_no_process_at_all_is_a_sentence(tmp_path: Path) -> None:
    def fail() -> Process:
        raise OSError("no room")

    with pytest.raises(OutputError, match="no worker can be started"):
        outcomes(LocalExecutor(1, fail), tasks(tmp_path, "x"))
