"""``kill -9`` at random moments: what was killed goes on, and ends with the bytes of a run that was left alone."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from recognizer.analysis.file import analyze
from recognizer.service.runs import RunQuery
from tests.support.killed import COMMAND_OPTIONS, Killed, killed, server_context
from tests.support.resuming import SETTINGS, busy_models, busy_video, document

pytestmark = pytest.mark.real  # real processes, ten seconds

KILLS_OF_A_SERVER, KILLS_OF_A_COMMAND = 12, 8
_KILLED = -9


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("killed")


@pytest.fixture(scope="module")
def video(folder: Path) -> Path:
    return busy_video(folder / "busy.mkv")


@pytest.fixture(scope="module")
def work(folder: Path) -> Iterator[Killed]:
    with killed(folder) as work:
        yield work


def test_a_server_that_is_killed_goes_on(folder: Path, video: Path, work: Killed) -> None:
    whole = document(analyze(video, SETTINGS, models=busy_models()))
    sha256 = hashlib.sha256(video.read_bytes()).hexdigest()
    chances = random.Random(18)

    def serve(number: int, for_s: float | None) -> bool:
        code = work.run("serve", str(folder), f"run-{number}", str(stored), sha256, for_s=for_s)
        assert code in (0, _KILLED)
        return code == 0

    stored = folder / "data" / "files" / f"{sha256}.mkv"
    stored.parent.mkdir(parents=True)
    stored.write_bytes(video.read_bytes())
    assert serve(0, None)  # the first one loads what the others find loaded
    began_s = time.monotonic()
    assert serve(1, None)
    takes_s = time.monotonic() - began_s
    kills, number = 0, 2
    while kills < KILLS_OF_A_SERVER:
        if serve(number, chances.uniform(0, takes_s)):
            number += 1
        else:
            kills += 1
    assert serve(number, None)
    documents = [(folder / f"run-{k}.json").read_text() for k in range(number + 1)]
    assert all(one == whole for one in documents)
    context = server_context(folder)
    runs = context.runs.list(RunQuery())
    assert sorted((run.run_id, run.state) for run in runs) == sorted((f"run-{k}", "done") for k in range(number + 1))
    assert not any(context.runs.chunks(run.run_id) for run in runs), "save points are left"


def test_a_command_that_is_killed_goes_on(folder: Path, video: Path, work: Killed) -> None:
    def command(name: str, for_s: float | None) -> bool:
        target = str(folder / name)
        code = work.run("command", "analyze", str(video), *COMMAND_OPTIONS, "--json", target, for_s=for_s)
        assert code in (0, _KILLED)
        return code == 0

    assert command("whole.json", None)  # the first one loads what the others find loaded
    began_s = time.monotonic()
    assert command("whole.json", None)
    takes_s = time.monotonic() - began_s
    whole = (folder / "whole.json").read_bytes()
    chances, kills, results = random.Random(19), 0, 0
    while kills < KILLS_OF_A_COMMAND:
        if command(f"result-{results}.json", chances.uniform(0, takes_s)):
            results += 1
        else:
            kills += 1
    assert command(f"result-{results}.json", None)
    assert all((folder / f"result-{k}.json").read_bytes() == whole for k in range(results + 1))
    assert not list((folder / "cache" / "commands").glob("*/")), "save points are left"
