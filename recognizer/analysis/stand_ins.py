"""Stand-ins for pictures of people, while an analysis is repeated up to its save point without decoding the video."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recognizer.clips.cropping import Cropper, Squares
from recognizer.types import Box, Frame, Picture, TrackedPerson

Pictures = tuple[tuple[Picture, ...], tuple[Picture, ...]]
"""Crops of people in one frame, and their surroundings if these are cut out; see ``Cropper.cut``."""

_CROP, _SURROUNDINGS = 0, 1

_SHAPE: Final = (2, 2, 3)
"""Room for the three numbers of a stand-in, in the form of a picture."""


class _Origin(NamedTuple):
    """A sampled frame and its people, with the boxes to crop around."""

    frame_index: int
    people: tuple[TrackedPerson, ...]
    boxes: tuple[Box, ...]


class StandIns:
    """Gives out stand-ins in place of crops, and cuts out the real pictures when their frames are decoded again.

    A stand-in is a tiny picture, uint8 (2, 2, 3), whose bytes tell the sample, the person and the kind of picture. Most
    are never replaced: their clips were classified before the save point.

    Args:
        cropper: cuts people out; it is kept up to date.
    """

    def __init__(self, cropper: Cropper) -> None:
        self._cropper = cropper
        self._samples = 0
        self._origins: dict[int, _Origin] = {}
        self._wanted: dict[int, list[tuple[int, int, int]]] = {}
        self._pictures: dict[tuple[int, int, int], Picture] = {}

    def cut(self, frame_index: int, time_s: float, people: Sequence[TrackedPerson]) -> Pictures:
        """Return stand-ins for ``Cropper.cut``; call once per sampled frame, in order of time."""
        sample, places = self._samples, range(len(people))
        self._samples += 1
        self._origins[sample] = _Origin(frame_index, tuple(people), tuple(self._cropper.boxes(time_s, people)))
        crops = tuple(_stand_in(sample, place, _CROP) for place in places)
        if not self._cropper.cuts_surroundings:
            return crops, ()
        return crops, tuple(_stand_in(sample, place, _SURROUNDINGS) for place in places)

    def keep(self, wanted: Iterable[Picture]) -> None:
        """Forget all stand-ins but these, and their pictures."""
        wanted_of: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
        keys = {_key(stand_in) for stand_in in wanted}
        self._origins = {sample: self._origins[sample] for sample in {key[0] for key in keys}}
        for key in sorted(keys):
            wanted_of[self._origins[key[0]].frame_index].append(key)
        self._wanted = dict(wanted_of)
        self._pictures = {key: self._pictures[key] for key in keys if key in self._pictures}

    @property
    def frames(self) -> frozenset[int]:
        """Indices of the frames from which pictures are wanted, since ``keep``."""
        return frozenset(self._wanted)

    def see(self, frame: Frame) -> None:
        """Cut out what is wanted from a frame."""
        squares: Squares = {}
        for sample, place, kind in self._wanted.pop(frame.index, ()):
            _, people, boxes = self._origins[sample]
            box = boxes[place]
            self._pictures[sample, place, kind] = (
                self._cropper.crop(frame.rgb, box)
                if kind == _CROP
                else self._cropper.surroundings(frame.rgb, box, people, place, squares)
            )

    def picture(self, stand_in: Picture) -> Picture:
        """Return the picture that a stand-in stands for, (CROP_SIZE_PX, CROP_SIZE_PX, 3).

        Raises:
            KeyError: its frame was not seen.
        """
        return self._pictures[_key(stand_in)]


def _stand_in(sample: int, place: int, kind: int) -> NDArray[np.uint8]:
    return np.array((sample, place, kind), np.uint32).view(np.uint8).reshape(_SHAPE)


def _key(stand_in: Picture) -> tuple[int, int, int]:
    sample, place, kind = np.ascontiguousarray(stand_in).reshape(-1).view(np.uint32).tolist()
    return sample, place, kind
