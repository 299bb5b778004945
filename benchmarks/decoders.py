"""What does decoding in processes of their own cost?

    .venv/bin/python -m benchmarks.decoders [CLIP ...] [--people 4] [--runs 5] [--decode-only]

Each clip is decoded and analyzed with decoders of their own and in the same process, in turns, by the same networks.
Printed are medians: seconds by the clock, and of the processors in both processes, and their ratios. Other work on the
machine changes the clock's seconds more than the processors'. The first line is the start of a decoder.

Without CLIP: a 720p video of ``--people`` people tiled from the shared clips, and a 340 x 256 clip of one person.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import psutil

from benchmarks.live_clips import CLIPS_DIR
from benchmarks.tiled_clips import tiled_video
from recognizer.processes import WHERE_VARIABLE
from recognizer.settings import CLASSIFIER_NAMES, Settings
from recognizer.video import open_video, poster
from recognizer.video.workers import workers

WAYS = ("worker", "inline")


def processor_s() -> float:
    """Return the processors' seconds that this process and its decoders have used."""
    times = [psutil.Process(pid).cpu_times() for pid in (os.getpid(), *workers().pids())]
    return sum(one.user + one.system for one in times)


def compare(what: str, work: Callable[[], object], runs: int) -> None:
    """Do the work both ways in turns, and print."""
    took: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
    for number in range(runs + 1):
        for way in WAYS if number % 2 else reversed(WAYS):
            os.environ[WHERE_VARIABLE] = way
            began_s, used_s = time.perf_counter(), processor_s()
            work()
            if number:  # the first round warms up
                took[way].append((time.perf_counter() - began_s, processor_s() - used_s))
    clock, used = ({way: median(one[k] for one in took[way]) for way in WAYS} for k in (0, 1))
    print(
        f"  {what:<12} clock {clock['worker']:7.3f} and {clock['inline']:7.3f} s,"
        f" ratio {clock['worker'] / clock['inline']:5.3f};"
        f" processors {used['worker']:7.3f} and {used['inline']:7.3f} s, ratio {used['worker'] / used['inline']:5.3f}",
        flush=True,
    )


def starts() -> None:
    """Print how long a decoder takes to start."""
    os.environ[WHERE_VARIABLE] = "worker"
    began_s = time.perf_counter()
    try:
        open_video(Path(__file__))
    except Exception as refusal:  # noqa: BLE001 - a program is no video, which the decoder says once it runs
        print(f"a decoder starts and answers in {time.perf_counter() - began_s:.3f} s ({type(refusal).__name__})")


def main() -> None:
    """Compare on every clip and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos", nargs="*", type=Path, metavar="CLIP")
    parser.add_argument("--clips", type=Path, default=CLIPS_DIR)
    parser.add_argument("--people", type=int, default=4, help="in the tiled 720p video")
    parser.add_argument("--seconds", type=float, default=10.0, help="of the tiled video")
    parser.add_argument("--classifier", choices=CLASSIFIER_NAMES, default=Settings.video_classifier_model)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--decode-only", action="store_true", help="analyze nothing")
    arguments = parser.parse_args()
    starts()
    settings = Settings(video_classifier_model=arguments.classifier)
    with tempfile.TemporaryDirectory() as scratch:
        videos = list(arguments.videos)
        if not videos:
            videos.append(tiled_video(arguments.clips, arguments.people, arguments.seconds, Path(scratch)))
            videos.append(arguments.clips / "stgcn_ta_chi.mp4")
        for video in videos:
            with open_video(video) as reader:
                print(f"{video.name}: {reader.info.width} x {reader.info.height}, {reader.info.frame_count} frames")
            compare("open, poster", partial(poster, video), arguments.runs)
            compare("decode", partial(_decode, video, 1), arguments.runs)
            compare("every second", partial(_decode, video, 2), arguments.runs)
            if not arguments.decode_only:
                from recognizer.analysis.file import analyze
                from recognizer.networks.loading import load_models

                work = partial(analyze, video, settings, models=load_models(settings))
                compare("analyze", work, arguments.runs)


def _decode(video: Path, step: int) -> None:
    with open_video(video, sha256="0" * 64) as reader:
        for _ in reader.frames(None if step == 1 else lambda index, _: index % step == 0):
            pass


if __name__ == "__main__":
    main()
