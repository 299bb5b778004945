"""Collect what stitching the tracks of a file needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from recognizer.people.appearance import Appearances
from recognizer.people.compensation import CameraMotion
from recognizer.people.stitching import stitch
from recognizer.people.tracklets import Tracklet
from recognizer.timeline.model import PersonTrack
from recognizer.types import CameraStep, Crossing, Observation

MOST_DOUBTS = 3
"""At most this many crossings are listed in a remark."""


class Stitcher:
    """Collects the input for stitching a file's tracks: the people's appearance and the cuts."""

    def __init__(self) -> None:
        self._appearances = Appearances()
        self._cuts_s: list[float] = []
        self._unsure: list[Crossing] = []
        self._times_s: list[float] = []
        self._camera: list[CameraStep | None] = []

    def add(self, observation: Observation) -> None:
        """Add one sampled frame."""
        self._appearances.add(observation)
        if observation.is_cut:
            self._cuts_s.append(observation.time_s)
        self._times_s.append(observation.time_s)
        self._camera.append(observation.camera_roughly)
        self._unsure += (crossing for crossing in observation.crossings if not crossing.is_swapped)

    def doubts(self, person_of: Mapping[int, int]) -> Iterator[str]:
        """Yield remarks for users about people whose numbers may be swapped."""
        unsure = [(person_of[one.one_id], person_of[one.other_id], one.since_s) for one in self._unsure]
        unsure = [(min(pair), max(pair), since_s) for *pair, since_s in unsure if pair[0] != pair[1]]
        if unsure:
            each = [f"{one} and {other} at {since_s:.1f} s" for one, other, since_s in unsure[:MOST_DOUBTS]]
            more = f" and {len(unsure) - len(each)} more" if len(unsure) > len(each) else ""
            yield (
                "People who look alike crossed, and their numbers may be swapped from then on: "
                f"{', '.join(each)}{more}; compare the pictures before and after."
            )

    def person_of(self, tracks: Iterable[PersonTrack], interval_s: float) -> dict[int, int]:
        """Return the person's number for each track's number.

        Args:
            tracks: all tracks of the file.
            interval_s: time between two samples.
        """
        tracklets = [
            Tracklet(track.person_id, track.time_s, track.box_xyxy, self._appearances.of(track.person_id))
            for track in tracks
        ]
        return stitch(
            tracklets, interval_s=interval_s, cuts_s=self._cuts_s, camera=CameraMotion(self._times_s, self._camera)
        )
