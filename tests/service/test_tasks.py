"""Analyses and comparisons in the background, with scripted networks: what their jobs return."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import update

from recognizer.analysis.passes import PassStore
from recognizer.errors import StoreError, WeightsError
from recognizer.networks.cache import ModelCache
from recognizer.networks.loading import Models
from recognizer.service import comparisons as comparisons_module
from recognizer.service import store as store_module
from recognizer.service import tables, tasks
from recognizer.service.comparison_tasks import ComparisonRequest, start_comparison
from recognizer.service.jobs import Jobs
from recognizer.service.store import AnalysisStore, StoredFile
from recognizer.service.tasks import ServerContext, start_analysis, start_preview
from recognizer.settings import Settings
from tests.support.fakes import ScriptedClassifier, ScriptedDetector, always, numbered_video, person, scripted_models
from tests.support.waiting import WAIT_S

SETTINGS = Settings(num_video_sequence_samples=4, skip_frame=1)
MAX_BYTES = 10**9


class ScriptedCache(ModelCache):
    """Gives scripted networks for all settings, but for those of ``missing`` classifiers."""

    missing = ""

    def get(self, settings: Settings, progress: Any = None) -> Models:
        if settings.video_classifier_model == self.missing:
            raise WeightsError(f"the weights of {self.missing} are not here; fetch them.")
        return scripted_models(always(person()))


@pytest.fixture
def context(tmp_path: Path) -> ServerContext:
    return ServerContext(Jobs(), AnalysisStore(tmp_path / "data"), ScriptedCache(), PassStore(tmp_path / "passes"))


@pytest.fixture
def video(context: ServerContext, make_video: Callable[..., Path]) -> StoredFile:
    with numbered_video(make_video, 30).open("rb") as stream:
        return context.store.add_file(stream, "clip.mkv")


@pytest.fixture
def no_loading(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading a timeline from the database again is an error."""

    def refuse(_: str) -> None:
        raise AssertionError("a timeline that is in memory was read from the database")

    monkeypatch.setattr(store_module, "timeline_from_stored", refuse)
    monkeypatch.setattr(comparisons_module, "entries_from_bytes", refuse)


@pytest.mark.usefixtures("no_loading")
def test_a_finished_analysis_is_handed_over_without_reading_it_again(context: ServerContext, video: StoredFile) -> None:
    job = start_analysis(context, "one", video, SETTINGS, MAX_BYTES)
    assert job.wait(WAIT_S)
    assert job.error is None
    assert job.result is not None
    assert job.result.analysis_id == "one"
    assert (job.result.video_name, job.result.video_path) == ("clip.mkv", video.path)
    assert job.result.timeline.complete
    assert job.result.timeline.predictions


def test_the_analysis_that_is_handed_over_equals_the_stored_one(context: ServerContext, video: StoredFile) -> None:
    job = start_analysis(context, "one", video, SETTINGS, MAX_BYTES)
    assert job.wait(WAIT_S)
    given, loaded = job.result, context.store.load_analysis("one")
    assert given is not None
    assert loaded is not None
    assert (given.created_at, given.video_name, given.video_path) == (
        loaded.created_at,
        loaded.video_name,
        loaded.video_path,
    )
    assert given.timeline.predictions == loaded.timeline.predictions
    assert given.timeline.segments() == loaded.timeline.segments()
    for ours, theirs in zip(given.timeline.people, loaded.timeline.people, strict=True):
        assert (ours.person_id, ours.presence) == (theirs.person_id, theirs.presence)
        np.testing.assert_array_equal(ours.time_s, theirs.time_s)
        np.testing.assert_array_equal(ours.box_xyxy, theirs.box_xyxy)


def test_an_analysis_that_cannot_be_stored_is_handed_over_and_stored_later(
    context: ServerContext, video: StoredFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: the message asked to download the table now, and there was none."""

    def full(*_: object) -> None:
        raise StoreError("there is no room on the disk; make room.")

    with monkeypatch.context() as patch:
        patch.setattr(context.store, "save_analysis", full)
        job = start_analysis(context, "one", video, SETTINGS, MAX_BYTES)
        assert job.wait(WAIT_S)
        assert job.error is None
        assert job.result is not None
        assert job.result.timeline.predictions
        assert context.unsaved.problem("one") == "there is no room on the disk; make room."
        assert context.store.load_analysis("one") is None
        assert context.workbench.opened("one") is not None, "it is kept, although the database has nothing"
    context.unsaved.save_now("one")
    assert context.unsaved.problem("one") is None
    stored = context.store.load_analysis("one")
    assert stored is not None
    assert stored.timeline.predictions == job.result.timeline.predictions


def test_a_comparison_goes_on_and_keeps_its_entries_while_nothing_can_be_stored(
    context: ServerContext, video: StoredFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: the first entry that could not be stored ended the comparison, and its entries were lost."""

    def full(*_: object) -> None:
        raise StoreError("there is no room on the disk; make room.")

    with monkeypatch.context() as patch:
        patch.setattr(context.comparisons, "save", full)
        job = start_comparison(context, "two", request(video, "s3d", "i3d"), (), MAX_BYTES)
        assert job.wait(WAIT_S)
        assert job.error is None
        assert job.result is not None
        assert len(job.result.comparison.finished) == 2
        assert context.unsaved.content("two") is job.result
        assert context.workbench.opened("two", "comparison") is not None
        assert context.workbench.comparison_groups("two") is None
    context.unsaved.save_now("two")
    stored = context.comparisons.load("two")
    assert stored is not None
    assert [one.name for one in stored.comparison.finished] == [one.name for one in job.result.comparison.finished]


def request(video: StoredFile, *classifiers: str) -> ComparisonRequest:
    settings = tuple(
        Settings(video_classifier_model=name, num_video_sequence_samples=4, skip_frame=1) for name in classifiers
    )
    return ComparisonRequest(video, settings, (None,) * len(settings))


@pytest.mark.usefixtures("no_loading")
def test_a_finished_comparison_is_handed_over_without_reading_it_again(
    context: ServerContext, video: StoredFile
) -> None:
    job = start_comparison(context, "one", request(video, "s3d", "i3d"), (), MAX_BYTES)
    assert job.wait(WAIT_S)
    assert job.error is None
    assert job.result is not None
    assert (job.result.comparison_id, job.result.video) == ("one", video)
    assert [entry.name for entry in job.result.comparison.finished] == ["s3d", "i3d"]
    assert job.result.labels is None
    assert context.comparisons.has("one")


@pytest.mark.usefixtures("no_loading")
def test_finished_entries_are_handed_over_while_the_others_run(
    context: ServerContext, video: StoredFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached, go_on = threading.Event(), threading.Event()

    class Held(ScriptedClassifier):
        def classify(self, clips: Any) -> Any:
            reached.set()
            assert go_on.wait(WAIT_S)
            return super().classify(clips)

    def get(settings: Settings, progress: Any = None) -> Models:
        models = scripted_models(always(person()))
        if settings.video_classifier_model == "i3d":
            return Models(ScriptedDetector(always(person())), Held(), models.provenance)
        return models

    monkeypatch.setattr(context.models, "get", get)
    job = start_comparison(context, "one", request(video, "s3d", "i3d"), (), MAX_BYTES)
    assert reached.wait(WAIT_S)
    assert job.result is None
    assert job.partial is not None
    assert [entry.name for entry in job.partial.comparison.finished] == ["s3d"]
    go_on.set()
    assert job.wait(WAIT_S)
    assert job.result is not None
    assert len(job.result.comparison.finished) == 2


def test_a_comparison_that_is_extended_keeps_its_time_and_its_labels(context: ServerContext, video: StoredFile) -> None:
    first = start_comparison(context, "one", request(video, "s3d", "i3d"), (), MAX_BYTES)
    assert first.wait(WAIT_S)
    assert first.result is not None
    with context.store.database.transaction("times") as connection:
        connection.execute(update(tables.comparison).values(created_at=datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)))
    context.comparisons.save_truth("one", "mine.csv", b"action,start_s,end_s\nwaving,0,1\n")
    known = first.result.comparison.finished
    second = start_comparison(context, "one", request(video, "s3d", "i3d", "r3d_18"), known, MAX_BYTES)
    assert second.wait(WAIT_S)
    assert second.result is not None
    assert second.result.created_at.isoformat() == "2020-01-02T03:04:05+00:00"
    assert second.result.labels is not None
    assert second.result.labels.parts[0].labels[0].action == "waving"
    assert len(second.result.comparison.finished) == 3


def test_labels_that_cannot_be_read_any_more_do_not_stop_a_comparison(
    context: ServerContext, video: StoredFile
) -> None:
    first = start_comparison(context, "one", request(video, "s3d", "i3d"), (), MAX_BYTES)
    assert first.wait(WAIT_S)
    context.comparisons.save_truth("one", "mine.csv", b"\x00\xff nothing to read")
    second = start_comparison(context, "one", request(video, "s3d", "i3d"), (), MAX_BYTES)
    assert second.wait(WAIT_S)
    assert second.error is None
    assert second.result is not None
    assert second.result.labels is None


def test_a_second_tab_follows_the_preview_that_is_being_made(
    context: ServerContext, video: StoredFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fault: after a refresh, the preview was made a second time beside the first, from the beginning."""
    made: list[Path] = []
    hold = threading.Event()

    def held(_: object, target: Path, **__: object) -> None:
        assert hold.wait(WAIT_S)
        made.append(target)
        target.touch()

    monkeypatch.setattr(tasks, "make_preview", held)
    first = start_preview(context, video, visitor_id="one")
    second = start_preview(context, video, visitor_id="other")
    assert second is first
    hold.set()
    assert first.wait(WAIT_S)
    assert first.error is None
    third = start_preview(context, video, visitor_id="one")
    assert third.wait(WAIT_S)
    assert third.result == first.result
    assert len(made) == 1
