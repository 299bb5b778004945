"""Tracking: one tracker per stream, people numbered within it, the same rules for every available tracker."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest

from recognizer.people.tracking import PersonTracker
from recognizer.settings import TRACKER_NAMES, Settings
from recognizer.types import UNKNOWN_STEP, Box, CameraStep, Detection, TrackedPerson

RATE_HZ = 30.0
RGB = np.random.default_rng(0).integers(0, 256, (240, 320, 3), np.uint8)
LEFT: Box = (20, 40, 70, 200)
RIGHT: Box = (200, 40, 250, 200)


@pytest.fixture(params=TRACKER_NAMES)
def tracker_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def tracker(name: str = "bytetrack", **settings: object) -> PersonTracker:
    return PersonTracker(Settings(tracker=name, **settings), RATE_HZ)  # type: ignore[arg-type]


def update(one: PersonTracker, *boxes: Box, confidence: float = 0.9) -> list[TrackedPerson]:
    return one.update(RGB, [Detection(box, confidence) for box in boxes])


def moved(box: Box, dx: float) -> Box:
    return box[0] + dx, box[1], box[2] + dx, box[3]


def ids(people: list[TrackedPerson]) -> list[int]:
    return [one.person_id for one in people]


def test_a_walking_person_keeps_their_number(tracker_name: str) -> None:
    one = tracker(tracker_name)
    seen = [ids(update(one, moved(LEFT, 3 * k))) for k in range(40)]
    assert seen[-1] == [1]
    assert {person for people in seen for person in people} == {1}


def test_a_person_is_tracked_from_their_first_frame(tracker_name: str) -> None:
    assert ids(update(tracker(tracker_name), LEFT)) == [1]


@pytest.mark.parametrize("skip", [2, 6])
def test_a_small_person_who_walks_out_of_their_own_box_between_two_samples_keeps_their_number(
    tracker_name: str, skip: int
) -> None:
    """Regression: ten frames a second, every second of them, 25 pixels wide: 68 numbers for 19 people."""
    one = tracker(tracker_name, skip_frame=skip)
    step = 0.8 * 25 * min(skip / 6, 1)
    seen = {person for k in range(14) for person in ids(update(one, moved((5, 60, 30, 135), step * k)))}
    assert seen == {1}


def after_a_pause(one: PersonTracker, pause_s: float, before: Callable[[float], Box], after: Box) -> list[int]:
    """Show a person eight times a second, then nothing for a while, then the person again; return the numbers."""
    since_s, hz = 1 / 8, 8.0
    for k in range(16):
        one.expect(hz, since_s)
        assert ids(update(one, before(k * since_s))) == [1]
    one.expect(1 / (0.9 / hz + 0.1 * min(pause_s, 1.0)), pause_s)
    return ids(update(one, after)) or ids(update(one, after))


def test_a_walker_keeps_their_number_while_the_machine_looks_at_nothing(tracker_name: str) -> None:
    """Regression: live, a second without a look gave a walker another number."""

    def walking(time_s: float) -> Box:
        return moved(LEFT, 60 * time_s)

    assert after_a_pause(tracker(tracker_name), 1.0, walking, walking(15 / 8 + 1.0)) == [1]


@pytest.mark.parametrize("arms_px", [120, 160])
def test_somebody_who_spreads_their_arms_while_the_machine_looks_at_nothing_keeps_their_number(arms_px: int) -> None:
    """Regression: known people's boxes were widened less than detected ones, and nobody might grow to three times."""
    spread = (160 - arms_px / 2, 40.0, 160 + arms_px / 2, 210.0)
    assert after_a_pause(tracker("botsort"), 1.9, lambda _: (136, 44, 184, 210), spread) == [1]


def test_boxes_are_widened_alike_when_the_machine_becomes_slow(tracker_name: str) -> None:
    one = tracker(tracker_name)
    for updates_per_s in (*[15.0] * 8, *[2.0] * 8):
        one.expect(updates_per_s, 1 / updates_per_s)
        assert ids(update(one, LEFT)) == [1]
        (track,) = one._tracker.tracked_stracks
        width = track.xyxy[2] - track.xyxy[0]
        assert width == pytest.approx(50 * (1 + 2 * min(1.25 / updates_per_s, 0.5)), rel=0.02)


def test_a_large_person_does_not_take_over_the_number_of_a_small_one_behind() -> None:
    """Regression: a wrestler whom the detector missed came back under the number of a spectator."""
    one = tracker(Settings.tracker)
    behind, before = (150.0, 10.0, 220.0, 130.0), (120.0, 10.0, 260.0, 230.0)
    for _ in range(10):
        assert ids(update(one, behind)) == [1]
    seen = [ids(update(one, before)) for _ in range(5)]
    assert seen[-1] == [2]


WHIP = CameraStep(1.0, 0.0, -22.0, 0.0)
"""From one sample to the next, the picture moves by almost a person's width."""


def whipped(one: PersonTracker, camera: CameraStep) -> list[set[int]]:
    """Return the numbers of two people side by side in the samples before, during and after a whip of the camera."""
    seen = []
    for k in range(30):
        x = -22.0 * min(max(k - 10, 0), 10)
        boxes = [(x + 230, 60.0, x + 255, 135.0), (x + 285, 60.0, x + 310, 135.0)]
        people = one.update(RGB, [Detection(box, 0.6) for box in boxes], camera if 10 < k <= 20 else STILL)
        seen.append({person.person_id for person in people})
    return seen


STILL = CameraStep(1.0, 0.0, 0.0, 0.0)


def test_people_keep_their_numbers_while_the_camera_whips() -> None:
    assert set.union(*whipped(tracker(Settings.tracker), WHIP)) == {1, 2}
    assert set.union(*whipped(tracker(Settings.tracker), UNKNOWN_STEP)) > {1, 2}, "the test's whip must matter"


def test_a_slight_motion_of_the_camera_changes_no_box() -> None:
    shaken, still = tracker(Settings.tracker), tracker(Settings.tracker)
    for k in range(20):
        found = [Detection(moved(LEFT, (-1) ** k), 0.9)]
        assert shaken.update(RGB, found, CameraStep(1.0, 0.0, (-1) ** k, 0.5)) == still.update(RGB, found)


RED, BLUE, GREEN = (200, 30, 30), (30, 40, 200), (30, 170, 40)
Colour = tuple[int, int, int]


def look_at(one: PersonTracker, *people: tuple[float, Colour]) -> dict[int, float]:
    """Return the left edge of each number's box in a picture of people at these left edges, the last in front."""
    rgb = np.full((240, 320, 3), 120, np.uint8)
    for x, colour in people:
        rgb[60:200, round(x) : round(x) + 50] = colour
    found = [Detection((x, 60.0, x + 50, 200.0), 0.9) for x, _ in people]
    return {person.person_id: person.box_xyxy[0] for person in one.update(rgb, found)}


def test_of_two_who_change_places_each_keeps_the_number_of_their_colours() -> None:
    one = tracker(Settings.tracker)
    start = look_at(one, (100, BLUE), (40, RED))
    for k in range(1, 13):  # they come near and stop
        look_at(one, (100 - 2 * k, BLUE), (40 + 2 * k, RED))
    for _ in range(6):
        look_at(one, (76, BLUE), (64, RED))
    for _ in range(6):  # and change places between two samples
        end = look_at(one, (64, BLUE), (76, RED))
    red, blue = sorted(start, key=lambda number: start[number])
    assert end[red] > end[blue]


def test_nobody_takes_the_number_of_someone_in_other_colours_whom_they_hide() -> None:
    """Regression: a woman who stepped in front of another had the other's number from then on."""
    one = tracker(Settings.tracker)
    for _ in range(10):
        assert look_at(one, (100, RED), (240, GREEN)).keys() == {1, 2}
    for _ in range(5):
        in_front = look_at(one, (106, BLUE), (240, GREEN))
    assert in_front.keys() == {2, 3}
    for k in range(6):
        both = look_at(one, (100, RED), (114 + 10 * k, BLUE), (240, GREEN))
        assert both[1] < both[3]


@pytest.mark.parametrize("people", [1, 2])
def test_a_lamp_that_is_switched_on_changes_no_number(people: int) -> None:
    """Regression: all colours change at once, and everybody got another number."""
    one = tracker(Settings.tracker)
    places, dark, bright = (40, 200), ((40, 10, 10), (10, 10, 45)), (RED, BLUE)
    for colours in (dark, bright, dark):
        for _ in range(8):
            seen = look_at(one, *zip(places[:people], colours[:people], strict=True))
            assert seen.keys() == set(range(1, people + 1))


def test_a_lamp_that_flickers_while_somebody_is_away_changes_no_number() -> None:
    """Regression: colours that were forgotten counted as a person who keeps theirs."""
    one = tracker(Settings.tracker)
    dark, bright = ((40, 10, 10), (10, 10, 45)), (RED, BLUE)
    for colours in (dark, bright):
        for _ in range(8):
            look_at(one, (40, colours[0]), (200, colours[1]))
    for colours in (dark, bright, dark):
        for _ in range(2):
            assert look_at(one, (40, colours[0])).keys() == {1}


def test_boxes_stay_near_the_detectors(tracker_name: str) -> None:
    one = tracker(tracker_name)
    for k in range(20):
        people = update(one, moved(LEFT, 2 * k))
    assert people[0].box_xyxy == pytest.approx(moved(LEFT, 38), abs=8)
    assert people[0].confidence == pytest.approx(0.9, abs=1e-6)


def test_two_people_keep_theirs_and_come_in_order(tracker_name: str) -> None:
    one = tracker(tracker_name)
    for k in range(30):
        people = update(one, *((RIGHT, LEFT) if k % 2 else (LEFT, RIGHT)))
    assert ids(people) == [1, 2]
    assert [p.box_xyxy[0] < 100 for p in people] == [True, False]


def test_numbers_are_given_in_order_of_appearance_without_gaps(tracker_name: str) -> None:
    """Detections that are never confirmed use up the tracker's own numbers, not ours."""
    one = tracker(tracker_name)
    for _ in range(10):
        update(one, LEFT)
    for k in range(20):  # for one frame each, somewhere
        box = (10.0 + 12 * k, 205.0, 18.0 + 12 * k, 235.0)
        update(one, LEFT, *((box,) if k % 2 else ()))
    for _ in range(10):
        people = update(one, LEFT, RIGHT)
    assert ids(people)[0] == 1
    assert ids(people)[1] <= 2


@pytest.mark.parametrize("lost_samples", [1, 7, 13])
def test_a_loss_of_less_than_a_second_keeps_the_number(tracker_name: str, lost_samples: int) -> None:
    one = tracker(tracker_name)  # 15 samples a second
    for _ in range(20):
        update(one, LEFT)
    for _ in range(lost_samples):
        assert update(one) == [], "nobody is invented while away"
    people = [update(one, LEFT) for _ in range(4)][-1]
    assert ids(people) == [1]


@pytest.mark.slow
@pytest.mark.parametrize("skip", [1, 2, 6, 30])
def test_the_allowed_loss_is_a_time_not_a_number_of_calls(skip: int) -> None:
    """``track_buffer`` of the trackers counts calls: thirty of them would be 30 s at skip 30."""
    settings = Settings(skip_frame=skip)
    interval_s, gap_s = settings.sample_interval_s(RATE_HZ), settings.max_gap_s(RATE_HZ)
    for lost_samples in range(1, 80):
        one = PersonTracker(settings, RATE_HZ)
        for _ in range(6):
            update(one, LEFT)
        for _ in range(lost_samples):
            update(one)
        people = [update(one, LEFT) for _ in range(3)][-1]
        away_s = (lost_samples + 1) * interval_s
        if away_s <= gap_s:
            assert ids(people) == [1], f"away for {away_s} s"
        elif away_s > gap_s + 3 * interval_s:  # the trackers take a call or two to forget
            assert ids(people) == [2], f"away for {away_s} s"
            break
    else:
        pytest.fail("the number was never given up")


def test_weak_boxes_start_no_person_but_continue_a_known_one() -> None:
    one = tracker(min_person_confidence=0.5)
    assert update(one, LEFT, confidence=0.3) == []
    for _ in range(5):
        update(one, LEFT, confidence=0.8)
    for _ in range(5):
        people = update(one, LEFT, RIGHT, confidence=0.3)
    assert ids(people) == [1]


@pytest.mark.parametrize("min_confidence", [0.05, 0.5, 0.95])
def test_people_start_at_the_chosen_confidence(tracker_name: str, min_confidence: float) -> None:
    """Regression: fused with the confidence, no overlap was enough to follow a person under 0.2."""
    low = tracker(tracker_name, min_person_confidence=min_confidence)
    high = tracker(tracker_name, min_person_confidence=min_confidence)
    update(low)
    update(high)  # the first frame of a stream starts people more easily
    for _ in range(6):
        below = update(low, LEFT, confidence=min_confidence - 0.02)
        above = update(high, LEFT, confidence=min_confidence + 0.02)
    assert below == []
    assert ids(above) == [1]


def test_boxes_are_clipped_at_the_border_and_dropped_outside() -> None:
    one = tracker()
    people = update(one, (-30, -20, 50, 300), (-80, 10, -2, 90), (319.8, 0, 400, 90))
    assert [p.box_xyxy for p in people] == [pytest.approx((0, 0, 50, 240), abs=1e-3)]


def test_tiny_and_degenerate_boxes_do_no_harm(tracker_name: str) -> None:
    one = tracker(tracker_name)
    for _ in range(5):
        for person in update(one, (10, 10, 11, 11), (50, 50, 50, 90), (60, 60, 60.2, 60.2), LEFT):
            x1, y1, x2, y2 = person.box_xyxy
            assert x2 - x1 >= 1
            assert y2 - y1 >= 1


def test_numbers_are_a_streams_own() -> None:
    """Regression: in the published solution, one tracker served all browsers."""
    first, second = tracker(), tracker()
    for k in range(30):
        mine = update(first, LEFT, *((RIGHT,) if k >= 10 else ()))
        others = update(second, *((RIGHT,) if k >= 20 else ()))
    assert ids(mine) == [1, 2]
    assert ids(others) == [1]


def test_a_new_stream_does_not_disturb_a_running_one(tracker_name: str) -> None:
    """The trackers' counter used to be shared and restarted with each of them."""
    one = tracker(tracker_name)
    for _ in range(10):
        update(one, LEFT)
    for _ in range(10):
        update(tracker(tracker_name), RIGHT)
        people = update(one, LEFT, RIGHT)
    assert ids(people) == [1, 2]


@pytest.mark.slow
def test_streams_on_two_threads_get_what_each_would_get_alone(tracker_name: str) -> None:
    def follow(offset: float) -> list[list[TrackedPerson]]:
        one = tracker(tracker_name)
        return [update(one, moved(LEFT, k + offset), *((RIGHT,) if k % 40 < 20 else ())) for k in range(60)]

    alone = [follow(offset) for offset in (0.0, 20.0)]
    together: dict[int, list[list[TrackedPerson]]] = {}
    start = threading.Barrier(2)

    def work(which: int, offset: float) -> None:
        start.wait()
        together[which] = follow(offset)

    threads = [threading.Thread(target=work, args=item) for item in enumerate((0.0, 20.0))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [together[0], together[1]] == alone


def test_a_frame_without_anyone_is_fine_from_the_start(tracker_name: str) -> None:
    one = tracker(tracker_name)
    assert update(one) == []
    assert update(one) == []
    update(one, LEFT)
    assert ids(update(one, LEFT)) in ([1], [])


def test_boxes_of_every_second_frame_match_those_of_every_frame(tracker_name: str) -> None:
    """Regression: the filter counted calls, which moved a swaying person by up to a tenth of their width."""

    def swaying(frame: int) -> Box:
        return moved(LEFT, 40 * float(np.sin(frame / 6)))

    every, second = tracker(tracker_name, skip_frame=1), tracker(tracker_name, skip_frame=2)
    apart_px = []
    for frame in range(60):
        (one,) = update(every, swaying(frame))
        if frame % 2 == 0:
            (other,) = update(second, swaying(frame))
            apart_px.append(abs(one.box_xyxy[0] - other.box_xyxy[0]))
    assert max(apart_px) < 0.5


def test_boxes_are_smoothed_against_the_jitter_of_the_detector(tracker_name: str) -> None:
    jitter_px = np.random.default_rng(1).normal(0, 2, 80)
    one = tracker(tracker_name, skip_frame=2)
    seen_px = [update(one, moved(LEFT, x))[0].box_xyxy[0] - LEFT[0] for x in jitter_px]
    assert np.abs(np.diff(seen_px)).mean() < 0.8 * np.abs(np.diff(jitter_px)).mean()


def test_after_a_loss_the_box_is_where_the_person_is_detected_again(tracker_name: str) -> None:
    one = tracker(tracker_name, skip_frame=2)
    for k in range(10):
        update(one, moved(LEFT, 4 * k))
    for _ in range(4):
        update(one)
    back = moved(LEFT, 44)
    (person,) = update(one, back)
    assert person.box_xyxy == pytest.approx(back)
