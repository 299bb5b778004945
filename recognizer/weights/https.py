"""Download from a publisher's own address."""

from __future__ import annotations

from pathlib import Path

import requests

from recognizer.weights.published import Progress
from recognizer.weights.sources import CONNECT_TIMEOUT_S, READ_TIMEOUT_S, SourceError, check_reachable, remember_away

_CHUNK_BYTES = 1 << 18


def download(url: str, target: Path, *, name: str, progress: Progress | None = None) -> None:
    """Write what ``url`` serves into ``target``; the caller checks its hash.

    Raises:
        SourceError: the host is away, refuses, or stops before the end.
        OSError: ``target`` cannot be written.
    """
    check_reachable(url)
    try:
        response = requests.get(
            url,
            stream=True,
            timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
            # a compressed transfer would make the length in the header that of other bytes
            headers={"Accept-Encoding": "identity"},
        )
    except requests.RequestException as error:
        remember_away(url)
        raise SourceError(f"{url} does not answer ({type(error).__name__})") from error
    with response:
        if response.status_code != requests.codes.ok:
            raise SourceError(f"{url} answers {response.status_code} {response.reason}")
        length = response.headers.get("Content-Length", "")
        total_bytes = int(length) if length.isdecimal() else None
        done_bytes = 0
        chunks = response.iter_content(_CHUNK_BYTES)
        with target.open("wb") as file:
            while True:
                try:
                    chunk = next(chunks, None)
                except requests.RequestException as error:
                    raise SourceError(f"{url} stopped after {done_bytes} bytes ({type(error).__name__})") from error
                if chunk is None:
                    break
                file.write(chunk)
                done_bytes += len(chunk)
                if progress is not None:
                    progress(name, done_bytes, total_bytes)
    if total_bytes is not None and done_bytes != total_bytes:
        raise SourceError(f"{url} gave {done_bytes} of {total_bytes} bytes")
