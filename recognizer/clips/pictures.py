"""Pictures of people, kept in less memory than they take when a network sees them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

PAD_RGB = (110, 101, 96)
"""Fills a crop beyond the border of the frame: torchvision's Kinetics-400 mean (0.432, 0.395, 0.376) as bytes, which
the networks' normalisation turns into about zero."""


class KeptPicture(ABC):
    """A picture that is made when it is needed: ``np.asarray`` returns it, uint8 (S, S, 3), in memory of its own.

    It never changes, and threads may share it.
    """

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """The shape of the picture."""

    @abstractmethod
    def _made(self) -> NDArray[np.uint8]: ...

    def __array__(self, dtype: None = None, /, *, copy: bool | None = None) -> NDArray[np.uint8]:
        """See ``Picture``."""
        return self._made()


@dataclass(frozen=True, eq=False)
class KeptCrop(KeptPicture):
    """A person's crop. Of somebody small, it holds the pixels of the frame, which are enlarged when it is needed.

    Attributes:
        inside: what it shows of the frame, uint8 (h, w, 3); empty if nothing.
        part: the part of the crop that shows it: x1, y1, x2, y2. The rest is padding.
        size_px: side of the crop.
    """

    inside: NDArray[np.uint8]
    part: tuple[int, int, int, int]
    size_px: int

    @property
    def shape(self) -> tuple[int, ...]:
        """See ``KeptPicture``."""
        return self.size_px, self.size_px, 3

    def _made(self) -> NDArray[np.uint8]:
        if not self.inside.size:
            return padding(self.size_px).copy()
        x1, y1, x2, y2 = self.part
        inside = resized(self.inside, x2 - x1, y2 - y1)
        if inside.shape == self.shape:
            return inside
        crop = padding(self.size_px).copy()
        crop[y1:y2, x1:x2] = inside[: self.size_px - y1, : self.size_px - x1]
        return crop


@dataclass(frozen=True, eq=False)
class KeptSurroundings(KeptPicture):
    """A person's surroundings. All others are covered when they are needed: until then, people share one square.

    Attributes:
        square: the square of the frame, uint8 (S, S, 3).
        parts: the part of it that shows each person, int16 (P, 4): x1, y1, x2, y2.
        place: the person's row of ``parts``; nothing in it is covered.
    """

    square: NDArray[np.uint8]
    parts: NDArray[np.int16]
    place: int

    @property
    def shape(self) -> tuple[int, ...]:
        """See ``KeptPicture``."""
        return self.square.shape

    def _made(self) -> NDArray[np.uint8]:
        picture, cover = self.square.copy(), padding(len(self.square))
        parts = self.parts.tolist()
        own_x1, own_y1, own_x2, own_y2 = parts.pop(self.place)
        for x1, y1, x2, y2 in parts:
            picture[y1:y2, x1:x2] = cover[y1:y2, x1:x2]
        picture[own_y1:own_y2, own_x1:own_x2] = self.square[own_y1:own_y2, own_x1:own_x2]
        return picture


@cache
def padding(size_px: int) -> NDArray[np.uint8]:
    """Return a crop of padding only; cached, because filling in a colour takes as long as cropping."""
    return np.full((size_px, size_px, 3), PAD_RGB, np.uint8)


def resized(rgb: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Return uint8 (h, w, 3) in another size, or a copy of it in the same."""
    shrinks = width < rgb.shape[1]
    result = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return np.asarray(result, np.uint8)
