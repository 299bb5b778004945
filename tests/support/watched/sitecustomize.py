"""Write down where a process of Python connects to. Python imports this module at its start if it finds it on its path.

Each line of the file that ``WATCHED_CONNECTIONS`` names is a JSON document. Processes that are started inherit both.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence

_EVENTS = {
    "socket.connect": 1,
    "socket.sendto": 1,
    "socket.sendmsg": 1,
    "socket.getaddrinfo": 0,
    "socket.gethostbyname": 0,
}
"""Events of sys.addaudithook (https://docs.python.org/3/library/audit_events.html): which argument says where to."""


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    place = _EVENTS.get(event)
    if place is None:
        return
    where = arguments[place]
    if isinstance(where, tuple):
        where = where[0]
    if not isinstance(where, str) or where.startswith(("/", "\0")):
        return  # a socket of this machine's files, or one that is connected already
    callers = _callers()
    is_weights = any("/recognizer/weights/" in one for one in callers)
    _write(event, where, weights=is_weights, callers=callers[:12])


def _write(event: str, where: str, *, weights: bool = False, callers: Sequence[str] = ()) -> None:
    line = {"event": event, "where": where, "weights": weights, "from": callers}
    os.write(_FILE, (json.dumps(line) + "\n").encode())


def _callers() -> list[str]:
    files, frame = [], sys._getframe(2)
    while frame is not None:
        files.append(f"{frame.f_code.co_filename}:{frame.f_lineno}")
        frame = frame.f_back  # type: ignore[assignment]
    return files


if "WATCHED_CONNECTIONS" in os.environ:
    _FILE = os.open(os.environ["WATCHED_CONNECTIONS"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    sys.addaudithook(_watch)
    _write("a process begins", "")
