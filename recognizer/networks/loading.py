"""Load the networks of an analysis: settings to verified files to networks that are ready to run."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from recognizer import weights
from recognizer.classifier_specs import spec_of
from recognizer.networks.backends.autotune import Backends
from recognizer.networks.backends.choice_store import Choice, library_versions
from recognizer.networks.classifiers.i3d import state_dict_from_arrays
from recognizer.networks.classifiers.network import NetworkClassifier, load_classifier
from recognizer.networks.detector import YoloDetector
from recognizer.networks.devices import resolve_device
from recognizer.settings import Settings
from recognizer.types import Classifier, Detector

_I3D_CONVERSION = "i3d-kinetics-400-1"
"""Name of the converted file. Increase the last number when the conversion changes."""

_VERSIONED = ("torch", "torchvision", "ultralytics", "openvino", "av", "opencv-python")


@dataclass(frozen=True)
class Models:
    """A detector and a classifier, without the state of a stream.

    Attributes:
        detector: finds people.
        classifier: labels clips.
        provenance: versions of the libraries and SHA-256 of the weights, for exports.
    """

    detector: Detector
    classifier: Classifier
    provenance: Mapping[str, str] = field(default_factory=dict)


def load_detector(settings: Settings, progress: weights.Progress | None = None) -> tuple[Detector, dict[str, str]]:
    """Load the detector of ``settings``, downloading it if needed; return it with its provenance.

    Raises:
        WeightsError: its weights are not available.
        SettingsError: the device is not available.
    """
    path = weights.resolve(settings.model, progress=progress)
    detector = _detector(settings, path)
    return detector, {
        "detector_sha256": weights.verified_sha256(path),
        "detector_device": str(resolve_device(settings.device)),
        "detector_backend": detector.choice.way.name,
    }


def _detector(settings: Settings, path: Path) -> YoloDetector:
    return YoloDetector(path, resolve_device(settings.device), backends(settings))


def load_clip_classifier(
    settings: Settings, progress: weights.Progress | None = None
) -> tuple[Classifier, dict[str, str]]:
    """Load the classifier of ``settings``, published or a user's own; return it with its provenance.

    Raises:
        WeightsError: its weights are not available.
        CheckpointError: the user's checkpoint or labels do not fit.
        SettingsError: the device is not available.
    """
    path = _classifier_path(settings, progress)
    classifier = _classifier(settings, path)
    return classifier, {"classifier": classifier.name, "classifier_sha256": weights.verified_sha256(path)}


def _classifier_path(settings: Settings, progress: weights.Progress | None) -> Path:
    if settings.checkpoint_path is not None:
        return Path(settings.checkpoint_path)
    return weights.resolve(settings.video_classifier_model, progress=progress)


def _classifier(settings: Settings, path: Path) -> NetworkClassifier:
    name, own = settings.video_classifier_model, settings.labels_path is not None
    return load_classifier(
        name,
        weights_path=None if own else network_path(name, path),
        checkpoint_path=path if own else None,
        labels_path=Path(str(settings.labels_path)) if own else None,
        device=settings.device,
        precision=settings.precision,
        backends=backends(settings),
    )


def detector_choice(settings: Settings, progress: weights.Progress | None = None) -> Choice:
    """Return how the detector of ``settings`` runs on this machine. Raises the errors of ``load_detector``."""
    return _detector(settings, weights.resolve(settings.model, progress=progress)).choice


def classifier_choice(settings: Settings, progress: weights.Progress | None = None) -> Choice:
    """Return how the classifier of ``settings`` runs on this machine. Raises the errors of ``load_clip_classifier``."""
    return _classifier(settings, _classifier_path(settings, progress)).choice


def network_path(name: str, published: Path) -> Path:
    """Return the file to load the network from: the published one, converted if it cannot be loaded directly."""
    if name != "i3d":
        return published
    return weights.convert_once(
        published, lambda source: state_dict_from_arrays(weights.load_numpy_pickle(source)), _I3D_CONVERSION
    )


def networks_to_tune(settings: Settings) -> tuple[str, ...]:
    """Return the networks of ``settings`` that loading will measure first, which takes seconds.

    Raises:
        SettingsError: the device or the backend is not available.
    """
    device, name = resolve_device(settings.device), settings.video_classifier_model
    published = weights.local_path(name)
    classifier = None if published is None else network_path(name, published)
    if settings.checkpoint_path is not None:
        classifier = Path(settings.checkpoint_path)
    is_tuned = backends(settings).is_tuned
    return tuple(
        network
        for network, path in ((settings.model, weights.local_path(settings.model)), (name, classifier))
        if path is None or not path.is_file() or not is_tuned(network, weights.verified_sha256(path), device)
    )


def loading_message(settings: Settings) -> str:
    """Return a message for users who wait while the networks of ``settings`` are loaded."""
    new = networks_to_tune(settings)
    if not new:
        return "Loading the networks"
    run = "run" if len(new) > 1 else "runs"
    return f"Measuring once how {' and '.join(new)} {run} fastest on this machine, which takes up to a minute"


def backends(settings: Settings) -> Backends:
    """Return the backends of ``settings``; the cache holds measurements and converted networks."""
    return Backends(weights.cache_dir().parent / "backends", settings.backend, settings.precision)


def calibrated(
    classifier: Classifier, provenance: Mapping[str, str], settings: Settings
) -> tuple[Classifier, Mapping[str, str]]:
    """Return a loaded classifier, calibrated if ``settings`` asks for it, with its provenance. Loads nothing."""
    if not isinstance(classifier, NetworkClassifier):
        return classifier, provenance
    way = classifier.way_for(settings.num_video_sequence_samples)
    provenance = {**provenance, "classifier_backend": way.name}
    if not settings.calibrated or settings.checkpoint_path is not None:
        return classifier, provenance
    spec = spec_of(settings.video_classifier_model)
    added = {"classifier_evidence": str(spec.evidence.version)} if settings.asks_for_evidence else {}
    if spec.temperature is not None:
        added["classifier_temperature"] = f"{spec.temperature:g}"
    return classifier.calibrated(spec.temperature, spec.evidence), {**provenance, **added}


def load_models(settings: Settings, progress: weights.Progress | None = None) -> Models:
    """Load the networks of ``settings``. Raises the errors of both loaders."""
    detector, detector_provenance = load_detector(settings, progress)
    classifier = calibrated(*load_clip_classifier(settings, progress), settings)
    return join_models(detector, detector_provenance, *classifier)


def join_models(
    detector: Detector,
    detector_provenance: Mapping[str, str],
    classifier: Classifier,
    classifier_provenance: Mapping[str, str],
) -> Models:
    """Join a detector and a classifier with all provenance."""
    return Models(detector, classifier, {**versions(), **detector_provenance, **classifier_provenance})


def versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that affect results."""
    return {"python": platform.python_version(), **library_versions(_VERSIONED)}
