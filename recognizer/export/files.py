"""Writing a file whole or not at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def write_text_atomically(path: str | os.PathLike[str], text: str) -> None:
    """Write UTF-8 text so that ``path`` holds the old content or the new one, never a half.

    The text goes to a new file beside ``path``, which then takes its place. Line ends stay as they are in ``text``.
    A link is followed. What is not a plain file (a pipe, a device) cannot be replaced, so it is written to directly.

    Raises:
        OSError: the folder is missing, full, or closed to us; nothing is left behind.
    """
    target = Path(os.path.realpath(path))
    content = text.encode("utf-8")
    if target.exists() and not target.is_file():
        target.write_bytes(content)
        return
    # a short name of its own: the target's with a suffix may be longer than a file name can be
    partial = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with partial.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            partial.chmod(target.stat().st_mode)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
