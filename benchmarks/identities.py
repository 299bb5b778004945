"""Does each person get one number? Tracks the people in the clips with known people and counts their numbers.

    .venv/bin/python -m benchmarks.identities [--trackers bytetrack botsort] [--skip 2] [--detector yolo26n.pt]

Prints, for each tracker, how many numbers each real person has before and after stitching: numbers that last
``BRIEF_S`` or longer, and all in brackets. *Mixed* numbers are shared by two real people for ``BRIEF_S`` each;
*strayed* samples of a person have the number of somebody else. For ``opencv_vtest.avi`` it prints how often a number
changes over the five frames with true boxes and ids. People are detected once for each clip and never classified; the
milliseconds at the end of a line are the time for a sampled frame without its detection.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from recognizer.analysis.file_following import FileFollower
from recognizer.analysis.labeling import ActionLabeler
from recognizer.analysis.stitcher import Stitcher
from recognizer.networks.loading import Models, load_detector
from recognizer.settings import TRACKER_NAMES, Settings
from recognizer.timeline.model import PersonTrack, Timeline, frame_rate_hz
from recognizer.types import Box, Clip, Detection, Detector, Prediction
from recognizer.video import open_video

BRIEF_S = 1.0
"""The page hides people who are visible for less than this."""

SHARES_FROM = 0.5
"""Least intersection over union at which a box matches a true one (MOTChallenge)."""

VTEST = "opencv_vtest.avi"
_VTEST_RATE_HZ = 10.0

WhoIs = Callable[[float, Box, int, int], str | None]
"""Returns the real person of a box at a time in a picture of that size; None for people in the background."""

VISITS_S = ((6.1, 19.7), (22.8, 44.6), (50.3, 69.6), (74.6, 86.6), (92.2, 119.7), (123.6, 135.9))
"""When each of the six visitors is present, from the clips' read-me."""


def _visitor(time_s: float, _: Box, __: int, ___: int) -> str | None:
    slack_s = 1.0
    return next((f"visitor {k}" for k, (a, b) in enumerate(VISITS_S, 1) if a - slack_s <= time_s <= b + slack_s), None)


def _only(name: str) -> WhoIs:
    return lambda *_: name


def _side(left: str, right: str) -> WhoIs:
    return lambda _, box, width, __: left if box[0] + box[2] < width else right


def _wrestler(time_s: float, box: Box, width: int, height: int) -> str | None:
    """Return the wrestler close to the camera; from 8.2 s on the file is damaged and shows nobody completely."""
    if box[3] - box[1] < 0.5 * height or time_s > _WHOLE_UNTIL_S:
        return None
    return "left wrestler" if box[0] + box[2] < width else "right wrestler"


_WHOLE_UNTIL_S = 8.2


def _cook(_: float, box: Box, width: int, height: int) -> str | None:
    """Return the cook, or the companion, who appears small at the right edge."""
    return "companion" if box[0] > 0.75 * width and box[3] - box[1] < 0.6 * height else "cook"


_PEOPLE_FILE = Path(__file__).with_suffix(".csv")
_IS_FROM = 0.3
"""Least intersection over union of a box and a true one; the true boxes between two rows are interpolated."""

_BETWEEN_ROWS_S = 0.6
_SAME_SAMPLE_S = 0.02


def named_by_eye(name: str) -> WhoIs:
    """Return who is who in a clip of ``identities.csv``."""
    rows: dict[str, list[tuple[float, ...]]] = defaultdict(list)
    with _PEOPLE_FILE.open(newline="") as file:
        for row in csv.DictReader(line for line in file if not line.startswith("#")):
            if row["video"] == name:
                rows[row["person"]].append(tuple(float(row[column]) for column in ("time_s", "x1", "y1", "x2", "y2")))
    people = {person: np.array(sorted(own)) for person, own in rows.items()}

    def who_is(time_s: float, box: Box, _: int, __: int) -> str | None:
        shares = {person: _share(box, own) for person, rows in people.items() if (own := _box_at(rows, time_s))}
        best = max(shares, key=shares.__getitem__, default=None)
        return best if best is not None and shares[best] >= _IS_FROM else None

    return who_is


def _box_at(rows: NDArray[np.float64], time_s: float) -> Box | None:
    """Return the box at a time from rows of time, x1, y1, x2, y2; None too far from the nearest row."""
    times_s = rows[:, 0]
    after = int(np.clip(np.searchsorted(times_s, time_s), 1, len(times_s) - 1))
    before_s, after_s = times_s[after - 1], times_s[after]
    is_row = float(np.abs(times_s - time_s).min()) <= _SAME_SAMPLE_S
    is_between = before_s < time_s < after_s and after_s - before_s <= _BETWEEN_ROWS_S
    if not is_row and not is_between:
        return None
    x1, y1, x2, y2 = (float(np.interp(time_s, times_s, rows[:, k])) for k in range(1, 5))
    return x1, y1, x2, y2


CLIPS: dict[str, WhoIs] = {
    "intel_one-by-one-person-detection.mp4": _visitor,
    "stgcn_ta_chi.mp4": _only("the one"),
    "tv_v_SoccerJuggling_g24_c01.avi": _only("the one"),
    "mmaction2_demo.mp4": _wrestler,
    "decord_flipping_a_pancake.mkv": _cook,
    "c12_two_signers_ccby.mp4": _side("left signer", "right signer"),
    "tv_WUzgd7C1pWA.mp4": named_by_eye("tv_WUzgd7C1pWA.mp4"),
    "vibeold_dance.mp4": named_by_eye("vibeold_dance.mp4"),
    "sam2_bedroom.mp4": named_by_eye("sam2_bedroom.mp4"),
    "tennis_analyzer_tennis.mp4": named_by_eye("tennis_analyzer_tennis.mp4"),
}


class Nobody:
    """A classifier that labels nothing."""

    name, labels = "none", ("none",)

    def classify(self, clips: Sequence[Clip]) -> list[Prediction]:
        """Return the label ``none`` for each clip."""
        return [Prediction(clip.person_id, clip.start_s, clip.end_s, (("none", 1.0),), self.name) for clip in clips]

    def warm_up(self, samples: int) -> None:
        """Do nothing."""


class _Remembering:
    """A detector that remembers its detections for each picture."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._found: dict[bytes, list[Detection]] = {}

    def detect(self, frames_rgb: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
        """See ``Detector``."""
        keys = [hashlib.blake2b(np.ascontiguousarray(rgb[::4, ::4]).tobytes()).digest() for rgb in frames_rgb]
        for key, rgb in zip(keys, frames_rgb, strict=True):
            if key not in self._found:
                (self._found[key],) = self._detector.detect([rgb])
        return [self._found[key] for key in keys]


@dataclass(frozen=True)
class Numbers:
    """The numbers of the real people in one clip.

    Attributes:
        of: how many numbers each real person has that last BRIEF_S or longer.
        all: how many numbers each has in total.
        mixed: how many numbers are shared by two real people.
        strayed: how many samples of one person have the number of another.
    """

    of: dict[str, int]
    all: dict[str, int]
    mixed: int
    strayed: int


def followed(
    path: Path, settings: Settings, models: Models, from_s: float = 0.0, until_s: float = float("inf")
) -> tuple[Timeline, Timeline, float]:
    """Track a clip; return its timeline before and after stitching, and the seconds per sampled frame."""
    with open_video(path) as reader:
        rate_hz = frame_rate_hz(reader.info)
        follower = FileFollower(models, settings, rate_hz)
        labeler = ActionLabeler(models, settings, reader.info)
        stitcher = Stitcher()
        started_s, samples = time.perf_counter(), 0
        frames = reader.frames(lambda _, time_s: follower.take_sample(time_s) and time_s >= from_s)
        for frame in takewhile(lambda frame: frame.time_s < until_s, frames):
            (detections,) = follower.find([frame])
            observation = follower.observe(frame, detections)
            stitcher.add(observation)
            labeler.add(observation)
            samples += 1
        took_s = (time.perf_counter() - started_s) / max(samples, 1)
        times_s = reader.frame_times_s
        person_of = stitcher.person_of(labeler.tracks(), settings.sample_interval_s(rate_hz))
        before = labeler.timeline(times_s, complete=True)
        return before, labeler.timeline(times_s, complete=True, person_of=person_of), took_s


def numbers(timeline: Timeline, who_is: WhoIs) -> Numbers:
    """Count the numbers of each real person; a number belongs to the person in most of its samples."""
    of: Counter[str] = Counter()
    every: Counter[str] = Counter()
    mixed = strayed = 0
    interval_s = timeline.settings.sample_interval_s(timeline.frame_rate_hz)
    for track in timeline.people:
        names = Counter(
            who_is(time_s, (x1, y1, x2, y2), timeline.video.width, timeline.video.height)
            for time_s, (x1, y1, x2, y2) in zip(track.time_s.tolist(), track.box_xyxy.tolist(), strict=True)
        )
        name, _ = names.most_common(1)[0]
        mixed += sum(n * interval_s >= BRIEF_S for who, n in names.items() if who is not None) > 1
        if name is not None:
            every[name] += 1
            of[name] += track.present_s >= BRIEF_S
            strayed += sum(n for who, n in names.items() if who not in (None, name))
    return Numbers(dict(of), dict(every), mixed, strayed)


@dataclass(frozen=True)
class Switches:
    """The numbers of the true people over the frames with true boxes.

    Attributes:
        switches: how often a person's number differs from the previous one.
        fragments: how many numbers the people have beyond their first.
        missed: how many true boxes have no match.
        boxes: how many true boxes there are.
    """

    switches: int
    fragments: int
    missed: int
    boxes: int


def true_frames(path: Path) -> dict[float, dict[int, Box]]:
    """Return the true boxes by time, then by true id. The file counts frames from 1."""
    frames: dict[float, dict[int, Box]] = defaultdict(dict)
    with path.open(newline="") as file:
        for frame, number, x, y, width, height in csv.reader(line for line in file if not line.startswith("#")):
            left, top = float(x), float(y)
            time_s = (int(frame) - 1) / _VTEST_RATE_HZ
            frames[time_s][int(number)] = (left, top, left + float(width), top + float(height))
    return dict(frames)


def switches(people: Sequence[PersonTrack], frames: dict[float, dict[int, Box]]) -> Switches:
    """Compare tracks with the true frames; boxes between two samples are interpolated."""
    had: dict[int, list[int]] = defaultdict(list)
    missed = boxes = 0
    for time_s, true in sorted(frames.items()):
        there = [(track.person_id, box) for track in people if (box := track.box_at(time_s)) is not None]
        shares = np.array([[_share(box, own) for _, box in there] for own in true.values()]).reshape(len(true), -1)
        rows, columns = linear_sum_assignment(-shares)
        found = {
            row: there[column][0]
            for row, column in zip(rows, columns, strict=True)
            if shares[row, column] >= SHARES_FROM
        }
        for row, number in enumerate(true):
            boxes += 1
            if row in found:
                had[number].append(found[row])
            else:
                missed += 1
    changed = sum(one != other for own in had.values() for one, other in pairwise(own))
    return Switches(changed, sum(len(set(own)) - 1 for own in had.values()), missed, boxes)


def _share(one: Box, other: Box) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    both = max(width, 0.0) * max(height, 0.0)
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return both / (areas - both)


_MOST_IN_WORDS = 9


def _in_words(counted: Numbers) -> str:
    each = [f"{counted.of[name]} ({counted.all[name]})" for name in sorted(counted.of)]
    if len(each) > _MOST_IN_WORDS:
        several = [f"{name} {counted.all[name]}" for name in sorted(counted.all) if counted.all[name] > 1]
        each = [f"{sum(counted.all.values())} for {len(each)} people ({', '.join(several) or 'one each'})"]
    wrong = f", {counted.mixed} mixed" * bool(counted.mixed) + f", {counted.strayed} strayed" * bool(counted.strayed)
    return " ".join(each) + wrong


def main() -> None:
    """Run over all clips and print a table for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "clips")
    parser.add_argument("--trackers", nargs="+", choices=TRACKER_NAMES, default=TRACKER_NAMES)
    parser.add_argument("--skip", type=int, default=Settings.skip_frame)
    parser.add_argument("--detector", default=Settings.model)
    parser.add_argument("--only", nargs="+", help="file names of clips")
    arguments = parser.parse_args()
    if not arguments.clips.is_dir():
        sys.exit(f"the clips are not in '{arguments.clips}'; give their folder with --clips.")
    detector, _ = load_detector(Settings(model=arguments.detector))
    names = [name for name in (*CLIPS, VTEST) if arguments.only is None or name in arguments.only]
    for name in names:
        models = Models(_Remembering(detector), Nobody())
        print(f"\n{name}", flush=True)
        # detect everybody before anything is timed
        followed(arguments.clips / name, Settings(model=arguments.detector, skip_frame=arguments.skip), models)
        for tracker in arguments.trackers:
            settings = Settings(model=arguments.detector, tracker=tracker, skip_frame=arguments.skip)
            before, after, took_s = followed(arguments.clips / name, settings, models)
            if name == VTEST:
                frames = true_frames(arguments.clips / "opencv_vtest_gt_frames.csv")
                one, other = switches(before.people, frames), switches(after.people, frames)
                said = (
                    f"{len(before.people):>3} numbers, {one.switches} switches, {one.fragments} fragments -> "
                    f"{len(after.people):>3} numbers, {other.switches} switches, {other.fragments} fragments; "
                    f"{other.missed} of {other.boxes} boxes missed"
                )
            else:
                who_is = CLIPS[name]
                said = (
                    f"{len(before.people):>3} numbers: {_in_words(numbers(before, who_is))} -> "
                    f"{len(after.people):>3}: {_in_words(numbers(after, who_is))}"
                )
            print(f"  {tracker:<11} {said}   {1000 * took_s:.1f} ms", flush=True)


if __name__ == "__main__":
    main()
