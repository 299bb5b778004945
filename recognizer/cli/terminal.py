"""Output that the commands share: messages, tables, progress on standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from recognizer.cli.signals import raise_if_lost
from recognizer.errors import one_line
from recognizer.files import BYTES_PER_MB
from recognizer.limits import rate_text

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, ProgressColumn, TaskID
    from rich.table import Table

    from recognizer.weights import Progress as FetchProgress

_PIPE_WIDTH = 240
"""Width in columns without a terminal: every row stays on one line."""

ShowProgress = Callable[[float, float | None, float | None, float | None], None]
"""``show(done_s, duration_s, frames_per_s, remaining_s)``; None for each that is unknown."""


def complain(sentence: str) -> None:
    """Report an error on standard error."""
    _write_line(f"error: {sentence}")


def remark(sentence: str) -> None:
    """Report a remark on standard error."""
    _write_line(f"note: {sentence}")


def _write_line(line: str) -> None:
    sys.stderr.write(one_line(line) + "\n")
    sys.stderr.flush()


def table(columns: dict[str, bool]) -> Table:
    """Return an empty table; ``columns`` maps each header to whether it holds numbers."""
    from rich import box
    from rich.table import Table

    empty = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for number, (header, is_number) in enumerate(columns.items()):
        # numbers must not be cut, nor the name, which people type again; the rest wraps
        whole = is_number or number == 0
        empty.add_column(header, justify="right" if is_number else "left", no_wrap=whole, overflow="fold")
    return empty


def print_table(title: str, filled: Table, stdout: IO[str]) -> None:
    """Print a line and a table, as wide as the terminal, or as needed without one."""
    from rich.console import Console

    width = None if stdout.isatty() else _PIPE_WIDTH
    Console(file=stdout, width=width, markup=False, highlight=False, emoji=False).print(one_line(title), filled)


def stderr_console() -> Console:
    """Return a console on standard error, for progress."""
    from rich.console import Console

    return Console(file=sys.stderr, markup=False, highlight=False, emoji=False)


def shows_progress(quiet: bool) -> bool:
    """Return whether to show progress: only on a terminal, because bars do not belong in a file."""
    return not quiet and sys.stderr.isatty()


@contextmanager
def fetching(what: str, *, quiet: bool) -> Iterator[FetchProgress | None]:
    """Show ``what`` while the block runs; yield a callback for download progress, or None if nothing is shown."""
    if shows_progress(quiet):
        from rich.progress import TextColumn

        with bars(TextColumn("{task.fields[size]}")) as shown:
            yield _fetch_callback(shown, what)
    else:
        yield None
    raise_if_lost()


def bars(*more: ProgressColumn) -> Progress:
    """Return bars on standard error that disappear when they are done, with the columns ``more`` after each."""
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), *more)
    return Progress(*columns, console=stderr_console(), transient=True)


def _fetch_callback(shown: Progress, what: str) -> FetchProgress:
    waiting = shown.add_task(what, total=None, size="")
    tasks: dict[str, TaskID] = {}

    def show(name: str, done_bytes: int, total_bytes: int | None) -> None:
        shown.update(waiting, visible=False)
        if name not in tasks:
            tasks[name] = shown.add_task(f"fetching {name}", total=total_bytes, size="")
        of_total = "" if total_bytes is None else f" of {total_bytes / BYTES_PER_MB:.1f}"
        size = f"{done_bytes / BYTES_PER_MB:.1f}{of_total} MB"
        shown.update(tasks[name], completed=done_bytes, total=total_bytes, size=size)
        if done_bytes == total_bytes:
            # checking and loading take a moment too
            shown.update(waiting, visible=True)

    return show


@contextmanager
def working(what: str, quiet: bool) -> Iterator[ShowProgress]:
    """Show a bar on standard error while the block runs; yield its callback, which also notices a lost interrupt."""
    if not shows_progress(quiet):
        yield lambda *_: raise_if_lost()
        return
    from rich.progress import TaskProgressColumn, TextColumn

    columns = (TaskProgressColumn(), TextColumn("{task.fields[rate]}"), TextColumn("{task.fields[left]}"))
    with bars(*columns) as shown:
        task = shown.add_task(what, total=None, rate="", left="")

        def show(
            done_s: float, duration_s: float | None, frames_per_s: float | None, remaining_s: float | None
        ) -> None:
            raise_if_lost()
            shown.update(
                task,
                # a container may state too short a duration
                completed=done_s if duration_s is None else min(done_s, duration_s),
                total=duration_s,
                rate="" if frames_per_s is None else rate_text(frames_per_s),
                left="" if remaining_s is None else f"{_minutes(remaining_s)} left",
            )

        yield show


def _minutes(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
