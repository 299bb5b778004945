"""Draw the known boxes and labels on a live picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from recognizer.analysis.following import PeopleFollower
from recognizer.analysis.labeling import ActionLabeler
from recognizer.drawing.overlay import DETECTING_TEXT, OverlayPerson, draw_overlay
from recognizer.live.other_classifier import OtherClassifier
from recognizer.palette import UNKNOWN_STYLE, ActionPalette, rgb_of
from recognizer.settings import UNKNOWN_ACTION
from recognizer.types import Box, Prediction, TrackedPerson


class LiveOverlay:
    """The people in the latest followed frame, with their latest labels. Never waits for a network.

    Args:
        follower: provides the people.
        labeler: provides their labels.
        other: returns the other classifier; None while there is none.
        palette: colours of the actions.
        min_confidence: see the attribute.

    Attributes:
        min_confidence: labels less probable than this are drawn as ``unknown``.
        mirrored: whether pictures are returned mirrored.
    """

    def __init__(
        self,
        follower: PeopleFollower,
        labeler: ActionLabeler,
        other: Callable[[], OtherClassifier | None],
        palette: ActionPalette,
        min_confidence: float,
    ) -> None:
        self.min_confidence = min_confidence
        self.mirrored = False
        self._follower = follower
        self._labeler = labeler
        self._other = other
        self._palette = palette

    def labels(self) -> list[tuple[int, str | None]]:
        """Return the people in the picture and the latest label of each; None before the first."""
        return [(person.person_id, said.top[0][0] if said else None) for person, said in self._latest()]

    def shown(self) -> list[OverlayPerson]:
        """Return the people to draw, with boxes in the camera's unmirrored picture."""
        other = self._other()
        overlay = []
        for person, prediction in self._latest():
            if other is None:
                overlay.append(self._labelled(person, prediction))
                continue
            # each label begins with its classifier's name; the other classifier's takes the next free place
            overlay.append(self._labelled(person, prediction, self._labeler.classifier_name))
            overlay.append(self._labelled(person, other.latest_prediction(person.person_id), other.name))
        return overlay

    def draw(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return a copy of the picture, uint8 (H, W, 3), with the people drawn on it."""
        overlay = self.shown()
        if self.mirrored:
            width = rgb.shape[1]
            rgb = np.ascontiguousarray(rgb[:, ::-1])
            overlay = [replace(one, box_xyxy=_mirrored(one.box_xyxy, width)) for one in overlay]
        return draw_overlay(rgb, overlay)

    def _latest(self) -> list[tuple[TrackedPerson, Prediction | None]]:
        return [(person, self._labeler.latest_prediction(person.person_id)) for person in self._follower.people]

    def _labelled(
        self, person: TrackedPerson, prediction: Prediction | None, classifier_name: str | None = None
    ) -> OverlayPerson:
        label, confidence, style = None, None, UNKNOWN_STYLE
        if prediction is not None:
            label, confidence = prediction.top[0]
            if confidence < self.min_confidence:
                label, confidence = UNKNOWN_ACTION, None
            style = self._palette.style(label)
        if classifier_name is not None:
            label = f"{classifier_name}: {label or DETECTING_TEXT}"
        colour_rgb = rgb_of(style.colour(dark=False))
        return OverlayPerson(person.person_id, person.box_xyxy, label, confidence, colour_rgb)


def _mirrored(box_xyxy: Box, width: int) -> Box:
    x1, y1, x2, y2 = box_xyxy
    return width - x2, y1, width - x1, y2
