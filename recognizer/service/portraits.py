"""Small pictures of the people in a video, each cut out at a good moment."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from weakref import WeakKeyDictionary

import numpy as np

from recognizer.files import write_bytes
from recognizer.service.opened import Opened
from recognizer.service.playable import playable
from recognizer.service.stills import VideoFile, cut_out, video_file
from recognizer.service.tasks import ServerContext
from recognizer.timeline.model import PersonTrack
from recognizer.types import Box

_MIDDLE: Final = 0.6
"""Share of the samples, in the middle of all, among which the largest box is looked for: at the ends of a visit a
person is often cut off by the picture's edge."""

_turn = threading.Lock()
"""Pictures are decoded one after the other: a page asks for many at once, and must not wait for all of them."""


@dataclass(frozen=True)
class Portrait:
    """A moment at which a person is well seen.

    Attributes:
        time_s: when.
        box_xyxy: where, in pixels of the frame.
    """

    time_s: float
    box_xyxy: Box

    @property
    def key(self) -> str:
        """Names the picture: a person who was merged or split may get another."""
        return f"{round(self.time_s * 1000)}-{round(self.box_xyxy[0])}-{round(self.box_xyxy[1])}"


def portrait_of(track: PersonTrack) -> Portrait | None:
    """Return a good moment to show a person; None for a person without samples."""
    if track not in _of_track:
        _of_track[track] = _best(track)
    return _of_track[track]


def portrait_at(track: PersonTrack, time_s: float) -> Portrait | None:
    """Return a person at a time; None while they are away."""
    box = track.box_at(time_s)
    return None if box is None else Portrait(time_s, box)


_of_track: WeakKeyDictionary[PersonTrack, Portrait | None] = WeakKeyDictionary()


def _best(track: PersonTrack) -> Portrait | None:
    count = len(track.time_s)
    if not count:
        return None
    first = int(count * (1 - _MIDDLE) / 2)
    boxes = track.box_xyxy[first : count - first]
    row = first + int(np.argmax((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])))
    x1, y1, x2, y2 = track.box_xyxy[row].astype(np.float64).tolist()
    return Portrait(float(track.time_s[row]), (x1, y1, x2, y2))


def portrait_jpeg(context: ServerContext, opened: Opened, portrait: Portrait) -> bytes | None:
    """Return the picture as JPEG; None while there is no video to cut it from."""
    kept = context.store.derived_path(opened.video_path, f"person-{portrait.key}.jpg")
    if kept.is_file():
        return kept.read_bytes()
    with _turn:
        if kept.is_file():
            return kept.read_bytes()
        content = _cut_out(context, opened, portrait)
        if content is not None:
            with suppress(OSError):  # on a full disk, the picture is cut out again next time
                write_bytes(kept, content)
        return content


def _cut_out(context: ServerContext, opened: Opened, portrait: Portrait) -> bytes | None:
    file = _file(context, opened)
    return None if file is None else cut_out(file, opened.machine.video, portrait.time_s, portrait.box_xyxy)


def _file(context: ServerContext, opened: Opened) -> VideoFile | None:
    """Return the file to cut pictures from; have a copy made of one that browsers do not play."""
    return None if playable(context, opened).state == "gone" else video_file(context.store, opened)
