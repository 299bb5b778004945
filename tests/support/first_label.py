"""Measure the time to cameras' first labels, in a process of its own that may be limited to some of the cores.

Run as ``python -m tests.support.first_label VIDEO CORES``; prints one JSON object for each of ``LOADS`` with times in
seconds.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

LOADS = ((1, False), (2, True))
"""Cameras at once, and whether other programs keep every core busy."""

_LONGEST_S = 240.0
_SIZE = (640, 480)
_FRAME_RATE_HZ = 30.0


@contextmanager
def busy(cores: int) -> Iterator[None]:
    """Keep each of these cores busy with another process, which gets half of it."""
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(cores)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def main(video: Path, cores: int) -> None:
    """Feed streams at a camera's pace until each has its first label."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])  # before any library counts them
    from recognizer.live.stream import LiveStream
    from recognizer.networks.loading import load_models
    from recognizer.palette import ActionPalette
    from recognizer.settings import Settings, recommended
    from recognizer.types import CROP_SIZE_PX, Clip
    from recognizer.video import open_video

    with open_video(video) as reader:
        frames = [frame.rgb for frame in reader.frames(lambda index, _: index < 90)]
    pictures = [np.asarray(cv2.resize(rgb, _SIZE), np.uint8) for rgb in frames]
    settings = recommended(Settings(video_classifier_model="i3d"), _FRAME_RATE_HZ)
    models = load_models(settings)
    samples = settings.num_video_sequence_samples
    models.classifier.warm_up(samples)
    models.detector.detect(pictures[:1])
    crops = np.zeros((samples, CROP_SIZE_PX, CROP_SIZE_PX, 3), np.uint8)
    clip = Clip(1, 0.0, 1.0, crops, crops)

    def took_s(work: Callable[[], object]) -> float:
        began_s = time.monotonic()
        work()
        return time.monotonic() - began_s

    def networks_s() -> tuple[float, float]:
        return took_s(lambda: models.classifier.classify([clip])), took_s(lambda: models.detector.detect(pictures[:1]))

    def first_labels_s(cameras: int) -> list[float]:
        streams = [LiveStream(models, settings, lambda _: models, ActionPalette()) for _ in range(cameras)]
        labelled_s: dict[int, float] = {}
        began_s, number = time.monotonic(), 0
        while len(labelled_s) < cameras:
            if time.monotonic() - began_s > _LONGEST_S:
                sys.exit(f"no label after {_LONGEST_S:.0f} s: {[stream.stats() for stream in streams]}")
            time.sleep(max(0.0, began_s + number / _FRAME_RATE_HZ - time.monotonic()))
            # a camera does not wait
            number = max(number + 1, round((time.monotonic() - began_s) * _FRAME_RATE_HZ))
            for k, stream in enumerate(streams):
                stream.frame(pictures[number % len(pictures)], time.monotonic())
                if any(label for _, label in stream.overlay.labels()):
                    labelled_s.setdefault(k, time.monotonic() - began_s)
        for stream in streams:
            stream.close()
        return list(labelled_s.values())

    for cameras, is_busy in LOADS:
        with busy(cores if is_busy else 0):
            before = networks_s()
            labelled_s = first_labels_s(cameras)
            after = networks_s()
        times = {
            "first_labels_s": labelled_s,
            "clip_span_s": settings.clip_span_s(_FRAME_RATE_HZ),
            "classify_s": max(before[0], after[0]),
            "detect_s": max(before[1], after[1]),
        }
        sys.stdout.write(json.dumps(times) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
