"""What the network sources share: a failure that moves on to the next one, and a memory of hosts that are away."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
import time
from urllib.parse import urlsplit

import requests

CONNECT_TIMEOUT_S = 5.0
"""How long a host may take to be found and to answer; a network that swallows packets is noticed after this."""

READ_TIMEOUT_S = 30.0
"""How long a server that has answered may be silent."""

AWAY_MEMORY_S = 60.0
"""How long a host that could not be reached is not asked again."""

_DEFAULT_PORTS = {"http": 80, "https": 443}
_away_since_s: dict[tuple[str, int], float] = {}


class SourceError(Exception):
    """One source cannot give the file; never leaves this package, the next source is asked."""


def check_reachable(url: str) -> None:
    """Find out quickly that a host is away. Does nothing for a local file and where a proxy stands between.

    The timeouts of an HTTP library do not cover the look-up of a name, and count for each of its addresses again.

    Raises:
        SourceError: the host cannot be found or does not answer, now or within the last ``AWAY_MEMORY_S``.
    """
    address = _address_of(url)
    if address is None:
        return
    since_s = _away_since_s.get(address)
    if since_s is not None and time.monotonic() - since_s < AWAY_MEMORY_S:
        raise SourceError(f"{address[0]} could not be reached a moment ago")
    reason = _try_to_connect(*address)
    if reason is not None:
        _away_since_s[address] = time.monotonic()
        raise SourceError(f"{address[0]} cannot be reached ({reason})")
    _away_since_s.pop(address, None)


def remember_away(url: str) -> None:
    """Do not ask this URL's host again for ``AWAY_MEMORY_S``."""
    address = _address_of(url)
    if address is not None:
        _away_since_s[address] = time.monotonic()


def forget_away_hosts() -> None:
    """Ask every host again."""
    _away_since_s.clear()


def _address_of(url: str) -> tuple[str, int] | None:
    parts = urlsplit(url)
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        return None
    if requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url)):
        return None
    return parts.hostname, parts.port or _DEFAULT_PORTS[parts.scheme]


def _try_to_connect(host: str, port: int) -> str | None:
    """None when one of the host's addresses answers within CONNECT_TIMEOUT_S, else why not."""
    # daemon threads: a look-up of a name cannot be interrupted, and must not hold up the end of the process
    answers: queue.Queue[str | None] = queue.Queue()

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
        lookup_done.put(len(targets))
        for target in targets:
            threading.Thread(target=connect, args=target, daemon=True).start()

    lookup_done: queue.Queue[int] = queue.Queue()
    threading.Thread(target=look_up, daemon=True).start()
    end_s = time.monotonic() + CONNECT_TIMEOUT_S
    reason, refused, addresses = "no answer", 0, 1
    while (left_s := end_s - time.monotonic()) > 0:
        try:
            answer = answers.get(timeout=left_s)
        except queue.Empty:
            break
        if answer is None:
            return None
        with contextlib.suppress(queue.Empty):
            addresses = lookup_done.get_nowait()
        reason, refused = answer, refused + 1
        if refused >= addresses:
            break
    return reason
