"""The moments to ask about next: those that teach most."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from recognizer.actions.descriptors import Descriptors
from recognizer.actions.head import Head

QUESTIONS: Final = 5


def ask(
    head: Head,
    examples: Descriptors,
    candidates: Descriptors,
    videos: Sequence[str],
    marked: Collection[str] = (),
    count: int = QUESTIONS,
) -> NDArray[np.intp]:
    """Return the moments that are least like any that is marked or asked about already, the least alike first.

    Fifteen of them teach more than twenty-five at random, and more than fifteen whose two best names are closest
    (docs/own-actions.md).

    Args:
        head: what is learned so far.
        examples: the marked moments, with those of none of the actions.
        candidates: moments without a name.
        videos: the video of each.
        marked: videos with examples; their moments are asked about only when no others are left.
        count: most moments to return.
    """
    vectors, known = _directions(head, candidates), _directions(head, examples)
    nearest = (vectors @ known[np.isfinite(known).all(axis=1)].T).max(axis=1, initial=-1.0)
    # without those at which a network overflowed: they are like nothing, and whoever answers would teach nothing
    left = dict.fromkeys(np.flatnonzero(np.isfinite(vectors).all(axis=1)).tolist())
    asked = set(marked)
    chosen: list[int] = []
    while left and len(chosen) < count:
        if all(videos[row] in asked for row in left):
            # every video was asked about once: begin again with those that were not marked before
            asked = set(marked) if any(videos[row] not in marked for row in left) else set()
        row = min((one for one in left if videos[one] not in asked), key=lambda one: float(nearest[one]))
        chosen.append(row)
        asked.add(videos[row])
        del left[row]
        nearest = np.maximum(nearest, vectors @ vectors[row])
    return np.array(chosen, np.intp)


def _directions(head: Head, moments: Descriptors) -> NDArray[np.float32]:
    """Return the vectors of moments with length 1."""
    vectors = head.centre.vectors(moments)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), np.float32)
