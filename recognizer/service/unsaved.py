"""Results that could not be saved: they stay in memory, and are saved as soon as that is possible."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Final, TypeVar

from recognizer.errors import RecognizerError, StoreError
from recognizer.service.unforeseen import sentence_of

_log = logging.getLogger(__name__)

Content = TypeVar("Content")

_FIRST_WAIT_S: Final = 5.0
_LONGEST_WAIT_S: Final = 60.0
"""An attempt costs as much as saving does, so a disk that stays full is tried ever more rarely, down to this."""

MOST_KEPT: Final = 64
"""Results that wait at the same time; the oldest then waits only as long as a page shows it."""


@dataclass(eq=False)
class _Waiting:
    """A result that waits: how it is saved, what it holds in memory, and why it could not be saved last."""

    save: Callable[[], object]
    content: object
    problem: str


class Unsaved:
    """The results that wait to be saved, by id. Safe to call from any thread; a thread tries until none waits."""

    def __init__(self, first_wait_s: float = _FIRST_WAIT_S, longest_wait_s: float = _LONGEST_WAIT_S) -> None:
        self._first_wait_s, self._longest_wait_s = first_wait_s, longest_wait_s
        self._lock = threading.Lock()
        self._saving = threading.Lock()
        self._waiting: OrderedDict[str, _Waiting] = OrderedDict()
        self._retries = False

    def save(self, item_id: str, save: Callable[[], Content], unsaved: Callable[[], Content]) -> Content:
        """Save something; if that fails, keep it, and save it later.

        Args:
            item_id: identifies it; the latest with this id replaces earlier ones.
            save: saves it and returns it as stored; may be called again, on any thread.
            unsaved: returns it as it is in memory.
        """
        waits = self.problem(item_id) is not None  # then the thread must not store what is older
        try:
            with self._saving if waits else nullcontext():
                saved = save()
        except RecognizerError as error:
            content = unsaved()
            self.keep(item_id, save, content, _reason(error))
            return content
        self._forget(item_id)
        return saved

    def keep(self, item_id: str, save: Callable[[], object], content: object, problem: str) -> None:
        """Keep something that could not be saved, and try again in the background until it is."""
        with self._lock:
            self._waiting[item_id] = _Waiting(save, content, problem)
            self._waiting.move_to_end(item_id)
            if len(self._waiting) > MOST_KEPT:
                _log.error("too many results wait to be saved; the oldest is given up")
                self._waiting.popitem(last=False)
            starts, self._retries = not self._retries, True
        if starts:
            threading.Thread(target=self._retry, name="save later", daemon=True).start()

    def problem(self, item_id: str) -> str | None:
        """Return why something is not saved, in a sentence; None if it does not wait."""
        with self._lock:
            waiting = self._waiting.get(item_id)
            return None if waiting is None else waiting.problem

    def content(self, item_id: str) -> object | None:
        """Return what waits under an id; None if nothing does."""
        with self._lock:
            waiting = self._waiting.get(item_id)
            return None if waiting is None else waiting.content

    def save_now(self, item_id: str) -> None:
        """Try to save one thing; ``problem`` says whether it failed."""
        with self._saving:
            with self._lock:
                waiting = self._waiting.get(item_id)
            if waiting is None:
                return
            try:
                waiting.save()
            except StoreError as error:
                waiting.problem = error.reason
                return
            except Exception as error:  # noqa: BLE001 - it is logged, and the page says so
                waiting.problem = sentence_of(error)
                return
            with self._lock:
                if self._waiting.get(item_id) is waiting:
                    del self._waiting[item_id]
        _log.warning("a result that could not be saved at first is saved now")

    def _forget(self, item_id: str) -> None:
        with self._lock:
            self._waiting.pop(item_id, None)

    def _retry(self) -> None:
        """Save what waits until nothing does; the body of the thread."""
        pause, wait_s = threading.Event(), self._first_wait_s
        while True:
            pause.wait(wait_s)
            wait_s = min(2 * wait_s, self._longest_wait_s)
            with self._lock:
                item_ids = list(self._waiting)
            for item_id in item_ids:
                self.save_now(item_id)
            with self._lock:
                if not self._waiting:
                    self._retries = False
                    return


def _reason(error: RecognizerError) -> str:
    """Return why something is not saved; the page says what."""
    return error.reason if isinstance(error, StoreError) else str(error)
