"""Pictures as cameras, recorders and other programs write them come out as a player shows them."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import ColorPrimaries, ColorTrc
from numpy.typing import NDArray
from PIL import Image

from recognizer.types import Frame
from recognizer.video import is_browser_playable, make_preview, open_video, poster
from recognizer.video.color_mapping import to_bt709
from recognizer.video.reading import line
from tests.support.ffmpeg import ffmpeg

X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-qp", "4", "-pix_fmt", "yuv420p")

TO_GBR = "format=gbrp,setparams=color_primaries=bt709:color_trc=bt709:colorspace=gbr:range=full,"
PQ_TAGS = ("-color_primaries", "bt2020", "-color_trc", "smpte2084", "-colorspace", "bt2020nc")
COLORS = ((0, 0, 0), (64, 64, 64), (128, 128, 128), (192, 192, 192), (255, 255, 255), (200, 40, 40))
"""Colours of the patches, from left to right."""
PATCH_PX = 64

Pixels = NDArray[np.uint8]


@pytest.fixture
def patches(tmp_path: Path) -> Path:
    """A picture of patches in ``COLORS``."""
    rgb = np.concatenate([np.full((PATCH_PX, PATCH_PX, 3), color, np.uint8) for color in COLORS], axis=1)
    path = tmp_path / "patches.png"
    Image.fromarray(rgb).save(path)
    return path


def patch_colors(rgb: Pixels) -> list[tuple[int, ...]]:
    """Return the mean colour in the middle of each patch."""
    middles = np.split(rgb[16:-16], len(COLORS), axis=1)
    return [tuple(int(value) for value in middle[:, 16:-16].mean(axis=(0, 1)).round()) for middle in middles]


def furthest(rgb: Pixels, colors: tuple[tuple[int, ...], ...] = COLORS) -> int:
    return int(np.abs(np.array(patch_colors(rgb)) - np.array(colors)).max())


def read(path: Path) -> tuple[list[Frame], str]:
    """Return all frames and the line about the reading."""
    with open_video(path) as video:
        frames = list(video.frames())
        assert {frame.rgb.shape for frame in frames} == {(video.facts.height, video.facts.width, 3)}
        return frames, line(video.reading)


def as_ffmpeg_converts(path: Path) -> list[Pixels]:
    """Return the frames as PyAV converts them without further words."""
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24").astype(np.uint8) for frame in container.decode(video=0)]


# --- pixels that are not square


@pytest.mark.parametrize(
    ("stored_wh", "aspect", "shown_wh"),
    [
        ((720, 576), "64/45", (1024, 576)),  # PAL, 16:9
        ((720, 576), "16/15", (768, 576)),  # PAL, 4:3
        ((720, 480), "8/9", (720, 540)),  # NTSC, 4:3: the side that is too short grows
        ((720, 480), "32/27", (853, 480)),  # NTSC, 16:9
        ((1440, 1080), "4/3", (1920, 1080)),  # HDV, AVCHD
    ],
)
def test_stored_pixels_are_shown_square(
    tmp_path: Path, stored_wh: tuple[int, int], aspect: str, shown_wh: tuple[int, int]
) -> None:
    # a circle in the middle of the picture that people see
    circle = "geq=lum='if(lt(hypot(X-W/2,Y-H/2),H/4),235,16)':cb=128:cr=128"
    squeezed = f"{circle},scale={stored_wh[0]}:{stored_wh[1]},setsar={aspect}"
    source = f"color=black:s={shown_wh[0]}x{shown_wh[1]}:d=0.04:r=25"
    ffmpeg("-f", "lavfi", "-i", source, "-vf", squeezed, *X264, "tape.mp4", folder=tmp_path)
    frames, said = read(tmp_path / "tape.mp4")
    rows, columns = np.nonzero(frames[0].rgb.mean(axis=2) > 128)
    across, down = np.ptp(columns) + 1, np.ptp(rows) + 1
    assert frames[0].rgb.shape == (shown_wh[1], shown_wh[0], 3)
    assert across / down == pytest.approx(1, abs=0.02)
    assert said == f"{stored_wh[0]} × {stored_wh[1]} shown as {shown_wh[0]} × {shown_wh[1]}"
    # what is made from it needs no aspect of its own
    make_preview(tmp_path / "tape.mp4", tmp_path / "preview.mp4", max_height_px=1080)
    with open_video(tmp_path / "preview.mp4") as preview:
        assert (preview.facts.width, preview.facts.height) == (shown_wh[0] // 2 * 2, shown_wh[1])
        assert preview.reading.pixel_aspect == 1


def test_turned_picture_with_oblong_pixels_is_widened_upright(tmp_path: Path) -> None:
    source = "color=gray:s=320x240:d=0.04:r=25"
    ffmpeg("-f", "lavfi", "-i", source, "-vf", "setsar=2", *X264, "flat.mp4", folder=tmp_path)
    ffmpeg("-display_rotation", "90", "-i", "flat.mp4", "-c", "copy", "turned.mp4", folder=tmp_path)
    with open_video(tmp_path / "turned.mp4") as video:
        assert (video.facts.width, video.facts.height) == (240, 640)
        assert (video.reading.stored_wh, video.reading.shown_wh) == ((240, 320), (240, 640))
        assert video.reading.pixel_aspect == Fraction(1, 2)
        assert next(video.frames()).rgb.shape == (640, 240, 3)


def test_broadcast_that_goes_from_4_3_to_16_9_keeps_its_proportions(tmp_path: Path) -> None:
    for name, aspect in (("a", "16/15"), ("b", "64/45")):
        ffmpeg(
            *("-f", "lavfi", "-i", "color=white:s=720x576:d=0.4:r=25", "-vf", f"setsar={aspect}"),
            *("-c:v", "mpeg2video", "-q:v", "2", f"{name}.ts"),
            folder=tmp_path,
        )
    path = tmp_path / "evening.ts"
    path.write_bytes((tmp_path / "a.ts").read_bytes() + (tmp_path / "b.ts").read_bytes())
    frames, said = read(path)
    assert len(frames) == 20
    assert frames[0].rgb.shape == (576, 768, 3)
    assert frames[8].rgb.min() > 200
    # 16:9 in 4:3: three quarters of the height
    assert (frames[-1].rgb.mean(axis=(1, 2)) > 128).sum() == pytest.approx(432, abs=2)
    assert "the picture changes shape at 0." in said


# --- interlaced pictures


def combing(rgb: Pixels) -> float:
    """Return how much neighbouring rows differ, compared with rows of the same field."""
    grey = rgb.mean(axis=2)
    return float(np.abs(np.diff(grey, axis=0)).mean() / np.abs(grey[2:] - grey[:-2]).mean())


ILDCT = ("-flags", "+ildct+ilme")

INTERLACED = {
    "camcorder.mp4": ("-c:v", "libx264", *ILDCT, "-x264-params", "tff=1", "-pix_fmt", "yuv420p"),
    "avchd.mts": ("-c:v", "libx264", "-flags", "+ildct+ilme", "-x264-params", "tff=1", "-pix_fmt", "yuv420p"),
    "dvd.mpg": ("-c:v", "mpeg2video", "-q:v", "2", *ILDCT),
    "tape.mov": ("-c:v", "prores_ks", "-profile:v", "2", "-flags", "+ildct"),
    "uncompressed.mov": (
        "-c:v",
        "v210",
    ),
}


@pytest.mark.parametrize("name", INTERLACED)
def test_interlaced_pictures_are_deinterlaced_one_for_each_frame(tmp_path: Path, name: str) -> None:
    moving = "color=black:s=320x240:d=1:r=50[b];color=white:s=48x96:d=1:r=50[w];[b][w]overlay=x=40+4*n:y=72"
    ffmpeg("-filter_complex", moving, "-c:v", "ffv1", "fields.mkv", folder=tmp_path)
    weave = "tinterlace=interleave_top,setfield=tff"
    ffmpeg("-i", "fields.mkv", "-vf", weave, *INTERLACED[name], name, folder=tmp_path)
    frames, said = read(tmp_path / name)
    assert said == "deinterlaced"
    assert not is_browser_playable(tmp_path / name)
    assert len(frames) == 25
    assert [frame.index for frame in frames] == list(range(25))
    assert np.diff([frame.time_s for frame in frames]) == pytest.approx(0.04, abs=0.002)
    true = [frame.rgb for frame in read(tmp_path / "fields.mkv")[0]]
    combed = as_ffmpeg_converts(tmp_path / name)
    for number in (0, 5, 12, 24):
        # the first field of frame n shows the moment 2 n; the other rows of the combed one show the next
        assert error(frames[number].rgb, true[2 * number]) < 0.5 * error(combed[number], true[2 * number])
        assert combing(frames[number].rgb) < 0.75 * combing(combed[number])


def test_fields_that_are_pictures_of_their_own_get_their_height_back(tmp_path: Path) -> None:
    circle = "geq=lum='if(lt(hypot(X-W/2,Y-H/2),H/4),235,16)':cb=128:cr=128"
    fields = f"{circle},tinterlace=interleave_top,setfield=tff,separatefields"
    x265 = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "interlace=tff:log-level=none")
    source = ("-f", "lavfi", "-i", "color=black:s=320x240:d=0.4:r=50")
    ffmpeg(*source, "-vf", fields, "-pix_fmt", "yuv420p", *x265, "fields.mkv", folder=tmp_path)
    frames, said = read(tmp_path / "fields.mkv")
    assert len(frames) == 20
    assert said == "deinterlaced; 320 × 120 shown as 320 × 240"
    rows, columns = np.nonzero(frames[7].rgb.mean(axis=2) > 128)
    assert np.ptp(columns) / np.ptp(rows) == pytest.approx(1, abs=0.03)


def error(one: Pixels, other: Pixels) -> float:
    return float(np.abs(one.astype(int) - other).mean())


def test_frames_that_turn_interlaced_in_the_middle_keep_their_order_and_times(tmp_path: Path) -> None:
    parts = (("a.ts", "null"), ("b.ts", "setfield=tff"), ("c.ts", "null"))
    for number, (name, flag) in enumerate(parts):
        grey = f"geq=lum='40+60*{number}+5*N':cb=128:cr=128,{flag}"
        options = ("-flags", "+ildct+ilme", "-x264-params", "tff=1:bframes=0") if flag != "null" else ()
        source = ("-f", "lavfi", "-i", "color=black:s=64x64:d=0.4:r=25", "-vf", grey)
        ffmpeg(*source, *X264, *options, name, folder=tmp_path)
    path = tmp_path / "mixed.ts"
    path.write_bytes(b"".join((tmp_path / name).read_bytes() for name, _ in parts))
    with open_video(path) as video:
        assert not video.reading.deinterlaced
        frames = list(video.frames(lambda index, _: index % 2 == 0))
        assert video.reading.deinterlaced
        assert len(video.frame_times_s) == 30
        assert [frame.time_s for frame in frames] == [video.frame_times_s[frame.index] for frame in frames]
    assert [frame.index for frame in frames] == list(range(0, 30, 2))
    levels = [frame.rgb.mean() for frame in frames]
    expected = [(40 + 60 * (k // 10) + 5 * (k % 10) - 16) * 255 / 219 for k in range(0, 30, 2)]
    assert levels == pytest.approx(expected, abs=4)


# --- colours


@pytest.mark.parametrize(("transfer", "name"), [("smpte2084", "PQ"), ("arib-std-b67", "HLG")])
def test_hdr_looks_as_in_sdr(patches: Path, tmp_path: Path, transfer: str, name: str) -> None:
    # reference white, 203 cd/m2 (ITU-R BT.2408), is what SDR calls white
    to_hdr = (
        "format=gbrp,setparams=color_primaries=bt709:color_trc=bt709:colorspace=gbr:range=full,"
        f"zscale=npl=203:p=bt2020:t={transfer}:m=bt2020nc:r=limited,format=yuv420p10le"
    )
    tags = ("-color_primaries", "bt2020", "-color_trc", transfer, "-colorspace", "bt2020nc")
    x265 = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:crf=4", *tags)
    ffmpeg("-loop", "1", "-r", "25", "-t", "0.2", "-i", patches, "-vf", to_hdr, *x265, "hdr.mp4", folder=tmp_path)
    path = tmp_path / "hdr.mp4"
    assert furthest(as_ffmpeg_converts(path)[0]) > 60
    frames, said = read(path)
    # zscale 3 makes HLG channel by channel, so that its red is paler than BT.2100's
    red = (200, 40, 40) if name == "PQ" else (184, 57, 50)
    assert furthest(frames[0].rgb, (*COLORS[:-1], red)) <= 5
    assert said == f"HDR ({name}) converted to standard colours"
    make_preview(path, tmp_path / "preview.mp4")
    assert furthest(poster(tmp_path / "preview.mp4").rgb, tuple(patch_colors(frames[0].rgb))) <= 5
    # a matrix that FFmpeg's scaler refuses, ICtCp, is read as the usual one of HDR
    ffmpeg("-i", path, "-c", "copy", "-bsf:v", "hevc_metadata=matrix_coefficients=14", "ictcp.mp4", folder=tmp_path)
    assert np.array_equal(read(tmp_path / "ictcp.mp4")[0][0].rgb, frames[0].rgb)


def light_nits(sdr: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return BT.2020 light in cd/m2 for colours of BT.709, 0 to 1, on a display with a white of 203 cd/m2."""
    # ITU-R BT.2087, equation for linear BT.709 to BT.2020
    matrix = [[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]]
    nits: NDArray[np.float64] = 203 * sdr**2.4 @ np.array(matrix).T
    return nits


def pq(nits: NDArray[np.float64]) -> NDArray[np.float64]:
    """The inverse of the curve in ITU-R BT.2100, table 4."""
    power = (nits / 10_000) ** 0.1593017578125
    return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375


def hlg(nits: NDArray[np.float64]) -> NDArray[np.float64]:
    """The inverse of the curves in ITU-R BT.2100, table 5, for a display of 1000 cd/m2."""
    light = nits / 1000
    luminance = (light @ np.array([0.2627, 0.6780, 0.0593]))[:, None]
    scene = light * np.maximum(luminance, 1e-12) ** ((1 - 1.2) / 1.2)
    above = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-12)) + 0.55991073
    return np.asarray(np.where(scene <= 1 / 12, np.sqrt(3 * scene), above), np.float64)


SDR_COLORS = np.array([*COLORS[:-2], (40, 200, 40), (40, 40, 200), (224, 172, 140), (90, 60, 45)]) / 255


@pytest.mark.parametrize(("transfer", "encode"), [(16, pq), (18, hlg), (1, lambda nits: (nits / 203) ** (1 / 2.4))])
def test_standards_formulas_are_undone(
    transfer: int, encode: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> None:
    mapped = to_bt709(encode(light_nits(SDR_COLORS)), transfer, ColorPrimaries.BT2020)
    assert mapped * 255 == pytest.approx(SDR_COLORS * 255, abs=1)


def test_highlights_come_out_white_in_the_order_of_their_light() -> None:
    grey = np.array([[50.0], [203.0], [300.0], [400.0], [500.0], [9000.0]]).repeat(3, axis=1)
    levels = to_bt709(pq(grey), ColorTrc.SMPTE2084, ColorPrimaries.BT2020)[:, 0] * 255
    assert (np.diff(levels[:5]) > 0).all()
    assert levels[1] == pytest.approx(251, abs=1)
    assert levels[-1] <= 255
    # brighter light of a colour keeps the colour
    skin = light_nits(np.array([[224, 172, 140]]) / 255)
    dim, bright = (to_bt709(pq(factor * skin), ColorTrc.SMPTE2084, ColorPrimaries.BT2020)[0] for factor in (1, 4))
    assert bright.max() > dim.max()
    assert bright / bright.max() == pytest.approx(dim / dim.max(), abs=0.01)


def test_phone_held_upright_records_hdr(patches: Path, tmp_path: Path) -> None:
    """Mapping, stretching and turning together."""
    to_pq = TO_GBR + "zscale=npl=203:p=bt2020:t=smpte2084:m=bt2020nc:r=limited,format=yuv420p10le,setsar=2"
    x265 = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:crf=4", *PQ_TAGS)
    ffmpeg("-loop", "1", "-r", "25", "-t", "0.2", "-i", patches, "-vf", to_pq, *x265, "flat.mp4", folder=tmp_path)
    ffmpeg("-display_rotation", "-90", "-i", "flat.mp4", "-c", "copy", "phone.mp4", folder=tmp_path)
    frames, _ = read(tmp_path / "phone.mp4")
    rgb = frames[0].rgb
    assert rgb.shape == (2 * PATCH_PX * len(COLORS), PATCH_PX, 3)
    # clockwise: the left end comes to the top
    middles = rgb[PATCH_PX :: 2 * PATCH_PX, PATCH_PX // 2].astype(int)
    assert np.abs(middles - np.array(COLORS)).max() <= 8


RED_YUV = (63, 102, 240)
"""Pure red in BT.709 with limited range; in BT.601 it is (233, 0, 1)."""


@pytest.mark.parametrize(
    ("size", "tags", "red", "assumed"),
    [
        ("1280x720", "", (255, 0, 0), "BT.709"),
        ("720x1280", "", (255, 0, 0), "BT.709"),
        ("640x360", "", (233, 0, 1), "BT.601"),
        ("1280x718", "", (233, 0, 1), "BT.601"),
        ("640x360", "1", (255, 0, 0), None),
        ("1280x720", "6", (233, 0, 1), None),
        ("1280x720", "1:video_full_range_flag=1", (240, 15, 15), None),
    ],
)
def test_colors_are_those_that_the_tags_or_else_the_size_tells(
    tmp_path: Path, size: str, tags: str, red: tuple[int, int, int], assumed: str | None
) -> None:
    width, height = map(int, size.split("x"))
    luma, *chroma = RED_YUV
    plane = bytes([luma]) * (width * height)
    (tmp_path / "red.yuv").write_bytes(plane + b"".join(bytes([one]) * (len(plane) // 4) for one in chroma))
    raw = ("-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", size, "-i", "red.yuv")
    ffmpeg(*raw, *X264, "untagged.mp4", folder=tmp_path)
    path = tmp_path / "untagged.mp4"
    if tags:
        code = tags[0]
        filters = f"h264_metadata=colour_primaries={code}:transfer_characteristics={code}:matrix_coefficients={tags}"
        ffmpeg("-i", "untagged.mp4", "-c", "copy", "-bsf:v", filters, "tagged.mp4", folder=tmp_path)
        path = tmp_path / "tagged.mp4"
    with open_video(path) as video:
        rgb = next(video.frames()).rgb
        assert video.reading.assumed_colors == assumed
        assert line(video.reading) == ""
    assert np.abs(rgb.mean(axis=(0, 1)) - red).max() <= 2
    make_preview(path, tmp_path / "preview.mp4")
    assert np.abs(poster(tmp_path / "preview.mp4").rgb.mean(axis=(0, 1)) - red).max() <= 4


# --- further formats

BFF = "tinterlace=interleave_bottom,setfield=bff,"
TFF = "tinterlace=interleave_top,setfield=tff,"

# file: stored size, filters, encoder, shown size, what is said
FORMATS = {
    "pal.avi": (
        "720x576",
        BFF + "setsar=0,format=yuv420p",
        ("dvvideo",),
        (768, 576),
        "deinterlaced; 720 × 576 shown as",
    ),
    "pal.dv": ("720x576", BFF + "setdar=16/9,format=yuv420p", ("dvvideo",), (1024, 576), "deinterlaced; 720 × 576"),
    "ntsc.mov": (
        "720x480",
        f"fps=60000/1001,{BFF}setsar=0,format=yuv411p",
        ("dvvideo",),
        (720, 540),
        "deinterlaced; 720 × 480",
    ),
    "dvd.mpg": (
        "720x576",
        TFF + "setsar=16/15",
        ("mpeg2video", "-q:v", "2", *ILDCT),
        (768, 576),
        "deinterlaced; 720 × 576",
    ),
    "broadcast.mxf": (
        "720x576",
        TFF + "setsar=16/15,format=yuv422p",
        ("mpeg2video", "-q:v", "2", "-bitexact", *ILDCT),
        (768, 576),
        "deinterlaced; 720 × 576",
    ),
    "capture.mov": ("320x240", TFF + "format=yuv422p10le", ("v210",), (320, 240), "deinterlaced"),
    "packed.avi": ("320x240", "format=uyvy422", ("rawvideo",), (320, 240), ""),
    "master.mov": ("320x240", "format=yuva444p10le", ("prores_ks", "-profile:v", "4"), (320, 240), ""),
    "screen.mov": ("320x240", "format=rgb24", ("qtrle",), (320, 240), ""),
    "lossless.mkv": ("320x240", "format=gbrp", ("ffv1",), (320, 240), ""),
    "microscope.mkv": ("321x241", "setsar=3/2,format=yuv444p", ("ffv1",), (482, 241), "321 × 241 shown as 482 × 241"),
    "transparent.webm": ("320x240", "format=yuva420p", ("libvpx-vp9", "-crf", "5", "-b:v", "0"), (320, 240), ""),
    "motion.avi": ("320x240", "format=yuvj422p", ("mjpeg", "-q:v", "2"), (320, 240), ""),
    "animation.gif": ("320x240", "split[a][b];[a]palettegen[p];[b][p]paletteuse", ("gif",), (320, 240), ""),
    "phone.webm": (
        "320x240",
        TO_GBR + "zscale=npl=203:p=bt2020:t=smpte2084:m=bt2020nc:r=limited,format=yuv420p10le",
        ("libvpx-vp9", "-crf", "5", "-b:v", "0", *PQ_TAGS),
        (320, 240),
        "HDR (PQ) converted to standard colours",
    ),
    "mac.mov": (
        "320x240",
        TO_GBR + "zscale=p=smpte432:t=bt709:m=bt709:r=limited,format=yuv420p",
        ("libx264", "-qp", "4", "-color_primaries", "smpte432", "-color_trc", "bt709", "-colorspace", "bt709"),
        (320, 240),
        "",
    ),
}


@pytest.mark.parametrize("name", FORMATS)
def test_pictures_look_the_same_in_every_format(patches: Path, tmp_path: Path, name: str) -> None:
    size, filters, encoder, shown_wh, said = FORMATS[name]
    still = ("-loop", "1", "-r", "50", "-t", "0.2", "-i", patches)
    scaled = f"scale={size.replace('x', ':')}:flags=neighbor,setsar=1,{filters}"
    ffmpeg(*still, "-vf", scaled, "-c:v", *encoder, name, folder=tmp_path)
    frames, line_about_it = read(tmp_path / name)
    assert len(frames) >= 3
    assert frames[1].rgb.shape == (shown_wh[1], shown_wh[0], 3)
    assert line_about_it.startswith(said) if said else not line_about_it
    inner = np.linspace(0.5 / len(COLORS), 1 - 0.5 / len(COLORS), len(COLORS)) * shown_wh[0]
    middle = frames[1].rgb[shown_wh[1] // 2, inner.astype(int)].astype(int)
    assert np.abs(middle - np.array(COLORS)).max() <= 8


@pytest.mark.parametrize("matrix", [3, 8])  # reserved, and YCgCo (ITU-T H.273)
def test_a_color_space_that_ffmpeg_does_not_convert_is_read_as_the_usual_one(
    patches: Path, tmp_path: Path, matrix: int
) -> None:
    usual = "scale=out_color_matrix=bt601:out_range=limited,format=yuv420p"
    ffmpeg("-loop", "1", "-r", "25", "-t", "0.2", "-i", patches, "-vf", usual, *X264, "usual.mp4", folder=tmp_path)
    tag = f"h264_metadata=matrix_coefficients={matrix}"
    ffmpeg("-i", "usual.mp4", "-c", "copy", "-bsf:v", tag, "tagged.mp4", folder=tmp_path)
    frames, said = read(tmp_path / "tagged.mp4")
    assert furthest(frames[0].rgb) <= 3
    assert not said
    make_preview(tmp_path / "tagged.mp4", tmp_path / "preview.mp4")
    assert furthest(poster(tmp_path / "preview.mp4").rgb) <= 5


# --- size and turn that change


def test_phone_that_is_turned_while_it_records_is_letterboxed(tmp_path: Path) -> None:
    for name, size in (("wide", "160x90"), ("tall", "90x160")):
        source = ("-f", "lavfi", "-i", f"color=white:s={size}:d=0.4:r=25")
        ffmpeg(*source, "-c:v", "libvpx", "-b:v", "1M", f"{name}.webm", folder=tmp_path)
    (tmp_path / "list.txt").write_text("file wide.webm\nfile tall.webm\nfile wide.webm\n")
    ffmpeg("-f", "concat", "-i", "list.txt", "-c", "copy", "turned.webm", folder=tmp_path)
    with open_video(tmp_path / "turned.webm") as video:
        frames = list(video.frames())
        assert video.reading.letterboxed_from_s == pytest.approx(0.4, abs=0.02)
        (note,) = video.notes
    assert len(frames) == 30
    assert {frame.rgb.shape for frame in frames} == {(90, 160, 3)}
    widths = [int((frame.rgb.mean(axis=(0, 2)) > 128).sum()) for frame in frames]
    assert widths[:10] + widths[20:] == [160] * 20
    assert widths[10:20] == pytest.approx([90 * 90 / 160] * 10, abs=2)
    assert "changes from 160 × 90 to 90 × 160 at 0.4 s; later pictures are fitted into the first size" in note
