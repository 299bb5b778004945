"""Turn a decoded frame into the upright RGB picture that everything else works on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
from av.sidedata.sidedata import SideData
from av.sidedata.sidedata import Type as SideDataType
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from recognizer.errors import VideoError

MAX_SIDE_PX = 16_384
MAX_PICTURE_PX = 100_000_000


@dataclass(frozen=True)
class Orientation:
    """How to turn a stored picture upright: transpose it first, then mirror it."""

    transpose: bool = False
    flip_x: bool = False
    flip_y: bool = False

    def apply(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the upright picture, uint8 (H, W, 3), contiguous."""
        if self.transpose:
            rgb = rgb.transpose(1, 0, 2)
        return np.ascontiguousarray(rgb[:: -1 if self.flip_y else 1, :: -1 if self.flip_x else 1])

    def size_wh(self, width: int, height: int) -> tuple[int, int]:
        """Return width and height after turning. This is its own inverse."""
        return (height, width) if self.transpose else (width, height)


def orientation_of(frame: VideoFrame) -> Orientation | None:
    """Return how a frame's display matrix turns it, to the nearest right angle; None without a matrix.

    The matrix is that of ISO/IEC 14496-12, 6.2.2: x' = a x + c y, y' = b x + d y, in 16.16 fixed point.
    PyAV keeps a frame in memory until the next garbage collection once its side data is read: do not call this for
    every frame.
    """
    for item in cast("list[SideData]", list(frame.side_data)):
        if item.type is SideDataType.DISPLAYMATRIX:
            a, b, _, c, d = (int(value) for value in np.frombuffer(bytes(item), np.int32)[:5])
            if abs(a) + abs(d) >= abs(b) + abs(c):
                return Orientation(False, flip_x=a < 0, flip_y=d < 0)
            return Orientation(True, flip_x=c < 0, flip_y=b < 0)
    return None


class PictureConverter:
    """Convert frames to upright RGB pictures of one size. Reuses FFmpeg's scaler, which is costly to set up."""

    def __init__(self, size_wh: tuple[int, int]) -> None:
        self._size_wh = size_wh
        self._orientation = Orientation()
        self._rotation: int | None = None
        self._scaler = VideoReformatter()

    def upright_rgb(self, frame: VideoFrame) -> NDArray[np.uint8]:
        """Return the picture, uint8 (H, W, 3)."""
        if frame.rotation != self._rotation:
            self._rotation = frame.rotation
            self._orientation = orientation_of(frame) or self._orientation
        width, height = self._orientation.size_wh(*self._size_wh)
        # one thread, because decoding and the networks already share the cores
        rgb = self._scaler.reformat(frame, width, height, "rgb24", threads=1).to_ndarray()
        return self._orientation.apply(rgb.astype(np.uint8, copy=False))


def check_picture_size(width: int, height: int, shown: str) -> None:
    """Refuse pictures that would exhaust the memory.

    Raises:
        VideoError: a side exceeds 16384 px, or the picture exceeds 100 megapixels.
    """
    if max(width, height) > MAX_SIDE_PX or width * height > MAX_PICTURE_PX:
        raise VideoError(
            f"the pictures of {shown} are {width} × {height} pixels, the limit is {MAX_SIDE_PX} a side and"
            f" {MAX_PICTURE_PX // 10**6} million in all; convert it to a smaller size."
        )


def fitting_wh(width: int, height: int, max_height_px: int | None) -> tuple[int, int]:
    """Return width and height, scaled down to ``max_height_px`` if they exceed it."""
    if max_height_px is None or height <= max_height_px:
        return width, height
    return max(1, round(width * max_height_px / height)), max_height_px
