"""``kill -9`` at random moments of batches with real networks: of the driver, a worker, a node of Ray.

    .venv/bin/python -m benchmarks.batch_kills ../shared/clips --kills 10 --videos 12 --broken 2

Each batch is killed once: when so many results are there, and up to two seconds later, both drawn. Then the same
command runs again. In the end nothing may be missing, doubled, different from an undisturbed batch, or done twice.
Further options go to the commands.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.batch import SETTINGS
from benchmarks.batch_cases import Cluster, break_some, cluster, cut, digest_of, tree
from recognizer.batch.manifest import Manifest
from recognizer.batch.results import BatchFolder

VICTIMS = ("driver", "worker", "node")
_LOOK_EVERY_S = 0.1
_AT_MOST_LATER_S = 2.0


@dataclass
class Killed:
    """One batch that was killed.

    Attributes:
        victim: who was killed.
        results: how many were there.
        codes: exit codes of the command and of the same again.
        problems: what was wrong in the end.
    """

    victim: str
    results: int
    codes: tuple[int, int]
    problems: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """One line."""
        came = "; ".join(self.problems) or "nothing missing, doubled, different or done twice"
        return f"{self.victim} killed with {self.results} results there, exit codes {self.codes}: {came}"


class _Batch:
    """A batch in a folder of its own."""

    def __init__(self, folder: Path, out: Path, more: Sequence[str], ray: Cluster | None) -> None:
        workers = ["--workers", "2"] if ray is None else ["--ray", ray.address]
        words = ["batch", str(folder), "--out", str(out), *workers, "--quiet", *SETTINGS, *more]
        self._command = [sys.executable, "-m", "recognizer", *words]
        self._environment = dict(os.environ) if ray is None else ray.environment
        self._log = out.with_suffix(".log")
        self._ray = ray
        self.folder = BatchFolder(out)

    def start(self) -> subprocess.Popen[bytes]:
        """Start the command."""
        with self._log.open("ab") as log:
            return subprocess.Popen(self._command, env=self._environment, stderr=log)

    def results(self) -> dict[str, int]:
        """Return the results that are there, with the time of each."""
        return {path.name: path.stat().st_mtime_ns for path in self.folder.root.glob("videos/*/*")}

    def kill(self, victim: str, process: subprocess.Popen[bytes], chance: random.Random) -> bool:
        """Kill the victim; return whether it lived."""
        if process.poll() is not None:
            return False
        if victim == "driver":
            process.kill()
        elif victim == "node":
            assert self._ray is not None
            self._ray.nodes[1].kill()
        else:
            workers = [one for one in tree(process.pid) if "recognizer.batch.worker" in one.cmdline()]
            if not workers:
                return False
            chance.choice(workers).kill()
        return True


def kill_once(batch: _Batch, victim: str, undisturbed: str, videos: int, broken: int, chance: random.Random) -> Killed:
    """Kill one batch at a drawn moment, run the same command again, and return what came of it."""
    after, later_s = chance.randrange(videos), chance.uniform(0, _AT_MOST_LATER_S)
    process = batch.start()
    while len(batch.results()) < after and process.poll() is None:
        time.sleep(_LOOK_EVERY_S)
    time.sleep(later_s)
    while not batch.kill(victim, process, chance) and process.poll() is None:
        time.sleep(_LOOK_EVERY_S)  # no worker yet
    before = batch.results()
    code = process.wait()
    done = batch.results()
    killed = Killed(victim, len(before), (code, batch.start().wait()))
    killed.problems += _problems(batch, done, undisturbed, videos, broken)
    return killed


def _problems(batch: _Batch, before: dict[str, int], undisturbed: str, videos: int, broken: int) -> list[str]:
    with Manifest(batch.folder.manifest) as manifest:
        rows = list(manifest.rows())
    after = batch.results()
    states = [row["state"] for row in rows]
    checks = {
        f"{states.count('done')} videos are done, not {videos}": states.count("done") == videos,
        f"{states.count('failed')} failed, not {broken}": states.count("failed") == broken,
        "a video has two rows": len({row["path"] for row in rows}) == len(rows) == videos + broken,
        "a result belongs to no video": set(after) == {row["result"] for row in rows if row["result"]},
        "something was done twice": all(after.get(name) == time_ns for name, time_ns in before.items()),
        "bytes differ": digest_of(batch.folder.root) == undisturbed,
        "something is left of the work": not batch.folder.work.exists(),
    }
    return [problem for problem, is_right in checks.items() if not is_right]


def main() -> None:
    """Kill, and print a line for each batch."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--videos", type=int, default=12)
    parser.add_argument("--broken", type=int, default=2)
    parser.add_argument("--length", type=float, default=1.0, metavar="SECONDS")
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--victims", default=",".join(VICTIMS), help="in turns")
    options, more = parser.parse_known_args()
    chance = random.Random(options.seed)  # noqa: S311 (the same moments each time)
    victims: list[str] = options.victims.split(",")
    wrong = 0
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        folder = place / "videos"
        folder.mkdir()
        cut(options.clips, folder, options.videos, options.length)
        break_some(folder, options.broken)
        first = _Batch(folder, place / "undisturbed", more, None)
        first.start().wait()
        undisturbed = digest_of(first.folder.root)
        print(f"undisturbed: {len(first.results())} results, {undisturbed}", flush=True)
        for number in range(options.kills):
            victim = victims[number % len(victims)]
            with ExitStack() as nodes:
                ray = nodes.enter_context(cluster(place / f"ray{number}")) if victim == "node" else None
                batch = _Batch(folder, place / f"killed{number}", more, ray)
                killed = kill_once(batch, victim, undisturbed, options.videos, options.broken, chance)
            print(killed.text, flush=True)
            wrong += bool(killed.problems)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
