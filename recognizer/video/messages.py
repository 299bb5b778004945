"""The messages between this process and a decoder's process: MessagePack, checked against these types when read.

Nothing that a decoder sends is executed or unpickled: whatever a file makes of its process, the worst answer is a wrong
picture or a refused message.
"""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from typing import Any, BinaryIO, Final, Generic, TypeVar

import msgspec

from recognizer.types import Reading
from recognizer.video.facts import Inspection, Timing

_MAX_MESSAGE_BYTES: Final = 64 * 2**20
"""A reading of a file with damage everywhere is the longest; the usual message has 100 bytes."""

_LENGTH_BYTES: Final = 4
_MAX_NUMBER_CHARACTERS: Final = 100


class Inspect(msgspec.Struct, tag=True):
    """Asks for a file's facts; see ``container.inspect``."""

    path: bytes
    shown: str
    sha256: str | None
    stream: int | None
    frame_rate_hz: float | None


class Slots(msgspec.Struct):
    """The shared memory; ``file`` is None if its descriptor comes by the socket."""

    file: str | None
    count: int
    slot_bytes: int


class Decode(msgspec.Struct, tag=True):
    """Asks for the pictures of a file; ``asks`` says whether some are to be left out."""

    path: bytes
    shown: str
    inspection: Inspection
    size_wh: tuple[int, int]
    asks: bool
    slots: Slots


class FindStill(msgspec.Struct, tag=True):
    """Asks for one picture, into the only slot; see ``still.still``."""

    path: bytes
    shown: str
    inspection: Inspection
    time_s: float
    slots: Slots


class ReadSound(msgspec.Struct, tag=True):
    """Asks for the sound of a file; see ``sound.read_sound``."""

    path: bytes
    shown: str
    stream: int
    timing: Timing


class Watch(msgspec.Struct, tag=True):
    """Asks for the pictures of a camera as they arrive; see ``camera_pictures.watched``.

    ``url`` is an address of RTSP on this machine. Without one, the pictures come from a port of this machine to whoever
    begins with the token, in a format of FFmpeg if it is known.
    """

    shown: str
    max_height_px: int
    url: str = ""
    port: int = 0
    token: bytes = b""
    format: str | None = None


class Lend(msgspec.Struct, tag=True):
    """Lends memory for the pictures of a camera, once their size is known."""

    slots: Slots


class Use(msgspec.Struct, tag=True):
    """Lets pictures be written into these slots."""

    slots: list[int]


class Chosen(msgspec.Struct, tag=True):
    """Says which of the pictures in the oldest unanswered ``Decoded`` are wanted."""

    wanted: list[bool]


class Halt(msgspec.Struct, tag=True):
    """Ends the work; the answer is ``Ended`` all the same."""


OrderContent = Inspect | Decode | FindStill | ReadSound | Watch | Lend | Use | Chosen | Halt


class Order(msgspec.Struct):
    """A message to a decoder: ``work`` counts what it was asked to do, so that late messages are known as such."""

    work: int
    content: OrderContent


class Inspected(msgspec.Struct, tag=True):
    """A file's facts."""

    inspection: Inspection


class Decoded(msgspec.Struct, tag=True):
    """Pictures that were decoded and wait for ``Chosen``."""

    times_s: list[float]
    progress: float


class Opened(msgspec.Struct, tag=True):
    """The first picture of a camera is there, and waits for memory."""

    width: int
    height: int


class Converted(msgspec.Struct, tag=True):
    """A picture lies in a slot."""

    index: int
    time_s: float
    slot: int
    progress: float


class Noted(msgspec.Struct, tag=True):
    """Sentences for users."""

    notes: list[str]


class Heard(msgspec.Struct, tag=True):
    """Samples of the sound, float32 (2, n), and their position."""

    position: int
    samples: bytes


class Ended(msgspec.Struct, tag=True):
    """The work is done, or was halted; ``reading`` is complete if a file was decoded to its end."""

    reading: Reading | None = None


class Refused(msgspec.Struct, tag=True):
    """A ``VideoError``."""

    sentence: str


class Broken(msgspec.Struct, tag=True):
    """Another error: a fault in this program, or too little memory."""

    is_memory: bool
    error: str


AnswerContent = Inspected | Opened | Decoded | Converted | Noted | Heard | Ended | Refused | Broken


class Answer(msgspec.Struct):
    """A message from a decoder about the work that it was asked to do."""

    work: int
    content: AnswerContent


_Message = TypeVar("_Message", Order, Answer)


class Line(Generic[_Message]):
    """Writes messages to a pipe. Each is preceded by its length, four bytes, little-endian."""

    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe = pipe
        self._encoder = msgspec.msgpack.Encoder(enc_hook=_plain)

    def write(self, message: _Message) -> None:
        """Write a message.

        Raises:
            OSError: nobody reads any more.
        """
        content = self._encoder.encode(message)
        self._pipe.write(len(content).to_bytes(_LENGTH_BYTES, "little") + content)
        self._pipe.flush()


class Inbox(Generic[_Message]):
    """Reads messages of one type from a pipe."""

    def __init__(self, pipe: BinaryIO, kind: type[_Message]) -> None:
        self._pipe = pipe
        self._decoder: msgspec.msgpack.Decoder[_Message] = msgspec.msgpack.Decoder(kind, dec_hook=_restored)

    def read(self) -> _Message | None:
        """Wait for a message and return it; None if the other side has gone.

        Raises:
            ValueError: what arrived is no such message.
        """
        length = int.from_bytes(self._pipe.read(_LENGTH_BYTES), "little")
        if length > _MAX_MESSAGE_BYTES:
            raise ValueError(f"a message of {length} bytes")
        content = self._pipe.read(length)
        if not length or len(content) < length:
            return None
        try:
            return self._decoder.decode(content)
        except msgspec.MsgspecError as error:
            raise ValueError(str(error)) from error


def _plain(value: Any) -> str:
    if isinstance(value, Fraction):
        return str(value)
    raise NotImplementedError(f"{type(value).__name__} has no form in a message")


def _restored(kind: type[Any], value: Any) -> Any:
    if kind is Fraction and isinstance(value, str) and len(value) <= _MAX_NUMBER_CHARACTERS:
        with suppress(ZeroDivisionError):
            return Fraction(value)
    raise ValueError(f"{value!r:.40} is no {kind.__name__}")
