"""Labels of files, and the videos that they are about."""

from __future__ import annotations

import numpy as np

from recognizer.annotations.fitting import LabelledVideo, fit_labels
from recognizer.annotations.model import Answers, LabelFile, Truth, TruthRow
from recognizer.annotations.reading import read_labels

Rows = list[tuple[int | None, str, float, float]]
Labels = list[tuple[str, str, float, float | None]]


def video_of(
    duration_s: float = 10.0, *, people: int = 2, name: str = "clip.mp4", rate_hz: float = 25.0
) -> LabelledVideo:
    """A video with a constant frame rate."""
    times_s = np.arange(round(duration_s * rate_hz)) / rate_hz
    return LabelledVideo(name, duration_s, tuple(range(1, people + 1)), times_s, rate_hz)


def read(text: str, name: str = "labels.csv") -> LabelFile:
    return read_labels(text.encode(), name)


def labels_in(file: LabelFile, part: int = 0) -> Labels:
    """The labels of a part, as the file has them."""
    return [(one.subject, one.action, one.start, one.end) for one in file.parts[part].labels]


def fitted(file: LabelFile, video: LabelledVideo | None = None, answers: Answers | None = None) -> Truth:
    return fit_labels(file, video or video_of(), answers or Answers())


def rows_of(rows: tuple[TruthRow, ...]) -> Rows:
    return [(row.person_id, row.action, row.start_s, row.end_s) for row in rows]
