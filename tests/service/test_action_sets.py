"""Sets in the database: every change is stored at once, undone in order, and lost to nobody."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from functools import partial
from random import Random

import pytest

from recognizer.actions.model import ActionSet, OwnAction, with_examples, with_network
from recognizer.errors import ActionsError
from recognizer.service import action_set_rows
from recognizer.service.action_sets import ActionSetStore, Chosen
from recognizer.service.database import Database
from tests.support.action_sets import CLIPS, SPACE, action_set, example, jpeg
from tests.support.environment import ROOT

pytestmark = pytest.mark.slow

WHOLE = action_set("walk", "sit", None, pictures=3)


@pytest.fixture
def sets(database: Database) -> ActionSetStore:
    return ActionSetStore(database)


@pytest.fixture
def set_id(sets: ActionSetStore) -> str:
    made = sets.create("Everyday")
    sets.change(made, "fill", lambda before: filled(before))
    return made


def filled(before: ActionSet) -> ActionSet:
    return replace(WHOLE, set_id=before.set_id, title=before.title, revision=before.revision)


def loaded(sets: ActionSetStore, set_id: str) -> ActionSet:
    found = sets.load(set_id)
    assert found is not None
    return found


def state_of(found: ActionSet) -> object:
    return found.title, found.actions, {(one.example_id, one.action) for one in found.examples}, found.sha256


def test_a_set_comes_back_as_it_was(sets: ActionSetStore, set_id: str) -> None:
    found = sets.load(set_id, with_pictures=True)
    assert found is not None
    assert (found.title, found.space, found.clips, found.actions) == (
        "Everyday",
        WHOLE.space,
        WHOLE.clips,
        WHOLE.actions,
    )
    assert found.sha256 == WHOLE.sha256
    assert [one.pictures for one in found.examples] == [one.pictures for one in WHOLE.examples]
    assert [one.added_at for one in found.examples] == [one.added_at for one in WHOLE.examples]
    lean = loaded(sets, set_id)
    assert all(one.pictures == () and one.picture_count == 3 for one in lean.examples)
    first = lean.examples[0].example_id
    assert sets.picture(set_id, first, 1) == WHOLE.examples[0].pictures[1]
    assert sets.picture(set_id, first, 3) is None
    assert sets.picture("another", first, 1) is None
    (summary,) = sets.summaries(["none", set_id, set_id])
    assert (summary.names, summary.examples, summary.videos) == (("walk", "sit"), 12, 2)
    assert sets.load("none") is None


def test_any_changes_are_undone_one_by_one(sets: ActionSetStore, set_id: str) -> None:
    random = Random(5)
    states = [state_of(loaded(sets, set_id))]
    for number in range(20):
        sets.change(set_id, f"change {number}", partial(altered, number=number, random=random))
        states.append(state_of(loaded(sets, set_id)))
    revisions = [loaded(sets, set_id).revision]
    for number, before in reversed(list(enumerate(states[:-1]))):
        assert sets.undo_words(set_id) == f"change {number}"
        assert state_of(sets.undo(set_id)) == before
        revisions.append(loaded(sets, set_id).revision)
    assert revisions == sorted(set(revisions))  # undo is a change too: nothing computed before it is taken for it


def altered(before: ActionSet, number: int, random: Random) -> ActionSet:
    """Another set after a change of a random kind."""
    if number % 4 == 0 or not before.examples:
        return with_examples(before, [example(random.choice(("walk", "run", None)), number, video=7)])
    one = random.choice(before.examples)
    if number % 4 == 1:
        return replace(before, examples=tuple(other for other in before.examples if other is not one))
    if number % 4 == 2:
        moved = (replace(other, action="walk") if other is one else other for other in before.examples)
        return replace(before, examples=tuple(moved))
    return replace(before, title=f"Title {number}", actions=(*before.actions, OwnAction(f"action {number}", number)))


def test_a_removed_example_comes_back_with_its_action(sets: ActionSetStore, set_id: str) -> None:
    gone = WHOLE.examples_of("sit")[0].example_id
    sets.change(
        set_id,
        "remove sit",
        lambda before: replace(before, actions=before.actions[:1], examples=before.examples_of("walk")),
    )
    restored = sets.restore(set_id, gone)
    assert restored.names == ("walk", "sit")
    assert [one.example_id for one in restored.examples_of("sit")] == [gone]
    assert sets.restore(set_id, gone).revision == restored.revision  # it is there already
    assert sets.picture(set_id, gone, 0) is not None
    with pytest.raises(ActionsError, match="no longer stored"):
        sets.restore(set_id, "none")


def test_what_cannot_be_undone_any_more_is_deleted(
    sets: ActionSetStore, set_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(action_set_rows, "MOST_CHANGES", 3)
    gone = WHOLE.examples[0].example_id
    sets.change(set_id, "remove", lambda before: replace(before, examples=before.examples[1:]))
    for number in range(3):
        assert sets.picture(set_id, gone, 0) is not None
        sets.change(set_id, "title", partial(replace, title=str(number)))
    assert sets.picture(set_id, gone, 0) is None
    for _ in range(5):
        sets.undo(set_id)
    assert loaded(sets, set_id).title == "Everyday"
    assert len(loaded(sets, set_id).examples) == 11


def test_a_change_that_raises_stores_nothing(sets: ActionSetStore, set_id: str) -> None:
    def fail(before: ActionSet) -> ActionSet:
        raise ActionsError("no")

    before = loaded(sets, set_id)
    with pytest.raises(ActionsError):
        sets.change(set_id, "fail", fail)
    assert sets.change(set_id, "nothing", lambda before: before).revision == before.revision
    assert state_of(loaded(sets, set_id)) == state_of(before)
    with pytest.raises(ActionsError, match="not on this machine"):
        sets.change("none", "x", filled)


def test_an_analysis_remembers_its_set_and_notices_changes(sets: ActionSetStore, set_id: str) -> None:
    assert sets.chosen("one") == Chosen()
    assert sets.choose("one", set_id, "beside") == Chosen(set_id, "beside", 1)
    assert sets.choose("one", set_id, "beside").number == 1  # nothing changed
    sets.change(set_id, "title", lambda before: replace(before, title="Other"))
    sets.undo(set_id)
    assert sets.chosen("one").number == 3
    other = sets.create("Another")
    sets.change(other, "title", lambda before: replace(before, title="x"))
    assert sets.choose("one", None, "only") == Chosen(None, "only", 4)
    assert sets.chosen("two").number == 0


def test_two_tabs_lose_nothing(sets: ActionSetStore, set_id: str) -> None:
    def add(video: int) -> None:
        for number in range(10):
            sets.change(set_id, "add", partial(with_examples, examples=[example("run", number, video=video)]))

    threads = [threading.Thread(target=add, args=(video,)) for video in (10, 11, 12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = loaded(sets, set_id)
    assert len(found.examples_of("run")) == 30
    assert found.revision == 32


_MARKS = """
import sys
from recognizer.actions.model import with_examples
from recognizer.service.action_sets import ActionSetStore
from tests.support.action_sets import example
from tests.support.postgres import opened

sets = ActionSetStore(opened(sys.argv[1]))
for number in range(100_000):
    sets.change(sys.argv[2], "mark", lambda before: with_examples(before, [example("run", number, pictures=3)]))
    print(number, flush=True)
"""


def test_a_kill_between_any_two_marks_loses_none(sets: ActionSetStore, place: str) -> None:
    set_id = sets.create("Killed")
    command = [sys.executable, "-c", _MARKS, place, set_id]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "0\n"
        time.sleep(Random(3).uniform(0.05, 0.3))
        process.send_signal(signal.SIGKILL)
        acknowledged = int((process.stdout.read().split() or ["0"])[-1])
    found = sets.load(set_id, with_pictures=True)
    assert found is not None
    # the last one may have been stored and not yet acknowledged
    assert len(found.examples) in (acknowledged + 1, acknowledged + 2)
    assert {one.start_s for one in found.examples} == {3.0 * k for k in range(len(found.examples))}
    assert all(len(one.pictures) == 3 and one.pictures[0][:3] == jpeg()[:3] for one in found.examples)
    assert sets.undo(set_id).revision == found.revision + 1  # and the database can be written to


def test_what_was_taught_with_another_network_does_not_come_back(sets: ActionSetStore, set_id: str) -> None:
    gone = WHOLE.examples[0].example_id
    sets.change(set_id, "clear", lambda before: replace(before, examples=()))
    other = SPACE._replace(classifier="s3d")
    sets.change(set_id, "mark", lambda before: with_examples(with_network(before, other, CLIPS), [example("run", 1)]))
    assert sets.undo_words(set_id) == "mark"
    assert not sets.undo(set_id).examples
    assert sets.undo_words(set_id) is None
    with pytest.raises(ActionsError, match="no longer stored"):
        sets.restore(set_id, gone)


def test_names_typed_before_the_first_example_can_still_be_undone(sets: ActionSetStore) -> None:
    set_id = sets.create("New")
    sets.change(set_id, "add walk", lambda before: replace(before, actions=(OwnAction("walk"),)))
    sets.change(set_id, "mark", lambda before: with_examples(with_network(before, SPACE, CLIPS), [example("walk", 1)]))
    sets.undo(set_id)
    assert sets.undo_words(set_id) == "add walk"
    assert sets.undo(set_id).names == ()


def test_a_set_of_another_version_says_so_instead_of_failing_later(sets: ActionSetStore, set_id: str) -> None:
    one = WHOLE.examples[0]
    for odd in (
        replace(one, example_id="a", features=one.features[:2]),
        replace(one, example_id="b", posture=one.posture[:-1]),
    ):
        other = sets.create("Older")
        sets.change(other, "fill", lambda before, odd=odd: replace(filled(before), examples=(odd,)))  # type: ignore[misc]
        with pytest.raises(ActionsError, match="'Older' were marked with another version"):
            sets.load(other)
        assert sets.summaries([other])[0].title == "Older"  # it can still be listed, and taken off the list
