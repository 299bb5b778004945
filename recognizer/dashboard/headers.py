"""The headers that say what browsers may do with everything that this server sends."""

from __future__ import annotations

from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recognizer.dashboard.streamlit_private import inline_script_hashes

_POLICY: Final = {
    "default-src": "'none'",
    # Streamlit imports a component's own script from a blob, and its protobuf counts in WebAssembly; no text becomes
    # a script
    "script-src": "'self' blob: 'wasm-unsafe-eval'",
    # Streamlit, Plotly and the components write styles while they run
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "media-src": "'self' blob:",
    "connect-src": "'self'",
    "worker-src": "'self' blob:",
    "frame-src": "'self'",
    "manifest-src": "'self'",
    "frame-ancestors": "'self'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "object-src": "'none'",
}
"""Content Security Policy Level 3."""


def content_policy() -> str:
    """Return the value of the header ``Content-Security-Policy``."""
    policy = {**_POLICY, "script-src": " ".join([_POLICY["script-src"], *inline_script_hashes()])}
    return "; ".join(f"{name} {value}" for name, value in policy.items())


class SecurityHeaders:
    """Add the headers to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._headers = {
            "Content-Security-Policy": content_policy(),
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "SAMEORIGIN",
            # a link to another site must not carry the id of an analysis
            "Referrer-Policy": "same-origin",
            "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)
