"""A video is played from the disk, from an address that stays, whatever the page and other pages do meanwhile."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from recognizer.dashboard import server
from recognizer.dashboard.parts.player_route import ENDED, GONE, player_route
from recognizer.dashboard.parts.ranges import PIECE_BYTES
from recognizer.service.offers import MOST_PLAYED_IN_A_TAB, TabPlayers
from recognizer.service.store import AnalysisStore, StoredFile
from tests.support.ffmpeg import ffmpeg
from tests.support.pages import current_video, open_page, players, settle, tab, upload_video, words

WEBM = ("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "100k")


@pytest.fixture
def client() -> Iterator[TestClient]:
    routes = [player_route("/recognizer/play")]
    with TestClient(Starlette(routes=routes), base_url="http://testserver", raise_server_exceptions=False) as made:
        yield made


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "0123.mp4"
    path.write_bytes(bytes(range(256)) * 5000)
    return path


def address_of(players: TabPlayers, path: Path) -> str:
    played = players.play(path)
    server.played().add(played)
    return f"/recognizer/play/{played.token}/clip.mp4"


def test_video_comes_in_ranges_and_a_request_for_the_rest_gets_a_piece(client: TestClient, video: Path) -> None:
    tab_players, content = TabPlayers(), video.read_bytes()
    address = address_of(tab_players, video)
    part = client.get(address, headers={"Range": "bytes=100-299"})
    assert (part.status_code, part.content) == (206, content[100:300])
    assert part.headers["content-range"] == f"bytes 100-299/{len(content)}"
    assert part.headers["content-type"] == "video/mp4"
    assert part.headers["x-content-type-options"] == "nosniff"
    assert part.headers["cache-control"].startswith("private")
    rest = client.get(address, headers={"Range": "bytes=0-"})
    assert (rest.status_code, rest.content) == (206, content[:PIECE_BYTES])


def test_address_ends_with_its_tab_and_cannot_be_guessed(client: TestClient, video: Path) -> None:
    tab_players = TabPlayers()
    address = address_of(tab_players, video)
    assert len(address.split("/")[3]) >= 32
    other = client.get(f"/recognizer/play/{'A' * 32}/clip.mp4")
    assert (other.status_code, other.json()) == (404, {"problem": ENDED})
    assert client.get(address).status_code == 200
    del tab_players
    gc.collect()
    assert client.get(address).json() == {"problem": ENDED}


def test_file_that_newer_videos_replaced_is_told(client: TestClient, video: Path) -> None:
    tab_players = TabPlayers()
    address = address_of(tab_players, video)
    video.unlink()
    answer = client.get(address)
    assert (answer.status_code, answer.json()) == (404, {"problem": GONE})


def test_a_tab_plays_a_bounded_number_of_files(client: TestClient, tmp_path: Path) -> None:
    tab_players, addresses = TabPlayers(), []
    for number in range(MOST_PLAYED_IN_A_TAB + 2):
        path = tmp_path / f"{number}.mp4"
        path.write_bytes(b"video")
        addresses.append(address_of(tab_players, path))
    gc.collect()
    assert [client.get(one).status_code for one in addresses] == [404] * 2 + [200] * MOST_PLAYED_IN_A_TAB


# --- the page


def played(at: AppTest, client: TestClient) -> bytes:
    (shown,) = players(at)
    content: bytes = client.get(f"/{shown['path']}").content
    return content


def test_dropped_video_plays_from_one_address_while_its_pages_are_drawn_again(
    page: AppTest, clip: Path, client: TestClient
) -> None:
    """Regression: Streamlit deleted the file when any two runs had ended, and the player met a 404."""
    upload_video(page, clip, "my clip?.mp4")
    (first,) = players(page)
    assert first["label"] == "my clip?.mp4"
    assert unquote(first["path"].rpartition("/")[2]) == "my clip?.mp4"
    assert played(page, client) == clip.read_bytes()
    assert not page.get("video"), "Streamlit's own would read the file into memory"
    for _ in range(3):
        page.run()
    page.switch_page("pages/compare.py").run()
    page.switch_page("pages/analyse.py").run()
    tab(page).lighten()
    page.run()
    gc.collect()
    assert players(page) == [first]
    assert played(page, client) == clip.read_bytes()


def test_another_video_has_another_address(
    page: AppTest, clip: Path, make_video: Callable[..., Path], client: TestClient
) -> None:
    upload_video(page, clip)
    (first,) = players(page)
    other = make_video("other.mp4", frames=30)
    upload_video(page, other)
    (second,) = players(page)
    assert first["path"].split("/")[2] != second["path"].split("/")[2]
    assert played(page, client) == other.read_bytes()


def test_another_visitor_of_the_same_video_has_another_address(
    page: AppTest, clip: Path, browser: Callable[[str], None]
) -> None:
    upload_video(page, clip)
    browser("1" * 32)
    theirs = open_page()
    upload_video(theirs, clip)
    assert players(page)[0]["path"] != players(theirs)[0]["path"]


def test_video_of_any_size_plays_as_it_is(
    page: AppTest, clip: Path, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: above 200 MB, the page showed a copy of the first minute, and said that browsers cannot play it."""
    add_recording = AnalysisStore.add_recording

    def add_large(self: AnalysisStore, *uploads: Any, **whose: Any) -> StoredFile:
        stored = add_recording(self, *uploads, **whose)
        with stored.path.open("r+b") as file:
            file.truncate(3 * 2**30)  # a hole, which takes no room on the disk; players stop before it
        return replace(stored, size_bytes=3 * 2**30)

    monkeypatch.setattr(AnalysisStore, "add_recording", add_large)
    upload_video(page, clip)
    assert current_video(page).playable
    assert "this is a copy" not in words(page)
    (shown,) = players(page)
    answer = client.get(f"/{shown['path']}", headers={"Range": f"bytes={2**31}-"})
    assert answer.headers["content-range"] == f"bytes {2**31}-{2**31 + PIECE_BYTES - 1}/{3 * 2**30}"
    assert len(answer.content) == PIECE_BYTES


def test_webm_is_served_as_such(page: AppTest, tmp_path: Path, client: TestClient) -> None:
    path = tmp_path / "clip.webm"
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x48:r=30:d=1", *WEBM, path)
    upload_video(page, path)
    assert current_video(page).playable
    (shown,) = players(page)
    assert shown["path"].endswith("/clip.webm")
    assert client.get(f"/{shown['path']}").headers["content-type"] == "video/webm"


def test_copy_is_played_of_what_browsers_do_not_play(
    page: AppTest, make_video: Callable[..., Path], client: TestClient
) -> None:
    upload_video(page, make_video("old.avi", frames=30, codec="mjpeg", pix_fmt="yuvj420p"))
    settle(page)
    copy = current_video(page).preview
    assert copy is not None
    assert copy.result is not None
    (shown,) = players(page)
    assert shown["path"].endswith("/old.mp4")
    assert played(page, client) == copy.result.read_bytes()
