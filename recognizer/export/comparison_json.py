"""Write comparisons as JSON, for other programs. ``docs/json-schema.md`` explains every field."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from recognizer.comparison.agreement import BIN_S, Agreement, agreement, disagreements
from recognizer.comparison.bouts import BoutScore
from recognizer.comparison.model import Comparison, Cost, Entry, have_common_labels, pairs
from recognizer.comparison.scoring import ClassScore, Score
from recognizer.export.json_file import groups_values, setting_values, timeline_values
from recognizer.timeline.groups import LabelGroups

COMPARISON_SCHEMA_VERSION: Final = "1.1"
"""``major.minor``, independent of the timeline's version."""


def comparison_json(
    comparison: Comparison,
    *,
    min_confidence: float = 0.0,
    min_duration_s: float = 0.0,
    scores: Sequence[tuple[str, Score]] = (),
    groups: LabelGroups | None = None,
) -> str:
    """Return a comparison as a JSON document; it ends in a line feed and holds no path of this computer.

    Each entry's ``timeline`` is a complete document, as ``timeline_json`` writes it.

    Args:
        comparison: the comparison.
        min_confidence: threshold of the segments, the agreement and the disagreements.
        min_duration_s: another threshold of all three.
        scores: the name of each entry with its score against the user's own labels.
        groups: the label groups that the comparison was folded into.

    Raises:
        ValueError: a number is not finite.
    """
    lanes = comparison.lanes(min_confidence, min_duration_s)
    document: dict[str, Any] = {
        "schema_version": COMPARISON_SCHEMA_VERSION,
        "thresholds": {"min_confidence": min_confidence, "min_duration_s": min_duration_s},
        "bin_s": BIN_S,
        **({} if groups is None else {"label_groups": groups_values(groups)}),
        "entries": [_entry(entry, min_confidence, min_duration_s) for entry in comparison.entries],
        "agreement": [
            {
                "classifiers": [one.name, other.name],
                "have_common_labels": have_common_labels(one.entry, other.entry),
                "person_id": person_id,
                **_agreement(agreement(one.segments, other.segments, person_id)),
            }
            for one, other in pairs(lanes)
            for person_id in (None, *(track.person_id for track in comparison.people))
        ],
        "disagreements": [
            {
                "classifiers": [one.name, other.name],
                "person_id": span.person_id,
                "start_s": span.start_s,
                "end_s": span.end_s,
                "actions": list(span.labels),
            }
            for one, other in pairs(lanes)
            for span in disagreements(one.segments, other.segments)
        ],
        "scores": [{"classifier": name, **_score(score)} for name, score in scores],
    }
    return json.dumps(document, allow_nan=False, ensure_ascii=True, indent=1) + "\n"


def _entry(entry: Entry, min_confidence: float, min_duration_s: float) -> dict[str, Any]:
    timeline = None
    if entry.timeline is not None:
        timeline = timeline_values(entry.timeline, min_confidence=min_confidence, min_duration_s=min_duration_s)
    return {
        "name": entry.name,
        "settings": setting_values(entry.settings),
        "problem": entry.problem,
        "cost": None if entry.cost is None else cost_values(entry.cost),
        "timeline": timeline,
    }


def cost_values(cost: Cost) -> dict[str, Any]:
    """Return the measured fields of a cost, and the values derived from them."""
    return {
        "clips": cost.clips,
        "ms_per_clip": cost.ms_per_clip,
        "clips_per_s": cost.clips_per_s,
        "share_of_real_time": cost.share_of_real_time,
        "video_s": cost.video_s,
        "device": cost.device,
        "backend": cost.backend,
        "parameters": cost.parameters,
        "peak_memory_bytes": cost.peak_memory_bytes,
        "gpu_memory_bytes": cost.gpu_memory_bytes,
        "top1_percent": cost.top1_percent,
    }


def _agreement(one: Agreement) -> dict[str, Any]:
    return {
        "compared_s": one.compared_s,
        "agreed_s": one.agreed_s,
        "share": one.share,
        "kappa": one.kappa,
        "meaning": one.meaning,
    }


def _score(score: Score) -> dict[str, Any]:
    return {
        "scored_s": score.scored_s,
        "share_right": score.share_right,
        "kappa": score.kappa,
        "meaning": score.meaning,
        "classes": [_class(one) for one in score.classes],
        "apart": [_class(one) for one in score.apart],
        "bouts": [_bouts(one) for one in score.bouts],
        "confusion": {"labels": list(score.labels), "bins": score.bins.tolist()},
    }


def _bouts(one: BoutScore) -> dict[str, Any]:
    return {
        "action": one.action,
        "true_bouts": one.true_bouts,
        "predicted_bouts": one.predicted_bouts,
        "matched": len(one.matches),
        "onset_error_s": one.onset_error_s,
        "offset_error_s": one.offset_error_s,
    }


def _class(one: ClassScore) -> dict[str, Any]:
    return {
        "action": one.action,
        "truth_s": one.truth_s,
        "said_s": one.predicted_s,
        "precision": one.precision,
        "recall": one.recall,
    }
