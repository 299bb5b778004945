"""Map pictures with a high dynamic range or a wide gamut to BT.709, so that they look as in SDR."""

from __future__ import annotations

import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from av.filter import Graph
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorTrc
from numpy.typing import NDArray

from recognizer.video.colors import CONVERTED
from recognizer.video.filter_source import add_source

_UNSPECIFIED: Final = 2
"""No value, for a color space, primaries and transfer curve alike (ITU-T H.273)."""

_HDR_NAMES: Final[dict[int, str]] = {ColorTrc.SMPTE2084: "PQ", ColorTrc.ARIB_STD_B67: "HLG"}

_RED_GREEN_BLUE_XY: Final[dict[int, tuple[tuple[float, float], ...]]] = {
    ColorPrimaries.BT709: ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060)),
    ColorPrimaries.BT2020: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    ColorPrimaries.SMPTE432: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}
"""Chromaticities of the primaries (ITU-T H.273, table 2), all with the white point D65."""
_D65_XY: Final = (0.3127, 0.3290)

_MATRICES: Final = {1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 9: "bt2020"}
"""The names in FFmpeg's filter of the color spaces of ITU-T H.273."""

_LUMA: Final = (0.2627, 0.6780, 0.0593)
"""Shares of red, green and blue in the luminance of BT.2020."""

_REFERENCE_WHITE_NITS: Final = 203.0
"""Luminance of white paper in HDR (ITU-R BT.2408, table 1)."""

_HLG_PEAK_NITS: Final = 1000.0
_HLG_GAMMA: Final = 1.2
"""System gamma of HLG on a display of that peak (ITU-R BT.2100, table 5)."""

_SDR_GAMMA: Final = 2.4
"""Gamma of a display for BT.709 (ITU-R BT.1886)."""

_KNEE: Final = 0.9
"""Up to this share of the reference white the light is kept; above it, it approaches white, which saves some of the
highlights and puts the reference white at 251 of 255. BT.2390 would darken the picture from a third of it on."""

_GRID: Final = 49
"""Points of the table along each side. With 33, interpolation darkens white in PQ by 3 of 255 levels; 65 take three
times as long to prepare."""


def hdr_name(frame: VideoFrame) -> str | None:
    """Return the transfer curve of a frame with a high dynamic range, ``PQ`` or ``HLG`` (ITU-R BT.2100); else None."""
    return _HDR_NAMES.get(frame.color_trc)


def needs_mapping(frame: VideoFrame) -> bool:
    """Return whether the colours must be mapped to BT.709: a high dynamic range, or BT.2020's or P3's primaries.

    The primaries of PAL and NTSC are so close to BT.709's that players ignore the difference.
    """
    return frame.color_trc in _HDR_NAMES or frame.color_primaries in (ColorPrimaries.BT2020, ColorPrimaries.SMPTE432)


class ColorMapper:
    """Map frames of one kind to BT.709 by a table that FFmpeg looks the colours up in.

    FFmpeg 8 has a mapping of its own (``scale=out_transfer=bt709`` of libswscale 9). It needs 2.6 s of processor time
    to begin and 39 ms for a picture of 1920 × 1080, this one 0.2 s and 25 ms (one core of a Zen 4), and it makes a
    saturated green of 200 one of 181.
    """

    def __init__(self, frame: VideoFrame, size_wh: tuple[int, int]) -> None:
        """Prepare for frames that are like ``frame``; ``size_wh``: size of the result before turning."""
        is_hdr = frame.color_trc in _HDR_NAMES
        primaries = frame.color_primaries if frame.color_primaries in _RED_GREEN_BLUE_XY else ColorPrimaries.BT2020
        matrix = frame.colorspace if frame.colorspace in CONVERTED else 9 if is_hdr else 1
        scale = {"w": str(size_wh[0]), "h": str(size_wh[1]), "flags": "bilinear", "out_range": "full"}
        if matrix in _MATRICES and not frame.format.is_rgb:
            scale["in_color_matrix"] = _MATRICES[matrix]
        self._graph = graph = Graph()
        graph.threads = 1  # decoding and the networks already share the cores
        with tempfile.TemporaryDirectory() as folder:
            table = Path(folder, "table.cube")
            table.write_text(_cube(frame.color_trc if is_hdr else _UNSPECIFIED, primaries), "ascii")
            graph.link_nodes(
                add_source(graph, frame),
                graph.add("scale", **scale),
                graph.add("format", "pix_fmts=gbrp16"),  # the only format that lut3d looks up fast, besides floats
                graph.add("lut3d", file=str(table), interp="tetrahedral"),
                graph.add("scale"),
                graph.add("format", "pix_fmts=rgb24"),
                graph.add("buffersink"),
            )
            graph.configure()

    def rgb(self, frame: VideoFrame) -> VideoFrame:
        """Return the picture in RGB, not yet turned."""
        self._graph.push(frame)
        mapped = self._graph.pull()
        assert isinstance(mapped, VideoFrame)
        return mapped


def to_bt709(rgb: NDArray[np.float64], transfer: int, primaries: int) -> NDArray[np.float64]:
    """Map colours, float64 (..., 3) from 0 to 1, to those of BT.709 that look the same.

    Args:
        rgb: red, green and blue as stored.
        transfer: the transfer curve of ITU-T H.273; any other than PQ and HLG counts as SDR.
        primaries: the primaries of ITU-T H.273.
    """
    if transfer == ColorTrc.SMPTE2084:
        light = _pq_nits(rgb) / _REFERENCE_WHITE_NITS
    elif transfer == ColorTrc.ARIB_STD_B67:
        light = _hlg_nits(rgb) / _REFERENCE_WHITE_NITS
    else:
        light = rgb**_SDR_GAMMA
    light = light @ (np.linalg.inv(_to_xyz(ColorPrimaries.BT709)) @ _to_xyz(primaries)).T
    # all three channels by one factor: channel by channel, bright skin would turn yellow
    brightest = light.max(axis=-1, keepdims=True)
    if transfer in _HDR_NAMES:
        above = np.maximum(brightest - _KNEE, 0)
        kept = np.where(above > 0, _KNEE + (1 - _KNEE) * -np.expm1(-above / (1 - _KNEE)), brightest)
    else:
        kept = np.minimum(brightest, 1)
    light = light * kept / np.maximum(brightest, 1e-9)
    mapped: NDArray[np.float64] = np.clip(light, 0, 1) ** (1 / _SDR_GAMMA)
    return mapped


def _pq_nits(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the light of a display in cd/m² (ITU-R BT.2100, table 4)."""
    m1, m2 = 2610 / 16384, 2523 / 4096 * 128
    c1, c2, c3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
    power = rgb ** (1 / m2)
    nits: NDArray[np.float64] = 10_000 * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)
    return nits


def _hlg_nits(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the light of a display of ``_HLG_PEAK_NITS`` in cd/m² (ITU-R BT.2100, table 5)."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(rgb <= 0.5, rgb**2 / 3, (np.exp((rgb - c) / a) + b) / 12)
    luminance = (scene @ np.array(_LUMA))[..., None]
    nits: NDArray[np.float64] = _HLG_PEAK_NITS * luminance ** (_HLG_GAMMA - 1) * scene
    return nits


def _to_xyz(primaries: int) -> NDArray[np.float64]:
    """Return the matrix from linear red, green and blue to CIE XYZ (SMPTE RP 177)."""
    corners = np.array([_xyz(xy) for xy in _RED_GREEN_BLUE_XY[primaries]]).T
    matrix: NDArray[np.float64] = corners * np.linalg.solve(corners, _xyz(_D65_XY))
    return matrix


def _xyz(xy: tuple[float, float]) -> NDArray[np.float64]:
    x, y = xy
    return np.array([x / y, 1.0, (1 - x - y) / y])


@lru_cache(maxsize=4)
def _cube(transfer: int, primaries: int) -> str:
    """Return the mapping as a table in Adobe's format ``.cube``, in which red changes fastest."""
    steps = np.linspace(0, 1, _GRID)
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")
    mapped = to_bt709(np.stack((red, green, blue), axis=-1), transfer, primaries).reshape(-1, 3)
    rows = (f"{r:.6f} {g:.6f} {b:.6f}" for r, g, b in mapped.tolist())
    return "\n".join((f"LUT_3D_SIZE {_GRID}", *rows, ""))
