"""Files of finished videos for other programs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from recognizer.batch.driver import Summary
from recognizer.batch.exports import Exports
from recognizer.batch.results import TIMELINE
from recognizer.errors import ActionsError, StoreError
from recognizer.timeline.features import FeatureTable
from recognizer.timeline.model import Timeline
from tests.support.batch import Serial, Told, results_of, run_serially, small_video

BOTH = Exports((".eaf", ".people.csv"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number, name in enumerate(("day 1/cam.mkv", "day 2/cam.mkv")):
        small_video(tmp_path / "in" / name, 12 + number)
    return tmp_path / "in"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def made(out: Path, kind: str = "eaf") -> dict[str, str]:
    found = sorted((out / "exports" / kind).glob("*"))
    return {path.name: path.read_text("utf-8") for path in found}


def batch(*sources: Path, out: Path, exports: Exports | None, told: Told | None = None) -> tuple[Summary, int]:
    """Return the summary of a batch, and how many videos were analyzed."""
    executor = Serial()
    summary = run_serially(*sources, out=out, executor=executor, told=told, exports=exports)
    return summary, len(executor.given)


def test_each_video_has_a_file_of_each_format(folder: Path, out: Path) -> None:
    summary, _ = batch(folder, out=out, exports=BOTH)
    assert summary.is_complete
    files = made(out)
    assert len(files) == 2, "videos of one name have a file each"
    assert all(name.startswith("cam-") for name in files)
    assert all('MEDIA_URL="' in text and "cam.mkv" in text for text in files.values()), "ELAN finds the video"
    assert len(made(out, "people.csv")) == 2


def test_formats_can_be_added_later_without_an_analysis(folder: Path, out: Path) -> None:
    batch(folder, out=out, exports=None)
    results = results_of(out)
    assert not (out / "exports").exists()
    assert batch(folder, out=out, exports=BOTH)[1] == 0
    before = {path: path.stat().st_mtime_ns for path in (out / "exports").glob("*/*")}
    assert len(before) == 4
    assert batch(folder, out=out, exports=BOTH)[1] == 0
    assert {path: path.stat().st_mtime_ns for path in before} == before, "what is there is not made again"
    assert results_of(out) == results


def test_files_of_other_videos_and_half_written_ones_go(folder: Path, out: Path) -> None:
    batch(folder, out=out, exports=BOTH)
    (out / "exports" / "eaf" / ".cam.eaf.part").write_text("half")
    batch(folder / "day 1", out=out, exports=BOTH)
    assert len(made(out)) == 1


def renamed(name: str) -> Exports:
    def named(timeline: Timeline, table: FeatureTable | None) -> Timeline:
        said = tuple(replace(one, top=((name, 1.0),)) for one in timeline.predictions)
        return replace(timeline, predictions=said)

    return Exports((".csv",), named, name)


def test_other_own_names_replace_the_files(folder: Path, out: Path) -> None:
    for name in ("vault", "flip"):
        assert batch(folder, out=out, exports=renamed(name))[0].is_complete
        assert all(name in text for text in made(out, "csv").values())
    assert batch(folder, out=out, exports=Exports((".csv",)))[1] == 0
    assert not any("flip" in text for text in made(out, "csv").values())


def test_a_video_without_own_names_is_a_sentence_and_costs_itself_alone(folder: Path, out: Path) -> None:
    failed: list[Timeline] = []

    def named(timeline: Timeline, _: FeatureTable | None) -> Timeline:
        if not failed:
            failed.append(timeline)
            raise ActionsError("they do not fit.")
        return timeline

    told = Told()
    summary, _ = batch(folder, out=out, exports=Exports((".csv",), named, "1"), told=told)
    assert told.sentences == ["'cam.mkv' gets no own names: they do not fit."]
    assert not summary.is_complete
    assert len(made(out, "csv")) == 1


def test_a_damaged_result_is_a_sentence(folder: Path, out: Path) -> None:
    batch(folder, out=out, exports=None)
    next(out.rglob(TIMELINE)).write_bytes(b"no timeline")
    with pytest.raises(StoreError, match="remove this folder, and run the command again"):
        batch(folder, out=out, exports=BOTH)
