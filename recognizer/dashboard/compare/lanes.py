"""The workbench of a comparison: a user's own labels, and below them one classifier's lane above another."""

from __future__ import annotations

from dataclasses import replace

from recognizer.comparison.model import Comparison
from recognizer.dashboard import server, state
from recognizer.dashboard.workbench.component import show_workbench
from recognizer.service.comparisons import StoredComparison
from recognizer.timeline.groups import LabelGroups
from recognizer.types import Segment


def draw_workbench(
    shown: StoredComparison, comparison: Comparison, truth: tuple[Segment, ...], groups: LabelGroups | None
) -> None:
    """Draw the video, its people, and their lanes.

    Args:
        shown: the comparison.
        comparison: the part of it that is wanted, with groups in place of labels.
        truth: the user's own labels, likewise.
        groups: the groups.
    """
    compare = state.tab().compare
    drawn = compare.drawn
    content = shown.comparison_id, _ran(comparison), truth, groups
    if drawn is None or (drawn.comparison_id, _ran(drawn.comparison), drawn.truth, drawn.groups) != content:
        number = 1 if drawn is None else drawn.number + 1
        compare.drawn = replace(shown, comparison=comparison, truth=truth, groups=groups, number=number)
    assert compare.drawn is not None
    server.context().workbench.hold(compare.drawn)
    show_workbench(shown.comparison_id, compare.drawn.number, kind="comparison", goes_to=compare.goes_to)


def _ran(comparison: Comparison) -> list[tuple[str, int]]:
    return [(entry.name, id(entry.timeline)) for entry in comparison.finished]
