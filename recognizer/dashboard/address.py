"""The page's address holds the id of what the page shows, so that a refresh or a link finds it again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from recognizer.dashboard import state
from recognizer.errors import RecognizerError


@dataclass(frozen=True)
class Address:
    """One parameter of the address.

    Attributes:
        parameter: its name.
        missing: the sentence for an id that is not on this machine.
    """

    parameter: str
    missing: str

    def named(self) -> str | None:
        """Return the id in the address."""
        return st.query_params.get(self.parameter)

    def name(self, stored_id: str | None) -> None:
        """Put the id of what this tab shows into the address; None removes it."""
        self._write(stored_id)
        state.tab().restored[self._place] = stored_id

    def open(self, stored_id: str) -> None:
        """Put an id into the address that the next run of the page restores."""
        self._write(stored_id)
        self.forget()

    def forget(self) -> None:
        """Have the next run of the page restore the id in the address, even if an earlier run did so."""
        state.tab().restored.pop(self._place, None)

    def restore(self, current_id: str | None, restore: Callable[[str], bool]) -> str | None:
        """Restore the id in the address, once.

        Args:
            current_id: the id that this tab has. It is put into the address again after a visit to another page, whose
                address has no place for it.
            restore: restores an id; returns False if it is not on this machine.

        Returns:
            One sentence about what went wrong; None if nothing did.
        """
        named = self.named()
        if named is None:
            self.name(current_id)
            return None
        if state.tab().restored.get(self._place) == named:
            return None
        state.tab().restored[self._place] = named
        try:
            if restore(named):
                return None
        except RecognizerError as error:
            return str(error)
        self.name(None)
        return self.missing

    @property
    def _place(self) -> tuple[str, str]:
        return state.tab().page, self.parameter

    def _write(self, stored_id: str | None) -> None:
        if stored_id is None:
            st.query_params.pop(self.parameter, None)
        else:
            st.query_params[self.parameter] = stored_id


ANALYSIS = Address("run", "The analysis in the address is not on this machine; drop the video in and analyse it again.")
COMPARISON = Address(
    "comparison", "The comparison in the address is not on this machine; drop the video in and compare again."
)
ACTIONS = Address(
    "actions", "The set of actions in the address is not on this machine; import its file, or begin a new one."
)
BATCH = Address("batch", "The batch in the address is not on this machine; choose another one.")
