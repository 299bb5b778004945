"""Find the user's Python package index in pip's configuration and uv's environment variables."""

from __future__ import annotations

import ast
import logging
import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from recognizer.weights.sources import ca_path_from, ssl_context

_PIP_TIMEOUT_S = 20
# in this order, later ones override earlier ones, as in pip
_SECTIONS = ("global", "install", "download", ":env:")
_FALSE_WORDS = frozenset({"", "0", "false", "no", "off", "n", "f"})
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class IndexSettings:
    """The package indexes to search, in order.

    Attributes:
        find_links: pages, folders or files with links to archives.
        index_urls: package indexes; None stands for the default index.
        trusted_hosts: hosts whose certificate is not checked.
        ca_path: file or folder of certificate authorities; None for the system's.
        client_certificate: file with a certificate and key to present to the server, or None.
        proxy: address of a proxy; None for the one in the environment.
    """

    find_links: tuple[str, ...] = ()
    index_urls: tuple[str | None, ...] = (None,)
    trusted_hosts: tuple[str, ...] = ()
    ca_path: str | None = None
    client_certificate: str | None = None
    proxy: str | None = None

    def ssl_context(self) -> ssl.SSLContext:
        """Return the context that checks servers' certificates. Raises OSError if a file cannot be read."""
        context = ssl_context(self.ca_path)
        if self.client_certificate is not None:
            context.load_cert_chain(self.client_certificate)
        return context


def read_index_settings() -> IndexSettings:
    """Return the current settings: pip's files and PIP_* variables first, then uv's variables.

    Sources: https://pip.pypa.io/en/stable/topics/configuration/ and
    https://docs.astral.sh/uv/reference/environment/.
    """
    return settings_from(_pip_configuration(), os.environ)


def settings_from(pip_options: Mapping[str, str], environment: Mapping[str, str]) -> IndexSettings:
    """Combine pip's options (by their long names) and uv's environment variables."""
    index_url = pip_options.get("index-url") or environment.get("UV_DEFAULT_INDEX") or environment.get("UV_INDEX_URL")
    extra_urls = pip_options.get("extra-index-url", "").split()
    extra_urls += environment.get("UV_INDEX", "").split() + environment.get("UV_EXTRA_INDEX_URL", "").split()
    find_links = pip_options.get("find-links", "").split()
    find_links += [link for link in environment.get("UV_FIND_LINKS", "").split(",") if link.strip()]
    index_urls: list[str | None] = [_without_name(index_url) if index_url else None]
    index_urls += map(_without_name, extra_urls)
    if pip_options.get("no-index", "").strip().lower() not in _FALSE_WORDS:
        index_urls = []
    return IndexSettings(
        find_links=tuple(dict.fromkeys(find_links)),
        index_urls=tuple(dict.fromkeys(index_urls)),
        trusted_hosts=tuple(pip_options.get("trusted-host", "").split()),
        ca_path=pip_options.get("cert") or ca_path_from(environment),
        client_certificate=pip_options.get("client-cert"),
        proxy=pip_options.get("proxy"),
    )


def _without_name(index: str) -> str:
    """Remove the name that uv allows for an index, as in ``corporate=https://…``."""
    name, equals, url = index.partition("=")
    return url if equals and "://" in url and "/" not in name else index


def _pip_configuration() -> dict[str, str]:
    """Return pip's options by their long names; without pip, those of the environment alone."""
    pip_on_path = shutil.which("pip")
    commands = [[sys.executable, "-m", "pip"], *([[pip_on_path]] if pip_on_path else [])]
    for command in commands:
        try:
            listing = subprocess.run(
                [*command, "config", "list"],
                capture_output=True,
                text=True,
                timeout=_PIP_TIMEOUT_S,
                check=True,
                stdin=subprocess.DEVNULL,
            )
        except (OSError, subprocess.SubprocessError) as error:
            _log.info("cannot read the configuration of %s (%s)", command[0], type(error).__name__)
            continue
        return parse_pip_config(listing.stdout)
    return _pip_variables()


def _pip_variables() -> dict[str, str]:
    """Return pip's options in the environment by their long names."""
    return {
        variable.removeprefix("PIP_").lower().replace("_", "-"): value
        for variable, value in os.environ.items()
        if variable.startswith("PIP_") and value
    }


def parse_pip_config(listing: str) -> dict[str, str]:
    """Parse the output of ``pip config list``: lines such as ``global.index-url='https://…'``."""
    by_section: dict[str, dict[str, str]] = {section: {} for section in _SECTIONS}
    for line in listing.splitlines():
        key, equals, quoted = line.partition("=")
        section, dot, option = key.strip().partition(".")
        if not equals or not dot or section not in by_section:
            continue
        try:
            value = str(ast.literal_eval(quoted.strip()))
        except (ValueError, SyntaxError):
            _log.info("cannot parse pip's option %s", key)
            continue
        if value:
            by_section[section][option.lower()] = value
    return {option: value for section in _SECTIONS for option, value in by_section[section].items()}
