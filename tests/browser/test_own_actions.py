"""The page of own actions in Chromium, over generated analyses and the app's own addresses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from recognizer.service.own_actions import OwnActions
from recognizer.service.store import AnalysisStore, StoredAnalysis
from recognizer.service.tasks import ServerContext
from tests.support.featured import featured_timeline, labels_of, stretch_of
from tests.support.own_actions_page import own_actions_server
from tests.support.waiting import wait_until
from tests.support.workbench import store_analysis, write_video
from tests.support.workbench_page import context_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

HASHES = ("aa" * 32, "bb" * 32, "cc" * 32, "dd" * 32)


@dataclass
class Server:
    """A server's own actions, with analyses of four videos; in the last, no name of the network is sure."""

    url: str
    own: OwnActions
    analyses: list[StoredAnalysis]

    def mark(self, set_id: str, name: str | None, analysis: int, rank: int) -> None:
        """Mark a moment of the label that person 1 has as the first, second, ... most frequent one."""
        stored = self.analyses[analysis]
        start_s, end_s = stretch_of(stored.timeline, 1, labels_of(stored.timeline, 1)[rank])
        self.own.add_example(set_id, stored.analysis_id, 1, start_s, end_s, name)

    def counts(self, set_id: str) -> dict[str | None, int]:
        """Return the number of examples of each action."""
        actions = self.own.load(set_id)
        assert actions is not None
        return {name: len(actions.examples_of(name)) for name in (*actions.names, None)}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("data")
    timelines = [featured_timeline(2, 20.0, seed=k, sha256=sha256) for k, sha256 in enumerate(HASHES, 1)]
    unsure = [replace(one, top=tuple((label, p / 5) for label, p in one.top)) for one in timelines[-1].predictions]
    timelines[-1] = replace(timelines[-1], predictions=tuple(unsure))
    video = write_video(folder / "generated.mp4", timelines[0])
    context: ServerContext = context_of(AnalysisStore(folder))
    analyses = [store_analysis(folder, timeline, video) for timeline in timelines]
    for one in analyses:
        context.workbench.hold(one)
    with own_actions_server(context) as url:
        yield Server(url, context.own_actions, analyses)


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    errors: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        is_refusal = "422" in message.text or message.location["url"].endswith("/nowhere/set")
        if message.type == "error" and not is_refusal:
            errors.append(message.text)

    context = browser.new_context(viewport={"width": 1280, "height": 900})
    ids = json.dumps([one.analysis_id for one in server.analyses])
    context.add_init_script(f"localStorage.setItem('who-does-what-when.analyses', {json.dumps(ids)})")
    made = context.new_page()
    made.set_default_timeout(30_000)
    made.on("console", hear)
    made.on("pageerror", lambda error: errors.append(str(error)))
    yield made
    context.close()
    assert errors == []


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name, exact=True)


def button(place: Page | Locator, name: str) -> Locator:
    return place.get_by_role("button", name=name, exact=True)


def color(place: Locator) -> str:
    found: str = place.evaluate("one => getComputedStyle(one).backgroundColor")
    return found


def loaded(images: Locator, count: int) -> None:
    """Wait until there are so many pictures, and each shows something."""
    script = "(images, count) => images.length === count && images.every((one) => one.complete && one.naturalWidth > 0)"
    wait_until(lambda: bool(images.evaluate_all(script, count)))


def test_examples_are_films_that_a_click_removes_and_undo_brings_back(page: Page, server: Server) -> None:
    set_id = server.own.create()
    for analysis in (0, 1):
        server.mark(set_id, "resting", analysis, 0)
        server.mark(set_id, "serving", analysis, 1)
    page.goto(server.url + set_id)
    resting = row(page, "resting")
    resting.get_by_text("2 moments in 2 videos").wait_for()
    loaded(resting.locator("img"), 6)
    page.get_by_text("2 of 2 recognized").or_(page.get_by_text("of 2 recognized")).first.wait_for()

    resting.locator(".film").first.hover()
    button(resting, "Remove this example").first.click()
    resting.get_by_text("1 moment in 1 video").wait_for()
    page.get_by_text("mark resting in a second video as well").wait_for()
    resting.get_by_text("All in one video").wait_for()
    button(page, "Undo").click()
    resting.get_by_text("2 moments in 2 videos").wait_for()

    name = resting.get_by_role("textbox")
    name.fill("unknown")
    name.press("Enter")
    page.get_by_text("choose another name").wait_for()
    assert name.input_value() == "resting"
    name.fill("x" * 61)
    name.press("Enter")
    page.get_by_text("has 61 characters; use up to 60").wait_for()
    name.fill("sitting")
    name.press("Enter")
    row(page, "sitting").get_by_text("2 moments in 2 videos").wait_for()
    assert not page.get_by_text("use up to 60").is_visible()

    button(page, "Color of sitting").click()
    before = button(page, "Color of sitting").evaluate("one => getComputedStyle(one).backgroundColor")
    button(page, "Color 8").click()
    wait_until(
        lambda: button(page, "Color of sitting").evaluate("one => getComputedStyle(one).backgroundColor") != before
    )

    row(page, "sitting").locator(".film").first.hover()
    button(row(page, "sitting"), "More like this, or another action").first.click()
    page.get_by_role("menuitem", name="None of these").click()
    row(page, "None of these").get_by_text("1 moment in 1 video").wait_for()
    assert server.counts(set_id) == {"sitting": 1, "serving": 2, None: 1}

    page.get_by_role("textbox", name="Another action").fill("Jumping")
    page.keyboard.press("Enter")
    row(page, "Jumping").get_by_text("no moments yet").wait_for()
    button(row(page, "Jumping"), "More about Jumping").click()
    page.get_by_role("menuitem", name="Remove this action").click()
    row(page, "Jumping").wait_for(state="detached")
    page.reload()
    button(page, "Undo: remove Jumping").click()
    row(page, "Jumping").get_by_text("no moments yet").wait_for()
    page.get_by_text("Taken back: remove Jumping.").wait_for()
    page.get_by_role("textbox", name="Another action").fill("JUMPING")
    page.keyboard.press("Enter")
    page.get_by_text("“Jumping” is in this set already.").wait_for()
    assert button(page, "Undo: add Jumping").is_visible()


def test_questions_are_answered_with_one_key_each(page: Page, server: Server) -> None:
    set_id = server.own.create()
    server.mark(set_id, "resting", 0, 0)
    server.mark(set_id, "serving", 0, 1)
    page.goto(server.url + set_id)
    button(page, "Ask me").click()
    page.get_by_text("1 of 5: what is it?").wait_for()
    loaded(page.locator(".film.large img"), 3)
    page.keyboard.press("9")  # there are only two names
    page.keyboard.press("2")
    page.get_by_text("2 of 5: what is it?").wait_for()
    page.keyboard.press("0")
    page.keyboard.press("s")
    page.get_by_text("4 of 5: what is it?").wait_for()
    wait_until(lambda: server.counts(set_id) == {"resting": 1, "serving": 2, None: 1})
    other = page.get_by_role("combobox", name="Another name")
    other.fill("x" * 61)
    # a change that arrives meanwhile, as from another tab, leaves what is typed alone
    page.evaluate("document.querySelector('#own').recognizer.actions.change('add', { name: 'idle' })")
    button(page.locator(".answers"), "idle").wait_for()
    page.keyboard.press("Enter")
    assert "up to 60 characters" in other.evaluate("one => one.validationMessage")
    other.fill("unknown")
    page.keyboard.press("Enter")
    page.get_by_text("choose another name").wait_for()
    page.get_by_text("4 of 5: what is it?").wait_for()
    other.fill("jumping")
    page.keyboard.press("Enter")
    note, answers = page.locator(".note-line").filter(has_text="Taught jumping"), page.locator(".answers")
    note.wait_for()
    boxes = [one.bounding_box() for one in (answers, note)]
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert boxes[0]["y"] + boxes[0]["height"] <= boxes[1]["y"]
    page.get_by_text("5 of 5: what is it?").wait_for()
    button(page.locator(".answers"), "jumping").click()
    button(page, "Ask me more").wait_for()
    wait_until(lambda: server.counts(set_id) == {"resting": 1, "serving": 2, "idle": 0, "jumping": 2, None: 1})
    row(page, "jumping").get_by_text("2 moments").wait_for()


def test_a_group_that_looks_alike_gets_a_name_and_so_does_what_is_like_an_example(page: Page, server: Server) -> None:
    set_id = server.own.create()
    page.goto(server.url + set_id)
    button(page, "Look for groups").click()
    group = page.locator(".group").first
    group.get_by_text("look alike").wait_for()
    groups = page.locator(".group").count()
    chosen = group.locator("[aria-pressed=true]").count()
    assert 1 < chosen <= 5
    loaded(group.locator("img"), 3 * chosen)
    group.locator(".choice").first.click()
    group.get_by_role("combobox").fill("resting")
    button(group, "Name them").click()
    page.get_by_text("Taught resting").wait_for()
    assert server.counts(set_id) == {"resting": chosen - 1, None: 0}
    button(page, "Undo").click()
    page.get_by_text("Taken back").wait_for()
    assert server.counts(set_id) == {None: 0}
    assert page.locator(".group").count() == groups - 1
    button(page, "Look again").click()
    wait_until(lambda: page.locator(".group").count() == groups)
    group.get_by_role("combobox").fill("resting")
    group.locator(".choice").first.click()
    button(group, "Name them").click()
    page.get_by_text("Taught resting").wait_for()

    film = row(page, "resting").locator(".film").first
    film.hover()
    button(film, "More like this, or another action").click()
    page.get_by_role("menuitem", name="More like this").click()
    alike = page.locator(".group").filter(has_text="Choose those that show the same")
    alike.wait_for()
    assert button(alike, "Name them").is_disabled()
    assert alike.get_by_role("combobox").input_value() == "resting"
    alike.locator(".choice").first.click()
    button(alike, "Name them").click()
    wait_until(lambda: server.counts(set_id) == {"resting": chosen, None: 0})


def test_page_fits_a_phone_and_says_when_it_cannot_do_what_is_asked(page: Page, server: Server) -> None:
    set_id = server.own.create()
    server.mark(set_id, "name of an action that is as long as names are ever allowed", 0, 0)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{server.url}{set_id}?dark")
    page.locator(".film").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    button(page, "Ask me").click()
    page.get_by_text("Mark moments of two actions first").wait_for()
    page.goto(server.url + "nowhere")
    page.get_by_text("This set is not on this machine").wait_for()
