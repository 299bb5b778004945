"""The folder of a batch, and the results of one video in it: they appear whole or not at all."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from recognizer.errors import OutputError, StoreError, system_reason
from recognizer.files import remove_leftovers

if TYPE_CHECKING:
    from recognizer.batch.recipe import Recipe
    from recognizer.export import Content
    from recognizer.timeline.model import Timeline

_KEY_CHARACTERS: Final = 32

ROWS: Final = "rows.parquet"
"""Name of each file of the data set."""

LOCK: Final = ".lock"
"""Name of the file that the command which works in the folder keeps locked."""


def key_of(video_sha256: str, recipe_digest: str) -> str:
    """Return the name of the result of these bytes with this recipe: 32 hexadecimal digits."""
    return hashlib.sha256(f"{video_sha256} {recipe_digest}".encode()).hexdigest()[:_KEY_CHARACTERS]


class BatchFolder:
    """The folder of a batch, and the places in it.

    Args:
        root: the folder.

    Attributes:
        manifest: the database of the videos.
        table: the same as a table, written at the end of a command.
        log: what workers and libraries say.
        work: what is not finished: save points, files that are fetched or written.
        data: the data set over all videos.
        exports: files of each video for other programs.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.manifest = root / "manifest.sqlite3"
        self.table = root / "manifest.csv"
        self.log = root / "batch.log"
        self.work = root / ".work"
        self.data = root / "data"
        self.exports = root / "exports"

    def result(self, key: str) -> Path:
        """Return the folder of one video's results; it exists if they are complete."""
        return self.root / "videos" / key[:2] / key

    def exports_in(self, ending: str) -> Path:
        """Return the folder of the files of one format."""
        return self.exports / ending.removeprefix(".")

    def has_result(self, key: str) -> bool:
        """Return whether the results of one video are there; without a Path, because 100,000 of them take a second."""
        return os.path.isdir(f"{self.root}/videos/{key[:2]}/{key}")  # noqa: PTH112

    def make(self) -> None:
        """Create the folder.

        Raises:
            OutputError: it cannot be created.
        """
        with writing(self.root):
            self.work.mkdir(parents=True, exist_ok=True)

    def tidy(self) -> None:
        """Remove what a killed command left half-written; only the one command that works here may call this."""
        for path in self.work.iterdir():
            if path.name.endswith((".part", ".lock")):
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        for written in (self.table, *(part / ROWS for part in self.data.glob("*/part=*"))):
            remove_leftovers(written)


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """Turn an error of the system while something is written into a sentence.

    Raises:
        OutputError: it.
    """
    try:
        yield
    except OSError as error:
        reason = system_reason(error)
        raise OutputError(
            f"'{place}' cannot be written ({reason}); make room or mend it, and run the command again."
        ) from error


def write_result(folder: BatchFolder, key: str, timeline: Timeline, recipe: Recipe) -> int:
    """Write the results of one video, and return the number of segments.

    Raises:
        OutputError: they cannot be written; nothing is left of them.
    """
    target = folder.result(key)
    part = folder.work / f"{key}.{uuid.uuid4().hex}.part"
    try:
        with writing(target):
            part.mkdir(parents=True)
            content = content_of_result(timeline, recipe)
            for name, written in _files(timeline, content):
                _write_synced(part / name, written)
            _sync_folder(part)
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.is_dir():
                part.rename(target)
                _sync_folder(target.parent)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return len(content.segments)


def content_of_result(timeline: Timeline, recipe: Recipe, video_name: str = "") -> Content:
    """Return what is exported. In a result, nothing tells when, where, under which name or how fast it was made."""
    from recognizer.export import content_of
    from recognizer.timeline.corrections import Corrections

    corrected = Corrections().applied_to(timeline)
    return content_of(
        corrected, video_name, min_confidence=recipe.least_confidence, min_duration_s=recipe.min_duration_s
    )


def _files(timeline: Timeline, content: Content) -> Iterator[tuple[str, bytes]]:
    """Yield name and bytes of each file."""
    import numpy as np

    from recognizer.export import format_of
    from recognizer.service.features import feature_records
    from recognizer.service.timeline_bytes import timelines_to_bytes
    from recognizer.timeline.features import feature_table

    for name, ending in _EXPORTS.items():
        yield name, format_of(ending).write(content)
    yield TIMELINE, timelines_to_bytes([timeline])
    features = feature_table(timeline.predictions)
    if features is not None:
        written = io.BytesIO()
        np.save(written, feature_records(features), allow_pickle=False)
        yield FEATURES, written.getvalue()


DOCUMENT: Final = "timeline.json"
TIMELINE: Final = "timeline.bin"
"""The whole timeline with boxes, as the dashboard's database stores it (``service.timeline_bytes``)."""

FEATURES: Final = "features.npy"
"""As ``service.features`` stores them; missing if none were kept."""

_EXPORTS: Final = {
    DOCUMENT: ".json",
    "segments.csv": ".csv",
    "segments.parquet": ".parquet",
    "people.parquet": ".people.parquet",
    "predictions.parquet": ".predictions.parquet",
}


def _write_synced(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    """Make renames and new files in a folder survive a power cut, where the system can."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def unreadable(result: Path, error: Exception) -> StoreError:
    """Return what is raised for a result that cannot be read."""
    why = str(error).rstrip(".")
    return StoreError(f"the result '{result}' cannot be read ({why}); remove this folder, and run the command again.")


class _Video(msgspec.Struct):
    duration_s: float | None = None


class _Facts(msgspec.Struct):
    """The parts of a result that are read again."""

    video: _Video
    people: list[msgspec.Raw]
    segments: list[msgspec.Raw]
    analysed_s: float


class Facts(msgspec.Struct):
    """The numbers of a result: seconds of video, people, segments."""

    video_s: float
    people: int
    segments: int


def facts_of(result: Path) -> Facts:
    """Return the numbers of a result that is there.

    Raises:
        OSError, msgspec.DecodeError: it cannot be read.
    """
    read = msgspec.json.decode((result / DOCUMENT).read_bytes(), type=_Facts)
    return Facts(read.video.duration_s or read.analysed_s, len(read.people), len(read.segments))
