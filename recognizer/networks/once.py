"""A value that is made when it is first needed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

_Value = TypeVar("_Value")


class Once(Generic[_Value]):
    """Makes a value when it is first called, and returns the same one from then on, to every thread.

    If making it raises, the caller gets the error, and the next call tries again.

    Args:
        make: makes the value.
    """

    def __init__(self, make: Callable[[], _Value]) -> None:
        self._make = make
        self._made: list[_Value] = []
        self._lock = threading.Lock()

    def __call__(self) -> _Value:
        """Return the value."""
        with self._lock:
            if not self._made:
                self._made.append(self._make())
            return self._made[0]

    @property
    def is_made(self) -> bool:
        """Whether the value exists."""
        return bool(self._made)
