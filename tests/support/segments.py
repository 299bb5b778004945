"""Invented segments, and a slow but certain way to read labels from them."""

from __future__ import annotations

import random
from itertools import pairwise

import numpy as np

from recognizer.comparison.agreement import BIN_S
from recognizer.types import Segment


def segment(action: str, start_s: float, end_s: float, person_id: int = 1) -> Segment:
    return Segment(person_id, action, start_s, end_s, 0.5)


def generated(seed: int, actions: tuple[str, ...], *, people: int = 3, duration_s: float = 60.0) -> list[Segment]:
    """Generate segments with arbitrary boundaries, some with holes between them."""
    rng = random.Random(seed)
    segments = []
    for person_id in range(1, people + 1):
        bounds = sorted(rng.uniform(0, duration_s) for _ in range(40))
        segments += [
            segment(rng.choice(actions), start_s, end_s, person_id)
            for start_s, end_s in pairwise(bounds)
            if rng.random() > 0.15
        ]
    return segments


def in_bins(segments: list[Segment], person_id: int, duration_s: float = 60.0) -> list[str | None]:
    """Return the label in the middle of each bin, found the slow way."""
    middles_s = (np.arange(round(duration_s / BIN_S)) + 0.5) * BIN_S
    return [
        next(
            (s.action for s in segments if s.person_id == person_id and s.start_s <= middle_s < s.end_s),
            None,
        )
        for middle_s in middles_s
    ]
