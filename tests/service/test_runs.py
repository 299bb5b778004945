"""Runs in the database: their states, save points, who takes them over, and what lists show."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from recognizer.service import tables
from recognizer.service.database import Database, put
from recognizer.service.runs import Kind, Run, RunQuery, RunStore, new_run_id


@pytest.fixture
def runs(database: Database) -> RunStore:
    return RunStore(database)


def some_run(run_id: str, **values: object) -> Run:
    return replace(Run(run_id, "analysis", f"{run_id}.mp4", visitor_id="anna"), **values)  # type: ignore[arg-type]


def loaded(runs: RunStore, run_id: str) -> Run:
    found = runs.load(run_id)
    assert found is not None
    return found


def test_a_run_comes_back_as_it_was(runs: RunStore) -> None:
    run = some_run(
        "one", request={"settings": {"skip_frame": 2}}, title="Match", tags=("tennis", "Ünder 12"), facts={"people": 3}
    )
    runs.create(run)
    assert runs.load("one") == replace(run, result_id="one")
    runs.create(replace(run, title="another"))
    assert loaded(runs, "one").title == "Match"
    assert runs.load("none") is None
    assert new_run_id() != new_run_id()


def test_a_run_passes_through_its_states(runs: RunStore) -> None:
    runs.create(some_run("one", server_id="first"))
    assert runs.begin("one", "first")
    began = loaded(runs, "one")
    assert (began.state, began.started_at is not None) == ("running", True)
    assert runs.beat("one", 0.25, b"a")
    assert runs.beat("one", 0.5)
    assert runs.beat("one", 0.75, b"b", server_id="first")
    assert (loaded(runs, "one").progress, runs.chunks("one")) == (0.75, [b"a", b"b"])
    assert runs.chunk_count("one") == 2
    assert runs.chunk_count("none") == 0
    assert runs.begin("one", "first")
    assert loaded(runs, "one").started_at == began.started_at  # a second beginning goes on with the first
    runs.end("one", "done", facts={"people": 2})
    ended = loaded(runs, "one")
    assert (ended.state, ended.progress, ended.facts, runs.chunks("one")) == ("done", 1.0, {"people": 2}, [])
    assert ended.is_finished
    assert ended.ended_at is not None
    assert not runs.beat("one", 0.1, b"late")
    assert not runs.begin("one", "first")
    assert runs.chunks("one") == []


def test_a_failed_run_says_why(runs: RunStore) -> None:
    runs.create(some_run("one", facts={"people": 1}))
    runs.begin("one", "first")
    runs.beat("one", 0.5)
    runs.end("one", "failed", "the video is gone.")
    found = loaded(runs, "one")
    assert (found.state, found.problem, found.progress, found.facts) == (
        "failed",
        "the video is gone.",
        0.5,
        {"people": 1},
    )


def test_the_runs_of_a_lost_server_go_to_one_other(runs: RunStore) -> None:
    for number in range(10):
        runs.create(some_run(f"lost {number}", server_id="lost"))
        runs.begin(f"lost {number}", "lost")
    runs.create(some_run("waiting", server_id="lost"))
    runs.create(some_run("over", server_id="lost"))
    runs.end("over", "cancelled")
    runs.create(some_run("alive", server_id="alive"))
    runs.beat("lost 0", 0.5, b"kept")
    with ThreadPoolExecutor(4) as pool:
        claimed = list(pool.map(lambda one: runs.claim(one, ["lost", "older"]), ["a", "b", "c", "d"]))
    (winner,) = [found for found in claimed if found]
    assert [one.run_id for one in winner] == [*(f"lost {number}" for number in range(10)), "waiting"]
    assert runs.chunks("lost 0") == [b"kept"]
    # the lost one was only slow, and must not write into what another server goes on with
    assert not runs.beat("lost 0", 0.6, b"doubled", server_id="lost")
    assert not runs.begin("lost 0", "lost")
    assert runs.chunks("lost 0") == [b"kept"]
    assert runs.claim("e", []) == []


def test_a_list_has_the_runs_of_a_visitor_and_those_that_links_name(runs: RunStore) -> None:
    start = datetime(2026, 11, 29, tzinfo=UTC)
    for number, (run_id, visitor) in enumerate([("b", "anna"), ("a", "anna"), ("c", "ben"), ("d", "carl")]):
        runs.create(some_run(run_id, visitor_id=visitor, created_at=start + timedelta(seconds=number)))
    runs.create(some_run("e", kind="comparison", visitor_id="ben", title="Zürich", tags=("SKI",), created_at=start))
    runs.opened("b")

    def listed(query: RunQuery) -> list[str]:
        return [one.run_id for one in runs.list(query)]

    assert listed(RunQuery())[:3] == ["d", "c", "a"]
    assert listed(RunQuery(["anna"])) == ["a", "b"]
    assert listed(RunQuery(["anna"], ["c", "a", *map(str, range(3000))])) == ["c", "a", "b"]
    assert listed(RunQuery([], ["d"])) == ["d"]
    assert listed(RunQuery([])) == []
    assert listed(RunQuery(["anna"], sort="opened")) == ["b", "a"]
    assert listed(RunQuery(sort="name")) == ["a", "b", "c", "d", "e"]
    assert listed(RunQuery(text="ZÜR")) == listed(RunQuery(text=" ski ")) == ["e"]
    assert listed(RunQuery(kinds=["comparison"])) == ["e"]
    assert listed(RunQuery(states=["running"])) == []


def test_a_deleted_run_comes_back_until_it_is_forgotten(runs: RunStore) -> None:
    runs.create(some_run("one"))
    runs.create(some_run("two"))
    runs.rename("one", "First")
    runs.tag("one", ["a", "b", "a"])
    runs.remove("one")
    assert [one.run_id for one in runs.list(RunQuery())] == ["two"]
    assert [(one.name, one.tags) for one in runs.list(RunQuery(removed=True))] == [("First", ("a", "b"))]
    assert runs.purge(datetime.now(UTC) - timedelta(hours=1)) == []
    runs.restore("one")
    assert {one.run_id for one in runs.list(RunQuery())} == {"one", "two"}
    runs.remove("one")
    runs.beat("one", 0.5, b"x")
    assert [one.run_id for one in runs.purge(datetime.now(UTC))] == ["one"]
    assert runs.load("one") is None
    assert runs.chunks("one") == []


@pytest.mark.parametrize(("kind", "left"), [("analysis", []), ("comparison", []), ("live", []), ("drawing", ["one"])])
def test_all_of_a_result_is_forgotten_with_its_run(
    runs: RunStore, database: Database, kind: Kind, left: list[str]
) -> None:
    video = {"created_at": datetime.now(UTC), "video_name": "a.mp4", "video_file": "a.mp4"}
    rows = {
        tables.analysis.c.analysis_id: {**video, "timeline": b""},
        tables.comparison.c.comparison_id: {**video, "video_sha256": "", "entries": b""},
        tables.correction.c.analysis_id: {"revision": 1, "applied": 0, "label_groups": "{}"},
        tables.edit.c.analysis_id: {"position": 0, "edit": "{}"},
        tables.chosen_set.c.analysis_id: {"mode": "instead", "number": 1},
    }
    with database.transaction("results") as connection:
        for column, values in rows.items():
            put(connection, column.table, [{column.name: one, **values} for one in ("one", "another")])
    runs.create(some_run("run", kind=kind, result_id="one"))
    runs.remove("run")
    runs.purge(datetime.now(UTC) + timedelta(hours=1))
    with database.reading() as connection:
        for column in rows:
            assert sorted(connection.scalars(select(column))) == ["another", *left], column.table.name
