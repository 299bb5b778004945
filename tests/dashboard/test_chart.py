"""Charts that stay on the page, as AppTest sees them; their looks and zoom are tested in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import plotly
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from recognizer.dashboard.parts import chart
from recognizer.dashboard.workbench.routes import routes
from tests.support.pages import charts


def page() -> None:
    from recognizer.dashboard.parts.chart import show_chart

    bars = [{"type": "bar", "x": [1], "y": ["a"], "name": name} for name in ("waving", "waving", "jogging")]
    line = {"type": "scatter", "name": "waving"}
    show_chart({"data": [*bars, line], "layout": {"height": 321}}, "one", 'What "they" do')
    show_chart({"data": bars[2:], "layout": {"height": 200}}, "two", "Without buttons", mode_bar=False)


@pytest.fixture
def shown() -> AppTest:
    at = AppTest.from_function(page).run()
    assert not at.exception
    return at


def test_figure_and_its_name_reach_the_page(shown: AppTest) -> None:
    first, second = charts(shown)
    assert [trace["x"] for trace in first["figure"]["data"][:3]] == [[1], [1], [1]]
    assert first["label"] == 'What "they" do'
    assert [element.proto.html_content.count('role="img"') for element in shown.get("bidi_component")] == [1, 1]
    assert second["figure"]["layout"]["height"] == 200


def test_no_button_takes_a_chart_to_somebody_elses_server(shown: AppTest) -> None:
    first, second = (one["config"] for one in charts(shown))
    assert first["showSendToCloud"] is False
    assert "sendChartToCloud" in first["modeBarButtonsToRemove"]
    assert "displayModeBar" not in first
    assert second == {**first, "displayModeBar": False}


def test_traces_keep_their_names_when_their_order_changes(shown: AppTest) -> None:
    uids = [[trace["uid"] for trace in one["figure"]["data"]] for one in charts(shown)]
    assert len(set(uids[0])) == 4
    assert all(uid.isalnum() for uid in uids[0]), "with a blank in one, Plotly draws nothing"
    assert uids[0][2] == uids[1][0]


def test_browsers_keep_the_installed_library_until_another_version_has_another_address(shown: AppTest) -> None:
    """Regression: each load of a page fetched 1.5 MB, which the server compressed anew, and compiled them."""
    (address,) = {one["library"] for one in charts(shown)}
    assert address == f"recognizer/static/plotly/{plotly.__version__}/plotly.min.js"
    with TestClient(Starlette(routes=routes())) as client:
        current = client.get(address)
        assert current.headers["content-type"].startswith("text/javascript")
        assert "immutable" in current.headers["cache-control"]
        assert current.content == (Path(plotly.__file__).parent / "package_data" / "plotly.min.js").read_bytes()
        other = client.get(address.replace(plotly.__version__, "0.1"))
        assert other.headers["cache-control"] == "no-cache", "a page that was open during an update"


def test_chart_without_the_library_is_streamlits_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chart, "library_address", lambda: None)
    at = AppTest.from_function(page).run()
    assert not at.exception
    assert charts(at) == []
    shown: list[Any] = list(at.get("plotly_chart"))
    assert len(shown) == 2
