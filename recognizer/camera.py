"""One browser tab's camera, over any number of starts: begins a stream with its first frame, keeps it when it ends."""

from __future__ import annotations

import threading
import time
import uuid
from datetime import datetime
from pathlib import Path

import av
import numpy as np

from recognizer.jobs import Job
from recognizer.live import LiveStats, LiveStream
from recognizer.models import Models
from recognizer.palette import ActionPalette
from recognizer.runs import Services, Status, fetch_report
from recognizer.settings import Settings
from recognizer.store import StoredFile
from recognizer.timeline import Timeline
from recognizer.types import CROP_SIZE_PX, Clip


def load_and_warm(services: Services, settings: Settings, job: Job[Models] | None = None) -> Models:
    """The networks of ``settings``, run once, so that the first real frame and clip do not wait for set-up."""
    report = fetch_report(job) if job is not None else None
    models = services.models.get(settings, report)
    if job is not None:
        job.report(Status("Warming the networks up"))
    models.detector.detect([np.zeros((480, 640, 3), np.uint8)])
    grey = np.full((settings.num_video_sequence_samples, CROP_SIZE_PX, CROP_SIZE_PX, 3), 128, np.uint8)
    models.classifier.classify([Clip(person_id=1, start_s=0.0, end_s=1.0, rgb=grey)])
    return models


class Camera:
    """What stands between the browser's camera and the recogniser. Its methods may be called from any thread.

    Args:
        services: what everyone shares; an ended stream goes into its store.
        models: for ``settings``, loaded and warm.
        settings: to begin with.
        palette: colours of the actions.
    """

    def __init__(self, services: Services, models: Models, settings: Settings, palette: ActionPalette) -> None:
        self._services = services
        self._models = models
        self._settings = settings
        self._palette = palette
        self._lock = threading.Lock()
        self._stream: LiveStream | None = None
        self._armed = True
        self._min_confidence = 0.0
        self._mirrored = False
        self._wants_recording = False
        self._recordings: list[Path] = []
        self._ended_run_id: str | None = None

    def prepare(self, models: Models, settings: Settings) -> None:
        """Begin the next stream with these; what runs already is changed with ``adjust``."""
        with self._lock:
            self._models, self._settings = models, settings

    def take(self, frame: av.VideoFrame) -> av.VideoFrame:
        """The browser's next frame; returns it annotated."""
        arrived_s = time.monotonic()
        stream = self._running_stream()
        if stream is None:
            return frame
        drawn = stream.frame(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8), arrived_s)
        return av.VideoFrame.from_ndarray(drawn, format="rgb24")

    def arm(self) -> None:
        """The next frame begins a stream. Until then a frame that comes after the end goes back as it came."""
        with self._lock:
            self._armed = True

    def _running_stream(self) -> LiveStream | None:
        stream = self._stream
        if stream is not None:  # without the lock: the end of a recording may hold it for a while
            return stream
        with self._lock:
            if self._stream is None:
                if not self._armed:
                    return None
                self._stream = LiveStream(
                    self._models, self._settings, lambda wanted: load_and_warm(self._services, wanted), self._palette
                )
                self._recordings = []
                self._tell()
            return self._stream

    def adjust(self, settings: Settings, *, min_confidence: float, mirrored: bool, recording: bool) -> None:
        """What the page says now; taken up at once, while the stream goes on."""
        with self._lock:
            self._settings = settings
            self._min_confidence, self._mirrored, self._wants_recording = min_confidence, mirrored, recording
            self._tell()

    def _tell(self) -> None:
        if self._stream is None:
            return
        self._stream.min_confidence = self._min_confidence
        self._stream.mirrored = self._mirrored
        self._stream.change(self._settings)
        if self._wants_recording and not self._stream.is_recording:
            self._stream.record(self._services.store.new_file(".mp4"))
        elif not self._wants_recording:
            self._keep_recording(self._stream)

    def _keep_recording(self, stream: LiveStream) -> None:
        path = stream.stop_recording()
        if path is not None:
            self._recordings.append(path)

    @property
    def running(self) -> bool:
        """Whether frames have come since the last end."""
        return self._stream is not None

    @property
    def recordings(self) -> list[Path]:
        """The finished recordings of this stream or, after its end, of the last one."""
        return list(self._recordings)

    def stats(self) -> LiveStats | None:
        """How the stream runs; None before its first frame."""
        stream = self._stream
        return stream.stats() if stream is not None else None

    def timeline(self) -> Timeline | None:
        """What was seen and said so far; None before the first frame."""
        stream = self._stream
        return stream.timeline() if stream is not None else None

    def end_soon(self) -> None:
        """``end`` on a thread of its own, for a caller that serves other cameras too and must not wait."""
        threading.Thread(target=self.end, name="camera-end", daemon=True).start()

    def end(self) -> str | None:
        """The stream is over: end its threads and keep its timeline.

        Returns:
            The run that the last stream was kept as; None where there was none.
        """
        with self._lock:
            stream, self._stream = self._stream, None
            if stream is None:
                return self._ended_run_id
            self._armed = False
            self._keep_recording(stream)
            timeline = stream.close()
            name = f"Camera {datetime.now().astimezone():%Y-%m-%d %H.%M}"
            path = self._recordings[-1] if self._recordings else self._services.store.folder / "no-recording"
            self._ended_run_id = uuid.uuid4().hex
            self._services.store.save_run(self._ended_run_id, StoredFile(path, name, "", 0), timeline)
            return self._ended_run_id
