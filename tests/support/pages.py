"""Actions of tests on a page that Streamlit's AppTest runs."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.runtime.scriptrunner import RerunData, get_script_run_ctx
from streamlit.testing.v1 import AppTest, local_script_runner

from recognizer.dashboard.state import CurrentVideo, Tab
from recognizer.settings import SETTING_SPECS
from tests.support.environment import APP
from tests.support.waiting import WAIT_S

if TYPE_CHECKING:
    import pandas as pd
    import pytest


SETTING_TITLES = {spec.title: name for name, spec in SETTING_SPECS.items() if spec.sidebar in ("top", "more")}

EARLIER = "Open an earlier analysis"


def open_page(page: str | None = None, **query: str) -> AppTest:
    """Open the app in a new tab, at another page and address if they are given; check that nothing is raised."""
    at = AppTest.from_file(str(APP), default_timeout=WAIT_S)
    if page is not None:
        at.run()
        at.switch_page(page)
    for name, value in query.items():
        at.query_params[name] = value
    at.run()
    assert not at.exception
    return at


def tab(at: AppTest) -> Tab:
    state: Tab = at.session_state["tab"]
    return state


def request_rerun() -> None:
    """Ask for another run of the page that runs on this thread, as a click or a component does meanwhile."""
    context = get_script_run_ctx()
    assert context is not None
    assert context.script_requests is not None
    as_they_are = WidgetStates(widgets=context.session_state.get_widget_states())
    context.script_requests.request_rerun(
        RerunData(
            query_string=context.query_string, widget_states=as_they_are, page_script_hash=context.page_script_hash
        )
    )


def choose_preset(at: AppTest, preset: Literal["recommended", "documented", "custom"]) -> None:
    tab(at).sidebar.preset = preset  # as the control's callback does
    at.run()
    assert not at.exception


def current_video(at: AppTest) -> CurrentVideo:
    video = tab(at).video
    assert video is not None
    return video


def words(at: AppTest) -> str:
    """Return all text on the page, without the escapes that keep it from being Markdown."""
    parts = (at.title, at.header, at.subheader, at.markdown, at.caption, at.text, at.info, at.warning, at.error)
    return "\n".join(str(one.value) for kind in parts for one in kind).replace("\\", "").replace("\u2060", "")


def errors(at: AppTest) -> list[str]:
    """Return the errors on the page, without the escapes that keep them from being Markdown."""
    return [one.value.replace("\\", "") for one in at.error]


def button(at: AppTest, label: str) -> Any:
    found = [one for one in at.button if one.label == label]
    assert len(found) == 1, f"{len(found)} buttons {label!r} among {[one.label for one in at.button]}"
    return found[0]


def has_button(at: AppTest, label: str) -> bool:
    return any(one.label == label for one in at.button)


def press_in_fragment(at: AppTest, pressed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Press a button as a browser does: only its fragment runs, unless the press asks for the whole page."""
    fragment_id = at.session_state._state._state._new_widget_state.widget_metadata[pressed.id].fragment_id
    assert fragment_id is not None
    pressed.click()
    with monkeypatch.context() as patch:
        patch.setattr(local_script_runner, "RerunData", partial(RerunData, fragment_id=fragment_id))
        at.run()
    assert not at.exception


def widget(at: AppTest, label: str) -> Any:
    kinds = (at.selectbox, at.multiselect, at.slider, at.toggle, at.text_input, at.radio, at.number_input)
    found = [one for kind in kinds for one in kind if one.label == label]
    assert len(found) == 1, label
    return found[0]


def uploader(at: AppTest, label: str) -> Any:
    found = [one for one in at.file_uploader if one.label.startswith(label)]
    assert len(found) == 1, [one.label for one in at.file_uploader]
    return found[0]


def upload_video(at: AppTest, path: Path, name: str | None = None) -> None:
    uploader(at, "Drop in").upload(name or path.name, path.read_bytes(), "video/mp4")
    at.run()
    assert not at.exception


def start(at: AppTest) -> None:
    button(at, "Analyse again" if has_button(at, "Analyse again") else "Analyse").click()
    at.run()
    assert not at.exception


def settle(at: AppTest) -> None:
    """Run the page again when the background work has ended, as the page's polling does."""
    for _ in range(20):
        now = tab(at)
        jobs = [
            now.analyse.job,
            now.analyse.rendering.job if now.analyse.rendering else None,
            now.video.preview if now.video else None,
        ]
        pending = [job for job in jobs if job is not None and not job.finished]
        for job in pending:
            assert job.wait(WAIT_S)
        at.run()
        assert not at.exception
        if not pending and tab(at).analyse.job is None:
            return
    raise AssertionError("the page did not settle")


def analyse(at: AppTest) -> None:
    start(at)
    settle(at)


def workbenches(at: AppTest) -> list[dict[str, Any]]:
    """Return the data of the page's workbench, in a list that is empty if there is none."""
    protos = [one.proto for one in at.get("bidi_component")]
    return [json.loads(proto.json) for proto in protos if proto.component_name == "recognizer_workbench"]


def shows_result(at: AppTest) -> bool:
    return len(workbenches(at)) == 1


def choose_thresholds(at: AppTest, min_confidence: float, min_duration_s: float = 0.0) -> None:
    """Set the thresholds as the workbench's sliders do."""
    filters = tab(at).filters
    filters.min_confidence, filters.min_duration_s = min_confidence, min_duration_s
    at.run()
    assert not at.exception


def charts(at: AppTest) -> list[dict[str, Any]]:
    """Return the data of a page's charts from top to bottom: ``figure``, ``config``, ``label``, ``library``."""
    return [json.loads(message) for message in chart_messages(at).values()]


def chart_messages(at: AppTest) -> dict[str, bytes]:
    """Return the data of the charts as sent to the browser, by the charts' names."""
    own = [one.proto for one in at.get("bidi_component") if one.proto.component_name == "recognizer_chart"]
    return {proto.id: proto.bytes for proto in own}


def downloads(at: AppTest) -> list[str]:
    """Return the labels of a page's downloads from top to bottom."""
    own = [one.proto for one in at.get("bidi_component") if one.proto.component_name == "recognizer_download"]
    return [json.loads(proto.json)["label"] for proto in own]


def players(at: AppTest) -> list[dict[str, Any]]:
    """Return what the page's players play: ``path`` of the address, and ``label``."""
    own = [one.proto for one in at.get("bidi_component") if one.proto.component_name == "recognizer_player"]
    return [json.loads(proto.json) for proto in own]


def open_table(at: AppTest, name: str) -> pd.DataFrame:
    """Open one of the tables below a timeline and return its content. The others are not made."""
    at.session_state["tables"] = name
    at.run()
    assert not at.exception
    table: pd.DataFrame = at.dataframe[-1].value
    return table


def workbench_data(at: AppTest) -> dict[str, Any]:
    """Return the data that a page's only workbench was mounted with."""
    (data,) = workbenches(at)
    return data
