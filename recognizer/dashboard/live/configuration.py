"""The operator's configuration of live cameras: ICE servers, and hosts of network cameras."""

from __future__ import annotations

import json
import os
from typing import Any

import streamlit as st

from recognizer.errors import SettingsError
from recognizer.limits import limits

ICE_VARIABLE = "RECOGNIZER_ICE_SERVERS"
"""Environment variable with a JSON list of ICE servers; an alternative to ``ice_servers`` in
.streamlit/secrets.toml."""

HOSTS_VARIABLE = "RECOGNIZER_CAMERA_HOSTS"
"""Environment variable with the allowed hosts of network cameras, separated by commas; an alternative to
``camera_hosts`` in .streamlit/secrets.toml and to ``network_cameras`` in the file of limits."""

_ICE_EXAMPLE = '[{"urls": "stun:stun.example.org:3478"}]'
_ICE_SCHEMES = ("stun:", "stuns:", "turn:", "turns:")


def ice_servers() -> list[dict[str, Any]]:
    """Return the configured STUN and TURN servers; by default none, which is enough on localhost.

    Raises:
        SettingsError: the configured value is not a list of servers.
    """
    listed = os.environ.get(ICE_VARIABLE)
    if listed:
        try:
            return _checked(json.loads(listed), ICE_VARIABLE)
        except json.JSONDecodeError as error:
            raise SettingsError(
                f"{ICE_VARIABLE} is not JSON ({error.msg} at character {error.pos + 1}); write it like {_ICE_EXAMPLE}."
            ) from error
    return _checked(_secret("ice_servers"), "ice_servers in secrets.toml")


def camera_hosts() -> tuple[str, ...]:
    """Return the hosts of the network cameras that the operator allows; none unless they are listed."""
    listed = os.environ.get(HOSTS_VARIABLE)
    hosts = listed.split(",") if listed else _secret("camera_hosts") or limits().network_cameras
    return tuple(str(host).strip() for host in hosts if str(host).strip())


def _secret(name: str) -> Any:
    """Return a list from .streamlit/secrets.toml; empty if there is no such file or name."""
    try:
        return st.secrets.get(name, [])
    except FileNotFoundError:
        return []


def _checked(servers: Any, where: str) -> list[dict[str, Any]]:
    wrong = SettingsError(f"{where} is not a list of servers with 'urls'; write it like {_ICE_EXAMPLE}.")
    try:
        found = [dict(server) for server in servers]
        addresses = [url for server in found for url in _as_list(server["urls"])]
    except (TypeError, ValueError, KeyError) as error:
        raise wrong from error
    for url in addresses:
        if not str(url).startswith(_ICE_SCHEMES):
            raise SettingsError(
                f"{where} names '{url}', which is not a STUN or TURN server; begin it with {', '.join(_ICE_SCHEMES)}."
            )
    return found


def _as_list(urls: Any) -> list[Any]:
    return [urls] if isinstance(urls, str) else list(urls)
