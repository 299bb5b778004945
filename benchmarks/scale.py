"""What would a batch of 10,000, a million or a hundred million minutes of video take, on 1 to 1,000 workers?

    .venv/bin/python -m benchmarks.scale [--people 2] [--median 10] [--spread 1] [--lives 100] [--gbit 10]
    .venv/bin/python -m benchmarks.scale --measure ../shared/clips

A simulation (``benchmarks.scale_model``) of what was measured on one core (``benchmarks/scale_costs.json``, written by
``--measure``, minutes of processor time). Assumed, and options: the lengths (log-normal), the people, the size of the
videos, the mean life of a worker, what the store carries and how many files it makes. Up to 100,000 videos are
simulated one by one; more are estimated from totals, which agree where both can be had (``tests/batch``).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from benchmarks import scale_costs
from benchmarks.scale_costs import Costs
from benchmarks.scale_model import Failures, Lengths, Load, Simulated, estimate, lengths, mean_length, simulate
from recognizer.analysis.save_points import EVERY_S
from recognizer.batch.messages import Outcome, Task
from recognizer.batch.recipe import Recipe
from recognizer.files import size_text

COSTS: Final = Path(__file__).with_name("scale_costs.json")
MOST_SIMULATED: Final = 100_000
MINUTES: Final = (1e4, 1e6, 1e8)
WORKERS: Final = (1, 10, 100, 1000)
_YEAR_S: Final = 365.25 * 86400


@dataclass(frozen=True)
class Site:
    """What is assumed.

    Attributes:
        people: in view, on average.
        median_min, spread: of the lengths of the videos: median in minutes, standard deviation of the logarithm.
        video_mbit_s: of the videos.
        store_gbit_s: what the store of videos and results carries.
        store_files_s: files and folders that it makes in a second.
        lives_h: mean hours of work until a worker dies.
        away_s: until another has taken its place.
    """

    people: float
    median_min: float
    spread: float
    video_mbit_s: float
    store_gbit_s: float
    store_files_s: float
    lives_h: float
    away_s: float

    @property
    def mean_min(self) -> float:
        """The mean length of a video."""
        return mean_length(self.median_min, self.spread)

    @property
    def video_bytes(self) -> float:
        """Bytes of a minute of video."""
        return self.video_mbit_s * 1e6 / 8 * 60

    @property
    def store_bytes_s(self) -> float:
        """Bytes that the store carries in a second."""
        return self.store_gbit_s * 1e9 / 8

    @property
    def failures(self) -> Failures:
        """How workers die."""
        return Failures(self.lives_h * 3600, self.away_s, EVERY_S)

    def result_bytes(self, costs: Costs, videos: float, minutes: float) -> float:
        """Return the bytes of results."""
        return videos * costs.result_bytes + minutes * self.people * costs.person_minute_bytes

    def load(self, costs: Costs, workers: int) -> Load:
        """Return what videos cost with so many workers."""
        hash_s = costs.hash_s * self.video_bytes / 1e9
        minute_s = sum(costs.minute_s.values()) + self.people * sum(costs.person_minute_s.values()) + hash_s
        return Load(
            start_s=costs.start_s,
            minute_s=minute_s,
            video_s=costs.video_s,
            read_s=self.video_bytes / self.store_bytes_s,
            write_s=self.result_bytes(costs, 0, 1) / self.store_bytes_s,
            written_s=costs.result_bytes / self.store_bytes_s + costs.result_files / self.store_files_s,
            driver_s=costs.record_s + costs.due_s + costs.task_s + workers * costs.wait_s,
        )


def run(total_min: float, workers: int, costs: Costs, site: Site) -> Simulated:
    """Return what a batch does: simulated, or estimated if it has too many videos."""
    load, videos = site.load(costs, workers), max(1, round(total_min / site.mean_min))
    if videos <= MOST_SIMULATED:
        return simulate(lengths(total_min, site.median_min, site.spread), load, workers, site.failures)
    return estimate(Lengths.log_normal(videos, site.median_min, site.spread), load, workers, site.failures)


def saturation(costs: Costs, site: Site) -> dict[str, float]:
    """Return by stage the number of workers that keeps it busy all the time.

    A worker comes back to a stage once in a cycle, so a stage that serves a video in s seconds has enough with
    cycle / s workers.
    """
    load, minutes = site.load(costs, 0), site.mean_min
    cycle_s = load.cycle_s(minutes)
    made_s = costs.result_files / site.store_files_s
    manifest_s = costs.record_s + costs.due_s
    # looking through all that is in work costs a driver more, the more workers there are: w (s + w t) = cycle
    driver_s, wait_s = manifest_s + costs.task_s, costs.wait_s
    looked = (-driver_s + (driver_s**2 + 4 * wait_s * cycle_s) ** 0.5) / (2 * wait_s)
    return {
        "store: bytes": cycle_s / (load.store_s(minutes) - made_s),
        "store: new files": cycle_s / made_s,
        "driver: manifest": cycle_s / manifest_s,
        "driver: manifest and Ray": looked,
        "head node: Ray's processes": cycle_s / costs.head_s,
    }


def _span(seconds: float) -> str:
    for size_s, unit in ((_YEAR_S, "years"), (86400.0, "days"), (3600.0, "h"), (60.0, "min")):
        if seconds >= size_s:
            return f"{seconds / size_s:.3g} {unit}"
    return f"{seconds:.2g} s"


def _share(part: float) -> str:
    if 0 < part < 1e-4:
        return "< 0.01 %"
    return f"{100 * part:.0f} %" if part >= 0.1 else f"{100 * part:.2g} %"


def _size(size_bytes: float) -> str:
    for unit, unit_bytes in (("PB", 1e15), ("TB", 1e12)):
        if size_bytes >= unit_bytes:
            return f"{size_bytes / unit_bytes:.1f} {unit}"
    return size_text(round(size_bytes))


def _print_heads(names: str) -> None:
    heads = names.split(", ")
    _print_row(*heads)
    print("|---" * len(heads) + "|")


def _print_row(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |")


def _print_costs(costs: Costs, site: Site) -> None:
    print(f"Measured on {costs.machine}: seconds of a core\n")
    _print_heads("stage, seconds per minute of video")
    for stage, minute_s in costs.minute_s.items():
        _print_row(stage, f"{minute_s:.2f}")
    for stage, person_s in costs.person_minute_s.items():
        _print_row(f"{stage}, for each person", f"{person_s:.2f}")
    load = site.load(costs, 0)
    share = 100 * (costs.task_s + costs.head_s) / load.cycle_s(site.mean_min)
    facts = (
        f"a minute with {site.people:g} people: {load.minute_s:.1f} s",
        f"a video besides: {costs.video_s:.2f} s",
        f"a worker's start: {costs.start_s:.1f} s",
        f"a row of the manifest: {1000 * costs.record_s:.2f} ms, {costs.row_bytes:.0f} bytes",
        f"a video on Ray: {1000 * (costs.task_s + costs.head_s):.2f} ms, {share:.5f} % of its analysis",
    )
    print("".join(f"\n* {fact}" for fact in facts) + "\n")


def _print_runs(costs: Costs, site: Site) -> None:
    _print_heads(
        "minutes, workers, takes, minutes of video an hour, workers work, tail, restarts, lost work, store, driver"
    )
    for total_min in MINUTES:
        for workers in WORKERS:
            one = run(total_min, workers, costs, site)
            works, tail, store, driver = (
                _share(part_s / one.took_s)
                for part_s in (one.worked_s / workers, one.tail_s, one.store_s, one.driver_s)
            )
            took = [_span(one.took_s), f"{total_min / one.took_s * 3600:,.0f}", works, tail]
            others = [f"{one.restarts:,.0f}", _span(one.lost_s), store, driver]
            _print_row(f"{total_min:,.0f}", f"{workers:,}", *took, *others)


def _print_folders(costs: Costs, site: Site) -> None:
    message = len(msgspec.json.encode(Task(1, "x" * 100, Recipe(), "", "x" * 50)))
    message += len(msgspec.json.encode(Outcome(1, "done", "x" * 32, "x" * 64, 600.0, 600.0, 2, 90)))
    print()
    _print_heads("minutes, videos, read, results, files, manifest, tasks and outcomes, opening, closing")
    for total_min in MINUTES:
        videos = total_min / site.mean_min
        texts = [
            f"{videos:,.0f}",
            _size(total_min * site.video_bytes),
            _size(site.result_bytes(costs, videos, total_min)),
            f"{videos * costs.result_files:,.0f}",
            _size(videos * costs.row_bytes),
            _size(videos * message),
            _span(videos * (costs.list_s + costs.check_s)),
            _span(videos * (costs.gather_s + costs.table_s)),
        ]
        _print_row(f"{total_min:,.0f}", *texts)


def _print_saturation(costs: Costs, site: Site) -> None:
    print()
    _print_heads("stage, busy all the time from")
    for stage, workers in sorted(saturation(costs, site).items(), key=lambda one: one[1]):
        _print_row(stage, f"{workers:,.0f} workers")


def main() -> None:
    """Measure, or print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measure", type=Path, metavar="CLIPS", help="measure the costs again, and store them")
    parser.add_argument("--people", type=float, default=2, help="in view, on average")
    parser.add_argument("--median", type=float, default=10, metavar="MIN", help="of the lengths of the videos")
    parser.add_argument("--spread", type=float, default=1, help="standard deviation of the lengths' logarithms")
    parser.add_argument("--mbit", type=float, default=2.5, metavar="MBIT", help="per second of video")
    parser.add_argument("--gbit", type=float, default=10, metavar="GBIT", help="per second that the store carries")
    parser.add_argument("--files", type=float, default=2000, metavar="N", help="that the store makes in a second")
    parser.add_argument("--lives", type=float, default=100, metavar="H", help="mean life of a worker")
    parser.add_argument("--away", type=float, default=120, metavar="S", help="until another has taken its place")
    options = parser.parse_args()
    if options.measure is not None:
        if not options.measure.is_dir():
            sys.exit(f"there are no clips in '{options.measure}'; give their folder to --measure.")
        scale_costs.limit_threads()
        with tempfile.TemporaryDirectory() as scratch:
            measured = scale_costs.measure(options.measure, Path(scratch))
        COSTS.write_bytes(msgspec.json.format(msgspec.json.encode(measured)) + b"\n")
    costs = msgspec.json.decode(COSTS.read_bytes(), type=Costs)
    site = Site(
        people=options.people,
        median_min=options.median,
        spread=options.spread,
        video_mbit_s=options.mbit,
        store_gbit_s=options.gbit,
        store_files_s=options.files,
        lives_h=options.lives,
        away_s=options.away,
    )
    _print_costs(costs, site)
    _print_runs(costs, site)
    _print_folders(costs, site)
    _print_saturation(costs, site)


if __name__ == "__main__":
    main()
