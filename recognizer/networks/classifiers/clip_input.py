"""Turn a person's crops into the input of a network: resampled in time, resized and normalised."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from recognizer.classifier_specs import ClassifierSpec

_WHITE = 255.0


def sample_indices(samples: int, length: int) -> NDArray[np.int64]:
    """Return, for each of ``length`` frames, the index of the sample it shows: int64 (length,), ascending.

    Time is divided into ``length`` equal cells, and each takes the sample at its middle. If the numbers are equal, each
    frame shows one sample; more frames than samples repeat all about equally often; fewer are spread evenly.

    Raises:
        ValueError: ``samples`` or ``length`` is not positive.
    """
    if samples < 1 or length < 1:
        raise ValueError(f"cannot take {length} frames from {samples} samples")
    # integers, so that rounding cannot shift a frame
    return (2 * np.arange(length, dtype=np.int64) + 1) * samples // (2 * length)


def clip_pictures(clips_rgb: Sequence[NDArray[np.uint8]], length: int) -> Tensor:
    """Return the clips as the input of ``Normalise``, uint8 (B, T, S, S, 3).

    Args:
        clips_rgb: each uint8 (N, S, S, 3); N may differ, but not S.
        length: T, the number of frames.
    """
    shown = [clip if len(clip) == length else clip[sample_indices(len(clip), length)] for clip in clips_rgb]
    return torch.from_numpy(np.stack(shown))


class Normalise(nn.Module):
    """Resize and normalise pictures for a network. A module, so that every backend runs it as part of the network.

    Args:
        spec: gives the network's size and normalisation.
    """

    _mean: Tensor
    _scale: Tensor
    _quarters: Tensor

    def __init__(self, spec: ClassifierSpec) -> None:
        super().__init__()
        self._name, self._crop_size_px = spec.name, spec.crop_size_px
        self.register_buffer("_mean", torch.tensor(spec.mean_rgb) * _WHITE, persistent=False)
        self.register_buffer("_scale", 1 / (torch.tensor(spec.std_rgb) * _WHITE), persistent=False)
        self.register_buffer(
            "_quarters", (torch.eye(3) / 4).view(3, 3, 1, 1, 1).repeat(1, 1, 1, 2, 2), persistent=False
        )

    def forward(self, pictures: Tensor) -> Tensor:
        """Map uint8 (B, T, S, S, 3) to float32 (B, 3, T, S, S).

        The input's S is the network's crop size or twice that; then each output pixel is the mean of 2 x 2.

        Raises:
            ValueError: the pictures have another size.
        """
        x = pictures.float()
        side, size = pictures.shape[2], self._crop_size_px
        if side == 2 * size:
            # a convolution, because OpenVINO pools three colours more slowly
            x = functional.conv3d(x.permute(0, 4, 1, 2, 3), self._quarters, stride=(1, 2, 2)).permute(0, 2, 3, 4, 1)
        elif side != size:
            raise ValueError(f"{self._name} takes crops of {size} or {2 * size} pixels, got {side}")
        # before the axes change, so that OpenVINO need not copy anything
        normalised: Tensor = (x - self._mean) * self._scale
        return normalised.permute(0, 4, 1, 2, 3)
