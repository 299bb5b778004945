"""What one person's browser tab has in hand; the only place that touches ``st.session_state`` by name."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from recognizer.service.comparisons import StoredComparison
from recognizer.service.jobs import Job
from recognizer.service.store import StoredAnalysis, StoredFile
from recognizer.settings import RECOMMENDED_MIN_CONFIDENCE, Preset, Settings
from recognizer.types import VideoInfo

if TYPE_CHECKING:
    from recognizer.live.camera import TabCamera
    from recognizer.live.feed import Feed
    from recognizer.networks.loading import Models

DEFAULT_MIN_CONFIDENCE = RECOMMENDED_MIN_CONFIDENCE
"""Labels less probable than this read ``unknown`` until the person says otherwise."""

DEFAULT_MIN_DURATION_S = 0.0

_KEY = "tab"
_APP_KEY = "came-through-app"
_RUN_PARAMETER = "run"
COMPARISON_PARAMETER = "comparison"
"""What names a comparison in the address of the page that compares."""


@dataclass
class CurrentVideo:
    """The video that was dropped in last."""

    file: StoredFile
    info: VideoInfo
    playable: bool
    credit: str | None = None
    preview: Job[Path] | None = None


@dataclass
class Rendering:
    """An annotated video that is made or being made, and what it shows."""

    job: Job[Path]
    run_id: str
    thresholds: tuple[float, float]


@dataclass
class EntryRow:
    """One row of what is to be compared.

    Attributes:
        row_id: counts up, so that a row keeps its widgets when the one above it goes.
        classifier: the network.
        samples: sequence length.
        margin_percentage: crop margin.
        checkpoint: the person's own weights for it; None for the published ones.
        labels: their labels.
    """

    row_id: int
    classifier: str
    samples: int
    margin_percentage: int
    checkpoint: StoredFile | None = None
    labels: StoredFile | None = None


@dataclass
class CompareTab:
    """What the page "Compare classifiers" has in hand.

    Attributes:
        rows: what is to be compared.
        rows_made: how many rows there have ever been.
        job: the comparison that runs, if one does.
        partial: the latest result of the job, as far as it is shown.
        shown: the comparison that is shown.
        problem: one sentence about what went wrong last.
        truth_uploads: how many files of labels were taken; a new number empties the field.
        taken_up: the comparison that was taken up from the address last.
    """

    rows: list[EntryRow] = field(default_factory=list)
    rows_made: int = 0
    job: Job[StoredComparison] | None = None
    partial: StoredComparison | None = None
    shown: StoredComparison | None = None
    problem: str | None = None
    truth_uploads: int = 0
    taken_up: str | None = None


@dataclass
class LiveTab:
    """The page "Live camera" in one browser tab.

    Attributes:
        camera: takes the tab's frames; None until its networks are ready.
        feed: what stands in for the browser's camera; None if nothing does.
        feed_source: what ``feed`` plays.
        shown_session_id: the last ended session that was shown.
        sessions: names of the ended sessions, by the id of the stored analysis; the latest last.
        loading: loads the networks.
        networks: what they were loaded for (``networks.cache.networks_of``).
    """

    camera: TabCamera | None = None
    feed: Feed | None = None
    feed_source: tuple[str, str] | None = None
    shown_session_id: str | None = None
    sessions: dict[str, str] = field(default_factory=dict)
    loading: Job[Models] | None = None
    networks: tuple[object, ...] | None = None


@dataclass
class Tab:
    """Everything of one browser tab.

    Attributes:
        settings: what the sidebar says; None until the default classifier is known.
        preset: which preset the sidebar follows.
        preset_changes: how often that changed without the control of the presets.
        classifier_note: why the documented classifier is not the one that was chosen; None when it is.
        video: the current video.
        analysis: the analysis that runs, if one does.
        run: the analysis that is shown.
        rendering: its annotated video.
        uploads: how many uploads were taken; a new number empties the upload field.
        problem: one sentence about what went wrong last.
        jump_s: where the player should start.
        thresholds: minimum confidence and minimum duration (s) of the shown analysis.
        shows_brief: whether people who were there for a moment are shown, too.
        checkpoint: the person's own checkpoint.
        labels: its label file.
        kept_uploads: checkpoints and label files that are on the disk, by the number of their upload.
        live: the state of the page "Live camera".
        seen_runs: runs that were taken up from the address already.
        own: the analyses and comparisons that this browser has shown at any time, as it remembers them.
        opened: how many of them were chosen to be opened again; a new number empties the choice.
        awaited_run_id: a camera's run that the address names and that is not over yet.
        page: the page that is shown.
        drawn_on: the page on which a widget was drawn last, by its key.
        compare: what the page that compares has in hand.
    """

    settings: Settings | None = None
    preset: Preset = "recommended"
    preset_changes: int = 0
    classifier_note: str | None = None
    video: CurrentVideo | None = None
    analysis: Job[StoredAnalysis] | None = None
    run: StoredAnalysis | None = None
    rendering: Rendering | None = None
    uploads: int = 0
    problem: str | None = None
    jump_s: float = 0.0
    thresholds: tuple[float, float] = (DEFAULT_MIN_CONFIDENCE, DEFAULT_MIN_DURATION_S)
    shows_brief: bool = False
    checkpoint: StoredFile | None = None
    labels: StoredFile | None = None
    kept_uploads: dict[str, StoredFile] = field(default_factory=dict)
    live: LiveTab = field(default_factory=LiveTab)
    seen_runs: set[str] = field(default_factory=set)
    own: dict[str, list[str]] = field(default_factory=dict)
    opened: int = 0
    awaited_run_id: str | None = None
    page: str = ""
    drawn_on: dict[str, str] = field(default_factory=dict)
    compare: CompareTab = field(default_factory=CompareTab)


def tab() -> Tab:
    """This browser tab's state; made on its first visit."""
    if _KEY not in st.session_state:
        st.session_state[_KEY] = Tab()
    state: Tab = st.session_state[_KEY]
    return state


def note_app() -> None:
    """``app.py`` has run in this tab."""
    st.session_state[_APP_KEY] = True


def came_through_app() -> bool:
    """Whether ``app.py`` has run in this tab."""
    return _APP_KEY in st.session_state


def set_widget(key: str, value: Any) -> None:
    """Give a widget its value, before it is drawn."""
    st.session_state[key] = value


def widget(key: str) -> Any:
    """What a widget says, before it is drawn again."""
    return st.session_state[key]


def has_widget(key: str) -> bool:
    """Whether a widget has a value already; pages that were left have forgotten theirs."""
    return key in st.session_state


def restore_widget(key: str, value: Any) -> None:
    """Give a widget what the tab remembers, where the widget has forgotten it.

    A page that is left forgets its widgets, and one with the same key on another page begins at its lowest value.
    """
    one = tab()
    if not has_widget(key) or one.drawn_on.get(key) != one.page:
        set_widget(key, value)
    one.drawn_on[key] = one.page


def run_in_address() -> str | None:
    """The analysis that the page's address names."""
    return st.query_params.get(_RUN_PARAMETER)


def name_run_in_address(run_id: str | None) -> None:
    """Put an analysis into the page's address, so that it is still there after a refresh."""
    _name_in_address(_RUN_PARAMETER, run_id)


def comparison_in_address() -> str | None:
    """The comparison that the page's address names."""
    return st.query_params.get(COMPARISON_PARAMETER)


def name_comparison_in_address(comparison_id: str | None) -> None:
    """Put a comparison into the page's address, so that it is still there after a refresh."""
    _name_in_address(COMPARISON_PARAMETER, comparison_id)


def _name_in_address(parameter: str, name: str | None) -> None:
    if name is None:
        st.query_params.pop(parameter, None)
    else:
        st.query_params[parameter] = name
