"""Show a network's first convolution windows of a row as channels, instead of three colours.

Kernels for int8 add up four channels at a time and take each tap by itself. With three colours they reach two thirds of
what the processor can do, and with the 24 bytes of eight pixels all of it; most of these bytes count anyway, since
such a convolution is seven pixels wide. A window is 24 bytes in a row of the picture, so making them is one copy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognizer.networks.backends.ways import Rewritten

_COLOURS = 3
_WINDOW_PX = 8
_STEP_PX = 2
_CONSTANTS = {"Subtract": (1,), "Multiply": (1,), "Transpose": (1,), "Pad": (1, 2, 3)}
"""Inputs that must be constants."""

_CHAIN = ("Convert", "Subtract", "Multiply", "FakeQuantize", "Transpose", "Pad", "Convolution")
"""What happens to a picture up to the first convolution; without ``FakeQuantize`` where nothing is rounded."""


@dataclass(frozen=True)
class Windows:
    """Cuts pictures into windows, each two pixels after the one before it.

    Attributes:
        before_px: black pixels before the first of a row; those after the last follow from it.
    """

    before_px: int

    def __call__(self, pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Map uint8 (1, T, H, W, 3) to (1, T, H, W / 2, 24)."""
        _, length, height, width, colours = pictures.shape
        wide = np.zeros((length, height, width + _WINDOW_PX - _STEP_PX, colours), np.uint8)
        wide[:, :, self.before_px : self.before_px + width] = pictures[0]
        window = np.dtype((np.void, _WINDOW_PX * colours))
        steps = (*wide.strides[:2], _STEP_PX * colours)
        found = np.ndarray((length, height, width // _STEP_PX), window, wide, 0, steps).copy()
        return found.view(np.uint8).reshape(1, length, height, width // _STEP_PX, _WINDOW_PX * colours)


def with_windows(library: Any, model: Any) -> Rewritten:
    """Change a network, in place, to take windows; leave it as it is if its first layers are others.

    Args:
        library: the module ``openvino``.
        model: ``openvino.Model`` for pictures (1, T, H, W, 3); its sizes are constants, and no weights are compressed.
    """
    found = _first_layers(model)
    if found is None:
        return Rewritten(model)
    parameter, layers = found
    convolution, pad = layers["Convolution"], layers["Pad"]
    before_px = int(_constant(pad, 1)[4])
    width = parameter.get_output_shape(0)[3]
    op = library.opset13
    windows = op.parameter([*parameter.get_output_shape(0)[:3], width // _STEP_PX, _WINDOW_PX * _COLOURS], np.uint8)
    pixels = np.arange(width // _STEP_PX)[:, None] * _STEP_PX + np.arange(_WINDOW_PX) - before_px
    is_inside = ((pixels >= 0) & (pixels < width)).repeat(_COLOURS, axis=1)
    mean, scale = (np.tile(_constant(layers[kind], 1).reshape(-1), _WINDOW_PX) for kind in ("Subtract", "Multiply"))
    x = op.subtract(op.convert(windows, np.float32), op.constant(np.where(is_inside, mean, 0).astype(np.float32)))
    x = op.multiply(x, op.constant(scale.astype(np.float32)))
    if (rounding := layers.get("FakeQuantize")) is not None:
        x = _rounded_alike(op, x, rounding)
    x = op.transpose(x, layers["Transpose"].input_value(1))
    begins, ends = ([*_constant(pad, k)[:4], 0] for k in (1, 2))
    x = op.pad(x, op.constant(np.array(begins)), op.constant(np.array(ends)), "constant", pad.input_value(3))
    strides = [*convolution.get_attributes()["strides"][:2], 1]
    new = op.convolution(x, _weights(op, convolution), strides, [0, 0, 0], [0, 0, 0], [1, 1, 1])
    for taker in convolution.output(0).get_target_inputs():
        taker.replace_source_output(new.output(0))
    model.add_parameters([windows])
    model.remove_parameter(parameter)
    model.validate_nodes_and_infer_types()
    return Rewritten(model, Windows(before_px))


def _first_layers(model: Any) -> tuple[Any, dict[str, Any]] | None:
    """Return the network's input and the layers of ``_CHAIN`` by their kinds; None if they do not fit windows."""
    (parameter,) = model.get_parameters()
    layers: dict[str, Any] = {}
    node = parameter
    for kind in _CHAIN:
        takers = [one.get_node() for one in node.output(0).get_target_inputs()]
        if len(takers) == 1 and takers[0].get_type_name() == kind:
            node = layers[kind] = takers[0]
        elif kind != "FakeQuantize":
            return None
    given = [layers[kind].input_value(k).get_node() for kind, inputs in _CONSTANTS.items() for k in inputs]
    if any(one.get_type_name() != "Constant" for one in given):
        return None
    shape = tuple(parameter.get_output_shape(0))
    convolution, pad = layers["Convolution"], layers["Pad"]
    facts = convolution.get_attributes()
    kernel, width = convolution.input_value(1).get_shape(), shape[3]
    is_plain = not any((*facts["pads_begin"], *facts["pads_end"])) and set(facts["dilations"]) == {1}
    pads = [_constant(pad, k) for k in (1, 2)]
    fits = (
        parameter.get_element_type().to_string() == "u8"
        and len(shape) == len(kernel) == 5
        and (shape[0], shape[4]) == (1, _COLOURS)
        and width % _STEP_PX == 0
        and _constant(layers["Transpose"], 1).tolist() == [0, 4, 1, 2, 3]
        and pad.get_attributes()["pad_mode"] == "constant"
        and float(_constant(pad, 3)) == 0
        and all((one >= 0).all() for one in pads)
        and pads[0][4] <= _WINDOW_PX - _STEP_PX
        and is_plain
        and facts["strides"][2] == _STEP_PX
        and kernel[4] <= _WINDOW_PX
        and convolution.get_output_shape(0)[4] == width // _STEP_PX
    )
    return (parameter, layers) if fits else None


def _weights(op: Any, convolution: Any) -> Any:
    """Return the weights for windows; rounded as those for colours are."""
    source = convolution.input_value(1).get_node()
    rounding = source if source.get_type_name() == "FakeQuantize" else None
    values = (source if rounding is None else source.input_value(0).get_node()).get_data()
    out, colours, time, height, width = values.shape
    wide = np.zeros((out, _WINDOW_PX, colours, time, height, 1), np.float32)
    wide[:, :width, :, :, :, 0] = values.transpose(0, 4, 1, 2, 3)
    weights = op.constant(wide.reshape(out, _WINDOW_PX * colours, time, height, 1))
    return weights if rounding is None else _rounded_alike(op, weights, rounding)


def _rounded_alike(op: Any, value: Any, rounding: Any) -> Any:
    ends = [rounding.input_value(k) for k in range(1, 5)]
    return op.fake_quantize(value, *ends, rounding.get_attributes()["levels"])


def _constant(node: Any, k: int) -> NDArray[Any]:
    """Return the value of an input that is a constant."""
    return np.asarray(node.input_value(k).get_node().get_data())
