"""A video twice as long, in which people come and go, takes twice the work: exports, summaries, pictures, edits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from recognizer.annotations.model import Truth, TruthRow
from recognizer.comparison.matching import fit_truth
from recognizer.drawing.overlay import Overlay
from recognizer.export import content_of
from recognizer.export.content import Content
from recognizer.export.formats import FORMATS, Format
from recognizer.palette import ActionPalette
from recognizer.service.shown import Lane, Layer, View, shown_of
from recognizer.timeline.corrections import Corrected
from recognizer.timeline.model import PersonTrack, Timeline
from recognizer.types import Prediction, Segment
from tests.support.growth import MOST_TIMES, calls_in, times_for_twice
from tests.support.workbench import generated_timeline

SEEN_S = 20.0
COMES_EVERY_S = 5.0
FEW = 12
"""People in the shorter video."""


@cache
def coming_and_going(people: int) -> Timeline:
    """Return a timeline in which one person stays, and somebody comes every five seconds and goes after twenty."""
    one = generated_timeline(people=1, duration_s=SEEN_S, sample_every_s=1.0)
    (track,), said = one.people, one.predictions
    tracks, predictions = [], []
    for number in range(1, people + 1):
        later_s = COMES_EVERY_S * number
        visits = tuple((start_s + later_s, end_s + later_s) for start_s, end_s in track.presence)
        tracks.append(PersonTrack(number, track.time_s + later_s, track.box_xyxy, track.confidence, visits))
        predictions += [
            Prediction(number, clip.start_s + later_s, clip.end_s + later_s, clip.top, clip.classifier) for clip in said
        ]
    end_s = COMES_EVERY_S * people + SEEN_S
    always = generated_timeline(people=1, duration_s=end_s, sample_every_s=1.0)
    tracks.append(replace(always.people[0], person_id=people + 1))
    predictions += [replace(clip, person_id=people + 1) for clip in always.predictions]
    return Timeline(
        video=one.video,
        settings=one.settings,
        people=tuple(tracks),
        predictions=tuple(predictions),
        frame_times_s=np.arange(0.0, end_s, 0.2),
        analysed_s=end_s,
        complete=True,
    )


def corrected(people: int) -> Corrected:
    """Return the timeline with every other segment checked."""
    timeline = coming_and_going(people)
    segments = timeline.segments()[::2]
    checked: dict[int, tuple[tuple[float, float], ...]] = {}
    for one in segments:
        checked[one.person_id] = (*checked.get(one.person_id, ()), (one.start_s, one.end_s))
    return Corrected(timeline, checked=checked)


def content(people: int) -> Content:
    return content_of(corrected(people), "clip.mp4")


@pytest.mark.parametrize("one", FORMATS, ids=lambda one: one.ending)
def test_a_file_costs_as_much_as_there_is_in_it(one: Format) -> None:
    """Regression: what two do at once was looked for in all pairs of people who were ever there."""
    one.write(content(2))  # imports what it needs

    def work_of(people: int) -> Callable[[], object]:
        made = content(people)
        return lambda: one.write(made)

    assert times_for_twice(work_of, FEW) < MOST_TIMES


def answer(people: int) -> Callable[[], object]:
    result = corrected(people)
    lanes = [Lane(0, track) for track in result.timeline.people]
    return lambda: shown_of([Layer(None, result)], lanes, View(0.5)).checked


def truth(people: int) -> Callable[[], object]:
    timeline = coming_and_going(people)
    rows = tuple(TruthRow("row", one.person_id, one.action, one.start_s, one.end_s) for one in timeline.segments())
    return lambda: fit_truth(Truth("labels.csv", rows), timeline.people)


@pytest.mark.parametrize("work_of", [answer, truth])
def test_work_on_all_segments_grows_with_them(work_of: Callable[[int], Callable[[], object]]) -> None:
    work_of(2)()
    assert times_for_twice(work_of, FEW) < MOST_TIMES


def test_a_picture_costs_as_much_as_there_are_people_in_it() -> None:
    """Regression: everybody who was ever there was looked for in every picture."""

    def looked(people: int) -> int:
        timeline = coming_and_going(people)
        overlay = Overlay(timeline, timeline.segments(), ActionPalette())
        assert overlay.at(SEEN_S)
        return calls_in(lambda: [overlay.at(SEEN_S + k) for k in range(10)])

    assert looked(2 * FEW) == looked(FEW)


def test_a_person_of_many_visits_is_found_as_fast_as_one_of_few() -> None:
    def track(visits: int) -> PersonTrack:
        times_s = np.arange(2.0 * visits)
        boxes = np.tile(np.array([0, 0, 10, 20], np.float32), (len(times_s), 1))
        presence = tuple((2.0 * k, 2.0 * k + 1.5) for k in range(visits))
        return PersonTrack(1, times_s, boxes, np.ones(len(times_s), np.float32), presence)

    few, many = track(10), track(1000)
    assert many.box_at(1999.2) is not None
    for one in (few, many):
        assert [one.box_at(time_s) is None for time_s in (-1.0, 0.0, 1.6, 18.0)] == [True, False, True, False]
    assert calls_in(lambda: many.box_at(1999.2)) == calls_in(lambda: few.box_at(19.2))


@pytest.mark.parametrize(("start_s", "end_s", "is_checked"), [(1, 2, True), (2, 3, False), (5, 7, True), (6, 8, False)])
def test_a_segment_is_checked_by_the_stretch_around_it(start_s: float, end_s: float, is_checked: bool) -> None:
    result = Corrected(coming_and_going(2), checked={1: ((0.0, 2.5), (3.0, 4.0), (5.0, 7.0), (9.0, 10.0))})
    segment = Segment(1, "jogging", start_s, end_s, 0.5)
    assert result.is_checked(segment) is is_checked
