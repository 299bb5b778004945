"""A video whose analysis depends on every picture, and where its save points go."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from recognizer.analysis import save_points
from recognizer.export import timeline_json
from recognizer.networks.loading import Models
from recognizer.people import tracking
from recognizer.settings import Settings
from recognizer.timeline.model import Timeline
from recognizer.types import Clip, Detection
from tests.support.fakes import Answer, numbered_picture, person, scripted_models

FRAMES, WIDTH, HEIGHT = 132, 160, 120
_RATE_HZ = 30
_CUT, _BLANK = 80, range(40, 44)

SETTINGS = Settings(
    num_video_sequence_samples=6, skip_frame=2, overlap=0.5, steady_crop=True, surroundings=True, keep_features=False
)


def save_always(patch: pytest.MonkeyPatch) -> None:
    """Have a save point made after each batch."""
    for name in ("EVERY_S", "EVERY_VIDEO_S", "CLOSEST_S"):
        patch.setattr(save_points, name, 0.0)


def let_the_tracker_swap(patch: pytest.MonkeyPatch) -> None:
    """Have the tracker match boxes in any colours, so that it swaps the people of ``busy_video`` who cross."""
    patch.setattr(tracking, "_LEAST_LOOK", 0.0)


class MemorySavePoints:
    """Keeps save points in a list."""

    def __init__(self, chunks: Sequence[bytes] = ()) -> None:
        self.kept = list(chunks)

    def chunks(self) -> Sequence[bytes]:
        return self.kept

    def save(self, chunk: bytes) -> None:
        self.kept.append(chunk)


def busy_video(path: Path) -> Path:
    """Write a lossless video with a moving camera, a cut, blank pictures, and people who cross."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=_RATE_HZ)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "bgr0"
        for number, picture in enumerate(_pictures()):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, _RATE_HZ)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def _pictures() -> list[NDArray[np.uint8]]:
    pictures = []
    for shot in (0, 1):
        noise = np.random.default_rng(shot).integers(0, 256 - 120 * shot, (HEIGHT // 6, 110, 3), np.uint8)
        world = cv2.resize(noise, (660, HEIGHT), interpolation=cv2.INTER_CUBIC)
        for k in range(_CUT) if shot == 0 else range(_CUT, FRAMES):
            shift = np.array([[1, 0, -1.5 * k], [0, 1, 0]], np.float64)
            picture = np.asarray(cv2.warpAffine(world, shift, (WIDTH, HEIGHT)), np.uint8)
            for number, found in enumerate(_people(k)):
                x1, y1, x2, y2 = map(int, found.box_xyxy)
                picture[max(y1, 0) : y2, max(x1, 0) : x2] = (40 + 90 * (number % 3), 200 - 60 * number, 30 * number)
            picture[0, 0] = numbered_picture(k)[0, 0]
            pictures.append(numbered_picture(k, WIDTH, HEIGHT) if k in _BLANK else picture)
    return pictures


def _people(number: int) -> list[Detection]:
    """Two who cross again and again, one who comes for moments, and one at the edge whom the detector half believes."""
    swing = 50 * abs(np.cos(number / 13))
    found = [
        person((60 + swing, 30, 84 + swing, 100), 0.6 + number % 7 / 20),
        person((64 - swing, 34, 90 - swing, 102), 0.7 + number % 5 / 20),
        person((4, 50, 24, 110), 0.2 + number % 9 / 20),
    ]
    return [*found, person((130, 40, 152, 96), 0.9)] if number % 30 < 9 else found


def _says(clip: Clip) -> Answer:
    """Answer by the bytes of the clip."""
    around = b"" if clip.surroundings_rgb is None else clip.surroundings_rgb.tobytes()
    sum_of_all = zlib.crc32(clip.rgb[:, ::2].tobytes() + around) / 2**32
    return ("waving", 0.5 + sum_of_all / 2), ("jogging", 0.5 - sum_of_all / 2)


def busy_models() -> Models:
    """Return stand-ins for the networks, with the people of ``busy_video``."""
    return scripted_models(_people, _says)


def document(timeline: Timeline) -> str:
    """Return everything about a timeline as text."""
    return timeline_json(timeline, include_boxes=True, include_frame_times=True)
