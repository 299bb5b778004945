"""One person, one number on real footage; the clips' read-me describes each clip."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.identities import CLIPS, VTEST, followed, numbers, switches, true_frames
from benchmarks.remarks import things
from recognizer.analysis.closer_look import unconfirmed
from recognizer.analysis.file import weakly_found
from recognizer.networks.loading import Models
from recognizer.settings import Settings
from recognizer.timeline.model import Timeline
from recognizer.video import open_video

pytestmark = pytest.mark.real

FollowedClip = Callable[[str], Timeline]


@pytest.mark.parametrize(
    ("name", "people"),
    [
        ("stgcn_ta_chi.mp4", {"the one": 1}),
        ("tv_v_SoccerJuggling_g24_c01.avi", {"the one": 1}),
        ("mmaction2_demo.mp4", {"left wrestler": 1, "right wrestler": 1}),
        ("decord_flipping_a_pancake.mkv", {"cook": 1, "companion": 1}),
        ("c12_two_signers_ccby.mp4", {"left signer": 1, "right signer": 1}),
        ("sam2_bedroom.mp4", {"girl": 1, "boy": 1}),
        ("vibeold_dance.mp4", {"hood": 1, "mesh sleeves": 1}),
        (
            "tennis_analyzer_tennis.mp4",
            dict.fromkeys(
                (
                    "far player",
                    "near player",
                    "left photographer",
                    "right photographer",
                    "left line judge",
                    "right line judge",
                    "line judge at the side",
                    "ball kid",
                    "spectator",
                ),
                1,
            ),
        ),
    ],
)
def test_one_person_one_number(followed_clip: FollowedClip, name: str, people: dict[str, int]) -> None:
    counted = numbers(followed_clip(name), CLIPS[name])
    assert counted.of == people
    assert counted.mixed == 0


@pytest.mark.parametrize(
    ("name", "weak"), [("c11_signlanguage_one_signer_ccby.mp4", 1), ("tennis_analyzer_tennis.mp4", 2)]
)
def test_from_closer_a_thing_stays_doubtful_and_a_person_does_not(
    followed_clip: FollowedClip, clips_dir: Path, only_detection: Models, name: str, weak: int
) -> None:
    """A chair; a logo before a spectator, and a line judge who sits at the side as still as the chair."""
    timeline = followed_clip(name)
    found = weakly_found(timeline)
    assert len(found) == weak
    least, detector = timeline.settings.min_person_confidence, only_detection.detector
    told = unconfirmed(found, least, clips_dir / name, timeline.video, detector, lambda: False)
    assert {track.person_id for track in told} == set(things(name, timeline))


def test_the_riders_keep_their_numbers_through_whips_of_the_camera(followed_clip: FollowedClip) -> None:
    """Without compensation the crowd of 20 people has 36 numbers, and no rider one that lasts for two seconds."""
    name = "tv_WUzgd7C1pWA.mp4"
    timeline = followed_clip(name)
    counted = numbers(timeline, CLIPS[name])
    assert len(timeline.people) <= 26
    assert counted.mixed == 0
    assert counted.strayed <= 5
    assert counted.all["woman in blue"] == counted.all["woman in red"] == 1, "one walks in front of the other"
    assert counted.of["red rider"] == counted.of["white rider"] == 1
    longest_s = {
        rider: max(
            track.present_s
            for track in timeline.people
            if numbers(replace(timeline, people=(track,)), CLIPS[name]).all.get(rider)
        )
        for rider in ("red rider", "white rider")
    }
    assert longest_s["red rider"] > 4.5
    assert longest_s["white rider"] > 3


def test_six_visitors_are_six_people_and_stay_the_same_when_hidden_for_four_seconds(
    clips_dir: Path, make_video: Callable[..., Path], only_detection: Models
) -> None:
    """Every fourth frame; the middle of each visit is replaced by four seconds of the empty room."""
    name = "intel_one-by-one-person-detection.mp4"
    hidden_from_s = (12.0, 33.0, 60.0, 79.0, 106.0, 128.0)
    with open_video(clips_dir / name) as reader:
        seen = [(f.time_s, cv2.resize(f.rgb, (512, 288))) for f in reader.frames(lambda k, _: k % 4 == 0)]
    empty = seen[0][1]
    pictures = [empty if any(a <= time_s < a + 4 for a in hidden_from_s) else rgb for time_s, rgb in seen]
    video = make_video(
        "hidden.mp4", frames=[np.asarray(rgb, np.uint8) for rgb in pictures], times_s=[t for t, _ in seen]
    )
    _, timeline, _ = followed(video, Settings(skip_frame=1), only_detection)
    counted = numbers(timeline, CLIPS[name])
    assert counted.of == {f"visitor {k}": 1 for k in range(1, 7)}
    assert counted.mixed == 0
    assert Counter(len(track.presence) for track in timeline.people if track.present_s > 1) == {2: 6}


def test_the_crowd_keeps_its_numbers_over_the_true_frames(clips_dir: Path, only_detection: Models) -> None:
    """The last 15 seconds of the video, one sample every 0.2 s."""
    frames = true_frames(clips_dir / "opencv_vtest_gt_frames.csv")
    _, after, _ = followed(clips_dir / VTEST, Settings(), only_detection, from_s=64.0)
    found = switches(after.people, frames)
    assert (found.switches, found.fragments) == (0, 0)
    assert found.missed <= 1


def test_a_cut_between_two_clips_ends_everybodys_track(
    clips_dir: Path, make_video: Callable[..., Path], only_detection: Models
) -> None:
    """Two signers, then the wrestlers, in the same places."""
    pictures = []
    for name in ("c12_two_signers_ccby.mp4", "mmaction2_demo.mp4"):
        with open_video(clips_dir / name) as reader:
            shot = [f.rgb for f in reader.frames(lambda k, _: k < 45)]
        pictures += [np.asarray(cv2.resize(rgb, (426, 240), interpolation=cv2.INTER_AREA), np.uint8) for rgb in shot]
    _, timeline, _ = followed(make_video("cut.mp4", frames=pictures), Settings(), only_detection)
    assert timeline.people
    cut_s = 1.5
    for track in timeline.people:
        assert track.presence[-1][1] <= cut_s + 0.07 or track.presence[0][0] >= cut_s - 0.07, track.presence
    for prediction in timeline.predictions:
        assert prediction.end_s <= cut_s + 0.07 or prediction.start_s >= cut_s - 0.07
