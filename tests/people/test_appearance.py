"""A person's appearance: the same from near and far, different in different clothes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from recognizer.people.appearance import Appearances, alike, appearance_of
from recognizer.types import APPEARANCE_SIZE, Box, Observation, TrackedPerson

RED, BLUE, GREEN = (200, 30, 30), (30, 40, 200), (30, 160, 60)


def dressed(above: tuple[int, int, int], below: tuple[int, int, int], height: int = 200) -> NDArray[np.uint8]:
    rng = np.random.default_rng(0)
    rgb = np.empty((height, height // 2, 3), np.uint8)
    rgb[: height // 2], rgb[height // 2 :] = above, below
    return np.clip(rgb.astype(int) + rng.normal(0, 6, rgb.shape), 0, 255).astype(np.uint8)


def mean(*appearances: NDArray[np.uint8]) -> NDArray[np.float64]:
    all_looks = Appearances()
    person = TrackedPerson(1, (0, 0, 1, 1), 1.0)
    for look in appearances:
        all_looks.add(Observation(0, 0.0, (person,), (np.zeros((224, 224, 3), np.uint8),), (look,)))
    found = all_looks.of(1)
    assert found is not None
    return found


def whole(rgb: NDArray[np.uint8]) -> Box:
    return 0.0, 0.0, float(rgb.shape[1]), float(rgb.shape[0])


def look(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    return mean(appearance_of(rgb, whole(rgb)))


def test_the_same_clothes_look_the_same_from_near_and_far() -> None:
    near = dressed(RED, BLUE, 700)
    far = cv2.resize(near, (30, 60), interpolation=cv2.INTER_AREA)
    assert alike(look(near), look(np.asarray(far, np.uint8))) > 0.9


def test_other_clothes_and_clothes_the_other_way_round_look_different() -> None:
    assert alike(look(dressed(RED, BLUE)), look(dressed(GREEN, BLUE))) < 0.6
    assert alike(look(dressed(RED, BLUE)), look(dressed(BLUE, RED))) < 0.2


def test_a_person_looks_like_themselves() -> None:
    one = look(dressed(RED, BLUE))
    assert alike(one, one) == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize(
    "box", [(-50, -50, 20, 40), (90, 190, 300, 300), (10, 10, 10.2, 10.3), (99.9, 199.9, 100, 200)]
)
def test_any_box_that_touches_the_picture_has_an_appearance(box: Box) -> None:
    found = appearance_of(dressed(RED, BLUE), box)
    assert found.shape == (APPEARANCE_SIZE,)
    assert found.dtype == np.uint8
    assert found.any()


def test_a_person_has_no_appearance_before_the_first_sample() -> None:
    assert Appearances().of(1) is None
    assert alike(mean(appearance_of(dressed(RED, BLUE), (0, 0, 50, 99))), look(dressed(RED, RED))) > 0.7
