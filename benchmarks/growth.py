"""How does the cost grow? It should be linear in people and in length, and memory should not grow with length.

    .venv/bin/python -m benchmarks.growth [--classifier s3d] [--people 1,2,4,8,16] [--minutes 1,5] [--seconds 10]
    .venv/bin/python -m benchmarks.growth --classifier r3d_18 --skip 15 --size 340x256 --people '' --minutes 1,5,30

Videos are tiled from the shared clips. Each line is measured in a separate process, so that memory is separate
too, after a warm-up on a short video of that size. First come the numbers of people, at ``--seconds``, then the
lengths, with one person.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
from pathlib import Path

from benchmarks.throughput import EngineRun, Side, checkpoint_of, serve_engine
from benchmarks.tiled_clips import HEIGHT, RATE, WIDTH, tiled_video
from recognizer.settings import CLASSIFIER_NAMES, Settings


def line(video: Path, settings: Settings, people: int, seconds: float, warm_video: Path) -> str:
    """Measure in a separate process; return the line to print."""
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
    parser.add_argument("--skip", type=int, default=Settings.skip_frame)
    parser.add_argument("--size", default=f"{WIDTH}x{HEIGHT}", metavar="WIDTHxHEIGHT")
    arguments = parser.parse_args()
    if not arguments.clips.is_dir():
        sys.exit(f"the clips are not in '{arguments.clips}'; give their folder with --clips.")
    width, _, height = arguments.size.partition("x")
    size_wh = int(width), int(height)
    multiprocessing.set_start_method("spawn")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        chosen = Settings(video_classifier_model=arguments.classifier, skip_frame=arguments.skip)
        _, settings, _ = checkpoint_of(chosen, folder)
        # long enough for everybody to have a clip
        warm_video = tiled_video(arguments.clips, 1, max(2.0, 2 * chosen.clip_span_s(float(RATE))), folder, size_wh)
        rows = [(int(people), arguments.seconds) for people in arguments.people.split(",") if people]
        rows += [(1, 60 * float(minutes)) for minutes in arguments.minutes.split(",") if minutes]
        print(f"{arguments.classifier}, 8 samples, skip {arguments.skip}, {arguments.size}")
        print("people  seconds    took s  s a video-sec.   clips  most MB")
        for people, seconds in rows:
            video = tiled_video(arguments.clips, people, seconds, folder, size_wh)
            print(line(video, settings, people, seconds, warm_video), flush=True)


if __name__ == "__main__":
    main()
