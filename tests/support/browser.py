"""A user's actions in Chromium: find parts of a page, use them, and wait for them."""

from __future__ import annotations

import os
import re
import time
import uuid
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, FloatRect, Locator, Page, ViewportSize

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
CLIP_S = 3.0
START_TIMEOUT_S = 240.0
WORK_TIMEOUT_MS = 250_000
ROW_PX = 35
"""Height of a row of Streamlit's tables, and of their header."""

STEP_TIMEOUT_MS = 90_000

OpenPage = Callable[..., "Page"]


class Visitors:
    """Profiles of Chromium that are used again: one that has the app's scripts opens it in half the processor time.

    Args:
        browser: Chromium.
        app_url: the app's address. What a visitor has stored there is forgotten before the next one comes.
    """

    def __init__(self, browser: Browser, app_url: str) -> None:
        self._browser = browser
        self._app_url = app_url
        self._profiles: dict[str, list[BrowserContext]] = {}
        self._present: list[Page] = []

    def new_page(
        self, *, viewport: ViewportSize | None = None, color_scheme: str = "light", has_touch: bool = False
    ) -> Page:
        """Return a page of a visitor who has never been here."""
        kind = "touch" if has_touch else "mouse"
        profiles = self._profiles.setdefault(kind, [])
        busy = {page.context for page in self._present}
        context = next((one for one in profiles if one not in busy), None)
        if context is None:
            context = self._browser.new_context(has_touch=has_touch)
            profiles.append(context)
        page = context.new_page()
        self._present.append(page)
        page.set_viewport_size(viewport or {"width": 1280, "height": 900})
        page.emulate_media(color_scheme="dark" if color_scheme == "dark" else "light")
        return page

    def leave(self) -> None:
        """Close the pages of all visitors, and forget what they stored and how they work."""
        for page in self._present:
            context = page.context
            for other in context.pages:
                if other is not page:
                    other.close()
            page.goto("about:blank")
            forget = {"origin": self._app_url, "storageTypes": "cookies,local_storage,indexeddb,cache_storage"}
            context.new_cdp_session(page).send("Storage.clearDataForOrigin", forget)
            page.close()
        self._present.clear()

    def close(self) -> None:
        """Close all profiles."""
        for context in chain.from_iterable(self._profiles.values()):
            context.close()


def main(page: Page) -> Locator:
    return page.get_by_test_id("stMain")


def upload_field(page: Page) -> Locator:
    return main(page).locator("input[type=file]").first


def started(page: Page) -> Locator:
    """Return what a page shows first: the choice of a video, or the workbench of a result."""
    return upload_field(page).or_(main(page).locator("section.bench")).first


def upload_video(page: Page, file: Path | dict[str, Any]) -> None:
    field = upload_field(page)
    if not field.count():  # a result has folded it away
        folded = page.get_by_test_id("stPopoverBody")
        if not folded.count():
            main(page).get_by_role("button", name="Another video").click()
        field = folded.locator("input[type=file]").first
    field.set_input_files(file)  # type: ignore[arg-type]  # the type is playwright's own FilePayload
    name = file.name if isinstance(file, Path) else file["name"]
    if isinstance(file, Path):
        page.get_by_text(name, exact=True).locator("visible=true").first.wait_for()
        main(page).get_by_role("button", name=re.compile("Analyse$")).wait_for()


def start(page: Page) -> None:
    main(page).get_by_role("button", name="Analyse").last.click()  # not that of a result that is going
    main(page).get_by_role("button", name="Cancel").wait_for()


_ASK_EVERY_MS = 100
"""How often to ask where an analysis is waited for. By itself, Playwright asks at each of 60 pictures a second, which
draws them: a twentieth of a core beside the work that is waited for."""

_SEGMENTS_JS = """() => [...document.querySelectorAll("[data-testid=stBidiComponentIsolated]")]
    .map((one) => one.recognizer?.model?.segments).find(Boolean)"""


def wait_for_results(page: Page) -> None:
    """Wait until no analysis runs and the workbench has its segments."""
    from playwright.sync_api import TimeoutError as PlaywrightTimeout

    try:
        page.wait_for_function(
            f"""() => {{
                const buttons = [...document.querySelectorAll("[data-testid=stMain] button")];
                return !buttons.some((one) => one.textContent === "Cancel") && ({_SEGMENTS_JS})();
            }}""",
            timeout=WORK_TIMEOUT_MS,
            polling=_ASK_EVERY_MS,
        )
    except PlaywrightTimeout as error:
        raise AssertionError(f"no results; the page says: {main(page).inner_text()[:2000]}") from error


def wait_for_actions(page: Page, *actions: str) -> None:
    """Wait until the workbench shows segments of each of these actions."""
    page.wait_for_function(
        f"(actions) => actions.every((one) => ({_SEGMENTS_JS})()?.actions.includes(one))",
        arg=list(actions),
        timeout=WORK_TIMEOUT_MS,
        polling=_ASK_EVERY_MS,
    )


def shown_actions(page: Page) -> set[str]:
    """Return the actions of the workbench's segments, as soon as it has some."""
    segments = page.wait_for_function(_SEGMENTS_JS, timeout=WORK_TIMEOUT_MS, polling=_ASK_EVERY_MS)
    actions: list[str] = segments.evaluate("(one) => one.action.map((k) => one.actions[k])")
    return set(actions)


def analyse(page: Page) -> None:
    start(page)
    wait_for_results(page)


def chart(page: Page) -> Locator:
    return main(page).locator(".js-plotly-plot").first


def shown_times(page: Page) -> list[float]:
    """Return the start and end of the timeline's visible range."""
    times: list[float] = chart(page).evaluate("one => one.layout.xaxis.range")
    return times


def settled_box(place: Locator, timeout_ms: float = STEP_TIMEOUT_MS) -> FloatRect:
    """Return the bounding box once it stays where it is: while a page is drawn, what is above pushes it down."""
    end_s = time.monotonic() + timeout_ms / 1000
    before = None
    while time.monotonic() < end_s:
        box = place.bounding_box()
        if box is not None and box == before:
            return box
        before = box
        time.sleep(0.4)
    raise AssertionError(f"the box still moves after {timeout_ms / 1000:g} s")


def select_segment(page: Page, row: int) -> None:
    """Open the table of all segments and select a row, counted from 0, by the mark before it: the table is a canvas."""
    main(page).get_by_role("tab", name="All segments").click()
    main(page).get_by_text("Select a row to see it above").wait_for()
    table = main(page).get_by_test_id("stDataFrameResizable").last
    settled_box(table)
    table.scroll_into_view_if_needed()
    box = settled_box(table)
    page.mouse.click(box["x"] + ROW_PX / 2, box["y"] + (row + 1.5) * ROW_PX)


def wait_for_text(place: Locator, pattern: str, timeout_ms: float = STEP_TIMEOUT_MS) -> None:
    place.filter(has_text=re.compile(pattern)).first.wait_for(timeout=timeout_ms)


PLAYER_JS = """(function find(root) {
    return root.querySelector("video")
        ?? [...root.querySelectorAll("*")].map((one) => one.shadowRoot && find(one.shadowRoot)).find(Boolean);
})(document)"""
"""The page's player, which is inside a component; undefined if there is none."""


def wait_for_playing(page: Page) -> None:
    """Wait until the player shows pictures, which Chromium has fetched and decoded."""
    page.wait_for_function(
        f"""() => {{
            const player = {PLAYER_JS};
            if (!player) return false;
            player.muted = true;
            if (player.paused) player.play().catch(() => {{}});
            return player.readyState >= 2 && player.videoWidth > 0 && !player.error;
        }}""",
        timeout=WORK_TIMEOUT_MS,
        polling=_ASK_EVERY_MS,
    )


def downloaded(page: Page, label: str, menu: str | None = None) -> tuple[str, bytes]:
    """Press a download's button, in a menu if one is named; return the file's name and content."""
    if menu is not None:
        main(page).get_by_role("button", name=menu).click()
    place = main(page) if menu is None else page.get_by_test_id("stPopoverBody")
    with page.expect_download() as waiting:
        place.get_by_role("button", name=label).click()
    if menu is not None:
        page.keyboard.press("Escape")
    download = waiting.value
    return download.suggested_filename, Path(download.path()).read_bytes()


def press(page: Page, slider: Locator, key: str, times: int = 1) -> None:
    slider.focus()
    for _ in range(times):
        page.keyboard.press(key)


def cut(source: Path, target: Path, duration_s: float, *, from_s: float = 0.0) -> Path:
    """Encode a part of a clip again; it differs each time, so no stored pass of an earlier test run fits."""
    with av.open(str(source)) as given, av.open(str(target), "w") as made:
        made.metadata["comment"] = uuid.uuid4().hex
        pictures = given.streams.video[0]
        stream = made.add_stream("libx264", rate=pictures.average_rate)
        stream.width, stream.height, stream.pix_fmt = pictures.width, pictures.height, "yuv420p"
        begins = None
        for frame in given.decode(pictures):
            assert frame.time is not None
            assert frame.pts is not None
            if frame.time < from_s:
                continue
            if frame.time >= from_s + duration_s:
                break
            begins = frame.pts if begins is None else begins
            plain = av.VideoFrame.from_ndarray(frame.to_ndarray(format="rgb24"), format="rgb24")
            plain.pts, plain.time_base = frame.pts - begins, frame.time_base
            made.mux(stream.encode(plain))
        made.mux(stream.encode())
    return target
