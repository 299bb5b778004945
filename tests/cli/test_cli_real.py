"""The command line with real networks on real clips."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path

import psutil
import pytest

import recognizer.networks.loading
from recognizer.cli import main
from recognizer.networks.cache import ModelCache
from recognizer.settings import Settings
from recognizer.video import open_video, probe
from tests.support.environment import ROOT
from tests.support.fakes import ScriptedClassifier
from tests.support.tables import rows_of
from tests.support.waiting import WORK_S, wait_until

pytestmark = pytest.mark.real

MakeVideo = Callable[..., Path]
SETTINGS = ("--classifier", "i3d", "--sequence-length", "32", "--skip", "2")
ODD = (
    "e04_hevc10.mp4",
    "e05_av1.mp4",
    "e21_rot_m90_phone_portrait_style.mp4",
    "e30_vfr.mp4",
    "e34_one_frame.mp4",
    "e40_audio_only.mp4",
    "e44_resolution_change.ts",
    "e50_black_no_person.mp4",
    "e60_truncated_faststart.mp4",
    "e66_text_renamed.mp4",
    "e70_m3u8_renamed.mp4",
)
NO_VIDEO = ("e40_audio_only.mp4", "e66_text_renamed.mp4", "e70_m3u8_renamed.mp4")


@pytest.fixture
def tai_chi(clips_dir: Path, make_video: MakeVideo) -> Path:
    """The first five seconds of a clean clip."""
    with open_video(clips_dir / "stgcn_ta_chi.mp4") as reader:
        pictures = [frame.rgb for frame in islice(reader.frames(), 150)]
    return make_video("tai chi.mp4", frames=pictures)


@pytest.fixture
def loaded(networks: ModelCache, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real detector, loaded once for all files; a label says nothing about an odd file."""
    models = replace(networks.get(Settings(video_classifier_model="i3d")), classifier=ScriptedClassifier())
    monkeypatch.setattr(recognizer.networks.loading, "load_models", lambda *_: models)


def test_csv_json_and_video_of_a_real_clip(tai_chi: Path, tmp_path: Path) -> None:
    targets = {option: tmp_path / f"out.{ending}" for option, ending in (("--json", "json"), ("--video", "mp4"))}
    options = [word for option, path in targets.items() for word in (option, str(path))]
    done = subprocess.run(
        [sys.executable, "-m", "recognizer", "analyze", str(tai_chi), *SETTINGS, "--csv", "-", *options],
        cwd=ROOT, capture_output=True, timeout=300, check=False,
    )  # fmt: skip
    err = done.stderr.decode()
    assert done.returncode == 0, err
    assert err.count("\n") == 1, err
    rows = rows_of(done.stdout)
    assert sum(float(row["duration_s"]) for row in rows) == pytest.approx(5.0, abs=0.1)
    assert sum(float(row["duration_s"]) for row in rows if row["action"] == "tai chi") > 2.5
    document = json.loads(targets["--json"].read_text(encoding="utf-8"))
    assert document["complete"]
    assert len(document["provenance"]["classifier_sha256"]) == 64
    assert all(len(prediction["top"]) == 5 for prediction in document["predictions"])
    info = probe(targets["--video"])
    assert (info.codec, info.width, info.height, info.frame_count) == ("h264", 340, 256, 150)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT between processes")
@pytest.mark.parametrize(
    ("number", "code", "after_cpu_s"),
    [(signal.SIGINT, 130, 1.0), (signal.SIGINT, 130, 9.0), (signal.SIGTERM, 143, 7.0)],
)
def test_interrupt_leaves_no_half_file(
    number: signal.Signals, code: int, after_cpu_s: float, clips_dir: Path, tmp_path: Path
) -> None:
    """While it imports, and while it analyzes. On a busy machine, Python itself may take a second to start."""
    targets = ("--csv", str(tmp_path / "o.csv"), "--json", str(tmp_path / "o.json"), "--video", str(tmp_path / "o.mp4"))
    options = (*targets, "--fresh")  # what another run of this video left would be said
    with subprocess.Popen(
        [sys.executable, "-m", "recognizer", "analyze", str(clips_dir / "opencv_vtest.avi"), *SETTINGS, *options],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        running = psutil.Process(process.pid)
        wait_until(lambda: sum(running.cpu_times()[:2]) >= after_cpu_s, WORK_S)
        process.send_signal(number)
        out, err = process.communicate(timeout=120)
    assert (process.returncode, out, err) == (code, "", "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize("name", ODD)
def test_odd_file_gives_a_timeline_or_one_sentence(
    name: str, clips_dir: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "out.json"
    code = main(["analyze", str(clips_dir / "odd" / name), *SETTINGS, "--skip", "4", "--json", str(target), "--quiet"])
    out, err = capfd.readouterr()
    assert out == ""
    if name in NO_VIDEO:
        assert code == 2
        assert err.startswith("error: ")
        assert err.endswith(".\n")
        assert err.count("\n") == 1
        assert not target.exists()
    else:
        assert (code, err) == (0, "")
        assert json.loads(target.read_text(encoding="utf-8"))["complete"]


def test_every_odd_file_is_tried(clips_dir: Path) -> None:
    assert sorted(path.name for path in (clips_dir / "odd").iterdir()) == sorted(ODD)
