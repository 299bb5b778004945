"""One tab's camera, over several starts: how a session begins, ends and is stored."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import psutil
import pytest
from numpy.typing import NDArray

from recognizer.analysis.passes import PassStore
from recognizer.errors import StoreError
from recognizer.live import camera as camera_module
from recognizer.live import warming as warming_module
from recognizer.live import watchdog as watchdog_module
from recognizer.live.camera import TabCamera
from recognizer.live.controls import Controls
from recognizer.live.session import LiveSession
from recognizer.memory import give_back_memory
from recognizer.networks.cache import ModelCache
from recognizer.networks.loading import Models
from recognizer.palette import ActionPalette
from recognizer.service.jobs import Jobs
from recognizer.service.store import AnalysisStore
from recognizer.service.tasks import ServerContext
from recognizer.settings import Settings
from tests.support.fakes import ScriptedDetector, always, numbered_picture, scripted_models
from tests.support.live import ONE, PROMPT_S, SETTINGS, SIZE, HeldClassifier, frames_of, live_threads, saying
from tests.support.waiting import WAIT_S


@pytest.fixture
def camera_of(tmp_path: Path) -> Iterator[Callable[..., tuple[TabCamera, ServerContext]]]:
    cameras: list[TabCamera] = []

    def make(models: Models, settings: Settings = SETTINGS) -> tuple[TabCamera, ServerContext]:
        context = ServerContext(Jobs(), AnalysisStore(tmp_path / "data"), ModelCache(), PassStore(tmp_path / "crops"))
        cameras.append(TabCamera(context, models, settings, ActionPalette()))
        return cameras[-1], context

    yield make
    for camera in cameras:
        camera.end()


def take(camera: TabCamera, number: int = 0) -> NDArray[np.uint8]:
    given = av.VideoFrame.from_ndarray(numbered_picture(number, *SIZE), format="rgb24")
    return np.asarray(camera.take(given).to_ndarray(format="rgb24"), np.uint8)


def take_until(camera: TabCamera, condition: Callable[[], bool]) -> None:
    end_s = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end_s
        take(camera)
        time.sleep(0.01)


def predictions_so_far(camera: TabCamera) -> int:
    session = camera.session
    return len(session.stream.timeline().predictions) if session is not None else 0


def session_of(camera: TabCamera) -> LiveSession:
    """The running session or the last one."""
    assert camera.latest is not None
    return camera.latest


def test_settings_chosen_before_start_hold_from_the_first_frame(
    camera_of: Callable[..., tuple[TabCamera, ServerContext]],
) -> None:
    """Regression: they were changed while the stream ran, and the stored session began with the ones before them."""
    models = scripted_models(ONE)
    camera, _ = camera_of(models)
    chosen = replace(SETTINGS, num_video_sequence_samples=6, tracker="bytetrack", skip_frame=2)
    camera.adjust(Controls(chosen))
    take(camera)
    stream = session_of(camera).stream
    assert not stream.stats().changing
    assert stream.settings == chosen
    assert stream.timeline().settings == chosen


def test_ended_stream_is_kept_and_the_next_start_begins_another(
    camera_of: Callable[..., tuple[TabCamera, ServerContext]],
) -> None:
    before = live_threads()
    camera, context = camera_of(scripted_models(ONE))
    assert camera.end() is None
    assert camera.session is None
    assert camera.latest is None
    take_until(camera, lambda: predictions_so_far(camera) > 0)
    assert camera.session is not None
    first_end = camera.end()
    assert live_threads() == before
    assert camera.end() is first_end
    assert first_end is not None
    assert first_end.problem is None
    assert not first_end.lost
    first_id = first_end.run.analysis_id
    first = context.store.load_analysis(first_id)
    assert first is not None
    assert first.video_name.startswith("Camera 20")
    assert first.timeline.complete
    assert first.timeline.predictions
    assert not first.video_path.is_file()
    take(camera, 3)
    assert camera.session is None, "a late frame begins nothing"
    camera.arm()
    take_until(camera, lambda: predictions_so_far(camera) > 0)
    timeline = session_of(camera).stream.timeline()
    assert [track.person_id for track in timeline.people] == [1]
    assert timeline.frame_times_s[0] == 0
    second_end = camera.end()
    assert second_end is not None
    assert second_end.run.analysis_id != first_id
    again = context.store.load_analysis(first_id)
    assert again is not None
    assert again.timeline.predictions == first.timeline.predictions


def test_recording_that_began_later_is_stored_with_its_beginning(
    camera_of: Callable[..., tuple[TabCamera, ServerContext]],
) -> None:
    camera, context = camera_of(scripted_models(ONE))
    for recording in (False, True):
        camera.adjust(Controls(SETTINGS, min_confidence=0.0, mirrored=False, recording=recording))
        for k in range(5):
            take(camera, k)
            time.sleep(0.02)
    ended = camera.end()
    assert ended is not None
    run = context.store.load_analysis(ended.run.analysis_id)
    assert run is not None
    timeline = run.timeline
    assert len(timeline.frame_times_s) == 10
    assert timeline.reading.first_picture_s == pytest.approx(timeline.frame_times_s[5], abs=1e-3)


def test_camera_keeps_the_recording_with_the_run(camera_of: Callable[..., tuple[TabCamera, ServerContext]]) -> None:
    camera, context = camera_of(scripted_models(ONE))
    camera.adjust(Controls(SETTINGS, min_confidence=0.0, mirrored=False, recording=True))
    for k in range(10):
        take(camera, k)
        time.sleep(0.01)
    ended = camera.end()
    assert ended is not None
    run = context.store.load_analysis(ended.run.analysis_id)
    assert run is not None
    assert len(frames_of(run.video_path)) == 10
    assert session_of(camera).recordings == [run.video_path]
    camera.adjust(Controls(SETTINGS, min_confidence=0.0, mirrored=False, recording=False))
    camera.arm()
    take(camera)
    ended = camera.end()
    assert ended is not None
    run = context.store.load_analysis(ended.run.analysis_id)
    assert run is not None
    assert not run.video_path.is_file()


def test_switches_reach_the_stream_while_it_runs(camera_of: Callable[..., tuple[TabCamera, ServerContext]]) -> None:
    camera, _ = camera_of(scripted_models(always(), saying("yoga", 0.4)))
    picture = numbered_picture(0, *SIZE)
    picture[:, :40] = (10, 200, 30)
    given = av.VideoFrame.from_ndarray(picture, format="rgb24")
    camera.adjust(Controls(SETTINGS, min_confidence=0.5, mirrored=False, recording=False))
    plain = camera.take(given).to_ndarray(format="rgb24")
    camera.adjust(Controls(SETTINGS, min_confidence=0.5, mirrored=True, recording=False))
    mirrored = camera.take(given).to_ndarray(format="rgb24")
    assert plain[5, 5].tolist() == [10, 200, 30]
    assert mirrored[5, -5].tolist() == [10, 200, 30]


def test_end_in_the_background_frees_the_camera_and_keeps_the_run(
    camera_of: Callable[..., tuple[TabCamera, ServerContext]],
) -> None:
    classifier = HeldClassifier()
    camera, context = camera_of(Models(ScriptedDetector(ONE), classifier))
    take_until(camera, classifier.reached.is_set)
    began_s = time.monotonic()
    camera.end_soon()
    assert time.monotonic() - began_s < PROMPT_S
    classifier.let_go.set()
    ended = camera.end()
    assert ended is not None
    run = context.store.load_analysis(ended.run.analysis_id)
    assert run is not None
    assert run.timeline.predictions


def test_camera_that_sends_nothing_any_more_is_ended_kept_and_given_back(
    camera_of: Callable[..., tuple[TabCamera, ServerContext]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog_module, "CHECK_EVERY_S", 0.05)
    before = live_threads()
    hung_up = threading.Event()
    camera, context = camera_of(scripted_models(ONE))
    camera.connect(hung_up.set)
    take_until(camera, lambda: predictions_so_far(camera) > 0)
    analysis_id = session_of(camera).analysis_id
    assert context.live_analyses == {analysis_id}
    monkeypatch.setattr(watchdog_module, "GONE_AFTER_S", 0.4)
    assert hung_up.wait(WAIT_S)
    assert camera.session is None
    assert live_threads() == before
    ended = session_of(camera).ended
    assert ended is not None
    assert ended.lost
    assert ended.run.analysis_id == analysis_id
    assert context.store.load_analysis(analysis_id) is not None
    assert not context.live_analyses
    take(camera)
    assert camera.session is None, "a late frame begins nothing"


def test_a_watch_that_comes_too_late_leaves_the_next_session_alone(
    camera_of: Callable[..., tuple[TabCamera, ServerContext]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: it looked which session runs without the lock, and then ended whichever ran."""
    lost: list[Callable[[], None]] = []

    class Watch:
        is_broken = is_given_up = False

        def __init__(self, _stream: object, _is_watched: object, on_gone: Callable[[], None]) -> None:
            lost.append(on_gone)

        def stop(self) -> None:
            pass

    monkeypatch.setattr(camera_module, "Watchdog", Watch)
    camera, _ = camera_of(scripted_models(ONE))
    hung_up: list[bool] = []
    camera.connect(lambda: hung_up.append(True))
    take(camera)

    def meanwhile() -> None:
        camera.end()
        camera.arm()
        take(camera)

    monkeypatch.setattr(camera, "_lock", SlowLock(meanwhile))
    lost[0]()
    second = camera.session
    assert second is not None, "it goes on"
    assert not hung_up
    lost[1]()
    assert camera.session is None
    assert second.ended is not None
    assert second.ended.lost
    assert hung_up


@pytest.mark.parametrize(("no_picture", "gave_up"), [(False, False), (True, False), (False, True)])
def test_a_session_without_pictures_was_lost_whoever_ends_it(
    camera_of: Callable[..., tuple[TabCamera, ServerContext]],
    monkeypatch: pytest.MonkeyPatch,
    no_picture: bool,
    gave_up: bool,
) -> None:
    """Regression: browsers end a broken connection as they do at Stop, and the page said nothing."""

    class Watch:
        is_broken, is_given_up = no_picture, gave_up

        def __init__(self, *_: object) -> None:
            pass

        def stop(self) -> None:
            pass

    monkeypatch.setattr(camera_module, "Watchdog", Watch)
    camera, _ = camera_of(scripted_models(ONE))
    take(camera)
    ended = camera.end()
    assert ended is not None
    assert ended.lost is (no_picture or gave_up)
    assert ended.given_up is gave_up
    assert camera.end() is ended, "another end changes nothing"


class SlowLock:
    """A lock that something comes before when it is asked for the first time."""

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        self._lock = threading.Lock()
        self._meanwhile = [meanwhile]

    def __enter__(self) -> None:
        if self._meanwhile:
            self._meanwhile.pop()()
        self._lock.acquire()

    def __exit__(self, *_error: object) -> None:
        self._lock.release()


def test_stream_that_cannot_be_stored_is_still_given_back_and_stored_later(
    camera_of: Callable[..., tuple[TabCamera, ServerContext]], monkeypatch: pytest.MonkeyPatch
) -> None:
    camera, context = camera_of(scripted_models(ONE))

    def full(*_: object) -> None:
        raise StoreError("'Camera' could not be kept (database or disk is full); make room on the disk.")

    with monkeypatch.context() as patch:
        patch.setattr(context.store, "save_analysis", full)
        take_until(camera, lambda: predictions_so_far(camera) > 0)
        ended = camera.end()
    assert ended is not None
    assert "disk is full" in (ended.problem or "")
    assert ended.run.timeline.predictions
    assert not context.live_analyses
    analysis_id = ended.run.analysis_id
    assert "disk is full" in (context.unsaved.problem(analysis_id) or "")
    context.unsaved.save_now(analysis_id)
    assert context.store.load_analysis(analysis_id) is not None


def test_frames_are_not_held_up_while_the_stream_before_is_being_kept(
    camera_of: Callable[..., tuple[TabCamera, ServerContext]],
) -> None:
    classifier = HeldClassifier()
    camera, _ = camera_of(Models(ScriptedDetector(ONE), classifier))
    take_until(camera, classifier.reached.is_set)
    camera.end_soon()
    while camera.session is not None:
        time.sleep(0.005)
    began_s = time.monotonic()
    take(camera)
    assert time.monotonic() - began_s < PROMPT_S
    assert session_of(camera).ended is None
    classifier.let_go.set()
    assert camera.end() is not None


def test_networks_are_not_warmed_again_for_another_margin(
    camera_of: Callable[..., tuple[TabCamera, ServerContext]], monkeypatch: pytest.MonkeyPatch
) -> None:
    models = scripted_models(ONE)
    camera, context = camera_of(models)
    monkeypatch.setattr(context.models, "get", lambda *_: models)
    warmed: list[int] = []

    def warm(_: ServerContext, settings: Settings) -> Models:
        warmed.append(settings.num_video_sequence_samples)
        return models

    monkeypatch.setattr(warming_module, "load_and_warm", warm)
    take_until(camera, lambda: camera.session is not None)
    for settings in (replace(SETTINGS, crop_margin_percentage=40), replace(SETTINGS, num_video_sequence_samples=6)):
        camera.adjust(Controls(settings, min_confidence=0.0, mirrored=False, recording=False))
        take_until(camera, lambda settings=settings: in_use(camera) == settings)  # type: ignore[misc]
    assert warmed == [6]


def in_use(camera: TabCamera) -> Settings:
    timeline = session_of(camera).stream.timeline()
    return timeline.settings


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc keeps what was freed")
def test_freed_memory_is_given_back() -> None:
    process = psutil.Process()
    freed = [b"x" * 100_000 for _ in range(1000)]  # small enough for the heap, 100 MB in all
    kept = freed[::100]
    before = process.memory_info().rss
    del freed
    give_back_memory()
    assert before - process.memory_info().rss > 50_000_000
    assert kept
