"""The workbench as AppTest sees it: what reaches the browser, and what its sliders set."""

from __future__ import annotations

from typing import Any

from streamlit.testing.v1 import AppTest

from recognizer.dashboard.workbench import assets
from tests.support.pages import workbench_data


def page() -> None:
    from recognizer.dashboard import state
    from recognizer.dashboard.workbench.component import show_workbench

    state.tab().filters.min_confidence = 0.35
    show_workbench("a" * 32, 7, shown_filter={"checked": True})


def given(at: AppTest) -> dict[str, Any]:
    """Return the data that the workbench was mounted with."""
    assert not at.exception
    return workbench_data(at)


def test_browser_learns_where_the_analysis_is_and_what_is_shown() -> None:
    data = given(AppTest.from_function(page).run())
    assert data["api"] == f"recognizer/analysis/{'a' * 32}/"
    assert data["modules"] == assets.modules_path()
    assert data["revision"] == 7
    view = {"minConfidence": 0.35, "minDurationS": 0.0, "showsBrief": False, "filter": {"checked": True}}
    assert data["view"] == view


def test_thresholds_set_in_the_browser_are_the_tabs_and_stay_in_their_range() -> None:
    def page_after_release() -> None:
        from recognizer.dashboard import state
        from recognizer.dashboard.workbench import component

        component.adopt_view({"minConfidence": 1.7, "minDurationS": -2, "showsBrief": True})
        component.show_workbench("a" * 32, 0)
        assert state.tab().filters.thresholds == (1.0, 0.0)

    view = given(AppTest.from_function(page_after_release).run())["view"]
    assert (view["minConfidence"], view["minDurationS"], view["showsBrief"]) == (1.0, 0.0, True)


def test_address_of_the_files_changes_with_their_content(monkeypatch: Any, tmp_path: Any) -> None:
    module = tmp_path / "other" / "js" / "main.js"
    module.parent.mkdir(parents=True)
    module.write_text("export const a = 1;")
    monkeypatch.setattr(assets, "FOLDER", tmp_path / "workbench")
    before = assets.static_path.__wrapped__()
    module.write_text("export const a = 2;")
    assert assets.static_path.__wrapped__() != before
    assert before.startswith("recognizer/static/")
