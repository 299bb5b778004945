"""Follow the people of a file in its sampled frames, and repeat that without the frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from recognizer.analysis.sights import Sight, UnfitError, crc_of
from recognizer.analysis.stand_ins import Pictures, StandIns
from recognizer.clips.cropping import Cropper
from recognizer.clips.sampling import SampleClock
from recognizer.networks.loading import Models
from recognizer.people.appearance import appearance_of
from recognizer.people.camera import CameraMeter
from recognizer.people.crossings import Crossings
from recognizer.people.cuts import CutDetector
from recognizer.people.tracking import PersonTracker
from recognizer.settings import Settings
from recognizer.types import Detection, Frame, Observation, TrackedPerson


class FileFollower:
    """Follows the people of one file. Owns the tracker, the cropper and the sample clock; shares the detector.

    Unlike a camera's follower, it detects cuts, moves people along with the camera, and measures people's appearance,
    so that their tracks can be stitched.

    Args:
        models: the networks, shared with other streams.
        settings: the settings.
        frame_rate_hz: frame rate of the file.

    Attributes:
        cropper: cuts people out.
        sight: what the latest frame showed.
    """

    def __init__(self, models: Models, settings: Settings, frame_rate_hz: float) -> None:
        self._detector = models.detector
        self._settings = settings
        self._rate_hz = frame_rate_hz
        self._clock = SampleClock(settings.sample_interval_s(frame_rate_hz), 1 / frame_rate_hz)
        self._cuts = CutDetector()
        self._camera = CameraMeter()
        self._tracker = PersonTracker(settings, frame_rate_hz)
        self._crossings = Crossings(settings.sample_interval_s(frame_rate_hz))
        self._number_of: dict[int, int] = {}
        self._people: tuple[TrackedPerson, ...] = ()
        self.cropper = Cropper(settings.crop_style, settings.max_gap_s(frame_rate_hz))
        self.sight: Sight | None = None

    def take_sample(self, time_s: float) -> bool:
        """Advance the sample clock and return whether the frame at ``time_s`` is a sample; call once for each frame."""
        return self._clock.take_sample(time_s)

    def find(self, frames: Sequence[Frame]) -> list[list[Detection]]:
        """Detect the people in several frames, in one batch."""
        return self._detector.detect([frame.rgb for frame in frames])

    def observe(self, frame: Frame, detections: Sequence[Detection]) -> Observation:
        """Track and crop the people that were detected in the next sampled frame."""
        rgb = frame.rgb
        is_cut = self._cuts.push(rgb)
        self._begin(is_cut=is_cut)
        camera, camera_roughly = self._camera.measure(rgb, is_cut=is_cut)
        self._people = self._numbered(self._tracker.update(rgb, detections, camera_roughly))
        self._camera.look_around(self._people)
        self.sight = Sight(
            frame_index=frame.index,
            time_s=frame.time_s,
            shape_hw=(rgb.shape[0], rgb.shape[1]),
            detections=tuple(detections),
            is_cut=is_cut,
            is_blank=self._cuts.skipped,
            camera=camera,
            camera_roughly=camera_roughly,
            cues=self._tracker.cues,
            appearances=tuple(appearance_of(rgb, person.box_xyxy) for person in self._people),
            people_crc=crc_of(self._people),
        )
        return self._concluded(self.sight, lambda people: self.cropper.cut(rgb, frame.time_s, people))

    def repeat(self, sight: Sight, stand_ins: StandIns) -> Observation:
        """Do what ``observe`` did, without the frame: pictures are stand-ins. ``see_again`` must follow after the last.

        Raises:
            UnfitError: it comes out otherwise, so the save points are of another program.
        """
        self.sight = sight
        self._begin(is_cut=sight.is_cut)
        people = self._tracker.repeat(sight.shape_hw, sight.detections, sight.camera_roughly, sight.cues)
        self._people = self._numbered(people)
        if crc_of(self._people) != sight.people_crc or len(self._people) != len(sight.appearances):
            raise UnfitError(f"other people are found at {sight.time_s:g} s")
        return self._concluded(sight, lambda people: stand_ins.cut(sight.frame_index, sight.time_s, people))

    def see_again(self, latest_rgb: NDArray[np.uint8], compared_rgb: NDArray[np.uint8] | None) -> None:
        """Take the pictures of repeated frames with which the next one is compared, each uint8 (H, W, 3).

        Args:
            latest_rgb: that of the latest frame.
            compared_rgb: that of the latest frame that was not of one colour; None if all were.
        """
        if compared_rgb is not None:
            self._cuts.push(compared_rgb)
        self._camera.measure(latest_rgb)
        self._camera.look_around(self._people)
        self._tracker.see_again(latest_rgb)

    def _begin(self, *, is_cut: bool) -> None:
        """In a new shot, nobody is known yet, and the numbering continues."""
        if is_cut:
            first_id = self._tracker.people_seen + 1
            self._tracker = PersonTracker(self._settings, self._rate_hz, first_id=first_id)
            self._crossings.clear()

    def _concluded(self, sight: Sight, cut: Callable[[Sequence[TrackedPerson]], Pictures]) -> Observation:
        """Return the observation of the tracked people, under the numbers that appearance confirms."""
        people = self._people
        appearances = {person.person_id: one for person, one in zip(people, sight.appearances, strict=True)}
        crossings = self._crossings.push(sight.time_s, people, sight.appearances)
        for crossing in crossings:
            if crossing.is_swapped:
                people = self._swapped(people, crossing.one_id, crossing.other_id, appearances)
                self.cropper.swap(crossing.one_id, crossing.other_id)
        crops, surroundings = cut(people)
        return Observation(
            frame_index=sight.frame_index,
            time_s=sight.time_s,
            people=people,
            crops_rgb=crops,
            appearances=tuple(appearances[person.person_id] for person in people),
            is_cut=sight.is_cut,
            surroundings_rgb=surroundings,
            camera=sight.camera,
            camera_roughly=sight.camera_roughly,
            crossings=crossings,
        )

    def _numbered(self, people: Sequence[TrackedPerson]) -> tuple[TrackedPerson, ...]:
        """Return the tracker's people under their own numbers, which differ after a swap."""
        if not self._number_of:
            return tuple(people)
        own = [replace(one, person_id=self._number_of.get(one.person_id, one.person_id)) for one in people]
        return tuple(sorted(own, key=lambda person: person.person_id))

    def _swapped(
        self,
        people: tuple[TrackedPerson, ...],
        one_id: int,
        other_id: int,
        appearances: dict[int, NDArray[np.uint8]],
    ) -> tuple[TrackedPerson, ...]:
        """Exchange two numbers, from the current sample on."""
        now = {one_id: other_id, other_id: one_id}
        tracked_as = {number: track_id for track_id, number in self._number_of.items()}
        for number, becomes in now.items():
            self._number_of[tracked_as.get(number, number)] = becomes
        appearances[one_id], appearances[other_id] = appearances[other_id], appearances[one_id]
        own = [replace(one, person_id=now.get(one.person_id, one.person_id)) for one in people]
        return tuple(sorted(own, key=lambda person: person.person_id))
