"""A set of own actions as a file: a safetensors file of arrays, with a JSON document in its metadata.

Nothing in it is executed. A file from elsewhere is checked before its numbers are used: its length, its header, every
shape against the examples that the document lists, and every number.
"""

from __future__ import annotations

import math
import secrets
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC
from itertools import pairwise
from typing import Any, Final

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from safetensors.numpy import save

from recognizer.actions.head import Head
from recognizer.actions.model import (
    BACKGROUND_CLIPS,
    MOST_ACTIONS,
    MOST_BACKGROUNDS,
    MOST_EXAMPLES,
    PICTURES,
    ActionSet,
    Background,
    ClipSettings,
    Example,
    OwnAction,
    checked_name,
    checked_title,
)
from recognizer.actions.posture import POSTURE
from recognizer.actions.set_document import (
    SET_VERSION,
    ActionDocument,
    BackgroundDocument,
    ExampleDocument,
    NetworkDocument,
    SetDocument,
)
from recognizer.errors import ActionsError
from recognizer.timeline.features import FeatureSpace

SUFFIX: Final = ".actions"

MOST_FILE_BYTES: Final = 256 * 2**20
"""The most examples of the largest network, each with three pictures, take half of it."""

MOST_HEADER_BYTES: Final = 8 * 2**20
"""The most examples take a fifth of it."""

MOST_PICTURE_BYTES: Final = 64 * 2**10
MOST_PICTURE_PX: Final = 512
"""A picture of an example has 96 pixels in height and takes about 4 kB."""

MOST_SIZE: Final = 8192
"""Numbers of one view; the largest network of the catalogue has 1024."""

_MOST_NUMBER: Final = 1e6
"""Features and postures are a thousand times smaller; the squares of larger numbers might overflow."""

_LATEST_S: Final = 1e7
"""Four months: no video is longer."""

_MOST_PERSON: Final = 2**31
_MOST_VIDEO_NAME_CHARS: Final = 255
_MOST_SLOT: Final = 10_000
_DOCUMENT: Final = "own_actions"
_HEAD: Final = "head."
_DTYPES: Final = {"U8": "u1", "I64": "<i8", "F32": "<f4", "F64": "<f8"}

Arrays = Mapping[str, NDArray[Any]]


class _Tensor(Struct):
    dtype: str
    shape: list[int]
    data_offsets: tuple[int, int]


def write_set(actions: ActionSet, head: Head | None = None) -> bytes:
    """Return a file with a set, its pictures as far as they are loaded, and what the set teaches.

    Args:
        actions: the set.
        head: what it teaches, for other programs; this one learns it again from the examples.
    """
    examples = actions.examples
    document = SetDocument(
        SET_VERSION,
        actions.title,
        None if actions.space is None or actions.clips is None else _network(actions.space, actions.clips),
        [ActionDocument(one.name, one.slot) for one in actions.actions],
        [_example_document(one) for one in examples],
        [BackgroundDocument(one.video_key, len(one.features)) for one in actions.backgrounds],
        None if head is None else list(head.names),
    )
    arrays: dict[str, NDArray[Any]] = {}
    if examples:
        pictures = [jpeg for one in examples for jpeg in one.pictures]
        arrays = {
            "features": np.stack([one.features for one in examples]).astype("<f4"),
            "posture": np.stack([one.posture for one in examples]).astype("<f8"),
            "pictures": np.frombuffer(b"".join(pictures), np.uint8),
            "picture_ends": np.cumsum([0, *map(len, pictures)])[1:].astype("<i8"),
        }
    if actions.backgrounds:
        arrays["background"] = np.concatenate([one.features for one in actions.backgrounds]).astype("<f4")
    if head is not None:
        arrays |= {_HEAD + name: np.ascontiguousarray(array, "<f4") for name, array in head.to_arrays().items()}
    return save(arrays, metadata={_DOCUMENT: msgspec.json.encode(document).decode()})


def read_set(content: bytes, name: str) -> ActionSet:
    """Read a set that ``write_set`` wrote; its examples get new ids.

    Args:
        content: the file.
        name: its name, for messages.

    Raises:
        ActionsError: it is no such file, or something in it cannot be.
    """
    if len(content) > MOST_FILE_BYTES:
        raise ActionsError(
            f"'{name}' has {len(content) / 2**20:,.0f} MiB, and a set has at most {MOST_FILE_BYTES // 2**20}; export "
            "it again without pictures."
        )
    try:
        return _read(content)
    except ActionsError as error:
        raise ActionsError(f"'{name}': {error}") from error
    except (ValueError, RecursionError, OverflowError) as error:  # msgspec's errors are ValueErrors
        raise ActionsError(
            f"'{name}' is not a set of own actions ({str(error)[:200]}); export the set again."
        ) from error


def _read(content: bytes) -> ActionSet:
    metadata, tensors, data = _opened(content)
    document = msgspec.json.decode(metadata.get(_DOCUMENT, ""), type=SetDocument)
    if document.schema_version.partition(".")[0] != SET_VERSION.partition(".")[0]:
        raise ActionsError(
            f"the file has schema version {document.schema_version[:20]!r}, and this program reads version "
            f"{SET_VERSION}; use the program that wrote it."
        )
    _check_counts(document)
    _check_shapes(document, tensors)
    arrays = {
        key: np.frombuffer(data[slice(*one.data_offsets)], _DTYPES[one.dtype]).reshape(one.shape)
        for key, one in tensors.items()
    }
    actions = _actions(document)
    network = document.network
    found = ActionSet(
        "",
        checked_title(document.title),
        None if network is None else FeatureSpace(network.classifier, network.weights_sha256, network.feature_size),
        None if network is None else _clips(network),
        actions,
        tuple(_examples(document, arrays, actions)) if document.examples else (),
        backgrounds=tuple(_backgrounds(document, arrays)) if document.backgrounds else (),
    )
    if document.head is not None:
        if not set(document.head) <= set(found.names):
            raise ValueError("its head has names that are not among its actions")
        # this program learns from the examples; a head that does not fit them is still a damaged file
        Head.from_arrays(document.head, {key[len(_HEAD) :]: arrays[key] for key in arrays if key.startswith(_HEAD)})
    return found


def _opened(content: bytes) -> tuple[dict[str, str], dict[str, _Tensor], memoryview]:
    """Return a safetensors file's metadata, its tensors and their bytes; each tensor lies within them, and has one of
    the expected types."""
    length = int.from_bytes(content[:8], "little")
    if len(content) < 8 or length > min(MOST_HEADER_BYTES, len(content) - 8):
        raise ValueError("it does not begin like a safetensors file")
    header = msgspec.json.decode(content[8 : 8 + length], type=dict[str, msgspec.Raw])
    metadata = msgspec.json.decode(header.pop("__metadata__", msgspec.Raw(b"{}")), type=dict[str, str])
    tensors = {key: msgspec.json.decode(raw, type=_Tensor) for key, raw in header.items()}
    data = memoryview(content)[8 + length :]
    for key, one in tensors.items():
        first, past = one.data_offsets
        if one.dtype not in _DTYPES or len(one.shape) > 3 or any(size < 0 for size in one.shape):
            raise ValueError(f"its array '{key[:40]}' is {one.dtype[:10]} of shape {one.shape[:5]}")
        if not 0 <= first <= past <= len(data) or math.prod(one.shape) * _width(one) != past - first:
            raise ValueError(f"its array '{key[:40]}' does not fill its part of the file")
    return metadata, tensors, data


def _width(tensor: _Tensor) -> int:
    return np.dtype(_DTYPES[tensor.dtype]).itemsize


def _check_counts(document: SetDocument) -> None:
    if len(document.examples) > MOST_EXAMPLES or len(document.actions) > MOST_ACTIONS:
        raise ActionsError(
            f"the file has {len(document.actions):,} actions and {len(document.examples):,} examples, and a set has at "
            f"most {MOST_ACTIONS} and {MOST_EXAMPLES:,}; divide it."
        )
    if any(not 0 <= one.pictures <= PICTURES for one in document.examples):
        raise ValueError(f"an example has more than {PICTURES} pictures")
    if len(document.backgrounds) > MOST_BACKGROUNDS or any(
        not 1 <= one.clips <= BACKGROUND_CLIPS for one in document.backgrounds
    ):
        raise ValueError("it has too many clips without names")
    if (document.examples or document.backgrounds) and document.network is None:
        raise ValueError("it names no network")


def _check_shapes(document: SetDocument, tensors: Mapping[str, _Tensor]) -> None:
    """Raise ValueError unless the arrays have exactly the shapes that the document asks for."""
    network = document.network
    if network is None:
        return
    if not (1 <= network.views <= 2 and 1 <= network.feature_size <= MOST_SIZE):
        raise ValueError(f"its network has {network.views} views of {network.feature_size} numbers")
    for key, (dtype, shape) in _wanted(document, network).items():
        found = tensors.get(key)
        if found is None or (found.dtype, found.shape) != (dtype, shape):
            given = "nothing" if found is None else f"{found.dtype} {found.shape}"
            raise ValueError(f"its array '{key}' is {given}, not {dtype} {shape}")
    pictures = tensors.get("pictures")
    if document.examples and (pictures is None or pictures.dtype != "U8" or len(pictures.shape) != 1):
        raise ValueError("its array 'pictures' is missing")
    if any(one.dtype != "F32" for key, one in tensors.items() if key.startswith(_HEAD)):
        raise ValueError("its head is not of 32-bit numbers")


def _wanted(document: SetDocument, network: NetworkDocument) -> dict[str, tuple[str, list[int]]]:
    rows, clips = len(document.examples), sum(one.clips for one in document.backgrounds)
    of_clip = [2 * network.views, network.feature_size]
    wanted = {"background": ("F32", [clips, *of_clip])} if clips else {}
    if rows:
        wanted["features"] = "F32", [rows, *of_clip]
        wanted["posture"] = "F64", [rows, len(POSTURE)]
        wanted["picture_ends"] = "I64", [sum(one.pictures for one in document.examples)]
    return wanted


def _actions(document: SetDocument) -> tuple[OwnAction, ...]:
    found: dict[str, OwnAction] = {}
    for one in document.actions:
        name = checked_name(one.name)
        slot = one.slot if one.slot is not None and 0 <= one.slot <= _MOST_SLOT else None
        if name.casefold() in found:
            raise ActionsError(f"the file has two actions called '{name}'; rename one and export it again.")
        found[name.casefold()] = OwnAction(name, slot)
    return tuple(found.values())


def _examples(document: SetDocument, arrays: Arrays, actions: Sequence[OwnAction]) -> Iterator[Example]:
    features, posture = arrays["features"], arrays["posture"]
    _check_features(features)
    if np.isinf(posture).any() or (np.abs(posture) > _MOST_NUMBER).any():
        raise ValueError("a posture is too large")
    names = {one.name for one in actions}
    pictures = iter(_pictures(arrays["pictures"], arrays["picture_ends"]))
    for row, one in enumerate(document.examples):
        action = None if one.action is None else checked_name(one.action)
        if action is not None and action not in names:
            raise ValueError(f"an example is of '{action}', which is not one of its actions")
        if not (0 <= one.start_s < one.end_s <= _LATEST_S and 0 < one.person_id < _MOST_PERSON):
            raise ValueError(f"an example is of person {one.person_id} from {one.start_s} s to {one.end_s} s")
        own = tuple(next(pictures) for _ in range(one.pictures))
        added_at = one.added_at if one.added_at.tzinfo is not None else one.added_at.replace(tzinfo=UTC)
        yield Example(
            secrets.token_urlsafe(16),
            action,
            _hash(one.video_sha256),
            _video_name(one.video_name),
            one.person_id,
            one.start_s,
            one.end_s,
            features[row],
            posture[row],
            added_at,
            own,
            len(own),
        )


def _backgrounds(document: SetDocument, arrays: Arrays) -> Iterator[Background]:
    features = arrays["background"]
    _check_features(features)
    first = 0
    for one in document.backgrounds:
        yield Background(_video_name(one.video), features[first : first + one.clips])
        first += one.clips


def _check_features(features: NDArray[np.float32]) -> None:
    if not (np.abs(features) <= _MOST_NUMBER).all():  # also false for what is not a number
        raise ValueError("a feature is not a number, or is too large")


def _pictures(content: NDArray[np.uint8], ends: NDArray[np.int64]) -> Iterator[bytes]:
    bounds = [0, *ends.tolist()]
    if any(past - first not in range(1, MOST_PICTURE_BYTES + 1) for first, past in pairwise(bounds)):
        raise ValueError("a picture is empty or too large")
    if bounds[-1] != len(content):
        raise ValueError("its pictures do not fill their array")
    for first, past in pairwise(bounds):
        jpeg = content[first:past].tobytes()
        size = _jpeg_size(jpeg)
        if size is None or max(size) > MOST_PICTURE_PX:
            raise ValueError("a picture is no small JPEG")
        yield jpeg


def _jpeg_size(content: bytes) -> tuple[int, int] | None:
    """Return width and height that a JPEG declares, without decoding it; None if it is none."""
    if content[:2] != b"\xff\xd8":
        return None
    at = 2
    while at + 9 <= len(content) and content[at] == 0xFF:
        marker, length = content[at + 1], int.from_bytes(content[at + 2 : at + 4])
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # a frame header
            height, width = int.from_bytes(content[at + 5 : at + 7]), int.from_bytes(content[at + 7 : at + 9])
            return (width, height) if width and height else None
        at += 2 + max(2, length)
    return None


def _hash(text: str | None) -> str | None:
    if text is not None and (len(text) != 64 or not set(text) <= set("0123456789abcdef")):
        raise ValueError("the hash of a video is not 64 hexadecimal digits")
    return text


def _video_name(text: str) -> str:
    shown = "".join(char for char in text[:_MOST_VIDEO_NAME_CHARS] if not unicodedata.category(char).startswith("C"))
    return shown.strip() or "video"


def _network(space: FeatureSpace, clips: ClipSettings) -> NetworkDocument:
    return NetworkDocument(*space, clips.views, clips.samples, clips.skip_frame, clips.backend, clips.span_s)


def _clips(network: NetworkDocument) -> ClipSettings:
    _hash(network.weights_sha256)
    for text in (network.classifier, network.backend):
        if len(text) > _MOST_VIDEO_NAME_CHARS or _video_name(text) != text:
            raise ValueError("the name of its network cannot be shown")
    if not (0 < network.samples < 10_000 and 0 < network.skip_frame < 10_000):
        raise ValueError(f"its clips have {network.samples} samples, every {network.skip_frame} frames")
    if not 0 < network.clip_s < 10_000:
        raise ValueError(f"its clips are {network.clip_s} s long")
    return ClipSettings(network.views, network.samples, network.skip_frame, network.backend, network.clip_s)


def _example_document(one: Example) -> ExampleDocument:
    return ExampleDocument(
        one.action,
        one.video_sha256,
        one.video_name,
        one.person_id,
        one.start_s,
        one.end_s,
        one.added_at,
        len(one.pictures),
    )
