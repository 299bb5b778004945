"""The addresses that the page of own actions asks, on a server of their own with stored analyses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from recognizer.dashboard import server
from recognizer.dashboard.own_actions.typical import FEW, few_of
from recognizer.dashboard.workbench.routes import routes
from recognizer.service.clip_index import FoundMoment
from recognizer.service.store import StoredAnalysis
from tests.support.featured import featured_timeline, labels_of, stretch_of
from tests.support.workbench import store_analysis, write_video

HASHES = ("aa" * 32, "bb" * 32, "cc" * 32)
TIMELINES = [featured_timeline(2, 45.0, seed=k, sha256=sha256, action_s=6.0) for k, sha256 in enumerate(HASHES, 1)]


@dataclass
class Set:
    """A set on the server, and the browser's analyses."""

    client: TestClient
    set_id: str
    analyses: list[StoredAnalysis]

    @property
    def ids(self) -> list[str]:
        return [one.analysis_id for one in self.analyses]

    @property
    def address(self) -> str:
        return f"/recognizer/actions/{self.set_id}"

    def get(self, path: str) -> Any:
        answer = self.client.get(f"{self.address}/{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: dict[str, Any], status: int = 200) -> Any:
        answer = self.client.post(f"{self.address}/{path}", json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    def change(self, type_: str, **fields: Any) -> dict[str, dict[str, Any]]:
        """Change the set; return its rows by name."""
        return rows(self.post("change", {"type": type_, **fields}))

    def mark(self, label: str, name: str | None, analysis: int = 0) -> Any:
        """Mark a moment at which somebody's clips have a label."""
        moment = {"analysisId": self.ids[analysis], **moment_of(label, analysis)}
        return self.post("name", {"moments": [moment], "action": name})


def moment_of(label: str, analysis: int = 0) -> dict[str, float]:
    """Return a moment at which somebody's clips have a label."""
    timeline = TIMELINES[analysis]
    person_id = 1 if label in labels_of(timeline, 1) else 2
    start_s, end_s = stretch_of(timeline, person_id, label)
    return {"personId": person_id, "startS": start_s, "endS": end_s}


def shared_labels() -> list[str]:
    """Return labels that occur in each of the first two videos."""
    first, second = ({one for k in (1, 2) for one in labels_of(timeline, k)} for timeline in TIMELINES[:2])
    return sorted(first & second)


def rows(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["name"] or "": row for row in document["rows"]}


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("video") / "generated.mp4", TIMELINES[0])


@pytest.fixture
def own(tmp_path: Path, video: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Set]:
    monkeypatch.setenv("RECOGNIZER_DATA", str(tmp_path / "data"))
    server.context.clear()
    server.palette.clear()
    context = server.context()
    analyses = [store_analysis(tmp_path / "data", timeline, video) for timeline in TIMELINES]
    for one in analyses:
        context.workbench.hold(one)
    with TestClient(Starlette(routes=routes())) as client:
        yield Set(client, context.own_actions.create(), analyses)
    server.context.clear()
    server.palette.clear()


@pytest.fixture
def unsure(own: Set, video: Path, tmp_path: Path) -> StoredAnalysis:
    """An analysis in which nothing is known for sure."""
    timeline = TIMELINES[2]
    said = [replace(one, top=tuple((label, p / 5) for label, p in one.top)) for one in timeline.predictions]
    stored = store_analysis(tmp_path / "data", replace(timeline, predictions=tuple(said)), video)
    server.context().workbench.hold(stored)
    return stored


def test_marked_moment_is_a_film_in_the_row_of_its_action(own: Set) -> None:
    label = labels_of(TIMELINES[0], 1)[0]
    answer = own.mark(label, "resting")
    assert answer["added"] == 1
    row = rows(answer["actions"])["resting"]
    assert row["counted"] == "1 moment in 1 video"
    (film,) = row["examples"]
    assert film["video"] == "generated.mp4"
    assert {name: film[name] for name in ("personId", "startS", "endS")} == moment_of(label)
    assert film["pictures"] == 3
    pictures = [own.client.get(f"{own.address}/picture/{film['id']}/{k}") for k in range(3)]
    assert all(one.content.startswith(b"\xff\xd8") for one in pictures)
    assert pictures[0].headers["cache-control"].startswith("private")
    assert pictures[0].headers["x-content-type-options"] == "nosniff"
    for number in ("3", "-1", "x", "9" * 40, "²"):
        assert own.client.get(f"{own.address}/picture/{film['id']}/{number}").status_code == 404


def test_row_says_where_it_will_fail_and_the_set_asks_for_none_of_these(own: Set) -> None:
    document = own.mark(labels_of(TIMELINES[0], 1)[0], "resting")["actions"]
    assert any("one video" in text for text in rows(document)["resting"]["warnings"])
    assert any("none of these" in text for text in document["warnings"])
    assert rows(document)[""]["counted"] == "no moments yet"


def test_names_colors_and_examples_change_and_every_change_is_taken_back(own: Set) -> None:
    own.mark(labels_of(TIMELINES[0], 1)[0], "resting")
    assert own.change("add", name="Lifting")["Lifting"]["counted"] == "no moments yet"
    renamed = own.change("rename", name="resting", to="sitting")
    assert list(renamed) == ["sitting", "Lifting", ""]
    assert own.change("recolor", name="sitting", slot=3)["sitting"]["slot"] == 3
    assert server.palette().style("sitting").slot == 3
    (film,) = renamed["sitting"]["examples"]
    moved = own.change("move", example=film["id"], to=None)
    assert (len(moved["sitting"]["examples"]), len(moved[""]["examples"])) == (0, 1)
    assert own.change("undo")["sitting"]["counted"] == "1 moment in 1 video"
    assert own.change("removeExample", example=film["id"])["sitting"]["examples"] == []
    assert own.change("undo")["sitting"]["examples"] == [film]
    assert "sitting" not in own.change("remove", name="sitting")
    seen = own.get("set")["revision"]
    refused = own.post("change", {"type": "undo", "revision": seen - 1}, 422)
    assert "changed elsewhere" in refused["problem"]
    back = own.post("change", {"type": "undo", "revision": seen})
    assert rows(back)["sitting"]["examples"] == [film]
    assert back["undo"]


def test_refused_change_says_why_in_one_sentence(own: Set) -> None:
    own.change("add", name="sitting")
    assert "choose another name" in own.post("change", {"type": "add", "name": "unknown"}, 422)["problem"]
    for body in ({"type": "recolor", "name": "sitting", "slot": 8}, {"type": "burn"}, {"type": "move"}):
        assert "does not fit" in own.post("change", body, 422)["problem"]
    nobody = {"analysisId": own.ids[0], "personId": 9, "startS": 0.0, "endS": 2.0}
    assert "Person 9" in own.post("name", {"moments": [nobody], "action": "sitting"}, 422)["problem"]
    assert own.client.get("/recognizer/actions/elsewhere/set").status_code == 404
    assert own.client.post("/recognizer/actions/elsewhere/groups", json={"analyses": own.ids}).status_code == 404
    foreign = own.client.post(f"{own.address}/change", json={"type": "undo"}, headers={"origin": "https://evil.test"})
    assert foreign.status_code == 403


def test_quality_is_hidden_until_every_action_has_two_videos(own: Set) -> None:
    first, second = shared_labels()[:2]
    assert "two videos" in own.get("measured")["missing"]
    own.mark(first, "resting")
    own.mark(second, "serving")
    own.mark(first, "resting", analysis=1)
    measured = own.get("measured")
    assert measured["rows"] == []
    assert measured["missing"] == "To measure how good the names are, mark serving in a second video as well."
    own.mark(second, "serving", analysis=1)
    measured = own.get("measured")
    assert measured["missing"] is None
    assert [(row["name"], row["total"]) for row in measured["rows"]] == [("resting", 2), ("serving", 2)]
    assert all(0 <= row["right"] <= row["total"] for row in measured["rows"])


def test_questions_are_about_videos_that_are_not_marked_yet(own: Set) -> None:
    first, second = labels_of(TIMELINES[0], 1)[:2]
    asked = {"analyses": own.ids}
    assert "Mark moments of two actions first" in own.post("questions", asked)["problem"]
    own.mark(first, "resting")
    own.mark(second, "serving")
    document = own.post("questions", asked)
    assert document["problem"] is None
    assert len(document["moments"]) == 5
    assert {one["analysisId"] for one in document["moments"][:2]} == set(own.ids[1:])
    assert "analyse a video first" in own.post("questions", {"analyses": []})["problem"]


def test_more_like_an_example_are_moments_of_the_same_action_and_no_examples(own: Set) -> None:
    label = shared_labels()[0]
    film = rows(own.mark(label, "resting")["actions"])["resting"]["examples"][0]
    found = own.post("alike", {"example": film["id"], "analyses": own.ids})["moments"]
    assert found
    labels = []
    for one in found[:3]:
        timeline = TIMELINES[own.ids.index(one["analysisId"])]
        labels += [
            said.top[0][0]
            for said in timeline.predictions
            if (said.person_id, said.start_s, said.end_s) == (one["personId"], one["startS"], one["endS"])
        ]
    assert labels == [label] * 3
    marked = moment_of(label)
    here = [one for one in found if (one["analysisId"], one["personId"]) == (own.ids[0], marked["personId"])]
    assert all(one["endS"] <= marked["startS"] or one["startS"] >= marked["endS"] for one in here)


def test_a_few_moments_of_a_group_become_examples(own: Set, unsure: StoredAnalysis) -> None:
    document = own.post("groups", {"analyses": [*own.ids, unsure.analysis_id]})
    assert document["problem"] is None
    group = document["groups"][0]
    assert group["counted"].endswith(" moments in 1 video")
    assert 1 < len(group["moments"]) <= FEW
    asked = [{name: value for name, value in one.items() if name != "video"} for one in group["moments"]]
    named = own.post("name", {"moments": asked, "action": "resting"})
    assert named["added"] == len(asked)
    assert len(rows(named["actions"])["resting"]["examples"]) == len(asked)


def test_few_of_a_group_are_of_many_videos_and_people() -> None:
    def moment(video: str, person_id: int, start_s: float) -> FoundMoment:
        return FoundMoment(video, video, person_id, start_s, start_s + 1)

    one_video = [moment("a", 1, k) for k in range(40)]
    assert few_of(one_video) == one_video[:FEW]
    people = [*one_video, moment("a", 2, 0)]
    assert few_of(people)[:2] == [one_video[0], people[-1]]
    videos = [*people, moment("b", 1, 0), moment("c", 1, 0)]
    assert [one.video_name for one in few_of(videos)] == ["a", "b", "c", "a", "a"]


def test_search_is_prepared_and_finds_each_video_once(own: Set, video: Path, tmp_path: Path) -> None:
    again = store_analysis(tmp_path / "data", TIMELINES[0], video)
    server.context().workbench.hold(again)
    ids = [*own.ids, again.analysis_id]
    assert own.post("prepare", {"analyses": ids}) == {}
    label = labels_of(TIMELINES[1], 1)[0]
    film = rows(own.mark(label, "resting", analysis=1)["actions"])["resting"]["examples"][0]
    found = own.post("alike", {"example": film["id"], "analyses": ids})["moments"]
    assert own.ids[0] not in {one["analysisId"] for one in found}  # a later analysis of its video takes its place
