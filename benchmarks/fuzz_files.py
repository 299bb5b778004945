"""Small valid files of every kind that the program reads, and seeded mutants of them. Used by ``benchmarks.fuzz``."""

from __future__ import annotations

import datetime as dt
import io
import json
import random
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from PIL import Image

from recognizer.actions.model import ActionSet, ClipSettings, Example, OwnAction
from recognizer.actions.posture import POSTURE
from recognizer.actions.set_file import write_set
from recognizer.export import Content, content_of
from recognizer.export.formats import FORMATS
from recognizer.export.json_file import timeline_json
from recognizer.settings import Settings
from recognizer.timeline.corrections import Corrected, Corrections
from recognizer.timeline.corrections_file import corrections_json
from recognizer.timeline.edits import Add, Name, Split
from recognizer.timeline.features import FeatureSpace
from recognizer.timeline.groups import LabelGroups, groups_json
from recognizer.timeline.model import PersonTrack, Timeline
from recognizer.types import Prediction, VideoInfo
from tests.support.priority import usual_priority

_FRAMES: Final = 24
_SIZE_WH: Final = (64, 48)
_AUDIO_RATE_HZ: Final = 48_000


@dataclass(frozen=True)
class Recipe:
    """How to write a small video.

    Attributes:
        name: file name; its ending chooses the container.
        codec: FFmpeg's name of the encoder.
        pixels: pixel format.
        sound: encoder of the sound; empty for none.
        options: of the container.
        size_wh: width and height.
        rate_hz: frames per second.
    """

    name: str
    codec: str
    pixels: str = "yuv420p"
    sound: str = ""
    options: tuple[tuple[str, str], ...] = ()
    size_wh: tuple[int, int] = _SIZE_WH
    rate_hz: int = 25


_FRAGMENTED: Final = (("movflags", "frag_keyframe+empty_moov+default_base_moof"),)

_RECIPES: Final = (
    Recipe("h264.mp4", "libx264", sound="aac"),
    Recipe("faststart.mp4", "libx264", options=(("movflags", "faststart"),)),
    Recipe("fragmented.mp4", "libx264", sound="aac", options=_FRAGMENTED),
    Recipe("hevc.mp4", "libx265"),
    Recipe("av1.mp4", "libsvtav1"),
    Recipe("mpeg4.mov", "mpeg4", sound="pcm_s16le"),
    Recipe("prores.mov", "prores", "yuv422p10le"),
    Recipe("animation.mov", "qtrle", "rgb24"),
    Recipe("h263.3gp", "h263", size_wh=(128, 96)),
    Recipe("h264.mkv", "libx264", sound="libopus"),
    Recipe("vp9.webm", "libvpx-vp9", sound="libopus"),
    Recipe("vp8.webm", "libvpx"),
    Recipe("ffv1.mkv", "ffv1"),
    Recipe("mpeg4.avi", "mpeg4", sound="libmp3lame"),
    Recipe("mjpeg.avi", "mjpeg", "yuvj420p"),
    Recipe("msmpeg4.avi", "msmpeg4v3"),
    Recipe("huffyuv.avi", "huffyuv", "yuv422p"),
    Recipe("h264.ts", "libx264", sound="mp2"),
    Recipe("mpeg2.mpg", "mpeg2video", sound="mp2"),
    Recipe("mpeg2.mxf", "mpeg2video"),
    Recipe("sorenson.flv", "flv"),
    Recipe("h264.flv", "libx264", sound="aac"),
    Recipe("wmv2.wmv", "wmv2", sound="wmav2"),
    Recipe("mpeg4.nut", "mpeg4"),
    Recipe("picture.gif", "gif", "rgb8"),
    Recipe("picture.apng", "apng", "rgb24"),
    Recipe("raw.y4m", "rawvideo"),
    Recipe("raw.h264", "libx264"),
    Recipe("raw.hevc", "libx265"),
    Recipe("raw.m2v", "mpeg2video"),
    Recipe("raw.mjpeg", "mjpeg", "yuvj420p"),
    Recipe("vp8.ivf", "libvpx"),
)


def write_seeds(folder: Path) -> None:
    """Write every small valid file into a folder."""
    with usual_priority():
        for recipe in _RECIPES:
            _write_video(recipe, folder / recipe.name)
    for name, content in _documents():
        (folder / name).write_bytes(content)


def _write_video(recipe: Recipe, path: Path) -> None:
    width, height = recipe.size_wh
    with av.open(str(path), "w", options={"fflags": "+bitexact", **dict(recipe.options)}) as container:
        stream: Any = container.add_stream(recipe.codec, rate=recipe.rate_hz)
        stream.width, stream.height, stream.pix_fmt = width, height, recipe.pixels
        if recipe.codec in {"libx264", "libx265", "libvpx", "libvpx-vp9"}:
            stream.options = {"threads": "1", "x265-params": "log-level=none"} if "265" in recipe.codec else {"g": "8"}
        sound: Any = container.add_stream(recipe.sound, rate=_AUDIO_RATE_HZ) if recipe.sound else None
        if sound is not None:
            sound.bit_rate = 64_000
        for number in range(_FRAMES):
            rgb = np.full((height, width, 3), 60, np.uint8)
            left = 2 * number % (width // 2)
            rgb[height // 4 : height - 4, left : left + width // 4] = 40 + 8 * number
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, recipe.rate_hz)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if sound is not None:
            _write_sound(container, sound)


def _write_sound(container: Any, stream: Any) -> None:
    samples = av.AudioFrame.from_ndarray(np.zeros((1, _AUDIO_RATE_HZ // 2), np.int16), format="s16", layout="mono")
    samples.rate, samples.pts, samples.time_base = _AUDIO_RATE_HZ, 0, Fraction(1, _AUDIO_RATE_HZ)
    for packets in (stream.encode(samples), stream.encode(None)):
        container.mux(packets)


# --- documents ---


def small_timeline() -> Timeline:
    """Return a timeline of two people."""
    times_s = np.arange(0, 4, 0.2)
    boxes = np.tile(np.array((10, 8, 30, 44), np.float32), (len(times_s), 1))
    confidence = np.full(len(times_s), 0.9, np.float32)
    return Timeline(
        video=VideoInfo("ab" * 32, 64, 48, Fraction(25), 4.0, 100, "h264"),
        settings=Settings(video_classifier_model="i3d"),
        people=tuple(PersonTrack(k, times_s, boxes + 4 * k, confidence, ((0.0, 4.0),)) for k in (1, 2)),
        predictions=(
            Prediction(1, 0.0, 2.0, (("tai chi", 0.9), ("yoga", 0.05)), "i3d"),
            Prediction(2, 1.0, 3.0, (("jogging", 0.6), ("waving", 0.3)), "i3d"),
        ),
        frame_times_s=np.arange(100) / 25,
        analysed_s=4.0,
        complete=True,
    )


def small_content() -> Content:
    """Return what is exported of that timeline."""
    return content_of(Corrected(small_timeline()), "clip.mp4")


_LABEL_ENDINGS: Final = (".csv", ".eaf", ".boris", ".tsv", ".TextGrid")

_CVAT: Final = (
    "<?xml version='1.0'?><annotations><version>1.1</version><meta><task><stop_frame>99</stop_frame>"
    "<source>clip.mp4</source></task></meta><track id='0' label='walking' source='manual'>"
    "<box frame='3' outside='0' xtl='0' ytl='0' xbr='9' ybr='9' keyframe='1'><attribute name='action'>walk</attribute>"
    "</box><box frame='30' outside='1' xtl='0' ytl='0' xbr='9' ybr='9' keyframe='1'></box></track></annotations>"
)
_LABEL_STUDIO: Final = json.dumps(
    [
        {
            "id": 7,
            "data": {"video": "/data/upload/1/clip.mp4"},
            "annotations": [
                {
                    "id": 1,
                    "result": [
                        {
                            "type": "timelinelabels",
                            "value": {"ranges": [{"start": 1, "end": 25}], "timelinelabels": ["walking"]},
                        }
                    ],
                }
            ],
        }
    ]
)
_FERAL: Final = json.dumps({"class_names": {"0": "none", "1": "walking"}, "labels": {"clip.mp4": [0, 1, 1, 0] * 9}})
_PER_FRAME: Final = ",background,walk,talk\n" + "".join(f"{k},{k % 2},{1 - k % 2},0\n" for k in range(40))


def _documents() -> Iterator[tuple[str, bytes]]:
    content = small_content()
    for one in FORMATS:
        if one.ending in _LABEL_ENDINGS:
            yield f"labels{one.ending}", one.write(content)
    yield "cvat.labels.xml", _CVAT.encode()
    yield "studio.labels.json", _LABEL_STUDIO.encode()
    yield "feral.labels.json", _FERAL.encode()
    yield "frames.labels.csv", _PER_FRAME.encode()
    yield "audacity.labels.txt", b"0.0\t1.5\twalking\n1.5\t3.25\tsitting\n"
    edits = (Name(1, "Anna"), Add(1, 0.5, 1.5, "waving"), Split(2, 2.0, 3))
    yield "corrections.json", corrections_json(Corrections(edits), "ab" * 32).encode()
    yield "groups.json", groups_json(LabelGroups({"calm": ("tai chi", "yoga")}, "rest")).encode()
    yield "timeline.json", timeline_json(small_timeline(), include_boxes=True, include_frame_times=True).encode()
    yield "set.actions", write_set(_small_set())


def _small_set() -> ActionSet:
    jpeg = io.BytesIO()
    Image.new("RGB", (48, 96), (90, 80, 120)).save(jpeg, "JPEG")
    features = np.random.default_rng(1).random((4, 16)).astype(np.float32)
    taught = dt.datetime(2026, 11, 29, 12, tzinfo=dt.UTC)
    examples = tuple(
        Example(
            f"e{k}",
            "waving",
            "cd" * 32,
            "clip.mp4",
            1,
            3.0 * k,
            3.0 * k + 2.5,
            features,
            np.zeros(len(POSTURE)),
            taught,
            (jpeg.getvalue(),),
            1,
        )
        for k in range(2)
    )
    space, clips = FeatureSpace("i3d", "cd" * 32, 16), ClipSettings(2, 38, 2, "pytorch-float32", 2.53)
    return ActionSet("a-set", "Everyday", space, clips, (OwnAction("waving", 0),), examples)


# --- mutants ---

_NUMBERS: Final = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_WORDS: Final = (
    *(
        "-1",
        "0",
        "1e308",
        "-1e308",
        "1e-320",
        "NaN",
        "Infinity",
        "99999999999999999999",
        "null",
        "true",
        '""',
        "[]",
        "{}",
    ),
    *('"\\u0000"', '"\\ud800"', '"=1+1"', "1970-01-01", "99:99:99", "\u202e", "\x1b[31m", "é" * 300),
)
_WORD: Final = re.compile(rb'-?\d+(?:\.\d+)?|"[^"\n]{0,60}"|[A-Za-z_]{3,}')


def mutant(seeds: list[Path], random_of: random.Random) -> tuple[str, bytes]:
    """Return name and content of a seeded mutant: one to six changes of a valid file."""
    seed = random_of.choice(seeds)
    content = bytearray(seed.read_bytes())
    is_text = seed.suffix not in {".actions"} and b"\0" not in content[:4096]
    for _ in range(random_of.choice((1, 1, 1, 2, 3, 6))):
        changes = _TEXT_CHANGES if is_text and random_of.random() < 0.7 else _BYTE_CHANGES
        random_of.choice(changes)(content, random_of)
    if random_of.random() < 0.05:
        other = random_of.choice(seeds).read_bytes()
        content[random_of.randrange(len(content) + 1) :] = other[random_of.randrange(len(other)) :]
    return seed.name, bytes(content)


def _flip(content: bytearray, random_of: random.Random) -> None:
    for _ in range(random_of.choice((1, 2, 8, 64))):
        if content:
            content[_place(content, random_of)] ^= 1 << random_of.randrange(8)


def _number(content: bytearray, random_of: random.Random) -> None:
    """Write a number that overflows something over two or four bytes, mostly of the header."""
    size, order = random_of.choice((2, 4)), random_of.choice(("big", "little"))
    at = _place(content, random_of)
    value = random_of.choice(_NUMBERS) & (256**size - 1)
    content[at : at + size] = value.to_bytes(size, "big" if order == "big" else "little")


def _noise(content: bytearray, random_of: random.Random) -> None:
    at = _place(content, random_of)
    length = random_of.choice((1, 4, 16, 200))
    content[at : at + length] = random_of.randbytes(length)


def _cut(content: bytearray, random_of: random.Random) -> None:
    del content[_place(content, random_of) :]


def _remove(content: bytearray, random_of: random.Random) -> None:
    at = _place(content, random_of)
    del content[at : at + random_of.choice((1, 4, 16, 300))]


def _repeat(content: bytearray, random_of: random.Random) -> None:
    at = _place(content, random_of)
    piece = content[at : at + random_of.choice((4, 16, 300, 2000))]
    content[at:at] = piece * random_of.choice((1, 1, 2, 20))


def _zero(content: bytearray, random_of: random.Random) -> None:
    at = _place(content, random_of)
    end = min(len(content), at + random_of.choice((4, 64, 1000)))
    content[at:end] = bytes(end - at)


def _word(content: bytearray, random_of: random.Random) -> None:
    """Put something odd in place of a word or number."""
    found = list(_WORD.finditer(bytes(content)))
    if found:
        one = random_of.choice(found)
        content[one.start() : one.end()] = random_of.choice(_WORDS).encode("utf-8", "surrogatepass")


def _swap(content: bytearray, random_of: random.Random) -> None:
    """Put one word or number of the document in another's place."""
    found = list(_WORD.finditer(bytes(content)))
    if found:
        one, other = random_of.choice(found), random_of.choice(found)
        content[one.start() : one.end()] = other.group()


def _nest(content: bytearray, random_of: random.Random) -> None:
    at = _place(content, random_of)
    opening = random_of.choice((b"[", b'{"a":', b"<a>"))
    content[at:at] = opening * random_of.choice((3, 200, 5000))


def _place(content: bytearray, random_of: random.Random) -> int:
    """Return a place: half of the time in the first kilobyte, where headers are, or the last, where indexes are."""
    if not content:
        return 0
    length = len(content)
    head, tail = range(min(length, 1024)), range(max(0, length - 1024), length)
    return random_of.choice(random_of.choice((head, tail, range(length), range(length))))


_BYTE_CHANGES: Final[tuple[Callable[[bytearray, random.Random], None], ...]] = (
    *(_flip, _flip, _number, _number, _number, _noise, _cut, _remove, _repeat, _zero),
)
_TEXT_CHANGES: Final[tuple[Callable[[bytearray, random.Random], None], ...]] = (
    *(_word, _word, _word, _swap, _repeat, _remove, _nest),
)


if __name__ == "__main__":
    write_seeds(Path(sys.argv[1]))
