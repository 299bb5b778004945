"""Keep the priority of a thread that encodes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def usual_priority() -> Iterator[None]:
    """Give the calling thread its priority back at the end of the ``with`` block.

    SVT-AV1 4.1, in PyAV 18.1, gives the thread that encodes the highest real-time priority where it may, as for root,
    and leaves it so (findings/svt-av1-real-time-priority.sh). All that the thread starts later inherits it, and on a
    machine with few cores nothing else gets one.
    """
    if not hasattr(os, "sched_getscheduler"):
        yield
        return
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        os.sched_setscheduler(0, *before)
