"""The features of stored analyses: one file each, in the order of the stored predictions."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recognizer.service.features import FeatureStore
from recognizer.service.store import AnalysisStore, StoredFile
from recognizer.timeline.features import FeatureTable
from recognizer.types import packed_size
from tests.support.featured import featured_timeline


def table_of(rows: int = 4, views: int = 2, size: int = 6, seed: int = 0) -> FeatureTable:
    rng = np.random.default_rng(seed)
    low, step = rng.random((2, rows, views), np.float32)
    codes, rising = (rng.integers(0, 256, (rows, views, count), np.uint8) for count in (size, packed_size(size)))
    return FeatureTable(codes, low, step, rng.random(rows) < 0.5, rising)


@pytest.fixture
def store(tmp_path: Path) -> FeatureStore:
    return FeatureStore(tmp_path / "features")


@pytest.mark.parametrize("views", [1, 2])
def test_what_is_stored_is_read_again_from_the_disk(store: FeatureStore, views: int) -> None:
    table = table_of(views=views)
    store.save("one", table)
    found = store.load("one")
    assert found is not None
    for name in ("codes", "low", "step", "has", "rising"):
        np.testing.assert_array_equal(getattr(found, name), getattr(table, name))
    np.testing.assert_array_equal(found.values([2, 1]), table.values([2, 1]))
    assert isinstance(found.codes, np.memmap), "the codes of ten hours are not read before they are used"


def test_another_run_replaces_the_features_and_one_without_removes_them(store: FeatureStore) -> None:
    store.save("one", table_of(4))
    store.save("one", table_of(7))
    found = store.load("one")
    assert found is not None
    assert len(found) == 7
    store.save("one", None)
    assert store.load("one") is None
    assert not store.has("one")


def test_a_name_from_an_address_leaves_the_folder_alone(store: FeatureStore, tmp_path: Path) -> None:
    store.save("../outside/one", table_of())
    assert store.has("../outside/one")
    assert [path.name for path in tmp_path.iterdir()] == ["features"]


@pytest.mark.parametrize("content", [b"", b"not an array", b"\x93NUMPY\x01\x00"])
def test_a_damaged_file_is_removed(store: FeatureStore, tmp_path: Path, content: bytes) -> None:
    store.save("one", table_of())
    (file,) = (tmp_path / "features").iterdir()
    file.write_bytes(content)
    assert store.load("one") is None
    assert not store.has("one")


def test_a_truncated_file_is_removed(store: FeatureStore, tmp_path: Path) -> None:
    store.save("one", table_of())
    (file,) = (tmp_path / "features").iterdir()
    file.write_bytes(file.read_bytes()[:-1])
    assert store.load("one") is None


def test_an_array_of_another_kind_is_removed(store: FeatureStore, tmp_path: Path) -> None:
    store.save("one", table_of())
    (file,) = (tmp_path / "features").iterdir()
    np.save(file, np.zeros(3))
    assert store.load("one") is None


def test_the_least_recently_used_features_make_room(tmp_path: Path) -> None:
    folder = tmp_path / "features"
    store = FeatureStore(folder)
    ages_s = {"old": 300, "used": 200, "young": 100}
    for name, age_s in ages_s.items():
        before = set(folder.iterdir()) if folder.is_dir() else set()
        store.save(name, table_of())
        (file,) = set(folder.iterdir()) - before
        then_s = file.stat().st_mtime - age_s - 10
        os.utime(file, (then_s, then_s))
    size_bytes = file.stat().st_size
    store.load("used")
    FeatureStore(folder, 3 * size_bytes).save("new", table_of())
    assert [name for name in (*ages_s, "new") if store.has(name)] == ["used", "young", "new"]


def test_a_folder_that_cannot_be_written_to_keeps_the_analysis(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "features").write_text("a file", encoding="utf-8")
    store = AnalysisStore(tmp_path)
    timeline = featured_timeline(1, 10.0)
    store.save_analysis("one", StoredFile(tmp_path / "v.mp4", "v.mp4", "ab" * 32, 1), timeline)
    assert "features of an analysis are not stored" in caplog.text
    assert store.load_analysis("one") is not None
    assert store.features.load("one") is None


def test_features_belong_to_the_stored_predictions_row_by_row(tmp_path: Path) -> None:
    """Of several people whose clips overlap in time: by person, then by time."""
    store = AnalysisStore(tmp_path)
    timeline = featured_timeline(3, 20.0)
    some = [replace(one, features=None) if k % 5 == 0 else one for k, one in enumerate(timeline.predictions)]
    timeline = replace(timeline, predictions=tuple(some))
    store.save_analysis("one", StoredFile(tmp_path / "v.mp4", "v.mp4", "ab" * 32, 1), timeline)
    stored, table = store.load_analysis("one"), store.features.load("one")
    assert stored is not None
    assert table is not None
    assert stored.timeline.predictions == timeline.predictions
    assert all(one.features is None for one in stored.timeline.predictions)
    for k, one in enumerate(timeline.predictions):
        kept = table.row(k)
        assert (kept is None) == (one.features is None)
        if kept is not None and one.features is not None:
            np.testing.assert_array_equal(kept.values_and_change(), one.features.values_and_change())


def test_an_hour_of_four_people_takes_27_megabytes(tmp_path: Path) -> None:
    """With I3D's 1024 numbers, both views, and a clip every 19 samples at 15 samples a second."""
    rows = round(3600 / (19 / 15))
    table = FeatureTable(
        np.zeros((rows, 2, 1024), np.uint8),
        np.zeros((rows, 2), np.float32),
        np.zeros((rows, 2), np.float32),
        np.ones(rows, bool),
        np.zeros((rows, 2, packed_size(1024)), np.uint8),
    )
    store = FeatureStore(tmp_path)
    store.save("one", table)
    (file,) = tmp_path.iterdir()
    assert file.stat().st_size == pytest.approx(6.6e6, rel=0.01)
    assert 4 * file.stat().st_size < 27e6
