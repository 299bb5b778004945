"""Stand-ins for the networks: a detector that follows a script and a classifier that records its clips.

Detectors receive pictures without frame numbers, so each test picture stores its number in its first pixel, and a
script can refer to frames. A video file must then be lossless: see ``numbered_video``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recognizer.networks.loading import Models
from recognizer.types import Box, Clip, Detection, Frame, Prediction, VideoInfo

Script = Callable[[int], Sequence[Detection]]
"""Maps a frame number to the people that the detector finds."""

Answer = tuple[tuple[str, float], ...]


def numbered_picture(number: int, width: int = 64, height: int = 48) -> NDArray[np.uint8]:
    """Return a grey picture, uint8 (height, width, 3), that stores ``number`` in its first pixel."""
    rgb = np.full((height, width, 3), 90, np.uint8)
    rgb[0, 0] = number & 255, number >> 8 & 255, number >> 16
    return rgb


def number_of(rgb: NDArray[np.uint8]) -> int:
    """Return the number that ``numbered_picture`` stored."""
    red, green, blue = rgb[0, 0].tolist()
    return int(red + (green << 8) + (blue << 16))


def numbered_frame(number: int, time_s: float, width: int = 64, height: int = 48) -> Frame:
    return Frame(number, time_s, numbered_picture(number, width, height))


def numbered_video(
    make_video: Callable[..., Path],
    frames: int,
    *,
    fps: int | Fraction = 30,
    name: str = "numbered.mkv",
    **options: object,
) -> Path:
    """Write a lossless video of numbered pictures."""
    pictures = [numbered_picture(k) for k in range(frames)]
    return make_video(name, frames=pictures, fps=fps, codec="ffv1", pix_fmt="bgr0", **options)


def video_info(frame_rate: int | Fraction | None = 30, duration_s: float | None = None) -> VideoInfo:
    """Describe a video whose hash, frame count and codec are unknown."""
    rate = None if frame_rate is None else Fraction(frame_rate)
    return VideoInfo(None, 64, 48, rate, duration_s, None, None)


def person(box_xyxy: Box = (8, 8, 24, 40), confidence: float = 0.9) -> Detection:
    return Detection(box_xyxy, confidence)


def always(*people: Detection) -> Script:
    return lambda _: people


class ScriptedDetector:
    """Finds the people in the script.

    ``seen`` holds the numbers of all pictures in the order in which they arrived.
    """

    def __init__(self, script: Script) -> None:
        self._script = script
        self._lock = threading.Lock()
        self.seen: list[int] = []
        self.batch_sizes: list[int] = []

    def detect(self, frames_rgb: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
        with self._lock:
            self.batch_sizes.append(len(frames_rgb))
            self.seen += [number_of(rgb) for rgb in frames_rgb]
        return [list(self._script(number_of(rgb))) for rgb in frames_rgb]


class ScriptedClassifier:
    """Labels each clip with the answer of ``says``.

    ``clips`` holds ``(person_id, start_s, end_s, samples)`` of every clip, without its crops.
    """

    name = "scripted"
    labels = ("waving", "jogging", "juggling", "reading", "yoga", "tai chi")

    def __init__(self, says: Callable[[Clip], Answer] | None = None) -> None:
        self._says = says or (lambda _: (("waving", 0.6), ("jogging", 0.3)))
        self.clips: list[tuple[int, float, float, int]] = []
        self.batch_sizes: list[int] = []

    def classify(self, clips: Sequence[Clip]) -> list[Prediction]:
        if clips:
            self.batch_sizes.append(len(clips))
        self.clips += [(clip.person_id, clip.start_s, clip.end_s, len(clip.rgb)) for clip in clips]
        return [Prediction(clip.person_id, clip.start_s, clip.end_s, self._says(clip), self.name) for clip in clips]

    def warm_up(self, samples: int) -> None:
        """Do nothing: a stand-in needs no set-up."""


def scripted_models(script: Script, says: Callable[[Clip], Answer] | None = None) -> Models:
    """Return a detector and a classifier, with the detector's hash that a stored pass needs."""
    return Models(ScriptedDetector(script), ScriptedClassifier(says), {"detector_sha256": "0" * 64})
