"""Movement in a file: from pictures and detections to speeds, with a camera that pans."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from recognizer.analysis.file import analyze
from recognizer.analysis.passes import PassStore
from recognizer.settings import Settings
from recognizer.timeline.movement import Movement, people_moving
from recognizer.timeline.speeds import Unknown
from tests.support.fakes import numbered_video, scripted_models
from tests.support.panning import RATE_HZ, only_person, panned_pictures, walks
from tests.support.runs import LEFT, QUICK, MakeVideo, detector_of


def panned(make_video: MakeVideo, camera_px: float) -> Path:
    """Write a lossless video of a camera that pans by so much in each frame."""
    pictures = panned_pictures(camera_px)
    return make_video(f"pan{camera_px}.mkv", frames=pictures, fps=RATE_HZ, codec="ffv1", pix_fmt="bgr0")


@pytest.mark.parametrize(
    ("camera_px", "picture_px", "speed", "movement"),
    [
        (2.0, -2.0, 0.0, Movement.STILL),  # stands while the camera pans past
        (2.5, 0.0, 0.75, Movement.SLOW),  # walks, and the camera follows
        (-4.0, 1.5, 0.75, Movement.SLOW),
        (4.5, 0.0, 1.35, Movement.FAST),
    ],
)
def test_the_speed_is_that_over_the_ground_whatever_the_camera_does(
    make_video: MakeVideo, camera_px: float, picture_px: float, speed: float, movement: Movement
) -> None:
    models = scripted_models(walks(picture_px))
    timeline = analyze(panned(make_video, camera_px), replace(QUICK, skip_frame=2), models=models)
    measured, movements = only_person(timeline)
    assert measured == pytest.approx(speed, abs=0.06)
    assert movements == {movement}


def test_a_stored_pass_gives_the_same_movement_without_detecting_again(make_video: MakeVideo, tmp_path: Path) -> None:
    models, store = scripted_models(walks(0.0)), PassStore(tmp_path / "passes")
    video = panned(make_video, 2.5)
    first = analyze(video, QUICK, models=models, pass_store=store)
    seen = len(detector_of(models).seen)
    again = analyze(video, replace(QUICK, crop_margin_percentage=30), models=models, pass_store=store)
    stored = analyze(video, QUICK, models=models, pass_store=store)
    assert len(detector_of(models).seen) == seen
    assert only_person(first) == only_person(again) == only_person(stored)


def test_in_surroundings_without_detail_movement_is_unknown(make_video: MakeVideo) -> None:
    timeline = analyze(numbered_video(make_video, 30), Settings(), models=scripted_models(lambda _: [LEFT]))
    (moving,) = people_moving(timeline)
    assert moving.summary.mean_per_s is None
    assert all(isinstance(reason, Unknown) for reason in moving.summary.seconds)
