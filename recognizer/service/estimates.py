"""Estimates of how long an analysis will take: from the video's facts and from what earlier ones took here.

Quick to import: the page shows an estimate before any network is loaded.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import os
import platform
import threading
import time
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Final

from recognizer import weights
from recognizer.files import write_text
from recognizer.limits import duration_text
from recognizer.settings import Settings
from recognizer.timeline.model import Timeline, frame_rate_hz
from recognizer.types import VideoInfo

if TYPE_CHECKING:
    from recognizer.analysis.file import Progress
    from recognizer.networks.loading import Models

_log = logging.getLogger(__name__)

LONG_S: Final = 1800.0
"""A longer estimate is a warning, with a longer skip interval as the remedy."""

_REMEMBERED: Final = 100

_DECODE_S_PER_FRAME: Final = 0.0002
_DECODE_S_PER_MEGAPIXEL: Final = 0.003
"""Processor time of one decoded H.264 frame: 640 x 360 took 0.8 to 1.2 ms, 1280 x 720 took 1.6 to 3.0. Every frame is
decoded, also between two samples; where that takes longer than finding people, it decides."""

_ENOUGH: Final = 20
"""Samples or clips that tell what one takes; a run of more counts no more."""

_FADES: Final = 0.7
"""By how much each later run makes an earlier one count less."""

_MOST_SKIP: Final = 30
_LONGER_SKIP: Final = 4


@dataclass(frozen=True)
class RunCost:
    """The cost of one finished analysis.

    Attributes:
        machine: digest of the machine's name and processor.
        following: settings that decide how long finding and following people takes.
        labeling: settings that decide how long a clip takes.
        video_sha256: the video.
        megapixels: of a picture.
        samples: pictures in which people were searched.
        people: mean number of people who were labelled at a time.
        clips: labelled clips.
        following_s: seconds for everything but the classifier.
        labeling_s: seconds in the classifier.
        clip_samples: pictures of a clip; None in what older versions stored.
    """

    machine: str
    following: str
    labeling: str
    video_sha256: str | None
    megapixels: float
    samples: int
    people: float
    clips: int
    following_s: float
    labeling_s: float
    clip_samples: int | None = None


@dataclass(frozen=True)
class Estimate:
    """An estimate of how long an analysis will take.

    Attributes:
        expected_s: seconds.
        longer_skip: a skip interval that makes it shorter; None if none does.
        with_longer_skip_s: seconds with that; None likewise.
    """

    expected_s: float
    longer_skip: int | None = None
    with_longer_skip_s: float | None = None

    @property
    def is_long(self) -> bool:
        """Whether it takes so long that its user should think twice."""
        return self.expected_s >= LONG_S

    @property
    def text(self) -> str:
        """One sentence for users."""
        text = f"Takes about {duration_text(self.expected_s)} on this machine"
        if self.longer_skip is None or self.with_longer_skip_s is None:
            return f"{text}."
        return f"{text}; a skip interval of {self.longer_skip} takes about {duration_text(self.with_longer_skip_s)}."


class CostStore:
    """The costs of the latest analyses on this machine: one small file in the cache. Safe to call from any thread."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or weights.cache_dir().parent / "costs.json"
        self._lock = threading.Lock()

    def all(self) -> list[RunCost]:
        """Return the stored costs, the latest last; none if the file cannot be read."""
        try:
            return [RunCost(**one) for one in json.loads(self._path.read_text(encoding="utf-8"))]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, TypeError) as error:
            _log.warning("what earlier analyses took cannot be read; it is measured again: %s", error)
            return []

    def add(self, cost: RunCost | None) -> None:
        """Store the cost of an analysis, if it was measured. If it cannot be stored, estimates stay as they were."""
        if cost is None:
            return
        with self._lock:
            text = json.dumps([asdict(one) for one in (*self.all(), cost)[-_REMEMBERED:]])
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                write_text(self._path, text)
            except OSError as error:
                _log.warning("what an analysis took cannot be stored: %s", error)


class Meter:
    """Measures what one analysis takes.

    Attributes:
        models: the networks; analyze with these.
    """

    def __init__(self, models: Models) -> None:
        from recognizer.analysis.cost import TimedClassifier

        self._classifier = TimedClassifier(models.classifier)
        self._began_s = time.monotonic()
        self._found_earlier = False
        self.models = replace(models, classifier=self._classifier)

    def see(self, progress: Progress) -> None:
        """Note whether people were found in an earlier run: following them then takes no time."""
        self._found_earlier = self._found_earlier or progress.from_crops

    def cost(self, timeline: Timeline) -> RunCost | None:
        """Return what the analysis took until now; None if it is no measure: cancelled, resumed, or a part of it."""
        settings, clips = timeline.settings, self._classifier.clips
        samples = _samples(timeline.video, settings)
        is_whole = timeline.complete and not self._found_earlier and clips == len(timeline.predictions)
        if not samples or not is_whole or "classifier_backend" not in timeline.provenance:
            return None
        took_s = time.monotonic() - self._began_s
        return RunCost(
            machine=_machine(),
            following=_following(settings),
            labeling=_labeling(settings),
            video_sha256=timeline.video.sha256,
            megapixels=_megapixels(timeline.video),
            samples=samples,
            people=clips * settings.new_samples_per_clip / samples,
            clips=clips,
            following_s=max(0.0, took_s - self._classifier.took_s),
            labeling_s=self._classifier.took_s,
            clip_samples=settings.num_video_sequence_samples,
        )


def estimate(video: VideoInfo, settings: Settings, costs: Sequence[RunCost]) -> Estimate | None:
    """Return how long an analysis will take; None if that is not known.

    It is unknown before the first analysis with this detector and this classifier on this machine, and if the file does
    not say how long it is. Runs on the same video count before others, then those on pictures of a similar size; the
    latest runs count most, because a machine is not always as busy.
    """
    expected_s = _expected_s(video, [settings], costs)
    if expected_s is None:
        return None
    skip = min(_MOST_SKIP, settings.skip_frame * _LONGER_SKIP)
    if expected_s < LONG_S or skip <= settings.skip_frame:
        return Estimate(expected_s)
    shorter_s = _expected_s(video, [replace(settings, skip_frame=skip)], costs)
    if shorter_s is None or shorter_s > expected_s / 2:
        return Estimate(expected_s)
    return Estimate(expected_s, skip, shorter_s)


def estimate_comparison(video: VideoInfo, several: Sequence[Settings], costs: Sequence[RunCost]) -> Estimate | None:
    """Return how long a comparison will take: people are followed once, and labelled by each; None if not known."""
    expected_s = _expected_s(video, several, costs)
    return None if expected_s is None else Estimate(expected_s)


def _expected_s(video: VideoInfo, several: Sequence[Settings], costs: Sequence[RunCost]) -> float | None:
    following = _Following.of(video, several[0], costs)
    if following is None:
        return None
    labelings_s = [following.labeling_s(one, costs) for one in several]
    known_s = [one for one in labelings_s if one is not None]
    return following.takes_s + sum(known_s) if len(known_s) == len(several) else None


@dataclass(frozen=True)
class _Following:
    """The expected cost of following the people of a video.

    Attributes:
        takes_s: seconds.
        seen: samples times people.
    """

    takes_s: float
    seen: float

    @classmethod
    def of(cls, video: VideoInfo, settings: Settings, costs: Sequence[RunCost]) -> _Following | None:
        """Return what it should take; None if that is not known."""
        samples, frames, key = _samples(video, settings), _frames(video), (_machine(), _following(settings))
        runs = _closest(video, (one for one in costs if (one.machine, one.following) == key))
        if samples is None or frames is None or not runs:
            return None
        each_s = _typical(
            [(one.following_s / one.samples, _likeness(video, one) * min(one.samples, _ENOUGH)) for one in runs]
        )
        shares = [_likeness(video, one) * one.samples for one in runs]
        people = sum(share * one.people for share, one in zip(shares, runs, strict=True)) / sum(shares)
        decoding_s = frames * (_DECODE_S_PER_FRAME + _DECODE_S_PER_MEGAPIXEL * _megapixels(video))
        return cls(max(samples * each_s, decoding_s), people * samples)

    def labeling_s(self, settings: Settings, costs: Sequence[RunCost]) -> float | None:
        """Return what labelling them should take; None if that is not known."""
        clips = self.seen / settings.new_samples_per_clip
        key, length = (_machine(), _labeling(settings)), settings.num_video_sequence_samples
        runs = [one for one in costs if (one.machine, one.labeling) == key and one.clips]
        if not clips:
            return 0.0
        if not runs:
            return None
        # a clip of another length takes another way of the network, and about as much a sample
        runs = [one for one in runs if one.clip_samples == length] or runs
        return clips * _typical(
            [
                (one.labeling_s / one.clips * length / (one.clip_samples or length), min(one.clips, _ENOUGH))
                for one in runs
            ]
        )


def _typical(values: Sequence[tuple[float, float]]) -> float:
    """Return the weighted median of values of runs, the latest last, each with its weight.

    A run counts less the more runs have come since: two are enough to outvote all before them, and a single one that
    was disturbed is not.
    """
    ordered = sorted((value, weight * _FADES**age) for age, (value, weight) in enumerate(reversed(values)))
    up_to = list(accumulate(weight for _, weight in ordered))
    return ordered[bisect_left(up_to, up_to[-1] / 2)][0]


def _closest(video: VideoInfo, costs: Iterable[RunCost]) -> list[RunCost]:
    """Return the runs on the same video; all of them if there is none."""
    found = list(costs)
    same = [one for one in found if video.sha256 is not None and one.video_sha256 == video.sha256]
    return same or found


def _likeness(video: VideoInfo, cost: RunCost) -> float:
    """Return how much a run on another video counts: following costs more in larger pictures."""
    doublings = math.log2(_megapixels(video) / cost.megapixels)
    return 1.0 / (1.0 + doublings * doublings)


def _samples(video: VideoInfo, settings: Settings) -> int | None:
    frames = _frames(video)
    return None if frames is None else math.ceil(frames / settings.skip_frame)


def _frames(video: VideoInfo) -> int | None:
    if video.frame_count is not None:
        return video.frame_count
    return None if video.duration_s is None else math.ceil(video.duration_s * frame_rate_hz(video))


def _megapixels(video: VideoInfo) -> float:
    return max(1, video.width * video.height) / 1e6


def _following(settings: Settings) -> str:
    kept = (settings.model, settings.tracker, settings.device, settings.precision, settings.backend)
    return " ".join((*kept, "surroundings" if settings.surroundings else ""))


def _labeling(settings: Settings) -> str:
    kept = (settings.video_classifier_model, settings.device, settings.precision, settings.backend)
    return " ".join((*kept, "surroundings" if settings.surroundings else ""))


def _machine() -> str:
    """Return a digest of what tells one machine from another that has the same cache."""
    facts = (platform.node(), platform.machine(), platform.processor(), str(os.cpu_count()))
    return hashlib.sha256(" ".join(facts).encode()).hexdigest()[:16]
