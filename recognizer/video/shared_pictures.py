"""Memory that this process and a decoder's process share: a row of slots, one picture each.

Under Linux it is an anonymous file that neither side can shorten, so that no access can fail; its descriptor crosses by
a socket. Elsewhere it is a temporary file, which the decoder opens by its path.
"""

from __future__ import annotations

import mmap
import os
import socket
import sys
import tempfile
import weakref
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

IS_ANONYMOUS: Final = sys.platform == "linux"

_PAGE_BYTES: Final = mmap.PAGESIZE


class PictureSlots:
    """The reading side's slots. A slot is free again when the last array on it is gone, whoever holds it."""

    def __init__(self, count: int, picture_bytes: int) -> None:
        self.count = count
        self.slot_bytes = -(-picture_bytes // _PAGE_BYTES) * _PAGE_BYTES
        self.file: str | None = None
        self.descriptor = _anonymous_file() if IS_ANONYMOUS else self._temporary_file()
        os.ftruncate(self.descriptor, count * self.slot_bytes)
        self._memory = mmap.mmap(self.descriptor, count * self.slot_bytes)
        # the slot that was freed last is used next: only as much memory is touched as is needed at the same time
        self._free = deque(reversed(range(count)))

    @property
    def free(self) -> int:
        """Number of slots that nobody uses."""
        return len(self._free)

    def take(self) -> int:
        """Return a free slot and reserve it."""
        return self._free.pop()

    def picture(self, slot: int, shape: tuple[int, int, int]) -> NDArray[np.uint8]:
        """Return the picture in a slot, uint8 ``shape``, without copying it."""
        flat = np.frombuffer(self._memory, np.uint8, shape[0] * shape[1] * shape[2], slot * self.slot_bytes)
        # views of the picture keep this array, whatever becomes of the ones between
        weakref.finalize(flat, self._free.append, slot).atexit = False
        return flat.reshape(shape)

    def close(self) -> None:
        """Close the file once the decoder has opened it; the memory stays until the last array on it is gone."""
        os.close(self.descriptor)
        if self.file is not None:
            with suppress(OSError):  # Windows keeps a file that is open elsewhere
                Path(self.file).unlink()

    def _temporary_file(self) -> int:
        descriptor, self.file = tempfile.mkstemp(prefix="recognizer-pictures-")
        return descriptor


def _anonymous_file() -> int:
    import fcntl

    descriptor = os.memfd_create("pictures", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
    return descriptor


class DecodersSlots:
    """The decoder's side of the same memory."""

    def __init__(self, memory: mmap.mmap, slot_bytes: int) -> None:
        self._memory = memory
        self._slot_bytes = slot_bytes

    @classmethod
    def opened(
        cls, file: str | None, descriptors: socket.socket | None, size_bytes: int, slot_bytes: int
    ) -> DecodersSlots:
        """Open the memory: the file, or the descriptor that comes by the socket."""
        if file is not None:
            descriptor = os.open(file, os.O_RDWR | getattr(os, "O_BINARY", 0))
        else:
            assert descriptors is not None, "an anonymous file comes by the socket"
            _, (descriptor,), _, _ = socket.recv_fds(descriptors, 1, 1)
        try:
            return cls(mmap.mmap(descriptor, size_bytes), slot_bytes)
        finally:
            os.close(descriptor)

    def picture(self, slot: int, shape: tuple[int, int, int]) -> NDArray[np.uint8]:
        """Return the slot's memory as a picture to write, uint8 ``shape``."""
        flat = np.frombuffer(self._memory, np.uint8, shape[0] * shape[1] * shape[2], slot * self._slot_bytes)
        return flat.reshape(shape)
