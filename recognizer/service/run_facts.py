"""The facts of a run that a list shows without loading its result, as JSON values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
    settings = [entry.settings for entry in comparison.entries]
    names = (
        entry.name if one.checkpoint_path is not None else one.video_classifier_model
        for entry, one in zip(comparison.entries, settings, strict=True)
    )
    facts: dict[str, Any] = {"classifier": _listed(names)}
    timeline = comparison.timeline
    if timeline is not None:
        shared = facts_of(timeline)
        sampling = _sampling([one.num_video_sequence_samples for one in settings], settings[0].skip_frame)
        facts |= {"settings": sampling, "people": shared["people"], "duration_s": shared["duration_s"]}
    return facts


def facts_of_request(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts that are known before a run has a result, from the settings in its request."""
    given = request.get("settings")
    asked = [one for one in (given if isinstance(given, list) else [given]) if isinstance(one, Mapping)]
    names = [str(one["video_classifier_model"]) for one in asked if "video_classifier_model" in one]
    facts: dict[str, Any] = {"classifier": _listed(names)} if names else {}
    samples = [one["num_video_sequence_samples"] for one in asked if "num_video_sequence_samples" in one]
    if samples and "skip_frame" in asked[0]:
        facts["settings"] = _sampling(samples, asked[0]["skip_frame"])
    return facts


def sampling_in_words(settings: Settings) -> str:
    """Return how a clip is sampled: "8 samples, every 2nd frame"."""
    return _sampling([settings.num_video_sequence_samples], settings.skip_frame)


def _sampling(samples: Sequence[int], skip_frame: int) -> str:
    noun = "sample" if set(samples) == {1} else "samples"
    return f"{_listed(map(str, samples))} {noun}, every {_ordinal(skip_frame)}frame"


def _listed(names: Iterable[str]) -> str:
    """Return each of the names once."""
    return ", ".join(dict.fromkeys(names))


def _ordinal(number: int) -> str:
    if number == 1:
        return ""
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending} "
