"""Choose a classifier that works everywhere if the documented default is unavailable."""

from __future__ import annotations

from dataclasses import dataclass

from recognizer import processes, weights
from recognizer.errors import WeightsError
from recognizer.settings import Settings

FALLBACK_CLASSIFIER = "i3d"
"""Its weights are available wherever a Python package index is reachable."""


@dataclass(frozen=True)
class UsableClassifier:
    """A classifier whose weights are on this machine.

    Attributes:
        name: one of ``settings.CLASSIFIER_NAMES``.
        note: a sentence for users if it is not the requested classifier, else None.
    """

    name: str
    note: str | None = None


def usable_classifier(
    wanted: str = Settings.video_classifier_model, progress: weights.Progress | None = None
) -> UsableClassifier:
    """Fetch the weights of the requested classifier, or else those of ``FALLBACK_CLASSIFIER``.

    Raises:
        WeightsError: both are unavailable.
    """
    try:
        weights.resolve(wanted, progress=progress)
    except WeightsError:
        if wanted == FALLBACK_CLASSIFIER:
            raise
        weights.resolve(FALLBACK_CLASSIFIER, progress=progress)
        return UsableClassifier(
            FALLBACK_CLASSIFIER,
            f"The weights of {wanted} are not available, so {FALLBACK_CLASSIFIER} is used instead; "
            f"'{processes.typed(f'weights {wanted}')}' says why.",
        )
    return UsableClassifier(wanted)
