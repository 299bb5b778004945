"""Run a network's convolutions in int8: a table has the ranges of their inputs; their weights give their own.

Clips of about the recommended length take every convolution with a range in int8 (``int8``). Fewer samples average out
less of the rounding, so shorter clips take only the few convolutions with most of the work in int8 (``mixed``).

A table holds numbers only and belongs to one file of weights; ``benchmarks.quantize`` makes it. The network that is
quantized was converted from these weights on this machine; that takes nothing but OpenVINO.
"""

from __future__ import annotations

import hashlib
import logging
import math
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from recognizer.classifier_specs import SPECS
from recognizer.networks.backends import int8_linear
from recognizer.networks.backends.openvino import UnavailableError, fold_constants, library, quick_floats
from recognizer.networks.backends.ways import Rewritten, SpecialFormat, has_int8
from recognizer.networks.backends.windows import with_windows

_log = logging.getLogger(__name__)

PUBLISHED = Path(__file__).with_name("ranges")
"""Tables for published weights, by the name of the network."""

_VERSION = 2
"""Increase it when ``rewritten`` changes."""

_HEAVY_SHARE = 0.05
"""``mixed`` rounds convolutions with at least this share of the multiplications. In I3D, four of 58 have 74 % of them,
and little of the error (docs/decisions/117-mixed-precision-for-short-clips.md)."""

_INPUT_LEVELS = 256
_WEIGHT_LEVELS = 255
"""Without -128, so that weights are symmetric around 0."""

_SAME_VALUES = frozenset({"MaxPool", "Pad", "Concat", "Transpose", "Reshape"})
"""Operations that choose or move values, or add the zeros of a padding: rounding before them is rounding after them."""


class ConvolutionRange(msgspec.Struct, frozen=True):
    """The inputs of one convolution.

    Attributes:
        shape: of its weights: out, in, time, height, width; tells whether the table fits the network.
        largest: largest magnitude of an input; None for a convolution that stays in float.
        signed: whether inputs can be negative.
    """

    shape: tuple[int, ...]
    largest: float | None
    signed: bool = False

    def __post_init__(self) -> None:
        if self.largest is not None and not 0 < self.largest < float("inf"):
            raise ValueError(f"the largest input of a convolution is {self.largest}")


class Ranges(msgspec.Struct, frozen=True):
    """The inputs of a network's convolutions: the content of a table.

    Attributes:
        weights_sha256: of the file of weights that they belong to.
        frames: length of the clips that they were measured on.
        least_frames: of shorter clips, only the convolutions with most of the work run in int8.
        convolutions: in the order of the converted network.
    """

    weights_sha256: str
    frames: int
    least_frames: int
    convolutions: tuple[ConvolutionRange, ...]


def int8_formats(network: str, weights_sha256: str, own: Path) -> dict[str, SpecialFormat]:
    """Return the formats with int8 by their names, if this processor has it and there is a table for these weights.

    Transformers need no table. ``own``: see ``find_ranges``.
    """
    if not has_int8():
        return {}
    if network in SPECS and SPECS[network].is_transformer:
        return {"int8": SpecialFormat(int8_linear.rewritten, f"linear-{int8_linear.VERSION}")}
    ranges = find_ranges(network, weights_sha256, own)
    if ranges is None:
        return {}
    version = hashlib.sha256(msgspec.json.encode((_VERSION, ranges))).hexdigest()[:16]
    return {
        "mixed": SpecialFormat(partial(rewritten_where_heavy, ranges=ranges), version),
        "int8": SpecialFormat(partial(rewritten, ranges=ranges), version, ranges.least_frames),
    }


def find_ranges(network: str, weights_sha256: str, own: Path) -> Ranges | None:
    """Return the table for these weights, ours or a user's own in the folder ``own``; None if there is none."""
    for path in (PUBLISHED / f"{network}.json", own / f"{weights_sha256}.json"):
        try:
            ranges = msgspec.json.decode(path.read_bytes(), type=Ranges)
        except FileNotFoundError:
            continue
        except (OSError, msgspec.MsgspecError) as error:
            _log.warning("the ranges in '%s' cannot be read, so they are not used: %s", path, error)
            continue
        if ranges.weights_sha256 == weights_sha256:
            return ranges
    return None


def convolutions_of(model: Any) -> list[Any]:
    """Return the convolutions of a converted network, in its order."""
    return [one for one in model.get_ordered_ops() if one.get_type_name() == "Convolution"]


def sources(value: Any) -> Iterator[Any]:
    """Yield the outputs whose values, and zeros, an input consists of."""
    node = value.get_node()
    kind = node.get_type_name()
    if kind not in _SAME_VALUES:
        yield value
        return
    for k in range(node.get_input_size() if kind == "Concat" else 1):
        yield from sources(node.input_value(k))


def rewritten(model: Any, ranges: Ranges) -> Rewritten:
    """Return a copy of a converted network that rounds to int8, and is changed so that it is quick in int8.

    Raises:
        UnavailableError: the ranges are those of another network.
    """
    return with_windows(library(), quantized(model, ranges))


def rewritten_where_heavy(model: Any, ranges: Ranges) -> Rewritten:
    """Like ``rewritten``, but only convolutions with much of the work round to int8; bfloat16 does the rest.

    Raises:
        UnavailableError: the ranges are those of another network.
    """
    changed = with_windows(library(), quantized(model, ranges, _HEAVY_SHARE))
    return replace(changed, options=quick_floats())


def quantized(model: Any, ranges: Ranges, least_share: float = 0.0) -> Any:
    """Return a copy of a converted network that rounds to int8; OpenVINO then computes in int8 where that is faster.

    Args:
        model: ``openvino.Model`` for one shape; stays as it is.
        ranges: of its convolutions.
        least_share: convolutions with a smaller share of the multiplications stay in float.

    Raises:
        UnavailableError: the ranges are those of another network.
    """
    copy = model.clone()
    convolutions = convolutions_of(copy)
    shapes = [_without_time(tuple(one.input(1).get_shape())) for one in convolutions]
    if shapes != [_without_time(one.shape) for one in ranges.convolutions]:
        raise UnavailableError("the ranges for int8 are those of another network")
    # paddings follow from shapes, which are known; later, the rounded weights would be taken for constants as well
    fold_constants(copy)
    by_source: dict[tuple[str, int], tuple[Any, ConvolutionRange]] = {}
    work = [_multiplications(one) for one in convolutions]
    for convolution, inputs, of_one in zip(convolutions, ranges.convolutions, work, strict=True):
        if inputs.largest is None or of_one < least_share * sum(work):
            continue
        for source in sources(convolution.input_value(0)):
            key = source.get_node().get_name(), source.get_index()
            _, before = by_source.setdefault(key, (source, inputs))
            if (before.largest, before.signed) != (inputs.largest, inputs.signed):
                raise UnavailableError("the ranges for int8 give one value two ranges")
        _round_weights(convolution)
    for source, inputs in by_source.values():
        _round_values(source, inputs)
    copy.validate_nodes_and_infer_types()
    return copy


def _multiplications(convolution: Any) -> int:
    _, _, *places = (int(side) for side in convolution.get_output_shape(0))
    return math.prod(places) * math.prod(int(side) for side in convolution.input(1).get_shape())


def _without_time(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Leave out the kernel's length, which is another where samples repeat (``repeated_frames``)."""
    return shape[:2] + shape[3:]


def _round_values(source: Any, inputs: ConvolutionRange) -> None:
    high = float(inputs.largest or 0.0)
    low = -high * _INPUT_LEVELS / (_INPUT_LEVELS - 2) if inputs.signed else 0.0
    takers = [one for one in source.get_target_inputs() if one.get_node().get_type_name() != "ShapeOf"]
    rounded = _rounded(source, np.array([low], np.float32), np.array([high], np.float32), _INPUT_LEVELS)
    for taker in takers:
        taker.replace_source_output(rounded.output(0))


def _round_weights(convolution: Any) -> None:
    """Round weights to the int8 range of their output channel."""
    weights = convolution.input_value(1)
    values = np.abs(weights.get_node().get_data())
    high = values.max(axis=tuple(range(1, values.ndim)), keepdims=True)
    high[high == 0] = 1.0  # a channel of zeros, which any range holds
    convolution.input(1).replace_source_output(_rounded(weights, -high, high, _WEIGHT_LEVELS).output(0))


def _rounded(value: Any, low: Any, high: Any, levels: int) -> Any:
    ends = [library().op.Constant(end) for end in (low, high)]
    return library().opset13.fake_quantize(value, *ends, *ends, levels)
