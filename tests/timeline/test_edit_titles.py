"""What the page says that undo takes back."""

from __future__ import annotations

import pytest

from recognizer.timeline.edit_titles import title_of
from recognizer.timeline.edits import (
    Add,
    Check,
    Cut,
    Delete,
    Edit,
    Hide,
    Join,
    Merge,
    MoveEdge,
    Name,
    Relabel,
    Restore,
    Split,
    Together,
)


@pytest.mark.parametrize(
    ("edit", "title"),
    [
        (Merge(3, 1), "merge person 3 into person 1"),
        (Split(1, 67.25, 4), "split person 1 at 1:07.2"),
        (Hide(2), "hide person 2"),
        (Hide(2, hidden=False), "show person 2"),
        (Name(1, "Anna"), "name person 1 Anna"),
        (Name(1, ""), "remove the name of person 1"),
        (Relabel(1, 59.96, 70.0, "yoga"), "relabel person 1 at 1:00.0 as yoga"),
        (Add(1, 3727.3, 3730.0, "yoga"), "add yoga to person 1 at 1:02:07.3"),
        (Join(1, 2.0, 3.0, "yoga"), "join segments of person 1 from 2.0 s as yoga"),
        (Delete(1, 2.0, 3.0), "delete a segment of person 1 at 2.0 s"),
        (Cut(1, 2.0, 2.5, 3.0, "yoga"), "cut yoga of person 1 at 2.5 s"),
        (MoveEdge(1, 2.0, 2.4, 1.0, "yoga"), "move an edge of person 1 to 2.4 s"),
        (Check(1, 2.0, 3.0), "check person 1 from 2.0 s"),
        (Check(1, 2.0, 3.0, checked=False), "uncheck person 1 from 2.0 s"),
        (Restore(1, 2.0, 3.0), "restore person 1 from 2.0 s"),
        (Together((Hide(1), Hide(2), Hide(3))), "hide person 1 and 2 more"),
        (Together((Hide(1),)), "hide person 1"),
    ],
)
def test_an_edit_has_a_title_in_plain_words(edit: Edit, title: str) -> None:
    assert title_of(edit) == title


def test_people_are_called_by_their_names() -> None:
    names = {1: "Anna", 3: "Ben"}
    assert title_of(Merge(3, 1), names.__getitem__) == "merge Ben into Anna"
