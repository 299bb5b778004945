"""Videos an hour of ``batch`` in several ways, in turns, and whether the results are the same bytes.

    .venv/bin/python -m benchmarks.batch ../shared/clips --videos 24 --broken 4 --ways 1,2 --rounds 2
    .venv/bin/python -m benchmarks.batch ../shared/clips --videos 480 --broken 20 --ways serial,1,2,ray --rounds 1

Short videos are cut out of the clips, and broken ones added. The ways: ``serial``, one ``analyze`` of all; a number of
workers; ``ray``, a Ray of two nodes with a core each on this machine. Further options go to the commands. Processor
time counts on a busy machine, the clock on a quiet one; Ray's own processes count while a batch runs.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.batch_cases import Cluster, Spent, break_some, cluster, cut, digest_of, tree
from recognizer.batch.manifest import Manifest
from recognizer.batch.results import DOCUMENT, BatchFolder

SETTINGS = ("--classifier", "i3d", "--sequence-length", "8")
_TABLE = "segments.csv"
_LOOK_EVERY_S = 0.5


@dataclass(frozen=True)
class Outcomes:
    """What came of the videos, by their names.

    Attributes:
        done: digest of timeline and table.
        failed: a sentence.
        results: digest of everything that must not depend on the run; empty for ``analyze``, which writes less.
    """

    done: dict[str, str]
    failed: dict[str, str]
    results: str = ""


@dataclass(frozen=True)
class Measured:
    """One run.

    Attributes:
        wall_s: by the clock.
        cpu_s: of all its processes.
        peak_bytes: memory of all its processes together.
        outcomes: what came of the videos.
    """

    wall_s: float
    cpu_s: float
    peak_bytes: int
    outcomes: Outcomes


def run(folder: Path, out: Path, way: str, more: Sequence[str], ray: Cluster | None) -> Measured:
    """Analyze all videos in a folder in one way; ``ray`` is None unless that is the way."""
    videos = sorted(folder.iterdir())
    out.mkdir()
    if way == "serial":
        words = ["analyze", *map(str, videos), "--json", f"{out}/", "--csv", f"{out}/", "--fresh"]
    else:
        workers = ["--workers", way] if ray is None else ["--ray", ray.address]
        words = ["batch", str(folder), "--out", str(out), *workers]
    said = out.with_suffix(".log")
    # decoders in the workers' own processes: what a killed decoder took is in nobody's account
    environment = {**(os.environ if ray is None else ray.environment), "RECOGNIZER_DECODER": "inline"}
    wall_s, cpu_s, peak_bytes = _watched([*words, "--quiet", *SETTINGS, *more], environment, said, ray)
    outcomes = _of_analyze(videos, out, said.read_text()) if way == "serial" else _of_batch(out)
    return Measured(wall_s, cpu_s, peak_bytes, outcomes)


def _watched(
    words: Sequence[str], environment: dict[str, str], said: Path, ray: Cluster | None
) -> tuple[float, float, int]:
    """Run a command; return its seconds, those of all processors, and the most bytes of memory."""
    before, nodes = Spent(), Spent()
    before.look([] if ray is None else ray.processes)
    began_s, peak_bytes = time.monotonic(), 0
    with said.open("w") as log:
        process = subprocess.Popen([sys.executable, "-m", "recognizer", *words], env=environment, stderr=log)
    while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        memory_bytes = nodes.look([] if ray is None else ray.processes)
        peak_bytes = max(peak_bytes, memory_bytes + Spent().look(tree(process.pid)))
        time.sleep(_LOOK_EVERY_S)
    _, status, used = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) not in (0, 2):
        raise RuntimeError(f"{' '.join(words)[:300]}\n{said.read_text()}")
    own_s = used.ru_utime + used.ru_stime
    return time.monotonic() - began_s, own_s + nodes.cpu_s - before.cpu_s, peak_bytes


def _of_analyze(videos: Sequence[Path], out: Path, said: str) -> Outcomes:
    files = {path.name: (out / f"{path.stem}.json", out / f"{path.stem}.csv") for path in videos}
    done = {name: _digest(*both) for name, both in files.items() if both[0].is_file()}
    sentences = {name: line for line in said.splitlines() for name in files if name in line}
    return Outcomes(done, {name: sentences[name] for name in files if name not in done and name in sentences})


def _of_batch(out: Path) -> Outcomes:
    folder = BatchFolder(out)
    with Manifest(folder.manifest) as manifest:
        rows = list(manifest.rows())
    results = {row["id"]: folder.result(row["result"]) for row in rows if row["state"] == "done"}
    done = {name: _digest(result / DOCUMENT, result / _TABLE) for name, result in results.items()}
    return Outcomes(done, {row["id"]: row["error"] for row in rows if row["state"] == "failed"}, digest_of(out))


def _digest(*paths: Path) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _summary(measured: dict[str, list[Measured]], videos: int, broken: int) -> str:
    """Return the table of all ways, and what it says."""
    lines = ["| way | videos an hour | processor time each | memory | done | failed, with a sentence |"]
    lines.append("|---" * 6 + "|")
    wall_s = {way: median(one.wall_s for one in several) for way, several in measured.items()}
    cpu_s = {way: median(one.cpu_s for one in several) for way, several in measured.items()}
    for way, several in measured.items():
        outcomes = several[0].outcomes
        told = sum(map(bool, outcomes.failed.values()))
        lines.append(
            f"| {way} | {(videos + broken) / wall_s[way] * 3600:.0f} | {cpu_s[way] / (videos + broken):.2f} s "
            f"| {max(one.peak_bytes for one in several) / 1e9:.2f} GB | {len(outcomes.done)} | {told} |"
        )
    for way, other in (("2", "serial"), ("2", "1"), ("ray", "2")):
        if way in measured and other in measured:
            clock, processors = wall_s[other] / wall_s[way], cpu_s[way] / cpu_s[other]
            lines.append(f"{way} against {other}: {clock:.2f} times as fast, {processors:.3f} of the processor time")
    runs = [one.outcomes for several in measured.values() for one in several]
    whole = {one.results for one in runs if one.results}
    is_right = all((len(one.done), len(one.failed)) == (videos, broken) and all(one.failed.values()) for one in runs)
    lines.append(f"every video is done, every broken one reported: {'yes' if is_right else 'NO'}")
    is_same = len(whole) <= 1 and all(one.done == runs[0].done for one in runs)
    lines.append("the results are the same bytes" if is_same else "THE RESULTS DIFFER")
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path)
    parser.add_argument("--videos", type=int, default=24)
    parser.add_argument("--broken", type=int, default=4)
    parser.add_argument("--length", type=float, default=1.0, metavar="SECONDS")
    parser.add_argument("--ways", default="serial,1,2", help="serial, a number of workers, ray; with commas")
    parser.add_argument("--rounds", type=int, default=2)
    options, more = parser.parse_known_args()
    ways: list[str] = options.ways.split(",")
    measured: dict[str, list[Measured]] = {way: [] for way in ways}
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder = place / "videos"
        folder.mkdir()
        cut(options.clips, folder, options.videos, options.length)
        break_some(folder, options.broken)
        for turn in range(options.rounds):
            for way in ways if turn % 2 == 0 else ways[::-1]:
                with ExitStack() as nodes:
                    ray = nodes.enter_context(cluster(place / "ray")) if way == "ray" else None
                    one = run(folder, place / f"out-{turn}-{way}", way, more, ray)
                measured[way].append(one)
                print(
                    f"{way}: {one.wall_s:.0f} s, {one.cpu_s:.1f} s of processor time, {one.peak_bytes / 1e9:.2f} GB, "
                    f"results {one.outcomes.results or 'in files'}",
                    flush=True,
                )
    print(_summary(measured, options.videos, options.broken))


if __name__ == "__main__":
    main()
