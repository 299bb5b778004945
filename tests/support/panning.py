"""Pictures of a camera that pans past a scene, and a person in them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from recognizer.timeline.model import Timeline
from recognizer.timeline.movement import Movement, people_moving
from recognizer.timeline.speeds import Unknown
from tests.support.fakes import Script, numbered_picture, person

FRAMES, WIDTH, HEIGHT = 36, 320, 192
RATE_HZ, HEIGHT_PX = 30, 100


def panned_pictures(camera_px: float) -> list[NDArray[np.uint8]]:
    """Return FRAMES pictures of a camera that pans by so much in each frame; each picture stores its number."""
    noise = np.random.default_rng(0).integers(0, 256, (HEIGHT // 12, 1200 // 12, 3), np.uint8)
    world = cv2.resize(noise, (1200, HEIGHT), interpolation=cv2.INTER_CUBIC)
    pictures = []
    for k in range(FRAMES):
        shift = np.array([[1, 0, -300 - camera_px * k], [0, 1, 0]], np.float64)
        picture = np.asarray(cv2.warpAffine(world, shift, (WIDTH, HEIGHT)), np.uint8)
        picture[0, 0] = numbered_picture(k)[0, 0]
        pictures.append(picture)
    return pictures


def walks(picture_px: float) -> Script:
    """A person whose box moves by so much in each frame of the picture."""
    return lambda k: [person((130 + picture_px * k, 60, 165 + picture_px * k, 60 + HEIGHT_PX))]


def only_person(timeline: Timeline) -> tuple[float | None, set[Movement | Unknown]]:
    """Return the mean speed of the only person, and their movements."""
    (moving,) = people_moving(timeline)
    return moving.summary.mean_per_s, set(moving.summary.seconds)
