"""The addresses that the workbench asks, on a server of their own with a stored analysis."""

from __future__ import annotations

import logging
import math
import struct
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from recognizer.dashboard import server
from recognizer.dashboard.parts import sign_in, visitor
from recognizer.dashboard.parts.ranges import PIECE_BYTES
from recognizer.dashboard.workbench import api, assets
from recognizer.dashboard.workbench.boxes import box_bytes
from recognizer.dashboard.workbench.routes import routes
from recognizer.limits import Limits
from recognizer.service.runs import Run
from recognizer.service.store import AnalysisStore, StoredAnalysis
from recognizer.timeline.model import Timeline
from recognizer.video import open_video
from recognizer.video.looking import still
from tests.support.sign_in import ORIGIN, claims_of, cookies_of, secrets, secrets_text
from tests.support.waiting import wait_until
from tests.support.workbench import generated_timeline, read_number, store_analysis, write_video

VIEW = {"minConfidence": 0.4, "minDurationS": 0.0, "showsBrief": False, "filter": None}


@pytest.fixture(scope="module")
def timeline() -> Timeline:
    return generated_timeline(3, 6.0, action_s=2.0)


@pytest.fixture(scope="module")
def video(timeline: Timeline, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("video") / "generated.mp4", timeline)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "data"
    monkeypatch.setenv("RECOGNIZER_DATA", str(folder))
    server.context.clear()
    server.palette.clear()
    yield folder
    server.context.clear()
    server.palette.clear()


@pytest.fixture
def stored(data: Path, timeline: Timeline, video: Path) -> StoredAnalysis:
    return store_analysis(data, timeline, video)


@pytest.fixture
def client(data: Path) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=routes())) as made:
        yield made


@pytest.fixture
def address(stored: StoredAnalysis) -> str:
    return f"/recognizer/analysis/{stored.analysis_id}"


def edited(client: TestClient, address: str, *edits: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(f"{address}/edits", json={"edits": edits})
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def lanes(document: dict[str, Any]) -> dict[int, dict[str, Any]]:
    return {lane["personId"]: lane for lane in document["lanes"]}


def test_timeline_says_who_is_there_and_what_can_be_done(client: TestClient, address: str, timeline: Timeline) -> None:
    answer = client.get(f"{address}/timeline")
    assert answer.headers["cache-control"].startswith("private")
    document = answer.json()
    assert document["video"] == {
        "name": "generated.mp4",
        "width": 640,
        "height": 360,
        "durationS": 6.0,
        "beginsS": 0.0,
        "frameRateHz": 30.0,
    }
    assert document["player"] == {"state": "ready", "url": "video", "beginsS": 0.0, "share": None, "note": None}
    assert [lane["key"] for lane in document["lanes"]] == ["p1", "p2", "p3"]
    assert not any(lane["readOnly"] for lane in document["lanes"])
    third = lanes(document)[3]
    assert third["title"] == "Person 3"
    assert third["presence"] == [list(visit) for visit in timeline.people[2].presence]
    assert third["sources"] == [[3, *visit] for visit in third["presence"]]
    assert third["presentS"] == pytest.approx(timeline.people[2].present_s)
    assert len(document["labels"]) >= 400
    assert (document["revision"], document["nextPersonId"], document["unfit"]) == (0, 4, 0)
    assert (document["undo"], document["redo"], document["readOnly"], document["complete"]) == (None, None, False, True)
    wait_until(lambda: client.get(f"{address}/timeline").json()["movementReady"])
    moving = lanes(client.get(f"{address}/timeline").json())[1]["movement"]
    assert {kind for _, _, kind in moving} <= {"still", "slow", "fast"}
    assert moving[0][0] == 0.0


def test_segments_are_those_of_the_timeline_in_columns(client: TestClient, address: str, timeline: Timeline) -> None:
    document = client.post(f"{address}/segments", json=VIEW).json()
    expected = timeline.segments(0.4, 0.0)
    assert [document["lanes"][lane] for lane in document["lane"]] == [f"p{one.person_id}" for one in expected]
    assert [document["actions"][action] for action in document["action"]] == [one.action for one in expected]
    assert document["startS"] == [one.start_s for one in expected]
    assert document["endS"] == [one.end_s for one in expected]
    assert document["confidence"] == pytest.approx([one.confidence for one in expected], abs=1e-4)
    assert set(document["source"]) == set(document["checked"]) == {0}
    count = len(document["actions"])
    assert len(document["colors"]["light"]) == len(document["colors"]["dark"]) == len(document["patterns"]) == count
    assert AnalysisStore().action_slots().keys() == {one for one in document["actions"] if one != "unknown"}


def test_a_filter_and_brief_people_decide_which_lanes_and_segments_there_are(
    client: TestClient, data: Path, video: Path
) -> None:
    whole = generated_timeline(2, 6.0)
    brief = generated_timeline(3, 0.8).people[2]
    stored = store_analysis(data, replace(whole, people=(*whole.people, brief)), video)
    address = f"/recognizer/analysis/{stored.analysis_id}"
    assert client.post(f"{address}/segments", json=VIEW).json()["lanes"] == ["p1", "p2"]
    assert client.post(f"{address}/segments", json={**VIEW, "showsBrief": True}).json()["lanes"] == ["p1", "p2", "p3"]
    chosen = {"personIds": [2], "startS": 1.0, "endS": 3.0, "maxConfidence": None, "actions": None, "checked": None}
    document = client.post(f"{address}/segments", json={**VIEW, "filter": chosen}).json()
    assert document["lanes"] == ["p2"]
    assert (document["startS"][0], document["endS"][-1]) == (1.0, 3.0)


def test_revision_tells_whether_there_is_something_new(client: TestClient, address: str) -> None:
    before = client.get(f"{address}/revision").json()
    assert before == {"revision": client.get(f"{address}/timeline").json()["revision"]}
    client.post(f"{address}/edits", json={"edits": [{"edit": "name", "person_id": 1, "name": "Anna"}]})
    assert client.get(f"{address}/revision").json()["revision"] > before["revision"]


def test_likely_labels_and_close_seconds_agree(client: TestClient, address: str) -> None:
    document = client.post(f"{address}/segments", json=VIEW).json()
    for row, second in enumerate(document["second"]):
        labels = client.post(f"{address}/likely", json={**VIEW, "row": row}).json()["labels"]
        assert len(labels) == 5
        if document["actions"][document["action"][row]] != "unknown":
            assert (second >= 0) == (labels[1][1] >= 0.5 * labels[0][1])
            assert second < 0 or document["actions"][second] == labels[1][0]
    answer = client.post(f"{address}/likely", json={**VIEW, "row": len(document["lane"])})
    assert answer.status_code == 404


def test_boxes_reach_from_the_sample_before_to_the_sample_after(
    client: TestClient, address: str, timeline: Timeline
) -> None:
    content = client.get(f"{address}/boxes?fromS=1.05&toS=1.5").content
    (tracks,) = struct.unpack_from("<I", content)
    assert tracks == 3
    person_id, samples = struct.unpack_from("<II", content, 4)
    times_s = np.frombuffer(content, "<f8", samples, 16)
    edges = np.frombuffer(content, "<u2", 4 * samples, 16 + 8 * samples).reshape(4, samples)
    assert person_id == 1
    assert times_s.tolist() == pytest.approx([1.0, 1.2, 1.4, 1.6])
    track = timeline.people[0]
    expected = track.box_xyxy[np.searchsorted(track.time_s, times_s - 1e-6)] / [640, 360, 640, 360]
    assert np.abs(edges.T / 65535 - expected).max() < 1 / 65535
    assert len(content) % 8 == 0
    assert client.get(f"{address}/boxes?fromS=now").status_code == 422
    assert box_bytes(timeline, math.nan, math.nan)  # no request can make the server fail


def test_frames_are_all_presentation_times(client: TestClient, address: str, timeline: Timeline) -> None:
    assert np.frombuffer(client.get(f"{address}/frames").content, "<f8").tolist() == timeline.frame_times_s.tolist()


def test_video_comes_in_ranges_and_a_request_for_the_rest_gets_a_piece(
    client: TestClient, address: str, stored: StoredAnalysis
) -> None:
    content = stored.video_path.read_bytes()
    part = client.get(f"{address}/video", headers={"Range": "bytes=100-299"})
    assert (part.status_code, part.content) == (206, content[100:300])
    assert part.headers["content-range"] == f"bytes 100-299/{len(content)}"
    assert part.headers["content-type"] == "video/mp4"
    rest = client.get(f"{address}/video", headers={"Range": "bytes=0-"})
    assert (rest.status_code, rest.content) == (206, content[:PIECE_BYTES])
    last = client.get(f"{address}/video", headers={"Range": f"bytes={len(content) - 5}-"})
    assert (last.status_code, last.content) == (206, content[-5:])
    assert client.get(f"{address}/video", headers={"Range": f"bytes={len(content)}-"}).status_code == 416
    assert client.get(f"{address}/video").content == content


def test_a_large_video_is_sent_in_pieces_that_never_fill_the_memory(
    client: TestClient, data: Path, video: Path
) -> None:
    stored = store_analysis(data, generated_timeline(1, 2.0, sha256=None), video)
    with stored.video_path.open("r+b") as file:
        file.truncate(5 * 2**30)  # a hole, which takes no room on the disk
    answer = client.get(f"/recognizer/analysis/{stored.analysis_id}/video", headers={"Range": f"bytes={2**32}-"})
    assert answer.headers["content-range"] == f"bytes {2**32}-{2**32 + PIECE_BYTES - 1}/{5 * 2**30}"
    assert len(answer.content) == PIECE_BYTES


def test_picture_shows_the_person_and_stays_when_the_video_is_gone(
    client: TestClient, address: str, stored: StoredAnalysis
) -> None:
    picture = lanes(client.get(f"{address}/timeline").json())[2]["picture"]
    answer = client.get(f"{address}/{picture}")
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.content[:2] == b"\xff\xd8"
    stored.video_path.unlink()
    assert client.get(f"{address}/{picture}").content == answer.content
    assert client.get(f"{address}/picture/9").status_code == 404
    gone = client.get(f"{address}/timeline").json()
    assert gone["player"]["state"] == "gone"
    assert "drop it in again" in gone["player"]["note"]
    assert client.get(f"{address}/video").status_code == 404


def test_picture_of_a_moment_shows_the_person_then(client: TestClient, address: str) -> None:
    first = client.get(f"{address}/moment/2?atS=0.5")
    assert first.headers["content-type"] == "image/jpeg"
    assert first.content[:2] == b"\xff\xd8"
    assert client.get(f"{address}/moment/2?atS=4.0").content != first.content
    assert client.get(f"{address}/moment/2?atS=99").status_code == 404
    assert client.get(f"{address}/moment/9?atS=1").status_code == 404
    assert client.get(f"{address}/moment/2?atS=now").status_code == 422


def test_a_video_that_browsers_do_not_play_is_copied_whole_and_once(
    client: TestClient, data: Path, make_video: Callable[..., Path], timeline: Timeline
) -> None:
    times_s = [k / 25 + 0.004 * (k % 3) for k in range(60)]  # a variable rate
    unplayable = make_video("old.mkv", frames=60, fps=25, codec="ffv1", pix_fmt="bgr0", times_s=times_s)
    stored = store_analysis(data, timeline, unplayable)
    address = f"/recognizer/analysis/{stored.analysis_id}"
    first = client.get(f"{address}/timeline").json()["player"]
    assert first["state"] in {"preparing", "ready"}
    wait_until(lambda: client.get(f"{address}/timeline").json()["player"]["state"] == "ready")
    content = client.get(f"{address}/video").content
    (kept,) = (data / "files").glob("*-playable.mp4")
    assert kept.read_bytes() == content
    # every frame, at its own time: the page steps from frame to frame
    assert times_of(kept) == pytest.approx(times_of(stored.video_path), abs=1e-3)
    assert len(times_of(kept)) == 60


def times_of(path: Path) -> list[float]:
    with open_video(path) as reader:
        return [frame.time_s for frame in reader.frames()]


def test_a_session_that_was_not_recorded_says_so(
    client: TestClient, data: Path, timeline: Timeline, video: Path
) -> None:
    stored = store_analysis(data, replace(timeline, video=replace(timeline.video, sha256=None)), video)
    stored.video_path.unlink()
    document = client.get(f"/recognizer/analysis/{stored.analysis_id}/timeline").json()
    assert (document["player"]["state"], document["player"]["url"]) == ("gone", None)
    assert "was not recorded" in document["player"]["note"]
    assert document["lanes"][0]["picture"] is None


def test_edits_are_applied_undone_and_made_again(client: TestClient, address: str) -> None:
    before = client.post(f"{address}/segments", json=VIEW).json()
    document = edited(
        client,
        address,
        {"edit": "merge", "person_id": 3, "into": 1},
        {"edit": "name", "person_id": 1, "name": "Anna"},
    )
    assert document["revision"] == 1
    assert lanes(document).keys() == {1, 2}
    assert lanes(document)[1]["title"] == "Anna"
    assert document["undo"] == "merge person 3 into Anna and 1 more"
    document = edited(
        client, address, {"edit": "relabel", "person_id": 2, "start_s": 1, "end_s": 2.5, "action": "serve"}
    )
    assert "serve" in document["labels"]
    segments = client.post(f"{address}/segments", json=VIEW).json()
    row = segments["source"].index(1)
    assert (segments["startS"][row], segments["endS"][row], segments["confidence"][row]) == (1.0, 2.5, 1.0)
    assert segments["actions"][segments["action"][row]] == "serve"
    assert client.post(f"{address}/undo", json={}).json()["redo"] == "relabel person 2 at 1.0 s as serve"
    assert lanes(client.post(f"{address}/undo", json={}).json()).keys() == {1, 2, 3}
    assert client.post(f"{address}/segments", json=VIEW).json() == {**before, "revision": 4}
    assert client.post(f"{address}/undo", json={}).json()["revision"] == 4  # there is nothing left
    assert lanes(client.post(f"{address}/redo", json={}).json()).keys() == {1, 2}


def test_boxes_follow_a_merge_and_a_split(client: TestClient, address: str) -> None:
    document = edited(client, address, {"edit": "merge", "person_id": 1, "into": 3})
    presence = lanes(document)[3]["presence"]
    first, away, back, end = 0.0, 2.4, 3.0, 6.0
    assert presence == [[first, end]]
    assert lanes(document)[3]["sources"] == [
        [3, first, pytest.approx(away)],
        [1, pytest.approx(away), pytest.approx(back)],
        [3, pytest.approx(back), end],
    ]
    document = edited(client, address, {"edit": "split", "person_id": 3, "at_s": 2.7, "new_id": 4})
    assert [source[0] for source in lanes(document)[3]["sources"]] == [3, 1]
    assert [source[0] for source in lanes(document)[4]["sources"]] == [1, 3]
    assert lanes(document)[4]["sources"][0][1] == 2.7
    assert document["nextPersonId"] == 5


def test_hidden_people_are_listed_and_come_back(client: TestClient, address: str) -> None:
    edited(client, address, {"edit": "name", "person_id": 2, "name": "Ben"})
    document = edited(client, address, {"edit": "hide", "person_id": 2})
    assert document["hidden"] == [{"personId": 2, "title": "Ben"}]
    assert document["undo"] == "hide Ben"
    assert client.post(f"{address}/segments", json=VIEW).json()["lanes"] == ["p1", "p3"]
    document = edited(client, address, {"edit": "hide", "person_id": 2, "hidden": False})
    assert document["hidden"] == []
    assert lanes(document)[2]["title"] == "Ben"


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        ({"edit": "merge", "person_id": 9, "into": 1}, "person 9"),
        ({"edit": "merge", "person_id": 1, "into": 1}, "merged with itself"),
        ({"edit": "split", "person_id": 1, "at_s": 3.0, "new_id": 2}, "person 1"),
        ({"edit": "relabel", "person_id": 1, "start_s": 3, "end_s": 2, "action": "yoga"}, "2 s is not after 3 s"),
        ({"edit": "relabel", "person_id": 1, "start_s": 3}, "end_s"),
        ({"edit": "explode"}, "explode"),
    ],
)
def test_an_edit_that_does_not_fit_is_refused_and_nothing_is_stored(
    client: TestClient, address: str, edit: dict[str, Any], reason: str
) -> None:
    fitting = {"edit": "name", "person_id": 1, "name": "Anna"}
    answer = client.post(f"{address}/edits", json={"edits": [fitting, edit]})
    assert answer.status_code == 422
    assert reason in answer.json()["problem"]
    document = client.get(f"{address}/timeline").json()
    assert (document["revision"], lanes(document)[1]["title"]) == (0, "Person 1")
    assert client.post(f"{address}/edits", json={"edits": []}).status_code == 422


@pytest.mark.parametrize("item_id", ["nothing", "..%2f..%2fetc%2fpasswd", "%00", "a" * 3000, "C:%5CWindows"])
@pytest.mark.parametrize("kind", ["analysis", "comparison"])
def test_an_unknown_id_is_not_found_and_no_path_is_told(
    client: TestClient, data: Path, item_id: str, kind: str
) -> None:
    for place in ("timeline", "video", "frames", "boxes?fromS=0&toS=1", "picture/1"):
        answer = client.get(f"/recognizer/{kind}/{item_id}/{place}")
        assert answer.status_code == 404
        assert str(data) not in answer.text
    if item_id == "nothing":
        answer = client.post(f"/recognizer/{kind}/{item_id}/segments", json=VIEW)
        assert answer.json()["problem"] == f"This {kind} is not on this machine; load the page again."


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "http://testserver:8000"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://testserver"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
    ],
)
def test_another_sites_page_can_change_nothing(client: TestClient, address: str, headers: dict[str, str]) -> None:
    body = b'{"edits": [{"edit": "hide", "person_id": 1}]}'
    answer = client.post(f"{address}/edits", content=body, headers={"Content-Type": "application/json", **headers})
    assert answer.status_code == 403
    assert answer.json()["problem"].endswith(".")
    assert client.get(f"{address}/timeline").json()["revision"] == 0
    assert client.get(f"{address}/edits").status_code == 405


@pytest.mark.parametrize("headers", [{}, {"Origin": "http://testserver"}, {"Sec-Fetch-Site": "same-origin"}])
def test_this_apps_page_can_change_everything(client: TestClient, address: str, headers: dict[str, str]) -> None:
    answer = client.post(f"{address}/edits", json={"edits": [{"edit": "hide", "person_id": 1}]}, headers=headers)
    assert answer.status_code == 200


def test_too_much_and_nonsense_are_refused(client: TestClient, address: str) -> None:
    headers = {"Content-Type": "application/json"}
    assert client.post(f"{address}/edits", content=b" " * 5_000_000, headers=headers).status_code == 413
    for body in (b"", b"[" * 100_000, b'{"edits": "\xff"}', b"{}"):
        assert client.post(f"{address}/edits", content=body, headers=headers).status_code == 422


def test_a_bug_is_logged_and_told_without_its_details(
    client: TestClient,
    address: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    faults: list[logging.LogRecord],
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("/secret/path")

    monkeypatch.setattr(api, "box_bytes", broken)
    answer = client.get(f"{address}/boxes?fromS=0&toS=1")
    assert answer.status_code == 500
    assert "logged as" in answer.json()["problem"]
    assert "/secret/path" not in answer.text
    assert "/secret/path" in caplog.text


def test_modules_are_kept_only_under_the_address_of_their_content(client: TestClient) -> None:
    current = client.get(f"/{assets.modules_path()}/main.js")
    assert current.headers["content-type"].startswith("text/javascript")
    assert "immutable" in current.headers["cache-control"]
    assert client.get("/recognizer/static/old/workbench/js/main.js").headers["cache-control"] == "no-cache"
    assert client.get(f"/{assets.modules_path()}/%2e%2e/component.py").status_code == 404


def test_addresses_begin_with_the_configured_base(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamlit.get_option", lambda name: "/tools/video/")
    assert all(route.path.startswith("/tools/video/recognizer/") for route in routes())  # type: ignore[attr-defined]


def test_picture_that_a_still_shows_is_that_of_its_time(video: Path) -> None:
    for number in (0, 1, 37, 100, 179):
        assert read_number(still(video, number / 30)) == number


def test_who_signs_in_and_has_a_link_looks_and_the_owner_corrects(
    client: TestClient, address: str, stored: StoredAnalysis, tmp_path: Path
) -> None:
    """Without sign-in, whoever has the link corrects; with it, the analysis is somebody's."""
    edit = {"edits": [{"edit": "name", "person_id": 1, "name": "Anna"}]}
    ada, bob, olga = (claims_of(f"{name}@example.org", email_verified=True) for name in ("ada", "bob", "olga"))
    config = tmp_path / "secrets.toml"
    with secrets(config, secrets_text(f"{ORIGIN}/oauth2callback", "https://id.example")):
        owner = sign_in.user_of(cookies_of(ada))
        assert owner is not None
        runs = server.context().runs
        runs.create(Run(stored.analysis_id, "analysis", visitor_id=owner.visitor_id, video_name=stored.video_name))

        client.cookies.update(cookies_of(bob))
        document = client.get(f"{address}/timeline").json()
        assert all(lane["readOnly"] for lane in document["lanes"])
        for change in ("edits", "undo", "redo"):
            refused = client.post(f"{address}/{change}", json=edit)
            assert (refused.status_code, refused.json()["problem"]) == (403, visitor.ONLY_LOOKS)
        assert client.post(f"{address}/segments", json=VIEW).status_code == 200

        client.cookies.clear()
        client.cookies.update(cookies_of(ada))
        assert not any(lane["readOnly"] for lane in edited(client, address, *edit["edits"])["lanes"])

        with patch.object(visitor, "limits", lambda: Limits(operators=("olga@example.org",))):
            client.cookies.clear()
            client.cookies.update(cookies_of(olga))
            assert client.post(f"{address}/undo", json={}).status_code == 200
