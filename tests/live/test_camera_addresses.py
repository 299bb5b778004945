"""What an address names, which of them are listed, and how a camera is signed in to."""

from __future__ import annotations

import hashlib
import socket
from urllib.request import parse_http_list, parse_keqv_list

import pytest

from recognizer.errors import VideoError
from recognizer.video.camera_address import address_of, check_address, shown_address
from recognizer.video.camera_login import authorization


@pytest.mark.parametrize(
    ("address", "host", "port", "target"),
    [
        ("rtsp://Cam.local/stream?x=1", "cam.local", 554, "/stream?x=1"),
        ("rtsps://cam.local", "cam.local", 322, "/"),
        ("http://192.168.1.20:8080/video", "192.168.1.20", 8080, "/video"),
        ("https://[FD00:0:0::20]:8443/a", "fd00::20", 8443, "/a"),
        ("rtsp://me:se%40cret@cam.local:554/a", "cam.local", 554, "/a"),
    ],
)
def test_address_has_one_host(address: str, host: str, port: int, target: str) -> None:
    found = address_of(address)
    assert (found.host, found.port, found.target) == (host, port, target)


@pytest.mark.parametrize(
    "address",
    [
        *("", "rtsp://", "rtsp:///a", "http://[::1/a", "http://::1]/a", "http://[cam]/a", "http://cam:99999/", "http://cam:0/"),
        *("http://cam/a b", "http://ca\tm/", "http://cam\n.local/", "http://cam\\other/", "http://cam/\x1b[31m", "http://c%61m/"),
        *("http://cam/ä", "ftp://cam/", "http://ca\u2100m/", "rtsp://cam\u202e/"),
    ],
)  # fmt: skip
def test_what_is_no_address_is_a_sentence(address: str) -> None:
    for ask in (lambda: check_address(address, ["cam"]), lambda: shown_address(address)):
        with pytest.raises(VideoError, match=r"is not a camera's address; write it like .*\.$"):
            ask()


@pytest.mark.parametrize(
    ("listed", "address"),
    [
        ("cam.local", "http://CAM.local:81/"),
        ("Cam.Local:81", "http://cam.local:81/"),
        ("fd00::20", "rtsp://[fd00:0:0::0:20]/"),
        ("[fd00::20]", "rtsp://[fd00::20]:5/"),
        ("[fd00:0::20]:554", "rtsp://[fd00::20]/"),
        (" 192.168.1.20 ", "rtsp://192.168.1.20/"),
    ],
)
def test_listed_host_is_known_in_every_spelling(listed: str, address: str) -> None:
    check_address(address, [listed])


@pytest.mark.parametrize(
    ("listed", "address"),
    [
        ("cam.local:81", "http://cam.local/"),
        ("[fd00::20]:554", "rtsp://[fd00::20]:555/"),
        ("fd00::2", "rtsp://[fd00::2:554]/"),
        ("cam", "http://cam.local/"),
        ("", "http://cam.local/"),
    ],
)
def test_other_host_or_port_is_not_listed(listed: str, address: str) -> None:
    with pytest.raises(VideoError, match="is not among the cameras"):
        check_address(address, [listed])


def test_host_is_looked_up_once_and_that_machine_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        machine = (socket.AF_INET, socket.SOCK_STREAM, 6, "", server.getsockname())

        def look_up(host: str, *_: object, **__: object) -> list[object]:
            asked.append(host)
            return [machine]

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        with address_of("http://cam.test/").connect() as connection:
            assert connection.getpeername() == server.getsockname()
    assert asked == ["cam.test"]


def test_host_that_cannot_be_looked_up_is_an_os_error() -> None:
    with pytest.raises(OSError, match="label"):
        address_of(f"http://{'a' * 70}.test/").connect()


def test_digest_is_that_of_the_standard() -> None:
    # RFC 2617, 3.5, without the parts that make it fresh
    challenge = 'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc"'
    said = authorization(["Basic realm=x", challenge], "Mufasa", "Circle Of Life", "GET", "/dir/index.html")
    assert said is not None
    values = parse_keqv_list(parse_http_list(said.removeprefix("Digest ")))
    assert values["response"] == "670fd8c2df070c60b045671b8b24ff02"
    assert values["opaque"] == "5ccc"


def test_fresh_digest_counts_and_is_never_the_same() -> None:
    challenge = 'Digest realm="r", nonce="n", qop="auth,auth-int", algorithm=SHA-256'
    one, other = (authorization([challenge], "me", "secret", "DESCRIBE", "rtsp://cam/a") for _ in range(2))
    assert one != other
    values = parse_keqv_list(parse_http_list((one or "").removeprefix("Digest ")))
    parts = (f"{hashlib.sha256(b'me:r:secret').hexdigest()}:n:00000001:{values['cnonce']}:auth:"
             f"{hashlib.sha256(b'DESCRIBE:rtsp://cam/a').hexdigest()}")  # fmt: skip
    assert values["response"] == hashlib.sha256(parts.encode()).hexdigest()


def test_login_that_cannot_be_answered_is_none() -> None:
    assert authorization(["Bearer x"], "me", "secret", "GET", "/") is None
    assert authorization(["Basic x"], "", "", "GET", "/") is None
    assert authorization(['Digest realm="r", nonce="n", algorithm=MD4'], "me", "secret", "GET", "/") is None
    assert authorization(["Digest nonsense"], "me", "secret", "GET", "/") is None
    assert authorization(["Digest x", "Basic realm=r"], "me", "se cret", "GET", "/") == "Basic bWU6c2UgY3JldA=="
