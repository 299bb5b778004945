"""A user's own names in a live session: in the picture, in its timeline, and in the stored analysis."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import av
import pytest

from recognizer.actions.set_file import write_set
from recognizer.analysis.passes import PassStore
from recognizer.live.camera import TabCamera
from recognizer.live.controls import Controls
from recognizer.live.session import LiveSession
from recognizer.networks.cache import ModelCache
from recognizer.networks.loading import Models
from recognizer.palette import ActionPalette
from recognizer.service.jobs import Jobs
from recognizer.service.store import AnalysisStore
from recognizer.service.tasks import ServerContext
from recognizer.settings import Settings
from recognizer.timeline.features import feature_table
from tests.support.action_sets import SPACE, action_set
from tests.support.fakes import ScriptedDetector, numbered_picture
from tests.support.featured import ActingClassifier
from tests.support.live import ONE, SIZE
from tests.support.waiting import WAIT_S

SETTINGS = Settings(num_video_sequence_samples=4, skip_frame=1, surroundings=True, video_classifier_model="i3d")


def models_of(name: str = "i3d", action: str = "walk") -> Models:
    sha256 = SPACE.weights_sha256 if name == "i3d" else "f" * 64
    provenance = {"classifier": name, "classifier_sha256": sha256}
    return Models(ScriptedDetector(ONE), ActingClassifier(name, lambda _: action), provenance)


class ActingCache(ModelCache):
    def get(self, settings: Settings, progress: object = None) -> Models:
        return models_of(settings.video_classifier_model)


@pytest.fixture
def context(tmp_path: Path) -> ServerContext:
    return ServerContext(Jobs(), AnalysisStore(tmp_path / "data"), ActingCache(), PassStore(tmp_path / "crops"))


@pytest.fixture
def set_id(context: ServerContext) -> str:
    return context.own_actions.import_set(write_set(action_set("walk", "sit", None, videos=3)), "set")


@pytest.fixture
def camera_of(context: ServerContext) -> Iterator[Callable[[Models], TabCamera]]:
    cameras: list[TabCamera] = []

    def make(models: Models) -> TabCamera:
        cameras.append(TabCamera(context, models, SETTINGS, ActionPalette()))
        return cameras[-1]

    yield make
    for camera in cameras:
        camera.end()


def running(camera: TabCamera) -> LiveSession:
    assert camera.session is not None
    return camera.session


def take_until(camera: TabCamera, condition: Callable[[], bool]) -> None:
    end_s = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end_s
        camera.take(av.VideoFrame.from_ndarray(numbered_picture(0, *SIZE), format="rgb24"))
        time.sleep(0.01)


def texts(camera: TabCamera) -> list[str]:
    """What is drawn next to people, without the confidence."""
    if camera.session is None:
        return []
    return [one.text.partition(" (")[0] for one in camera.session.stream.overlay.shown()]


def test_own_names_are_drawn_and_stored_with_the_session(
    context: ServerContext, camera_of: Callable[[Models], TabCamera], set_id: str
) -> None:
    camera = camera_of(models_of())
    camera.adjust(Controls(SETTINGS, min_confidence=0.3, set_id=set_id))
    take_until(camera, lambda: texts(camera) == ["walk"])
    stream = running(camera).stream
    shown = stream.names.timeline(stream.timeline())
    assert {one.top[0][0] for one in shown.predictions} == {"walk"}
    assert {one.top[0][0] for one in stream.timeline().predictions} == {"waving"}, "what was said stays as it is"
    ended = camera.end()
    assert ended is not None
    assert ended.problem is None
    opened = context.workbench.opened(ended.run.analysis_id)
    assert opened is not None
    assert opened.own is not None
    assert {one.action for one in opened.corrected.segments(0.3, 0.0)} == {"walk"}


def test_the_network_labels_who_does_nothing_that_was_taught(
    camera_of: Callable[[Models], TabCamera], set_id: str
) -> None:
    camera = camera_of(models_of(action="none"))
    camera.adjust(Controls(SETTINGS, min_confidence=0.3, set_id=set_id))
    take_until(camera, lambda: texts(camera) == ["waving"])
    camera.adjust(Controls(SETTINGS, min_confidence=0.3, set_id=set_id, mode="only"))
    take_until(camera, lambda: texts(camera) == ["unknown"])
    camera.adjust(Controls(SETTINGS, min_confidence=0.3, set_id=set_id, mode="beside"))
    take_until(camera, lambda: texts(camera) == ["unknown", "i3d: waving"])
    camera.adjust(Controls(SETTINGS, min_confidence=0.3))
    take_until(camera, lambda: texts(camera) == ["waving"])


def test_what_is_taught_during_a_session_counts_from_the_next_clip(
    context: ServerContext, camera_of: Callable[[Models], TabCamera], set_id: str
) -> None:
    camera = camera_of(models_of())
    camera.adjust(Controls(SETTINGS, min_confidence=0.3, set_id=set_id))
    take_until(camera, lambda: texts(camera) == ["walk"])
    context.own_actions.rename_action(set_id, "walk", "stroll")
    take_until(camera, lambda: texts(camera) == ["stroll"])


def test_a_set_of_another_network_is_named_as_the_problem(
    camera_of: Callable[[Models], TabCamera], set_id: str
) -> None:
    camera = camera_of(models_of("s3d"))
    camera.adjust(Controls(replace(SETTINGS, video_classifier_model="s3d"), set_id=set_id))
    take_until(camera, lambda: texts(camera) == ["waving"])
    take_until(camera, lambda: running(camera).stream.names.problem is not None)
    assert "was taught with i3d, and this analysis is by s3d" in (running(camera).stream.names.problem or "")


def test_without_features_the_problem_is_the_setting(camera_of: Callable[[Models], TabCamera], set_id: str) -> None:
    camera = camera_of(models_of())
    camera.adjust(Controls(replace(SETTINGS, keep_features=False), set_id=set_id))
    take_until(camera, lambda: camera.session is not None and running(camera).stream.names.problem is not None)
    assert running(camera).stream.names.problem == (
        "this session keeps no features, so nobody gets own names; switch Keep features on."
    )


def test_features_of_an_earlier_network_are_not_kept(
    context: ServerContext, camera_of: Callable[[Models], TabCamera]
) -> None:
    """They have the same length, and would be taken for the last network's."""
    camera = camera_of(models_of())
    camera.adjust(Controls(SETTINGS))
    take_until(camera, lambda: texts(camera) == ["waving"])
    camera.adjust(Controls(replace(SETTINGS, video_classifier_model="s3d")))
    stream = running(camera).stream
    take_until(camera, lambda: not stream.stats().changing and stream.stats().classifier == "s3d")
    take_until(camera, lambda: {one.classifier for one in stream.timeline().predictions} == {"i3d", "s3d"})
    ended = camera.end()
    assert ended is not None
    by_network = {(one.classifier, one.features is not None) for one in ended.run.timeline.predictions}
    assert by_network == {("i3d", False), ("s3d", True)}
    table = feature_table(ended.run.timeline.predictions)
    stored = context.store.features.load(ended.run.analysis_id)
    assert table is not None
    assert stored is not None
    assert stored.has.tolist() == table.has.tolist()
