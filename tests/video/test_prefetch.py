"""Frames that are decoded ahead on another thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from recognizer.video import open_video, prefetched
from tests.support.waiting import WAIT_S


def test_closing_ends_a_pass_that_selects_nothing_more(make_video: Callable[..., Path]) -> None:
    """Regression: cancelling waited for the next selected frame, which may be the end of the file."""
    may_go_on = threading.Event()

    def only_the_first(index: int, _time_s: float) -> bool:
        if index == 50:
            may_go_on.wait(WAIT_S)
        return index == 0

    with open_video(make_video(frames=300)) as reader:
        frames = prefetched(reader.frames(only_the_first))
        assert next(frames).index == 0
        threading.Timer(0.05, may_go_on.set).start()
        frames.close()
        assert len(reader.frame_times_s) < 150
