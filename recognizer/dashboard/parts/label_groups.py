"""The editor of label groups: labels folded into the few that matter for a study."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from recognizer.dashboard import guard, server, state
from recognizer.dashboard.parts.downloads import offer_download
from recognizer.dashboard.parts.visitor import refuse_looking
from recognizer.dashboard.streamlit_private import forget_uploads
from recognizer.dashboard.text import sentence
from recognizer.errors import CorrectionsError, RecognizerError
from recognizer.networks.classifiers.kinetics400 import KINETICS400_LABELS
from recognizer.service.opened import Opened
from recognizer.timeline.groups import MAX_GROUPS_BYTES, LabelGroups, groups_from_json, groups_json
from recognizer.timeline.model import Timeline

FILE_NAME: Final = "label-groups.json"

_WIDTH_PX: Final = 440


@dataclass(frozen=True)
class Groupable:
    """An analysis or a comparison, whose labels are grouped.

    Attributes:
        item_id: its id.
        timelines: what its classifiers said, without groups.
        groups: the stored groups.
        store: stores others; raises RecognizerError if it cannot.
    """

    item_id: str
    timelines: tuple[Timeline, ...]
    groups: LabelGroups | None
    store: Callable[[LabelGroups | None], None]


def groupable(analysis_id: str, opened: Opened) -> Groupable:
    """Return an analysis as what groups are for."""
    return Groupable(analysis_id, (opened.said,), opened.revision.groups, lambda groups: _store(analysis_id, groups))


@guard.part
def draw_groups(place: DeltaGenerator, item: Groupable) -> None:
    """Draw the editor in a popover; saving changes what the whole page shows."""
    groups = item.groups
    count = 0 if groups is None else len(groups.groups)
    title = "Label groups" if groups is None else f"Label groups ({count})"
    with place.popover(title, icon=":material/category:"):
        st.caption("Fold labels into groups. Charts, tables and exports follow.")
        draft = _draft(item.item_id, groups)
        options = _options(item.timelines)
        for row in list(draft.rows):
            _row(draft, row, options)
        st.button("Add a group", icon=":material/add:", on_click=guard.callback(draft.add))
        _other(draft)
        buttons = st.container(horizontal=True)
        buttons.button("Save", type="primary", on_click=guard.callback(_save), args=(item, draft))
        if groups is not None:
            buttons.button("Show the labels themselves", on_click=guard.callback(_set), args=(item, draft, None))
            offer_download(buttons, "Download", lambda: groups_json(groups), FILE_NAME, "application/json")
        _load(item, draft)
        if draft.problem is not None:
            st.error(sentence(draft.problem), icon=":material/error:")


def _draft(item_id: str, stored: LabelGroups | None) -> state.GroupsDraft:
    """Return the groups as they are being edited; a new draft if others were stored meanwhile."""
    draft = state.tab().groups_draft
    if draft is None or draft.item_id != item_id or draft.stored != stored:
        draft = state.GroupsDraft(item_id, stored, number=0 if draft is None else draft.number + 1)
        for name, labels in (stored.groups if stored is not None else {}).items():
            draft.add(name, labels)
        draft.other = (stored.other if stored is not None else None) or ""
        if not draft.rows:
            draft.add()
        state.tab().groups_draft = draft
    return draft


def _options(timelines: Sequence[Timeline]) -> list[str]:
    """Return the labels that were seen, the most frequent first, then the others that the classifiers may know."""
    seen = seen_labels(timelines)
    known = {label for timeline in timelines for one in timeline.predictions for label, _ in one.top}
    if any(timeline.settings.checkpoint_path is None for timeline in timelines):
        known.update(KINETICS400_LABELS)
    return [*seen, *sorted(known.difference(seen), key=str.casefold)]


def seen_labels(timelines: Sequence[Timeline]) -> list[str]:
    """Return the labels that are the most probable ones of any clip, the most frequent first."""
    count = Counter(one.top[0][0] for timeline in timelines for one in timeline.predictions if one.top)
    return sorted(count, key=lambda label: (-count[label], label))


def _row_key(draft: state.GroupsDraft, row: state.GroupRow, field: str) -> str:
    return f"group-{draft.number}-{row.row_id}-{field}"


def _other_key(draft: state.GroupsDraft) -> str:
    return f"group-{draft.number}-other"


def _row(draft: state.GroupsDraft, row: state.GroupRow, options: Sequence[str]) -> None:
    fields = st.container(horizontal=True, vertical_alignment="bottom", width=_WIDTH_PX)
    row.name = fields.text_input(
        "Group", row.name, key=_row_key(draft, row, "name"), placeholder="ball games", width="stretch"
    )
    fields.button(
        "Remove",
        icon=":material/delete:",
        key=_row_key(draft, row, "remove"),
        type="tertiary",
        on_click=guard.callback(draft.remove),
        args=[row],
    )
    known = {label.casefold(): label for label in options}
    labels = [known.get(label.casefold(), label) for label in row.labels]
    row.labels = tuple(
        st.multiselect(
            "Its labels",
            [*options, *(label for label in labels if label not in options)],
            labels,
            key=_row_key(draft, row, "labels"),
            placeholder="Choose or type labels",
            width=_WIDTH_PX,
        )
    )


def _other(draft: state.GroupsDraft) -> None:
    draft.other = st.text_input(
        "Everything else",
        draft.other,
        key=_other_key(draft),
        placeholder="keeps its own label",
        help="The name of all labels in no group. Empty: they keep theirs.",
        width=_WIDTH_PX,
    )


def _load(item: Groupable, draft: state.GroupsDraft) -> None:
    upload = st.file_uploader(
        "Groups from a file",
        ["json"],
        key=f"groups-{draft.number}-{draft.uploads}",
        max_upload_size=server.upload_limit_mib(MAX_GROUPS_BYTES),
        width=_WIDTH_PX,
    )
    if upload is None:
        return
    draft.uploads += 1  # the next field has another key and is empty
    forget_uploads(upload)
    try:
        refuse_looking(item.item_id)
        item.store(groups_from_json(upload.getvalue(), upload.name))
        draft.problem = None
    except RecognizerError as error:
        draft.problem = str(error)
    st.rerun()


def _save(item: Groupable, draft: state.GroupsDraft) -> None:
    for row in draft.rows:
        row.name = state.newest(_row_key(draft, row, "name"), row.name)
        row.labels = tuple(state.newest(_row_key(draft, row, "labels"), row.labels))
    draft.other = state.newest(_other_key(draft), draft.other)
    try:
        groups = _groups_of(draft)
    except ValueError as error:
        draft.problem = f"The groups cannot be saved because {error}; change one of them."
        return
    _set(item, draft, groups)


def _groups_of(draft: state.GroupsDraft) -> LabelGroups | None:
    rows = [row for row in draft.rows if row.name.strip() or row.labels]
    names = Counter(row.name.strip().casefold() for row in rows)
    if twice := [row.name for row in rows if names[row.name.strip().casefold()] > 1 and row.name.strip()]:
        raise ValueError(f"two groups are called '{twice[0].strip()}'")
    groups = LabelGroups({row.name.strip(): row.labels for row in rows}, draft.other.strip() or None)
    return groups if groups.groups or groups.other is not None else None


def _set(item: Groupable, draft: state.GroupsDraft, groups: LabelGroups | None) -> None:
    try:
        refuse_looking(item.item_id)
        item.store(groups)
    except RecognizerError as error:
        draft.problem = str(error)


def _store(analysis_id: str, groups: LabelGroups | None) -> None:
    if server.context().workbench.set_groups(analysis_id, groups) is None:
        raise CorrectionsError("the analysis is not stored on this machine, so its groups cannot be; analyse it again.")
