"""The store: uploads on the disk, analyses and the colors of actions in the database."""

from __future__ import annotations

import hashlib
import io
import os
import threading
import zlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import pytest
from sqlalchemy import update

from recognizer.errors import StoreError
from recognizer.files import DATA_VARIABLE, data_dir, is_staged
from recognizer.service import tables
from recognizer.service.database import DATABASE_VARIABLE
from recognizer.service.store import AnalysisStore, StoredFile
from recognizer.settings import Settings
from recognizer.timeline.model import PersonTrack, Timeline
from recognizer.types import Prediction, VideoInfo
from tests.support import postgres
from tests.support.postgres import PostgresServer

KB = 1024


class CountedStream(io.BytesIO):
    """Records how much is read at a time."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.asked_bytes: list[int | None] = []

    def read(self, size: int | None = -1) -> bytes:
        self.asked_bytes.append(size)
        return super().read(size)


def some_timeline() -> Timeline:
    times_s = np.array([0.0, 0.5, 1.0])
    boxes = np.array([[0, 0, 10, 20], [1, 0, 11, 20], [2, 0, 12, 20]], np.float32)
    return Timeline(
        video=VideoInfo("ab" * 32, 64, 48, Fraction(30000, 1001), 1.5, 45, "h264"),
        settings=Settings(video_classifier_model="i3d", skip_frame=3),
        people=(PersonTrack(1, times_s, boxes, np.array([0.9, 0.8, 0.7], np.float32), ((0.0, 1.5),)),),
        predictions=(Prediction(1, 0.0, 1.5, (("tai chi", 0.75), ("yoga", 0.125)), "i3d"),),
        frame_times_s=np.arange(45) / 30,
        analysed_s=1.5,
        complete=False,
        notes=("one packet could not be decoded",),
        provenance={"torch": "2"},
    )


def stored(store: AnalysisStore, content: bytes = b"a video", name: str = "clip.mp4") -> StoredFile:
    return store.add_file(io.BytesIO(content), name)


def files_of(store: AnalysisStore) -> list[Path]:
    return sorted((store.folder / "files").iterdir())


def test_upload_is_copied_piece_by_piece_and_named_by_its_hash(tmp_path: Path) -> None:
    store = AnalysisStore(tmp_path)
    content = os.urandom(5 * KB * KB + 3)
    stream = CountedStream(content)
    kept = store.add_file(stream, "My Clip.MP4")
    digest = hashlib.sha256(content).hexdigest()
    assert kept == StoredFile(tmp_path / "files" / f"{digest}.mp4", "My Clip.MP4", digest, len(content))
    assert kept.path.read_bytes() == content
    assert len(stream.asked_bytes) > 5
    assert all(size is not None and 0 < size <= KB * KB for size in stream.asked_bytes)


def test_same_bytes_are_stored_once_under_whatever_names(tmp_path: Path) -> None:
    store = AnalysisStore(tmp_path)
    one, other = stored(store, name="one.mp4"), stored(store, name="other.mp4")
    assert one.path == other.path
    assert (one.name, other.name) == ("one.mp4", "other.mp4")
    assert files_of(store) == [one.path]


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("../../../etc/passwd", ""),
        ("..\\..\\boot.ini", ".ini"),
        ("/absolute/path.mp4", ".mp4"),
        ("<img src=x onerror=alert(1)>.mp4", ".mp4"),
        ("clip.m/p4", ""),
        ("clip.mp4;rm -rf", ""),
        ("clip." + "x" * 300, ""),
        ("clip.mp4\0.sh", ".sh"),
        ("clip.", ""),
        ("clip", ""),
        ("", ""),
        (".mp4", ""),
        ("ünïcode ☃.webm", ".webm"),
        ("CLIP.MOV", ".mov"),
    ],
)
def test_name_of_an_upload_never_decides_where_it_goes(tmp_path: Path, name: str, suffix: str) -> None:
    store = AnalysisStore(tmp_path / "data")
    kept = stored(store, name=name)
    assert kept.path == tmp_path / "data" / "files" / f"{kept.sha256}{suffix}"
    assert kept.name == name
    assert files_of(store) == [kept.path]
    assert list(tmp_path.iterdir()) == [tmp_path / "data"]


def test_broken_upload_leaves_nothing_behind(tmp_path: Path) -> None:
    class Broken(io.RawIOBase):
        given = False

        def read(self, size: int = -1) -> bytes:
            if self.given:
                raise ConnectionError("the browser is gone")
            self.given = True
            return b"half"

    store = AnalysisStore(tmp_path)
    with pytest.raises(ConnectionError):
        store.add_file(cast(BinaryIO, Broken()), "a.mp4")
    assert files_of(store) == []


def test_least_recently_used_files_go_first_and_the_new_one_stays(tmp_path: Path) -> None:
    store = AnalysisStore(tmp_path, max_videos_bytes=25 * KB)
    kept = [stored(store, bytes([k]) * 10 * KB, f"{k}.mp4") for k in range(2)]
    for age, file in enumerate(kept):
        os.utime(file.path, (1000 + age, 1000 + age))
    newest = stored(store, b"n" * 10 * KB, "new.mp4")
    assert files_of(store) == sorted([kept[1].path, newest.path])


def test_file_larger_than_the_limit_stays_while_it_is_the_latest(tmp_path: Path) -> None:
    store = AnalysisStore(tmp_path, max_videos_bytes=KB)
    stored(store, b"o" * 10 * KB, "old.mp4")
    newest = stored(store, b"n" * 10 * KB, "new.mp4")
    assert files_of(store) == [newest.path]


def test_files_made_from_the_latest_file_stay_with_it(tmp_path: Path) -> None:
    store = AnalysisStore(tmp_path, max_videos_bytes=KB)
    file = stored(store, b"v" * KB)
    preview = store.derived_path(file.path, "preview.mp4")
    preview.write_bytes(b"p" * KB)
    again = stored(store, b"v" * KB)
    assert files_of(store) == sorted([again.path, preview])
    other = stored(store, b"w" * KB, "other.mp4")
    assert files_of(store) == [other.path]


def test_uploading_again_counts_as_use(tmp_path: Path) -> None:
    store = AnalysisStore(tmp_path, max_videos_bytes=25 * KB)
    first, second = (stored(store, bytes([k]) * 10 * KB, f"{k}.mp4") for k in range(2))
    os.utime(first.path, (1000, 1000))
    os.utime(second.path, (2000, 2000))
    stored(store, bytes([0]) * 10 * KB, "0.mp4")
    newest = stored(store, b"n" * 10 * KB, "new.mp4")
    assert files_of(store) == sorted([first.path, newest.path])


def test_analysis_outlives_its_video(tmp_path: Path) -> None:
    store = AnalysisStore(tmp_path, max_videos_bytes=KB)
    video = stored(store, b"v" * KB)
    store.save_analysis("one", video, some_timeline())
    stored(store, b"w" * KB, "other.mp4")
    run = store.load_analysis("one")
    assert run is not None
    assert not run.video_path.exists()
    assert run.timeline.predictions == some_timeline().predictions


def test_analysis_comes_back_unchanged_after_a_restart(open_store: Callable[[], AnalysisStore]) -> None:
    timeline = some_timeline()
    video = stored(open_store(), name="<b>dance</b>.mp4")
    open_store().save_analysis("one", video, timeline)
    run = open_store().load_analysis("one")
    assert run is not None
    assert (run.analysis_id, run.video_name, run.video_path) == ("one", "<b>dance</b>.mp4", video.path)
    assert run.created_at.tzinfo is not None
    read = run.timeline
    assert (read.video, read.settings, read.predictions) == (timeline.video, timeline.settings, timeline.predictions)
    assert (read.complete, read.analysed_s, read.notes) == (False, 1.5, timeline.notes)
    assert dict(read.provenance) == {"torch": "2"}
    np.testing.assert_array_equal(read.people[0].box_xyxy, timeline.people[0].box_xyxy)
    np.testing.assert_array_equal(read.frame_times_s, timeline.frame_times_s)
    assert read.people[0].presence == timeline.people[0].presence


def test_analysis_that_is_not_there_is_none_whatever_the_address_says(open_store: Callable[[], AnalysisStore]) -> None:
    store = open_store()
    for analysis_id in ("unknown", "", "' OR 1=1 --", "../one", "\0", "x" * 100_000):
        assert store.load_analysis(analysis_id) is None


def test_summaries_are_of_the_analyses_asked_for_the_latest_first(open_store: Callable[[], AnalysisStore]) -> None:
    store = open_store()
    for analysis_id in ("one", "two", "three"):
        store.save_analysis(analysis_id, stored(store), some_timeline())
    names = store.stored_analyses(["one", "gone", "three", "' OR 1=1 --"])
    assert [one.item_id for one in names] == ["three", "one"]
    assert names[0].name == stored(store).name
    assert names[0].created_at.tzinfo is not None
    assert store.stored_analyses([]) == []


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"not compressed",
        zlib.compress(b"\xff\xfe"),
        zlib.compress(b"{"),
        zlib.compress(b"[]"),
        zlib.compress(b'{"schema_version": "1.0"}'),
        zlib.compress(b'{"schema_version": "99.0"}'),
    ],
)
def test_damaged_analysis_is_reported_in_one_sentence(tmp_path: Path, document: bytes) -> None:
    store = AnalysisStore(tmp_path)
    store.save_analysis("one", stored(store), some_timeline())
    with store.database.transaction("damage") as connection:
        connection.execute(update(tables.analysis).values(timeline=document))
    with pytest.raises(StoreError) as told:
        store.load_analysis("one")
    assert "\n" not in str(told.value)
    assert str(told.value).endswith(".")


def test_file_that_is_no_database_is_reported_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "analyses.sqlite3").write_bytes(b"something else entirely" * 100)
    with pytest.raises(StoreError, match=r"analyses\.sqlite3"):
        AnalysisStore(tmp_path)


def test_folder_that_cannot_be_made_is_reported_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match=DATA_VARIABLE):
        AnalysisStore(tmp_path / "file" / "data")


def test_saving_again_under_the_same_name_replaces(open_store: Callable[[], AnalysisStore]) -> None:
    store = open_store()
    store.save_analysis("one", stored(store, name="first.mp4"), some_timeline())
    store.save_analysis("one", stored(store, name="second.mp4"), some_timeline())
    run = store.load_analysis("one")
    assert run is not None
    assert run.video_name == "second.mp4"


def test_color_of_an_action_never_changes(open_store: Callable[[], AnalysisStore]) -> None:
    open_store().save_action_slots({"tai chi": 0, "yoga": 1})
    open_store().save_action_slots({"tai chi": 7, "jogging": 2})
    assert open_store().action_slots() == {"tai chi": 0, "yoga": 1, "jogging": 2}


def test_several_threads_may_upload_save_and_prune_at_once(open_store: Callable[[], AnalysisStore]) -> None:
    store = open_store()
    failures: list[BaseException] = []

    def busy(worker: int) -> None:
        try:
            for turn in range(25):
                file = stored(store, f"{worker}-{turn}".encode() * KB, f"{turn}.mp4")
                store.save_analysis(f"{worker}-{turn}", file, some_timeline())
                store.save_action_slots({f"action {turn}": turn})
                run = store.load_analysis(f"{worker}-{turn}")
                assert run is not None
                assert run.video_name == f"{turn}.mp4"
        except BaseException as error:  # noqa: BLE001 - the assertion below reports it
            failures.append(error)

    threads = [threading.Thread(target=busy, args=(worker,)) for worker in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert not [path for path in files_of(store) if is_staged(path)]
    assert store.action_slots() == {f"action {turn}": turn for turn in range(25)}


def test_nobody_gets_the_same_new_file(tmp_path: Path) -> None:
    store = AnalysisStore(tmp_path)
    assert len({store.new_file(".mp4") for _ in range(100)}) == 100
    assert store.new_file(".mp4").parent == tmp_path / "files"


def test_environment_names_a_database_on_a_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres_server: PostgresServer
) -> None:
    postgres.empty(postgres_server.url)
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    monkeypatch.setenv(DATABASE_VARIABLE, postgres_server.url)
    store = AnalysisStore()
    store.save_action_slots({"yoga": 1})
    assert AnalysisStore(tmp_path / "mine").action_slots() == {}  # whoever names a folder means all of it
    assert store.action_slots() == {"yoga": 1}
    assert not (tmp_path / "analyses.sqlite3").exists()
    store.database.close()


def test_environment_names_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path / "mine"))
    assert data_dir() == tmp_path / "mine"
    assert AnalysisStore().folder == tmp_path / "mine"
    assert (tmp_path / "mine" / "files").is_dir()
    monkeypatch.delenv(DATA_VARIABLE)
    assert data_dir().name == "who-does-what-when"
