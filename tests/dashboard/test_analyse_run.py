"""Running an analysis: progress, Cancel, failures, and finding it again by its address."""

from __future__ import annotations

import itertools
import logging
import re
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from recognizer.dashboard import address, server
from recognizer.dashboard.analyse import analysis
from recognizer.dashboard.parts.video_card import restore_video
from recognizer.dashboard.text import sentence
from recognizer.errors import StoreError, WeightsError
from recognizer.networks import loading as models_module
from recognizer.service.growing import MOST_SHARE
from recognizer.service.run_work import RunWork
from recognizer.service.runs import Run
from recognizer.service.store import AnalysisStore
from recognizer.service.tasks import start_analysis
from recognizer.settings import (
    Settings,
)
from recognizer.types import Clip
from tests.support.failing import failing
from tests.support.networks import Networks
from tests.support.pages import (
    EARLIER,
    analyse,
    button,
    charts,
    current_video,
    errors,
    has_button,
    open_page,
    request_rerun,
    settle,
    shows_result,
    start,
    tab,
    upload_video,
    uploader,
    widget,
    words,
)
from tests.support.waiting import WAIT_S

pytestmark = pytest.mark.slow


def start_and_hold(at: AppTest, clip: Path, networks: Networks) -> threading.Event:
    """Start an analysis, and hold it at its first clips until the event is set."""
    networks.hold = threading.Event()
    upload_video(at, clip)
    start(at)
    assert networks.reached.wait(WAIT_S)
    return networks.hold


def test_finished_analysis_is_not_read_from_the_database(
    page: AppTest, clip: Path, networks: Networks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: the page parsed the stored timeline again, 0.7 s for 30 minutes of three people."""
    loaded: list[str] = []
    monkeypatch.setattr(AnalysisStore, "load_analysis", lambda _, analysis_id: loaded.append(analysis_id))
    hold = start_and_hold(page, clip, networks)
    job = tab(page).analyse.job
    assert job is not None
    hold.set()
    settle(page)
    assert tab(page).analyse.shown is job.result is not None
    assert not loaded


def test_another_classifier_does_not_detect_again(page: AppTest, clip: Path, networks: Networks) -> None:
    upload_video(page, clip)
    analyse(page)

    def script(number: int) -> Any:
        raise AssertionError("the detector ran again")

    networks.script = script
    widget(page, "Classifier").set_value("i3d")
    page.run()
    analyse(page)
    run = tab(page).analyse.shown
    assert run is not None
    assert not page.error
    assert run.timeline.settings.video_classifier_model == "i3d"
    assert run.timeline.predictions


def test_changed_settings_say_that_they_wait_for_another_analysis(page: AppTest, clip: Path) -> None:
    """Fault: a setting was moved beside a result, nothing changed, and nothing said what to do."""
    said = "The settings have changed: **Analyse again** uses them."
    upload_video(page, clip)
    analyse(page)
    assert said not in words(page)
    page.run()
    assert said not in words(page)
    margin = widget(page, "Crop margin")
    before = margin.value
    margin.set_value(before + 10)
    page.run()
    assert said in words(page)
    widget(page, "Crop margin").set_value(before)
    page.run()
    assert said not in words(page)
    widget(page, "Crop margin").set_value(before + 10)
    page.run()
    analyse(page)
    assert said not in words(page)


def test_failed_analysis_says_why_and_the_earlier_one_stays(page: AppTest, clip: Path, networks: Networks) -> None:
    upload_video(page, clip)
    analyse(page)
    run = tab(page).analyse.shown
    assert run is not None

    def refuse(settings: Settings, progress: Any = None) -> Any:
        raise WeightsError("the weights of r3d_18 cannot be had; put them into the folder.")

    widget(page, "Classifier").set_value("r3d_18")
    page.run()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models_module, "load_clip_classifier", refuse)
        analyse(page)
    assert errors(page) == ["The weights of r3d_18 cannot be had; put them into the folder."]
    assert tab(page).analyse.shown is run
    assert page.query_params["run"] in (run.analysis_id, [run.analysis_id])
    assert shows_result(page)
    analyse(page)
    assert not page.error
    assert tab(page).analyse.shown is not run


def test_bug_in_an_analysis_shows_no_traceback(
    page: AppTest, clip: Path, networks: Networks, faults: list[logging.LogRecord]
) -> None:
    def broken(_: Clip) -> Any:
        raise KeyError("the secret detail")

    networks.says = broken
    upload_video(page, clip)
    analyse(page)
    assert len(page.error) == 1
    assert "secret detail" not in page.error[0].value
    assert "logged as" in page.error[0].value
    assert len(faults) == 1
    assert not page.exception


def test_running_analysis_shows_progress_and_cancel_and_no_second_analyse(
    page: AppTest, clip: Path, networks: Networks
) -> None:
    hold = start_and_hold(page, clip, networks)
    page.run()
    assert not has_button(page, "Analyse")
    assert not has_button(page, "Analyse again")
    button(page, "Cancel").click()
    page.run()
    assert not page.exception
    job = tab(page).analyse.job
    assert job is not None
    assert job.cancelled
    hold.set()
    settle(page)
    run = tab(page).analyse.shown
    assert run is not None
    assert not run.timeline.complete
    assert "before it was cancelled" in words(page)
    assert has_button(page, "Analyse again")
    networks.hold = None
    analyse(page)
    again = tab(page).analyse.shown
    assert again is not None
    assert again.timeline.complete


def test_running_analysis_says_that_nothing_can_be_saved_while_that_is_so(
    page: AppTest, clip: Path, networks: Networks
) -> None:
    """Regression: the page said nothing until the run ended."""
    hold = start_and_hold(page, clip, networks)
    context = server.context()
    job = tab(page).analyse.job
    assert job is not None
    run = RunWork(context.runs, Run(job.job_id, "analysis", "clip.mp4", server_id=context.server.server_id))
    run._job = job
    said = "Nothing can be saved now, because there is no room on the disk; the work goes on in memory"
    with failing(context.store.database, problem="there is no room on the disk; make room and try again."):
        for _ in range(2):
            with pytest.raises(StoreError):
                run.save(b"sights")
        page.run()
        assert said in words(page)
    run.save(b"sights")
    page.run()
    assert said not in words(page)
    hold.set()
    settle(page)


def test_cancelling_before_anything_was_seen_does_not_claim_that_nobody_is_there(
    page: AppTest, clip: Path, networks: Networks
) -> None:
    loading, go_on = threading.Event(), threading.Event()
    original = networks.load_detector

    def slow(settings: Settings, progress: Any = None) -> Any:
        loading.set()
        assert go_on.wait(WAIT_S)
        return original(settings, progress)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models_module, "load_detector", slow)
        upload_video(page, clip)
        start(page)
        assert loading.wait(WAIT_S)
        page.run()
        button(page, "Cancel").click()
        page.run()
        assert not page.exception
        go_on.set()
        settle(page)
    assert "Nobody was found in this video" not in words(page)
    assert "cancelled" in words(page)
    assert has_button(page, "Analyse")


def test_result_is_there_again_after_a_refresh(page: AppTest, clip: Path) -> None:
    widget(page, "Sequence length").set_value(4)
    upload_video(page, clip, "dance.mp4")
    analyse(page)
    run = tab(page).analyse.shown
    assert run is not None
    fresh = open_page(run=run.analysis_id)
    settle(fresh)
    again = tab(fresh).analyse.shown
    assert again is not None
    assert again.analysis_id == run.analysis_id
    assert again.timeline.predictions == run.timeline.predictions
    assert widget(fresh, "Sequence length").value == 4
    assert current_video(fresh).file.name == "dance.mp4"
    assert not fresh.error


def test_address_names_the_analysis_again_after_another_page_was_visited(page: AppTest, clip: Path) -> None:
    """Regression: back from another page the result was shown, but a refresh lost it."""
    upload_video(page, clip)
    analyse(page)
    run = tab(page).analyse.shown
    assert run is not None
    del page.query_params["run"]  # as Streamlit does on the way
    page.run()
    assert run.analysis_id in page.query_params["run"]


@pytest.mark.parametrize("is_interrupted", [True, False])
def test_another_run_that_was_asked_for_meanwhile_keeps_the_new_analysis_in_the_address(
    page: AppTest, clip: Path, monkeypatch: pytest.MonkeyPatch, is_interrupted: bool
) -> None:
    """Regression: another run was asked for just before or just after the address was changed, with the earlier one in
    it; the new result was shown under the earlier one's address, or the earlier one came back."""
    upload_video(page, clip)
    analyse(page)
    before = tab(page).analyse.shown
    assert before is not None

    def asked_meanwhile(*given: Any, **options: Any) -> Any:
        job = start_analysis(*given, **options)
        if is_interrupted:
            request_rerun()
        return job

    monkeypatch.setattr(analysis, "start_analysis", asked_meanwhile)
    monkeypatch.setattr(address, "_LATE_S", WAIT_S)
    widget(page, "Sequence length").set_value(4)
    page.run()
    start(page)
    page.query_params["run"] = before.analysis_id  # as the browser still says
    settle(page)
    after = tab(page).analyse.shown
    assert after is not None
    assert after.analysis_id != before.analysis_id
    assert page.query_params["run"] in (after.analysis_id, [after.analysis_id])
    assert widget(page, "Sequence length").value == 4


def test_result_that_is_opened_while_another_run_is_asked_for_is_shown(
    page: AppTest, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: the run ended between its note that the address is restored and the result."""
    upload_video(page, clip)
    analyse(page)
    run = tab(page).analyse.shown
    assert run is not None
    asked: list[Any] = []

    def asked_meanwhile(*given: Any) -> None:
        restore_video(*given)
        if not asked:
            asked.append(given)
            request_rerun()
            st.empty()  # draws, as what takes long does

    monkeypatch.setattr(analysis, "restore_video", asked_meanwhile)
    fresh = open_page(run=run.analysis_id)
    assert asked
    again = tab(fresh).analyse.shown
    assert again is not None
    assert again.analysis_id == run.analysis_id


def test_earlier_analysis_of_this_browser_can_be_opened_again(page: AppTest, make_video: Callable[..., Path]) -> None:
    runs = {}
    for name in ("dance.mp4", "walk.mp4"):
        upload_video(page, make_video(name, frames=60, fps=30), name)
        analyse(page)
        run = tab(page).analyse.shown
        assert run is not None
        runs[name] = run.analysis_id
    assert not [one for one in page.selectbox if one.label == EARLIER]  # what the browser does not remember
    tab(page).history.own["analyses"] = [*runs.values(), "gone"]  # as it says where it does
    page.run()
    choice = widget(page, EARLIER)
    assert len(choice.options) == 1  # not the one that is shown
    assert choice.options[0].startswith("dance.mp4, ")
    choice.select_index(0)
    page.run()
    settle(page)
    shown = tab(page).analyse.shown
    assert shown is not None
    assert shown.analysis_id == runs["dance.mp4"]
    assert shown.analysis_id in page.query_params["run"]
    assert current_video(page).file.name == "dance.mp4"
    choice = widget(page, EARLIER)
    assert choice.value is None
    assert choice.options[0].startswith("walk.mp4, ")
    for name in ("walk.mp4", "dance.mp4"):  # there and back
        widget(page, EARLIER).select_index(0)
        page.run()
        settle(page)
        assert current_video(page).file.name == name
        shown = tab(page).analyse.shown
        assert shown is not None
        assert shown.analysis_id == runs[name]


def test_running_analysis_is_followed_again_after_a_refresh(page: AppTest, clip: Path, networks: Networks) -> None:
    widget(page, "Sequence length").set_value(4)
    hold = start_and_hold(page, clip, networks)
    job = tab(page).analyse.job
    assert job is not None
    fresh = open_page(run=job.job_id)
    assert tab(fresh).analyse.job is job
    assert has_button(fresh, "Cancel")
    hold.set()
    settle(fresh)
    run = tab(fresh).analyse.shown
    assert run is not None
    assert run.analysis_id == job.job_id
    assert run.timeline.complete


def trace_names(at: AppTest) -> set[str]:
    """Return the names of what the page's first chart shows."""
    return {trace["name"] for trace in charts(at)[0]["figure"]["data"]}


def test_the_longer_the_chart_so_far_takes_the_less_often_it_is_drawn(
    page: AppTest, clip: Path, networks: Networks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: it was drawn every second, and took all of a core of the analysis of a long video."""
    hold = start_and_hold(page, clip, networks)
    page.run()
    assert [one["label"] for one in charts(page)] == ["Timeline: who does what, when"]
    used_s = itertools.count()  # a second of a core from one look at the clock to the next
    monkeypatch.setattr(analysis, "time", SimpleNamespace(thread_time=lambda: float(next(used_s))))
    assert "movement" in trace_names(page)
    monkeypatch.setattr(analysis, "_MOST_MEASURED", 0)
    page.run()
    assert "movement" not in trace_names(page), "it would be most of the work"
    page.run()
    assert not page.exception
    assert tab(page).analyse.pace.every_s == pytest.approx(2 / MOST_SHARE)
    hold.set()
    settle(page)
    assert shows_result(page)


def test_who_has_only_the_link_sees_progress_and_cannot_cancel(
    page: AppTest, clip: Path, networks: Networks, browser: Callable[[str], None]
) -> None:
    hold = start_and_hold(page, clip, networks)
    job = tab(page).analyse.job
    assert job is not None
    browser("f" * 32)
    other = open_page(run=job.job_id)
    assert tab(other).analyse.job is job
    assert not has_button(other, "Cancel")
    hold.set()
    settle(other)
    assert tab(other).analyse.shown is not None


def test_second_run_of_a_visitor_waits_in_line_and_can_be_cancelled_there(
    page: AppTest, clip: Path, networks: Networks
) -> None:
    hold = start_and_hold(page, clip, networks)
    second = open_page()
    upload_video(second, clip)
    start(second)
    waiting = tab(second).analyse.job
    assert waiting is not None
    assert not waiting.started
    (bar,) = second.get("progress")
    # when it starts is said too if the run before has got far enough to tell
    assert re.fullmatch(r"Waiting in line, at place 1(; starts in about .*)?", bar.proto.text)
    next(one for one in second.button if one.label == "Cancel").click()
    second.run()
    assert waiting.finished
    assert tab(second).analyse.job is None
    hold.set()
    settle(page)
    assert tab(page).analyse.shown is not None


def test_run_over_the_limit_is_refused_in_one_sentence(
    page: AppTest, clip: Path, networks: Networks, set_limits: Callable[..., None]
) -> None:
    set_limits(max_runs_per_visitor=1)
    hold = start_and_hold(page, clip, networks)
    second = open_page()
    upload_video(second, clip)
    start(second)
    assert tab(second).analyse.job is None
    assert errors(second) == [
        "1 of your runs is not finished yet, the limit is 1; wait until one has ended, or cancel one "
        "(max_runs_per_visitor: whoever runs this server can raise it)."
    ]
    hold.set()
    settle(page)


@pytest.mark.parametrize(
    "analysis_id", ["unknown", "../../etc/passwd", "<script>alert(1)</script>", "'; DROP TABLE run; --"]
)
def test_address_of_an_unknown_analysis_is_told_in_one_sentence(networks: Networks, analysis_id: str) -> None:
    at = open_page(run=analysis_id)
    assert errors(at) == ["The analysis in the address is not on this machine; drop the video in and analyse it again."]
    assert "run" not in at.query_params
    assert uploader(at, "Drop in a video")


@pytest.mark.parametrize(
    ("state", "problem", "told"),
    [
        ("failed", "the video 'a.mp4' is no longer stored here; drop it in again.", None),
        ("running", "", "the analysis of 'a.mp4' goes on soon; load the page again."),
    ],
)
def test_address_of_a_run_without_a_result_says_why(
    networks: Networks, state: Literal["failed", "running"], problem: str, told: str | None
) -> None:
    server.context().runs.create(Run("one", "analysis", "a.mp4", state=state, problem=problem))
    at = open_page(run="one")
    assert errors(at) == [sentence(told or problem).replace("\\", "")]


def test_the_address_keeps_a_run_while_its_server_ends(page: AppTest, clip: Path, networks: Networks) -> None:
    hold = start_and_hold(page, clip, networks)
    job = tab(page).analyse.job
    assert job is not None
    job.suspend()
    hold.set()
    settle(page)
    assert (tab(page).analyse.job, tab(page).analyse.shown) == (None, None)
    assert page.query_params["run"] == job.job_id


def test_two_tabs_do_not_mix(page: AppTest, make_video: Callable[..., Path], networks: Networks) -> None:
    other = open_page()
    upload_video(page, make_video("one.mp4", frames=60))
    assert tab(other).video is None
    upload_video(other, make_video("two.mp4", frames=40))
    widget(page, "Crop margin").set_value(60)
    page.run()
    other.run()
    assert widget(other, "Crop margin").value == Settings().crop_margin_percentage
    start(page)
    start(other)
    settle(page)
    settle(other)
    one, two = tab(page).analyse.shown, tab(other).analyse.shown
    assert one is not None
    assert two is not None
    assert (one.video_name, two.video_name) == ("one.mp4", "two.mp4")
    assert one.timeline.analysed_s == pytest.approx(2.0, abs=0.05)
    assert two.timeline.analysed_s == pytest.approx(40 / 30, abs=0.05)
    assert one.timeline.settings.crop_margin_percentage == 60
    assert two.timeline.settings.crop_margin_percentage == Settings().crop_margin_percentage
