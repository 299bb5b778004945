"""Read Praat's TextGrids, long and short.

Both are the same to Praat, which only reads free-standing numbers, texts in quotes and flags in angle brackets, and
skips everything else (Praat's manual, "TextGrid file formats"). Empty intervals are no labels.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Final

from recognizer.annotations.model import Label, LabelFile, Part
from recognizer.annotations.remarks import Tally, check_any
from recognizer.annotations.text import label_text
from recognizer.errors import TruthError

_TOKEN: Final = re.compile(
    r'"(?P<text>(?:[^"]|"")*)"|(?<!\S)<(?P<flag>\w+)>|(?<!\S)(?P<number>[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)(?!\S)|!.*'
)


class _Values:
    """The values of a text file, one after another."""

    def __init__(self, text: str) -> None:
        self._matches: Iterator[re.Match[str]] = (
            match for match in _TOKEN.finditer(text) if match.lastgroup is not None
        )

    def _next(self, kind: str) -> str:
        match = next(self._matches, None)
        if match is None or match.lastgroup != kind:
            raise ValueError(kind)
        return match[kind]

    def number(self) -> float:
        value = float(self._next("number"))
        if not math.isfinite(value):
            raise ValueError("number")
        return value

    def text(self) -> str:
        return self._next("text").replace('""', '"')

    def flag(self) -> str:
        return self._next("flag")


def read_textgrid(text: str, name: str) -> LabelFile:
    """Read a TextGrid; each tier is a subject.

    Raises:
        TruthError: it is damaged, or holds another object, or no interval has a text.
    """
    values = _Values(text)
    tally = Tally()
    labels: list[Label] = []
    where = "its header"
    try:
        values.text()
        kind = values.text()
        if not kind.startswith("TextGrid"):
            raise TruthError(f"'{name}' holds a {label_text(kind)[:40]} of Praat; save the TextGrid.")
        values.number(), values.number()
        tiers = int(values.number()) if values.flag() == "exists" else 0
        for number in range(1, tiers + 1):
            where = f"tier {number}"
            is_interval, tier = values.text() == "IntervalTier", label_text(values.text())
            values.number(), values.number()
            for entry in range(1, int(values.number()) + 1):
                where = f"tier '{tier}', interval {entry}"
                start_s = values.number()
                end_s = values.number() if is_interval else start_s
                action = label_text(values.text())
                if not is_interval:
                    tally.leave_out("points, which have no duration")
                elif action:
                    labels.append(Label(where, tier, action, start_s, end_s))
    except ValueError as error:
        raise TruthError(
            f"'{name}' is damaged: {where} has no {error.args[0]} where one belongs; save it again in Praat."
        ) from error
    check_any(labels, tally, name)
    return LabelFile(name, "Praat TextGrid", (Part("", tuple(labels)),), tally.remarks, subjects_are_tiers=True)
