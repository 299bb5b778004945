"""A camera's stream with the real networks: set up before it begins, with a prompt first label."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from itertools import cycle
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest
from numpy.typing import NDArray

from recognizer.analysis.passes import PassStore
from recognizer.live.stream import LiveStream
from recognizer.live.warming import load_and_warm
from recognizer.networks.backends import openvino
from recognizer.networks.cache import ModelCache
from recognizer.networks.classifiers import naming
from recognizer.palette import ActionPalette
from recognizer.service.jobs import Jobs
from recognizer.service.store import AnalysisStore
from recognizer.service.tasks import ServerContext
from recognizer.settings import Settings
from recognizer.video import open_video
from tests.support.environment import ROOT
from tests.support.waiting import WAIT_S, wait_until

pytestmark = pytest.mark.real


def test_float32_is_compiled_once_when_a_label_is_close_and_no_stream_leaves_a_thread(
    clips_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_video(clips_dir / "stgcn_ta_chi.mp4") as reader:
        pictures = [frame.rgb for frame in reader.frames(lambda index, _: index < 90)]
    pictures = [np.asarray(cv2.resize(rgb, (640, 480)), np.uint8) for rgb in pictures]
    context = ServerContext(Jobs(), AnalysisStore(tmp_path / "data"), ModelCache(), PassStore(tmp_path / "crops"))
    settings = Settings(video_classifier_model="i3d")
    models = load_and_warm(context, settings)
    compiled: list[object] = []
    compile_it = openvino.Compiled.__init__

    def counted(self: openvino.Compiled, *arguments: object, **named: object) -> None:
        compiled.append(self)
        compile_it(self, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(openvino.Compiled, "__init__", counted)
    monkeypatch.setattr(naming, "CLOSE_CALL", float("inf"))  # no label is close
    stream_until_labeled(LiveStream(models, settings, lambda _: models, ActionPalette()), pictures)
    without = len(compiled)
    monkeypatch.setattr(naming, "CLOSE_CALL", 0.0)  # every label is close
    stream_until_labeled(LiveStream(models, settings, lambda _: models, ActionPalette()), pictures)
    assert len(compiled) == without + 1
    before = psutil.Process().num_threads()
    stream_until_labeled(LiveStream(models, settings, lambda _: models, ActionPalette()), pictures)
    assert len(compiled) == without + 1
    # what PyTorch began for the stream's threads ends a little later
    wait_until(lambda: psutil.Process().num_threads() <= before)


def stream_until_labeled(stream: LiveStream, pictures: list[NDArray[np.uint8]]) -> None:
    """Feed the pictures at a camera's rate until two clips are named; then close the stream."""
    end_s = time.monotonic() + WAIT_S
    for k, rgb in enumerate(cycle(pictures)):
        stream.frame(rgb)
        time.sleep(1 / 30)
        if k % 10 == 0 and len(stream.timeline().predictions) >= 2:
            break
        assert time.monotonic() < end_s
    stream.close()


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="only Linux takes a core away from a process")
def test_label_comes_within_five_seconds_with_one_core_taken_away_and_for_two_cameras_with_more_taken(
    clips_dir: Path,
) -> None:
    """With the page's own settings. First with one core taken away; then also with half of each core that is left, for
    two cameras at once. On a machine that is busy besides, as soon as its networks allow: a clip's worth of video, then
    for each camera two detections and two clips, each twice as slow as alone, because both run at once."""
    cores = max(1, len(os.sched_getaffinity(0)) - 1)
    measured = subprocess.run(
        [sys.executable, "-m", "tests.support.first_label", str(clips_dir / "stgcn_ta_chi.mp4"), str(cores)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert measured.returncode == 0, measured.stderr[-2000:]
    loads = [json.loads(line) for line in measured.stdout.splitlines()[-2:]]
    assert [len(times["first_labels_s"]) for times in loads] == [1, 2]
    for times in loads:
        networks_s = 2 * 2 * (times["detect_s"] + times["classify_s"])
        for k, first_label_s in enumerate(sorted(times["first_labels_s"]), 1):
            assert first_label_s < max(5.0, times["clip_span_s"] + k * networks_s), loads
