"""Settings, people and a waiting classifier for the tests of a camera's stream."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from recognizer.settings import Settings
from recognizer.types import Clip, Prediction
from tests.support.fakes import ScriptedClassifier, always, person
from tests.support.waiting import WAIT_S

PROMPT_S = WAIT_S / 3
"""Longest time of a call that must not wait for a held network, which answers only when the test lets it go."""

SIZE = (160, 120)
SETTINGS = Settings(num_video_sequence_samples=4, skip_frame=1)
ONE = always(person((20, 20, 60, 100)))


class HeldClassifier(ScriptedClassifier):
    """Labels nothing before ``let_go`` is set; sets ``reached`` when the first clip arrives."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = threading.Event()
        self.let_go = threading.Event()

    def classify(self, clips: Sequence[Clip]) -> list[Prediction]:
        self.reached.set()
        assert self.let_go.wait(WAIT_S)
        return super().classify(clips)


def saying(label: str, confidence: float = 0.9) -> Callable[[Clip], tuple[tuple[str, float], ...]]:
    """Answer every clip with one label."""
    return lambda _: ((label, confidence),)


def live_threads() -> set[threading.Thread]:
    """Return the threads of all open streams."""
    return {thread for thread in threading.enumerate() if thread.name.startswith("live-")}


def frames_of(path: Path) -> list[NDArray[np.uint8]]:
    """Decode a recording and check that browsers can play it; each frame uint8 (H, W, 3), RGB."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        return [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in container.decode(stream)]
