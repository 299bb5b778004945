"""The same batch on a Ray on this machine."""

from __future__ import annotations

import builtins
import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from recognizer.batch import cluster
from recognizer.batch.cluster import RayExecutor
from recognizer.batch.local import Bounds
from recognizer.batch.messages import Lines, Outcome, Task
from recognizer.batch.recipe import Recipe
from recognizer.batch.results import BatchFolder
from recognizer.errors import SettingsError
from tests.support.batch import Told, results_of, run_serially, small_video
from tests.support.environment import skip_or_fail


def test_without_ray_the_sentence_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real_import = builtins.__import__

    def refuse(name: str, *rest: Any) -> Any:
        if name == "ray":
            raise ImportError(name)
        return real_import(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(SettingsError, match=r"run pip install '\.\[ray\]' on every machine"):
        RayExecutor("auto", BatchFolder(tmp_path), None, Bounds())


class _GoneError(Exception):
    """What Ray raises when an actor is gone."""


class _FakeRay:
    """A Ray of two cores whose actors die when they get the first video."""

    exceptions = SimpleNamespace(RayError=_GoneError)

    def __init__(self, dies: int = 0, memory_bytes: float = 1e10) -> None:
        self.dies = dies
        self.memory_bytes = memory_bytes
        self.actors = 0

    def init(self, *_: object, **__: object) -> None: ...

    def shutdown(self) -> None: ...

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": 2.0, "memory": self.memory_bytes}

    def remote(self, **options: object) -> Any:
        assert options["max_restarts"]
        assert options["max_task_retries"]

        def make(_: object) -> Any:
            self.actors += 1
            return SimpleNamespace(work=SimpleNamespace(remote=lambda task: task))

        return lambda _: SimpleNamespace(remote=make)

    def wait(self, references: list[bytes], **_: object) -> tuple[list[bytes], list[bytes]]:
        return references[:1], references[1:]

    def get(self, reference: bytes) -> bytes:
        task = Lines(Task).decode(reference)
        if task.number == 0 and self.dies:
            self.dies -= 1
            raise _GoneError("gone. And more.")
        return Lines.encode(Outcome(task.number, "done"))


@pytest.mark.parametrize(("dies", "states"), [(1, ["done"] * 4), (2, ["waiting", "done", "done", "done"])])
def test_a_video_whose_actor_is_gone_is_tried_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dies: int, states: list[str]
) -> None:
    ray = _FakeRay(dies)
    monkeypatch.setattr(cluster, "_ray", lambda: ray)
    tasks = (Task(number, f"{number}.mp4", Recipe(), "", str(tmp_path)) for number in range(4))
    reports = RayExecutor("auto", BatchFolder(tmp_path), None, Bounds()).run(tasks)
    found = {one.number: one for one in reports if isinstance(one, Outcome)}
    assert [found[number].state for number in range(4)] == states
    assert ray.actors == 3, "actors that live are used again"
    if dies == 2:
        assert found[0].error == "'0.mp4' ended its actor (_GoneError: gone); run the command again."


def test_there_are_no_more_actors_than_memory_for_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Regression: an actor that fitted nowhere kept its video, one of the largest, until the others had ended."""
    ray = _FakeRay(memory_bytes=2.5e9)
    monkeypatch.setattr(cluster, "_ray", lambda: ray)
    tasks = (Task(number, f"{number}.mp4", Recipe(), "", str(tmp_path)) for number in range(4))
    list(RayExecutor("auto", BatchFolder(tmp_path), None, Bounds()).run(tasks))
    assert ray.actors == 1


def test_an_address_where_nobody_listens_is_a_sentence_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Regression: Ray tried for ten minutes."""
    monkeypatch.setattr(cluster, "_ray", lambda: _FakeRay())
    with socket.socket() as bound:  # it does not listen
        bound.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{bound.getsockname()[1]}"
        reports = RayExecutor(address, BatchFolder(tmp_path), None, Bounds()).run(iter(()))
        with pytest.raises(SettingsError, match=r"there is no Ray at .* start it with 'ray start --head'"):
            next(reports)


@pytest.mark.real
def test_results_of_ray_are_those_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        import ray  # noqa: F401
    except ImportError:
        skip_or_fail("Ray is not installed; pip install -r requirements-ray.txt")
    folder, out = tmp_path / "in", tmp_path / "out"
    for number, frames in enumerate((12, 16, 20)):
        small_video(folder / f"{number}.mkv", frames)
    (folder / "broken.mkv").write_bytes((folder / "0.mkv").read_bytes()[:500])
    executor = RayExecutor("local", BatchFolder(out), None, Bounds(), "tests.support.batch_scripted")
    told = Told()
    summary = run_serially(folder, out=out, executor=executor, told=told)
    assert (summary.tally.done, summary.tally.failed, summary.tally.postponed) == (3, 1, 0), told.sentences
    run_serially(folder, out=tmp_path / "here")
    assert results_of(out) == results_of(tmp_path / "here")
