"""Where batches are found, and where one goes for which nobody names a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from recognizer.batch.places import batches_dir, batches_in, folder_for
from tests.support.batches import Video, store_batch


@pytest.fixture(autouse=True)
def data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RECOGNIZER_DATA", str(tmp_path / "data"))


def test_the_same_sources_have_the_same_folder_on_any_day(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "lab").mkdir()
    folder = folder_for([str(tmp_path / "lab" / "monday")])
    assert folder.parent == batches_dir()
    assert folder.name.startswith("monday-")
    monkeypatch.chdir(tmp_path / "lab")
    assert folder_for(["monday/"]) == folder
    assert folder_for([str(tmp_path / "other" / "monday")]) != folder
    assert folder_for(["monday", "tuesday"]) != folder


@pytest.mark.parametrize(
    ("source", "name"),
    [("s3://bucket/season 3/", "season-3-"), ("season/**/*.mp4", "mp4-"), ("/", "batch-"), ("..", "")],
)
def test_the_name_of_a_folder_is_harmless(source: str, name: str) -> None:
    folder = folder_for([source])
    assert folder.name.startswith(name)
    assert folder.parent == batches_dir()


def test_batches_are_found_in_folders_and_as_folders(tmp_path: Path) -> None:
    for name in ("one", "two"):
        store_batch(tmp_path / "all" / name, [Video("a.mp4")], tmp_path / "in")
    (tmp_path / "all" / "no batch").mkdir()
    found = batches_in([tmp_path / "all", tmp_path / "all" / "one", tmp_path / "missing"])
    assert sorted(batch.name for batch in found) == ["one", "two"]
    assert found[0].batch_id != found[1].batch_id
    assert str(tmp_path) not in found[0].batch_id
