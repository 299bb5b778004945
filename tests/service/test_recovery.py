"""What a server does with the runs that another one left behind."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from recognizer.analysis.file import analyze
from recognizer.analysis.passes import PassStore
from recognizer.errors import LimitError, StoreError
from recognizer.export import content_of
from recognizer.files import StagedFile
from recognizer.networks.cache import ModelCache
from recognizer.networks.loading import Models
from recognizer.palette import ActionPalette
from recognizer.service.comparison_tasks import ComparisonRequest, start_comparison
from recognizer.service.drawing_tasks import start_rendering
from recognizer.service.jobs import Jobs
from recognizer.service.recovery import Recovery
from recognizer.service.run_work import RunWork
from recognizer.service.runs import Run, RunQuery, State
from recognizer.service.servers import SILENT_FOR, Server
from recognizer.service.store import AnalysisStore, StoredFile
from recognizer.service.tasks import ServerContext, start_analysis
from recognizer.settings import Settings
from tests.support.fakes import always, numbered_video, person, scripted_models
from tests.support.resuming import MemorySavePoints, document, save_always
from tests.support.runs import classifier_of, detector_of
from tests.support.waiting import WAIT_S, wait_until

pytestmark = pytest.mark.slow

SETTINGS = Settings(num_video_sequence_samples=4, skip_frame=1)
MAX_BYTES = 10**9
MakeContext = Callable[..., ServerContext]


class Cache(ModelCache):
    """Gives the same scripted networks each time."""

    def __init__(self) -> None:
        super().__init__()
        self.models = scripted_models(always(person()))

    def get(self, settings: Settings, progress: Any = None) -> Models:
        return self.models


@pytest.fixture
def new_server(tmp_path: Path) -> Iterator[MakeContext]:
    """Return servers that share their data."""
    contexts: list[ServerContext] = []

    def make(jobs: Jobs | None = None) -> ServerContext:
        crops = PassStore(tmp_path / "passes")
        contexts.append(ServerContext(jobs or Jobs(), AnalysisStore(tmp_path / "data"), Cache(), crops))
        return contexts[-1]

    yield make
    for context in contexts:
        context.server.leave()


@pytest.fixture
def video(new_server: MakeContext, make_video: Callable[..., Path]) -> StoredFile:
    with numbered_video(make_video, 30).open("rb") as stream:
        return new_server().store.add_file(stream, "clip.mkv")


def suspend_all(context: ServerContext) -> None:
    """Do what the end of a server does, from within a job."""
    for job in context.jobs._jobs.values():
        job.suspend()


def left_behind(context: ServerContext, video: StoredFile, *chunks: bytes, **changes: Any) -> Run:
    """Store a run that a server worked on until it was killed."""
    request = {"settings": SETTINGS.as_dict(), "max_file_bytes": MAX_BYTES, "size_bytes": video.size_bytes}
    values: dict[str, Any] = {
        "run_id": "one",
        "kind": "analysis",
        "video_name": video.name,
        "video_file": video.path.name,
        "video_sha256": video.sha256,
        "visitor_id": "somebody",
        "request": request,
        "server_id": f"{context.server.server_id.partition('-')[0]}-gone",
    } | changes
    run = Run(**values)
    context.runs.create(run)
    assert context.runs.begin(run.run_id, run.server_id)
    for chunk in chunks:
        assert context.runs.beat(run.run_id, 0.5, chunk)
    return run


def saved(video: StoredFile, monkeypatch: pytest.MonkeyPatch) -> tuple[str, list[bytes]]:
    """Return the result of a run that is left alone, and its save points."""
    kept = MemorySavePoints()
    with monkeypatch.context() as patch:
        save_always(patch)
        models = scripted_models(always(person()))
        return document(analyze(video.path, SETTINGS, models=models, save_points=kept)), kept.kept


def finished(context: ServerContext, run_id: str = "one") -> Run:
    def run() -> Run:
        found = context.runs.load(run_id)
        assert found is not None
        return found

    wait_until(lambda: run().is_finished)
    return run()


class TestAnalysis:
    def test_it_goes_on_from_its_save_point(
        self, new_server: MakeContext, video: StoredFile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        whole, chunks = saved(video, monkeypatch)
        context = new_server()
        left_behind(context, video, *chunks[:4])
        assert [run.run_id for run in Recovery(context).take_over()] == ["one"]
        job = context.jobs.get("one")
        assert job is not None
        assert (job.about, job.visitor_id) == (video, "somebody")
        run = finished(context)
        assert (run.state, run.problem, run.progress) == ("done", "", 1.0)
        assert run.facts["people"] == 1
        assert run.remark == job.remark == "The server restarted; this analysis went on at 0:00."
        assert context.runs.chunks("one") == []
        analysis = context.store.load_analysis("one")
        assert analysis is not None
        assert document(analysis.timeline) == whole
        assert detector_of(context.models.get(SETTINGS)).seen != []
        assert len(detector_of(context.models.get(SETTINGS)).seen) < 30
        assert classifier_of(context.models.get(SETTINGS)).clips

    def test_what_a_server_finished_is_left_alone(self, new_server: MakeContext, video: StoredFile) -> None:
        context = new_server()
        job = start_analysis(context, "one", video, SETTINGS, MAX_BYTES, visitor_id="somebody")
        assert job.wait(WAIT_S)
        run = finished(context)
        assert (run.kind, run.state, run.visitor_id, run.video_name) == ("analysis", "done", "somebody", "clip.mkv")
        context.server.leave()
        assert Recovery(new_server()).take_over() == []

    def test_a_server_that_ends_in_order_hands_its_runs_on(
        self, new_server: MakeContext, video: StoredFile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        whole, _ = saved(video, monkeypatch)
        context, other = new_server(), new_server()

        def ends_meanwhile(cache: Cache, *_: object) -> Models:
            suspend_all(context)
            return cache.models

        monkeypatch.setattr(Cache, "get", ends_meanwhile)
        recovery = Recovery(context)
        recovery.start()
        job = start_analysis(context, "one", video, SETTINGS, MAX_BYTES)
        assert job.wait(WAIT_S)
        assert job.result is None
        monkeypatch.undo()
        assert Recovery(other).take_over() == [], "its server is still there"
        recovery.end()
        assert len(Recovery(other).take_over()) == 1
        assert finished(other).state == "done"
        analysis = other.store.load_analysis("one")
        assert analysis is not None
        assert document(analysis.timeline) == whole

    def test_one_that_waits_for_its_turn_waits_again(self, new_server: MakeContext, video: StoredFile) -> None:
        context = new_server()
        run = left_behind(context, video)
        gone = Run(**{**vars(run), "run_id": "two"})
        context.runs.create(gone)
        assert [run.run_id for run in Recovery(context).take_over()] == ["one", "two"]
        assert finished(context, "two").state == "done"

    def test_cancelled_before_its_turn_it_is_cancelled(self, new_server: MakeContext, video: StoredFile) -> None:
        context = new_server(Jobs(max_long_at_once=1))
        go = threading.Event()
        first = context.jobs.start(lambda _: go.wait(WAIT_S), long=True)
        run = Run("one", "analysis", "clip.mkv", server_id=context.server.server_id)
        context.runs.create(run)
        job = context.jobs.start(lambda _: None, "one", long=True)
        job.cancel()
        assert job.finished
        Recovery(context)._look()
        go.set()
        assert first.wait(WAIT_S)
        assert finished(context).state == "cancelled"

    def test_settings_of_another_version_are_left_out(self, new_server: MakeContext, video: StoredFile) -> None:
        context = new_server()
        request = {"settings": {**SETTINGS.as_dict(), "colour": "blue"}, "max_file_bytes": MAX_BYTES}
        left_behind(context, video, request=request)
        Recovery(context).take_over()
        assert finished(context).state == "done"

    def test_a_video_that_is_gone_ends_it_with_a_sentence(self, new_server: MakeContext, video: StoredFile) -> None:
        context = new_server()
        left_behind(context, video)
        video.path.unlink()
        Recovery(context).take_over()
        run = finished(context)
        assert run.state == "failed"
        assert run.problem == ("the video 'clip.mkv' is no longer stored here; drop it in again and start again.")

    def test_a_failure_ends_it_with_its_sentence(self, new_server: MakeContext, video: StoredFile) -> None:
        video.path.write_bytes(b"no video")
        context = new_server()
        job = start_analysis(context, "one", video, SETTINGS, MAX_BYTES)
        assert job.wait(WAIT_S)
        run = finished(context)
        assert (run.state, run.problem) == ("failed", job.error)

    def test_a_request_of_another_program_ends_alone(self, new_server: MakeContext, video: StoredFile) -> None:
        context = new_server()
        left_behind(context, video, run_id="odd", request={"settings": {"colour": "blue"}})
        left_behind(context, video)
        Recovery(context).take_over()
        assert finished(context, "odd").state == "failed"
        assert finished(context).state == "done"

    def test_one_whose_end_cannot_be_stored_does_not_hold_up_the_others(
        self, new_server: MakeContext, video: StoredFile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        context = new_server()
        left_behind(context, video, run_id="odd", request={"settings": {"colour": "blue"}})
        left_behind(context, video)
        end = context.runs.end

        def no_room_for_one(run_id: str, *how: Any, **more: Any) -> None:
            if run_id == "odd":
                raise StoreError("the runs could not be saved, because there is no room on the disk; make room.")
            end(run_id, *how, **more)

        monkeypatch.setattr(context.runs, "end", no_room_for_one)
        assert [run.run_id for run in Recovery(context).take_over()] == ["odd", "one"]
        assert finished(context).state == "done"

    def test_it_works_without_a_database(
        self, new_server: MakeContext, video: StoredFile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        context = new_server()

        def full(*_: object, **__: object) -> None:
            raise StoreError("the runs could not be saved, because there is no room on the disk; make room.")

        for name in ("create", "begin", "beat", "end", "load", "chunks"):
            monkeypatch.setattr(context.runs, name, full)
        job = start_analysis(context, "one", video, SETTINGS, MAX_BYTES)
        assert job.wait(WAIT_S)
        assert job.error is None
        assert job.result is not None
        assert job.result.timeline.complete


class TestCrashes:
    def test_a_run_that_ends_its_server_at_one_place_is_not_tried_a_third_time(
        self, new_server: MakeContext, video: StoredFile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _, chunks = saved(video, monkeypatch)
        context = new_server()
        run = left_behind(context, video, *chunks[:2])
        monkeypatch.setattr("recognizer.service.recovery.start_analysis", lambda *_, **__: None)
        for number in range(2):
            assert context.runs.load("one").state == "running", number  # type: ignore[union-attr]
            assert Recovery(context).take_over()
            context.runs.claim(run.server_id, [context.server.server_id])
        failed = finished(context)
        assert failed.state == "failed"
        assert failed.problem.startswith(
            "the server ended 2 times at the same place of 'clip.mkv', so the run does not"
        )

    def test_one_that_gets_on_is_tried_again_and_again(
        self, new_server: MakeContext, video: StoredFile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        context = new_server()
        run = left_behind(context, video)
        monkeypatch.setattr("recognizer.service.recovery.start_analysis", lambda *_, **__: None)
        for _ in range(5):
            assert Recovery(context).take_over()
            context.runs.claim(run.server_id, [context.server.server_id])
            assert context.runs.beat("one", 0.5, b"more")


class TestComparison:
    def test_it_goes_on_with_the_entry_that_was_running(
        self, new_server: MakeContext, video: StoredFile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        context, other = new_server(), new_server()
        recovery = Recovery(context)
        settings = tuple(Settings(**{**SETTINGS.as_dict(), "video_classifier_model": name}) for name in ("s3d", "i3d"))
        loaded: list[str] = []

        def get(cache: Cache, one: Settings, progress: Any = None) -> Models:
            loaded.append(one.video_classifier_model)
            if loaded == ["s3d", "i3d"]:
                suspend_all(context)
            return cache.models

        monkeypatch.setattr(Cache, "get", get)
        request = ComparisonRequest(video, settings, (None, None))
        assert start_comparison(context, "one", request, (), MAX_BYTES).wait(WAIT_S)
        recovery._context.server.leave()
        assert len(Recovery(other).take_over()) == 1
        assert finished(other).state == "done"
        assert loaded == ["s3d", "i3d", "i3d"]
        stored = other.comparisons.load("one")
        assert stored is not None
        assert len(stored.comparison.finished) == 2

    def test_settings_of_another_version_are_left_out(self, new_server: MakeContext, video: StoredFile) -> None:
        context = new_server()
        request = {"checkpoint_names": [None], "max_file_bytes": MAX_BYTES}
        settings = [{**SETTINGS.as_dict(), "colour": "blue"}]
        left_behind(context, video, kind="comparison", request={**request, "settings": settings})
        Recovery(context).take_over()
        run = finished(context)
        assert run.state == "done"
        assert run.remark == "The server restarted; this comparison went on at 0 %."

    def test_another_entry_lets_it_run_once_more(self, new_server: MakeContext, video: StoredFile) -> None:
        context = new_server()
        settings = tuple(
            Settings(**{**SETTINGS.as_dict(), "video_classifier_model": name}) for name in ("s3d", "i3d", "r3d_18")
        )
        first = start_comparison(context, "one", ComparisonRequest(video, settings[:2], (None,) * 2), (), MAX_BYTES)
        assert first.wait(WAIT_S)
        assert first.result is not None
        known = first.result.comparison.finished
        second = start_comparison(context, "one", ComparisonRequest(video, settings, (None,) * 3), known, MAX_BYTES)
        assert second.wait(WAIT_S)
        assert second.result is not None
        assert len(second.result.comparison.finished) == 3
        run = finished(context)
        assert (run.state, len(run.request["settings"])) == ("done", 3)


def test_what_killed_processes_did_not_finish_writing_is_removed(new_server: MakeContext, tmp_path: Path) -> None:
    context = new_server()
    files, passes, long_ago_s = tmp_path / "data" / "files", tmp_path / "passes", time.time() - 4000
    writing = context.pass_store.record("key", SETTINGS.crop_style)
    for folder, is_locked in (("writing-killed", True), ("writing-before-locks", False)):
        (passes / folder).mkdir()
        (passes / folder / "crops.u8").write_bytes(b"crops")
        if is_locked:
            (passes / f"{folder}.lock").touch()
    os.utime(passes / "writing-before-locks", (0, 0))
    arriving, left = StagedFile(files), StagedFile(files, "drawing.mp4")
    for file in (arriving, left):
        file.path.touch()
    os.utime(left.path, (long_ago_s, long_ago_s))
    recovery = Recovery(context)
    recovery.start()
    assert sorted(path.suffix for path in passes.iterdir()) == ["", ".lock"], "the one that is being written"
    assert [path for path in files.iterdir() if path.name.startswith(".")] == [arriving.path]
    writing.discard()
    assert not list(passes.iterdir())
    recovery.end()


def test_a_drawing_is_drawn_again(new_server: MakeContext, video: StoredFile, monkeypatch: pytest.MonkeyPatch) -> None:
    context, other = new_server(), new_server()
    job = start_analysis(context, "one", video, SETTINGS, MAX_BYTES)
    assert job.wait(WAIT_S)
    analysis = job.result
    assert analysis is not None
    opened = context.workbench.opened("one")
    assert opened is not None
    content = content_of(opened.corrected, video.name)

    def killed(*_: object, **__: object) -> bool:
        suspend_all(context)
        return False

    monkeypatch.setattr("recognizer.drawing.video.render_video", killed)
    assert start_rendering(context, analysis, content, ActionPalette(), "shown").wait(WAIT_S)
    monkeypatch.undo()
    context.server.leave()
    (run,) = Recovery(other).take_over()
    assert (run.kind, run.result_id) == ("drawing", "one")
    assert finished(other, run.run_id).state == "done"
    assert other.store.file_path(run.request["target"]).is_file()


class TestServers:
    def test_of_two_that_look_one_takes_over(self, new_server: MakeContext, video: StoredFile) -> None:
        one, other = new_server(), new_server()
        left_behind(one, video)
        taken = [*Recovery(one).take_over(), *Recovery(other).take_over()]
        assert [run.run_id for run in taken] == ["one"]
        assert finished(other).state == "done"

    def test_the_lock_of_a_killed_process_is_free(self, tmp_path: Path) -> None:
        code = (
            "import sys, time, pathlib; from recognizer.service.servers import Server;"
            "server = Server(pathlib.Path(sys.argv[1])); print(server.server_id, flush=True); time.sleep(60)"
        )
        words = [sys.executable, "-c", code, str(tmp_path)]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=os.environ) as process:
            assert process.stdout is not None
            run = Run("one", "analysis", "clip.mkv", server_id=process.stdout.readline().strip())
            server = Server(tmp_path)
            assert not server.is_gone(run)
            process.kill()
        assert server.is_gone(run)

    @pytest.mark.parametrize("silent_for", [timedelta(), SILENT_FOR / 2, SILENT_FOR * 2])
    def test_a_server_elsewhere_is_gone_after_a_silence(self, tmp_path: Path, silent_for: timedelta) -> None:
        before = datetime.now(UTC) - timedelta(hours=1)
        run = Run("one", "analysis", "clip.mkv", server_id="elsewhere-1", created_at=before)
        run = Run(**{**vars(run), "started_at": before, "heartbeat_at": datetime.now(UTC) - silent_for})
        assert Server(tmp_path).is_gone(run) == (silent_for > SILENT_FOR)

    def test_signs_of_life_are_given_for_those_that_wait(self, new_server: MakeContext) -> None:
        context = new_server()
        context.runs.create(Run("one", "analysis", "clip.mkv", server_id=context.server.server_id))
        Recovery(context)._look()
        run = context.runs.load("one")
        assert run is not None
        assert run.heartbeat_at is not None

    def test_work_that_another_server_took_over_stops(self, new_server: MakeContext, video: StoredFile) -> None:
        context, other = new_server(), new_server()
        work = context.work_on("one", "analysis", video, "", {})

        def saves(job: Any) -> bool:
            other.runs.claim(other.server.server_id, [context.server.server_id])
            work.save(b"a save point")
            return bool(job.suspended)

        job = work.start(context.jobs, saves)
        assert job.wait(WAIT_S)
        assert job.result is True
        work.end("done")
        run = context.runs.load("one")
        assert run is not None
        assert (run.state, run.server_id) == ("running", other.server.server_id)
        assert context.runs.chunks("one") == []


class TestRefused:
    @pytest.fixture
    def context(self, new_server: MakeContext, monkeypatch: pytest.MonkeyPatch) -> ServerContext:
        """Return a server that refuses every job."""
        context = new_server()

        def refuse(*_: object, **__: object) -> None:
            raise LimitError("1 of your runs waits already, the limit is 1; wait.")

        monkeypatch.setattr(context.jobs, "start", refuse)
        return context

    def test_a_new_run_is_not_listed(self, context: ServerContext) -> None:
        work = RunWork(context.runs, Run("one", "analysis", "clip.mkv", server_id=context.server.server_id))
        with pytest.raises(LimitError):
            work.start(context.jobs, lambda _: None)
        assert context.runs.list(RunQuery()) == []

    @pytest.mark.parametrize("state", ["done", "cancelled", "failed"])
    def test_one_that_had_ended_stays_as_it_was(self, context: ServerContext, state: State) -> None:
        context.runs.create(Run("one", "comparison", "clip.mkv", visitor_id="ana", request={"settings": ["s3d"]}))
        context.runs.begin("one", "")
        context.runs.beat("one", 0.5)
        context.runs.end("one", state, "the disk is full." if state == "failed" else "", {"people": 2})
        before = context.runs.load("one")
        other = Run("one", "comparison", "clip.mkv", visitor_id="ben", request={"settings": []}, server_id="another")
        with pytest.raises(LimitError):
            RunWork(context.runs, other).start(context.jobs, lambda _: None)
        assert context.runs.load("one") == before


def test_a_run_stays_its_owners_whoever_lets_it_run_again(new_server: MakeContext, video: StoredFile) -> None:
    context = new_server()
    for visitor in ("ana", "ben"):
        assert start_analysis(context, "one", video, SETTINGS, MAX_BYTES, visitor_id=visitor).wait(WAIT_S)
        run = finished(context)
        assert (run.state, run.visitor_id) == ("done", "ana")
