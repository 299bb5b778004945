"""What was found in all videos of a batch: sums and bouts equal those of the single results."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from recognizer.batch import findings as findings_module
from recognizer.batch.findings import BoutQuery, Findings, longest
from recognizer.batch.places import Batch
from recognizer.errors import StoreError
from tests.support.batches import Video, analyzed_again, seen, store_batch

VIDEOS = (
    Video("a.mp4", "yard", seen(2, 12.0, 1)),
    Video("b.mp4", "hall", seen(3, 12.0, 2), title="second"),
    Video("c.mp4", "yard", seen(1, 20.0, 3)),
    Video("broken.mp4", "yard"),
)


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Batch:
    """A batch that no test changes."""
    folder = tmp_path_factory.mktemp("batch")
    return store_batch(folder / "out", VIDEOS, folder / "in")


def segments(batch: Batch) -> pd.DataFrame:
    """All segments, read one result after the other, with the group of each video."""
    files = sorted(batch.folder.root.glob("videos/*/*/segments.parquet"))
    groups = {result: group for result, (_, group) in Findings(batch).videos().items()}
    frames = [pd.read_parquet(file).assign(video=file.parent.name, group=groups[file.parent.name]) for file in files]
    return pd.concat(frames)


def as_seconds(sums: pa.Table) -> dict[tuple[str, str], tuple[float, int]]:
    return {(one["lane"], one["action"]): (round(one["time_s"], 6), one["bouts"]) for one in sums.to_pylist()}


def expected(rows: pd.DataFrame, lane: str) -> dict[tuple[str, str], tuple[float, int]]:
    found: dict[tuple[str, str], tuple[float, int]] = {}
    for of, action, time_s in rows[[lane, "action", "duration_s"]].itertuples(index=False):
        total_s, bouts = found.get((of, action), (0.0, 0))
        found[of, action] = total_s + time_s, bouts + 1
    return {of: (round(total_s, 6), bouts) for of, (total_s, bouts) in found.items()}


def test_time_per_action_is_that_of_the_single_results(batch: Batch) -> None:
    found, rows = Findings(batch), segments(batch)
    assert as_seconds(found.by_group) == expected(rows, "group")
    assert as_seconds(found.by_video(found.videos(), found.actions)) == expected(rows, "video")
    yard = found.videos(["yard"])
    assert as_seconds(found.by_video(yard, found.actions)) == expected(rows[rows["group"] == "yard"], "video")
    totals = rows.groupby("action")["duration_s"].sum()
    assert found.actions[0] == totals.drop("unknown", errors="ignore").idxmax()
    assert set(found.actions) == set(totals.index)
    assert found.seen_by_group["yard"] == pytest.approx(2 * 12.0 + 20.0, abs=0.5)
    assert found.left_out == 0
    some = found.by_video(yard, found.actions[:1])
    assert set(some["action"].to_pylist()) == {found.actions[0]}
    by_time = sorted(yard, key=lambda one: -rows[rows["video"] == one]["duration_s"].sum())
    assert longest(found.by_video(yard, found.actions), 1) == by_time[:1]


def test_results_that_are_not_in_the_data_set_yet_count_too(tmp_path: Path) -> None:
    store_batch(tmp_path / "out", VIDEOS[:1], tmp_path / "in")
    batch = store_batch(tmp_path / "out", VIDEOS, tmp_path / "in", gathers=False)
    assert as_seconds(Findings(batch).by_group) == expected(segments(batch), "group")
    assert len(Findings(batch).seen_by_video) == 3


def test_more_new_results_than_are_read_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings_module, "MOST_LOOSE", 2)
    batch = store_batch(tmp_path / "out", VIDEOS, tmp_path / "in", gathers=False)
    found = Findings(batch)
    assert found.left_out == 1
    assert len(found.seen_by_video) == 2


def test_results_that_the_latest_command_does_not_name_do_not_count(tmp_path: Path) -> None:
    store_batch(tmp_path / "out", VIDEOS, tmp_path / "in")
    batch = store_batch(tmp_path / "out", VIDEOS[1:2], tmp_path / "in", gathers=False)
    found = Findings(batch)
    assert set(found.by_group["lane"].to_pylist()) == {"hall"}
    (result,) = found.videos()
    action = found.actions[0]
    assert set(found.bouts(BoutQuery(action))["video"].to_pylist()) == {result}


def test_two_copies_in_a_group_count_once_and_in_two_groups_in_each(tmp_path: Path) -> None:
    timeline = seen(1, 12.0, 1)
    files = tmp_path / "in"
    files.mkdir()
    for name in ("a.mp4", "copy.mp4", "elsewhere.mp4"):
        (files / name).write_bytes(b"the same")
    groups = {"a.mp4": "yard", "copy.mp4": "yard", "elsewhere.mp4": "hall"}
    batch = store_batch(tmp_path / "out", [Video(name, of, timeline) for name, of in groups.items()], files)
    found = Findings(batch)
    by_group = as_seconds(found.by_group)
    (result,) = found.videos()
    single = as_seconds(found.by_video([result], found.actions))
    assert by_group == {(of, action): sums for (_, action), sums in single.items() for of in ("yard", "hall")}
    assert found.groups == ["hall", "yard"], "also one that has no video of its own"
    action = found.actions[0]
    assert found.bouts(BoutQuery(action)).num_rows == single[result, action][1]
    assert set(found.bouts(BoutQuery(action, groups=("hall",)))["id"].to_pylist()) == {"elsewhere.mp4"}


def test_a_video_with_several_settings_counts_once_with_those_that_are_chosen(tmp_path: Path) -> None:
    """Regression: what was found with all settings was added up."""
    batch = store_batch(tmp_path / "out", VIDEOS, tmp_path / "in")
    alone = as_seconds(Findings(batch).by_group)
    assert Findings(batch).settings == []
    places = {"a.mp4": "yard", "c.mp4": "yard"}
    other = analyzed_again(batch, tmp_path / "in", places)
    found = Findings(batch)
    assert found.settings[0] == other, "the latest"
    assert len(found.settings) == 2
    assert len(found.videos()) == 3
    (earlier,) = set(found.settings) - {other}
    assert as_seconds(Findings(batch, earlier).by_group) == alone
    assert as_seconds(found.by_group) == as_seconds(Findings(batch, other).by_group)
    assert {one for one in as_seconds(found.by_group).items() if one[0][0] == "hall"} == {
        one for one in alone.items() if one[0][0] == "hall"
    }, "it was analyzed with the earlier ones alone, and counts"
    assert as_seconds(found.by_group) != alone


def test_bouts_are_those_that_are_long_and_probable_enough(batch: Batch) -> None:
    found, rows = Findings(batch), segments(batch)
    action = found.actions[0]
    wanted = rows[(rows["action"] == action) & (rows["duration_s"] >= 2.0) & (rows["confidence"] >= 0.4)]
    bouts = found.bouts(BoutQuery(action, 2.0, 0.4)).to_pandas()
    assert 0 < len(wanted) < (rows["action"] == action).sum()
    columns = ["video", "person_id", "start_s", "end_s"]
    assert sorted(bouts[columns].itertuples(index=False)) == sorted(wanted[columns].itertuples(index=False))
    assert list(bouts["duration_s"]) == sorted(bouts["duration_s"], reverse=True)
    sure = found.bouts(BoutQuery(action, order="surest"))["confidence"].to_pylist()
    assert sure == sorted(sure, reverse=True)
    ids = found.bouts(BoutQuery(action, order="video"))["id"].to_pylist()
    assert ids == sorted(ids)
    assert set(found.bouts(BoutQuery(action, groups=("hall",)))["group"].to_pylist()) <= {"hall"}
    assert found.bouts(BoutQuery("nothing of the kind")).num_rows == 0


def test_a_batch_without_results_has_no_actions(tmp_path: Path) -> None:
    batch = store_batch(tmp_path / "out", [Video("broken.mp4")], tmp_path / "in")
    found = Findings(batch)
    assert (found.actions, found.by_group.num_rows, found.seen_by_group) == ([], 0, {})
    assert longest(found.by_group, 5) == []
    assert found.bouts(BoutQuery("yoga")).num_rows == 0


def test_a_damaged_data_set_is_said(tmp_path: Path) -> None:
    batch = store_batch(tmp_path / "out", VIDEOS[:1], tmp_path / "in")
    for part in batch.folder.data.glob("segments/*/*"):
        part.write_bytes(b"no parquet")
    with pytest.raises(StoreError, match="the data set of this batch cannot be read"):
        Findings(batch).bouts(BoutQuery("yoga"))
