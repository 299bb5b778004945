"""Run a transformer's linear layers in int8, without a table: OpenVINO finds the ranges of their inputs as it runs.

Weights are rounded here, each output with a range of its own. OpenVINO rounds the inputs of such a layer (its "dynamic
quantization") if the processor has VNNI, in groups that have a range each.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from recognizer.networks.backends.openvino import UnavailableError, fold_constants, library, quick_floats
from recognizer.networks.backends.ways import Rewritten

VERSION = 1
"""Increase it when ``rewritten`` changes."""

_LEAST_INPUTS = 192
"""A layer of fewer inputs stays as it is: rounding takes longer than int8 saves (``mvit_v2_s``: 627 ms a clip, 667 with
the layers of 96 inputs)."""

_LARGEST = 127
"""Without -128, so that weights are symmetric around 0."""


def rewritten(model: Any) -> Rewritten:
    """Return a copy of a converted network whose linear layers, but for the last, have weights in int8.

    The last gives the scores and stays in float.

    Raises:
        UnavailableError: the network has no such layers.
    """
    copy = model.clone()
    fold_constants(copy)  # later, the rounded weights would be constants again
    all_but_last = [one for one in copy.get_ordered_ops() if _inputs(one)][:-1]
    layers = [one for one in all_but_last if _inputs(one) >= _LEAST_INPUTS]
    if not layers:
        raise UnavailableError("the network has no linear layers to run in int8")
    # groups that do not divide the inputs evenly are slower (swin3d_b: 145 ms with 192, 121 with 256), and one that is
    # wider than a layer leaves it in float (findings/openvino-dynamic-quantization-off-by-its-group.sh)
    group = math.gcd(*map(_inputs, layers))
    for takers in _by_input(layers).values():
        _move_gains(takers)
    for layer in layers:
        _round_weights(layer)
    copy.validate_nodes_and_infer_types()
    return Rewritten(copy, options={"DYNAMIC_QUANTIZATION_GROUP_SIZE": group, **quick_floats()})


def _inputs(node: Any) -> int:
    """Return how many inputs a linear layer with constant weights has; 0 for another operation."""
    if node.get_type_name() != "MatMul" or not node.get_attributes()["transpose_b"]:
        return 0
    weights = node.input_value(1)
    if weights.get_node().get_type_name() != "Constant" or len(weights.get_shape()) != 2:
        return 0
    return int(weights.get_shape()[1])


def _by_input(layers: Sequence[Any]) -> dict[tuple[str, int], list[Any]]:
    """Group layers by the output that they take: name of its operation, and its index."""
    found: dict[tuple[str, int], list[Any]] = {}
    for layer in layers:
        taken = layer.input_value(0)
        found.setdefault((taken.get_node().get_name(), taken.get_index()), []).append(layer)
    return found


def _move_gains(layers: Sequence[Any]) -> None:
    """Move what a normalization multiplies its channels by, and adds to them, into the layers that alone take it.

    Trained gains differ, and a range that holds a channel of a large one leaves few steps for the others: with gains
    whose logarithms are spread by 0.5, the scores of ``mvit_v2_s`` were off by 0.054 of their spread instead of 0.031.
    """
    values = layers[0].input_value(0)
    takers = {one.get_node().get_name() for one in values.get_target_inputs()}
    if takers != {layer.get_name() for layer in layers}:
        return
    plain, added = _without("Add", values)
    plain, gains = _without("Multiply", plain)
    if gains is None or plain.get_node().get_type_name() != "MVN":
        return
    operations, constant = library().opset13, library().op.Constant
    for layer in layers:
        weights = layer.input_value(1).get_node().get_data()
        outputs = layer.output(0).get_target_inputs()
        layer.input(0).replace_source_output(plain)
        layer.input(1).replace_source_output(constant(weights * gains).output(0))
        if added is not None:
            more = operations.add(layer.output(0), constant(weights @ added))
            for one in outputs:
                one.replace_source_output(more.output(0))


def _without(kind: str, values: Any) -> tuple[Any, Any]:
    """Return what an operation with one number for each channel takes, and these numbers; if it is none, ``None``."""
    node = values.get_node()
    if node.get_type_name() == kind:
        channels = values.get_shape()[-1]
        for k in (0, 1):
            numbers = node.input_value(k).get_node()
            if numbers.get_type_name() == "Constant" and numbers.get_data().size == channels:
                return node.input_value(1 - k), numbers.get_data().reshape(-1)
    return values, None


def _round_weights(layer: Any) -> None:
    weights = layer.input_value(1).get_node().get_data()
    step = np.abs(weights).max(axis=1, keepdims=True) / _LARGEST
    step[step == 0] = 1.0  # an output of zeros, which any range holds
    rounded = library().op.Constant(np.round(weights / step).astype(np.int8))
    operations = library().opset13
    back = operations.multiply(operations.convert(rounded, np.float32), library().op.Constant(step.astype(np.float32)))
    layer.input(1).replace_source_output(back.output(0))
