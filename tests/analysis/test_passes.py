"""A pass stored on disk: equal to the bit, never an obstacle to an analysis, within its size limit."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import AcquireReturnProxy, FileLock

from recognizer.analysis import passes
from recognizer.analysis.pass_record import RecordedPass
from recognizer.analysis.passes import PassStore, pass_key
from recognizer.settings import SETTING_SPECS, CropStyle, Scope, Settings, setting
from recognizer.types import (
    APPEARANCE_SIZE,
    CROP_SIZE_PX,
    UNKNOWN_STEP,
    CameraStep,
    Crossing,
    DamagedSpan,
    Observation,
    Reading,
    TrackedPerson,
)
from tests.support.settings import another

CROP_BYTES = CROP_SIZE_PX * CROP_SIZE_PX * 3
TIMES_S = np.arange(8) / 30
NOTES = ("The file ends early: 1.8 of 6.0 s could be read.", "naïve – ünïcode")
READING = Reading(deinterlaced=True, stored_wh=(720, 576), shown_wh=(1024, 576), damaged=(DamagedSpan(3.1, 3.2, 2),))


def observation(sample: int, people: int) -> Observation:
    rng = np.random.default_rng(sample)
    return Observation(
        frame_index=sample * 2,
        time_s=sample / 15 + 1e-9,
        people=tuple(TrackedPerson(k + 1, tuple(rng.random(4) * 100), float(rng.random())) for k in range(people)),
        crops_rgb=tuple(rng.integers(0, 256, (CROP_SIZE_PX, CROP_SIZE_PX, 3), np.uint8) for _ in range(people)),
        appearances=tuple(rng.integers(0, 256, APPEARANCE_SIZE, np.uint8) for _ in range(people)),
        is_cut=sample == 2,
        crossings=(Crossing(1, 2, 0.1, True), Crossing(2, 3, 0.07, False)) if sample == 4 else (),
        camera=CameraStep(1.0, 1e-7 * sample, 0.1, -3.25) if sample else UNKNOWN_STEP,
        camera_roughly=CameraStep(1.0, 1e-7 * sample, 0.3, -3.5) if sample else UNKNOWN_STEP,
    )


PASS = tuple(observation(sample, people) for sample, people in enumerate((0, 1, 3, 0, 2, 0)))


def style(margin_percentage: int) -> CropStyle:
    return CropStyle(margin_percentage, steady=False, surroundings=False)


def record(store: PassStore, key: str, margin: int = 10, seen: tuple[Observation, ...] = PASS) -> None:
    with store.record(key, style(margin)) as recorder:
        for one in seen:
            recorder.add(one)
        recorder.commit(TIMES_S, NOTES, READING)


def found(store: PassStore, key: str = "a") -> RecordedPass:
    recorded = store.find(key)
    assert recorded is not None
    return recorded


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "crops"


@pytest.fixture
def store(folder: Path) -> PassStore:
    return PassStore(folder)


@pytest.fixture(autouse=True)
def nothing_is_left_aside(folder: Path) -> Iterator[None]:
    yield
    if folder.is_dir():
        assert [path.name for path in folder.glob("writing-*")] == []


def test_a_stored_pass_is_equal_to_the_bit(store: PassStore) -> None:
    record(store, "a")
    recorded = found(store)
    again = list(recorded.observations(style(10)))
    assert [(o.frame_index, o.time_s, o.people) for o in again] == [(o.frame_index, o.time_s, o.people) for o in PASS]
    for one, other in zip(PASS, again, strict=True):
        np.testing.assert_array_equal(one.crops_rgb, other.crops_rgb)
        np.testing.assert_array_equal(one.appearances, other.appearances)
        assert one.is_cut is other.is_cut
        assert one.crossings == other.crossings
        np.testing.assert_array_equal(one.camera, other.camera)  # NaN where it is unknown
        np.testing.assert_array_equal(one.camera_roughly, other.camera_roughly)
    np.testing.assert_array_equal(recorded.frame_times_s, TIMES_S)
    assert recorded.notes == NOTES
    assert recorded.reading == READING


def test_a_pass_without_appearances_is_stored_without_them(store: PassStore) -> None:
    blind = tuple(replace(one, appearances=()) for one in PASS)
    record(store, "a", seen=blind)
    assert [o.appearances for o in found(store).observations(style(10))] == [()] * len(PASS)


def test_crops_are_found_by_position_whatever_the_number(store: PassStore) -> None:
    record(store, "a")
    sample = PASS[2]
    for person, crop in zip(sample.people, sample.crops_rgb, strict=True):
        box = tuple(np.array(person.box_xyxy, np.float32).tolist())  # as a timeline stores it
        ((time_s, (rgb,)),) = found(store).pictures_at({sample.time_s: box}, style(10))
        assert time_s == sample.time_s
        np.testing.assert_array_equal(rgb, crop)
    elsewhere = (0, 0, 1, 1)
    boxes = {sample.time_s: elsewhere, PASS[3].time_s: elsewhere, 99.0: box}
    assert found(store).pictures_at(boxes, style(10)) == []


def test_a_pass_without_people_is_stored_too(store: PassStore) -> None:
    record(store, "a", seen=(observation(0, 0), observation(1, 0)))
    recorded = found(store)
    assert recorded.has_crops(style(10))
    assert [o.people for o in recorded.observations(style(10))] == [(), ()]


def test_crops_read_back_may_be_changed_without_touching_the_record(store: PassStore) -> None:
    record(store, "a")
    for one in found(store).observations(style(10)):
        for crop in one.crops_rgb:
            np.asarray(crop)[:] = 0
    again = [crop for one in found(store).observations(style(10)) for crop in one.crops_rgb]
    assert all(np.asarray(crop).any() for crop in again)


def test_a_pass_that_is_not_committed_leaves_nothing(store: PassStore, folder: Path) -> None:
    with store.record("a", style(10)) as recorder:
        recorder.add(PASS[1])
    with contextlib.suppress(RuntimeError), store.record("b", style(10)) as recorder:
        recorder.add(PASS[1])
        raise RuntimeError
    assert list(folder.iterdir()) == []
    assert store.find("a") is None


def test_a_record_is_found_only_when_it_is_complete(store: PassStore) -> None:
    with store.record("a", style(10)) as recorder:
        for one in PASS:
            recorder.add(one)
            assert store.find("a") is None
        recorder.commit(TIMES_S, (), Reading())
        assert found(store).has_crops(style(10))


def test_surroundings_are_stored_next_to_the_crops(store: PassStore) -> None:
    around = tuple(
        replace(one, surroundings_rgb=tuple(255 - np.asarray(crop) for crop in one.crops_rgb)) for one in PASS
    )
    wider = style(10)._replace(surroundings=True)
    with store.record("a", wider) as recorder:
        for one in around:
            recorder.add(one)
        recorder.commit(TIMES_S, (), Reading())
    recorded = found(store)
    assert recorded.has_crops(wider)
    assert recorded.has_crops(style(10))
    assert not recorded.has_crops(wider._replace(steady=True))
    for one, again in zip(around, recorded.observations(wider), strict=True):
        assert len(one.surroundings_rgb) == len(again.surroundings_rgb)
        for kept, picture in zip(again.surroundings_rgb, one.surroundings_rgb, strict=True):
            np.testing.assert_array_equal(kept, picture)
    assert all(one.surroundings_rgb == () for one in recorded.observations(style(10)))


def test_another_margin_is_stored_next_to_the_first(store: PassStore) -> None:
    record(store, "a", 10)
    assert not found(store).has_crops(style(50))
    record(store, "a", 50)
    recorded = found(store)
    assert recorded.has_crops(style(10))
    assert recorded.has_crops(style(50))
    assert len(list(recorded.observations(style(50)))) == len(PASS)


def test_crops_over_the_limit_are_not_stored_but_the_people_are(folder: Path) -> None:
    store = PassStore(folder, max_crops_bytes=5 * CROP_BYTES)  # the pass has six
    record(store, "a")
    recorded = found(store)
    assert not recorded.has_crops(style(10))
    assert [recorded.people_in(k) for k in range(len(PASS))] == [o.people for o in PASS]
    exact = PassStore(folder, max_crops_bytes=6 * CROP_BYTES)
    record(exact, "b")
    assert found(exact, "b").has_crops(style(10))


@pytest.mark.parametrize("kept_share", [0.0, 0.3, 0.9, 0.999])
def test_a_truncated_record_counts_as_none(store: PassStore, folder: Path, kept_share: float) -> None:
    """Regression: a power cut left half a file, and every later analysis of that video ended with BadZipFile."""
    record(store, "a")
    path = folder / "a" / "pass.npz"
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * kept_share)])
    assert store.find("a") is None
    record(store, "a")
    assert found(store).has_crops(style(10))


@pytest.mark.parametrize("content", [b"", b"not an archive", b"\x80\x04\x95garbage", b"PK\x03\x04" + bytes(100)])
def test_a_file_that_is_no_record_counts_as_none(store: PassStore, folder: Path, content: bytes) -> None:
    record(store, "a")
    (folder / "a" / "pass.npz").write_bytes(content)
    assert store.find("a") is None


def test_a_record_with_an_array_missing_counts_as_none(store: PassStore, folder: Path) -> None:
    record(store, "a")
    np.savez(folder / "a" / "pass.npz", time_s=TIMES_S)
    assert store.find("a") is None


@pytest.mark.parametrize("change", [-1, -CROP_BYTES, 1])
def test_crops_of_the_wrong_size_count_as_none(store: PassStore, folder: Path, change: int) -> None:
    record(store, "a")
    path = folder / "a" / "crops-10.u8"
    os.truncate(path, path.stat().st_size + change)
    recorded = found(store)
    assert not recorded.has_crops(style(10))
    record(store, "a")
    assert found(store).has_crops(style(10))


def test_the_folder_stays_within_its_limit_and_the_least_recently_used_is_removed_first(folder: Path) -> None:
    one_record = 6 * CROP_BYTES + 10_000
    store = PassStore(folder, max_folder_bytes=3 * one_record)
    for age, key in enumerate("abc"):
        record(store, key)
        os.utime(folder / key, (1000 + age, 1000 + age))
    assert store.find("a") is not None  # using it makes it the most recent
    record(store, "d")
    assert {path.name for path in folder.iterdir()} == {"a", "c", "d"}
    assert sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) <= 3 * one_record


def test_the_record_just_written_stays_even_if_it_alone_exceeds_the_limit(folder: Path) -> None:
    store = PassStore(folder, max_folder_bytes=1)
    record(store, "a")
    record(store, "b")
    assert {path.name for path in folder.iterdir()} == {"b"}
    assert found(store, "b").has_crops(style(10))


def test_pruning_spares_a_record_being_written_and_removes_what_a_crash_left(folder: Path) -> None:
    store = PassStore(folder, max_folder_bytes=1)
    crashed = folder / "writing-crashed"
    crashed.mkdir()
    (crashed / "crops-10.u8").write_bytes(bytes(100))
    long_ago = time.time() - 2 * 24 * 3600
    os.utime(crashed, (long_ago, long_ago))
    with store.record("a", style(10)) as still_writing:
        record(store, "b")
        assert not crashed.exists()
        still_writing.add(PASS[1])
        still_writing.commit(TIMES_S, (), Reading())
        assert found(store, "a").has_crops(style(10))


def test_pruning_goes_by_the_lock_of_what_is_being_written_and_removes_it(folder: Path) -> None:
    """Regression: a pass of over a day was removed while it was recorded, and locks of crashed processes stayed."""
    store = PassStore(folder, max_folder_bytes=1)
    crashed = folder / "writing-crashed"
    crashed.mkdir()
    crashed.with_name("writing-crashed.lock").touch()
    long_ago = time.time() - 2 * 24 * 3600
    with store.record("a", style(10)) as still_writing:
        (writing,) = (path for path in folder.iterdir() if path.is_dir() and path != crashed)
        os.utime(writing, (long_ago, long_ago))
        record(store, "b")
        assert writing.is_dir()
        assert not list(folder.glob("writing-crashed*"))
        still_writing.add(PASS[1])
        still_writing.commit(TIMES_S, (), Reading())
    assert found(store, "a").has_crops(style(10))


def test_a_lock_that_its_recorder_removes_while_pruning_looks_stays_removed(
    store: PassStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: to take the lock that a recorder had just removed made it again, for good."""
    ending = store.record("a", style(10))

    class EndsBefore(FileLock):
        def acquire(self, *args: Any, **options: Any) -> AcquireReturnProxy[Any]:
            ending.discard()
            return super().acquire(*args, **options)

    monkeypatch.setattr(passes, "FileLock", EndsBefore)
    store.prune(keep=folder / "b")
    assert list(folder.iterdir()) == []


def test_two_recorders_of_one_pass_do_not_disturb_each_other(store: PassStore) -> None:
    with store.record("a", style(10)) as one, store.record("a", style(10)) as other:
        for seen in PASS:
            one.add(seen)
            other.add(seen)
        one.commit(TIMES_S, (), Reading())
        other.commit(TIMES_S, (), Reading())
    assert len(list(found(store).observations(style(10)))) == len(PASS)


def test_a_recorder_that_loses_the_race_for_the_place_still_adds_its_crops(
    store: PassStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other recorder moves its record into place between the check and the rename."""
    rmtree = shutil.rmtree

    def other_recorder_is_faster(path: Path, ignore_errors: bool = False) -> None:
        rmtree(path, ignore_errors=ignore_errors)
        if path.name == "a":
            monkeypatch.setattr(shutil, "rmtree", rmtree)
            record(store, "a", 10)

    monkeypatch.setattr(shutil, "rmtree", other_recorder_is_faster)
    record(store, "a", 50)
    assert found(store).has_crops(style(10))
    assert found(store).has_crops(style(50))


def test_many_threads_may_record_find_and_prune_at_once(folder: Path) -> None:
    store = PassStore(folder, max_folder_bytes=4 * CROP_BYTES)
    failures: list[BaseException] = []

    def work(seed: int) -> None:
        try:
            for turn in range(15):
                key = f"{(seed + turn) % 3}"
                record(store, key, margin=turn % 2, seen=PASS[:2])
                store.find(key)
        except BaseException as error:  # noqa: BLE001 - told below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    for path in folder.iterdir():
        assert store.find(path.name) is not None


def test_a_full_disk_ends_the_record_not_the_analysis(
    store: PassStore, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        def write(self, _: bytes) -> int:
            raise OSError(28, "No space left on device")

        def close(self) -> None:
            raise OSError(28, "No space left on device")

    with store.record("a", style(10)) as recorder:
        (file,) = recorder._files
        file.close()
        monkeypatch.setattr(recorder, "_files", [Full()])
        for one in PASS:
            recorder.add(one)
        recorder.commit(TIMES_S, (), Reading())
    assert store.find("a") is None
    assert caplog.text.count("No space left") == 1


def test_a_folder_that_is_gone_ends_the_record_not_the_analysis(
    store: PassStore, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.rmtree(folder)
    record(store, "a")
    assert "a pass is not stored" in caplog.text
    assert store.find("a") is None


def test_memory_of_a_recorder_grows_by_compact_arrays_only(folder: Path) -> None:
    """A person's box and appearance take 312 bytes, a sample 80; arrays over-allocate by up to an eighth."""
    samples = 2000
    with PassStore(folder, max_crops_bytes=0).record("a", style(10)) as recorder:
        recorder.add(PASS[1])
        tracemalloc.start()
        before_bytes, _ = tracemalloc.get_traced_memory()
        for _ in range(samples):
            recorder.add(PASS[1])
        after_bytes, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert 300 < (after_bytes - before_bytes) / samples < (312 + 80) * 9 / 8


@pytest.mark.parametrize("name", [one.name for one in fields(Settings)])
def test_the_key_holds_what_decides_who_is_found_and_nothing_else(name: str) -> None:
    """Regression: the fields were listed by hand, and a forgotten one would have found a pass of other people."""
    by_result = {
        "model": pass_key("v", "another detector", Settings()),
        "backend": pass_key("v", "d", Settings(), "another backend"),
    }
    changed = by_result.get(name) or pass_key("v", "d", another(name))
    assert (changed != pass_key("v", "d", Settings())) == SETTING_SPECS[name].scope.decides_pass


def test_the_keys_of_stored_passes_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two keys written down, for format 3, before they were derived from the table of settings."""
    monkeypatch.setattr(passes, "FORMAT", 3)
    others = Settings("yolo26s.pt", "i3d", 0, 9, 3, 0.5, "ocsort", 0.5, "cpu", "float32", backend="pytorch")
    assert pass_key("v", "d", Settings()) == "4de57ac95233295abeb715bb6982aa7b"
    assert pass_key("v" * 64, "d" * 64, others, "openvino int8") == "0767bcccb1a6b2cf87509f052df8c2e6"
    assert pass_key("w", "d", Settings()) != pass_key("v", "d", Settings())


@pytest.mark.parametrize("scope", list(Scope))
def test_a_new_setting_becomes_part_of_the_key_by_its_scope(scope: Scope) -> None:
    @dataclass(frozen=True)
    class Extended(Settings):
        zoom: bool = setting(False, title="Zoom", option="--zoom", help="How far.", scope=scope)

    assert (pass_key("v", "d", Extended()) != pass_key("v", "d", Extended(zoom=True))) == scope.decides_pass


@pytest.mark.parametrize("name", [name for name, spec in SETTING_SPECS.items() if spec.scope is Scope.CROP])
def test_crops_of_another_style_are_not_taken_for_these(name: str, store: PassStore) -> None:
    record(store, "a")
    assert found(store).has_crops(Settings().crop_style)
    assert not found(store).has_crops(another(name).crop_style)
