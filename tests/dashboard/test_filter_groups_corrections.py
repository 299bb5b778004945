"""Filter, label groups and corrections on the results page, with a generated analysis."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from recognizer.dashboard import server
from recognizer.dashboard.analyse import corrections_panel, exports, results
from recognizer.dashboard.parts import label_groups, visitor
from recognizer.service.opened import Opened
from recognizer.timeline.corrections import Corrections
from recognizer.timeline.corrections_file import corrections_from_json, corrections_json
from recognizer.timeline.edits import Check, Merge, Name, Relabel
from recognizer.timeline.groups import LabelGroups, groups_json
from tests.support.networks import Networks
from tests.support.pages import (
    button,
    choose_thresholds,
    has_button,
    open_page,
    open_table,
    request_rerun,
    tab,
    uploader,
    widget,
    words,
    workbenches,
)
from tests.support.tables import rows_of
from tests.support.workbench import generated_timeline, store_analysis

pytestmark = pytest.mark.slow

ANALYSIS_ID = "ab" * 16
DURATION_S = 20.0


@pytest.fixture
def result(networks: Networks, tmp_path: Path) -> AppTest:
    """The page of a stored analysis of three people, whose video is gone."""
    video = tmp_path / "games.mp4"
    video.write_bytes(b"not a video")
    stored = store_analysis(tmp_path / "data", generated_timeline(3, DURATION_S), video, ANALYSIS_ID)
    stored.video_path.unlink()
    page = open_page(run=ANALYSIS_ID)
    choose_thresholds(page, 0.0)
    return page


def opened() -> Opened:
    found = server.context().workbench.opened(ANALYSIS_ID)
    assert found is not None
    return found


def run(page: AppTest) -> None:
    page.run()
    assert not page.exception


def press(page: AppTest, label: str) -> None:
    button(page, label).click()
    run(page)


def actions(page: AppTest) -> set[str]:
    return set(open_table(page, "All segments")["Action"])


def test_filter_reaches_workbench_tables_and_a_line_that_clears_it(result: AppTest) -> None:
    assert workbenches(result)[0]["view"]["filter"] is None
    everything = open_table(result, "All segments")
    widget(result, "People").set_value([2])
    result.number_input[1].set_value(12.0)
    run(result)
    assert workbenches(result)[0]["view"]["filter"] == {
        "personIds": [2],
        "actions": None,
        "minConfidence": 0.0,
        "maxConfidence": None,
        "startS": 0.0,
        "endS": 12.0,
        "checked": None,
    }
    table = open_table(result, "All segments")
    assert set(table["Person"]) == {2}
    assert table["End (s)"].max() == 12.0
    assert set(open_table(result, "Who appeared when")["Person"]) == {2}
    assert f"Only Person 2 · 0.0 s to 12.0 s: {len(table)} of {len(everything)} segments" in words(result)
    press(result, "Show all")
    assert workbenches(result)[0]["view"]["filter"] is None
    assert open_table(result, "All segments").equals(everything)
    assert widget(result, "People").value == []
    assert not has_button(result, "Show all")


def test_filter_by_action_confidence_and_check(result: AppTest) -> None:
    server.context().workbench.edit(ANALYSIS_ID, [Check(1, 0.0, DURATION_S)])
    action = open_table(result, "All segments")["Action"].iloc[0]
    widget(result, "Actions").set_value([action])
    run(result)
    assert actions(result) == {action}
    choose_thresholds(result, 1.0)
    assert widget(result, "Actions").value == [action], "a threshold that leaves no such segment keeps the choice"
    press(result, "Show all")
    choose_thresholds(result, 0.0)
    widget(result, "Confidence").set_value((0.0, 0.6))
    run(result)
    assert 0 < open_table(result, "All segments")["Probability"].max() <= 0.6
    press(result, "Show all")
    (checked,) = [one for one in result.segmented_control if one.label == "Checked by you"]
    checked.set_value("Checked")
    run(result)
    assert set(open_table(result, "All segments")["Person"]) == {1}


def test_filter_is_kept_on_another_page_and_not_for_another_analysis(result: AppTest, tmp_path: Path) -> None:
    widget(result, "People").set_value([3])
    run(result)
    result.switch_page("pages/compare.py").run()
    result.switch_page("pages/analyse.py").run()
    assert not result.exception
    assert workbenches(result)[0]["view"]["filter"]["personIds"] == [3]
    assert widget(result, "People").value == [3]
    other = tmp_path / "other.mp4"
    other.write_bytes(b"another one")
    stored = store_analysis(tmp_path / "data", generated_timeline(3, DURATION_S, seed=2), other, "cd" * 16)
    tab(result).analyse.show(stored)
    result.query_params["run"] = stored.analysis_id
    run(result)
    assert workbenches(result)[0]["view"]["filter"] is None


def test_groups_are_made_stored_and_used_by_tables(result: AppTest) -> None:
    options = widget(result, "Its labels").options
    assert len(options) >= 400
    assert set(options[:4]) <= {one.top[0][0] for one in opened().machine.predictions}, "what is seen comes first"
    widget(result, "Group").set_value("moving")
    widget(result, "Its labels").set_value(["tai chi", "jogging", "yoga"])
    widget(result, "Everything else").set_value("something else")
    run(result)
    press(result, "Save")
    assert opened().revision.groups == LabelGroups({"moving": ("tai chi", "jogging", "yoga")}, "something else")
    assert actions(result) == {"moving", "something else"}
    assert set(open_table(result, "Time per action")["Action"]) == {"moving", "something else"}
    again = open_page(run=ANALYSIS_ID)
    choose_thresholds(again, 0.0)
    assert actions(again) == {"moving", "something else"}, "after a refresh too"
    assert widget(again, "Group").value == "moving"
    press(again, "Show the labels themselves")
    assert opened().revision.groups is None
    assert "moving" not in actions(again)


def test_saving_stores_what_was_typed_right_before(result: AppTest) -> None:
    """Regression: on a busy server, leaving the last field and pressing Save came in one run, and Save stored what the
    run before had drawn."""
    widget(result, "Group").set_value("moving")
    widget(result, "Its labels").set_value(["tai chi"])
    widget(result, "Everything else").set_value("something else")
    press(result, "Save")
    assert opened().revision.groups == LabelGroups({"moving": ("tai chi",)}, "something else")


def test_removing_a_group_twice_removes_it_once(result: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Regression: the second press of a double click reached a page that had not been drawn without the group yet."""
    press(result, "Add a group")
    draw_groups = label_groups.draw_groups
    presses = 0

    def pressed_again(*given: Any) -> None:
        nonlocal presses
        presses += 1
        if presses == 1:
            request_rerun()
        draw_groups(*given)

    monkeypatch.setattr(results, "draw_groups", pressed_again)
    [remove] = [one for one in result.button if one.key == "group-0-0-remove"]
    remove.click()
    run(result)
    assert presses == 2
    draft = tab(result).groups_draft
    assert draft is not None
    assert [row.row_id for row in draft.rows] == [1]
    assert not result.error


def test_who_only_looks_stores_no_groups(result: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitor, "_may_correct", lambda *_: False)
    widget(result, "Group").set_value("calm")
    widget(result, "Its labels").set_value(["yoga"])
    run(result)
    press(result, "Save")
    assert visitor.ONLY_LOOKS in words(result)
    uploader(result, "Groups from a file").upload("groups.json", groups_json(LabelGroups({"calm": ("yoga",)})).encode())
    run(result)
    assert visitor.ONLY_LOOKS in words(result)
    assert opened().revision.groups is None


def test_groups_that_contradict_themselves_are_told_and_not_stored(result: AppTest) -> None:
    widget(result, "Its labels").set_value(["yoga"])
    run(result)
    press(result, "Save")
    assert "The groups cannot be saved because a group has no name; change one of them." in words(result)
    widget(result, "Group").set_value("calm")
    run(result)
    press(result, "Add a group")
    second = [one for one in result.text_input if one.label == "Group"][1]
    second.set_value("Calm")
    run(result)
    press(result, "Save")
    assert "The groups cannot be saved because two groups are called 'calm'" in words(result)
    assert opened().revision.groups is None


def test_groups_come_from_a_file_and_a_bad_one_is_refused(result: AppTest) -> None:
    uploader(result, "Groups from a file").upload("mine.json", b'{"groups": 7}', "application/json")
    run(result)
    assert "'mine.json' is not a file of label groups" in words(result)
    groups = LabelGroups({"calm": ("yoga", "tai chi")})
    uploader(result, "Groups from a file").upload("mine.json", groups_json(groups).encode(), "application/json")
    run(result)
    assert "is not a file of label groups" not in words(result)
    assert opened().revision.groups == groups
    assert "calm" in actions(result)


def test_corrections_come_from_a_file_and_are_taken_back_and_brought_back(result: AppTest) -> None:
    made = Corrections((Name(1, "Anna"), Relabel(2, 1.0, 3.0, "serving"), Merge(9, 1)))
    of_this_video = corrections_json(made, generated_timeline().video.sha256).encode()
    of_another = corrections_json(made, "cd" * 32).encode()
    uploader(result, "Corrections from a file").upload("c.json", of_another, "application/json")
    run(result)
    assert "'c.json' corrects another video" in words(result)
    uploader(result, "Corrections from a file").upload("c.json", of_this_video, "application/json")
    run(result)
    assert "corrects another video" not in words(result)
    assert "1 correction is about people or moments that this analysis does not have" in words(result)
    table = open_table(result, "All segments")
    assert set(table["Name"]) == {"Anna", ""}
    serving = table[table["Action"] == "serving"]
    assert serving[["Start (s)", "End (s)", "Source"]].to_numpy().tolist() == [[1.0, 3.0, "human"]]
    press(result, "Start again without corrections")
    assert "serving" not in actions(result)
    press(result, "Bring back 3 corrections")
    assert opened().revision.corrections.edits == made.edits
    assert "serving" in actions(result)


def test_starting_again_keeps_a_correction_that_came_after_the_page_was_drawn(result: AppTest) -> None:
    """Regression: the press stored what the page had been drawn with, and the latest correction was gone for good."""
    workbench = server.context().workbench
    workbench.edit(ANALYSIS_ID, [Relabel(1, 1.0, 3.0, "serving")])
    run(result)
    workbench.edit(ANALYSIS_ID, [Name(2, "Anna")])
    press(result, "Start again without corrections")
    assert opened().revision.corrections == Corrections((), (Relabel(1, 1.0, 3.0, "serving"), Name(2, "Anna")))
    workbench.redo(ANALYSIS_ID)
    press(result, "Bring back 2 corrections")
    assert opened().revision.corrections == Corrections((Relabel(1, 1.0, 3.0, "serving"), Name(2, "Anna")))


def test_click_while_a_file_of_corrections_is_read_does_not_lose_it(
    result: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: each look at a tab's state ended the script if another run was asked for, and the file was gone."""
    made = Corrections((Name(1, "Anna"),))
    read = corrections_from_json

    def clicked_meanwhile(*given: Any) -> Corrections:
        request_rerun()
        return read(*given)

    monkeypatch.setattr(corrections_panel, "corrections_from_json", clicked_meanwhile)
    file = corrections_json(made, generated_timeline().video.sha256).encode()
    uploader(result, "Corrections from a file").upload("c.json", file, "application/json")
    run(result)
    assert opened().revision.corrections.edits == made.edits


def test_selected_row_takes_the_workbench_there(result: AppTest) -> None:
    table = open_table(result, "All segments")
    assert workbenches(result)[0]["goTo"] is None
    result.session_state["segments"] = {"selection": {"rows": [4], "columns": [], "cells": []}}
    run(result)
    goes_to = workbenches(result)[0]["goTo"]
    assert goes_to["timeS"] == pytest.approx(table["Start (s)"].iloc[4], abs=1e-3)
    run(result)
    assert workbenches(result)[0]["goTo"] == goes_to, "once"


def test_exports_have_what_is_shown(result: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    made: dict[str, Callable[[], bytes]] = {}

    def offer(_place: object, label: str, make: Callable[[], bytes], *_: object, **__: object) -> None:
        made[label] = make

    monkeypatch.setattr(exports, "offer_download", offer)
    server.context().workbench.edit(ANALYSIS_ID, [Name(2, "Anna"), Check(2, 0.0, DURATION_S)])
    widget(result, "People").set_value([2])
    run(result)
    rows = rows_of(made["Timeline as CSV"]())
    assert {(row["person_name"], row["source"], row["checked"]) for row in rows} == {("Anna", "machine", "1")}
    with zipfile.ZipFile(io.BytesIO(made["Everything (ZIP)"]())) as archive:
        assert "FILTER: the segments and summaries are only of\n  Anna\n" in archive.read("README.txt").decode()
    assert json.loads(made["Analysis (JSON)"]())["filter"]["person_ids"] == [2]
