"""The common parts of network sources: the error that leads to the next source, certificates, unreachable hosts."""

from __future__ import annotations

import contextlib
import os
import queue
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import certifi

CONNECT_TIMEOUT_S = 5.0
"""Limit for looking up a host and connecting to it. A network that drops packets is noticed after this time."""

READ_TIMEOUT_S = 30.0
"""Limit for the silence of a server that has answered."""

AWAY_MEMORY_S = 60.0
"""An unreachable host is not tried again during this time."""

_DEFAULT_PORTS = {"http": 80, "https": 443}

away_since_s: dict[tuple[str, int], float] = {}
"""When each host and port was last unreachable, in seconds of ``time.monotonic``."""


class SourceError(Exception):
    """One source cannot provide the file. Never leaves this package: the next source is tried."""


def check_reachable(url: str) -> None:
    """Find out quickly whether a host is reachable. Do nothing for a local file or behind a proxy.

    The timeouts of an HTTP client do not cover the name look-up, and apply to each of a host's addresses again.

    Raises:
        SourceError: the host cannot be found or does not answer, now or within the last ``AWAY_MEMORY_S``.
    """
    address = _address_of(url)
    if address is None:
        return
    since_s = away_since_s.get(address)
    if since_s is not None and time.monotonic() - since_s < AWAY_MEMORY_S:
        raise SourceError(f"{address[0]} could not be reached a moment ago")
    reason = _try_to_connect(*address)
    if reason is not None:
        away_since_s[address] = time.monotonic()
        raise SourceError(f"{address[0]} cannot be reached ({reason})")
    away_since_s.pop(address, None)


def remember_away(url: str) -> None:
    """Do not try this URL's host again for ``AWAY_MEMORY_S``."""
    address = _address_of(url)
    if address is not None:
        away_since_s[address] = time.monotonic()


def ca_path_from(environment: Mapping[str, str]) -> str | None:
    """Return the file or folder of certificate authorities that the environment names, or None."""
    return environment.get("REQUESTS_CA_BUNDLE") or environment.get("CURL_CA_BUNDLE")


def ssl_context(ca_path: str | os.PathLike[str] | None) -> ssl.SSLContext:
    """Return the context that checks servers' certificates.

    Args:
        ca_path: file or folder of certificate authorities; None for the system's and ``certifi``'s.

    Raises:
        OSError: the file cannot be read (``ssl.SSLError``: it holds no certificates).
    """
    if ca_path is None:
        context = ssl.create_default_context()
        context.load_verify_locations(certifi.where())
        return context
    if Path(ca_path).is_dir():
        return ssl.create_default_context(capath=ca_path)
    return ssl.create_default_context(cafile=ca_path)


def _address_of(url: str) -> tuple[str, int] | None:
    """Return host and port, or None if there is no host to connect to directly."""
    parts = urlsplit(url)
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        return None
    proxies = getproxies()
    if (proxies.get(parts.scheme) or proxies.get("all")) and not proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    return parts.hostname, parts.port or _DEFAULT_PORTS[parts.scheme]


def _try_to_connect(host: str, port: int) -> str | None:
    """Return None if one of the host's addresses answers within CONNECT_TIMEOUT_S, else the reason.

    ``anyio.connect_tcp`` (RFC 8305) looks names up in threads that the interpreter waits for at its exit. A look-up
    cannot be interrupted, so only daemon threads let the process end.
    """
    answers: queue.Queue[str | None] = queue.Queue()
    address_count: queue.Queue[int] = queue.Queue()

    def connect(family: int, address: tuple[object, ...]) -> None:
        try:
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                probe.settimeout(CONNECT_TIMEOUT_S)
                probe.connect(address)
        except OSError as error:
            answers.put(error.strerror or str(error))
        else:
            answers.put(None)

    def look_up() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            answers.put(getattr(error, "strerror", None) or str(error))
            return
        targets = list(dict.fromkeys((family, address) for family, _, _, _, address in found))
        address_count.put(len(targets))
        for target in targets:
            threading.Thread(target=connect, args=target, daemon=True).start()

    threading.Thread(target=look_up, daemon=True).start()
    end_s = time.monotonic() + CONNECT_TIMEOUT_S
    reason, failures, addresses = "no answer", 0, 1
    while (left_s := end_s - time.monotonic()) > 0:
        try:
            answer = answers.get(timeout=left_s)
        except queue.Empty:
            break
        if answer is None:
            return None
        with contextlib.suppress(queue.Empty):
            addresses = address_count.get_nowait()
        reason, failures = answer, failures + 1
        if failures >= addresses:
            break
    return reason
