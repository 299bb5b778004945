"""Uploads and runs are refused with a sentence before the disk is full, and one visitor cannot take all of it."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from recognizer.errors import LimitError
from recognizer.service.room import check_free
from recognizer.service.runs import Run, RunStore
from recognizer.service.store import AnalysisStore

KB = 1000


@pytest.fixture
def store(tmp_path: Path) -> AnalysisStore:
    return AnalysisStore(tmp_path)


def upload(store: AnalysisStore, size: int, name: str = "a.mp4", visitor_id: str = "browser:me", byte: int = 1) -> None:
    store.add_file(io.BytesIO(bytes([byte]) * size), name, visitor_id=visitor_id)


def stored(store: AnalysisStore) -> list[int]:
    return sorted(path.stat().st_size for path in (store.folder / "files").iterdir())


def test_too_large_an_upload_stops_as_it_arrives(store: AnalysisStore, set_limits: Callable[..., None]) -> None:
    set_limits(max_upload_bytes=2 * KB)
    upload(store, 2 * KB)
    with pytest.raises(LimitError) as caught:
        upload(store, 2 * KB + 1, "long name.mp4")
    assert str(caught.value) == (
        "'long name.mp4' has more than 2.0 kB, the limit is 2.0 kB; cut it into shorter pieces "
        "(max_upload_bytes: whoever runs this server can raise it)."
    )
    assert stored(store) == [2 * KB], "nothing of it is left"


def test_one_visitor_has_a_share_of_the_disk(store: AnalysisStore, set_limits: Callable[..., None]) -> None:
    set_limits(max_uploads_bytes_per_visitor=5 * KB)
    upload(store, 4 * KB)
    with pytest.raises(
        LimitError, match=r"with 'b.mp4', your files take more than 5\.0 kB, the limit is 5\.0 kB; delete"
    ):
        upload(store, 2 * KB, "b.mp4", byte=2)
    upload(store, 2 * KB, "b.mp4", visitor_id="browser:other", byte=2)
    upload(store, 9 * KB, "the server's own.mp4", visitor_id="", byte=3)
    next(path for path in (store.folder / "files").iterdir() if path.stat().st_size == 4 * KB).unlink()
    upload(store, 2 * KB, "c.mp4", byte=4)


def test_the_same_file_counts_once_for_its_visitor(store: AnalysisStore, set_limits: Callable[..., None]) -> None:
    set_limits(max_uploads_bytes_per_visitor=5 * KB)
    upload(store, 2 * KB)
    upload(store, 2 * KB)
    upload(store, 2 * KB, byte=2)


def test_withdrawn_upload_no_longer_counts_and_leaves_nothing(
    store: AnalysisStore, set_limits: Callable[..., None]
) -> None:
    set_limits(max_uploads_bytes_per_visitor=5 * KB)
    parts = [(io.BytesIO(bytes([k]) * 2 * KB), f"GX0{k}0042.MP4") for k in (1, 2)]
    store.withdraw(store.add_recording(parts, visitor_id="browser:me"), "browser:me")
    assert stored(store) == []
    upload(store, 5 * KB)


def test_withdrawn_upload_stays_for_others_and_for_runs(store: AnalysisStore) -> None:
    upload(store, 2 * KB, visitor_id="browser:other")
    video = store.add_file(io.BytesIO(bytes([1]) * 2 * KB), "b.mp4", visitor_id="browser:me")
    store.withdraw(video, "browser:me")
    assert stored(store) == [2 * KB]
    run = Run(run_id="r", kind="analysis", video_name="b.mp4", video_file=video.path.name)
    RunStore(store.database).create(run)
    store.withdraw(video, "browser:other")
    assert stored(store) == [2 * KB]


def test_one_person_on_their_own_machine_has_all_of_it(store: AnalysisStore, set_limits: Callable[..., None]) -> None:
    set_limits(max_uploads_bytes_per_visitor=5 * KB, alone=True)
    upload(store, 4 * KB)
    upload(store, 4 * KB, byte=2)


def test_nearly_full_disk_refuses_uploads_and_runs(
    store: AnalysisStore, set_limits: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: SimpleNamespace(free=10 * KB))
    set_limits(min_free_bytes=10 * KB)
    check_free(store.folder)
    upload(store, 2 * KB)
    with pytest.raises(LimitError) as caught:
        check_free(store.folder, 1 * KB)
    assert str(caught.value) == (
        "the server's disk has 9.0 kB left for this, the limit is 10.0 kB; delete what is not needed any more, or try "
        "again later (min_free_bytes: whoever runs this server can lower it)."
    )
    set_limits(min_free_bytes=11 * KB)
    with pytest.raises(LimitError, match="min_free_bytes"):
        upload(store, 1, "b.mp4", byte=2)
    assert stored(store) == [2 * KB]


def test_disk_that_fills_up_meanwhile_stops_an_upload(
    store: AnalysisStore, set_limits: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    free = iter([10**9, 10**9, 10 * KB])
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: SimpleNamespace(free=next(free)))
    set_limits(min_free_bytes=100 * KB)
    with pytest.raises(LimitError, match="min_free_bytes"):
        upload(store, 40 * 2**20)
    assert stored(store) == []
