"""Uploads that no run uses yet: they are listed, count for their visitor, and can be freed and brought back."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from recognizer.errors import LimitError
from recognizer.service.library import Library
from recognizer.service.runs import Run, RunQuery
from recognizer.service.store import StoredFile
from recognizer.service.tasks import ServerContext
from tests.support.library import own_bytes

LATER = timedelta(days=1)


def upload(
    context: ServerContext, library: Library, visitor_id: str = "ana", content: bytes = b"talk", name: str = "talk.mp4"
) -> StoredFile:
    file = context.store.add_file(io.BytesIO(content), name, visitor_id=visitor_id)
    library.uploaded(file, visitor_id, "video", 12.5)
    return file


def run_of(file: StoredFile, run_id: str = "one", visitor_id: str = "ana") -> Run:
    return Run(run_id, "analysis", file.name, video_file=file.path.name, state="done", visitor_id=visitor_id)


def listed(library: Library, visitor_id: str = "ana", *, removed: bool = False) -> list[tuple[str, str]]:
    query = RunQuery(visitor_ids=[visitor_id], removed=removed)
    return [(one.run.kind, one.run.name) for one in library.listing(query).items]


def test_upload_is_listed_once_until_a_run_of_its_visitor_uses_it(context: ServerContext, library: Library) -> None:
    file = upload(context, library)
    upload(context, library)
    (item,) = library.listing(RunQuery(visitor_ids=["ana"])).items
    assert (item.run.kind, item.run.name, item.facts, item.size_bytes) == ("video", "talk.mp4", {"duration_s": 12.5}, 4)
    assert listed(library, "ben") == []
    library.runs.create(run_of(file, "bens", "ben"))
    assert listed(library) == [("video", "talk.mp4")], "another visitor's run leaves it"
    library.runs.create(run_of(file))
    assert listed(library) == [("analysis", "talk.mp4")]
    assert library.listing(RunQuery(visitor_ids=["ana"])).items[0].video_runs == 2


def test_run_with_other_choices_about_the_file_uses_it_too(context: ServerContext, library: Library) -> None:
    file = upload(context, library)
    chosen = context.store.with_choices([file], frame_rate_hz=25.0)
    library.runs.create(run_of(chosen))
    assert listed(library) == [("analysis", "talk.mp4")]


def test_deleted_upload_comes_back_with_undo_or_a_new_upload(context: ServerContext, library: Library) -> None:
    upload(context, library)
    (row,) = library.runs.list(RunQuery(uploads=True))
    library.remove(row)
    assert listed(library) == []
    assert listed(library, removed=True) == [("video", "talk.mp4")]
    library.restore(row)
    assert listed(library) == [("video", "talk.mp4")]
    library.remove(row)
    upload(context, library)
    assert listed(library) == [("video", "talk.mp4")]
    assert listed(library, removed=True) == []


def test_purged_upload_is_free_and_one_that_another_visitor_has_stays(context: ServerContext, library: Library) -> None:
    file = upload(context, library)
    upload(context, library, "ben")
    (row,) = library.runs.list(RunQuery(visitor_ids=["ana"], uploads=True))
    library.remove(row)
    assert file.path.stat().st_mtime > 0, "another visitor has it"
    library.purge(datetime.now(UTC) + LATER)
    assert (own_bytes(context, "ana"), own_bytes(context, "ben")) == (0, 4)
    library.remove(library.runs.list(RunQuery(visitor_ids=["ben"], uploads=True))[0])
    assert file.path.stat().st_mtime == 0, "it makes room first"
    library.purge(datetime.now(UTC) + LATER)
    assert not file.path.exists()


def test_video_goes_with_its_last_run_and_not_before(context: ServerContext, library: Library) -> None:
    file = upload(context, library)
    runs = [run_of(file), run_of(file, "two")]
    for run in runs:
        library.runs.create(run)
    library.remove(runs[0])
    library.purge(datetime.now(UTC) + LATER)
    assert own_bytes(context, "ana") == 4
    library.remove(runs[1])
    assert listed(library) == []
    assert listed(library, removed=True) == [("analysis", "talk.mp4")]
    library.purge(datetime.now(UTC) + LATER)
    assert own_bytes(context, "ana") == 0
    assert not file.path.exists()


def test_visitor_over_the_limit_gets_the_room_of_what_was_deleted(
    context: ServerContext, library: Library, set_limits: Callable[..., None]
) -> None:
    set_limits(max_uploads_bytes_per_visitor=5)
    upload(context, library)
    upload(context, library, "ben", b"bens")
    with pytest.raises(LimitError, match="delete on the page Library what you do not need"):
        context.store.add_file(io.BytesIO(b"more"), "more.mp4", visitor_id="ana")
    for row in library.runs.list(RunQuery(uploads=True)):
        library.remove(row)
    library.make_room("ana", 1)
    assert own_bytes(context, "ana") == 4, "there is room enough"
    library.make_room("ana", 4)
    assert (own_bytes(context, "ana"), own_bytes(context, "ben")) == (0, 4)
    upload(context, library, content=b"more", name="more.mp4")


def test_uploads_from_before_they_were_listed_are_found(context: ServerContext, library: Library) -> None:
    old, weights, used = (
        context.store.add_file(io.BytesIO(content), name, visitor_id="ana")
        for content, name in ((b"old", "a.mp4"), (b"weights", "b.pt"), (b"used", "c.mp4"))
    )
    parts = [(io.BytesIO(bytes([k]) * 5), f"GX0{k}0042.MP4") for k in (1, 2)]
    recording = context.store.add_recording(parts, visitor_id="ana")
    for run in (run_of(used), run_of(recording, "two")):
        library.runs.create(run)
    library._uploads.list_old()
    assert [kind for kind, _ in listed(library)] == ["analysis", "analysis"], "they may get their names in a moment"
    for file in (old, weights, used, *context.store.files_of(recording)):
        os.utime(file.path, (86_400, 86_400))
    library._uploads.list_old()
    library._uploads.list_old()
    rows = {one.kind: one for one in library.runs.list(RunQuery(uploads=True)) if one.kind != "analysis"}
    assert {kind: (one.video_file, one.video_sha256) for kind, one in rows.items()} == {
        "video": (old.path.name, old.sha256),
        "file": (weights.path.name, weights.sha256),
    }
    assert rows["video"].name.startswith("Upload of 1970-01-")
