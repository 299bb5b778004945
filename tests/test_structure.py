"""Layout of the tests: helpers are shared through tests/support and conftest.py, not from test to test."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.support.environment import ROOT

TESTS = ROOT / "tests"
NOT_OF_THE_PACKAGE = {"browser", "support"}
"""Folders of tests that mirror no folder of the package."""


def imported(file: Path) -> Iterator[str]:
    """Every module, and every name taken from one, that a file imports; wherever in the file."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file.name} imports relatively"
            yield node.module or ""
            yield from (f"{node.module}.{one.name}" for one in node.names)


def test_no_test_imports_a_test() -> None:
    """Regression: nine test modules imported others and re-exported their fixtures."""
    found = [
        f"{file.relative_to(ROOT)} imports {module}"
        for folder in (TESTS, ROOT / "benchmarks")
        for file in folder.rglob("*.py")
        for module in imported(file)
        if module.startswith("tests") and any(part.startswith(("test_", "conftest")) for part in module.split("."))
    ]
    assert found == []


def test_folders_mirror_the_package() -> None:
    folders = {path.name for path in TESTS.iterdir() if path.is_dir() and any(path.rglob("test_*.py"))}
    rooms = {path.name for path in (ROOT / "recognizer").iterdir() if (path / "__init__.py").is_file()}
    assert folders - NOT_OF_THE_PACKAGE <= rooms
