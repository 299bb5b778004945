"""Send a video in pieces of a bounded size, from the disk."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from starlette.responses import FileResponse
from starlette.types import Receive, Scope, Send

PIECE_BYTES: Final = 1 << 20
"""A browser asks for the rest of a video, reads as far as it wants to play, and leaves what follows on the line for as
long as the video is paused; the server could not end meanwhile. After a piece, it asks again."""

_WEBM: Final = b"\x1a\x45\xdf\xa3"
"""How Matroska and WebM begin."""

_HEADERS: Final = {"Cache-Control": "private, max-age=3600", "X-Content-Type-Options": "nosniff"}

_RANGE: Final = re.compile(rb"bytes=(\d{1,18})-(\d{0,18})")


class VideoResponse(FileResponse):
    """A file that browsers play, of which each request for a range gets a piece at most.

    Raises:
        OSError: the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            is_webm = file.read(len(_WEBM)) == _WEBM
        super().__init__(path, headers=_HEADERS, media_type="video/webm" if is_webm else "video/mp4")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        headers = [(name, _bounded(value) if name == b"range" else value) for name, value in scope["headers"]]
        await super().__call__({**scope, "headers": headers}, receive, send)


def _bounded(value: bytes) -> bytes:
    asked = _RANGE.fullmatch(value.strip())
    if asked is None:
        return value
    first = int(asked[1])
    last = first + PIECE_BYTES - 1
    return b"bytes=%d-%d" % (first, min(last, int(asked[2])) if asked[2] else last)
