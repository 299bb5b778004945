"""The scripts of components, as Streamlit gets them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from recognizer import dashboard
from recognizer.dashboard.parts import component_files

PARTS = Path(dashboard.__file__).parent / "parts"


@pytest.mark.parametrize(
    "name", sorted(path.name for path in PARTS.glob("*.js") if "export default" in path.read_text())
)
def test_a_script_has_what_it_imports_in_it(name: str) -> None:
    """Streamlit runs it from the page's memory, where an import of a neighbour finds nothing."""
    text = component_files.script(f"parts/{name}")
    assert not re.search(r"^import\b(?!\()", text, re.MULTILINE)
    asked = set(re.findall(r"\b(appAddress)\(", text))
    assert asked <= set(re.findall(r"^export function (\w+)\(", text, re.MULTILINE))


def test_scripts_share_the_apps_address() -> None:
    sharing = [path.name for path in PARTS.glob("*.js") if "appAddress" in component_files.script(f"parts/{path.name}")]
    assert {"chart.js", "downloads.js", "history.js", "module_component.js", "player.js"} < set(sharing)
