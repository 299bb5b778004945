"""Segments as a TextGrid of Praat: one interval tier per person, without gaps, in seconds."""

from __future__ import annotations

import tempfile
from pathlib import Path

from praatio import textgrid
from praatio.utilities.constants import Interval

from recognizer.export.content import Content, label_spans_ms


def text_grid(content: Content) -> bytes:
    """Return a TextGrid in the long text format, UTF-8.

    Time without a segment is an interval with an empty label: Praat opens a file with gaps without a word, but takes a
    moment in a gap for the next interval.
    """
    end_s = round(content.end_s, 3)
    grid = textgrid.Textgrid(0.0, end_s)
    intervals: dict[int, list[Interval]] = {one: [] for one in content.person_ids}
    for span in label_spans_ms(content):
        intervals[span.person_id].append(Interval(span.start_ms / 1000, span.end_ms / 1000, span.label))
    for person_id, name in content.people_names.items():
        grid.addTier(textgrid.IntervalTier(name, intervals[person_id], 0.0, end_s))
    with tempfile.TemporaryDirectory() as folder:  # praatio writes to a path only
        path = Path(folder) / "actions.TextGrid"
        grid.save(str(path), format="long_textgrid", includeBlankSpaces=True)
        return path.read_bytes()
