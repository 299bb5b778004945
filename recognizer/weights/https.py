"""Download a file from its publisher's own address."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from recognizer.weights.published import Progress
from recognizer.weights.sources import (
    CONNECT_TIMEOUT_S,
    READ_TIMEOUT_S,
    SourceError,
    ca_path_from,
    check_reachable,
    remember_away,
    ssl_context,
)

if TYPE_CHECKING:
    from httpx2 import Response

_CHUNK_BYTES = 1 << 18


def download(url: str, target: Path, *, name: str, progress: Progress | None = None) -> None:
    """Download ``url`` to ``target``; the caller checks the hash.

    Raises:
        SourceError: the host is unreachable, refuses, or stops before the end.
        OSError: ``target`` cannot be written.
    """
    # imported here, so that a quick command that only lists files does not wait for an HTTP client
    import httpx2

    check_reachable(url)
    with _response(url) as response:
        if response.status_code != httpx2.codes.OK:
            raise SourceError(f"{url} answers {response.status_code} {response.reason_phrase}")
        length = response.headers.get("Content-Length", "")
        total_bytes = int(length) if length.isdecimal() else None
        done_bytes = 0
        chunks = response.iter_bytes(_CHUNK_BYTES)
        with target.open("wb") as file:
            while True:
                try:
                    chunk = next(chunks, None)
                except httpx2.HTTPError as error:
                    raise SourceError(f"{url} stopped after {done_bytes} bytes ({type(error).__name__})") from error
                if chunk is None:
                    break
                file.write(chunk)
                done_bytes += len(chunk)
                if progress is not None:
                    progress(name, done_bytes, total_bytes)
    if total_bytes is not None and done_bytes != total_bytes:
        raise SourceError(f"{url} sent {done_bytes} of {total_bytes} bytes")


@contextlib.contextmanager
def _response(url: str) -> Iterator[Response]:
    import httpx2

    with contextlib.ExitStack() as stack:
        try:
            client = httpx2.Client(
                verify=ssl_context(ca_path_from(os.environ)),
                timeout=httpx2.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
                follow_redirects=True,
                # a compressed transfer would differ from the length in the header
                headers={"Accept-Encoding": "identity"},
            )
            stack.enter_context(client)
            response = stack.enter_context(client.stream("GET", url))
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            remember_away(url)
            raise SourceError(f"{url} does not answer ({type(error).__name__})") from error
        except (OSError, ValueError, ImportError) as error:
            # the certificate file is unreadable, or the proxy has an unknown kind or needs another package
            raise SourceError(f"the settings of the network do not work ({error})") from error
        yield response
