"""Nothing becomes Streamlit's red box: what fails is one sentence with the number of its log entry."""

from __future__ import annotations

import ast
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from recognizer.dashboard import server, state
from recognizer.dashboard.analyse import filtering, results
from recognizer.dashboard.batches import opening
from recognizer.dashboard.compare import entries
from recognizer.dashboard.library import api as library_api
from recognizer.dashboard.live import picture
from recognizer.dashboard.own_actions import api as own_actions_api
from recognizer.dashboard.parts import chart_route, history, player_route, problem
from recognizer.dashboard.workbench import api as workbench_api
from recognizer.dashboard.workbench import own_actions_api as teaching_api
from recognizer.dashboard.workbench import routes as routes_module
from recognizer.errors import StoreError
from recognizer.service.offers import Offer, Played
from tests.support.environment import ROOT
from tests.support.networks import Networks
from tests.support.pages import (
    analyse,
    button,
    downloads,
    errors,
    open_page,
    settle,
    shows_result,
    tab,
    upload_video,
    words,
)

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _no_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    """AppTest cannot run streamlit-webrtc."""
    monkeypatch.setattr(picture, "show_camera", lambda _settings: None)


PAGES = (
    "pages/analyse.py",
    "pages/compare.py",
    "pages/batches.py",
    "pages/my_actions.py",
    "pages/live.py",
    "pages/library.py",
)
NUMBER = re.compile(r"logged as ([0-9A-F]{6})")
SECRET = "/home/secret/path"

OF_CAMERAS = {"on_ended", "on_video_ended"}
"""streamlit-webrtc calls these on threads of its own, where there is no page."""


def broken(*_args: object, **_kwargs: object) -> Any:
    raise ZeroDivisionError(SECRET)


def sources() -> list[Path]:
    return [*(ROOT / "recognizer" / "dashboard").rglob("*.py"), *(ROOT / "pages").glob("*.py"), ROOT / "app.py"]


def is_guarded(value: ast.expr) -> bool:
    """Return whether what a widget calls goes through the guard, or is a word of Streamlit's such as ``"rerun"``."""
    return isinstance(value, ast.Constant) or (
        isinstance(value, ast.Call) and ast.unparse(value.func) == "guard.callback"
    )


def unguarded(node: ast.AST) -> Iterator[str]:
    """What Streamlit would call without a guard."""
    if isinstance(node, ast.Attribute) and node.attr in {"fragment", "dialog"}:
        whole = ast.unparse(node)
        if not whole.startswith("guard."):
            yield whole
    if isinstance(node, ast.Call) and ast.unparse(node.func) != "show_workbench":
        called = [one for one in node.keywords if (one.arg or "").startswith("on_") and one.arg not in OF_CAMERAS]
        yield from (ast.unparse(one) for one in called if not is_guarded(one.value))


def test_every_fragment_and_callback_goes_through_the_guard() -> None:
    nodes = [(path.name, node) for path in sources() for node in ast.walk(ast.parse(path.read_text("utf-8")))]
    assert [(name, one) for name, node in nodes if name != "guard.py" for one in unguarded(node)] == []
    assert sum(isinstance(node, ast.Attribute) and ast.unparse(node) == "guard.callback" for _, node in nodes) > 20


def test_pages_are_compiled_without_a_syntax_tree() -> None:
    """Regression: before Python 3.11.8, a tree fails at times while another thread makes one; the click was lost."""
    at = AppTest.from_string("'shown by ' + 'Streamlit'").run()
    assert not at.markdown
    assert not at.exception


def fault_on(at: AppTest, faults: list[logging.LogRecord]) -> str:
    """Check that the page says one fault, without its details, and that the log has it under the same number."""
    assert not at.exception
    (told,) = errors(at)
    number = NUMBER.search(told)
    assert number is not None
    assert SECRET not in words(at)
    (logged,) = [one for one in faults if number[1] in one.getMessage()]
    assert logged.exc_info is not None
    assert isinstance(logged.exc_info[1], ZeroDivisionError)
    return number[1]


@pytest.mark.parametrize("page", PAGES)
def test_page_that_fails_says_so_and_works_again(
    page: str,
    networks: Networks,
    monkeypatch: pytest.MonkeyPatch,
    faults: list[logging.LogRecord],
) -> None:
    at = open_page(page)
    before = [one.value for one in at.title]
    with monkeypatch.context() as patch:
        patch.setattr(problem, "show_problems", broken)
        at.run()
        number = fault_on(at, faults)
        assert [one.value for one in at.title] == before, "what was drawn before stays"
        at.run()
        assert fault_on(at, faults) == number, "the same fault has the same number, and is logged once"
        assert open_page(PAGES[0]).title, "another tab draws what it can"
    at.run()
    assert not at.error


def test_part_that_fails_leaves_the_other_parts(
    page: AppTest, clip: Path, monkeypatch: pytest.MonkeyPatch, faults: list[logging.LogRecord]
) -> None:
    upload_video(page, clip)
    analyse(page)
    with monkeypatch.context() as patch:
        patch.setattr(history, "_others", broken)
        page.run()
        fault_on(page, faults)
        assert shows_result(page)
        assert downloads(page)
        button(page, "Analyse again")


def test_fragment_that_fails_keeps_what_it_has_drawn(
    page: AppTest, clip: Path, monkeypatch: pytest.MonkeyPatch, faults: list[logging.LogRecord]
) -> None:
    upload_video(page, clip)
    analyse(page)
    with monkeypatch.context() as patch:
        patch.setattr(results, "draw_summaries", broken)
        page.run()
        fault_on(page, faults)
        assert shows_result(page)
        assert "Timeline as CSV" in downloads(page)
        patch.setattr(filtering, "choose_filter", broken)
        faults.clear()
        page.run()
        fault_on(page, faults)
        button(page, "Analyse again").click()
    page.run()
    settle(page)
    assert shows_result(page)
    assert not page.error


def test_callback_that_fails_is_told_and_the_page_is_whole(
    networks: Networks, monkeypatch: pytest.MonkeyPatch, faults: list[logging.LogRecord]
) -> None:
    at = open_page("pages/compare.py")
    rows = len(tab(at).compare.rows)
    with monkeypatch.context() as patch:
        patch.setattr(entries, "_next_id", broken)
        button(at, "Add a classifier").click()
        at.run()
        fault_on(at, faults)
        assert len(tab(at).compare.rows) == rows
        button(at, "Add a classifier")
    with monkeypatch.context() as patch:
        patch.setattr(state, "NOTICE_S", -1.0)
        at.run()
        at.run()
    assert not at.error
    button(at, "Add a classifier").click()
    at.run()
    assert len(tab(at).compare.rows) == rows + 1


def test_problem_that_people_can_solve_is_told_word_for_word(
    networks: Networks, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StoreError("the disk is full; make room.")

    at = open_page()
    monkeypatch.setattr(history, "_others", full)
    at.run()
    assert errors(at) == ["The disk is full; make room."]


def paths(routes: list[Any]) -> Iterator[tuple[str, str]]:
    """Method and address of every route, with some id."""
    for route in routes:
        if isinstance(route, Route):
            (method,) = (route.methods or {"GET"}) - {"HEAD"}
            yield method, re.sub(r"\{(\w+)\}", "1", route.path)
        else:
            assert isinstance(route, Mount)
            yield "GET", re.sub(r"\{(\w+)\}", "1", route.path) + "/main.js"


def test_every_route_that_fails_answers_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, faults: list[logging.LogRecord]
) -> None:
    offer = Offer("1", "text/csv", broken)
    monkeypatch.setattr(server, "context", broken)
    for module in (workbench_api, own_actions_api, library_api):
        monkeypatch.setattr(module, "decoded", broken)
    for module in (workbench_api, teaching_api):
        monkeypatch.setattr(module, "refuse_comparison", broken)
    monkeypatch.setattr(opening, "may_see_of", broken)
    monkeypatch.setattr(server, "offers", lambda: {"1": offer})
    monkeypatch.setattr(server, "played", lambda: {"1": Played(Path("1"))})
    monkeypatch.setattr(player_route, "VideoResponse", broken)
    monkeypatch.setattr(chart_route, "version", broken)
    monkeypatch.setattr(routes_module, "static_path", broken)
    monkeypatch.setattr("starlette.staticfiles.StaticFiles.get_response", broken)
    made = routes_module.routes()
    with TestClient(Starlette(routes=made), raise_server_exceptions=False) as client:
        for method, address in paths(made):
            faults.clear()
            answer = client.request(method, f"{address}?fromS=0&toS=1&atS=0", json={} if method == "POST" else None)
            assert (answer.status_code, answer.headers["content-type"]) == (500, "application/json"), address
            number = NUMBER.search(answer.json()["problem"])
            assert number is not None
            assert SECRET not in answer.text
