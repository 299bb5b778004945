"""Read the tracks in CVAT's XML ("CVAT for video 1.1").

A track has a box for each frame of the video, counted from 0, until one with ``outside="1"``, where the person is no
longer seen; without one it lasts until the task ends. What a person does is in the attributes of the boxes: in those
that are called action or the like, or else in all that are no numbers. Without attributes, the track's label is the
action.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final
from xml.etree.ElementTree import Element

from recognizer.annotations.model import Label, LabelFile, Part
from recognizer.annotations.remarks import Tally, check_any
from recognizer.annotations.text import file_name, label_text, time_in_s
from recognizer.errors import TruthError

_ACTION_NAMES: Final = frozenset(("action", "actions", "activity", "behavior", "behaviour", "doing", "pose", "state"))
_NOTHING: Final = frozenset(("", "__undefined__", "false", "none"))


def read_tracks(root: Element, name: str) -> LabelFile:
    """Read the tracks; each is a subject.

    Raises:
        TruthError: it is damaged, or has no tracks.
    """
    tally = Tally()
    labels: list[Label] = []
    try:
        task_end = _task_end(root)
        for track in root.iterfind("track"):
            boxes = sorted(track, key=lambda box: int(box.attrib["frame"]))
            subject = f"track {track.attrib['id']} ({label_text(track.get('label', ''))})"
            labels += _labels(subject, label_text(track.get("label", "")), boxes, task_end)
    except (KeyError, ValueError) as error:
        raise TruthError(f"'{name}' is damaged ({error}); export it again from CVAT.") from error
    if root.find("track") is None and root.find("image") is not None:
        raise TruthError(f"'{name}' is CVAT's format for images, which has no times; export 'CVAT for video 1.1'.")
    check_any(labels, tally, name)
    source = root.findtext("meta/task/source") or root.findtext("meta/job/source") or root.findtext("meta/source")
    return LabelFile(name, "CVAT tracks", (Part("", tuple(labels), file_name(source) if source else None),))


def _task_end(root: Element) -> int | None:
    """Return the first frame after the task; None if the file does not state it."""
    for path in ("meta/task/stop_frame", "meta/job/stop_frame"):
        stated = root.findtext(path)
        if stated:
            return int(stated) + 1
    return None


def _labels(subject: str, label: str, boxes: Sequence[Element], task_end: int | None) -> Iterator[Label]:
    if not boxes:
        return
    names = {attribute.attrib["name"] for box in boxes for attribute in box.iterfind("attribute")}
    chosen = {name for name in names if name.casefold() in _ACTION_NAMES} or {
        name
        for name in names
        if not all(time_in_s(_value(box, name)) is not None for box in boxes if _value(box, name) not in _NOTHING)
    }
    frames = [int(box.attrib["frame"]) for box in boxes]
    last = frames[-1] + 1 if task_end is None else max(frames[-1] + 1, task_end)
    attributes: list[str | None] = [*sorted(chosen)] or [None]
    for name in attributes:
        said = [_said(box, name, label) for box in boxes]
        start: int | None = None
        for (frame, action), (after, later) in pairwise([*zip(frames, said, strict=True), (last, "")]):
            start = frame if start is None else start
            if later != action:
                if action:
                    yield Label(f"frame {start}", subject, action, start, after, in_frames=True)
                start = None


def _said(box: Element, name: str | None, label: str) -> str:
    """Return what a box says that the person does; empty if nothing."""
    if box.get("outside") == "1":
        return ""
    if name is None:
        return label
    value = _value(box, name)
    if value.casefold() in _NOTHING:
        return ""
    return label_text(name) if value.casefold() == "true" else label_text(value)


def _value(box: Element, name: str) -> str:
    return next((one.text or "" for one in box.iterfind("attribute") if one.get("name") == name), "").strip()
