"""Another run of a stored analysis: from its crops, with its own settings, or a sentence that says why not."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from recognizer.analysis.passes import PassStore
from recognizer.errors import StoreError
from recognizer.networks.cache import ModelCache
from recognizer.networks.loading import Models
from recognizer.service.jobs import Job, Jobs
from recognizer.service.reruns import rerun_of
from recognizer.service.store import AnalysisStore, StoredAnalysis
from recognizer.service.tasks import ServerContext, start_analysis
from recognizer.settings import Settings
from recognizer.timeline.edits import Relabel
from tests.support.fakes import always, numbered_video, person, scripted_models
from tests.support.featured import FeaturedClassifier
from tests.support.waiting import WAIT_S

BEFORE = Settings(num_video_sequence_samples=4, skip_frame=1, keep_features=False)
MAX_BYTES = 10**9


class FeaturedCache(ModelCache):
    """Gives scripted networks, whose clips have features."""

    def get(self, settings: Settings, progress: Any = None) -> Models:
        return replace(scripted_models(always(person())), classifier=FeaturedClassifier())


@pytest.fixture
def context(tmp_path: Path) -> ServerContext:
    return ServerContext(Jobs(), AnalysisStore(tmp_path / "data"), FeaturedCache(), PassStore(tmp_path / "passes"))


@pytest.fixture
def old(context: ServerContext, make_video: Callable[..., Path]) -> StoredAnalysis:
    """An analysis without features, as it is read from the database."""
    with numbered_video(make_video, 30).open("rb") as stream:
        video = context.store.add_file(stream, "clip.mkv")
    job = start_analysis(context, "old", video, BEFORE, MAX_BYTES)
    assert job.wait(WAIT_S)
    stored = context.store.load_analysis("old")
    assert stored is not None
    assert context.store.features.load("old") is None
    return stored


def run_again(context: ServerContext, old: StoredAnalysis) -> Job[StoredAnalysis]:
    """Start what the page starts."""
    rerun = rerun_of(context, old)
    return start_analysis(context, "new", rerun.video, rerun.settings, MAX_BYTES)


def test_an_older_analysis_gets_its_features_from_its_crops(
    context: ServerContext, old: StoredAnalysis, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rerun_of(context, old).from_crops
    monkeypatch.setattr("recognizer.analysis.file_pass.FileFollower", None)  # nobody is looked for again
    job = run_again(context, old)
    assert job.wait(WAIT_S)
    assert job.error is None
    assert job.result is not None
    assert job.result.timeline.predictions == old.timeline.predictions
    table = context.store.features.load("new")
    assert table is not None
    assert table.has.all()
    assert len(table) == len(old.timeline.predictions)


def test_corrections_go_over_to_the_other_run(context: ServerContext, old: StoredAnalysis) -> None:
    context.workbench.edit("old", [Relabel(1, 0.0, 0.2, "standing")])
    job = run_again(context, old)
    assert job.wait(WAIT_S)
    assert context.workbench.carry_over("old", "new")


def test_without_crops_people_are_looked_for_again(context: ServerContext, old: StoredAnalysis, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "passes")
    (tmp_path / "passes").mkdir()
    assert not rerun_of(context, old).from_crops
    job = run_again(context, old)
    assert job.wait(WAIT_S)
    assert context.store.features.load("new") is not None


def test_a_video_that_is_gone_is_named(context: ServerContext, old: StoredAnalysis) -> None:
    old.video_path.unlink()
    with pytest.raises(StoreError, match=r"^the video 'clip.mkv' is no longer stored here; drop it in again and"):
        run_again(context, old)


def test_a_live_session_cannot_be_run_again(context: ServerContext, old: StoredAnalysis) -> None:
    live = replace(old, timeline=replace(old.timeline, video=replace(old.timeline.video, sha256=None)))
    with pytest.raises(StoreError, match=r"^'clip.mkv' was a live session, whose pictures are not kept; record the"):
        rerun_of(context, live)


def test_a_checkpoint_is_not_kept_with_an_analysis(context: ServerContext, old: StoredAnalysis) -> None:
    """A stored path has no folder."""
    own = replace(old.timeline.settings, checkpoint_path="fight.pth", labels_path="labels.txt")
    with pytest.raises(StoreError, match=r"your own checkpoint, and 'fight.pth' is not kept .*; choose it in the"):
        rerun_of(context, replace(old, timeline=replace(old.timeline, settings=own)))
