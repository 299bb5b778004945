"""A browser's requests about a set of actions. Keys are in camel case; times are seconds on the video's clock."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

from recognizer.actions.model import ActionSet
from recognizer.dashboard.own_actions.documents import COLORS
from recognizer.errors import ActionsError
from recognizer.service.own_actions import OwnActions

_MOST_ANALYSES: Final = 100
"""As many as a browser remembers."""

_MOST_NAMED: Final = 24
"""Moments that one request names: as many as are found at once."""

AnalysisIds = Annotated[list[str], Meta(max_length=_MOST_ANALYSES)]


class Add(Struct, tag="add", frozen=True):
    """Add an action without examples."""

    name: str

    def apply(self, own: OwnActions, set_id: str) -> ActionSet:
        """Change the set and return it."""
        return own.add_action(set_id, self.name)


class Rename(Struct, tag="rename", frozen=True):
    """Give an action another name."""

    name: str
    to: str

    def apply(self, own: OwnActions, set_id: str) -> ActionSet:
        """Change the set and return it."""
        return own.rename_action(set_id, self.name, self.to)


class Recolor(Struct, tag="recolor", frozen=True):
    """Give an action another color."""

    name: str
    slot: Annotated[int, Meta(ge=0, lt=COLORS)]

    def apply(self, own: OwnActions, set_id: str) -> ActionSet:
        """Change the set and return it."""
        return own.recolor(set_id, self.name, self.slot)


class Remove(Struct, tag="remove", frozen=True):
    """Remove an action with its examples."""

    name: str

    def apply(self, own: OwnActions, set_id: str) -> ActionSet:
        """Change the set and return it."""
        return own.remove_action(set_id, self.name)


class Move(Struct, tag="move", frozen=True):
    """Make an example one of another action, or of none of these."""

    example: str
    to: str | None

    def apply(self, own: OwnActions, set_id: str) -> ActionSet:
        """Change the set and return it."""
        return own.move_example(set_id, self.example, self.to)


class RemoveExample(Struct, tag="removeExample", frozen=True):
    """Remove an example."""

    example: str

    def apply(self, own: OwnActions, set_id: str) -> ActionSet:
        """Change the set and return it."""
        return own.remove_example(set_id, self.example)


class Undo(Struct, tag="undo", frozen=True):
    """Take the last change back, which made this revision; None for whichever it is."""

    revision: int | None = None

    def apply(self, own: OwnActions, set_id: str) -> ActionSet:
        """Change the set and return it.

        Raises:
            ActionsError: another tab has changed the set since, and would lose its change.
        """
        known = own.load(set_id)
        if known is not None and self.revision not in (None, known.revision):
            raise ActionsError("the set has been changed elsewhere since, so this is not undone; load the page again.")
        return own.undo(set_id)


Change = Add | Rename | Recolor | Remove | Move | RemoveExample | Undo


class MomentRequest(Struct, rename="camel", frozen=True):
    """A stretch of a person's time in an analysis."""

    analysis_id: str
    person_id: int
    start_s: float
    end_s: float


class NameRequest(Struct, rename="camel", frozen=True):
    """Moments that become examples of an action; None for none of these."""

    moments: Annotated[list[MomentRequest], Meta(min_length=1, max_length=_MOST_NAMED)]
    action: str | None


class SearchRequest(Struct, rename="camel", frozen=True):
    """The analyses to search: the browser's own."""

    analyses: AnalysisIds


class AlikeRequest(SearchRequest, rename="camel", frozen=True, kw_only=True):
    """Look for moments like an example."""

    example: str
