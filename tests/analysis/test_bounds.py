"""An analysis keeps to the operator's limits, whatever a file states about itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from recognizer.analysis import file
from recognizer.analysis.bounds import batch_size, check_people, check_picture, check_stated
from recognizer.analysis.file import analyze
from recognizer.errors import LimitError
from recognizer.types import Observation, TrackedPerson, VideoInfo
from recognizer.video.prefetch import PREFETCHED_FRAMES, frames_ahead
from tests.support.fakes import always, person, scripted_models

RAISED = r"whoever runs this server can raise it"


def video(duration_s: float | None, frame_count: int | None) -> VideoInfo:
    return VideoInfo(None, 64, 48, None, duration_s, frame_count, "h264")


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        (video(7200.0, None), rf"the video lasts 2 h, the limit is 1 h; cut it .*max_video_s: {RAISED}"),
        (video(60.0, 1000), rf"the video has 1,000 pictures, the limit is 500; cut it .*max_frames: {RAISED}"),
    ],
)
def test_video_that_says_it_is_too_long_is_refused(
    stated: VideoInfo, said: str, set_limits: Callable[..., None]
) -> None:
    set_limits(max_video_s=3590, max_frames=500)
    with pytest.raises(LimitError, match=said):
        check_stated(stated)
    check_stated(video(3590.0, 500))
    check_stated(video(None, None))


def test_video_that_is_longer_than_it_says_is_stopped(set_limits: Callable[..., None]) -> None:
    set_limits(max_video_s=10, max_frames=500)
    check_picture(499, 10.0)
    with pytest.raises(LimitError, match="has 501 pictures or more"):
        check_picture(500, 1.0)
    with pytest.raises(LimitError, match="lasts 11 s, the limit is 10 s"):
        check_picture(0, 11.0)


def test_too_many_people_stop_the_analysis(set_limits: Callable[..., None]) -> None:
    set_limits(max_people=2)

    def seen(*numbers: int) -> list[Observation]:
        people = tuple(TrackedPerson(number, (0.0, 0.0, 9.0, 9.0), 0.9) for number in numbers)
        return [Observation(0, 0.0, people, tuple(np.zeros((2, 2, 3), np.uint8) for _ in people))]

    check_people(seen(1, 2))
    check_people(seen())
    with pytest.raises(LimitError, match=r"3 people were found in the video, the limit is 2; .*max_people"):
        check_people(seen(1, 3))


def test_engine_refuses_before_it_decodes(make_video: Callable[..., Path], set_limits: Callable[..., None]) -> None:
    path = make_video("a.mp4", frames=40)
    set_limits(max_frames=20)
    with pytest.raises(LimitError, match="has 40 pictures, the limit is 20"):
        analyze(path, models=scripted_models(always()))


def test_large_pictures_wait_in_smaller_numbers() -> None:
    """Regression: 60 pictures of 9900 x 9900 pixels in a file of 290 kB took 4.65 GB."""
    assert frames_ahead(1920, 1080) == PREFETCHED_FRAMES
    assert frames_ahead(9900, 9900) == 1
    assert batch_size(4, 1920, 1080) == 4
    assert batch_size(16, 9900, 9900) == 1
    for width, height in ((640, 480), (1920, 1080), (3840, 2160), (7680, 4320), (9900, 9900), (16384, 6000)):
        pixels = width * height
        waiting = frames_ahead(width, height) + 2 * batch_size(16, width, height)
        assert waiting * pixels <= max(200_000_000, 3 * pixels)


def test_engine_stops_when_there_are_too_many_people(
    make_video: Callable[..., Path], set_limits: Callable[..., None]
) -> None:
    path = make_video("a.mp4", frames=40)
    set_limits(max_people=1)
    models = scripted_models(always(person((2, 8, 18, 40)), person((40, 8, 58, 40))))
    with pytest.raises(LimitError, match="2 people were found in the video, the limit is 1"):
        analyze(path, models=models)


def test_engine_stops_a_file_that_lies_about_its_length(
    make_video: Callable[..., Path], set_limits: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_video("a.mp4", frames=40)
    set_limits(max_frames=20)
    monkeypatch.setattr(file, "check_stated", lambda _video: None)
    with pytest.raises(LimitError, match="has 21 pictures or more, the limit is 20"):
        analyze(path, models=scripted_models(always()))
