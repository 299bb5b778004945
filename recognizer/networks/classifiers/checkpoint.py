"""Load weights from a file into a network, without executing anything in the file."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from recognizer.classifier_specs import SPECS, ClassifierSpec
from recognizer.errors import CheckpointError
from recognizer.networks.classifiers.architecture import build
from recognizer.networks.classifiers.checkpoint_claims import (
    SAVE_STATE_DICT,
    NamedError,
    check_safetensors,
    check_size,
    check_torch_archive,
    check_torch_legacy,
)

_WRAPPERS = ("state_dict", "model_state_dict", "model_state", "model", "net", "network")
"""Training scripts that save more than the weights store the weights under one of these names."""

_MAX_WRAPPERS = 4
"""Deeper than any script nests; also stops at a file whose wrapper contains itself."""

_PREFIXES = ("module.", "model.", "_orig_mod.", "net.", "network.", "backbone.")
"""Data-parallel, compiled and wrapped networks put one of these before every name."""

_COUNTER = "num_batches_tracked"
"""Batch normalisation's counter: missing in old files, and unused for inference."""

_ZIP_MAGIC = b"PK\x03\x04"
_PICKLE_MAGIC = b"\x80"
_SAFETENSORS_MAGIC = b"\0\0\0{"  # from byte 5: the end of the header's length, and the header


@dataclass(frozen=True)
class FittedWeights:
    """Weights that fit one network.

    Attributes:
        state_dict: every entry of the network's state dict, float32 (counters int64), on the CPU.
        num_classes: outputs of its last layer.
    """

    state_dict: dict[str, Tensor]
    num_classes: int


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Return the named tensors of a ``.pth``-like or safetensors file, on the CPU, without training scripts' wrappers.

    Nothing in the file is executed: torch's restricted reader reads pickles.

    Raises:
        CheckpointError: the file cannot be read, holds more than weights, or holds none.
        LimitError: the file is larger than a checkpoint may be.
    """
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except OSError as error:
        raise CheckpointError(f"checkpoint '{path}' cannot be read ({error.strerror}); give a file's path.") from error
    check_size(path)
    content = _read_safetensors(path) if start[5:9] == _SAFETENSORS_MAGIC else _read_torch(path, start)
    tensors = _unwrap(content)
    if not tensors:
        raise CheckpointError(f"checkpoint '{path}' holds no weights; {SAVE_STATE_DICT}.")
    return _strip_prefixes(tensors)


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        check_safetensors(path)
        return safetensors.torch.load_file(path, device="cpu")
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(
            f"checkpoint '{path}' begins like a safetensors file but cannot be read; copy or download it again."
        ) from error


def _read_torch(path: Path, start: bytes) -> Any:
    not_one = CheckpointError(
        f"'{path}' is not a PyTorch or safetensors checkpoint, or is damaged; copy it again or {SAVE_STATE_DICT}."
    )
    if not start.startswith((_ZIP_MAGIC, _PICKLE_MAGIC)):
        raise not_one
    try:
        (check_torch_archive if start.startswith(_ZIP_MAGIC) else check_torch_legacy)(path)
        with warnings.catch_warnings():
            # warns about pickle protocols other than torch's own, which either load or fail below
            warnings.simplefilter("ignore", UserWarning)
            return torch.load(path, map_location="cpu", weights_only=True)
    except CheckpointError:
        raise
    except NamedError as error:
        raise CheckpointError(
            f"checkpoint '{path}' holds more than weights (it names '{error.name}'), and reading that could run code; "
            f"{SAVE_STATE_DICT}."
        ) from error
    except Exception as error:  # a malformed pickle can raise anything; the file is then not a checkpoint
        raise not_one from error


def _unwrap(content: Any) -> dict[str, Tensor]:
    for _ in range(_MAX_WRAPPERS):
        if not isinstance(content, Mapping):
            break
        tensors = {key: value for key, value in content.items() if isinstance(key, str) and isinstance(value, Tensor)}
        inner = next((content[key] for key in _WRAPPERS if isinstance(content.get(key), Mapping)), None)
        if inner is None:
            return tensors
        content = inner
    return {}


def _strip_prefixes(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    while True:
        prefix = next((p for p in _PREFIXES if all(key.startswith(p) for key in tensors)), None)
        if prefix is None:
            return tensors
        tensors = {key.removeprefix(prefix): value for key, value in tensors.items()}


Signature = dict[str, tuple[int, ...]]


@cache
def _signature(name: str) -> Signature:
    """Return names and shapes of a network's weights without allocating them."""
    with torch.device("meta"):
        return {key: tuple(value.shape) for key, value in build(SPECS[name], 400).state_dict().items()}


def _body(spec: ClassifierSpec) -> Signature:
    """Return all weights except the counters and the last layer, which depends on the labels."""
    return {
        key: shape
        for key, shape in _signature(spec.name).items()
        if not key.startswith(f"{spec.head}.") and not key.endswith(_COUNTER)
    }


def _misfits(tensors: Mapping[str, Tensor], spec: ClassifierSpec) -> Iterator[str]:
    """Describe every weight of the network's body that is missing in the file or has another shape."""
    for key, shape in _body(spec).items():
        if key not in tensors:
            yield f"'{key}' is missing"
        elif tuple(tensors[key].shape) != shape:
            yield f"'{key}' is {_sized(tuple(tensors[key].shape))}, not {_sized(shape)}"


def _sized(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) if shape else "a single number"


def fit(tensors: Mapping[str, Tensor], spec: ClassifierSpec, path: Path) -> FittedWeights:
    """Return the weights in ``tensors`` in the form of ``spec``'s network.

    The shape of the last layer gives the number of classes. That layer may have another name (if fine-tuning replaced
    it), may be linear instead of a 1 x 1 x 1 convolution, and may lack a bias.

    Args:
        tensors: from ``read_tensors``.
        spec: the network.
        path: their file, for messages.

    Raises:
        CheckpointError: a weight is missing, has another shape, or holds a value that is not finite; the message names
            the network that fits, if there is one.
    """
    misfits = list(_misfits(tensors, spec))
    if misfits or len(_outside_body(tensors, spec)) > 2:
        # a larger network of the same family can contain a small one, so take the largest that fits
        fitting = [other for other in SPECS.values() if not any(_misfits(tensors, other))]
        meant = max(fitting, key=lambda other: len(_body(other)), default=None)
        if meant is not None and meant.name != spec.name:
            raise CheckpointError(f"checkpoint '{path}' is for {meant.name}, not for {spec.name}; choose {meant.name}.")
    if misfits:
        more = f" and {len(misfits) - 1} more differ" if len(misfits) > 1 else ""
        raise CheckpointError(
            f"checkpoint '{path}' fits neither {spec.name} nor any other classifier here: for {spec.name}, "
            f"{misfits[0]}{more}; give one that was fine-tuned from a classifier of this program."
        )
    weight, bias = _head(tensors, spec, path)
    chosen: dict[str, Tensor] = {key: tensors[key] for key in _body(spec)}
    chosen[f"{spec.head}.weight"], chosen[f"{spec.head}.bias"] = weight, bias
    state = {key: _checked(key, value, path) for key, value in chosen.items()}
    for key in _signature(spec.name):
        if key.endswith(_COUNTER):
            state[key] = torch.zeros((), dtype=torch.int64)
    return FittedWeights(state, num_classes=weight.shape[0])


def _outside_body(tensors: Mapping[str, Tensor], spec: ClassifierSpec) -> dict[str, Tensor]:
    """Return the tensors outside the network's body: its last layer, if the file fits."""
    body = _body(spec)
    return {key: value for key, value in tensors.items() if key not in body and not key.endswith(_COUNTER)}


def _head(tensors: Mapping[str, Tensor], spec: ClassifierSpec, path: Path) -> tuple[Tensor, Tensor]:
    """Return weight and bias of the last layer, in the network's own shape."""
    left = _outside_body(tensors, spec)
    weights = [key for key in left if key.endswith("weight")]
    if len(weights) != 1:
        found = ", ".join(f"'{key}'" for key in sorted(left)[:4]) or "nothing"
        raise CheckpointError(
            f"checkpoint '{path}' fits {spec.name} except for its last layer: expected one weight, found {found}; "
            "give one whose last layer is a single linear layer."
        )
    weight = left.pop(weights[0])
    bias = left.pop(weights[0].removesuffix("weight") + "bias", None)
    _, *inputs = _signature(spec.name)[f"{spec.head}.weight"]
    outputs, *has_inputs = weight.shape or (0,)
    fits = outputs > 0 and has_inputs in (inputs, inputs[:1])
    if not fits or (bias is not None and tuple(bias.shape) != (outputs,)) or left:
        odd = min(left) if left else weights[0]
        shape = _sized(tuple(tensors[odd].shape))
        raise CheckpointError(
            f"checkpoint '{path}' fits {spec.name} except for its last layer: '{odd}' is {shape}; "
            f"give one whose last layer is a single linear layer from {inputs[0]} inputs."
        )
    if bias is None:
        bias = torch.zeros(outputs)
    return _checked(weights[0], weight, path).reshape(outputs, *inputs), bias


def _checked(key: str, value: Tensor, path: Path) -> Tensor:
    if value.layout != torch.strided or value.is_quantized or value.is_complex() or value.is_meta:
        raise CheckpointError(f"checkpoint '{path}' holds '{key}' in a special format; save it as plain float32.")
    if not value.is_floating_point():
        return value
    value = value.detach().to(torch.float32)
    if not bool(torch.isfinite(value).all()):
        raise CheckpointError(f"checkpoint '{path}' has values in '{key}' that are not finite; train or save it again.")
    return value


def load_into(module: torch.nn.Module, weights: FittedWeights, name: str, path: Path) -> None:
    """Load fitted weights into a network that ``architecture.build`` made for ``weights.num_classes``.

    Raises:
        CheckpointError: a table of indices differs from the network's own; using it could read outside a tensor.
    """
    for key, own in module.state_dict().items():
        fixed = not own.is_floating_point() and not key.endswith(_COUNTER)
        if fixed and not torch.equal(own, weights.state_dict[key].to(own.dtype)):
            raise CheckpointError(
                f"checkpoint '{path}' has another table '{key}' than {name}; give one with the published window size."
            )
    module.load_state_dict(weights.state_dict)
