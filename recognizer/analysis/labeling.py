"""Turn observations into a timeline: collect each person's crops into clips, and classify them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from recognizer import __version__
from recognizer.clips.sampling import ClipSampler
from recognizer.networks.loading import Models
from recognizer.settings import Settings, least_height_px
from recognizer.timeline.builder import TimelineBuilder
from recognizer.timeline.model import PersonTrack, Timeline, frame_rate_hz
from recognizer.types import CameraStep, Clip, Observation, Picture, Prediction, TrackedPerson, VideoInfo


class ActionLabeler:
    """Labels the actions of the people in one stream. Owns the clip sampler and the timeline; shares the classifier.

    All methods may be called on different threads. No lock is held while the classifier runs.

    Args:
        models: the networks, shared with other streams.
        settings: the initial settings.
        video: facts about the stream.
        is_file: whether the tracks are stitched in the end, see ``clips_of_people``.
    """

    def __init__(self, models: Models, settings: Settings, video: VideoInfo, *, is_file: bool = False) -> None:
        self._models = models
        self._keeps_features = settings.keep_features
        self._video = video
        self._rate_hz = frame_rate_hz(video)
        self._sampler = ClipSampler(settings, self._rate_hz, least_height_px(video.height), keeps_left_over=is_file)
        self._builder = TimelineBuilder(settings, self._rate_hz)
        self._max_gap_s = settings.max_gap_s(self._rate_hz)
        self._latest: dict[int, Prediction] = {}
        self._last_seen_s: dict[int, float] = {}
        self._stay_began_s: dict[int, float] = {}
        self._lock = threading.Lock()

    @property
    def classifier_name(self) -> str:
        """Name of the current classifier."""
        return self._models.classifier.name

    def latest_prediction(self, person_id: int) -> Prediction | None:
        """Return a person's latest prediction; None before their first clip, and again after a long absence."""
        return self._latest.get(person_id)

    def stay_began_s(self, person_id: int) -> float:
        """Return when a person's current stay, without a long absence, began; 0 for an unknown person."""
        return self._stay_began_s.get(person_id, 0.0)

    def add(self, observation: Observation) -> list[Clip]:
        """Add a sampled frame to the timeline and to each person's clip; return the completed clips."""
        with self._lock:
            for crossing in observation.crossings:
                if crossing.is_swapped:
                    one_id, other_id, since_s, _ = crossing
                    self._builder.swap(one_id, other_id, since_s, observation.time_s)
                    self._sampler.swap(one_id, other_id, since_s)
            self._note_stays(observation)
            self._builder.add_people(observation.time_s, observation.people, observation.camera)
            return self._sampler.add(observation)

    def add_people(self, time_s: float, people: Iterable[TrackedPerson], camera: CameraStep | None = None) -> None:
        """Add the people of a frame that is not a sample to the timeline, and the camera's motion up to it."""
        with self._lock:
            self._builder.add_people(time_s, people, camera)

    def _note_stays(self, observation: Observation) -> None:
        """Remove the label of anyone who returns after a long absence, until the first clip of the new stay."""
        for person in observation.people:
            last_s = self._last_seen_s.get(person.person_id, float("-inf"))
            if observation.time_s - last_s > self._max_gap_s:
                self._latest.pop(person.person_id, None)
                self._stay_began_s[person.person_id] = observation.time_s
            self._last_seen_s[person.person_id] = observation.time_s

    def label(self, clips: Sequence[Clip]) -> list[Prediction]:
        """Classify clips and add the predictions to the timeline."""
        models = self._models
        predictions = models.classifier.classify(clips)
        with self._lock:
            if not self._keeps_features or _is_another(models, self._models):
                predictions = [replace(one, features=None) for one in predictions]
            self._take(predictions)
        return predictions

    def repeat(self, predictions: Sequence[Prediction]) -> None:
        """Add predictions that ``label`` returned in an earlier run."""
        with self._lock:
            self._take(predictions)

    def _take(self, predictions: Sequence[Prediction]) -> None:
        self._builder.add_predictions(predictions)
        for prediction in predictions:
            if prediction.start_s >= self.stay_began_s(prediction.person_id):
                self._latest[prediction.person_id] = prediction

    def pictures(self) -> list[Picture]:
        """Return all pictures that a later clip may show."""
        with self._lock:
            return list(self._sampler.pictures())

    def replace_pictures(self, picture_of: Callable[[Picture], Picture]) -> None:
        """Replace each of ``pictures`` by another."""
        with self._lock:
            self._sampler.replace_pictures(picture_of)

    def end_clips(self) -> list[Clip]:
        """Return the last clips of the people who were present at the end of the stream."""
        with self._lock:
            return self._sampler.finish()

    def clips_of_people(self, person_of: Mapping[int, int]) -> list[Clip]:
        """Return the clips that only the stitched people have, see ``ClipSampler``; call it after ``end_clips``."""
        with self._lock:
            return self._sampler.clips_of_people(person_of)

    def change(self, models: Models, settings: Settings) -> None:
        """Continue with other settings. Labels are kept; a person with enough samples is labelled again at once.

        The features of another network are forgotten: a timeline states one network, and only its own compare.
        """
        with self._lock:
            if _is_another(self._models, models):
                self._builder.forget_features()
            self._models = models
            self._keeps_features = settings.keep_features
            self._sampler.change(settings, self._rate_hz)
            self._builder.change(settings, self._rate_hz)
            self._max_gap_s = settings.max_gap_s(self._rate_hz)

    def tracks(self) -> tuple[PersonTrack, ...]:
        """Return the tracks so far, numbered by the tracker."""
        return self._builder.tracks()

    def timeline(
        self,
        frame_times_s: NDArray[np.float64],
        *,
        complete: bool,
        notes: Iterable[str] = (),
        video: VideoInfo | None = None,
        since_s: float = 0.0,
        person_of: Mapping[int, int] | None = None,
    ) -> Timeline:
        """Return the timeline so far.

        Args:
            frame_times_s: float64 (n,), times of all frames of the stream, sampled or not.
            complete: whether the stream has ended.
            notes: remarks for users.
            video: facts known by now, if more than at the start.
            since_s: leave out earlier samples and predictions.
            person_of: person's number by track number; tracks with the same one belong to one person.
        """
        with self._lock:
            return self._builder.build(
                video or self._video,
                frame_times_s=frame_times_s,
                complete=complete,
                notes=notes,
                provenance={"recognizer": __version__, **self._models.provenance},
                since_s=since_s,
                person_of=person_of,
            )


def _is_another(one: Models, other: Models) -> bool:
    """Return whether two classifiers have other features."""
    networks = [(models.classifier.name, models.provenance.get("classifier_sha256")) for models in (one, other)]
    return networks[0] != networks[1]
