"""Does the server hold with eight people who analyse at once and two who watch live? Through Chromium, on loopback.

    .venv/bin/python -m benchmarks.load [--people 8] [--watching 2] [--seconds 5] [--limit 900]

Each of the eight has a browser context of their own, uploads a clip that nobody else has, and analyses it with the
page's first settings; meanwhile each clicks once every few seconds, and the click is answered when the text that the
server sends for it is there. Two others watch a clip as their camera until all analyses have ended. One analysis before
all this loads the networks. Prints each figure with its aim, and exits with 1 if one is missed; ends after the limit.

The browsers run on the same machine as the server and draw without a graphics card: with two cores, they take a large
part of the processors, which is printed, and the figures are worse than those of people with a computer each.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

from benchmarks.live_browser import CHROMIUM, CHROMIUM_ARGUMENTS, app_server
from benchmarks.live_clips import CAMERA_HZ, CLIPS_DIR, camera_frames, write_camera_file
from tests.support.browser import cut

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, Page

MEGABYTE: Final = 2**20
CLIP: Final = "stgcn_ta_chi.mp4"
CLICK_EVERY_S: Final = 3.0
SETTLE_S: Final = 60.0
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
    processors_s: float = 0.0  # of all processes: server, browsers and this one


class Person:
    """Somebody with a browser of their own."""

    def __init__(self, url: str, context: BrowserContext, page: Page) -> None:
        self._url, self._context, self._page = url, context, page

    @classmethod
    async def arrives(cls, browser: Browser, url: str, page: str = "/") -> Person:
        """Open the app."""
        context = await browser.new_context(viewport={"width": 1280, "height": 900})
        context.set_default_timeout(STEP_S * 1000)
        opened = await context.new_page()
        await opened.goto(url + page)
        # a click before it is there would choose what is chosen already, and never be answered
        await opened.get_by_test_id("stSidebar").get_by_text(_PRESET).first.wait_for()
        return cls(url, context, opened)

    async def analyses(self, video: Path, found: Found, end_s: float) -> None:
        """Upload a video and analyse it, clicking meanwhile; check that the result is of this video."""
        page = self._page
        main = page.get_by_test_id("stMain")
        await main.locator("input[type=file]").first.wait_for(state="attached")
        await main.locator("input[type=file]").first.set_input_files(video)
        await main.get_by_role("button", name="Analyse").click()
        began_s = time.monotonic()
        await page.wait_for_url("**run=*")
        while await main.locator("section.bench").count() == 0 or await self._is_running():
            if time.monotonic() > end_s:
                raise TimeoutError(f"{video.name} was not analysed in time")
            found.clicks_s += await self._click()
            await asyncio.sleep(CLICK_EVERY_S)
        found.analysis_s.append(time.monotonic() - began_s)
        found.finished += 1
        named = await self._video_name()
        if named != video.name:
            found.strangers.append(f"{video.name}'s page has {named}")
        text = await page.locator("body").inner_text()
        found.strangers += [f"{video.name}'s page names {other}" for other in _names_in(text) if other != video.name]

    async def _is_running(self) -> bool:
        return await self._page.get_by_test_id("stMain").get_by_role("button", name="Cancel").count() > 0

    async def _click(self) -> list[float]:
        """Choose the other preset; return after how many seconds the sidebar says what it is.

        Nothing if the analysis ends first: its page shows the settings that it ran with.
        """
        is_recommended = await self._page.get_by_test_id("stSidebar").get_by_text(_PRESET).count() > 0
        other = self._page.get_by_test_id("stSidebar").get_by_text("Documented" if is_recommended else "Recommended")
        began_s = time.monotonic()
        await other.first.click()
        answered = self._page.wait_for_function(
            """([text, wanted]) =>
                document.querySelector("[data-testid=stSidebar]").innerText.includes(text) === wanted""",
            arg=[_PRESET, not is_recommended],
        )
        ended = self._page.get_by_test_id("stMain").locator("section.bench").wait_for()
        either = [asyncio.ensure_future(one) for one in (answered, ended)]
        done, pending = await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        for one in pending:
            one.cancel()
        await next(iter(done))  # raises what went wrong
        return [time.monotonic() - began_s] if either[0] in done else []

    async def _video_name(self) -> str:
        run_id = self._page.url.partition("run=")[2].partition("&")[0]
        answer = await self._context.request.get(f"{self._url}/recognizer/analysis/{run_id}/timeline")
        name: str = (await answer.json())["video"]["name"]
        return name

    async def watches(self, found: Found, until: asyncio.Event) -> None:
        """Watch the camera until the event; note how many pictures a second were shown."""
        picture = self._page.frame_locator("iframe[title*='webrtc']")
        await picture.get_by_role("button", name="Start").click()
        video = picture.locator("video")
        await video.wait_for()
        shown = "one => one.getVideoPlaybackQuality().totalVideoFrames"
        while not await video.evaluate(shown):
            await asyncio.sleep(0.5)
        before, began_s = await video.evaluate(shown), time.monotonic()
        await until.wait()
        found.frames_per_s.append((await video.evaluate(shown) - before) / (time.monotonic() - began_s))
        await picture.get_by_role("button", name="Stop").click()

    async def leaves(self) -> None:
        """Close the browser."""
        await self._context.close()


def _names_in(text: str) -> list[str]:
    return [word for word in text.split() if word.startswith("person-") and word.endswith(".mp4")]


async def under_load(url: str, videos: Sequence[Path], camera: Path, watching: int, limit_s: float) -> Found:
    """Let everybody in at once; return what was measured."""
    from playwright.async_api import async_playwright

    found, all_analysed = Found(), asyncio.Event()
    end_s = time.monotonic() + limit_s
    async with async_playwright() as playwright:
        arguments = [*CHROMIUM_ARGUMENTS, f"--use-file-for-fake-video-capture={camera}"]
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)

        async def analyses(video: Path) -> None:
            person = await Person.arrives(browser, url)
            await person.analyses(video, found, end_s)
            await person.leaves()

        async def watches() -> None:
            person = await Person.arrives(browser, url, "/live")
            await person.watches(found, all_analysed)
            await person.leaves()

        async def all_analyse() -> None:
            await asyncio.gather(*(_noted(analyses(video), found) for video in videos))
            all_analysed.set()

        watchers = [_noted(watches(), found) for _ in range(watching)]
        used_s = processors_s(os.getpid())
        await asyncio.wait_for(asyncio.gather(all_analyse(), *watchers), limit_s + STEP_S)
        # before the browser ends: what it has used is not told afterwards
        found.processors_s = processors_s(os.getpid()) - used_s
        await browser.close()
    return found


async def _noted(does: Awaitable[None], found: Found) -> None:
    """Wait for somebody; note what goes wrong, and let the others go on."""
    from playwright.async_api import Error

    try:
        await does
    except (Error, TimeoutError) as error:
        found.problems.append(str(error).splitlines()[0])


def resident_mb(pid: int) -> float:
    """Return the memory of the server and of the processes that it started, the lowest of several looks.

    What processes share, such as the decoders' frames, counts once.
    """
    looks = []
    for _ in range(int(QUIET_S)):
        server = psutil.Process(pid)
        looks.append(sum(one.memory_full_info().pss for one in (server, *server.children(recursive=True))) / MEGABYTE)
        time.sleep(1.0)
    return min(looks)


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
            line(
                "memory kept, server and its processes", f"{kept_mb:.0f} MB", "at most 100 MB", kept_mb <= MOST_KEPT_MB
            ),
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
            for number in range(arguments.people + 1)
        ]
        camera = scratch / "camera.y4m"
        write_camera_file(camera_frames(arguments.clips, 1, 10 * CAMERA_HZ), camera)
        print(f"load average of this machine before: {os.getloadavg()[0]:.1f}; what else runs counts too", flush=True)
        first = asyncio.run(under_load(server.url, videos[:1], camera, 1, arguments.limit))  # loads the networks
        if not first.finished:
            sys.exit(f"the first analysis did not end: {'; '.join(first.problems)}")
        print(f"the first analysis took {first.analysis_s[0]:.0f} s; networks are loaded", flush=True)
        time.sleep(SETTLE_S)
        before_mb = resident_mb(server.pid)
        server_s, began_s = processors_s(server.pid), time.monotonic()
        found = asyncio.run(under_load(server.url, videos[1:], camera, arguments.watching, arguments.limit))
        took_s = time.monotonic() - began_s
        server_s = processors_s(server.pid) - server_s
        shares = f"the server used {server_s:.0f} s of the processors, the rest {found.processors_s - server_s:.0f} s"
        print(f"  in {took_s:.0f} s, {shares}", flush=True)
        time.sleep(SETTLE_S)
        kept_mb = resident_mb(server.pid) - before_mb
    sys.exit(not report(found, arguments.people, arguments.watching, kept_mb))


if __name__ == "__main__":
    main()
