"""Chromium's own time of each picture (``requestVideoFrameCallback``) is ours, for every clock that it plays."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from recognizer.drawing.video import render_video
from recognizer.palette import ActionPalette
from recognizer.settings import Settings
from recognizer.timeline.builder import TimelineBuilder
from recognizer.types import TrackedPerson
from recognizer.video import is_browser_playable, make_preview, open_video
from tests.support.ffmpeg import ffmpeg

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

PICTURES = ("-f", "lavfi", "-i", "testsrc=s=96x64:r=30000/1001:d=3")
LATE = ("-itsoffset", "0.8", *PICTURES, "-f", "lavfi", "-i", "sine=d=4")
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-pix_fmt", "yuv420p")
VP8 = ("-c:v", "libvpx", "-deadline", "realtime")
PIECE = ("-output_ts_offset", "600")

_PLAY = """async address => {
    const player = document.createElement("video");
    const times = [];
    player.muted = true;
    player.defaultPlaybackRate = 2;  // still slower than the 60 pictures a second that are drawn
    document.body.replaceChildren(player);
    return await new Promise((resolve, reject) => {
        setTimeout(() => reject(new Error(`only ${times} of ${address}`)), 120000);
        player.onerror = () => reject(new Error(player.error.message));
        const see = (now, { mediaTime }) => {
            times.push(mediaTime);
            if (times.length === 1) player.play();
            if (times.length === 20) resolve(times);
            player.requestVideoFrameCallback(see);
        };
        player.requestVideoFrameCallback(see);
        player.src = address;
        player.preload = "auto";
    });
}"""


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def player(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    """A page next to the files in ``tmp_path``."""
    (tmp_path / "player.html").write_text("<!doctype html><title>player</title>")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Silent, directory=str(tmp_path)))
    # it looks as often whether it shall end, half a second by itself
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{server.server_port}/player.html")
    yield page
    context.close()
    server.shutdown()
    server.server_close()
    thread.join()


def shown_times(player: Page, path: Path) -> np.ndarray:
    """Return the times of the first pictures that Chromium shows; a busy machine leaves some out."""
    return np.array(player.evaluate(_PLAY, path.name), np.float64)


def our_times(path: Path) -> np.ndarray:
    with open_video(path) as video:
        for _ in video.frames(lambda index, time_s: False):
            pass
        return video.frame_times_s


def check_same(shown_s: np.ndarray, ours_s: np.ndarray) -> None:
    assert shown_s[0] == pytest.approx(ours_s[0], abs=1e-3)
    nearest = np.abs(shown_s[:, None] - ours_s).min(axis=1)
    assert nearest.max() < 1e-3


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("plain.mp4", (*PICTURES, *H264)),
        ("plain.webm", (*PICTURES, *VP8)),
        ("late.mp4", (*LATE, *H264, "-c:a", "aac")),
        ("late.mov", (*LATE, *H264, "-c:a", "aac")),
        ("late.webm", (*LATE, *VP8, "-c:a", "libopus")),
        ("only_late.mp4", ("-itsoffset", "0.8", *PICTURES, *H264)),
        ("fragments.mp4", (*PICTURES, *H264, "-movflags", "frag_keyframe+empty_moov")),
        ("late_fragments.mp4", (*LATE, *H264, "-c:a", "aac", "-movflags", "frag_keyframe+empty_moov")),
        ("no_edit_list.mp4", (*PICTURES, *H264, "-use_editlist", "0")),
        ("piece.mp4", (*PICTURES, *H264, *PIECE)),
        ("hole.mp4", (*PICTURES, "-vf", "setpts='if(lt(T,0.3),PTS,PTS+0.4/TB)'", "-fps_mode", "vfr", *H264)),
        ("negative.mp4", (*PICTURES, *H264, "-movflags", "negative_cts_offsets")),
    ],
)
def test_file_that_chromium_plays_has_its_times(
    player: Page, tmp_path: Path, name: str, arguments: tuple[str, ...]
) -> None:
    ffmpeg(*arguments, name, folder=tmp_path)
    assert is_browser_playable(tmp_path / name)
    check_same(shown_times(player, tmp_path / name), our_times(tmp_path / name))


def test_trimmed_file_has_its_times(player: Page, tmp_path: Path) -> None:
    ffmpeg(*LATE, *H264, "-g", "15", "-c:a", "aac", "whole.mp4", folder=tmp_path)
    ffmpeg("-ss", "1.5", "-i", "whole.mp4", "-c", "copy", "trimmed.mp4", folder=tmp_path)
    shown_s, ours_s = shown_times(player, tmp_path / "trimmed.mp4"), our_times(tmp_path / "trimmed.mp4")
    check_same(shown_s, ours_s)
    assert len(ours_s) < 80


def test_browser_does_not_move_the_clock_of_a_piece_and_gets_a_copy_with_ours(player: Page, tmp_path: Path) -> None:
    # HTML 4.8.11.6: "media resources … that start at a time other than zero"; mpv and our tables count from the start
    ffmpeg(*PICTURES, *VP8, *PIECE, "piece.webm", folder=tmp_path)
    path = tmp_path / "piece.webm"
    assert shown_times(player, path)[0] == pytest.approx(600, abs=1e-3)
    assert our_times(path)[0] == 0
    assert not is_browser_playable(path)
    make_preview(path, tmp_path / "preview.mp4")
    check_same(shown_times(player, tmp_path / "preview.mp4"), our_times(path))


@pytest.mark.parametrize("name", ["late.mkv", "late.ts", "late.mp4"])
def test_annotated_copy_shows_each_picture_at_the_originals_time(player: Page, tmp_path: Path, name: str) -> None:
    ffmpeg(*LATE, *H264, "-c:a", "aac", name, folder=tmp_path)
    path, copy = tmp_path / name, tmp_path / "copy.mp4"
    times_s = our_times(path)
    with open_video(path, sha256="0" * 64) as video:
        builder = TimelineBuilder(Settings(), float(video.facts.frame_rate or 30))
        for time_s in times_s[::2].tolist():
            builder.add_people(time_s, [TrackedPerson(1, (10.0, 10.0, 40.0, 60.0), 0.9)])
        timeline = builder.build(video.facts, frame_times_s=times_s, complete=True)
    render_video(path, timeline, timeline.segments(), ActionPalette(), copy)
    check_same(shown_times(player, copy), times_s)
    assert times_s[0] == pytest.approx(0.8, abs=0.03)
