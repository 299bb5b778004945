"""The cookie that makes a browser a visitor."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from recognizer.dashboard import server
from recognizer.dashboard.middleware import middleware
from recognizer.dashboard.parts import visitor
from recognizer.dashboard.parts.visitor import COOKIE_NAME, visitor_of
from tests.support.environment import ROOT

PAGE = {"accept": "text/html,*/*"}


async def _page(_request: Request) -> Response:
    return HTMLResponse("<p>page</p>")


async def _unchanged(_request: Request) -> Response:
    return Response(status_code=304)


async def _who(request: Request) -> Response:
    return PlainTextResponse(visitor_of(request))


@pytest.fixture
def client() -> Iterator[TestClient]:
    routes = [Route("/", _page), Route("/unchanged", _unchanged), Route("/who", _who)]
    with TestClient(Starlette(routes=routes, middleware=middleware()), base_url="http://localhost") as made:
        yield made


def cookie_of(answer: Any) -> str:
    given: str = answer.headers["set-cookie"]
    return given


def test_page_gives_a_cookie_that_scripts_cannot_read(client: TestClient) -> None:
    given = cookie_of(client.get("/", headers=PAGE))
    number, *attributes = given.split("; ")
    assert number.startswith(f"{COOKIE_NAME}=")
    assert len(number.partition("=")[2]) == 32
    assert attributes == ["Path=/", "Max-Age=34560000", "HttpOnly", "SameSite=Lax"]


def test_browser_keeps_its_number_and_two_browsers_differ(client: TestClient) -> None:
    first = cookie_of(client.get("/", headers=PAGE))
    assert cookie_of(client.get("/", headers=PAGE)) == first
    me = client.get("/who").text
    assert me.startswith("browser:")
    assert first.partition("=")[2][:32] not in me, "the stored id must not be the cookie"
    client.cookies.clear()
    assert client.get("/who").text == ""
    client.get("/", headers=PAGE)
    assert client.get("/who").text not in ("", me)


def test_cookie_comes_with_an_unchanged_page_too(client: TestClient) -> None:
    """A browser that lost its cookies may still have the page."""
    assert COOKIE_NAME in client.get("/unchanged", headers=PAGE).headers["set-cookie"]


def test_nothing_but_pages_gives_a_cookie(client: TestClient) -> None:
    assert "set-cookie" not in client.get("/who", headers=PAGE).headers
    assert "set-cookie" not in client.get("/", headers={"accept": "application/json"}).headers


@pytest.mark.parametrize("forged", ["short", "g" * 32, "0" * 33, "../../etc"])
def test_forged_number_is_replaced(client: TestClient, forged: str) -> None:
    sent = {"cookie": f"{COOKIE_NAME}={forged}"}
    assert client.get("/who", headers=sent).text == ""
    given = cookie_of(client.get("/", headers={**PAGE, **sent}))
    assert forged not in given


def test_encrypted_page_gives_a_cookie_for_encrypted_pages_only(client: TestClient) -> None:
    assert cookie_of(client.get("/", headers={**PAGE, "x-forwarded-proto": "https"})).endswith("; Secure")
    assert cookie_of(client.get("https://localhost/", headers=PAGE)).endswith("; Secure")
    assert not cookie_of(client.get("/", headers={**PAGE, "x-forwarded-proto": "http"})).endswith("; Secure")


def test_cookie_is_for_the_path_of_the_app(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(st, "get_option", lambda _name: "/lab/app/")
    assert "; Path=/lab/app; " in cookie_of(client.get("/", headers=PAGE))


def test_only_who_started_a_run_or_an_operator_may_change_it(
    monkeypatch: pytest.MonkeyPatch, set_limits: Callable[..., None]
) -> None:
    monkeypatch.setattr(visitor, "visitor_id", lambda: "browser:me")
    set_limits(alone=False)
    assert visitor.may_change("browser:me")
    assert not visitor.may_change("browser:other")
    assert not visitor.is_operator()
    set_limits(alone=True)
    assert visitor.is_operator()
    assert visitor.may_change("browser:other")


def test_server_does_not_start_with_limits_it_cannot_read(set_limits: Callable[..., None]) -> None:
    set_limits(max_cats=3)
    with pytest.raises(SystemExit, match="error: RECOGNIZER_LIMIT_MAX_CATS sets 'max_cats'"):
        server.check_limits()


def test_smaller_of_both_limits_of_an_upload_counts(
    monkeypatch: pytest.MonkeyPatch, set_limits: Callable[..., None]
) -> None:
    monkeypatch.setattr(st, "get_option", lambda _name: 1)
    assert server.max_upload_bytes() == 2**20
    set_limits(max_upload_bytes=1000)
    assert server.max_upload_bytes() == 1000


def test_upload_field_says_what_its_reader_takes(
    monkeypatch: pytest.MonkeyPatch, set_limits: Callable[..., None]
) -> None:
    monkeypatch.setattr(st, "get_option", lambda _name: 2048)
    assert (server.upload_limit_mib(), server.upload_limit_mib(20_000_000)) == (2048, 20)
    set_limits(max_upload_bytes=5 * 2**20)
    assert (server.upload_limit_mib(), server.upload_limit_mib(20_000_000)) == (5, 5)


def test_each_upload_field_has_its_own_limit() -> None:
    calls = [
        (path.name, {keyword.arg for keyword in node.keywords})
        for path in (ROOT / "recognizer" / "dashboard").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("file_uploader")
    ]
    assert len(calls) >= 6
    assert [name for name, keywords in calls if "max_upload_size" not in keywords] == []
