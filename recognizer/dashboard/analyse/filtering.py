"""The filter of an analysis: its fields, and a line that says what they keep."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from recognizer.dashboard import guard, state
from recognizer.dashboard.text import plain
from recognizer.timeline.filters import Filter

_ALL, _CHECKED, _UNCHECKED = "All", "Checked", "Not checked"
_CHECKED_OF: Final = {_ALL: None, _CHECKED: True, _UNCHECKED: False}


@dataclass(frozen=True)
class Choices:
    """The choices of a filter in one analysis.

    Attributes:
        analysis_id: the analysis; another one has a filter of its own.
        names: everyone who is shown, by number.
        actions: the actions of their segments.
        end_s: end of the video, in seconds.
    """

    analysis_id: str
    names: Mapping[int, str]
    actions: Sequence[str]
    end_s: float

    def key(self, field: str) -> str:
        """Return the key of a field's widget."""
        return f"filter-{field}-{self.analysis_id}-{state.tab().filters.fields}"

    @property
    def last_s(self) -> float:
        """The end in tenths of a second, rounded up."""
        return math.ceil(self.end_s * 10) / 10


def choose_filter(place: DeltaGenerator, choices: Choices) -> Filter:
    """Draw the fields in a popover, and return what they keep."""
    filters = state.tab().filters
    if not state.has_widget(choices.key("checked")):  # the first time, or after a visit to another page
        filters.begin_fields(choices.analysis_id)
    # the fields' own values: what a popover shows is only in the browser once it is open, and a value that was set
    # before would be lost
    begun = filters.begun
    with place.popover("Filter", icon=":material/filter_alt:"):
        chosen = Filter(
            person_ids=_some(choices, "people", "People", list(choices.names), begun.person_ids, choices.names),
            actions=_some(choices, "actions", "Actions", _with(choices.actions, filters.chosen.actions), begun.actions),
            **_confidence(choices, begun),
            **_times(choices, begun),
            checked=_checked(choices, begun),
        )
    filters.choose(choices.analysis_id, chosen)
    return chosen


def draw_kept(place: DeltaGenerator, choices: Choices, chosen: Filter, kept: int, count: int) -> None:
    """Say what a filter keeps, with a button that shows everything again; draw nothing if it keeps everything."""
    if chosen.keeps_all:
        return
    words = " · ".join(plain(words) for words in chosen.in_words(choices.names))
    place.caption(f"Only {words}: {kept} of {count} segments", width="content")
    place.button(
        "Show all",
        icon=":material/filter_alt_off:",
        type="tertiary",
        on_click=guard.callback(clear_filter),
        args=(choices.analysis_id,),
    )


def clear_filter(analysis_id: str) -> None:
    """Show everything again."""
    filters = state.tab().filters
    filters.choose(analysis_id, Filter())
    filters.begin_fields(analysis_id)


def filter_values(chosen: Filter) -> dict[str, Any] | None:
    """Return a filter as the workbench's addresses take it; None if it keeps everything."""
    if chosen.keeps_all:
        return None
    return {
        "personIds": None if chosen.person_ids is None else sorted(chosen.person_ids),
        "actions": None if chosen.actions is None else sorted(chosen.actions),
        "minConfidence": chosen.min_confidence,
        "maxConfidence": _or_none(chosen.max_confidence),
        "startS": chosen.start_s,
        "endS": _or_none(chosen.end_s),
        "checked": chosen.checked,
    }


def _or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _with(actions: Sequence[str], chosen: frozenset[str] | None) -> list[str]:
    """Return the actions, with those that are chosen although another threshold leaves them without a segment."""
    return sorted({*actions, *(chosen or ())})


def _some(
    choices: Choices,
    field: str,
    label: str,
    options: Sequence[Any],
    begun: frozenset[Any] | None,
    names: Mapping[Any, str] | None = None,
) -> frozenset[Any] | None:
    key = choices.key(field)
    if state.has_widget(key) and not set(state.widget(key)) <= set(options):
        # a person who was merged into another is no option any more
        state.set_widget(key, [one for one in state.widget(key) if one in options])
    chosen = st.multiselect(
        label,
        options,
        [one for one in options if one in (begun or ())],
        format_func=(lambda one: str(one)) if names is None else (lambda one: names.get(one, str(one))),
        key=key,
        placeholder="All",
        width=360,
    )
    return frozenset(chosen) or None


def _confidence(choices: Choices, begun: Filter) -> dict[str, float]:
    given = (begun.min_confidence, min(1.0, begun.max_confidence))
    low, high = st.slider("Confidence", 0.0, 1.0, given, step=0.05, key=choices.key("confidence"))
    return {"min_confidence": low, "max_confidence": math.inf if high >= 1 else high}


def _times(choices: Choices, begun: Filter) -> dict[str, float]:
    last_s = choices.last_s
    left, right = st.columns(2)
    start_s = left.number_input(
        "From (s)", 0.0, last_s, min(begun.start_s, last_s), step=1.0, format="%.1f", key=choices.key("from")
    )
    end_s = right.number_input(
        "To (s)", 0.0, last_s, min(begun.end_s, last_s), step=1.0, format="%.1f", key=choices.key("to")
    )
    return {"start_s": start_s, "end_s": math.inf if end_s >= last_s else end_s}


def _checked(choices: Choices, begun: Filter) -> bool | None:
    given = next(word for word, value in _CHECKED_OF.items() if value == begun.checked)
    chosen = st.segmented_control(
        "Checked by you", list(_CHECKED_OF), default=given, key=choices.key("checked"), required=True
    )
    return _CHECKED_OF[chosen or _ALL]
