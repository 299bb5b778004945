"""The settings of an analysis, as widgets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from recognizer import weights
from recognizer.dashboard import state
from recognizer.dashboard.server import context
from recognizer.dashboard.text import plain, seconds
from recognizer.networks.classifiers.specs import SPECS
from recognizer.service.store import StoredFile
from recognizer.settings import (
    BACKEND_NAMES,
    CLASSIFIER_NAMES,
    DEFAULT_FRAME_RATE_HZ,
    DETECTOR_NAMES,
    DEVICE_NAMES,
    PRESET_FIELDS,
    RANGES,
    TRACKER_NAMES,
    Preset,
    Settings,
    documented,
    preset_of,
    recommended,
)

SHORT_CLIP_S = 1.0
"""Most Kinetics-400 actions cannot be told in less; the networks were trained on clips of one to ten seconds."""

LONGER_SAMPLES = 32
"""About two seconds at the default skip interval."""

_SHOWN = (
    "video_classifier_model",
    "crop_margin_percentage",
    "num_video_sequence_samples",
    "skip_frame",
    "model",
    "min_person_confidence",
    "tracker",
    "overlap",
    "device",
    "backend",
    "steady_crop",
    "surroundings",
    "calibrated",
    "smoothing_s",
)
_PRESETS: dict[Preset, str] = {"recommended": "Recommended", "documented": "Documented"}
_PRESET_LINES: dict[Preset, str] = {
    "recommended": "Two seconds of each person and of what is around them, weighed over time: measured with I3D "
    "to be right twice as often as the documented settings.",
    "documented": "As published: half a second of a tight crop. Labels come sooner and are often wrong.",
    "custom": "Your own settings, as below and under More.",
}
_PRESET_KEY = "preset"
_TRACKER_TITLES = {
    "bytetrack": "ByteTrack",
    "botsort": "BoT-SORT (goes by colours, too)",
    "tracktrack": "TrackTrack (follows a moving camera)",
    "ocsort": "OC-SORT",
    "deepocsort": "Deep OC-SORT (goes by colours, too)",
    "fasttrack": "FastTrack",
}
_DEVICE_TITLES = {
    "auto": "Automatic",
    "cpu": "Processor (CPU)",
    "cuda": "NVIDIA GPU (CUDA)",
    "mps": "Apple GPU (Metal)",
}

_BACKEND_TITLES = {"auto": "Automatic", "openvino": "OpenVINO", "pytorch": "PyTorch"}


def _key(name: str) -> str:
    return f"setting-{name}"


def adopt(settings: Settings, rate_hz: float | None = None) -> None:
    """Show these settings of a stream of that frame rate; call before ``choose_settings`` draws the widgets."""
    tab = state.tab()
    tab.settings = settings
    _follow_preset(preset_of(settings, rate_hz))
    for name in _SHOWN:
        state.set_widget(_key(name), getattr(settings, name))


def _restored() -> Settings:
    """The tab's settings, in the widgets too."""
    current = state.tab().settings or Settings()
    for name in _SHOWN:
        state.restore_widget(_key(name), getattr(current, name))
    return current


def choose_settings(rate_hz: float | None = None) -> Settings:
    """Draw the sidebar; returns what it says.

    Args:
        rate_hz: frames per second of what will be analysed; None where it is not known yet.
    """
    current = _restored()
    tab = state.tab()
    with st.sidebar:
        st.header("Settings")
        chosen: dict[str, Any] = {
            "video_classifier_model": st.selectbox(
                "Classifier",
                CLASSIFIER_NAMES,
                key=_key("video_classifier_model"),
                format_func=classifier_title,
                help="The network that names what a person does. The percentage is how often its first guess is right "
                "on the Kinetics-400 test videos, as published; on people cut out of your video it will be lower. "
                "Larger ones are slower.",
            ),
        }
        # what comes and goes has a place of its own: what stands below it would be drawn anew, and an open "More" shut
        with st.container():
            if tab.classifier_note and chosen["video_classifier_model"] != Settings.video_classifier_model:
                st.caption(plain(tab.classifier_note))
        current = _choose_preset(replace(current, **chosen), rate_hz)
        chosen |= {
            "crop_margin_percentage": _slider(
                "Crop margin",
                "crop_margin_percentage",
                "%d %%",
                "How much of the surroundings is shown to the classifier: this share of the person's size is added on "
                "each side. More margin shows the ball, the pan or the bench; less keeps other people out.",
            ),
            "num_video_sequence_samples": _slider(
                "Sequence length",
                "num_video_sequence_samples",
                "%d samples",
                "How many pictures of a person make one clip. Longer clips show more of the action and give steadier "
                "labels; shorter ones react sooner.",
            ),
            "skip_frame": _skip_interval(),
        }
        with st.container():
            _clip_line(chosen, rate_hz)
        with st.expander("More"):
            chosen |= _more()
            chosen |= _own_checkpoint(chosen["video_classifier_model"])
    tab.settings = replace(current, **chosen)
    return tab.settings


def _choose_preset(current: Settings, rate_hz: float | None) -> Settings:
    """Draw the presets; returns the settings, and gives the widgets below them, what the chosen one says."""
    tab = state.tab()
    key = f"{_PRESET_KEY}-{tab.preset_changes}"
    state.restore_widget(key, tab.preset if tab.preset in _PRESETS else None)
    st.segmented_control(
        "Preset",
        list(_PRESETS),
        key=key,
        format_func=_PRESETS.__getitem__,
        on_change=lambda: setattr(tab, "preset", state.widget(key) or "custom"),
    )
    st.caption(_PRESET_LINES[tab.preset])
    if tab.preset == "custom":
        return current
    current = recommended(current, rate_hz) if tab.preset == "recommended" else documented(current)
    for name in PRESET_FIELDS:
        state.set_widget(_key(name), getattr(current, name))
    return current


def _own_settings() -> None:
    """A widget that a preset decides was moved."""
    _follow_preset("custom")


def _follow_preset(preset: Preset) -> None:
    """Follow another preset that was not chosen in the control of the presets. The control is a new one then: a browser
    that has not heard of it yet says what the old one was, which would count as choosing that preset again."""
    tab = state.tab()
    if tab.preset != preset:
        tab.preset = preset
        tab.preset_changes += 1


def choose_shared_settings(rate_hz: float | None = None) -> Settings:
    """Draw only what decides who is seen where and when, for a page that compares classifiers on the same people.

    Args:
        rate_hz: frames per second of what will be analysed; None where it is not known yet.
    """
    current = _restored()
    tab = state.tab()
    with st.sidebar:
        st.header("Settings")
        st.caption("The same for all classifiers of a comparison, so that people are found and followed once.")
        chosen: dict[str, Any] = {"skip_frame": _skip_interval()}
        sample_s = chosen["skip_frame"] / (rate_hz or DEFAULT_FRAME_RATE_HZ)
        st.caption(f"One sample every {seconds(sample_s)}: 32 samples span {seconds(32 * sample_s)}.")
        with st.expander("More"):
            chosen |= _more()
    tab.settings = replace(current, **chosen)
    return tab.settings


def _skip_interval() -> Any:
    return _slider(
        "Skip interval",
        "skip_frame",
        "%d",
        "One frame in this many is looked at. A higher number is faster and lets a clip span more time; fast "
        "movements need a lower one.",
    )


def _slider(title: str, name: str, form: str, explanation: str) -> Any:
    low, high = RANGES[name]
    on_change = _own_settings if name in PRESET_FIELDS else None
    return st.slider(title, low, high, key=_key(name), format=form, help=explanation, on_change=on_change)


def _switch(title: str, name: str, explanation: str) -> Any:
    return st.toggle(title, key=_key(name), help=explanation, on_change=_own_settings)


def classifier_title(name: str) -> str:
    """The network, how accurate it is said to be, and whether it has to be fetched."""
    spec = SPECS[name]
    here = "" if weights.is_here(name) else " · to be fetched"
    return f"{spec.title} · {spec.top1_percent:.0f} %{here}"


def _clip_line(chosen: dict[str, Any], rate_hz: float | None) -> None:
    span_s = chosen["num_video_sequence_samples"] * chosen["skip_frame"] / (rate_hz or DEFAULT_FRAME_RATE_HZ)
    at = "" if rate_hz else f" at {DEFAULT_FRAME_RATE_HZ:.0f} frames/s"
    st.caption(
        f"One clip spans **{seconds(span_s)}**{at}; a person's first label comes {seconds(span_s)} after they appear."
    )
    if span_s < SHORT_CLIP_S:
        st.caption("Most actions need a second or more to be told apart.")


def _more() -> dict[str, Any]:
    return {
        "model": st.selectbox(
            "Detector",
            DETECTOR_NAMES,
            key=_key("model"),
            format_func=lambda name: (
                name.removesuffix(".pt").upper() + ("" if weights.is_here(name) else " · to be fetched")
            ),
            help="The network that finds people. From n to x they find more small people and get slower.",
        ),
        "min_person_confidence": _slider(
            "Detector confidence",
            "min_person_confidence",
            "%.2f",
            "How sure the detector must be before a person is followed. Lower it when people are missed, raise it when "
            "things are taken for people.",
        ),
        "tracker": st.selectbox(
            "Tracker",
            TRACKER_NAMES,
            key=_key("tracker"),
            format_func=_TRACKER_TITLES.__getitem__,
            help="How people keep their number from frame to frame. BoT-SORT measured best; try another when numbers "
            "change all the same.",
        ),
        "overlap": _slider(
            "Overlap",
            "overlap",
            "%.2f",
            "The share of a clip that is seen again in the next one. More overlap finds the moment of a change more "
            "exactly and takes longer.",
        ),
        "steady_crop": _switch(
            "Steady crop",
            "steady_crop",
            "The crop follows a person smoothly instead of jumping with the box that was found. The networks were "
            "trained on film that does not jump.",
        ),
        "surroundings": _switch(
            "Surroundings",
            "surroundings",
            "The classifier also looks at the picture around the person, where others are covered, and the two are "
            "averaged: what somebody does is often told by where they are. It takes twice as long.",
        ),
        "calibrated": _switch(
            "Calibrated confidence",
            "calibrated",
            "Networks are surer than they are right, most of all of people who do nothing that they know. This "
            "divides their scores by what was measured; so far for I3D, the others stay as they are.",
        ),
        "smoothing_s": _slider(
            "Smoothing",
            "smoothing_s",
            "%.1f s",
            "At each moment the clips around it vote for the action, up to this far away. More gives a calmer timeline "
            "and may swallow what lasts only a moment; 0 takes each clip by itself.",
        ),
        "device": st.selectbox(
            "Device",
            DEVICE_NAMES,
            key=_key("device"),
            format_func=_DEVICE_TITLES.__getitem__,
            help="Where the networks run. Automatic takes an NVIDIA GPU where there is one.",
        ),
        "backend": st.selectbox(
            "Backend",
            BACKEND_NAMES,
            key=_key("backend"),
            format_func=_BACKEND_TITLES.__getitem__,
            help="The library that runs the networks. Automatic takes what is quickest on this machine; it is measured "
            "the first time a network is used, which takes some seconds.",
        ),
    }


def _own_checkpoint(classifier: str) -> dict[str, Any]:
    st.markdown("**Your own checkpoint**")
    st.caption(f"Weights that you trained for {SPECS[classifier].title}, and their labels. Nothing in them is run.")
    tab = state.tab()
    checkpoint = st.file_uploader("Checkpoint", ["pt", "pth", "safetensors"], help="Saved with torch.save(state_dict).")
    labels = st.file_uploader("Labels", ["txt", "csv", "json"], help="One label a line, in the order of the training.")
    tab.checkpoint, tab.labels = _kept(checkpoint), _kept(labels)
    if tab.checkpoint is None and tab.labels is None:
        return {"checkpoint_path": None, "labels_path": None}
    if tab.checkpoint is None or tab.labels is None:
        missing = "label file" if tab.labels is None else "checkpoint"
        st.warning(f"The {missing} is missing; the published weights are used until both are here.")
        return {"checkpoint_path": None, "labels_path": None}
    st.caption(f"In use: {plain(tab.checkpoint.name)} with {plain(tab.labels.name)}")
    return {"checkpoint_path": str(tab.checkpoint.path), "labels_path": str(tab.labels.path)}


def named(message: str) -> str:
    """A message with the names that a person gave their uploads, in the place of where they are kept."""
    for file in state.tab().kept_uploads.values():
        message = message.replace(str(file.path), file.name)
    return message


def _kept(upload: Any) -> StoredFile | None:
    if upload is None:
        return None
    kept = state.tab().kept_uploads
    # by the upload's own number: what is trained again has the same name and size
    if upload.file_id not in kept:
        upload.seek(0)
        kept[upload.file_id] = context().store.add_file(upload, upload.name)
    return kept[upload.file_id]
