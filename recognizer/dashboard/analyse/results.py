"""The result of an analysis: a line about it, the workbench, downloads, summaries."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from recognizer import export
from recognizer.clips.sampling import shortest_stay_s
from recognizer.dashboard import guard, server, state
from recognizer.dashboard.analyse import filtering
from recognizer.dashboard.analyse.annotated import show_rendering
from recognizer.dashboard.analyse.corrections_panel import draw_corrections
from recognizer.dashboard.analyse.exports import draw_downloads, draw_excerpt
from recognizer.dashboard.analyse.own_actions import draw_own_actions, with_own_names
from recognizer.dashboard.analyse.summaries import draw_summaries, selected_row
from recognizer.dashboard.parts.label_groups import draw_groups, groupable
from recognizer.dashboard.parts.named_run import name_tab, named_run
from recognizer.dashboard.parts.unsaved import show_unsaved
from recognizer.dashboard.parts.video_card import draw_reading
from recognizer.dashboard.text import people, plain, seconds, sentence, shortened
from recognizer.dashboard.workbench.component import show_workbench
from recognizer.errors import StoreError
from recognizer.export import Content
from recognizer.export.content import DEFAULT_BIN_S
from recognizer.service.opened import Opened
from recognizer.service.own_names import OwnNames
from recognizer.service.run_facts import sampling_in_words
from recognizer.service.store import StoredAnalysis
from recognizer.timeline.corrections import Corrected
from recognizer.timeline.filters import Filter
from recognizer.timeline.model import BRIEF_S, Timeline
from recognizer.types import Segment

_KEY = "result"

_MOST_TITLE_CHARS: Final = 26
"""As many as the name of a camera's session has."""


@dataclass(frozen=True)
class Header:
    """The header of a result.

    Attributes:
        row: the place for what starts another analysis.
        about: the place for what is said about this one.
    """

    row: DeltaGenerator
    about: DeltaGenerator


def shows_current_video() -> bool:
    """Return whether the result on the page is of the current video, and has people, so that it can have the page."""
    tab = state.tab()
    shown = tab.analyse.shown
    if shown is None or not shown.timeline.people:
        return False
    return tab.video is None or shown.video_path == tab.video.file.path


def draw_header() -> Header:
    """Draw what was analysed."""
    analyse = state.tab().analyse
    row = st.container(horizontal=True, vertical_alignment="center", gap="medium", key="result-header")
    about = row.container(gap=None)
    run = analyse.shown
    if run is not None:
        named = named_run(run.analysis_id, run.video_name)
        name_tab(named)
        title = plain(shortened(named.name, _MOST_TITLE_CHARS))
        about.subheader(title if analyse.job is None else f"Previous analysis: {title}", anchor=False)
        remark = f"  \n{plain(named.remark)}" if named.remark else ""
        about.caption(f"{_summary(run.timeline)}{remark}")
    return Header(row, about)


@guard.part
def show_results(*, has_header: bool = False) -> None:
    """Draw the shown analysis; ``has_header``: whether its header is on the page already."""
    run = state.tab().analyse.shown
    if run is None:
        return
    if not has_header:
        draw_header()
    timeline = run.timeline
    if timeline.people:
        with st.container(key=_KEY):
            _explore()
        return
    _show_unsaved(run)
    for note in timeline.notes:
        st.info(plain(note), icon=":material/info:")
    draw_reading(timeline.reading)
    if not timeline.complete:
        st.info("The analysis was cancelled before anyone was found.", icon=":material/person_off:")
        return
    what, again = ("video", "analyse it") if timeline.video.sha256 is not None else ("session", "start the camera")
    st.info(
        f"Nobody was found in this {what}. If there are people in it, lower Detector confidence under More or choose a "
        f"larger Detector, and {again} again.",
        icon=":material/person_off:",
    )


def _show_unsaved(run: StoredAnalysis) -> None:
    show_unsaved(run.analysis_id, "analysis" if run.timeline.video.sha256 is not None else "session")


def _summary(timeline: Timeline) -> str:
    classifier = timeline.provenance.get("classifier", timeline.settings.video_classifier_model)
    brief = len(timeline.brief_ids)
    parts = [
        f"{people(len(timeline.people) - brief)} found" + (f", {brief} more for under {BRIEF_S:g} s" if brief else ""),
        f"{seconds(timeline.analysed_s)} analysed" + ("" if timeline.complete else " before it was cancelled"),
        f"classifier {plain(classifier)}",
        sampling_in_words(timeline.settings),
    ]
    return " · ".join(parts)


@dataclass(frozen=True, eq=False)
class _View:
    """The view of an analysis at this moment.

    Attributes:
        run: the analysis.
        opened: with its corrections and groups.
        chosen: which segments are shown.
    """

    run: StoredAnalysis
    opened: Opened
    chosen: Filter

    @cached_property
    def corrected(self) -> Corrected:
        """The people who are shown."""
        return self.opened.layers[0].shown(state.tab().filters.shows_brief)

    @cached_property
    def content(self) -> Content:
        """The content of charts and tables."""
        return self.of(self.corrected)

    def of(self, corrected: Corrected) -> Content:
        """Return the content of an export."""
        filters = state.tab().filters
        return export.content_of(
            corrected,
            self.run.video_name,
            min_confidence=filters.min_confidence,
            min_duration_s=filters.min_duration_s,
            chosen=self.chosen,
            groups=self.opened.revision.groups,
            bin_s=filters.bin_s or DEFAULT_BIN_S,
        )

    @property
    def name(self) -> str:
        """Identifies what is shown."""
        filters = state.tab().filters
        return repr((self.opened.revision.number, filters.thresholds, filters.shows_brief, self.chosen))


@guard.fragment()
def _explore() -> None:
    """Draw the workbench and everything below it; what is changed in them redraws only this part."""
    run = state.tab().analyse.shown
    if run is None:
        return
    _show_unsaved(run)
    workbench = server.context().workbench
    workbench.hold(run)
    try:
        opened = workbench.opened(run.analysis_id)
    except StoreError as error:
        st.error(sentence(str(error)), icon=":material/error:")
        return
    if opened is None:
        st.info("This analysis is no longer stored on this machine; analyse the video again.", icon=":material/info:")
        return
    opened = with_own_names(run, opened)
    if not run.timeline.predictions:
        st.info(_too_short(run.timeline), icon=":material/timer:")
    view = _draw_tools(run, opened)
    server.save_colours()
    segment = selected_row(view.content)
    show_workbench(
        run.analysis_id,
        opened.revision.number,
        shown_filter=filtering.filter_values(view.chosen),
        goes_to=state.tab().analyse.goes_to,
    )
    draw_downloads(run, view.of(opened.corrected), view.name)
    show_rendering(run)
    _draw_notes(run.timeline, opened.own)
    draw_summaries(view.content, run.analysis_id)
    if segment is not None:
        draw_excerpt(run, segment)


def _draw_tools(run: StoredAnalysis, opened: Opened) -> _View:
    """Draw filter, groups and corrections, and return what is shown."""
    filters = state.tab().filters
    everyone = opened.layers[0].shown(filters.shows_brief)
    segments = everyone.segments(*filters.thresholds)
    choices = _choices(run, opened, everyone, segments)
    row = st.container(horizontal=True, vertical_alignment="center", key="result-tools")
    chosen = filtering.choose_filter(row, choices)
    draw_own_actions(row, run, opened)
    draw_groups(row, groupable(run.analysis_id, opened))
    draw_corrections(row, run, opened)
    view = _View(run, opened, chosen)
    filtering.draw_kept(row, choices, chosen, len(view.content.segments), len(segments))
    return view


def _choices(
    run: StoredAnalysis, opened: Opened, everyone: Corrected, segments: tuple[Segment, ...]
) -> filtering.Choices:
    names = {track.person_id: opened.title(track.person_id) for track in everyone.timeline.people}
    actions = sorted({one.action for one in segments})
    end_s = max([run.timeline.analysed_s, run.timeline.video.duration_s or 0.0, *(one.end_s for one in segments)])
    return filtering.Choices(run.analysis_id, names, actions, end_s)


def _draw_notes(timeline: Timeline, own: OwnNames | None) -> None:
    for note in timeline.notes:
        st.info(plain(note), icon=":material/info:")
    draw_reading(timeline.reading)
    labels = (
        "The labels are the 400 actions of Kinetics-400. Walking, standing and sitting are not among them, and a "
        "person who does none of the 400 still gets the closest label. Raise Minimum confidence to show unknown "
        "instead, or teach names of your own under My actions."
        if timeline.settings.checkpoint_path is None
        else "The labels are those of your checkpoint. A person who does none of these actions still gets the closest "
        "label."
    )
    if own is not None and own.timeline is not None:
        mine = f"The names of “{plain(own.actions.title)}” are your own, and as good as its examples."
        labels = mine if own.mode == "only" else f"{mine} {labels}"
    moves = "The thin line in a lane shows where that person is still, slow or fast, if it can be measured."
    st.caption(labels if timeline.camera is None else f"{labels} {moves}")
    if backend := timeline.provenance.get("classifier_backend"):
        st.caption(f"Details: the classifier ran on {plain(backend)}.")
    brief = len(timeline.brief_ids)
    if brief and not state.tab().filters.shows_brief:
        st.caption(f"Downloads include the {people(brief)} seen for under {BRIEF_S:g} s; the tables below do not.")


def _too_short(timeline: Timeline) -> str:
    if len(timeline.small_ids) == len(timeline.people):
        return "Nobody is large enough in the picture to be classified."
    needed_s = shortest_stay_s(timeline.settings, timeline.frame_rate_hz)
    longest_s = max(end_s - start_s for track in timeline.people for start_s, end_s in track.presence)
    return (
        f"Nobody was in view long enough to be classified: a clip needs {seconds(needed_s)}, and the longest stay is "
        f"{seconds(longest_s)}. Lower Sequence length or Skip interval and analyse the video again."
    )
