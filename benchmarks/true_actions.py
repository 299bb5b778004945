"""The true actions in the shared clips, from their read-me and by eye."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from recognizer.timeline.model import PersonTrack, Timeline

Actions = dict[int, tuple[str, ...]]
"""The right labels of each person, by ``person_id``; empty if the action is not in Kinetics-400."""

_BASKETBALL = ("shooting basketball", "playing basketball", "dunking basketball", "dribbling basketball")
_SIGNING = ("sign language interpreting",)

LEAST_S = 1.0
"""People who are visible for less count only if they are classified."""


def covered_px(track: PersonTrack) -> float:
    """Return the area of a person's boxes in pixels, summed over the samples."""
    sides = track.box_xyxy[:, 2:] - track.box_xyxy[:, :2]
    return float(np.sum(sides[:, 0] * sides[:, 1]))


def _largest(timeline: Timeline, count: int) -> list[PersonTrack]:
    """Return the ``count`` people whose boxes cover most, from left to right."""
    largest = sorted(timeline.people, key=covered_px, reverse=True)[:count]
    return sorted(largest, key=lambda track: float(track.box_xyxy[:, 0].mean()))


def _people(*actions: tuple[str, ...]) -> Callable[[Timeline], Actions]:
    """Return a function that gives the largest people, from left to right, these actions."""
    return lambda timeline: {
        track.person_id: right for track, right in zip(_largest(timeline, len(actions)), actions, strict=False)
    }


def nothing_known(timeline: Timeline) -> Actions:
    """Return no right label for everybody who is visible for a second or longer."""
    return {track.person_id: () for track in timeline.people if track.present_s >= LEAST_S}


class _Seen(NamedTuple):
    """A real person: what they do, and where they are.

    Attributes:
        right: the right labels; empty if the action is not in Kinetics-400.
        places: (seconds, x, y), points on the person, read off the pictures; x and y as shares of width and height.
    """

    right: tuple[str, ...]
    places: tuple[tuple[float, float, float], ...]


def _by_place(*people: _Seen) -> Callable[[Timeline], Actions]:
    """Return a function that finds these people by where they are, however many numbers each of them has.

    Of several boxes around a point, it is in the one with the nearest middle; a number that covers several people
    belongs to the one with the most points in it.
    """

    def actions(timeline: Timeline) -> Actions:
        points: dict[int, Counter[int]] = {}
        for k, person in enumerate(people):
            for time_s, x, y in person.places:
                at = person_at(timeline, time_s, x * timeline.video.width, y * timeline.video.height)
                if at is not None:
                    points.setdefault(at, Counter())[k] += 1
        return {person_id: people[of.most_common(1)[0][0]].right for person_id, of in sorted(points.items())}

    return actions


def person_at(timeline: Timeline, time_s: float, x: float, y: float) -> int | None:
    """Return the person whose box contains a point; of several, the one with the nearest middle."""
    around = []
    for track in timeline.people:
        box = track.box_at(time_s)
        if box is not None and box[0] <= x < box[2] and box[1] <= y < box[3]:
            off = np.hypot(x - (box[0] + box[2]) / 2, y - (box[1] + box[3]) / 2)
            around.append((float(off), track.person_id))
    return min(around)[1] if around else None


_TENNIS = (
    # the near and the far player
    _Seen(("playing tennis",), ((0.80, 0.57, 0.65), (4.04, 0.62, 0.75), (7.28, 0.66, 0.75), (10.52, 0.48, 0.63))),
    _Seen(("playing tennis",), ((0.80, 0.35, 0.18), (4.04, 0.45, 0.16), (7.28, 0.38, 0.15), (10.52, 0.45, 0.15))),
)

_SEGWAYS = (
    # in red, in white; the third runs past them and takes over the number of the second
    _Seen(
        ("using segway",),
        (
            *((2.04, 0.05, 0.56), (2.50, 0.17, 0.54), (2.97, 0.27, 0.61), (3.40, 0.30, 0.57), (3.87, 0.34, 0.64)),
            *((4.30, 0.39, 0.64), (4.77, 0.34, 0.80), (5.24, 0.44, 0.68), (5.67, 0.41, 0.60), (6.14, 0.46, 0.66)),
            *((6.61, 0.41, 0.58), (7.04, 0.41, 0.65)),
        ),
    ),
    _Seen(
        ("using segway",),
        (
            *((2.04, 0.89, 0.56), (2.97, 0.75, 0.68), (3.40, 0.65, 0.68), (3.87, 0.61, 0.64), (4.30, 0.59, 0.66)),
            *((4.77, 0.52, 0.80), (5.24, 0.59, 0.70), (5.67, 0.54, 0.61), (6.14, 0.57, 0.67), (6.61, 0.50, 0.59)),
            *((7.04, 0.49, 0.65),),
        ),
    ),
    _Seen(
        (),
        (
            *((5.67, 0.83, 0.68), (6.14, 0.77, 0.73), (6.61, 0.67, 0.65), (7.04, 0.63, 0.68), (7.51, 0.66, 0.73)),
            *((7.94, 0.73, 0.80), (8.41, 0.82, 0.75)),
        ),
    ),
)

_HUG = (
    # they hug until 2.4 s; the second is only found afterwards, when she stands and waves
    _Seen(("hugging",), ((0.26, 0.57, 0.45), (0.76, 0.56, 0.42), (1.28, 0.55, 0.45), (1.80, 0.56, 0.45))),
    _Seen((), ((2.82, 0.65, 0.55), (3.84, 0.56, 0.41))),
)

CLIPS: dict[str, Callable[[Timeline], Actions]] = {
    "tv_R6llTwEh07w.mp4": _people(("using segway",)),
    "tv_v_SoccerJuggling_g24_c01.avi": _people(("juggling soccer ball",)),
    "tv_basketball.mp4": _people(_BASKETBALL),
    "decord_flipping_a_pancake.mkv": _people(("flipping pancake",)),
    "mmaction2_demo.mp4": _people(("arm wrestling",), ("arm wrestling",)),
    "mmaction2_structuralize.mp4": _people(_BASKETBALL),
    "stgcn_ta_chi.mp4": _people(("tai chi",)),
    "c11_signlanguage_one_signer_ccby.mp4": _people(_SIGNING),
    "c12_two_signers_ccby.mp4": _people(_SIGNING, _SIGNING),
    "c13_L-signing_R-standing_ccby.mp4": _people(_SIGNING, ()),
    "tennis_analyzer_tennis.mp4": _by_place(*_TENNIS),
    "tv_WUzgd7C1pWA.mp4": _by_place(*_SEGWAYS),
    "mmaction2_part_0.mp4": _people(("cleaning pool",)),
    "videollava_sample_demo_1.mp4": _people(("reading book",)),
    "openpose_video.avi": _by_place(*_HUG),
    "internvid_example1.mp4": nothing_known,
    "vibeold_dance.mp4": nothing_known,
    "sam2_bedroom.mp4": nothing_known,
    "moviepy_chaplin.mp4": nothing_known,
    "tv_SchoolRulesHowTheyHelpUs_wave_f_nm_np1_ba_med_0.avi": nothing_known,
    "opencv_vtest.avi": nothing_known,
    "intel_one-by-one-person-detection.mp4": nothing_known,
}

WITH_BYSTANDERS = (
    "decord_flipping_a_pancake.mkv",
    "mmaction2_demo.mp4",
    "tennis_analyzer_tennis.mp4",
    "tv_WUzgd7C1pWA.mp4",
    "openpose_video.avi",
)
"""Clips that also show people, such as spectators, next to or behind the ones whose action is known."""


def bystanders(clip: str, timeline: Timeline) -> set[int]:
    """Return the people who are visible for a second, large enough to be labelled, and do not do the clip's action."""
    if clip not in WITH_BYSTANDERS:
        return set()
    there = {track.person_id for track in timeline.people if track.present_s >= LEAST_S}
    return there - set(timeline.small_ids) - set(CLIPS[clip](timeline))
