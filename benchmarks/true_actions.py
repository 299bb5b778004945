"""The true actions in the shared clips, from their read-me."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from recognizer.timeline.model import PersonTrack, Timeline

Actions = dict[int, tuple[str, ...]]
"""The right labels of each person, by ``person_id``; empty if the action is not in Kinetics-400."""

_BASKETBALL = ("shooting basketball", "playing basketball", "dunking basketball", "dribbling basketball")
_SIGNING = ("sign language interpreting",)

_LEAST_S = 1.0


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
    return {track.person_id: () for track in timeline.people if track.present_s >= _LEAST_S}


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
    "moviepy_chaplin.mp4": nothing_known,
    "tv_SchoolRulesHowTheyHelpUs_wave_f_nm_np1_ba_med_0.avi": nothing_known,
    "opencv_vtest.avi": nothing_known,
    "intel_one-by-one-person-detection.mp4": nothing_known,
}

WITH_BYSTANDERS = ("decord_flipping_a_pancake.mkv", "mmaction2_demo.mp4")
"""Clips that also show people, such as spectators, next to or behind the ones whose action is known."""


def bystanders(clip: str, timeline: Timeline) -> set[int]:
    """Return the people who are visible for a second, large enough to be labelled, and do not do the clip's action."""
    if clip not in WITH_BYSTANDERS:
        return set()
    there = {track.person_id for track in timeline.people if track.present_s >= _LEAST_S}
    return there - set(timeline.small_ids) - set(CLIPS[clip](timeline))
