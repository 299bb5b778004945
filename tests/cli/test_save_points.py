"""A command that was interrupted goes on when it is run again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from recognizer.cli import main
from recognizer.cli.save_points import CommandSavePoints, save_points
from recognizer.errors import StoreError
from recognizer.networks import loading
from recognizer.networks.cache import ModelCache
from recognizer.networks.loading import Models
from recognizer.settings import Settings
from tests.support.fakes import ScriptedDetector, always, numbered_video, person, scripted_models
from tests.support.resuming import save_always
from tests.support.runs import classifier_of, detector_of

GOES_ON = "an earlier run of this command did not end; this one goes on where it was (--fresh begins anew)."
OPTIONS = ("--sequence-length", "4", "--skip", "1")


@pytest.fixture(autouse=True)
def saved_always(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RECOGNIZER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(loading, "loading_message", lambda settings: settings.model)
    save_always(monkeypatch)


@pytest.fixture
def video(make_video: Callable[..., Path]) -> Path:
    return numbered_video(make_video, 40)


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Models]:
    """Return a function that gives the next command networks, which interrupt it after so many batches."""

    def give(interrupted_after: int | None = None) -> Models:
        models = scripted_models(always(person()))
        if interrupted_after is not None:
            _interrupt(detector_of(models), interrupted_after)
        monkeypatch.setattr(loading, "load_models", lambda *_: models)
        monkeypatch.setattr(ModelCache, "get", lambda *_: models)
        return models

    return give


def _interrupt(detector: ScriptedDetector, after: int) -> None:
    detect = detector.detect

    def detect_or_end(frames_rgb: Any) -> Any:
        if len(detector.batch_sizes) == after:
            raise KeyboardInterrupt
        return detect(frames_rgb)

    detector.detect = detect_or_end  # type: ignore[method-assign]


def analyze(video: Path, target: Path, *more: str) -> int:
    return main(["analyze", str(video), "--classifier", "i3d", *OPTIONS, "--json", str(target), *more])


def left(folder: Path) -> list[Path]:
    return [path for path in (folder / "cache" / "commands").iterdir() if path.is_dir()]


def test_the_same_command_goes_on(
    video: Path, networks: Callable[..., Models], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    networks()
    assert analyze(video, tmp_path / "whole.json") == 0
    assert left(tmp_path) == []
    networks(5)
    with pytest.raises(KeyboardInterrupt):
        analyze(video, tmp_path / "result.json")
    assert GOES_ON not in capsys.readouterr().err
    assert len(left(tmp_path)) == 1
    models = networks()
    assert analyze(video, tmp_path / "result.json") == 0
    assert capsys.readouterr().err.count(GOES_ON) == 1
    assert detector_of(models).seen == list(range(20, 40))
    assert (tmp_path / "result.json").read_bytes() == (tmp_path / "whole.json").read_bytes()
    assert left(tmp_path) == []


@pytest.mark.parametrize("other", [("--fresh",), ("--overlap", "0.5")])
def test_fresh_and_other_settings_begin_at_the_start(
    video: Path,
    networks: Callable[..., Models],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    other: tuple[str, ...],
) -> None:
    networks(5)
    with pytest.raises(KeyboardInterrupt):
        analyze(video, tmp_path / "result.json")
    models = networks()
    assert analyze(video, tmp_path / "result.json", *other) == 0
    assert GOES_ON not in capsys.readouterr().err
    assert detector_of(models).seen == list(range(40))


def test_a_result_that_cannot_be_written_can_be_written_later_without_networks(
    video: Path, networks: Callable[..., Models], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    networks()
    with monkeypatch.context() as patch:
        patch.setattr("recognizer.cli.analyze_command.write_text", _fail)
        with pytest.raises(OSError, match="no room"):
            analyze(video, tmp_path / "result.json")
    models = networks()
    assert analyze(video, tmp_path / "result.json") == 0
    assert detector_of(models).seen == []


def _fail(*_: object) -> None:
    raise OSError("no room")


def test_two_of_the_same_command_do_not_disturb_each_other(
    video: Path, networks: Callable[..., Models], tmp_path: Path
) -> None:
    networks(5)
    with pytest.raises(KeyboardInterrupt):
        analyze(video, tmp_path / "result.json")
    (folder,) = left(tmp_path)
    models = networks()
    with FileLock(folder.with_suffix(".lock")):
        assert analyze(video, tmp_path / "result.json") == 0
    assert detector_of(models).seen == list(range(40))
    assert left(tmp_path) == [folder], "the other's save points stay"


def test_locks_go_when_they_are_of_no_use(video: Path, networks: Callable[..., Models], tmp_path: Path) -> None:
    """Regression: each command left one for good."""
    networks(5)
    with pytest.raises(KeyboardInterrupt):
        analyze(video, tmp_path / "result.json")
    (folder,) = left(tmp_path)
    assert list(folder.parent.glob("*.lock")) == []
    killed, pruned, running = (folder.parent / name for name in ("killed.lock", "pruned.lock", "running.lock"))
    killed.with_suffix("").mkdir()
    for path in (killed, pruned):
        path.touch()
    networks()
    with FileLock(running):
        assert analyze(video, tmp_path / "result.json") == 0
        assert sorted(folder.parent.glob("*.lock")) == [killed, running]


def test_a_lock_that_is_removed_as_it_is_taken_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recognizer.cli.save_points.cache_dir", lambda: tmp_path / "cache")
    fcntl = pytest.importorskip("fcntl")  # elsewhere, nobody removes a file that is open
    lock, asked = fcntl.flock, list[int]()

    def lock_late(descriptor: int, how: int) -> None:
        if not asked:
            (path,) = (tmp_path / "commands").glob("*.lock")
            path.unlink()
        asked.append(how)
        lock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", lock_late)
    with save_points("ab" * 32, [Settings()], fresh=False) as kept:
        assert kept is not None
        assert len(asked) == 2
        with save_points("ab" * 32, [Settings()], fresh=False) as second:
            assert second is None, "it is held"
    assert list((tmp_path / "commands").iterdir()) == []


def test_a_comparison_keeps_finished_classifiers(
    video: Path, networks: Callable[..., Models], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["compare", str(video), "--classifiers", "i3d,s3d", *OPTIONS, "--csv", str(tmp_path / "result.csv")]
    models, loaded = networks(), list[str]()

    def get(_: ModelCache, settings: Settings, __: object = None) -> Models:
        loaded.append(settings.video_classifier_model)
        if loaded == ["i3d", "s3d"]:
            raise KeyboardInterrupt
        return models

    monkeypatch.setattr(ModelCache, "get", get)
    with pytest.raises(KeyboardInterrupt):
        main(words)
    seen, clips = len(detector_of(models).seen), len(classifier_of(models).clips)
    assert main(words) == 0
    assert loaded == ["i3d", "s3d", "s3d"]
    assert len(detector_of(models).seen) == seen, "people are found once"
    assert len(classifier_of(models).clips) == 2 * clips
    assert left(tmp_path) == []


def test_a_full_disk_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    kept = CommandSavePoints(tmp_path / "file" / "folder")
    with pytest.raises(StoreError, match="cannot be written to"):
        kept.save(b"chunk")
    kept.save_entries(b"entries")
    assert (kept.chunks(), kept.entries) == ([], None)
