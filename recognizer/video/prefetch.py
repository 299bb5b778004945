"""Decode frames on another thread, so that decoding overlaps with the work on earlier frames."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterator

from recognizer.limits import limits
from recognizer.types import Frame
from recognizer.video.decoding import FrameStream

PREFETCHED_FRAMES = 16
"""Maximum number of decoded frames that wait to be used; fewer if they are large, see ``frames_ahead``."""

_SHARE = 2
"""Half of the pixels in flight may wait here; the other half is being detected."""

_PUT_TIMEOUT_S = 0.1


class _End:
    """The last item in the queue of frames, with the error that ended decoding, if any."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def frames_ahead(width: int, height: int) -> int:
    """Return how many decoded frames of a size may wait: PREFETCHED_FRAMES, or as many as the operator allows."""
    return max(1, min(PREFETCHED_FRAMES, limits().max_pixels_in_flight // (_SHARE * width * height)))


def prefetched(frames: Iterator[Frame], ahead: int = PREFETCHED_FRAMES) -> Generator[Frame]:
    """Yield the frames, decoded on another thread up to ``ahead`` of them. Closing the generator ends it.

    A ``FrameStream`` then stops at its next picture, even if nobody selected it.
    """
    waiting: queue.Queue[Frame | _End] = queue.Queue(ahead)
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
