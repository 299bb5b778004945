"""Change a live stream's settings on a thread of its own, because loading networks takes seconds."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping

from recognizer.errors import RecognizerError
from recognizer.settings import Settings

_log = logging.getLogger(__name__)

Change = Callable[[Settings | None], None]
"""Loads the networks of the settings and uses them from then on; if they are unavailable, raises without a change."""


class SettingsThread:
    """Runs the latest change of each kind; a waiting change is skipped when a later one of its kind arrives.

    Args:
        changes: the function that makes the change, by kind.
        in_use: the settings of each kind that the stream begins with.
    """

    def __init__(self, changes: Mapping[str, Change], in_use: Mapping[str, Settings | None]) -> None:
        self._changes = changes
        self._asked = dict(in_use)
        self._wanted: dict[str, Settings | None] = {}
        self._problems: dict[str, str] = {}
        self._closed = False
        self._condition = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="live-change", daemon=True)
        self._thread.start()

    @property
    def is_changing(self) -> bool:
        """Whether a change is waiting or under way."""
        return bool(self._wanted)

    @property
    def problems(self) -> list[str]:
        """One sentence for each kind whose latest change failed; the settings before it are still in use."""
        with self._condition:
            return list(self._problems.values())

    def wanted(self, kind: str) -> Settings | None:
        """Return the settings of this kind that are about to be used; None if there are none."""
        with self._condition:
            return self._wanted.get(kind)

    def ask(self, kind: str, settings: Settings | None) -> None:
        """Request these settings, without waiting."""
        with self._condition:
            if settings == self._asked.get(kind):
                return  # even if they failed: the same request would fail again
            self._asked[kind] = self._wanted[kind] = settings
            self._condition.notify_all()

    def _work(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._closed or bool(self._wanted))
                if self._closed:
                    return
                kind, wanted = next(iter(self._wanted.items()))
            problem = self._try(self._changes[kind], wanted)
            with self._condition:
                if problem is not None:
                    self._problems[kind] = problem
                else:
                    self._problems.pop(kind, None)
                if self._wanted.get(kind) == wanted:
                    self._wanted.pop(kind, None)

    def _try(self, change: Change, wanted: Settings | None) -> str | None:
        try:
            change(wanted)
        except RecognizerError as error:
            return str(error)
        except Exception:  # noqa: BLE001 - it is logged and reported; the stream continues with its current networks
            _log.exception("settings could not be changed")
            return "The settings could not be changed; the server's log says why."
        return None

    def close(self, timeout_s: float) -> None:
        """End the thread; a change that is under way is finished first."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()
        self._thread.join(timeout_s)
