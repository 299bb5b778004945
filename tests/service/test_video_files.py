"""Which files belong to a video, what they take, and how they go."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from recognizer.service.sources import StoredPart, write_source
from recognizer.service.video_files import VideoFiles

ONE, TWO, THREE = "1" * 64, "2" * 64, "3" * 64


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, size in (
        (f"{ONE}.mp4", 1000),
        (f"{ONE}-preview.mp4", 100),
        (f"{ONE}-person-1.jpg", 10),
        (f"{TWO}.mp4", 2000),
        (f"{THREE}.mp4", 3000),
        (".arriving.part", 5),
    ):
        (tmp_path / name).write_bytes(b"x" * size)
    return tmp_path


def test_a_video_takes_what_its_files_and_copies_take(folder: Path) -> None:
    files = VideoFiles(folder)
    assert files.size_bytes([f"{ONE}.mp4"]) == 1110
    assert files.size_bytes([f"{ONE}.mp4", f"{ONE}.mp4", f"{TWO}.mp4"]) == 3110
    assert files.size_bytes(["", "gone.mp4"]) == 0
    assert files.is_here(f"{ONE}.mp4")
    assert not files.is_here("gone.mp4")
    assert not files.is_here("")
    assert VideoFiles(folder / "missing").size_bytes([f"{ONE}.mp4"]) == 0


def test_a_video_whose_copies_alone_are_left_is_gone_and_its_kept_picture_is_not(folder: Path) -> None:
    (folder / f"{ONE}.mp4").unlink()
    (folder / f"{TWO}-library.jpg").write_bytes(b"")
    files = VideoFiles(folder)
    assert not files.is_here(f"{ONE}.mp4")
    assert not files.has_picture(f"{ONE}.mp4")
    assert not files.has_picture(f"{TWO}.mp4"), "it has no picture, as was found before"
    assert files.has_picture(f"{THREE}.mp4")
    (folder / f"{ONE}-library.jpg").write_bytes(b"picture")
    assert VideoFiles(folder).has_picture(f"{ONE}.mp4")


def recording(folder: Path) -> str:
    parts = [StoredPart(folder / f"{stem}.mp4", "part.mp4", stem) for stem in (ONE, TWO)]
    return write_source(folder, parts, None, None).name


def test_a_recording_takes_what_its_parts_take(folder: Path) -> None:
    name = recording(folder)
    own = (folder / name).stat().st_size
    assert VideoFiles(folder).size_bytes([name]) == own + 1110 + 2000
    (folder / f"{TWO}.mp4").unlink()
    assert not VideoFiles(folder).is_here(name)


def test_removed_videos_go_with_their_copies_but_not_with_the_parts_of_others(folder: Path) -> None:
    name = recording(folder)
    VideoFiles(folder).remove([f"{ONE}.mp4", f"{THREE}.mp4"], keep=[name])
    left = {path.name for path in folder.iterdir()}
    assert f"{ONE}.mp4" in left
    assert f"{THREE}.mp4" not in left
    VideoFiles(folder).remove([name], keep=[f"{TWO}.mp4"])
    assert {path.name for path in folder.iterdir()} == {f"{TWO}.mp4", ".arriving.part"}


def test_a_list_of_parts_that_is_damaged_takes_only_itself(folder: Path) -> None:
    name = recording(folder)
    (folder / name).write_text("nonsense")
    assert VideoFiles(folder).size_bytes([name]) == len("nonsense")
    VideoFiles(folder).remove([name], keep=[])
    assert (folder / f"{ONE}.mp4").is_file()


def test_use_makes_all_files_of_a_video_the_latest_used(folder: Path) -> None:
    name = recording(folder)
    for path in folder.iterdir():
        os.utime(path, (1, 1))
    VideoFiles(folder).use(name)
    recent = {path.name for path in folder.iterdir() if path.stat().st_mtime > 1}
    assert recent == {name, f"{ONE}.mp4", f"{ONE}-preview.mp4", f"{ONE}-person-1.jpg", f"{TWO}.mp4"}
