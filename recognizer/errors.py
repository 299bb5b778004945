"""Every error this project raises on purpose.

    RecognizerError
    ├── SettingsError           a setting is outside its range
    ├── LimitError              more than the operator of this server allows
    ├── VideoError              a file cannot be read as a video
    ├── WeightsError            a network's weights are unavailable or are not the published ones
    ├── CheckpointError         a user's own checkpoint or label file does not fit
    ├── StoreError              an analysis cannot be stored or restored
    ├── OutputError             a result cannot be written
    ├── CorrectionsError        a file of corrections or of label groups does not fit
    ├── TruthError              a user's own labels do not fit
    └── ActionsError            an own action, an example or a set of them cannot be used

Each message is one sentence that a user can act on: the fact, the value, the remedy. The command line prints it and
exits with code 2; the page shows it unchanged. Any other exception is a bug in this project.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_HIDDEN_CATEGORIES: Final = frozenset(("Cc", "Cs", "Zl", "Zp"))
_DIRECTION_MARKS: Final = frozenset(
    chr(code) for code in (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
)


_STEERING: Final = re.compile(f"[\x7f-\x9f\u2028\u2029{''.join(sorted(_DIRECTION_MARKS))}]")
"""JSON itself escapes the other control characters."""

_ADDRESS: Final = re.compile(r"[a-z]+://")


def one_line(text: str) -> str:
    """Return text from outside as it may stand in a message, a log or a terminal: one line, as it is read.

    Line feeds and tabs become spaces; other control characters, which can steer a terminal, halves of surrogate pairs
    and marks that turn the direction of writing become U+FFFD.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_visible(letter) for letter in text)


def capitalized(text: str) -> str:
    """Return a message with a capital letter at its beginning, unless an address stands there."""
    return text if _ADDRESS.match(text) else text[:1].upper() + text[1:]


def inert_json(text: str) -> str:
    """Return a JSON document of the same values in which the characters that ``one_line`` replaces are escaped."""
    return text if text.isascii() else _STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _visible(letter: str) -> str:
    if letter in "\t\n\r":
        return " "
    is_hidden = unicodedata.category(letter) in _HIDDEN_CATEGORIES or letter in _DIRECTION_MARKS
    return "\N{REPLACEMENT CHARACTER}" if is_hidden else letter


def system_reason(error: OSError) -> str:
    """Return in a few words why the system refused something, such as ``no such file or directory``."""
    return (error.strerror or type(error).__name__).lower()


class RecognizerError(Exception):
    """A problem that users can solve themselves; ``str(error)`` says how, in one line without hidden characters."""

    def __str__(self) -> str:
        return one_line(super().__str__())


class SettingsError(RecognizerError):
    """A setting is outside its range."""


class LimitError(RecognizerError):
    """More than the operator of this server allows; the message names the limit and its value."""


class VideoError(RecognizerError):
    """A file cannot be read as a video."""


class WeightsError(RecognizerError):
    """A network's weights are unavailable, or the file is not the published one."""


class CheckpointError(RecognizerError):
    """A user's own checkpoint or label file does not fit the chosen network."""


class StoreError(RecognizerError):
    """An analysis cannot be stored or restored.

    Attributes:
        reason: the part of the message that says why and what to do, if another part says what failed; else all of it.
    """

    def __init__(self, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason or message


class OutputError(RecognizerError):
    """A result cannot be written."""


class CorrectionsError(RecognizerError):
    """A file of corrections or of label groups cannot be read, or does not fit the video."""


class TruthError(RecognizerError):
    """A user's file of labels cannot be read, or does not fit the video; the message names the row."""


class ActionsError(RecognizerError):
    """An own action, an example or a set of them cannot be used, or does not fit the analysis."""
