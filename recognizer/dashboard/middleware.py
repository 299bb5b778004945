"""The layers that every request passes before Streamlit or an address of our own answers it, the outermost first."""

from __future__ import annotations

from starlette.middleware import Middleware

from recognizer.dashboard.access import Hosts, SignedInOnly
from recognizer.dashboard.headers import SecurityHeaders
from recognizer.dashboard.origins import NoMetrics, OwnPages
from recognizer.dashboard.parts.visitor import VisitorCookie


def middleware() -> list[Middleware]:
    """Return what is applied to every request. Each is plain ASGI: Starlette's base class would buffer videos."""
    return [
        Middleware(SecurityHeaders),
        Middleware(Hosts),
        Middleware(OwnPages),
        Middleware(NoMetrics),
        Middleware(SignedInOnly),
        Middleware(VisitorCookie),
    ]
