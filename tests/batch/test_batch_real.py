"""Real networks in workers' processes: the results of ``analyze``."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from recognizer.batch.manifest import Manifest
from recognizer.batch.results import FEATURES, TIMELINE
from recognizer.cli import main
from recognizer.service.timeline_bytes import timelines_from_bytes

pytestmark = pytest.mark.real

OPTIONS = ("--classifier", "i3d", "--sequence-length", "8", "--skip", "8", "--quiet")


def test_two_workers_write_what_analyze_writes(
    clips_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RECOGNIZER_CACHE")  # in an empty one, each program would convert and measure the networks anew
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for name in ("stgcn_ta_chi.mp4", "torchcodec_h265_video.mp4"):
        shutil.copy(clips_dir / name, folder)
    shutil.copy(clips_dir / "stgcn_ta_chi.mp4", folder / "copy.mp4")
    (folder / "broken.mp4").write_bytes((clips_dir / "stgcn_ta_chi.mp4").read_bytes()[:5000])
    assert main(["batch", str(folder), "--out", str(out), "--workers", "2", *OPTIONS]) == 2
    with Manifest(out / "manifest.sqlite3") as manifest:
        rows = {row["id"]: row for row in manifest.rows()}
    assert {name: row["state"] for name, row in rows.items()} == {
        "broken.mp4": "failed",
        "copy.mp4": "done",
        "stgcn_ta_chi.mp4": "done",
        "torchcodec_h265_video.mp4": "done",
    }
    assert rows["copy.mp4"]["result"] == rows["stgcn_ta_chi.mp4"]["result"]
    result = out / rows["stgcn_ta_chi.mp4"]["outputs"]
    assert (result / FEATURES).is_file()
    (timeline,) = timelines_from_bytes((result / TIMELINE).read_bytes())
    assert timeline.people
    words = [str(folder / "stgcn_ta_chi.mp4"), "--json", str(tmp_path / "one.json"), "--csv", str(tmp_path / "one.csv")]
    assert main(["analyze", *words, *OPTIONS]) == 0
    assert (result / "timeline.json").read_bytes() == (tmp_path / "one.json").read_bytes()
    assert (result / "segments.csv").read_bytes() == (tmp_path / "one.csv").read_bytes()
