"""The summaries of an export as tables: time budget, bins, transitions, and who does what at the same time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from recognizer.export.content import Content
from recognizer.export.table import Cell, Column, Row, Table
from recognizer.timeline import summaries


def _budget(content: Content) -> Iterator[Row]:
    for one in summaries.time_budget(content.segments, content.timeline.people):
        times_s = (one.total_s, one.mean_s, one.sd_s, one.share, one.latency_s)
        yield (one.person_id, _name(content, one.person_id), one.action, one.count, *times_s)


def _bins(content: Content) -> Iterator[Row]:
    for one in summaries.in_bins(content.segments, content.timeline.people, content.bin_s, content.end_s):
        person: tuple[Cell, ...] = (one.person_id, _name(content, one.person_id))
        yield (one.start_s, one.end_s, *person, one.action, one.count, one.total_s, one.share)


def _transitions(content: Content) -> Iterator[Row]:
    found = summaries.transitions(content.segments)
    for label, counts, shares in zip(found.labels, found.counts, found.shares, strict=True):
        for following, count, share in zip(found.labels, counts, shares, strict=True):
            if count:
                yield (label, following, count, share)


def _together(content: Content) -> Iterator[Row]:
    for one in summaries.together(content.segments, content.timeline.people):
        yield (one.person_id, one.other_id, one.action, one.other_action, one.total_s, one.share)


def _name(content: Content, person_id: int | None) -> str:
    return "everyone" if person_id is None else content.people_names[person_id]


_PERSON: Final = Column("person_id", int, "1, 2, … within the video; empty for everyone together")
_NAME: Final = Column("person_name", str, "the person's name, or everyone")
_ACTION: Final = Column("action", str, "the label")

BUDGET: Final = Table(
    "budget",
    "one row per person and action, then everyone together: how time is spent",
    (
        _PERSON,
        _NAME,
        _ACTION,
        Column("count", int, "number of segments"),
        Column("total_s", float, "seconds in all", 3),
        Column("mean_s", float, "mean duration, in seconds", 3),
        Column("sd_s", float, "standard deviation of the durations (n - 1); empty for a single segment", 3),
        Column("share", float, "share of the time in which the person is seen, 0 to 1", 4),
        Column("latency_s", float, "seconds from when the person is first seen to the first segment", 3),
    ),
    _budget,
)

BINS: Final = Table(
    "bins",
    "one row per bin of time, person and action",
    (
        Column("start_s", float, "start of the bin, in seconds", 3),
        Column("end_s", float, "its end", 3),
        _PERSON,
        _NAME,
        _ACTION,
        Column("count", int, "segments that begin in the bin"),
        Column("total_s", float, "seconds of the action in the bin", 3),
        Column("share", float, "share of the time in the bin in which the person is seen, 0 to 1", 4),
    ),
    _bins,
)

TRANSITIONS: Final = Table(
    "transitions",
    f"one row per pair of actions of which one follows the other within {summaries.MAX_TRANSITION_GAP_S:g} s",
    (
        Column("action", str, "the first label"),
        Column("next_action", str, "the label that follows"),
        Column("count", int, "how often"),
        Column("share", float, "share of everything that follows the first, 0 to 1", 4),
    ),
    _transitions,
)

TOGETHER: Final = Table(
    "together",
    "one row per two people and what each does at the same time",
    (
        Column("person_id", int, "one person"),
        Column("other_id", int, "the other"),
        Column("action", str, "what the one does"),
        Column("other_action", str, "what the other does meanwhile"),
        Column("total_s", float, "for how many seconds", 3),
        Column("share", float, "share of the time in which both are seen, 0 to 1", 4),
    ),
    _together,
)
