"""Small products of matrices on one thread: several threads wait for each other.

While an analysis ran, two threads took twelve times as long as one to measure a set of a hundred examples.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache, wraps
from typing import ParamSpec, TypeVar

from threadpoolctl import ThreadpoolController

Given = ParamSpec("Given")
Result = TypeVar("Result")

_turn = threading.RLock()
"""All threads of the program share the number of threads, so one at a time sets it and sets it back."""


@cache
def _products() -> ThreadpoolController:
    """Return what controls the threads of NumPy's and SciPy's products; looking for it takes a while."""
    import scipy.linalg  # noqa: F401 - it has a library of its own, which only counts once it is loaded

    return ThreadpoolController().select(user_api="blas")


def on_one_thread(work: Callable[Given, Result]) -> Callable[Given, Result]:
    """Return a function whose products of matrices run on one thread, one call after the other."""

    @wraps(work)
    def alone(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        with _turn, _products().limit(limits=1):
            return work(*args, **kwargs)

    return alone
