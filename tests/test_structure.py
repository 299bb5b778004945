"""Layout of the tests: helpers are shared through tests/support and conftest.py, not from test to test."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from tests.support import coverage
from tests.support.environment import ROOT, skip_or_fail

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


def test_decisions_are_numbered_once_and_linked_rightly() -> None:
    decisions = ROOT / "docs" / "decisions"
    names = [path.name for path in decisions.glob("[0-9]*.md")]
    assert len({name[:3] for name in names}) == len(names)
    for page in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")):
        for name in re.findall(r"\b([0-9]{3}-[a-z0-9-]+\.md)\)", page.read_text("utf-8")):
            assert name in names, f"{page.name} links {name}"


def test_coverage_adds_up_what_the_workers_ran() -> None:
    if find_spec("slipcover") is None:
        skip_or_fail("SlipCover is not installed; run make test")

    def worker(*lines: int) -> str:
        ran = {
            "executed_lines": sorted(lines),
            "missing_lines": sorted({1, 2, 3} - {*lines}),
            "executed_branches": [[1, one] for one in lines if one > 1],
            "missing_branches": [[1, one] for one in {2, 3} - {*lines}],
        }
        both = {
            **ran,
            "executed_lines": [1, 2, 3],
            "missing_lines": [],
            "executed_branches": [],
            "missing_branches": [],
        }
        meta = {"software": "slipcover", "branch_coverage": True}
        return json.dumps({"meta": meta, "files": {"recognizer/some.py": ran, "recognizer/all.py": both}})

    _, some, everything = coverage.table([worker(1, 2), worker(1)])
    assert some.split() == ["recognizer/some.py", "3", "1", "2", "1", "60%"]
    assert everything.split() == ["all", "files", "6", "1", "2", "1", "75%"]
