"""Movement in a camera's stream: the camera's own motion is taken out, as in a file."""

from __future__ import annotations

import time

import pytest

from recognizer.live.stream import LiveStream
from recognizer.palette import ActionPalette
from recognizer.timeline.movement import Movement
from tests.support.fakes import scripted_models
from tests.support.live import SETTINGS
from tests.support.panning import RATE_HZ, only_person, panned_pictures, walks
from tests.support.waiting import wait_until


@pytest.mark.parametrize(
    ("camera_px", "picture_px", "speed", "movement"),
    [(2.0, -2.0, 0.0, Movement.STILL), (2.5, 0.0, 0.75, Movement.SLOW)],
)
def test_a_session_says_how_fast_somebody_moves_over_the_ground(
    camera_px: float, picture_px: float, speed: float, movement: Movement
) -> None:
    models = scripted_models(walks(picture_px))
    stream = LiveStream(models, SETTINGS, lambda _: models, ActionPalette())
    began_s = time.monotonic()
    for k, rgb in enumerate(panned_pictures(camera_px)):
        stream.frame(rgb, began_s + k / RATE_HZ)
        if k % 3 == 0:  # some frames are detected and some are not; samples are taken of all
            wait_until(lambda k=k: stream.timeline().analysed_s > k / RATE_HZ)  # type: ignore[misc]
    measured, movements = only_person(stream.timeline(since_s=0.2))
    assert measured == pytest.approx(speed, abs=0.1), "so far"
    measured, movements = only_person(stream.close())
    assert measured == pytest.approx(speed, abs=0.06)
    assert movements == {movement}
