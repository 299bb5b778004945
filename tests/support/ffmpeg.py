"""Run FFmpeg's own program, to make videos as cameras, recorders and other programs write them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import imageio_ffmpeg

from tests.support.waiting import WORK_S


def ffmpeg(*arguments: str | Path, folder: Path | None = None) -> None:
    """Run FFmpeg with these arguments in ``folder``; existing files are overwritten.

    Raises:
        AssertionError: FFmpeg failed; the message is its own.
    """
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-nostdin", "-loglevel", "error", "-y"]
    done = subprocess.run(
        [*command, *map(str, arguments)], cwd=folder, capture_output=True, text=True, timeout=WORK_S, check=False
    )
    assert done.returncode == 0, done.stderr
