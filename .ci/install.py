"""Install packages into the environment whose Python runs this: with uv, or with pip where uv would do otherwise.

    .venv/bin/python .ci/install.py [--no-compile] [--no-deps] -r requirements.txt

uv takes a third of pip's time, but does not read pip's configuration. What that says about indexes and certificates
is passed on; if it says anything else that matters, or if uv fails, pip installs.
"""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

UV = "uv==0.13.9"

_PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input")

_PASSED_ON = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
    "default-timeout": "UV_HTTP_TIMEOUT",
    "timeout": "UV_HTTP_TIMEOUT",
}
"""Options of pip, and uv's environment variables for them: addresses with passwords belong on no command line."""

_OF_NO_EFFECT = frozenset(
    [
        "cache-dir",
        "compile",
        "config-file",
        "disable-pip-version-check",
        "no-cache-dir",
        "no-color",
        "no-compile",
        "no-input",
        "no-python-version-warning",
        "no-warn-conflicts",
        "no-warn-script-location",
        "progress-bar",
        "quiet",
        "require-virtualenv",
        "retries",
        "root-user-action",
        "verbose",
    ]
)
"""Options of pip that do not change what is installed, nor from where."""

_SECTIONS = ("global", "install", ":env:")
"""Parts of pip's configuration that concern ``pip install``; the later one wins."""


def pip_configuration() -> dict[str, str] | None:
    """Return what pip is configured with for ``pip install``, by its files and the environment; None if it says not."""
    loud = os.environ | {"PIP_QUIET": "0", "PIP_VERBOSE": "0"}  # a quiet pip lists nothing
    listed = subprocess.run([*_PIP, "config", "list"], env=loud, capture_output=True, text=True, check=False)
    return None if listed.returncode else effective(listed.stdout.splitlines())


def effective(listed: Iterable[str]) -> dict[str, str]:
    """Return the options in lines of ``pip config list``, such as ``global.index-url='https://…'``.

    Empty ones are left out: pip ignores them, even where they stand before others.
    """
    found: dict[str, dict[str, str]] = {section: {} for section in _SECTIONS}
    for line in listed:
        name, _, value = line.partition("=")
        section, _, option = name.rpartition(".")
        if section in found and (text := str(ast.literal_eval(value)).strip()):
            found[section][option.replace("_", "-")] = text
    return {option: value for section in _SECTIONS for option, value in found[section].items()}


def for_uv(configuration: Mapping[str, str]) -> dict[str, str] | None:
    """Return environment variables that make uv look where pip looks; None if they cannot."""
    variables: dict[str, str] = {}
    for name, value in configuration.items():
        if name in _PASSED_ON:
            variables[_PASSED_ON[name]] = " ".join(value.split())
        elif name == "find-links" and "," not in value:
            variables["UV_FIND_LINKS"] = ",".join(value.split())
        elif name not in _OF_NO_EFFECT:
            return None
    return variables


def can_have_uv() -> bool:
    """Install uv with pip; return whether that worked."""
    command = [*_PIP, "install", "--quiet", "--only-binary=:all:", UV]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def install_with_uv(arguments: Sequence[str]) -> bool:
    """Install with uv; return whether that worked."""
    configuration = pip_configuration()
    variables = None if configuration is None else for_uv(configuration)
    if variables is None or not can_have_uv():
        return False
    # beside the environment, because files of the same disk need not be copied
    cache = Path(sys.prefix) / ".uv-cache"
    compiles = [] if "--no-compile" in arguments else ["--compile-bytecode"]
    others = [one for one in arguments if one != "--no-compile"]
    command = [
        str(Path(sys.executable).with_name("uv")), "pip", "install", "--python", sys.executable, "--no-config",
        "--cache-dir", str(cache), "--system-certs", "--index-strategy", "unsafe-best-match",  # as pip does both
        *compiles, *others,
    ]  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if not name.startswith("UV_")} | variables
    try:
        return subprocess.run(command, env=environment, check=False).returncode == 0
    finally:
        shutil.rmtree(cache, ignore_errors=True)


def main() -> int:
    """Install what the command line says; return an exit status."""
    arguments = sys.argv[1:]
    try:
        if install_with_uv(arguments):
            return 0
        return subprocess.run([*_PIP, "install", *arguments], check=False).returncode
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
