"""One browser tab's camera, over any number of starts: begins a stream with its first frame, keeps it when it ends."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from recognizer.drawing.overlay import OverlayPerson
from recognizer.errors import StoreError
from recognizer.live import LiveStats, LiveStream
from recognizer.memory import give_back_memory
from recognizer.networks.cache import networks_of
from recognizer.networks.loading import Models, loading_text
from recognizer.palette import ActionPalette
from recognizer.service.jobs import Job
from recognizer.service.store import StoredAnalysis, StoredFile
from recognizer.service.tasks import ServerContext, Status, fetch_report
from recognizer.settings import Settings
from recognizer.timeline.model import Timeline

_log = logging.getLogger(__name__)

GONE_AFTER_S = 10.0
"""A camera that sends nothing for so long is gone: its stream is ended and kept. Longer than a busy browser pauses,
shorter than the half minute after which WebRTC itself gives a connection up (RFC 7675)."""

UNWATCHED_AFTER_S = 5.0
"""When the page has been closed for so long, its camera is ended too. A page that only lost its line for a moment is
back sooner."""

_LOOK_EVERY_S = 1.0
_GIVE_BACK_EVERY_S = 15.0


def load_and_warm(context: ServerContext, settings: Settings, job: Job[Models] | None = None) -> Models:
    """The networks of ``settings``, run once, so that the first real frame and clip do not wait for set-up."""
    report = fetch_report(job) if job is not None else None
    if job is not None:
        job.report(Status(loading_text(settings)))
    models = context.models.get(settings, report)
    if job is not None:
        job.report(Status("Warming the networks up"))
    models.detector.detect([np.zeros((480, 640, 3), np.uint8)])
    models.classifier.warm_up(settings.num_video_sequence_samples)
    return models


@dataclass(frozen=True, eq=False)
class EndedStream:
    """A stream that is over.

    Attributes:
        run: what was seen and said, as it was kept; what two classifiers said is a comparison of the same name.
        lost: whether it ended because no picture came any more.
        problem: one sentence about why it could not be kept; None where it was.
    """

    run: StoredAnalysis
    lost: bool
    problem: str | None


def _warmth(settings: Settings) -> Hashable:
    """What a network has to be run with once, before it is quick."""
    return networks_of(settings), settings.num_video_sequence_samples


class _Ending:
    """An end that is under way or over."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.ended: EndedStream | None = None


class Camera:
    """What stands between the browser's camera and the recogniser. Its methods may be called from any thread.

    Args:
        services: what everyone shares; an ended stream goes into its store.
        models: for ``settings``, loaded and warm.
        settings: to begin with.
        palette: colours of the actions.
    """

    def __init__(self, context: ServerContext, models: Models, settings: Settings, palette: ActionPalette) -> None:
        self._context = context
        self._models = models
        self._settings = settings
        self._second: Settings | None = None
        self._checkpoint_name: str | None = None
        self._warm = {_warmth(settings)}
        self._palette = palette
        self._lock = threading.Lock()
        self._stream: LiveStream | None = None
        self._run_id: str | None = None
        self._armed = True
        self._min_confidence = 0.0
        self._mirrored = False
        self._wants_recording = False
        self._recordings: list[Path] = []
        self._ending: _Ending | None = None
        self._hang_up: Callable[[], None] | None = None
        self._is_watched: Callable[[], bool] = lambda: True

    def prepare(self, models: Models, settings: Settings) -> None:
        """Begin the next stream with these; what runs already is changed with ``adjust``."""
        with self._lock:
            self._models, self._settings = models, settings
            self._warm.add(_warmth(settings))

    # ---- the picture

    def take(self, frame: av.VideoFrame) -> av.VideoFrame:
        """The browser's next frame; returns it annotated."""
        arrived_s = time.monotonic()
        if self._running_stream() is None:
            return frame
        drawn = self.annotate(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8), arrived_s)
        return av.VideoFrame.from_ndarray(drawn, format="rgb24")

    def annotate(self, rgb: NDArray[np.uint8], arrived_s: float) -> NDArray[np.uint8]:
        """The next picture, uint8 (H, W, 3), of whatever stands in for the camera; returns it annotated.

        Args:
            rgb: the picture.
            arrived_s: when it came, on the clock of ``time.monotonic``.
        """
        stream = self._running_stream()
        return rgb if stream is None else stream.frame(rgb, arrived_s)

    def arm(self) -> None:
        """The next frame begins a stream. Until then a frame that comes after the end goes back as it came."""
        with self._lock:
            self._armed = True

    def _running_stream(self) -> LiveStream | None:
        stream = self._stream
        if stream is not None:  # without the lock: nothing may hold up the picture
            return stream
        with self._lock:
            if self._stream is None and self._armed:
                self._begin()
            return self._stream

    def _begin(self) -> None:
        self._stream = LiveStream(self._models, self._settings, self._load, self._palette)
        self._run_id = uuid.uuid4().hex
        self._recordings = []
        self._context.live_runs.add(self._run_id)
        self._tell(self._stream)
        threading.Thread(target=self._watch, args=(self._stream,), name="camera-watch", daemon=True).start()

    def _load(self, wanted: Settings) -> Models:
        if _warmth(wanted) in self._warm:
            return self._context.models.get(wanted)
        models = load_and_warm(self._context, wanted)
        self._warm.add(_warmth(wanted))
        return models

    def _watch(self, stream: LiveStream) -> None:
        """A tab that was closed or a line that broke says nothing: notice it, keep what was seen, free the threads."""
        watched_s = gave_back_s = time.monotonic()
        while self._stream is stream:
            if self._is_watched():
                watched_s = time.monotonic()
            if stream.stats().silent_s > GONE_AFTER_S or time.monotonic() - watched_s > UNWATCHED_AFTER_S:
                hang_up, self._hang_up = self._hang_up, None
                self._end(lost=True)
                if hang_up is not None:
                    hang_up()
                return
            if time.monotonic() - gave_back_s > _GIVE_BACK_EVERY_S:
                give_back_memory()
                gave_back_s = time.monotonic()
            time.sleep(_LOOK_EVERY_S)

    # ---- what the page says

    def connect(self, hang_up: Callable[[], None] | None, is_watched: Callable[[], bool] = lambda: True) -> None:
        """Say how the connection to the browser is given back, should the browser be gone, and whether it is."""
        self._hang_up, self._is_watched = hang_up, is_watched

    def adjust(
        self,
        settings: Settings,
        *,
        min_confidence: float,
        mirrored: bool,
        recording: bool,
        second: Settings | None = None,
        checkpoint_name: str | None = None,
    ) -> None:
        """What the page says now; taken up at once, while the stream goes on.

        Args:
            settings: how.
            min_confidence: a label less probable than this is drawn as ``unknown``.
            mirrored: whether the picture is given back as in a mirror.
            recording: whether the annotated picture is written to a file.
            second: with another classifier, which then names the same clips; None for none.
            checkpoint_name: what the person calls the checkpoint of ``settings``.
        """
        with self._lock:
            self._settings, self._second, self._checkpoint_name = settings, second, checkpoint_name
            self._min_confidence, self._mirrored, self._wants_recording = min_confidence, mirrored, recording
            stream = self._stream
        if stream is not None:
            self._tell(stream)

    def _tell(self, stream: LiveStream) -> None:
        stream.min_confidence = self._min_confidence
        stream.mirrored = self._mirrored
        stream.change(self._settings)
        stream.compare(self._second)
        if self._wants_recording and not stream.is_recording:
            stream.record(self._context.store.new_file(".mp4"))
        elif not self._wants_recording:
            self._keep_recording(stream)

    def _keep_recording(self, stream: LiveStream) -> None:
        path = stream.stop_recording()
        if path is not None:
            self._recordings.append(path)

    # ---- looking at it

    @property
    def min_confidence(self) -> float:
        """Labels less probable than this read ``unknown`` in the picture."""
        return self._min_confidence

    @property
    def running(self) -> bool:
        """Whether frames have come since the last end."""
        return self._stream is not None

    @property
    def run_id(self) -> str | None:
        """What the running stream will be kept as, or the last one was."""
        return self._run_id

    @property
    def recordings(self) -> list[Path]:
        """The finished recordings of this stream or, after its end, of the last one."""
        return list(self._recordings)

    @property
    def ended(self) -> EndedStream | None:
        """The last stream, once it is over and kept."""
        return self._ending.ended if self._ending is not None else None

    def stats(self) -> LiveStats | None:
        """How the stream runs; None before its first frame."""
        stream = self._stream
        return stream.stats() if stream is not None else None

    def shown(self) -> list[OverlayPerson]:
        """Who is in the picture, and what is drawn over them."""
        stream = self._stream
        return stream.shown() if stream is not None else []

    def timeline(self, *, since_s: float = 0.0) -> Timeline | None:
        """What was seen and said so far, or since a time of the stream; None before the first frame."""
        stream = self._stream
        return stream.timeline(since_s=since_s) if stream is not None else None

    def second_timeline(self, *, since_s: float = 0.0) -> Timeline | None:
        """The same for the second classifier; None where there is none."""
        stream = self._stream
        return stream.second_timeline(since_s=since_s) if stream is not None else None

    # ---- the end

    def end_soon(self) -> None:
        """``end`` on a thread of its own, for a caller that serves other cameras too and must not wait."""
        threading.Thread(target=self.end, name="camera-end", daemon=True).start()

    def end(self) -> EndedStream | None:
        """The stream is over: end its threads and keep its timeline.

        Returns:
            What the last stream was kept as; None where there was none.
        """
        return self._end(lost=False)

    def _end(self, *, lost: bool) -> EndedStream | None:
        with self._lock:
            stream, self._stream = self._stream, None
            if stream is not None:
                self._armed = False
                self._ending = _Ending()
            ending, run_id = self._ending, self._run_id
        if ending is None:
            return None
        if stream is None or run_id is None:
            ending.done.wait()
            return ending.ended
        try:
            ending.ended = self._keep(stream, run_id, lost=lost)
        finally:
            self._context.live_runs.discard(run_id)
            ending.done.set()
            give_back_memory()
        return ending.ended

    def _keep(self, stream: LiveStream, run_id: str, *, lost: bool) -> EndedStream:
        timeline = stream.close()
        comparison = stream.comparison(self._checkpoint_name)
        self._keep_recording(stream)
        now = datetime.now(UTC)
        name = f"Camera {now.astimezone():%Y-%m-%d %H.%M.%S}"
        path = self._recordings[-1] if self._recordings else self._context.store.folder / "no-recording"
        run, file, store = (
            StoredAnalysis(run_id, now, name, path, timeline),
            StoredFile(path, name, "", 0),
            self._context.store,
        )
        problem = None
        try:
            store.save_analysis(run_id, file, timeline)
            if comparison is not None:
                self._context.comparisons.save(run_id, file, comparison)
        except StoreError as error:
            _log.warning("a camera's stream could not be kept: %s", error)
            problem = str(error)
        return EndedStream(run, lost, problem)
