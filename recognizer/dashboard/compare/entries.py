"""Choosing the entries of a comparison: one row per classifier, and the user's own checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from recognizer import weights
from recognizer.classifier_specs import SPECS
from recognizer.comparison.model import Entry
from recognizer.dashboard import guard, state
from recognizer.dashboard.parts.checkpoint_upload import choose_checkpoint
from recognizer.dashboard.parts.sidebar import LONGER_SAMPLES, classifier_title
from recognizer.dashboard.text import plain
from recognizer.service.store import StoredFile
from recognizer.settings import CLASSIFIER_NAMES, RANGES, SETTING_SPECS, Settings

MOST_ROWS = 8
"""More lanes are hard to distinguish."""

_CLASSIFIER: Final = "video_classifier_model"
_SAMPLES: Final = "num_video_sequence_samples"
_MARGIN: Final = "crop_margin_percentage"


def choose_entries(shared: Settings) -> tuple[Entry, ...]:
    """Draw the rows and return an entry for each.

    Args:
        shared: the settings that all entries share.
    """
    rows = state.tab().compare.rows
    _propose(shared)
    st.subheader("What to compare")
    for row in list(rows):
        _row(row, removable=len(rows) > 1)
    buttons = st.container(horizontal=True)
    full = len(rows) >= MOST_ROWS
    buttons.button("Add a classifier", icon=":material/add:", disabled=full, on_click=guard.callback(_add))
    with buttons.popover("Add your own checkpoint", icon=":material/upload_file:", disabled=full):
        _own_checkpoint(rows[-1])
    return tuple(
        Entry("", settings_of(row, shared), None if row.checkpoint is None else row.checkpoint.name) for row in rows
    )


def settings_of(row: state.EntryRow, shared: Settings) -> Settings:
    """Return the settings of one row."""
    return replace(
        shared,
        video_classifier_model=row.classifier,
        num_video_sequence_samples=row.samples,
        crop_margin_percentage=row.margin_percentage,
        checkpoint_path=None if row.checkpoint is None else str(row.checkpoint.path),
        labels_path=None if row.labels is None else str(row.labels.path),
    )


def adopt(entries: Sequence[Entry]) -> None:
    """Show these entries in the rows, for example after a refresh."""
    compare = state.tab().compare
    compare.rows.clear()
    compare.proposed = ()
    for entry in entries:
        settings = entry.settings
        compare.rows.append(
            state.EntryRow(
                _next_id(),
                settings.video_classifier_model,
                settings.num_video_sequence_samples,
                settings.crop_margin_percentage,
                _own_file(settings.checkpoint_path, entry.checkpoint_name),
                _own_file(settings.labels_path, None),
            )
        )


def _own_file(path: str | None, name: str | None) -> StoredFile | None:
    """Return the stored file at this path, which contains its hash."""
    if path is None:
        return None
    file = Path(path)
    return StoredFile(file, name or file.name, file.stem, file.stat().st_size if file.is_file() else 0)


def _propose(shared: Settings) -> None:
    """Start with what is proposed, and follow it until the user has a say or has compared: a video may change it."""
    compare = state.tab().compare
    proposed = _proposal(shared)
    now = tuple((row.classifier, row.samples, row.margin_percentage) for row in compare.rows)
    is_settled = now != compare.proposed or compare.job is not None or compare.shown is not None
    if compare.rows and (is_settled or now == proposed):
        return
    compare.proposed = proposed
    compare.rows[:] = [state.EntryRow(_next_id(), *one) for one in proposed]


def _proposal(shared: Settings) -> tuple[tuple[str, int, int], ...]:
    """Return two available entries: the chosen classifier, and another one or the same one with another length."""
    chosen = shared.video_classifier_model
    samples, margin = shared.num_video_sequence_samples, shared.crop_margin_percentage
    other = next((name for name in CLASSIFIER_NAMES if name != chosen and weights.is_here(name)), None)
    if other is not None:
        return (chosen, samples, margin), (other, samples, margin)
    apart = LONGER_SAMPLES if samples < LONGER_SAMPLES else Settings.num_video_sequence_samples
    return (chosen, samples, margin), (chosen, apart, margin)


def _next_id() -> int:
    compare = state.tab().compare
    compare.rows_made += 1
    return compare.rows_made


def _row(row: state.EntryRow, *, removable: bool) -> None:
    with st.container(border=True):
        network, samples, margin, remove = st.columns([7, 4, 4, 3], vertical_alignment="bottom")
        if row.checkpoint is None:
            row.classifier = network.selectbox(
                SETTING_SPECS[_CLASSIFIER].title,
                CLASSIFIER_NAMES,
                CLASSIFIER_NAMES.index(row.classifier),
                key=_key(row, _CLASSIFIER),
                format_func=classifier_title,
            )
        else:
            network.markdown(f"**{plain(row.checkpoint.name)}**  \nyour own {SPECS[row.classifier].title}")
        row.samples = _number(samples, _SAMPLES, row.samples, row)
        row.margin_percentage = _number(margin, _MARGIN, row.margin_percentage, row, " (%)")
        remove.button(
            "Remove",
            icon=":material/close:",
            key=_key(row, "remove"),
            disabled=not removable,
            on_click=guard.callback(state.tab().compare.remove),
            args=(row,),
            width="stretch",
        )


def _number(place: DeltaGenerator, name: str, value: int, row: state.EntryRow, unit: str = "") -> int:
    spec, (low, high) = SETTING_SPECS[name], RANGES[name]
    return int(place.number_input(f"{spec.title}{unit}", int(low), int(high), value, key=_key(row, name)))


def _key(row: state.EntryRow, name: str) -> str:
    return f"compare-{row.row_id}-{name}"


def _add() -> None:
    rows = state.tab().compare.rows
    if len(rows) >= MOST_ROWS:  # a second press may come before the page is drawn with the first one's row
        return
    for row in rows:
        row.classifier = state.newest(_key(row, _CLASSIFIER), row.classifier)
        row.samples = state.newest(_key(row, _SAMPLES), row.samples)
        row.margin_percentage = state.newest(_key(row, _MARGIN), row.margin_percentage)
    like = rows[-1]
    taken = {row.classifier for row in rows}
    unused = [name for name in CLASSIFIER_NAMES if name not in taken]
    name = next((name for name in unused if weights.is_here(name)), unused[0] if unused else like.classifier)
    rows.append(state.EntryRow(_next_id(), name, like.samples, like.margin_percentage))


def _own_checkpoint(like: state.EntryRow) -> None:
    compare = state.tab().compare
    number = compare.rows_made
    network = st.selectbox(
        "Network",
        CLASSIFIER_NAMES,
        key=f"compare-own-network-{number}",
        format_func=lambda name: SPECS[name].title,
    )
    checkpoint, labels = choose_checkpoint(f"compare-own-{number}")
    pressed = st.button("Add this checkpoint", disabled=checkpoint is None or labels is None)
    if pressed and checkpoint is not None and labels is not None:
        compare.rows.append(
            state.EntryRow(
                _next_id(),  # the next key empties the fields above
                network,
                like.samples,
                like.margin_percentage,
                checkpoint,
                labels,
            )
        )
        st.rerun()
