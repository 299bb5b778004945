"""The address of a network camera: what it names, whether it is listed, and the one machine that is connected to."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final
from urllib.parse import unquote, urlsplit

from recognizer.errors import VideoError, one_line

TIMEOUT_S = 10.0
"""Limit for opening a camera and for the wait between two pictures."""

_UNSUPPORTED_TRANSPORT: Final = 461
"""RFC 2326, 11.3.14."""

_PORTS: Final = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}


@dataclass(frozen=True)
class CameraAddress:
    """A network camera's address in parts. Nothing else is ever connected to than ``host`` and ``port``.

    Attributes:
        scheme: ``rtsp``, ``rtsps``, ``http`` or ``https``.
        host: name or IP address, in lower case and without brackets; an IP address in its shortest form.
        port: TCP port.
        target: path and query, as the camera is asked for them.
        user: name to sign in with; empty for none.
        password: its password.
    """

    scheme: str
    host: str
    port: int
    target: str
    user: str = ""
    password: str = field(default="", repr=False)

    @property
    def shown(self) -> str:
        """The address without user name, password and query, for messages."""
        return f"{self.root}{self.target.partition('?')[0]}"

    @property
    def root(self) -> str:
        """Scheme, host and port, such as ``rtsp://cam.local``; the usual port is left out."""
        return f"{self.scheme}://{self.authority}"

    @property
    def authority(self) -> str:
        """Host and port as they stand in an address and in HTTP's header ``Host``."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def is_encrypted(self) -> bool:
        """Whether the connection is encrypted."""
        return self.scheme in ("rtsps", "https")

    @property
    def is_rtsp(self) -> bool:
        """Whether the camera speaks RTSP."""
        return self.scheme in ("rtsp", "rtsps")

    def connect(self) -> socket.socket:
        """Look the host up once, and connect to the first of its machines that answers.

        Raises:
            OSError: the host is not found, or none answers.
        """
        try:
            found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        except UnicodeError as error:  # no name can be like this
            raise OSError(str(error)) from error
        reason: OSError | None = None
        for family, kind, protocol, _, machine in found:
            connection = socket.socket(family, kind, protocol)
            connection.settimeout(TIMEOUT_S)
            try:
                connection.connect(machine)
            except OSError as error:
                connection.close()
                reason = error
            else:
                return self._encrypted(connection) if self.is_encrypted else connection
        raise reason or OSError("the host has no address")

    def _encrypted(self, connection: socket.socket) -> socket.socket:
        import ssl

        context = ssl.create_default_context()
        # cameras make their own certificates; encryption keeps listeners out, and the operator lists the host
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            return context.wrap_socket(connection, server_hostname=self.host)
        except (OSError, ValueError):
            connection.close()
            raise


def address_of(address: str) -> CameraAddress:
    """Return the parts of an address.

    Raises:
        VideoError: it is no camera's address.
    """
    try:
        found = _parts(address)
    except ValueError as error:  # brackets that do not close, a port beyond 65535, letters that no host may have
        raise _no_address(address) from error
    if found is None:
        raise _no_address(address)
    return found


def check_address(address: str, hosts: Collection[str]) -> CameraAddress:
    """Refuse an address whose host is not listed; return its parts.

    Args:
        address: ``rtsp``, ``rtsps``, ``http`` or ``https``.
        hosts: host names or IP addresses; without a port, every port is allowed: ``cam.local``, ``192.168.1.20:554``,
            ``[fd00::20]:554``.

    Raises:
        VideoError: the address is not a camera's, or its host is not listed.
    """
    found = address_of(address)
    if not any(_lists(one, found) for one in hosts):
        raise VideoError(
            f"the host '{found.host}' is not among the cameras that this server may open; ask its operator to list it "
            "in RECOGNIZER_CAMERA_HOSTS."
        )
    return found


def shown_address(address: str) -> str:
    """Return an address without user name, password and query, for messages.

    Raises:
        VideoError: it is no camera's address.
    """
    return address_of(address).shown


def no_picture(shown: str) -> VideoError:
    """Return the error for a camera that gives no picture, or no more."""
    return VideoError(f"{shown} gives no picture; check that the camera is on and that the address opens in a player.")


def sends_on(address: CameraAddress) -> VideoError:
    """Return the error for a camera that redirects to another address."""
    return VideoError(
        f"{address.shown} sends on to another address, which is not followed; give the camera's own address."
    )


def refused(address: CameraAddress, status: int) -> VideoError:
    """Return the error for a camera that answers with a status of RTSP or HTTP in place of pictures."""
    if status == HTTPStatus.UNAUTHORIZED and address.user:
        told = "does not accept the name and password; check them, and write @ in them as %40, : as %3A and / as %2F"
    elif status == HTTPStatus.UNAUTHORIZED:
        signed = address.shown.replace("//", "//name:password@", 1)
        told = f"asks for a name and a password; write them into the address, like {signed}"
    elif status == HTTPStatus.FORBIDDEN:
        told = "forbids it; allow this user and this server to watch in the camera's settings"
    elif status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        told = "is no address of its pictures; take what follows the host from the camera's manual or its settings"
    elif status == _UNSUPPORTED_TRANSPORT:
        told = "does not send over TCP; allow RTSP over TCP in the camera's settings"
    else:
        told = f"answers with error {status}; close other programs that watch it, or restart it"
    return VideoError(f"{address.shown} {told}.")


def hang_up(*connections: socket.socket | None) -> None:
    """End those of these connections that there are, and wake the threads that use them."""
    for connection in connections:
        if connection is not None:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()


def _parts(address: str) -> CameraAddress | None:
    # urlsplit drops line feeds and tabs, and some programs take a backslash for a slash
    if any(letter.isspace() or letter == "\\" for letter in address) or one_line(address) != address:
        return None
    parts = urlsplit(address)
    if parts.scheme not in _PORTS or not parts.hostname or "%" in parts.hostname:
        return None
    port = _PORTS[parts.scheme] if parts.port is None else parts.port
    if port == 0:
        return None
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not target.isascii():
        return None
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return CameraAddress(parts.scheme, _canonical(parts.hostname), port, target, user, password)


def _canonical(host: str) -> str:
    """Return a host in lower case; an IP address, with or without brackets, in its shortest form."""
    host = host.strip().lower()
    with suppress(ValueError):
        return ipaddress.ip_address(host.removeprefix("[").removesuffix("]")).compressed
    return host


def _lists(listed: str, found: CameraAddress) -> bool:
    """Return whether an entry of the list stands for a host, on every port or on this one."""
    listed = listed.strip()
    if _canonical(listed) == found.host:
        return True
    host, colon, port = listed.rpartition(":")
    return bool(colon) and port == str(found.port) and _canonical(host) == found.host


def _no_address(address: str) -> VideoError:
    # whatever is before the last @ may be a password
    told = address.partition("?")[0].rpartition("@")[2][:80]
    return VideoError(
        f"'{told}' is not a camera's address; write it like rtsp://camera.local/stream or http://camera.local/video."
    )
