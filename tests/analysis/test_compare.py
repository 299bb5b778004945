"""Comparisons with scripted networks: which entries run, which work is done once, and which results stay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recognizer.analysis.compare import CompareProgress, compare
from recognizer.analysis.file import analyze
from recognizer.analysis.passes import PassStore
from recognizer.classifier_specs import SPECS
from recognizer.comparison.model import CANCELLED, Comparison
from recognizer.errors import SettingsError, VideoError, WeightsError
from recognizer.networks.classifiers.architecture import parameters_for
from recognizer.networks.loading import Models
from recognizer.settings import Settings
from tests.support.fakes import ScriptedClassifier, ScriptedDetector, always, numbered_video, person

EIGHT = Settings(video_classifier_model="i3d", num_video_sequence_samples=8)
FOUR = Settings(video_classifier_model="i3d", num_video_sequence_samples=4)
OTHER = Settings(video_classifier_model="mc3_18", num_video_sequence_samples=8)
WIDE = Settings(video_classifier_model="s3d", num_video_sequence_samples=8, crop_margin_percentage=50)
SAMPLES = 30
"""Samples of the video below, at the default skip interval of 2."""


class Networks:
    """Loads scripted networks and counts their work."""

    def __init__(self) -> None:
        self.detector = ScriptedDetector(always(person()))
        self.missing: set[str] = set()
        self.loaded: list[str] = []
        self.classifiers: dict[str, ScriptedClassifier] = {}

    def load(self, settings: Settings) -> Models:
        name = settings.video_classifier_model
        if name in self.missing:
            raise WeightsError(f"the weights of {name} cannot be had; put them into the folder.")
        self.loaded.append(name)
        classifier = self.classifiers.setdefault(name, ScriptedClassifier())
        return Models(self.detector, classifier, {"detector_sha256": "0" * 64})


@pytest.fixture
def networks() -> Networks:
    return Networks()


@pytest.fixture
def video(make_video: Callable[..., Path]) -> Path:
    return numbered_video(make_video, 2 * SAMPLES)


@pytest.fixture
def store(tmp_path: Path) -> PassStore:
    return PassStore(tmp_path / "crops")


def ran(comparison: Comparison) -> list[str]:
    return [entry.name for entry in comparison.finished]


def test_people_are_detected_once_for_all(networks: Networks, video: Path) -> None:
    comparison = compare(video, [EIGHT, FOUR, OTHER, WIDE], load=networks.load)
    assert ran(comparison) == ["i3d, 8 samples", "i3d, 4 samples", "mc3_18", "s3d"]
    assert len(networks.detector.seen) == SAMPLES
    assert len({tuple(t.presence for t in e.timeline.people) for e in comparison.finished if e.timeline}) == 1


def test_people_are_detected_once_even_if_the_disk_is_full(
    networks: Networks, video: Path, store: PassStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    comparison = compare(video, [EIGHT, FOUR, OTHER], load=networks.load, pass_store=store)
    assert len(comparison.finished) == 3
    assert len(networks.detector.seen) == SAMPLES
    assert store.find("anything") is None


def test_people_are_detected_once_even_if_the_crops_exceed_the_limit(
    networks: Networks, video: Path, tmp_path: Path
) -> None:
    small = PassStore(tmp_path / "small", max_crops_bytes=1000)
    comparison = compare(video, [EIGHT, FOUR, OTHER], load=networks.load, pass_store=small)
    assert len(comparison.finished) == 3
    assert len(networks.detector.seen) == SAMPLES


def test_people_are_detected_once_even_if_other_passes_displace_this_one(
    networks: Networks, video: Path, store: PassStore, tmp_path: Path
) -> None:
    def remove(_: Comparison) -> None:
        for record in (tmp_path / "crops").iterdir():
            for file in record.iterdir():
                file.unlink()
            record.rmdir()

    compare(video, [EIGHT, FOUR, OTHER], load=networks.load, pass_store=store, entry_done=remove)
    assert len(networks.detector.seen) == SAMPLES


def test_each_timeline_is_that_of_a_separate_analysis(networks: Networks, video: Path) -> None:
    comparison = compare(video, [EIGHT, FOUR, WIDE], load=networks.load)
    for entry in comparison.finished:
        alone = analyze(video, entry.settings, models=networks.load(entry.settings))
        assert entry.timeline is not None
        assert entry.timeline.predictions == alone.predictions
        assert [t.presence for t in entry.timeline.people] == [t.presence for t in alone.people]
        assert entry.timeline.frame_times_s.tolist() == alone.frame_times_s.tolist()


@pytest.mark.parametrize("missing", ["i3d", "s3d"])
def test_an_unavailable_classifier_is_listed_with_its_reason_and_the_others_run(
    networks: Networks, video: Path, missing: str
) -> None:
    networks.missing = {missing}
    comparison = compare(video, [EIGHT, OTHER, WIDE], load=networks.load)
    problems = {entry.settings.video_classifier_model: entry.problem for entry in comparison.entries}
    assert problems.pop(missing) == f"the weights of {missing} cannot be had; put them into the folder."
    assert set(problems.values()) == {None}
    assert len(networks.detector.seen) == SAMPLES


def test_adding_one_runs_only_that_one(networks: Networks, video: Path, store: PassStore) -> None:
    first = compare(video, [EIGHT, OTHER], load=networks.load, pass_store=store)
    networks.loaded.clear()
    second = compare(video, [EIGHT, WIDE, OTHER], load=networks.load, known=first.entries, pass_store=store)
    assert networks.loaded == ["s3d"]
    assert len(networks.detector.seen) == SAMPLES
    assert second.entries[0].timeline is first.entries[0].timeline
    assert second.entries[2].timeline is first.entries[1].timeline


def test_an_entry_of_another_version_runs_again(networks: Networks, video: Path, store: PassStore) -> None:
    """Regression: labels of an earlier version stood next to those of this one, as if the classifiers differed."""
    first = compare(video, [EIGHT, OTHER], load=networks.load, pass_store=store)
    timeline = first.entries[0].timeline
    assert timeline is not None
    old = replace(first.entries[0], timeline=replace(timeline, provenance={"recognizer": "0.2.0"}))
    second = compare(video, [EIGHT, OTHER], load=networks.load, known=[old, first.entries[1]], pass_store=store)
    assert networks.loaded == ["i3d", "mc3_18", "i3d"]
    assert second.entries[0].timeline is not old.timeline
    assert second.entries[1].timeline is first.entries[1].timeline


def test_an_entry_that_could_not_run_is_tried_again(networks: Networks, video: Path, store: PassStore) -> None:
    networks.missing = {"mc3_18"}
    first = compare(video, [EIGHT, OTHER], load=networks.load, pass_store=store)
    networks.missing = set()
    second = compare(video, [EIGHT, OTHER], load=networks.load, known=first.entries, pass_store=store)
    assert networks.loaded == ["i3d", "mc3_18"]
    assert [entry.problem for entry in second.entries] == [None, None]


class CancelIn:
    """Cancels as soon as the ``number``-th entry has analyzed something."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._is_time = False

    def see(self, progress: CompareProgress) -> None:
        self._is_time |= progress.number == self._number and progress.analysis is not None

    def __call__(self) -> bool:
        return self._is_time


def test_cancel_keeps_finished_entries_and_the_next_try_detects_nothing(
    networks: Networks, video: Path, store: PassStore
) -> None:
    cancel = CancelIn(2)
    done: list[Sequence[str]] = []
    first = compare(
        video, [EIGHT, OTHER, WIDE], load=networks.load, pass_store=store, progress=cancel.see, cancel=cancel,
        entry_done=lambda comparison: done.append(ran(comparison)),
    )  # fmt: skip
    assert ran(first) == ["i3d"]
    assert done == [["i3d"], ["i3d"]]
    assert [entry.problem for entry in first.entries] == [None, CANCELLED, CANCELLED]
    assert networks.loaded == ["i3d", "mc3_18"]
    second = compare(video, [EIGHT, OTHER, WIDE], load=networks.load, known=first.entries, pass_store=store)
    assert [entry.problem for entry in second.entries] == [None] * 3
    assert len(networks.detector.seen) == SAMPLES


def test_cancel_in_the_first_leaves_none_finished(networks: Networks, video: Path, store: PassStore) -> None:
    cancel = CancelIn(1)
    first = compare(video, [EIGHT, OTHER], load=networks.load, pass_store=store, progress=cancel.see, cancel=cancel)
    assert ran(first) == []
    assert len(networks.detector.seen) < SAMPLES
    second = compare(video, [EIGHT, OTHER], load=networks.load, known=first.entries, pass_store=store)
    assert ran(second) == ["i3d", "mc3_18"]


def test_people_are_detected_before_the_first_classifier_runs_and_the_share_only_grows(
    networks: Networks, video: Path
) -> None:
    told: list[CompareProgress] = []
    named: list[int] = []

    def see(progress: CompareProgress) -> None:
        told.append(progress)
        if progress.entry is not None and progress.analysis is not None and not named:
            named.append(len(networks.detector.seen))

    compare(video, [EIGHT, OTHER], load=networks.load, progress=see)
    assert named == [SAMPLES]
    shares = [progress.share for progress in told]
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert 0.95 < shares[-1] <= 1
    looking = [progress for progress in told if progress.entry is None]
    assert {progress.number for progress in looking} == {1}
    assert max(progress.share for progress in looking) <= 1 / 3


def test_the_share_only_grows_even_if_the_first_classifier_is_unavailable(networks: Networks, video: Path) -> None:
    networks.missing = {"i3d"}
    shares: list[float] = []
    compare(video, [EIGHT, OTHER], load=networks.load, progress=lambda progress: shares.append(progress.share))
    assert shares == sorted(shares)
    assert 0.95 < shares[-1] <= 1


def test_the_video_is_not_needed_if_all_ran_before(networks: Networks, video: Path) -> None:
    first = compare(video, [EIGHT, OTHER], load=networks.load)
    video.unlink()
    again = compare(video, [EIGHT, OTHER], load=networks.load, known=first.entries)
    assert ran(again) == ["i3d", "mc3_18"]
    assert [entry.timeline for entry in again.entries] == [entry.timeline for entry in first.entries]


def test_cancel_during_detection_classifies_nothing(networks: Networks, video: Path, store: PassStore) -> None:
    looking: list[bool] = []
    comparison = compare(
        video, [EIGHT, OTHER], load=networks.load, pass_store=store,
        progress=lambda progress: looking.append(progress.entry is None), cancel=lambda: any(looking),
    )  # fmt: skip
    assert [entry.problem for entry in comparison.entries] == [CANCELLED, CANCELLED]
    assert len(networks.detector.seen) < SAMPLES
    assert networks.classifiers["i3d"].clips == []


def test_cost_is_counted(networks: Networks, video: Path) -> None:
    comparison = compare(video, [EIGHT, FOUR], load=networks.load)
    for entry in comparison.finished:
        assert entry.cost is not None
        assert entry.timeline is not None
        assert entry.cost.clips == len(entry.timeline.predictions)
        assert entry.cost.ms_per_clip is not None
        assert entry.cost.clips_per_s == pytest.approx(1000 / entry.cost.ms_per_clip)
        expected = entry.cost.clips * entry.cost.ms_per_clip / 1000 / entry.timeline.analysed_s
        assert entry.cost.share_of_real_time == pytest.approx(expected)
        assert entry.cost.peak_memory_bytes > 50_000_000
        assert entry.cost.top1_percent == SPECS["i3d"].top1_percent


@pytest.mark.parametrize("name", list(SPECS))
def test_parameters_are_counted_for_any_number_of_labels(name: str) -> None:
    spec = SPECS[name]
    # one output more is one more weight an input, and a bias
    more, fewer = parameters_for(spec, 401), parameters_for(spec, 399)
    assert parameters_for(spec, 400) == spec.parameters
    assert more - spec.parameters == spec.parameters - fewer > 1


def test_entries_that_would_find_other_people_are_refused(networks: Networks, video: Path) -> None:
    with pytest.raises(SettingsError, match=r"^skip_frame is 3 for mc3_18 and 2 for i3d; give all classifiers"):
        compare(video, [EIGHT, Settings(video_classifier_model="mc3_18", skip_frame=3)], load=networks.load)
    with pytest.raises(SettingsError, match=r"^i3d is listed twice with the same settings;"):
        compare(video, [EIGHT, EIGHT], load=networks.load)


def test_a_file_that_is_no_video_ends_the_comparison(networks: Networks, tmp_path: Path) -> None:
    path = tmp_path / "letter.mp4"
    path.write_text("Dear reader")
    with pytest.raises(VideoError):
        compare(path, [EIGHT, OTHER], load=networks.load)
