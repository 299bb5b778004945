"""Who stands, walks and runs on real footage; the clips' read-me describes each clip."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.identities import CLIPS, VTEST, followed
from recognizer.networks.loading import Models
from recognizer.settings import Settings
from recognizer.timeline.model import Timeline
from recognizer.timeline.movement import Movement, PersonMovement, people_moving
from recognizer.timeline.speeds import Unknown

pytestmark = pytest.mark.real

FollowedClip = Callable[[str], Timeline]


def named(timeline: Timeline, clip: str) -> dict[str, PersonMovement]:
    """Return the movement of each person of a clip, the longest track if there are several."""
    found: dict[str, PersonMovement] = {}
    for moving in people_moving(timeline):
        track, video = moving.person, timeline.video
        middle = len(track.time_s) // 2
        x1, y1, x2, y2 = track.box_xyxy[middle].tolist()
        name = CLIPS[clip](float(track.time_s[middle]), (x1, y1, x2, y2), video.width, video.height)
        if name and (name not in found or track.present_s > found[name].person.present_s):
            found[name] = moving
    return found


def mean_per_s(moving: PersonMovement, start_s: float, end_s: float) -> float:
    inside = (moving.speeds.time_s >= start_s) & (moving.speeds.time_s <= end_s)
    return float(np.nanmean(moving.speeds.per_s[inside]))


def test_who_does_tai_chi_stays_in_place(followed_clip: FollowedClip) -> None:
    (moving,) = people_moving(followed_clip("stgcn_ta_chi.mp4"))
    assert moving.summary.mean_per_s is not None
    assert moving.summary.mean_per_s < 0.05
    assert moving.summary.seconds[Movement.STILL] > 9


def test_players_and_a_judge_who_moves_out_of_the_way_run_and_the_others_stand(followed_clip: FollowedClip) -> None:
    name = "tennis_analyzer_tennis.mp4"
    found = named(followed_clip(name), name)
    assert mean_per_s(found["far player"], 6.0, 8.5) > 1.0
    # 149 pixels in 1.2 s at a height of 80, read off pictures; then the judge stands
    assert mean_per_s(found["right line judge"], 1.2, 2.4) == pytest.approx(1.55, abs=0.25)
    for who in ("right line judge", "left line judge", "line judge at the side", "ball kid"):
        assert mean_per_s(found[who], 4.0, 6.4) < 0.1


@pytest.mark.parametrize(
    ("at", "start_s", "end_s", "by_eye"),
    [
        ((720, 140), 14, 17, 0.40),
        ((646, 158), 17, 20, 0.65),
        ((500, 183), 20, 24, 0.85),
        ((526, 263), 5, 8, 0.32),
        ((386, 218), 5, 8, 0.0),
    ],
)
def test_walkers_are_as_fast_as_read_off_pictures_by_eye(
    vtest: Timeline, at: tuple[float, float], start_s: float, end_s: float, by_eye: float
) -> None:
    """Places at the start and the end were written down from pictures, with the height there."""
    apart = {}
    for moving in people_moving(vtest):
        box = moving.person.box_at(start_s)
        if box is not None:
            apart[moving] = np.hypot((box[0] + box[2]) / 2 - at[0], (box[1] + box[3]) / 2 - at[1])
    moving = min(apart, key=apart.__getitem__)
    assert apart[moving] < 30
    assert mean_per_s(moving, start_s, end_s) == pytest.approx(by_eye, abs=0.12)


@pytest.fixture(scope="module")
def vtest(clips_dir: Path, only_detection: Models) -> Timeline:
    """The first 26 s: all that was read off pictures."""
    return followed(clips_dir / VTEST, Settings(skip_frame=1), only_detection, until_s=26.0)[1]


def test_the_border_and_whips_of_the_camera_are_told(followed_clip: FollowedClip) -> None:
    reasons = {}
    for name in ("c13_L-signing_R-standing_ccby.mp4", "tv_WUzgd7C1pWA.mp4"):
        reasons[name] = {reason for moving in people_moving(followed_clip(name)) for reason in moving.summary.seconds}
    assert Unknown.BORDER in reasons["c13_L-signing_R-standing_ccby.mp4"]
    assert Unknown.CAMERA in reasons["tv_WUzgd7C1pWA.mp4"]
