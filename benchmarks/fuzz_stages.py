"""What the program does with a file, stage by stage, until one refuses it. Used by ``benchmarks.fuzz``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.fuzz_files import small_timeline
from recognizer.actions.set_file import read_set, write_set
from recognizer.analysis.file import analyze
from recognizer.annotations.fitting import LabelledVideo, fit_labels
from recognizer.annotations.model import Answers
from recognizer.annotations.reading import read_labels
from recognizer.drawing.video import render_video
from recognizer.errors import RecognizerError
from recognizer.export import content_of
from recognizer.export.formats import FORMATS
from recognizer.export.json_file import timeline_from_json, timeline_json
from recognizer.networks.loading import Models
from recognizer.palette import ActionPalette
from recognizer.settings import Settings
from recognizer.timeline.corrections import Corrected
from recognizer.timeline.corrections_file import corrections_from_json, corrections_json
from recognizer.timeline.groups import groups_from_json, groups_json
from recognizer.timeline.model import Timeline
from recognizer.types import Clip, Detection, Prediction
from recognizer.video import VideoWriter, make_preview, open_video, poster, probe
from recognizer.video.looking import still
from recognizer.video.reader import VideoReader

_MOST_FRAMES = 200
"""A repeated piece of a file makes some mutants long; every stage stops after so many pictures."""

Stage = Callable[[Path, Path], None]
"""Takes a file, and a folder to write into."""


class _ScriptedDetector:
    """Finds two people in every picture."""

    def detect(self, frames_rgb: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
        return [list(self._people(rgb.shape[1], rgb.shape[0])) for rgb in frames_rgb]

    def _people(self, width: int, height: int) -> Iterator[Detection]:
        yield Detection((0.1 * width, 0.1 * height, 0.4 * width, 0.9 * height), 0.9)
        yield Detection((0.6 * width, 0.2 * height, 0.9 * width, 0.95 * height), 0.8)


class _ScriptedClassifier:
    """Gives every clip the same labels."""

    name = "scripted"
    labels = ("waving", "jogging")

    def classify(self, clips: Sequence[Clip]) -> list[Prediction]:
        top = (("waving", 0.6), ("jogging", 0.3))
        return [Prediction(clip.person_id, clip.start_s, clip.end_s, top, self.name) for clip in clips]

    def warm_up(self, samples: int) -> None:
        pass


class _After:
    """Answers True from the n-th question on."""

    def __init__(self, calls: int) -> None:
        self._left = calls

    def __call__(self) -> bool:
        self._left -= 1
        return self._left < 0


def _decode(video: Path, _folder: Path) -> None:
    with open_video(video) as reader, closing(reader.frames()) as frames:
        for _ in islice(frames, _MOST_FRAMES):
            pass
        for _ in islice(reader.sound(), _MOST_FRAMES):
            pass


def _write(video: Path, folder: Path) -> None:
    with open_video(video) as reader, closing(reader.frames()) as frames:
        size = reader.facts.width, reader.facts.height
        with VideoWriter(folder / "copy.mp4", _rate_hz(reader), *size, sound=reader.sound()) as writer:
            for frame in islice(frames, _MOST_FRAMES):
                writer.write(frame.rgb, frame.time_s)


def _rate_hz(reader: VideoReader) -> float:
    return float(reader.facts.frame_rate or 25)


def _preview(video: Path, folder: Path) -> None:
    make_preview(video, folder / "preview.mp4", max_seconds=4.0, cancel=_After(_MOST_FRAMES))


def _still(video: Path, _folder: Path) -> None:
    still(video, 0.3)


def _analyze(video: Path, folder: Path) -> None:
    """Analyze, export in every format, store, restore, and draw."""
    models = Models(_ScriptedDetector(), _ScriptedClassifier(), {"detector_sha256": "0" * 64})
    timeline = analyze(video, Settings(), models=models, cancel=_After(_MOST_FRAMES))
    stored = timeline_json(timeline, include_boxes=True, include_frame_times=True)
    restored = timeline_from_json(stored)
    if timeline_json(restored, include_boxes=True, include_frame_times=True) != stored:
        raise AssertionError("a restored timeline differs from the stored one")
    _export(Corrected(timeline))
    segments = timeline.segments(0.0, 0.0)
    render_video(video, timeline, segments, ActionPalette(), folder / "drawn.mp4", cancel=_After(_MOST_FRAMES))


def _export(corrected: Corrected) -> None:
    content = content_of(corrected, "clip.mp4")
    for one in FORMATS:
        one.write(content)


VIDEO_STAGES: dict[str, Stage] = {
    "probe": lambda video, _folder: _discard(probe(video)),
    "decode": _decode,
    "poster": lambda video, _folder: _discard(poster(video)),
    "still": _still,
    "preview": _preview,
    "write": _write,
    "analyze": _analyze,
}


def _discard(_value: object) -> None:
    pass


def _labels(file: Path, _folder: Path) -> None:
    labels = read_labels(file.read_bytes(), file.name)
    timeline = small_timeline()
    for part in labels.parts:
        who = {label.subject: 1 for label in part.labels}
        try:
            fit_labels(labels, LabelledVideo.of(timeline, "clip.mp4"), Answers(part=part.name, people=who))
        except RecognizerError:
            continue  # a label that lies in no video is refused; the next part may fit


def _corrections(file: Path, _folder: Path) -> None:
    corrections = corrections_from_json(file.read_bytes(), file.name)
    corrections_json(corrections, None)
    _export(corrections.applied_to(small_timeline()))


def _groups(file: Path, _folder: Path) -> None:
    groups_json(groups_from_json(file.read_bytes(), file.name))


def _timeline(file: Path, _folder: Path) -> None:
    timeline: Timeline = timeline_from_json(file.read_text(encoding="utf-8", errors="replace"))
    _export(Corrected(timeline))


def _action_set(file: Path, _folder: Path) -> None:
    write_set(read_set(file.read_bytes(), file.name))


def stages_of(name: str) -> dict[str, Stage]:
    """Return what is done with a file of this name, by stage, in order."""
    if name == "set.actions":
        return {"action set": _action_set}
    if name in {"corrections.json", "groups.json", "timeline.json"}:
        stage = {"corrections.json": _corrections, "groups.json": _groups, "timeline.json": _timeline}[name]
        return {name.partition(".")[0]: stage}
    return {"labels": _labels} if "labels" in name else VIDEO_STAGES
