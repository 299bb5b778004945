"""Who stands, walks and runs on real footage; the clips' read-me describes each clip."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.identities import CLIPS, Nobody, followed
from recognizer.networks.loading import Models, load_detector
from recognizer.settings import Settings
from recognizer.timeline.model import Timeline
from recognizer.timeline.movement import Movement, PersonMovement, people_moving
from recognizer.types import Detector

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def models() -> Models:
    detector: Detector
    detector, _ = load_detector(Settings())
    return Models(detector, Nobody())


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


def test_who_does_tai_chi_stays_in_place(clips_dir: Path, models: Models) -> None:
    _, timeline, _ = followed(clips_dir / "stgcn_ta_chi.mp4", Settings(), models)
    (moving,) = people_moving(timeline)
    assert moving.summary.mean_per_s is not None
    assert moving.summary.mean_per_s < 0.05
    assert moving.summary.seconds[Movement.STILL] > 9


def test_players_and_a_judge_who_moves_out_of_the_way_run_and_the_others_stand(clips_dir: Path, models: Models) -> None:
    name = "tennis_analyzer_tennis.mp4"
    _, timeline, _ = followed(clips_dir / name, Settings(), models)
    found = named(timeline, name)
    assert mean_per_s(found["far player"], 6.0, 8.5) > 1.0
    # 149 pixels in 1.2 s at a height of 80, read off pictures; then the judge stands
    assert mean_per_s(found["right line judge"], 1.2, 2.4) == pytest.approx(1.55, abs=0.25)
    for who in ("right line judge", "left line judge", "line judge at the side", "ball kid"):
        assert mean_per_s(found[who], 4.0, 6.4) < 0.1
