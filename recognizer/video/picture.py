"""Turn a decoded frame into the upright RGB picture that everything else works on."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import cast

import numpy as np
from av.sidedata.sidedata import SideData
from av.sidedata.sidedata import Type as SideDataType
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from recognizer.errors import VideoError
from recognizer.video.color_mapping import ColorMapper, needs_mapping
from recognizer.video.colors import assumed_colorspace
from recognizer.video.deinterlacing import codes_fields

MAX_SIDE_PX = 16_384
MAX_PICTURE_PX = 100_000_000

SQUARE = Fraction(1)

_SAME_SHAPE = 0.02
"""Borders of up to this share of a side are left out: sizes are rounded, and 1088 rows are stored for 1080."""


@dataclass(frozen=True)
class Orientation:
    """The steps that turn a stored picture upright: transpose it first, then mirror it."""

    transpose: bool = False
    flip_x: bool = False
    flip_y: bool = False

    def apply(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the upright picture, uint8 (H, W, 3), without copying it."""
        if self.transpose:
            rgb = rgb.transpose(1, 0, 2)
        return rgb[:: -1 if self.flip_y else 1, :: -1 if self.flip_x else 1]

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


@dataclass(frozen=True)
class _Plan:
    """The conversion of frames that are alike.

    Attributes:
        scaled_wh: width and height to scale to, before turning.
        orientation: how to turn the result.
        colorspace: the color space to assume; None for the frame's own.
        mapper: maps the colours and scales; None for pictures in the usual colours.
        fills: whether the result has the size asked for; else it gets black borders.
    """

    scaled_wh: tuple[int, int]
    orientation: Orientation
    colorspace: Colorspace | None
    mapper: ColorMapper | None
    fills: bool


class PictureConverter:
    """Convert frames to upright RGB pictures of one size, with square pixels and the colours that a player shows.

    A picture of another shape is fitted into that size, with black borders. Reuses FFmpeg's scaler, which is costly to
    set up.

    Attributes:
        letterboxes: whether the latest picture has borders.
    """

    def __init__(self, size_wh: tuple[int, int]) -> None:
        self.letterboxes = False
        self._size_wh = size_wh
        self._orientation = Orientation()
        self._kind: tuple[object, ...] | None = None
        self._plan = _Plan(size_wh, Orientation(), None, None, fills=True)
        self._scaler = VideoReformatter()

    def upright_rgb(self, frame: VideoFrame, pixel_aspect: Fraction = SQUARE) -> NDArray[np.uint8]:
        """Return the picture, uint8 (H, W, 3); ``pixel_aspect`` is the stored pixels' width divided by height."""
        upright = self._upright(frame, pixel_aspect)
        if self._plan.fills:
            return np.ascontiguousarray(upright)
        width, height = self._size_wh
        rgb = np.zeros((height, width, 3), np.uint8)
        _put_in_the_middle(upright, rgb)
        return rgb

    def write(self, frame: VideoFrame, into_rgb: NDArray[np.uint8], pixel_aspect: Fraction = SQUARE) -> None:
        """Write the picture into an array, uint8 (H, W, 3)."""
        upright = self._upright(frame, pixel_aspect)
        if not self._plan.fills:
            into_rgb[:] = 0
        _put_in_the_middle(upright, into_rgb)

    def _upright(self, frame: VideoFrame, pixel_aspect: Fraction) -> NDArray[np.uint8]:
        """Return the picture without borders, uint8 (H, W, 3), where FFmpeg converted it."""
        kind = (
            *(frame.width, frame.height, frame.format.name, frame.rotation, pixel_aspect),
            *(frame.colorspace, frame.color_range, frame.color_primaries, frame.color_trc),
        )
        if kind != self._kind:
            self._kind = kind
            self._plan = self._planned(frame, pixel_aspect)
            self.letterboxes = not self._plan.fills
        plan = self._plan
        if plan.mapper is None:
            # one thread, because decoding and the networks already share the cores
            converted = self._scaler.reformat(
                frame, *plan.scaled_wh, "rgb24", src_colorspace=plan.colorspace, threads=1
            )
        else:
            converted = plan.mapper.rgb(frame)
        return plan.orientation.apply(_packed(converted))

    def _planned(self, frame: VideoFrame, pixel_aspect: Fraction) -> _Plan:
        self._orientation = orientation_of(frame) or self._orientation
        orientation = self._orientation
        square_wh = square_size_wh(frame.width, frame.height, pixel_aspect)
        fitted_wh = _fitted_wh(orientation.size_wh(*square_wh), self._size_wh)
        scaled_wh = orientation.size_wh(*fitted_wh)
        mapper = ColorMapper(frame, scaled_wh) if needs_mapping(frame) else None
        colorspace = assumed_colorspace(frame, square_wh[1])
        return _Plan(scaled_wh, orientation, colorspace, mapper, fills=fitted_wh == self._size_wh)


class PixelAspect:
    """Width of a stored pixel divided by its height, which changes where a broadcast goes from 4:3 to 16:9."""

    def __init__(self, stream: VideoStream) -> None:
        self._context = stream.codec_context
        self._first = self._context.sample_aspect_ratio
        self._stated = _plausible_aspect(stream.sample_aspect_ratio)
        # the container's word counts more than the codec's
        self._is_fixed = self._stated != _plausible_aspect(self._first)
        self._codes_fields = codes_fields(stream)

    def of(self, frame: VideoFrame) -> Fraction:
        """Return the aspect of the latest decoded frame. A change may come as early as the decoder reads ahead."""
        coded = self._context.sample_aspect_ratio
        aspect = self._stated if self._is_fixed or coded == self._first else _plausible_aspect(coded)
        return aspect / 2 if self._codes_fields and frame.interlaced_frame else aspect


def _plausible_aspect(aspect: Fraction | None) -> Fraction:
    return aspect if aspect is not None and Fraction(1, 4) <= aspect <= 4 else SQUARE


def _fitted_wh(wh: tuple[int, int], into_wh: tuple[int, int]) -> tuple[int, int]:
    """Return the largest size of this shape that fits; all of it if the shapes differ by no more than rounding."""
    scale = min(into_wh[0] / wh[0], into_wh[1] / wh[1])
    fitted = (max(1, round(wh[0] * scale)), max(1, round(wh[1] * scale)))
    missing = max(1 - fitted[0] / into_wh[0], 1 - fitted[1] / into_wh[1])
    return into_wh if missing <= _SAME_SHAPE else fitted


def _packed(frame: VideoFrame) -> NDArray[np.uint8]:
    """Return the pixels of an RGB frame, uint8 (H, W, 3), where they are: its rows may have padding."""
    plane = frame.planes[0]
    return np.ndarray((frame.height, frame.width, 3), np.uint8, memoryview(plane), strides=(plane.line_size, 3, 1))


def _put_in_the_middle(rgb: NDArray[np.uint8], into_rgb: NDArray[np.uint8]) -> None:
    height, width, _ = rgb.shape
    left, top = (into_rgb.shape[1] - width) // 2, (into_rgb.shape[0] - height) // 2
    into_rgb[top : top + height, left : left + width] = rgb


def square_size_wh(width: int, height: int, pixel_aspect: Fraction) -> tuple[int, int]:
    """Return the size with square pixels. One side is enlarged and none reduced, as in Chromium and mpv."""
    if pixel_aspect > 1:
        return round(width * pixel_aspect), height
    return width, round(height / pixel_aspect)


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
