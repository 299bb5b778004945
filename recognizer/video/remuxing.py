"""Give an MP4 file that was written in fragments its index, without encoding anything again."""

from __future__ import annotations

import contextlib
from pathlib import Path

import av

from recognizer.errors import VideoError
from recognizer.files import StagedFile
from recognizer.video.diagnosis import display_name, write_failure


def make_seekable(path: Path) -> None:
    """Replace a file of fragments, such as a killed process leaves, by one with its index at the start.

    Only for files of ``VideoWriter``. A fragment that was not finished is left out.

    Raises:
        VideoError: it holds no picture, or cannot be written; then it is left as it is.
    """
    staged = StagedFile(path.absolute().parent, path.name)
    packets = 0
    try:
        with (
            av.open(f"file:{path}", format="mp4") as source,
            av.open(f"file:{staged.path}", "w", format="mp4", options={"movflags": "+faststart"}) as target,
        ):
            stream = source.streams.video[0]
            copied = target.add_stream_from_template(stream)
            with contextlib.suppress(av.error.InvalidDataError, av.error.EOFError):  # the end of what was written
                for packet in source.demux(stream):
                    if packet.dts is None:
                        continue
                    packet.stream = copied
                    target.mux(packet)
                    packets += 1
        if not packets:
            raise VideoError(f"{display_name(path)} holds no picture; record again.")
        staged.commit(path)
    except (av.FFmpegError, OSError) as error:
        raise write_failure(display_name(path), error) from error
    finally:
        staged.discard()
