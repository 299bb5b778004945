"""The state of one browser tab; the only module that names keys of ``st.session_state``.

``tab()`` returns one object per tab. Each part of it has few writers:

==================  ====================================================================
part                written by
==================  ====================================================================
``sidebar``         ``parts/sidebar.py``; ``parts/ready.py`` (the first settings)
``video``           ``parts/video_card.py``
``problem``         the last failure: ``parts/video_card.py``, ``analyse/analysis.py``
``filters``         ``analyse/``, ``live/``, ``workbench/component.py``
``history``         ``parts/history.py``
``of_video``        ``analyse/``
``of_camera``       ``analyse/``, ``live/``
``compare``         ``compare/``; ``analyse/`` gives it a truth
``live``            ``live/``
``own_actions``     ``own_actions/``
``groups_draft``    ``parts/label_groups.py``
``downloads``       ``parts/downloads.py``
``players``         ``parts/player.py``
``page``            ``navigation.py``, ``came_through_app`` too
``notices``         ``guard.py``
==================  ====================================================================

``restored`` and ``wished`` belong to ``address.py``, ``upload_fields`` and ``stored_uploads`` to
``parts/checkpoint_upload.py``, and ``drawn_on`` to this module.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recognizer.dashboard.streamlit_private import uninterrupted_state
from recognizer.service.action_sets import SetSummary
from recognizer.service.comparisons import StoredComparison
from recognizer.service.growing import Pace
from recognizer.service.jobs import Job
from recognizer.service.offers import TabOffers, TabPlayers
from recognizer.service.store import StoredAnalysis, StoredFile
from recognizer.settings import RECOMMENDED_MIN_CONFIDENCE, Preset, Settings
from recognizer.timeline.filters import Filter
from recognizer.timeline.groups import LabelGroups
from recognizer.types import Reading, VideoInfo

if TYPE_CHECKING:
    from recognizer.live.camera import TabCamera
    from recognizer.live.feed import Feed
    from recognizer.networks.loading import Models

DEFAULT_MIN_CONFIDENCE = RECOMMENDED_MIN_CONFIDENCE
"""Less probable labels read ``unknown`` until the user moves the slider."""

DEFAULT_MIN_DURATION_S = 0.0

NOTICE_S = 10.0
"""A notice is drawn for at least this long: a page that follows a job is drawn again every second."""

_TOLD_AGAIN = 3
"""Runs of a page in which the browser is told again what a widget shows."""

_KEY = "tab"

_LIVE_PAGE = "live"
"""Name of the page that shows the sessions of a camera."""


@dataclass
class CurrentVideo:
    """The latest uploaded video.

    Attributes:
        file: the stored file, or the recording.
        info: its properties.
        playable: whether browsers play it.
        reading: how it will be read, as far as its first picture tells.
        credit: source and licence of the sample.
        preview: makes a copy that browsers play; None if they play the file.
    """

    file: StoredFile
    info: VideoInfo
    playable: bool
    reading: Reading = field(default_factory=Reading)
    credit: str | None = None
    preview: Job[Path] | None = None


@dataclass(frozen=True)
class Notice:
    """A message about what happened before the page was drawn, and since when it is due (``time.monotonic``)."""

    text: str
    since_s: float

    def is_old(self) -> bool:
        """Return whether it has been said for long enough: a page may be drawn again at once, and more than once."""
        return time.monotonic() - self.since_s > NOTICE_S


@dataclass
class Rendering:
    """An annotated video, finished or in progress, and what is shown in it."""

    job: Job[Path]
    analysis_id: str
    shown: str


@dataclass
class UploadField:
    """An upload field whose file stays in use.

    Attributes:
        file: the stored file; None if there is none.
        uploads: how many files have been stored; a new number empties the field.
    """

    file: StoredFile | None = None
    uploads: int = 0

    def clear(self) -> None:
        """Use no file any more."""
        self.file = None


@dataclass
class SidebarTab:
    """The settings in the sidebar, the same on every page.

    Attributes:
        settings: the chosen settings; None until the default classifier is known.
        preset: the preset that the settings follow.
        preset_changes: how often the preset changed without its control.
        classifier_note: why the default is not the documented classifier; None if it is.
        checkpoint: the user's own checkpoint.
        labels: its label file.
    """

    settings: Settings | None = None
    preset: Preset = "recommended"
    preset_changes: int = 0
    classifier_note: str | None = None
    checkpoint: StoredFile | None = None
    labels: StoredFile | None = None


@dataclass
class FiltersTab:
    """The filters of predictions, the same on every page.

    Attributes:
        min_confidence: less probable labels read "unknown".
        min_duration_s: shorter segments are absorbed.
        shows_brief: whether people who appeared only for a moment are shown.
        chosen: which segments are shown and exported of the analysis ``chosen_of``.
        chosen_of: the analysis that ``chosen`` was made for.
        fields: how often the filter's fields got new values; a new number gives them.
        begun: the values that the fields began with.
        bin_s: length of the bins of time in summaries; None until one is chosen.
    """

    min_confidence: float = DEFAULT_MIN_CONFIDENCE
    min_duration_s: float = DEFAULT_MIN_DURATION_S
    shows_brief: bool = False
    chosen: Filter = field(default_factory=Filter)
    chosen_of: str | None = None
    fields: int = 0
    begun: Filter = field(default_factory=Filter)
    bin_s: float | None = None

    @property
    def thresholds(self) -> tuple[float, float]:
        """Minimum confidence and minimum duration (s)."""
        return self.min_confidence, self.min_duration_s

    def adopt(self, min_confidence: float, min_duration_s: float) -> None:
        """Show the next result with these thresholds."""
        self.min_confidence, self.min_duration_s = min_confidence, min_duration_s

    def chosen_for(self, analysis_id: str) -> Filter:
        """Return which segments of an analysis are shown: all, if the choice was made for another."""
        return self.chosen if self.chosen_of == analysis_id else Filter()

    def choose(self, analysis_id: str, chosen: Filter) -> None:
        """Show only these segments of an analysis."""
        self.chosen, self.chosen_of = chosen, analysis_id

    def begin_fields(self, analysis_id: str) -> None:
        """Have the fields of the filter begin with what is chosen."""
        self.fields, self.begun = self.fields + 1, self.chosen_for(analysis_id)


@dataclass
class HistoryTab:
    """Earlier analyses, comparisons and sets of actions of this browser.

    Attributes:
        own: their ids by kind, as the browser remembers them.
        forgotten_sets: ids of the sets of actions that were taken off the browser's list in this tab.
        choices: how many have been opened; a new number empties the choice.
    """

    own: dict[str, list[str]] = field(default_factory=dict)
    forgotten_sets: list[str] = field(default_factory=list)
    choices: int = 0


@dataclass
class GroupRow:
    """One label group that is being edited; its number is its own, so that it keeps its widgets."""

    row_id: int
    name: str = ""
    labels: tuple[str, ...] = ()


@dataclass
class GroupsDraft:
    """Label groups that are being edited.

    Attributes:
        item_id: the analysis or comparison that they are for.
        stored: the stored groups that the draft began with.
        rows: the groups.
        other: the name of everything else; empty to keep the labels.
        number: how many drafts there were before; a new number gives the widgets new values.
        made: how many rows there have ever been.
        uploads: how many files have been read; a new number empties the upload field.
        problem: one sentence about what went wrong last.
    """

    item_id: str
    stored: LabelGroups | None
    rows: list[GroupRow] = field(default_factory=list)
    other: str = ""
    number: int = 0
    made: int = 0
    uploads: int = 0
    problem: str | None = None

    def add(self, name: str = "", labels: tuple[str, ...] = ()) -> None:
        """Add a group."""
        self.rows.append(GroupRow(self.made, name, labels))
        self.made += 1

    def remove(self, row: GroupRow) -> None:
        """Remove a group, unless it is gone: a button may be pressed twice before the page is drawn without it."""
        self.rows[:] = [one for one in self.rows if one is not row]


@dataclass(frozen=True)
class GoTo:
    """A moment that the workbench goes to; another number is another wish."""

    number: int
    person_id: int
    time_s: float


@dataclass(frozen=True)
class PutAway:
    """A page's content while nobody looks at it: ids instead of results, which take memory.

    Attributes:
        job_id: the running job, which may have ended since.
        shown_id: what is shown.
    """

    job_id: str | None
    shown_id: str | None

    @classmethod
    def of(cls, job: Job[Any] | None, shown_id: str | None) -> PutAway | None:
        """Return what a page has; None if that is nothing."""
        return None if job is None and shown_id is None else cls(None if job is None else job.job_id, shown_id)


@dataclass
class AnalyseTab:
    """The page "Analyse a video"; the page "Live camera" has one of its own for the analysis of its session.

    Attributes:
        job: the running analysis; None if none runs.
        pace: how often its timeline so far is drawn.
        shown: the analysis that is shown.
        rendering: its annotated video.
        wants_rendering: whether the next run of the page starts to make one.
        awaited_id: a camera session in the address that is still running.
        goes_to: the moment that the workbench goes to; None before the first.
        selected_row: the selected row of the table of segments.
        corrections_uploads: how many files of corrections have been read; a new number empties the upload field.
        corrections_problem: what went wrong with the last one.
        own_actions_problem: what went wrong with the last choice of a set of own actions.
        put_away: what this page had when it was closed; None once it is back.
    """

    job: Job[StoredAnalysis] | None = None
    pace: Pace = field(default_factory=Pace)
    shown: StoredAnalysis | None = None
    rendering: Rendering | None = None
    wants_rendering: bool = False
    awaited_id: str | None = None
    goes_to: GoTo | None = None
    selected_row: int | None = None
    corrections_uploads: int = 0
    corrections_problem: str | None = None
    own_actions_problem: str | None = None
    put_away: PutAway | None = None

    def lighten(self) -> None:
        """Keep ids instead of results, until the page is looked at again."""
        shown_id = None if self.shown is None else self.shown.analysis_id
        self.put_away = PutAway.of(self.job, shown_id) or self.put_away
        self.job, self.shown = None, None

    def show(self, analysis: StoredAnalysis | None) -> None:
        """Show another analysis, from its beginning."""
        self.shown, self.rendering, self.goes_to, self.selected_row = analysis, None, None, None
        self.wants_rendering = False
        self.corrections_problem, self.own_actions_problem = None, None


@dataclass
class EntryRow:
    """One row of the table of entries.

    Attributes:
        row_id: a number of its own, so that a row keeps its widgets when the one above it is removed.
        classifier: the network.
        samples: sequence length.
        margin_percentage: crop margin.
        checkpoint: the user's own weights for it; None for the published ones.
        labels: the label file of these weights.
    """

    row_id: int
    classifier: str
    samples: int
    margin_percentage: int
    checkpoint: StoredFile | None = None
    labels: StoredFile | None = None


@dataclass(frozen=True)
class WaitingTruth:
    """A corrected analysis that becomes the truth of the next comparison of its video."""

    analysis_id: str
    name: str
    video_path: Path


@dataclass
class CompareTab:
    """The page "Compare classifiers".

    Attributes:
        rows: the entries to compare.
        proposed: classifier, sequence length and crop margin of the rows that the page proposed last.
        rows_made: how many rows there have ever been.
        job: the running comparison; None if none runs.
        partial: its latest result that is shown.
        shown: the comparison that is shown.
        problem: one sentence about what went wrong last.
        own_names_problem: why the last choice of a set of own actions had no effect; None if it had one.
        truth_uploads: how many label files have been read; a new number empties the upload field.
        truth_from: a corrected analysis that waits to be the truth; None if none does.
        drawn: what the workbench shows of it: the entries that are wanted and have run, labels and groups.
        goes_to: the moment that the workbench goes to; None before the first.
        put_away: what this page had when it was closed; None once it is back.
    """

    rows: list[EntryRow] = field(default_factory=list)
    proposed: tuple[tuple[str, int, int], ...] = ()
    rows_made: int = 0
    job: Job[StoredComparison] | None = None
    partial: StoredComparison | None = None
    shown: StoredComparison | None = None
    problem: str | None = None
    own_names_problem: str | None = None
    truth_uploads: int = 0
    truth_from: WaitingTruth | None = None
    drawn: StoredComparison | None = None
    goes_to: GoTo | None = None
    put_away: PutAway | None = None

    def remove(self, row: EntryRow) -> None:
        """Remove a row, unless it is gone: a button may be pressed twice before the page is drawn without it."""
        self.rows[:] = [one for one in self.rows if one is not row]

    def lighten(self) -> None:
        """Keep ids instead of results, until the page is looked at again."""
        shown_id = None if self.shown is None else self.shown.comparison_id
        self.put_away = PutAway.of(self.job, shown_id) or self.put_away
        self.job, self.shown, self.partial, self.drawn = None, None, None, None

    def go_to(self, person_id: int, time_s: float) -> None:
        """Let the workbench show a person at a moment."""
        self.goes_to = GoTo(1 if self.goes_to is None else self.goes_to.number + 1, person_id, time_s)


@dataclass
class LiveTab:
    """The page "Live camera".

    Attributes:
        camera: takes the tab's frames; None until its networks are ready.
        feed: stands in for the browser's camera; None if nothing does.
        feed_source: the source that ``feed`` plays.
        address: what stands in the field for a network camera's address.
        shown_session_id: the last ended session that was shown.
        sessions: names of the ended sessions, by the id of the stored analysis; the latest last.
        loading: loads the networks.
        networks: the keys of the loaded networks (``networks.cache.network_keys``).
        lost: whether a session ended while nobody looked at this tab, and none has begun since.
        connected: whether the browser has a connection for the picture, or asks for one; it offers Stop then.
    """

    camera: TabCamera | None = None
    feed: Feed | None = None
    feed_source: tuple[str, str] | None = None
    address: str = ""
    shown_session_id: str | None = None
    sessions: dict[str, str] = field(default_factory=dict)
    loading: Job[Models] | None = None
    networks: tuple[object, ...] | None = None
    lost: bool = False
    connected: bool = False

    def lighten(self) -> str | None:
        """Let go of the camera and its networks; return the id of a session whose end is still to be reported."""
        if self.camera is None or self.camera.session is not None:
            return None
        if self.feed is not None:
            self.feed.close()
        ended = None if self.camera.latest is None else self.camera.latest.ended
        self.camera, self.feed, self.feed_source, self.loading, self.networks = None, None, None, None, None
        if ended is None or not ended.lost:
            return None
        self.lost = True
        self.sessions[ended.run.analysis_id] = ended.run.video_name
        self.shown_session_id = ended.run.analysis_id
        return ended.run.analysis_id


@dataclass
class OwnActionsTab:
    """The page "My actions".

    Attributes:
        set_id: the set that is shown; None before the first.
        uploads: how many files have been read; a new number empties the upload field.
        problem: one sentence about what went wrong last.
        note: one sentence about what was done, shown once.
        removed: the set that was taken off the list last, as long as that can be undone.
    """

    set_id: str | None = None
    uploads: int = 0
    removed: SetSummary | None = None
    problem: str | None = None
    note: Notice | None = None


@dataclass(frozen=True)
class AddressWish:
    """An id that is put into the address.

    Attributes:
        stored_id: the id; None removes the one that is there.
        is_shown: whether the tab shows it already; otherwise, the next run restores it.
        instead_of: the id in the address before.
        since_s: when the browser was told (``time.monotonic``); None if it may not have been told yet.
    """

    stored_id: str | None
    is_shown: bool
    instead_of: str | None
    since_s: float | None = None


@dataclass
class Tab:
    """One browser tab.

    Attributes:
        visitor: stands for a browser that refuses cookies.
        came_through_app: whether ``app.py`` has run.
        page: the page that is shown.
        notices: what went wrong in callbacks.
        problem: one sentence about what went wrong last.
        hint: what to do next, said once on the next page; None for nothing.
        video: the current video, the same on every page; None before the first.
        uploads: how many uploads have been stored; a new number empties the upload field.
        of_video: the analysis of a video.
        of_camera: the analysis of a camera's session.
        groups_draft: the label groups that are being edited.
        downloads: the files that its pages offer.
        players: the files that its players may play.
        upload_fields: the fields for checkpoints and label files, by their keys.
        stored_uploads: every checkpoint and label file that was stored.
        restored: the id last restored from the address or put into it, by page and parameter.
        wished: what was put into the address last, by page and parameter.
        drawn_on: the page on which a widget was last drawn, and how often since its value was set here, by its key.
    """

    visitor: str = field(default_factory=lambda: uuid.uuid4().hex)
    came_through_app: bool = False
    page: str = ""
    notices: list[Notice] = field(default_factory=list)
    problem: str | None = None
    hint: str | None = None
    video: CurrentVideo | None = None
    uploads: int = 0
    sidebar: SidebarTab = field(default_factory=SidebarTab)
    filters: FiltersTab = field(default_factory=FiltersTab)
    history: HistoryTab = field(default_factory=HistoryTab)
    of_video: AnalyseTab = field(default_factory=AnalyseTab)
    of_camera: AnalyseTab = field(default_factory=AnalyseTab)
    compare: CompareTab = field(default_factory=CompareTab)
    live: LiveTab = field(default_factory=LiveTab)
    own_actions: OwnActionsTab = field(default_factory=OwnActionsTab)
    groups_draft: GroupsDraft | None = None
    downloads: TabOffers = field(default_factory=TabOffers)
    players: TabPlayers = field(default_factory=TabPlayers)
    upload_fields: dict[str, UploadField] = field(default_factory=dict)
    stored_uploads: list[StoredFile] = field(default_factory=list)
    restored: dict[tuple[str, str], str | None] = field(default_factory=dict)
    wished: dict[tuple[str, str], AddressWish] = field(default_factory=dict)
    drawn_on: dict[str, tuple[str, int]] = field(default_factory=dict)

    @property
    def analyse(self) -> AnalyseTab:
        """The analysis that the page shows: neither a video nor a session takes the other's place."""
        return self.of_camera if self.page == _LIVE_PAGE else self.of_video

    def with_upload_names(self, message: str) -> str:
        """Return a message with the names of uploaded files instead of the paths where they are stored."""
        for file in self.stored_uploads:
            message = message.replace(str(file.path), file.name)
        return message

    def lighten(self) -> None:
        """Let go of what takes memory and can be had again: nobody has looked at this tab for some time."""
        for one in (self.of_video, self.of_camera, self.compare):
            one.lighten()
        lost_id = self.live.lighten()
        if lost_id is not None:
            self.of_camera.put_away = PutAway(None, lost_id)
        self.downloads = TabOffers()


def lighten(kept: Mapping[str, Any]) -> None:
    """Lighten the tab in a session state, if there is one."""
    if _KEY in kept:
        kept[_KEY].lighten()


def tab() -> Tab:
    """Return this browser tab's state, made on its first visit. A script is not interrupted here."""
    with uninterrupted_state() as kept:
        if _KEY not in kept:
            kept[_KEY] = Tab()
        state: Tab = kept[_KEY]
        return state


def set_widget(key: str, value: Any) -> None:
    """Set a widget's value, before it is drawn. A script is not interrupted here."""
    with uninterrupted_state() as kept:
        kept[key] = value


def tell_again(key: str) -> None:
    """Have the browser show the value that a widget has here.

    A value is sent once, by the run that sets it. If the next run begins before that is sent, Streamlit throws it away,
    and the browser shows the first of the options, and later says that this is the user's choice.
    """
    set_widget(key, widget(key))


def widget(key: str) -> Any:
    """Return a widget's value, before it is drawn again. A script is not interrupted here."""
    with uninterrupted_state() as kept:
        return kept[key]


def newest(key: str, drawn: Any) -> Any:
    """Return a widget's value in a callback, where what the page was drawn with may be old.

    Leaving a field and pressing a button may reach the server together: the callback runs first, and only then the page
    that reads the field.

    Args:
        key: the widget's.
        drawn: its value when the page was drawn last; returned if the widget itself is not drawn yet.
    """
    return widget(key) if has_widget(key) else drawn


def has_widget(key: str) -> bool:
    """Return whether a widget has a value; the widgets of other pages have lost theirs."""
    with uninterrupted_state() as kept:
        return key in kept


def restore_widget(key: str, value: Any) -> None:
    """Set a widget's value unless it still has one.

    Leaving a page clears its widgets, and one with the same key on another page starts at its lowest value. The browser
    is told the value in a few runs, see ``tell_again``; not in all, which would disturb who moves the widget.
    """
    one = tab()
    page, times = one.drawn_on.get(key, ("", 0))
    if not has_widget(key) or page != one.page:
        set_widget(key, value)
        times = 0
    elif times < _TOLD_AGAIN:
        tell_again(key)
    one.drawn_on[key] = one.page, times + 1


def show_widget(key: str, value: Any) -> None:
    """Set the value of a widget that ``restore_widget`` restores."""
    set_widget(key, value)
    one = tab()
    one.drawn_on[key] = one.page, 0
