"""What a batch on many workers would do: an event-driven simulation, and an estimate for what is too large for it.

A worker asks for the largest video that waits, reads it from the store, works on it, writes its result to the store,
and is done when the driver has recorded it. Store and driver serve one after the other, in order of arrival.
"""

from __future__ import annotations

import heapq
import itertools
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from statistics import NormalDist


@dataclass(frozen=True)
class Load:
    """What the videos cost.

    Attributes:
        start_s: until a new worker has its networks.
        minute_s, video_s: seconds of work per minute of video, and per video whatever its length.
        read_s, write_s: seconds of the store per minute of video that is read, and per minute whose result is written.
        written_s: seconds of the store per result whatever its length.
        driver_s: seconds of the driver per video.
    """

    start_s: float
    minute_s: float
    video_s: float
    read_s: float
    write_s: float
    written_s: float
    driver_s: float

    def work_s(self, minutes: float) -> float:
        """Return the work on a video of this length."""
        return minutes * self.minute_s + self.video_s

    def store_s(self, minutes: float) -> float:
        """Return the time that the store is busy with a video of this length, without failures."""
        return minutes * (self.read_s + self.write_s) + self.written_s

    def cycle_s(self, minutes: float) -> float:
        """Return how long a worker is busy with a video of this length if it waits for nobody."""
        return self.work_s(minutes) + self.store_s(minutes) + self.driver_s


@dataclass(frozen=True)
class Failures:
    """How workers die.

    Attributes:
        mean_s: mean time of work until one dies; exponentially distributed.
        away_s: until another takes its place; it then loads its networks and reads the video again.
        saved_every_s: work between two save points: what is done after the last one is lost.
    """

    mean_s: float = math.inf
    away_s: float = 0.0
    saved_every_s: float = 5.0


@dataclass
class Simulated:
    """What a batch did.

    Attributes:
        took_s: from the start until the last video is recorded.
        tail_s: how long before the end the first worker had nothing to do.
        worked_s: of all workers, what was lost included.
        lost_s: work that was done again.
        restarts: how often a worker died.
        store_s, driver_s: how long each of them was busy.
        done: how often each video was done.
    """

    took_s: float = 0.0
    tail_s: float = 0.0
    worked_s: float = 0.0
    lost_s: float = 0.0
    restarts: float = 0
    store_s: float = 0.0
    driver_s: float = 0.0
    done: list[int] = field(default_factory=list)


class _Step(IntEnum):
    ASK = 0
    READ = 1
    WORK = 2
    WRITE = 3
    RECORD = 4


@dataclass
class _Server:
    """Serves one after the other."""

    free_s: float = 0.0
    busy_s: float = 0.0

    def serve(self, now_s: float, takes_s: float) -> float:
        """Return when somebody who comes now has been served."""
        self.free_s = max(now_s, self.free_s) + takes_s
        self.busy_s += takes_s
        return self.free_s


class _Simulation:
    def __init__(self, minutes: Sequence[float], load: Load, failures: Failures, seed: int) -> None:
        self._minutes = minutes
        self._load = load
        self._failures = failures
        self._chance = random.Random(seed)  # noqa: S311 (the same each time)
        self._waiting = iter(sorted(range(len(minutes)), key=lambda number: -minutes[number]))
        self._left_s = [load.work_s(one) for one in minutes]
        self._events: list[tuple[float, int, _Step, int]] = []
        self._order = itertools.count()
        self._store, self._driver = _Server(), _Server()
        self._idle_from_s = math.inf
        self._result = Simulated(done=[0] * len(minutes))

    def run(self, workers: int) -> Simulated:
        for _ in range(min(workers, len(self._minutes))):
            self._at(self._load.start_s, _Step.ASK)
        if workers > len(self._minutes):
            self._idle_from_s = 0.0
        now_s = 0.0
        while self._events:
            now_s, _, step, video = heapq.heappop(self._events)
            self._take(step, video, now_s)
        self._result.took_s = now_s
        self._result.tail_s = now_s - self._idle_from_s
        self._result.store_s, self._result.driver_s = self._store.busy_s, self._driver.busy_s
        return self._result

    def _at(self, when_s: float, step: _Step, video: int = -1) -> None:
        heapq.heappush(self._events, (when_s, next(self._order), step, video))

    def _take(self, step: _Step, video: int, now_s: float) -> None:
        load = self._load
        if step == _Step.ASK:
            if (given := next(self._waiting, None)) is not None:
                self._at(now_s, _Step.READ, given)
            else:
                self._idle_from_s = min(self._idle_from_s, now_s)
        elif step == _Step.READ:
            self._at(self._store.serve(now_s, self._minutes[video] * load.read_s), _Step.WORK, video)
        elif step == _Step.WORK:
            self._work(video, now_s)
        elif step == _Step.WRITE:
            takes_s = self._minutes[video] * load.write_s + load.written_s
            self._at(self._store.serve(now_s, takes_s), _Step.RECORD, video)
        else:
            self._result.done[video] += 1
            self._at(self._driver.serve(now_s, load.driver_s), _Step.ASK)

    def _work(self, video: int, now_s: float) -> None:
        result, failures, left_s = self._result, self._failures, self._left_s[video]
        lives_s = math.inf if math.isinf(failures.mean_s) else self._chance.expovariate(1 / failures.mean_s)
        result.worked_s += min(left_s, lives_s)
        if lives_s >= left_s:
            self._at(now_s + left_s, _Step.WRITE, video)
            return
        saved_s = lives_s // failures.saved_every_s * failures.saved_every_s
        self._left_s[video] -= saved_s
        result.lost_s += lives_s - saved_s
        result.restarts += 1
        self._at(now_s + lives_s + failures.away_s + self._load.start_s, _Step.READ, video)


def simulate(
    minutes: Sequence[float], load: Load, workers: int, failures: Failures | None = None, seed: int = 0
) -> Simulated:
    """Return what a batch of videos of these lengths does on so many workers."""
    return _Simulation(minutes, load, failures or Failures(), seed).run(workers)


@dataclass(frozen=True)
class Lengths:
    """What an estimate has to know about the lengths of videos, in minutes.

    Attributes:
        videos: how many.
        mean, longest: of the lengths.
        at_a_death: mean length of the video during which a worker dies: long ones meet more deaths.
    """

    videos: int
    mean: float
    longest: float
    at_a_death: float

    @classmethod
    def of(cls, minutes: Sequence[float]) -> Lengths:
        """Return those of given videos."""
        total = sum(minutes)
        return cls(len(minutes), total / len(minutes), max(minutes), sum(one * one for one in minutes) / total)

    @classmethod
    def log_normal(cls, videos: int, median: float, sigma: float) -> Lengths:
        """Return those of a distribution; the longest is the length that one of so many has."""
        longest = median * math.exp(sigma * NormalDist().inv_cdf(1 - 1 / max(2, videos)))
        return cls(videos, mean_length(median, sigma), longest, median * math.exp(1.5 * sigma**2))


def estimate(lengths: Lengths, load: Load, workers: int, failures: Failures | None = None) -> Simulated:
    """Return the same without looking at single videos: whatever is busiest, with the mean losses, takes the time.

    The longest video is given first, so it decides only when nothing else does. ``done`` stays empty.
    """
    failures = failures or Failures()
    work_s = lengths.videos * load.work_s(lengths.mean)
    restarts = work_s / failures.mean_s
    lost_s = restarts * failures.saved_every_s / 2
    store_s = lengths.videos * load.store_s(lengths.mean) + restarts * lengths.at_a_death * load.read_s
    driver_s = lengths.videos * load.driver_s
    away_s = failures.away_s + load.start_s
    workers_s = load.start_s + (work_s + lost_s + store_s + driver_s + restarts * away_s) / workers
    deaths = load.work_s(lengths.longest) / failures.mean_s
    longest_s = load.start_s + load.cycle_s(lengths.longest)
    longest_s += deaths * (away_s + failures.saved_every_s / 2 + lengths.longest * load.read_s)
    took_s = max(workers_s, store_s, driver_s, longest_s)
    return Simulated(took_s, max(0.0, longest_s - workers_s), work_s + lost_s, lost_s, restarts, store_s, driver_s)


def lengths(total_min: float, median_min: float, sigma: float, seed: int = 0) -> list[float]:
    """Return lengths in minutes from a log-normal distribution, scaled so that their sum is exact."""
    chance = random.Random(seed)  # noqa: S311 (the same each time)
    count = max(1, round(total_min / mean_length(median_min, sigma)))
    drawn = [chance.lognormvariate(math.log(median_min), sigma) for _ in range(count)]
    scale = total_min / sum(drawn)
    return [one * scale for one in drawn]


def mean_length(median_min: float, sigma: float) -> float:
    """Return the mean of the log-normal distribution."""
    return median_min * math.exp(sigma**2 / 2)
