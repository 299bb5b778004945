"""Tracks of one person are joined; tracks of two people are not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from recognizer.people.compensation import CameraMotion
from recognizer.people.stitching import AWAY_S, LOST_S, stitch
from recognizer.people.tracklets import TWICE_GAP_S, Tracklet
from recognizer.types import APPEARANCE_SIZE, Box, CameraStep

INTERVAL_S = 0.2
HERE: Box = (100, 100, 140, 200)
FAR: Box = (500, 100, 540, 200)


def colours(*shares: float) -> NDArray[np.float64]:
    """Return an appearance with these shares of colours, the same in both halves."""
    half = np.zeros(APPEARANCE_SIZE // 2)
    half[: len(shares)] = shares
    return np.tile(half, 2)


RED = colours(0.8, 0.1, 0.1)
RED_IN_SHADE = colours(0.6, 0.3, 0.1)
ORANGE = colours(0.3, 0.7)
BLUE = colours(0.0, 0.0, 0.1, 0.9)


def track(
    track_id: int,
    start_s: float,
    end_s: float,
    box: Box = HERE,
    look: NDArray[np.float64] | None = RED,
    speed: float = 0.0,
) -> Tracklet:
    """Return a track from ``box`` on, sampled five times a second; ``speed`` is in pixels per second to the right."""
    time_s = INTERVAL_S * np.arange(round(start_s / INTERVAL_S), round(end_s / INTERVAL_S) + 1, dtype=np.float64)
    boxes = np.array(box, np.float32) + np.outer(time_s - time_s[0], [speed, 0, speed, 0]).astype(np.float32)
    return Tracklet(track_id, time_s, boxes, look)


def moved(box: Box, dx: float) -> Box:
    return box[0] + dx, box[1], box[2] + dx, box[3]


def people(*tracks: Tracklet, cuts_s: tuple[float, ...] = ()) -> dict[int, int]:
    return stitch(tracks, interval_s=INTERVAL_S, cuts_s=cuts_s)


def test_people_are_numbered_in_the_order_in_which_they_appear() -> None:
    assert people(track(7, 4, 6, FAR, BLUE), track(9, 0, 6)) == {9: 1, 7: 2}
    assert people() == {}


class TestCamera:
    """In the gap the camera turns, so that everyone is 300 pixels further right afterwards."""

    TURN = CameraMotion((2.4,), (CameraStep(1.0, 0.0, 300.0, 0.0),))

    def joined(self, *tracks: Tracklet) -> dict[int, int]:
        return stitch(tracks, interval_s=INTERVAL_S, camera=self.TURN)

    @pytest.mark.parametrize("back_s", [2.6, 5.0])
    def test_a_person_is_found_where_the_camera_shows_them_then(self, back_s: float) -> None:
        gone, back = track(1, 0, 2), track(2, back_s, 7, moved(HERE, 300), RED_IN_SHADE)
        assert self.joined(gone, back) == {1: 1, 2: 1}
        assert people(gone, back) == {1: 1, 2: 2}

    def test_another_at_the_same_place_in_the_picture_is_another(self) -> None:
        assert self.joined(track(1, 0, 2), track(2, 2.6, 7)) == {1: 1, 2: 2}

    def test_a_pan_that_follows_a_walking_person_counts_as_their_walk(self) -> None:
        """In the picture the person stands still; over the ground they walk on while they are hidden."""
        times_s = np.arange(0, 40) * INTERVAL_S
        pan = CameraMotion(times_s.tolist(), [CameraStep(1.0, 0.0, -20.0, 0.0)] * len(times_s))
        tracks = (track(1, 0, 2), track(2, 2.8, 6))
        assert stitch(tracks, interval_s=INTERVAL_S, camera=pan) == {1: 1, 2: 1}


class TestLost:
    def test_a_person_lost_for_a_moment_is_the_same(self) -> None:
        assert people(track(1, 0, 4), track(2, 4.8, 9, look=RED_IN_SHADE)) == {1: 1, 2: 1}

    def test_a_person_who_walks_on_behind_something_is_searched_for_ahead(self) -> None:
        """90 pixels further after a second: 1.4 box sizes."""
        before, after = track(1, 0, 4, speed=90), track(2, 5, 9, moved(HERE, 450), speed=90)
        assert people(before, after) == {1: 1, 2: 1}
        assert people(track(1, 0, 4), track(2, 5, 9, moved(HERE, 90))) == {1: 1, 2: 2}, "who stood is not there"

    def test_a_person_with_another_appearance_is_another(self) -> None:
        assert people(track(1, 0, 4), track(2, 4.4, 9, look=BLUE)) == {1: 1, 2: 2}

    def test_a_half_hidden_person_who_comes_out_from_behind_another_is_the_same(self) -> None:
        assert people(track(1, 0, 4), track(2, 4.4, 4.6, (100, 100, 140, 140)), track(3, 5, 9)) == {1: 1, 2: 1, 3: 1}

    def test_someone_three_times_as_high_is_another(self) -> None:
        assert people(track(1, 0, 4), track(2, 4.6, 9, (90, 0, 200, 300), RED)) == {1: 1, 2: 1}, "one inside the other"
        assert people(track(1, 0, 4), track(2, 4.6, 9, (140, 100, 150, 130), RED)) == {1: 1, 2: 2}

    def test_without_appearance_the_place_decides_after_a_loss_but_not_after_an_absence(self) -> None:
        assert people(track(1, 0, 4, look=None), track(2, 4.6, 9, look=None)) == {1: 1, 2: 1}
        assert people(track(1, 0, 4, look=None), track(2, 8, 9, look=None)) == {1: 1, 2: 2}

    def test_the_surest_pair_is_linked_first_and_nobody_continues_twice(self) -> None:
        one, other = track(1, 0, 4), track(2, 0, 4, moved(HERE, 50), RED_IN_SHADE)
        again, other_again = track(3, 4.6, 9), track(4, 4.6, 9, moved(HERE, 50), RED_IN_SHADE)
        assert people(one, other, other_again, again) == {1: 1, 3: 1, 2: 2, 4: 2}


class TestAway:
    @pytest.mark.parametrize("away_s", [1.6, 4.0, AWAY_S])
    def test_a_person_who_returns_after_some_seconds_is_the_same(self, away_s: float) -> None:
        assert people(track(1, 0, 4), track(2, 4 + away_s, 15)) == {1: 1, 2: 1}

    def test_a_person_who_is_away_for_longer_is_another(self) -> None:
        assert people(track(1, 0, 4), track(2, 4 + AWAY_S + 1, 15)) == {1: 1, 2: 2}

    def test_successive_visitors_stay_different(self) -> None:
        """They leave at the right and the next comes at the left three seconds later, in other clothes."""
        visits = [track(k, 10 * k, 10 * k + 7, look=look, speed=50) for k, look in enumerate((RED, ORANGE, BLUE), 1)]
        assert people(*visits) == {1: 1, 2: 2, 3: 3}

    def test_the_next_at_the_same_door_in_other_clothes_is_another(self) -> None:
        assert people(track(1, 0, 4), track(2, 7, 9, look=ORANGE)) == {1: 1, 2: 2}

    def test_a_person_who_returns_by_another_door_is_the_same_if_nobody_else_looks_like_them(self) -> None:
        assert people(track(1, 0, 4), track(2, 8, 12, FAR)) == {1: 1, 2: 1}
        assert people(track(1, 0, 4), track(2, 8, 12, FAR, RED_IN_SHADE)) == {1: 1, 2: 2}, "not sure enough"
        assert people(track(1, 0, 4), track(2, 8, 8.4, FAR)) == {1: 1, 2: 2}, "seen for too short a time"

    def test_two_in_the_same_uniform_are_not_mistaken_for_each_other(self) -> None:
        leave, leave_too = track(1, 0, 4), track(2, 0, 5, moved(HERE, 200))
        assert people(leave, leave_too, track(3, 8, 12, FAR)) == {1: 1, 2: 2, 3: 3}

    def test_several_absences_are_one_person(self) -> None:
        stays = [track(k, 6 * k, 6 * k + 3) for k in range(5)]
        assert set(people(*stays).values()) == {1}


class TestAtOnce:
    def test_two_at_once_are_two_even_if_alike_and_near(self) -> None:
        assert people(track(1, 0, 6), track(2, 3, 9, moved(HERE, 25))) == {1: 1, 2: 2}

    def test_one_seen_twice_is_one(self) -> None:
        """The detector sometimes finds a person and the same person without their feet."""
        assert people(track(1, 0, 6), track(2, 3, 5, (100, 100, 140, 175))) == {1: 1, 2: 1}

    def test_one_seen_twice_still_continues_afterwards(self) -> None:
        twice = track(2, 3, 6.2, (100, 100, 140, 175))
        assert people(track(1, 0, 6), twice, track(3, 7, 9)) == {1: 1, 2: 1, 3: 1}

    def test_one_found_whole_and_by_half_in_turn_is_one(self) -> None:
        """Regression: the companion of the pancake's cook had a second number for half a second."""
        whole = track(1, 0, 6)
        is_half = (whole.time_s >= 2) & (whole.time_s < 3) & (np.arange(len(whole.time_s)) % 2 == 0)
        half = Tracklet(2, whole.time_s[is_half], whole.box_xyxy[is_half] - np.array((0, 0, 0, 25), np.float32), RED)
        whole = Tracklet(1, whole.time_s[~is_half], whole.box_xyxy[~is_half], RED)
        assert people(whole, half) == {1: 1, 2: 1}

    def test_a_box_that_goes_on_where_another_was_absent_for_long_is_another_stay(self) -> None:
        whole = track(1, 0, 6)
        is_away = (whole.time_s > 2) & (whole.time_s < 2 + TWICE_GAP_S + 0.5)
        others = Tracklet(2, whole.time_s[is_away][1:-1], whole.box_xyxy[is_away][1:-1], RED)
        assert people(Tracklet(1, whole.time_s[~is_away], whole.box_xyxy[~is_away], RED), others) == {1: 1, 2: 2}

    def test_one_found_twice_where_a_track_hands_over_to_the_next_is_one(self) -> None:
        """Regression: a basketball player who ran off had a second number from the camera's whip on."""
        assert people(track(1, 0, 6), track(2, 5.8, 8, (100, 100, 140, 175))) == {1: 1, 2: 1}
        assert people(track(1, 0, 6), track(2, 5.8, 8, (100, 100, 140, 145))) == {1: 1, 2: 2}
        assert people(track(1, 0, 6), track(2, 5.8, 8, HERE, BLUE)) == {1: 1, 2: 2}

    def test_two_who_embrace_for_a_moment_stay_two(self) -> None:
        walk = track(2, 0, 8, moved(HERE, -160), RED, speed=40)
        assert people(track(1, 0, 8), walk) == {1: 1, 2: 2}


class TestCuts:
    def test_nobody_continues_in_another_shot(self) -> None:
        assert people(track(1, 0, 4), track(2, 4.2, 9, moved(HERE, 30)), cuts_s=(4.2,)) == {1: 1, 2: 2}
        assert people(track(1, 0, 4), track(2, 8, 9, FAR), cuts_s=(6.0,)) == {1: 1, 2: 2}

    def test_a_person_with_the_same_place_and_appearance_after_a_jump_cut_is_the_same(self) -> None:
        assert people(track(1, 0, 4), track(2, 4.2, 9), cuts_s=(4.2,)) == {1: 1, 2: 1}

    def test_a_cut_before_or_after_does_not_matter(self) -> None:
        assert people(track(1, 1, 4), track(2, 4.6, 9, moved(HERE, 30)), cuts_s=(1.0, 9.2)) == {1: 1, 2: 1}


@given(
    st.lists(
        st.tuples(
            st.integers(0, 60), st.integers(0, 20), st.integers(0, 6), st.sampled_from([RED, RED_IN_SHADE, BLUE, None])
        ),
        max_size=14,
    )
)
def test_nobody_is_in_two_places_at_once_and_every_track_has_a_person(
    scene: list[tuple[int, int, int, NDArray[np.float64] | None]],
) -> None:
    tracks = [
        track(k, start / 5, (start + length) / 5, moved(HERE, 60 * place), look)
        for k, (start, length, place, look) in enumerate(scene, 1)
    ]
    number_of = people(*tracks)
    assert number_of.keys() == {one.track_id for one in tracks}
    assert set(number_of.values()) == set(range(1, len(set(number_of.values())) + 1))
    seen: dict[tuple[int, float], float] = {}
    for one in tracks:
        for time_s, box in zip(one.time_s.tolist(), one.box_xyxy.tolist(), strict=True):
            at = seen.setdefault((number_of[one.track_id], time_s), box[0])
            assert at == box[0], "twice at once only in the same box"


def test_a_gap_counts_from_the_sample_that_was_missed() -> None:
    """With a sample every three seconds, the next sample is no gap."""
    tracks = (
        Tracklet(1, np.array([0.0, 3.0]), np.array([HERE] * 2, np.float32), None),
        Tracklet(2, np.array([6.0, 9.0]), np.array([HERE] * 2, np.float32), None),
    )
    assert stitch(tracks, interval_s=3.0) == {1: 1, 2: 1}
    assert stitch(tracks, interval_s=3.0 - LOST_S - 0.1) == {1: 1, 2: 2}
