"""nginx with the project's own configuration, on this machine and without TLS."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.support.environment import ROOT
from tests.support.ports import free_port
from tests.support.waiting import WORK_S, wait_until

PROGRAM: Final = Path("/usr/sbin/nginx")
CONFIGURATION: Final = ROOT / "deploy" / "nginx.conf"

_AROUND: Final = """
daemon off;
{user}
pid {folder}/nginx.pid;
error_log {folder}/error.txt warn;
worker_processes 1;
worker_shutdown_timeout 1s;
events {{ worker_connections 256; }}
http {{
    log_format upstream '$upstream_addr $request_method $status $uri';
    access_log {folder}/access.txt upstream;
    {temporary}
    {content}
}}
"""
_TEMPORARY: Final = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def configuration(folder: Path, port: int, instances: Sequence[int], *, upload_mb: int | None = None) -> str:
    """Return the project's configuration for this machine: other ports, no TLS, and files below ``folder``."""
    text = CONFIGURATION.read_text("utf-8")
    servers = "".join(f"server 127.0.0.1:{one};\n" for one in instances)
    text, found = re.subn(r"( *server 127\.0\.0\.1:850\d;\n)+", servers, text)
    assert found == 1
    text = re.sub(r"^ *(ssl_\w+|add_header Strict-Transport-Security) .*\n", "", text, flags=re.MULTILINE)
    text = text.replace("listen 443 ssl http2;", f"listen 127.0.0.1:{port};").replace("who.example.org", "localhost")
    if upload_mb is not None:
        text = re.sub(r"client_max_body_size \d+m", f"client_max_body_size {upload_mb}m", text)
    temporary = "\n".join(f"{name}_temp_path {folder}/{name};" for name in _TEMPORARY)
    user = "user root;" if os.geteuid() == 0 else ""
    return _AROUND.format(folder=folder, user=user, temporary=temporary, content=text)


class Nginx:
    """A running nginx."""

    def __init__(self, folder: Path, instances: Sequence[int]) -> None:
        self._folder, self._instances = folder, instances
        self._port = free_port()
        self.url = f"http://localhost:{self._port}/who"
        self._write()

    def _write(self, *, upload_mb: int | None = None) -> None:
        text = configuration(self._folder, self._port, self._instances, upload_mb=upload_mb)
        (self._folder / "nginx.conf").write_text(text, "utf-8")

    def start(self) -> None:
        """Start, and wait until it has read its configuration."""
        log = (self._folder / "output.txt").open("wb")
        with log:
            self._process = subprocess.Popen(
                [str(PROGRAM), "-p", str(self._folder), "-c", "nginx.conf"], stdout=log, stderr=subprocess.STDOUT
            )
        wait_until(self._is_up, WORK_S)

    def _is_up(self) -> bool:
        output = (self._folder / "output.txt").read_text()
        assert self._process.poll() is None, output
        return (self._folder / "nginx.pid").exists()

    def end_connections(self, *, upload_mb: int | None = None) -> None:
        """Read the configuration again, which ends every connection after a second.

        Args:
            upload_mb: another limit for what a browser may send.
        """
        self._write(upload_mb=upload_mb)
        self._process.send_signal(signal.SIGHUP)

    def end(self) -> None:
        """End it at once."""
        self._process.terminate()
        self._process.wait()

    def requests(self) -> list[list[str]]:
        """Return what was asked: the instance, the method, the status and the address."""
        return [line.split(" ", 3) for line in (self._folder / "access.txt").read_text().splitlines()]
