"""Comparisons in the database: what a classifier adds, and the user's own labels beside it."""

from __future__ import annotations

from collections.abc import Callable

from recognizer.annotations.model import EVERYONE, Answers
from recognizer.comparison.model import Comparison, Entry
from recognizer.service.comparisons import ComparisonStore, StoredComparison
from recognizer.service.store import AnalysisStore, StoredFile
from recognizer.settings import Settings
from tests.support.workbench import generated_timeline

LABELS = b"start_s,end_s,person_id,action\r\n0,1,1,tai chi\r\n"
TIMELINE = generated_timeline(2, 6.0)


def entry(name: str, **values: object) -> Entry:
    return Entry(name, Settings(video_classifier_model=name), timeline=TIMELINE, **values)  # type: ignore[arg-type]


def video_of(store: AnalysisStore, name: str = "dance.mp4") -> StoredFile:
    return StoredFile(store.file_path(name), name, "ab" * 32, 0)


def loaded(comparisons: ComparisonStore, comparison_id: str) -> StoredComparison:
    found = comparisons.load(comparison_id)
    assert found is not None
    return found


def test_a_comparison_that_grows_keeps_its_time_and_the_users_labels(open_store: Callable[[], AnalysisStore]) -> None:
    store = open_store()
    comparisons = ComparisonStore(store)
    first = comparisons.save("one", video_of(store), Comparison((entry("i3d"),)))
    comparisons.save_truth("one", "mine.csv", LABELS)
    answers = Answers("part", {"Anna": 1, "gestures": EVERYONE}, ("waving",), 3600.5)
    comparisons.save_answers("one", answers)
    both = Comparison((entry("i3d"), entry("s3d", problem="it stopped; try again.")))
    second = comparisons.save("one", video_of(store), both)
    found = loaded(ComparisonStore(open_store()), "one")
    assert first.created_at == second.created_at == found.created_at
    assert [one.name for one in found.comparison.entries] == ["i3d", "s3d"]
    assert found.comparison.entries[1].problem == "it stopped; try again."
    assert found.video == video_of(store)
    assert found.answers == second.answers == answers
    assert found.labels is not None
    assert [label.action for label in found.labels.parts[0].labels] == ["tai chi"]
    comparisons.save_truth("one", None, None)
    assert loaded(comparisons, "one").labels is None
    assert loaded(comparisons, "one").answers == Answers()


def test_a_list_has_the_comparisons_that_are_there_the_latest_first(open_store: Callable[[], AnalysisStore]) -> None:
    store = open_store()
    comparisons = ComparisonStore(store)
    for comparison_id in ("one", "two", "three"):
        comparisons.save(comparison_id, video_of(store, f"{comparison_id}.mp4"), Comparison(()))
    assert comparisons.has("one")
    assert not comparisons.has("\0")
    assert comparisons.load("none") is None
    listed = comparisons.stored_comparisons(["one", "gone", "three", *map(str, range(2000))])
    assert [(one.item_id, one.name) for one in listed] == [("three", "three.mp4"), ("one", "one.mp4")]
