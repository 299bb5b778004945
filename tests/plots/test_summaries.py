"""The charts of summaries: transitions, bins of time, and time per action with names."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
import pytest

from recognizer.palette import ActionPalette
from recognizer.plots import MOST_TRANSITION_LABELS, time_in_bins, time_per_action, transition_matrix
from recognizer.timeline import summaries
from recognizer.types import Segment
from tests.support.exports import exported

TIMELINE = exported().timeline


def one_after_another(*actions: str) -> list[Segment]:
    return [Segment(1, action, float(k), float(k + 1), 0.8) for k, action in enumerate(actions)]


def cells(segments: Sequence[Segment], *, as_shares: bool) -> go.Heatmap:
    return go.Figure(transition_matrix(summaries.transitions(segments), as_shares=as_shares)).data[0]


def test_transitions_are_counts_or_shares_and_say_so_in_words() -> None:
    segments = one_after_another("sit", "stand", "sit", "stand", "walk")
    counts = cells(segments, as_shares=False)
    assert [list(row) for row in counts.text] == [["", "2", ""], ["1", "", "1"], ["", "", ""]]
    assert [list(row) for row in cells(segments, as_shares=True).text] == [["", "100", ""], ["50", "", "50"], [""] * 3]
    assert counts.hovertext[1][2] == "<b>stand</b>, then <b>walk</b>:<br>once, 50% of what follows stand"
    assert counts.hovertext[0][1].startswith("<b>sit</b>, then <b>stand</b>:<br>2 times, 100%")
    titles = [
        transition_matrix(summaries.transitions(segments), as_shares=one)["layout"]["xaxis"]["title"]["text"]
        for one in (False, True)
    ]
    assert [title.rpartition(": ")[2] for title in titles] == ["number of times", "share, in %"]


def test_of_very_many_actions_the_most_frequent_transitions_are_drawn() -> None:
    rare = [f"rare {k}" for k in range(30)]
    segments = one_after_another("a", "b", "a", "b", "a", "b", *rare)
    drawn = transition_matrix(summaries.transitions(segments))["layout"]["yaxis"]["ticktext"]
    assert len(drawn) == MOST_TRANSITION_LABELS
    assert drawn[:2] == ["a", "b"]


@pytest.mark.parametrize("dark", [False, True])
def test_bins_stack_the_time_of_all_people(dark: bool) -> None:
    segments = (Segment(1, "sit", 0.0, 15.0, 0.8), Segment(2, "sit", 5.0, 10.0, 0.8), Segment(2, "walk", 10.0, 12.0, 1))
    rows = summaries.in_bins(segments, TIMELINE.people, 10.0, 20.0)
    figure = go.Figure(time_in_bins(TIMELINE, segments, rows, ActionPalette(), dark=dark))
    assert [(bar.name, list(bar.y)) for bar in figure.data] == [("sit", [15.0, 5.0]), ("walk", [2.0])]
    assert figure.data[0].hovertext[1] == "<b>sit</b> · 5.0 s<br>in 10.0 s – 20.0 s (10.0 s)"
    assert figure.layout.yaxis.title.text == "Time, all people together (s)"
    assert figure.layout.xaxis.title.text == "Time (h:min:s)"
    assert list(figure.data[0].width) == [10_000, 10_000], "a date axis counts milliseconds"


def test_people_with_one_name_keep_their_own_bars() -> None:
    segments = (Segment(1, "sit", 0.0, 2.0, 0.8), Segment(2, "sit", 1.0, 2.0, 0.8))
    names = {1: "A person with a long name (person 1)", 2: "A person with a long name (person 2)"}
    figure = go.Figure(time_per_action(TIMELINE, segments, ActionPalette(), names=names))
    assert list(figure.data[0].y) == ["Person 1", "Person 2"]
    assert list(figure.layout.yaxis.ticktext) == ["A person with a…", "A person with a…", "Person 3"]
    assert figure.data[0].hovertext[1].startswith("A person with a long name (person 2) · <b>sit</b> · 1.0 s")
