"""Comparisons as pandas tables, for pages and reports. Times are in seconds; labels cannot run as formulas."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import pandas as pd

from recognizer.comparison.agreement import LabelSpan, agreement
from recognizer.comparison.model import Comparison, Cost, Lane, have_common_labels, pairs
from recognizer.comparison.scoring import ClassScore, Score
from recognizer.export.csv_file import harmless_cell
from recognizer.files import BYTES_PER_MB

NO_COMMON_LABELS: Final = "no label in common, so they cannot agree"


def cost_table(comparison: Comparison) -> pd.DataFrame:
    """Return the cost of each classifier, one row per entry; entries that did not run have gaps.

    Columns: ``Classifier``, ``Clips``, ``ms per clip``, ``Clips per second``, ``Share of real time (%)``,
    ``Memory (MB)``, ``Parameters (M)``, ``Published accuracy (%)``, ``Runs on``;
    ``GPU memory (MB)`` if there is a GPU.
    """
    rows = [_cost_row(entry.name, entry.cost) for entry in comparison.entries]
    table = pd.DataFrame(rows).astype({"Clips": "Int64"})
    return table if any(row["GPU memory (MB)"] is not None for row in rows) else table.drop(columns="GPU memory (MB)")


def _cost_row(name: str, cost: Cost | None) -> dict[str, object]:
    share = cost.share_of_real_time if cost else None
    gpu_bytes = cost.gpu_memory_bytes if cost else None
    return {
        "Classifier": harmless_cell(name),
        "Clips": cost.clips if cost else None,
        "ms per clip": _rounded(cost.ms_per_clip if cost else None, 1),
        "Clips per second": _rounded(cost.clips_per_s if cost else None, 2),
        "Share of real time (%)": _rounded(None if share is None else 100 * share, 1),
        "Memory (MB)": _rounded(cost.peak_memory_bytes / BYTES_PER_MB if cost else None, 0),
        "GPU memory (MB)": _rounded(gpu_bytes / BYTES_PER_MB if gpu_bytes is not None else None, 0),
        "Parameters (M)": _rounded(cost.parameters / 1e6 if cost else None, 1),
        "Published accuracy (%)": _rounded(cost.top1_percent if cost else None, 1),
        "Runs on": f"{cost.device} {cost.backend}".rstrip() if cost else None,
    }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def agreement_table(lanes: Sequence[Lane], person_ids: Sequence[int]) -> pd.DataFrame:
    """Return the agreement of each pair of classifiers: over everyone, then for each person who can be compared.

    Columns: ``Classifiers``, ``Person``, ``Compared (s)``, ``Agree (%)``, ``Kappa``, ``In words``.
    """
    rows = []
    for one, other in pairs(lanes):
        for person_id in (None, *person_ids):
            found = agreement(one.segments, other.segments, person_id)
            if person_id is not None and not found.compared_s:
                continue
            share = found.share
            can_agree = have_common_labels(one.entry, other.entry)
            rows.append(
                (
                    harmless_cell(f"{one.name} and {other.name}"),
                    "all" if person_id is None else str(person_id),
                    round(found.compared_s, 2),
                    None if share is None else round(100 * share, 1),
                    None if found.kappa is None or not can_agree else round(found.kappa, 2),
                    found.meaning if can_agree or not found.compared_s else NO_COMMON_LABELS,
                )
            )
    columns = {"Classifiers": "str", "Person": "str", "Compared (s)": "float64", "Agree (%)": "float64",
               "Kappa": "float64", "In words": "str"}  # fmt: skip
    return pd.DataFrame(rows, columns=list(columns)).astype(columns)


def disagreements_table(spans: Sequence[LabelSpan], names: tuple[str, str]) -> pd.DataFrame:
    """Return the spans in which two classifiers differ, in the order given.

    Columns: ``Person``, ``Start (s)``, ``End (s)``, ``Duration (s)``, and one for each of the two ``names``.
    """
    rows = [
        (
            span.person_id,
            round(span.start_s, 2),
            round(span.end_s, 2),
            round(span.duration_s, 2),
            *(harmless_cell(label or "") for label in span.labels),
        )
        for span in spans
    ]
    columns = {"Person": "int64", "Start (s)": "float64", "End (s)": "float64", "Duration (s)": "float64",
               **dict.fromkeys(map(harmless_cell, names), "str")}  # fmt: skip
    return pd.DataFrame(rows, columns=list(columns)).astype(columns)


def scores_table(scores: Sequence[tuple[str, Score]]) -> pd.DataFrame:
    """Return the score of each classifier against the user's own labels.

    Columns: ``Classifier``, ``Scored (s)``, ``Right (%)``, ``Kappa``, ``In words``.
    """
    rows = [
        (
            harmless_cell(name),
            round(score.scored_s, 2),
            None if score.share_right is None else round(100 * score.share_right, 1),
            None if score.kappa is None or not score.can_be_right else round(score.kappa, 2),
            score.meaning,
        )
        for name, score in scores
    ]
    columns = {"Classifier": "str", "Scored (s)": "float64", "Right (%)": "float64", "Kappa": "float64",
               "In words": "str"}  # fmt: skip
    return pd.DataFrame(rows, columns=list(columns)).astype(columns)


def classes_table(score: Score) -> pd.DataFrame:
    """Return the score of one classifier for each action.

    Columns: ``Action``, ``In your labels (s)``, ``Predicted (s)``, ``Precision (%)``, ``Recall (%)``.
    """
    return _classes(score.classes)


def apart_table(score: Score) -> pd.DataFrame:
    """Return the scores of actions that happen during others, with the columns of ``classes_table``."""
    return _classes(score.apart)


def bouts_table(score: Score) -> pd.DataFrame:
    """Return how well one classifier finds the bouts of each action.

    Columns: ``Action``, ``Bouts in your labels``, ``Predicted bouts``, ``Matched``, ``Onset error (s)`` and
    ``Offset error (s)``, the medians over the matched bouts.
    """
    rows = [
        (
            harmless_cell(one.action),
            one.true_bouts,
            one.predicted_bouts,
            len(one.matches),
            None if one.onset_error_s is None else round(one.onset_error_s, 2),
            None if one.offset_error_s is None else round(one.offset_error_s, 2),
        )
        for one in score.bouts
    ]
    columns = {"Action": "str", "Bouts in your labels": "int64", "Predicted bouts": "int64", "Matched": "int64",
               "Onset error (s)": "float64", "Offset error (s)": "float64"}  # fmt: skip
    return pd.DataFrame(rows, columns=list(columns)).astype(columns)


def _classes(classes: Iterable[ClassScore]) -> pd.DataFrame:
    rows = [
        (
            harmless_cell(one.action),
            round(one.truth_s, 2),
            round(one.predicted_s, 2),
            None if one.precision is None else round(100 * one.precision, 1),
            None if one.recall is None else round(100 * one.recall, 1),
        )
        for one in classes
    ]
    columns = {"Action": "str", "In your labels (s)": "float64", "Predicted (s)": "float64", "Precision (%)": "float64",
               "Recall (%)": "float64"}  # fmt: skip
    return pd.DataFrame(rows, columns=list(columns)).astype(columns)
