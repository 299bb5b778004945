"""Decode frames on another thread, so that decoding overlaps with the work on earlier frames."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterator

from recognizer.types import Frame
from recognizer.video.reader import FrameStream

PREFETCHED_FRAMES = 16
"""Maximum number of decoded frames that wait to be used; limits memory."""

_PUT_TIMEOUT_S = 0.1


class _End:
    """The last item in the queue of frames, with the error that ended decoding, if any."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def prefetched(frames: Iterator[Frame]) -> Generator[Frame]:
    """Yield the frames, decoded on another thread up to PREFETCHED_FRAMES ahead. Closing the generator ends it.

    A ``FrameStream`` then stops at its next picture, even if nobody selected it.
    """
    waiting: queue.Queue[Frame | _End] = queue.Queue(PREFETCHED_FRAMES)
    stop = threading.Event()

    def put(item: Frame | _End) -> None:
        while not stop.is_set():
            try:
                waiting.put(item, timeout=_PUT_TIMEOUT_S)
            except queue.Full:
                continue
            return

    def decode() -> None:
        error: BaseException | None = None
        try:
            try:
                for frame in frames:
                    put(frame)
                    if stop.is_set():
                        break
            finally:
                frames.close()  # type: ignore[attr-defined]
        except BaseException as raised:  # noqa: BLE001 - raised again on the caller's thread
            error = raised
        put(_End(error))

    thread = threading.Thread(target=decode, name="decode", daemon=True)
    thread.start()
    try:
        while not isinstance(item := waiting.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        stop.set()
        if isinstance(frames, FrameStream):
            frames.stop()
        thread.join()
