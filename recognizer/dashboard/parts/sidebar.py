"""The settings of an analysis, as widgets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import streamlit as st

from recognizer import weights
from recognizer.classifier_specs import SPECS
from recognizer.clips.sampling import shortest_stay_s
from recognizer.dashboard import guard, state
from recognizer.dashboard.parts.checkpoint_upload import choose_checkpoint
from recognizer.dashboard.text import plain, seconds
from recognizer.settings import (
    DEFAULT_FRAME_RATE_HZ,
    LONG_CLIP_S,
    PRESET_FIELDS,
    SETTING_SPECS,
    Preset,
    Settings,
    documented,
    preset_of,
    recommended,
    specs_by_scope,
)

SHORT_CLIP_S = 1.0
"""Most Kinetics-400 actions take longer; the networks were trained on clips of one to ten seconds."""

LONGER_SAMPLES = 32
"""About two seconds at the default skip interval."""

_PRESETS: dict[Preset, str] = {"recommended": "Recommended", "documented": "Documented"}
_PRESET_LINES: dict[Preset, str] = {
    "recommended": "One to two and a half seconds of each person and their surroundings, smoothed over time. With I3D, "
    "labels are right twice as often as with the documented settings.",
    "documented": "As published: half a second of a tight crop. Labels come sooner and are often wrong.",
    "custom": "Your own settings, as below and under More.",
}
_PRESET_KEY = "preset"
_CLASSIFIER = "video_classifier_model"
"""Drawn first: the presets depend on it."""


def _key(name: str) -> str:
    return f"setting-{name}"


def _shown() -> list[str]:
    """Return the names of the settings that have a widget with a value."""
    return [name for name, spec in SETTING_SPECS.items() if spec.sidebar in ("top", "more")]


def adopt(settings: Settings, rate_hz: float | None = None) -> None:
    """Show these settings, of a stream of this frame rate; call this before ``choose_settings`` draws the widgets."""
    tab = state.tab().sidebar
    tab.settings = settings
    _follow_preset(preset_of(settings, rate_hz))
    for name in _shown():
        state.show_widget(_key(name), getattr(settings, name))


def _restored() -> Settings:
    """Set the widgets to the tab's settings, and return the settings."""
    current = state.tab().sidebar.settings or Settings()
    for name in _shown():
        state.restore_widget(_key(name), getattr(current, name))
    state.tell_again(_key(_CLASSIFIER))
    return current


def choose_settings(rate_hz: float | None = None, video_s: float | None = None) -> Settings:
    """Draw the sidebar and return the chosen settings.

    Args:
        rate_hz: frame rate of the video or camera; None while unknown.
        video_s: length of the video; None for a camera, or while unknown.
    """
    current = _restored()
    tab = state.tab().sidebar
    with st.sidebar:
        st.header("Settings")
        chosen: dict[str, Any] = {_CLASSIFIER: _widget(_CLASSIFIER)}
        # a container of its own: a caption that comes and goes would redraw the widgets below it and close "More"
        with st.container():
            if tab.classifier_note and chosen[_CLASSIFIER] != Settings.video_classifier_model:
                st.caption(plain(tab.classifier_note))
        current = _choose_preset(replace(current, **chosen), rate_hz)
        others = [name for name, spec in SETTING_SPECS.items() if spec.sidebar == "top" and name != _CLASSIFIER]
        chosen |= {name: _widget(name) for name in others}
        with st.container():
            _clip_line(replace(current, **chosen), rate_hz, video_s)
        with st.expander("More"):
            chosen |= _more()
            chosen |= _own_checkpoint(chosen[_CLASSIFIER])
    tab.settings = replace(current, **chosen)
    return tab.settings


def _choose_preset(current: Settings, rate_hz: float | None) -> Settings:
    """Draw the presets; return ``current`` with the chosen one applied, and set the widgets below to it."""
    tab = state.tab().sidebar
    key = f"{_PRESET_KEY}-{tab.preset_changes}"
    state.restore_widget(key, tab.preset if tab.preset in _PRESETS else None)
    state.tell_again(key)
    st.segmented_control(
        "Preset",
        list(_PRESETS),
        key=key,
        format_func=_PRESETS.__getitem__,
        on_change=guard.callback(lambda: setattr(tab, "preset", state.widget(key) or "custom")),
    )
    st.caption(_PRESET_LINES[tab.preset])
    return _with_preset(current, rate_hz)


def _with_preset(current: Settings, rate_hz: float | None) -> Settings:
    """Return ``current`` with the chosen preset applied, and set the widgets to it."""
    preset = state.tab().sidebar.preset
    if preset == "custom":
        return current
    current = recommended(current, rate_hz) if preset == "recommended" else documented(current)
    for name in PRESET_FIELDS:
        state.set_widget(_key(name), getattr(current, name))
    return current


def _own_settings() -> None:
    """Stop following a preset: the user has moved a widget that the preset decides."""
    _follow_preset("custom")


def _follow_preset(preset: Preset) -> None:
    """Follow another preset without a click on the presets' control.

    The control gets another key: otherwise a browser that has not received the change yet would report the old preset,
    which would count as choosing it again.
    """
    tab = state.tab().sidebar
    if tab.preset != preset:
        tab.preset = preset
        tab.preset_changes += 1


def choose_shared_settings(rate_hz: float | None = None) -> Settings:
    """Draw the settings that the classifiers of a comparison share, and return the chosen ones.

    Args:
        rate_hz: frame rate of the video; None while unknown.
    """
    current = _restored()
    if rate_hz is not None:  # of a comparison whose video is gone, the settings stay
        current = _with_preset(current, rate_hz)
    tab = state.tab().sidebar
    with st.sidebar:
        st.header("Settings")
        st.caption("Shared by all classifiers of a comparison, so that people are found and tracked once.")
        chosen: dict[str, Any] = {
            name: _widget(name)
            for name, spec in SETTING_SPECS.items()
            if spec.sidebar == "top" and spec.scope.decides_pass
        }
        sample_s = chosen["skip_frame"] / (rate_hz or DEFAULT_FRAME_RATE_HZ)
        samples = max(2, round(1 / sample_s))  # about a second; each entry has a length of its own
        st.caption(f"One sample every {seconds(sample_s)}: {samples} samples span {seconds(samples * sample_s)}.")
        with st.expander("More"):
            chosen |= _more()
    tab.settings = replace(current, **chosen)
    return tab.settings


def _more() -> dict[str, Any]:
    return {spec.name: _widget(spec.name) for spec in specs_by_scope() if spec.sidebar == "more"}


def _widget(name: str) -> Any:
    """Draw the widget of a setting and return its value."""
    spec = SETTING_SPECS[name]
    text = f"{spec.help} {_MORE_HELP[name]}" if name in _MORE_HELP else spec.help
    changed = _own_settings if name in PRESET_FIELDS else None
    if spec.kind is bool:
        return st.toggle(spec.title, key=_key(name), help=text, on_change=guard.callback(changed))
    if spec.limits is not None:
        low, high = spec.limits
        return st.slider(
            spec.title, low, high, key=_key(name), format=spec.form, help=text, on_change=guard.callback(changed)
        )
    return st.selectbox(
        spec.title,
        spec.choices,
        key=_key(name),
        format_func=_CHOICE_TITLES.get(name, lambda choice: spec.choice_titles.get(choice, choice)),
        help=text,
        on_change=guard.callback(changed),
    )


def classifier_title(name: str) -> str:
    """Return the classifier's title, its published accuracy, and a mark if its weights must still be downloaded."""
    spec = SPECS[name]
    return f"{spec.title} · {spec.top1_percent:.0f} %{_download_mark(name)}"


def _detector_title(name: str) -> str:
    return f"{name.removesuffix('.pt').upper()}{_download_mark(name)}"


def _download_mark(name: str) -> str:
    return "" if weights.is_here(name) else " · not downloaded yet"


_CHOICE_TITLES: Final[dict[str, Callable[[str], str]]] = {
    _CLASSIFIER: classifier_title,
    "model": _detector_title,
}

_MORE_HELP: Final = {
    _CLASSIFIER: "The percentage is the share of Kinetics-400 test videos that it labels correctly, as "
    "published; expect less on people cut out of your video.",
}
"""Sentences that the sidebar alone adds to the help of a setting."""


def _clip_line(settings: Settings, rate_hz: float | None, video_s: float | None) -> None:
    in_rate_hz = rate_hz or DEFAULT_FRAME_RATE_HZ
    span_s, shortest_s = settings.clip_span_s(in_rate_hz), shortest_stay_s(settings, in_rate_hz)
    if video_s is not None and span_s > max(video_s, LONG_CLIP_S):
        st.warning(
            f"One clip spans **{seconds(span_s)}**, longer than this video ({seconds(video_s)}): lower the sequence "
            "length or the skip interval."
        )
        return
    at = "" if rate_hz else f" at {DEFAULT_FRAME_RATE_HZ:.0f} frames/s"
    shorter = f" A shorter stay is labelled too, from {seconds(shortest_s)} on." if shortest_s < span_s else ""
    st.caption(
        f"One clip spans **{seconds(span_s)}**{at}; a person's first label comes {seconds(span_s)} after they "
        f"appear.{shorter}"
    )
    if span_s < SHORT_CLIP_S:
        st.caption("Most actions need a second or more to be recognised.")


def _own_checkpoint(classifier: str) -> dict[str, Any]:
    st.markdown("**Your own checkpoint**")
    st.caption(f"Weights that you trained for {SPECS[classifier].title}, and their labels.")
    tab = state.tab().sidebar
    tab.checkpoint, tab.labels = choose_checkpoint("own")
    if tab.checkpoint is None and tab.labels is None:
        return {"checkpoint_path": None, "labels_path": None}
    if tab.checkpoint is None or tab.labels is None:
        missing = "label file" if tab.labels is None else "checkpoint"
        st.warning(f"The {missing} is missing; the published weights are used until both are uploaded.")
        return {"checkpoint_path": None, "labels_path": None}
    st.caption(f"In use: {plain(tab.checkpoint.name)} with {plain(tab.labels.name)}")
    return {"checkpoint_path": str(tab.checkpoint.path), "labels_path": str(tab.labels.path)}
