"""Analyze one video of a batch: the same wherever it is called, in a worker's process or on another machine."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Final, Protocol

import msgspec
from filelock import FileLock, Timeout

from recognizer.analysis.save_point_folder import FolderSavePoints
from recognizer.batch.messages import Outcome, Task
from recognizer.batch.remote import fetched, is_remote
from recognizer.batch.results import BatchFolder, Facts, facts_of, key_of, unreadable, write_result, writing
from recognizer.batch.sources import local_path
from recognizer.errors import (
    CheckpointError,
    LimitError,
    RecognizerError,
    SettingsError,
    VideoError,
    WeightsError,
    system_reason,
)
from recognizer.service.unforeseen import reported
from recognizer.settings import Settings
from recognizer.weights import file_sha256

if TYPE_CHECKING:
    from recognizer.analysis.file import Progress
    from recognizer.networks.loading import Models
    from recognizer.timeline.model import Timeline

_WAITS_S: Final = 1.0
"""Time from one look to the next while a copy waits for the video whose bytes it has."""


class Networks(Protocol):
    """A source of networks."""

    def get(self, settings: Settings) -> Models:
        """Return the networks of ``settings``."""
        ...


@dataclass(frozen=True)
class Hooks:
    """The caller's callbacks during the work.

    Attributes:
        begin: called while a copy waits for its original, and when the networks are loaded: the time until then says
            nothing about the video.
        report: called with the seconds of video that are analyzed, and with how many it has, if that is known.
        is_stopped: True ends the work; what is done so far is saved.
    """

    begin: Callable[[], None] = lambda: None
    report: Callable[[float, float | None], None] = lambda _analysed_s, _of_s: None
    is_stopped: Callable[[], bool] = lambda: False


def work(task: Task, networks: Networks, hooks: Hooks | None = None) -> Outcome:
    """Analyze a video and write its results, unless they are there; return the outcome.

    Whatever fails is an outcome. A failure that belongs to the video's bytes is ``failed``; one that may be over with
    the next command is ``waiting``, with its sentence.
    """
    hooks = hooks or Hooks()
    one = _One(task, networks, hooks)
    try:
        return one.outcome()
    except (WeightsError, CheckpointError, SettingsError) as error:
        return one.ended("waiting", str(error), ends_batch=True)
    except (VideoError, LimitError) as error:
        return one.ended("failed" if one.is_unchanged() else "waiting", str(error))
    except RecognizerError as error:
        return one.ended("waiting", str(error))
    except MemoryError:
        return one.ended("failed", f"'{task.place}' needs more memory than there is; use fewer workers.")
    except Exception as error:  # noqa: BLE001 (one video must not end the others)
        return one.ended("waiting", f"'{task.place}': {reported(error)}")


class _One:
    """One video, and what is known about it so far."""

    def __init__(self, task: Task, networks: Networks, hooks: Hooks) -> None:
        self._task = task
        self._networks = networks
        self._hooks = hooks
        self._folder = BatchFolder(Path(task.out))
        self._began_s = time.monotonic()
        self._sha256 = ""
        self._file: Path | None = None
        self._status: tuple[int, int] | None = None

    def ended(self, state: str, error: str, *, ends_batch: bool = False) -> Outcome:
        """Return the outcome of a video that has no result."""
        return Outcome(
            self._task.number,
            "failed" if state == "failed" else "waiting",
            sha256=self._sha256,
            took_s=self._took_s,
            error=error,
            ends_batch=ends_batch,
        )

    @property
    def _took_s(self) -> float:
        return round(time.monotonic() - self._began_s, 3)

    def is_unchanged(self) -> bool:
        """Return whether the file is still what was read: otherwise, nothing was wrong with its bytes."""
        return self._file is not None and self._status is not None and _status(self._file) == self._status

    def outcome(self) -> Outcome:
        """Return the outcome of the video. Raises whatever fails."""
        with self._local_file() as path:
            self._file, self._status = path, _status(path)
            if not self._sha256:
                self._sha256 = self._hashed(path)
            key = key_of(self._sha256, self._task.digest)
            with self._alone_with(key):
                if self._hooks.is_stopped():
                    return self.ended("waiting", "")
                return self._from_result(key) or self._analyzed(key, path)

    @contextmanager
    def _alone_with(self, key: str) -> Iterator[None]:
        """Wait while the same bytes are in work elsewhere under another name, or until the work is stopped."""
        lock = FileLock(self._folder.work / f"{key}.lock")
        with writing(self._folder.work):
            while not (lock.is_locked or self._hooks.is_stopped()):
                try:
                    lock.acquire(timeout=_WAITS_S)
                except Timeout:
                    self._hooks.begin()  # otherwise, a copy of a long video would seem to stand still
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def _local_file(self) -> Iterator[Path]:
        """Yield the file; one from an address is fetched before, and removed afterwards."""
        place = self._task.place
        if not is_remote(place):
            yield local_path(place) or Path(place)
            return
        suffix = Path(place.partition("?")[0]).suffix
        copy = self._folder.work / f"{uuid.uuid4().hex}{suffix}.part"
        try:
            with writing(copy):
                self._sha256 = fetched(place, copy, lambda: self._hooks.report(0.0, None))
            yield copy
        finally:
            copy.unlink(missing_ok=True)

    def _hashed(self, path: Path) -> str:
        try:
            return file_sha256(path)
        except OSError as error:
            reason = system_reason(error)
            self._status = None  # nothing is known about its bytes
            raise VideoError(f"'{path}' cannot be read ({reason}); check that it is there.") from error

    def _from_result(self, key: str) -> Outcome | None:
        result = self._folder.result(key)
        if not result.is_dir():
            return None
        try:
            return self._done(key, facts_of(result), took_s=0.0)
        except (OSError, msgspec.DecodeError) as error:
            raise unreadable(result, error) from error

    def _done(self, key: str, facts: Facts, took_s: float) -> Outcome:
        return Outcome(
            self._task.number,
            "done",
            key=key,
            sha256=self._sha256,
            video_s=facts.video_s,
            took_s=took_s,
            people=facts.people,
            segments=facts.segments,
        )

    def _analyzed(self, key: str, path: Path) -> Outcome:
        kept = FolderSavePoints(self._folder.work / key)
        timeline = self._timeline(path, kept)
        if not timeline.complete:
            return self.ended("waiting", "")
        if not self.is_unchanged():  # a network folder that is gone looks like the end of the file
            raise VideoError(f"'{path}' changed or vanished while it was read; run the command again.")
        segments = write_result(self._folder, key, timeline, self._task.recipe)
        kept.remove()
        video_s = timeline.video.duration_s or timeline.analysed_s
        return self._done(key, Facts(video_s, len(timeline.people), segments), self._took_s)

    def _timeline(self, path: Path, kept: FolderSavePoints) -> Timeline:
        from recognizer.analysis.file import analyze
        from recognizer.timeline.model import frame_rate_hz
        from recognizer.video import VideoSource, open_video

        recipe, limit = self._task.recipe, self._task.max_file_bytes
        source = VideoSource(
            (path,),
            names=(PurePath(self._task.place.partition("?")[0]).name,) if is_remote(self._task.place) else (),
            sha256s=(self._sha256,),
            stream=recipe.stream,
            frame_rate_hz=recipe.frame_rate_hz,
        )
        with open_video(source, max_file_bytes=limit, sha256=self._sha256) as reader:
            settings = recipe.settings_at(frame_rate_hz(reader.info))

        def follow(progress: Progress) -> None:
            self._hooks.report(progress.analysed_s, progress.duration_s)

        models = self._networks.get(settings)
        self._hooks.begin()
        return analyze(
            source,
            settings,
            models=models,
            progress=follow,
            cancel=self._hooks.is_stopped,
            max_file_bytes=limit,
            sha256=self._sha256,
            save_points=kept,
        )


def _status(path: Path) -> tuple[int, int] | None:
    """Return size and time of a file; None if it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns
