"""What the page's controls say."""

from __future__ import annotations

from dataclasses import dataclass

from recognizer.settings import Settings


@dataclass(frozen=True)
class Controls:
    """What the page's controls say; a running stream follows them at once.

    Attributes:
        settings: how people are found and labelled.
        min_confidence: labels less probable than this are drawn as ``unknown``.
        mirrored: whether the picture is returned as in a mirror.
        recording: whether the annotated picture is written to a file.
        other: settings with another classifier, which then classifies the same clips; None for none.
        checkpoint_name: what the person calls the checkpoint of ``settings``.
    """

    settings: Settings
    min_confidence: float = 0.0
    mirrored: bool = False
    recording: bool = False
    other: Settings | None = None
    checkpoint_name: str | None = None
