"""Which classifier is taken when the documented default cannot be had: nobody meets a dead end."""

from __future__ import annotations

from dataclasses import dataclass

from recognizer import weights
from recognizer.errors import WeightsError
from recognizer.settings import Settings

FALLBACK_CLASSIFIER = "i3d"
"""Its weights can be had wherever a Python package index can be reached."""


@dataclass(frozen=True)
class UsableClassifier:
    """A classifier whose weights are here.

    Attributes:
        name: one of ``settings.CLASSIFIER_NAMES``.
        note: where it is not the one that was wanted, one sentence that says so; else None.
    """

    name: str
    note: str | None = None


def usable_classifier(
    wanted: str = Settings.video_classifier_model, progress: weights.Progress | None = None
) -> UsableClassifier:
    """Fetch the weights of the wanted classifier where they are not here, or else those of ``FALLBACK_CLASSIFIER``.

    Raises:
        WeightsError: neither can be had.
    """
    try:
        weights.resolve(wanted, progress=progress)
    except WeightsError:
        if wanted == FALLBACK_CLASSIFIER:
            raise
        weights.resolve(FALLBACK_CLASSIFIER, progress=progress)
        return UsableClassifier(
            FALLBACK_CLASSIFIER,
            f"The weights of {wanted} cannot be had here, so {FALLBACK_CLASSIFIER} is used in its place; "
            f"'python -m recognizer weights {wanted}' says why.",
        )
    return UsableClassifier(wanted)
