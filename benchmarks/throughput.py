"""How much faster is this package than the loop that users would write from the documentation?

    .venv/bin/python -m benchmarks.throughput [CLIP ...] [--classifier s3d] [--people 4] [--runs 5] [--speed-only]

Both do the same work with the same arguments: the same clip, the same weights, everybody labelled. They take turns in
separate processes, so that neither affects the other's threads or memory. Without CLIP they run on a 720p
video of ``--people`` people tiled from the shared clips, and on a 340 x 256 clip of one person. If a classifier's
weights are unavailable, both get the same random ones, only to measure speed. Their labels are as far apart as a
trained network's; with ``--close`` they are as random ones are, and more clips are asked again in float32.

Printed for each clip: medians and their ratio, by the clock and in processor time; how many clips were asked again, and
the ratio without these; the engine's shares; milliseconds per clip and picture; the peak memory of each process; the
engine's time divided by the sum of its stages, each run alone on the same inputs immediately afterwards; and the share
of the person-time labelled by both in which the labels agree:

* "same label": the plain loop runs again with the engine's boxes. Another tracker, or the same one on other frames,
  moves each box by a few percent, which changes labels wherever no label is likely.
* "own boxes": each uses its own boxes.
* "with itself": the plain loop runs again with each side of its boxes moved by a thousandth: the limit of agreement.

Each line also gives the share where both labels reach the recommended limit. With ``--backend pytorch --precision
float32`` nothing is rounded.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.throughput_sides import (
    Alone,
    EngineRun,
    People,
    Said,
    Side,
    Speed,
    checkpoint_of,
    serve_engine,
    serve_plain,
)
from benchmarks.tiled_clips import tiled_video
from recognizer.settings import CLASSIFIER_NAMES, RECOMMENDED_MIN_CONFIDENCE, Settings
from recognizer.types import Box

if TYPE_CHECKING:
    from benchmarks.plain_loop import PlainResult

SAME_PERSON_OVERLAP = 0.5
MOVED_BY = 0.001
"""Standard deviation by which the sides of a box are moved, in box heights, to measure how far the plain loop agrees
with itself: a fifth of a pixel for a person 200 pixels tall."""


@dataclass
class Agreement:
    """The agreement of two runs, in samples of people: ``same`` of ``both`` labels agree, and ``same_likely`` of the
    ``likely`` ones, where both reach the recommended limit."""

    both: int = 0
    same: int = 0
    both_of_same_clip: int = 0
    same_of_same_clip: int = 0
    likely: int = 0
    same_likely: int = 0
    boxes_overlap: list[float] = field(default_factory=list)

    def __iadd__(self, other: Agreement) -> Agreement:
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))
        return self

    @property
    def text(self) -> str:
        """The line of the table."""

        def share(part: int, whole: int) -> str:
            return f"{part / whole:.1%} of {whole}" if whole else "none of 0"

        others = self.both - self.both_of_same_clip
        overlap = median(self.boxes_overlap) if self.boxes_overlap else float("nan")
        return (
            f"{share(self.same, self.both)} samples that both labelled: "
            f"{share(self.same_of_same_clip, self.both_of_same_clip)} in clips of the same frames, "
            f"{share(self.same - self.same_of_same_clip, others)} in others, "
            f"{share(self.same_likely, self.likely)} where both give {RECOMMENDED_MIN_CONFIDENCE:g} or more; "
            f"boxes overlap by {overlap:.3f}"
        )


def agreement(people: People, said: Sequence[Said], plain: PlainResult) -> Agreement:
    """Compare the labels of the people that both runs found, at the samples of the first.

    In both runs a sample gets the label of the clip whose middle is nearest, as in a timeline.

    Args:
        people: boxes of the first run, in its sampled frames.
        said: labels of the first run.
        plain: the other run.
    """
    theirs = [Said(*one) for one in plain.said]
    found = Agreement()
    for frame, boxes in people.items():
        if frame >= len(plain.boxes):
            continue
        for person_id, box in boxes.items():
            track_id, overlap = _same_person(box, plain.boxes[frame])
            ours, other = _clip_at(said, person_id, frame), _clip_at(theirs, track_id, frame)
            if ours is None or other is None:
                continue
            is_same = ours.label == other.label
            is_same_clip = (ours.first_frame, ours.last_frame) == (other.first_frame, other.last_frame)
            is_likely = min(ours.probability, other.probability) >= RECOMMENDED_MIN_CONFIDENCE
            found.likely += is_likely
            found.same_likely += is_same and is_likely
            found.both += 1
            found.same += is_same
            found.both_of_same_clip += is_same_clip
            found.same_of_same_clip += is_same and is_same_clip
            found.boxes_overlap.append(overlap)
    return found


def _same_person(box: Box, others: dict[int, Box]) -> tuple[int | None, float]:
    overlaps = {track_id: _overlap(box, other) for track_id, other in others.items()}
    best = max(overlaps, key=overlaps.__getitem__, default=None)
    if best is None or overlaps[best] < SAME_PERSON_OVERLAP:
        return None, 0.0
    return best, overlaps[best]


def _overlap(a: Box, b: Box) -> float:
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    shared = max(0.0, width) * max(0.0, height)
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def _clip_at(said: Sequence[Said], person_id: int | None, frame: int) -> Said | None:
    """Return the person's clip that contains the frame; of several, the one whose middle is nearest."""
    clips = [one for one in said if one.person_id == person_id and one.first_frame <= frame <= one.last_frame]
    return min(clips, key=lambda one: abs(2 * frame - one.first_frame - one.last_frame), default=None)


def measure(path: Path, engine: Side, plain: Side, runs: int) -> tuple[EngineRun, PlainResult]:
    """Measure on one video and print the speed.

    Returns:
        The engine's median run and the plain loop's last.
    """
    engine.ask("run", path)  # converts and compiles the networks for the shapes of this video
    engine_runs: list[EngineRun] = []
    plain_runs: list[Any] = []
    alone_runs: list[Alone] = []
    for _ in range(runs):
        plain_runs.append(plain.ask("run", path))
        engine_runs.append(engine.ask("run", path))
        alone_runs.append(engine.ask("alone", path))
    memory = engine.ask("memory"), plain.ask("memory")
    alone = sorted(alone_runs, key=lambda one: one.sum_s)[len(alone_runs) // 2]
    # divide each run by the stages run immediately after it, because the machine's speed varies by the minute
    over_alone = median(one.took_s / other.sum_s for one, other in zip(engine_runs, alone_runs, strict=True))
    speed = Speed.of(plain_runs, engine_runs)
    run, plain_s, engine_s = speed.run, speed.plain_s, speed.engine_s
    from recognizer.video import open_video

    with open_video(path, sha256="0" * 64) as reader:
        rate_hz, size = float(reader.info.frame_rate or 30), f"{reader.info.width} x {reader.info.height}"
    print(f"\n{path.name}: {size}, {run.frames} frames, {run.frames / rate_hz:.1f} s, {run.clips} clips")
    print(f"  plain loop   {plain_s:7.2f} s  {run.frames / plain_s:6.1f} frames/s  {memory[1]:6.0f} MB at most")
    print(f"  engine       {engine_s:7.2f} s  {run.frames / engine_s:6.1f} frames/s  {memory[0]:6.0f} MB at most")
    print(
        f"  ratio        {speed.ratio:7.2f}    ({speed.ratio_used:.2f} in processor time) of {runs} runs each, medians"
    )
    print(
        f"  asked again  {run.asked_again} of {run.clips} clips, in float32, {run.again_s / run.took_s:.0%} of all; "
        f"without {speed.ratio_without:.2f} times as fast"
    )
    print(
        f"  shares       detect {run.detect_s / run.took_s:.0%}, classify {run.classify_s / run.took_s:.0%}; "
        f"{1000 * run.detect_s / max(run.pictures, 1):.1f} ms a picture, "
        f"{1000 * run.classify_s / max(run.clips, 1):.1f} ms a clip"
    )
    print(
        f"  alone        decode {alone.decode_s:.2f} + detect {alone.detect_s:.2f} + classify {alone.classify_s:.2f} "
        f"= {alone.sum_s:.2f} s; the engine takes {over_alone:.2f} times as long",
        flush=True,
    )
    yardstick: PlainResult = plain_runs[-1]
    return run, yardstick


def compare_labels(
    path: Path, plain: Side, run: EngineRun, yardstick: PlainResult, skip_frame: int
) -> tuple[Agreement, Agreement]:
    """Compare the labels of a run of the engine with those of the plain loop, and print the agreement.

    Returns:
        The agreement of the labels with each run's own boxes, and of the plain loop with itself.
    """
    given = agreement(run.people, run.said, plain.ask("run", path, run.people))
    print(f"  same label   {given.text}, which are the engine's")
    own = agreement(run.people, run.said, yardstick)
    print(f"  own boxes    {own.text}")
    sampled = {frame: boxes for frame, boxes in enumerate(yardstick.boxes) if frame % skip_frame == 0}
    again: PlainResult = plain.ask("run", path, _moved(sampled))
    itself = agreement(sampled, [Said(*one) for one in yardstick.said], again)
    print(f"  with itself  the plain loop, boxes moved by {MOVED_BY:.1%}: {itself.text}", flush=True)
    return own, itself


def _moved(people: People) -> People:
    """Return the boxes with each side moved slightly; the same at each call."""
    random = np.random.default_rng(0)

    def moved(box: Box) -> Box:
        x1, y1, x2, y2 = np.array(box) + random.normal(0, MOVED_BY * (box[3] - box[1]), 4)
        return float(x1), float(y1), float(x2), float(y2)

    return {frame: {track_id: moved(box) for track_id, box in boxes.items()} for frame, boxes in people.items()}


def main() -> None:
    """Compare on every clip and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos", nargs="*", type=Path, metavar="CLIP")
    parser.add_argument("--clips", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "clips")
    parser.add_argument("--people", type=int, default=4, help="in the tiled 720p video (0: none)")
    parser.add_argument("--seconds", type=float, default=10.0, help="of the tiled video")
    parser.add_argument("--classifier", choices=CLASSIFIER_NAMES, default=Settings.video_classifier_model)
    parser.add_argument("--sequence-length", type=int, default=Settings.num_video_sequence_samples)
    parser.add_argument("--skip", type=int, default=Settings.skip_frame)
    parser.add_argument("--device", default=Settings.device)
    parser.add_argument("--backend", default=Settings.backend)
    parser.add_argument("--precision", default=Settings.precision)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--close", action="store_true", help="leave random weights as close as they are")
    parser.add_argument("--speed-only", action="store_true", help="do not compare the labels")
    arguments = parser.parse_args()
    settings = Settings(
        video_classifier_model=arguments.classifier,
        num_video_sequence_samples=arguments.sequence_length,
        skip_frame=arguments.skip,
        device=arguments.device,
        backend=arguments.backend,
        precision=arguments.precision,
    )
    multiprocessing.set_start_method("spawn")
    with tempfile.TemporaryDirectory() as scratch:
        videos = list(arguments.videos)
        if not videos:
            if not arguments.clips.is_dir():
                sys.exit(f"the clips are not in '{arguments.clips}'; give their folder with --clips, or give a CLIP.")
            if arguments.people:
                videos.append(tiled_video(arguments.clips, arguments.people, arguments.seconds, Path(scratch)))
            videos.append(arguments.clips / "stgcn_ta_chi.mp4")
        checkpoint, settings, kind = checkpoint_of(settings, Path(scratch), close=arguments.close)
        engine, plain = Side(serve_engine, settings), Side(serve_plain, settings, str(checkpoint))
        print(
            f"{arguments.classifier} ({kind} weights), "
            f"{settings.num_video_sequence_samples} samples, skip {settings.skip_frame}; "
            f"detector by {engine.hello['detector_backend']}, classifier by {engine.hello['classifier_backend']}"
        )
        own, itself = Agreement(), Agreement()
        for video in videos:
            runs = measure(video, engine, plain, arguments.runs)
            if not arguments.speed_only:
                of_video = compare_labels(video, plain, *runs, settings.skip_frame)
                own += of_video[0]
                itself += of_video[1]
        if not arguments.speed_only:
            print(f"\nall of them\n  own boxes    {own.text}\n  with itself  {itself.text}")
        engine.close()
        plain.close()


if __name__ == "__main__":
    main()
