"""Exceptions that nobody foresaw: the log has the traceback under a number, the visitor a sentence with the number."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
import traceback
from collections import OrderedDict
from typing import Final

from recognizer.errors import RecognizerError

_log = logging.getLogger(__name__)

_LOG_AGAIN_AFTER_S: Final = 60.0
"""A page that polls meets the same fault every second; the log need not hold each."""

_MOST_REMEMBERED: Final = 256

_NUMBER: Final = "fault_number"

_lock = threading.Lock()
_logged_at_s: OrderedDict[str, float] = OrderedDict()


def sentence_of(error: Exception) -> str:
    """Return what a user reads about an exception: its own sentence, or one with the number that the log has."""
    return str(error) if isinstance(error, RecognizerError) else reported(error)


def reported(error: Exception) -> str:
    """Log an unforeseen exception with its traceback, and return the sentence for users, which names its number.

    The same fault in the same place has the same number, and is logged once a minute at most.
    """
    number = getattr(error, _NUMBER, None) or _number_of(error)
    setattr(error, _NUMBER, number)  # whoever raises it again further out gets the same
    if _is_due(number):
        _log.error("fault %s", number, exc_info=error)
    return (
        f"this did not work because of a fault in this program, logged as {number}; try again, and give the number "
        "to whoever runs this server if it happens again."
    )


def _number_of(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    place = [(type(error).__qualname__, 0), *((frame.name, frame.lineno) for frame in frames)]
    return hashlib.sha256(repr(place).encode()).hexdigest()[:6].upper()


def _is_due(number: str) -> bool:
    now_s = time.monotonic()
    with _lock:
        last_s = _logged_at_s.get(number)
        if last_s is not None and now_s - last_s < _LOG_AGAIN_AFTER_S:
            return False
        _logged_at_s[number] = now_s
        _logged_at_s.move_to_end(number)
        if len(_logged_at_s) > _MOST_REMEMBERED:
            _logged_at_s.popitem(last=False)
        return True
