"""Stand-ins at the model boundary: a detector that follows a script, a classifier that keeps what it was given.

A picture carries its own number in its first pixel, so that a script can be written by frame: a detector sees
pictures only. Videos for ``analyze`` must be lossless then (``numbered_video``).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from recognizer.networks.loading import Models
from recognizer.types import Box, Clip, Detection, Frame, Prediction, VideoInfo

if TYPE_CHECKING:
    pass

Script = Callable[[int], Sequence[Detection]]
"""Who is found in the frame of that number."""

Answer = tuple[tuple[str, float], ...]


def numbered_picture(number: int, width: int = 64, height: int = 48) -> NDArray[np.uint8]:
    """uint8 (height, width, 3); grey, with ``number`` in its first pixel."""
    rgb = np.full((height, width, 3), 90, np.uint8)
    rgb[0, 0] = number & 255, number >> 8 & 255, number >> 16
    return rgb


def number_of(rgb: NDArray[np.uint8]) -> int:
    """The number that ``numbered_picture`` put in."""
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
    """A lossless video of numbered pictures."""
    pictures = [numbered_picture(k) for k in range(frames)]
    return make_video(name, frames=pictures, fps=fps, codec="ffv1", pix_fmt="bgr0", **options)


def video_info(frame_rate: int | Fraction | None = 30, duration_s: float | None = None) -> VideoInfo:
    """A video of which little is known; no hash."""
    rate = None if frame_rate is None else Fraction(frame_rate)
    return VideoInfo(None, 64, 48, rate, duration_s, None, None)


def person(box_xyxy: Box = (8, 8, 24, 40), confidence: float = 0.9) -> Detection:
    return Detection(box_xyxy, confidence)


def always(*people: Detection) -> Script:
    return lambda _: people


class ScriptedDetector:
    """Finds whom the script names. ``seen`` holds the numbers of all pictures it was shown, in order."""

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
    """Says what ``says`` tells of each clip; keeps ``(person_id, start_s, end_s, samples)`` of all, not the crops."""

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
        """There is nothing to set up."""


def scripted_models(script: Script, says: Callable[[Clip], Answer] | None = None) -> Models:
    """Both, with a detector hash so that a crop store can keep the pass."""
    return Models(ScriptedDetector(script), ScriptedClassifier(says), {"detector_sha256": "0" * 64})
