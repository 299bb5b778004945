"""A matrix as a picture: shares as colour, and a text in each cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from recognizer.plots.layout import FONT, Figure, plain_label, theme_for

_CELL_PX: Final = 44
_MARGIN_PX: Final = 150
_AXIS_CHARS: Final = 20

# from the page's background to its accent; the numbers are in the cells
_SCALE_LIGHT: Final = ((0.0, "#F1ECE2"), (1.0, "#0F6B66"))
_SCALE_DARK: Final = ((0.0, "#1D2731"), (1.0, "#14A396"))


@dataclass(frozen=True)
class Matrix:
    """A matrix to draw; each list of lists is by row, then by column.

    Attributes:
        rows: names of the rows, the first on top.
        columns: names of the columns.
        shares: 0 to 1, the colour of each cell.
        texts: what is written in each cell.
        hovers: what a cell says when it is pointed at, escaped for Plotly.
        title: what columns and rows are, with the unit of the texts.
    """

    rows: Sequence[str]
    columns: Sequence[str]
    shares: Sequence[Sequence[float]]
    texts: Sequence[Sequence[str]]
    hovers: Sequence[Sequence[str]]
    title: str


def heatmap(matrix: Matrix, *, dark: bool = False) -> Figure:
    """Return the picture of a matrix."""
    theme = theme_for(dark)
    cells = {
        "type": "heatmap",
        "z": [list(row) for row in matrix.shares],
        "x": list(range(len(matrix.columns))),
        "y": list(range(len(matrix.rows))),
        "zmin": 0,
        "zmax": 1,
        "colorscale": _SCALE_DARK if dark else _SCALE_LIGHT,
        "showscale": False,
        "text": [list(row) for row in matrix.texts],
        "texttemplate": "%{text}",
        "hovertext": [list(row) for row in matrix.hovers],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "xgap": 2,
        "ygap": 2,
    }
    axis = {"automargin": True, "showgrid": False, "zeroline": False}
    layout = {
        "template": "none",
        "height": _MARGIN_PX + 40 + _CELL_PX * max(len(matrix.rows), 2),
        "margin": {"l": 8, "r": 16, "t": 8, "b": _MARGIN_PX},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 13, "color": theme.text},
        "hoverlabel": {"bgcolor": theme.plate, "bordercolor": theme.grid, "align": "left"},
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": theme.text, "activecolor": theme.text},
        "xaxis": {
            **axis,
            "title": {"text": matrix.title, "standoff": 8, "font": {"size": 13}},
            "tickvals": list(range(len(matrix.columns))),
            "ticktext": [plain_label(name, _AXIS_CHARS) for name in matrix.columns],
            "tickangle": -40,
        },
        "yaxis": {
            **axis,
            "tickvals": list(range(len(matrix.rows))),
            "ticktext": [plain_label(row, _AXIS_CHARS) for row in matrix.rows],
            "autorange": "reversed",
        },
    }
    return {"data": [cells], "layout": layout}
