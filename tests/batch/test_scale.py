"""The simulation of very large batches."""

from __future__ import annotations

import math

import msgspec
import pytest

from benchmarks.scale import COSTS, Site, run, saturation
from benchmarks.scale_costs import STAGES, Costs
from benchmarks.scale_model import Failures, Lengths, Load, estimate, lengths, mean_length, simulate

MINUTES = lengths(5000, 10, 1)
WORK = Load(start_s=0, minute_s=60, video_s=2, read_s=0, write_s=0, written_s=0, driver_s=0)
SITE = Site(
    people=2,
    median_min=10,
    spread=1,
    video_mbit_s=2.5,
    store_gbit_s=10,
    store_files_s=2000,
    lives_h=100,
    away_s=120,
)


def stored() -> Costs:
    return msgspec.json.decode(COSTS.read_bytes(), type=Costs)


def test_lengths_are_log_normal_and_have_the_sum() -> None:
    assert sum(MINUTES) == pytest.approx(5000)
    many = lengths(1e6, 10, 1, seed=3)
    assert len(many) == round(1e6 / mean_length(10, 1))
    logarithms = [math.log(one) for one in many]
    mean = sum(logarithms) / len(many)
    assert mean == pytest.approx(math.log(10), abs=0.05)
    assert math.sqrt(sum((one - mean) ** 2 for one in logarithms) / len(many)) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("workers", [1, 7, 1000])
def test_every_video_is_done_once_and_work_is_conserved(workers: int) -> None:
    done = simulate(MINUTES, WORK, workers)
    assert done.done == [1] * len(MINUTES)
    work_s = sum(map(WORK.work_s, MINUTES))
    assert done.worked_s == pytest.approx(work_s)
    assert done.took_s >= max(work_s / workers, WORK.work_s(max(MINUTES))) * (1 - 1e-9)
    assert done.took_s <= work_s / workers + WORK.work_s(max(MINUTES))  # Graham's bound


def test_more_workers_are_never_slower_while_nothing_is_saturated() -> None:
    took_s = [simulate(MINUTES, WORK, workers).took_s for workers in range(1, 60, 4)]
    assert took_s == sorted(took_s, reverse=True)
    assert took_s[0] == pytest.approx(sum(map(WORK.work_s, MINUTES)))


def test_work_that_is_lost_is_done_again() -> None:
    failures = Failures(mean_s=3000, away_s=100, saved_every_s=60)
    done = simulate(MINUTES, WORK, 5, failures, seed=1)
    work_s = sum(map(WORK.work_s, MINUTES))
    assert done.done == [1] * len(MINUTES)
    assert done.worked_s == pytest.approx(work_s + done.lost_s)
    assert done.restarts == pytest.approx(done.worked_s / 3000, rel=0.3)
    assert 0 < done.lost_s < 60 * done.restarts
    assert done == simulate(MINUTES, WORK, 5, failures, seed=1)
    assert done != simulate(MINUTES, WORK, 5, failures, seed=2)


@pytest.mark.parametrize("stage", ["store", "driver"])
def test_a_stage_is_saturated_where_the_closed_form_says(stage: str) -> None:
    """Videos of equal length: until then, a worker more is a worker's work more; from then on, nothing more."""
    videos, serves_s = 4000, 3.0
    served = Load(
        start_s=0,
        minute_s=60,
        video_s=0,
        read_s=serves_s if stage == "store" else 0,
        write_s=0,
        written_s=0,
        driver_s=serves_s if stage == "driver" else 0,
    )
    workers = served.cycle_s(1) / serves_s  # 21
    below, above = (simulate([1.0] * videos, served, round(workers * share)) for share in (0.5, 2))
    assert below.took_s == pytest.approx(videos * served.cycle_s(1) / round(workers * 0.5), rel=0.02)
    assert above.took_s == pytest.approx(videos * serves_s, rel=0.02)
    assert getattr(above, f"{stage}_s") == pytest.approx(videos * serves_s)


@pytest.mark.parametrize("workers", [1, 30, 300, 3000])
def test_the_estimate_agrees_with_the_simulation(workers: int) -> None:
    minutes = lengths(1e5, 10, 1, seed=4)
    load = Load(start_s=20, minute_s=60, video_s=2, read_s=0.2, write_s=0.02, written_s=0.5, driver_s=0.05)
    failures = Failures(mean_s=36_000, away_s=120)
    simulated = simulate(minutes, load, workers, failures)
    estimated = estimate(Lengths.of(minutes), load, workers, failures)
    assert estimated.took_s == pytest.approx(simulated.took_s, rel=0.08)
    assert estimated.worked_s == pytest.approx(simulated.worked_s, rel=0.01)
    assert estimated.restarts == pytest.approx(simulated.restarts, rel=0.15)
    assert estimated.store_s == pytest.approx(simulated.store_s, rel=0.02)
    assert estimated.driver_s == pytest.approx(simulated.driver_s)


def test_a_distribution_has_the_lengths_that_are_drawn_from_it() -> None:
    drawn, known = Lengths.of(lengths(1e6, 10, 1, seed=5)), Lengths.log_normal(60_653, 10, 1)
    assert drawn.videos == known.videos
    assert drawn.mean == pytest.approx(known.mean, rel=0.01)
    assert drawn.at_a_death == pytest.approx(known.at_a_death, rel=0.1)
    assert drawn.longest == pytest.approx(known.longest, rel=0.5)


def test_what_is_stored_was_measured_and_saturates_somewhere() -> None:
    costs = stored()
    assert {*costs.minute_s, *costs.person_minute_s} == set(STAGES)
    found = saturation(costs, SITE)
    first = min(found.values())
    few, many = (run(1e5, round(first * share), costs, SITE) for share in (0.05, 0.1))
    assert few.took_s > many.took_s
    assert max(many.store_s, many.driver_s) < 0.2 * many.took_s
