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

_ROWS_OF_EACH = 2
"""At least so many rows of a large picture make one of the small one. More change how alike the colours of two samples
are by 0.004 at most on the 18 real clips, no decision, and take three times as long."""

_BLANK_BELOW = 4.0
"""A picture of one colour (standard deviation of each channel, of 255) is a flash or a fade and shows nothing: what
comes after it is compared with what was before."""

_BINS = (8, 4, 8)
_HSV_RANGES = (0, 180, 0, 256, 0, 256)


class CutDetector:
    """Says of each sampled frame whether it begins another shot. One a stream; frames in order of time.

    PySceneDetect's content detector and the colours must agree: alone it takes the whip of a hand-held camera for a
    cut, the more so the further apart the samples are.
    """

    def __init__(self) -> None:
        self._before_bgr: NDArray[np.uint8] | None = None
        self._colours_before = np.zeros(0)
        self._size_wh: tuple[int, int] | None = None

    def push(self, rgb: NDArray[np.uint8]) -> bool:
        """Whether uint8 (H, W, 3) begins another shot; the first frame does not."""
        bgr = np.asarray(cv2.cvtColor(self._small(rgb), cv2.COLOR_RGB2BGR), np.uint8)
        if cv2.meanStdDev(bgr)[1].max() < _BLANK_BELOW:
            return False
        before_bgr, self._before_bgr = self._before_bgr, bgr
        colours_before, self._colours_before = self._colours_before, _colours(bgr)
        if before_bgr is None:
            return False
        # the colours first: they take less time, and hardly ever change
        overlap = float(np.sqrt(colours_before * self._colours_before).sum())
        return overlap < COLOURS_BELOW and _content_changes(before_bgr, bgr)

    def _small(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Scaled down; to the first frame's size also where the stream changes its own."""
        if self._size_wh is None:
            height, width = rgb.shape[:2]
            scale = min(1.0, _LOOKED_AT_PX / max(width, height))
            self._size_wh = max(1, round(width * scale)), max(1, round(height * scale))
        # of a large picture some rows do, as long as each row of the small one is a mean of several
        every = max(1, rgb.shape[0] // (_ROWS_OF_EACH * self._size_wh[1]))
        return np.asarray(cv2.resize(rgb[::every], self._size_wh, interpolation=cv2.INTER_AREA), np.uint8)


def _content_changes(before_bgr: NDArray[np.uint8], bgr: NDArray[np.uint8]) -> bool:
    """Whether PySceneDetect sees a cut between two pictures."""
    content = ContentDetector(threshold=CONTENT_FROM, min_scene_len=0)
    # their times only serve to keep scenes apart that are too short, and none is here
    content.process_frame(FrameTimecode(0, 1.0), before_bgr)
    return bool(content.process_frame(FrameTimecode(1, 1.0), bgr))


def _colours(bgr: NDArray[np.uint8]) -> NDArray[np.float64]:
    counts = cv2.calcHist([cv2.cvtColor(bgr, cv2.COLOR_BGR2HSV)], [0, 1, 2], None, list(_BINS), list(_HSV_RANGES))
    return np.asarray(counts.ravel() / counts.sum(), np.float64)
