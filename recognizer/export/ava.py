"""Segments in the style of the AVA data set, to train and score detectors of actions: one row per person and second."""

from __future__ import annotations

import csv
import io
import math

from recognizer.export.content import Content, label_spans_ms
from recognizer.export.csv_file import harmless_cell
from recognizer.settings import UNKNOWN_ACTION


def ava_csv(content: Content) -> bytes:
    """Return rows ``video, second, x1, y1, x2, y2, label number, person_id`` without a header, as AVA v2.2 has them.

    There is a row for each whole second at which a person is visible and has a label other than ``unknown``. The box
    goes from 0 to 1, from the left and the top; the numbers of the labels are those of ``ava_labels``.
    """
    width, height = content.timeline.video.width, content.timeline.video.height
    tracks = {track.person_id: track for track in content.timeline.people}
    numbers = {label: k for k, label in enumerate(_labels(content), 1)}
    rows: list[tuple[int, int, tuple[object, ...]]] = []
    for span in label_spans_ms(content):
        track, number = tracks.get(span.person_id), numbers.get(span.label)
        if track is None or number is None or not len(track.time_s):
            continue
        for second in range(math.ceil(span.start_ms / 1000), math.ceil(span.end_ms / 1000)):
            if (box := track.box_at(second)) is not None:
                x1, y1, x2, y2 = box
                shares = (x1 / width, y1 / height, x2 / width, y2 / height)
                corners = [f"{min(max(share, 0.0), 1.0):.3f}" for share in shares]
                row = (harmless_cell(content.stem), f"{second:04d}", *corners, number, span.person_id)
                rows.append((second, span.person_id, row))
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(row for _, _, row in sorted(rows))
    return text.getvalue().encode()


def ava_labels(content: Content) -> bytes:
    """Return the numbers of the labels as a label map of TensorFlow, in the layout of AVA's own."""
    items = []
    for number, label in enumerate(_labels(content), 1):
        quoted = label.replace("\\", "\\\\").replace('"', '\\"')
        items.append(f'item {{\n  name: "{quoted}"\n  id: {number}\n}}\n')
    return "".join(items).encode()


def _labels(content: Content) -> list[str]:
    return [label for label in content.labels if label != UNKNOWN_ACTION]
