"""The addresses at which the workbench teaches own actions, on a server of their own with stored analyses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from recognizer.dashboard import server
from recognizer.dashboard.workbench.routes import routes
from recognizer.service.store import StoredAnalysis
from recognizer.timeline.model import Timeline
from tests.support.featured import featured_timeline, labels_of, stretch_of
from tests.support.workbench import generated_timeline, store_analysis

FIRST = featured_timeline(2, 60.0, action_s=12.0)
SECOND = featured_timeline(2, 60.0, seed=3, sha256="ef" * 32, action_s=12.0)
VIEW = {"minConfidence": 0.3, "minDurationS": 0.0, "showsBrief": True, "filter": None}


@dataclass
class Page:
    """The workbench's page of one analysis, in a browser that remembers these sets."""

    client: TestClient
    stored: StoredAnalysis
    sets: list[str]

    def ask(self, path: str, body: object = None, status: int = 200) -> dict[str, Any]:
        """Return the document of an answer."""
        address = f"/recognizer/analysis/{self.stored.analysis_id}/{path}"
        answer = self.client.get(address) if body is None else self.client.post(address, json=body)
        assert answer.status_code == status, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def known(self) -> dict[str, Any]:
        return self.ask(f"actions?sets={','.join(self.sets)}")

    def teach(self, label: str, action: str | None, person_id: int = 1) -> dict[str, Any]:
        """Teach a stretch in which the network sees a label; remember the set, as a browser does."""
        start_s, end_s = stretch_of(self.stored.timeline, person_id, label)
        body = {"sets": self.sets, "personId": person_id, "startS": start_s, "endS": end_s, "action": action}
        taught = self.ask("examples", body)
        if taught["set"] not in self.sets:
            self.sets.append(taught["set"])
        return taught

    def actions(self) -> dict[str, set[str]]:
        """Return what the segments of each lane say."""
        document = self.ask("segments", VIEW)
        found: dict[str, set[str]] = {lane: set() for lane in document["lanes"]}
        for lane, action in zip(document["lane"], document["action"], strict=True):
            found[document["lanes"][lane]].add(document["actions"][action])
        return found


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setenv("RECOGNIZER_DATA", str(tmp_path / "data"))
    server.context.clear()
    server.palette.clear()
    with TestClient(Starlette(routes=routes())) as made:
        yield made
    server.context.clear()
    server.palette.clear()


@pytest.fixture
def browser_sets() -> list[str]:
    return []


def stored_page(client: TestClient, tmp_path: Path, timeline: Timeline, sets: list[str]) -> Page:
    video = tmp_path / "gym.mp4"
    video.write_bytes(b"not a video")
    stored = store_analysis(tmp_path / "data", timeline, video)
    return Page(client, stored, sets)


@pytest.fixture
def page(client: TestClient, tmp_path: Path, browser_sets: list[str]) -> Page:
    return stored_page(client, tmp_path, FIRST, browser_sets)


@pytest.fixture
def other(client: TestClient, tmp_path: Path, browser_sets: list[str]) -> Page:
    """Another analysis in the same browser."""
    return stored_page(client, tmp_path, SECOND, browser_sets)


def test_first_example_makes_a_set_and_says_what_else_is_needed(page: Page) -> None:
    label = labels_of(FIRST, 1)[0]
    assert page.known() == {"set": None, "title": "My actions", "names": [], "features": "kept", "remark": None}
    before = page.actions()
    taught = page.teach(label, "  resting ")
    assert taught["action"] == "resting"
    assert "once two actions have a moment" in taught["remark"]
    assert page.known() == {
        "set": taught["set"], "title": "My actions", "names": ["resting"], "features": "kept", "remark": None,
    }  # fmt: skip
    assert page.actions() == before


def test_every_person_is_named_at_once_after_a_second_kind_of_example(page: Page) -> None:
    shared = next(one for one in labels_of(FIRST, 1) if one in labels_of(FIRST, 2))
    other_label = next(one for one in labels_of(FIRST, 1) if one != shared)
    page.teach(shared, "resting")
    taught = page.teach(other_label, None)
    assert taught["action"] is None
    assert taught["remark"] is None
    assert taught["timeline"]["revision"] > 0
    assert "resting" in taught["timeline"]["labels"]
    assert "resting" in page.actions()["p1"]
    assert "resting" in page.actions()["p2"]
    assert shared not in page.actions()["p1"]


def test_forgetting_an_example_brings_back_what_was_shown(page: Page) -> None:
    first, second = labels_of(FIRST, 1)[:2]
    page.teach(first, "resting")
    before = page.actions()
    taught = page.teach(second, "serving")
    assert page.actions() != before
    (shown,) = [one for one in taught["timeline"]["lanes"][0]["taught"] if one["action"] == "serving"]
    start_s, end_s = stretch_of(FIRST, 1, second)
    assert shown == {"example": taught["example"], "action": "serving", "startS": start_s, "endS": end_s}
    named = page.actions()
    left = page.ask("forget", {"set": taught["set"], "example": taught["example"]})
    assert left["timeline"]["revision"] != taught["timeline"]["revision"]
    assert page.actions() == before
    assert [one["action"] for one in left["timeline"]["lanes"][0]["taught"]] == ["resting"]
    page.ask("forget", {"set": taught["set"], "example": taught["example"], "forgotten": False})
    assert page.actions() == named
    assert page.known()["names"] == ["resting", "serving"]
    assert page.ask("forget", {"set": "nothing", "example": "at all"}, 422)["problem"].startswith("This set")


def test_the_latest_set_that_fits_is_taught_and_the_chosen_one_before_it(page: Page, other: Page) -> None:
    own = server.context().own_actions
    first, second = labels_of(FIRST, 1)[:2]
    taught = page.teach(first, "resting")["set"]
    assert other.known()["set"] == taught
    newer = own.create("Gym")
    other.sets.append(newer)
    assert other.known()["title"] == "Gym"
    assert page.teach(second, "serving")["set"] == taught
    own.choose(page.stored.analysis_id, None)
    assert page.known()["set"] == newer
    own.choose(page.stored.analysis_id, newer, "beside")
    assert page.teach(second, "serving")["set"] == newer
    assert own.chosen(page.stored.analysis_id).mode == "beside"


def test_a_set_of_another_network_gets_no_example(page: Page, client: TestClient, tmp_path: Path) -> None:
    page.teach(labels_of(FIRST, 1)[0], "resting")
    timeline = featured_timeline(2, 60.0, action_s=12.0, weights_sha256="12" * 32)
    foreign = stored_page(client, tmp_path, timeline, page.sets)
    assert foreign.known()["set"] is None
    assert foreign.teach(labels_of(timeline, 1)[0], "resting")["set"] != page.sets[0]


def test_what_the_network_said_has_lanes_that_cannot_be_corrected(page: Page) -> None:
    first, second = labels_of(FIRST, 1)[:2]
    taught = page.teach(first, "resting")
    page.teach(second, "serving")
    server.context().own_actions.choose(page.stored.analysis_id, taught["set"], "beside")
    lanes = page.ask("timeline")["lanes"]
    assert [(one["key"], one["classifier"], one["readOnly"]) for one in lanes] == [
        ("p1", "My actions", False), ("p1-1", "i3d", True), ("p2", "My actions", False), ("p2-1", "i3d", True),
    ]  # fmt: skip
    assert page.actions()["p1"] <= {"resting", "serving", "unknown"}
    assert first in page.actions()["p1-1"]


def test_a_refused_first_example_leaves_no_set(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    own = server.context().own_actions
    create, made = own.create, list[str]()

    def counted() -> str:
        made.append(create())
        return made[-1]

    monkeypatch.setattr(own, "create", counted)
    body = {"sets": [], "personId": 1, "startS": 500.0, "endS": 503.0, "action": "resting"}
    page.ask("examples", body, 422)
    assert made == []
    assert page.teach(labels_of(page.stored.timeline, 1)[0], "resting")["set"] == made[0]


def test_refusals_are_sentences(page: Page, client: TestClient, tmp_path: Path) -> None:
    body = {"sets": [], "personId": 1, "startS": 500.0, "endS": 503.0, "action": "resting"}
    assert page.ask("examples", body, 422)["problem"].startswith("Nobody was found from 500.0 s to 503.0 s")
    assert "mark at least" in page.ask("examples", {**body, "startS": 1.0, "endS": 1.1}, 422)["problem"]
    assert page.ask("examples", {**body, "startS": 1.0, "endS": 3.0, "action": "  "}, 422)["problem"]
    assert page.ask("examples", {**body, "action": 3}, 422)["problem"].startswith("The request does not fit")
    assert page.known()["set"] is None
    bare = stored_page(client, tmp_path, generated_timeline(2, 6.0), [])
    known = bare.known()
    assert (known["features"], "no features are kept" in known["remark"]) == ("gone", True)
    assert "features" in bare.ask("examples", {**body, "startS": 1.0, "endS": 3.0}, 422)["problem"]
    off = replace(generated_timeline(2, 6.0), settings=replace(FIRST.settings, keep_features=False))
    assert stored_page(client, tmp_path, off, []).known()["features"] == "off"


def test_another_sites_page_can_teach_nothing(page: Page) -> None:
    start_s, end_s = stretch_of(FIRST, 1, labels_of(FIRST, 1)[0])
    body = {"sets": [], "personId": 1, "startS": start_s, "endS": end_s, "action": "resting"}
    address = f"/recognizer/analysis/{page.stored.analysis_id}/examples"
    answer = page.client.post(address, json=body, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert page.known()["set"] is None


def test_moments_alike_come_from_the_given_analyses_only(page: Page, other: Page) -> None:
    label = next(one for one in labels_of(FIRST, 1) if one in {*labels_of(SECOND, 1), *labels_of(SECOND, 2)})
    start_s, end_s = stretch_of(FIRST, 1, label)
    body = {"personId": 1, "startS": start_s, "endS": end_s, "analyses": [other.stored.analysis_id, "gone"]}
    moments = page.ask("alike", body)["moments"]
    ids = [page.stored.analysis_id, other.stored.analysis_id]
    assert {one["analysisId"] for one in moments} == set(ids)
    likeness = [one["likeness"] for one in moments]
    assert likeness == sorted(likeness, reverse=True)
    one = next(one for one in moments if one["analysisId"] == ids[1])
    assert one["picture"] == f"../{ids[1]}/moment/{one['personId']}?atS={(one['startS'] + one['endS']) / 2:.3f}"
    own = page.ask("alike", {**body, "analyses": []})["moments"]
    assert {one["analysisId"] for one in own} == {ids[0]}
