"""A source of video: a file, or the files of one recording in their order, and what the user chose about them."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from recognizer.errors import VideoError
from recognizer.video.diagnosis import display_name


@dataclass(frozen=True)
class VideoSource:
    """One or several files that are read as one video.

    Attributes:
        paths: the files, in order.
        names: the user's names for them; their own names if empty.
        sha256s: hashes of the files' bytes, as far as they are known; empty if none is.
        stream: number of a video stream among all streams of each file; None for the one that a player shows.
        frame_rate_hz: frames per second of a raw stream that states none; None to assume one.
    """

    paths: tuple[Path, ...]
    names: tuple[str, ...] = ()
    sha256s: tuple[str, ...] = ()
    stream: int | None = None
    frame_rate_hz: float | None = None

    def __post_init__(self) -> None:
        for values in (self.names, self.sha256s):
            if values and len(values) != len(self.paths):
                raise ValueError(f"a source has {len(self.paths)} files but {len(values)} names or hashes")
        if not self.paths:
            raise ValueError("a source needs a file")

    @property
    def part_names(self) -> tuple[str, ...]:
        """The user's names of the files."""
        return self.names or tuple(path.name or str(path) for path in self.paths)

    @property
    def name(self) -> str:
        """The name of the whole, such as ``GX010001.MP4 and 2 more parts``."""
        first, more = self.part_names[0], len(self.paths) - 1
        return first if not more else f"{first} and {more} more {'part' if more == 1 else 'parts'}"


VideoInput = str | os.PathLike[str] | VideoSource
"""A path, or a source with parts or choices."""


def source_of(video: VideoInput) -> VideoSource:
    """Return a source; a path becomes a source without choices."""
    return video if isinstance(video, VideoSource) else VideoSource((Path(video),))


def recording_sha256(part_sha256s: Sequence[str]) -> str:
    """Return the hash of a recording: that of its parts' hashes in hexadecimal, each with a line feed."""
    return hashlib.sha256("".join(f"{one}\n" for one in part_sha256s).encode()).hexdigest()


_GOPRO = re.compile(r"(?:GOPR|GP(?P<old>\d\d)|G[XHLS](?P<chapter>\d\d))(?P<file>\d{4})$", re.IGNORECASE)
"""A GoPro names the chapters of a recording GX010042, GX020042, … (older ones GOPR0042, GP010042, …): first the
chapter's number, then the file's."""

_DIGITS = re.compile(r"\d+")
_DAY_FIRST = re.compile(r"(?<!\d)(\d\d)([-_.]?)(\d\d)\2((?:19|20)\d\d)(?!\d)")
_CLOCK = re.compile(
    r"((?:19|20)\d\d)[-_.]?(\d\d)[-_.]?(\d\d)[-_T. ]{0,3}([01]\d|2[0-3])[-_.:h]?([0-5]\d)[-_.:m]?([0-5]\d)"
)
_CLOCK_TOLERANCE_S = 2.0
"""Recorders name a segment by the whole second and begin it at a keyframe."""


@dataclass(frozen=True)
class _Series:
    """A file's place in a recording, by its name.

    Attributes:
        kind: the name without its numbers; the same for all parts of a recording.
        place: its numbers, in order; the chapter's number for a GoPro.
        clock: the time in the name.
        camera: what the name says before that time.
    """

    kind: str
    place: tuple[int, ...]
    clock: datetime | None = None
    camera: str = ""


def in_order(names: Sequence[str]) -> list[int]:
    """Return the positions of the files of one recording in their order: by chapter, by clock or by number.

    Files of two cameras that begin at the same time are not joined.

    Raises:
        VideoError: the names are not those of one recording.
    """
    series = [_series(name) for name in names]
    order = sorted(range(len(names)), key=lambda k: (str(series[k].clock or ""), series[k].place))
    first = order[0]
    for k in order[1:]:
        if series[k].kind != series[first].kind:
            raise VideoError(
                f"{display_name(names[first])} and {display_name(names[k])} are not parts of one recording, their names"
                " differ in more than a number or a time; analyse them one by one, or rename them."
            )
    for before, after in pairwise(order):
        if series[before].place == series[after].place:
            raise VideoError(
                f"{display_name(names[before])} and {display_name(names[after])} have the same place in the recording;"
                " leave one of them out."
            )
        if series[before].clock == series[after].clock and series[before].camera != series[after].camera:
            raise VideoError(
                f"{display_name(names[before])} and {display_name(names[after])} begin at the same time, so they are"
                " not parts of one recording; analyse them one by one."
            )
    return order


def gaps(names: Sequence[str], durations_s: Sequence[float | None]) -> Iterator[str]:
    """Yield a sentence about each part that seems to be missing.

    Args:
        names: names of the parts, in order.
        durations_s: their durations; None where unknown.
    """
    chapters = [_chapter(name) for name in names]
    if chapters[0] is not None and chapters[0] > 1:
        yield f"The recording begins with chapter {chapters[0]}; add the earlier files, or times count from its start."
    for k, (before, after) in enumerate(pairwise(names)):
        missing = _missing(before, after, durations_s[k])
        if missing is not None:
            yield (
                f"{missing} between {display_name(before)} and {display_name(after)}; later times are early by that"
                " much."
            )


def _series(name: str) -> _Series:
    stem = Path(name).stem
    chapter = _GOPRO.match(stem)
    if chapter is not None:
        return _Series(f"gopro {chapter['file']}", (int(chapter["chapter"] or chapter["old"] or 0),))
    stem = _DAY_FIRST.sub(r"\4\2\3\2\1", stem)  # 24-12-2026 sorts like 2026-12-24
    clock, camera = _clock(stem)
    return _Series(_DIGITS.sub("#", stem.lower()), tuple(map(int, _DIGITS.findall(stem))), clock, camera)


def _chapter(name: str) -> int | None:
    chapter = _GOPRO.match(Path(name).stem)
    return None if chapter is None else int(chapter["chapter"] or chapter["old"] or 0)


def _missing(before: str, after: str, duration_s: float | None) -> str | None:
    """Return what is missing between two parts; None if they follow each other or their names do not tell."""
    one, other = _series(before), _series(after)
    if one.clock is not None and other.clock is not None and one.clock != other.clock:
        if duration_s is None:
            return None
        lost_s = (other.clock - one.clock).total_seconds() - duration_s
        return f"By their names, {lost_s:.0f} s are missing" if lost_s > _CLOCK_TOLERANCE_S else None
    if one.kind != other.kind:
        return None
    differing = [b - a for a, b in zip(one.place, other.place, strict=True) if a != b]
    if len(differing) != 1 or differing[0] <= 1:
        return None
    count = differing[0] - 1
    return "By their names, a file is missing" if count == 1 else f"By their names, {count} files are missing"


def _clock(stem: str) -> tuple[datetime | None, str]:
    """Return the time in a name, and what is before it; None and nothing if there is none."""
    found = _CLOCK.search(stem)
    if found is None:
        return None, ""
    try:
        clock = datetime(*map(int, found.groups()))  # type: ignore[arg-type]  # noqa: DTZ001 (only compared)
    except ValueError:  # no such day
        return None, ""
    return clock, stem[: found.start()]
