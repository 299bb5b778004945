"""The networks of an analysis: from settings to verified files to networks that are ready to run."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from recognizer import weights
from recognizer.backends.choice import library_versions
from recognizer.backends.quickest import Backends
from recognizer.classifiers.i3d import state_dict_from_arrays
from recognizer.classifiers.network import load_classifier, resolve_device
from recognizer.detection import YoloDetector
from recognizer.settings import Settings
from recognizer.types import Classifier, Detector

_I3D_CONVERSION = "i3d-kinetics-400-1"
"""Name of the converted file; the last number changes with the conversion."""

_VERSIONED = ("torch", "torchvision", "ultralytics", "openvino", "av", "opencv-python")


@dataclass(frozen=True)
class Models:
    """A detector and a classifier, without any state of a stream.

    Attributes:
        detector: finds people.
        classifier: names clips.
        provenance: versions of the libraries and SHA-256 of the weights, for the export.
    """

    detector: Detector
    classifier: Classifier
    provenance: Mapping[str, str] = field(default_factory=dict)


def load_detector(settings: Settings, progress: weights.Progress | None = None) -> tuple[Detector, dict[str, str]]:
    """The detector of ``settings``, fetched where it is not here, and its provenance.

    Raises:
        WeightsError: its weights cannot be had.
        SettingsError: the device is not there.
    """
    path = weights.resolve(settings.model, progress=progress)
    device = resolve_device(settings.device)
    detector = YoloDetector(path, device, backends(settings))
    return detector, {
        "detector_sha256": weights.file_sha256(path),
        "detector_device": str(device),
        "detector_backend": detector.choice.way.name,
    }


def load_clip_classifier(
    settings: Settings, progress: weights.Progress | None = None
) -> tuple[Classifier, dict[str, str]]:
    """The classifier of ``settings``, published or a person's own, and its provenance.

    Raises:
        WeightsError: its weights cannot be had.
        CheckpointError: the person's checkpoint or labels do not fit.
        SettingsError: the device is not there.
    """
    name = settings.video_classifier_model
    if settings.checkpoint_path is not None and settings.labels_path is not None:
        path = Path(settings.checkpoint_path)
        classifier = load_classifier(
            name,
            checkpoint_path=path,
            labels_path=Path(settings.labels_path),
            device=settings.device,
            precision=settings.precision,
            backends=backends(settings),
        )
    else:
        path = weights.resolve(name, progress=progress)
        network_path = path
        if name == "i3d":
            network_path = weights.convert_once(
                path, lambda source: state_dict_from_arrays(weights.load_numpy_pickle(source)), _I3D_CONVERSION
            )
        classifier = load_classifier(
            name,
            weights_path=network_path,
            device=settings.device,
            precision=settings.precision,
            backends=backends(settings),
        )
    return classifier, {
        "classifier": classifier.name,
        "classifier_sha256": weights.file_sha256(path),
        "classifier_backend": classifier.choice.way.name,
    }


def backends(settings: Settings) -> Backends:
    """What runs the networks of ``settings``; what is measured and converted is kept in the cache."""
    return Backends(weights.cache_dir().parent / "backends", settings.backend, settings.precision)


def load_models(settings: Settings, progress: weights.Progress | None = None) -> Models:
    """Everything an analysis with ``settings`` needs. Raises as the two loaders do."""
    detector, detector_provenance = load_detector(settings, progress)
    classifier, classifier_provenance = load_clip_classifier(settings, progress)
    return join_models(detector, detector_provenance, classifier, classifier_provenance)


def join_models(
    detector: Detector,
    detector_provenance: Mapping[str, str],
    classifier: Classifier,
    classifier_provenance: Mapping[str, str],
) -> Models:
    """A pair of loaded networks with what is known of them."""
    return Models(detector, classifier, {**versions(), **detector_provenance, **classifier_provenance})


def versions() -> dict[str, str]:
    """Versions of Python and of the libraries that decide a result."""
    return {"python": platform.python_version(), **library_versions(_VERSIONED)}
