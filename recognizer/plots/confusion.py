"""The confusion matrix of a classifier against a user's own labels."""

from __future__ import annotations

from typing import Final

import numpy as np

from recognizer.comparison.agreement import BIN_S
from recognizer.comparison.scoring import Score
from recognizer.plots.heatmap import Matrix, heatmap
from recognizer.plots.layout import Figure, plain_label

_MOST_COLUMNS: Final = 12
"""Rarer predicted labels share one column: a classifier has hundreds."""

_OTHER: Final = "other labels"


def confusion_matrix(score: Score, *, dark: bool = False) -> Figure:
    """Return a chart with a row per true label and a column per predicted label: seconds as text, shares as colour.

    The shares of a row add up to 1. The columns begin with the true labels in the same order, so the correct
    predictions are on the diagonal.
    """
    true_count = len(score.true_labels)
    predicted = score.bins.sum(axis=0)
    columns = list(range(true_count))
    extra = [k for k in range(true_count, len(score.labels)) if predicted[k]]
    shown = sorted(extra, key=lambda k: -predicted[k])[: max(0, _MOST_COLUMNS - true_count)]
    columns += [k for k in extra if k in shown]
    rest = [k for k in extra if k not in shown]
    bins = score.bins[:true_count][:, columns]
    names = [score.labels[k] for k in columns]
    if rest:
        bins = np.column_stack((bins, score.bins[:true_count][:, rest].sum(axis=1)))
        names.append(_OTHER)
    shares = bins / np.maximum(bins.sum(axis=1, keepdims=True), 1)
    seconds = bins * BIN_S
    rows = [score.labels[k] for k in range(true_count)]
    hover = [
        [
            f"your label: <b>{plain_label(row)}</b><br>predicted: <b>{plain_label(name)}</b><br>"
            f"{seconds[y][x]:.1f} s, {shares[y][x]:.0%} of your label's time"
            for x, name in enumerate(names)
        ]
        for y, row in enumerate(rows)
    ]
    return heatmap(
        Matrix(
            rows,
            names,
            shares.tolist(),
            [[f"{cell:.1f}" if cell else "" for cell in row] for row in seconds],
            hover,
            "Predicted labels (columns) by your labels (rows), in s",
        ),
        dark=dark,
    )
