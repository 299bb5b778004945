"""Which moments to ask about next: those that teach most."""

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
    candidates: Descriptors,
    videos: Sequence[str],
    marked: Collection[str] = (),
    count: int = QUESTIONS,
) -> NDArray[np.intp]:
    """Return the moments that a head is least sure of, the least sure first.

    Args:
        head: what is learned so far.
        candidates: moments without a name.
        videos: the video of each.
        marked: videos with examples; their moments are asked about only when no others are left.
        count: most moments to return.
    """
    vectors = head.centre.vectors(candidates)
    scores = np.sort(vectors @ head.weights.T, axis=1)
    lead = scores[:, -1] - scores[:, -2] if len(head.names) > 1 else scores[:, -1]
    asked = set(marked)
    left = np.argsort(lead, kind="stable").tolist()
    chosen: list[int] = []
    while left and len(chosen) < count:
        row = next((k for k in left if videos[k] not in asked), None)
        if row is None:
            # every video was asked about once: begin again with those that were not marked before
            fresh = {videos[k] for k in left} - set(marked)
            asked = set(marked) if fresh else set()
            row = next(k for k in left if videos[k] not in asked)
        asked.add(videos[row])
        chosen.append(row)
        left.remove(row)
    return np.array(chosen, np.intp)
