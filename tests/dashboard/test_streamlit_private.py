"""Undocumented parts of Streamlit are used in one module, where the next version can be checked."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.support.environment import ROOT

DOCUMENTED = {"streamlit", "streamlit.delta_generator", "streamlit.starlette", "streamlit_webrtc"}
"""``DeltaGenerator`` is the documented type of every place on a page."""

PLACES = sorted(
    path
    for path in (*(ROOT / "recognizer" / "dashboard").rglob("*.py"), *(ROOT / "pages").glob("*.py"), ROOT / "app.py")
    if path.name != "streamlit_private.py"
)


@pytest.mark.parametrize("path", PLACES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_other_module_uses_private_parts_of_a_library(path: Path) -> None:
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            modules = [node.module or ""]
        elif isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        else:
            modules = []
        found += [one for one in modules if one.split(".")[0].startswith("streamlit") and one not in DOCUMENTED]
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__"):
            owner = node.value.id if isinstance(node.value, ast.Name) else ""
            if owner not in ("self", "cls"):
                found.append(ast.unparse(node))
    assert not found, "move these into recognizer/dashboard/streamlit_private.py"
