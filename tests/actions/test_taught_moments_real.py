"""Real people: taught in some places, named in others, through a file."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from benchmarks.own_actions_data import kept_features, read
from recognizer.actions.model import ActionSet, Background, ClipSettings, Example, OwnAction, with_background
from recognizer.actions.moments import moment
from recognizer.actions.naming import judged, learned, named
from recognizer.actions.set_file import read_set, write_set
from recognizer.service.store import now
from recognizer.settings import Settings
from recognizer.timeline.features import FeatureSpace, FeatureTable, feature_table
from recognizer.timeline.model import PersonTrack, Timeline
from recognizer.types import Prediction, VideoInfo
from tests.support.environment import SHARED_TEACH, skip_or_fail

NAMED = ("vinbalajadia_sitting12.mp4", "sit"), ("vinbalajadia_standing.mp4", "stand")
"""Videos of places that nothing is taught in, and what people do in them at first."""

PLACES = ("vinR", "vinY")


def timeline_of(video: str) -> tuple[Timeline, FeatureTable]:
    """The analysis of a video, from its stored features and boxes."""
    with np.load(SHARED_TEACH / "feat" / f"{video}.npz") as arrays:
        boxes, (width, height) = arrays["boxes"], arrays["size"].tolist()
        predictions = tuple(
            Prediction(
                int(one), float(start_s), float(end_s), (("?", 0.1),), "i3d", features=kept_features(crop, around)
            )
            for one, start_s, end_s, crop, around in zip(
                *(arrays[key] for key in ("pid", "start", "end", "crop", "around")), strict=True
            )
        )
    predictions = tuple(sorted(predictions, key=lambda one: (one.person_id, one.start_s)))
    people = []
    for one in np.unique(boxes[:, 0]).tolist():
        own = boxes[boxes[:, 0] == one]
        time_s = own[:, 1].astype(np.float64)
        visit = float(time_s[0]), float(time_s[-1]) + 0.1
        people.append(PersonTrack(int(one), time_s, own[:, 2:6], own[:, 6], (visit,)))
    info = VideoInfo("ab" * 32, int(width), int(height), Fraction(30), None, None, None)
    end_s = max(one.end_s for one in predictions)
    timeline = Timeline(info, Settings(), tuple(people), predictions, np.zeros(0), end_s, complete=True)
    table = feature_table(predictions)
    assert table is not None
    return timeline, table


def taught() -> ActionSet:
    """Up to five moments of each action from places that are not named later."""
    library = read(SHARED_TEACH)
    actions = ("walk", "stand", "sit", "lie", "fall")
    free = ~np.isin(library.place, PLACES)
    views, posture = library.moments.views, library.moments.posture
    examples = [
        Example("", action, None, str(library.video[row]), 1, float(k), k + 1.0, views[row], posture[row], now())
        for action in actions
        for k, row in enumerate(np.flatnonzero(free & (library.action == action))[::3][:5].tolist())
    ]
    space = FeatureSpace("i3d", "cd" * 32, views.shape[2])
    own = tuple(OwnAction(one) for one in actions)
    made = ActionSet("", "Everyday", space, ClipSettings(2, 38, 2, "x", 2.53), own, tuple(examples))
    for video in np.unique(library.video[free]).tolist():
        made = with_background(made, Background(video, views[library.video == video][:4]))
    return made


@pytest.mark.real
def test_people_in_new_places_get_the_names_of_moments_elsewhere() -> None:
    if not SHARED_TEACH.is_dir():
        skip_or_fail(f"{SHARED_TEACH} is not here")
    actions = read_set(write_set(taught()), "everyday.actions")
    for video, action in NAMED:
        timeline, table = timeline_of(video)
        head = learned(actions, table)
        assert head is not None
        own = named(timeline, judged(timeline, table, head), actions, "only")
        first = own.by_person[own.people[0].person_id].ordered[0]
        assert first.top[0][0] == action, (video, first.top)
        found = moment(timeline, table, first.person_id, first.start_s, first.end_s)
        assert found.features.shape == actions.examples[0].features.shape
        marked = replace(actions.examples[0], action="new", features=found.features, posture=found.posture)
        again = learned(replace(actions, examples=(*actions.examples, marked)), table)
        assert again is not None
        judgement = judged(timeline, table, again)
        assert judgement.names[judgement.confidence[found.rows[0]].argmax()] == "new"  # a marked moment is its own
