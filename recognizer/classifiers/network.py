"""A network that names clips: loaded, on its device, behind the ``Classifier`` protocol."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from recognizer.classifiers.catalogue import ClassifierSpec, spec_of
from recognizer.classifiers.checkpoint import fit, load_into, read_tensors
from recognizer.classifiers.clip_input import network_input
from recognizer.classifiers.labels import read_labels
from recognizer.errors import CheckpointError, SettingsError, WeightsError
from recognizer.settings import PRECISION_NAMES
from recognizer.types import CROP_SIZE_PX, Clip, Prediction

TOP_LABELS = 5
"""How many labels a prediction keeps."""

_MAX_BATCH_CLIPS = 8
_MAX_BATCH_FRAMES = {"cpu": 128, "mps": 128, "cuda": 512}
"""Bounds the memory of one pass; a bigger batch gains nothing on a CPU."""


class NetworkClassifier:
    """One network with its labels. Stateless but for the weights; several threads may call it, one pass runs at a time.

    Args:
        spec: what the network is fed.
        module: the network, with ``len(labels)`` outputs; it is moved to ``device`` and set to evaluate.
        labels: in the order of the outputs.
        device: where it runs.
        precision: ``float32`` is the reference; ``auto`` is the same on a CPU and may use half precision on a GPU.
        name: what predictions are signed with; the network's name if None.
    """

    def __init__(
        self,
        spec: ClassifierSpec,
        module: nn.Module,
        labels: tuple[str, ...],
        device: torch.device | str = "cpu",
        precision: str = "auto",
        name: str | None = None,
    ) -> None:
        if precision not in PRECISION_NAMES:
            raise SettingsError(f"precision is {precision!r}; choose one of {', '.join(PRECISION_NAMES)}.")
        self.spec = spec
        self.device = torch.device(device)
        self.precision = precision
        self._name = name or spec.name
        self._labels = labels
        self._module = module.to(self.device).eval()
        if self.device.type == "cpu":
            # the layout that the convolutions are fastest in; the input already comes in it
            self._module.to(memory_format=torch.channels_last_3d)
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """What predictions are signed with."""
        return self._name

    @property
    def labels(self) -> tuple[str, ...]:
        """In the order of the network's outputs."""
        return self._labels

    def logits(self, network_clips: Tensor) -> Tensor:
        """Scores before the softmax, float32 (B, len(labels)) on the device.

        Args:
            network_clips: float32 (B, 3, T, S, S), as ``network_input`` makes it.
        """
        with self._lock, torch.inference_mode(), self._number_format():
            scores: Tensor = self._module(network_clips.to(self.device))
        return scores.float()

    @contextmanager
    def _number_format(self) -> Iterator[None]:
        with ExitStack() as stack:
            if self.device.type == "cuda":
                if self.precision == "auto":
                    stack.enter_context(torch.autocast("cuda", dtype=torch.float16))
                else:
                    # cuDNN's default rounds float32 to ten bits of fraction
                    stack.enter_context(torch.backends.cudnn.flags(enabled=True, allow_tf32=False))
            yield

    def classify(self, clips: Sequence[Clip]) -> list[Prediction]:
        """One prediction a clip, in order. Clips of any number of samples; those of one network length share a pass."""
        by_length: dict[int, list[int]] = {}
        for index, clip in enumerate(clips):
            by_length.setdefault(self.spec.length.network_length(len(clip.rgb)), []).append(index)
        predictions: dict[int, Prediction] = {}
        for length, indices in by_length.items():
            batch_size = self._batch_size(length)
            for start in range(0, len(indices), batch_size):
                batch = indices[start : start + batch_size]
                x = network_input([clips[index].rgb for index in batch], self.spec, length, self.device)
                probabilities = torch.softmax(self.logits(x).double(), dim=1)
                best = probabilities.topk(min(TOP_LABELS, len(self._labels)), dim=1)
                for index, values, outputs in zip(batch, best.values.tolist(), best.indices.tolist(), strict=True):
                    predictions[index] = self._prediction(clips[index], values, outputs)
        return [predictions[index] for index in range(len(clips))]

    def _batch_size(self, length: int) -> int:
        return max(1, min(_MAX_BATCH_CLIPS, _MAX_BATCH_FRAMES[self.device.type] // length))

    def _prediction(self, clip: Clip, probabilities: Sequence[float], outputs: Sequence[int]) -> Prediction:
        top = tuple((self._labels[k], p) for k, p in zip(outputs, probabilities, strict=True))
        return Prediction(clip.person_id, clip.start_s, clip.end_s, top, self._name)

    def warm_up(self, samples: int) -> None:
        """Run once on a grey clip of ``samples`` samples, so that the first real clip does not wait for set-up."""
        grey = np.full((samples, CROP_SIZE_PX, CROP_SIZE_PX, 3), 128, np.uint8)
        self.classify([Clip(person_id=1, start_s=0.0, end_s=1.0, rgb=grey)])


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

    Raises:
        SettingsError: an argument has a value that is not allowed here.
        CheckpointError: the checkpoint or the label file does not fit.
        WeightsError: the published file does not fit.
    """
    spec = spec_of(name)
    place = resolve_device(device)
    if checkpoint_path is not None or labels_path is not None:
        module, labels = _own_weights(spec, checkpoint_path, labels_path)
        signed = f"{name}:{Path(str(checkpoint_path)).stem}"
        return NetworkClassifier(spec, module, labels, place, precision, signed)
    if weights_path is None:
        raise WeightsError(
            f"the weights of {name} are not given; fetch {spec.weights} or give a checkpoint of your own."
        )
    return NetworkClassifier(spec, _published_weights(spec, weights_path), spec.labels, place, precision)


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
