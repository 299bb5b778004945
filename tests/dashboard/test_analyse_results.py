"""The results of an analysis on the page "Analyse a video"."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from recognizer.drawing import video
from recognizer.export import FORMATS
from tests.support.fakes import always, numbered_video, person
from tests.support.networks import Networks
from tests.support.pages import (
    analyse,
    button,
    chart_messages,
    charts,
    choose_thresholds,
    downloads,
    has_button,
    open_page,
    open_table,
    settle,
    tab,
    upload_video,
    widget,
    words,
    workbenches,
)
from tests.support.waiting import WAIT_S

pytestmark = pytest.mark.slow


def test_analysis_gives_timeline_tables_downloads_and_annotated_video(page: AppTest, clip: Path) -> None:
    upload_video(page, clip)
    analyse(page)
    assert [one.value.replace("\\", "") for one in page.subheader] == ["clip.mp4"]
    assert not page.title, "the result has the page"
    (shown,) = workbenches(page)
    run = tab(page).analyse.shown
    assert run is not None
    assert run.analysis_id in shown["api"]
    assert "1 person" in words(page)
    assert [one.label for one in page.tabs] == [
        "Time per action",
        "In bins of time",
        "What follows what",
        "At the same time",
        "Who appeared when",
        "All segments",
    ]
    assert downloads(page) == [
        "Timeline as CSV",
        "Everything (ZIP)",
        *(one.title for one in FORMATS if one.in_menu and one.ending != ".csv"),
        "This table (CSV)",
    ]
    assert [list(table.value["Action"]) for table in page.dataframe] == [["waving", "waving"]]
    assert list(open_table(page, "Who appeared when")["Person"]) == [1]
    assert list(open_table(page, "All segments")["Action"]) == ["waving"]
    button(page, "Make the annotated video").click()
    page.run()
    settle(page)
    rendering = tab(page).analyse.rendering
    assert rendering is not None
    assert rendering.job.error is None
    assert rendering.job.result is not None
    assert rendering.job.result.stat().st_size > 0
    # the last of the row: before the menu, it would move the menu and so close it
    assert downloads(page)[-3:] == [
        "AVA label map",
        "Annotated video (MP4)",
        "This table (CSV)",
    ]
    assert page.query_params["run"] in (run.analysis_id, [run.analysis_id])


def test_thresholds_change_everything_without_a_network_or_a_new_analysis(
    page: AppTest, clip: Path, networks: Networks
) -> None:
    upload_video(page, clip)
    analyse(page)
    run, classified = tab(page).analyse.shown, networks.classified
    button(page, "Make the annotated video").click()
    page.run()
    settle(page)
    before = chart_messages(page)
    assert [chart["label"].split(":")[0] for chart in charts(page)] == ["Time per action"]
    choose_thresholds(page, 0.65)
    assert list(page.dataframe[-1].value["Action"]) == ["unknown", "unknown"]
    after = chart_messages(page)
    assert after.keys() == before.keys(), "the charts stay, and so does a zoom"
    assert all(after[one] != before[one] for one in after)
    choose_thresholds(page, 0.0, 10.0)
    assert list(page.dataframe[-1].value["Action"]) == ["unknown", "unknown"]
    assert tab(page).analyse.shown is run
    assert networks.classified == classified > 0
    assert "Annotated video (MP4)" not in downloads(page), "it shows something else"
    first = tab(page).analyse.rendering
    button(page, "Make the annotated video").click()
    page.run()
    settle(page)
    second = tab(page).analyse.rendering
    assert first is not None
    assert second is not None
    assert first.job.result != second.job.result


def test_annotated_video_is_there_again_after_a_refresh(
    page: AppTest, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fault: the page had forgotten it, and a press while one was drawn drew another beside it."""
    drawn, drawing, hold = video.render_video, threading.Event(), threading.Event()

    def held(*given: Any, **options: Any) -> bool:
        drawing.set()
        assert hold.wait(WAIT_S)
        return drawn(*given, **options)

    monkeypatch.setattr(video, "render_video", held)
    upload_video(page, clip)
    analyse(page)
    button(page, "Make the annotated video").click()
    page.run()
    assert drawing.wait(WAIT_S)
    run, rendering = tab(page).analyse.shown, tab(page).analyse.rendering
    assert run is not None
    assert rendering is not None
    fresh = open_page(run=run.analysis_id)
    assert has_button(fresh, "Making the annotated video")
    hold.set()
    settle(fresh)
    assert rendering.job.wait(WAIT_S)
    fresh = open_page(run=run.analysis_id)
    assert "Annotated video (MP4)" in downloads(fresh)
    assert not has_button(fresh, "Make the annotated video")


def test_annotated_video_has_a_filter_that_was_set_by_the_press(page: AppTest, clip: Path) -> None:
    """Regression: leaving a field and pressing the button came in one run, and the video had the filter of before."""
    upload_video(page, clip)
    analyse(page)
    widget(page, "Confidence").set_value((0.9, 1.0))
    button(page, "Make the annotated video").click()
    page.run()
    settle(page)
    assert "Annotated video (MP4)" in downloads(page), "it shows what the page shows"


def test_video_without_people_is_told_kindly(page: AppTest, clip: Path, networks: Networks) -> None:
    networks.script = always()
    upload_video(page, clip)
    analyse(page)
    assert "Nobody was found in this video" in words(page)
    assert not page.error
    assert not page.tabs
    assert not downloads(page)
    assert has_button(page, "Analyse")


def test_who_was_there_for_a_moment_is_folded_away_and_can_be_shown(
    page: AppTest, make_video: Callable[..., Path], networks: Networks
) -> None:
    networks.script = lambda number: (person(), *((person((40, 8, 56, 40)),) if number < 20 else ()))
    networks.says = lambda _: (("waving", 0.9),)
    upload_video(page, numbered_video(make_video, 60), "numbered.mkv")
    widget(page, "Sequence length").set_value(8)
    page.run()
    analyse(page)
    assert "1 person found, 1 more for under 1 s" in words(page)
    assert shown_people(page) == {1}
    tab(page).filters.shows_brief = True  # as the workbench's switch does
    page.run()
    assert not page.exception
    assert shown_people(page) == {1, 2}
    run = tab(page).analyse.shown
    assert run is not None
    assert [track.person_id for track in run.timeline.people] == [1, 2], "the downloads have everyone"


def shown_people(at: AppTest) -> set[int]:
    """In all tables together."""
    return {int(number) for table in at.dataframe for number in table.value["Person"].dropna()}


def test_stay_too_short_for_a_clip_is_told_with_both_lengths(page: AppTest, clip: Path, networks: Networks) -> None:
    networks.script = always(person())
    upload_video(page, clip)
    widget(page, "Sequence length").set_value(64)
    page.run()
    analyse(page)
    run = tab(page).analyse.shown
    assert run is not None
    assert not run.timeline.predictions
    assert "a clip needs 2.13 s" in words(page)
    assert "longest stay is 2.00 s" in words(page)
    assert "Who appeared when" in [one.label for one in page.tabs]
    assert not page.error
