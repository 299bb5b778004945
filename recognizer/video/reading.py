"""Put into words how a video was read. A plain file needs none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from fractions import Fraction
from typing import Any

from recognizer.types import DamagedSpan, Part, Reading, StreamFacts

__all__ = [
    "DamagedSpan",
    "Part",
    "Reading",
    "StreamFacts",
    "as_notes",
    "line",
    "reading_from",
    "sentences",
    "values_of",
]

_LATE_S = 0.005
"""Pictures that begin earlier are said to begin at 0: two decimals would read 0.00 s."""

_MOST_SPANS = 3
"""Further damaged stretches are counted, not listed."""


def line(reading: Reading) -> str:
    """Return one line about how a video was read; empty for a plain file."""
    return "; ".join(sentences(reading))


def as_notes(reading: Reading) -> tuple[str, ...]:
    """Return the line as a note, such as ``Deinterlaced.``; none for a plain file."""
    text = line(reading)
    return (f"{text[0].upper()}{text[1:]}.",) if text else ()


def sentences(reading: Reading) -> tuple[str, ...]:
    """Return the parts of that line, such as ``deinterlaced`` and ``pictures begin at 0.80 s``."""
    return (*_of_files(reading), *_of_pictures(reading), *_of_times(reading), *_of_damage(reading))


def _of_files(reading: Reading) -> Iterator[str]:
    if reading.parts:
        yield f"{len(reading.parts)} files read as one recording"
    if reading.other_streams:
        others = ", ".join(f"{other.index} ({_about(other)})" for other in reading.other_streams)
        chosen = ", as you chose" if reading.stream_given else f", not {others}"
        yield f"{len(reading.other_streams) + 1} videos in the file: stream {reading.stream} is read{chosen}"


def _about(other: StreamFacts) -> str:
    return "unknown codec" if other.codec is None else _size((other.width, other.height))


def _of_pictures(reading: Reading) -> Iterator[str]:
    if reading.deinterlaced:
        yield "deinterlaced"
    if reading.stored_wh is not None and reading.shown_wh is not None and reading.stored_wh != reading.shown_wh:
        yield f"{_size(reading.stored_wh)} shown as {_size(reading.shown_wh)}"
    if reading.letterboxed_from_s is not None:
        yield f"the picture changes shape at {reading.letterboxed_from_s:.1f} s, later pictures have black borders"
    if reading.tone_mapped_from is not None:
        yield f"HDR ({reading.tone_mapped_from}) converted to standard colours"


def _of_times(reading: Reading) -> Iterator[str]:
    if reading.first_picture_s >= _LATE_S:
        yield f"pictures begin at {reading.first_picture_s:.2f} s"
    if reading.rate_given_hz is not None:
        yield f"{reading.rate_given_hz:.6g} frames/s, as you gave it"
    elif reading.rate_assumed_hz is not None:
        yield f"{reading.rate_assumed_hz:.6g} frames/s assumed, because the file does not say"
    if reading.repaired_stamps:
        times = "time was" if reading.repaired_stamps == 1 else "times were"
        yield f"{reading.repaired_stamps} wrong or missing {times} estimated"


def _of_damage(reading: Reading) -> Iterator[str]:
    for span in reading.damaged[:_MOST_SPANS]:
        when = f"at {_span(span.start_s, span.end_s)}"
        packets = "1 packet" if span.packets == 1 else f"{span.packets} packets"
        yield f"{packets} {when} could not be decoded" if span.packets else f"damaged {when}"
    more = reading.damaged[_MOST_SPANS:]
    if more:
        yield f"damaged in {len(more)} more {'place' if len(more) == 1 else 'places'} up to {more[-1].end_s:.1f} s"
    if reading.pauses:
        listed = ", ".join(_span(start_s, end_s) for start_s, end_s in reading.pauses[:_MOST_SPANS])
        count = len(reading.pauses) - _MOST_SPANS
        yield f"no new picture at {listed}" + (f" and {count} more times" if count > 0 else "")


def _span(start_s: float, end_s: float) -> str:
    start, end = f"{start_s:.1f}", f"{end_s:.1f}"
    return f"{start} s" if start == end else f"{start} to {end} s"


def _size(wh: tuple[int, int]) -> str:
    return f"{wh[0]} × {wh[1]}"


def values_of(reading: Reading) -> dict[str, Any]:
    """Return a reading as plain values for JSON, without the fields that have their default."""
    default = asdict(Reading())
    values = {name: value for name, value in asdict(reading).items() if value != default[name]}
    if "pixel_aspect" in values:
        values["pixel_aspect"] = str(values["pixel_aspect"])
    return values


def reading_from(values: Mapping[str, Any]) -> Reading:
    """Return the reading that ``values_of`` turned into ``values``; unknown fields are ignored.

    Raises:
        ValueError, TypeError, KeyError, ZeroDivisionError: a value does not fit.
    """
    known = {name: value for name, value in values.items() if name in Reading.__dataclass_fields__}
    if "pixel_aspect" in known:
        known["pixel_aspect"] = Fraction(known["pixel_aspect"])
    if "pauses" in known:
        known["pauses"] = tuple((start_s, end_s) for start_s, end_s in known["pauses"])
    for name in ("stored_wh", "shown_wh"):
        if known.get(name) is not None:
            width, height = known[name]
            known[name] = (width, height)
    for name, kind in (("other_streams", StreamFacts), ("damaged", DamagedSpan), ("parts", Part)):
        if name in known:
            known[name] = tuple(kind(**one) for one in known[name])
    return Reading(**known)
