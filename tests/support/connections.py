"""Watch where a server and the processes that it starts connect to: Python's own calls, and what the system lists."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_EVERY_S = 0.25


def watching(log: Path) -> dict[str, str]:
    """Return the environment variables of a process that writes its connections into a file."""
    paths = [str(Path(__file__).parent / "watched"), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {"WATCHED_CONNECTIONS": str(log), "PYTHONPATH": os.pathsep.join(paths)}


def connections_elsewhere(log: Path) -> list[dict[str, Any]]:
    """Return the connections and look-ups in such a file that leave this machine, but for downloads of weights."""
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    found = (json.loads(line) for line in lines)
    return [one for one in found if not one["weights"] and not is_own(one["where"])]


def is_own(host: str) -> bool:
    """Return whether a host is this machine: by its loopback, or an address that a socket may have here."""
    if host in ("", "localhost", "0.0.0.0", "::", socket.gethostname()):
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False  # a name that is looked up
    if address.is_loopback:
        return True
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as own, contextlib.suppress(OSError):
        own.bind((host, 0))
        return True
    return False


class ConnectionTable:
    """Samples what Linux lists as the connections of a process and its descendants, also those of native code."""

    def __init__(self, pid: int) -> None:
        self.elsewhere: set[str] = set()
        self._pid = pid
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Stop sampling."""
        self._stop.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._stop.wait(_EVERY_S):
            inodes = {inode for pid in _family(self._pid) for inode in _sockets(pid)}
            self.elsewhere |= {host for inode, host in _remote_hosts() if inode in inodes and not is_own(host)}


def _family(pid: int) -> Iterator[int]:
    yield pid
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from _family(int(child))


def _sockets(pid: int) -> Iterator[str]:
    with contextlib.suppress(OSError):
        for file in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                target = os.readlink(file)  # noqa: PTH115 (it names no path)
                if target.startswith("socket:["):
                    yield target[8:-1]


def _remote_hosts() -> Iterator[tuple[str, str]]:
    """Yield the inode and the other end of every TCP and UDP socket that has one."""
    for name in ("tcp", "tcp6", "udp", "udp6"):
        lines = Path(f"/proc/net/{name}").read_text(encoding="ascii").splitlines()[1:]
        for fields in map(str.split, lines):
            words = bytes.fromhex(fields[2].partition(":")[0])
            # each 32-bit word is in the byte order of this machine
            packed = b"".join(words[k : k + 4][::-1] for k in range(0, len(words), 4))
            address = ipaddress.ip_address(packed)
            mapped = getattr(address, "ipv4_mapped", None)
            if not address.is_unspecified:
                yield fields[9], str(mapped or address)
