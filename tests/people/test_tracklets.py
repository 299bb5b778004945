"""How much of two boxes is common."""

from __future__ import annotations

import numpy as np
import pytest

from recognizer.people.tracklets import areas, common_areas, intersections_over_union

BOX = (10.0, 20.0, 30.0, 60.0)


@pytest.mark.parametrize(
    ("other", "common", "share"),
    [
        (BOX, 800.0, 1.0),
        ((20.0, 20.0, 40.0, 60.0), 400.0, 1 / 3),
        ((15.0, 30.0, 25.0, 40.0), 100.0, 1 / 8),
        ((30.0, 20.0, 50.0, 60.0), 0.0, 0.0),
        ((40.0, 70.0, 50.0, 90.0), 0.0, 0.0),
    ],
)
def test_boxes_share_what_is_in_both(other: tuple[float, ...], common: float, share: float) -> None:
    some, others = np.array([BOX, other]), np.array([other, BOX])
    assert areas(some[:1]).tolist() == [800.0]
    assert common_areas(some, others).tolist() == [common, common]
    assert intersections_over_union(some, others) == pytest.approx([share, share])


def test_boxes_without_an_area_share_no_number() -> None:
    nothing = np.array([(5.0, 5.0, 5.0, 9.0)])
    assert np.isnan(intersections_over_union(nothing, nothing)).all()
