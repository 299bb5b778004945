"""Corrections that stay in memory while the database cannot take them, and are stored when it can."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from recognizer.errors import RecognizerError, StoreError
from recognizer.service.corrections import CorrectionStore, Revision
from recognizer.service.database import Database
from recognizer.service.unsaved import Unsaved

_log = logging.getLogger(__name__)

_MOST_KNOWN: Final = 256
"""Analyses whose latest stored corrections are remembered, so that they can be changed without the database."""

_Change = Callable[[Revision], Revision]


@dataclass(eq=False)
class _Pending:
    """Changes that the database has not taken, and the corrections with them."""

    revision: Revision
    changes: list[_Change] = field(default_factory=list)


class KeptCorrections(CorrectionStore):
    """Stores corrections; those that cannot be stored now are kept, and stored when that is possible.

    Kept changes are made again, in their order, on what is stored by then.
    """

    def __init__(self, database: Database, unsaved: Unsaved) -> None:
        super().__init__(database)
        self._unsaved = unsaved
        self._turn = threading.RLock()  # the thread that stores kept changes must not meet a new one
        self._known: OrderedDict[str, Revision] = OrderedDict()
        self._pending: dict[str, _Pending] = {}

    def expect_none(self, analysis_id: str) -> None:
        """Note that an analysis is new, and has no corrections, whether or not the database can be asked."""
        with self._turn:
            if analysis_id not in self._known:
                self._remember(analysis_id, Revision())

    def problem(self, analysis_id: str) -> str | None:
        """Return why the latest corrections are not stored, in a sentence; None if they are."""
        return self._unsaved.problem(unsaved_id(analysis_id))

    def number(self, analysis_id: str) -> int:
        """Return the number of the latest revision; 0 if nothing was ever corrected."""
        with self._turn:
            pending = self._pending.get(analysis_id)
        if pending is not None:
            return pending.revision.number
        try:
            return super().number(analysis_id)
        except StoreError:
            if (known := self._known.get(analysis_id)) is None:
                raise
            return known.number

    def load(self, analysis_id: str) -> Revision:
        """Return the latest revision, or the latest known if the database cannot be read.

        Raises:
            StoreError: it is damaged, a later version of this program wrote it, or nothing is known.
        """
        with self._turn:
            pending = self._pending.get(analysis_id)
        if pending is not None:
            return pending.revision
        try:
            revision = super().load(analysis_id)
        except StoreError:
            if (known := self._known.get(analysis_id)) is None:
                raise
            return known
        self._remember(analysis_id, revision)
        return revision

    def _change(self, analysis_id: str, change: _Change) -> Revision:
        with self._turn:
            pending = self._pending.get(analysis_id)
            if pending is None:
                try:
                    after = super()._change(analysis_id, change)
                except StoreError as error:
                    if (known := self._known.get(analysis_id)) is None:
                        raise
                    pending, problem = _Pending(known), str(error)
                else:
                    self._remember(analysis_id, after)
                    return after
            else:
                problem = self.problem(analysis_id) or ""
            after = change(pending.revision)
            if after is not pending.revision:
                pending.changes.append(change)
                pending.revision = after
                self._pending[analysis_id] = pending
                self._unsaved.keep(unsaved_id(analysis_id), partial(self._store, analysis_id), after, problem)
            return after

    def _store(self, analysis_id: str) -> None:
        """Store the kept changes of an analysis.

        Raises:
            StoreError: the database still cannot take them.
        """
        with self._turn:
            pending = self._pending.get(analysis_id)
            while pending is not None and pending.changes:
                try:
                    self._remember(analysis_id, super()._change(analysis_id, pending.changes[0]))
                except StoreError:
                    raise
                except RecognizerError as error:  # somebody has changed what it was about
                    _log.warning("a correction that was kept does not fit any more: %s", error)
                del pending.changes[0]
            self._pending.pop(analysis_id, None)

    def _remember(self, analysis_id: str, revision: Revision) -> None:
        with self._turn:
            self._known[analysis_id] = revision
            self._known.move_to_end(analysis_id)
            if len(self._known) > _MOST_KNOWN:
                self._known.popitem(last=False)


def unsaved_id(analysis_id: str) -> str:
    """Return the id under which corrections wait to be saved."""
    return f"corrections of {analysis_id}"
