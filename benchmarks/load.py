"""Does the server hold with eight people who analyse at once and two who watch live? On loopback, without browsers.

    .venv/bin/python -m benchmarks.load [--people 8] [--watching 2] [--seconds 5] [--limit 900]

Each of the eight has a page of their own (``page_client.py``), uploads a video that nobody else has, and analyses it
with the page's first settings; meanwhile each clicks once every few seconds, and the click is answered when the text
that the server sends for it is there. Two others send a video as their camera and watch what comes back
(``camera_client.py``) until all analyses have ended. One analysis and one camera before all this load the networks.
Then as many come again: what the first left includes what is loaded when it is first needed, such as a network for
close calls, and may stay; what the second left would go on to grow. Speed is that of the first. Prints
each figure with its aim, and exits with 1 if one is missed; ends after the limit.

The clients run on the same machine as the server; what they take of its processors is printed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

from benchmarks.camera_client import Watcher, encoded
from benchmarks.live_browser import app_server
from benchmarks.live_clips import CAMERA_HZ, CLIPS_DIR, camera_frames
from benchmarks.page_client import Tree, Visitor
from tests.support.browser import cut

MEGABYTE: Final = 2**20
CLIP: Final = "stgcn_ta_chi.mp4"
CLICK_EVERY_S: Final = 3.0
SETTLE_S: Final = 190.0
"""A closed page keeps all that it holds for two minutes, and up to a minute more."""
STEP_S: Final = 120.0
QUIET_S: Final = 15.0
"""How long the memory is watched before and after; the lowest of each counts, because it fluctuates."""

MOST_CLICK_S: Final = 1.0
LEAST_FRAMES_PER_S: Final = 20.0
MOST_KEPT_MB: Final = 100.0

_PRESET: Final = "One to two and a half"
"""Begins what the sidebar says of the recommended preset."""


@dataclass
class Found:
    """What was measured."""

    finished: int = 0
    strangers: list[str] = field(default_factory=list)
    clicks_s: list[float] = field(default_factory=list)
    frames_per_s: list[float] = field(default_factory=list)
    analysis_s: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


async def analyses(url: str, video: Path, found: Found, limit_s: float) -> None:
    """Open the app, upload a video and analyse it, clicking meanwhile; check that the result is of this video."""
    async with Visitor.arrives(url) as visitor:
        await visitor.until(lambda tree: tree.is_whole and tree.says(_PRESET), STEP_S)
        await visitor.upload(video.name, video.read_bytes())
        await visitor.until(lambda tree: tree.is_whole and tree.has_button("Analyse"), STEP_S)
        began_s = time.monotonic()
        await visitor.press("Analyse")
        await visitor.until(lambda tree: tree.has_button("Cancel"), STEP_S)
        while not _has_ended(visitor.tree):
            if time.monotonic() - began_s > limit_s:
                raise TimeoutError(f"{video.name} was not analysed in time")
            found.clicks_s += await _click(visitor)
            with suppress(TimeoutError):
                await visitor.until(_has_ended, CLICK_EVERY_S)
        found.analysis_s.append(time.monotonic() - began_s)
        found.finished += 1
        found.strangers += await _strangers(visitor, video.name)


async def _strangers(visitor: Visitor, name: str) -> list[str]:
    """Return what the page of a result shows of other people's videos."""
    address = f"recognizer/analysis/{visitor.query.partition('run=')[2].partition('&')[0]}"
    named = json.loads(await visitor.get(f"{address}/timeline"))["video"]["name"]
    for part in ("frames", "boxes?fromS=0&toS=30"):  # as the browser does for the lanes and the picture
        await visitor.get(f"{address}/{part}")
    others = set(re.findall(r"person-\d+\.mp4", visitor.tree.text())) | {named}
    return [f"{name}'s page names {other}" for other in others if other != name]


def _has_ended(tree: Tree) -> bool:
    """Return whether the result is there; lanes that grow during the analysis are not yet."""
    return tree.is_whole and tree.shows("recognizer_workbench") and not tree.has_button("Cancel")


async def _click(visitor: Visitor) -> list[float]:
    """Choose the other preset; return after how many seconds the sidebar says what it is.

    Nothing if the analysis ends first: its page shows the settings that it ran with.
    """
    is_recommended = visitor.tree.says(_PRESET)
    began_s = time.monotonic()
    await visitor.choose("Preset", "Documented" if is_recommended else "Recommended")
    await visitor.until(lambda tree: tree.says(_PRESET) is not is_recommended or _has_ended(tree), STEP_S)
    return [] if _has_ended(visitor.tree) else [time.monotonic() - began_s]


async def watches(url: str, camera: Sequence[bytes], found: Found, until: asyncio.Event) -> None:
    """Watch the camera until the event; note how many pictures a second came back."""
    async with Visitor.arrives(url, "live") as visitor:
        watcher = Watcher(visitor, camera)
        await watcher.start(STEP_S)
        before, began_s = watcher.pictures, time.monotonic()
        await until.wait()
        found.frames_per_s.append((watcher.pictures - before) / (time.monotonic() - began_s))
        await watcher.stop()


async def under_load(url: str, videos: Sequence[Path], camera: Sequence[bytes], watching: int, limit_s: float) -> Found:
    """Let everybody in at once; return what was measured."""
    found, all_analysed = Found(), asyncio.Event()

    async def all_analyse() -> None:
        await asyncio.gather(*(_noted(analyses(url, video, found, limit_s), found) for video in videos))
        all_analysed.set()

    watchers = [_noted(watches(url, camera, found, all_analysed), found) for _ in range(watching)]
    await asyncio.wait_for(asyncio.gather(all_analyse(), *watchers), limit_s + STEP_S)
    return found


async def _noted(does: Awaitable[None], found: Found) -> None:
    """Wait for somebody; note what goes wrong, and let the others go on."""
    try:
        await does
    except (OSError, TimeoutError) as error:  # a connection that broke, a wait that was too long
        found.problems.append(f"{type(error).__name__}: {error}")


def own_mb(pid: int) -> float:
    """Return the memory of the server and of the processes that it started, the lowest of several looks.

    What they share, such as the decoders' frames, counts once. What is read from files does not count: the system takes
    it back when it needs the room, and its share grows as soon as another program that has the same libraries ends.
    """
    looks = []
    for _ in range(int(QUIET_S)):
        server = psutil.Process(pid)
        looks.append(sum(_own_bytes(one.pid) for one in (server, *server.children(recursive=True))) / MEGABYTE)
        time.sleep(1.0)
    return min(looks)


def _own_bytes(pid: int) -> int:
    """Return the memory of a process that is no file's: its share of it, where others have it too (Linux)."""
    told = dict(line.split()[:2] for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
    return 1024 * (int(told["Pss_Anon:"]) + int(told["Pss_Shmem:"]))


def processors_s(pid: int) -> float:
    """Return the processors' seconds of a process and of all that it started, also of those that have ended."""
    one = psutil.Process(pid)
    times = [each.cpu_times() for each in (one, *one.children(recursive=True))]
    return sum(each.user + each.system + each.children_user + each.children_system for each in times)


def line(what: str, figure: str, aim: str, is_met: bool) -> bool:
    """Print a figure with its aim; return whether it is met."""
    print(f"{what:<46} {figure:>14}   {aim:<22} {'met' if is_met else 'MISSED'}", flush=True)
    return is_met


def report(found: Found, people: int, watching: int, kept_mb: float) -> bool:
    """Print every figure; return whether all aims are met."""
    clicks_s = sorted(found.clicks_s)
    p95_s = statistics.quantiles(clicks_s, n=20)[-1] if len(clicks_s) > 1 else float("inf")
    slowest = min(found.frames_per_s, default=0.0)
    for problem in (*found.problems, *found.strangers):
        print(f"  {problem}")
    if clicks_s:
        print(f"  {len(clicks_s)} clicks, half of them within {statistics.median(clicks_s):.2f} s")
    if found.analysis_s:
        print(f"  an analysis took {min(found.analysis_s):.0f} to {max(found.analysis_s):.0f} s, waiting included")
    return all(
        [
            line("analyses that ended", f"{found.finished} of {people}", "all", found.finished == people),
            line("pages with another person's result", str(len(found.strangers)), "none", not found.strangers),
            line("a click is answered, 95th percentile", f"{p95_s:.2f} s", "at most 1 s", p95_s <= MOST_CLICK_S),
            line(
                f"pictures a second, the slower of {len(found.frames_per_s)}",
                f"{slowest:.1f}",
                "at least 20",
                len(found.frames_per_s) == watching and slowest >= LEAST_FRAMES_PER_S,
            ),
            line("memory that the second people left", f"{kept_mb:.0f} MB", "at most 100 MB", kept_mb <= MOST_KEPT_MB),
        ]
    )


def main() -> None:
    """Print the figures; exit with 1 if an aim is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, default=CLIPS_DIR)
    parser.add_argument("--people", type=int, default=8, help="who analyse")
    parser.add_argument("--watching", type=int, default=2, help="who watch live")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each clip")
    parser.add_argument("--limit", type=float, default=900.0, help="seconds after which all of it ends")
    arguments = parser.parse_args()
    if not arguments.clips.is_dir():
        sys.exit(f"the clips are not in '{arguments.clips}'; give their folder with --clips.")
    with tempfile.TemporaryDirectory() as folder, app_server(Path(folder)) as server:
        scratch = Path(folder)
        videos = [
            cut(arguments.clips / CLIP, scratch / f"person-{number}.mp4", arguments.seconds)
            for number in range(2 * arguments.people + 1)
        ]
        camera = encoded(camera_frames(arguments.clips, 1, 10 * CAMERA_HZ))
        print(f"load average of this machine before: {os.getloadavg()[0]:.1f}; what else runs counts too", flush=True)
        first = asyncio.run(under_load(server.url, videos[:1], camera, 1, arguments.limit))  # loads the networks
        if not first.finished:
            sys.exit(f"the first analysis did not end: {'; '.join(first.problems)}")
        print(f"the first analysis took {first.analysis_s[0]:.0f} s; networks are loaded", flush=True)
        time.sleep(SETTLE_S)
        before_mb = own_mb(server.pid)
        server_s, own_s, began_s = processors_s(server.pid), time.process_time(), time.monotonic()
        people, again = videos[1 : arguments.people + 1], videos[arguments.people + 1 :]
        found = asyncio.run(under_load(server.url, people, camera, arguments.watching, arguments.limit))
        took_s = time.monotonic() - began_s
        server_s, own_s = processors_s(server.pid) - server_s, time.process_time() - own_s
        shares = f"the server used {server_s:.0f} s of the processors, the clients {own_s:.0f} s"
        print(f"  in {took_s:.0f} s, {shares}", flush=True)
        time.sleep(SETTLE_S)
        after_mb = own_mb(server.pid)
        print(f"  memory: {before_mb:.0f} MB before, {after_mb:.0f} MB after the first people", flush=True)
        more = asyncio.run(under_load(server.url, again, camera, arguments.watching, arguments.limit))
        found.finished += more.finished
        found.strangers += more.strangers
        found.problems += more.problems
        time.sleep(SETTLE_S)
        kept_mb = own_mb(server.pid) - after_mb
    sys.exit(not report(found, 2 * arguments.people, arguments.watching, kept_mb))


if __name__ == "__main__":
    main()
