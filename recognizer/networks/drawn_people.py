"""A drawn picture with people in it: what the ways of running a detector are compared on."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_Color = tuple[int, int, int]

_SKIN, _HAIR, _SHOES = (200, 160, 130), (60, 40, 30), (40, 40, 40)
_SKY, _GROUND = (150, 165, 180), (110, 115, 105)

_HEADS_TALL = 8
"""Drawing schools have an adult eight heads tall."""

_PEOPLE: tuple[tuple[int, int, _Color, _Color], ...] = (
    (60, 110, (180, 40, 40), (40, 50, 90)),
    (150, 180, (40, 90, 170), (60, 60, 60)),
    (280, 300, (230, 230, 230), (30, 40, 80)),
    (420, 230, (60, 140, 70), (120, 100, 70)),
    (520, 150, (220, 180, 60), (50, 50, 60)),
    (600, 90, (120, 60, 140), (70, 70, 80)),
)
"""Place from the left and height, in pixels, and the colors of shirt and trousers."""


def drawn_people(height: int = 480, width: int = 640) -> NDArray[np.uint8]:
    """Return six people who stand side by side, uint8 (height, width, 3)."""
    rgb = np.full((height, width, 3), _SKY, np.int16)
    rgb[int(height * 0.45) :] = _GROUND
    rgb += np.random.default_rng(0).integers(-20, 21, rgb.shape, np.int16)
    picture = cv2.GaussianBlur(rgb.astype(np.uint8), (5, 5), 0)
    for x, tall, shirt, trousers in _PEOPLE:
        _draw(picture, x, int(height * 0.95) - tall, tall / _HEADS_TALL, shirt, trousers)
    return np.asarray(cv2.GaussianBlur(picture, (3, 3), 0), np.uint8)


def _draw(rgb: cv2.typing.MatLike, x: int, y: int, head: float, shirt: _Color, trousers: _Color) -> None:
    """Draw a person from the crown (x, y) down; ``head`` is a head's height in pixels."""

    def at(right: float, down: float) -> tuple[int, int]:
        return int(x + right * head), int(y + down * head)

    def px(heads: float) -> int:
        return max(1, int(heads * head))

    for side in (-1, 1):
        cv2.line(rgb, at(0.4 * side, 4), at(0.6 * side, 7.8), trousers, px(0.8), cv2.LINE_AA)
        cv2.ellipse(rgb, at(0.75 * side, 7.9), (px(0.5), px(0.25)), 0, 0, 360, _SHOES, -1, cv2.LINE_AA)
        cv2.line(rgb, at(0.9 * side, 1.8), at(1.3 * side, 4), shirt, px(0.5), cv2.LINE_AA)
        cv2.circle(rgb, at(1.3 * side, 4.2), px(0.3), _SKIN, -1, cv2.LINE_AA)
    trunk = np.array([at(-1.1, 1.5), at(1.1, 1.5), at(0.8, 4.3), at(-0.8, 4.3)])
    cv2.fillConvexPoly(rgb, trunk, shirt, cv2.LINE_AA)
    cv2.line(rgb, at(0, 1), at(0, 1.6), _SKIN, px(0.5), cv2.LINE_AA)
    cv2.ellipse(rgb, at(0, 0.6), (px(0.48), px(0.62)), 0, 0, 360, _SKIN, -1, cv2.LINE_AA)
    cv2.ellipse(rgb, at(0, 0.35), (px(0.5), px(0.42)), 0, 180, 360, _HAIR, -1, cv2.LINE_AA)
