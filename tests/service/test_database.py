from __future__ import annotations

import json
import math
import shutil
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from recognizer.annotations.model import Answers
from recognizer.errors import StoreError
from recognizer.export import comparison_json
from recognizer.export.comparison_json import COMPARISON_SCHEMA_VERSION
from recognizer.export.json_file import SCHEMA_VERSION
from recognizer.service.comparisons import ComparisonStore
from recognizer.service.database import VERSION, Database
from recognizer.service.store import AnalysisStore

WRITTEN_BY_0_1 = Path(__file__).parent / "data" / "analyses-0.1.sqlite3"
"""Version 0.1 wrote it: one analysis, one comparison with labels, two colors; its version is 0."""

COMPARISON_BY_0_1 = Path(__file__).parents[1] / "export" / "data" / "comparison.json"
"""Its export of the comparison in that database."""


def version_of(path: Path) -> int:
    connection = sqlite3.connect(path)
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    connection.close()
    return int(version)


def tables_of(path: Path) -> dict[str, list[str]]:
    """The names of the columns, by table."""
    connection = sqlite3.connect(path)
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    columns = {table: [row[1] for row in connection.execute(f"PRAGMA table_info({table})")] for table in tables}
    connection.close()
    return columns


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A data folder with a copy of the old database."""
    folder = tmp_path / "data"
    folder.mkdir()
    shutil.copy(WRITTEN_BY_0_1, folder / "analyses.sqlite3")
    return folder


def test_everything_that_version_0_1_wrote_is_still_read(old: Path) -> None:
    assert version_of(old / "analyses.sqlite3") == 0
    store = AnalysisStore(old)
    analysis = store.load_analysis("old-analysis")
    assert analysis is not None
    assert analysis.video_name == "dance.mp4"
    assert [track.person_id for track in analysis.timeline.people] == [1, 2]
    assert len(analysis.timeline.predictions) == 12
    assert len(analysis.timeline.frame_times_s) == 60
    assert [one.item_id for one in store.stored_analyses(["old-analysis"])] == ["old-analysis"]
    assert store.action_slots() == {"tai chi": 0, "yoga": 3}
    comparisons = ComparisonStore(store)
    comparison = comparisons.load("old-comparison")
    assert comparison is not None
    assert [entry.name for entry in comparison.comparison.finished] == ["i3d", "s3d"]
    assert comparison.comparison.entries[2].problem == "the weights cannot be had; put them there."
    assert comparison.labels is not None
    assert [label.action for label in comparison.labels.parts[0].labels] == ["tai chi", "yoga"]
    assert comparison.answers == Answers()
    assert [one.item_id for one in comparisons.stored_comparisons(["old-comparison"])] == ["old-comparison"]


def test_a_comparison_that_version_0_1_stored_is_exported_as_it_did(old: Path) -> None:
    comparison = ComparisonStore(AnalysisStore(old)).load("old-comparison")
    assert comparison is not None
    text = comparison_json(comparison.comparison, min_confidence=0.3, min_duration_s=0.25)
    written, now = json.loads(COMPARISON_BY_0_1.read_bytes()), json.loads(text)
    assert {one["timeline"].pop("schema_version") for one in now["entries"] if one["timeline"]} == {SCHEMA_VERSION}
    assert {one["timeline"].pop("schema_version") for one in written["entries"] if one["timeline"]} == {"1.0"}
    assert (now.pop("schema_version"), written.pop("schema_version")) == (COMPARISON_SCHEMA_VERSION, "1.0")
    assert without_new_fields(now, written) == written


def without_new_fields(now: Any, written: Any) -> Any:
    """Return a document without the fields that an older one lacks: a minor version adds fields."""
    if isinstance(now, dict) and isinstance(written, dict):
        return {name: without_new_fields(now[name], written[name]) for name in written if name in now}
    if isinstance(now, list) and isinstance(written, list):
        return [without_new_fields(*pair) for pair in zip(now, written, strict=True)]
    if isinstance(now, float) and isinstance(written, float) and math.isclose(now, written, rel_tol=1e-12):
        return written  # a mean that is added up in another order
    return now


def test_an_old_database_gets_its_version_and_the_columns_of_a_new_one(old: Path, tmp_path: Path) -> None:
    before = tables_of(old / "analyses.sqlite3")
    Database(old / "analyses.sqlite3")
    Database(tmp_path / "new.sqlite3")
    assert version_of(old / "analyses.sqlite3") == version_of(tmp_path / "new.sqlite3") == VERSION == 4
    after = tables_of(old / "analyses.sqlite3")
    assert after == tables_of(tmp_path / "new.sqlite3")
    assert after == {
        **before,
        "comparison": [*before["comparison"], "truth_answers"],
        "correction": ["analysis_id", "revision", "applied", "label_groups"],
        "edit": ["analysis_id", "position", "edit"],
        "action_set": ["set_id", "created_at", "revision", "title", "actions", "space", "clips"],
        "example": [
            "example_id",
            "set_id",
            "action",
            "video_sha256",
            "video_name",
            "person_id",
            "start_s",
            "end_s",
            "added_at",
            "features",
            "posture",
            "removed_at",
        ],
        "example_picture": ["example_id", "number", "jpeg"],
        "background": ["set_id", "video_key", "features"],
        "action_set_change": ["set_id", "revision", "change"],
        "chosen_set": ["analysis_id", "set_id", "mode", "number"],
    }


def test_an_old_database_without_comparisons_gets_their_table(old: Path) -> None:
    connection = sqlite3.connect(old / "analyses.sqlite3")
    connection.execute("DROP TABLE comparison")
    connection.close()
    store = AnalysisStore(old)
    assert not ComparisonStore(store).has("old-comparison")
    assert store.load_analysis("old-analysis") is not None


def test_a_database_of_a_later_version_is_refused_and_left_alone(old: Path) -> None:
    path = old / "analyses.sqlite3"
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    with pytest.raises(StoreError, match=rf"version {VERSION + 1}.*reads versions up to {VERSION}; install the latest"):
        AnalysisStore(old)
    assert version_of(path) == VERSION + 1


def test_several_processes_may_open_a_new_database_at_once(tmp_path: Path) -> None:
    failures: list[BaseException] = []

    def open_it() -> None:
        try:
            Database(tmp_path / "new.sqlite3")
        except BaseException as error:  # noqa: BLE001 - the assertion below reports it
            failures.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert version_of(tmp_path / "new.sqlite3") == VERSION


def test_a_block_that_fails_saves_nothing(tmp_path: Path) -> None:
    database = Database(tmp_path / "new.sqlite3")

    def fail() -> None:
        with database.connection() as connection:
            connection.execute("INSERT INTO action_colour VALUES ('yoga', 1)")
            raise ValueError("half way")

    with pytest.raises(ValueError, match="half way"):
        fail()
    with database.connection() as connection:
        assert connection.execute("SELECT count(*) FROM action_colour").fetchone() == (0,)
