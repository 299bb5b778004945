"""Text for the page."""

from __future__ import annotations

import os
import re

from recognizer.errors import capitalized, one_line
from recognizer.files import data_dir
from recognizer.limits import limits
from recognizer.weights import cache_dir

_PATH = re.compile(
    r"""(?<![\w/:.<])(?:
        (?:/|[A-Za-z]:[\\/])(?:[^/\\\n'"]+[/\\])+([^/\\\n'"]*)(?=['"])   # in quotes, where a path may have spaces
        | (?:/|[A-Za-z]:[\\/])(?:[^/\\\s'",;()]+[/\\])+([^/\\\s'",;()]*)
    )""",
    re.VERBOSE,
)
"""An absolute path with a folder in it; no address, whose two slashes follow a colon."""

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:&^=])")
_ADDRESS = re.compile(r"(?<=www)(?=\.)|(?<=http)(?=s?://)|(?=@)", re.IGNORECASE)
WORD_JOINER = "\u2060"
"""Invisible, and prevents a line break. Inside an address, it keeps GitHub-flavoured Markdown from linking it."""


def plain(text: str) -> str:
    """Escape text from outside, so that Markdown shows it literally: no links, no HTML, no formulas."""
    return _MARKDOWN.sub(r"\\\1", _ADDRESS.sub(WORD_JOINER, " ".join(one_line(text).split())))


def for_visitors(message: str) -> str:
    """Return a message with the names of files and folders instead of their paths on this server.

    On one person's own machine (``alone``), paths stay: they say where to look. The command line and the log keep them
    everywhere.
    """
    if limits().alone:
        return message
    for folder in (data_dir(), cache_dir().parent):  # whatever is in their names
        message = message.replace(f"{folder}{os.sep}", "")
    return _PATH.sub(lambda path: path[1] or path[2] or "a folder of the server", message)


def sentence(text: str) -> str:
    """Escape a message for the page and start it with a capital letter, or an address; see ``for_visitors``."""
    return plain(for_visitors(capitalized(text)))


def shortened(text: str, most: int = 24) -> str:
    """Leave out the middle of a text that is longer, such as a file's name: its ending stays."""
    kept = most - 1
    return text if len(text) <= most else f"{text[: kept - kept // 3]}…{text[-(kept // 3) :]}"


def seconds(value_s: float) -> str:
    """Format a duration: ``0.53 s``, ``12.3 s``."""
    return f"{value_s:.2f} s" if value_s < 10 else f"{value_s:.1f} s"


def people(count: int) -> str:
    """Format a number of people: ``1 person``, ``3 people``."""
    return "1 person" if count == 1 else f"{count} people"
