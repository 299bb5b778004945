"""The comparison chart of one person: one lane per classifier, and one where they agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from recognizer.comparison.agreement import Piece, overlap
from recognizer.comparison.model import Lane, have_common_labels
from recognizer.palette import ActionPalette
from recognizer.plots.bars import PRESENT, Bar, LaneBars, presence_bar, segment_bars
from recognizer.plots.hovers import segment_hovers
from recognizer.plots.layout import AXIS_NAME_CHARS, Figure, Theme, by_total_time, laid_out, plain_label, theme_for
from recognizer.plots.time_axis import TimeAxis, span_in_words
from recognizer.types import Segment

TRUTH_LANE: Final = "your labels"
AGREEMENT_LANE: Final = "agreement"


def classifier_lanes(
    lanes: Sequence[Lane],
    person_id: int,
    palette: ActionPalette,
    *,
    truth: Sequence[Segment] = (),
    dark: bool = False,
) -> Figure:
    """One person: the person's own labels, if there are any, then one lane a classifier, then where all of them agree.

    A classifier whose labels none of the others has is left out of the last lane, unless no two would be left.

    Args:
        lanes: what is compared, from top to bottom; one or more.
        person_id: who.
        palette: colours of the actions.
        truth: what everyone really does.
        dark: for a dark page.
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
    visits = [
        presence_bar(name, person_id, start_s, end_s)
        for track in timeline.people
        if track.person_id == person_id
        for start_s, end_s in track.presence
        for name in names
    ]
    actions = by_total_time((segment for _, segment, _ in rows), palette)
    legend = [*actions, PRESENT]
    if len(lanes) > 1:
        names.append(AGREEMENT_LANE)
        legend += ["agree", "differ"]
    bars = LaneBars(names, axis, len(rows))
    bars.add_presence(visits, theme)
    of_action = segment_bars(rows)
    for rank, action in enumerate(actions):
        bars.add_action(action, rank, of_action[action], palette, dark)
    if len(lanes) > 1:
        those = _that_can_agree(lanes)
        pieces = [piece for piece in overlap([lane.segments for lane in those], person_id) if piece.is_compared]
        _add_agreement(bars, pieces, [lane.name for lane in those], theme)
    figure = laid_out(bars.traces(), theme, timeline, names, legend)
    bars.finish(figure, [_axis_name(name) for name in names])
    if not axis.is_date:
        # the unit stands at the numbers: on a narrow window the legend grows into where a title would be
        figure["layout"]["xaxis"] |= {"title": None, "ticksuffix": " s"}
    return figure


def _that_can_agree(lanes: Sequence[Lane]) -> Sequence[Lane]:
    """Without those whose labels nobody else has, as long as two are left: with them, all would always differ."""
    able = [
        lane
        for lane in lanes
        if any(other is not lane and have_common_labels(lane.entry, other.entry) for other in lanes)
    ]
    return able if len(able) > 1 else lanes


def _add_agreement(bars: LaneBars, pieces: Sequence[Piece], names: Sequence[str], theme: Theme) -> None:
    """Pale where all say the same, in the colour of the text where not: light against dark, as no action has it."""
    for rank, (title, agreed, colour) in enumerate((("agree", True, theme.agree), ("differ", False, theme.disagree))):
        chosen = [
            Bar(AGREEMENT_LANE, piece.start_s, piece.end_s, _piece_hover(piece, names))
            for piece in pieces
            if piece.is_agreed is agreed
        ]
        bars.add(chosen, {"name": title, "marker": {"color": colour, "line": {"width": 0}}}, 0.3, 4000 + rank)


def _piece_hover(piece: Piece, names: Sequence[str]) -> str:
    what = "all say the same" if piece.is_agreed else "they differ"
    said = [
        f"{plain_label(name)}: <b>{plain_label(label or '')}</b>"
        for name, label in zip(names, piece.labels, strict=True)
    ]
    return "<br>".join([f"{what} · {span_in_words(piece.start_s, piece.end_s)}", *said])


def _truth_hover(segment: Segment) -> str:
    return f"{TRUTH_LANE}<br><b>{plain_label(segment.action)}</b> · {span_in_words(segment.start_s, segment.end_s)}"


def _axis_name(name: str) -> str:
    """The name with its middle left out where it is long: two entries differ at their start or at their end."""
    if len(name) > AXIS_NAME_CHARS:
        half = AXIS_NAME_CHARS // 2
        name = f"{name[:half].rstrip()}…{name[-half:].lstrip()}"
    return plain_label(name)
