"""Opened analyses and their corrections: kept, shared, undone, and quick with much."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from recognizer.comparison.model import Comparison, Entry
from recognizer.errors import CorrectionsError, StoreError
from recognizer.service import tables
from recognizer.service.comparisons import ComparisonStore
from recognizer.service.corrections import CorrectionStore, Revision
from recognizer.service.database import Database
from recognizer.service.movements import movements_of
from recognizer.service.opened import Opened
from recognizer.service.replays import Replays
from recognizer.service.shown import View
from recognizer.service.store import AnalysisStore, StoredAnalysis, StoredFile, now
from recognizer.service.workbench import Workbench
from recognizer.settings import Settings
from recognizer.timeline.corrections import Corrected, Corrections
from recognizer.timeline.edits import Hide, Merge, Name, Relabel, Split, Together
from recognizer.timeline.groups import LabelGroups
from recognizer.timeline.lineage import Source
from recognizer.timeline.model import UNCOUNTED, Timeline
from recognizer.timeline.segments import close_second
from tests.support.edits import random_edit
from tests.support.environment import ROOT
from tests.support.waiting import WAIT_S, wait_until
from tests.support.workbench import generated_timeline

TIMELINE = generated_timeline(4, 6.0, action_s=2.0)
ALL = View(0.4, shows_brief=True)


@pytest.fixture
def store(request: pytest.FixtureRequest, tmp_path: Path) -> AnalysisStore:
    """In a folder; a test that uses ``database`` runs on each kind of it."""
    database = request.getfixturevalue("database") if "database" in request.fixturenames else None
    return AnalysisStore(tmp_path / "data", database=database)


@pytest.fixture
def workbench(store: AnalysisStore) -> Workbench:
    return opened_store(store)


def opened_store(store: AnalysisStore) -> Workbench:
    return Workbench(store, ComparisonStore(store))


def saved(store: AnalysisStore, analysis_id: str = "one", timeline: Timeline = TIMELINE) -> StoredAnalysis:
    return store.save_analysis(analysis_id, StoredFile(store.file_path("v.mp4"), "v.mp4", "ab" * 32, 1), timeline)


def opened(workbench: Workbench, analysis_id: str = "one") -> Opened:
    found = workbench.opened(analysis_id)
    assert found is not None
    return found


def state_of(corrected: Corrected) -> object:
    """Everything that a user sees of corrections."""
    people = [
        (track.person_id, track.presence, len(track.time_s), corrected.sources_of(track))
        for track in corrected.timeline.people
    ]
    return (
        people,
        corrected.segments(0.4),
        dict(corrected.names),
        dict(corrected.checked),
        dict(corrected.hidden),
        len(corrected.unfit),
    )


@settings(max_examples=5)
@given(st.integers(0, 2**32))
@example(463)
def test_timeline_after_n_undos_of_random_edits_equals_the_one_before(seed: int) -> None:
    random, replays, corrections = Random(seed), Replays(), Corrections()
    stored = StoredAnalysis("one", now(), "v.mp4", Path("v.mp4"), TIMELINE)

    def shown() -> Corrected:
        return replays.opened(stored, Revision(0, corrections)).corrected

    states = [state_of(shown())]
    for _ in range(100):
        corrections = corrections.add(random_edit(shown(), random))
        states.append(state_of(shown()))
    assert not shown().unfit
    for _ in range(8):
        back = random.randint(1, 40)
        for k in range(1, back + 1):
            corrections = corrections.undo()
            if k in (1, back):
                assert state_of(shown()) == states[-1 - k]
        for _ in range(back):
            corrections = corrections.redo()
        assert state_of(shown()) == states[-1]
    assert state_of(corrections.applied_to(TIMELINE)) == states[-1]  # without the states that are kept


@pytest.mark.usefixtures("database")
def test_every_edit_is_stored_and_undone_in_the_database(store: AnalysisStore, workbench: Workbench) -> None:
    saved(store)
    random = Random(7)
    states = [state_of(opened(workbench).corrected)]
    for _ in range(20):
        edit = random_edit(opened(workbench).corrected, random)
        changed = workbench.edit("one", [edit])
        assert changed is not None
        states.append(state_of(changed.corrected))
        assert changed.revision.number == len(states) - 1
    restarted = opened_store(store)
    assert state_of(opened(restarted).corrected) == states[-1]
    for before in states[-2::-1]:
        undone = restarted.undo("one")
        assert undone is not None
        assert state_of(undone.corrected) == before
    assert opened(workbench).undo_title is None  # the other server sees it
    for after in states[1:]:
        redone = workbench.redo("one")
        assert redone is not None
        assert state_of(redone.corrected) == after
    assert opened(restarted).revision.corrections == opened(workbench).revision.corrections


def test_edits_of_one_gesture_are_one_step(store: AnalysisStore, workbench: Workbench) -> None:
    saved(store)
    changed = workbench.edit("one", [Merge(3, 1), Together((Name(1, "Anna"), Hide(2)))])
    assert changed is not None
    assert changed.undo_title == "merge person 3 into Anna and 2 more"
    assert changed.hidden == {2: "Person 2"}
    undone = workbench.undo("one")
    assert undone is not None
    assert (undone.undo_title, undone.hidden) == (None, {})
    assert undone.redo_title == "merge person 3 into person 1 and 2 more"


def test_edits_of_which_one_does_not_fit_are_not_stored(store: AnalysisStore, workbench: Workbench) -> None:
    saved(store)
    with pytest.raises(CorrectionsError, match="person 9"):
        workbench.edit("one", [Name(1, "Anna"), Hide(9)])
    assert opened(workbench).revision.number == 0
    with pytest.raises(CorrectionsError, match="no edit"):
        workbench.edit("one", [])
    workbench.edit("one", [Hide(2)])  # and the turn is free again


def test_an_unknown_analysis_has_no_corrections(workbench: Workbench) -> None:
    assert workbench.opened("none") is None
    assert workbench.opened("none", "comparison") is None
    assert workbench.edit("none", [Hide(1)]) is None
    assert workbench.undo("none") is None
    assert workbench.redo("none") is None
    assert workbench.set_groups("none", None) is None


@pytest.mark.usefixtures("database")
def test_two_servers_never_lose_each_others_edits(store: AnalysisStore, open_database: Callable[[], Database]) -> None:
    saved(store)
    failures: list[BaseException] = []

    def correct(number: int) -> None:
        try:
            own = opened_store(AnalysisStore(store.folder, database=open_database()))
            for k in range(15):
                own.edit("one", [Name(1 + k % 4, f"{number}-{k}")])
        except BaseException as error:  # noqa: BLE001 - a thread has nobody who sees it
            failures.append(error)

    threads = [threading.Thread(target=correct, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    edits = CorrectionStore(store.database).load("one").corrections.edits
    names = [edit.name for edit in edits if isinstance(edit, Name)]
    assert sorted(names) == sorted(f"{number}-{k}" for number in range(3) for k in range(15))
    for number in range(3):
        mine = [name for name in names if name.startswith(f"{number}-")]
        assert mine == [f"{number}-{k}" for k in range(15)]


_APPENDS = """
import sys
from recognizer.service.corrections import CorrectionStore
from recognizer.timeline.edits import Name
from tests.support.postgres import opened

store = CorrectionStore(opened(sys.argv[1]))
for number in range(100_000):
    store.add("one", Name(1, str(number)), lambda revision: None)
    print(number, flush=True)
"""


@pytest.mark.usefixtures("database")
def test_a_kill_between_any_two_edits_loses_none(store: AnalysisStore, place: str) -> None:
    random, corrections, acknowledged = Random(3), CorrectionStore(store.database), -1
    command = [sys.executable, "-c", _APPENDS, place]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(2)] == ["0\n", "1\n"]
        time.sleep(random.uniform(0.05, 0.3))
        process.send_signal(signal.SIGKILL)
        acknowledged = int(["1", *process.stdout.read().split()][-1])
    edits = corrections.load("one").corrections.edits
    assert acknowledged > 0
    # the last one may have been stored and not yet acknowledged
    assert len(edits) in (acknowledged + 1, acknowledged + 2)
    assert [edit.name for edit in edits if isinstance(edit, Name)] == [str(k) for k in range(len(edits))]
    assert corrections.undo("one").number == len(edits) + 1  # and the database can be written to


def test_an_analysis_that_a_page_has_is_not_loaded_again(
    store: AnalysisStore, workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = saved(store)
    monkeypatch.setattr(store, "load_analysis", lambda _: pytest.fail("it was in memory"))
    workbench.hold(shown)
    assert opened(workbench).machine is shown.timeline
    workbench.edit("one", [Hide(1)])
    assert workbench.analysis("one") is shown
    again = replace(shown)  # as another tab has it
    workbench.hold(again)
    assert opened(workbench).stored is shown


def test_a_comparison_that_grew_is_shown_as_it_is_now(store: AnalysisStore, workbench: Workbench) -> None:
    comparisons = ComparisonStore(store)
    video = StoredFile(store.file_path("v.mp4"), "v.mp4", "ab" * 32, 1)
    one, other = (Entry(name, Settings(video_classifier_model=name), timeline=TIMELINE) for name in ("i3d", "s3d"))
    workbench.hold(comparisons.save("both", video, Comparison((replace(one, timeline=None),))))
    assert workbench.opened("both", "comparison") is None
    found: Opened | None = None
    for entries, lanes in (((one,), 4), ((one, other), 8)):
        kept = comparisons.save("both", video, Comparison(entries))
        workbench.hold(kept)
        found = workbench.opened("both", "comparison")
        assert found is not None
        assert found.is_comparison
        assert len(found.lanes()) == lanes
    assert found is not None
    keys = [lane.key for lane in found.lanes()]
    assert keys[:3] == ["p1", "p1-1", "p2"]
    shown = found.show(ALL)
    assert list(shown.lane_of) == sorted(shown.lane_of)
    assert len(shown.segments) == 2 * len(TIMELINE.segments(0.4))
    assert len(shown.likely(len(shown.segments) - 1)) == 5


def test_what_is_stored_again_under_the_same_id_is_shown(store: AnalysisStore, workbench: Workbench) -> None:
    workbench.hold(saved(store))
    assert len(opened(workbench).machine.people) == 4
    longer = saved(store, timeline=generated_timeline(5, 6.0))
    workbench.hold(longer)
    assert len(opened(workbench).machine.people) == 5


def test_groups_are_shown_and_survive_a_restart(store: AnalysisStore, workbench: Workbench) -> None:
    saved(store)
    workbench.edit("one", [Relabel(1, 1.0, 2.0, "yoga"), Merge(3, 1)])
    groups = LabelGroups({"calm": ("yoga", "tai chi", "reading book")})
    grouped = workbench.set_groups("one", groups)
    assert grouped is not None
    assert "calm" in grouped.labels
    assert "yoga" not in grouped.labels
    plain = Corrections((Relabel(1, 1.0, 2.0, "yoga"), Merge(3, 1))).applied_to(TIMELINE)
    assert grouped.corrected.segments(0.4) == groups.fold(plain).segments(0.4)
    assert opened(opened_store(store)).corrected.segments(0.4) == grouped.corrected.segments(0.4)
    undone = workbench.undo("one")  # edits and groups do not depend on one another
    assert undone is not None
    assert undone.revision.groups == groups
    without = workbench.set_groups("one", None)
    assert without is not None
    assert without.corrected.segments(0.4) == TIMELINE.segments(0.4)


def test_corrections_carry_over_to_the_same_people_only(store: AnalysisStore, workbench: Workbench) -> None:
    timeline = replace(TIMELINE, provenance={"detector_sha256": "0" * 64})
    saved(store, "one", timeline)
    saved(store, "same", replace(timeline, settings=replace(timeline.settings, video_classifier_model="s3d")))
    saved(store, "others", replace(timeline, settings=replace(timeline.settings, skip_frame=5)))
    saved(store, "partial", replace(timeline, complete=False))
    assert not workbench.carry_over("one", "same")  # there is nothing yet
    workbench.edit("one", [Name(1, "Anna")])
    workbench.edit("one", [Hide(2)])
    workbench.undo("one")
    assert not workbench.carry_over("one", "others")
    assert not workbench.carry_over("one", "partial")
    assert not workbench.carry_over("one", "none")
    assert workbench.carry_over("one", "same")
    copy = opened(workbench, "same")
    assert (copy.title(1), copy.undo_title, copy.redo_title) == ("Anna", "name person 1 Anna", None)
    assert not workbench.carry_over("one", "same")  # it has corrections of its own now
    workbench.undo("same")
    assert opened(workbench).title(1) == "Anna"


@pytest.mark.parametrize("smoothing_s", [0.0, 1.0])
def test_second_labels_are_counted_once_and_the_rest_in_the_background(
    store: AnalysisStore, workbench: Workbench, smoothing_s: float
) -> None:
    timeline = generated_timeline(8, 120.0, action_s=3.0)
    saved(store, timeline=replace(timeline, settings=replace(timeline.settings, smoothing_s=smoothing_s)))
    shown = opened(workbench).show(ALL)
    assert len(shown.segments) > 100
    at_first = shown.seconds()
    assert not at_first.is_complete
    workbench.count_seconds(shown)
    wait_until(lambda: shown.seconds().is_complete)
    likely = opened(workbench).machine.likely_labels(shown.segments)
    close = [close_second(*pair) for pair in zip(shown.segments, likely, strict=True)]
    assert shown.seconds().labels == [None if one is None else one[0] for one in close]
    assert len(list(filter(None, shown.seconds().labels))) > len(list(filter(None, at_first.labels)))
    assert opened(workbench).show(ALL) is shown
    merged = workbench.edit("one", [Merge(3, 1)])
    assert merged is not None
    before, after = opened(workbench).machine.by_person, merged.corrected.timeline.by_person
    assert after[2] is before[2]  # what was counted of others is not counted again


def test_counting_goes_on_after_a_pause(store: AnalysisStore, workbench: Workbench) -> None:
    saved(store, timeline=generated_timeline(8, 120.0, action_s=3.0))
    shown = opened(workbench).show(ALL)
    workbench.count_seconds(shown)
    workbench.pause_counting()
    workbench.count_seconds(shown)
    wait_until(lambda: shown.seconds().is_complete)
    assert shown.is_counted
    workbench.count_seconds(shown)  # there is nothing left


def test_what_a_page_needs_is_ready_when_an_analysis_has_ended(store: AnalysisStore, workbench: Workbench) -> None:
    analysis = saved(store)
    workbench.expect(analysis)
    movements = movements_of(analysis.timeline)
    assert movements.wait(WAIT_S)
    track = analysis.timeline.people[2]
    sources = (Source(3, 1.0, 2.0), Source(9, 3.0, 4.0))
    moving = movements.of(sources)
    assert moving[0][0] == 1.0
    assert moving[-1][1] == 2.0  # of a person who is not there, nothing is known
    assert len(movements.of(opened(workbench).corrected.sources_of(track))) >= len(track.presence)
    first = analysis.timeline.by_person[1]
    assert UNCOUNTED not in first.seconds(analysis.timeline.segments(View().min_confidence)[:1])


def test_damaged_corrections_say_what_to_do(store: AnalysisStore, workbench: Workbench) -> None:
    saved(store)
    workbench.edit("one", [Hide(1)])
    with store.database.transaction("damage") as connection:
        connection.execute(update(tables.edit).values(edit='{"edit": "from the future"}'))
    with pytest.raises(StoreError, match="install the latest version"):
        opened(opened_store(store))


def test_the_other_part_of_a_split_gets_a_number_that_nobody_had(store: AnalysisStore, workbench: Workbench) -> None:
    saved(store)
    workbench.edit("one", [Merge(4, 1)])
    assert opened(workbench).next_person_id == 5
    workbench.edit("one", [Split(1, 3.0, 5), Hide(5)])
    assert opened(workbench).next_person_id == 6
