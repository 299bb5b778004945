"""The file that browsers play for an analysis: the video itself, a camera's recording, or a full copy."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import inf
from pathlib import Path
from typing import Final, Literal

from recognizer.errors import RecognizerError, capitalized
from recognizer.service.jobs import Job
from recognizer.service.opened import Opened
from recognizer.service.store import AnalysisStore
from recognizer.service.tasks import ServerContext, Status
from recognizer.video import is_browser_playable, make_preview

_MAX_HEIGHT_PX: Final = 720
"""Height of a copy: enough to see what somebody does, and small enough to play on any laptop."""

_MAX_RATE_HZ: Final = 240.0
"""A copy has every frame, so that stepping shows the frames that were analyzed; more than this is a mistaken rate."""

_NOT_RECORDED: Final = "This session was not recorded, so there is no video to play."
_ELSEWHERE: Final = "The batch read this video from an address and did not keep it, so there is no video to play."
_GONE: Final = "The video is no longer stored here; drop it in again to play it."

RECORDING: Final = "recording"
"""In the provenance of a camera's session: what its recording shows. That of an earlier version has labels drawn in."""

PLAIN: Final = "without labels"


@dataclass(frozen=True)
class Playable:
    """The file for a player, or why there is none.

    Attributes:
        state: ``preparing`` while a copy is made, ``gone`` if there is nothing to play.
        path: the file; None unless ``ready``.
        share: completed share of the copy, 0 to 1; None if unknown.
        note: one sentence for the user; None if there is nothing to say.
    """

    state: Literal["ready", "preparing", "gone"]
    path: Path | None = None
    share: float | None = None
    note: str | None = None


def playable(context: ServerContext, opened: Opened) -> Playable:
    """Return what to play for an opened analysis; start making a copy if browsers do not play the file."""
    path, store = opened.video_path, context.store
    if opened.machine.video.sha256 is None:
        return Playable("ready", path) if path.is_file() else Playable("gone", note=_NOT_RECORDED)
    if path == store.file_path(""):
        return Playable("gone", note=_ELSEWHERE)
    try:
        source = store.source(path)
        if not all(one.is_file() for one in source.paths):
            return Playable("gone", note=_GONE)
        if _is_playable(store, path):
            return Playable("ready", source.paths[0])
    except RecognizerError as error:
        return Playable("gone", note=capitalized(str(error)))
    copy = store.derived_path(path, "playable.mp4")
    if copy.is_file():
        return Playable("ready", copy)
    job = context.jobs.start_once(lambda job: _copy(store, path, copy, job), f"playable-{path.stem}")
    if job.finished and job.error is not None:
        return Playable("gone", note=job.error)
    status = job.progress if isinstance(job.progress, Status) else Status("Preparing the video")
    return Playable("preparing", share=status.share, note="Browsers do not play this file; a copy is being made.")


@lru_cache(maxsize=64)
def _is_playable(store: AnalysisStore, path: Path) -> bool:
    return is_browser_playable(store.source(path))


def _copy(store: AnalysisStore, path: Path, target: Path, job: Job[Path]) -> Path:
    make_preview(
        store.source(path),
        target,
        max_seconds=inf,
        max_height_px=_MAX_HEIGHT_PX,
        max_rate_hz=_MAX_RATE_HZ,
        preset="superfast",
        progress=lambda share: job.report(Status("Preparing the video", share)),
        cancel=lambda: job.cancelled,
    )
    return target
