"""Names and values that others' code, scripts, files and bookmarks rely on, as literals; changes break them."""

from __future__ import annotations

import ast
import json
import re
import sqlite3
from pathlib import Path

import pytest

import recognizer
from recognizer import weights
from recognizer.cli import main
from recognizer.files import data_dir
from recognizer.service.comparisons import ComparisonStore
from recognizer.service.store import AnalysisStore
from tests.support.environment import ROOT

NAMES = {
    "ActionRecognition", "ActionResults", "CheckpointError", "Clip", "Frame", "Models", "PersonTrack", "Prediction",
    "Progress", "Recognizer", "RecognizerError", "Segment", "Settings", "SettingsError", "StoreError", "Timeline",
    "TrackedPerson", "TruthError", "VideoError", "VideoInfo", "WeightsError", "analyze", "load_models",
}  # fmt: skip

GENERAL = {"--help", "--quiet", "--verbose"}
SETTINGS = {
    "--preset", "--detector", "--sequence-length", "--skip", "--crop-margin", "--min-person-confidence", "--tracker",
    "--overlap", "--steady-crop", "--no-steady-crop", "--surroundings", "--no-surroundings", "--calibrated",
    "--no-calibrated", "--smoothing", "--device", "--precision", "--backend",
    "--keep-features", "--no-keep-features",
}  # fmt: skip
SEGMENTS = {"--min-confidence", "--min-duration"}
OPTIONS = {
    "analyze": GENERAL | SETTINGS | SEGMENTS
    | {"--csv", "--json", "--video", "--export", "--corrections", "--groups",
       "--classifier", "--checkpoint", "--labels", "--max-file-mb", "--actions", "--actions-mode"},
    "compare": GENERAL | SETTINGS | SEGMENTS
    | {"--csv", "--json", "--report", "--classifiers", "--own", "--truth", "--actions", "--actions-mode"},
    "batch": GENERAL | SETTINGS | SEGMENTS
    | {"--out", "--settings", "--workers", "--ray", "--retry", "--plain",
       "--max-seconds", "--max-memory-mb", "--max-file-mb"},
    "weights": GENERAL | {"--ready", "--json"},
    "doctor": GENERAL | {"--device"},
    "limits": {"--help", "--verbose"},
}  # fmt: skip

VARIABLES = {
    "RECOGNIZER_CACHE",
    "RECOGNIZER_CAMERA_HOSTS",
    "RECOGNIZER_CONFIG",
    "RECOGNIZER_DATA",
    "RECOGNIZER_DATABASE",
    "RECOGNIZER_ICE_SERVERS",
    "RECOGNIZER_WEIGHTS",
}

TABLES = {
    "run": [
        "run_id", "kind", "state", "visitor_id", "video_name", "video_file", "video_sha256", "request", "result_id",
        "created_at", "started_at", "ended_at", "server_id", "heartbeat_at", "progress", "problem", "opened_at",
        "title", "tags", "removed_at", "facts",
    ],
    "run_chunk": ["run_id", "number", "document"],
    "analysis": ["analysis_id", "created_at", "video_name", "video_file", "timeline"],
    "action_colour": ["action", "slot"],
    "comparison": [
        "comparison_id", "created_at", "video_name", "video_file", "video_sha256", "entries", "truth_name",
        "truth", "truth_answers",
    ],
}  # fmt: skip


def test_names_of_the_package() -> None:
    assert set(recognizer.__all__) >= NAMES
    assert [name for name in NAMES if getattr(recognizer, name).__name__ != name] == []


def help_text(*command: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main([*command, "--help"]) == 0
    return capsys.readouterr().out


def test_commands(capsys: pytest.CaptureFixture[str]) -> None:
    commands = re.findall(r"^    (\w+) ", help_text(capsys=capsys), re.MULTILINE)
    assert set(OPTIONS) <= set(commands)


@pytest.mark.parametrize("command", OPTIONS)
def test_options_of_a_command(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    lines = re.findall(r"^  (?:-\w, )?(--.*)$", help_text(command, capsys=capsys), re.MULTILINE)
    found = {option for line in lines for option in re.findall(r"--[a-z-]+", line.partition("  ")[0])}
    assert OPTIONS[command] <= found


def test_environment_variables() -> None:
    files = (ROOT / "recognizer").rglob("*.py")
    nodes = (node for file in files for node in ast.walk(ast.parse(file.read_text("utf-8"))))
    values = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    assert {value for value in values if re.fullmatch(r"RECOGNIZER_[A-Z_]+", value)} >= VARIABLES


def test_folders_of_cache_and_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    assert "who-does-what-when" in weights.cache_dir().parts
    assert weights.cache_dir().name == "weights"
    assert data_dir().name == "who-does-what-when"
    monkeypatch.setenv("RECOGNIZER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("RECOGNIZER_DATA", str(tmp_path / "data"))
    assert weights.cache_dir() == tmp_path / "cache" / "weights"
    assert data_dir() == tmp_path / "data"


def test_tables_of_the_database(tmp_path: Path) -> None:
    ComparisonStore(AnalysisStore(tmp_path))
    assert (tmp_path / "files").is_dir()
    connection = sqlite3.connect(tmp_path / "analyses.sqlite3")
    try:
        found = {table: [row[1] for row in connection.execute(f"PRAGMA table_info({table})")] for table in TABLES}
    finally:
        connection.close()
    assert found == TABLES


def test_schema_of_the_json_export() -> None:
    schema = json.loads((ROOT / "docs" / "timeline.schema.json").read_text("utf-8"))
    assert schema["properties"]["schema_version"]["pattern"] == r"^1\.[0-9]+$"
    assert set(schema["required"]) == {
        "schema_version", "complete", "analysed_s", "video", "settings", "provenance", "notes", "thresholds", "people",
        "segments", "predictions",
    }  # fmt: skip


def test_addresses_of_the_pages() -> None:
    """Streamlit takes a page's address from its file's name."""
    assert {"analyse", "compare", "live", "my_actions"} <= {path.stem for path in (ROOT / "pages").glob("*.py")}
