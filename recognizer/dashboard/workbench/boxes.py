"""Boxes as bytes: a browser reads them into arrays without parsing anything."""

from __future__ import annotations

import struct
from typing import Final

import numpy as np
from numpy.typing import NDArray

from recognizer.timeline.model import PersonTrack, Timeline

_WHOLE: Final = 65535
"""Edges are counted in this many parts of the picture's width or height."""

_ALIGN_BYTES: Final = 8


def box_bytes(timeline: Timeline, from_s: float, to_s: float) -> bytes:
    """Return the boxes of the machine's tracks in ``[from_s, to_s]``, and one sample before and after each.

    Little-endian: uint32 number of tracks, then for each one uint32 ``person_id`` and uint32 n; padding to a multiple
    of 8 bytes; float64 time (n,); then the left, upper, right and lower edges, uint16 (n,) each, in 1/65535 of the
    picture's width or height.
    """
    size = np.array([timeline.video.width, timeline.video.height] * 2, np.float64)
    tracks = [(track, *_around(track, from_s, to_s)) for track in timeline.people]
    content = bytearray(struct.pack("<I", sum(past > first for _, first, past in tracks)))
    for track, first, past in tracks:
        if past > first:
            content += struct.pack("<II", track.person_id, past - first)
            content += bytes(-len(content) % _ALIGN_BYTES)
            content += track.time_s[first:past].astype("<f8").tobytes()
            content += _edges(track.box_xyxy[first:past] / size)
    return bytes(content)


def _around(track: PersonTrack, from_s: float, to_s: float) -> tuple[int, int]:
    first, past = np.searchsorted(track.time_s, (from_s, to_s), "left").tolist()
    return max(0, first - 1), min(len(track.time_s), past + 1)


def _edges(shares: NDArray[np.float64]) -> bytes:
    return np.clip(np.rint(shares * _WHOLE), 0, _WHOLE).astype("<u2").T.tobytes()
