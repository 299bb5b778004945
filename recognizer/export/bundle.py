"""All formats in one ZIP file, with a README that explains the columns and lists the settings."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Final

from recognizer.actions.provenance import own_names_in_words
from recognizer.errors import one_line
from recognizer.export.content import Content
from recognizer.export.formats import FORMATS
from recognizer.export.json_file import setting_values
from recognizer.export.rows import MOVEMENT, PEOPLE, PREDICTIONS, SEGMENTS
from recognizer.export.summary_rows import BINS, BUDGET, TOGETHER, TRANSITIONS
from recognizer.timeline.groups import LabelGroups

README_NAME: Final = "README.txt"

TABLES: Final = (SEGMENTS, PEOPLE, PREDICTIONS, MOVEMENT, BUDGET, BINS, TRANSITIONS, TOGETHER)
"""Every table that the README explains."""


def bundle(content: Content) -> bytes:
    """Return a ZIP file with a file of each format, named after the video, and a README."""
    written = io.BytesIO()
    made_at = content.made_at.timetuple()[:6]
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        files = {README_NAME: readme(content).encode("utf-8", "replace")}
        files |= {f"{content.stem}{one.ending}": one.write(content) for one in FORMATS}
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, made_at), data, zipfile.ZIP_DEFLATED)
    return written.getvalue()


def readme(content: Content) -> str:
    """Return what the files are, what their columns mean, and what the timeline was made with."""
    timeline = content.timeline
    lines = [
        f"Who does what, when, in {content.video_name}",
        "",
        "Times are seconds from the start of the video, as its player shows them. Intervals include their start and",
        "exclude their end. The labels were made by a program, unless source says human; a probability is the",
        "network's and not how often it is right.",
        "",
        "FILES",
        *(f"  {content.stem}{one.ending}\n      {one.title}. {one.meaning}" for one in FORMATS),
    ]
    for table in TABLES:
        lines += ["", f"COLUMNS OF {table.name}: {table.meaning}"]
        lines += [f"  {column.name}: {column.meaning}" for column in table.columns]
    lines += ["", "PEOPLE", *(f"  {number}: {name}" for number, name in content.people_names.items())]
    if not content.filter.keeps_all:
        lines += ["", "FILTER: the segments and summaries are only of", *_kept(content)]
    if content.groups is not None:
        lines += ["", "LABEL GROUPS in place of labels", *_grouped(content.groups)]
    own = own_names_in_words(timeline.provenance)
    if own is not None:
        lines += ["", f"OWN NAMES of the set '{own[0]}' stand for labels:", f"  {own[1]}."]
    lines += ["", "NOTES", *(f"  {note}" for note in timeline.notes or ("none",))]
    video = timeline.video
    lines += [
        "",
        "VIDEO",
        f"  sha256: {video.sha256}",
        f"  size: {video.width} x {video.height} pixels",
        f"  frame rate: {timeline.frame_rate_hz:.6g} frames per second",
        f"  analysed: {timeline.analysed_s:.3f} s{'' if timeline.complete else ', then cancelled'}",
        "",
        "SETTINGS",
        f"  minimum confidence: {content.min_confidence:g}",
        f"  minimum duration: {content.min_duration_s:g} s",
        *(f"  {name}: {value}" for name, value in setting_values(timeline.settings).items() if value is not None),
        "",
        f"MADE WITH, exported at {content.made_at.isoformat(timespec='seconds')}",
        *(f"  {name}: {value}" for name, value in timeline.provenance.items()),
    ]
    return "".join(f"{one_line(line)}\n" for piece in lines for line in piece.split("\n"))


def _kept(content: Content) -> Iterator[str]:
    yield from (f"  {words}" for words in content.filter.in_words(content.people_names))


def _grouped(groups: LabelGroups) -> Iterator[str]:
    yield from (f"  {name}: {', '.join(labels)}" for name, labels in groups.groups.items())
    if groups.other is not None:
        yield f"  {groups.other}: every other label"
