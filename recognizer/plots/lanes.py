"""The comparison chart of one person: one lane per classifier, one for their agreement, one for the movement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from recognizer.comparison.agreement import LabelSpan, label_spans
from recognizer.comparison.model import Lane, have_common_labels
from recognizer.palette import ActionPalette
from recognizer.plots.bars import PRESENT, Bar, LaneBars, presence_bar, segment_bars
from recognizer.plots.hovers import segment_hovers
from recognizer.plots.layout import AXIS_NAME_CHARS, Figure, Theme, by_total_time, laid_out, plain_label, theme_for
from recognizer.plots.movement_line import add_movement, movement_lines
from recognizer.plots.time_axis import TimeAxis, span_in_words
from recognizer.timeline.movement import Movement
from recognizer.types import Segment

TRUTH_LANE: Final = "your labels"
AGREEMENT_LANE: Final = "agreement"
MOVEMENT_LANE: Final = "movement"


def classifier_lanes(
    lanes: Sequence[Lane],
    person_id: int,
    palette: ActionPalette,
    *,
    truth: Sequence[Segment] = (),
    dark: bool = False,
) -> Figure:
    """Return one person's chart: a lane for the true labels, if any, one per classifier, and one for their agreement.

    A last lane shows the movement, which does not depend on the classifier; there is none if it is nowhere known.
    The agreement lane ignores a classifier that shares no label with another, unless fewer than two would remain.

    Args:
        lanes: the lanes of the classifiers, from top to bottom, at least one.
        person_id: the person.
        palette: colours of the actions.
        truth: everyone's true actions.
        dark: whether the page is dark.
    """
    theme = theme_for(dark)
    timeline = lanes[0].timeline
    axis = TimeAxis(timeline)
    rows: list[tuple[str, Segment, str]] = [
        (TRUTH_LANE, segment, _truth_hover(segment)) for segment in truth if segment.person_id == person_id
    ]
    names = [TRUTH_LANE] if rows else []
    for lane in lanes:
        names.append(lane.name)
        rows += [
            (lane.name, segment, f"{plain_label(lane.name)}<br>{hover}")
            for segment, hover in zip(lane.segments, segment_hovers(lane.timeline, lane.segments), strict=True)
            if segment.person_id == person_id
        ]
    tracks = tuple(track for track in timeline.people if track.person_id == person_id)
    lines = movement_lines(replace(timeline, people=tracks), axis)
    visits = [
        presence_bar(name, person_id, start_s, end_s)
        for track in tracks
        for start_s, end_s in track.presence
        for name in names
    ]
    actions = by_total_time((segment for _, segment, _ in rows), palette)
    legend = [*actions, PRESENT]
    if len(lanes) > 1:
        names.append(AGREEMENT_LANE)
        legend += ["agree", "differ"]
    if not any(isinstance(line.span.movement, Movement) for line in lines):
        lines = []
    else:
        names.append(MOVEMENT_LANE)
    bars = LaneBars(names, axis, max(len(rows), len(lines)))
    bars.add_presence(visits, theme)
    of_action = segment_bars(rows)
    for rank, action in enumerate(actions):
        bars.add_action(action, rank, of_action[action], palette, dark)
    if len(lanes) > 1:
        comparable = _that_can_agree(lanes)
        spans = [span for span in label_spans([lane.segments for lane in comparable], person_id) if span.is_compared]
        _add_agreement(bars, spans, [lane.name for lane in comparable], theme)
    legend += add_movement(bars, lines, theme, MOVEMENT_LANE)
    figure = laid_out(bars.traces(), theme, timeline, names, legend)
    bars.finish(figure, [_axis_name(name) for name in names])
    if not axis.is_date:
        # the unit is next to the numbers, because the legend covers an axis title in a narrow window
        figure["layout"]["xaxis"] |= {"title": None, "ticksuffix": " s"}
    return figure


def _that_can_agree(lanes: Sequence[Lane]) -> Sequence[Lane]:
    """Return the lanes that share a label with another, or all lanes if fewer than two do; the others always differ."""
    able = [
        lane
        for lane in lanes
        if any(other is not lane and have_common_labels(lane.entry, other.entry) for other in lanes)
    ]
    return able if len(able) > 1 else lanes


def _add_agreement(bars: LaneBars, spans: Sequence[LabelSpan], names: Sequence[str], theme: Theme) -> None:
    """Add pale bars where all agree, and bars in the text's colour, which no action has, where they differ."""
    for rank, (title, agreed, colour) in enumerate((("agree", True, theme.agree), ("differ", False, theme.disagree))):
        chosen = [
            Bar(AGREEMENT_LANE, span.start_s, span.end_s, _span_hover(span, names))
            for span in spans
            if span.is_agreed is agreed
        ]
        bars.add(chosen, {"name": title, "marker": {"color": colour, "line": {"width": 0}}}, 0.3, 4000 + rank)


def _span_hover(span: LabelSpan, names: Sequence[str]) -> str:
    what = "all agree" if span.is_agreed else "they differ"
    labels = [
        f"{plain_label(name)}: <b>{plain_label(label or '')}</b>"
        for name, label in zip(names, span.labels, strict=True)
    ]
    return "<br>".join([f"{what} · {span_in_words(span.start_s, span.end_s)}", *labels])


def _truth_hover(segment: Segment) -> str:
    return f"{TRUTH_LANE}<br><b>{plain_label(segment.action)}</b> · {span_in_words(segment.start_s, segment.end_s)}"


def _axis_name(name: str) -> str:
    """Return a name, without its middle if it is long: the names of two entries differ at the start or the end."""
    if len(name) > AXIS_NAME_CHARS:
        half = AXIS_NAME_CHARS // 2
        name = f"{name[:half].rstrip()}…{name[-half:].lstrip()}"
    return plain_label(name)
