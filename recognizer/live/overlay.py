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
from recognizer.live.own_names import LiveNames
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
        names: own names for labels.

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
        names: LiveNames,
    ) -> None:
        self.min_confidence = min_confidence
        self.mirrored = False
        self._follower = follower
        self._labeler = labeler
        self._other = other
        self._palette = palette
        self._names = names

    def labels(self) -> list[tuple[int, str | None]]:
        """Return the people in the picture and the latest label of each; None before the first."""
        latest = [(person.person_id, self._names.of(said)) for person, said in self._latest()]
        return [(person_id, said.top[0][0] if said else None) for person_id, said in latest]

    def shown(self) -> list[OverlayPerson]:
        """Return the people to draw, with boxes in the camera's unmirrored picture."""
        other = self._other()
        overlay = []
        beside = self._names.are_chosen and self._names.mode == "beside"
        for person, prediction in self._latest():
            # each label begins with its classifier's name if there are several; the next takes the next free place
            own = self._names.of(prediction)
            overlay.append(self._labelled(person, own, None if beside or other is None else self._own_name))
            if beside:
                overlay.append(self._labelled(person, prediction, self._own_name))
            if other is not None:
                overlay.append(self._labelled(person, other.latest_prediction(person.person_id), other.name))
        return overlay

    @property
    def _own_name(self) -> str:
        return self._labeler.classifier_name

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
