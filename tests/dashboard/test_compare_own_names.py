"""The page "Compare classifiers": which set of own actions names a comparison, and how."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from recognizer.comparison.model import Comparison, Entry
from recognizer.dashboard import server
from recognizer.dashboard.compare import results
from recognizer.service.compared_names import named_comparison
from recognizer.service.store import StoredFile
from recognizer.timeline.model import Timeline
from tests.support.featured import featured_timeline, labels_of, stretch_of
from tests.support.networks import Networks
from tests.support.pages import choose_thresholds, open_page, tab, widget, words, workbench_data
from tests.support.tables import rows_of
from tests.support.workbench import LABELS, store_analysis

pytestmark = pytest.mark.slow

ANALYSIS_ID, COMPARISON_ID = "ab" * 16, "cd" * 16
TAUGHT = featured_timeline(2, 45.0, action_s=8.0)
FIRST, SECOND = labels_of(TAUGHT, 1)[:2]
COMPARED = featured_timeline(1, 20.0, seed=1, sha256="ef" * 32, action_s=8.0)
OWN = {"resting", "serving"}


def entry(timeline: Timeline, classifier: str, samples: int = 8) -> Entry:
    settings = replace(timeline.settings, video_classifier_model=classifier, num_video_sequence_samples=samples)
    return Entry("", settings, labels=LABELS, timeline=replace(timeline, settings=settings))


@pytest.fixture
def set_id(networks: Networks, tmp_path: Path) -> str:
    """A set of two actions, taught in an analysis of another video."""
    video = tmp_path / "gym.mp4"
    video.write_bytes(b"not a video")
    store_analysis(tmp_path / "data", TAUGHT, video, ANALYSIS_ID)
    own = server.context().own_actions
    made = own.create("Gym")
    own.add_example(made, ANALYSIS_ID, 1, *stretch_of(TAUGHT, 1, FIRST), "resting")
    own.add_example(made, ANALYSIS_ID, 1, *stretch_of(TAUGHT, 1, SECOND), "serving")
    return made


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the page's downloads make."""
    made: dict[str, Any] = {}

    def remember(_place: object, label: str, content: Any, *_others: str) -> None:
        made[label] = content

    monkeypatch.setattr(results, "offer_download", remember)
    return made


@pytest.fixture
def page(set_id: str, offered: dict[str, Any]) -> AppTest:
    """A comparison of i3d, whose features fit the set, with s3d, whose features do not, as the database has it."""
    other = featured_timeline(1, 20.0, seed=2, sha256="ef" * 32, action_s=8.0, weights_sha256="99" * 32)
    s3d = replace(other, provenance={**other.provenance, "classifier": "s3d"})
    file = StoredFile(server.context().store.new_file(".mp4"), "match.mp4", "ef" * 32, 11)
    server.context().comparisons.save(COMPARISON_ID, file, Comparison((entry(COMPARED, "i3d"), entry(s3d, "s3d"))))
    at = open_page("pages/compare.py", comparison=COMPARISON_ID)
    choose_thresholds(at, 0.3)
    tab(at).history.own["sets"] = [set_id]
    at.run()
    assert not at.exception
    return at


def choose(at: AppTest, title: str, value: str) -> None:
    widget(at, title).set_value(value)
    at.run()
    assert not at.exception


def actions_by_lane(offered: dict[str, Any]) -> dict[str, set[str]]:
    """Return the actions of each classifier in the table of segments."""
    found: dict[str, set[str]] = {}
    for row in rows_of(offered["Segments as CSV"]()):
        found.setdefault(row["classifier"], set()).add(row["action"])
    return found


def table_with(at: AppTest, column: str) -> Any:
    return next(table.value for table in at.dataframe if column in table.value.columns)


def test_set_and_mode_decide_what_is_compared_and_downloaded(
    page: AppTest, set_id: str, offered: dict[str, Any]
) -> None:
    asked = [json.loads(one.proto.json) for one in page.get("bidi_component") if "history" in one.proto.component_name]
    assert "sets" in {one["kind"] for one in asked}, "the browser says which sets are its own"
    before = actions_by_lane(offered)
    assert list(before) == ["i3d", "s3d"]
    assert not OWN & before["i3d"]
    revision, agreement = workbench_data(page)["revision"], table_with(page, "Kappa")["Agree (%)"].tolist()

    choose(page, "Names in this comparison", set_id)
    named = actions_by_lane(offered)
    assert OWN & named["i3d"]
    assert named["s3d"] == before["s3d"]
    assert "s3d keeps its labels: 'Gym' was taught with i3d" in words(page)
    assert workbench_data(page)["revision"] > revision
    assert table_with(page, "Kappa")["Agree (%)"].tolist() != agreement
    opened = server.context().workbench.opened(COMPARISON_ID, "comparison")
    assert opened is not None
    assert OWN & {one.action for one in opened.corrected.segments(0.3)}, "the lanes show them"

    choose(page, "How they are shown", "only")
    assert actions_by_lane(offered)["i3d"] <= {*OWN, "unknown"}
    choose(page, "How they are shown", "beside")
    both = actions_by_lane(offered)
    assert list(both) == ["i3d", "Gym (i3d)", "s3d"]
    assert both["i3d"] == before["i3d"]
    assert both["Gym (i3d)"] <= {*OWN, "unknown"}
    assert len(table_with(page, "Kappa")["Classifiers"].unique()) == 3

    choose(page, "Names in this comparison", "")
    assert actions_by_lane(offered) == before


def test_why_several_classifiers_keep_their_labels_is_said_once(page: AppTest, set_id: str) -> None:
    """Regression: the same sentence stood there for each of them."""
    shown = server.context().comparisons.load(COMPARISON_ID)
    assert shown is not None
    i3d, s3d = shown.comparison.entries
    choose(page, "Names in this comparison", set_id)
    own = server.context().own_actions
    own.remove_action(set_id, "serving")
    entries = (replace(i3d, name="i3d, 8 samples"), s3d, replace(i3d, name="i3d, 32 samples"))
    kept, of_another = named_comparison(own.naming, shown, Comparison(entries)).notes
    assert kept == (
        "i3d, 8 samples and i3d, 32 samples keep their labels: "
        "own names appear once two actions have a moment, or one action and “none of these”."
    )
    assert of_another.startswith("s3d keeps its labels: 'Gym' was taught with i3d")


def test_names_come_back_after_a_refresh_follow_the_set_and_are_not_stored_in_entries(
    page: AppTest, set_id: str, offered: dict[str, Any]
) -> None:
    choose(page, "Names in this comparison", set_id)
    own, stored = server.context().own_actions, server.context().comparisons.load(COMPARISON_ID)
    assert stored is not None
    kept = stored.comparison.finished[0].timeline
    assert kept is not None
    assert [one.top for one in kept.predictions] == [one.top for one in COMPARED.predictions]
    again = open_page("pages/compare.py", comparison=COMPARISON_ID)
    choose_thresholds(again, 0.3)
    assert "serving" in actions_by_lane(offered)["i3d"]
    assert widget(again, "Names in this comparison").value == set_id, "although this browser did not make it"
    own.rename_action(set_id, "serving", "Aufschlag")
    again.run()
    assert "Aufschlag" in actions_by_lane(offered)["i3d"]
    assert "serving" not in actions_by_lane(offered)["i3d"]


def test_labels_of_a_user_are_scored_against_own_names(page: AppTest, set_id: str) -> None:
    choose(page, "Names in this comparison", set_id)
    choose(page, "How they are shown", "only")
    upload = next(one for one in page.file_uploader if one.label.startswith("A file of labels"))
    opened = server.context().workbench.opened(COMPARISON_ID, "comparison")
    assert opened is not None
    rows = [f"{one.action},{one.start_s},{one.end_s}" for one in opened.corrected.segments(0.3) if one.action in OWN]
    upload.upload("mine.csv", "\n".join(["action,start_s,end_s", *rows]).encode())
    page.run()
    assert not page.exception
    scores = table_with(page, "Right (%)").set_index("Classifier")["Right (%)"]
    assert scores["i3d"] == 100.0
    assert scores["s3d"] < 50.0


def test_a_set_that_fits_no_classifier_is_not_offered_and_the_page_says_why(page: AppTest, set_id: str) -> None:
    file = StoredFile(server.context().store.new_file(".mp4"), "match.mp4", "ef" * 32, 11)
    plain = replace(COMPARED, predictions=tuple(replace(one, features=None) for one in COMPARED.predictions))
    pair = Comparison((entry(plain, "i3d"), entry(plain, "i3d", 16)))
    server.context().comparisons.save("12" * 16, file, pair)
    at = open_page("pages/compare.py", comparison="12" * 16)
    tab(at).history.own["sets"] = [set_id]
    at.run()
    assert not at.exception
    assert not [one for one in at.radio if one.label == "Names in this comparison"]
    assert "its features are not kept; start a new comparison of this video." in words(at).lower()
