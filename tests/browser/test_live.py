"""The camera's page as users see it: a real server, the real networks, Chromium with a real clip as its camera."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import av
import pytest

from recognizer.networks.loading import classifier_choice
from recognizer.settings import Settings
from tests.support.browser import (
    CHROMIUM,
    CHROMIUM_ARGUMENTS,
    STEP_TIMEOUT_MS,
    WORK_TIMEOUT_MS,
    chart,
    downloaded,
    main,
    press,
    wait_for_actions,
    wait_for_results,
    wait_for_text,
)
from tests.support.checkpoints import fight_checkpoint
from tests.support.tables import rows_of
from tests.support.workbench_actions import ask

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserType, FrameLocator, Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.real, pytest.mark.timeout(580)]

CAMERA_S = 6.0
PRESS_AGAIN_MS = 60_000
CAMERA_ARGUMENTS = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]

OpenCamera = Callable[..., "Page"]


def as_camera(clip: Path, target: Path, from_s: float = 0.0) -> Path:
    """Write a part of a video, forwards and back, as the uncompressed file that Chromium takes for a camera."""
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        rate = round(stream.average_rate or 30)
        pictures = []
        for frame in container.decode(stream):
            assert frame.time is not None
            if frame.time < from_s:
                continue
            if frame.time >= from_s + CAMERA_S:
                break
            pictures.append(frame.reformat(format="yuv420p").to_ndarray().tobytes())
        header = f"YUV4MPEG2 W{stream.width} H{stream.height} F{rate}:1 Ip A1:1 C420\n"
    with target.open("wb") as file:
        file.write(header.encode())
        for picture in pictures + pictures[::-1]:
            file.write(b"FRAME\n" + picture)
    return target


@pytest.fixture(scope="module")
def tai_chi_camera(clips_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    # the first seconds hardly show more than a man who stands there
    camera = as_camera(clips_dir / "stgcn_ta_chi.mp4", tmp_path_factory.mktemp("camera") / "tai_chi.y4m", from_s=5.0)
    return f"--use-file-for-fake-video-capture={camera}"


@pytest.fixture(scope="module")
def segway_camera(clips_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    camera = as_camera(clips_dir / "tv_R6llTwEh07w.mp4", tmp_path_factory.mktemp("camera") / "segway.y4m")
    return f"--use-file-for-fake-video-capture={camera}"


@pytest.fixture
def open_camera(chromium: BrowserType, app_url: str) -> Iterator[OpenCamera]:
    """Open the live page in a browser of its own with its own camera; at the end no script has failed in any."""
    browsers: list[Browser] = []
    errors: list[str] = []

    def open_it(*arguments: str, query: str = "", **options: Any) -> Page:
        browsers.append(chromium.launch(executable_path=str(CHROMIUM), args=[*CHROMIUM_ARGUMENTS, *arguments]))
        page = browsers[-1].new_page(**{"viewport": {"width": 1280, "height": 900}, **options})
        page.set_default_timeout(STEP_TIMEOUT_MS)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{app_url}/live{query}")
        button(page, "Start").wait_for(timeout=WORK_TIMEOUT_MS)
        return page

    yield open_it
    for browser in browsers:
        browser.close()
    assert not errors


def frame(page: Page) -> FrameLocator:
    return page.frame_locator("iframe[title*='webrtc']")


def button(page: Page, name: str) -> Locator:
    return frame(page).get_by_role("button", name=name, exact=True)


def choose_short_clips(page: Page) -> None:
    """Choose clips of half a second, which a network names in a tenth of the time that recommended clips take."""
    side = page.get_by_test_id("stSidebar")
    side.get_by_text("Documented", exact=True).click()
    wait_for_text(side.get_by_test_id("stCaptionContainer"), r"One clip spans 0\.\d\d s")


def start(page: Page) -> None:
    button(page, "Start").click()
    button(page, "Stop").wait_for()


def stop(page: Page) -> list[dict[str, str]]:
    """Stop and return the rows of the session's table."""
    from playwright.sync_api import TimeoutError as PlaywrightTimeout

    pressed = button(page, "Stop")
    pressed.click()
    try:
        pressed.wait_for(state="hidden", timeout=PRESS_AGAIN_MS)
    except PlaywrightTimeout:  # once, on a busy machine, nothing followed, as if the press had been lost
        if pressed.is_visible() and pressed.is_enabled():
            pressed.click()
    wait_for_results(page)
    name, content = downloaded(page, "Timeline as CSV")
    assert name.startswith("Camera 20")
    return rows_of(content)


def wait_for_label(page: Page, pattern: str) -> None:
    """Wait for somebody's label in the line next to the picture."""
    wait_for_text(main(page).get_by_test_id("stMarkdownContainer"), rf"Person \d+ {pattern}", WORK_TIMEOUT_MS)


def test_start_watch_change_stop_and_take_the_table(
    open_camera: OpenCamera, tai_chi_camera: str, tmp_path: Path
) -> None:
    checkpoint, labels = fight_checkpoint(tmp_path)
    # measured before: it takes the cores for seconds, once, in which a busy machine loses the person
    classifier_choice(
        Settings(video_classifier_model="mc3_18", checkpoint_path=str(checkpoint), labels_path=str(labels))
    )
    page = open_camera(*CAMERA_ARGUMENTS, tai_chi_camera)
    side = page.get_by_test_id("stSidebar")
    choose_short_clips(page)
    main(page).get_by_text("Record").click()
    start(page)
    wait_for_label(page, r"tai chi \([01]\.\d\d\)")
    assert "run=" in page.url
    video = frame(page).locator("video")
    shown_before = video.evaluate("one => one.currentTime")
    for scheme in ("dark", "light"):
        check_narrow(page, scheme)

    # another network and two settings while it runs
    press(page, side.get_by_role("slider", name="Crop margin"), "ArrowRight", 5)
    press(page, side.get_by_role("slider", name="Sequence length"), "ArrowRight", 8)
    side.get_by_text("More", exact=True).click()
    side.locator("input[type=file]").nth(0).set_input_files(checkpoint)
    side.locator("input[type=file]").nth(1).set_input_files(labels)
    side.get_by_text("In use:").wait_for()
    problem = main(page).get_by_text("is for mc3_18, not for i3d; choose mc3_18.")
    problem.wait_for(timeout=WORK_TIMEOUT_MS)
    wait_for_label(page, r"tai chi")  # what is not available leaves the one before
    side.get_by_role("combobox", name="Classifier").click()
    page.keyboard.type("mixed")
    page.keyboard.press("Enter")
    wait_for_label(page, r"(fight|noFight|unknown)")
    assert button(page, "Stop").is_visible()
    assert video.evaluate("one => one.currentTime") > shown_before
    problem.wait_for(state="detached")

    rows = stop(page)
    assert {row["person_id"] for row in rows} == {"1"}, "the person kept their number"
    by_classifier: dict[str, set[str]] = {}
    for row in rows:
        by_classifier.setdefault(row["classifier"], set()).add(row["action"])
    assert "tai chi" in by_classifier["i3d"]
    (own,) = by_classifier.keys() - {"i3d"}
    assert own.startswith("mc3_18:")
    assert by_classifier[own] <= {"fight", "noFight", "unknown"}

    page.reload()
    wait_for_results(page)
    wait_for_actions(page, "tai chi")


def check_narrow(page: Page, scheme: Literal["dark", "light"]) -> None:
    """Check that a telephone shows the camera's picture without sideways scrolling; the stream goes on."""
    wide = page.viewport_size
    assert wide is not None
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 390, "height": 844})
    chart(page).wait_for()
    page.wait_for_function("() => document.querySelector('[data-testid=stMain]').clientWidth <= 390")
    for selector in ("html", "[data-testid=stMain]", "[data-testid=stMainBlockContainer]"):
        wide_px, seen_px = page.locator(selector).first.evaluate("one => [one.scrollWidth, one.clientWidth]")
        assert wide_px <= seen_px, selector
    box = frame(page).locator("video").bounding_box()
    assert box is not None
    assert box["width"] > 300
    assert box["x"] + box["width"] <= 390
    page.set_viewport_size(wide)


def test_two_classifiers_run_at_once_and_one_is_swapped_meanwhile(
    open_camera: OpenCamera, tai_chi_camera: str, tmp_path: Path
) -> None:
    checkpoint, labels = fight_checkpoint(tmp_path)
    # measured before: it takes the cores for seconds, once, in which a busy machine loses the person
    classifier_choice(
        Settings(video_classifier_model="mc3_18", checkpoint_path=str(checkpoint), labels_path=str(labels))
    )
    page = open_camera(*CAMERA_ARGUMENTS, tai_chi_camera)
    side = page.get_by_test_id("stSidebar")
    choose_short_clips(page)
    side.get_by_role("combobox", name="Classifier").click()
    page.keyboard.type("mixed")
    page.keyboard.press("Enter")
    side.get_by_text("More", exact=True).click()
    side.locator("input[type=file]").nth(0).set_input_files(checkpoint)
    side.locator("input[type=file]").nth(1).set_input_files(labels)
    side.get_by_text("In use:").wait_for()
    button(page, "Start").wait_for(timeout=WORK_TIMEOUT_MS)
    start(page)
    wait_for_label(page, r"(fight|noFight|unknown)")
    choose_other(page, "inception")
    wait_for_label(page, r"mc3_18:\w+: (fight|noFight|unknown).*, i3d: tai chi \([01]\.\d\d\)")
    status = main(page).get_by_test_id("stCaptionContainer")
    wait_for_text(status, r"mc3_18:\w+: \d+ ms to classify a clip[\s\S]*i3d: \d+ ms to classify a clip")
    choose_other(page, "resnet 3d")
    wait_for_text(main(page).get_by_role("alert"), "r3d_18", WORK_TIMEOUT_MS)  # its weights are not available here
    wait_for_label(page, r".*, i3d: ")
    assert {row["classifier"].split(":")[0] for row in stop(page)} == {"mc3_18"}

    main(page).get_by_role("link", name="Compare the two classifiers' labels").click()
    main(page).get_by_role("heading", name="Where they differ").wait_for(timeout=WORK_TIMEOUT_MS)
    wait_for_actions(page, "tai chi")
    classifiers = ask(page, "model.timeline.lanes.map((lane) => lane.classifier)")
    assert {one.split(":")[0] for one in classifiers} == {"i3d", "mc3_18"}
    assert "comparison=" in page.url
    assert main(page).get_by_text("your own ResNet with mixed convolutions").is_visible()
    page.reload()
    main(page).get_by_role("heading", name="Where they differ").wait_for(timeout=WORK_TIMEOUT_MS)
    name, content = downloaded(page, "Segments as CSV")
    assert name.startswith("Camera 20")
    assert "tai chi" in {row["action"] for row in rows_of(content) if row["classifier"] == "i3d"}


def choose_other(page: Page, typed: str) -> None:
    main(page).get_by_role("combobox", name="Compare with another classifier").click()
    page.keyboard.type(typed)
    page.keyboard.press("Enter")


def test_two_browsers_have_their_own_people_and_labels(
    open_camera: OpenCamera, tai_chi_camera: str, segway_camera: str
) -> None:
    one = open_camera(*CAMERA_ARGUMENTS, tai_chi_camera)
    other = open_camera(*CAMERA_ARGUMENTS, segway_camera)
    for page in (one, other):
        choose_short_clips(page)
        start(page)
    wait_for_label(other, "using segway")
    wait_for_label(one, "tai chi")
    wait_for_label(other, "using segway")  # still, while the first is named as well
    first, second = ({row["action"] for row in stop(page)} for page in (one, other))
    assert "using segway" not in first
    assert "tai chi" not in second


def test_camera_that_is_not_available_is_reported_with_advice(open_camera: OpenCamera) -> None:
    advice = main(open_camera()).get_by_role("alert")
    wait_for_text(advice, "No camera was found: plug one in")

    page = open_camera("--use-fake-device-for-media-stream", "--deny-permission-prompts")
    button(page, "Start").click()
    wait_for_text(main(page).get_by_role("alert"), "(blocked|denied).*allow it in the browser")
    assert main(page).get_by_text("Traceback").count() == 0
