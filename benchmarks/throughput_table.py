"""The speed of several classifiers against the plain loop, one row each, printed as it is measured.

    .venv/bin/python -m benchmarks.throughput_table [CLASSIFIER ...] [--seconds 2] [--runs 1] [--within 1500] [--close]

Both sides are those of ``benchmarks.throughput``, on its 720p video; without names all classifiers take their turn.
None begins later than ``--within`` seconds after the start. Other work on the machine spoils the ratio by the clock;
that in processor time less so.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import tempfile
from pathlib import Path
from time import perf_counter

from benchmarks.throughput_sides import Side, Speed, checkpoint_of, serve_engine, serve_plain
from benchmarks.tiled_clips import tiled_video
from recognizer.settings import CLASSIFIER_NAMES, Settings

COLUMNS = (
    "classifier", "weights", "way", "plain loop", "engine", "ratio", "in processor time", "ms per clip",
    "asked again", "ratio without these", "load",
)  # fmt: skip


def row(name: str, video: Path, scratch: Path, runs: int, close: bool) -> tuple[str, ...]:
    """Measure one classifier."""
    folder = scratch / name
    folder.mkdir()
    checkpoint, settings, kind = checkpoint_of(Settings(video_classifier_model=name), folder, close=close)
    engine, plain = Side(serve_engine, settings), Side(serve_plain, settings, str(checkpoint))
    way = engine.hello["classifier_backend"]
    engine.ask("run", video)  # compiles the networks for the shapes of this video
    turns = [(plain.ask("run", video), engine.ask("run", video)) for _ in range(runs)]
    engine.close()
    plain.close()
    speed = Speed.of([one for one, _ in turns], [one for _, one in turns])
    run = speed.run
    return (
        name, kind, way, f"{speed.plain_s:.1f} s", f"{speed.engine_s:.1f} s", f"**{speed.ratio:.2f}**",
        f"{speed.ratio_used:.2f}", f"{1000 * run.classify_s / max(run.clips, 1):.0f}",
        f"{run.asked_again} of {run.clips}", f"{speed.ratio_without:.2f}", f"{os.getloadavg()[0]:.1f}",
    )  # fmt: skip


def main() -> None:
    """Measure one classifier after the other and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("classifiers", nargs="*", metavar="CLASSIFIER")
    parser.add_argument("--clips", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "clips")
    parser.add_argument("--people", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=2.0, help="of the video")
    parser.add_argument("--runs", type=int, default=1, help="of each side, in turns, after one that warms up")
    parser.add_argument("--within", type=float, default=1500.0, help="seconds; no classifier begins later")
    parser.add_argument("--close", action="store_true", help="leave random weights as close as they are")
    arguments = parser.parse_args()
    multiprocessing.set_start_method("spawn")
    started_s = perf_counter()
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        video = tiled_video(arguments.clips, arguments.people, arguments.seconds, Path(scratch))
        for name in arguments.classifiers or CLASSIFIER_NAMES:
            if perf_counter() - started_s > arguments.within:
                print(f"{name} and those after it were not measured: {arguments.within:g} s have passed.")
                break
            cells = row(name, video, Path(scratch), arguments.runs, arguments.close)
            print(f"| {' | '.join(cells)} |", flush=True)
    print(f"\n{perf_counter() - started_s:.0f} s in all")


if __name__ == "__main__":
    main()
