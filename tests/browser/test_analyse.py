"""The app as users see it: a real server, the real networks, real clips, Chromium."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import av
import pytest

from recognizer.export.csv_file import SEGMENT_COLUMNS
from recognizer.export.json_file import timeline_from_json
from recognizer.palette import contrast, rgb_of
from tests.support.browser import (
    WORK_TIMEOUT_MS,
    OpenPage,
    chart,
    downloaded,
    main,
    press,
    settled_box,
    shown_actions,
    shown_times,
    start,
    upload_field,
    upload_video,
    wait_for_actions,
    wait_for_playing,
    wait_for_results,
    wait_for_text,
)
from tests.support.environment import ROOT
from tests.support.ffmpeg import ffmpeg
from tests.support.tables import rows_of
from tests.support.workbench import generated_timeline, store_analysis, write_video
from tests.support.workbench_actions import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Page, ViewportSize

pytestmark = [pytest.mark.browser, pytest.mark.real, pytest.mark.timeout(580)]

GENERATED = generated_timeline(2, 6.0)
NARROW: ViewportSize = {"width": 390, "height": 844}
WIDE: ViewportSize = {"width": 1280, "height": 900}
SCHEMES: tuple[Literal["dark", "light"], ...] = ("dark", "light")


def choose_short_clips(page: Page) -> None:
    """Set the preset and a slider in the sidebar: clips of 16 samples."""
    side = page.get_by_test_id("stSidebar")
    side.get_by_text("Documented", exact=True).click()
    wait_for_text(side.get_by_test_id("stCaptionContainer"), r"One clip spans 0\.53 s; a person's first label comes")
    press(page, side.get_by_role("slider", name="Sequence length"), "ArrowRight", 8)
    wait_for_text(side.get_by_test_id("stCaptionContainer"), r"One clip spans 1\.07 s; a person's first label comes")


def test_from_a_dropped_clip_to_the_table_while_somebody_else_analyses_another(
    open_page: OpenPage, tai_chi: Path, segway: Path, tmp_path: Path
) -> None:
    page = open_page()
    upload_video(page, tai_chi)
    wait_for_text(main(page).get_by_test_id("stText"), r"^3\.0 s, 340 × 256, 29\.97 frames/s, H\.264$")
    wait_for_playing(page)

    choose_short_clips(page)
    side = page.get_by_test_id("stSidebar")
    other = open_page()
    upload_video(other, segway)
    choose_short_clips(other)
    start(other)
    start(page)
    wait_for_text(main(page).get_by_test_id("stProgress"), r"\d frames/s · about \d+ s left", WORK_TIMEOUT_MS)
    wait_for_results(page)
    address = page.url
    assert "run=" in address
    wait_for_actions(page, "tai chi")

    name, content = downloaded(page, "Timeline as CSV")
    assert name == "tai_chi.csv"
    assert content.decode().splitlines()[0] == ",".join(SEGMENT_COLUMNS)
    rows = rows_of(content)
    seconds: dict[str, float] = {}
    for row in rows:
        seconds[row["action"]] = seconds.get(row["action"], 0.0) + float(row["duration_s"])
    assert max(seconds, key=lambda action: seconds[action]) == "tai chi"
    assert {row["classifier"] for row in rows} == {"i3d"}
    wait_for_results(other)
    main(other).get_by_role("heading", name=segway.name).wait_for()
    name, content = downloaded(other, "Timeline as CSV")
    assert name == "segway.csv"
    assert "using segway" in {row["action"] for row in rows_of(content)}
    assert urlsplit(page.url).query != urlsplit(other.url).query
    assert "using segway" not in seconds
    assert "tai chi" not in shown_actions(other)

    name, content = downloaded(page, "Analysis (JSON)", menu="More formats")
    assert name == "tai_chi.json"
    document = json.loads(content)
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.validate(document, json.loads((ROOT / "docs" / "timeline.schema.json").read_text()))
    assert timeline_from_json(content.decode()).settings.num_video_sequence_samples == 16

    main(page).get_by_role("button", name="Make the annotated video").click()
    main(page).get_by_role("button", name="Annotated video (MP4)").wait_for(timeout=WORK_TIMEOUT_MS)
    name, content = downloaded(page, "Annotated video (MP4)")
    assert name == "tai_chi-annotated.mp4"
    annotated = tmp_path / name
    annotated.write_bytes(content)
    with av.open(str(annotated)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        assert sum(1 for _ in container.decode(video=0)) == pytest.approx(90, abs=2)

    press(page, main(page).get_by_role("slider", name="Minimum confidence"), "End")
    wait_for_actions(page, "unknown")
    # what was made before shows something else
    main(page).get_by_role("button", name="Make the annotated video").wait_for()
    assert {row["action"] for row in rows_of(downloaded(page, "Timeline as CSV")[1])} == {"unknown"}
    assert page.url == address
    assert main(page).get_by_role("button", name="Cancel").count() == 0

    page.reload()
    wait_for_results(page)
    wait_for_actions(page, "tai chi")
    wait_for_text(side.get_by_test_id("stCaptionContainer"), r"One clip spans 1\.07 s")

    # the next day, without the address; and not in somebody else's browser
    page.goto(address.partition("?")[0])
    earlier = main(page).get_by_role("combobox", name="Open an earlier analysis")
    earlier.click()
    page.get_by_role("option", name=re.compile(r"^tai_chi\.mp4, ")).click()
    wait_for_actions(page, "tai chi")
    assert page.url == address
    other.goto(address.partition("?")[0])
    main(other).get_by_role("combobox", name="Open an earlier analysis").click()
    other.get_by_role("option", name=re.compile(r"^segway\.mp4, ")).wait_for()
    assert other.get_by_role("option").count() == 1


@pytest.fixture(scope="module")
def generated_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("videos") / "generated.mp4", GENERATED)


@pytest.fixture(scope="module")
def finished_run(app_data: Path, generated_video: Path) -> str:
    """The query of a finished analysis, in which no network named anybody."""
    return f"/?run={store_analysis(app_data, GENERATED, generated_video).analysis_id}"


def test_result_fits_a_phone_keeps_its_zoom_and_outlives_wrong_files(
    open_page: OpenPage, finished_run: str, clips_dir: Path, generated_video: Path
) -> None:
    page = open_page(finished_run, viewport=NARROW, color_scheme="dark")
    wait_for_results(page)
    check_narrow_window_needs_no_sideways_scrolling(page)
    page.set_viewport_size(WIDE)
    check_charts_zoom_outlives_the_sliders_and_not_a_reload(page)
    page.set_viewport_size(WIDE)
    check_wrong_files_get_one_sentence_each_and_the_result_stays(page, clips_dir, generated_video)


def check_narrow_window_needs_no_sideways_scrolling(page: Page) -> None:
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        wait_until(page, "model.theme.dark === given", scheme == "dark")
        for selector in ("html", "[data-testid=stMain]", "[data-testid=stMainBlockContainer]"):
            wide_px, seen_px = page.locator(selector).first.evaluate("one => [one.scrollWidth, one.clientWidth]")
            assert wide_px <= seen_px, selector
        assert_controls_are_in_the_window(page)
        assert_accent_can_be_read(page, scheme)


def assert_accent_can_be_read(page: Page, scheme: str) -> None:
    """What Streamlit writes in the accent has the contrast that WCAG 2.2 asks of text; the theme follows at once."""
    background = {"light": "#FCFAF6", "dark": "#0F1720"}[scheme]
    tab = page.locator("[data-testid=stTab][aria-selected=true]")
    red, green, blue = map(int, re.findall(r"\d+", tab.evaluate("one => getComputedStyle(one).color"))[:3])
    assert contrast((red, green, blue), rgb_of(background)) >= 4.5


def assert_controls_are_in_the_window(page: Page) -> None:
    for control in (
        main(page).get_by_role("button", name="Analyse"),
        main(page).get_by_role("slider", name="Minimum confidence"),
        main(page).get_by_role("button", name="Timeline as CSV"),
        main(page).get_by_role("button", name="Make the annotated video"),
        main(page).get_by_role("button", name="More formats"),
    ):
        control.scroll_into_view_if_needed()
        box = control.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= NARROW["width"]


def check_charts_zoom_outlives_the_sliders_and_not_a_reload(page: Page) -> None:
    chart(page).scroll_into_view_if_needed()
    whole = shown_times(page)
    lanes = settled_box(chart(page).locator(".nsewdrag"))
    middle = lanes["y"] + lanes["height"] / 2
    page.mouse.move(lanes["x"] + lanes["width"] * 0.3, middle)
    page.mouse.down()
    page.mouse.move(lanes["x"] + lanes["width"] * 0.6, middle, steps=5)
    page.mouse.up()
    page.mouse.move(0, 0)
    page.wait_for_function("before => `${document.querySelector('.js-plotly-plot').layout.xaxis.range}` != before",
                           arg=",".join(map(str, whole)))  # fmt: skip
    zoomed = shown_times(page)
    assert whole[0] < zoomed[0] < zoomed[1] < whole[1]

    press(page, main(page).get_by_role("slider", name="Minimum confidence"), "End")
    wait_for_text(chart(page), "unknown")
    assert shown_times(page) == zoomed
    # as high as its figure, and nothing to scroll in it
    heights_px = chart(page).evaluate(
        "one => [one.layout.height, one.clientHeight, one.closest('[data-testid=stElementContainer]').clientHeight,"
        "one.closest('[data-testid=stElementContainer]').scrollHeight]"
    )
    assert len(set(heights_px)) == 1, heights_px
    assert chart(page).get_attribute("aria-label")
    assert page.locator(".modebar-btn[data-title*=Share]").count() == 0
    assert page.locator(".modebar-btn[data-title]").count() > 0
    page.set_viewport_size({"width": 800, "height": 900})
    page.wait_for_function(
        "() => [...document.querySelectorAll('.js-plotly-plot')].every(one => one.layout.width == one.clientWidth)"
    )
    assert shown_times(page) == zoomed

    page.reload()
    wait_for_results(page)
    chart(page).scroll_into_view_if_needed()
    assert shown_times(page) == whole


def check_wrong_files_get_one_sentence_each_and_the_result_stays(
    page: Page, clips_dir: Path, generated_video: Path
) -> None:
    shown = shown_actions(page)
    alert = main(page).get_by_role("alert")
    wrong: list[tuple[str, bytes, str]] = [
        ("letter.mp4", (clips_dir / "odd" / "e66_text_renamed.mp4").read_bytes(), "text file"),
        ("nothing.mp4", b"", "0 bytes"),
        ("<img src=x onerror=alert(1)>.mp4", b"neither", "is"),
        ("www.example.com **bold** :smile: $x$ http:_x.org.mp4", b"neither", "is"),
    ]
    for name, content, told in wrong:
        upload_video(page, {"name": name, "mimeType": "video/mp4", "buffer": content})
        alert.filter(has_text=name[-8:]).wait_for()
        text = alert.first.inner_text().replace("\u2060", "")  # parts what would become a link
        assert name in text
        assert told in text
        assert text.strip().endswith(".")
        assert "Traceback" not in text
        assert alert.count() == 1
        assert main(page).locator("img[src='x'], [role=alert] a, [role=alert] strong").count() == 0
        assert shown_actions(page) == shown
    upload_video(page, {"name": wrong[2][0], "mimeType": "video/mp4", "buffer": generated_video.read_bytes()})
    page.get_by_test_id("stPopoverBody").get_by_text(wrong[2][0], exact=True).wait_for()
    assert alert.count() == 0
    assert main(page).locator("img[src='x']").count() == 0


def test_cancel_keeps_what_is_there_and_the_page_can_be_used(
    open_page: OpenPage, clips_dir: Path, tai_chi: Path, tmp_path: Path
) -> None:
    page = open_page()
    crowd = tmp_path / "crowd.avi"
    ffmpeg("-i", clips_dir / "opencv_vtest.avi", "-t", "30", "-c", "copy", crowd)
    upload_video(page, crowd)
    main(page).get_by_text("Browsers cannot play this file").wait_for()
    wait_for_playing(page)  # a copy of what the browser does not play
    page.get_by_test_id("stSidebar").get_by_text("Documented", exact=True).click()
    caption = page.get_by_test_id("stSidebar").get_by_test_id("stCaptionContainer")
    wait_for_text(caption, r"One clip spans 1\.60 s")  # short clips of ten pictures a second: soon labelled
    start(page)
    wait_for_text(main(page).get_by_test_id("stProgress"), r"([3-9]|\d\d)\.\d of 30\.0 s of video", WORK_TIMEOUT_MS)
    chart(page).wait_for(timeout=WORK_TIMEOUT_MS)
    analysed = "document.querySelector('.js-plotly-plot').layout.shapes[0].x0"
    page.wait_for_function(f"before => {analysed} > before", arg=page.evaluate(analysed))  # it grows by itself
    main(page).get_by_role("button", name="Cancel").click()
    wait_for_results(page)
    wait_for_text(main(page).get_by_test_id("stCaptionContainer"), r"analysed before it was cancelled")
    assert rows_of(downloaded(page, "Timeline as CSV")[1])
    upload_video(page, tai_chi)  # and waits for the button Analyse


def test_unknown_analysis_in_the_address_is_told_and_the_page_works(open_page: OpenPage) -> None:
    page = open_page("/?run=<script>alert(1)</script>")
    told = main(page).get_by_role("alert")
    told.wait_for()
    assert "is not on this machine; drop the video in and analyse it again." in told.inner_text()
    assert "run=" not in page.url
    assert upload_field(page).is_enabled()
    main(page).get_by_text("Try a sample").wait_for()
    assert main(page).get_by_text("Open an earlier analysis").count() == 0, "a new visitor has none"
