"""An analysis that goes on from its save points: its result, what it does again, and what does not fit."""

from __future__ import annotations

import weakref
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import msgspec
import numpy as np
import pytest

from recognizer.analysis import file, save_points
from recognizer.analysis.file import Progress, analyze, find_people
from recognizer.analysis.file_pass import frames_per_detection
from recognizer.analysis.passes import PassStore
from recognizer.analysis.save_points import Journal
from recognizer.analysis.stand_ins import StandIns
from recognizer.clips.cropping import Cropper
from recognizer.errors import StoreError
from recognizer.networks.loading import Models
from recognizer.settings import TRACKER_NAMES, Settings
from recognizer.timeline.model import Timeline
from recognizer.types import Clip, ClipFeatures, Picture, Prediction
from tests.support.fakes import ScriptedClassifier
from tests.support.resuming import (
    SETTINGS,
    MemorySavePoints,
    busy_models,
    busy_video,
    document,
    let_the_tracker_swap,
    save_always,
)
from tests.support.runs import classifier_of, detector_of

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def a_save_point_after_each_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    save_always(monkeypatch)
    let_the_tracker_swap(monkeypatch)


class Undisturbed(NamedTuple):
    """A run from start to end: what came out, what its networks were asked, and what it saved."""

    document: str
    models: Models
    chunks: list[bytes]


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return busy_video(tmp_path_factory.mktemp("busy") / "busy.mkv")


@pytest.fixture(scope="module")
def undisturbed(video: Path) -> Undisturbed:
    with pytest.MonkeyPatch.context() as patch:
        save_always(patch)
        let_the_tracker_swap(patch)
        models, kept = busy_models(), MemorySavePoints()
        return Undisturbed(document(analyze(video, SETTINGS, models=models, save_points=kept)), models, kept.kept)


def test_save_points_change_no_byte(video: Path, undisturbed: Undisturbed, monkeypatch: pytest.MonkeyPatch) -> None:
    swapped: list[tuple[int, int]] = []
    swap = Cropper.swap

    def noted(cropper: Cropper, one_id: int, other_id: int) -> None:
        swapped.append((one_id, other_id))
        swap(cropper, one_id, other_id)

    monkeypatch.setattr(Cropper, "swap", noted)
    timeline = analyze(video, SETTINGS, models=busy_models())
    assert document(timeline) == undisturbed.document
    assert len(timeline.people) >= 4, "the video has too little of what can go wrong"
    assert swapped, "nobody's number was swapped"


@pytest.mark.parametrize("share", [0.1, 0.3, 0.6, 0.9, 1.0])
def test_a_resumed_analysis_has_the_same_bytes(video: Path, undisturbed: Undisturbed, share: float) -> None:
    kept = MemorySavePoints(undisturbed.chunks[: round(len(undisturbed.chunks) * share)])
    assert document(analyze(video, SETTINGS, models=busy_models(), save_points=kept)) == undisturbed.document


@pytest.mark.parametrize(
    "change",
    [
        *({"tracker": name} for name in TRACKER_NAMES if name != Settings.tracker),
        {"steady_crop": False, "surroundings": False},
        {"num_video_sequence_samples": 40},
        {"skip_frame": 3, "overlap": 0.9},
    ],
    ids=str,
)
def test_that_holds_for_other_settings(video: Path, change: dict[str, object]) -> None:
    settings, kept = replace(SETTINGS, **change), MemorySavePoints()  # type: ignore[arg-type]
    whole = document(analyze(video, settings, models=busy_models(), save_points=kept))
    half = MemorySavePoints(kept.kept[: len(kept.kept) // 2])
    assert document(analyze(video, settings, models=busy_models(), save_points=half)) == whole


@pytest.mark.parametrize("share", [0.2, 0.7, 1.0])
def test_networks_do_not_repeat_what_is_saved(video: Path, undisturbed: Undisturbed, share: float) -> None:
    number = round(len(undisturbed.chunks) * share)
    models = busy_models()
    analyze(video, SETTINGS, models=models, save_points=MemorySavePoints(undisturbed.chunks[:number]))
    seen, clips = detector_of(undisturbed.models).seen, classifier_of(undisturbed.models).clips
    again, labelled_again = detector_of(models).seen, classifier_of(models).clips
    assert again == seen[len(seen) - len(again) :]
    assert labelled_again == clips[len(clips) - len(labelled_again) :]
    # a batch can have several save points: one after each call of the classifier
    assert len(again) <= len(seen) * (1 - share) + 2 * frames_per_detection(SETTINGS)


def test_it_can_be_killed_again_and_again(video: Path, undisturbed: Undisturbed) -> None:
    kept = MemorySavePoints()
    for _ in range(3):
        with pytest.raises(_KilledError):
            analyze(
                video, SETTINGS, models=busy_models(), save_points=kept, progress=_kill_at(len(kept.kept) + 6, kept)
            )
    assert document(analyze(video, SETTINGS, models=busy_models(), save_points=kept)) == undisturbed.document


class _KilledError(Exception):
    """Stands for the end of the process."""


def _kill_at(number: int, kept: MemorySavePoints) -> Callable[[Progress], None]:
    def progress(_: Progress) -> None:
        if len(kept.kept) >= number:
            raise _KilledError

    return progress


def test_pictures_from_before_the_save_point_go_with_their_clips(
    video: Path, undisturbed: Undisturbed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: they stayed until the end, 11.4 MB a person with *Recommended*."""
    cut: list[weakref.ref[Picture]] = []
    left: list[int] = []
    picture_of = StandIns.picture

    def noted(stand_ins: StandIns, stand_in: Picture) -> Picture:
        picture = picture_of(stand_ins, stand_in)
        cut.append(weakref.ref(picture))
        return picture

    monkeypatch.setattr(StandIns, "picture", noted)
    kept = MemorySavePoints(undisturbed.chunks[: len(undisturbed.chunks) // 3])
    analyze(
        video,
        SETTINGS,
        models=busy_models(),
        save_points=kept,
        progress=lambda _: left.append(sum(one() is not None for one in cut)),
    )
    most, at_the_end = max(left), left[-1]
    assert most > SETTINGS.num_video_sequence_samples
    assert at_the_end < most / 2, "of a stay that was too short for a clip, pictures are kept"


def test_features_are_kept(video: Path) -> None:
    settings, kept = replace(SETTINGS, keep_features=True), MemorySavePoints()
    whole = analyze(video, settings, models=_with_features(busy_models()), save_points=kept)
    resumed = analyze(video, settings, models=busy_models(), save_points=kept)
    assert len(whole.predictions) == len(resumed.predictions) > 10
    for one, other in zip(_features(whole), _features(resumed), strict=True):
        for name in ("codes", "low", "step", "rising"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def _with_features(models: Models) -> Models:
    class _Featured(ScriptedClassifier):
        def classify(self, clips: Sequence[Clip]) -> list[Prediction]:
            return [
                replace(one, features=ClipFeatures.rounded(clip.rgb[:2, 0, :5, 0].astype(np.float64)))
                for one, clip in zip(super().classify(clips), clips, strict=True)
            ]

    return replace(models, classifier=_Featured())


def _features(timeline: Timeline) -> list[ClipFeatures | None]:
    return [one.features for one in timeline.predictions]


class TestUnfit:
    def test_another_analysis_does_not_read_them(self, video: Path, undisturbed: Undisturbed) -> None:
        models, kept = busy_models(), MemorySavePoints(undisturbed.chunks)
        analyze(video, replace(SETTINGS, overlap=0.6), models=models, save_points=kept)
        assert detector_of(models).seen == detector_of(undisturbed.models).seen

    @pytest.mark.parametrize("damage", [b"not zlib", zlib.compress(b"not msgpack"), zlib.compress(b"\x90")])
    def test_a_damaged_one_begins_at_the_start(self, video: Path, undisturbed: Undisturbed, damage: bytes) -> None:
        kept = MemorySavePoints([*undisturbed.chunks[:5], damage, *undisturbed.chunks[6:8]])
        models = busy_models()
        assert document(analyze(video, SETTINGS, models=models, save_points=kept)) == undisturbed.document
        assert detector_of(models).seen == detector_of(undisturbed.models).seen

    @pytest.mark.parametrize("what", ["people", "clips", "frames"])
    def test_what_comes_out_otherwise_begins_at_the_start(
        self, video: Path, undisturbed: Undisturbed, what: str
    ) -> None:
        kept, models = MemorySavePoints([_changed(chunk, what) for chunk in undisturbed.chunks[:9]]), busy_models()
        assert document(analyze(video, SETTINGS, models=models, save_points=kept)) == undisturbed.document
        assert detector_of(models).seen == detector_of(undisturbed.models).seen
        # what was void stays so
        again = busy_models()
        assert document(analyze(video, SETTINGS, models=again, save_points=kept)) == undisturbed.document
        assert detector_of(again).seen == []


def _changed(document: bytes, what: str) -> bytes:
    """Return a save point of a program that found other people, cut other clips, or read another video."""
    key, attempt, sights, predictions = msgspec.msgpack.decode(zlib.decompress(document))
    if what == "people" and sights:
        sights["people_crc"] = bytes(len(sights["people_crc"]))
    if what == "clips":
        predictions = [[person_id, start_s + 1, *rest] for person_id, start_s, *rest in predictions]
    if what == "frames" and sights:
        sights["frame_index"] = (np.frombuffer(sights["frame_index"], np.int64) + 10**6).tobytes()
    return zlib.compress(msgspec.msgpack.encode([key, attempt, sights, predictions]))


class TestStoring:
    def test_a_full_disk_costs_the_save_points_alone(
        self, video: Path, undisturbed: Undisturbed, caplog: pytest.LogCaptureFixture
    ) -> None:
        class Full(MemorySavePoints):
            def save(self, chunk: bytes) -> None:
                if len(chunk) % 3:
                    raise StoreError("the disk is full; make room.")
                super().save(chunk)

        kept = Full()
        assert document(analyze(video, SETTINGS, models=busy_models(), save_points=kept)) == undisturbed.document
        times_full = sum("the disk is full" in message for message in caplog.messages)
        assert 1 <= times_full <= len(kept.kept) + 1, "once until it is over"
        resumed = analyze(video, SETTINGS, models=busy_models(), save_points=MemorySavePoints(kept.kept))
        assert document(resumed) == undisturbed.document

    def test_they_follow_each_other_at_a_distance(self, monkeypatch: pytest.MonkeyPatch) -> None:
        clock = SimpleNamespace(now_s=0.0)
        clock.monotonic = lambda: clock.now_s
        monkeypatch.undo()  # the module's own distances
        monkeypatch.setattr(save_points, "time", clock)
        kept, counts = MemorySavePoints(), []
        journal = Journal(kept, "key")
        for now_s, video_s in ((0.4, 6), (0.6, 6), (2, 10), (3, 11.5), (7, 12), (8.2, 13), (8.3, 18), (9, 18.5)):
            clock.now_s = now_s
            journal.heard([Prediction(1, 0.0, 1.0, (("waving", 0.5),), "scripted")])
            journal.save_if_due(video_s)
            counts.append(len(kept.kept))
        assert counts == [0, 1, 1, 2, 2, 3, 3, 4]


class TestPasses:
    def test_a_resumed_pass_is_stored_without_its_crops(
        self, video: Path, undisturbed: Undisturbed, tmp_path: Path
    ) -> None:
        store, kept = PassStore(tmp_path / "crops"), MemorySavePoints(undisturbed.chunks[:9])
        analyze(video, SETTINGS, models=busy_models(), save_points=kept, pass_store=store)
        for _ in range(2):  # at first its people are cropped again, then its crops are there
            models = busy_models()
            assert document(analyze(video, SETTINGS, models=models, pass_store=store)) == undisturbed.document
            assert detector_of(models).seen == []

    def test_labels_are_resumed_from_stored_crops(self, video: Path, undisturbed: Undisturbed, tmp_path: Path) -> None:
        store, kept = PassStore(tmp_path / "crops"), MemorySavePoints()
        assert find_people(video, SETTINGS, models=busy_models(), pass_store=store)
        analyze(video, SETTINGS, models=busy_models(), pass_store=store, save_points=kept)
        models = busy_models()
        half = MemorySavePoints(kept.kept[: len(kept.kept) // 2])
        resumed = analyze(video, SETTINGS, models=models, pass_store=store, save_points=half)
        assert document(resumed) == undisturbed.document
        assert 0 < len(classifier_of(models).clips) < len(classifier_of(undisturbed.models).clips)

    def test_people_are_found_from_where_it_ended(self, video: Path, undisturbed: Undisturbed, tmp_path: Path) -> None:
        kept, models = MemorySavePoints(), busy_models()
        assert find_people(
            video, SETTINGS, models=busy_models(), pass_store=PassStore(tmp_path / "one"), save_points=kept
        )
        other, half = PassStore(tmp_path / "other"), MemorySavePoints(kept.kept[: len(kept.kept) // 2])
        assert find_people(video, SETTINGS, models=models, pass_store=other, save_points=half)
        assert 0 < len(detector_of(models).seen) < len(detector_of(undisturbed.models).seen)
        assert document(analyze(video, SETTINGS, models=models, pass_store=other)) == undisturbed.document


class TestProgress:
    def test_it_says_that_it_goes_on_and_goes_only_forward(self, video: Path, undisturbed: Undisturbed) -> None:
        reports: list[Progress] = []
        kept = MemorySavePoints(undisturbed.chunks[:-3])
        analyze(video, SETTINGS, models=busy_models(), save_points=kept, progress=reports.append)
        assert all(report.resumed for report in reports)
        done_s = [report.analysed_s for report in reports]
        assert done_s == sorted(done_s)

    def test_a_cancel_while_it_catches_up_keeps_everything(
        self, video: Path, undisturbed: Undisturbed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(file, "_LOOKS_UP_EVERY", 10)
        for looks in (1, 3, 6):
            kept, models = MemorySavePoints(undisturbed.chunks), busy_models()
            timeline = analyze(video, SETTINGS, models=models, save_points=kept, cancel=_after(looks))
            assert not timeline.complete
            assert detector_of(models).seen == []


def _after(looks: int) -> Callable[[], bool]:
    """Cancel after so many looks."""
    left: Iterator[int] = iter(range(looks))
    return lambda: next(left, None) is None
