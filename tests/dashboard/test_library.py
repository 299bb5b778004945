"""The page "Library" and its addresses: who sees and changes what, and where opening leads."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from recognizer.dashboard import server
from recognizer.dashboard.library import component
from recognizer.dashboard.parts import visitor
from recognizer.dashboard.workbench.routes import routes
from recognizer.service.runs import REMARK, Run, RunStore
from recognizer.service.store import AnalysisStore
from recognizer.settings import Settings
from tests.support.library import store_real_run
from tests.support.networks import Networks
from tests.support.pages import open_page, shows_result, tab, widget, words

pytestmark = pytest.mark.slow

PAGE = "pages/library.py"


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setenv("RECOGNIZER_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(visitor, "visitor_of", lambda http: http.headers.get("x-visitor", ""))
    monkeypatch.setattr(visitor, "is_operator_of", lambda http: http.headers.get("x-visitor") == "operator")
    for cached in (server.context, server.library):
        cached.clear()
    with TestClient(Starlette(routes=routes()), base_url="http://testserver/recognizer/library/") as made:
        yield made
    for cached in (server.context, server.library):
        cached.clear()


def runs() -> RunStore:
    return server.library().runs


def run(run_id: str, visitor_id: str, **more: Any) -> None:
    runs().create(Run(run_id, "analysis", f"{run_id}.mp4", **{"state": "done", "visitor_id": visitor_id, **more}))


def listed(client: TestClient, who: str, **asked: Any) -> list[dict[str, Any]]:
    answer = client.post("runs", json=asked, headers={"x-visitor": who})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["runs"]
    return found


def change(client: TestClient, who: str, **asked: Any) -> int:
    return client.post("change", json=asked, headers={"x-visitor": who}).status_code


def ids(found: list[dict[str, Any]]) -> set[str]:
    return {one["id"] for one in found}


def test_visitors_see_their_own_runs_and_those_they_have_the_address_of(client: TestClient) -> None:
    run("anas", "ana")
    run("bens", "ben")
    run("old", "")
    assert ids(listed(client, "ana")) == {"anas"}
    found = {one["id"]: one for one in listed(client, "ana", ids=["bens", "old", "unknown"])}
    assert {run_id: (one["isOwn"], one["mayChange"]) for run_id, one in found.items()} == {
        "anas": (True, True),
        "bens": (False, False),
        "old": (False, False),
    }
    assert ids(listed(client, "ana", only=["anas", "bens"])) == {"anas", "bens"}
    assert listed(client, "") == [], "a browser without a cookie sees nobody's"
    assert ids(listed(client, "", ids=["old"])) == {"old"}
    assert ids(listed(client, "operator")) == {"anas", "bens", "old"}
    assert all(one["mayChange"] for one in listed(client, "operator"))


def test_only_who_started_a_run_and_an_operator_change_it(client: TestClient) -> None:
    run("anas", "ana")
    run("old", "")
    changes: list[dict[str, Any]] = [
        {"type": "rename", "title": "Mine"},
        {"type": "tag", "tags": ["x"]},
        {"type": "cancel"},
        {"type": "remove"},
        {"type": "restore"},
    ]
    for asked in changes:
        assert change(client, "ben", id="anas", **asked) == 403
        assert change(client, "", id="old", **asked) == 403
    assert listed(client, "ana")[0]["title"] == ""
    assert change(client, "ana", id="anas", **changes[0]) == 200
    assert change(client, "operator", id="old", **changes[0]) == 200
    assert change(client, "ana", id="nobody", **changes[0]) == 404


def test_runs_are_renamed_tagged_deleted_and_brought_back(client: TestClient) -> None:
    run("anas", "ana")
    assert change(client, "ana", type="rename", id="anas", title="  <b>Final</b>  ") == 200
    assert change(client, "ana", type="tag", id="anas", tags=["juniors", " ", "juniors"]) == 200
    (one,) = listed(client, "ana")
    assert (one["name"], one["title"], one["video"], one["tags"]) == (
        "<b>Final</b>",
        "<b>Final</b>",
        "anas.mp4",
        ["juniors"],
    )
    assert change(client, "ana", type="remove", id="anas") == 200
    assert listed(client, "ana") == []
    (removed,) = listed(client, "ana", removed=True)
    assert removed["removed"] is not None
    assert change(client, "ana", type="restore", id="anas") == 200
    assert ids(listed(client, "ana")) == {"anas"}
    assert change(client, "ana", type="rename", id="anas", title="x" * 300) == 422
    assert change(client, "ana", type="explode", id="anas") == 422


def test_picture_is_the_first_of_the_video_and_is_kept(client: TestClient, tmp_path: Path) -> None:
    stored = store_real_run(tmp_path / "data", tmp_path, "match.mp4", "ana")
    answer = client.get(f"picture/{stored.run_id}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    assert max(Image.open(io.BytesIO(answer.content)).size) == 192
    (tmp_path / "data" / "files" / stored.video_file).unlink()
    assert client.get(f"picture/{stored.run_id}").content == answer.content
    assert listed(client, "ana")[0]["hasPicture"]
    run("no-video", "ana")
    for run_id in ("no-video", "unknown"):
        assert client.get(f"picture/{run_id}").status_code == 404
    assert [one["hasPicture"] for one in listed(client, "ana", only=["no-video"])] == [False]


def test_video_that_cannot_be_decoded_is_asked_for_its_picture_once_and_without_an_error(
    client: TestClient, tmp_path: Path
) -> None:
    video = tmp_path / "data" / "files" / "broken.mp4"
    video.parent.mkdir(parents=True, exist_ok=True)
    video.write_bytes(b"this is no video")
    run("broken", "ana", video_file=video.name)
    assert listed(client, "ana")[0]["hasPicture"]
    assert client.get("picture/broken").status_code == 204
    assert not listed(client, "ana")[0]["hasPicture"]


@pytest.fixture
def wished(networks: Networks, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """What the list asks for in the next run of the page; empty for nothing."""
    server.library.clear()
    wish: dict[str, Any] = {}

    def asked_once() -> dict[str, Any] | None:
        asked = dict(wish)
        wish.clear()
        return asked or None

    monkeypatch.setattr(component, "show_library", asked_once)
    yield wish
    server.library.clear()


def opened(at: AppTest, wish: dict[str, Any], page: str, run_id: str) -> None:
    wish.update(page=page, id=run_id)
    at.run()
    assert not at.exception


def test_opening_a_run_shows_its_result_and_counts_as_use(wished: dict[str, Any], tmp_path: Path) -> None:
    stored = store_real_run(tmp_path / "data", tmp_path, "match.mp4")
    at = open_page(PAGE)
    opened(at, wished, "open", stored.run_id)
    assert shows_result(at)
    assert tab(at).page == "analyse"
    after = runs().load(stored.run_id)
    assert after is not None
    assert after.opened_at is not None


def test_run_goes_by_its_name_on_its_page_in_lists_and_in_names_of_files(
    wished: dict[str, Any], tmp_path: Path
) -> None:
    stored = store_real_run(tmp_path / "data", tmp_path, "match.mp4")
    name = "../../=Final:\u202e <b>1.5</b>\n"
    runs().rename(stored.run_id, name)
    runs().set_facts(stored.run_id, {REMARK: "The server restarted; this analysis went on at 0:35."})
    at = open_page(PAGE)
    opened(at, wished, "open", stored.run_id)
    assert "=Final" in at.subheader[0].value
    assert "match" not in at.subheader[0].value
    assert "The server restarted; this analysis went on at 0:35." in words(at)
    names = {name for _, name in tab(at).downloads._offers}
    assert "-..-=Final- <b>1.5<-b>.csv" in names
    assert not any(name.startswith("match") for name in names)
    assert [one.name for one in server.context().store.stored_analyses([stored.run_id])] == [name]


@pytest.mark.parametrize("how", ["list", "address"])
def test_opening_an_upload_makes_it_the_current_video(wished: dict[str, Any], tmp_path: Path, how: str) -> None:
    stored = store_real_run(tmp_path / "data", tmp_path, "match.mp4")
    sha256 = stored.video_sha256
    runs().create(
        Run("upload", "video", "talk.mp4", video_file=stored.video_file, video_sha256=sha256, state="done", facts={})
    )
    if how == "list":
        at = open_page(PAGE)
        opened(at, wished, "open", "upload")
    else:
        at = open_page(run="upload")
    assert tab(at).page == "analyse"
    video = tab(at).video
    assert video is not None
    assert video.file.name == "talk.mp4"
    assert not shows_result(at)
    assert not at.error
    assert "run" not in at.query_params


def test_running_again_says_what_to_do_once(wished: dict[str, Any], tmp_path: Path) -> None:
    stored = store_real_run(tmp_path / "data", tmp_path, "match.mp4")
    at = open_page(PAGE)
    opened(at, wished, "again", stored.run_id)
    assert shows_result(at)
    assert [toast.value for toast in at.toast] == ["Change the settings in the sidebar, then press **Analyse again**."]
    at.run()
    assert not at.toast


def test_run_without_a_result_opens_with_its_video_settings_and_problem(wished: dict[str, Any], tmp_path: Path) -> None:
    stored = store_real_run(tmp_path / "data", tmp_path, "match.mp4")
    runs().create(
        Run(
            "failed",
            "analysis",
            "match.mp4",
            video_file=stored.video_file,
            video_sha256=stored.video_sha256,
            state="failed",
            problem="the disk was full; make room.",
            request={"settings": {**Settings(skip_frame=5).as_dict(), "unknown": 1}},
        )
    )
    at = open_page(PAGE)
    opened(at, wished, "again", "failed")
    assert not shows_result(at)
    video = tab(at).video
    assert video is not None
    assert video.file.name == "match.mp4"
    assert widget(at, "Skip interval").value == 5
    assert "The disk was full; make room." in words(at)


def test_deleted_run_cannot_be_opened_and_the_page_says_so(wished: dict[str, Any], tmp_path: Path) -> None:
    stored = store_real_run(tmp_path / "data", tmp_path, "match.mp4")
    runs().remove(stored.run_id)
    at = open_page(PAGE)
    opened(at, wished, "open", stored.run_id)
    assert "it was deleted" in words(at)
    assert tab(at).page == "library"


def test_page_mounts_the_list(networks: Networks) -> None:
    AnalysisStore()
    at = open_page(PAGE)
    assert [one.value for one in at.title] == ["Library"]
    assert "recognizer_library" in {one.proto.component_name for one in at.get("bidi_component")}
