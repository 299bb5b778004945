"""Where one shot ends and another begins, found in the sampled frames."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scenedetect import ContentDetector, FrameTimecode

CONTENT_FROM = 27.0
"""Mean change of hue, saturation and brightness (0 to 255) from one sample to the next that may be a cut:
PySceneDetect's own default for its content detector."""

COLOURS_BELOW = 0.86
"""A cut also changes which colours there are; a camera that is swung round does not, however much each pixel changes.
Overlap of two colour histograms (Bhattacharyya, 0 to 1): over 0.87 from sample to sample within each of 13 real clips,
hand-held ones and skip intervals up to 8 included, and under 0.86 between any two (docs/accuracy-identities.md)."""

_LOOKED_AT_PX = 128
"""Longer side of the picture that is compared: noise and compression average out, and it costs little."""

_BLANK_BELOW = 4.0
"""A picture of one colour (standard deviation of each channel, of 255) is a flash or a fade and shows nothing: what
comes after it is compared with what was before."""

_BINS = (8, 4, 8)
_HSV_RANGES = (0, 180, 0, 256, 0, 256)


class CutDetector:
    """Says of each sampled frame whether it begins another shot. One a stream; frames in order of time.

    PySceneDetect's content detector proposes, the colours decide: alone it takes the whip of a hand-held camera for a
    cut, the more so the further apart the samples are.
    """

    def __init__(self) -> None:
        self._content = ContentDetector(threshold=CONTENT_FROM, min_scene_len=0)
        self._colours: NDArray[np.float64] | None = None
        self._size_wh: tuple[int, int] | None = None
        self._count = 0

    def is_cut(self, rgb: NDArray[np.uint8]) -> bool:
        """Whether uint8 (H, W, 3) begins another shot; the first frame does not."""
        bgr = np.asarray(cv2.cvtColor(self._small(rgb), cv2.COLOR_RGB2BGR), np.uint8)
        if cv2.meanStdDev(bgr)[1].max() < _BLANK_BELOW:
            return False
        # its times only serve to keep scenes apart that are too short, and none is here
        proposed = bool(self._content.process_frame(FrameTimecode(self._count, 1.0), bgr))
        self._count += 1
        before, self._colours = self._colours, _colours(bgr)
        return proposed and before is not None and float(np.sqrt(before * self._colours).sum()) < COLOURS_BELOW

    def _small(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Scaled down; to the first frame's size also where the stream changes its own."""
        if self._size_wh is None:
            height, width = rgb.shape[:2]
            scale = min(1.0, _LOOKED_AT_PX / max(width, height))
            self._size_wh = max(1, round(width * scale)), max(1, round(height * scale))
        return np.asarray(cv2.resize(rgb, self._size_wh, interpolation=cv2.INTER_AREA), np.uint8)


def _colours(bgr: NDArray[np.uint8]) -> NDArray[np.float64]:
    counts = cv2.calcHist([cv2.cvtColor(bgr, cv2.COLOR_BGR2HSV)], [0, 1, 2], None, list(_BINS), list(_HSV_RANGES))
    return np.asarray(counts.ravel() / counts.sum(), np.float64)
