"""Only this server's own pages may act through a visitor's browser, and no question leaves this machine."""

from __future__ import annotations

from typing import Any

import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect
from streamlit import net_util

from recognizer.dashboard.middleware import middleware
from recognizer.dashboard.origins import NoMetrics, OwnPages
from recognizer.dashboard.streamlit_private import ask_no_address_service

OWN = "http://localhost:8501"
FOREIGN = ("http://localhost:9999", "http://localhost", "http://127.0.0.1:8501",
           "http://example.org", "null", "", "file://", "http://localhost:8501.example.org", "http://[::1")  # fmt: skip


async def answer(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("done")


async def stream(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text("connected")
    await websocket.close()


def client() -> TestClient:
    methods = ["GET", "POST", "PUT", "DELETE"]
    names = ("/change", "/_stcore/metrics", "/sub/_stcore/metrics")
    app = Starlette(
        routes=[*(Route(name, answer, methods=methods) for name in names), WebSocketRoute("/stream", stream)]
    )
    return TestClient(OwnPages(NoMetrics(app)), base_url=OWN)


@pytest.fixture
def options(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Options of the server in place of the configured ones."""
    values: dict[str, Any] = {}
    usual = st.get_option
    monkeypatch.setattr(st, "get_option", lambda name: values[name] if name in values else usual(name))
    return values


def connects(one: TestClient, headers: dict[str, str]) -> bool:
    try:
        with one.websocket_connect("/stream", headers={"host": "localhost:8501", **headers}) as connection:
            return connection.receive_text() == "connected"
    except WebSocketDisconnect:
        return False


@pytest.mark.parametrize("origin", FOREIGN)
def test_page_of_another_origin_changes_nothing_and_does_not_connect(origin: str) -> None:
    one = client()
    for method in ("POST", "PUT", "DELETE"):
        refused = one.request(method, "/change", headers={"origin": origin})
        assert refused.status_code == 403
        assert refused.json()["problem"].endswith(".")
    assert not connects(one, {"origin": origin})


@pytest.mark.parametrize("headers", [{}, {"origin": OWN}, {"origin": "HTTP://LocalHost:8501"}])
def test_own_page_and_programs_connect_and_change(headers: dict[str, str]) -> None:
    one = client()
    assert one.post("/change", headers=headers).text == "done"
    assert connects(one, headers)


def test_usual_port_need_not_be_named() -> None:
    headers = {"host": "app.example", "origin": "https://app.example:443"}
    assert client().post("/change", headers=headers).text == "done"


def test_operator_may_list_an_origin_or_allow_all(options: dict[str, Any]) -> None:
    options["server.corsAllowedOrigins"] = ["https://app.example"]
    listed = client()
    assert connects(listed, {"origin": "https://app.example"})
    assert not connects(listed, {"origin": "http://app.example"})
    options["server.enableCORS"] = False
    assert connects(client(), {"origin": "https://elsewhere.example"})


def test_reading_is_left_to_the_browser() -> None:
    assert client().get("/change", headers={"origin": "http://example.org"}).text == "done"


@pytest.mark.parametrize("path", ["/_stcore/metrics", "/_stcore/metrics/", "/sub/_stcore/metrics"])
def test_metrics_are_not_served(path: str) -> None:
    assert client().get(path).status_code == 404


def test_server_has_both() -> None:
    assert {OwnPages, NoMetrics} <= {one.cls for one in middleware()}


def test_no_service_is_asked_for_this_machines_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(net_util, "get_external_ip", net_util.get_external_ip)
    monkeypatch.setattr(net_util, "_make_blocking_http_get", lambda *_, **__: pytest.fail("the internet was asked"))
    ask_no_address_service()
    from streamlit.web.server.server_util import is_url_from_allowed_origins

    assert not is_url_from_allowed_origins("http://example.org")
