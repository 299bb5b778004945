"""Cache loaded networks and share them. Quick to import: the networks' libraries are imported by the first load."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import TYPE_CHECKING, Generic, TypeVar

from recognizer.memory import exempt_from_collection, without_collections
from recognizer.settings import Settings
from recognizer.types import Classifier, Detector

if TYPE_CHECKING:
    from recognizer import weights
    from recognizer.networks.loading import Models

_Network = TypeVar("_Network")


def network_keys(settings: Settings) -> tuple[Hashable, Hashable]:
    """Return a key for the detector and one for the classifier; equal for settings that share the network."""
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
    """Loaded networks, shared by everyone on this machine. Each is loaded once; the least recently used is evicted.

    Args:
        max_classifiers: how many stay loaded.
        max_detectors: how many stay loaded.
        give_way_by: lowers the priority of the threads that compute them, see ``processes.give_way``.
    """

    def __init__(self, max_classifiers: int = 3, max_detectors: int = 2, give_way_by: int = 0) -> None:
        self._give_way_by = give_way_by
        self._detectors: _LruCache[Detector] = _LruCache(max_detectors)
        self._classifiers: _LruCache[Classifier] = _LruCache(max_classifiers)

    def get(self, settings: Settings, progress: weights.Progress | None = None) -> Models:
        """Return the networks of ``settings``; download and load them if needed. Raises the loaders' errors."""
        with without_collections():  # which would take a sixth of the time: the libraries make many objects
            from recognizer.networks.backends import openvino
            from recognizer.networks.loading import calibrated, join_models, load_clip_classifier, load_detector

        openvino.give_way(self._give_way_by)
        # one network serves both with and without calibration
        detector_key, classifier_key = network_keys(replace(settings, calibrated=False))
        detector, detector_provenance = self._detectors.get(detector_key, lambda: load_detector(settings, progress))
        classifier, classifier_provenance = self._classifiers.get(
            classifier_key, lambda: load_clip_classifier(settings, progress)
        )
        return join_models(detector, detector_provenance, *calibrated(classifier, classifier_provenance, settings))


class _LruCache(Generic[_Network]):
    """A few networks with their provenance. Only one loads at a time; the others stay accessible."""

    def __init__(self, max_size: int) -> None:
        self._max_size = max_size
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
                while len(self._loaded) > self._max_size:
                    self._loaded.popitem(last=False)
            return loaded

    def _find(self, key: Hashable) -> tuple[_Network, dict[str, str]] | None:
        with self._lock:
            if key not in self._loaded:
                return None
            self._loaded.move_to_end(key)
            return self._loaded[key]
