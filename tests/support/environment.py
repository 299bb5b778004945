"""The places that tests need, and how a test behaves when something is missing."""

from __future__ import annotations

import os
import sysconfig
import venv
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).resolve().parents[2]
APP = ROOT / "app.py"
ENVIRONMENT = dict(os.environ)
"""The environment variables before a test worker limits its own threads."""

SHARED_CLIPS = ROOT.parent / "shared" / "clips"
SHARED_ANNOTATIONS = ROOT.parent / "shared" / "annotations"
SHARED_TEACH = ROOT.parent / "shared" / "teach"


def all_required() -> bool:
    """Return whether every test has to run, as in CI, which sets RECOGNIZER_REQUIRE_ALL to 1."""
    return os.environ.get("RECOGNIZER_REQUIRE_ALL") == "1"


def skip_or_fail(reason: str) -> NoReturn:
    """Skip the test, or fail if every test has to run: a skip must not look like a success."""
    if all_required():
        pytest.fail(reason)
    pytest.skip(reason)


def new_environment(folder: Path) -> Path:
    """Make a Python environment in ``folder`` that sees this one's libraries; return the folder of its programs."""
    venv.create(folder, symlinks=os.name != "nt")
    paths = sysconfig.get_paths("venv", {"base": str(folder), "platbase": str(folder), "installed_base": str(folder)})
    (Path(paths["purelib"]) / "libraries.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    return Path(paths["scripts"])
