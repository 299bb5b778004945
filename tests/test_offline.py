"""What keeps Ultralytics from the network is set before any module can import it."""

from __future__ import annotations

import subprocess
import sys

from tests.support.environment import ENVIRONMENT, ROOT


def test_the_package_itself_keeps_ultralytics_offline() -> None:
    """Regression: only the detector's module did, and analyses came to import the trackers first."""
    names = ("YOLO_AUTOINSTALL", "YOLO_OFFLINE", "ULTRALYTICS_SAFE_LOAD")
    code = f"import os, recognizer; print(*(os.environ[name] for name in {names}))"
    plain = {name: value for name, value in ENVIRONMENT.items() if name not in names}
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=plain, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["false", "true", "1"]
