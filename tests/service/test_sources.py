"""Recordings and choices among the stored videos."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from recognizer.errors import StoreError, VideoError
from recognizer.service.sources import SOURCE_SUFFIX, read_source
from recognizer.service.store import AnalysisStore
from recognizer.video.source import recording_sha256


@pytest.fixture
def store(tmp_path: Path) -> AnalysisStore:
    return AnalysisStore(tmp_path)


def upload(name: str, content: bytes) -> tuple[io.BytesIO, str]:
    return io.BytesIO(content), name


def test_single_file_without_choices_is_itself(store: AnalysisStore) -> None:
    file = store.add_recording([upload("a.mp4", b"a")])
    assert file.path.name == f"{file.sha256}.mp4"
    assert store.source(file.path).paths == (file.path,)
    assert store.files_of(file) == [file]
    assert store.with_choices([file]) == file


def test_recording_keeps_order_names_and_hashes(store: AnalysisStore) -> None:
    whole = store.add_recording([upload("GX020042.MP4", b"second"), upload("GX010042.MP4", b"first")])
    source = store.source(whole.path)
    assert [path.read_bytes() for path in source.paths] == [b"first", b"second"]
    assert source.names == ("GX010042.MP4", "GX020042.MP4")
    assert whole.sha256 == recording_sha256(source.sha256s)
    assert (whole.name, whole.size_bytes) == ("GX010042.MP4 and 1 more part", 11)
    assert [(file.name, file.size_bytes) for file in store.files_of(whole)] == [
        ("GX010042.MP4", 5),
        ("GX020042.MP4", 6),
    ]
    again = store.add_recording([upload("GX010042.MP4", b"first"), upload("GX020042.MP4", b"second")])
    assert again == whole


def test_choice_makes_another_video_of_the_same_file(store: AnalysisStore) -> None:
    file = store.add_recording([upload("cctv.h264", b"pictures")])
    chosen = store.with_choices([file], frame_rate_hz=15.0)
    other = store.with_choices([file], stream=1)
    assert len({file.path, chosen.path, other.path}) == 3
    assert chosen.sha256 == other.sha256 == file.sha256
    assert (store.source(chosen.path).frame_rate_hz, store.source(other.path).stream) == (15.0, 1)
    assert store.derived_path(chosen.path, "preview.mp4") != store.derived_path(other.path, "preview.mp4")


def test_files_of_two_recordings_are_refused_before_they_are_stored(store: AnalysisStore, tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="are not parts of one recording"):
        store.add_recording([upload("a.mp4", b"a"), upload("b.mp4", b"b")])
    assert list((tmp_path / "files").iterdir()) == []


def test_new_parts_do_not_displace_each_other(tmp_path: Path) -> None:
    store = AnalysisStore(tmp_path, max_videos_bytes=10)
    old = store.add_recording([upload("old.mp4", b"x" * 8)])
    whole = store.add_recording([upload("cam_1.mp4", b"1" * 8), upload("cam_2.mp4", b"2" * 8)])
    assert store.is_here(whole.path)
    assert not store.is_here(old.path)


def test_recording_without_one_of_its_files_is_not_here(store: AnalysisStore) -> None:
    whole = store.add_recording([upload("cam_1.mp4", b"1"), upload("cam_2.mp4", b"2")])
    assert store.is_here(whole.path)
    store.source(whole.path).paths[1].unlink()
    assert not store.is_here(whole.path)
    with pytest.raises(StoreError, match="drop the files in again"):
        store.files_of(whole)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "ab.mp4", "", f"{'a' * 64}/../b"])
def test_no_other_file_is_ever_read(store: AnalysisStore, tmp_path: Path, name: str) -> None:
    forged = tmp_path / f"forged{SOURCE_SUFFIX}"
    part = {"file": name, "name": "a.mp4", "sha256": "0" * 64}
    forged.write_text(json.dumps({"parts": [part], "stream": None, "frame_rate_hz": None}))
    with pytest.raises(StoreError, match="cannot be read"):
        read_source(forged)
    assert not store.is_here(forged)


def test_upload_never_has_the_suffix_of_a_source(store: AnalysisStore) -> None:
    file = store.add_file(io.BytesIO(b"{}"), f"mine{SOURCE_SUFFIX}")
    assert file.path.suffix == ""
