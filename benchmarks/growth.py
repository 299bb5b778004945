"""How does the cost grow? It should be linear in people and in length, and memory should not grow with length.

    .venv/bin/python -m benchmarks.growth [--classifier s3d] [--people 1,2,4,8,16] [--minutes 1,5] [--seconds 10]
    .venv/bin/python -m benchmarks.growth --classifier r3d_18 --skip 15 --size 340x256 --people '' --minutes 1,5,30
    .venv/bin/python -m benchmarks.growth --classifier i3d --preset recommended --people 1,16 --minutes ''
    .venv/bin/python -m benchmarks.growth --classifier i3d --preset recommended --people 1,16 --minutes '' --no-networks
    .venv/bin/python -m benchmarks.growth --stages [--people 30] [--minutes 30,60,120]

With ``--stages`` there is neither a video nor a network: each stage after them gets a generated analysis
(``benchmarks.growth_stages``). The table shows its CPU seconds by length, and the command fails if a stage takes more
than 2.6 times as long for twice the length.

Otherwise, videos are tiled from the shared clips. With ``--no-networks``, somebody is said to be in the middle of each
tile, doing something, so that what remains is following, cutting out and collecting. Each line is measured in a
separate process, so that memory is separate too, after a warm-up on a short video of that size. First come the numbers
of people, at ``--seconds``, then the lengths, with one person.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from benchmarks.growth_stages import MOST_TIMES, Measured, growth, measure
from benchmarks.stand_in_networks import serve_stand_ins
from benchmarks.throughput_sides import EngineRun, Side, checkpoint_of, serve_engine
from benchmarks.tiled_clips import HEIGHT, RATE, WIDTH, tiled_video
from recognizer.settings import CLASSIFIER_NAMES, Settings, recommended


def line(engine: Side, video: Path, people: int, seconds: float, warm_video: Path) -> str:
    """Measure in the separate process ``engine``, and end it; return the line to print."""
    engine.ask("run", warm_video)
    run: EngineRun = engine.ask("run", video)
    memory = engine.ask("memory")
    engine.close()
    each_s = run.took_s / seconds
    took = f"{run.took_s:>8.2f}  {each_s:>14.3f}  {run.processors_s:>8.2f}"
    return f"{people:>6}  {seconds:>7.0f}  {took}  {run.clips:>6}  {run.asked_again:>10}  {memory:>7.0f}"


def show_stages(lengths_min: Sequence[float], people: int) -> bool:
    """Print what each stage takes by length, each length measured in a process of its own; return whether none grows
    faster than the length."""
    with multiprocessing.Pool(1, maxtasksperchild=1) as pool:
        measured: list[Measured] = [pool.apply(measure, (minutes, people)) for minutes in lengths_min]
    print(f"{people} people at a time, generated; CPU seconds")
    print(f"{'minutes':<24}" + "".join(f"{minutes:>10g}" for minutes in lengths_min) + "   times for twice the length")
    for name in measured[0].facts:
        print(f"{name:<24}" + "".join(f"{one.facts[name]:>10.0f}" for one in measured))
    pairs = list(zip(pairwise(measured), pairwise(lengths_min), strict=True))
    grown = [growth(*two, longer / shorter) for two, (shorter, longer) in pairs]
    is_linear = True
    for name in measured[0].took_s:
        times = [one[name] for one in grown if name in one]
        fast = any(one > MOST_TIMES for one in times)
        is_linear &= not fast
        row = f"{name:<24}" + "".join(f"{one.took_s[name]:>10.3f}" for one in measured)
        print(f"{row}   {', '.join(f'{one:.2f}' for one in times)}{'  FASTER THAN THE LENGTH' if fast else ''}")
    return is_linear


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "clips")
    parser.add_argument("--classifier", choices=CLASSIFIER_NAMES, default=Settings.video_classifier_model)
    parser.add_argument("--stages", action="store_true", help="only what comes after the networks")
    parser.add_argument("--no-networks", action="store_true", help="with stand-ins for them")
    parser.add_argument("--people")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--minutes")
    parser.add_argument("--preset", choices=("documented", "recommended"), default="documented")
    parser.add_argument("--skip", type=int, default=Settings.skip_frame)
    parser.add_argument("--size", default=f"{WIDTH}x{HEIGHT}", metavar="WIDTHxHEIGHT")
    arguments = parser.parse_args()
    default_people, default_minutes = ("30", "30,60,120") if arguments.stages else ("1,2,4,8,16", "1,5")
    people_given = default_people if arguments.people is None else arguments.people
    lengths_min = [
        float(one) for one in (default_minutes if arguments.minutes is None else arguments.minutes).split(",") if one
    ]
    if arguments.stages:
        multiprocessing.set_start_method("spawn")
        sys.exit(0 if show_stages(lengths_min, int(people_given)) else 1)
    if not arguments.clips.is_dir():
        sys.exit(f"the clips are not in '{arguments.clips}'; give their folder with --clips.")
    width, _, height = arguments.size.partition("x")
    size_wh = int(width), int(height)
    multiprocessing.set_start_method("spawn")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        chosen = Settings(video_classifier_model=arguments.classifier, skip_frame=arguments.skip)
        if arguments.preset == "recommended":
            chosen = recommended(chosen, float(RATE))
        settings = chosen if arguments.no_networks else checkpoint_of(chosen, folder)[1]
        # long enough for everybody to have a clip
        warm_video = tiled_video(arguments.clips, 1, max(2.0, 2 * chosen.clip_span_s(float(RATE))), folder, size_wh)
        rows = [(int(people), arguments.seconds) for people in people_given.split(",") if people]
        rows += [(1, 60 * minutes) for minutes in lengths_min]
        samples, skip = settings.num_video_sequence_samples, settings.skip_frame
        print(f"{arguments.classifier}, {samples} samples, skip {skip}, {arguments.size}")
        print("people  seconds    took s  s a video-sec.     CPU s   clips  in float32  most MB")
        for people, seconds in rows:
            video = tiled_video(arguments.clips, people, seconds, folder, size_wh)
            stand_ins = (serve_stand_ins, settings, people, size_wh)
            engine = Side(*stand_ins) if arguments.no_networks else Side(serve_engine, settings)
            print(line(engine, video, people, seconds, warm_video), flush=True)


if __name__ == "__main__":
    main()
