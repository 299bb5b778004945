"""Sign-in, where the operator wants that: ``[auth]`` in ``.streamlit/secrets.toml`` (docs/hosting.md)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import streamlit as st

from recognizer.dashboard import guard
from recognizer.dashboard.parts import component_files
from recognizer.dashboard.streamlit_private import sign_in_secrets, signed_in_claims
from recognizer.dashboard.text import plain, shortened
from recognizer.errors import SettingsError

_NEEDED = ("redirect_uri", "cookie_secret")

_address = st.components.v2.component("recognizer_wanted_address", js=component_files.script("parts/sign_in.js"))


@dataclass(frozen=True)
class User:
    """Somebody who has signed in.

    Attributes:
        issuer: the provider's address.
        subject: the provider's name for this person, which never changes.
        email: the address that the provider vouches for; None if it vouches for none.
        name: what the page calls this person.
    """

    issuer: str
    subject: str
    email: str | None
    name: str

    @property
    def visitor_id(self) -> str:
        """The person's id in the database, which does not say who it is."""
        return f"user:{hashlib.sha256(f'{self.issuer} {self.subject}'.encode()).hexdigest()}"


@cache
def is_on() -> bool:
    """Return whether everybody has to sign in. It stays as it was when the server started.

    Raises:
        SettingsError: the secrets cannot be read, or lack something.
    """
    secrets = sign_in_secrets()
    if not secrets:
        return False
    missing = [name for name in _NEEDED if not secrets.get(name)]
    if missing:
        raise SettingsError(f"[auth] in .streamlit/secrets.toml lacks {missing[0]}; see docs/hosting.md.")
    return True


def user() -> User | None:
    """Return who looks at this page; None if nobody has signed in."""
    return _user(st.user.to_dict()) if is_on() and st.user.is_logged_in else None


def person() -> str:
    """Return the visitor id of who looks at this page, whose lists a browser keeps apart; empty without a sign-in."""
    known = user()
    return "" if known is None else known.visitor_id


def user_of(cookies: Mapping[str, str]) -> User | None:
    """Return who sends a request with these cookies; None if nobody has signed in."""
    claims = signed_in_claims(cookies) if is_on() else None
    return None if claims is None else _user(claims)


def _user(claims: Mapping[str, Any]) -> User | None:
    issuer, subject = claims.get("iss"), claims.get("sub")
    if not issuer or not subject:
        return None
    email = claims.get("email") if claims.get("email_verified") is True else None
    return User(str(issuer), str(subject), email, str(claims.get("name") or claims.get("email") or subject))


def is_let_in() -> bool:
    """Return whether whoever looks at this page may use the app."""
    return not is_on() or user() is not None


def require() -> None:
    """Where sign-in is on, draw who has signed in, or a page that asks for it and nothing else."""
    if not is_on():
        return
    known = user()
    _address(data={"isSignedIn": known is not None}, key="wanted-address", height=0)
    if known is None:
        _ask()
        st.stop()
    label = f"Sign out {plain(shortened(known.name))}"
    st.sidebar.button(label, type="tertiary", icon=":material/logout:", on_click=guard.callback(st.logout))


def _ask() -> None:
    st.title("Who does what, when")
    st.markdown("Sign in to see your videos and their timelines.")
    for provider in _providers():
        label = "Sign in" if provider is None else f"Sign in with {plain(provider.capitalize())}"
        st.button(label, type="primary", icon=":material/login:", on_click=guard.callback(st.login), args=[provider])


def _providers() -> list[str | None]:
    """Return the names of the providers; None for the one that needs no name."""
    named = [name for name, value in sign_in_secrets().items() if isinstance(value, dict) and "client_id" in value]
    return [*named] or [None]
