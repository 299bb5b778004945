"""Read ELAN's annotation files, and its tab-delimited export.

The format is EAF 3.0 (Max Planck Institute for Psycholinguistics, "ELAN Annotation Format"). Times without a value
divide the time between their neighbours evenly, and so do annotations that only divide another, as ELAN draws them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final
from xml.etree.ElementTree import Element

from recognizer.annotations.cells import Row, cell_of
from recognizer.annotations.model import Label, LabelFile, Part
from recognizer.annotations.remarks import Tally, check_any
from recognizer.annotations.text import file_name, label_text, time_in_s
from recognizer.errors import TruthError

_UNITS_PER_S: Final = {"milliseconds": 1000.0, "NTSC-frames": 30000 / 1001, "PAL-frames": 25.0}

Span = tuple[float, float]


@dataclass(frozen=True)
class _Tier:
    name: str
    participant: str
    divides: bool
    annotations: tuple[Element, ...]


def read_eaf(root: Element, name: str) -> LabelFile:
    """Read an annotation file of ELAN; each tier, or the participant that it names, is a subject.

    Raises:
        TruthError: it is damaged, or no tier has an annotation with a text.
    """
    header = root.find("HEADER")
    per_s = _UNITS_PER_S.get("" if header is None else header.get("TIME_UNITS", ""), 1000.0)
    try:
        slots = {
            slot.attrib["TIME_SLOT_ID"]: None if slot.get("TIME_VALUE") is None else float(slot.attrib["TIME_VALUE"])
            for slot in root.iterfind("TIME_ORDER/TIME_SLOT")
        }
        tiers = _tiers(root)
        spans = _spans(tiers, slots)
    except (KeyError, ValueError) as error:
        raise TruthError(f"'{name}' is damaged ({error} is missing or invalid); save it again in ELAN.") from error
    of_participant = Counter(tier.participant for tier in tiers)
    tally = Tally()
    labels = []
    for tier in tiers:
        subject = tier.participant or tier.name
        if tier.participant and of_participant[tier.participant] > 1:
            subject = f"{tier.participant}, {tier.name}"
        for annotation in tier.annotations:
            key = annotation.get("ANNOTATION_ID", "")
            text = label_text(annotation.findtext("ANNOTATION_VALUE") or "")
            if not text:
                tally.leave_out("annotations without a text")
            elif key not in spans:
                tally.leave_out("annotations without a time", f"annotation {key}")
            else:
                start, end = spans[key]
                labels.append(Label(f"annotation {key}", subject, text, start / per_s, end / per_s))
    check_any(labels, tally, name)
    return LabelFile(name, "ELAN", _parts(root, tuple(labels)), tally.remarks, subjects_are_tiers=True)


def _parts(root: Element, labels: tuple[Label, ...]) -> tuple[Part, ...]:
    """Return a part for each media file, or one if they begin together: the labels are of all of them."""
    media = [
        (file_name(one.get("MEDIA_URL") or one.get("RELATIVE_MEDIA_URL") or ""), float(one.get("TIME_ORIGIN") or 0))
        for one in root.iterfind("HEADER/MEDIA_DESCRIPTOR")
    ]
    if len({origin for _, origin in media}) > 1:
        return tuple(Part(title, labels, title, 0.0 - origin / 1000) for title, origin in media)
    title, origin = media[0] if media else (None, 0.0)
    return (Part("", labels, title, 0.0 - origin / 1000),)


def _tiers(root: Element) -> list[_Tier]:
    divides = {
        kind.attrib["LINGUISTIC_TYPE_ID"]: kind.get("CONSTRAINTS") == "Symbolic_Subdivision"
        for kind in root.iterfind("LINGUISTIC_TYPE")
    }
    return [
        _Tier(
            tier.attrib["TIER_ID"],
            " ".join(tier.get("PARTICIPANT", "").split()),
            divides.get(tier.get("LINGUISTIC_TYPE_REF", ""), False),
            tuple(one for annotation in tier.iterfind("ANNOTATION") for one in annotation),
        )
        for tier in root.iterfind("TIER")
    ]


def _spans(tiers: Sequence[_Tier], slots: Mapping[str, float | None]) -> dict[str, Span]:
    """Return the span of each annotation, in the file's unit."""
    spans: dict[str, Span] = {}
    for tier in tiers:
        aligned = [one for one in tier.annotations if one.tag == "ALIGNABLE_ANNOTATION"]
        ends = [one.attrib[end] for one in aligned for end in ("TIME_SLOT_REF1", "TIME_SLOT_REF2")]
        times = dict(zip(ends, _filled([slots[end] for end in ends]), strict=True))
        for one in aligned:
            start, end = times[one.attrib["TIME_SLOT_REF1"]], times[one.attrib["TIME_SLOT_REF2"]]
            if start is not None and end is not None:
                spans[one.attrib["ANNOTATION_ID"]] = start, end
    waiting = [tier for tier in tiers if any(one.tag == "REF_ANNOTATION" for one in tier.annotations)]
    while waiting:
        # a tier's parent may come later in the file
        ready = [tier for tier in waiting if any(one.get("ANNOTATION_REF") in spans for one in tier.annotations)]
        if not ready:
            break
        for tier in ready:
            _add_referring(tier, spans)
        waiting = [tier for tier in waiting if tier not in ready]
    return spans


def _add_referring(tier: _Tier, spans: dict[str, Span]) -> None:
    """Add the spans of annotations that refer to others: the whole of the other, or an equal share of it."""
    of_parent: dict[str, list[str]] = defaultdict(list)
    for one in tier.annotations:
        if one.tag == "REF_ANNOTATION":
            of_parent[one.attrib["ANNOTATION_REF"]].append(one.attrib["ANNOTATION_ID"])
    for parent, children in of_parent.items():
        if parent not in spans:
            continue
        start, end = spans[parent]
        share = (end - start) / len(children) if tier.divides else 0.0
        for number, child in enumerate(children):
            spans[child] = (start + number * share, start + (number + 1) * share) if tier.divides else (start, end)


def _filled(times: Sequence[float | None]) -> list[float | None]:
    """Divide the time between known neighbours evenly among the unknown times.

    Each annotation gives its start and its end, so the end of one and the start of the next count as one border.
    """
    filled = list(times)
    position = 0
    for is_known, run in groupby(times, lambda time: time is not None):
        length = len(list(run))
        before = filled[position - 1] if position else None
        after = times[position + length] if position + length < len(times) else None
        if not is_known and before is not None and after is not None:
            borders = length // 2 + 1  # n unknown ends and starts are n / 2 borders
            for k in range(length):
                filled[position + k] = before + (after - before) * (k // 2 + 1) / borders
        position += length
    return filled


def is_tab_export(rows: Sequence[Row]) -> bool:
    """Return whether a table without a header is ELAN's export: tier, participant, times, annotation."""
    return all(len(cells) > 4 and len(_times(cells)) >= 2 and not _is_time(cells[0]) for _, cells in rows[:20])


def read_tab_export(rows: Sequence[Row], name: str) -> LabelFile:
    """Read ELAN's tab-delimited text: tier, participant, begin, end and duration in one or more spellings, annotation.

    Raises:
        TruthError: no row has an annotation.
    """
    tally = Tally()
    labels = []
    for line, cells in rows:
        times = _times(cells)
        # each time stands there once as a clock and once in seconds, or only in one of them
        clocks = [cell for cell in times if ":" in cell] or times
        text = label_text(cell_of(cells, 2 + len(times)))
        if len(clocks) < 2:
            tally.leave_out("rows without a begin and an end", f"row {line}")
        elif not text:
            tally.leave_out("annotations without a text")
        else:
            start_s, end_s = time_in_s(clocks[0]) or 0.0, time_in_s(clocks[1]) or 0.0
            labels.append(Label(f"row {line}", cells[1] or cells[0], text, start_s, end_s))
    check_any(labels, tally, name)
    part = Part("", tuple(labels))
    return LabelFile(name, "ELAN, tab-delimited text", (part,), tally.remarks, subjects_are_tiers=True)


def _times(cells: Sequence[str]) -> list[str]:
    """Return the times that follow the tier and the participant."""
    times = []
    for cell in cells[2:-1] if len(cells) > 3 else ():
        if not _is_time(cell):
            break
        times.append(cell)
    return times


def _is_time(cell: str) -> bool:
    return time_in_s(cell) is not None
