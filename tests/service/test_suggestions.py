"""Looking for moments in analyses that are no longer in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from recognizer.service.action_sets import ActionSetStore
from recognizer.service.clip_index import FoundMoment
from recognizer.service.comparisons import ComparisonStore
from recognizer.service.own_actions import OwnActions
from recognizer.service.own_names import Naming
from recognizer.service.store import AnalysisStore, StoredFile
from recognizer.service.suggestions import _apart
from recognizer.service.workbench import Workbench
from recognizer.timeline.edits import Hide
from tests.support.featured import featured_timeline, labels_of, stretch_of

COUNT = 9
"""More analyses than stay opened."""


@pytest.fixture
def own(tmp_path: Path) -> OwnActions:
    """A server that was started after analyses were stored."""
    store = AnalysisStore(tmp_path / "data")
    for k in range(COUNT):
        timeline = featured_timeline(2, 20.0, seed=k + 1, sha256=f"{k:064x}")
        name = f"{k}.mp4"
        store.save_analysis(str(k), StoredFile(store.file_path(name), name, f"{k:064x}", 1), timeline)
    naming = Naming(ActionSetStore(store.database), store.features)
    return OwnActions(store, Workbench(store, ComparisonStore(store), naming), naming)


@pytest.fixture
def taught(own: OwnActions) -> str:
    set_id = own.create()
    timeline = featured_timeline(2, 20.0, seed=1, sha256=f"{0:064x}")
    for name, label in zip(("resting", "serving"), labels_of(timeline, 1)[:2], strict=True):
        own.add_example(set_id, "0", 1, *stretch_of(timeline, 1, label), name)
    return set_id


def test_second_search_opens_no_analysis(own: OwnActions, taught: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Regression: each search parsed all analyses but the latest six again, a third of a second for each hour."""
    ids = [str(k) for k in range(COUNT)]
    example = own.load(taught).examples[0]  # type: ignore[union-attr]
    first = own.alike_example(taught, example.example_id, ids)
    assert {one.analysis_id for one in first} <= set(ids)

    def opens(*_: Any) -> None:
        raise AssertionError("an analysis is opened")

    monkeypatch.setattr(Workbench, "opened", opens)
    assert own.alike_example(taught, example.example_id, ids) == first
    assert len(own.questions(taught, ids)) == 5
    assert isinstance(own.unknown_groups(taught, ids), list)


def test_hidden_person_is_not_found(own: OwnActions, taught: str) -> None:
    workbench = own._workbench
    ids = [str(k) for k in range(1, COUNT)]
    example = own.load(taught).examples[0]  # type: ignore[union-attr]
    (found, *_) = own.alike_example(taught, example.example_id, ids)
    workbench.edit(found.analysis_id, [Hide(found.person_id)])
    again = own.alike_example(taught, example.example_id, ids)
    assert (found.analysis_id, found.person_id) not in {(one.analysis_id, one.person_id) for one in again}


def test_moments_that_overlap_are_found_once() -> None:
    def moment(start_s: float, end_s: float, person_id: int = 1) -> FoundMoment:
        return FoundMoment("a", "a.mp4", person_id, start_s, end_s)

    given = [moment(5, 7), moment(6, 8), moment(1, 3), moment(3, 5), moment(4, 6), moment(6, 8, 2), moment(0, 9)]
    assert _apart(given, 9, []) == [given[0], given[2], given[3], given[5]]
    assert _apart(given, 2, [moment(4, 6)]) == [given[1], given[2]]
