"""What a list says of a run without loading its result, as JSON values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recognizer.comparison.model import Comparison
from recognizer.settings import Settings
from recognizer.timeline.model import Timeline


def facts_of(timeline: Timeline) -> dict[str, Any]:
    """Return the facts of an analysis or a session: classifier, settings in words, people, and seconds of video."""
    return {
        "classifier": timeline.provenance.get("classifier", timeline.settings.video_classifier_model),
        "settings": sampling_in_words(timeline.settings),
        "people": len(timeline.people) - len(timeline.brief_ids),
        "duration_s": round(timeline.analysed_s, 3),
    }


def facts_of_comparison(comparison: Comparison) -> dict[str, Any]:
    """Return the facts of a comparison: its classifiers, and the people and seconds of video that they share."""
    facts: dict[str, Any] = {"classifier": ", ".join(entry.name for entry in comparison.entries)}
    timeline = comparison.timeline
    if timeline is not None:
        shared = facts_of(timeline)
        facts |= {"settings": shared["settings"], "people": shared["people"], "duration_s": shared["duration_s"]}
    return facts


def facts_of_request(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts that are known before a run has a result, from the settings in its request."""
    given = request.get("settings")
    asked = [one for one in (given if isinstance(given, list) else [given]) if isinstance(one, Mapping)]
    names = [str(one["video_classifier_model"]) for one in asked if "video_classifier_model" in one]
    facts: dict[str, Any] = {"classifier": ", ".join(names)} if names else {}
    if asked and {"num_video_sequence_samples", "skip_frame"} <= asked[0].keys():
        facts["settings"] = _sampling(asked[0]["num_video_sequence_samples"], asked[0]["skip_frame"])
    return facts


def sampling_in_words(settings: Settings) -> str:
    """Return how a clip is sampled: "8 samples, every 2nd frame"."""
    return _sampling(settings.num_video_sequence_samples, settings.skip_frame)


def _sampling(samples: int, skip_frame: int) -> str:
    return f"{samples} samples, every {_ordinal(skip_frame)}frame"


def _ordinal(number: int) -> str:
    if number == 1:
        return ""
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending} "
