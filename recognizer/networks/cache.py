"""Loaded networks, kept and shared. Quick to import: what the networks need is imported when the first is loaded."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import TYPE_CHECKING, Generic, TypeVar

from recognizer.memory import exempt_from_collection
from recognizer.settings import Settings
from recognizer.types import Classifier, Detector

if TYPE_CHECKING:
    from recognizer import weights
    from recognizer.networks.loading import Models

_Network = TypeVar("_Network")


def networks_of(settings: Settings) -> tuple[Hashable, Hashable]:
    """What decides which detector and which classifier work; equal for settings that share both."""
    classifier = (
        settings.video_classifier_model,
        settings.device,
        settings.precision,
        settings.backend,
        settings.checkpoint_path,
        settings.labels_path,
        settings.calibrated,
    )
    return (settings.model, settings.device, settings.precision, settings.backend), classifier


class ModelCache:
    """Loaded networks, shared by everyone on this machine: each is loaded once, the least recently used goes first."""

    def __init__(self, max_classifiers: int = 3, max_detectors: int = 2) -> None:
        self._detectors: _Loaded[Detector] = _Loaded(max_detectors)
        self._classifiers: _Loaded[Classifier] = _Loaded(max_classifiers)

    def get(self, settings: Settings, progress: weights.Progress | None = None) -> Models:
        """The networks of ``settings``; loaded, and fetched, where that has not been done. Raises as the loaders do."""
        from recognizer.networks.loading import as_asked, join_models, load_clip_classifier, load_detector

        # one network serves with and without calibration
        detector_key, classifier_key = networks_of(replace(settings, calibrated=False))
        detector, detector_provenance = self._detectors.get(detector_key, lambda: load_detector(settings, progress))
        classifier, classifier_provenance = self._classifiers.get(
            classifier_key, lambda: load_clip_classifier(settings, progress)
        )
        return join_models(detector, detector_provenance, *as_asked(classifier, classifier_provenance, settings))


class _Loaded(Generic[_Network]):
    """A few networks by what they were made from. One is loaded at a time; those that are loaded do not wait."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._loaded: OrderedDict[Hashable, tuple[_Network, dict[str, str]]] = OrderedDict()
        self._lock = threading.Lock()
        self._loading = threading.Lock()

    def get(
        self, key: Hashable, load: Callable[[], tuple[_Network, dict[str, str]]]
    ) -> tuple[_Network, dict[str, str]]:
        if (found := self._find(key)) is not None:
            return found
        with self._loading:
            if (found := self._find(key)) is not None:
                return found
            loaded = load()
            exempt_from_collection()
            with self._lock:
                self._loaded[key] = loaded
                while len(self._loaded) > self._most:
                    self._loaded.popitem(last=False)
            return loaded

    def _find(self, key: Hashable) -> tuple[_Network, dict[str, str]] | None:
        with self._lock:
            if key not in self._loaded:
                return None
            self._loaded.move_to_end(key)
            return self._loaded[key]
