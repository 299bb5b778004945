"""Which lines and branches of the project the tests run; printed by ``.ci/run``.

Before Python 3.14, whatever traces branches traces every line of every library too, which doubles the processor time of
the tests. SlipCover adds its counters to the project's own code alone, when a worker imports it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from slipcover import Slipcover

VARIABLE = "RECOGNIZER_COVERAGE"
"""Environment variable that is 1 where workers shall measure."""

_SOURCE = "recognizer"
_EXCLUDED = (r"\.\.\.$",)
"""Besides what is only there for the type checker: bodies of protocols."""

_NEVER = 2**31 - 1
"""After so many calls of a counter, SlipCover would replace functions that run; calls are cheap enough."""


def _begin() -> Slipcover | None:
    if os.environ.get(VARIABLE) != "1" or "PYTEST_XDIST_WORKER" not in os.environ:
        return None
    from slipcover import FileMatcher, ImportManager, Slipcover

    counters = Slipcover(branch=True, source=[_SOURCE], exclude_also=list(_EXCLUDED), d_miss_threshold=_NEVER)
    ImportManager(counters, FileMatcher(sources=[_SOURCE])).__enter__()
    return counters


COUNTERS = _begin()
"""Counts in all that this process imports from now on; None if it is no worker or need not measure."""


def counted(counters: Slipcover) -> str:
    """Return what a worker's tests ran, as text."""
    return json.dumps(counters.get_coverage())


def table(workers: Iterable[str]) -> Iterator[str]:
    """Yield the lines of a table of the files that the tests of all workers together did not run completely."""
    from slipcover import merge_coverage

    merged, *others = map(json.loads, workers)
    for other in others:
        merge_coverage(merged, other)
    yield f"{'':<60} {'lines':>6} {'missed':>6} {'branches':>8} {'missed':>6}"
    for name, one in sorted(merged["files"].items()):
        if one["summary"]["percent_covered"] < 100:
            yield _row(name, one["summary"])
    yield _row("all files", merged["summary"])


def _row(name: str, summary: dict[str, Any]) -> str:
    lines, branches = (
        (summary[f"covered_{kind}"] + summary[f"missing_{kind}"], summary[f"missing_{kind}"])
        for kind in ("lines", "branches")
    )
    share = f"{summary['percent_covered']:.0f}%"
    return f"{name:<60} {lines[0]:>6} {lines[1]:>6} {branches[0]:>8} {branches[1]:>6} {share:>5}"
