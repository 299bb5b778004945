"""A network that names clips: loaded, on its device, behind the ``Classifier`` protocol."""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from recognizer.errors import CheckpointError, SettingsError, WeightsError
from recognizer.networks.backends.autotune import Backends, Quickest, Subject
from recognizer.networks.backends.choice import Choice, relative_difference
from recognizer.networks.backends.run_pytorch import PyTorchRunner
from recognizer.networks.backends.ways import REFERENCE, ways
from recognizer.networks.classifiers.checkpoint import fit, load_into, read_tensors
from recognizer.networks.classifiers.clip_input import Normalise, clip_pictures
from recognizer.networks.classifiers.halved_time import take_bare_samples
from recognizer.networks.classifiers.labels import read_labels
from recognizer.networks.classifiers.specs import ClassifierSpec, spec_of
from recognizer.settings import Settings
from recognizer.types import CROP_SIZE_PX, Clip, Prediction
from recognizer.weights import verified_sha256

TOP_LABELS = 5
"""How many labels a prediction keeps."""

CLOSE_CALL = 0.86
"""Where the second best label has more than this share of the best one's probability, a network that runs in fewer than
32 bits is asked again in float32. On 196 real clips of eight samples, I3D in bfloat16 named four otherwise than in
float32, with shares of 0.91 to 0.97; at 0.86 (scores 0.15 apart) one clip in six is asked again and none is left."""

BOUND = 0.05
"""A way of running a network is not chosen when its scores differ from PyTorch's in float32 by more than this share of
their own spread (root mean squares). Rounding to bfloat16 makes about 0.02 of difference."""

_HASH = re.compile("[0-9a-f]{64}")
_HASH_SHOWN_CHARS = 8

_INPUT_AXES = 5
"""Batch, time, height, width, colour."""

_MEASURED_SAMPLES = Settings.num_video_sequence_samples
_BLOB_PX = 32


class NetworkClassifier:
    """One network with its labels. Stateless but for the weights; several threads may call it: they take turns, and
    what they wait with goes through together where that gains (``backends``).

    Attributes:
        choice: how the network is run, and what was measured for it.

    Args:
        spec: what the network is fed.
        module: the network, with ``len(labels)`` outputs; it is moved to ``device`` and set to evaluate, and one layer
            of it may be replaced. Not used with ``quickest``.
        labels: in the order of the outputs.
        device: where it runs.
        precision: ``float32`` is the reference; ``auto`` is the same on a CPU and may use half precision on a GPU.
        name: what predictions are signed with; the network's name if None.
        quickest: runs the network, where that is not simply PyTorch on ``device``.
    """

    def __init__(
        self,
        spec: ClassifierSpec,
        module: nn.Module,
        labels: tuple[str, ...],
        device: torch.device | str = "cpu",
        precision: str = "auto",
        name: str | None = None,
        *,
        quickest: Quickest | None = None,
    ) -> None:
        self.spec = spec
        self.device = torch.device(device)
        self._name = name or spec.name
        self._labels = labels
        if quickest is None:
            way = ways(self.device, REFERENCE.library, precision)[0]
            runner = PyTorchRunner(_from_bytes(spec, module), _INPUT_AXES, self.device, way)
            quickest = Quickest(runner, None, Choice(way))
        self._temperature = 1.0
        self._runner, self._exact = quickest.runner, quickest.exact
        self.choice = quickest.choice

    @property
    def name(self) -> str:
        """What predictions are signed with."""
        return self._name

    @property
    def labels(self) -> tuple[str, ...]:
        """In the order of the network's outputs."""
        return self._labels

    def at_temperature(self, temperature: float) -> NetworkClassifier:
        """The same network, whose probabilities come from scores divided by ``temperature``; shares the weights."""
        other = copy.copy(self)
        other._temperature = temperature
        return other

    def logits(self, pictures: Tensor) -> Tensor:
        """Scores before the softmax, float32 (B, len(labels)) on the device.

        Args:
            pictures: uint8 (B, T, S, S, 3), as ``clip_pictures`` makes it, T as ``spec.frames_fed`` tells.
        """
        scores = self._runner(pictures)
        if self._exact is not None and len(self._labels) > 1:
            best = torch.softmax(scores, dim=1).topk(2, dim=1).values
            close = best[:, 1] > CLOSE_CALL * best[:, 0]
            if close.any():
                scores[close] = self._exact(pictures[close.cpu()])
        return scores

    def classify(self, clips: Sequence[Clip]) -> list[Prediction]:
        """One prediction a clip, in order. Clips of any number of samples; those of one network length share a pass."""
        by_length: dict[int, list[int]] = {}
        for index, clip in enumerate(clips):
            by_length.setdefault(self.spec.frames_fed(len(clip.rgb)), []).append(index)
        predictions: dict[int, Prediction] = {}
        for length, indices in by_length.items():
            batch_size = self._runner.most_at_once((length, *clips[indices[0]].rgb.shape[1:]))
            for start in range(0, len(indices), batch_size):
                batch = indices[start : start + batch_size]
                scores = self._scores([clips[index] for index in batch], length).double()
                probabilities = torch.softmax(scores / self._temperature, dim=1)
                best = probabilities.topk(min(TOP_LABELS, len(self._labels)), dim=1)
                for index, values, outputs in zip(batch, best.values.tolist(), best.indices.tolist(), strict=True):
                    predictions[index] = self._prediction(clips[index], values, outputs)
        return [predictions[index] for index in range(len(clips))]

    def _scores(self, clips: Sequence[Clip], length: int) -> Tensor:
        """Scores of each clip, float32 (B, len(labels)); the mean of crop and surroundings where it has both.

        The surroundings are shown mirrored, as half of the training clips of all networks were: what errs because of
        the side on which something is errs in one of the two only.
        """
        scores = self.logits(clip_pictures([clip.rgb for clip in clips], length))
        around = [k for k, clip in enumerate(clips) if clip.surroundings_rgb is not None]
        if around:
            pictures = [rgb for clip in clips if (rgb := clip.surroundings_rgb) is not None]
            mirrored = clip_pictures(pictures, length).flip(3)
            scores[around] = (scores[around] + self.logits(mirrored)) / 2
        return scores

    def _prediction(self, clip: Clip, probabilities: Sequence[float], outputs: Sequence[int]) -> Prediction:
        top = tuple((self._labels[k], p) for k, p in zip(outputs, probabilities, strict=True))
        return Prediction(clip.person_id, clip.start_s, clip.end_s, top, self._name)

    def warm_up(self, samples: int) -> None:
        """Run once on a grey clip of ``samples`` samples, also in the float32 that only close labels need: set up in
        the middle of a stream, that one takes a second and its memory when nobody expects it."""
        grey = np.full((samples, CROP_SIZE_PX, CROP_SIZE_PX, 3), 128, np.uint8)
        pictures = clip_pictures([grey], self.spec.frames_fed(samples))
        for runner in (self._runner, self._exact):
            if runner is not None:
                runner(pictures)


def resolve_device(device: str) -> torch.device:
    """``auto`` to a CUDA GPU where there is one, else the CPU; other names as they are.

    Raises:
        SettingsError: the device is not there.
    """
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if device == "auto":
        return torch.device("cuda" if available["cuda"] else "cpu")
    if device not in available:
        raise SettingsError(f"device is {device!r}; choose one of auto, {', '.join(available)}.")
    if not available[device]:
        there = ", ".join(name for name, is_there in available.items() if is_there)
        raise SettingsError(
            f"device is '{device}', which PyTorch does not find on this machine; choose auto or {there}."
        )
    return torch.device(device)


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
    """A classifier with its published weights, or with a person's own.

    Args:
        name: one of ``settings.CLASSIFIER_NAMES``.
        weights_path: the published file; for ``i3d`` its safetensors form (``i3d.state_dict_from_arrays``). Not needed
            with a checkpoint.
        checkpoint_path: a person's own weights for this network.
        labels_path: the labels that go with the checkpoint.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        precision: see ``NetworkClassifier``.
        backends: chooses what runs the network; PyTorch if None.

    Raises:
        SettingsError: an argument has a value that is not allowed here.
        CheckpointError: the checkpoint or the label file does not fit.
        WeightsError: the published file does not fit.
    """
    spec = spec_of(name)
    place = resolve_device(device)
    if checkpoint_path is not None or labels_path is not None:
        module, labels = _own_weights(spec, checkpoint_path, labels_path)
        path = Path(str(checkpoint_path))
        signed = f"{name}:{_readable(path.stem)}"
    elif weights_path is not None:
        module, labels = _published_weights(spec, weights_path), spec.labels
        path, signed = weights_path, name
    else:
        raise WeightsError(
            f"the weights of {name} are not given; fetch {spec.weights} or give a checkpoint of your own."
        )
    quickest = None if backends is None else backends.quickest(_subject(spec, module, path), place)
    return NetworkClassifier(spec, module, labels, place, precision, signed, quickest=quickest)


def _readable(stem: str) -> str:
    """Other names as they are; an upload is stored under its hash, of which the first digits tell it apart."""
    return stem[:_HASH_SHOWN_CHARS] if _HASH.fullmatch(stem) else stem


def _subject(spec: ClassifierSpec, module: nn.Module, weights_path: Path) -> Subject:
    """What is measured: one clip of moving blobs, nearer to pictures than noise is."""
    cells = CROP_SIZE_PX // _BLOB_PX
    coarse = np.random.default_rng(0).integers(0, 256, (_MEASURED_SAMPLES, cells, cells, 3), dtype=np.uint8)
    blobs = coarse.repeat(_BLOB_PX, axis=1).repeat(_BLOB_PX, axis=2)
    return Subject(
        name=spec.name,
        weights_sha256=verified_sha256(weights_path),
        module=_from_bytes(spec, module).eval(),
        example=clip_pictures([blobs], spec.frames_fed(_MEASURED_SAMPLES)),
        difference=relative_difference,
        bound=BOUND,
    )


def _from_bytes(spec: ClassifierSpec, network: nn.Module) -> nn.Module:
    """The network with its input's normalisation, from uint8 (B, T, S, S, 3)."""
    return nn.Sequential(Normalise(spec), take_bare_samples(network, spec))


def _own_weights(
    spec: ClassifierSpec, checkpoint_path: Path | None, labels_path: Path | None
) -> tuple[nn.Module, tuple[str, ...]]:
    if checkpoint_path is None:
        raise CheckpointError(f"the label file '{labels_path}' has no checkpoint to go with; give both.")
    if labels_path is None:
        raise CheckpointError(f"checkpoint '{checkpoint_path}' has no label file to go with; give one label a line.")
    labels = read_labels(labels_path)
    weights = fit(read_tensors(checkpoint_path), spec, checkpoint_path)
    if weights.num_classes != len(labels):
        raise CheckpointError(
            f"checkpoint '{checkpoint_path}' tells {weights.num_classes} classes apart but '{labels_path}' has "
            f"{len(labels)} labels; give one label for each class, in the order of the training."
        )
    module = spec.build(weights.num_classes)
    load_into(module, weights, spec.name, checkpoint_path)
    return module, labels


def _published_weights(spec: ClassifierSpec, path: Path) -> nn.Module:
    try:
        weights = fit(read_tensors(path), spec, path)
        if weights.num_classes != len(spec.labels):
            raise CheckpointError(f"it tells {weights.num_classes} classes apart")
        module = spec.build(weights.num_classes)
        load_into(module, weights, spec.name, path)
    except CheckpointError as error:
        raise WeightsError(
            f"'{path}' does not hold the published weights of {spec.name}; remove it and fetch {spec.weights} again."
        ) from error
    return module
