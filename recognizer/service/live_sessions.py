"""Save points of a camera's session, and the analysis that they make when its server is gone."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Any, Final

import msgspec
import numpy as np

from recognizer.actions.provenance import Mode
from recognizer.comparison.model import Comparison
from recognizer.comparison.two_classifiers import compared
from recognizer.errors import VideoError
from recognizer.service.playable import PLAIN, RECORDING
from recognizer.service.run_facts import facts_of
from recognizer.service.runs import Run
from recognizer.service.store import StoredAnalysis, StoredFile, analysis_of
from recognizer.service.tasks import ServerContext
from recognizer.service.timeline_bytes import timelines_from_bytes, timelines_to_bytes
from recognizer.timeline.builder import TimelineBuilder
from recognizer.timeline.model import Timeline, frame_rate_hz
from recognizer.types import CameraStep, Prediction, TrackedPerson
from recognizer.video.remuxing import make_seekable

_log = logging.getLogger(__name__)

NO_RECORDING: Final = "no-recording"
"""Name of the video of a session that was not recorded."""


class SavedSecond(msgspec.Struct):
    """What is new of a session's second classifier.

    Attributes:
        timeline: what it said, without the people.
        labels: the first classifier's, and its own.
        names: of both, now.
        checkpoint_name: the user's name for the first one's checkpoint.
    """

    timeline: bytes
    labels: tuple[list[str], list[str]]
    names: tuple[str, str]
    checkpoint_name: str | None


class SavedPart(msgspec.Struct):
    """One save point of a session.

    Attributes:
        timeline: what is new since the one before, and the last seconds before that: a label comes late.
        recording: the latest recording's file and the stream's time at its first picture; None if there is none.
        set_id: the set of own actions that the session is shown with; None for the network's labels.
        mode: how their names are shown.
        second: what is new of the second classifier; None if there never was one.
    """

    timeline: bytes
    recording: tuple[str, float] | None
    set_id: str | None
    mode: Mode
    second: SavedSecond | None = None


def pack_part(
    timeline: Timeline,
    recording: tuple[str, float] | None,
    set_id: str | None,
    mode: Mode,
    second: SavedSecond | None = None,
) -> bytes:
    """Return a save point as bytes."""
    return msgspec.msgpack.encode(SavedPart(timelines_to_bytes([timeline]), recording, set_id, mode, second))


def pack_second(
    timeline: Timeline,
    labels: tuple[Sequence[str], Sequence[str]],
    names: tuple[str, str],
    checkpoint_name: str | None,
) -> SavedSecond:
    """Return what a save point holds of the second classifier; see ``SavedSecond``."""
    first_labels, second_labels = labels
    return SavedSecond(
        timelines_to_bytes([timeline]), (list(first_labels), list(second_labels)), names, checkpoint_name
    )


def with_recording(timeline: Timeline, begins_s: float) -> Timeline:
    """Return the timeline of a stream with the time at which its recording begins."""
    provenance = {**timeline.provenance, RECORDING: PLAIN}
    return replace(timeline, reading=replace(timeline.reading, first_picture_s=begins_s), provenance=provenance)


def keep_what_is_saved(context: ServerContext, run: Run) -> None:
    """Make an analysis of what a session saved before its server was gone, and end its run.

    If it cannot be stored, the run and its save points stay until it can, here or on the next server.
    """
    parts = [msgspec.msgpack.decode(chunk, type=SavedPart) for chunk in context.runs.chunks(run.run_id)]
    if not parts:
        context.runs.end(run.run_id, "failed", "the session ended with its server before anything was saved.")
        return
    timeline, last = rejoined([timelines_from_bytes(part.timeline)[0] for part in parts]), parts[-1]
    path = context.store.folder / NO_RECORDING
    recording = next((part.recording for part in reversed(parts) if part.recording is not None), None)
    if recording is not None:
        name, begins_s = recording
        try:
            make_seekable(context.store.file_path(name))
        except VideoError as error:
            _log.warning("a recording is lost: %s", error)
        else:
            path, timeline = context.store.file_path(name), with_recording(timeline, begins_s)
    file = StoredFile(path, run.video_name, "", 0)
    comparison = _comparison(timeline, [part.second for part in parts if part.second is not None])

    def save() -> StoredAnalysis:
        stored = context.store.save_analysis(run.run_id, file, timeline)
        if last.set_id is not None:
            context.own_actions.sets.choose(run.run_id, last.set_id, last.mode)
        if comparison is not None:
            context.comparisons.save(run.run_id, file, comparison)
        context.runs.end(run.run_id, "done", facts=facts_of(timeline), video_file=path.name)
        return stored

    context.unsaved.save(run.run_id, save, lambda: analysis_of(run.run_id, file, timeline))


def rejoined(parts: Sequence[Timeline]) -> Timeline:
    """Join the parts of one stream's timeline, in order of time; they may overlap.

    A part ends the last clips where its stream ended so far, so the latest part knows best.
    """
    last = parts[-1]
    builder = TimelineBuilder(last.settings, frame_rate_hz(last.video))
    until_s, said = float("-inf"), dict[tuple[int, float, str], Prediction]()
    times_s = [np.empty(0)]
    for part in parts:
        for time_s, (people, camera) in sorted(_samples(part, until_s).items()):
            builder.add_people(time_s, people, camera)
            until_s = time_s
        said |= {(one.person_id, one.start_s, one.classifier): one for one in part.predictions}
        latest_s = times_s[-1][-1] if len(times_s[-1]) else -np.inf
        times_s.append(part.frame_times_s[part.frame_times_s > latest_s])
        if not len(times_s[-1]):
            times_s.pop()
    builder.add_predictions(said.values())
    return builder.build(
        last.video,
        frame_times_s=np.concatenate(times_s),
        complete=True,
        notes=(*last.notes, "The server ended during this session; what it had saved by then is here."),
        provenance=last.provenance,
    )


def _comparison(first: Timeline, seconds: Sequence[SavedSecond]) -> Comparison | None:
    """Return the comparison of a session's first classifier with what was saved of the second; None if nothing was."""
    if not seconds:
        return None
    parts, last = [timelines_from_bytes(one.timeline)[0] for one in seconds], seconds[-1]
    said = {(one.person_id, one.start_s, one.classifier): one for part in parts for one in part.predictions}
    second = replace(
        first,
        settings=parts[-1].settings,
        predictions=tuple(sorted(said.values(), key=attrgetter("person_id", "start_s", "end_s"))),
        provenance={**first.provenance, **parts[-1].provenance},
    )
    first_labels, second_labels = last.labels
    return compared(
        first, first_labels, second, second_labels, names_now=last.names, checkpoint_name=last.checkpoint_name
    )


def _samples(part: Timeline, after_s: float) -> dict[float, tuple[list[TrackedPerson], CameraStep | None]]:
    """Return the people in each sample of a part after a time, and the camera's motion up to it."""
    people: dict[float, list[TrackedPerson]] = defaultdict(list)
    for track in part.people:
        rows = zip(track.time_s.tolist(), track.box_xyxy.tolist(), track.confidence.tolist(), strict=True)
        for time_s, (x1, y1, x2, y2), confidence in rows:
            people[time_s].append(TrackedPerson(track.person_id, (x1, y1, x2, y2), confidence))
    steps: dict[float, Any] = {}
    if part.camera is not None:
        steps = dict(zip(part.camera.time_s.tolist(), part.camera.steps.tolist(), strict=True))
    return {
        time_s: (people.get(time_s, []), CameraStep(*steps[time_s]) if time_s in steps else None)
        for time_s in _later({*people, *steps}, after_s)
    }


def _later(times_s: Iterable[float], after_s: float) -> list[float]:
    return [time_s for time_s in times_s if time_s > after_s]
