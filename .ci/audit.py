"""Ask for known faults of the installed packages; print them and exit with 1 if there are any.

Asks OSV through pip-audit, which goes into a temporary folder: it is no part of the app's environment. Where the source
does not answer in time, one line says so and the exit code is 0: a build must not depend on it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

SOURCE = "https://api.osv.dev/v1/query"
TOOL = "pip-audit==2.10.1"
ANSWER_S = 5
INSTALL_S = 18
ASK_S = 12


def main() -> int:
    """Run the audit; return the exit code."""
    if not answers():
        return without(f"no advisory source answers ({SOURCE})")
    with tempfile.TemporaryDirectory() as folder:
        try:
            faults = audit(Path(folder))
        except (subprocess.SubprocessError, OSError, ValueError) as error:
            return without(f"{type(error).__name__}: {str(error)[:200]}")
    for fault in faults:
        print(fault)
    print(f"Known faults of the installed packages: {len(faults)}.")
    return 1 if faults else 0


def without(reason: str) -> int:
    """Say why there is no audit."""
    print(f"Known faults of the installed packages: not asked for, {reason}.")
    return 0


def answers() -> bool:
    """Return whether the source of advisories answers."""
    query = urllib.request.Request(SOURCE, b"{}", {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(query, timeout=ANSWER_S):  # noqa: S310 - https, above
            return True
    except urllib.error.HTTPError:
        return True  # it says that nothing was asked
    except OSError:
        return False


def audit(folder: Path) -> list[str]:
    """Return one line for each known fault.

    Raises:
        SubprocessError: the tool cannot be installed, or takes too long.
        OSError: it has written nothing.
        ValueError: it has written something else.
    """
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
    subprocess.run([*pip, "--target", str(folder / "tool"), TOOL], check=True, timeout=INSTALL_S)
    report = folder / "report.json"
    options = ["--path", sysconfig.get_path("purelib"), "-s", "osv", "-f", "json", "-o", str(report)]
    command = [sys.executable, "-m", "pip_audit", "--progress-spinner", "off", *options]
    subprocess.run(command, check=False, timeout=ASK_S, env={**os.environ, "PYTHONPATH": str(folder / "tool")})
    return [
        f"{package['name']} {package['version']}: {fault['id']}, mended in {', '.join(fault['fix_versions']) or 'none'}"
        for package in json.loads(report.read_text("utf-8"))["dependencies"]
        for fault in package.get("vulns", [])
    ]


if __name__ == "__main__":
    sys.exit(main())
