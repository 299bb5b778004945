"""Segments for BORIS: a project with one observation, and the table of aggregated events that BORIS exports from it.

BORIS opens the project. It has no reader for aggregated events, only a writer (BORIS 8.27, ``export_events.py``);
other programs read that table. Fields and columns are those of BORIS 8.27, project format 7.0.
"""

from __future__ import annotations

import csv
import io
import json
from collections import defaultdict
from string import ascii_lowercase, digits
from typing import Any, Final

from recognizer.errors import inert_json
from recognizer.export.content import Content, label_spans_ms
from recognizer.export.csv_file import harmless_cell

AGGREGATED_COLUMNS: Final = (
    "Observation id",
    "Observation date",
    "Description",
    "Observation type",
    "Source",
    "Time offset (s)",
    "Coding duration",
    "Media duration (s)",
    "FPS (frame/s)",
    "Subject",
    "Observation duration by subject by observation",
    "Behavior",
    "Behavioral category",
    "Behavior type",
    "Start (s)",
    "Stop (s)",
    "Duration (s)",
    "Media file name",
    "Image index start",
    "Image index stop",
    "Image file path start",
    "Image file path stop",
    "Comment start",
    "Comment stop",
)
"""The header of the table of aggregated events, without modifiers and independent variables."""

_KEYS: Final = ascii_lowercase + digits
_FORMAT: Final = "7.0"


def project(content: Content) -> bytes:
    """Return a BORIS project: people are subjects, labels are state events, and the video is its one observation.

    The video is named without a folder, so BORIS looks for it next to the project. The comment of an event says
    whether a machine or a human made the label.
    """
    name = content.file_name
    events: list[list[Any]] = []
    for span in label_spans_ms(content):
        subject, comment = content.people_names[span.person_id], _comment(span.segment.source, span.segment.confidence)
        events.append([span.start_ms / 1000, subject, span.label, "", comment])
        events.append([span.end_ms / 1000, subject, span.label, "", ""])
    events.sort(key=lambda event: event[0])  # stable: the end of a label comes before a start at the same time
    document = {
        "time_format": "hh:mm:ss",
        "project_date": _date(content),
        "project_name": content.stem,
        "project_description": "",
        "project_format_version": _FORMAT,
        "subjects_conf": {
            str(k): {"key": "", "name": subject, "description": ""}
            for k, subject in enumerate(content.people_names.values())
        },
        "behaviors_conf": {
            str(k): {
                "type": "State event",
                "key": _KEYS[k] if k < len(_KEYS) else "",
                "code": label,
                "description": "",
                "color": "",
                "category": "",
                "modifiers": {},
                "excluded": "",
                "coding map": "",
            }
            for k, label in enumerate(content.labels)
        },
        "observations": {
            content.stem: {
                "file": {"1": [name], **{str(player): [] for player in range(2, 9)}},
                "type": "MEDIA",
                "date": _date(content),
                "description": "",
                "time offset": 0.0,
                "events": events,
                "observation time interval": [0, 0],
                "independent_variables": {},
                "visualize_spectrogram": False,
                "visualize_waveform": False,
                "close_behaviors_between_videos": False,
                "scan_sampling_time": 0,
                "media_info": {
                    "length": {name: round(content.end_s, 3)},
                    "fps": {name: content.timeline.frame_rate_hz},
                    "hasVideo": {name: True},
                    "hasAudio": {name: False},
                    "offset": {"1": 0.0},
                },
            }
        },
        "behavioral_categories": [],
        "independent_variables": {},
        "coding_map": {},
        "behaviors_coding_map": [],
        "converters": {},
    }
    return (inert_json(json.dumps(document, ensure_ascii=False, indent=1)) + "\n").encode()


def aggregated_events(content: Content) -> bytes:
    """Return aggregated events, separated by tabs: what BORIS itself exports from ``project``, row by row."""
    spans = list(label_spans_ms(content))
    total_ms: dict[int, int] = defaultdict(int)
    for span in spans:
        total_ms[span.person_id] += span.end_ms - span.start_ms
    first_ms, last_ms = min((s.start_ms for s in spans), default=0), max((s.end_ms for s in spans), default=0)
    name, duration = content.file_name, f"{round(content.end_s, 3):.3f}"
    rows = [
        (
            content.stem,
            _date(content).replace("T", " "),
            "",
            "Media file",
            f"player #1:{name}",
            "0.0",
            f"{(last_ms - first_ms) / 1000:.3f}",
            duration,
            f"{content.timeline.frame_rate_hz:.3f}",
            content.people_names[span.person_id],
            str(total_ms[span.person_id] / 1000),
            span.label,
            "Not defined",
            "STATE",
            f"{span.start_ms / 1000:.3f}",
            f"{span.end_ms / 1000:.3f}",
            f"{(span.end_ms - span.start_ms) / 1000:.3f}",
            name,
            "NA",
            "NA",
            "",
            "",
            _comment(span.segment.source, span.segment.confidence),
            "",
        )
        for span in sorted(spans, key=lambda span: span.start_ms)
    ]
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow(AGGREGATED_COLUMNS)
    writer.writerows(map(harmless_cell, row) for row in rows)
    return text.getvalue().encode()


def _comment(source: str, confidence: float) -> str:
    return f"{source}, probability {confidence:.2f}" if source == "machine" else source


def _date(content: Content) -> str:
    return content.made_at.replace(tzinfo=None).isoformat(timespec="seconds")
