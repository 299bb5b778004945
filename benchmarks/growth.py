"""Does the cost grow as it should: linear in people and in length, memory flat in length?

    .venv/bin/python -m benchmarks.growth [--classifier s3d] [--people 1,2,4,8,16] [--minutes 1,5] [--seconds 10]

Videos are tiled from the shared clips at 720p. Every line is a process of its own, so that its memory is its own. First
the numbers of people, at ``--seconds``; then the lengths, with one person.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
from pathlib import Path

from benchmarks.throughput import EngineRun, Side, checkpoint_of, serve_engine
from benchmarks.tiled_clips import tiled_video
from recognizer.settings import CLASSIFIER_NAMES, Settings


def line(video: Path, settings: Settings, people: int, seconds: float, warm_video: Path) -> str:
    """One measurement in its own process."""
    engine = Side(serve_engine, settings)
    engine.ask("run", warm_video)
    run: EngineRun = engine.ask("run", video)
    memory = engine.ask("memory")
    engine.close()
    each_s = run.took_s / seconds
    return f"{people:>6}  {seconds:>7.0f}  {run.took_s:>8.2f}  {each_s:>14.3f}  {run.clips:>6}  {memory:>7.0f}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "clips")
    parser.add_argument("--classifier", choices=CLASSIFIER_NAMES, default=Settings.video_classifier_model)
    parser.add_argument("--people", default="1,2,4,8,16")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--minutes", default="1,5")
    arguments = parser.parse_args()
    if not arguments.clips.is_dir():
        sys.exit(f"the clips are not in '{arguments.clips}'; name their folder with --clips.")
    multiprocessing.set_start_method("spawn")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        _, settings, _ = checkpoint_of(Settings(video_classifier_model=arguments.classifier), folder)
        warm_video = tiled_video(arguments.clips, 1, 2.0, folder)
        rows = [(int(people), arguments.seconds) for people in arguments.people.split(",") if people]
        rows += [(1, 60 * float(minutes)) for minutes in arguments.minutes.split(",") if minutes]
        print(f"{arguments.classifier}, 8 samples, skip 2, 720p")
        print("people  seconds    took s  s a video-sec.   clips  most MB")
        for people, seconds in rows:
            video = tiled_video(arguments.clips, people, seconds, folder)
            print(line(video, settings, people, seconds, warm_video), flush=True)


if __name__ == "__main__":
    main()
