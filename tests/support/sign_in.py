"""Sign-in: a server's secrets, and the cookie that Streamlit gives to whoever has signed in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from streamlit import config
from streamlit.auth_util import set_cookie_with_chunks
from streamlit.runtime.secrets import secrets_singleton
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from recognizer.dashboard.parts import sign_in

COOKIE_SECRET: Final = "a secret of these tests, longer than it needs to be"
ORIGIN: Final = "http://testserver"


def secrets_text(redirect_uri: str, provider: str) -> str:
    """Return a file of secrets that turns sign-in on."""
    return f"""[auth]
redirect_uri = "{redirect_uri}"
cookie_secret = "{COOKIE_SECRET}"
client_id = "recognizer"
client_secret = "known to the provider"
server_metadata_url = "{provider}/.well-known/openid-configuration"
"""


@contextmanager
def secrets(file: Path, text: str) -> Iterator[None]:
    """Let this process read its secrets from a file, during the ``with`` block."""
    file.write_text(text, "utf-8")
    before = config.get_option("secrets.files")
    config.set_option("secrets.files", [str(file)])
    _forget()
    try:
        yield
    finally:
        config.set_option("secrets.files", before)
        _forget()


def _forget() -> None:
    secrets_singleton._reset()
    sign_in.is_on.cache_clear()


def claims_of(email: str, /, **others: Any) -> dict[str, Any]:
    """Return what a provider says about somebody, and what Streamlit adds to it."""
    return {"iss": "https://id.example", "sub": email, "email": email, "origin": ORIGIN, "is_logged_in": True, **others}


def cookies_of(claims: Mapping[str, Any], secret: str = COOKIE_SECRET) -> dict[str, str]:
    """Return the cookies that Streamlit gives to whoever has signed in."""
    cookies: dict[str, str] = {}
    set_cookie_with_chunks(
        lambda name, value: cookies.update({name: create_signed_value(secret, name, value).decode()}),
        lambda name, value: create_signed_value(secret, name, value),
        "_streamlit_user",
        dict(claims),
        cookie_attr_size=100,
    )
    return cookies
