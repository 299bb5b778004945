"""Decoding beside other work."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterator

from recognizer.types import Frame

DECODED_AHEAD = 16
"""Frames that may wait for who asked for them; bounds the memory."""


class _End:
    """Closes the queue of decoded frames; carries the error that ended it, if one did."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def decoded_ahead(frames: Iterator[Frame]) -> Generator[Frame]:
    """Decode on another thread, up to DECODED_AHEAD frames ahead; closing this generator ends the thread."""
    waiting: queue.Queue[Frame | _End] = queue.Queue(DECODED_AHEAD)
    stop = threading.Event()

    def put(item: Frame | _End) -> None:
        while not stop.is_set():
            try:
                waiting.put(item, timeout=0.1)
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
        except BaseException as raised:  # noqa: BLE001 - it is raised again on the thread that asked
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
        thread.join()
