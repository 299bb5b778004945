"""A user's actions in the workbench, and what it shows: on the app's page or on one of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.browser import STEP_TIMEOUT_MS, WORK_TIMEOUT_MS
from tests.support.workbench import SHOWN_NUMBER_JS

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


def bench(page: Page) -> Locator:
    return page.locator("section.bench")


def ask(page: Page, expression: str, argument: Any = None) -> Any:
    """Return the value of a JavaScript expression of ``model``, ``player``, ``lanes``, ``overlay`` and ``given``."""
    return bench(page).evaluate(
        f"""async (bench, given) => {{
            const {{ model, player, lanes, overlay }} = bench.getRootNode().host.recognizer;
            return ({expression});
        }}""",
        argument,
    )


def wait_until(page: Page, expression: str, argument: Any = None, timeout_ms: float = STEP_TIMEOUT_MS) -> None:
    """Wait until an expression, as in ``ask``, is true."""
    page.wait_for_function(
        f"""([given]) => {{
            const host = [...document.querySelectorAll("[data-testid=stBidiComponentIsolated], #bench")]
                .find((one) => one.recognizer);
            if (!host) return false;
            const {{ model, player, lanes, overlay }} = host.recognizer;
            return Boolean({expression});
        }}""",
        arg=[argument],
        timeout=timeout_ms,
    )


def wait_for_bench(page: Page, *, video: bool = True) -> None:
    """Wait until segments are drawn and the video has a picture."""
    wait_until(page, "model.segments && lanes.scene.style", timeout_ms=WORK_TIMEOUT_MS)
    if video:
        wait_until(page, "player.video.readyState >= 2 && !player.video.seeking")


def shown_number(page: Page) -> int:
    """Return the number in the video's picture, once it is the one that was sought."""
    wait_until(page, "player.video.readyState >= 2 && !player.video.seeking && player.aimedS == null")
    number: int = ask(page, f"({SHOWN_NUMBER_JS})(player.video)")
    return number
