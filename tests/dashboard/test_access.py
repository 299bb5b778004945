"""Who gets an answer from the app's server, and what browsers may do with it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from streamlit import config

from recognizer.dashboard.access import SignedInOnly
from recognizer.dashboard.headers import content_policy
from recognizer.dashboard.middleware import middleware
from recognizer.dashboard.parts import sign_in, visitor
from recognizer.errors import SettingsError
from recognizer.limits import Limits
from tests.support.pages import button, open_page, words
from tests.support.sign_in import ORIGIN, claims_of, cookies_of, secrets, secrets_text

SECRETS = secrets_text(f"{ORIGIN}/oauth2callback", "https://id.example")

CLOSED = [
    "/recognizer/analysis/0123/timeline",
    "/recognizer/analysis/0123/video",
    "/recognizer/analysis/0123/edits",
    "/recognizer/comparison/0123/timeline",
    "/recognizer/actions/0123/set",
    "/recognizer/download/0123/table.csv",
    "/recognizer/play/0123/clip.mp4",
    "/media/0123.mp4",
    "/_stcore/upload_file/0123/4567",
    "/_stcore/agent/interact",
]
OPEN = [
    "/",
    "/compare",
    "/static/js/index.js",
    "/auth/login",
    "/oauth2callback",
    "/_stcore/health",
    "/_stcore/host-config",
    "/recognizer/static/0123/workbench/js/main.js",
]


@pytest.fixture
def _signing_in(tmp_path: Path) -> Iterator[None]:
    with secrets(tmp_path / "secrets.toml", SECRETS):
        yield


async def _answer(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("answered")


def client(cookies: Mapping[str, str] | None = None, host: str = "localhost") -> TestClient:
    everything = Route("/{path:path}", _answer, methods=["GET", "PUT", "POST"])
    app = Starlette(routes=[everything], middleware=middleware())
    return TestClient(app, base_url=f"http://{host}", cookies=dict(cookies or {}), follow_redirects=False)


@pytest.mark.parametrize("path", [*CLOSED, *OPEN])
def test_everything_is_open_where_nobody_signs_in(path: str) -> None:
    assert client().get(path).text == "answered"


@pytest.mark.usefixtures("_signing_in")
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
@pytest.mark.parametrize("path", CLOSED)
def test_what_belongs_to_visitors_needs_a_sign_in(path: str, method: str) -> None:
    refused = client().request(method, path)
    assert refused.status_code == 401
    assert refused.json() == {"problem": "Sign in first: load the page again."}
    assert client(cookies_of(claims_of("ada@example.org"))).request(method, path).text == "answered"


@pytest.mark.usefixtures("_signing_in")
@pytest.mark.parametrize("path", OPEN)
def test_the_page_that_asks_for_a_sign_in_needs_none(path: str) -> None:
    assert client().get(path).text == "answered"


@pytest.mark.usefixtures("_signing_in")
def test_addresses_below_a_base_are_the_same_ones() -> None:
    config.set_option("server.baseUrlPath", "lab/who")
    try:
        assert client().get("/lab/who/recognizer/analysis/0123/timeline").status_code == 401
        assert client().get("/lab/who/").status_code == 200
    finally:
        config.set_option("server.baseUrlPath", "")


@pytest.mark.usefixtures("_signing_in")
@pytest.mark.parametrize(
    "cookies",
    [
        cookies_of(claims_of("ada@example.org"), secret="somebody else's secret"),
        cookies_of(claims_of("ada@example.org", origin="http://elsewhere")),
        cookies_of(claims_of("ada@example.org", is_logged_in=False)),
        cookies_of(claims_of("ada@example.org", iss="")),
        {"_streamlit_user": "nonsense"},
        {"_streamlit_user_tokens": cookies_of(claims_of("ada@example.org"))["_streamlit_user"]},
    ],
    ids=["another secret", "another server", "signed out", "no issuer", "nonsense", "another cookie"],
)
def test_other_cookies_let_nobody_in(cookies: dict[str, str]) -> None:
    assert client(cookies).get(CLOSED[0]).status_code == 401


@pytest.mark.usefixtures("_signing_in")
def test_a_cookie_ends_after_a_month() -> None:
    with patch("time.time", return_value=time.time() - 32 * 24 * 3600):
        old = cookies_of(claims_of("ada@example.org"))
    assert client(old).get(CLOSED[0]).status_code == 401


@pytest.mark.usefixtures("_signing_in")
def test_a_provider_that_says_much_fills_several_cookies() -> None:
    cookies = cookies_of(claims_of("ada@example.org", groups=[str(number) for number in range(4000)]))
    assert len(cookies) > 1
    assert client(cookies).get(CLOSED[0]).text == "answered"


def _cookie_header(claims: Mapping[str, Any]) -> tuple[bytes, bytes]:
    return b"cookie", "; ".join(f"{name}={value}" for name, value in cookies_of(claims).items()).encode()


@pytest.mark.usefixtures("_signing_in")
def test_visitors_are_told_apart_by_issuer_and_subject() -> None:
    def id_of(**claims: str) -> str:
        request = Request({"type": "http", "headers": [_cookie_header(claims_of("ada@example.org", **claims))]})
        return visitor.visitor_of(request)

    assert id_of() == id_of(name="Ada", email="ada@example.net")
    assert len({id_of(), id_of(iss="https://other.example"), id_of(sub="bob@example.org")}) == 3
    assert id_of().startswith("user:")
    assert "@" not in id_of()


@pytest.mark.usefixtures("_signing_in")
@pytest.mark.parametrize(
    ("claims", "email"),
    [({"email_verified": True}, "ada@example.org"), ({"email_verified": False}, None), ({}, None)],
    ids=["verified", "unverified", "unsaid"],
)
def test_an_email_counts_if_the_provider_has_verified_it(claims: dict[str, bool], email: str | None) -> None:
    """With some providers, people give themselves any address; an operator is known by it."""
    user = sign_in.user_of(cookies_of(claims_of("ada@example.org", **claims)))
    assert user is not None
    assert user.email == email
    assert user.name == "ada@example.org"


@pytest.mark.parametrize(("email", "is_one"), [("Olga@Example.org", True), ("ada@example.org", False), (None, False)])
def test_operators_are_listed_by_email(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, email: str | None, is_one: bool
) -> None:
    """Whoever signs in is no operator by being alone: that is for a machine where nobody signs in."""
    known = sign_in.User("https://id.example", "17", email, "Olga")
    monkeypatch.setattr(visitor, "limits", lambda: Limits(operators=("olga@example.org",), alone=True))
    monkeypatch.setattr(sign_in, "user", lambda: known)
    with secrets(tmp_path / "secrets.toml", SECRETS):
        assert visitor.is_operator() is is_one
        assert visitor.may_change("user:somebody else") is is_one
        assert visitor.may_change(known.visitor_id)
        assert visitor.visitor_id() == known.visitor_id


def test_damaged_secrets_stop_the_server(tmp_path: Path) -> None:
    """Streamlit takes a file that it cannot read for none, and would let everybody in."""
    with secrets(tmp_path / "secrets.toml", "[auth\n"), pytest.raises(SettingsError, match="cannot be read as TOML"):
        SignedInOnly(_answer)  # type: ignore[arg-type]  # never called


@pytest.mark.parametrize("missing", ["redirect_uri", "cookie_secret"])
def test_incomplete_secrets_stop_the_server(tmp_path: Path, missing: str) -> None:
    text = "\n".join(line for line in SECRETS.splitlines() if not line.startswith(missing))
    with secrets(tmp_path / "secrets.toml", text), pytest.raises(SettingsError, match=f"lacks {missing}"):
        SignedInOnly(_answer)  # type: ignore[arg-type]  # never called


def test_other_secrets_ask_nobody_to_sign_in(tmp_path: Path) -> None:
    with secrets(tmp_path / "secrets.toml", '[turn]\npassword = "x"\n'):
        assert client().get(CLOSED[0]).text == "answered"


@pytest.mark.usefixtures("_signing_in", "networks")
@pytest.mark.parametrize("page", [None, "pages/compare.py", "pages/my_actions.py", "pages/live.py", "pages/library.py"])
def test_every_page_asks_for_a_sign_in_and_shows_nothing_else(page: str | None) -> None:
    at = open_page(page, run="0123")
    assert "Sign in to see your videos" in words(at)
    button(at, "Sign in")
    assert [one.label for one in at.button] == ["Sign in"]
    assert not at.file_uploader
    assert not at.selectbox


def test_another_name_is_refused_in_words() -> None:
    refused = client(host="evil.example").get("/")
    assert refused.status_code == 421
    assert "does not answer to the name &#x27;evil.example&#x27;" in refused.text
    assert client(host="evil.example").get("/_stcore/health").text == "answered"
    assert client(host="<script>").get("/").text.count("<script>") == 0


def test_a_proxy_that_changes_the_name_is_told_in_words() -> None:
    """Streamlit shows what refuses this request, as JSON; the WebSocket would be refused without a word."""
    path = "/_stcore/host-config"
    refused = client().get(path, headers={"Referer": "https://who.example.org/compare"})
    assert refused.status_code == 421
    assert "sets the header Host" in refused.json()
    for own in ("http://localhost/compare", "https://localhost/"):
        assert client().get(path, headers={"Referer": own}).text == "answered"
    assert client().get(path).text == "answered"


def test_scripts_come_from_this_server_only() -> None:
    policy = dict(one.split(" ", 1) for one in content_policy().split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["connect-src"] == "'self'"
    scripts = policy["script-src"].split()
    assert scripts[:3] == ["'self'", "blob:", "'wasm-unsafe-eval'"]
    assert all(one.startswith("'sha256-") for one in scripts[3:])
    assert not any("http" in sources or "*" in sources for sources in policy.values())


@pytest.mark.parametrize("path", ["/", CLOSED[0]])
def test_every_answer_has_the_headers(path: str) -> None:
    headers = client().get(path).headers
    assert headers["content-security-policy"] == content_policy()
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
