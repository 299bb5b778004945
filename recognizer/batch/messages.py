"""The messages between a batch's driver and its workers: JSON, checked against these types."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from recognizer.batch.recipe import Recipe

State = Literal["done", "failed", "waiting"]


class Task(msgspec.Struct, tag=True):
    """A video to analyze.

    Attributes:
        number: its row in the manifest.
        place: where it is.
        recipe: how.
        digest: of the recipe: taking it again would read a user's own weights for each video.
        out: the folder of the batch.
        max_file_bytes: larger files are refused; None for no limit.
    """

    number: int
    place: str
    recipe: Recipe
    digest: str
    out: str
    max_file_bytes: int | None = None


class Stop(msgspec.Struct, tag=True):
    """Asks a worker to save what it has, and to end."""


Order = Task | Stop


class Began(msgspec.Struct, tag=True):
    """A worker begins with a video."""

    number: int


class Advanced(msgspec.Struct, tag=True):
    """Says how many seconds of a video are analyzed, and of how many if that is known."""

    number: int
    analysed_s: float
    of_s: float | None = None


class Outcome(msgspec.Struct, tag=True):
    """The outcome of a video.

    Attributes:
        number: its row in the manifest.
        state: ``waiting`` if the same command should try again.
        key: name of the result; empty without one.
        sha256: of the file; empty if it could not be read.
        video_s: seconds of video.
        took_s: seconds of work; 0 if the result was there already.
        people: how many people were found.
        segments: how many segments they have.
        error: a sentence; empty if it is done.
        ends_batch: whether no other video would fare better, as without weights.
    """

    number: int
    state: State
    key: str = ""
    sha256: str = ""
    video_s: float = 0.0
    took_s: float = 0.0
    people: int = 0
    segments: int = 0
    error: str = ""
    ends_batch: bool = False


class Waited(msgspec.Struct, tag=True):
    """Nothing has happened for a moment; watchers may refresh."""


Report = Began | Advanced | Outcome | Waited


class Lines:
    """Encodes messages as lines of JSON, and decodes those of one kind."""

    def __init__(self, kind: Any) -> None:
        self._decoder = msgspec.json.Decoder(kind)

    def decode(self, line: bytes) -> Any:
        """Return the message of a line.

        Raises:
            msgspec.DecodeError: it is none.
        """
        return self._decoder.decode(line)

    @staticmethod
    def encode(message: Order | Report) -> bytes:
        """Return the line of a message."""
        return msgspec.json.encode(message) + b"\n"
