"""The camera's motion is measured in pictures that are moved by known amounts."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from recognizer.people.camera import CameraMeter
from recognizer.types import UNKNOWN_STEP, CameraStep, TrackedPerson

WIDTH, HEIGHT = 640, 360


def scene(seed: int = 0) -> NDArray[np.uint8]:
    """Return a picture of blobs, uint8 (HEIGHT, WIDTH, 3), with detail of about ten pixels."""
    noise = np.random.default_rng(seed).integers(0, 256, (HEIGHT // 10, WIDTH // 10, 3), np.uint8)
    return np.asarray(cv2.resize(noise, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.uint8)


def moved(rgb: NDArray[np.uint8], x: float, y: float, *, zoom: float = 1.0, turn_deg: float = 0.0) -> NDArray[np.uint8]:
    matrix = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), turn_deg, zoom) + np.array([[0, 0, x], [0, 0, y]])
    return np.asarray(cv2.warpAffine(rgb, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT), np.uint8)


def with_person(rgb: NDArray[np.uint8], x: int, texture: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], TrackedPerson]:
    """Return the picture with another texture in a large box, and the person."""
    picture = rgb.copy()
    picture[40:340, x : x + 260] = texture[40:340, :260]
    return picture, TrackedPerson(1, (x, 40.0, x + 260.0, 340.0), 0.9)


def centre_moves(step: CameraStep) -> tuple[float, float]:
    centre = WIDTH / 2 + 1j * HEIGHT / 2
    moved_to = complex(step.cosine, step.sine) * centre + complex(step.shift_x_px, step.shift_y_px)
    return (moved_to - centre).real, (moved_to - centre).imag


def push(
    meter: CameraMeter, rgb: NDArray[np.uint8], people: Sequence[TrackedPerson], *, is_cut: bool = False
) -> CameraStep:
    """Add a frame with its people; return the motion since the frame before."""
    step, _ = meter.measure(rgb, is_cut=is_cut)
    meter.look_around(people)
    return step


@pytest.mark.parametrize("shift", [(0.0, 0.0), (1.5, 0.0), (0.0, -3.0), (12.0, 5.0), (-50.0, 8.0)])
def test_a_shift_is_measured(shift: tuple[float, float]) -> None:
    meter, rgb = CameraMeter(), scene()
    assert push(meter, rgb, ()) is UNKNOWN_STEP
    step = push(meter, moved(rgb, *shift), ())
    assert centre_moves(step) == pytest.approx(shift, abs=0.4)


@pytest.mark.parametrize(("zoom", "turn_deg"), [(1.03, 0.0), (0.97, 0.0), (1.0, 2.0), (1.02, -1.5)])
def test_zoom_and_rotation_are_measured(zoom: float, turn_deg: float) -> None:
    meter, rgb = CameraMeter(), scene()
    push(meter, rgb, ())
    step = push(meter, moved(rgb, 0, 0, zoom=zoom, turn_deg=turn_deg), ())
    turn = complex(step.cosine, step.sine)
    assert abs(turn) == pytest.approx(zoom, abs=0.002)
    assert np.degrees(np.angle(turn)) == pytest.approx(-turn_deg, abs=0.1)
    assert centre_moves(step) == pytest.approx((0, 0), abs=0.6)


def test_a_large_person_who_walks_does_not_count_as_camera_motion() -> None:
    meter, rgb, texture = CameraMeter(), scene(), scene(1)
    (first, box), (second, next_box) = with_person(rgb, 200, texture), with_person(rgb, 225, texture)
    push(meter, first, [box])
    step = push(meter, second, [next_box])
    assert centre_moves(step) == pytest.approx((0, 0), abs=0.2)


def test_it_is_unknown_where_it_cannot_be_measured() -> None:
    blank = np.full((HEIGHT, WIDTH, 3), 127, np.uint8)
    others = {"nothing to follow": (blank, blank), "another place": (scene(2), scene(3))}
    for before, after in others.values():
        meter = CameraMeter()
        push(meter, before, ())
        assert push(meter, after, ()) is UNKNOWN_STEP
    meter = CameraMeter()
    push(meter, scene(), ())
    assert push(meter, scene(), (), is_cut=True) is UNKNOWN_STEP
    assert push(meter, scene(), ()) is not UNKNOWN_STEP
    assert (
        push(meter, scene(), [TrackedPerson(1, (0, 0, WIDTH, HEIGHT), 0.9)]) is not UNKNOWN_STEP
    )  # the corners are those of the frame before
    assert push(meter, scene(), ()) is UNKNOWN_STEP  # there were none: the person filled the picture


def test_a_motion_that_differs_with_the_distance_is_known_roughly() -> None:
    """Three depths of a scene that a moving camera passes: no half of it moves alike."""
    meter, rgb = CameraMeter(), scene()
    push(meter, rgb, ())
    second = rgb.copy()
    for k, shift in enumerate((16, 20, 24)):
        rows = slice(120 * k, 120 * (k + 1))
        second[rows] = moved(rgb, shift, 0)[rows]
    exact, roughly = meter.measure(second)
    assert not exact.is_known
    assert centre_moves(roughly) == pytest.approx((20, 0), abs=4)


def test_a_motion_that_is_known_is_known_roughly_too() -> None:
    meter, rgb = CameraMeter(), scene()
    push(meter, rgb, ())
    exact, roughly = meter.measure(moved(rgb, 12, 5))
    assert exact.is_known
    assert roughly == exact


def test_a_picture_of_another_size_begins_anew() -> None:
    meter = CameraMeter()
    push(meter, scene(), ())
    assert push(meter, np.ascontiguousarray(scene()[:200]), ()) is UNKNOWN_STEP
