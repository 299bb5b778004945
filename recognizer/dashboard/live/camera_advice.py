"""Advice on the page when the browser gives no camera. Runs in the browser only, without the server."""

from __future__ import annotations

from importlib.resources import files

import streamlit as st

ADVICE = {
    "insecure": "Browsers allow camera access only over https or on localhost: open this page at "
    "http://localhost with its port, on the machine that runs it, or set up https.",
    "missing": "No camera was found: plug one in or switch it on. The page notices at once.",
    "denied": "Camera access is blocked for this page: allow it in the browser, to the left of the address, then press "
    "Start.",
    "NotAllowedError": "Camera access was denied: allow it in the browser, to the left of the address, or in the "
    "system's privacy settings, then press Start again.",
    "NotFoundError": "No camera was found: plug one in or switch it on, then press Start again.",
    "NotReadableError": "The camera is in use: close the other tab or program that shows it, then press Start again.",
    "AbortError": "The camera stopped while it was being opened: press Start again, or plug it in again.",
    "OverconstrainedError": "The chosen camera is gone: choose another one under the picture, then press Start again.",
    "SecurityError": "This browser does not give its camera to this page: allow it in the browser's settings.",
    "slow": "Connecting is taking a long time: between two networks it needs a TURN server (see docs/live-camera.md in "
    "the project); within one network a firewall may block it.",
}
"""The advice, by the browser's name for the error (W3C, Media Capture and Streams, 10.2)."""

_HTML = '<div class="advice" role="alert" hidden></div>'


def _text(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


_component = st.components.v2.component(
    "camera_advice", html=_HTML, css=_text("camera_advice.css"), js=_text("camera_advice.js")
)


def show_camera_advice() -> None:
    """Draw advice about a camera that is denied, missing or in use; draw nothing if all is well."""
    _component(key="camera-trouble", data={"advice": ADVICE}, height="content")
