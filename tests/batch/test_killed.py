"""Drivers and workers are killed at any moment: after the same command, nothing is missing, doubled or different."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from recognizer.batch.manifest import Manifest
from tests.support.batch import results_of, small_video
from tests.support.batch_killed import Batches, batches

pytestmark = pytest.mark.slow

SEED = 20


@pytest.fixture(scope="module")
def forked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Batches]:
    with batches(tmp_path_factory.mktemp("forked")) as found:
        yield found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Short and long videos, and a broken one."""
    folder = tmp_path_factory.mktemp("videos")
    for number, frames in enumerate((12, 60, 16, 20)):
        small_video(folder / f"{number}.mkv", frames)
    (folder / "broken.mkv").write_bytes((folder / "1.mkv").read_bytes()[:500])
    return folder


@pytest.fixture(scope="module")
def undisturbed(forked: Batches, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The results of one worker that nobody disturbed."""
    out = tmp_path_factory.mktemp("undisturbed")
    assert forked.run(folder, out=out, workers=1) == 2
    return results_of(out)


def states(out: Path) -> dict[str, str]:
    with Manifest(out / "manifest.sqlite3") as manifest:
        return {row["id"]: row["state"] for row in manifest.rows()}


def test_two_workers_and_another_order_make_the_same_bytes(
    forked: Batches, folder: Path, undisturbed: dict[str, bytes], tmp_path: Path
) -> None:
    shuffled = sorted(folder.iterdir(), key=lambda path: path.name, reverse=True)
    random.Random(SEED).shuffle(shuffled)
    for one in shuffled[:2]:
        assert forked.run(one, out=tmp_path, workers=1) in (0, 2)
    assert forked.run(*shuffled, out=tmp_path, workers=2) == 2
    assert results_of(tmp_path) == undisturbed
    assert sorted(states(tmp_path).values()) == ["done"] * 4 + ["failed"]


@pytest.mark.parametrize("victim", ["driver", "worker"])
def test_whoever_is_killed_the_rest_of_the_work_goes_on(
    forked: Batches, folder: Path, undisturbed: dict[str, bytes], tmp_path: Path, victim: str
) -> None:
    moments = random.Random(SEED)
    codes = [
        forked.run(folder, out=tmp_path, victim=victim, after_s=moments.uniform(0.0, 0.6))  # type: ignore[arg-type]
        for _ in range(5)
    ]
    assert any(code == -9 for code in codes) or victim == "worker", "no driver was killed"
    assert forked.run(folder, out=tmp_path) == 2
    assert results_of(tmp_path) == undisturbed
    assert sorted(states(tmp_path).values()) == ["done"] * 4 + ["failed"]
