"""Classify clips: a loaded network on its device, behind the ``Classifier`` protocol."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from recognizer.classifier_specs import ClassifierSpec, EvidenceWeights, spec_of
from recognizer.errors import CheckpointError, WeightsError
from recognizer.networks.backends.autotune import Backends, TunableNetwork, TunedNetwork
from recognizer.networks.backends.choice_store import Choice
from recognizer.networks.backends.pytorch import PyTorchRunner
from recognizer.networks.backends.runner import Runner
from recognizer.networks.backends.ways import REFERENCE, SpecialFormat, Way, ways
from recognizer.networks.bounds import CLASSIFIER_BOUND
from recognizer.networks.classifiers.architecture import build, rewritten
from recognizer.networks.classifiers.checkpoint import fit, load_into, read_tensors
from recognizer.networks.classifiers.checkpoint_process import own_weights
from recognizer.networks.classifiers.clip_input import Normalise, clip_pictures
from recognizer.networks.classifiers.features import difference_of_scores, hand_out_features, rounded_features
from recognizer.networks.classifiers.kinetics400 import KINETICS400_LABELS
from recognizer.networks.classifiers.labels import read_labels
from recognizer.networks.classifiers.naming import Naming, Views
from recognizer.networks.classifiers.repeated_frames import fold_repeated_frames
from recognizer.networks.devices import resolve_device
from recognizer.networks.once import Once
from recognizer.settings import Settings
from recognizer.types import CROP_SIZE_PX, Clip, Prediction
from recognizer.weights import check_unchanged, verified_sha256

_HASH = re.compile("[0-9a-f]{64}")
_HASH_SHOWN_CHARS = 8

_INPUT_AXES = 5
"""Batch, time, height, width, colour."""

_MEASURED_SAMPLES = Settings.num_video_sequence_samples
_BLOB_PX = 32


class NetworkClassifier:
    """One network with its labels. Stateless except for the weights; threads may share it (``backends.batching``).

    Attributes:
        choice: the way the network runs, and its measurements.

    Args:
        spec: describes the network's input.
        module: the network, with ``len(labels)`` outputs; it is moved to ``device`` and set to evaluation mode, and
            some of its layers are replaced. Not used with ``tuned``, where None will do.
        labels: in the order of the outputs.
        device: where it runs.
        precision: ``float32`` is the reference; ``auto`` is the same on a CPU and may use half precision on a GPU.
        name: stored as ``Prediction.classifier``; the network's name if None.
        tuned: runs the network; None means PyTorch on ``device``.
    """

    def __init__(
        self,
        spec: ClassifierSpec,
        module: nn.Module | None,
        labels: tuple[str, ...],
        device: torch.device | str = "cpu",
        precision: str = "auto",
        name: str | None = None,
        *,
        tuned: TunedNetwork | None = None,
    ) -> None:
        self.spec = spec
        self.device = torch.device(device)
        self._naming = Naming(name or spec.name, labels, spec.recommended_span_s)
        if tuned is None:
            if module is None:
                raise ValueError("a classifier needs a network")
            way = ways(self.device, REFERENCE.library, precision)[0]
            runner = PyTorchRunner(_from_bytes(spec, module), _INPUT_AXES, self.device, way)
            tuned = TunedNetwork(runner, None, Choice(way))
        self._tuned = tuned
        self._runner, self._exact = tuned.runner, tuned.exact
        self.choice = tuned.choice

    @property
    def name(self) -> str:
        """The name stored as ``Prediction.classifier``."""
        return self._naming.name

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, in the order of the network's outputs."""
        return self._naming.labels

    @property
    def runner(self) -> Runner:
        """Runs the network."""
        return self._runner

    def way_for(self, samples: int) -> Way:
        """Return how the network runs for clips of ``samples`` samples."""
        return self._tuned.way_for(self.spec.frames_fed(samples))

    def calibrated(self, temperature: float | None, evidence: EvidenceWeights | None) -> NetworkClassifier:
        """Return a classifier with the same network and calibrated probabilities.

        Its labels stay the same, but for close ones that only one of the two finds too unsure to run again.

        Args:
            temperature: divides the scores; None for 1.
            evidence: gives the best label of a clip with surroundings its probability; None leaves it to the scores.
        """
        other = copy.copy(self)
        other._naming = replace(self._naming, temperature=temperature or 1.0, evidence=evidence)
        return other

    def logits(self, pictures: Tensor) -> Tensor:
        """Return the scores before the softmax, float32 (B, len(labels)) on the device.

        Args:
            pictures: uint8 (B, T, S, S, 3) from ``clip_pictures``, with T from ``spec.frames_fed``.
        """
        return self._scores_and_features(pictures, self._runner)[0]

    def _scores_and_features(self, pictures: Tensor, runner: Runner) -> tuple[Tensor, Tensor]:
        """Return the scores, and the features and their change, float32 (B, len(labels)) and (B, 2 D)."""
        count = len(self.labels)
        outputs = runner(pictures)
        return outputs[:, :count], outputs[:, count:]

    def classify(self, clips: Sequence[Clip]) -> list[Prediction]:
        """Return one prediction per clip, in order, for clips of any length; batch those of equal network length."""
        by_length: dict[int, list[int]] = {}
        for index, clip in enumerate(clips):
            by_length.setdefault(self.spec.frames_fed(clip.length), []).append(index)
        predictions: dict[int, Prediction] = {}
        for length, indices in by_length.items():
            batch_size = self._runner.max_batch_size((length, *clips[indices[0]].shape[1:]))
            for start in range(0, len(indices), batch_size):
                batch = indices[start : start + batch_size]
                said = self._predictions([clips[index].stacked() for index in batch], length)
                predictions.update(zip(batch, said, strict=True))
        return [predictions[index] for index in range(len(clips))]

    def _predictions(self, clips: Sequence[Clip], length: int) -> list[Prediction]:
        """Classify one batch; close calls again in float32, so that their scores follow from their features."""
        views = self._views(clips, length, self._runner)
        predictions = self._naming.predictions(clips, views)
        if self._exact is not None and (close := list(self._naming.close_calls(clips, views))):
            asked = [clips[k] for k in close]
            again = self._naming.predictions(asked, self._views(asked, length, self._exact))
            for k, prediction in zip(close, again, strict=True):
                predictions[k] = prediction
        return predictions

    def _views(self, clips: Sequence[Clip], length: int, runner: Runner) -> Views:
        """Run the network on crops and surroundings.

        The surroundings are mirrored, as half of the training clips of all networks were: an error that depends on the
        side where something appears then affects only one of the two.
        """
        of_crop, features = self._scores_and_features(clip_pictures([clip.rgb for clip in clips], length), runner)
        of_surroundings, other_features = None, None
        around = [k for k, clip in enumerate(clips) if clip.surroundings_rgb is not None]
        if around:
            pictures = [rgb for clip in clips if (rgb := clip.surroundings_rgb) is not None]
            mirrored = clip_pictures(pictures, length).flip(3)
            of_surroundings, other_features = self._scores_and_features(mirrored, runner)
        kept = rounded_features(features, other_features, around) if features.shape[1] else [None] * len(clips)
        return Views(of_crop, of_surroundings, around, kept)

    def warm_up(self, samples: int) -> None:
        """Run once on a grey clip of ``samples`` samples.

        This leaves out the float32 runner, which takes up to 230 MB and is compiled when the first close call comes
        (docs/decisions/023-memory-of-a-stream.md).
        """
        grey = np.full((samples, CROP_SIZE_PX, CROP_SIZE_PX, 3), 128, np.uint8)
        self._runner(clip_pictures([grey], self.spec.frames_fed(samples)))


def load_classifier(
    name: str,
    *,
    weights_path: Path | None = None,
    checkpoint_path: Path | None = None,
    labels_path: Path | None = None,
    device: str = "auto",
    precision: str = "auto",
    backends: Backends | None = None,
) -> NetworkClassifier:
    """Load a classifier with its published weights, or with a user's own.

    Args:
        name: one of ``settings.CLASSIFIER_NAMES``.
        weights_path: the published file; for ``i3d`` its safetensors form (``i3d.state_dict_from_arrays``). Not needed
            with a checkpoint.
        checkpoint_path: a user's own weights for this network.
        labels_path: the labels of the checkpoint.
        device: see ``Settings``.
        precision: see ``NetworkClassifier``.
        backends: picks the fastest way to run the network; None means PyTorch.

    Raises:
        SettingsError: there is no such classifier, or the device is not available.
        CheckpointError: the checkpoint or the label file does not fit.
        WeightsError: the published file does not fit.
    """
    spec = spec_of(name)
    place = resolve_device(device)
    if checkpoint_path is not None or labels_path is not None:
        own, labels = _own_weights(spec, checkpoint_path, labels_path)
        module, path = Once(lambda: own), Path(str(checkpoint_path))
        shown_name = f"{name}:{_readable(path.stem)}"
    elif weights_path is not None:
        module, labels = _published_weights(spec, weights_path), KINETICS400_LABELS
        path, shown_name = weights_path, name
    else:
        raise WeightsError(
            f"the weights of {name} are not given; fetch {spec.weights.name} or give a checkpoint of your own."
        )
    if backends is None:
        return NetworkClassifier(spec, module(), labels, place, precision, shown_name)
    special = backends.special_formats(name, verified_sha256(path), place)
    tuned = backends.tune(_tunable(spec, module, path, len(labels), special), place)
    return NetworkClassifier(spec, None, labels, place, precision, shown_name, tuned=tuned)


def _readable(stem: str) -> str:
    """Shorten the hash in the name of a stored upload; return other names unchanged."""
    return stem[:_HASH_SHOWN_CHARS] if _HASH.fullmatch(stem) else stem


def _tunable(
    spec: ClassifierSpec,
    module: Once[nn.Module],
    weights_path: Path,
    label_count: int,
    special: Mapping[str, SpecialFormat],
) -> TunableNetwork:
    # some special formats are for clips of about the recommended length
    is_for_long = any(one.least_length for one in special.values())
    samples = spec.recommended_samples if is_for_long else _MEASURED_SAMPLES
    # measured on moving blobs, which resemble pictures more than noise does
    cells = CROP_SIZE_PX // _BLOB_PX
    coarse = np.random.default_rng(0).integers(0, 256, (samples, cells, cells, 3), dtype=np.uint8)
    blobs = coarse.repeat(_BLOB_PX, axis=1).repeat(_BLOB_PX, axis=2)
    return TunableNetwork(
        name=spec.name,
        weights_sha256=verified_sha256(weights_path),
        module=Once(lambda: _from_bytes(spec, module()).eval()),
        example=clip_pictures([blobs], spec.frames_fed(samples)),
        difference=difference_of_scores(label_count),
        bound=CLASSIFIER_BOUND,
        special=special,
        shared_length=spec.length.minimum if spec.same_at_any_length else None,
    )


def _from_bytes(spec: ClassifierSpec, network: nn.Module) -> nn.Module:
    """Prepend the normalization and return features with the scores: uint8 (B, T, S, S, 3) to (B, labels + 2 D)."""
    quick = fold_repeated_frames(rewritten(network, spec), spec)
    return nn.Sequential(Normalise(spec), hand_out_features(quick, spec))


def _own_weights(
    spec: ClassifierSpec, checkpoint_path: Path | None, labels_path: Path | None
) -> tuple[nn.Module, tuple[str, ...]]:
    if checkpoint_path is None:
        raise CheckpointError(f"the label file '{labels_path}' has no checkpoint to go with; give both.")
    if labels_path is None:
        raise CheckpointError(f"checkpoint '{checkpoint_path}' has no label file to go with; give one label a line.")
    labels = read_labels(labels_path)
    weights = own_weights(checkpoint_path, spec)
    if weights.num_classes != len(labels):
        raise CheckpointError(
            f"checkpoint '{checkpoint_path}' has {weights.num_classes} classes but '{labels_path}' has "
            f"{len(labels)} labels; give one label for each class, in the order of the training."
        )
    module = build(spec, weights.num_classes)
    load_into(module, weights, spec.name, checkpoint_path)
    return module, labels


def _published_weights(spec: ClassifierSpec, path: Path) -> Once[nn.Module]:
    """Return the network with its published weights, which are read when it is first needed.

    That may be long after loading, or never: a converted network does without. What is read then must be the file
    that was verified and named in the provenance.
    """
    sha256 = verified_sha256(path)

    def read() -> nn.Module:
        check_unchanged(path, sha256)
        return _read_published(spec, path)

    return Once(read)


def _read_published(spec: ClassifierSpec, path: Path) -> nn.Module:
    try:
        weights = fit(read_tensors(path), spec, path)
        if weights.num_classes != len(KINETICS400_LABELS):
            raise CheckpointError(f"it has {weights.num_classes} classes")
        module = build(spec, weights.num_classes)
        load_into(module, weights, spec.name, path)
    except CheckpointError as error:
        raise WeightsError(
            f"'{path}' does not hold the published weights of {spec.name}; "
            f"remove it and fetch {spec.weights.name} again."
        ) from error
    return module
