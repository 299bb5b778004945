"""What batches are measured with: short videos and broken ones, and a Ray of two nodes on this machine."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import imageio_ffmpeg
import psutil

_CLIPS: Final = ("*.mp4", "*.avi", "*.mkv", "*.mov")
_LEAST_BYTES: Final = 2000
_SHORT_SIDE: Final = 240
_NODE_WITHIN_S: Final = 120.0


def cut(clips: Path, folder: Path, videos: int, length_s: float) -> None:
    """Cut short videos out of the clips, in turns, and encode them again; each has other bytes."""
    sources = sorted(path for pattern in _CLIPS for path in clips.glob(pattern))
    chance = random.Random(0)  # noqa: S311 (the same videos each time)
    made = 0
    for start_s in itertools.count(0, length_s / 2):
        before = made
        for source in sources:
            target = folder / f"{made:04}.mp4"
            if made < videos and _cut_one(source, target, start_s, length_s * chance.choice((0.5, 1, 1, 2))):
                made += 1
        if made in (videos, before):
            break
    if made < videos:
        sys.exit(
            f"the clips in '{clips}' are enough for {made} videos of {length_s:g} s; ask for fewer, or shorter ones."
        )


def _cut_one(source: Path, target: Path, start_s: float, length_s: float) -> bool:
    program = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-ss", f"{start_s}", "-i", str(source)]
    small = ["-vf", f"scale=-2:{_SHORT_SIDE}"]
    coded = ["-t", f"{length_s}", "-an", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
    done = subprocess.run([*program, *small, *coded, str(target)], capture_output=True, check=False)
    if done.returncode or target.stat().st_size < _LEAST_BYTES:  # the clip is shorter
        target.unlink(missing_ok=True)
        return False
    return True


def break_some(folder: Path, broken: int) -> None:
    """Add files that are no videos, each kind in turn, each file with other bytes."""
    chance = random.Random(1)  # noqa: S311 (the same each time)
    whole = sorted(folder.glob("[0-9]*.mp4"))
    for number in range(broken):
        content = whole[number % len(whole)].read_bytes()
        name, kind = list(_KINDS.items())[number % len(_KINDS)]
        (folder / f"broken{number:02}-{name}.mp4").write_bytes(kind(content, chance))


def _without_index(content: bytes, _: random.Random) -> bytes:
    return content.replace(b"moov", b"lost")  # in a box called free, FFmpeg would find it


def _sound_only(_: bytes, chance: random.Random) -> bytes:
    samples = chance.randbytes(16_000)
    sizes = (len(samples) + 36).to_bytes(4, "little"), len(samples).to_bytes(4, "little")
    form = b"fmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0\x80\x3e\0\0\x01\0\x08\0"
    return b"RIFF" + sizes[0] + b"WAVE" + form + b"data" + sizes[1] + samples


_KINDS: Final[dict[str, Callable[[bytes, random.Random], bytes]]] = {
    "cut short": lambda content, chance: content[: chance.randrange(100, len(content) // 2)],
    "noise": lambda _, chance: chance.randbytes(5000),
    "no index": _without_index,
    "text": lambda _, chance: f"this is no video but number {chance.random()}\n".encode() * 50,
    "zeros": lambda _, chance: bytes(chance.randrange(5000, 9000)),
    "sound only": _sound_only,
    "beginning lost": lambda content, chance: content[chance.randrange(40, 400) :],
}


def digest_of(out: Path) -> str:
    """Return a digest of everything in a batch's folder that must not depend on how it went."""
    digest = hashlib.sha256()
    for name in ("videos", "data"):
        for path in (path for path in sorted((out / name).rglob("*")) if path.is_file()):
            digest.update(f"{path.relative_to(out)} ".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]


def tree(pid: int) -> list[psutil.Process]:
    """Return a process and all that it started, without those that have ended."""
    try:
        one = psutil.Process(pid)
        return [one, *one.children(recursive=True)]
    except psutil.Error:
        return []


@dataclass
class Spent:
    """Counts the processor time of processes by looking at them again and again.

    What a process does after the last look at it is lost.
    """

    _of: dict[tuple[int, float], float] = field(default_factory=dict)

    def look(self, processes: list[psutil.Process]) -> int:
        """Note the time that they have spent, and return the memory that they have now in bytes."""
        memory_bytes = 0
        for one in processes:
            with contextlib.suppress(psutil.Error):
                times = one.cpu_times()
                self._of[one.pid, one.create_time()] = times.user + times.system
                memory_bytes += one.memory_info().rss
        return memory_bytes

    @property
    def cpu_s(self) -> float:
        """Seconds so far."""
        return sum(self._of.values())


class Node:
    """A node of a Ray cluster on this machine, with one core.

    Args:
        head: address of the cluster; None to start one.
        environment: of its processes.
        folder: of its logs and sockets, with a short path.
    """

    def __init__(self, head: str | None, environment: dict[str, str], folder: Path) -> None:
        self.port = _free_port()
        where = (
            ["--head", f"--port={self.port}", f"--temp-dir={folder}", "--include-dashboard=false"]
            if head is None
            else [f"--address={head}"]
        )
        fixed = ["--node-ip-address=127.0.0.1", "--num-cpus=1", "--object-store-memory=100000000", "--block"]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "ray.scripts.scripts", "start", *where, *fixed],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    @property
    def processes(self) -> list[psutil.Process]:
        """All of the node."""
        return tree(self._process.pid)

    def kill(self) -> None:
        """End all of it at once, as a power cut would."""
        for one in self.processes:
            with contextlib.suppress(psutil.Error):
                one.kill()
        self._process.wait()

    def stop(self) -> None:
        """Ask it to end, and end what is left."""
        left = self.processes
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        psutil.wait_procs(left, timeout=10)
        for one in left:
            with contextlib.suppress(psutil.Error):
                one.kill()
        self._process.wait()


@dataclass
class Cluster:
    """A Ray of two nodes.

    Attributes:
        nodes: the head, and the other one.
        environment: for whoever connects.
    """

    nodes: list[Node]
    environment: dict[str, str]

    @property
    def address(self) -> str:
        """What ``--ray`` takes."""
        return f"127.0.0.1:{self.nodes[0].port}"

    @property
    def processes(self) -> list[psutil.Process]:
        """All of both nodes."""
        return [one for node in self.nodes for one in node.processes]

    def wait_for(self, nodes: int) -> None:
        """Wait until so many nodes belong to it."""
        program = "import ray, sys; ray.init(sys.argv[1], logging_level='ERROR'); print(len(ray.nodes()))"
        until_s = time.monotonic() + _NODE_WITHIN_S
        while time.monotonic() < until_s:
            asked = subprocess.run(
                [sys.executable, "-c", program, self.address],
                env=self.environment,
                capture_output=True,
                text=True,
                check=False,
            )
            if asked.stdout.strip() == str(nodes):
                return
            time.sleep(1)
        raise RuntimeError(
            f"Ray has no {nodes} nodes after {_NODE_WITHIN_S:.0f} s: {asked.stdout} {asked.stderr[-500:]}"
        )


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """Yield a Ray of two nodes on this machine, which asks for a token; it ends with the block."""
    environment = {
        **os.environ,
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the nodes end with this process
    found = Cluster([Node(None, environment, folder)], environment)
    try:
        found.wait_for(1)
        found.nodes.append(Node(found.address, environment, folder))
        found.wait_for(2)
        yield found
    finally:
        for node in reversed(found.nodes):
            node.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])
