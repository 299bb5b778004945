"""Messages to visitors hold no path of the server; on one's own machine, and on the command line, they do."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterator

import pytest

from recognizer import errors
from recognizer.dashboard.parts.download_route import problem_answer
from recognizer.dashboard.text import for_visitors, sentence
from recognizer.dashboard.workbench.api import problem_response
from recognizer.errors import RecognizerError
from tests.support.environment import ROOT

ERRORS = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, RecognizerError)}
PATHS = (
    "/srv/who does/what/ab12.mp4",
    "/home/ann/.local/share/who-does-what-when",
    "/tmp/x/y.pt",
    r"C:\Users\Ann Lee\AppData\data\ab12.mp4",
)


@pytest.fixture(autouse=True)
def many_visitors(set_limits: Callable[..., None]) -> None:
    set_limits(alone=False)


def sentences() -> Iterator[tuple[str, ast.JoinedStr]]:
    """Yield the place and the text of every error of our own with a value, but for those of the command line."""
    for file in sorted((ROOT / "recognizer").rglob("*.py")):
        source = file.read_text(encoding="utf-8")
        if file.parent.name == "cli" or "Error(" not in source:
            continue
        for node in ast.walk(ast.parse(source)):
            if not isinstance(node, ast.Call) or getattr(node.func, "id", "") not in ERRORS:
                continue
            if node.args and isinstance(node.args[0], ast.JoinedStr):
                yield f"{file.relative_to(ROOT)}:{node.lineno}", node.args[0]


def with_values(text: ast.JoinedStr, value: str) -> str:
    """Return the sentence with this value wherever it has one."""
    return "".join(str(one.value) if isinstance(one, ast.Constant) else value for one in text.values)


def test_no_sentence_of_ours_shows_a_path_to_visitors() -> None:
    found = list(sentences())
    assert len(found) > 100
    for place, text in found:
        shown = for_visitors(with_values(text, "/home/ann/.local/share/ab12.mp4"))
        assert "/ann" not in shown, f"{place}: {shown}"
        assert "ab12.mp4" in shown, f"{place}: {shown}"


@pytest.mark.parametrize("path", PATHS)
def test_path_in_quotes_becomes_a_name(path: str) -> None:
    name = path.replace("\\", "/").rpartition("/")[2]
    assert for_visitors(f"'{path}' is gone; drop it in again.") == f"'{name}' is gone; drop it in again."


def test_folder_of_the_server_is_named_whatever_its_name_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOGNIZER_DATA", "/srv/ann's, (own) data")
    assert for_visitors("cannot read /srv/ann's, (own) data/files/a.mp4.") == "cannot read files/a.mp4."


@pytest.mark.parametrize(
    "text",
    [
        "http://cam.local/a/b gives no picture.",
        "rtsp://10.0.0.7:554/a/b/c gives no picture.",
        "25 frames/s, 3/4 of it, and/or a/b/c.",
        "see docs/hosting.md or ~/notes.",
        "download https://example.org/models/s3d.pth elsewhere.",
    ],
)
def test_what_is_no_path_stays(text: str) -> None:
    assert for_visitors(text) == text


def test_page_and_addresses_say_names() -> None:
    told = "'/srv/data/files/ab12.mp4' cannot be read."
    assert "srv" not in sentence(told)
    for answer in (problem_response(422, told), problem_answer(422, told)):
        assert json.loads(bytes(answer.body))["problem"] == "'ab12.mp4' cannot be read."


def test_own_machine_keeps_paths(set_limits: Callable[..., None]) -> None:
    set_limits(alone=True)
    assert for_visitors("'/srv/data/a.mp4' is gone.") == "'/srv/data/a.mp4' is gone."


def test_every_message_on_a_page_is_a_sentence() -> None:
    """An error's text reaches a page through ``sentence`` or ``plain`` alone."""
    raw = []
    for file in (*(ROOT / "recognizer" / "dashboard").rglob("*.py"), *(ROOT / "pages").glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
                continue
            if node.func.attr not in ("error", "warning", "info", "caption", "markdown", "toast", "write"):
                continue
            text = ast.unparse(node.args[0])
            names = {getattr(one, "id", getattr(one, "attr", "")) for one in ast.walk(node.args[0])}
            if names & {"error", "problem"} and not names & {"sentence", "plain"}:
                raw.append(f"{file.relative_to(ROOT)}:{node.lineno}: {text}")
    assert not raw
