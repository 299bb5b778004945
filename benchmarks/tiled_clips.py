"""Make videos of any length with any number of people, tiled from real clips."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import cycle, islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from recognizer.video import VideoWriter, open_video

WIDTH, HEIGHT = 1280, 720
RATE = Fraction(30)
ONE_PERSON = (
    "stgcn_ta_chi.mp4",
    "tv_v_SoccerJuggling_g24_c01.avi",
    "c11_signlanguage_one_signer_ccby.mp4",
    "tv_R6llTwEh07w.mp4",
)
"""The shared clips with one person who is always present."""

_FRAMES_OF_EACH = 240


def tiled_video(
    clips: Path, people: int, seconds: float, target: Path, size_wh: tuple[int, int] = (WIDTH, HEIGHT)
) -> Path:
    """Write a video of ``people`` people to ``target``, each in a cell, played forwards, then backwards."""
    width, height = size_wh
    places = cells(people, size_wh)
    path = target / f"people-{people}-{seconds:g}s-{width}x{height}.mp4"
    if path.is_file():
        return path
    loops = []
    for name in islice(cycle(ONE_PERSON), people):
        with open_video(clips / name) as reader:
            frames = reader.frames(lambda index, _: index < _FRAMES_OF_EACH)
            pictures = [_fitted(frame.rgb, *places[0][2:]) for frame in frames]
        loops.append(pictures + pictures[::-1])
    part = path.with_suffix(".part.mp4")
    writer = VideoWriter(part, RATE, width, height, preset="veryfast")
    for k in range(round(seconds * RATE)):
        canvas = np.full((height, width, 3), 96, np.uint8)
        for cell, (loop, (left, top, cell_width, cell_height)) in enumerate(zip(loops, places, strict=True)):
            # no two people move in step
            picture = loop[(k + 17 * cell) % len(loop)]
            canvas[top : top + cell_height, left : left + cell_width] = picture
        writer.write(canvas, k / float(RATE))
    writer.close()
    part.replace(path)
    return path


def cells(people: int, size_wh: tuple[int, int]) -> list[tuple[int, int, int, int]]:
    """Return left, top, width and height of each person's cell in a picture."""
    columns = math.ceil(math.sqrt(people))
    width, height = size_wh[0] // columns, size_wh[1] // math.ceil(people / columns)
    return [(k % columns * width, k // columns * height, width, height) for k in range(people)]


def _fitted(rgb: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Scale the whole picture to fit the cell, on grey, so that nobody is cut off."""
    scale = min(width / rgb.shape[1], height / rgb.shape[0])
    size = (round(rgb.shape[1] * scale), round(rgb.shape[0] * scale))
    scaled = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    cell = np.full((height, width, 3), 96, np.uint8)
    left, top = (width - size[0]) // 2, (height - size[1]) // 2
    cell[top : top + size[1], left : left + size[0]] = scaled
    return cell
