"""The same batch on a Ray on this machine."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import pytest

from recognizer.batch.cluster import RayExecutor
from recognizer.batch.local import Bounds
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
