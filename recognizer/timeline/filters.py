"""Choose segments by person, action, confidence, time, and whether a person has checked them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from recognizer.timeline.corrections import Corrected
from recognizer.types import TOUCHING_S, Segment


@dataclass(frozen=True)
class Filter:
    """A choice of the segments that are shown and exported. The defaults keep all.

    Attributes:
        person_ids: these people; None for everyone.
        actions: these actions; None for all.
        min_confidence, max_confidence: segments with a confidence from the one up to the other, both included.
        start_s, end_s: the time to keep; segments that reach beyond it are cut.
        checked: True for checked segments, False for the others, None for both.
    """

    person_ids: frozenset[int] | None = None
    actions: frozenset[str] | None = None
    min_confidence: float = 0.0
    max_confidence: float = math.inf
    start_s: float = 0.0
    end_s: float = math.inf
    checked: bool | None = None

    @property
    def keeps_all(self) -> bool:
        """Whether nothing is left out."""
        return self == Filter()

    def in_words(self, names: Mapping[int, str]) -> tuple[str, ...]:
        """Return what is kept, a phrase per criterion, for users; ``names`` names the people."""
        words = []
        if self.person_ids is not None:
            words.append(", ".join(names.get(one, f"Person {one}") for one in sorted(self.person_ids)) or "nobody")
        if self.actions is not None:
            words.append(", ".join(sorted(self.actions)) or "no action")
        if self.min_confidence > 0 or self.max_confidence < 1:
            words.append(f"confidence {self.min_confidence:.2f} to {min(1.0, self.max_confidence):.2f}")
        if self.start_s > 0 or math.isfinite(self.end_s):
            until = f"{self.end_s:.1f} s" if math.isfinite(self.end_s) else "the end"
            words.append(f"{self.start_s:.1f} s to {until}")
        if self.checked is not None:
            words.append("checked" if self.checked else "not checked")
        return tuple(words)

    def kept(self, segments: Iterable[Segment], corrected: Corrected) -> tuple[Segment, ...]:
        """Return the segments that fit, in their order.

        Args:
            segments: from ``corrected.segments``.
            corrected: knows which are checked.
        """
        fitting = (one for one in segments if self._fits(one) and self.checked in (None, corrected.is_checked(one)))
        return tuple(self._cut(one) for one in fitting)

    def _fits(self, one: Segment) -> bool:
        return (
            (self.person_ids is None or one.person_id in self.person_ids)
            and (self.actions is None or one.action in self.actions)
            and self.min_confidence <= one.confidence <= self.max_confidence
            and min(one.end_s, self.end_s) - max(one.start_s, self.start_s) >= TOUCHING_S
        )

    def _cut(self, one: Segment) -> Segment:
        if one.start_s >= self.start_s and one.end_s <= self.end_s:
            return one
        return replace(one, start_s=max(one.start_s, self.start_s), end_s=min(one.end_s, self.end_s))
