"""The package as `pip install` delivers it, away from the checkout."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from recognizer import __version__
from tests.support.environment import ROOT, new_environment
from tests.support.waiting import WORK_S

pytestmark = pytest.mark.slow

NAME = "who_does_what_when"
LEFT_OUT = shutil.ignore_patterns("__pycache__")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from a copy, because the build backend writes next to the sources."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "recognizer", source / "recognizer", ignore=LEFT_OUT)
    for folder in ("tests", "benchmarks", "pages"):
        (source / folder).mkdir()
        (source / folder / "not_packaged.py").touch()
    pip(
        sys.executable,
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "--wheel-dir",
        str(target),
        str(source),
    )
    (built,) = target.iterdir()
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into a fresh environment that sees this one's libraries."""
    scripts = new_environment(tmp_path_factory.mktemp("environment"))
    pip(sys.executable, "--python", str(scripts / "python"), "install", "--no-deps", "--no-index", str(wheel))
    return scripts


def pip(python: str, *arguments: str) -> None:
    subprocess.run([python, "-m", "pip", "--disable-pip-version-check", "-q", *arguments], check=True, env=plain())


def plain() -> dict[str, str]:
    """The environment without what would lead Python back to the checkout."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def printed(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, env=plain(), capture_output=True, text=True, timeout=WORK_S, check=True)
    return done.stdout


def test_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        files = {name for name in archive.namelist() if ".dist-info/" not in name}
    here = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "recognizer").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert files == here
    assert wheel.name == f"{NAME}-{__version__}-py3-none-any.whl"


def test_installed_command_prints_its_version_and_help(environment: Path, tmp_path: Path) -> None:
    command = str(environment / "recognizer")
    assert printed(tmp_path, command, "--version") == f"recognizer {__version__}\n"
    assert "analyze" in printed(tmp_path, command, "--help")


def test_documented_class_is_imported_from_the_installed_package(environment: Path, tmp_path: Path) -> None:
    code = "import recognizer; from recognizer import ActionRecognition as A; print(recognizer.__file__, A.__name__)"
    file, name = printed(tmp_path, str(environment / "python"), "-c", code).split()
    assert Path(file).is_relative_to(environment.parent)
    assert name == "ActionRecognition"


def test_bounds_of_the_package_admit_what_the_application_pins() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    bounds = {one.name: one.specifier for one in map(Requirement, project["dependencies"])}
    listed = (ROOT / "requirements.txt").read_text("utf-8")
    pins = dict(re.findall(r"^([\w.-]+)(?:\[\w+\])?==(\S+)", listed, re.MULTILINE))
    assert bounds.keys() == pins.keys()
    assert [name for name, version in pins.items() if version not in bounds[name]] == []
