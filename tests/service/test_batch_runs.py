"""Results of batches as runs: one for each result, which keeps its corrections, with the video where it is."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from recognizer.errors import StoreError
from recognizer.service.batch_runs import BatchResult, run_of, thresholds_of
from recognizer.service.features import feature_records
from recognizer.service.library import Library
from recognizer.service.playable import playable
from recognizer.service.reruns import rerun_of
from recognizer.service.runs import Run, RunQuery
from recognizer.service.tasks import ServerContext
from recognizer.service.timeline_bytes import timelines_to_bytes
from recognizer.timeline.edits import Name
from recognizer.timeline.features import feature_table
from recognizer.types import ClipFeatures
from tests.support.workbench import generated_timeline, write_video


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a video, its timeline and its features."""
    folder = tmp_path_factory.mktemp("batch")
    timeline = generated_timeline(2, 2.0)
    write_video(folder / "cam.mp4", timeline)
    (folder / "timeline.bin").write_bytes(timelines_to_bytes([timeline]))
    features = ClipFeatures.rounded(np.array([[0.0, 1.0]]))
    table = feature_table([replace(one, features=features) for one in timeline.predictions])
    assert table is not None
    np.save(folder / "features.npy", feature_records(table))
    return folder


@pytest.fixture
def result(written: Path, tmp_path: Path) -> BatchResult:
    video = tmp_path / "recordings" / "cam.mp4"
    video.parent.mkdir()
    shutil.copy(written / "cam.mp4", video)
    return BatchResult(
        name="ab" * 16,
        timeline=written / "timeline.bin",
        features=written / "features.npy",
        title="Monday",
        group="yard",
        video_name="cam.mp4",
        video=video,
        state=state_of(video),
        sha256="ab" * 32,
        stream=None,
        frame_rate_hz=None,
        thresholds=(0.35, 0.5),
    )


def state_of(path: Path) -> tuple[int, int]:
    return path.stat().st_size, path.stat().st_mtime_ns


def is_here(context: ServerContext, run: Run) -> bool:
    return context.store.is_here(context.store.file_path(run.video_file))


def test_a_result_becomes_a_run_of_nobody_with_its_name_and_group(context: ServerContext, result: BatchResult) -> None:
    run = run_of(context, result)
    stored = context.runs.load(run.run_id)
    assert stored is not None
    assert (stored.kind, stored.state, stored.visitor_id) == ("analysis", "done", "")
    assert re.fullmatch("[0-9a-f]{32}", run.run_id), "Streamlit takes no key with __"
    assert (stored.title, stored.video_name, stored.tags) == ("Monday", "cam.mp4", ("yard",))
    assert stored.facts["people"] == 2
    assert thresholds_of(stored) == (0.35, 0.5)
    assert thresholds_of(Run("other", "analysis", "a.mp4")) is None
    assert context.store.features.has(run.run_id)


def test_the_same_result_is_the_same_run_with_its_corrections(context: ServerContext, result: BatchResult) -> None:
    run = run_of(context, result)
    context.workbench.edit(run.run_id, [Name(1, "Ana")])
    again = run_of(context, replace(result, title="copy of it"))
    assert (again.run_id, again.title) == (run.run_id, "Monday")
    opened = context.workbench.opened(run.run_id)
    assert opened is not None
    assert opened.title(1) == "Ana"
    assert run_of(context, replace(result, name="cd" * 16)).run_id != run.run_id


def test_a_deleted_run_comes_back_until_it_is_forgotten(
    context: ServerContext, library: Library, result: BatchResult
) -> None:
    run = run_of(context, result)
    library.remove(run)
    assert run_of(context, result).run_id == run.run_id
    assert [one.run_id for one in context.runs.list(RunQuery())] == [run.run_id]
    library.remove(run)
    library.purge(datetime.now(UTC) + timedelta(seconds=1))
    assert result.video is not None
    assert result.video.is_file(), "a file of a batch is nobody's to remove"
    assert not context.store.file_path(run.video_file).exists()
    assert run_of(context, result).run_id != run.run_id


def test_the_video_is_used_where_it_is(context: ServerContext, result: BatchResult) -> None:
    run = run_of(context, result)
    opened = context.workbench.opened(run.run_id)
    assert opened is not None
    assert playable(context, opened).path == result.video
    stored = context.store.load_analysis(run.run_id)
    assert stored is not None
    assert context.store.source(rerun_of(context, stored).video.path).paths == (result.video,)
    assert [file.name for file in context.store.file_path("").iterdir()] == [run.video_file], "nothing was copied"
    (video,) = context.store.stored_videos([run.run_id])
    assert result.video is not None
    assert (video.name, video.sha256, video.size_bytes) == ("cam.mp4", result.sha256, state_of(result.video)[0])
    chosen = context.store.with_choices(context.store.files_of(video), stream=0)
    assert context.store.source(chosen.path).paths == (result.video,)


def test_a_video_that_is_gone_or_has_changed_is_not_used(
    context: ServerContext, library: Library, result: BatchResult, tmp_path: Path
) -> None:
    run, video = run_of(context, result), result.video
    assert video is not None
    (item,) = library.listing(RunQuery()).items
    assert item.has_video
    video.write_bytes(b"another video")
    (item,) = library.listing(RunQuery()).items
    assert not item.has_video
    with pytest.raises(StoreError, match=r"the video 'cam\.mp4' is not where its batch found it, or has changed"):
        context.store.source(context.store.file_path(run.video_file))
    video.unlink()
    assert not is_here(context, run)
    opened = context.workbench.opened(run.run_id)
    assert opened is not None
    assert playable(context, opened).state == "gone"
    assert opened.corrected.segments(0.0, 0.0), "the result is shown all the same"


def test_a_video_that_was_moved_is_found_from_its_batch(
    context: ServerContext, result: BatchResult, tmp_path: Path
) -> None:
    run, video = run_of(context, result), result.video
    assert video is not None
    moved = video.rename(tmp_path / "cam.mp4")
    os.utime(moved)
    again = run_of(context, replace(result, video=moved, state=state_of(moved)))
    stored = context.runs.load(run.run_id)
    assert stored is not None
    assert again.run_id == run.run_id
    assert is_here(context, stored)
    analysis = context.store.load_analysis(run.run_id)
    assert analysis is not None
    assert analysis.video_path.name == stored.video_file


def test_a_video_at_an_address_has_a_timeline_and_no_file(context: ServerContext, result: BatchResult) -> None:
    run = run_of(context, replace(result, video=None, state=None))
    assert run.video_file == ""
    assert not is_here(context, run)
    opened = context.workbench.opened(run.run_id)
    assert opened is not None
    assert playable(context, opened).state == "gone"


def test_a_damaged_result_is_said(context: ServerContext, result: BatchResult, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    damaged.write_bytes(b"no timeline")
    for broken in (replace(result, timeline=damaged), replace(result, features=damaged)):
        with pytest.raises(StoreError, match="the result of 'Monday' cannot be read"):
            run_of(context, broken)
    assert context.runs.list(RunQuery()) == []
