"""What the tests with real networks share; each clip is followed once per worker."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from benchmarks.identities import Nobody, followed
from recognizer.networks.cache import ModelCache
from recognizer.networks.loading import Models
from recognizer.settings import Settings
from recognizer.timeline.model import Timeline
from tests.support.ffmpeg import ffmpeg

Beginning = Callable[[str, float], Path]


@pytest.fixture(scope="session")
def only_detection(networks: ModelCache) -> Models:
    """The real detector; nothing is classified."""
    return Models(networks.get(Settings(video_classifier_model="i3d")).detector, Nobody())


@pytest.fixture(scope="session")
def followed_clip(clips_dir: Path, only_detection: Models) -> Callable[[str], Timeline]:
    """Return the people of a clip, stitched, with the documented settings."""

    @cache
    def follow(name: str) -> Timeline:
        return followed(clips_dir / name, Settings(), only_detection)[1]

    return follow


@pytest.fixture(scope="session")
def beginning(clips_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Beginning:
    """Return the first seconds of a clip, in its own encoding."""
    folder = tmp_path_factory.mktemp("beginnings")

    @cache
    def cut(name: str, duration_s: float) -> Path:
        target = folder / f"{duration_s:g}s-{name}"
        ffmpeg("-i", clips_dir / name, "-t", f"{duration_s:g}", "-map", "0:v", "-c", "copy", target, folder=folder)
        return target

    return cut
