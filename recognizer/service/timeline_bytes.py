"""Timelines as bytes for the database: a small head as JSON, and what there is much of as compressed arrays.

An array keeps every bit of its numbers. Neighbours differ little (a person moves little, samples come evenly), so their
bits are stored as differences, byte by byte of the same weight, which zlib packs quickly and well. Timelines of one
pass over a video have the same boxes, which are stored once.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import accumulate, chain, pairwise, repeat
from sys import intern
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from recognizer.errors import StoreError
from recognizer.export import timeline_from_json, timeline_json
from recognizer.timeline.model import PersonTrack, Timeline
from recognizer.types import CameraPath, Prediction

_BEGINNING: Final = b"TL1\n"
_KIND: Final = b"TL"
_LEVEL: Final = 3
"""Level of zlib: a higher one would save a twentieth, and take a second more for an hour of 30 people."""

_NOTHING: Final = np.empty(0)


class _Array(msgspec.Struct, array_like=True):
    """Numbers: their type and shape, how often differences were taken along the last axis, and the compressed bytes."""

    dtype: str
    shape: tuple[int, ...]
    differences: int
    data: bytes


class _Packed(msgspec.Struct):
    """A timeline whose numbers are elsewhere.

    Attributes:
        head: its JSON without people, predictions and times of frames.
        people: number, count of samples and presence of each.
        words: JSON list of the labels and of the classifiers, whose places the arrays hold.
        arrays: by name, the place of each array in the document.
    """

    head: str
    people: list[tuple[int, int, list[tuple[float, float]]]]
    words: str
    arrays: dict[str, int]


class _Document(msgspec.Struct):
    arrays: list[_Array]
    timelines: list[_Packed]


_DOCUMENT: Final = msgspec.msgpack.Decoder(_Document)


def timelines_to_bytes(timelines: Iterable[Timeline]) -> bytes:
    """Return timelines as bytes, without their features.

    Raises:
        ValueError: a number outside the arrays is not finite.
    """
    arrays = _Arrays()
    packed = [_pack(timeline, arrays) for timeline in timelines]
    return _BEGINNING + msgspec.msgpack.encode(_Document(arrays.packed, packed))


def timelines_from_bytes(content: bytes) -> list[Timeline]:
    """Return the timelines of ``timelines_to_bytes``, equal to the bit.

    Raises:
        StoreError: a later version of this program wrote them.
        ValueError: they are damaged.
    """
    if not content.startswith(_BEGINNING):
        if content.startswith(_KIND):
            raise StoreError("a later version of this program wrote this; install the latest version.")
        raise ValueError("these are no timelines")
    try:
        document = _DOCUMENT.decode(content[len(_BEGINNING) :])
        arrays = _Unpacked(document.arrays)
        return [_unpack(one, arrays) for one in document.timelines]
    except (zlib.error, KeyError, IndexError, TypeError, OverflowError) as error:
        raise ValueError(f"the numbers do not fit ({error})") from error


def timeline_from_stored(content: bytes) -> Timeline:
    """Return a stored timeline: as above, or, from before version 5 of the database, as compressed JSON.

    Raises:
        StoreError: a later version of this program wrote it, or its JSON does not fit.
        ValueError: it is damaged.
    """
    if content.startswith(_KIND):
        (timeline,) = timelines_from_bytes(content)
        return timeline
    try:
        return timeline_from_json(zlib.decompress(content).decode())
    except zlib.error as error:
        raise ValueError(f"the text cannot be decompressed ({error})") from error


# --- writing ---


class _Arrays:
    """Packs arrays, equal ones once."""

    def __init__(self) -> None:
        self.packed: list[_Array] = []
        self._places: dict[tuple[str, tuple[int, ...], int, bytes], int] = {}

    def add(self, values: NDArray[Any], differences: int = 0) -> int:
        """Return the place of the array in the document."""
        values = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
        digest = hashlib.sha256(values.data).digest()
        key = (values.dtype.str, values.shape, differences, digest)
        if key not in self._places:
            self._places[key] = len(self.packed)
            self.packed.append(_Array(*key[:3], _compressed(values, differences)))
        return self._places[key]


def _compressed(values: NDArray[Any], differences: int) -> bytes:
    bits = values.view(_bits(values.dtype))
    for _ in range(differences):
        bits = np.diff(bits, axis=-1, prepend=bits.dtype.type(0))
    return zlib.compress(np.ascontiguousarray(_bytes_of(bits).T).data, _LEVEL)


def _bits(dtype: np.dtype[Any]) -> str:
    return f"<i{dtype.itemsize}"


def _bytes_of(bits: NDArray[Any]) -> NDArray[np.uint8]:
    """Return uint8 (n, bytes of a number), a view."""
    return bits.view(np.uint8).reshape(-1, bits.dtype.itemsize)


def _pack(timeline: Timeline, arrays: _Arrays) -> _Packed:
    hollow = replace(timeline, people=(), predictions=(), frame_times_s=_NOTHING, camera=None)
    people = timeline.people
    places = {
        "frame_times_s": arrays.add(timeline.frame_times_s.astype(np.float64), 2),
        "time_s": arrays.add(_joined([track.time_s for track in people], np.float64), 2),
        "box_xyxy": arrays.add(_joined([track.box_xyxy.T for track in people], np.float32, (4,)), 1),
        "confidence": arrays.add(_joined([track.confidence for track in people], np.float32), 1),
    }
    if timeline.camera is not None:
        places["camera_time_s"] = arrays.add(timeline.camera.time_s.astype(np.float64), 2)
        places["camera_steps"] = arrays.add(timeline.camera.steps.astype(np.float64).T, 1)
    words, said = _said(timeline.predictions)
    places |= {name: arrays.add(values, differences) for name, (values, differences) in said.items()}
    return _Packed(
        head=timeline_json(hollow),
        people=[(track.person_id, len(track.time_s), list(track.presence)) for track in people],
        words=words,
        arrays=places,
    )


def _joined(parts: Sequence[NDArray[Any]], dtype: type, rows: tuple[int, ...] = ()) -> NDArray[Any]:
    return np.concatenate([np.empty((*rows, 0), dtype), *parts], axis=-1, dtype=dtype)


def _said(predictions: Sequence[Prediction]) -> tuple[str, dict[str, tuple[NDArray[Any], int]]]:
    """Return the words, and by name the arrays of predictions with how often differences are taken."""
    pairs = list(chain.from_iterable(one.top for one in predictions))
    labels = _places(label for label, _ in pairs)
    classifiers = _places(one.classifier for one in predictions)
    arrays: dict[str, tuple[NDArray[Any], int]] = {
        "person_id": (np.array([one.person_id for one in predictions], np.int32), 1),
        "start_s": (np.array([one.start_s for one in predictions], np.float64), 1),
        "end_s": (np.array([one.end_s for one in predictions], np.float64), 1),
        "classifier": (np.array([classifiers[one.classifier] for one in predictions], np.int32), 0),
        "count": (np.array([len(one.top) for one in predictions], np.int32), 0),
        "label": (np.array([labels[label] for label, _ in pairs], np.int32), 0),
        "probability": (_exact([probability for _, probability in pairs]), 0),
        "own_count": (np.array([len(one.network_probabilities) for one in predictions], np.int32), 0),
        "own": (_exact(list(chain.from_iterable(one.network_probabilities for one in predictions))), 0),
    }
    return json.dumps([list(labels), list(classifiers)]), arrays


def _places(words: Iterable[str]) -> dict[str, int]:
    return {word: place for place, word in enumerate(dict.fromkeys(words))}


def _exact(values: Sequence[float]) -> NDArray[Any]:
    """Return float32 if it holds the numbers exactly, as those of most networks, else float64."""
    wide = np.array(values, np.float64)
    with np.errstate(over="ignore"):
        narrow = wide.astype(np.float32)
    return narrow if np.array_equal(narrow.astype(np.float64).view(np.int64), wide.view(np.int64)) else wide


# --- reading ---


class _Unpacked:
    """Unpacks arrays when they are asked for; equal ones are one object."""

    def __init__(self, packed: Sequence[_Array]) -> None:
        self._packed = packed
        self._made: dict[int, NDArray[Any]] = {}

    def __getitem__(self, place: int) -> NDArray[Any]:
        if place not in self._made:
            self._made[place] = _restored(self._packed[place])
        return self._made[place]


def _restored(packed: _Array) -> NDArray[Any]:
    dtype = np.dtype(packed.dtype)
    planes = np.frombuffer(zlib.decompress(packed.data), np.uint8).reshape(dtype.itemsize, -1)
    bits = np.ascontiguousarray(planes.T).view(_bits(dtype)).reshape(packed.shape)
    for _ in range(packed.differences):
        bits = np.cumsum(bits, axis=-1, dtype=bits.dtype)
    return bits.view(dtype)


def _unpack(packed: _Packed, arrays: _Unpacked) -> Timeline:
    def array(name: str) -> NDArray[Any]:
        return arrays[packed.arrays[name]]

    camera = CameraPath(array("camera_time_s"), array("camera_steps").T) if "camera_steps" in packed.arrays else None
    return replace(
        timeline_from_json(packed.head),
        people=tuple(_people(packed, array("time_s"), array("box_xyxy").T, array("confidence"))),
        predictions=_predictions({name: array(name) for name in _SAID}, *json.loads(packed.words)),
        frame_times_s=array("frame_times_s"),
        camera=camera,
    )


_SAID: Final = ("person_id", "start_s", "end_s", "classifier", "count", "label", "probability", "own_count", "own")


def _people(
    packed: _Packed, time_s: NDArray[Any], box_xyxy: NDArray[Any], confidence: NDArray[Any]
) -> Iterator[PersonTrack]:
    counts = [count for _, count, _ in packed.people]
    if not sum(counts) == len(time_s) == len(box_xyxy) == len(confidence):
        raise ValueError("the samples are not as many as they should be")
    for (person_id, _, presence), (begin, end) in zip(packed.people, _spans(counts), strict=True):
        part = slice(begin, end)
        boxes = np.ascontiguousarray(box_xyxy[part])
        yield PersonTrack(person_id, time_s[part], boxes, confidence[part], tuple(presence))


def _predictions(said: dict[str, NDArray[Any]], labels: list[str], classifiers: list[str]) -> tuple[Prediction, ...]:
    names, networks = [intern(label) for label in labels], [intern(one) for one in classifiers]
    pairs = list(zip([names[k] for k in said["label"].tolist()], said["probability"].tolist(), strict=True))
    return tuple(
        map(
            Prediction,
            said["person_id"].tolist(),
            said["start_s"].tolist(),
            said["end_s"].tolist(),
            _grouped(pairs, said["count"]),
            [networks[k] for k in said["classifier"].tolist()],
            _grouped(said["own"].tolist(), said["own_count"]),
        )
    )


def _grouped(values: list[Any], counts: NDArray[Any]) -> Iterable[tuple[Any, ...]]:
    """Return the values in groups of these sizes."""
    if not values:
        return repeat((), len(counts))
    if int(counts.sum()) != len(values):
        raise ValueError("the probabilities are not as many as they should be")
    return [tuple(values[begin:end]) for begin, end in _spans(counts.tolist())]


def _spans(counts: Iterable[int]) -> Iterator[tuple[int, int]]:
    return pairwise(accumulate(counts, initial=0))
