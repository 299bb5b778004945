"""The values of the page's controls."""

from __future__ import annotations

from dataclasses import dataclass

from recognizer.actions.provenance import Mode
from recognizer.settings import Settings


@dataclass(frozen=True)
class Controls:
    """The values of the page's controls; a running stream follows them at once.

    Attributes:
        settings: the settings for finding and labelling people.
        min_confidence: labels less probable than this are drawn as ``unknown``.
        mirrored: whether the picture is returned as in a mirror.
        recording: whether the picture is written to a file.
        other: settings with another classifier, which also classifies the same clips; None for no other classifier.
        checkpoint_name: the user's name for the checkpoint of ``settings``.
        set_id: the set of own actions whose names are shown; None for the network's labels.
        mode: how own names are shown.
    """

    settings: Settings
    min_confidence: float = 0.0
    mirrored: bool = False
    recording: bool = False
    other: Settings | None = None
    checkpoint_name: str | None = None
    set_id: str | None = None
    mode: Mode = "instead"
