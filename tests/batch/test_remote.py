"""Videos at addresses: fetched from a server on this machine, analyzed, and removed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from recognizer.batch.messages import Task
from recognizer.batch.recipe import Recipe
from recognizer.batch.remote import fetched, is_remote, shown_address
from recognizer.batch.sources import Sources
from recognizer.errors import VideoError
from recognizer.weights import file_sha256
from tests.support.batch import Serial, Told, results_of, run_serially, small_video


class _Quiet(SimpleHTTPRequestHandler):
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        super().do_GET()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """What the server gives out."""
    small_video(tmp_path / "files" / "a clip.mkv", 12)
    return tmp_path / "files"


@pytest.fixture
def address(files: Path) -> Iterator[str]:
    _Quiet.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(files)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_video_at_an_address_has_the_result_of_the_same_local_file(files: Path, address: str, tmp_path: Path) -> None:
    assert run_serially(f"{address}/a%20clip.mkv", out=tmp_path / "remote").is_complete
    run_serially(files, out=tmp_path / "local")
    assert results_of(tmp_path / "remote") == results_of(tmp_path / "local") != {}
    left = [path.name for path in (tmp_path / "remote").rglob("*") if path.suffix in (".mkv", ".part")]
    assert left == [], "the copy is removed"


def test_what_has_not_changed_is_not_fetched_again(address: str, tmp_path: Path) -> None:
    run_serially(f"{address}/a%20clip.mkv", out=tmp_path / "out")
    fetches = len(_Quiet.asked)
    executor = Serial()
    run_serially(f"{address}/a%20clip.mkv", out=tmp_path / "out", executor=executor)
    assert (executor.given, len(_Quiet.asked)) == ([], fetches)


def test_an_address_without_a_file_costs_itself_alone(files: Path, address: str, tmp_path: Path) -> None:
    told = Told()
    summary = run_serially(f"{address}/gone.mkv", files, out=tmp_path / "out", told=told)
    assert (summary.tally.done, summary.is_complete) == (1, False)
    assert told.sentences[0].startswith(f"'{address}/gone.mkv' cannot be fetched (")


def test_a_long_fetch_is_progress(address: str, tmp_path: Path) -> None:
    """Regression: a worker that fetched for 15 minutes seemed to stand still."""
    followed: list[bool] = []
    fetched(f"{address}/a%20clip.mkv", tmp_path / "copy", lambda: followed.append(True))
    assert followed


def test_a_file_that_goes_away_before_it_is_fetched_is_tried_again(files: Path, address: str, tmp_path: Path) -> None:
    def hide(_: Task) -> None:
        (files / "a clip.mkv").rename(files / "later")

    summary = run_serially(f"{address}/a%20clip.mkv", out=tmp_path / "out", executor=Serial(before=hide))
    assert summary.tally.postponed == 1
    (files / "later").rename(files / "a clip.mkv")
    assert run_serially(f"{address}/a%20clip.mkv", out=tmp_path / "out").is_complete


def test_folders_and_patterns_of_a_file_system_with_folders(tmp_path: Path) -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    for name in ("a.mp4", "b/c.mkv", "b/notes.txt"):
        memory.pipe(f"/season/{name}", name.encode())
    try:
        for source, expected in (
            ("memory://season", ["a.mp4", "c.mkv"]),
            ("memory://season/**/*.mkv", ["c.mkv"]),
            ("memory://season/b/notes.txt", ["notes.txt"]),
        ):
            found = list(Sources([source], Recipe(), tmp_path).entries())
            assert [one.name for one in found] == expected
            assert [one.size_bytes for one in found] == [
                len("b/" if one.name[0] in "cn" else "") + len(one.name) for one in found
            ]
        target = tmp_path / "copy"
        assert fetched(found[0].place, target) == file_sha256(target)
        assert target.read_bytes() == b"b/notes.txt"
    finally:
        memory.rm("/season", recursive=True)


def test_a_kind_of_address_without_its_package_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match=r"needs a package that is not installed .* pip install '\.\[remote\]'"):
        fetched("gs://bucket/a.mp4", tmp_path / "copy")
    with pytest.raises(VideoError, match="check the address, the network and your access"):
        fetched("nothing-like-this://bucket/a.mp4", tmp_path / "copy")


def test_messages_name_no_password() -> None:
    assert shown_address("https://me:secret@host/a/b.mp4?token=secret") == "https://host/a/b.mp4"
    assert [is_remote(one) for one in ("s3://bucket/a", "C:\\videos\\a", "/a/b", "file:///a")] == [True] + [False] * 3
