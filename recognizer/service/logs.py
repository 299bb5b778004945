"""Log messages as they may stand in a terminal: a message may repeat the name of anybody's file."""

from __future__ import annotations

import logging
import sys
from typing import Final

from recognizer.errors import one_line

_PACKAGE: Final = "recognizer"


class InertFormatter(logging.Formatter):
    """Formats records, with their tracebacks, without characters that steer a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the text of a record; its own line feeds stay."""
        return "\n".join(map(one_line, super().format(record).split("\n")))


def inert_handler(form: str) -> logging.Handler:
    """Return a handler that writes to standard error.

    Args:
        form: the form of a line, as ``logging.Formatter`` takes it.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(InertFormatter(form))
    return handler


def log_to_stderr() -> None:
    """Write this program's warnings and errors to standard error; further calls change nothing."""
    package = logging.getLogger(_PACKAGE)
    if not any(isinstance(one.formatter, InertFormatter) for one in package.handlers):
        handler = inert_handler("%(levelname)s %(name)s: %(message)s")
        handler.setLevel(logging.WARNING)
        package.addHandler(handler)
