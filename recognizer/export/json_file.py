"""A timeline as JSON, for other programs and for the store. ``docs/json-schema.md`` explains every field."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from fractions import Fraction
from pathlib import PureWindowsPath
from typing import Any, Final, NoReturn, TypeVar

import numpy as np
from numpy.typing import NDArray

from recognizer.errors import SettingsError, StoreError
from recognizer.settings import Settings
from recognizer.timeline.model import PersonTrack, Timeline
from recognizer.types import Prediction, VideoInfo

SCHEMA_VERSION: Final = "1.0"
"""``major.minor``: a new minor version adds fields, a new major version changes or removes some."""

_PATH_SETTINGS: Final = ("checkpoint_path", "labels_path")

Read = TypeVar("Read")


def timeline_json(
    timeline: Timeline,
    *,
    min_confidence: float = 0.0,
    min_duration_s: float = 0.0,
    include_boxes: bool = False,
    include_frame_times: bool = False,
) -> str:
    """The timeline as one JSON document that ends in a line feed; it never holds a path of this computer.

    Args:
        timeline: what is written.
        min_confidence: threshold for the segments (see Timeline.segments).
        min_duration_s: threshold for the segments.
        include_boxes: also write where each person was, sample by sample; the store needs it.
        include_frame_times: also write every frame's time; the store needs it.

    Raises:
        ValueError: a number is not finite.
    """
    document: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "complete": timeline.complete,
        "analysed_s": timeline.analysed_s,
        "video": _video(timeline.video),
        "settings": setting_values(timeline.settings),
        "provenance": dict(timeline.provenance),
        "notes": list(timeline.notes),
        "thresholds": {"min_confidence": min_confidence, "min_duration_s": min_duration_s},
        "people": [_person(track, include_boxes) for track in timeline.people],
        "segments": [
            {
                "person_id": segment.person_id,
                "action": segment.action,
                "start_s": segment.start_s,
                "end_s": segment.end_s,
                "confidence": segment.confidence,
            }
            for segment in timeline.segments(min_confidence, min_duration_s)
        ],
        "predictions": [
            {
                "person_id": prediction.person_id,
                "start_s": prediction.start_s,
                "end_s": prediction.end_s,
                "classifier": prediction.classifier,
                "top": [{"label": label, "probability": probability} for label, probability in prediction.top],
            }
            for prediction in timeline.predictions
        ],
    }
    if include_frame_times:
        document["frame_times_s"] = timeline.frame_times_s.tolist()
    return "{\n" + ",\n".join(f"{_dumps(key)}: {_lines(value)}" for key, value in document.items()) + "\n}\n"


def timeline_from_json(text: str) -> Timeline:
    """The timeline that ``timeline_json`` wrote.

    It is the same to the last digit when it was written with ``include_boxes`` and ``include_frame_times``; without
    them its people have presence but no samples, and its frames have no times. Of a checkpoint only the file name is
    left.

    Raises:
        StoreError: it is not JSON, of an unknown version, or a field is missing or of the wrong kind.
    """
    try:
        document = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise StoreError(f"The analysis is not valid JSON ({_short(error)}); export it again.") from error
    try:
        _check_version(_get(document, "schema_version", str))
        return _timeline(document)
    except (_UnfitError, SettingsError) as error:
        raise StoreError(f"The analysis cannot be read, because {_short(error)}; export it again.") from error


# --- writing ---


def _dumps(value: object) -> str:
    text = json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:  # half a surrogate pair, as file names that are not UTF-8 have it
        text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return text


def _lines(value: object) -> str:
    """One line an entry for lists of people, segments, predictions: easy to read and to compare."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(_dumps(entry) for entry in value) + "\n]"
    return _dumps(value)


def _video(video: VideoInfo) -> dict[str, Any]:
    return {
        "sha256": video.sha256,
        "width": video.width,
        "height": video.height,
        "frame_rate": None if video.frame_rate is None else f"{video.frame_rate}",
        "duration_s": video.duration_s,
        "frame_count": video.frame_count,
        "codec": video.codec,
    }


def setting_values(settings: Settings) -> dict[str, Any]:
    """The settings by name; of a checkpoint and its labels the file name alone."""
    values = settings.as_dict()
    for name in _PATH_SETTINGS:
        if values[name] is not None:
            values[name] = PureWindowsPath(values[name]).name  # takes both kinds of slash
    return values


def _person(track: PersonTrack, include_boxes: bool) -> dict[str, Any]:
    person: dict[str, Any] = {
        "person_id": track.person_id,
        "presence": [[start_s, end_s] for start_s, end_s in track.presence],
    }
    if include_boxes:
        person["samples"] = {
            "time_s": track.time_s.tolist(),
            "box_xyxy": _shortest(track.box_xyxy),
            "confidence": _shortest(track.confidence),
        }
    return person


def _shortest(values: NDArray[np.float32]) -> Any:
    """The numbers with as few digits as give the same float32 again."""
    return values.astype(np.str_).astype(np.float64).tolist()


# --- reading ---


class _UnfitError(Exception):
    """A field is missing or of the wrong kind."""


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


def _short(error: Exception) -> str:
    return str(error).rstrip(".")[:200]


def _check_version(version: str) -> None:
    major, _, minor = version.partition(".")
    if not (major.isdecimal() and minor.isdecimal()):
        raise _UnfitError(f"its schema_version is {version[:20]!r}, not a version")
    known = SCHEMA_VERSION.partition(".")[0]
    if major != known:
        raise StoreError(
            f"The analysis has schema version {version[:20]}, and this program reads version {known}; "
            "use the program that wrote it, or analyse the video again."
        )


def _get(record: Any, name: str, kind: type[Read]) -> Read:
    """A field of a record; a whole number also serves as a float."""
    if not isinstance(record, dict):
        raise _UnfitError(f"{str(record)[:40]!r} stands where a record with {name} should be")
    if name not in record:
        raise _UnfitError(f"{name} is missing")
    return _as(record[name], name, kind)


def _as(value: Any, name: str, kind: type[Read]) -> Read:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        try:
            value = float(value)
        except OverflowError:
            raise _UnfitError(f"{name} is too large") from None
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise _UnfitError(f"{name} is {str(value)[:40]!r}, not of kind {kind.__name__}")
    if isinstance(value, float) and not np.isfinite(value):
        raise _UnfitError(f"{name} is not a finite number")
    return value


def _optional(record: Any, name: str, kind: type[Read]) -> Read | None:
    return None if isinstance(record, dict) and record.get(name, ...) is None else _get(record, name, kind)


def _each(record: Any, name: str, read: Callable[[Any], Read]) -> tuple[Read, ...]:
    return tuple(read(value) for value in _get(record, name, list))


def _timeline(document: Any) -> Timeline:
    return Timeline(
        video=_read_video(_get(document, "video", dict)),
        settings=_read_settings(_get(document, "settings", dict)),
        people=_each(document, "people", _read_person),
        predictions=_each(document, "predictions", _read_prediction),
        frame_times_s=_array(document, "frame_times_s", np.float64) if "frame_times_s" in document else np.empty(0),
        analysed_s=_get(document, "analysed_s", float),
        complete=_get(document, "complete", bool),
        notes=_each(document, "notes", lambda note: _as(note, "a note", str)),
        provenance={
            name: _as(value, f"provenance of {name}", str) for name, value in _get(document, "provenance", dict).items()
        },
    )


def _read_video(record: Mapping[str, Any]) -> VideoInfo:
    rate = _optional(record, "frame_rate", str)
    try:
        frame_rate = None if rate is None else Fraction(rate)
    except (ValueError, ZeroDivisionError):
        raise _UnfitError(f"frame_rate is {str(rate)[:40]!r}, not a fraction such as '30000/1001'") from None
    return VideoInfo(
        sha256=_optional(record, "sha256", str),
        width=_get(record, "width", int),
        height=_get(record, "height", int),
        frame_rate=frame_rate,
        duration_s=_optional(record, "duration_s", float),
        frame_count=_optional(record, "frame_count", int),
        codec=_optional(record, "codec", str),
    )


def _read_settings(record: Mapping[str, Any]) -> Settings:
    known = {field.name for field in fields(Settings)}  # a later minor version may have more
    values = {name: value for name, value in record.items() if name in known}
    for name in _PATH_SETTINGS:
        if values.get(name) is not None:
            _as(values[name], name, str)
    return Settings(**values)


def _read_person(record: Any) -> PersonTrack:
    samples = record["samples"] if isinstance(record, dict) and "samples" in record else None
    time_s = _array(samples, "time_s", np.float64) if samples is not None else np.empty(0)
    boxes = _array(samples, "box_xyxy", np.float32, columns=4) if samples is not None else np.empty((0, 4), np.float32)
    confidence = _array(samples, "confidence", np.float32) if samples is not None else np.empty(0, np.float32)
    if not len(time_s) == len(boxes) == len(confidence):
        raise _UnfitError(f"samples has {len(time_s)} times, {len(boxes)} boxes and {len(confidence)} confidences")
    presence = _array(record, "presence", np.float64, columns=2)
    return PersonTrack(
        person_id=_get(record, "person_id", int),
        time_s=time_s,
        box_xyxy=boxes,
        confidence=confidence,
        presence=tuple((float(start_s), float(end_s)) for start_s, end_s in presence),
    )


def _read_prediction(record: Any) -> Prediction:
    top = _each(record, "top", lambda entry: (_get(entry, "label", str), _get(entry, "probability", float)))
    if not top:
        raise _UnfitError("a prediction has no labels")
    return Prediction(
        person_id=_get(record, "person_id", int),
        start_s=_get(record, "start_s", float),
        end_s=_get(record, "end_s", float),
        top=top,
        classifier=_get(record, "classifier", str),
    )


def _array(record: Any, name: str, dtype: type[Any], columns: int | None = None) -> NDArray[Any]:
    """A list of numbers, or of rows of ``columns`` numbers."""
    values = _get(record, name, list)
    shape = (len(values),) if columns is None else (len(values), columns)
    try:
        array = np.array(values) if values else np.empty(shape)
    except (ValueError, OverflowError) as error:
        raise _UnfitError(f"{name} is not a list of numbers") from error
    if array.dtype.kind not in "iuf" or array.shape != shape:
        raise _UnfitError(f"{name} is not a list of {'numbers' if columns is None else f'{columns} numbers each'}")
    with np.errstate(over="ignore"):  # told below
        array = array.astype(dtype)
    if not np.isfinite(array).all():
        raise _UnfitError(f"{name} holds a number that is not finite")
    return array
