"""Is this build faster than an earlier one? Runs both in turns, on the same videos, with the same weights.

    .venv/bin/python -m benchmarks.against REVISION [--other REVISION] [CLIP ...] [--preset recommended] [--runs 5]
    .venv/bin/python -m benchmarks.against REVISION --live 1,4 [--seconds 20]
    .venv/bin/python -m benchmarks.against REVISION --start [CLIP]

REVISION is any name that git knows. It is checked out into a temporary folder and runs in the same environment as the
working tree, or as ``--other``. Each build has a process of its own, which loads the networks once and measures again
how they run fastest; both use the same cache of weights, but not of converted networks.

Printed for each video: medians of the processors' seconds (all processes of a build together) and of the clock's, and
their ratios; and at how many samples of people both builds show the same label. Other work on the machine changes the
clock's seconds more than the processors'. ``--random`` takes random weights, for a classifier whose own cannot be had;
their labels say nothing. ``--start`` measures ``analyze`` as a command, from the start of its process
to its end. ``--live`` feeds a camera's frames in real time and counts the clips labeled a second.

Without CLIP: a 720p video of ``--people`` people tiled from the shared clips, and a 340 x 256 clip of one person.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, Final

from benchmarks.live_clips import CLIPS_DIR
from benchmarks.random_weights import APART, with_random_weights
from benchmarks.tiled_clips import tiled_video
from recognizer.settings import CLASSIFIER_NAMES, Settings

ROOT: Final = Path(__file__).resolve().parents[1]
ONE_PERSON: Final = "stgcn_ta_chi.mp4"
ONE_SECOND: Final = 30
"""Frames of it, at the rate of the clip."""
SAME_PERSON_OVERLAP: Final = 0.5
LIKELY: Final = 0.3


@dataclass(frozen=True)
class Cost:
    """What one run took, in seconds."""

    processors_s: float
    clock_s: float


class Build:
    """One build in a process of its own.

    Args:
        name: as printed.
        tree: its source.
        scratch: gets its converted networks and measurements.
    """

    def __init__(self, name: str, tree: Path, scratch: Path) -> None:
        self.name, self.tree = name, tree
        self._environment = environment(tree, scratch)
        self._process = subprocess.Popen(
            [sys.executable, str(ROOT / "benchmarks" / "against_side.py")],
            cwd=tree, env=self._environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def ask(self, **question: Any) -> Any:
        """Return the answer of ``against_side.py``."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            sys.exit(f"the build {self.name} ended; see its messages above.")
        return json.loads(line)

    def start(self, arguments: Sequence[str]) -> Cost:
        """Run a command of this build from its start to its end."""
        before, started_s = os.times(), perf_counter()
        subprocess.run(
            [sys.executable, "-m", "recognizer", *arguments], cwd=self.tree, env=self._environment, check=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        took_s, after = perf_counter() - started_s, os.times()
        used_s = after.children_user + after.children_system - before.children_user - before.children_system
        return Cost(used_s, took_s)

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def environment(tree: Path, scratch: Path) -> dict[str, str]:
    """Return the environment of a build: its own source and measurements, the weights of this machine."""
    from recognizer import weights

    cache = scratch / "cache"
    cache.mkdir(parents=True)
    (cache / "weights").symlink_to(weights.cache_dir())
    return os.environ | {
        "PYTHONPATH": str(tree),
        "RECOGNIZER_CACHE": str(cache),
        "RECOGNIZER_DATA": str(scratch / "data"),
    }


@contextmanager
def checked_out(revision: str, folder: Path) -> Iterator[Path]:
    """Provide the source of a revision."""
    tree = folder / "tree"
    git("worktree", "add", "-q", "--detach", str(tree), revision)
    try:
        yield tree
    finally:
        git("worktree", "remove", "--force", str(tree))


def git(*arguments: str) -> None:
    """Run a command of git in this repository; end with its message if it fails."""
    program = shutil.which("git") or sys.exit("git is not installed; revisions need it.")
    subprocess.run([program, "-C", str(ROOT), *arguments], check=True)


def in_turns(builds: Sequence[Build], runs: int, run: Any) -> list[list[Any]]:
    """Return what ``run`` returned for each build; the first round warms up and does not count."""
    found: list[list[Any]] = [[] for _ in builds]
    for number in range(runs + 1):
        order = list(enumerate(builds))
        for k, build in order if number % 2 else reversed(order):
            answer = run(build)
            if number:
                found[k].append(answer)
    return found


def print_costs(what: str, builds: Sequence[Build], costs: Sequence[Sequence[Cost]]) -> None:
    """Print the medians and the ratios."""
    used = [median(one.processors_s for one in of_build) for of_build in costs]
    took = [median(one.clock_s for one in of_build) for of_build in costs]
    print(what)
    for build, used_s, took_s in zip(builds, used, took, strict=True):
        print(f"  {build.name:<14} {used_s:8.2f} s of the processors, {took_s:8.2f} s by the clock")
    print(f"  {'ratio':<14} {used[0] / used[1]:8.2f}   {'':<18}{took[0] / took[1]:8.2f}", flush=True)


def same_share(ours: list[Any], theirs: list[Any]) -> str:
    """Return how much of the time labelled by either build both show the same label.

    Args:
        ours: (time in seconds, box, label, probability) of each person at each sample.
        theirs: likewise, of the other build.
    """
    by_time: dict[float, list[Any]] = {}
    for one in theirs:
        by_time.setdefault(round(one[0], 2), []).append(one)
    both = same = likely = same_likely = 0
    for time_s, box, label, probability in ours:
        others = by_time.get(round(time_s, 2), [])
        best = max(others, key=lambda one: overlap(box, one[1]), default=None)
        if best is None or overlap(box, best[1]) < SAME_PERSON_OVERLAP:
            continue
        is_same, is_likely = label == best[2], max(probability, best[3]) >= LIKELY
        both, same = both + 1, same + is_same
        likely, same_likely = likely + is_likely, same_likely + (is_same and is_likely)
    found = f"{same} of {both} samples of people the same label"
    return f"{found}, {same_likely} of {likely} where either gives {LIKELY:g}; {len(ours)} and {len(theirs)} samples"


def overlap(a: Sequence[float], b: Sequence[float]) -> float:
    """Return the intersection over union of two boxes, xyxy."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    shared = max(0.0, width) * max(0.0, height)
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def main() -> None:
    """Run both builds in turns and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("revision")
    parser.add_argument("videos", nargs="*", type=Path, metavar="CLIP")
    parser.add_argument("--other", metavar="REVISION", help="compare with this one, not with the working tree")
    parser.add_argument("--clips", type=Path, default=CLIPS_DIR)
    parser.add_argument("--classifier", choices=CLASSIFIER_NAMES, default="i3d")
    parser.add_argument("--preset", choices=("recommended", "documented"), default="recommended")
    parser.add_argument("--random", action="store_true", help="random weights, the same for both")
    parser.add_argument("--people", type=int, default=4, help="in the tiled video")
    parser.add_argument("--seconds", type=float, default=6.0, help="of the tiled video, or of each live run")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--start", action="store_true", help="measure analyze as a command, on a clip of one second")
    parser.add_argument("--live", metavar="PEOPLE", help="numbers of people in front of a camera, such as 1,4")
    arguments = parser.parse_intermixed_args()  # CLIP may come after options
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        trees = {"before": stack.enter_context(checked_out(arguments.revision, folder_in(scratch, "before")))}
        folder_in(scratch, "after")
        trees["after"] = ROOT
        if arguments.other:
            trees["after"] = stack.enter_context(checked_out(arguments.other, scratch / "after"))
        builds = [Build(name, tree, scratch / name / "own") for name, tree in trees.items()]
        for build in builds:
            stack.callback(build.close)
        question: dict[str, Any] = {"classifier": arguments.classifier, "preset": arguments.preset}
        if arguments.random:
            plain = Settings(video_classifier_model=arguments.classifier)
            drawn = with_random_weights(plain, scratch, APART.get(arguments.classifier, 1.0))
            question |= {"checkpoint": drawn.checkpoint_path, "labels": drawn.labels_path}
        load = os.getloadavg()[0]
        print(f"{arguments.classifier}, {arguments.preset}, {arguments.runs} runs each, in turns; load {load:.1f}")
        if arguments.start:
            starts(builds, question, arguments.videos, arguments.clips, arguments.runs, scratch)
        elif arguments.live:
            lives(builds, question, arguments)
        else:
            analyses(builds, question, arguments, scratch)
        print(f"load now {os.getloadavg()[0]:.1f}")


def folder_in(scratch: Path, name: str) -> Path:
    """Make a folder and return it."""
    folder = scratch / name
    folder.mkdir()
    return folder


def analyses(builds: Sequence[Build], question: dict[str, Any], arguments: argparse.Namespace, scratch: Path) -> None:
    """Analyze each video and print."""
    videos = list(arguments.videos)
    if not videos:
        videos.append(tiled_video(arguments.clips, arguments.people, arguments.seconds, scratch))
        videos.append(arguments.clips / ONE_PERSON)
    for video in videos:
        answers = in_turns(
            builds,
            arguments.runs,
            lambda build, video=video: build.ask(do="analyze", video=str(video.resolve()), **question),
        )
        print_costs(video.name, builds, [[Cost(*one["cost"]) for one in of_build] for of_build in answers])
        print(f"  {'labels':<14} {same_share(*(of_build[-1]['said'] for of_build in answers))}")
        for build, of_build in zip(builds, answers, strict=True):
            print(f"  {build.name:<14} {', '.join(f'{k} {v}' for k, v in of_build[-1]['ways'].items())}", flush=True)


def starts(
    builds: Sequence[Build], question: dict[str, Any], videos: Sequence[Path], clips: Path, runs: int, scratch: Path
) -> None:
    """Measure the command on a video of one second and print."""
    if videos:
        (video,) = videos
    else:
        video = scratch / "one-second.mp4"
        first_second(clips / ONE_PERSON, video)
    options = [f"--{name}={value}" for name, value in question.items()]
    arguments = ("analyze", str(video), "--json", str(scratch / "out.json"), "--quiet", *options)
    print_costs("python -m recognizer analyze", builds, in_turns(builds, runs, lambda build: build.start(arguments)))


def first_second(source: Path, target: Path) -> None:
    """Write the first second of a video."""
    from recognizer.video import VideoWriter, open_video

    with open_video(source) as reader:
        writer = VideoWriter(target, reader.info.frame_rate or ONE_SECOND, reader.info.width, reader.info.height)
        for frame in reader.frames(lambda index, _: index < ONE_SECOND):
            writer.write(frame.rgb, frame.time_s)
    writer.close()


def lives(builds: Sequence[Build], question: dict[str, Any], arguments: argparse.Namespace) -> None:
    """Feed a camera's frames in real time and print."""
    for people in map(int, arguments.live.split(",")):
        answers = in_turns(
            builds,
            arguments.runs,
            lambda build, people=people: build.ask(
                do="live", clips=str(arguments.clips.resolve()), people=people, seconds=arguments.seconds, **question
            ),
        )
        print(f"live, {people} people")
        for build, of_build in zip(builds, answers, strict=True):
            figures = {name: median(one[name] or 0.0 for one in of_build) for name in of_build[0]}
            print(f"  {build.name:<14} " + ", ".join(f"{name} {value:.2f}" for name, value in figures.items()))
        ratio = median(one["clips_per_s"] for one in answers[1]) / median(one["clips_per_s"] for one in answers[0])
        print(f"  {'ratio':<14} {ratio:.2f} clips labeled a second", flush=True)


if __name__ == "__main__":
    main()
