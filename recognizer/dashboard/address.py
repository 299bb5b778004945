"""The page's address holds the id of what the page shows, so that a refresh or a link finds it again."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import streamlit as st

from recognizer.dashboard import state
from recognizer.dashboard.streamlit_private import address_parameter, came_through_history
from recognizer.errors import RecognizerError

_log = logging.getLogger(__name__)

_LATE_S: Final = 2.0
"""A run that the browser asked for with the earlier address comes within this time; later, its user went back."""


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
        """Return the id in the address. A script is not interrupted here."""
        return address_parameter(self.parameter)

    def name(self, stored_id: str | None) -> None:
        """Put the id of what this tab shows into the address; None removes it."""
        self._fulfil(state.AddressWish(stored_id, True, self.named()))

    def open(self, stored_id: str) -> None:
        """Put an id into the address that the next run of the page restores."""
        self._fulfil(state.AddressWish(stored_id, False, self.named()))

    def forget(self) -> None:
        """Have the next run of the page restore the id in the address, even if an earlier run did so."""
        state.tab().restored.pop(self._place, None)

    def bring_back(
        self, page: state.AnalyseTab | state.CompareTab, result: Callable[[str], Any], job: Callable[[str], Any]
    ) -> None:
        """Bring back what a page had when it was closed. ``restore`` says why something cannot be.

        Args:
            page: what the page has.
            result: returns a result by its id, or None.
            job: returns a running job, or one that ended a short time ago, by its id, or None.
        """
        away, page.put_away = page.put_away, None
        if away is None:
            return
        try:
            page.shown = None if away.shown_id is None else result(away.shown_id)
        except RecognizerError as error:
            _log.info("a page's result cannot be had again: %s", error)
        page.job = None if away.job_id is None else job(away.job_id)  # if it has ended, the page takes its result
        if page.job is not None and page.job.has_let_go:
            page.job = None
        if page.job is None and (page.shown is None or away.job_id is not None):
            self.forget()

    def restore(
        self, current_id: str | None, restore: Callable[[str], bool], leave: Callable[[], None] | None = None
    ) -> str | None:
        """Restore the id in the address, once.

        Args:
            current_id: the id that this tab has. It is put into the address again after a visit to another page, whose
                address has no place for it.
            restore: restores an id; returns False if it is not on this machine.
            leave: shows what there is without an id, for whoever went back to before there was one; None to stay.

        Returns:
            One sentence about what went wrong; None if nothing did.
        """
        if leave is not None and came_through_history() and self.named() is None:
            state.tab().wished.pop(self._place, None)
            self.forget()
            leave()
            return None
        self._repeat_wish()
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
        except BaseException:  # Streamlit ends this run, because another was asked for
            self.forget()
            raise
        self.name(None)
        return self.missing

    @property
    def _place(self) -> tuple[str, str]:
        return state.tab().page, self.parameter

    def _fulfil(self, wish: state.AddressWish) -> None:
        """Put an id into the address; this may end the run, because another was asked for."""
        tab = state.tab()
        tab.wished[self._place] = wish
        if wish.stored_id is None:
            st.query_params.pop(self.parameter, None)
        else:
            st.query_params[self.parameter] = wish.stored_id
        if wish.is_shown:
            tab.restored[self._place] = wish.stored_id
        else:
            self.forget()
        tab.wished[self._place] = replace(wish, since_s=time.monotonic())

    def _repeat_wish(self) -> None:
        """Put an id into the address again if this run was asked for before the browser had it there."""
        wish = state.tab().wished.get(self._place)
        if wish is None or wish.stored_id == wish.instead_of or self.named() != wish.instead_of:
            return
        if wish.since_s is None or time.monotonic() - wish.since_s < _LATE_S:
            self._fulfil(wish)


ANALYSIS = Address("run", "The analysis in the address is not on this machine; drop the video in and analyse it again.")
COMPARISON = Address(
    "comparison", "The comparison in the address is not on this machine; drop the video in and compare again."
)
ACTIONS = Address(
    "actions", "The set of actions in the address is not on this machine; import its file, or begin a new one."
)
BATCH = Address("batch", "The batch in the address is not on this machine; choose another one.")
