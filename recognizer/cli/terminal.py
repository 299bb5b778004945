"""What the commands share on the terminal: one sentence, tables, progress on standard error."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, ProgressColumn, TaskID
    from rich.table import Table

    from recognizer.weights import Progress as FetchProgress

_PIPE_WIDTH = 240
"""Columns where no terminal sets a limit: every row stays on one line."""

BYTES_PER_MB = 10**6

ShowProgress = Callable[[float, float | None, float | None, float | None], None]
"""``show(done_s, duration_s, frames_per_s, remaining_s)``; None where unknown."""


def complain(sentence: str) -> None:
    """Say on standard error what is wrong."""
    _say(f"error: {sentence}")


def remark(sentence: str) -> None:
    """Say on standard error what a person should know."""
    _say(f"note: {sentence}")


def _say(line: str) -> None:
    sys.stderr.write(printable(line) + "\n")
    sys.stderr.flush()


def printable(text: str) -> str:
    """The text without characters that would steer a terminal; labels may come from anybody's file."""
    return "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) in ("Cc", "Cs") else c for c in text)


def table(columns: dict[str, bool]) -> Table:
    """An empty table; ``columns`` says of each header whether it holds numbers."""
    from rich import box
    from rich.table import Table

    empty = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for number, (header, is_number) in enumerate(columns.items()):
        # numbers and the name, which is typed again, must not be cut; the rest wraps
        whole = is_number or number == 0
        empty.add_column(header, justify="right" if is_number else "left", no_wrap=whole, overflow="fold")
    return empty


def print_table(title: str, filled: Table, stdout: IO[str]) -> None:
    """A line and a table. To the width of the terminal; as wide as it needs to be where there is none."""
    from rich.console import Console

    width = None if stdout.isatty() else _PIPE_WIDTH
    Console(file=stdout, width=width, markup=False, highlight=False, emoji=False).print(printable(title), filled)


def stderr_console() -> Console:
    """Standard error, for progress."""
    from rich.console import Console

    return Console(file=sys.stderr, markup=False, highlight=False, emoji=False)


def shows_progress(quiet: bool) -> bool:
    """Whether somebody watches: no bars go into a file."""
    return not quiet and sys.stderr.isatty()


@contextmanager
def fetching(what: str, *, quiet: bool) -> Iterator[FetchProgress | None]:
    """While the block runs, ``what`` is going on; gives the callback that shows what is downloaded, or None."""
    if not shows_progress(quiet):
        yield None
        return
    from rich.progress import TextColumn

    with _bars(TextColumn("{task.fields[size]}")) as bars:
        yield _fetch_callback(bars, what)


def _bars(*more: ProgressColumn) -> Progress:
    """Bars on standard error that go when they are done, with ``more`` behind each."""
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), *more)
    return Progress(*columns, console=stderr_console(), transient=True)


def _fetch_callback(bars: Progress, what: str) -> FetchProgress:
    waiting = bars.add_task(what, total=None, size="")
    tasks: dict[str, TaskID] = {}

    def show(name: str, done_bytes: int, total_bytes: int | None) -> None:
        bars.update(waiting, visible=False)
        if name not in tasks:
            tasks[name] = bars.add_task(f"fetching {name}", total=total_bytes, size="")
        of_total = "" if total_bytes is None else f" of {total_bytes / BYTES_PER_MB:.1f}"
        size = f"{done_bytes / BYTES_PER_MB:.1f}{of_total} MB"
        bars.update(tasks[name], completed=done_bytes, total=total_bytes, size=size)
        if done_bytes == total_bytes:
            # it is checked and loaded now, which takes a moment too
            bars.update(waiting, visible=True)

    return show


@contextmanager
def working(what: str, quiet: bool) -> Iterator[ShowProgress | None]:
    """A bar on standard error while the block runs; gives None where nobody watches."""
    if not shows_progress(quiet):
        yield None
        return
    from rich.progress import TaskProgressColumn, TextColumn

    told = (TaskProgressColumn(), TextColumn("{task.fields[rate]}"), TextColumn("{task.fields[left]}"))
    with _bars(*told) as bars:
        task = bars.add_task(what, total=None, rate="", left="")

        def show(
            done_s: float, duration_s: float | None, frames_per_s: float | None, remaining_s: float | None
        ) -> None:
            bars.update(
                task,
                # a container may promise less than there is
                completed=done_s if duration_s is None else min(done_s, duration_s),
                total=duration_s,
                rate="" if frames_per_s is None else f"{frames_per_s:.0f} frames/s",
                left="" if remaining_s is None else f"{_minutes(remaining_s)} left",
            )

        yield show


def _minutes(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
