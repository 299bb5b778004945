"""Parts of a recording, and the choices about a file, on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import recognizer.networks.loading
from recognizer.cli import main
from recognizer.networks import cache
from recognizer.networks.loading import Models
from recognizer.video import probe
from tests.support.fakes import ScriptedClassifier, ScriptedDetector, always, person
from tests.support.ffmpeg import ffmpeg

ANALYZE = ("analyze", "--classifier", "i3d", "--sequence-length", "4")


@pytest.fixture(autouse=True)
def _scripted_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    def models(*_: object) -> Models:
        return Models(ScriptedDetector(always(person())), ScriptedClassifier(), {"detector_sha256": "0" * 64})

    monkeypatch.setattr(recognizer.networks.loading, "load_models", models)
    monkeypatch.setattr(cache.ModelCache, "get", models)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three chapters of a recording, one second each, and a file with two videos."""
    folder = tmp_path_factory.mktemp("videos")
    source = ("-f", "lavfi", "-i")
    for chapter, gray in ((1, "0x888888"), (2, "0x8c8c8c"), (3, "0x909090")):  # a person in other colors is another
        ffmpeg(*source, f"color={gray}:s=64x48:r=20:d=1", f"GX0{chapter}0042.MP4", folder=folder)
    two = (*source, "testsrc=s=64x48:r=20:d=1", *source, "testsrc=s=96x64:r=20:d=1")
    ffmpeg(*two, "-map", "0:v", "-map", "1:v", "two.mkv", folder=folder)
    return folder


def chapters(folder: Path) -> list[str]:
    """Return the paths of the chapters, out of order."""
    return [str(folder / f"GX0{k}0042.MP4") for k in (2, 3, 1)]


def test_files_are_joined_on_request(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ANALYZE, *chapters(folder), "--join", "--json", f"{tmp_path}/", "--video", f"{tmp_path}/"]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["GX010042.json", "GX010042.mp4"]
    document = json.loads((tmp_path / "GX010042.json").read_text(encoding="utf-8"))
    assert [part["name"] for part in document["reading"]["parts"]] == [f"GX0{k}0042.MP4" for k in (1, 2, 3)]
    assert document["people"][0]["presence"] == [[0.0, pytest.approx(3.0)]]
    assert probe(tmp_path / "GX010042.mp4").frame_count == 60
    assert "'GX010042.MP4 and 2 more parts': 3 files read as one recording." in capsys.readouterr().err


def test_several_files_are_several_analyses_by_default(folder: Path, tmp_path: Path) -> None:
    assert main([*ANALYZE, *chapters(folder), "--json", f"{tmp_path}/", "--quiet"]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"GX0{k}0042.json" for k in (1, 2, 3)]


def test_result_never_overwrites_a_part(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (folder / "GX030042.MP4").read_bytes()
    target = str(folder / "GX030042.MP4")
    assert main([*ANALYZE, *chapters(folder), "--join", "--video", target]) == 2
    assert "--video would overwrite the video" in capsys.readouterr().err
    assert (folder / "GX030042.MP4").read_bytes() == before


def test_files_of_two_recordings_are_not_joined(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ANALYZE, chapters(folder)[0], str(folder / "two.mkv"), "--join"]) == 2
    error = capsys.readouterr().err
    assert "are not parts of one recording" in error
    assert error.count("\n") == 1


def test_parts_are_compared_as_one_recording(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.json"
    assert main(["compare", *chapters(folder), "--classifiers", "i3d:4,s3d:4", "--json", str(target), "--quiet"]) == 0
    document = json.loads(target.read_text(encoding="utf-8"))
    for entry in document["entries"]:
        assert entry["timeline"]["analysed_s"] == pytest.approx(3.0)
        assert len(entry["timeline"]["reading"]["parts"]) == 3


def test_one_of_several_videos_can_be_chosen(folder: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    def read(*options: str) -> tuple[dict[str, object], dict[str, object], str]:
        assert main([*ANALYZE, str(folder / "two.mkv"), "--json", "-", *options]) == 0
        captured = capsysbinary.readouterr()
        document = json.loads(captured.out)
        return document["video"], document["reading"], captured.err.decode()

    video, reading, told = read()
    assert (video["width"], reading["stream"]) == (64, 0)
    assert "2 videos in the file: stream 0 is read, not 1 (96 × 64)" in told
    video, reading, told = read("--stream", "1")
    assert (video["width"], reading["stream"], reading["stream_given"]) == (96, 1, True)
    assert "2 videos in the file: stream 1 is read, as you chose" in told


@pytest.mark.parametrize(
    ("options", "fact"),
    [
        (("--stream", "-1"), "--stream is -1"),
        (("--stream", "7"), "stream 7 of 'two.mkv' is not a video"),
        (("--frame-rate", "0"), "--frame-rate is 0"),
        (("--frame-rate", "nan"), "--frame-rate is nan"),
    ],
)
def test_impossible_choice_is_refused(
    options: tuple[str, ...], fact: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*ANALYZE, str(folder / "two.mkv"), *options]) == 2
    error = capsys.readouterr().err
    assert fact in error
    assert error.count("\n") == 1


def test_frame_rate_of_a_raw_stream_can_be_given(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    raw = tmp_path / "cctv.hevc"
    encoder = ("-c:v", "libx265", "-x265-params", "log-level=error:vui-timing-info=0")
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x48:r=15:d=2", *encoder, raw)
    assert main([*ANALYZE, str(raw)]) == 0
    assert "25 frames/s assumed, because the file does not say" in capsysbinary.readouterr().err.decode()
    assert main([*ANALYZE, str(raw), "--json", "-", "--frame-rate", "15"]) == 0
    captured = capsysbinary.readouterr()
    document = json.loads(captured.out)
    assert document["analysed_s"] == pytest.approx(2.0)
    assert document["reading"]["rate_given_hz"] == 15
    assert "15 frames/s, as you gave it" in captured.err.decode()
