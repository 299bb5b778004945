"""Commands that people copy from a page or a message, and the Python that they type."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from recognizer import processes

PROJECT = Path(processes.__file__).parents[1]
RUN = "runpy.run_module('recognizer', run_name='__main__')"


def test_a_command_names_the_python_in_the_projects_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault: the system's ``python``, which lacks the libraries, answered the command on the page with a traceback."""
    python = Path(".venv", "bin", "python")
    monkeypatch.setattr(sys, "executable", str(PROJECT / python))
    assert processes.typed("weights s3d") == f"{python} -m recognizer weights s3d"


def test_a_command_shows_no_folder_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(PROJECT.parent / "elsewhere" / "bin" / "python3"))
    assert processes.typed("doctor") == "python -m recognizer doctor"


def test_a_python_without_the_libraries_gets_one_sentence() -> None:
    """Fault: a traceback about the first library that is missing."""
    words = [sys.executable, "-I", "-S", "-c", f"import sys, runpy; sys.path.insert(0, {str(PROJECT)!r}); {RUN}"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONUTF8": "1"})
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.splitlines()) == 1
    assert ".venv/bin/python" in done.stderr
