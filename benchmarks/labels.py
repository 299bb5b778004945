"""Are the labels right? Runs the real networks on the shared clips, from documented to recommended settings.

    .venv/bin/python -m benchmarks.labels [--steps recommended] [--diagram FILE] [--lanes FILE] [--errors FOLDER]

Each step adds one change to the previous step; the steps after "recommended" were tried and rejected. Printed for each:

* windows: share of predictions with the right best label, for people whose action is known;
* time: share of their labelled time that is right in the timeline, without a threshold;
* first, top 5: people whose most probable label over the whole clip is right, or one of their five;
* named: share of their time that gets an action, not ``unknown``, at the page's threshold;
* named wrongly: the same for people whose action is not in Kinetics-400 (only for some steps, because it is slow);
* bystanders: the same for people next to or behind somebody whose action is known;
* cost: processor time of the whole analysis (decoding, detection, classification) of the clips with labels, relative to
  the first step.

``--diagram`` writes a reliability diagram. The last table shows how far from a change of action its boundary is.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.true_actions import CLIPS, LEAST_S, Actions, bystanders, nothing_known
from recognizer.analysis.file import analyze
from recognizer.analysis.passes import PassStore
from recognizer.analysis.shown import frames_seen
from recognizer.analysis.stream import Recognizer
from recognizer.networks.cache import ModelCache
from recognizer.networks.loading import Models
from recognizer.settings import (
    CLASSIFIER_NAMES,
    RECOMMENDED_MIN_CONFIDENCE,
    UNKNOWN_ACTION,
    Settings,
    documented,
    recommended,
)
from recognizer.timeline.model import Timeline, frame_rate_hz
from recognizer.timeline.smoothing import votes
from recognizer.types import Detection, Frame, Segment, VideoInfo
from recognizer.video import VideoWriter, open_video

CLIPS_DIR = Path(__file__).resolve().parents[2] / "shared" / "clips"

SEQUENCE = ("stgcn_ta_chi.mp4", "tv_v_SoccerJuggling_g24_c01.avi", "decord_flipping_a_pancake.mkv")
SEQUENCE_LABELS = ("tai chi", "juggling soccer ball", "flipping pancake")
EACH_S = 6.0
RATE_HZ = 30.0
SIDE_PX = 256


WITH_THE_UNKNOWN = ("documented", "weighed over 1 s", "recommended (calibrated)")


def steps(classifier: str, frame_rate_hz: float | None) -> dict[str, Settings]:
    """Return the steps' settings for a clip of this frame rate."""
    start = documented(Settings(video_classifier_model=classifier))
    end = recommended(start, frame_rate_hz)
    longer = replace(start, num_video_sequence_samples=end.num_video_sequence_samples, skip_frame=end.skip_frame)
    denser = replace(longer, overlap=end.overlap)
    steady = replace(denser, steady_crop=True)
    around = replace(steady, surroundings=True)
    return {
        "documented": start,
        "clips of two seconds": longer,
        "each second twice (overlap 0.5)": denser,
        "steady crop": steady,
        "surroundings": around,
        "weighed over 1 s": replace(around, smoothing_s=end.smoothing_s),
        "recommended (calibrated)": end,
        "  but margin 50 %": replace(end, crop_margin_percentage=50),
        "  but margin 0 %": replace(end, crop_margin_percentage=0),
        "  but without surroundings": replace(end, surroundings=False),
        "  but weighed over 3 s": replace(end, smoothing_s=3.0),
    }


@dataclass
class Named:
    """The time of a group of people at the page's threshold, and how much of it got an action."""

    time_s: float = 0.0
    named_s: float = 0.0

    def add(self, segment: Segment) -> None:
        """Count one segment."""
        self.time_s += segment.duration_s
        self.named_s += segment.duration_s * (segment.action != UNKNOWN_ACTION)

    @property
    def share(self) -> float:
        """Share of the time that got an action."""
        return self.named_s / max(self.time_s, 1e-9)


@dataclass
class Tally:
    """The results of one step over all clips.

    Attributes:
        windows: number of predictions for people whose action is known.
        right_windows: number of right ones among them.
        moments: seconds, confidence and whether right, for each step or segment of known people.
        unknown_moments: the same for people whose action is not in Kinetics-400; never right.
        first: number of people whose most probable label is right.
        top5: number of people with a right label among their five.
        people: number of people whose action is known.
        took_s: processor time of the complete analyses of the clips with labels.
        lanes: for each person whose action is known: clip, right labels, segments at the page's threshold.
        bystanders: time of the bystanders.
    """

    windows: int = 0
    right_windows: int = 0
    moments: list[tuple[float, float, bool]] = field(default_factory=list)
    unknown_moments: list[tuple[float, float, bool]] = field(default_factory=list)
    first: int = 0
    top5: int = 0
    people: int = 0
    took_s: float = 0.0
    lanes: list[tuple[str, tuple[str, ...], list[Segment]]] = field(default_factory=list)
    bystanders: Named = field(default_factory=Named)
    _named: dict[bool, Named] = field(default_factory=lambda: {True: Named(), False: Named()})
    _named_right: float = 0.0

    def add(self, timeline: Timeline, actions: Actions, clip: str = "") -> None:
        """Count one clip."""
        said = timeline.segments(RECOMMENDED_MIN_CONFIDENCE)
        for person_id, right in actions.items():
            if right:
                self.lanes.append((clip, right, [one for one in said if one.person_id == person_id]))
        sums: dict[int, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for prediction in timeline.predictions:
            if right := actions.get(prediction.person_id, ()):
                self.windows += 1
                self.right_windows += prediction.top[0][0] in right
                for label, probability in prediction.top:
                    sums[prediction.person_id][label] += probability
        seen = {track.person_id for track in timeline.people if track.present_s >= LEAST_S}
        for person_id, right in actions.items():
            if right and person_id in seen | set(sums):
                best = sorted(sums[person_id], key=sums[person_id].__getitem__, reverse=True)[:5]
                self.people += 1
                self.first += best[:1] != [] and best[0] in right
                self.top5 += any(label in right for label in best)
        for person_id, known in actions.items():
            (self.moments if known else self.unknown_moments).extend(_moments(timeline, person_id, known))
        self._threshold(timeline, actions)

    def add_bystanders(self, timeline: Timeline, person_ids: Collection[int]) -> None:
        """Count the bystanders of one clip."""
        for segment in timeline.segments(RECOMMENDED_MIN_CONFIDENCE):
            if segment.person_id in person_ids:
                self.bystanders.add(segment)

    def _threshold(self, timeline: Timeline, actions: Actions) -> None:
        for segment in timeline.segments(RECOMMENDED_MIN_CONFIDENCE):
            if (known := actions.get(segment.person_id)) is not None:
                self._named[bool(known)].add(segment)
                self._named_right += segment.duration_s * (segment.action in known)

    @property
    def time_right(self) -> float:
        """Share of the known people's labelled time that is right."""
        seconds = sum(moment[0] for moment in self.moments)
        return sum(moment[0] for moment in self.moments if moment[2]) / max(seconds, 1e-9)

    def named(self, known: bool) -> float:
        """Return the share of time with an action, for people whose action is known, or for the others."""
        return self._named[known].share

    @property
    def named_right(self) -> float:
        """Share of the time labelled at the threshold that is right, for people whose action is known."""
        return self._named_right / max(self._named[True].named_s, 1e-9)


def _moments(timeline: Timeline, person_id: int, known: tuple[str, ...]) -> Iterator[tuple[float, float, bool]]:
    """Yield seconds, confidence and whether right, without a threshold: by step if smoothed, else by segment."""
    if timeline.settings.smoothing_s == 0:
        for segment in timeline.segments():
            if segment.person_id == person_id:
                yield segment.duration_s, segment.confidence, segment.action in known
        return
    own = sorted((p for p in timeline.predictions if p.person_id == person_id), key=lambda p: (p.start_s, p.end_s))
    for stretch in votes(own, timeline.settings.smoothing_s):
        steps_s = np.diff(stretch.edges_s).tolist()
        for step_s, best, probability in zip(steps_s, stretch.best.tolist(), stretch.probability.tolist(), strict=True):
            yield step_s, probability, stretch.labels[best] in known


def draw_errors(timeline: Timeline, actions: Actions, video: Path, store: PassStore, folder: Path) -> None:
    """Draw, for each person, what the network saw for the wrong prediction with the highest probability."""
    for person_id, right in actions.items():
        wrong = [p for p in timeline.predictions if p.person_id == person_id and p.top[0][0] not in right]
        worst = max(wrong, key=lambda prediction: prediction.top[0][1], default=None)
        if worst is None or worst.top[0][1] < RECOMMENDED_MIN_CONFIDENCE:
            continue
        seen = frames_seen(timeline, worst, video, store)
        row = np.concatenate([frame.rgb for frame in seen[:: max(1, len(seen) // 6)][:6]], axis=1)
        said = f"{worst.top[0][0]} {worst.top[0][1]:.2f}".replace(" ", "-")
        cv2.imwrite(str(folder / f"{video.stem}-{person_id}-{worst.start_s:.1f}s-{said}.jpg"), row[:, :, ::-1])


def run_steps(
    wanted: Sequence[str], classifier: str, clips: Path, cache: ModelCache, store: PassStore, errors: Path | None = None
) -> dict[str, Tally]:
    """Analyze each clip with the settings of all steps in turn, so that a busy machine slows all of them alike.

    Clips with labels always run from the video, to measure cost.
    """
    tallies = {name: Tally() for name in wanted}
    for file, truth in CLIPS.items():
        with open_video(clips / file) as reader:
            settings_of = steps(classifier, frame_rate_hz(reader.info))
        for name, tally in tallies.items():
            if truth is nothing_known and name not in WITH_THE_UNKNOWN:
                continue
            models = cache.get(settings_of[name])
            started_s = time.process_time()
            kept = store if truth is nothing_known else None
            timeline = analyze(clips / file, settings_of[name], models=models, pass_store=kept)
            took_s = time.process_time() - started_s
            actions = truth(timeline)
            tally.add(timeline, actions, file.partition(".")[0])
            tally.add_bystanders(timeline, bystanders(file, timeline))
            if errors is not None and name.startswith("recommended"):
                draw_errors(timeline, actions, clips / file, store, errors)
            if any(actions.values()):
                tally.took_s += took_s
        print(f"{file} is analyzed", file=sys.stderr, flush=True)
    return tallies


def reliability(tally: Tally) -> list[tuple[float, float, float]]:
    """Return (mean confidence, share right, share of the time) in ten bins; known and unknown people weigh the same."""
    rows = []
    for moments in (tally.moments, tally.unknown_moments):
        seconds = sum(moment[0] for moment in moments)
        rows += [(s / seconds / 2, confidence, right) for s, confidence, right in moments]
    bins = []
    for low in np.arange(10) / 10:
        inside = [row for row in rows if low <= min(row[1], 0.999) < low + 0.1]
        weight = sum(row[0] for row in inside)
        if weight > 0:
            mean = sum(row[0] * row[1] for row in inside) / weight
            bins.append((mean, sum(row[0] for row in inside if row[2]) / weight, weight))
    return bins


def draw(before: Tally, after: Tally, path: Path) -> None:
    """Draw the reliability diagram of two tallies."""
    import matplotlib.pyplot as plt
    from matplotlib.collections import PathCollection

    figure, axes = plt.subplots(figsize=(5, 5))
    axes.plot([0, 1], [0, 1], color="grey", linewidth=1, label="as sure as right")
    for tally, name, colour in ((before, "the network's own", "#d55e00"), (after, "calibrated", "#0072b2")):
        bins = reliability(tally)
        # no line between the points, because bins with little time jump
        sizes = [10 + 900 * b[2] for b in bins]
        axes.scatter([b[0] for b in bins], [b[1] for b in bins], s=sizes, color=colour, alpha=0.7, label=name)
    axes.set(xlabel="confidence", ylabel="share of the time that is right", xlim=(0, 1), ylim=(0, 1.02))
    axes.set_title("larger: more of the time", fontsize="small")
    for handle in axes.legend(loc="upper left").legend_handles[1:]:
        if isinstance(handle, PathCollection):
            handle.set_sizes([40])
    figure.tight_layout()
    figure.savefig(path)


def draw_lanes(tallies: Sequence[tuple[str, Tally]], path: Path) -> None:
    """Draw each known person's labels, one lane for each step."""
    import matplotlib.pyplot as plt
    from matplotlib.patches import Rectangle

    colours = {"right": "#0072b2", "wrong": "#d55e00", UNKNOWN_ACTION: "#bbbbbb"}
    people = len(tallies[0][1].lanes)
    figure, axes = plt.subplots(people, 1, figsize=(10, 1.0 * people), sharex=True)
    for k, place in enumerate(axes):
        clip, right, _ = tallies[0][1].lanes[k]
        for row, (_, tally) in enumerate(tallies):
            for one in tally.lanes[k][2]:
                kind = UNKNOWN_ACTION if one.action == UNKNOWN_ACTION else "right" if one.action in right else "wrong"
                place.barh(row, one.duration_s, left=one.start_s, color=colours[kind], edgecolor="white", linewidth=0.5)
                if kind == "wrong" and one.duration_s > 0.4:
                    most = int(one.duration_s * 11)
                    place.text(one.start_s + 0.03, row, one.action[:most], va="center", fontsize=6, color="white")
        place.set_yticks(range(len(tallies)), [name for name, _ in tallies], fontsize=7)
        place.invert_yaxis()
        place.set_title(f"{clip[:40]}: {right[0]}", fontsize=8, loc="left", pad=2)
    axes[-1].set_xlabel("seconds")
    figure.legend(
        [Rectangle((0, 0), 1, 1, color=colour) for colour in colours.values()], list(colours), ncols=3, fontsize=8
    )
    figure.tight_layout(rect=(0, 0, 1, 0.98))
    figure.savefig(path)


def boundaries(
    classifier: str, clips: Path, cache: ModelCache, each_s: float = EACH_S
) -> Iterator[tuple[str, list[float]]]:
    """Yield the seconds between changes of action and their boundaries: in a video with cuts, and without cuts.

    Each action lasts ``each_s`` seconds.
    """
    settings = recommended(Settings(video_classifier_model=classifier), RATE_HZ)
    models = cache.get(settings)
    pictures = []
    for name in SEQUENCE:
        with open_video(clips / name) as reader:
            wanted = [frame.rgb for frame in reader.frames(lambda _, time_s: time_s < each_s)]
        pictures += [cv2.resize(rgb, (SIDE_PX * 4 // 3, SIDE_PX)) for rgb in wanted]
    truth_s = [each_s, 2 * each_s]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sequence.mp4"
        with VideoWriter(path, Fraction(30), SIDE_PX * 4 // 3, SIDE_PX) as writer:
            for k, rgb in enumerate(pictures):
                writer.write(rgb, k / RATE_HZ)
        yield "three clips, cut", _off_s(analyze(path, settings, models=models), truth_s)
        one_person = replace(models, detector=_OnePerson(SIDE_PX * 4 // 3, SIDE_PX))
        with open_video(path) as reader:
            # a stream detects no cuts, and a person who is everywhere has one number: only smoothing places boundaries
            yield "the same as one stay", _off_s(_one_stay(reader.info, reader.frames(), settings, one_person), truth_s)


class _OnePerson:
    """Detects one person who fills the picture, so that only the labels distinguish one clip from the next."""

    def __init__(self, width: int, height: int) -> None:
        left = (width - height) / 2
        self._found = [Detection((left, 0.0, left + height, float(height)), 0.9)]

    def detect(self, frames_rgb: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
        """Return the same detection for each frame."""
        return [self._found for _ in frames_rgb]


def _one_stay(info: VideoInfo, frames: Iterator[Frame], settings: Settings, models: Models) -> Timeline:
    one = Recognizer(models, settings, info)
    for frame in frames:
        one.step(frame)
    return one.finish()


def _off_s(timeline: Timeline, truth_s: Sequence[float]) -> list[float]:
    """Return, for each true change, the distance to the nearest place where a right segment ends or begins."""
    off = []
    for change_s, (before, after) in zip(truth_s, pairwise(SEQUENCE_LABELS), strict=True):
        ends = [s.end_s for s in timeline.segments() if s.action == before]
        starts = [s.start_s for s in timeline.segments() if s.action == after]
        distance = [min((abs(t - change_s) for t in times), default=float("inf")) for times in (ends, starts)]
        off.append(max(distance))
    return off


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, default=CLIPS_DIR)
    parser.add_argument("--classifier", choices=CLASSIFIER_NAMES, default="i3d")
    parser.add_argument("--steps", nargs="*", help="first words of the steps to run; all if not given")
    parser.add_argument("--diagram", type=Path, help="file for the reliability diagram")
    parser.add_argument("--lanes", type=Path, help="file for a drawing of the first and the recommended step's labels")
    parser.add_argument("--errors", type=Path, help="folder for a picture of each person's most confident error")
    arguments = parser.parse_args()
    if arguments.errors is not None:
        arguments.errors.mkdir(parents=True, exist_ok=True)
    if not arguments.clips.is_dir():
        sys.exit(f"the clips are not in '{arguments.clips}'; give their folder with --clips.")
    cache = ModelCache()
    wanted = [
        name
        for name in steps(arguments.classifier, None)
        if not arguments.steps or any(name.strip().startswith(start) for start in arguments.steps)
    ]
    if not wanted:
        sys.exit(f"no step begins with {arguments.steps}; they are {[name.strip() for name in steps('i3d', None)]}.")
    with tempfile.TemporaryDirectory() as folder:
        store = PassStore(Path(folder) / "crops")
        tallies = run_steps(wanted, arguments.classifier, arguments.clips, cache, store, arguments.errors)
    print(f"{'':<33} windows  time  first  top 5  named  right of it  named wrongly  bystanders   cost")
    first = next(iter(tallies.values()))
    for name, tally in tallies.items():
        print(
            f"{name:<33} {tally.right_windows / max(tally.windows, 1):>7.0%} {tally.time_right:>5.0%} "
            f"{tally.first:>3}/{tally.people:<2} {tally.top5:>3}/{tally.people:<2} {tally.named(True):>6.0%} "
            f"{tally.named_right:>12.0%} "
            f"{f'{tally.named(False):.0%}' if name in WITH_THE_UNKNOWN else '–':>14} "
            f"{tally.bystanders.share:>11.0%} {tally.took_s / first.took_s:>6.2f}"
        )
    for name in ("weighed over 1 s", "recommended (calibrated)"):
        if name in tallies:
            print(f"\nconfidence and share that is right, {name}:")
            print("  ".join(f"{mean:.2f}: {right:.2f}" for mean, right, _ in reliability(tallies[name])))
    if arguments.diagram and {"weighed over 1 s", "recommended (calibrated)"} <= set(tallies):
        draw(tallies["weighed over 1 s"], tallies["recommended (calibrated)"], arguments.diagram)
    if arguments.lanes and "recommended (calibrated)" in tallies:
        first_name, first_tally = next(iter(tallies.items()))
        draw_lanes([(first_name, first_tally), ("recommended", tallies["recommended (calibrated)"])], arguments.lanes)
    print("\nseconds between a change of action and where it is put")
    for name, off in boundaries(arguments.classifier, arguments.clips, cache):
        print(f"{name:<33} {'  '.join(f'{seconds:.2f}' for seconds in off)}")


if __name__ == "__main__":
    main()
