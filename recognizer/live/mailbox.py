"""Between the camera's thread and the one that follows people: the latest frame, and the skipped samples."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from recognizer.types import Frame

MOST_SAMPLES = 32
"""At most this many sampled frames wait: two seconds at 15 samples/s, 28 MB at 640 x 480. Beyond that, only every
second one waits, then every fourth, and so on; they still cover the whole time evenly."""


@dataclass(frozen=True)
class Mail:
    """The frames since the mailbox was last emptied.

    Attributes:
        frame: the latest frame.
        samples: sampled frames up to ``frame``, in order of time; the last one may be ``frame`` itself.
    """

    frame: Frame
    samples: tuple[Frame, ...]


class FrameMailbox:
    """Holds one frame. A newer one replaces it; a replaced frame continues to wait only if it is a sample.

    Attributes:
        dropped: frames that were replaced.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._latest: Frame | None = None
        self._samples: list[Frame] = []
        self._sampled = 0
        self._stride = 1
        self._woken = False
        self._closed = False
        self._condition = threading.Condition()

    def put(self, frame: Frame, *, is_sample: bool) -> None:
        """Add the next frame, without waiting."""
        with self._condition:
            self.dropped += self._latest is not None
            self._latest = frame
            if is_sample:
                if self._sampled % self._stride == 0:
                    self._samples.append(frame)
                self._sampled += 1
                if len(self._samples) > MOST_SAMPLES:
                    del self._samples[1::2]
                    self._stride *= 2
            self._condition.notify_all()

    def wait(self) -> bool:
        """Wait for a frame or for ``wake``; return False when the mailbox is closed."""
        with self._condition:
            self._condition.wait_for(lambda: self._closed or self._woken or self._latest is not None)
            self._woken = False
            return not self._closed

    def wake(self) -> None:
        """End the current or the next ``wait``, even if there is no frame."""
        with self._condition:
            self._woken = True
            self._condition.notify_all()

    def pause(self, time_s: float) -> None:
        """Wait for this long, or until the mailbox is closed."""
        with self._condition:
            self._condition.wait_for(lambda: self._closed, time_s)

    def take(self) -> Mail | None:
        """Empty the mailbox and return its content; None if it is empty."""
        with self._condition:
            frame, self._latest = self._latest, None
            if frame is None:
                return None
            samples = tuple(self._samples)
            self._empty_samples()
            return Mail(frame, samples)

    def drop_samples(self) -> None:
        """Discard the waiting samples, because another sampling interval has begun."""
        with self._condition:
            self._empty_samples()

    def _empty_samples(self) -> None:
        self._samples, self._sampled, self._stride = [], 0, 1

    def close(self) -> None:
        """Discard all frames and end all waiting."""
        with self._condition:
            self._closed = True
            self._latest = None
            self._empty_samples()
            self._condition.notify_all()
