"""The editor of label groups: labels folded into the few that matter for a study."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from recognizer.dashboard import server, state
from recognizer.dashboard.parts.downloads import offer_download
from recognizer.dashboard.text import sentence
from recognizer.errors import CorrectionsError, RecognizerError
from recognizer.networks.classifiers.kinetics400 import KINETICS400_LABELS
from recognizer.service.opened import Opened
from recognizer.timeline.groups import LabelGroups, groups_from_json, groups_json
from recognizer.timeline.model import Timeline

FILE_NAME: Final = "label-groups.json"

_WIDTH_PX: Final = 440


def draw_groups(place: DeltaGenerator, analysis_id: str, opened: Opened) -> None:
    """Draw the editor in a popover; saving changes what the whole page shows."""
    groups = opened.revision.groups
    count = 0 if groups is None else len(groups.groups)
    title = "Label groups" if groups is None else f"Label groups ({count})"
    with place.popover(title, icon=":material/category:"):
        st.caption("Fold labels into groups. Charts, tables and exports follow.")
        draft = _draft(analysis_id, opened.revision.groups)
        options = _options(opened.said)
        for row in list(draft.rows):
            _row(draft, row, options)
        st.button("Add a group", icon=":material/add:", on_click=draft.add)
        _other(draft)
        buttons = st.container(horizontal=True)
        buttons.button("Save", type="primary", on_click=_save, args=(analysis_id, draft))
        if groups is not None:
            buttons.button("Show the labels themselves", on_click=_set, args=(analysis_id, None))
            offer_download(buttons, "Download", lambda: groups_json(groups), FILE_NAME, "application/json")
        _load(analysis_id, draft)
        if draft.problem is not None:
            st.error(sentence(draft.problem), icon=":material/error:")


def _draft(analysis_id: str, stored: LabelGroups | None) -> state.GroupsDraft:
    """Return the groups as they are being edited; a new draft if others were stored meanwhile."""
    analyse = state.tab().analyse
    draft = analyse.groups_draft
    if draft is None or draft.analysis_id != analysis_id or draft.stored != stored:
        draft = state.GroupsDraft(analysis_id, stored, number=0 if draft is None else draft.number + 1)
        for name, labels in (stored.groups if stored is not None else {}).items():
            draft.add(name, labels)
        draft.other = (stored.other if stored is not None else None) or ""
        if not draft.rows:
            draft.add()
        analyse.groups_draft = draft
    return draft


def _options(timeline: Timeline) -> list[str]:
    """Return the labels that were seen, the most frequent first, then the others that the classifier may know."""
    seen = seen_labels(timeline)
    known = {label for one in timeline.predictions for label, _ in one.top}
    if timeline.settings.checkpoint_path is None:
        known.update(KINETICS400_LABELS)
    return [*seen, *sorted(known.difference(seen), key=str.casefold)]


def seen_labels(timeline: Timeline) -> list[str]:
    """Return the labels that are the most probable ones of any clip, the most frequent first."""
    count = Counter(one.top[0][0] for one in timeline.predictions if one.top)
    return sorted(count, key=lambda label: (-count[label], label))


def _row(draft: state.GroupsDraft, row: state.GroupRow, options: Sequence[str]) -> None:
    fields = st.container(horizontal=True, vertical_alignment="bottom", width=_WIDTH_PX)
    key = f"group-{draft.number}-{row.row_id}"
    row.name = fields.text_input("Group", row.name, key=f"{key}-name", placeholder="ball games", width="stretch")
    fields.button(
        "Remove", icon=":material/delete:", key=f"{key}-remove", type="tertiary", on_click=draft.rows.remove, args=[row]
    )
    known = {label.casefold(): label for label in options}
    labels = [known.get(label.casefold(), label) for label in row.labels]
    row.labels = tuple(
        st.multiselect(
            "Its labels",
            [*options, *(label for label in labels if label not in options)],
            labels,
            key=f"{key}-labels",
            placeholder="Choose or type labels",
            width=_WIDTH_PX,
        )
    )


def _other(draft: state.GroupsDraft) -> None:
    draft.other = st.text_input(
        "Everything else",
        draft.other,
        key=f"group-{draft.number}-other",
        placeholder="keeps its own label",
        help="The name of all labels in no group. Empty: they keep theirs.",
        width=_WIDTH_PX,
    )


def _load(analysis_id: str, draft: state.GroupsDraft) -> None:
    upload = st.file_uploader(
        "Groups from a file", ["json"], key=f"groups-{draft.number}-{draft.uploads}", width=_WIDTH_PX
    )
    if upload is None:
        return
    draft.uploads += 1  # the next field has another key and is empty
    try:
        _store(analysis_id, groups_from_json(upload.getvalue(), upload.name))
        draft.problem = None
    except RecognizerError as error:
        draft.problem = str(error)
    st.rerun()


def _save(analysis_id: str, draft: state.GroupsDraft) -> None:
    try:
        groups = _groups_of(draft)
    except ValueError as error:
        draft.problem = f"The groups cannot be saved because {error}; change one of them."
        return
    _set(analysis_id, groups)


def _groups_of(draft: state.GroupsDraft) -> LabelGroups | None:
    rows = [row for row in draft.rows if row.name.strip() or row.labels]
    names = Counter(row.name.strip().casefold() for row in rows)
    if twice := [row.name for row in rows if names[row.name.strip().casefold()] > 1 and row.name.strip()]:
        raise ValueError(f"two groups are called '{twice[0].strip()}'")
    groups = LabelGroups({row.name.strip(): row.labels for row in rows}, draft.other.strip() or None)
    return groups if groups.groups or groups.other is not None else None


def _set(analysis_id: str, groups: LabelGroups | None) -> None:
    draft = state.tab().analyse.groups_draft
    try:
        _store(analysis_id, groups)
    except RecognizerError as error:
        if draft is not None:
            draft.problem = str(error)


def _store(analysis_id: str, groups: LabelGroups | None) -> None:
    if server.context().workbench.set_groups(analysis_id, groups) is None:
        raise CorrectionsError("the analysis is not stored on this machine, so its groups cannot be; analyse it again.")
