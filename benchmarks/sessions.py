"""Are several concurrent analyses on one set of networks as fast as sequential ones, and does each make progress?

    .venv/bin/python -m benchmarks.sessions [--classifier s3d] [--backend auto] [--sessions 4] [--seconds 5] [--runs 3]

Prints both medians, their ratio, and the progress of the slowest concurrent analysis at half time.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks.throughput_sides import checkpoint_of
from benchmarks.tiled_clips import tiled_video
from recognizer.analysis.file import Progress, analyze
from recognizer.networks.loading import Models, load_models
from recognizer.settings import BACKEND_NAMES, CLASSIFIER_NAMES, Settings


def at_once(video: Path, settings: Settings, models: Models, sessions: int) -> tuple[float, float]:
    """Return the seconds until all ended, and the progress of the slowest at half that time."""
    halves: list[list[tuple[float, float]]] = [[] for _ in range(sessions)]
    started_s = perf_counter()

    def session(number: int) -> None:
        def note(progress: Progress) -> None:
            share = progress.analysed_s / (progress.duration_s or 1.0)
            halves[number].append((perf_counter() - started_s, share))

        analyze(video, settings, models=models, progress=note)

    threads = [threading.Thread(target=session, args=(number,)) for number in range(sessions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took_s = perf_counter() - started_s
    slowest = min(max((share for at_s, share in one if at_s <= took_s / 2), default=0.0) for one in halves)
    return took_s, slowest


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "clips")
    parser.add_argument("--classifier", choices=CLASSIFIER_NAMES, default=Settings.video_classifier_model)
    parser.add_argument("--backend", choices=BACKEND_NAMES, default=Settings.backend)
    parser.add_argument("--sessions", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    if not arguments.clips.is_dir():
        sys.exit(f"the clips are not in '{arguments.clips}'; give their folder with --clips.")
    with tempfile.TemporaryDirectory() as scratch:
        asked = Settings(video_classifier_model=arguments.classifier, backend=arguments.backend)
        _, settings, _ = checkpoint_of(asked, Path(scratch))
        video = tiled_video(arguments.clips, 4, arguments.seconds, Path(scratch))
        models = load_models(settings)
        analyze(video, settings, models=models)
        in_a_row, together, slowest = [], [], []
        for _ in range(arguments.runs):
            started_s = perf_counter()
            for _ in range(arguments.sessions):
                analyze(video, settings, models=models)
            in_a_row.append(perf_counter() - started_s)
            took_s, least = at_once(video, settings, models, arguments.sessions)
            together.append(took_s)
            slowest.append(least)
        print(
            f"{arguments.classifier}, {arguments.sessions} sessions of {arguments.seconds:g} s with four people, 720p"
        )
        print(f"one after the other {median(in_a_row):.2f} s, at once {median(together):.2f} s")
        print(
            f"ratio {median(together) / median(in_a_row):.2f}; at half time the slowest was {median(slowest):.0%} done"
        )


if __name__ == "__main__":
    main()
