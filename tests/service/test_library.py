"""The library: what a list says of each run, and what deleting, bringing back and purging do to results and videos."""

from __future__ import annotations

import io
import os
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from recognizer.comparison.model import Comparison, Entry
from recognizer.errors import StoreError
from recognizer.service import library as library_module
from recognizer.service.jobs import Job
from recognizer.service.library import Library
from recognizer.service.room import UploadLedger
from recognizer.service.run_facts import facts_of_comparison, facts_of_request, sampling_in_words
from recognizer.service.runs import Run, RunQuery
from recognizer.service.store import StoredFile
from recognizer.service.tasks import ServerContext
from recognizer.settings import Settings
from tests.support.library import own_bytes, store_runs
from tests.support.waiting import WAIT_S, wait_until
from tests.support.workbench import generated_timeline

LATER = timedelta(days=1)


def analysis(context: ServerContext, run_id: str, content: bytes = b"video", **more: object) -> Run:
    """Store an analysis of a video with this content, and its run."""
    path = context.store.file_path(f"{content.hex():0<64}.mp4")
    path.write_bytes(content)
    file = StoredFile(path, "talk.mp4", "ab" * 32, len(content))
    context.store.save_analysis(run_id, file, generated_timeline(2, 4.0))
    run = Run(run_id, "analysis", "talk.mp4", video_file=path.name, **{"state": "done", **more})  # type: ignore[arg-type]
    Library(context).runs.create(run)
    return run


def test_list_says_what_each_run_takes_and_the_total_counts_shared_videos_once(
    context: ServerContext, library: Library
) -> None:
    for run_id in ("one", "two"):
        analysis(context, run_id, b"12345")
    analysis(context, "three", b"123456789")
    listing = library.listing(RunQuery())
    assert {one.run.run_id: (one.size_bytes, one.video_runs, one.has_video) for one in listing.items} == {
        "one": (5, 2, True),
        "two": (5, 2, True),
        "three": (9, 1, True),
    }
    assert listing.size_bytes == 14
    assert listing.free_bytes > 0
    assert [one.run.run_id for one in library.listing(RunQuery(visitor_ids=[], run_ids=["two"])).items] == ["two"]


def test_running_camera_is_neither_cancelled_nor_deleted_from_outside(context: ServerContext, library: Library) -> None:
    """Regression: it went on without its save points, and the list said that what was done is saved."""
    run = Run("camera", "live", "Camera", server_id="here")
    context.runs.create(run)
    context.runs.begin("camera", "here")
    context.runs.beat("camera", 0.0, b"so far")
    with pytest.raises(StoreError, match="the camera of 'Camera' is running"):
        library.cancel("camera")
    with pytest.raises(StoreError, match="the camera of 'Camera' is running"):
        library.remove(run)
    after = context.runs.load("camera")
    assert after is not None
    assert (after.state, after.removed_at) == ("running", None)
    assert context.runs.chunks("camera") == [b"so far"]


def test_deleted_run_comes_back_with_its_result_and_video(context: ServerContext, library: Library) -> None:
    run = analysis(context, "one")
    video = context.store.file_path(run.video_file)
    library.remove(run)
    assert library.listing(RunQuery()).items == []
    assert [one.run.run_id for one in library.listing(RunQuery(removed=True)).items] == ["one"]
    assert video.stat().st_mtime == 0.0, "its video makes room first"
    library.purge(datetime.now(UTC) - LATER)
    library.restore(run)
    assert time.time() - video.stat().st_mtime < 60
    assert [one.run.run_id for one in library.listing(RunQuery()).items] == ["one"]
    assert context.store.load_analysis("one") is not None


def test_purged_run_goes_with_its_video_unless_another_run_uses_it(context: ServerContext, library: Library) -> None:
    first, second = analysis(context, "one"), analysis(context, "two")
    alone = analysis(context, "three", b"another")
    for run in (first, alone):
        library.remove(run)
    shared, own = context.store.file_path(first.video_file), context.store.file_path(alone.video_file)
    assert shared.stat().st_mtime > 0, "another run uses it"
    copy = context.store.derived_path(own, "preview.mp4")
    copy.write_bytes(b"copy")
    library.purge(datetime.now(UTC) + LATER)
    assert context.store.load_analysis("one") is None
    assert library.runs.load("three") is None
    assert shared.is_file()
    assert not own.exists()
    assert not copy.exists()
    library.remove(second)
    library.purge(datetime.now(UTC) + LATER)
    assert not shared.exists()


def test_purged_run_leaves_a_video_that_was_uploaded_since(context: ServerContext, library: Library) -> None:
    def upload(visitor_id: str) -> StoredFile:
        return context.store.add_file(io.BytesIO(b"talk"), "talk.mp4", visitor_id=visitor_id)

    def run_and_delete(visitor_id: str) -> None:
        video = upload(visitor_id)
        run = Run(visitor_id, "analysis", "talk.mp4", video_file=video.path.name, state="done", visitor_id=visitor_id)
        library.runs.create(run)
        library.remove(run)

    run_and_delete("ana")
    path = upload("ben").path
    library.purge(datetime.now(UTC) + LATER)
    assert path.is_file()
    assert (own_bytes(context, "ana"), own_bytes(context, "ben")) == (0, 4)
    run_and_delete("ana")
    library.purge(datetime.now(UTC) + LATER)
    assert path.is_file(), "another visitor is about to analyze it"
    assert (own_bytes(context, "ana"), own_bytes(context, "ben")) == (0, 4)
    run_and_delete("ben")
    upload("ben")
    library.purge(datetime.now(UTC) + LATER)
    assert path.is_file(), "the same visitor is about to analyze it once more"
    run_and_delete("ben")
    library.purge(datetime.now(UTC) + LATER)
    assert not path.exists()


def test_purged_recording_goes_with_its_parts_and_a_visitor_is_charged_for_what_another_run_has(
    context: ServerContext, library: Library
) -> None:
    parts = [(io.BytesIO(bytes([k]) * 5), f"GX0{k}0042.MP4") for k in (1, 2)]
    video = context.store.add_recording(parts, visitor_id="ana")
    runs = [
        Run(run_id, "analysis", video.name, video_file=video.path.name, state="done", visitor_id="ana")
        for run_id in ("one", "two")
    ]
    for run in runs:
        library.runs.create(run)
    ledger, folder = UploadLedger(context.store.database), context.store.file_path("")
    library.remove(runs[0])
    library.purge(datetime.now(UTC) + LATER)
    assert ledger.bytes_of("ana", folder) == 10
    library.remove(runs[1])
    library.purge(datetime.now(UTC) + LATER)
    assert list(folder.iterdir()) == []


def test_deleted_runs_make_room_at_once_when_the_disk_is_nearly_full(
    context: ServerContext, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = analysis(context, "one")
    library.remove(run)
    library.make_room()
    assert context.store.file_path(run.video_file).is_file(), "there is room enough"
    monkeypatch.setattr(library_module, "_free_bytes", lambda _: 1000)
    library.make_room()
    assert not context.store.file_path(run.video_file).exists()
    assert library.runs.load("one") is None


def test_opening_a_run_makes_its_video_the_latest_used(context: ServerContext, library: Library) -> None:
    run = analysis(context, "one")
    video = context.store.file_path(run.video_file)
    os.utime(video, (1, 1))
    library.opened("one", run.video_file)
    assert time.time() - video.stat().st_mtime < 60
    opened = library.runs.load("one")
    assert opened is not None
    assert opened.opened_at is not None


def test_running_and_waiting_runs_are_listed_with_place_and_can_be_cancelled(
    context: ServerContext, library: Library
) -> None:
    go = threading.Event()

    def work(job: Job[None]) -> None:
        while not job.stops_within(0.01) and not go.is_set():
            pass

    running = context.jobs.start(work, "one", visitor_id="ana", long=True)
    context.jobs.start(work, "two", visitor_id="ana", long=True)
    for run_id in ("one", "two"):
        state = "running" if run_id == "one" else "waiting"
        request = {"settings": Settings(video_classifier_model="i3d").as_dict()}
        library.runs.create(Run(run_id, "analysis", "talk.mp4", state=state, visitor_id="ana", request=request))  # type: ignore[arg-type]
    wait_until(lambda: running.started)
    listed = {one.run.run_id: one for one in library.listing(RunQuery(visitor_ids=["ana"])).items}
    assert listed["one"].place is None
    assert listed["two"].place is not None
    assert listed["two"].place.number == 1
    assert listed["two"].facts == {"classifier": "i3d", "settings": "8 samples, every 2nd frame"}
    library.cancel("two")
    waiting = library.runs.load("two")
    assert waiting is not None
    assert waiting.state == "cancelled"
    library.cancel("one")
    assert running.wait(WAIT_S)
    run = library.runs.load("one")
    assert run is not None
    library.cancel("one")
    ended = library.runs.load("one")
    assert ended is not None
    assert ended.state == "cancelled", "nobody works on it any more"


def test_runs_from_before_facts_were_stored_get_them_and_old_deleted_ones_go(
    context: ServerContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    analysis(context, "one")
    gone = analysis(context, "two", b"other")
    library = Library(context)
    library.runs.remove(gone.run_id)
    monkeypatch.setattr(library_module, "KEPT_FOR", timedelta(0))
    library.listing(RunQuery())

    def facts() -> dict[str, object]:
        run = library.runs.load("one")
        return {} if run is None else dict(run.facts)

    wait_until(lambda: bool(facts()))
    assert facts()["people"] == 2
    assert facts()["duration_s"] == 4.0
    assert library.runs.load("two") is None


def test_two_thousand_runs_are_listed_quickly(context: ServerContext, library: Library) -> None:
    store_runs(context.store.database, 2000, "ana")
    library.listing(RunQuery(visitor_ids=["ana"]))
    began_s = time.process_time()
    assert len(library.listing(RunQuery(visitor_ids=["ana"])).items) == 2000
    assert time.process_time() - began_s < 0.8


def test_sampling_is_said_in_words() -> None:
    said = {skip: sampling_in_words(Settings(skip_frame=skip)) for skip in (1, 2, 3, 4)}
    assert said == {
        1: "8 samples, every frame",
        2: "8 samples, every 2nd frame",
        3: "8 samples, every 3rd frame",
        4: "8 samples, every 4th frame",
    }


def test_facts_of_a_request_are_those_that_it_has() -> None:
    one = Settings(video_classifier_model="s3d").as_dict()
    other = Settings(video_classifier_model="i3d").as_dict()
    assert facts_of_request({"settings": [one, other]})["classifier"] == "s3d, i3d"
    assert facts_of_request({}) == {}
    # the same classifier with two lengths: "i3d, i3d" and the length of the first said nothing of what differs
    longer = Settings(video_classifier_model="i3d", num_video_sequence_samples=32)
    expected = {"classifier": "i3d", "settings": "32, 8 samples, every 2nd frame"}
    assert facts_of_request({"settings": [longer.as_dict(), other]}) == expected
    settings = (longer, replace(longer, num_video_sequence_samples=8))
    timeline = generated_timeline(1, 2.0)
    entries = tuple(Entry(name, one, timeline=timeline) for name, one in zip(("long", "short"), settings, strict=True))
    assert facts_of_comparison(Comparison(entries)) == {**expected, "people": 1, "duration_s": 2.0}
    assert facts_of_request({"settings": "nonsense"}) == {}
