"""A marked moment of one person: the features of the clips that fit it, and the posture of the boxes in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from recognizer.actions.posture import posture_of
from recognizer.errors import ActionsError
from recognizer.timeline.corrections import Corrected
from recognizer.timeline.features import FeatureTable
from recognizer.timeline.lineage import Source
from recognizer.timeline.model import PersonTrack, Timeline
from recognizer.types import TOUCHING_S

LEAST_MOMENT_S: Final = 0.3
"""A shorter stretch shows no movement: a jump or the fast part of a fall takes about as long."""

CLIP_SHARE: Final = 0.6
"""A clip fits a moment that holds at least this share of it: less, and another action may fill most of the clip. The
measured examples were chosen like this."""

MOMENT_SHARE: Final = 0.7
"""A clip fits a moment shorter than itself if it shows at least this share of it: a fall is over before a clip is."""

LEAST_SHARE: Final = 0.5
"""Where no clip fits, the best one counts if it shows half of the moment, or half of it lies in the moment: then still
no other action fills more of it."""

HIDDEN_ADVICE: Final = "people who lie, are seen from above or stand in the dark are often missed"


@dataclass(frozen=True, eq=False)
class Moment:
    """Features and posture of one moment.

    Attributes:
        features: float32 (2 V, D), the mean over its clips.
        posture: float64 (P,), see ``recognizer.actions.posture``.
        rows: the predictions of its clips, as rows of the timeline.
    """

    features: NDArray[np.float32]
    posture: NDArray[np.float64]
    rows: tuple[int, ...]


def moment(
    machine: Timeline,
    table: FeatureTable | None,
    person_id: int,
    start_s: float,
    end_s: float,
    corrected: Corrected | None = None,
) -> Moment:
    """Return what is known of a stretch of a person's time.

    Args:
        machine: the analysis as the networks said it.
        table: the features of its predictions, row by row; None if they are not kept.
        person_id: the person, as corrected.
        start_s: start of the stretch.
        end_s: its end; exclusive.
        corrected: who is who after merges and splits; None if nobody has corrected that.

    Raises:
        ActionsError: the stretch is too short, nobody was found in it, no clip covers it, or no features are kept.
    """
    if end_s - start_s < LEAST_MOMENT_S - TOUCHING_S:
        raise ActionsError(
            f"the marked stretch is {max(0.0, end_s - start_s):.2f} s long; mark at least {LEAST_MOMENT_S:g} s."
        )
    track, sources = _found(corrected or Corrected(machine), person_id, start_s, end_s)
    if table is None:
        raise ActionsError(
            "the features of this analysis are not kept, so nothing can be taught from it; analyse the video again."
        )
    rows = _fitting_rows(machine, sources, start_s, end_s)
    if not rows:
        raise ActionsError(
            f"no clip of this person covers {start_s:.1f} s to {end_s:.1f} s: they were too small or in view too "
            "briefly; mark a longer stretch or another one."
        )
    kept = [row for row in rows if table.has[row]]
    if not kept:
        raise ActionsError(
            f"the features of {start_s:.1f} s to {end_s:.1f} s are not kept; mark another stretch, or analyse the "
            "video again."
        )
    posture = posture_of(track, start_s, end_s, machine.camera)
    return Moment(table.values(kept).mean(axis=0), posture, tuple(kept))


def _found(
    corrected: Corrected, person_id: int, start_s: float, end_s: float
) -> tuple[PersonTrack, tuple[Source, ...]]:
    """Return the person's track, and which of the machine's people they are in the stretch.

    Raises:
        ActionsError: the person is not there.
    """
    track = next((one for one in corrected.timeline.people if one.person_id == person_id), None)
    if track is None:
        raise ActionsError(f"person {person_id} is not in this analysis any more; load the page again.")
    sources = tuple(
        one._replace(start_s=max(start_s, one.start_s), end_s=min(end_s, one.end_s))
        for one in corrected.sources_of(track)
        if min(end_s, one.end_s) - max(start_s, one.start_s) >= TOUCHING_S
    )
    if not sources:
        raise ActionsError(
            f"nobody was found from {start_s:.1f} s to {end_s:.1f} s in this lane: {HIDDEN_ADVICE}; mark a stretch in "
            "which the lane shows the person."
        )
    return track, sources


def _fitting_rows(machine: Timeline, sources: Sequence[Source], start_s: float, end_s: float) -> list[int]:
    """Return the rows of the clips that fit, in order; the best one if none fits; none if that is no good either."""
    overlaps = list(_overlaps(machine, sources))
    rows = sorted({row for row, overlap in overlaps if overlap.fits(end_s - start_s)})
    if rows or not overlaps:
        return rows
    row, best = max(overlaps, key=lambda one: one[1].share(end_s - start_s))
    return [row] if best.share(end_s - start_s) >= LEAST_SHARE else []


@dataclass(frozen=True)
class _Overlap:
    """How much of a clip lies in a moment, and how long the clip is."""

    overlap_s: float
    clip_s: float

    def fits(self, moment_s: float) -> bool:
        within = self.overlap_s >= CLIP_SHARE * self.clip_s - TOUCHING_S
        return within or (moment_s < self.clip_s and self.overlap_s >= MOMENT_SHARE * moment_s - TOUCHING_S)

    def share(self, moment_s: float) -> float:
        return self.overlap_s / max(min(moment_s, self.clip_s), TOUCHING_S)


def _overlaps(machine: Timeline, sources: Sequence[Source]) -> Iterator[tuple[int, _Overlap]]:
    """Yield each clip that reaches into a source, by its row."""
    for row, said in enumerate(machine.predictions):
        for source in sources:
            if said.person_id == source.person_id:
                overlap_s = min(said.end_s, source.end_s) - max(said.start_s, source.start_s)
                if overlap_s >= TOUCHING_S:
                    yield row, _Overlap(overlap_s, said.end_s - said.start_s)
