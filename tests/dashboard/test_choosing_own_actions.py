"""The results page: which set of own actions names an analysis, and how."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from recognizer.dashboard import server
from recognizer.service.store import StoredAnalysis
from tests.support.featured import featured_timeline, labels_of, stretch_of
from tests.support.networks import Networks
from tests.support.pages import button, choose_thresholds, open_page, open_table, tab, widget, words, workbenches
from tests.support.waiting import wait_until
from tests.support.workbench import generated_timeline, store_analysis, write_video

pytestmark = pytest.mark.slow

ANALYSIS_ID = "ab" * 16
TIMELINE = featured_timeline(2, 45.0, action_s=8.0)
OTHER_ID = "cd" * 16
OTHER = featured_timeline(1, 20.0, seed=1, sha256="ef" * 32, action_s=8.0)
FIRST, SECOND = labels_of(TIMELINE, 1)[:2]


@pytest.fixture
def stored(networks: Networks, tmp_path: Path) -> StoredAnalysis:
    video = tmp_path / "gym.mp4"
    video.write_bytes(b"not a video")
    made = store_analysis(tmp_path / "data", TIMELINE, video, ANALYSIS_ID)
    made.video_path.unlink()
    return made


@pytest.fixture
def set_id(stored: StoredAnalysis) -> str:
    """A set with one action, chosen for the analysis."""
    own = server.context().own_actions
    made = own.create("Gym")
    own.add_example(made, ANALYSIS_ID, 1, *stretch_of(TIMELINE, 1, FIRST), "resting")
    own.choose(ANALYSIS_ID, made)
    return made


def opened_page() -> AppTest:
    page = open_page(run=ANALYSIS_ID)
    choose_thresholds(page, 0.3)
    return page


def run(page: AppTest) -> None:
    page.run()
    assert not page.exception


def actions(page: AppTest) -> set[str]:
    return set(open_table(page, "All segments")["Action"])


def test_a_chosen_set_says_what_it_still_needs(set_id: str) -> None:
    page = opened_page()
    assert "once two actions have a moment" in words(page)
    popover = next(one for one in page.get("popover") if one.proto.popover.label == "My actions")
    assert "once two actions have a moment" in popover.info[0].value
    assert FIRST in actions(page)


def test_set_and_mode_decide_what_the_whole_page_shows(set_id: str) -> None:
    own = server.context().own_actions
    own.add_example(set_id, ANALYSIS_ID, 1, *stretch_of(TIMELINE, 1, SECOND), "serving")
    page = opened_page()
    assert {"resting", "serving"} <= actions(page)
    assert "The names of “Gym” are your own" in words(page)
    revision = workbenches(page)[0]["revision"]
    widget(page, "How they are shown").set_value("only")
    run(page)
    assert actions(page) <= {"resting", "serving", "unknown"}
    assert workbenches(page)[0]["revision"] > revision
    widget(page, "Names on this analysis").set_value("")
    run(page)
    assert FIRST in actions(page)
    assert own.chosen(ANALYSIS_ID).set_id is None
    assert widget(page, "Names on this analysis").value == ""  # the network's labels are what is chosen
    assert not any(one.label == "How they are shown" for one in page.radio)


def test_an_analysis_without_features_is_offered_once_more(networks: Networks, tmp_path: Path) -> None:
    whole = generated_timeline(2, 2.0)
    timeline = replace(whole, settings=replace(whole.settings, keep_features=False))
    store_analysis(tmp_path / "data", timeline, write_video(tmp_path / "gym.mp4", timeline), ANALYSIS_ID)
    page = opened_page()
    assert "made with Keep features off" in words(page)
    assert not any(one.label == "Names on this analysis" for one in page.radio)
    button(page, "Analyse once more").click()
    run(page)
    named = page.query_params["run"]
    job = server.context().jobs.get(named if isinstance(named, str) else named[0])
    assert job is not None
    wait_until(lambda: job.finished)
    assert job.error is None
    again = server.context().store.load_analysis(job.job_id)  # the job has let go of it if the page shows it already
    assert again is not None
    assert again.timeline.settings == whole.settings


def test_an_analysis_without_features_or_video_says_what_to_do(networks: Networks, tmp_path: Path) -> None:
    timeline = generated_timeline(1, 2.0)
    video = write_video(tmp_path / "gym.mp4", timeline)
    store_analysis(tmp_path / "data", timeline, video, ANALYSIS_ID).video_path.unlink()
    page = opened_page()
    assert "is no longer stored here; drop it in again and analyse it" in words(page)
    assert not any(one.label == "Analyse once more" for one in page.button)


def test_an_analysis_of_this_browser_begins_with_its_latest_set_until_somebody_chooses(
    set_id: str, tmp_path: Path
) -> None:
    own = server.context().own_actions
    own.add_example(set_id, ANALYSIS_ID, 1, *stretch_of(TIMELINE, 1, SECOND), None)
    store_analysis(tmp_path / "data", OTHER, tmp_path / "gym.mp4", OTHER_ID)
    page = open_page(run=OTHER_ID)
    assert own.chosen(OTHER_ID).set_id is None  # it may be somebody else's
    tab(page).history.own.update(analyses=[ANALYSIS_ID, OTHER_ID], sets=[set_id, own.create("Nothing taught yet")])
    run(page)
    assert own.chosen(OTHER_ID)[:2] == (set_id, "instead")
    assert "resting" in actions(page)
    widget(page, "Names on this analysis").set_value(None)
    run(page)
    assert own.chosen(OTHER_ID).set_id is None
    assert "resting" not in actions(page)
