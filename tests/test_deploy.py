"""The files for hosting: what can be checked without a container, a certificate or systemd as the first process."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.utils import canonicalize_name

from recognizer.dashboard.headers import content_policy
from tests.support.environment import ROOT, skip_or_fail
from tests.support.nginx import PROGRAM, configuration

DEPLOY = ROOT / "deploy"
MB = 2**20


def test_nginx_accepts_the_configuration(tmp_path: Path) -> None:
    if not PROGRAM.is_file():
        skip_or_fail(f"{PROGRAM} is missing; install the package nginx")
    (tmp_path / "nginx.conf").write_text(configuration(tmp_path, 8080, [8501, 8502]))
    checked = subprocess.run(
        [str(PROGRAM), "-t", "-p", str(tmp_path), "-c", "nginx.conf"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


def test_nginx_takes_a_little_more_than_the_page() -> None:
    """The page names its limit; what nginx refuses looks like a broken connection."""
    (nginx_mb,) = re.findall(r"client_max_body_size (\d+)m;", (DEPLOY / "nginx.conf").read_text())
    (page_mb,) = re.findall(r"maxUploadSize = (\d+)", (ROOT / ".streamlit" / "config.toml").read_text())
    assert int(nginx_mb) > int(page_mb)


def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        skip_or_fail("systemd-analyze is missing; install the package systemd")
    text = (DEPLOY / "recognizer@.service").read_text()
    unit = tmp_path / "recognizer@8501.service"
    unit.write_text(text.replace("/opt/recognizer/.venv/bin/python", "/usr/bin/env"))  # that has to exist
    checked = subprocess.run([program, "verify", str(unit)], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_container_copies_what_the_app_needs_and_no_secrets() -> None:
    lines = (DEPLOY / "Containerfile").read_text().splitlines()
    copied = [word for line in lines if line.startswith("COPY ") for word in line.split()[1:-1]]
    assert [one for one in copied if not (ROOT / one).exists()] == []
    admitted = (DEPLOY / "Containerfile.dockerignore").read_text().splitlines()
    assert admitted[1] == "*"
    assert {one.removeprefix("!") for one in admitted if one.startswith("!")} == set(copied)
    assert {"app.py", "pages", "recognizer", "requirements.txt", "constraints.txt"} <= set(copied)


def test_container_installs_whatever_the_app_imports() -> None:
    # Streamlit's own server is Starlette: without it, nothing would import what imports Starlette here
    text = "".join((ROOT / f"requirements{one}.txt").read_text() for one in ("", "-ray"))
    listed = {canonicalize_name(one) for one in re.findall(r"^([\w.-]+)(?:\[\w+\])?==", text, re.MULTILINE)}
    installed = packages_distributions()
    missing = {
        name: path.relative_to(ROOT)
        for path in [ROOT / "app.py", *(ROOT / "pages").glob("*.py"), *(ROOT / "recognizer").rglob("*.py")]
        for name in _imported(path) - sys.stdlib_module_names - {"recognizer", "starlette"}
        if not listed & {canonicalize_name(one) for one in installed.get(name, [])}
    }
    assert not missing


def _imported(path: Path) -> set[str]:
    """Return the first parts of the names of all modules that a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    return {one.partition(".")[0] for one in names}


def test_options_of_the_deployed_server_exist() -> None:
    from streamlit import config

    text = (DEPLOY / "recognizer@.service").read_text() + (DEPLOY / "Containerfile").read_text()
    options = set(re.findall(r"--((?:server|secrets)\.\w+)", text))
    assert options
    assert options <= set(config.get_config_options())


def test_documentation_has_the_content_policy() -> None:
    text = (ROOT / "docs" / "hosting.md").read_text()
    for directive in re.sub(r" 'sha256-[^']*'", "", content_policy()).split("; "):
        assert directive in text
