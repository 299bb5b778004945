"""Loaded networks are shared, each is loaded once, and the least recently used is evicted."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from recognizer import memory
from recognizer.errors import WeightsError
from recognizer.networks import loading
from recognizer.networks.cache import ModelCache
from recognizer.settings import Settings
from tests.support.fakes import ScriptedClassifier, ScriptedDetector, always
from tests.support.waiting import WAIT_S


class Loaders:
    """Replaces the two loaders and records what they load."""

    def __init__(self) -> None:
        self.detectors: list[str] = []
        self.classifiers: list[Settings] = []
        self.hold: threading.Event | None = None
        self.holding = threading.Event()
        self.error: Exception | None = None

    def load_detector(self, settings: Settings, progress: Any = None) -> tuple[ScriptedDetector, dict[str, str]]:
        self.detectors.append(settings.model)
        return ScriptedDetector(always()), {"detector_sha256": settings.model}

    def load_clip_classifier(
        self, settings: Settings, progress: Any = None
    ) -> tuple[ScriptedClassifier, dict[str, str]]:
        if self.error is not None:
            raise self.error
        self.classifiers.append(settings)
        if self.hold is not None and settings.video_classifier_model == "r3d_18":
            self.holding.set()
            self.hold.wait(WAIT_S)
        if progress is not None:
            progress(settings.video_classifier_model, 1, 2)
        return ScriptedClassifier(), {"classifier": settings.video_classifier_model}


@pytest.fixture
def loaders(monkeypatch: pytest.MonkeyPatch) -> Loaders:
    fake = Loaders()
    monkeypatch.setattr(loading, "load_detector", fake.load_detector)
    monkeypatch.setattr(loading, "load_clip_classifier", fake.load_clip_classifier)
    return fake


I3D = Settings(video_classifier_model="i3d")


def test_networks_are_loaded_once_whatever_else_changes(loaders: Loaders) -> None:
    cache = ModelCache()
    first = cache.get(I3D)
    again = cache.get(replace(I3D, crop_margin_percentage=50, num_video_sequence_samples=32, skip_frame=5, overlap=0.5))
    assert first.detector is again.detector
    assert first.classifier is again.classifier
    assert loaders.detectors == ["yolo26n.pt"]
    assert len(loaders.classifiers) == 1


def test_models_state_their_provenance(loaders: Loaders) -> None:
    provenance = ModelCache().get(I3D).provenance
    assert provenance["classifier"] == "i3d"
    assert provenance["detector_sha256"] == "yolo26n.pt"
    assert {"torch", "ultralytics", "python"} <= provenance.keys()


@pytest.mark.parametrize(
    "other",
    [
        replace(I3D, video_classifier_model="s3d"),
        replace(I3D, device="cpu"),
        replace(I3D, precision="float32"),
        replace(I3D, checkpoint_path="a.pt", labels_path="a.txt"),
    ],
)
def test_settings_that_change_the_classifier_load_another_one(loaders: Loaders, other: Settings) -> None:
    cache = ModelCache()
    assert cache.get(I3D).classifier is not cache.get(other).classifier
    assert loaders.classifiers == [I3D, other]


def test_detector_is_shared_by_different_classifiers(loaders: Loaders) -> None:
    cache = ModelCache()
    assert cache.get(I3D).detector is cache.get(replace(I3D, video_classifier_model="s3d")).detector
    assert loaders.detectors == ["yolo26n.pt"]


def test_least_recently_used_classifier_is_evicted(loaders: Loaders) -> None:
    cache = ModelCache(max_classifiers=2)

    def use(name: str) -> None:
        cache.get(Settings(video_classifier_model=name))

    for name in ("i3d", "s3d", "i3d", "r3d_18", "i3d"):
        use(name)
    assert [one.video_classifier_model for one in loaders.classifiers] == ["i3d", "s3d", "r3d_18"]
    use("s3d")
    assert [one.video_classifier_model for one in loaders.classifiers][-1] == "s3d"
    assert len(loaders.classifiers) == 4


def test_simultaneous_requests_wait_for_one_load(loaders: Loaders) -> None:
    cache = ModelCache()
    loaders.hold = threading.Event()
    wanted = Settings(video_classifier_model="r3d_18")
    got: list[object] = []
    threads = [threading.Thread(target=lambda: got.append(cache.get(wanted).classifier)) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert loaders.holding.wait(WAIT_S)
    loaders.hold.set()
    for thread in threads:
        thread.join()
    assert len(got) == 4
    assert len(set(map(id, got))) == 1
    assert len(loaders.classifiers) == 1


def test_loaded_network_is_available_while_another_loads(loaders: Loaders) -> None:
    cache = ModelCache()
    cache.get(I3D)
    loaders.hold = threading.Event()
    slow = threading.Thread(target=lambda: cache.get(Settings(video_classifier_model="r3d_18")))
    slow.start()
    assert loaders.holding.wait(WAIT_S)
    found = threading.Event()

    def get_loaded() -> None:
        cache.get(I3D)
        found.set()

    threading.Thread(target=get_loaded, daemon=True).start()
    assert found.wait(WAIT_S)
    loaders.hold.set()
    slow.join()


def test_failed_load_is_reported_and_tried_again_the_next_time(loaders: Loaders) -> None:
    cache = ModelCache()
    loaders.error = WeightsError("the weights of i3d are not available; put them there.")
    with pytest.raises(WeightsError, match="are not available"):
        cache.get(I3D)
    loaders.error = None
    assert cache.get(I3D).classifier.name == "scripted"


def test_progress_of_a_download_reaches_the_caller(loaders: Loaders) -> None:
    reported: list[tuple[str, int, int | None]] = []
    ModelCache().get(I3D, lambda name, done_bytes, total_bytes: reported.append((name, done_bytes, total_bytes)))
    assert reported == [("i3d", 1, 2)]


@pytest.fixture
def exempting(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(memory, "gc", gc)
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("exempting")
def test_loaded_networks_are_exempt_from_garbage_collection(loaders: Loaders, monkeypatch: pytest.MonkeyPatch) -> None:
    """Regression: with networks loaded, each full collection stopped all pages for a tenth of a second."""
    cache = ModelCache()
    cache.get(Settings())
    assert gc.get_freeze_count() > len(gc.get_objects())
    looks: list[str] = []
    steps = {name: partial(looks.append, name) for name in ("unfreeze", "collect", "freeze")}
    switches = {"isenabled": gc.isenabled, "disable": gc.disable, "enable": gc.enable}
    monkeypatch.setattr(memory, "gc", SimpleNamespace(**steps, **switches))
    cache.get(Settings())
    assert looks == [], "nothing was loaded, so nothing is looked through"
