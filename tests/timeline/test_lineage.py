"""Which of the machine's tracks a merged or divided person's boxes come from."""

from __future__ import annotations

import pytest

from recognizer.timeline.lineage import Source, divided_sources, merged_sources

ONE = (Source(1, 0.0, 2.0), Source(1, 4.0, 6.0))


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ((Source(5, 2.5, 3.0),), (ONE[0], Source(5, 2.5, 3.0), ONE[1])),
        ((Source(5, 1.0, 3.0),), (ONE[0], Source(5, 2.0, 3.0), ONE[1])),
        ((Source(5, 1.0, 8.0),), (ONE[0], Source(5, 2.0, 4.0), ONE[1], Source(5, 6.0, 8.0))),
        ((Source(5, 4.5, 5.5),), ONE),
        ((Source(5, 4.0, 6.0),), ONE),
        ((Source(5, 6.0, 7.0), Source(5, 8.0, 9.0)), (*ONE, Source(5, 6.0, 7.0), Source(5, 8.0, 9.0))),
        ((), ONE),
    ],
)
def test_where_both_are_present_the_first_persons_boxes_count(
    other: tuple[Source, ...], expected: tuple[Source, ...]
) -> None:
    assert merged_sources(ONE, other) == expected


def test_a_split_divides_the_visit_in_which_it_lies() -> None:
    before, after = divided_sources((*ONE, Source(5, 7.0, 8.0)), 5.0)
    assert before == (ONE[0], Source(1, 4.0, 5.0))
    assert after == (Source(1, 5.0, 6.0), Source(5, 7.0, 8.0))
