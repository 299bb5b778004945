"""Inception-I3D: Inception-v1 with its filters and pools inflated to three dimensions.

Carreira and Zisserman, "Quo Vadis, Action Recognition? A New Model and the Kinetics Dataset", arXiv 1705.07750,
figure 3. Padding is TensorFlow's ``SAME``; batch normalisation has an epsilon of 1e-3, a shift and no learnt scale.
The layers have the names of common fine-tuned PyTorch I3D checkpoints, which therefore fit unchanged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from recognizer.errors import WeightsError

_Triple = tuple[int, int, int]

BATCH_NORM_EPSILON = 1e-3


class _Widths(NamedTuple):
    """Output channels in one Inception module, named by branch and step within the branch."""

    b0: int
    b1a: int
    b1b: int
    b2a: int
    b2b: int
    b3b: int

    @property
    def total(self) -> int:
        return self.b0 + self.b1b + self.b2b + self.b3b


_STEM_CHANNELS = 192
_STAGE_3 = {"Mixed_3b": _Widths(64, 96, 128, 16, 32, 32), "Mixed_3c": _Widths(128, 128, 192, 32, 96, 64)}
_STAGE_4 = {
    "Mixed_4b": _Widths(192, 96, 208, 16, 48, 64),
    "Mixed_4c": _Widths(160, 112, 224, 24, 64, 64),
    "Mixed_4d": _Widths(128, 128, 256, 24, 64, 64),
    "Mixed_4e": _Widths(112, 144, 288, 32, 64, 64),
    "Mixed_4f": _Widths(256, 160, 320, 32, 128, 128),
}
_STAGE_5 = {"Mixed_5b": _Widths(256, 160, 320, 32, 128, 128), "Mixed_5c": _Widths(384, 192, 384, 48, 128, 128)}


def _same_padding(length: int, kernel: int, stride: int) -> tuple[int, int]:
    """Return the zeros before and after one axis, as TensorFlow's ``SAME`` places them: the odd one goes after.

    Arithmetic alone, with a stride of up to the kernel: a traced length is not a number yet.
    """
    total = kernel - stride + -length % stride
    return total // 2, total - total // 2


def _pad_same(x: Tensor, kernel: _Triple, stride: _Triple) -> Tensor:
    pads = [_same_padding(x.shape[2 + axis], kernel[axis], stride[axis]) for axis in range(3)]
    flat = [side for pad in reversed(pads) for side in pad]
    # also by nothing: a trace serves other lengths, where it is not nothing
    return x if kernel == (1, 1, 1) else functional.pad(x, flat)


class Unit3D(nn.Module):
    """Convolution, then batch normalisation and ReLU unless it is the last layer."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel: _Triple, stride: _Triple = (1, 1, 1), *, last: bool = False
    ) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride
        self.conv3d = nn.Conv3d(in_channels, out_channels, kernel, stride, bias=last)
        self.bn = None if last else nn.BatchNorm3d(out_channels, eps=BATCH_NORM_EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in, T, H, W) to (B, out, ceil(T / stride), …)."""
        x = self.conv3d(_pad_same(x, self.kernel, self.stride))
        return x if self.bn is None else functional.relu(self.bn(x), inplace=True)


class MaxPoolSame(nn.Module):
    """Max pooling with ``SAME`` padding. Zeros are safe padding, because every input is the output of a ReLU."""

    def __init__(self, kernel: _Triple, stride: _Triple) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride

    def forward(self, x: Tensor) -> Tensor:
        """Pool (B, C, T, H, W), which must not be negative."""
        return functional.max_pool3d(_pad_same(x, self.kernel, self.stride), self.kernel, self.stride)


class InceptionModule(nn.Module):
    """Four parallel branches, joined along the channels."""

    def __init__(self, in_channels: int, widths: _Widths) -> None:
        super().__init__()
        self.b0 = Unit3D(in_channels, widths.b0, (1, 1, 1))
        self.b1a = Unit3D(in_channels, widths.b1a, (1, 1, 1))
        self.b1b = Unit3D(widths.b1a, widths.b1b, (3, 3, 3))
        self.b2a = Unit3D(in_channels, widths.b2a, (1, 1, 1))
        self.b2b = Unit3D(widths.b2a, widths.b2b, (3, 3, 3))
        self.b3a = MaxPoolSame((3, 3, 3), (1, 1, 1))
        self.b3b = Unit3D(in_channels, widths.b3b, (1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in, T, H, W) to (B, sum of the branches, T, H, W)."""
        return torch.cat((self.b0(x), self.b1b(self.b1a(x)), self.b2b(self.b2a(x)), self.b3b(self.b3a(x))), dim=1)


class InceptionI3d(nn.Module):
    """Maps float32 (B, 3, T, 224, 224) in [-1, 1], T of 9 or more, to logits (B, num_classes), averaged over time."""

    def __init__(self, num_classes: int = 400) -> None:
        super().__init__()
        self._order: list[str] = []
        self._append("Conv3d_1a_7x7", Unit3D(3, 64, (7, 7, 7), (2, 2, 2)))
        self._append("MaxPool3d_2a_3x3", MaxPoolSame((1, 3, 3), (1, 2, 2)))
        self._append("Conv3d_2b_1x1", Unit3D(64, 64, (1, 1, 1)))
        self._append("Conv3d_2c_3x3", Unit3D(64, _STEM_CHANNELS, (3, 3, 3)))
        self._append("MaxPool3d_3a_3x3", MaxPoolSame((1, 3, 3), (1, 2, 2)))
        channels = self._append_stage(_STEM_CHANNELS, _STAGE_3)
        self._append("MaxPool3d_4a_3x3", MaxPoolSame((3, 3, 3), (2, 2, 2)))
        channels = self._append_stage(channels, _STAGE_4)
        self._append("MaxPool3d_5a_2x2", MaxPoolSame((2, 2, 2), (2, 2, 2)))
        channels = self._append_stage(channels, _STAGE_5)
        self.logits = Unit3D(channels, num_classes, (1, 1, 1), last=True)

    def _append(self, name: str, layer: nn.Module) -> None:
        self.add_module(name, layer)
        self._order.append(name)

    def _append_stage(self, channels: int, stage: Mapping[str, _Widths]) -> int:
        for name, widths in stage.items():
            self._append(name, InceptionModule(channels, widths))
            channels = widths.total
        return channels

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (B, num_classes), without the softmax."""
        for name in self._order:
            x = self.get_submodule(name)(x)
        x = functional.avg_pool3d(x, (2, 7, 7), stride=1)
        logits: Tensor = self.logits(x)
        return logits.mean(dim=(2, 3, 4))


_BRANCHES = {
    "Branch_0/Conv3d_0a_1x1": "b0",
    "Branch_1/Conv3d_0a_1x1": "b1a",
    "Branch_1/Conv3d_0b_3x3": "b1b",
    "Branch_2/Conv3d_0a_1x1": "b2a",
    "Branch_2/Conv3d_0b_3x3": "b2b",
    "Branch_3/Conv3d_0b_1x1": "b3b",
}


def _units() -> Iterator[tuple[str, str]]:
    """Yield each convolution's name in DeepMind's tree and in ``InceptionI3d``."""
    for name in ("Conv3d_1a_7x7", "Conv3d_2b_1x1", "Conv3d_2c_3x3"):
        yield name, name
    for mixed in (*_STAGE_3, *_STAGE_4, *_STAGE_5):
        for theirs, ours in _BRANCHES.items():
            yield f"{mixed}/{theirs}", f"{mixed}.{ours}"


def _flatten(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, NDArray[Any]]]:
    for key, value in tree.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{path}/")
        elif isinstance(value, np.ndarray):
            yield path, value
        else:
            raise WeightsError(
                f"the I3D weights hold a {type(value).__name__} at '{path}'; only arrays are expected there."
            )


def state_dict_from_arrays(tree: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """Convert DeepMind's Kinetics-400 I3D, published for Flax, to the names and layouts of ``InceptionI3d``.

    Args:
        tree: nested mappings of arrays: ``params`` and ``batch_stats``, then the paper's layer names. Kernels are
            (time, height, width, in, out).

    Returns:
        Arrays for every entry of ``InceptionI3d(400).state_dict()``, kernels as (out, in, time, height, width).

    Raises:
        WeightsError: an array is missing, unknown, has another shape, or holds a value that is not finite.
    """
    arrays = dict(_flatten(tree))

    def take(path: str) -> NDArray[Any]:
        try:
            return arrays.pop(path)
        except KeyError:
            raise WeightsError(f"the I3D weights have no '{path}'; fetch the published file again.") from None

    def kernel(path: str) -> NDArray[Any]:
        array = take(path)
        if array.ndim != 5:
            raise WeightsError(f"the I3D weights have shape {array.shape} at '{path}'; a kernel has five axes.")
        return np.ascontiguousarray(array.transpose(4, 3, 0, 1, 2))

    state: dict[str, NDArray[Any]] = {}
    for theirs, ours in _units():
        state[f"{ours}.conv3d.weight"] = kernel(f"params/{theirs}/Conv_0/kernel")
        bias = take(f"params/{theirs}/BatchNorm_0/bias").reshape(-1)
        state[f"{ours}.bn.weight"] = np.ones_like(bias)  # the published normalisation has no learnt scale
        state[f"{ours}.bn.bias"] = bias
        state[f"{ours}.bn.running_mean"] = take(f"batch_stats/{theirs}/BatchNorm_0/mean").reshape(-1)
        state[f"{ours}.bn.running_var"] = take(f"batch_stats/{theirs}/BatchNorm_0/var").reshape(-1)
        state[f"{ours}.bn.num_batches_tracked"] = np.zeros((), dtype=np.int64)
    state["logits.conv3d.weight"] = kernel("params/Logits/Conv3d_0c_1x1/Conv_0/kernel")
    state["logits.conv3d.bias"] = take("params/Logits/Conv3d_0c_1x1/Conv_0/bias").reshape(-1)
    if arrays:
        raise WeightsError(f"the I3D weights hold '{min(arrays)}', which the network does not use.")
    with torch.device("meta"):
        expected = InceptionI3d(state["logits.conv3d.bias"].shape[0]).state_dict()
    for name, tensor in expected.items():
        if tuple(tensor.shape) != state[name].shape:
            raise WeightsError(
                f"the I3D weights have shape {state[name].shape} for '{name}', not {tuple(tensor.shape)}."
            )
        if not np.isfinite(state[name]).all():
            raise WeightsError(f"the I3D weights hold a value at '{name}' that is not finite; fetch the file again.")
    return state
