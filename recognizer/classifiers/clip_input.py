"""From a person's crops to what a network is fed: resampled in time, at its size, normalised."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from recognizer.classifiers.catalogue import ClassifierSpec

_WHITE = 255.0

NETWORK_INPUT_AXES = 5
"""Batch, colour, time, height, width."""


def sample_indices(samples: int, length: int) -> NDArray[np.int64]:
    """Which of ``samples`` samples each of ``length`` frames shows: int64 (length,), ascending.

    Time is cut into ``length`` equal cells and each takes the sample at its middle. So the same number changes nothing,
    more frames than samples show every sample about equally often, and fewer are spread evenly.

    Raises:
        ValueError: one of the two is not positive.
    """
    if samples < 1 or length < 1:
        raise ValueError(f"cannot take {length} frames from {samples} samples")
    # whole numbers, so that no rounding of a fraction can shift a frame
    return (2 * np.arange(length, dtype=np.int64) + 1) * samples // (2 * length)


def network_input(
    clips_rgb: Sequence[NDArray[np.uint8]], spec: ClassifierSpec, length: int, device: torch.device | str = "cpu"
) -> Tensor:
    """What ``spec``'s network is fed for these clips.

    Args:
        clips_rgb: each uint8 (N, S, S, 3); N may differ, S is the network's crop size or twice that.
        spec: whose size and normalisation.
        length: T, the number of frames.
        device: where the result is made; the pictures travel there as bytes.

    Returns:
        Float32 (B, 3, T, S, S), its channels last in memory. At half size each pixel is the mean of 2 x 2.

    Raises:
        ValueError: there is no clip, or a clip has another size.
    """
    taken = np.stack([clip[sample_indices(len(clip), length)] for clip in clips_rgb])
    size = spec.crop_size_px
    pixels = torch.from_numpy(taken).to(device)
    side = taken.shape[2]
    scale = 1.0 / _WHITE
    if side == 2 * size:
        # at most 4 * 255, which int16 holds; the division is part of the scale
        wide = pixels.to(torch.int16)
        rows = wide[:, :, 0::2] + wide[:, :, 1::2]
        pixels = rows[:, :, :, 0::2] + rows[:, :, :, 1::2]
        scale /= 4
    elif side != size:
        raise ValueError(f"{spec.name} takes crops of {size} or {2 * size} pixels, got {side}")
    mean = torch.tensor(spec.mean_rgb, device=device)
    std = torch.tensor(spec.std_rgb, device=device)
    x = pixels.to(torch.float32).mul_(scale).sub_(mean).div_(std)
    return x.permute(0, 4, 1, 2, 3)
