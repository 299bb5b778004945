"""The matrix of transitions: which action follows which."""

from __future__ import annotations

from typing import Final

from recognizer.plots.heatmap import Matrix, heatmap
from recognizer.plots.layout import Figure, plain_label
from recognizer.timeline.summaries import Transitions

MOST_TRANSITION_LABELS: Final = 15
"""With more rows the numbers are too small to read; the table has all of them."""


def transition_matrix(transitions: Transitions, *, as_shares: bool = False, dark: bool = False) -> Figure:
    """Return a chart with a row per action and a column per action that follows it.

    Colours are shares of all that follows the row's action. If there are more than MOST_TRANSITION_LABELS actions, the
    ones with the most transitions are drawn.

    Args:
        transitions: at least one action.
        as_shares: whether the cells say shares in percent instead of counts.
        dark: whether the page is dark.
    """
    shown = _most_frequent(transitions)
    labels = [transitions.labels[k] for k in shown]
    counts = [[transitions.counts[i][j] for j in shown] for i in shown]
    shares = [[transitions.shares[i][j] for j in shown] for i in shown]
    hovers = [
        [
            f"<b>{plain_label(label)}</b>, then <b>{plain_label(following)}</b>:<br>{_times(counts[i][j])}, "
            f"{shares[i][j]:.0%} of what follows {plain_label(label)}"
            for j, following in enumerate(labels)
        ]
        for i, label in enumerate(labels)
    ]
    texts = [[_cell(counts[i][j], shares[i][j], as_shares) for j in range(len(labels))] for i in range(len(labels))]
    unit = "share, in %" if as_shares else "number of times"
    title = f"Next action (columns) after each action (rows): {unit}"
    return heatmap(Matrix(labels, labels, shares, texts, hovers, title), dark=dark)


def _most_frequent(transitions: Transitions) -> list[int]:
    everyone = range(len(transitions.labels))
    into = [sum(row[k] for row in transitions.counts) for k in everyone]
    out_of = [sum(row) for row in transitions.counts]
    most = sorted(everyone, key=lambda k: -(into[k] + out_of[k]))[:MOST_TRANSITION_LABELS]
    return sorted(most)


def _cell(count: int, share: float, as_shares: bool) -> str:
    if not count:
        return ""
    return f"{100 * share:.0f}" if as_shares else str(count)


def _times(count: int) -> str:
    return {0: "never", 1: "once"}.get(count, f"{count} times")
