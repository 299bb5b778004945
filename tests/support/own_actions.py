"""Generated examples: each action has its own features, each video shifts them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognizer.actions.descriptors import Descriptors
from recognizer.actions.posture import POSTURE

SIZE = 64


@dataclass(frozen=True)
class Taught:
    """Marked moments, as ``learn`` takes them."""

    examples: Descriptors
    names: tuple[str | None, ...]
    videos: tuple[str, ...]


def moments(
    name: str | None, count: int, seed: int = 0, views: int = 2, size: int = SIZE, video: int = 0
) -> NDArray[np.float32]:
    """Return features of moments of one action, float32 (count, views, size)."""
    own = np.random.default_rng(sum(map(ord, name or "none"))).random((1, views, size))
    shift = np.random.default_rng(1000 + video).random((1, views, size))
    noise = np.random.default_rng(seed + 7 * video).random((count, views, size))
    return (3 * own + 0.5 * shift + 0.5 * noise).astype(np.float32)


def described(views: NDArray[np.float32]) -> Descriptors:
    """Return descriptors of features, (n, V, D), without changes and postures."""
    return Descriptors(
        np.concatenate((views, np.zeros_like(views)), axis=1), np.full((len(views), len(POSTURE)), np.nan)
    )


def taught(*names: str | None, each: int = 2, videos: int = 3, views: int = 2, size: int = SIZE) -> Taught:
    """Return ``each`` moments of each name in each video."""
    parts = [
        (name, f"video {v}", moments(name, each, views=views, size=size, video=v))
        for v in range(videos)
        for name in names
    ]
    return Taught(
        described(np.concatenate([features for _, _, features in parts])),
        tuple(name for name, _, features in parts for _ in features),
        tuple(video for _, video, features in parts for _ in features),
    )
