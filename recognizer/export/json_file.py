"""Write and read timelines as JSON, for other programs and the store. ``docs/json-schema.md`` explains every field."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import PureWindowsPath
from sys import intern
from typing import Any, Final, NoReturn

import msgspec
import numpy as np
from msgspec import UNSET, UnsetType
from numpy.typing import NDArray

from recognizer.errors import SettingsError, StoreError, inert_json
from recognizer.export import document as document_types
from recognizer.export.content import Content
from recognizer.export.document import PATH_SETTINGS, Document
from recognizer.settings import Settings, specs_of
from recognizer.timeline.filters import Filter
from recognizer.timeline.groups import LabelGroups
from recognizer.timeline.model import PersonTrack, Timeline
from recognizer.timeline.movement import Movement, PersonMovement, people_moving
from recognizer.types import UNKNOWN_STEP, CameraPath, Prediction, Reading, Segment, VideoInfo
from recognizer.video.reading import line, reading_from, values_of

SCHEMA_VERSION: Final = "1.2"
"""``major.minor``: a new minor version adds fields, and a new major version changes or removes some."""


def timeline_json(
    timeline: Timeline,
    *,
    min_confidence: float = 0.0,
    min_duration_s: float = 0.0,
    include_boxes: bool = False,
    include_frame_times: bool = False,
) -> str:
    """Return a timeline as a JSON document; it ends in a line feed and holds no path of this computer.

    Args:
        timeline: the timeline.
        min_confidence: threshold of the segments (see ``Timeline.segments``).
        min_duration_s: threshold of the segments.
        include_boxes: include each person's boxes, sample by sample; the store needs them.
        include_frame_times: include the time of every frame; the store needs them.

    Raises:
        ValueError: a number is not finite.
    """
    content = _uncorrected(timeline, min_confidence, min_duration_s)
    return _text(_document(content, include_boxes, include_frame_times))


def timeline_values(timeline: Timeline, *, min_confidence: float, min_duration_s: float) -> dict[str, Any]:
    """Return the document of ``timeline_json`` as plain values, to nest it in another."""
    values: dict[str, Any] = msgspec.to_builtins(_document(_uncorrected(timeline, min_confidence, min_duration_s)))
    return values


def content_json(content: Content) -> str:
    """Return the content of an export as the document of ``timeline_json``, without boxes."""
    return _text(_document(content))


def timeline_from_json(text: str) -> Timeline:
    """Read a timeline that ``timeline_json`` wrote.

    It equals the original to the last digit if it was written with ``include_boxes`` and ``include_frame_times``.
    Without them, its people have presence but no samples, and its frames have no times. Checkpoint paths lose their
    folders.

    Raises:
        StoreError: the text is not JSON, has another major version, or has a missing field or one of the wrong type.
    """
    try:
        document = _decoded(text)
        _check_version(document.schema_version)
        return _timeline(document)
    except (_UnfitError, SettingsError) as error:
        raise StoreError(f"The analysis cannot be read, because {_short(error)}; export it again.") from error


# --- writing ---


def _uncorrected(timeline: Timeline, min_confidence: float, min_duration_s: float) -> Content:
    segments = timeline.segments(min_confidence, min_duration_s)
    return Content(timeline, segments, "", min_confidence=min_confidence, min_duration_s=min_duration_s)


def _document(content: Content, include_boxes: bool = False, include_frame_times: bool = False) -> Document:
    timeline = content.timeline
    return Document(
        schema_version=SCHEMA_VERSION,
        complete=timeline.complete,
        analysed_s=timeline.analysed_s,
        video=_video(timeline.video),
        settings=setting_values(timeline.settings),
        provenance=dict(timeline.provenance),
        notes=list(timeline.notes),
        thresholds=document_types.Thresholds(content.min_confidence, content.min_duration_s),
        people=_people(timeline, content.names, include_boxes),
        segments=[_segment(segment, segment in content.checked) for segment in content.ordered],
        predictions=[_prediction(prediction) for prediction in timeline.predictions],
        filter=UNSET if content.filter.keeps_all else _filter(content.filter),
        label_groups=UNSET if content.groups is None else _groups(content.groups),
        reading=_reading(timeline.reading),
        camera=_camera(timeline.camera) if include_boxes and timeline.camera is not None else UNSET,
        frame_times_s=timeline.frame_times_s.tolist() if include_frame_times else UNSET,
    )


def _filter(chosen: Filter) -> document_types.Filter:
    return document_types.Filter(
        None if chosen.person_ids is None else sorted(chosen.person_ids),
        None if chosen.actions is None else sorted(chosen.actions),
        chosen.min_confidence,
        chosen.max_confidence if math.isfinite(chosen.max_confidence) else None,
        chosen.start_s,
        chosen.end_s if math.isfinite(chosen.end_s) else None,
        chosen.checked,
    )


def groups_values(groups: LabelGroups) -> dict[str, Any]:
    """Return label groups as plain values."""
    values: dict[str, Any] = msgspec.to_builtins(_groups(groups))
    return values


def _groups(groups: LabelGroups) -> document_types.LabelGroups:
    return document_types.LabelGroups({name: list(labels) for name, labels in groups.groups.items()}, groups.other)


def _text(document: Document) -> str:
    values: dict[str, Any] = msgspec.to_builtins(document)
    return "{\n" + ",\n".join(f"{_dumps(key)}: {_lines(value)}" for key, value in values.items()) + "\n}\n"


def _dumps(value: object) -> str:
    text = json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:  # a lone surrogate, from a file name that is not UTF-8
        text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return inert_json(text)


def _lines(value: object) -> str:
    """Encode a value; lists of objects get one line per object, which is easy to read and to compare."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(_dumps(entry) for entry in value) + "\n]"
    return _dumps(value)


def _video(video: VideoInfo) -> document_types.Video:
    return document_types.Video(
        sha256=video.sha256,
        width=video.width,
        height=video.height,
        frame_rate=None if video.frame_rate is None else f"{video.frame_rate}",
        duration_s=video.duration_s,
        frame_count=video.frame_count,
        codec=video.codec,
    )


def setting_values(settings: Settings) -> dict[str, Any]:
    """Return the settings by name; a checkpoint and its labels lose their folders."""
    values = settings.as_dict()
    for name in PATH_SETTINGS:
        if values[name] is not None:
            values[name] = PureWindowsPath(values[name]).name  # accepts both kinds of slash
    return values


def _reading(reading: Reading) -> document_types.Reading | UnsetType:
    values = values_of(reading)
    return msgspec.convert(values | {"line": line(reading)}, document_types.Reading) if values else UNSET


def _segment(segment: Segment, checked: bool) -> document_types.Segment:
    return document_types.Segment(
        segment.person_id,
        segment.action,
        segment.start_s,
        segment.end_s,
        segment.confidence,
        UNSET if segment.source == "machine" else segment.source,
        checked or UNSET,
    )


def _camera(camera: CameraPath) -> document_types.Camera:
    steps = [None if step[0] != step[0] else tuple(step) for step in camera.steps.tolist()]  # NaN differs from itself
    return document_types.Camera(camera.time_s.tolist(), steps)


def _people(timeline: Timeline, names: Mapping[int, str], include_boxes: bool) -> list[document_types.Person]:
    movement = {moving.person.person_id: _movement(moving) for moving in people_moving(timeline)}
    return [
        _person(track, include_boxes, names.get(track.person_id), movement.get(track.person_id, UNSET))
        for track in timeline.people
    ]


def _movement(moving: PersonMovement) -> document_types.Movement:
    summary = moving.summary
    return document_types.Movement(
        known_s=summary.known_s,
        still_s=summary.seconds.get(Movement.STILL, 0.0),
        slow_s=summary.seconds.get(Movement.SLOW, 0.0),
        fast_s=summary.seconds.get(Movement.FAST, 0.0),
        mean_heights_per_s=summary.mean_per_s,
        max_heights_per_s=summary.max_per_s,
        spans=[
            document_types.MovementSpan(span.start_s, span.end_s, span.movement.value, span.per_s)
            if isinstance(span.movement, Movement)
            else document_types.MovementSpan(span.start_s, span.end_s, "unknown", None, span.movement.value)
            for span in moving.spans()
        ],
    )


def _person(
    track: PersonTrack, include_boxes: bool, name: str | None, movement: document_types.Movement | UnsetType
) -> document_types.Person:
    return document_types.Person(
        person_id=track.person_id,
        presence=list(track.presence),
        samples=document_types.Samples(
            time_s=track.time_s.tolist(),
            box_xyxy=_shortest(track.box_xyxy),
            confidence=_shortest(track.confidence),
        )
        if include_boxes
        else UNSET,
        name=name or UNSET,
        movement=movement,
    )


def _prediction(prediction: Prediction) -> document_types.Prediction:
    return document_types.Prediction(
        person_id=prediction.person_id,
        start_s=prediction.start_s,
        end_s=prediction.end_s,
        classifier=prediction.classifier,
        top=_top(prediction),
    )


def _top(prediction: Prediction) -> list[document_types.LabelProbability]:
    entries = [document_types.LabelProbability(label, probability) for label, probability in prediction.top]
    for entry, own in zip(entries, prediction.network_probabilities, strict=False):  # there are none, or as many
        entry.network_probability = own
    return entries


def _shortest(values: NDArray[np.float32]) -> Any:
    """Return the numbers with the fewest digits that restore the same float32."""
    return values.astype(np.str_).astype(np.float64).tolist()


# --- reading ---


class _UnfitError(Exception):
    """A field is missing or has the wrong type."""


def _decoded(text: str) -> Document:
    """Decode and validate a document.

    Raises:
        StoreError: it is not JSON, or of another major version.
        _UnfitError: a field is missing or has the wrong type.
    """
    try:
        return msgspec.json.decode(text, type=Document)
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        pass
    # Try again with the slower standard library. It reads lone surrogates, which msgspec refuses and file names that
    # are not UTF-8 contain, and it provides the value for the message.
    try:
        values = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise StoreError(f"The analysis is not valid JSON ({_short(error)}); export it again.") from error
    if isinstance(values, dict) and isinstance(version := values.get("schema_version"), str):
        _check_version(version)  # another version's fields may have other types
    try:
        return msgspec.convert(values, Document)
    except msgspec.ValidationError as error:
        raise _UnfitError(_fact(str(error), values)) from error
    except UnicodeError as error:  # a lone surrogate where one of a few words is expected
        raise _UnfitError("a word in it is not whole Unicode text") from error


_WORDS: Final = {
    "object": "an object",
    "array": "a list",
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "null": "null",
}


def _fact(problem: str, values: Any) -> str:
    """Describe which field of the document does not fit, and its value."""
    what, _, path = problem.partition(" - at `$")
    path = path.rstrip("`").removeprefix(".")
    if missing := re.fullmatch(r"Object missing required field `(\w+)`", what):
        return f"{path}{'.' if path else ''}{missing[1]} is missing"
    expected = re.match(r"Expected `([^`]+)`(.*)", what)
    if expected is None:
        return f"{path} does not fit ({what})"
    kinds = " or ".join(_WORDS.get(kind, kind) for kind in expected[1].split(" | "))
    length = re.search(r"of length (>= )?(\d+)", expected[2])
    if length is not None:
        kinds += f" of {'at least ' if length[1] else ''}{length[2]}"
    found = values
    for name, index in re.findall(r"(\w+)|\[(\d+)\]", path.removesuffix("[...]")):
        found = found[name or int(index)]
    if path.endswith("[...]"):  # msgspec does not report the key of the value
        path, found = next((f"{path[:-5]}.{key}", value) for key, value in found.items() if not isinstance(value, str))
    return f"{path or 'the document'} is {str(found)[:40]!r}, not {kinds}"


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


def _timeline(document: Document) -> Timeline:
    times_s = document.frame_times_s
    return Timeline(
        video=_read_video(document.video),
        settings=_read_settings(document.settings),
        people=tuple(_read_person(person, f"people[{k}]") for k, person in enumerate(document.people)),
        predictions=tuple(map(_read_prediction, document.predictions)),
        frame_times_s=np.empty(0) if isinstance(times_s, UnsetType) else np.array(times_s, np.float64),
        analysed_s=document.analysed_s,
        complete=document.complete,
        notes=tuple(document.notes),
        provenance=document.provenance,
        reading=Reading() if isinstance(document.reading, UnsetType) else _read_reading(document.reading),
        camera=None if isinstance(document.camera, UnsetType) else _read_camera(document.camera),
    )


def _read_camera(camera: document_types.Camera) -> CameraPath:
    if len(camera.time_s) != len(camera.steps):
        raise _UnfitError(f"camera has {len(camera.time_s)} times and {len(camera.steps)} steps")
    steps = np.array([step or UNKNOWN_STEP for step in camera.steps], np.float64).reshape(-1, 4)
    return CameraPath(np.array(camera.time_s, np.float64), steps)


def _read_reading(reading: document_types.Reading) -> Reading:
    try:
        return reading_from(msgspec.to_builtins(reading))
    except (ValueError, ZeroDivisionError):
        raise _UnfitError(f"reading.pixel_aspect is {reading.pixel_aspect[:40]!r}, not a fraction") from None


def _read_video(video: document_types.Video) -> VideoInfo:
    rate = video.frame_rate
    try:
        frame_rate = None if rate is None else Fraction(rate)
    except (ValueError, ZeroDivisionError):
        raise _UnfitError(f"frame_rate is {str(rate)[:40]!r}, not a fraction such as '30000/1001'") from None
    return VideoInfo(
        sha256=video.sha256,
        width=video.width,
        height=video.height,
        frame_rate=frame_rate,
        duration_s=video.duration_s,
        frame_count=video.frame_count,
        codec=video.codec,
    )


def _read_settings(record: Mapping[str, Any]) -> Settings:
    known = specs_of(Settings)  # a later minor version may have more
    values = {name: value for name, value in record.items() if name in known}
    for name in PATH_SETTINGS:
        if not isinstance(values.get(name), str | None):
            raise _UnfitError(f"{name} is {str(values[name])[:40]!r}, not text")
    return Settings(**values)


def _read_person(person: document_types.Person, where: str) -> PersonTrack:
    presence = tuple(person.presence)
    if isinstance(person.samples, UnsetType):
        return PersonTrack(
            person.person_id, np.empty(0), np.empty((0, 4), np.float32), np.empty(0, np.float32), presence
        )
    time_s = np.array(person.samples.time_s, np.float64)
    boxes = _float32(person.samples.box_xyxy, f"{where}.samples.box_xyxy").reshape(-1, 4)
    confidence = _float32(person.samples.confidence, f"{where}.samples.confidence")
    if not len(time_s) == len(boxes) == len(confidence):
        raise _UnfitError(
            f"{where}.samples has {len(time_s)} times, {len(boxes)} boxes and {len(confidence)} confidences"
        )
    return PersonTrack(person.person_id, time_s, boxes, confidence, presence)


def _read_prediction(prediction: document_types.Prediction) -> Prediction:
    return Prediction(
        person_id=prediction.person_id,
        start_s=prediction.start_s,
        end_s=prediction.end_s,
        top=tuple([(intern(entry.label), entry.probability) for entry in prediction.top]),
        classifier=prediction.classifier,
        network_probabilities=_read_network_probabilities(prediction.top),
    )


def _read_network_probabilities(top: Sequence[document_types.LabelProbability]) -> tuple[float, ...]:
    given = tuple(own for entry in top if not isinstance(own := entry.network_probability, UnsetType))
    return given if len(given) == len(top) else ()


def _float32(values: Sequence[Any], name: str) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):  # reported below
        array = np.array(values, np.float64).astype(np.float32)
    if not np.isfinite(array).all():
        raise _UnfitError(f"{name} holds a number that is too large")
    return array
