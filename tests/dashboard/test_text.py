"""Text for the page: text from outside is shown literally."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognizer.dashboard.text import people, plain, seconds, sentence, shortened
from recognizer.errors import one_line
from tests.support.environment import ROOT

ASCII_PUNCTUATION = r"""!"#$%&'()*+,-./:;<=>?@[\]^_`{|}~"""


def read_back(escaped: str) -> str:
    """CommonMark section 2.4: a backslash before ASCII punctuation is that character."""
    return re.sub(r"\\([" + re.escape(ASCII_PUNCTUATION) + r"])", r"\1", escaped)


def test_long_name_is_shortened_in_its_middle() -> None:
    assert shortened("a.mp4", 12) == "a.mp4"
    assert shortened("0123456789abcdef.mp4", 12) == "01234567…mp4"


@given(st.text())
def test_plain_text_reads_as_it_was_but_for_its_white_space(text: str) -> None:
    assert read_back(plain(text)).replace("\u2060", "") == " ".join(one_line(text).split()).replace("\u2060", "")


@given(st.text(alphabet=ASCII_PUNCTUATION + "ab 1\n"))
def test_nothing_that_markdown_would_run_is_left_bare(text: str) -> None:
    bare = re.sub(r"\\[" + re.escape(ASCII_PUNCTUATION) + r"]", "", plain(text))
    assert not set(bare) & set("\\`*_{}[]()#+!|<>~$:&\n")


@pytest.mark.parametrize(
    "text",
    [
        "<img src=x onerror=alert(1)>.mp4",
        "![x](http://example.com/x.png)",
        "[click](javascript:alert(1))",
        "$x^2$",
        ":material/delete: :red[stop] :smile:",
        "&lt;b&gt;",
        "# heading",
        "- item",
        "1. item",
        "a | b",
        "**bold** _it_ ~~gone~~ `code`",
    ],
)
def test_names_with_markup_are_escaped(text: str) -> None:
    escaped = plain(text)
    assert escaped != text
    assert read_back(escaped).replace("\u2060", "") == text


def test_message_becomes_a_sentence() -> None:
    assert read_back(sentence("'a.mp4' is empty.")) == "'a.mp4' is empty."
    assert sentence("no video stream").startswith("No video")
    assert sentence("") == ""


@pytest.mark.parametrize(
    ("value_s", "text"), [(0.0, "0.00 s"), (0.533, "0.53 s"), (12.345, "12.3 s"), (10.0, "10.0 s")]
)
def test_seconds_have_a_unit_and_few_digits(value_s: float, text: str) -> None:
    assert seconds(value_s) == text


@pytest.mark.parametrize(("count", "text"), [(0, "0 people"), (1, "1 person"), (2, "2 people")])
def test_people_are_counted_in_words(count: int, text: str) -> None:
    assert people(count) == text


@pytest.mark.parametrize("text", ["www.example.com", "http://example.com", "HTTPS://example.com", "me@example.com"])
def test_address_is_parted_where_github_markdown_would_link_it(text: str) -> None:
    unescaped = read_back(plain(text))
    assert unescaped.replace("\u2060", "") == text
    # the patterns of mdast-util-gfm-autolink-literal
    assert not re.search(r"(https?://|www(?=\.))([-.\w]+)", unescaped, re.IGNORECASE)
    assert not re.search(r"([-.\w+]+)@([-\w]+(?:\.[-\w]+)+)", unescaped)


@pytest.mark.slow
def test_what_the_first_page_imports_brings_no_library_that_only_results_need() -> None:
    """Regression: pandas and torch, and later SciPy, kept the first page from being there within three seconds of the
    server's start."""
    code = (
        "import sys, app; from recognizer.dashboard import navigation;"
        "from recognizer.dashboard.analyse import analysis, results, start;"
        "from recognizer.dashboard.parts import history, problem, ready, sidebar, video_card;"
        "print(sorted({'pandas', 'torch', 'cv2', 'ultralytics', 'openvino', 'pyarrow', 'pympi', 'praatio', 'webvtt',"
        " 'scipy'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_sentence_begins_with_a_capital_letter_but_an_address_stays_as_it_is() -> None:
    """Regression: ``Http://…`` stood on the page of a camera."""
    assert read_back(sentence("the camera is off.")) == "The camera is off."
    assert read_back(sentence("rtsp://cam/live is off.")).replace("\u2060", "") == "rtsp://cam/live is off."
    assert sentence("") == ""
