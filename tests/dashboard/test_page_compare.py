"""The page "Compare classifiers", run by Streamlit's AppTest with stand-ins for the networks and for their weights."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from recognizer.dashboard import server
from recognizer.dashboard.compare import entries, results
from recognizer.dashboard.parts import visitor
from recognizer.errors import WeightsError
from recognizer.networks import loading as models_module
from recognizer.processes import WHERE_VARIABLE
from recognizer.service.comparisons import StoredComparison
from recognizer.service.shown import View
from recognizer.settings import CLASSIFIER_NAMES, Settings, recommended
from recognizer.timeline.groups import LabelGroups, groups_json
from tests.support.fakes import ScriptedClassifier
from tests.support.ffmpeg import ffmpeg
from tests.support.networks import Networks
from tests.support.pages import (
    SETTING_TITLES,
    button,
    charts,
    choose_preset,
    has_button,
    open_page,
    request_rerun,
    tab,
    upload_video,
    uploader,
    widget,
    words,
    workbench_data,
)
from tests.support.waiting import WAIT_S
from tests.support.workbench import generated_timeline

pytestmark = pytest.mark.slow

PAGE = "pages/compare.py"
REAL_LOADER = models_module.load_clip_classifier


class Classifiers:
    """What the stand-ins say and do by the name of their network; a test changes it before it runs the page."""

    def __init__(self) -> None:
        self.missing: set[str] = set()
        self.says: dict[str, tuple[tuple[str, float], ...]] = {}
        self.holds: str | None = None
        self.hold = threading.Event()
        self.reached = threading.Event()
        self.classified: Counter[str] = Counter()

    def load(self, settings: Settings, progress: Any = None) -> tuple[Any, dict[str, str]]:
        name = settings.video_classifier_model
        if settings.checkpoint_path is not None:
            return REAL_LOADER(settings, progress)
        if name in self.missing:
            raise WeightsError(f"the weights of {name} cannot be had; put {name}.bin into the folder.")
        return _Classifier(self, name), {"classifier": name}


class _Classifier(ScriptedClassifier):
    def __init__(self, by_name: Classifiers, name: str) -> None:
        super().__init__(lambda _: by_name.says.get(name, (("waving", 0.6), ("jogging", 0.3))))
        self.name = name
        self._by_name = by_name

    def classify(self, clips: Any) -> Any:
        if self._by_name.holds == self.name and clips:
            self._by_name.reached.set()
            assert self._by_name.hold.wait(WAIT_S)
        self._by_name.classified[self.name] += len(clips)
        return super().classify(clips)


@pytest.fixture
def classifiers(networks: Networks, monkeypatch: pytest.MonkeyPatch) -> Iterator[Classifiers]:
    by_name = Classifiers()
    monkeypatch.setattr(models_module, "load_clip_classifier", by_name.load)
    yield by_name
    by_name.hold.set()


@pytest.fixture
def page(classifiers: Classifiers, clip: Path) -> AppTest:
    at = open_page()
    choose_preset(at, "documented")
    at.switch_page(PAGE).run()
    assert not at.exception
    upload_video(at, clip)
    return at


def settle(at: AppTest) -> None:
    job = tab(at).compare.job
    if job is None:  # it ended while the page was drawn, which shows it then
        assert tab(at).compare.shown is not None
        return
    assert job.wait(WAIT_S)
    at.run()
    assert not at.exception


def compare(at: AppTest) -> None:
    button(at, "Compare").click()
    at.run()
    assert not at.exception
    settle(at)


def shown(at: AppTest) -> StoredComparison:
    comparison = tab(at).compare.shown
    assert comparison is not None
    return comparison


def text_of(at: AppTest) -> str:
    return words(at).replace("**", "")


def names(at: AppTest) -> list[str]:
    return [entry.name for entry in shown(at).comparison.finished]


def choose(at: AppTest, row: int, classifier: str) -> None:
    """Another classifier in the row of this number."""
    boxes = [one for one in at.selectbox if one.label == "Classifier"]
    boxes[row].set_value(classifier)
    at.run()
    assert not at.exception


def subheaders(at: AppTest) -> list[str]:
    return [one.value for one in at.subheader]


def table_with(at: AppTest, column: str) -> Any:
    return next(table.value for table in at.dataframe if column in table.value.columns)


def lanes_of(at: AppTest) -> list[tuple[str | None, list[str]]]:
    """The lanes of the only person, from top to bottom: whose they are, and the actions in them."""
    opened = server.context().workbench.opened(shown(at).comparison_id, "comparison")
    assert opened is not None
    there = opened.show(View(*tab(at).filters.thresholds))
    return [
        (
            opened.layers[lane.layer].name,
            [one.action for one, number in zip(there.segments, there.lane_of, strict=True) if number == k],
        )
        for k, lane in enumerate(there.lanes)
    ]


def test_two_are_compared_on_the_video_of_the_other_page(classifiers: Classifiers, clip: Path) -> None:
    at = open_page()
    upload_video(at, clip)
    at.switch_page(PAGE).run()
    assert not at.exception
    compare(at)
    assert names(at) == ["s3d", "r3d_18"]
    assert {"Agreement", "Where they differ", "Cost of each classifier"} <= set(subheaders(at))
    assert "No differences: whenever both have a label, they agree." in words(at)
    assert at.query_params["comparison"] == shown(at).comparison_id
    data = workbench_data(at)
    assert data["api"] == f"recognizer/comparison/{shown(at).comparison_id}/"
    costs = table_with(at, "ms per clip")
    assert costs["Classifier"].tolist() == ["s3d", "r3d_18"]
    assert costs["Clips"].tolist() == [1, 1], "two seconds are one clip of what is recommended"


def test_one_that_cannot_be_had_is_listed_and_the_others_run(classifiers: Classifiers, page: AppTest) -> None:
    classifiers.missing = {"r3d_18"}
    compare(page)
    assert names(page) == ["s3d"]
    assert "r3d_18 did not run: The weights of r3d_18 cannot be had" in text_of(page)
    classifiers.missing = set()
    button(page, "Run missing classifiers (1)").click()
    page.run()
    settle(page)
    assert names(page) == ["s3d", "r3d_18"]


def test_adding_one_runs_only_that_one_and_removing_one_hides_it(classifiers: Classifiers, page: AppTest) -> None:
    compare(page)
    first, drawn = shown(page), workbench_data(page)["revision"]
    classifiers.classified.clear()
    button(page, "Add a classifier").click()
    page.run()
    assert not has_button(page, "Compare")
    button(page, "Run missing classifiers (1)").click()
    page.run()
    settle(page)
    assert names(page) == ["s3d", "r3d_18", "mc3_18"]
    assert shown(page).comparison_id == first.comparison_id
    assert classifiers.classified == {"mc3_18": 5}
    [remove] = [one for one in page.button if one.key == "compare-1-remove"]
    assert workbench_data(page)["revision"] == drawn + 1, "the workbench reads the new entry"
    remove.click()
    page.run()
    assert workbench_data(page)["revision"] == drawn + 2
    assert [entry.name for entry in tab(page).compare.drawn.comparison.entries] == ["r3d_18", "mc3_18"]  # type: ignore[union-attr]
    assert table_with(page, "ms per clip")["Classifier"].tolist() == ["r3d_18", "mc3_18"]
    assert not has_button(page, "Compare")


def test_removing_one_twice_removes_it_once(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Regression: the second press of a double click reached a page that had not been drawn without the row yet."""
    button(page, "Add a classifier").click()
    page.run()
    choose_entries = entries.choose_entries
    presses = 0

    def pressed_again(shared: Settings) -> Any:
        nonlocal presses
        presses += 1
        if presses == 1:
            request_rerun()
        return choose_entries(shared)

    monkeypatch.setattr(entries, "choose_entries", pressed_again)
    [remove] = [one for one in page.button if one.key == "compare-1-remove"]
    remove.click()
    page.run()
    assert presses == 2
    assert [row.row_id for row in tab(page).compare.rows] == [2, 3]
    assert not page.error


def test_added_one_follows_what_was_typed_right_before(page: AppTest) -> None:
    """Regression: leaving a field and pressing the button came in one run, and the new row was like the one before."""
    [box] = [one for one in page.selectbox if one.key == "compare-2-video_classifier_model"]
    box.set_value("mc3_18")
    lengths = [one for one in page.number_input if one.label == "Sequence length"]
    lengths[-1].set_value(5)
    button(page, "Add a classifier").click()
    page.run()
    rows = [(row.classifier, row.samples) for row in tab(page).compare.rows]
    assert rows == [("s3d", 8), ("mc3_18", 5), ("r3d_18", 5)]


def test_the_same_one_twice_is_told_before_anything_runs(page: AppTest) -> None:
    choose(page, 1, "s3d")
    assert "S3d is listed twice with the same settings; change or remove one." in words(page)
    assert not has_button(page, "Compare")
    lengths = [one for one in page.number_input if one.label == "Sequence length"]
    lengths[1].set_value(4)
    page.run()
    compare(page)
    assert names(page) == ["s3d, 8 samples", "s3d, 4 samples"]


def test_disagreements_are_listed_and_one_that_is_chosen_shows_what_both_saw_and_said(
    classifiers: Classifiers, page: AppTest
) -> None:
    classifiers.says = {"r3d_18": (("jogging", 0.7), ("waving", 0.2))}
    compare(page)
    table = table_with(page, "Duration (s)")
    assert table[["Person", "s3d", "r3d_18"]].to_numpy().tolist() == [[1, "waving", "jogging"]]
    agreement = table_with(page, "Agree (%)")
    assert agreement[["Person", "Agree (%)"]].to_numpy().tolist() == [["all", 0.0], ["1", 0.0]]
    page.session_state["differences-s3d-r3d_18"] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    page.run()
    assert not page.exception
    text = words(page)
    assert "Person 1, 0.00 s to 2.00 s" in text
    assert text.count("Input: 8 pictures from") == 2
    pictures = [one.url.partition(",")[0] for shown in page.get("image") for one in shown.proto.imgs]
    # Streamlit would delete them as files, perhaps before the browser has asked for them
    assert pictures == ["data:image/jpeg;base64"] * 16
    tops = [table.value["Label"].tolist() for table in page.dataframe if "Label" in table.value.columns]
    assert tops == [["waving", "jogging"], ["jogging", "waving"]]


def test_own_labels_score_each_and_come_back_after_a_refresh(classifiers: Classifiers, page: AppTest) -> None:
    compare(page)
    uploader(page, "A file of labels").upload("mine.csv", b"action,start_s,end_s\nwaving,0,1\nresting,1,2\n")
    page.run()
    assert not page.exception
    assert "Against your labels" in subheaders(page)
    scores = table_with(page, "Right (%)")
    assert scores["Right (%)"].tolist() == [50.0, 50.0]
    assert [chart["label"] for chart in charts(page)] == ["s3d: confusion matrix against your labels"]
    assert lanes_of(page) == [("Your labels", ["waving", "resting"]), ("s3d", ["waving"]), ("r3d_18", ["waving"])]
    assert "s3d has no label for resting, so it is never right there." in words(page)
    fresh = open_page(PAGE, comparison=shown(page).comparison_id)
    assert names(fresh) == ["s3d", "r3d_18"]
    assert "Against your labels" in subheaders(fresh)
    assert "clip.mp4" in words(fresh)
    assert not has_button(fresh, "Compare")
    before = workbench_data(fresh)["revision"]
    button(fresh, "Remove them").click()
    fresh.run()
    assert "Against your labels" not in subheaders(fresh)
    assert workbench_data(fresh)["revision"] == before + 1, "the workbench reads the lanes again"
    assert [name for name, _ in lanes_of(fresh)] == ["s3d", "r3d_18"]


def test_who_only_looks_adds_to_a_comparison_of_their_own(
    classifiers: Classifiers, page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    compare(page)
    comparison_id = shown(page).comparison_id
    monkeypatch.setattr(visitor, "_may_correct", lambda *_: False)
    uploader(page, "A file of labels").upload("mine.csv", b"action,start_s,end_s\nwaving,0,1\nresting,1,2\n")
    page.run()
    assert "Against your labels" in subheaders(page)
    assert [toast.value for toast in page.toast][-1].startswith("Your labels stay in this tab")
    stored = server.context().comparisons.load(comparison_id)
    assert stored is not None
    assert stored.labels is None
    button(page, "Add a classifier").click()
    page.run()
    button(page, "Run missing classifiers (1)").click()
    page.run()
    settle(page)
    assert names(page) == ["s3d", "r3d_18", "mc3_18"]
    assert shown(page).comparison_id != comparison_id
    theirs = server.context().comparisons.load(comparison_id)
    assert theirs is not None
    assert len(theirs.comparison.entries) == 2


def test_groups_fold_what_is_compared_and_downloads_say_so(
    classifiers: Classifiers, page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    classifiers.says = {"r3d_18": (("jogging", 0.7), ("waving", 0.2))}
    offered: dict[str, Any] = {}

    def remember(_place: object, label: str, content: Any, *_others: str) -> None:
        offered[label] = content

    monkeypatch.setattr(results, "offer_download", remember)
    compare(page)
    uploader(page, "A file of labels").upload("mine.csv", b"action,start_s,end_s\njogging,0,1\n")
    page.run()
    assert table_with(page, "Agree (%)")["Agree (%)"].tolist() == [0.0, 0.0]
    groups = LabelGroups({"moving": ("jogging", "Waving")})
    uploader(page, "Groups from a file").upload("mine.json", groups_json(groups).encode(), "application/json")
    page.run()
    assert not page.exception
    assert "Everything here, downloads too, counts groups in place of labels: moving." in words(page)
    assert lanes_of(page) == [("Your labels", ["moving"]), ("s3d", ["moving"]), ("r3d_18", ["moving"])]
    assert table_with(page, "Agree (%)")["Agree (%)"].tolist() == [100.0, 100.0]
    assert table_with(page, "Right (%)")["Right (%)"].tolist() == [100.0, 100.0]
    document = json.loads(offered["Everything as JSON"]())
    assert document["label_groups"] == {"groups": {"moving": ["jogging", "Waving"]}, "other": None}
    assert {one["action"] for one in document["entries"][1]["timeline"]["segments"]} == {"moving"}
    assert "Counted as groups in place of labels: moving." in offered["Report (HTML)"]()
    fresh = open_page(PAGE, comparison=shown(page).comparison_id)
    assert widget(fresh, "Group").value == "moving", "they come back after a refresh"
    button(fresh, "Show the labels themselves").click()
    fresh.run()
    assert lanes_of(fresh)[0] == ("Your labels", ["jogging"])


def test_earlier_comparison_of_this_browser_can_be_opened_again(page: AppTest, classifiers: Classifiers) -> None:
    compare(page)
    earlier = shown(page)
    fresh = open_page()
    fresh.switch_page(PAGE)
    tab(fresh).history.own["comparisons"] = [earlier.comparison_id, "gone"]  # as the browser says
    fresh.run()
    choice = widget(fresh, "Open an earlier comparison")
    assert len(choice.options) == 1
    assert choice.options[0].startswith("clip.mp4, ")
    choice.select_index(0)
    fresh.run()
    assert not fresh.exception
    assert shown(fresh).comparison_id == earlier.comparison_id
    assert names(fresh) == ["s3d", "r3d_18"]
    assert not [one for one in fresh.selectbox if one.label == "Open an earlier comparison"]


def give_labels(page: AppTest, name: str, text: str) -> None:
    uploader(page, "A file of labels").upload(name, text.encode())
    page.run()
    assert not page.exception


def test_video_of_an_earlier_analysis_can_be_taken(classifiers: Classifiers, clip: Path, tmp_path: Path) -> None:
    store = server.context().store
    timeline = generated_timeline(1, 5.0)
    with clip.open("rb") as stream:
        file = store.add_file(stream, "match.mp4")
    recording = replace(file, path=store.new_file(".mp4"), name="Camera")
    recording.path.write_bytes(clip.read_bytes())
    for number, video in enumerate((file, file, recording)):
        store.save_analysis(f"{number}" * 32, video, timeline)
    at = open_page(PAGE)
    assert "Or take the video of an earlier analysis" not in [one.label for one in at.selectbox]
    tab(at).history.own["analyses"] = [f"{number}" * 32 for number in range(4)]  # as the browser says
    at.run()
    offered = widget(at, "Or take the video of an earlier analysis")
    assert offered.options == ["match.mp4"], "a camera's recording is no uploaded video"
    offered.set_value(offered.options[0])
    at.run()
    assert not at.exception
    taken = tab(at).video
    assert taken is not None
    assert (taken.file.name, taken.file.sha256, taken.file.size_bytes) == (file.name, file.sha256, file.size_bytes)
    assert "Or take the video of an earlier analysis" not in [one.label for one in at.selectbox]
    assert has_button(at, "Compare")


def test_labels_that_cannot_be_read_say_why(page: AppTest) -> None:
    compare(page)
    give_labels(page, "mine.csv", "action,start_s,end_s\nwaving,2,soon\n")
    assert "'mine.csv' has no label that can be read: rows whose start or end is not a time (1, first row 2)" in words(
        page
    )
    assert {"Agreement", "Cost of each classifier"} <= set(subheaders(page))
    uploader(page, "A file of labels").upload("mine.xls", b"\xd0\xcf\x11\xe0")
    page.run()
    assert "'mine.xls' is an old Excel workbook or another Office file, which cannot be read here" in words(page)
    assert not uploader(page, "A file of labels").proto.type


def test_labels_on_another_clock_are_scored_once_their_begin_is_entered(
    classifiers: Classifiers, page: AppTest
) -> None:
    compare(page)
    give_labels(page, "mine.csv", "action,start_s,end_s\nwaving,50,51\n")
    assert "row 2: the first label begins at 50 s, and the video covers 0 to 2.0 s; enter when the labels" in words(
        page
    )
    widget(page, "Labels begin at").set_value("later")
    page.run()
    assert "'later' is not a time" in words(page)
    widget(page, "Labels begin at").set_value("0:49.5")
    page.run()
    assert not page.exception
    assert table_with(page, "Right (%)")["Right (%)"].tolist() == [100.0, 100.0]
    fresh = open_page(PAGE, comparison=shown(page).comparison_id)
    assert widget(fresh, "Labels begin at").value == "49.5"
    assert "Against your labels" in subheaders(fresh)


def test_names_are_scored_once_somebody_says_who_they_are(classifiers: Classifiers, page: AppTest) -> None:
    compare(page)
    give_labels(page, "mine.csv", "person_id,action,start_s,end_s\nAnna,waving,0,1\nsubject1,waving,1,2\n")
    assert "Not scored, because you have not said who they are: Anna, subject1." in words(page)
    assert "Against your labels" not in subheaders(page)
    assert widget(page, "Anna (1)").value is None
    widget(page, "Anna (1)").set_value(1)
    page.run()
    assert not page.exception
    assert table_with(page, "Scored (s)")["Scored (s)"].tolist() == [1.0, 1.0]
    assert "Not scored, because you have not said who they are: subject1." in words(page)
    fresh = open_page(PAGE, comparison=shown(page).comparison_id)
    assert widget(fresh, "Anna (1)").value == 1


def test_the_user_chooses_which_actions_exclude_one_another(classifiers: Classifiers, page: AppTest) -> None:
    compare(page)
    give_labels(page, "mine.csv", "action,start_s,end_s\nstanding,0,2\nwaving,1,2\n")
    choice = widget(page, "Actions that exclude one another")
    assert choice.value == ["standing"]
    assert table_with(page, "Right (%)")["Right (%)"].tolist() == [0.0, 0.0]
    assert "Actions that happen during others, each scored apart:" in words(page)
    choice.set_value(["waving"])
    page.run()
    assert not page.exception
    assert table_with(page, "Right (%)")["Right (%)"].tolist() == [100.0, 100.0]


def test_the_recording_of_this_video_is_chosen(classifiers: Classifiers, page: AppTest) -> None:
    compare(page)
    header = "Observation id,Subject,Behavior,Behavior type,Start (s),Stop (s)\n"
    give_labels(page, "boris.csv", f"{header}one,,waving,STATE,0,1\ntwo,,waving,STATE,0,2\n")
    assert "has labels of 2 recordings ('one', 'two'), and none alone is named like 'clip.mp4'; choose one." in words(
        page
    )
    widget(page, "Recording").set_value("two")
    page.run()
    assert not page.exception
    assert table_with(page, "Scored (s)")["Scored (s)"].tolist() == [2.0, 2.0]
    widget(page, "Recording").set_value("one")
    page.run()
    assert table_with(page, "Scored (s)")["Scored (s)"].tolist() == [1.0, 1.0]


def test_cancel_keeps_the_finished(classifiers: Classifiers, page: AppTest) -> None:
    classifiers.holds = "r3d_18"
    button(page, "Compare").click()
    page.run()
    assert classifiers.reached.wait(WAIT_S)
    page.run()
    assert names(page) == ["s3d"]  # what is finished is shown while the others run
    button(page, "Cancel").click()
    page.run()
    classifiers.hold.set()
    settle(page)
    assert names(page) == ["s3d"]
    assert "r3d_18 did not run: It was cancelled before it finished" in text_of(page)

    # it runs again, by this button or after a restart of the server: then it is not told to be started again
    classifiers.hold.clear()
    classifiers.reached.clear()
    button(page, "Run missing classifiers (1)").click()
    page.run()
    assert classifiers.reached.wait(WAIT_S)
    page.run()
    assert has_button(page, "Cancel")
    assert "did not run" not in text_of(page)
    classifiers.hold.set()
    settle(page)
    assert names(page) == ["s3d", "r3d_18"]


def test_a_refresh_finds_the_comparison_that_runs(classifiers: Classifiers, page: AppTest) -> None:
    classifiers.holds = "r3d_18"
    button(page, "Add a classifier").click()
    page.run()
    button(page, "Compare").click()
    page.run()
    assert classifiers.reached.wait(WAIT_S)
    job = tab(page).compare.job
    assert job is not None
    fresh = open_page(PAGE, comparison=job.job_id)
    assert has_button(fresh, "Cancel")
    assert [row.classifier for row in tab(fresh).compare.rows] == ["s3d", "r3d_18", "mc3_18"]
    assert names(fresh) == ["s3d"]
    assert "The comparison so far" in subheaders(fresh)
    classifiers.hold.set()
    settle(fresh)
    assert names(fresh) == ["s3d", "r3d_18", "mc3_18"]


def test_back_leads_to_before_a_comparison_and_forward_to_it_but_none_that_runs_is_left(
    classifiers: Classifiers, page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: Back showed the same comparison again."""
    compare(page)
    comparison_id = shown(page).comparison_id
    page.query_params.clear()
    page.run()
    assert comparison_id in page.query_params["comparison"], "another page's address has no place for it"
    monkeypatch.setattr("recognizer.dashboard.address.came_through_history", lambda: True)
    page.query_params.clear()
    page.run()
    assert not page.exception
    assert tab(page).compare.shown is None
    assert "comparison" not in page.query_params
    page.query_params["comparison"] = comparison_id
    page.run()
    assert names(page) == ["s3d", "r3d_18"]

    classifiers.holds = "mc3_18"
    button(page, "Add a classifier").click()
    page.run()
    button(page, "Run missing classifiers (1)").click()
    page.run()
    assert classifiers.reached.wait(WAIT_S)
    page.query_params.clear()
    page.run()
    assert "comparison" in page.query_params
    classifiers.hold.set()
    settle(page)


def test_settings_are_the_same_on_every_page(classifiers: Classifiers) -> None:
    # each page drew the sliders of the page before at their lowest values, and analysed with those
    at = open_page()
    widget(at, "Sequence length").set_value(24)
    at.run()
    for page, title in ((PAGE, "Skip interval"), ("pages/analyse.py", "Sequence length"), (PAGE, "Overlap")):
        at.switch_page(page).run()
        assert not at.exception
        expected = replace(recommended(Settings()), num_video_sequence_samples=24)
        assert tab(at).sidebar.settings == expected
        assert widget(at, title).value == expected.as_dict()[SETTING_TITLES[title]]


def test_unknown_comparison_in_the_address_is_told(classifiers: Classifiers) -> None:
    at = open_page(PAGE, comparison="nothing")
    assert "is not on this machine; drop the video in and compare again." in words(at)


def test_own_checkpoint_is_a_row_with_its_name(
    classifiers: Classifiers, page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(WHERE_VARIABLE, "inline")  # another process would load PyTorch; test_sidebar.py has one do so
    uploader(page, "Checkpoint").upload("best.pt", b"weights")
    uploader(page, "Labels").upload("labels.txt", b"fight\nnoFight\n")
    page.run()
    widget(page, "Network").set_value("mc3_18")
    page.run()
    button(page, "Add this checkpoint").click()
    page.run()
    assert not page.exception
    assert "best.pt" in words(page)
    compare(page)
    problem = shown(page).comparison.entries[2]
    assert problem.name == "mc3_18:best"
    assert problem.problem is not None
    assert problem.problem.startswith("'best.pt' is not a PyTorch or safetensors checkpoint")
    assert names(page) == ["s3d", "r3d_18"]


def test_the_only_classifier_that_is_here_begins_beside_itself_at_quite_another_length(networks: Networks) -> None:
    networks.missing |= set(CLASSIFIER_NAMES) - {"i3d"}
    at = open_page()
    tab(at).sidebar.settings = recommended(Settings(video_classifier_model="i3d"))
    at.switch_page(PAGE).run()
    assert not at.exception
    assert [(row.classifier, row.samples) for row in tab(at).compare.rows] == [("i3d", 38), ("i3d", 8)]


def test_recommended_settings_fit_the_frame_rate_of_the_video(networks: Networks, tmp_path: Path) -> None:
    """Whoever came without an analysis compared fast videos at the settings for 30 frames a second."""
    networks.missing |= set(CLASSIFIER_NAMES) - {"i3d"}
    fast = tmp_path / "fast.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x48:r=60:d=1", fast)
    at = open_page()
    tab(at).sidebar.settings = recommended(Settings(video_classifier_model="i3d"))
    at.switch_page(PAGE).run()
    upload_video(at, fast)
    fitting = recommended(Settings(video_classifier_model="i3d"), 60.0)
    assert fitting.skip_frame > recommended(Settings()).skip_frame
    assert widget(at, "Skip interval").value == fitting.skip_frame
    sample_s = fitting.skip_frame / 60
    assert f"{round(1 / sample_s)} samples span" in words(at), "no length of clips, which each entry has its own of"
    assert tab(at).compare.rows[0].samples == fitting.num_video_sequence_samples
    # the user has the last word, after a refresh too; at 30 frames a second, these would be the recommended ones
    widget(at, "Skip interval").set_value(recommended(Settings()).skip_frame)
    at.run()
    compare(at)
    fresh = open_page(PAGE, comparison=shown(at).comparison_id)
    assert widget(fresh, "Skip interval").value == recommended(Settings()).skip_frame
    assert "Comparison" in subheaders(fresh)


def test_rate_that_was_given_is_another_comparison(page: AppTest, tmp_path: Path) -> None:
    """What ran at the assumed rate is not an answer for the given one, though the file is the same."""
    raw = tmp_path / "cctv.hevc"
    encoder = ("-c:v", "libx265", "-x265-params", "log-level=error:vui-timing-info=0")
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x48:r=15:d=2", *encoder, raw)
    upload_video(page, raw)
    compare(page)
    before = shown(page)
    assert not has_button(page, "Compare")
    (rate,) = [one for one in page.number_input if one.label == "Frames per second"]
    rate.set_value(15.0)
    page.run()
    compare(page)
    after = shown(page)
    assert after.video.sha256 == before.video.sha256
    assert after.video.path != before.video.path
    for entry in after.comparison.entries:
        assert entry.timeline is not None
        assert entry.timeline.reading.rate_given_hz == 15
        assert entry.timeline.analysed_s == pytest.approx(2.0)
