"""Messages may stand anywhere: on a page, in a log, in a terminal."""

from __future__ import annotations

import pytest

from recognizer.errors import RecognizerError, TruthError, one_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, naïve 跳舞", "plain, naïve 跳舞"),
        ("two\r\nlines\tand a tab", "two  lines and a tab"),
        ("\x1b[31mred\x07\x00", "\N{REPLACEMENT CHARACTER}[31mred\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}"),
        ("gpj.\u202eexe", "gpj.\N{REPLACEMENT CHARACTER}exe"),
        ("\u2066a\u2069\u061c\ud800", "\N{REPLACEMENT CHARACTER}a" + "\N{REPLACEMENT CHARACTER}" * 3),
    ],
)
def test_text_from_outside_is_one_visible_line(text: str, shown: str) -> None:
    assert one_line(text) == shown


def test_message_of_every_error_is_one_visible_line() -> None:
    kinds: tuple[type[RecognizerError], ...] = (RecognizerError, *RecognizerError.__subclasses__())
    for kind in kinds:
        assert str(kind("'a\x1b]0;b\x07\n.mp4' is empty.")) == "'a\ufffd]0;b\ufffd .mp4' is empty."
    assert "\x1b" in TruthError("\x1b").args[0], "the whole text stays for programs"
