"""A camera followed frame by frame with scripted networks: a change of settings, and stable person numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from recognizer.analysis.following import PeopleFollower
from recognizer.analysis.labeling import ActionLabeler
from recognizer.analysis.stream import STREAM
from recognizer.networks.loading import Models
from recognizer.settings import DEFAULT_FRAME_RATE_HZ, TRACKER_NAMES, Settings
from recognizer.types import Clip, Detection, Observation
from tests.support.fakes import always, numbered_frame, person, scripted_models

FRAME_S = 1 / 30
SIZE = (160, 120)
SETTINGS = Settings(num_video_sequence_samples=4, skip_frame=1)
ONE = always(person((20, 20, 60, 100)))
TWO = always(person((10, 20, 50, 100)), person((100, 20, 140, 100)))


def follow(follower: PeopleFollower, number: int, time_s: float) -> list[Observation]:
    """Follow one frame of a camera whose detector keeps up."""
    frame = numbered_frame(number, time_s, *SIZE)
    return follower.follow(frame, [frame] if follower.take_sample(time_s) else [])


class Camera:
    """The two halves of a stream, driven as a camera drives them."""

    def __init__(self, models: Models, settings: Settings) -> None:
        self.follower = PeopleFollower(models, settings, DEFAULT_FRAME_RATE_HZ)
        self.labeler = ActionLabeler(models, settings, STREAM)

    def step(self, number: int) -> list[Clip]:
        """Follow frame ``number``; return the clips that are now complete."""
        observations = follow(self.follower, number, number * FRAME_S)
        return [clip for observation in observations for clip in self.labeler.add(observation)]

    def change(self, models: Models, settings: Settings) -> None:
        self.follower.change(models, settings)
        self.labeler.change(models, settings)

    def person_ids(self) -> list[int]:
        return [person.person_id for person in self.follower.people]


def test_another_skip_interval_begins_the_clips_anew() -> None:
    models = scripted_models(ONE)
    camera = Camera(models, SETTINGS)
    assert not any(camera.step(k) for k in range(3))
    camera.change(models, replace(SETTINGS, skip_frame=2))
    clips = [clip for k in range(3, 12) for clip in camera.step(k)]
    assert len(clips) == 1
    # four samples two frames apart, none of them from before the change
    assert clips[0].start_s == pytest.approx(3 * FRAME_S)
    assert clips[0].end_s - clips[0].start_s == pytest.approx(8 * FRAME_S)


@pytest.mark.parametrize(("length", "first_clip_at"), [(2, 3), (6, 5)])
def test_another_sequence_length_keeps_the_samples(length: int, first_clip_at: int) -> None:
    models = scripted_models(ONE)
    camera = Camera(models, SETTINGS)
    assert not any(camera.step(k) for k in range(3))
    camera.change(models, replace(SETTINGS, num_video_sequence_samples=length))
    found = {k: clips for k in range(3, 6) if (clips := camera.step(k))}
    first = min(found)
    assert first == first_clip_at
    assert len(found[first][0].rgb) == length
    assert found[first][0].start_s == pytest.approx((first - length + 1) * FRAME_S)


def test_another_tracker_continues_the_numbering() -> None:
    models = scripted_models(TWO)
    camera = Camera(models, SETTINGS)
    for k in range(5):
        camera.step(k)
    assert camera.person_ids() == [1, 2]
    camera.change(models, replace(SETTINGS, tracker="ocsort"))
    for k in range(5, 15):
        camera.step(k)
    assert camera.person_ids() == [3, 4]


def test_other_settings_leave_numbers_and_labels() -> None:
    models = scripted_models(TWO)
    camera = Camera(models, SETTINGS)
    for k in range(5):
        camera.labeler.label(camera.step(k))
    for changed in (
        replace(SETTINGS, crop_margin_percentage=50),
        replace(SETTINGS, min_person_confidence=0.2),
        replace(SETTINGS, overlap=0.5),
        replace(SETTINGS, num_video_sequence_samples=8),
        replace(SETTINGS, skip_frame=3),
    ):
        camera.change(models, changed)
        assert camera.labeler.latest_prediction(2) is not None
        for k in range(5, 8):
            camera.step(k)
        assert camera.person_ids() == [1, 2], changed


def test_person_stays_the_same_over_a_short_absence_with_a_long_skip_interval() -> None:
    """A camera is followed in every frame, whatever is sampled."""

    def script(number: int) -> Sequence[Detection]:
        return () if 20 <= number < 35 else ONE(number)

    settings = replace(SETTINGS, skip_frame=30)
    follower = PeopleFollower(scripted_models(script), settings, DEFAULT_FRAME_RATE_HZ, followed_hz=30)
    for k in range(45):
        follow(follower, k, k * FRAME_S)
    assert [one.person_id for one in follower.people] == [1]


@pytest.mark.parametrize("tracker", TRACKER_NAMES)
@pytest.mark.parametrize(("followed_hz", "away_s", "same"), [(30, 0.8, True), (5, 0.8, True), (30, 2.5, False)])
def test_lost_person_is_remembered_for_a_time_not_for_a_number_of_frames(
    tracker: str, followed_hz: int, away_s: float, same: bool
) -> None:
    def script(number: int) -> Sequence[Detection]:
        return () if 60 <= number < 60 + away_s * followed_hz else ONE(number)

    settings = replace(SETTINGS, tracker=tracker)
    follower = PeopleFollower(scripted_models(script), settings, DEFAULT_FRAME_RATE_HZ, followed_hz=15)
    for k in range(60 + 4 * followed_hz):
        follow(follower, k, k / followed_hz)
    assert [one.person_id for one in follower.people] == [1 if same else 2]


def test_samples_that_detection_skipped_are_cropped_on_the_line_between_its_boxes() -> None:
    def walks(number: int) -> Sequence[Detection]:
        left = 20 + number
        return (person((left, 20, left + 40, 100)),)

    follower = PeopleFollower(scripted_models(walks), SETTINGS, DEFAULT_FRAME_RATE_HZ, followed_hz=30 / 12)
    frames = [numbered_frame(k, k * FRAME_S, *SIZE) for k in range(25)]
    (first,) = follower.follow(frames[0], frames[:1])
    follower.follow(frames[12], frames[1:13])
    before = follower.people[0].box_xyxy
    observations = follower.follow(frames[24], frames[13:25:2])
    after = follower.people[0].box_xyxy
    assert first.frame_index == 0
    assert [observation.frame_index for observation in observations] == [13, 15, 17, 19, 21, 23]
    for observation in observations:
        (walker,) = observation.people
        share = (observation.frame_index - 12) / 12
        expected = [then + share * (now - then) for then, now in zip(before, after, strict=True)]
        assert walker.box_xyxy == pytest.approx(expected)
        assert len(observation.crops_rgb) == 1


def test_only_people_before_and_after_a_skipped_sample_are_cropped_in_it() -> None:
    def script(number: int) -> Sequence[Detection]:
        return ONE(number) if number < 4 else TWO(number)

    follower = PeopleFollower(scripted_models(script), SETTINGS, DEFAULT_FRAME_RATE_HZ, followed_hz=15)
    frames = [numbered_frame(k, k * FRAME_S, *SIZE) for k in range(9)]
    assert [len(one.people) for one in follower.follow(frames[2], frames[:3])] == [1], (
        "nobody is known before the first"
    )
    for k in (4, 6, 8):
        *skipped, latest = follower.follow(frames[k], frames[k - 1 : k + 1])
        assert len(skipped) == 1
        assert len(skipped[0].people) <= len(latest.people)
    assert len(latest.people) == 2
