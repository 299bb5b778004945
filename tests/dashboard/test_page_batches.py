"""The page "Batches" and its address: who sees what, how far batches are, and what is in their videos."""

from __future__ import annotations

import csv
import io
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from filelock import FileLock
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from recognizer import processes
from recognizer.batch.findings import BoutQuery, Findings
from recognizer.batch.manifest import Manifest
from recognizer.batch.places import Batch
from recognizer.batch.results import LOCK
from recognizer.batch.tally import NEWS, News
from recognizer.batch.watching import RowQuery, Watcher
from recognizer.dashboard import server
from recognizer.dashboard.batches import videos
from recognizer.dashboard.batches.opening import link_to
from recognizer.dashboard.parts import sign_in, visitor
from recognizer.dashboard.workbench.routes import routes
from recognizer.service.runs import RunQuery
from tests.support.batches import Video, analyzed_again, batch_at, seen, store_batch
from tests.support.networks import Networks
from tests.support.pages import charts, downloads, errors, open_page, shows_result, tab, widget, words

pytestmark = pytest.mark.slow

PAGE = "pages/batches.py"

VIDEOS = (
    Video("a.mp4", "yard", seen(2, 12.0, 1), title="Monday"),
    Video("b.mp4", "hall", seen(3, 12.0, 2)),
    Video("broken.mp4", "yard"),
)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A batch that no test changes."""
    folder = tmp_path_factory.mktemp("batch")
    store_batch(folder / "lab", VIDEOS, folder / "in")
    return folder / "lab"


@pytest.fixture
def batch(networks: Networks, written: Path, tmp_path: Path, set_limits: Callable[..., None]) -> Batch:
    """The batch among those of the data folder, on one person's own machine."""
    set_limits(alone=True)
    shutil.copytree(written, tmp_path / "data" / "batches" / "lab")
    return batch_at(tmp_path / "data" / "batches" / "lab")


@pytest.fixture
def client(batch: Batch) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=routes()), follow_redirects=False) as made:
        yield made


def table(at: AppTest, column: str) -> list[object]:
    frame = next(one.value for one in at.dataframe if column in one.value.columns)
    return list(frame[column])


def progress(at: AppTest) -> str:
    (bar,) = at.get("progress")
    return str(bar.proto.text).replace("\\", "")


def chart(at: AppTest) -> dict[str, Any]:
    (message,) = charts(at)
    figure: dict[str, Any] = message["figure"]
    return figure


def open_tab(at: AppTest, name: str) -> None:
    at.session_state["batch-tabs"] = name
    at.run()
    assert not errors(at)


def test_without_batches_the_page_says_what_one_is(networks: Networks, set_limits: Callable[..., None]) -> None:
    set_limits(alone=True)
    at = open_page(PAGE)
    assert "any number of videos that one command analyses" in words(at)
    assert at.code[0].value == processes.typed("batch recordings/ --preset recommended")


def test_visitors_see_no_batches_unless_they_are_shared(batch: Batch, set_limits: Callable[..., None]) -> None:
    set_limits(alone=False)
    at = open_page(PAGE)
    assert "Batches are for those who run this server" in words(at)
    assert "lab" not in words(at)
    assert not at.dataframe
    set_limits(alone=False, batches_are_shared=True)
    at = open_page(PAGE)
    assert "lab" in words(at)
    assert str(batch.root.parent) not in repr(at), "no path of the server"


def test_with_sign_in_operators_see_and_open_batches(
    batch: Batch, client: TestClient, set_limits: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_limits(alone=True, operators=("ana@example.org",))
    user = sign_in.User("https://id.example", "1", "ben@example.org", "Ben")
    monkeypatch.setattr(sign_in, "is_on", lambda: True)
    monkeypatch.setattr(sign_in, "user_of", lambda _: user)
    link = link_to(batch, next(iter(Findings(batch).videos())))
    answer = client.get(link)
    assert answer.status_code == 403
    assert "Batches are for those who run this server" in answer.text
    assert not server.context().runs.list(RunQuery())
    user = sign_in.User("https://id.example", "2", "Ana@example.org", "Ana")
    answer = client.get(link)
    assert answer.status_code == 303
    run_id = answer.headers["location"].partition("=")[2]
    assert visitor._may_correct(run_id, lambda: user), "it is nobody's: whoever may open it may correct it"


def test_progress_and_failures_are_shown_without_paths_for_visitors(
    batch: Batch, set_limits: Callable[..., None]
) -> None:
    set_limits(alone=False, batches_are_shared=True)
    at = open_page(PAGE)
    assert not errors(at)
    assert "lab" in words(at)
    assert progress(at) == "Done: 2 of 3 videos, 1 failed, 24 s of video"
    assert table(at, "Video") == ["broken.mp4"], "failures come first"
    assert table(at, "Error") == ["'broken.mp4' is incomplete; copy it again."]
    assert downloads(at) == ["Failures (CSV)"]
    at.session_state[f"state-{batch.batch_id}"] = "all"
    at.run()
    assert table(at, "Video") == ["Monday", "b.mp4", "broken.mp4"]
    widget(at, "Name, group or error").set_value("HALL").run()
    assert table(at, "Video") == ["b.mp4"]
    widget(at, "Name, group or error").set_value("nothing").run()
    assert "No video matches; clear the filters to see the others." in words(at)


def test_more_videos_than_a_page_has_are_on_several(batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(videos, "_ROWS", 2)
    at = open_page(PAGE)
    at.session_state[f"state-{batch.batch_id}"] = "all"
    at.run()
    assert table(at, "Video") == ["Monday", "b.mp4"]
    assert "Videos 1 to 2 of 3." in words(at)
    widget(at, "Page").set_value(2).run()
    assert table(at, "Video") == ["broken.mp4"]
    assert "Videos 3 to 3 of 3." in words(at)


def test_failures_that_a_second_try_has_mended_leave_a_sentence(batch: Batch) -> None:
    """Regression: the page began with the failures, and then said that no video fits."""
    at = open_page(PAGE)
    assert table(at, "Video") == ["broken.mp4"]
    let_failed_wait(batch, "")
    at.run()
    assert "No failed video; choose *All* to see the others." in words(at)


def let_failed_wait(batch: Batch, error: str) -> None:
    with closing(sqlite3.connect(batch.folder.manifest)) as connection, connection:
        connection.execute("UPDATE video SET state = 'waiting', error = ? WHERE state = 'failed'", (error,))


def test_a_command_that_works_and_one_that_stopped_are_told_apart(batch: Batch) -> None:
    let_failed_wait(batch, error="")
    at = open_page(PAGE)
    assert progress(at).startswith("Stopped before the end: 2 of 3 videos, 1 waiting, 24 s of about ")
    assert "Give the same command again" in words(at)
    with Manifest(batch.folder.manifest) as manifest:
        manifest.set_fact(NEWS, msgspec.json.encode(News(45.0, 0.5, 170.0)).decode())
    assert "left" not in progress(open_page(PAGE)), "what a command said that does not work any more"
    with FileLock(batch.folder.root / LOCK):
        at = open_page(PAGE)
        assert progress(at).startswith("Running: 2 of 3 videos, 1 waiting, 45 s of about ")
        assert progress(at).endswith(" of video, 0.5 times real time, about 3 min left")
        assert "Give the same command again" not in words(at)


def test_what_is_to_be_tried_again_is_not_said_to_have_stopped(batch: Batch) -> None:
    let_failed_wait(batch, error="it is gone.")
    at = open_page(PAGE)
    assert progress(at).startswith("Some to be tried again: 2 of 3 videos, 1 waiting")
    assert "the reasons are below, under Waiting" in words(at)
    assert "where it stopped" not in words(at)


def test_one_of_several_batches_is_named_by_the_address(batch: Batch, written: Path) -> None:
    shutil.copytree(written, batch.root.with_name("other"))
    at = open_page(PAGE)
    assert sorted(map(str, table(at, "Batch"))) == ["lab", "other"]
    assert table(at, "State") == ["done", "done"]
    at = open_page(PAGE, batch=batch_at(batch.root.with_name("other")).batch_id)
    assert [one.value for one in at.subheader] == ["other"]
    at = open_page(PAGE, batch="0123456789abcdef")
    assert "The batch in the address is not on this machine" in words(at)


def test_folders_that_the_operator_names_are_listed(
    networks: Networks, written: Path, set_limits: Callable[..., None]
) -> None:
    set_limits(alone=True, batch_folders=(str(written.parent), str(written.parent / "missing")))
    at = open_page(PAGE)
    assert [one.value for one in at.subheader] == ["lab"]


def test_time_per_action_is_drawn_by_group_and_by_video(batch: Batch) -> None:
    at = open_page(PAGE)
    open_tab(at, "Time per action")
    figure = chart(at)
    assert set(figure["layout"]["yaxis"]["ticktext"]) == {"yard", "hall"}
    assert figure["layout"]["xaxis"]["title"]["text"] == "Time of all people (s)"
    at.session_state[f"by-{batch.batch_id}"] = "By video"
    at.run()
    figure = chart(at)
    assert set(figure["layout"]["yaxis"]["ticktext"]) == {"Monday", "b.mp4"}
    action = Findings(batch).actions[0]
    widget(at, "Actions").set_value([action]).run()
    widget(at, "Share of the time in view").set_value(True).run()
    figure = chart(at)
    assert [trace["name"] for trace in figure["data"]] == [action]
    assert max(max(trace["x"]) for trace in figure["data"]) <= 100.0
    assert figure["layout"]["xaxis"]["title"]["text"] == "Share of the time in view (%)"


def test_videos_with_several_settings_are_shown_with_those_that_are_chosen(batch: Batch, written: Path) -> None:
    analyzed_again(batch, written.parent / "in", {"a.mp4": "yard"})
    at = open_page(PAGE)
    open_tab(at, "Time per action")
    choice = widget(at, "Settings")
    assert choice.options == [
        "Classifier: r3d_18, Minimum confidence: 0.0",
        "Classifier: i3d, Minimum confidence: 0.35",
    ]
    latest = chart(at)
    choice.select_index(1).run()
    assert not errors(at)
    assert chart(at) != latest
    open_tab(at, "Find moments")
    assert widget(at, "Settings").value is not None


def test_search_finds_bouts_that_lead_to_their_moment(batch: Batch, client: TestClient) -> None:
    findings = Findings(batch)
    action = findings.actions[0]
    at = open_page(PAGE)
    open_tab(at, "Find moments")
    assert "Choose an action" in words(at)
    widget(at, "Action").set_value(action).run()
    widget(at, "At least (s)").set_value(2.0).run()
    bouts = findings.bouts(BoutQuery(action, 2.0)).to_pylist()
    assert table(at, "Length (s)") == [one["duration_s"] for one in bouts]
    link = str(table(at, "Show")[0])
    assert link == link_to(batch, bouts[0]["video"], bouts[0]["person_id"], bouts[0]["start_s"])
    place = client.get(link).headers["location"]
    assert place.startswith("/?run=")
    assert place.endswith(f"#person={bouts[0]['person_id']}&at={bouts[0]['start_s']:g}")
    assert client.get(link).headers["location"] == place, "the same run again"
    widget(at, "Groups").set_value(["hall"]).run()
    assert set(table(at, "Group")) == {"hall"}


def test_the_results_page_shows_an_opened_video_as_the_batch_stored_it(batch: Batch, client: TestClient) -> None:
    (result, *_) = Findings(batch).videos(["yard"])
    with sqlite3.connect(batch.folder.manifest) as connection:
        connection.execute("UPDATE video SET place = '/away/a.mp4' WHERE result = ?", (result,))
    connection.close()
    run_id = client.get(link_to(batch, result)).headers["location"].partition("=")[2]
    at = open_page(run=run_id)
    assert not errors(at)
    assert shows_result(at)
    assert "Monday" in words(at)
    about = client.get(f"/recognizer/analysis/{run_id}/timeline").json()["player"]
    assert about["state"] == "gone"
    assert about["note"].startswith("The video 'a.mp4' is not where its batch found it")
    assert tab(at).filters.min_confidence == 0.35, "as the batch's segments"


@pytest.mark.parametrize("address", ["0123456789abcdef/{result}", "{batch}/{none}", "{batch}/..%2F..%2Fsecret"])
def test_what_is_in_no_batch_is_not_opened(batch: Batch, client: TestClient, address: str) -> None:
    (result, *_) = Findings(batch).videos()
    place = address.format(batch=batch.batch_id, result=result, none="0" * 32)
    answer = client.get(f"/recognizer/batches/{place}")
    assert answer.status_code == 404
    assert not server.context().runs.list(RunQuery())


def test_a_moment_that_is_none_is_left_out(batch: Batch, client: TestClient) -> None:
    (result, *_) = Findings(batch).videos()
    for words_ in ("person=x&at=1", "person=1&at=nan", "person=1", "at=<script>"):
        location = client.get(f"{link_to(batch, result)}?{words_}").headers["location"]
        assert "#" not in location


def test_a_result_that_is_gone_is_said(batch: Batch, client: TestClient) -> None:
    (result, *_) = Findings(batch).videos()
    shutil.rmtree(batch.folder.result(result))
    answer = client.get(link_to(batch, result))
    assert answer.status_code == 422
    assert "is gone; run the batch&#x27;s command again." in answer.text


def test_downloads_hold_no_formula(batch: Batch, tmp_path: Path) -> None:
    batch = store_batch(tmp_path / "out", [Video("a.mp4", "@cmd", None, "=1+1")], tmp_path / "in")
    header, row = csv.reader(io.StringIO(videos._csv(Watcher(batch), RowQuery())))
    assert dict(zip(header, row, strict=True))["id"] == "'=1+1"
