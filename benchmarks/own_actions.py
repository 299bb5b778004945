"""How well are a user's own actions learned from a few examples, in places never seen?

    .venv/bin/python -m benchmarks.own_actions FOLDER [--draws 30]

``FOLDER`` is laid out as ``benchmarks.own_actions_data`` says. Whole places are drawn to teach with; moments of the
others are named.
Printed, each as mean and standard deviation over the draws:

* macro-F1 and recall with 1, 3, 5 and 10 moments of each action, for five everyday actions and for all;
* others wrongly named: share of moments of actions that are not taught, and not marked as none of these, which score
  higher than the tenth of the taught that scores lowest; and the same at the threshold that the examples set;
* asked: macro-F1 by number of questions, chosen as *Ask me* does, and at random;
* processor time to learn, to rename ten hours of one person, to find alike moments and groups in ten hours of two.

Exits with 1 if a figure misses its bound; a figure whose actions are not in the folder is left out.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.own_actions_data import OTHER, Library, examples, read, split
from recognizer.actions.alike import alike, centre_of, groups
from recognizer.actions.descriptors import Descriptors
from recognizer.actions.head import Head, learn
from recognizer.actions.posture import POSTURE, postures_of
from recognizer.actions.questions import ask
from recognizer.timeline.features import FeatureTable
from recognizer.timeline.model import PersonTrack
from recognizer.types import packed_size

FIVE = ("walk", "stand", "sit", "lie", "fall")
FOUR = ("walk", "stand", "sit", "lie")
TEN = ("walk", "stand", "sit", "lie", "fall", "run", "jump", "punch", "wave", "squat")
COUNTS = (1, 3, 5, 10)
MEASURED = 5
"""Moments of each action for which the bounds hold."""

LEAST_MOMENTS = 4
KEPT_SHARE = 0.9
ASKED = (0, 5, 10, 15, 20, 25)
"""Numbers of questions, five at a time as the page asks them."""
FEWER, MORE = 15, 25
"""So many chosen ones are to be as good as so many at random: two in five are saved."""

ASKING_DRAWS = 5
"""For each draw of the others: learning is quick, and the ways to ask differ by little."""

CLIPS_OF_TEN_HOURS = 28_350
"""Clips of one person in ten hours: 2.54 s each, half of it overlapping."""
MOST_S = 1.0
ROWS_AT_ONCE = 256
"""Clips that are judged at once, as in ``recognizer.actions.naming``."""
SIZE = 1024


@dataclass
class Bounds:
    """The figures with a bound, as they are measured."""

    missed: list[str] = field(default_factory=list)

    def check(self, title: str, value: float, least: float | None = None, most: float | None = None) -> None:
        """Print a figure with its bound, and note if it misses it."""
        holds = (least is None or value >= least) and (most is None or value <= most)
        bound = f"at least {least:g}" if least is not None else f"at most {most:g}"
        print(f"  {'ok    ' if holds else 'MISSED'} {title}: {value:.3f} ({bound})")
        if not holds:
            self.missed.append(title)


def taught(library: Library, rows: NDArray[np.intp], none: NDArray[np.intp] | None = None) -> Head:
    """Return what examples teach; the folder without its labels is the background, as analysed videos are."""
    every = rows if none is None else np.concatenate((rows, none))
    names = [None if k >= len(rows) else str(library.action[row]) for k, row in enumerate(every.tolist())]
    head = learn(library.moments.take(every), names, library.video[every].tolist(), library.moments)
    assert head is not None
    return head


@dataclass(frozen=True)
class Scores:
    """How moments were named: macro-F1, and the recall of each action."""

    f1: float
    recall: NDArray[np.float64]


def scores(said: NDArray[np.str_], true: NDArray[np.str_], actions: Sequence[str]) -> Scores:
    """Return the scores of names; each action counts the same however many moments it has."""
    matrix = np.array([[np.mean(said[true == one] == other) for other in actions] for one in actions])
    recall = np.diag(matrix)
    precision = recall / np.maximum(matrix.sum(axis=0), 1e-9)
    f1 = 2 * recall * precision / np.maximum(recall + precision, 1e-9)
    return Scores(float(f1.mean()), recall)


def which(library: Library, actions: Sequence[str], count: int, draws: int) -> list[Scores]:
    """Return how well each draw's examples name the other places."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(draws):
        here = split(library, actions, rng)
        rows = examples(library, here, count, actions, rng)
        there = np.flatnonzero(~here & library.of(actions))
        head = taught(library, rows)
        said = np.array(head.names)[head.judge(library.moments.take(there)).best]
        found.append(scores(said, library.action[there], actions))
    return found


@dataclass(frozen=True)
class Open:
    """How well a draw tells taught actions from others, at the threshold that keeps nine tenths, and at the head's."""

    named_others: float
    own_kept: float
    own_named_others: float
    others: int


def opened(library: Library, actions: Sequence[str], count: int, draws: int) -> list[Open]:
    """Teach some actions, with one moment of none of these from each video of the same places without them."""
    rng = np.random.default_rng(1)
    found = []
    for _ in range(draws):
        here = split(library, actions, rng)
        rows = examples(library, here, count, actions, rng)
        is_taught = library.of(actions)
        known = np.flatnonzero(~here & is_taught)
        others = np.flatnonzero(~here & ~is_taught & library.is_clear)
        pool = np.flatnonzero(here & ~is_taught & library.is_clear)
        none = [rng.choice(pool[library.video[pool] == one]) for one in np.unique(library.video[pool])]
        if not len(others) or not none:
            continue
        judge = taught(library, rows, np.array(none)).judge
        sure, wrong = judge(library.moments.take(known)), judge(library.moments.take(others))
        weight = np.array([1 / np.sum(library.action[known] == one) for one in library.action[known]])
        best = sure.confidence.max(axis=1)
        order = np.argsort(-best)
        reached = np.cumsum(weight[order]) / weight.sum()
        threshold = best[order][min(int(np.searchsorted(reached, KEPT_SHARE)), len(best) - 1)]
        found.append(
            Open(
                float(np.mean(wrong.confidence.max(axis=1) >= threshold)),
                float(np.average(sure.accepted, weights=weight)),
                float(wrong.accepted.mean()),
                len(others),
            )
        )
    return found


def asking(library: Library, actions: Sequence[str], draws: int) -> Iterator[tuple[str, dict[int, list[float]]]]:
    """Yield macro-F1 by number of questions, for each way to choose them; each begins with one of each action.

    Every clear moment of the same places may be asked about; those of other actions are answered with none of these.
    """
    for title in ("chosen", "at random"):
        rng = np.random.default_rng(3)
        found: dict[int, list[float]] = {count: [] for count in ASKED}
        for draw in range(draws):
            here = split(library, actions, rng)
            pool = np.flatnonzero(here & (library.of(actions) | library.is_clear))
            there = np.flatnonzero(~here & library.of(actions))
            first = examples(library, here, 1, actions, rng).tolist()
            marked, own = list(first), np.random.default_rng(draw)
            for count in ASKED:
                left = np.setdiff1d(pool, marked)
                more = min(count - (len(marked) - len(first)), len(left))
                if more and title == "chosen":
                    marked += left[_chosen(library, actions, marked, left, more)].tolist()
                elif more:
                    marked += own.permutation(left)[:more].tolist()
                head = _answered(library, actions, marked)
                said = np.array(head.names)[head.judge(library.moments.take(there)).best]
                found[count].append(scores(said, library.action[there], actions).f1)
        yield title, found


def _chosen(
    library: Library, actions: Sequence[str], marked: Sequence[int], left: NDArray[np.intp], count: int
) -> NDArray[np.intp]:
    known = library.moments.take(np.array(marked))
    videos, asked = library.video[left].tolist(), set(library.video[marked].tolist())
    return ask(_answered(library, actions, marked), known, library.moments.take(left), videos, asked, count)


def _answered(library: Library, actions: Sequence[str], marked: Sequence[int]) -> Head:
    rows = np.array(marked)
    is_taught = library.of(actions)[rows]
    return taught(library, rows[is_taught], rows[~is_taught])


def generated(clips: int, views: int, rng: np.random.Generator) -> FeatureTable:
    """Return features like a network's: not negative, most of them small."""
    codes = (rng.random((clips, views, SIZE), np.float32) ** 3 * 255).astype(np.uint8)
    low, step = np.zeros((clips, views), np.float32), np.full((clips, views), 0.01, np.float32)
    rising = rng.integers(0, 256, (clips, views, packed_size(SIZE)), np.uint8)
    return FeatureTable(codes, low, step, np.ones(clips, np.bool_), rising)


def took_s(work: Callable[[], object], times: int = 3) -> float:
    """Return the least processor time of several runs, since other work on the machine slows some."""
    best = np.inf
    for _ in range(times):
        began_s = time.process_time()
        work()
        best = min(best, time.process_time() - began_s)
    return best


def timing(bounds: Bounds) -> None:
    """Measure on generated features of crop and surroundings."""
    rng = np.random.default_rng(0)
    table = generated(CLIPS_OF_TEN_HOURS, 2, rng)
    spans_s = np.arange(CLIPS_OF_TEN_HOURS)[:, None] * 1.27 + np.array([0.0, 2.54])
    time_s = np.arange(0.0, spans_s[-1, 1], 1 / 15)
    boxes = np.tile(np.array([100, 50, 160, 250], np.float32), (len(time_s), 1)) + rng.normal(
        size=(len(time_s), 4)
    ).astype(np.float32)
    track = PersonTrack(1, time_s, boxes, np.ones(len(time_s), np.float32), ((0.0, np.inf),))
    names = [*(name for name in TEN for _ in range(10)), *([None] * 30)]
    marked = np.arange(len(names))
    moments = Descriptors(table.values(marked), rng.normal(size=(len(names), len(POSTURE))))
    videos = [f"{k % 20}" for k in range(len(names))]
    background = Descriptors(table.values(np.arange(1000)), np.zeros((1000, len(POSTURE))))
    head = learn(moments, names, videos, background)
    assert head is not None

    def rename() -> None:
        posture = postures_of(track, spans_s)
        for first in range(0, len(table), ROWS_AT_ONCE):
            rows = np.arange(first, min(len(table), first + ROWS_AT_ONCE))
            head.judge(Descriptors(table.values(rows), posture[rows]))

    print("processor time, s")
    bounds.check(
        "learn 10 actions of 10 moments, 30 of none",
        took_s(lambda: learn(moments, names, videos, background)),
        most=MOST_S,
    )
    bounds.check("rename ten hours of one person", took_s(rename), most=MOST_S)
    twice = generated(2 * CLIPS_OF_TEN_HOURS, 2, rng)
    centre = centre_of(twice)
    bounds.check(
        "find alike in ten hours of two people", took_s(lambda: alike(twice.values([7])[0], twice, centre)), most=MOST_S
    )
    print(f"  groups in the same: {took_s(lambda: groups(twice, centre), 1):.2f}")


def show(title: str, values: Sequence[float]) -> str:
    """Return mean and standard deviation."""
    return f"{title} {np.mean(values):.3f} ± {np.std(values):.3f}"


def describe(library: Library) -> tuple[str, ...]:
    """Print what a folder holds; return the actions that can be measured: those with enough moments in two places."""
    print(f"{len(library)} moments of {len(set(library.video))} videos in {len(set(library.place))} places")
    present = []
    for action in TEN:
        own = library.action == action
        videos, places = (len(set(column[own].tolist())) for column in (library.video, library.place))
        enough = bool(own.sum() >= LEAST_MOMENTS and places >= 2)
        present += [action] * enough
        print(f"  {action}: {own.sum()} of {videos} videos in {places} places{'' if enough else '; too few, left out'}")
    print(f"  others: {sum(one.startswith(OTHER) for one in library.action.tolist())}")
    return tuple(present)


def measure_which(library: Library, title: str, actions: Sequence[str], draws: int) -> list[Scores]:
    """Print how well actions are told apart; return the scores with ``MEASURED`` moments each."""
    print(f"{title}: {', '.join(actions)}")
    by_count = {count: which(library, actions, count, draws) for count in COUNTS}
    for count, found in by_count.items():
        recall = np.mean([one.recall for one in found], axis=0).tolist()
        each = ", ".join(f"{name} {value:.2f}" for name, value in zip(actions, recall, strict=True))
        print(f"  {count} moments each: {show('macro-F1', [one.f1 for one in found])}; recall: {each}")
    return by_count[MEASURED]


def measure_open(library: Library, title: str, actions: Sequence[str], draws: int) -> float:
    """Print how often others are named; return the share where nine tenths of the taught are kept."""
    found = opened(library, actions, MEASURED, draws)
    print(f"others wrongly named, {title} taught, about {np.mean([one.others for one in found]):.0f} others")
    print(f"  {show('at 90 % of the taught kept', [one.named_others for one in found])}")
    print(f"  {show('at the own threshold', [one.own_named_others for one in found])}", end=", ")
    print(show("of the taught kept", [one.own_kept for one in found]))
    return float(np.mean([one.named_others for one in found]))


def measure(library: Library, draws: int, bounds: Bounds) -> None:
    """Print the figures of a folder."""
    present = describe(library)
    ten = "ten actions" if len(present) == len(TEN) else f"{len(present)} of ten actions"
    has_five = set(FIVE) <= set(present)
    if has_five:
        five = measure_which(library, "five actions", FIVE, draws)
        bounds.check("five actions, macro-F1", float(np.mean([one.f1 for one in five])), least=0.84)
        recall = np.mean([one.recall for one in five], axis=0)
        bounds.check("five actions, worst recall", float(recall.min()), least=0.65)
    else:
        print("five actions: not all of them are in this folder")
    every = measure_which(library, ten, present, draws)
    bounds.check(f"{ten}, macro-F1", float(np.mean([one.f1 for one in every])), least=0.72)
    if has_five:
        bounds.check("four postures, others named", measure_open(library, "four postures", FOUR, draws), most=0.18)
    bounds.check(f"{ten}, others named", measure_open(library, ten, present, draws), most=0.45)
    print("macro-F1 by number of questions")
    by_title = {}
    for title, by_count in asking(library, present, ASKING_DRAWS * draws):
        by_title[title] = {count: float(np.mean(some)) for count, some in by_count.items()}
        print(f"  {title}: " + ", ".join(f"{count}: {value:.3f}" for count, value in by_title[title].items()))
    bounds.check(
        f"{FEWER} chosen questions, as good as {MORE} at random",
        by_title["chosen"][FEWER],
        least=by_title["at random"][MORE],
    )


def main() -> int:
    """Print the figures; return 1 if one misses its bound."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--draws", type=int, default=30)
    arguments = parser.parse_args()
    bounds = Bounds()
    measure(read(arguments.folder), arguments.draws, bounds)
    timing(bounds)
    for one in bounds.missed:
        print(f"missed: {one}")
    return bool(bounds.missed)


if __name__ == "__main__":
    sys.exit(main())
