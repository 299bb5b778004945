"""The progress of a batch on standard error: a bar on a terminal, lines in a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from recognizer.batch.driver import Watch
from recognizer.batch.tally import Tally
from recognizer.cli.signals import raise_if_lost
from recognizer.cli.terminal import bars, complain, remark, shows_progress

_LINE_EVERY_S: Final = 30.0


@dataclass
class BatchProgress:
    """Shows how far a batch is, and notices an interrupt that was lost.

    Attributes:
        text: the latest line.
    """

    draw: Callable[[Tally], None]
    say: Callable[[str], None]
    text: str = "nothing was done"

    @property
    def watch(self) -> Watch:
        """What the batch calls."""
        return Watch(self._see, complain, raise_if_lost)

    def _see(self, tally: Tally) -> None:
        raise_if_lost()
        self.text = tally.text
        self.draw(tally)


@contextmanager
def batch_progress(*, plain: bool, quiet: bool) -> Iterator[BatchProgress]:
    """Show progress while the block runs.

    Args:
        plain: lines instead of a bar, also on a terminal.
        quiet: nothing.
    """
    if quiet:
        yield BatchProgress(lambda _: None, lambda _: None)
    elif plain or not shows_progress(quiet):
        yield BatchProgress(_Lines().see, remark)
    else:
        from rich.progress import TextColumn

        with bars(TextColumn("{task.fields[line]}")) as shown:
            task = shown.add_task("batch", total=None, line="")

            def draw(tally: Tally) -> None:
                shown.update(task, total=tally.total, completed=tally.ended, line=tally.text)

            yield BatchProgress(draw, remark)


class _Lines:
    """Writes a line now and then."""

    def __init__(self) -> None:
        self._written_s = time.monotonic()

    def see(self, tally: Tally) -> None:
        if time.monotonic() - self._written_s >= _LINE_EVERY_S:
            self._written_s = time.monotonic()
            remark(f"{tally.text}.")
