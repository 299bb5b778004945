"""Videos an hour of ``batch`` by number of workers, in turns, and whether the results are the same bytes.

``python -m benchmarks.batch ../shared/clips --videos 24 --broken 4 --workers 1,2 --rounds 2`` cuts short videos out of
the clips, breaks some, and runs the command line. Processor time counts on a busy machine, the clock on a quiet one.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import imageio_ffmpeg
import psutil

_CLIPS = ("*.mp4", "*.avi", "*.mkv", "*.mov")
_OPTIONS = ("--classifier", "i3d", "--sequence-length", "16", "--quiet")


@dataclass(frozen=True)
class Measured:
    """One run.

    Attributes:
        wall_s: by the clock.
        cpu_s: of all its processes.
        peak_bytes: memory of all its processes together.
        results: digest of everything that must not depend on the run.
    """

    wall_s: float
    cpu_s: float
    peak_bytes: int
    results: str


def cut(clips: Path, folder: Path, videos: int, broken: int, length_s: float) -> None:
    """Cut short videos out of the clips, in turns, and break some of them."""
    sources = sorted(path for pattern in _CLIPS for path in clips.glob(pattern))
    chance = random.Random(0)  # noqa: S311 (the same videos each time)
    starts_s = itertools.count(0, length_s)
    made = 0
    while made < videos:
        start_s = next(starts_s)
        for source in sources[: videos - made]:
            target = folder / f"{made:04}.mp4"
            if _cut_one(source, target, start_s, length_s * chance.choice((0.5, 1, 1, 2))):
                made += 1
    for number in range(broken):
        content = bytearray((folder / f"{number:04}.mp4").read_bytes())
        kept = chance.randrange(0, len(content) * 3 // 4)
        (folder / f"broken{number:02}.mp4").write_bytes(content[:kept] if number % 4 else chance.randbytes(5000))


def _cut_one(source: Path, target: Path, start_s: float, length_s: float) -> bool:
    program = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-ss", f"{start_s}", "-i", str(source)]
    options = ["-t", f"{length_s}", "-an", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
    even = ["-vf", "crop=trunc(iw/2)*2:trunc(ih/2)*2"]
    done = subprocess.run([*program, *options, *even, str(target)], capture_output=True, check=False)
    if done.returncode or target.stat().st_size < 2000:  # the clip is shorter
        target.unlink(missing_ok=True)
        return False
    return True


def run(folder: Path, out: Path, workers: int, more: list[str]) -> Measured:
    """Run a batch with so many workers."""
    # decoders in the workers' own processes: what a killed decoder took is in nobody's account
    environment = {**os.environ, "RECOGNIZER_DECODER": "inline"}
    words = ["batch", str(folder), "--out", str(out), "--workers", str(workers), *_OPTIONS, *more]
    began_s, peak_bytes = time.monotonic(), 0
    process = subprocess.Popen([sys.executable, "-m", "recognizer", *words], env=environment, stderr=subprocess.DEVNULL)
    while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        peak_bytes = max(peak_bytes, _memory_bytes(process.pid))
        time.sleep(0.5)
    _, _, used = os.wait4(process.pid, 0)
    return Measured(time.monotonic() - began_s, used.ru_utime + used.ru_stime, peak_bytes, _digest(out))


def _memory_bytes(pid: int) -> int:
    total = 0
    for one in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
        try:
            total += one.memory_info().rss
        except psutil.Error:
            continue
    return total


def _digest(out: Path) -> str:
    digest = hashlib.sha256()
    for path in _files(out):
        digest.update(f"{path.relative_to(out)} ".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]


def _files(out: Path) -> Iterator[Path]:
    for name in ("videos", "data"):
        yield from (path for path in sorted((out / name).rglob("*")) if path.is_file())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path)
    parser.add_argument("--videos", type=int, default=24)
    parser.add_argument("--broken", type=int, default=4)
    parser.add_argument("--length", type=float, default=2.0, metavar="SECONDS")
    parser.add_argument("--workers", default="1,2")
    parser.add_argument("--rounds", type=int, default=2)
    options, more = parser.parse_known_args()
    counts = [int(one) for one in options.workers.split(",")]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "videos"
        folder.mkdir()
        cut(options.clips, folder, options.videos, options.broken, options.length)
        measured: dict[int, list[Measured]] = {count: [] for count in counts}
        for turn in range(options.rounds):
            for count in counts if turn % 2 == 0 else counts[::-1]:
                one = run(folder, Path(place) / f"out-{turn}-{count}", count, more)
                measured[count].append(one)
                print(
                    f"{count} workers: {one.wall_s:.0f} s, {one.cpu_s:.1f} s of processor time, "
                    f"{one.peak_bytes / 1e9:.2f} GB, results {one.results}",
                    flush=True,
                )
    videos = options.videos + options.broken
    for count, several in measured.items():
        wall_s, cpu_s = median(one.wall_s for one in several), median(one.cpu_s for one in several)
        print(f"{count} workers: {videos / wall_s * 3600:.0f} videos an hour, {cpu_s / videos:.2f} s of processor each")
    same = len({one.results for several in measured.values() for one in several}) == 1
    print("the results are the same bytes" if same else "THE RESULTS DIFFER")


if __name__ == "__main__":
    main()
