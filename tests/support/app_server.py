"""The app as a process of its own, on this machine."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Self

from tests.support.browser import START_TIMEOUT_S
from tests.support.environment import ENVIRONMENT, ROOT
from tests.support.ports import free_port

END_TIMEOUT_S = 30


class AppServer:
    """A server with a data folder and the networks from the machine's cache; in a ``with`` block, it runs."""

    def __init__(
        self,
        data: Path,
        log: Path,
        *,
        port: int | None = None,
        base: str = "",
        options: Sequence[str] = (),
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._environment = environment
        self.port = free_port() if port is None else port
        self._options = [*options, *([f"--server.baseUrlPath={base}"] if base else [])]
        self.data = data
        self._log = log
        self.url = f"http://localhost:{self.port}" + (f"/{base}" if base else "")

    def __enter__(self) -> Self:
        self.data.mkdir(exist_ok=True)
        try:
            self.start()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        self.end()

    def start(self) -> None:
        """Start, also after it was killed, and wait until it answers."""
        options = ["--server.headless=true", f"--server.port={self.port}", *self._options]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "streamlit", "run", "app.py", *options],
                cwd=ROOT,
                env={**ENVIRONMENT, "RECOGNIZER_DATA": str(self.data), **self._environment},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        end_s = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < end_s:
            assert self._process.poll() is None, f"the server ended with {self._process.returncode}"
            if self._answers():
                return
            time.sleep(0.2)
        raise AssertionError("the server did not start")

    @property
    def pid(self) -> int:
        """Number of the running process."""
        return self._process.pid

    def end(self) -> None:
        """End it as a user does, even while a job is running."""
        self._process.terminate()
        try:
            self._process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self) -> None:
        """End it without a chance to save anything."""
        self._process.kill()
        self._process.wait()

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False
