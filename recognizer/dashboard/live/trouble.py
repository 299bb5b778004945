"""Says on the page what to do when the browser gives no camera. Runs in the browser alone; the server is not asked."""

from __future__ import annotations

import streamlit as st

ADVICE = {
    "insecure": "This browser gives its camera only to pages with https or on localhost: open this page at "
    "http://localhost with its port, on the machine that runs it, or set up https.",
    "missing": "No camera was found: plug one in or switch it on. It is noticed at once.",
    "denied": "The camera is denied to this page: allow it in the browser, at the left of the address, then press "
    "Start.",
    "NotAllowedError": "The camera was denied: allow it in the browser, at the left of the address, or in the system's "
    "privacy settings, then press Start again.",
    "NotFoundError": "No camera was found: plug one in or switch it on, then press Start again.",
    "NotReadableError": "The camera is in use: close the other tab or program that shows it, then press Start again.",
    "AbortError": "The camera stopped while it was being opened: press Start again, or plug it in anew.",
    "OverconstrainedError": "The chosen camera is not there any more: choose another one under the picture, then press "
    "Start again.",
    "SecurityError": "This browser does not give its camera to this page: allow it in the browser's settings.",
    "slow": "The connection takes long: between two networks it needs a TURN server (read Live camera on a server in "
    "the documentation), in one network a firewall may be in its way.",
}
"""What to do, by the browser's own name of the trouble (W3C, Media Capture and Streams, 10.2)."""

_HTML = '<div class="advice" role="alert" hidden></div>'

_CSS = """
.advice {
    font-family: var(--st-font);
    font-size: 0.95rem;
    line-height: 1.5;
    color: var(--st-text-color);
    background: var(--st-secondary-background-color);
    border-left: 4px solid var(--st-primary-color);
    border-radius: var(--st-base-radius);
    padding: 0.6rem 0.9rem;
}
"""

# The picture's own component says "NotAllowedError: Permission denied" and nothing more; it has no way to tell Python.
# Its frame comes from this server, so its text can be read from here.
_JS = """
export default function (component) {
    const place = component.parentElement.querySelector(".advice");
    const advice = component.data.advice;
    const names = Object.keys(advice).filter((name) => name.endsWith("Error"));
    let before = null;
    let permission = null;

    function show() {
        const key = told() || before;
        place.hidden = !key;
        const text = key ? advice[key] : "";
        if (place.textContent !== text) place.textContent = text;
    }

    function told() {
        for (const frame of document.querySelectorAll("iframe[title*='webrtc']")) {
            const alert = frame.contentDocument?.querySelector("[role=alert]");
            if (!alert) continue;
            const name = names.find((one) => alert.textContent.includes(one));
            if (name) return name;
            if (alert.textContent.includes("taking longer")) return "slow";
        }
        return null;
    }

    async function look() {
        if (!window.isSecureContext || !navigator.mediaDevices) {
            before = "insecure";
            return show();
        }
        const devices = await navigator.mediaDevices.enumerateDevices().catch(() => []);
        const seen = devices.some((device) => device.kind === "videoinput");
        before = permission?.state === "denied" ? "denied" : seen ? null : "missing";
        show();
    }

    navigator.permissions?.query({ name: "camera" }).then((status) => {
        permission = status;
        permission.onchange = look;
        look();
    }).catch(() => {}); // Firefox before 132 does not know this permission
    navigator.mediaDevices?.addEventListener("devicechange", look);
    const timer = setInterval(show, 500);
    look();
    return () => {
        clearInterval(timer);
        navigator.mediaDevices?.removeEventListener("devicechange", look);
        if (permission) permission.onchange = null;
    };
}
"""

_component = st.components.v2.component("camera_trouble", html=_HTML, css=_CSS, js=_JS)


def show_trouble() -> None:
    """Draw what to do about a camera that is denied, missing or in use; nothing where all is well."""
    _component(key="camera-trouble", data={"advice": ADVICE}, height="content")
