"""Sets as files: everything comes back, and a file that is damaged or hostile gets a sentence."""

from __future__ import annotations

import contextlib
import json
import struct
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognizer.actions.head import Head
from recognizer.actions.model import ActionSet
from recognizer.actions.naming import learned
from recognizer.actions.set_document import SCHEMA_PATH, json_schema_text
from recognizer.actions.set_file import (
    MOST_HEADER_BYTES,
    read_set,
    write_set,
)
from recognizer.errors import ActionsError
from tests.support.action_sets import action_set, jpeg

SET = action_set("walk", "sit", None, pictures=2)
FILE = write_set(SET, learned(SET))


def parts_of(content: bytes) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    """A file's header, the document in it, and the bytes of its arrays."""
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    return header, json.loads(header["__metadata__"]["own_actions"]), content[8 + length :]


def file_of(header: dict[str, Any], document: object, data: bytes) -> bytes:
    header = header | {"__metadata__": {"own_actions": document if isinstance(document, str) else json.dumps(document)}}
    encoded = json.dumps(header).encode()
    return struct.pack("<Q", len(encoded)) + encoded + data


def changed(change: Callable[[dict[str, Any], dict[str, Any]], object]) -> bytes:
    header, document, data = parts_of(FILE)
    change(header, document)
    return file_of(header, document, data)


def with_numbers(key: str, values: np.ndarray[Any, Any]) -> bytes:
    """The file with other numbers in the place of an array."""
    header, document, data = parts_of(FILE)
    first, past = header[key]["data_offsets"]
    content = values.tobytes()
    assert len(content) == past - first
    return file_of(header, document, data[:first] + content + data[past:])


def everything_of(actions: ActionSet) -> object:
    return (
        actions.title,
        actions.space,
        actions.clips,
        actions.actions,
        actions.sha256,
        [
            (one.action, one.moment_key, one.video_name, one.start_s, one.end_s, one.pictures, one.added_at)
            for one in actions.examples
        ],
    )


def test_a_file_holds_the_whole_set_and_its_head() -> None:
    found = read_set(FILE, "everyday.actions")
    assert everything_of(found) == everything_of(SET)
    assert {one.example_id for one in found.examples}.isdisjoint(one.example_id for one in SET.examples)
    header, document, data = parts_of(FILE)
    arrays = {
        key[5:]: np.frombuffer(data[slice(*one["data_offsets"])], "<f4").reshape(one["shape"])
        for key, one in header.items()
        if key.startswith("head.")
    }
    before, again = learned(SET), learned(found)
    assert before is not None
    assert again is not None
    confidence = before.judge(SET.descriptors).confidence
    in_file = Head.from_arrays(document["head"], arrays)
    assert np.allclose(in_file.judge(SET.descriptors).confidence, confidence, atol=1e-4)
    assert np.allclose(again.judge(found.descriptors).confidence, confidence, atol=1e-4)


def test_the_document_fits_its_schema_and_the_one_in_docs() -> None:
    _, document, _ = parts_of(FILE)
    jsonschema.Draft202012Validator(json.loads(json_schema_text())).validate(document)
    assert SCHEMA_PATH.read_text("utf-8") == json_schema_text(), "run: python -m recognizer.actions.set_document"


def test_pictures_are_only_in_a_file_that_was_asked_for_them() -> None:
    plain = tuple(replace(one, pictures=(), picture_count=0) for one in SET.examples)
    without = write_set(replace(SET, examples=plain))
    assert jpeg()[:3] not in without
    assert all(one.pictures == () for one in read_set(without, "x").examples)
    assert len(without) < len(FILE) - sum(len(picture) for one in SET.examples for picture in one.pictures)


def test_an_empty_set_is_a_file_too() -> None:
    empty = replace(SET, space=None, clips=None, actions=SET.actions[:1], examples=(), backgrounds=())
    found = read_set(write_set(empty), "x")
    assert (found.names, found.examples, found.space) == (("walk",), (), None)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "does not begin like a safetensors file"),
        (b"PK\x03\x04 and more bytes", "does not begin like a safetensors file"),
        (struct.pack("<Q", 2**62) + b"{}", "does not begin like a safetensors file"),
        (struct.pack("<Q", MOST_HEADER_BYTES + 1) + b" " * (MOST_HEADER_BYTES + 1), "does not begin like"),
        (struct.pack("<Q", 5) + b"[1,2]", "is not a set of own actions"),
        (struct.pack("<Q", 2) + b"{}", "is not a set of own actions"),
        (struct.pack("<Q", 100_000) + b"[" * 100_000, "is not a set of own actions"),
        (FILE[:-1], "does not fill its part of the file"),
        (FILE[:200], "does not begin like"),
        (changed(lambda _, d: d.update(schema_version="2.0")), "schema version '2.0'.*use the program that wrote it"),
        (changed(lambda _, d: d.update(title="")), "the title of a set is empty"),
        (changed(lambda _, d: d.update(title="x" * 101)), "the title of a set has 101 characters"),
        (changed(lambda _, d: d.update(title="x" * 10**6)), "the title of a set has 1,000,000 characters"),
        (changed(lambda _, d: d["actions"][0].update(name="walk\u202e")), "characters that cannot be shown"),
        (changed(lambda _, d: d["actions"][0].update(name="unknown")), "another meaning"),
        (changed(lambda _, d: d["actions"][0].update(name="SIT")), "two actions called 'sit'"),
        (changed(lambda _, d: d["actions"].extend([{"name": str(k)} for k in range(200)])), "202 actions"),
        (changed(lambda _, d: d["examples"].extend(d["examples"] * 300)), "examples, and a set has at most"),
        (changed(lambda _, d: d["examples"].pop()), "'features' is F32"),
        (changed(lambda _, d: d["examples"][0].update(action="fly")), "'fly', which is not one of its actions"),
        (changed(lambda _, d: d["examples"][0].update(end_s=0.0)), "person 1 from 0.0 s to 0.0 s"),
        (changed(lambda _, d: d["examples"][0].update(start_s=-1.0)), "from -1.0 s"),
        (changed(lambda _, d: d["examples"][0].update(end_s=1e300)), "from 0.0 s to 1e"),
        (changed(lambda _, d: d["examples"][0].update(person_id=0)), "person 0"),
        (changed(lambda _, d: d["examples"][0].update(person_id="1")), "is not a set of own actions"),
        (changed(lambda _, d: d["examples"][0].update(video_sha256="../../etc")), "hash of a video"),
        (changed(lambda _, d: d["examples"][0].update(pictures=4)), "more than 3 pictures"),
        (changed(lambda _, d: d["examples"][0].update(pictures=0)), "'picture_ends' is I64"),
        (changed(lambda _, d: d.update(network=None)), "names no network"),
        (changed(lambda _, d: d["backgrounds"].pop()), "'background' is F32"),
        (changed(lambda _, d: d["backgrounds"][0].update(clips=10**12)), "too many clips without names"),
        (changed(lambda _, d: d["backgrounds"][0].update(clips=0)), "too many clips without names"),
        (changed(lambda _, d: d["backgrounds"].extend(d["backgrounds"] * 60)), "too many clips without names"),
        (changed(lambda _, d: d["network"].update(views=3)), "3 views"),
        (changed(lambda _, d: d["network"].update(feature_size=10**9)), "views of 1000000000 numbers"),
        (changed(lambda _, d: d["network"].update(feature_size=63)), "'background' is F32"),
        (changed(lambda _, d: d["network"].update(samples=-1)), "-1 samples"),
        (changed(lambda _, d: d["network"].update(classifier="i3d\x00")), "name of its network"),
        (changed(lambda _, d: d.update(head=["run", "sit"])), "names that are not among its actions"),
        (changed(lambda _, d: d.update(head=["sit"])), "a head whose"),
        (changed(lambda h, _: h.pop("head.weights")), "a head without weights"),
        (changed(lambda h, _: h.pop("features")), "'features' is nothing"),
        (changed(lambda h, _: h.pop("pictures")), "'pictures' is missing"),
        (changed(lambda h, _: h["features"].update(dtype="F16")), "is F16"),
        (changed(lambda h, _: h["features"].update(dtype="I64")), "does not fill its part"),
        (changed(lambda h, _: h["features"].update(shape=[2**40, 2**40, 2])), "does not fill its part"),
        (changed(lambda h, _: h["features"].update(shape=[-1, -1, 10])), "of shape \\[-1"),
        (changed(lambda h, _: h["features"].update(data_offsets=[0, 10**15])), "does not fill its part"),
        (changed(lambda h, _: h["features"].update(data_offsets=[-8, 0])), "does not fill its part"),
        (with_numbers("features", np.full((12, 4, 64), np.nan, "f4")), "a feature is not a number"),
        (with_numbers("features", np.full((12, 4, 64), 1e30, "f4")), "a feature is not a number, or is too large"),
        (with_numbers("background", np.full((6, 4, 64), np.inf, "f4")), "a feature is not a number"),
        (with_numbers("posture", np.full((12, 9), np.inf)), "a posture is too large"),
        (with_numbers("picture_ends", np.arange(24)), "a picture is empty or too large"),
        (with_numbers("picture_ends", -np.arange(24)), "a picture is empty or too large"),
        (with_numbers("picture_ends", np.arange(1, 25)), "its pictures do not fill"),
    ],
)
def test_a_broken_or_hostile_file_gets_a_sentence(content: bytes, sentence: str) -> None:
    with pytest.raises(ActionsError, match=sentence) as raised:
        read_set(content, "theirs.actions")
    assert str(raised.value).startswith("'theirs.actions'")
    assert len(str(raised.value)) < 400
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("picture", [b"GIF89a" + bytes(100), jpeg(size_px=(4000, 2)), jpeg()[:20], b"\xff\xd8" * 20])
def test_a_picture_that_is_no_small_jpeg_is_refused(picture: bytes) -> None:
    example = replace(SET.examples[0], pictures=(picture,))
    with pytest.raises(ActionsError, match="a picture is no small JPEG"):
        read_set(write_set(replace(SET, examples=(example,))), "x")


def test_a_file_that_declares_much_asks_for_no_memory() -> None:
    content = changed(lambda h, _: h["features"].update(shape=[2**20, 2, 2**20]))
    tracemalloc.start()
    with pytest.raises(ActionsError):
        read_set(content, "x")
    assert tracemalloc.get_traced_memory()[1] < 5 * 2**20
    tracemalloc.stop()


@given(st.data())
def test_a_file_with_changed_bytes_is_read_or_refused(data: st.DataObject) -> None:
    """Never another exception than the one with a sentence."""
    content = bytearray(FILE)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ActionsError):
        read_set(bytes(content), "x")
