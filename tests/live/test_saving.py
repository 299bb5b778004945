"""A camera's session whose server is killed: everything but its last seconds is an analysis afterwards."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.packet import Packet
from numpy.typing import NDArray

from recognizer.analysis.passes import PassStore
from recognizer.errors import StoreError, VideoError
from recognizer.files import StagedFile
from recognizer.live import saving
from recognizer.live.camera import TabCamera
from recognizer.live.controls import Controls
from recognizer.live.recording import Recorded, Recording
from recognizer.live.saving import SessionSaver
from recognizer.networks.cache import ModelCache
from recognizer.palette import ActionPalette
from recognizer.service.jobs import Jobs
from recognizer.service.library import Library
from recognizer.service.live_sessions import rejoined
from recognizer.service.playable import PLAIN, RECORDING
from recognizer.service.recovery import Recovery
from recognizer.service.runs import RunQuery
from recognizer.service.store import AnalysisStore
from recognizer.service.tasks import ServerContext
from recognizer.settings import Settings
from recognizer.timeline.builder import TimelineBuilder
from recognizer.timeline.model import Timeline
from recognizer.types import CameraStep, Prediction, TrackedPerson, VideoInfo
from recognizer.video import VideoWriter, open_video, writer
from recognizer.video.remuxing import make_seekable
from tests.support.fakes import numbered_picture, scripted_models
from tests.support.live import ONE, SETTINGS, SIZE
from tests.support.resuming import document
from tests.support.waiting import PAUSE_S, WAIT_S, wait_until


@pytest.fixture(autouse=True)
def saved_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saving, "EVERY_S", 0.02)
    monkeypatch.setitem(writer._IN_FRAGMENTS, "frag_duration", "20000")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerContext]:
    context = _server(tmp_path)
    yield context
    context.server.leave()


def _server(folder: Path) -> ServerContext:
    return ServerContext(Jobs(), AnalysisStore(folder / "data"), ModelCache(), PassStore(folder / "crops"))


@pytest.fixture
def camera(server: ServerContext) -> Iterator[TabCamera]:
    camera = TabCamera(server, scripted_models(ONE), SETTINGS, ActionPalette(), "somebody")
    yield camera
    camera.end()


def watch(camera: TabCamera, server: ServerContext) -> str:
    """Give the camera pictures until labels are saved; return the session's id."""
    end_s, number = time.monotonic() + WAIT_S, 0
    while time.monotonic() < end_s:
        camera.annotate(numbered_picture(number, *SIZE), time.monotonic())
        number += 1
        time.sleep(PAUSE_S)
        session = camera.session
        if session is not None and session.stream.timeline().predictions and number > 100:
            wait_until(_saved_twice(server, session.analysis_id))
            return session.analysis_id
    raise AssertionError("nothing was labelled")


def _saved_twice(server: ServerContext, session_id: str) -> Callable[[], bool]:
    """Return whether two more save points followed, of which the second began after now."""
    saved = len(server.runs.chunks(session_id))
    return lambda: len(server.runs.chunks(session_id)) > saved + 1


def test_a_session_whose_server_is_gone_is_an_analysis_and_a_comparison(
    camera: TabCamera, server: ServerContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = scripted_models(ONE, lambda _: (("jogging", 0.7), ("waving", 0.1)))
    monkeypatch.setattr(ModelCache, "get", lambda *_, **__: others)
    second = replace(SETTINGS, video_classifier_model="i3d")
    camera.adjust(Controls(SETTINGS, recording=True, other=second))
    session_id = watch(camera, server)
    assert camera.session is not None
    stream = camera.session.stream
    wait_until(lambda: bool((other := stream.other_timeline()) and other.predictions))
    wait_until(_saved_twice(server, session_id))
    camera.session._saver.end()
    seen = camera.session.stream.timeline()
    (run,) = server.runs.list(RunQuery())
    assert (run.run_id, run.kind, run.state, run.visitor_id) == (session_id, "live", "running", "somebody")
    server.server.leave()
    other = _server(tmp_path)
    Recovery(other).take_over()
    (run,) = other.runs.list(RunQuery())
    assert (run.state, run.facts["people"]) == ("done", 1)
    kept = other.store.load_analysis(session_id)
    assert kept is not None
    assert kept.video_name == run.video_name
    assert kept.timeline.complete
    assert kept.timeline.predictions[:-1] == seen.predictions[: len(kept.timeline.predictions) - 1]
    assert len(seen.predictions) - len(kept.timeline.predictions) <= 1, "one may have come since the last save point"
    assert seen.analysed_s - kept.timeline.analysed_s < 5
    np.testing.assert_array_equal(kept.timeline.frame_times_s, seen.frame_times_s)
    assert kept.timeline.provenance[RECORDING] == PLAIN
    assert run.video_file == kept.video_path.name
    with open_video(kept.video_path) as reader:
        pictures = [frame.time_s for frame in reader.frames()]
    assert len(pictures) > 10
    assert pictures[-1] + kept.timeline.reading.first_picture_s > seen.frame_times_s[-1] - 5
    stored = other.comparisons.load(session_id)
    assert stored is not None
    first_entry, second_entry = stored.comparison.entries
    assert first_entry.timeline is not None
    assert second_entry.timeline is not None
    assert first_entry.timeline.predictions == kept.timeline.predictions
    assert second_entry.settings.video_classifier_model == "i3d"
    assert len(second_entry.timeline.people) == len(kept.timeline.people)
    said = second_entry.timeline.predictions
    assert {one.top[0][0] for one in said} == {"jogging"}
    assert len(said) == len({(one.person_id, one.start_s) for one in said}) > 0
    other.server.leave()


def test_a_session_that_cannot_be_stored_keeps_its_save_points_until_it_can(
    camera: TabCamera, server: ServerContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = watch(camera, server)
    assert camera.session is not None
    camera.session._saver.end()
    server.server.leave()
    other = _server(tmp_path)

    def full(*_: object) -> None:
        raise StoreError("the analysis could not be saved, because there is no room on the disk; make room.")

    with monkeypatch.context() as patch:
        patch.setattr(other.store, "save_analysis", full)
        Recovery(other).take_over()
        (run,) = other.runs.list(RunQuery())
        assert (run.state, run.problem) == ("running", "")
        assert other.runs.chunks(session_id) != []
    other.unsaved.save_now(session_id)
    (run,) = other.runs.list(RunQuery())
    assert (run.state, run.facts["people"]) == ("done", 1)
    assert other.store.load_analysis(session_id) is not None
    other.server.leave()


def test_one_without_a_save_point_fails_with_a_sentence(server: ServerContext, tmp_path: Path) -> None:
    camera = TabCamera(server, scripted_models(ONE), SETTINGS, ActionPalette())
    camera.annotate(numbered_picture(0, *SIZE), time.monotonic())
    (run,) = server.runs.list(RunQuery())
    server.server.leave()
    other = _server(tmp_path)
    other.runs.chunks = lambda _: []  # type: ignore[method-assign, assignment]  # it was killed at once
    Recovery(other).take_over()
    (run,) = other.runs.list(RunQuery())
    assert (run.state, run.problem) == ("failed", "the session ended with its server before anything was saved.")
    other.server.leave()
    camera.end()


def test_the_end_of_a_session_ends_its_run(camera: TabCamera, server: ServerContext) -> None:
    session_id = watch(camera, server)
    ended = camera.end()
    assert ended is not None
    run = server.runs.load(session_id)
    assert run is not None
    assert (run.state, run.video_name, run.facts["people"]) == ("done", ended.run.video_name, 1)
    assert server.runs.chunks(session_id) == []


def test_the_run_of_a_recorded_session_has_its_recording(camera: TabCamera, server: ServerContext) -> None:
    camera.adjust(Controls(SETTINGS, recording=True))
    session_id = watch(camera, server)
    ended = camera.end()
    assert ended is not None
    run = server.runs.load(session_id)
    assert run is not None
    assert run.video_file == ended.run.video_path.name
    (item,) = Library(server).listing(RunQuery()).items
    assert item.has_video
    assert item.size_bytes >= ended.run.video_path.stat().st_size > 0


def test_a_full_disk_does_not_end_the_saving(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(saving, "EVERY_S", 0.02)
    saved: list[Timeline] = []
    problems = [StoreError("no room; make some.")] * 2
    seen: list[str | None] = []
    begun = threading.Event()

    def save(timeline: Timeline, _since_s: float) -> None:
        assert begun.wait(WAIT_S)
        seen.append(saver.problem)
        if problems:
            raise problems.pop()
        saved.append(timeline)

    saver = SessionSaver(lambda since_s: _built(2.0, since_s), save)
    begun.set()
    wait_until(lambda: len(saved) > 1)
    saver.end()
    assert seen[:4] == [None, "no room; make some.", "no room; make some.", None]
    # other threads of this process may have something to say as well, such as that they are late
    assert sum(record.name == saving.__name__ for record in caplog.records) == 1
    assert len(saved[0].frame_times_s) == 60
    assert len(saved[1].frame_times_s) == 0


def test_a_frame_with_the_time_of_the_last_saved_one_is_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Regression: it was left out. Windows' clock may give two frames the same time."""
    monkeypatch.setattr(saving, "EVERY_S", 0.02)
    times_s = [0.0, 0.5, 0.5, 0.5, 0.5, 0.75]
    known, saved = iter([2, 3, 3, 5, 6]), list[list[float]]()
    whole = _built(1.0, 0.0)

    def timeline(_since_s: float) -> Timeline:
        return replace(whole, frame_times_s=np.array(times_s[: next(known, 6)]))

    saver = SessionSaver(timeline, lambda part, _since_s: saved.append(part.frame_times_s.tolist()))
    wait_until(lambda: len(saved) > 5)
    saver.end()
    assert saved[:6] == [[0.0, 0.5], [0.5], [], [0.5, 0.5], [0.75], []]


_VIDEO = VideoInfo(None, 640, 480, None, None, None, None)


def _built(until_s: float, since_s: float, clips_until_s: float | None = None) -> Timeline:
    """Return a stream's timeline from one time to another; labels may be late."""
    builder = TimelineBuilder(Settings(), 30.0)
    for number in range(round(until_s * 15)):
        time_s = number / 15
        people = [TrackedPerson(1, (number, 10, number + 30.5, 90), 0.5 + number % 7 / 20)]
        people += [TrackedPerson(2, (300, 10, 330, 90 + number), 0.9)] if number % 40 < 20 else []
        builder.add_people(time_s, people, CameraStep(1.0, 0.0, number, 0.5))
    for number in range(1, round((until_s if clips_until_s is None else clips_until_s) * 2)):
        said = (("waving", 0.5 + number / 1000), ("jogging", 0.1))
        builder.add_predictions([Prediction(1 + number % 2, number / 2 - 0.4, number / 2, said, "scripted")])
    times_s = np.arange(round(until_s * 30)) / 30
    return builder.build(_VIDEO, frame_times_s=times_s, complete=False, since_s=since_s)


def test_parts_make_the_whole() -> None:
    parts, saved_s, frames_s = [], -np.inf, -np.inf
    for until_s in (3.0, 6.1, 9.0, 12.4, 12.4):
        part = _built(until_s, saved_s - 5.0, until_s - 3.0 if until_s < 12 else None)
        times_s = part.frame_times_s
        parts.append(replace(part, frame_times_s=times_s[times_s > frames_s]))
        saved_s, frames_s = part.analysed_s, times_s[-1]
    whole = replace(_built(12.4, -np.inf), complete=True)
    joined = rejoined(parts)
    assert len(joined.notes) == 1
    assert document(replace(joined, notes=())) == document(whole)


class TestGrowingRecording:
    def test_it_can_be_played_at_any_time(self, tmp_path: Path) -> None:
        path = tmp_path / "growing.mp4"
        with VideoWriter(path, 30, 64, 48, preset="ultrafast", grows=True) as growing:
            for number in range(60):
                growing.write(numbered_picture(number), number / 30)
            left = tmp_path / "left.mp4"
            left.write_bytes(path.read_bytes()[:-7])  # killed within a fragment
        with open_video(left) as reader:
            before = [frame.time_s for frame in reader.frames()]
        assert len(before) > 40
        make_seekable(left)
        for one in (left, path):
            with av.open(str(one)) as container:
                assert container.streams.video[0].frames >= len(before) - 1, "it has an index"
            content = one.read_bytes()
            assert content.index(b"moov") < content.index(b"mdat")
            assert b"moof" not in content
        with open_video(path) as reader:
            assert len(list(reader.frames())) == 60
        assert sorted(one.name for one in tmp_path.iterdir()) == ["growing.mp4", "left.mp4"]

    def test_it_stays_if_there_is_no_room_for_its_index(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Regression: the recording counted as failed, and its file was left where nothing refers to it."""

        def no_room(_staged: StagedFile, _destination: Path) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(StagedFile, "commit", no_room)
        recording = Recording(tmp_path / "a.mp4")
        for number in range(30):
            recording.add(numbered_picture(number), 5.0 + number / 30)
        assert recording.close() == Recorded(tmp_path / "a.mp4", 5.0)
        assert recording.problem is None
        with open_video(tmp_path / "a.mp4") as reader:
            assert len(list(reader.frames())) == 30
        assert [one.name for one in tmp_path.iterdir()] == ["a.mp4"]

    def test_what_was_written_before_the_disk_was_full_stays(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Regression: the whole recording was discarded."""
        written = VideoWriter.write

        def write(self: VideoWriter, rgb: NDArray[np.uint8], time_s: float) -> None:
            if time_s > 2.0:
                self._mux(full)
            written(self, rgb, time_s)

        def full() -> list[Packet[Any]]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(VideoWriter, "write", write)
        recording = Recording(tmp_path / "a.mp4")
        for number in range(90):
            recording.add(numbered_picture(number), 5.0 + number / 30)
            wait_until(lambda: not recording._waiting or recording.problem is not None)
        assert recording.left_out == 0, "it no longer records"
        assert recording.close() == recording.so_far == Recorded(tmp_path / "a.mp4", 5.0)
        assert recording.problem == (
            "the recording ended, and what came in the 2 s before is kept: its file cannot be written, the system says "
            "'no space left on device'; choose another folder or free some space."
        )
        with open_video(tmp_path / "a.mp4") as reader:
            assert 55 < len(list(reader.frames())) <= 61

    def test_one_that_ends_before_its_first_picture_leaves_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: object) -> None:
            raise VideoError("'a.mp4' cannot be written; free some space.")

        monkeypatch.setattr(VideoWriter, "write", full)
        recording = Recording(tmp_path / "a.mp4")
        recording.add(numbered_picture(0), 5.0)
        assert recording.close() is None
        assert recording.so_far is None
        assert recording.problem == (
            "the recording ended, and nothing of it is kept: its file cannot be written; free some space."
        )
        assert list(tmp_path.iterdir()) == []

    def test_a_session_whose_recording_ended_early_says_so(
        self, camera: TabCamera, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: object) -> None:
            raise VideoError("the disk is full.")

        monkeypatch.setattr(VideoWriter, "write", full)
        camera.adjust(Controls(SETTINGS, recording=True))
        camera.annotate(numbered_picture(0, *SIZE), time.monotonic())
        session = camera.session
        assert session is not None
        wait_until(lambda: session.stream.recorder.problem is not None)
        ended = camera.end()
        assert ended is not None
        assert ended.run.timeline.notes[-1] == "The recording ended, and nothing of it is kept: the disk is full."

    def test_one_without_pictures_is_left_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "empty.mp4"
        path.write_bytes(b"")
        with pytest.raises(VideoError):
            make_seekable(path)
        assert path.read_bytes() == b""

    def test_an_error_leaves_nothing(self, tmp_path: Path) -> None:
        with pytest.raises(ZeroDivisionError), VideoWriter(tmp_path / "a.mp4", 30, 64, 48, grows=True):
            raise ZeroDivisionError
        assert list(tmp_path.iterdir()) == []
