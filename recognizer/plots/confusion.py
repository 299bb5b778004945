"""The confusion matrix of a classifier against a user's own labels."""

from __future__ import annotations

from typing import Final

import numpy as np

from recognizer.comparison.agreement import BIN_S
from recognizer.comparison.scoring import Score
from recognizer.plots.layout import FONT, Figure, plain_label, theme_for

_MOST_COLUMNS: Final = 12
"""Rarer predicted labels share one column: a classifier has hundreds."""

_OTHER: Final = "other labels"
_CELL_PX: Final = 44
_MARGIN_PX: Final = 150
_AXIS_CHARS: Final = 20

# from the page's background to its accent; the numbers are in the cells
_SCALE_LIGHT: Final = ((0.0, "#F1ECE2"), (1.0, "#0F6B66"))
_SCALE_DARK: Final = ((0.0, "#1D2731"), (1.0, "#14A396"))


def confusion_matrix(score: Score, *, dark: bool = False) -> Figure:
    """Return a chart with a row per true label and a column per predicted label: seconds as text, shares as colour.

    The shares of a row add up to 1. The columns begin with the true labels in the same order, so the correct
    predictions are on the diagonal.
    """
    theme = theme_for(dark)
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
    cells = {
        "type": "heatmap",
        "z": shares.tolist(),
        "x": list(range(len(names))),
        "y": list(range(len(rows))),
        "zmin": 0,
        "zmax": 1,
        "colorscale": _SCALE_DARK if dark else _SCALE_LIGHT,
        "showscale": False,
        "text": [[f"{cell:.1f}" if cell else "" for cell in row] for row in seconds],
        "texttemplate": "%{text}",
        "hovertext": hover,
        "hovertemplate": "%{hovertext}<extra></extra>",
        "xgap": 2,
        "ygap": 2,
    }
    axis = {"automargin": True, "showgrid": False, "zeroline": False}
    layout = {
        "template": "none",
        "height": _MARGIN_PX + 40 + _CELL_PX * max(len(rows), 2),
        "margin": {"l": 8, "r": 16, "t": 8, "b": _MARGIN_PX},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 13, "color": theme.text},
        "hoverlabel": {"bgcolor": theme.plate, "bordercolor": theme.grid, "align": "left"},
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": theme.text, "activecolor": theme.text},
        "xaxis": {
            **axis,
            "title": {
                "text": "Predicted labels (columns) by your labels (rows), in s",
                "standoff": 8,
                "font": {"size": 13},
            },
            "tickvals": list(range(len(names))),
            "ticktext": [plain_label(name, _AXIS_CHARS) for name in names],
            "tickangle": -40,
        },
        "yaxis": {
            **axis,
            "tickvals": list(range(len(rows))),
            "ticktext": [plain_label(row, _AXIS_CHARS) for row in rows],
            "autorange": "reversed",
        },
    }
    return {"data": [cells], "layout": layout}
