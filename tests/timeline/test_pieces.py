"""Short pieces go as by the plain rule, which looks at all pieces in each round, but only near those that changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recognizer.settings import UNKNOWN_ACTION
from recognizer.timeline.pieces import Piece, without_short
from recognizer.types import TOUCHING_S
from tests.support.growth import MOST_TIMES, times_for_twice


def in_a_row(parts: Iterable[tuple[str, float, float, float]]) -> list[Piece]:
    """Return pieces from label, length, gap before it and confidence; no two that touch have one label."""
    pieces: list[Piece] = []
    end_s = 0.0
    for action, length_s, gap_s, confidence in parts:
        if pieces and pieces[-1].action == action and gap_s == 0:
            gap_s = 1.0
        pieces.append(Piece(action, end_s + gap_s, end_s + gap_s + length_s, confidence))
        end_s = pieces[-1].end_s
    return pieces


rows = st.lists(
    st.tuples(
        st.sampled_from(["a", "a", "b", "b", "c", UNKNOWN_ACTION]),
        st.sampled_from([0.25, 0.5, 0.75, 1.5, 4.0]),
        st.sampled_from([0.0, 0.0, 0.0, 0.0, 0.5]),
        st.sampled_from([0.3, 0.5, 0.9]),
    ),
    max_size=40,
)


@settings(max_examples=100)
@given(pieces=rows.map(in_a_row), min_duration_s=st.sampled_from([0.6, 1.0, 2.0, 6.0]))
def test_short_pieces_become_what_the_plain_rule_says(pieces: list[Piece], min_duration_s: float) -> None:
    found, expected = without_short(pieces, min_duration_s), plainly_without_short(pieces, min_duration_s)
    assert [one._replace(confidence=0.0) for one in found] == [one._replace(confidence=0.0) for one in expected]
    assert [one.confidence for one in found] == pytest.approx([one.confidence for one in expected], rel=1e-12)


@pytest.mark.parametrize("begins", [True, False])
def test_a_label_that_flickers_for_hours_costs_as_much_as_it_has_pieces(begins: bool) -> None:
    """Regression: each round joined one pair at the edge of a long piece and looked at all others again."""

    def work_of(count: int) -> Callable[[], object]:
        long = 0 if begins else count - 1
        pieces = in_a_row(("ab"[k % 2], 5.0 if k == long else 0.5, 0.0, 0.5) for k in range(count))
        return lambda: without_short(pieces, 1.0)

    assert times_for_twice(work_of, 100) < MOST_TIMES


# --- the plain rule ---


def spans_counted(piece: Piece) -> tuple[tuple[float, float], ...]:
    return ((piece.start_s, piece.end_s),) if piece.counted is None else piece.counted


def seconds_counted(piece: Piece) -> float:
    return sum(end_s - start_s for start_s, end_s in spans_counted(piece))


def merged_plainly(pieces: Iterable[Piece]) -> list[Piece]:
    """Join touching neighbours with the same action; weight their confidence by the counted time."""
    merged: list[Piece] = []
    for piece in pieces:
        last = merged[-1] if merged else None
        if last and last.action == piece.action and piece.start_s - last.end_s < TOUCHING_S:
            if last.counted is None and piece.counted is None:
                last_s, piece_s, counted = last.end_s - last.start_s, piece.end_s - piece.start_s, None
            else:
                last_s, piece_s = seconds_counted(last), seconds_counted(piece)
                counted = (*spans_counted(last), *spans_counted(piece))
            mean = (last.confidence * last_s + piece.confidence * piece_s) / (last_s + piece_s)
            merged[-1] = Piece(last.action, last.start_s, piece.end_s, mean, counted)
        else:
            merged.append(piece)
    return merged


def plainly_without_short(pieces: list[Piece], min_duration_s: float) -> list[Piece]:
    def is_short(piece: Piece) -> bool:
        return piece.action != UNKNOWN_ACTION and piece.end_s - piece.start_s < min_duration_s - TOUCHING_S

    while True:
        joined = merged_plainly(absorbed_plainly(pieces, is_short))
        if len(joined) == len(pieces):
            break
        pieces = joined
    return merged_plainly(piece._replace(action=UNKNOWN_ACTION) if is_short(piece) else piece for piece in pieces)


def absorbed_plainly(pieces: list[Piece], is_short: Callable[[Piece], bool]) -> Iterator[Piece]:
    """Give a short piece the action of its two neighbours if they have the same one and are not both short."""
    for k, piece in enumerate(pieces):
        before = pieces[k - 1] if k > 0 and piece.start_s - pieces[k - 1].end_s < TOUCHING_S else None
        after = pieces[k + 1] if k + 1 < len(pieces) and pieces[k + 1].start_s - piece.end_s < TOUCHING_S else None
        if (
            is_short(piece)
            and before is not None
            and after is not None
            and before.action == after.action
            and not (is_short(before) and is_short(after))
        ):
            # the piece was not recognized as this action, so it does not count towards the action's confidence
            yield piece._replace(action=before.action, counted=())
        else:
            yield piece
