"""People's speed, from boxes that move in known ways."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from recognizer.settings import Settings
from recognizer.timeline.model import PersonTrack
from recognizer.timeline.movement import Limits, Movement, movements_of, spans_of, summary_of
from recognizer.timeline.speeds import Speeds, Unknown, measure
from recognizer.types import CameraPath

SIZE_WH = (1000, 600)
RATE_HZ = 15.0
HEIGHT_PX = 200.0
LIMITS = Limits(0.2, 1.2)

Place = Callable[[NDArray[np.float64]], Any]


def times(seconds: float = 4.0, rate_hz: float = RATE_HZ) -> NDArray[np.float64]:
    return np.arange(round(seconds * rate_hz)) / rate_hz


def boxes(
    time_s: NDArray[np.float64],
    x: Place = lambda t: 300.0,
    y: Place = lambda t: 300.0,
    width: Place = lambda t: 70.0,
    height: Place = lambda t: HEIGHT_PX,
    noise_px: float = 0.0,
) -> NDArray[np.float64]:
    """Return boxes (n, 4) with this centre and size at each time."""
    xs, ys, widths, heights = (np.broadcast_to(of(time_s), time_s.shape) for of in (x, y, width, height))
    found = np.stack((xs - widths / 2, ys - heights / 2, xs + widths / 2, ys + heights / 2), axis=1)
    return found + np.random.default_rng(0).normal(0, noise_px, found.shape)


def fixed(time_s: NDArray[np.float64]) -> CameraPath:
    return moving(time_s, 0, 0)


def moving(time_s: NDArray[np.float64], x_px: float, y_px: float, zoom: float = 1.0) -> CameraPath:
    """Return a camera that moves the scene by this in each step, and zooms about the picture's corner."""
    steps = np.tile(np.array([zoom, 0.0, x_px, y_px]), (len(time_s), 1))
    steps[0] = np.nan
    return CameraPath(time_s, steps)


def speeds(time_s: NDArray[np.float64], found: NDArray[np.float64], camera: CameraPath | None = None) -> Speeds:
    return measure(time_s, found, camera or fixed(time_s), SIZE_WH)


@pytest.mark.parametrize("rate_hz", [1.0, 5.0, 10.0, 15.0, 60.0])
@pytest.mark.parametrize("speed", [0.0, 0.3, 0.8, 1.4])
def test_the_speed_is_in_body_heights_per_second(speed: float, rate_hz: float) -> None:
    time_s = times(2.9, rate_hz) if speed > 1 else times(3.5, rate_hz)
    found = speeds(time_s, boxes(time_s, x=lambda t: 100 + speed * HEIGHT_PX * t))
    known = found.per_s[1:-1] if rate_hz < 5 else found.per_s
    assert known == pytest.approx(np.full(len(known), speed), abs=1e-9)


def test_a_walk_down_the_picture_counts_too() -> None:
    time_s = times(2.0)
    found = speeds(time_s, boxes(time_s, y=lambda t: 200 + 0.6 * HEIGHT_PX * t, x=lambda t: 200 + 0.8 * HEIGHT_PX * t))
    assert found.per_s == pytest.approx(np.ones(len(time_s)))


def test_boxes_that_tremble_are_still() -> None:
    time_s = times()
    found = speeds(time_s, boxes(time_s, noise_px=2.0))
    assert found.per_s.max() < 0.15
    assert set(movements_of(found, LIMITS)) == {Movement.STILL}


def test_a_walk_with_swinging_arms_and_trembling_boxes_is_measured_well() -> None:
    time_s = times()
    walk = boxes(time_s, x=lambda t: 100 + 160 * t, width=lambda t: 80 + 25 * np.sin(2 * np.pi * 2 * t), noise_px=2.0)
    assert np.median(speeds(time_s, walk).per_s) == pytest.approx(0.8, rel=0.1)


@pytest.mark.parametrize(
    "pose",
    [
        {"width": lambda t: 70 + 100 * np.clip(t - 1, 0, 1)},  # opens both arms
        {"x": lambda t: 300 + 40 * np.clip(t - 1, 0, 1), "width": lambda t: 70 + 80 * np.clip(t - 1, 0, 1)},  # one arm
        {"y": lambda t: 300 + 40 * np.clip(t - 1, 0, 1), "height": lambda t: 200 - 80 * np.clip(t - 1, 0, 1)},  # sits
    ],
)
def test_who_opens_arms_or_sits_down_does_not_travel(pose: dict[str, Place]) -> None:
    time_s = times()
    found = boxes(time_s, **pose)  # type: ignore[arg-type]  # mypy takes each value for the noise, too
    assert speeds(time_s, found).per_s == pytest.approx(np.zeros(len(time_s)), abs=1e-9)


def test_the_unit_stays_the_body_height_while_somebody_squats() -> None:
    time_s = times()
    low = np.abs(time_s - 2) < 0.3
    found = boxes(time_s, x=lambda t: 100 + 160 * t)
    found[low, 1] += 80
    middle = speeds(time_s, found).per_s[np.abs(time_s - 2) < 0.05]
    assert middle == pytest.approx(np.full(len(middle), 0.8))


@pytest.mark.parametrize("camera_px", [(5.0, 0.0), (-12.0, 3.0)])
@pytest.mark.parametrize("speed", [0.0, 0.8])
def test_the_motion_of_the_camera_is_taken_out(camera_px: tuple[float, float], speed: float) -> None:
    time_s = times(2.0)
    step = 1 / RATE_HZ
    found = boxes(
        time_s,
        x=lambda t: 600 + speed * HEIGHT_PX * t * np.sign(camera_px[0]) * -1 + camera_px[0] * t / step,
        y=lambda t: 250 + camera_px[1] * t / step,
    )
    whole = (found[:, 0] > 5) & (found[:, 2] < 995)
    result = speeds(time_s, found, moving(time_s, *camera_px)).per_s[whole]
    assert result == pytest.approx(np.full(whole.sum(), speed), abs=1e-9)


def sparse(time_s: NDArray[np.float64], x_px: float, every: int) -> CameraPath:
    """Return a camera that moves the scene by ``x_px`` in each step but is only measured in every few samples."""
    return moving(time_s[::every], x_px * every, 0)


@pytest.mark.parametrize("every", [2, 3, 5])
def test_between_measurements_the_camera_is_interpolated(every: int) -> None:
    """Live, people are cropped between detections, and the camera is measured only in those."""
    time_s = times(2.0 + 1 / RATE_HZ)
    found = boxes(time_s, x=lambda t: 800 - 12.0 * RATE_HZ * t)
    result = speeds(time_s, found, sparse(time_s, -12.0, every)).per_s[: -every + 1]
    assert result == pytest.approx(np.zeros(len(result)), abs=1e-9)


def test_between_two_samples_that_cannot_be_compared_movement_is_unknown() -> None:
    time_s = times(2.0 + 1 / RATE_HZ)
    camera = sparse(time_s, -12.0, 10)
    camera.steps[2] = np.nan
    found = speeds(time_s, boxes(time_s, x=lambda t: 800 - 12.0 * RATE_HZ * t), camera)
    assert all(reason is Unknown.CAMERA for reason in found.unknown[11:20])
    assert found.unknown[5] is None


def test_a_zoom_is_taken_out() -> None:
    time_s = times(2.0)
    zoom = 1.01 ** np.arange(len(time_s))
    found = boxes(time_s, x=lambda t: 300 * zoom, y=lambda t: 200 * zoom, width=lambda t: 70 * zoom,
                  height=lambda t: 200 * zoom)  # fmt: skip
    result = speeds(time_s, found, moving(time_s, 0, 0, 1.01))
    assert result.per_s == pytest.approx(np.zeros(len(time_s)), abs=1e-6)
    assert not result.closing_per_s.any()


def test_it_is_unknown_while_the_motion_of_the_camera_is() -> None:
    time_s = times()
    camera = fixed(time_s)
    camera.steps[20:40] = np.nan
    found = speeds(time_s, boxes(time_s), camera)
    assert set(found.unknown[21:38]) == {Unknown.CAMERA}
    assert np.isnan(found.per_s[21:38]).all()
    assert set(found.unknown[:19]) | set(found.unknown[42:]) == {None}


def test_a_single_unknown_step_costs_nothing() -> None:
    time_s = times()
    camera = fixed(time_s)
    camera.steps[30] = np.nan
    assert set(speeds(time_s, boxes(time_s), camera).unknown) == {None}


def test_who_is_cut_off_by_the_border_is_unknown() -> None:
    time_s = times()
    found = speeds(time_s, boxes(time_s, x=lambda t: 20 + 160 * t))
    assert found.unknown[0] is Unknown.BORDER
    assert found.unknown[-1] is None
    assert found.per_s[-1] == pytest.approx(0.8)


def test_who_is_too_small_or_seen_too_briefly_is_unknown() -> None:
    time_s = times()
    assert set(speeds(time_s, boxes(time_s, height=lambda t: 30.0, width=lambda t: 12.0)).unknown) == {Unknown.SMALL}
    brief_s = time_s[:3]
    assert set(speeds(brief_s, boxes(brief_s)).unknown) == {Unknown.BRIEF}
    assert speeds(time_s[:0], boxes(time_s)[:0], fixed(time_s)).unknown == ()


def test_who_comes_closer_is_not_called_still() -> None:
    time_s = times()
    closer = boxes(time_s, width=lambda t: 70 * 1.15**t, height=lambda t: 200 * 1.15**t)
    assert set(movements_of(speeds(time_s, closer), LIMITS)) == {Unknown.DEPTH}


def test_who_bends_is_not_taken_for_somebody_who_moves_away() -> None:
    time_s = times()
    bends = boxes(
        time_s, height=lambda t: 200 - 60 * np.clip(t - 1, 0, 1), width=lambda t: 70 + 30 * np.clip(t - 1, 0, 1)
    )
    assert Unknown.DEPTH not in movements_of(speeds(time_s, bends), LIMITS)


def test_a_fast_limit_below_the_slow_one_counts_as_equal() -> None:
    limits = Limits.of(Settings(still_below=0.5, fast_from=0.3))
    assert [limits.movement(speed) for speed in (0.2, 0.4, 0.6)] == [Movement.STILL, Movement.STILL, Movement.FAST]


def track(time_s: NDArray[np.float64], found: NDArray[np.float64], *presence: tuple[float, float]) -> PersonTrack:
    return PersonTrack(1, time_s, found.astype(np.float32), np.ones(len(time_s), np.float32), presence)


def test_spans_cover_each_visit_and_short_ones_join_a_neighbour() -> None:
    time_s = times()
    goes = boxes(time_s, x=lambda t: 300 + 160 * np.clip(t - 2, 0, 2))
    found = speeds(time_s, goes)
    spans = spans_of(found, [(0.0, 4.0)], LIMITS)
    assert [span.movement for span in spans] == [Movement.STILL, Movement.SLOW]
    assert (spans[0].start_s, spans[-1].end_s) == (0.0, 4.0)
    assert spans[0].end_s == spans[1].start_s == pytest.approx(2.0, abs=0.15)
    assert spans[1].per_s == pytest.approx(0.8, abs=0.06)
    assert [span.movement for span in spans_of(found, [(0.0, 2.3), (2.3, 4.0)], LIMITS, 0.5)] == [
        Movement.STILL,
        Movement.SLOW,
    ]


def test_a_summary_weighs_by_time_and_leaves_the_unknown_out() -> None:
    time_s = times()
    walks = boxes(time_s, x=lambda t: 20 + 160 * t)  # cut off by the border at first
    summary = summary_of(speeds(time_s, walks), [(0.0, 4.0)], LIMITS)
    assert set(summary.seconds) == {Unknown.BORDER, Movement.SLOW}
    assert sum(summary.seconds.values()) == pytest.approx(4.0)
    assert summary.share(Movement.SLOW) == 1.0
    assert (summary.mean_per_s, summary.max_per_s) == pytest.approx((0.8, 0.8))
    unknown = summary_of(
        speeds(time_s, boxes(time_s, height=lambda t: 30.0, width=lambda t: 12.0)), [(0.0, 4.0)], LIMITS
    )
    assert (unknown.mean_per_s, unknown.max_per_s, unknown.share(Movement.STILL)) == (None, None, None)


def test_flicker_joins_the_longer_neighbours_and_ends() -> None:
    time_s = times(20.0)
    rng = np.random.default_rng(1)
    per_s = np.repeat(rng.random(len(time_s) // 4), 4)
    trembling = Speeds(time_s, per_s, np.zeros(len(time_s)), (None,) * len(time_s))
    raw, calm = (spans_of(trembling, [(0.0, 20.0)], Limits(0.5, 0.8), least_s) for least_s in (0.0, 0.5))
    assert len(calm) < len(raw)
    assert all(span.end_s - span.start_s >= 0.5 for span in calm)
    for spans in (raw, calm):
        assert [one.end_s for one in spans[:-1]] == [one.start_s for one in spans[1:]]
        assert all(one.movement is not other.movement for one, other in itertools.pairwise(spans))
    assert spans_of(trembling, [(0.0, 20.0)], Limits(0.5, 0.8), 60.0)[0].end_s == 20.0
