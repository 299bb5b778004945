"""Who was there and who did what, when: the result of an analysis, and how it grows."""

from __future__ import annotations

import threading
from array import array
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from recognizer.settings import DEFAULT_FRAME_RATE_HZ, UNKNOWN_ACTION, Settings, least_height_px
from recognizer.timeline.smoothing import Votes, votes
from recognizer.types import Box, Prediction, Segment, TrackedPerson, VideoInfo

_TOUCHING_S = 1e-6
"""Ends and starts that are closer than this are one boundary."""


_SEGMENTS_AT_ONCE = 512
"""Bounds the memory: segments times labels."""

MOST_LIKELY = 5
"""As many labels as a prediction has."""

LikelyLabels = tuple[tuple[str, float], ...]
"""Labels with their probabilities."""

BRIEF_S = 1.0
"""Who is there for less than this in all is folded away where people look at a result: mostly passers-by and boxes that
the detector saw for a moment. As long as MAX_GAP_S, for which somebody may be lost without being gone."""


@dataclass(frozen=True, eq=False)
class PersonTrack:
    """Where one person was, sample by sample, and when they were there at all.

    Attributes:
        person_id: 1, 2, … within the video.
        time_s: float64 (n,), times of the samples, ascending.
        box_xyxy: float32 (n, 4), pixels of the frame.
        confidence: float32 (n,), the detector's.
        presence: half-open intervals ``(start_s, end_s)``; a gap longer than allowed starts a new one.
    """

    person_id: int
    time_s: NDArray[np.float64]
    box_xyxy: NDArray[np.float32]
    confidence: NDArray[np.float32]
    presence: tuple[tuple[float, float], ...]

    @property
    def present_s(self) -> float:
        """Seconds of presence in all."""
        return sum(end_s - start_s for start_s, end_s in self.presence)

    def box_at(self, time_s: float) -> Box | None:
        """The box at any time, interpolated between samples; None while the person is away."""
        inside = next((one for one in self.presence if one[0] <= time_s < one[1]), None)
        if inside is None:
            return None
        # after the last sample of a stay the box rests: it does not set out for where the person comes back
        last = max(0, int(np.searchsorted(self.time_s, inside[1], "left")) - 1)
        after = int(np.searchsorted(self.time_s, time_s, "right"))
        before = max(0, after - 1)
        box = self.box_xyxy[before].astype(np.float64)
        if before < last and after > 0:
            share = (time_s - self.time_s[before]) / (self.time_s[after] - self.time_s[before])
            box += share * (self.box_xyxy[after] - box)
        x1, y1, x2, y2 = box.tolist()
        return x1, y1, x2, y2


@dataclass(frozen=True, eq=False)
class Timeline:
    """The result of an analysis, whole or as far as it went.

    Attributes:
        video: what was analysed.
        settings: what it was analysed with.
        people: everyone who was seen, in order of ``person_id``.
        predictions: one a clip, by person, then by time.
        frame_times_s: float64 (n,), presentation time of every frame that was decoded.
        analysed_s: time up to which the video was analysed.
        complete: False where it was cancelled, or is still running.
        notes: remarks for people, such as packets that could not be decoded.
        provenance: versions of the libraries and hashes of the weights.
    """

    video: VideoInfo
    settings: Settings
    people: tuple[PersonTrack, ...]
    predictions: tuple[Prediction, ...]
    frame_times_s: NDArray[np.float64]
    analysed_s: float
    complete: bool
    notes: tuple[str, ...] = ()
    provenance: Mapping[str, str] = field(default_factory=dict)

    @property
    def frame_rate_hz(self) -> float:
        """The video's average frame rate; measured from its frames where the file does not tell."""
        return frame_rate_hz(self.video, self.frame_times_s)

    @property
    def brief_ids(self) -> frozenset[int]:
        """Those who are there for less than BRIEF_S in all; nobody where that is everyone."""
        brief = frozenset(track.person_id for track in self.people if track.present_s < BRIEF_S - _TOUCHING_S)
        return brief if len(brief) < len(self.people) else frozenset()

    @property
    def small_ids(self) -> frozenset[int]:
        """Those who are too small to be named for most of their samples."""
        least_px = least_height_px(self.video.height)
        return frozenset(
            track.person_id
            for track in self.people
            if len(track.box_xyxy) and np.median(track.box_xyxy[:, 3] - track.box_xyxy[:, 1]) < least_px
        )

    @cached_property
    def without_brief(self) -> Timeline:
        """The same without those who were there for a moment; the same object each time, with what it remembers."""
        return self.without(self.brief_ids) if self.brief_ids else self

    def without(self, person_ids: Collection[int]) -> Timeline:
        """The same without these people and what was said of them."""
        return replace(
            self,
            people=tuple(track for track in self.people if track.person_id not in person_ids),
            predictions=tuple(one for one in self.predictions if one.person_id not in person_ids),
        )

    def segments(self, min_confidence: float = 0.0, min_duration_s: float = 0.0) -> tuple[Segment, ...]:
        """What each person does, by person, then by time. Runs no network.

        Args:
            min_confidence: a clip whose best label is less probable than this counts as ``unknown``.
            min_duration_s: an action shorter than this is not an action: between two stretches of one other action,
                of which one is long enough, it becomes that action, elsewhere ``unknown``.
        """
        return tuple(
            segment
            for person_id in self._guesses
            for segment in self._segments_of(person_id, min_confidence, min_duration_s)
        )

    def _segments_of(self, person_id: int, min_confidence: float, min_duration_s: float) -> Iterator[Segment]:
        pieces = _merged(self._guesses[person_id].pieces(min_confidence))
        if min_duration_s > 0:
            pieces = _without_short(pieces, min_duration_s)
        for piece in pieces:
            yield Segment(person_id, piece.action, piece.start_s, piece.end_s, piece.confidence, piece.counted)

    def likely_labels(self, segments: Sequence[Segment]) -> list[LikelyLabels]:
        """Return up to five labels a segment with their mean probabilities, from what ``segments`` was made from.

        The first is the segment's action, and its probability is the segment's confidence. Of an ``unknown`` segment
        the first is the best guess that weighs most in its confidence; its probability is the mean over the whole
        segment, so it equals the confidence where this was the best guess throughout and is lower elsewhere. The other
        labels follow, the most probable first. A label that is not among a prediction's top five counts as 0 there.
        Time that does not count towards the confidence (see ``Segment.counted``) does not count here.
        """
        likely: list[LikelyLabels] = []
        for person_id, of_person in groupby(segments, attrgetter("person_id")):
            if person_id in self._guesses:
                likely.extend(self._guesses[person_id].likely_labels(list(of_person)))
            else:
                likely.extend(() for _ in of_person)
        return likely

    @cached_property
    def _said(self) -> Mapping[int, Sequence[Prediction]]:
        """What was said of each person, by start, then by end."""
        by_person: dict[int, list[Prediction]] = defaultdict(list)
        for prediction in self.predictions:
            by_person[prediction.person_id].append(prediction)
        return {
            person_id: sorted(by_person[person_id], key=lambda prediction: (prediction.start_s, prediction.end_s))
            for person_id in sorted(by_person)
        }

    @cached_property
    def _guesses(self) -> Mapping[int, _Guesses]:
        """Each person's guesses: votes take long to count, and no threshold changes them."""
        smoothing_s = self.settings.smoothing_s
        if smoothing_s == 0:
            return {person_id: _ClipGuesses(said) for person_id, said in self._said.items()}
        return {person_id: _VotedGuesses(votes(said, smoothing_s)) for person_id, said in self._said.items()}


def frame_rate_hz(video: VideoInfo, frame_times_s: Sequence[float] | NDArray[np.float64] = ()) -> float:
    """Frames per second: the file's word, else measured from the frames, else the usual 30."""
    if video.frame_rate:
        return float(video.frame_rate)
    if len(frame_times_s) > 1 and frame_times_s[-1] > frame_times_s[0]:
        return float((len(frame_times_s) - 1) / (frame_times_s[-1] - frame_times_s[0]))
    return DEFAULT_FRAME_RATE_HZ


class _Piece(NamedTuple):
    """Part of a person's time with one label. ``counted`` as in ``Segment``."""

    action: str
    start_s: float
    end_s: float
    confidence: float
    counted: tuple[tuple[float, float], ...] | None = None


class _Guesses(Protocol):
    """The best guess for each moment of one person's time, and how probable each label is."""

    def pieces(self, min_confidence: float) -> Iterator[_Piece]:
        """Yield stretches with one guess; a guess that is less probable is ``unknown``."""
        ...

    def likely_labels(self, segments: Sequence[Segment]) -> Iterator[LikelyLabels]:
        """Yield the labels of each segment, see ``Timeline.likely_labels``; fastest in order of time."""
        ...


class _ClipGuesses:
    """Each prediction decides its own stretch: where two overlap, they meet in the middle of the overlap."""

    def __init__(self, ordered: Sequence[Prediction]) -> None:
        self._stretches: list[tuple[Prediction, float, float]] = []
        for k, prediction in enumerate(ordered):
            start_s, end_s = prediction.start_s, prediction.end_s
            if k > 0 and ordered[k - 1].end_s > start_s:
                start_s = (start_s + ordered[k - 1].end_s) / 2
            if k + 1 < len(ordered) and ordered[k + 1].start_s < end_s:
                end_s = (ordered[k + 1].start_s + end_s) / 2
            if end_s > start_s:
                self._stretches.append((prediction, start_s, end_s))
        self._starts_s = [start_s for _, start_s, _ in self._stretches]
        self._ends_s = [end_s for _, _, end_s in self._stretches]

    def pieces(self, min_confidence: float) -> Iterator[_Piece]:
        for prediction, start_s, end_s in self._stretches:
            label, probability = prediction.top[0]
            yield _Piece(label if probability >= min_confidence else UNKNOWN_ACTION, start_s, end_s, probability)

    def likely_labels(self, segments: Sequence[Segment]) -> Iterator[LikelyLabels]:
        for segment in segments:
            sums: dict[str, float] = defaultdict(float)
            guessed: dict[str, float] = defaultdict(float)
            total_s = 0.0
            is_unknown = segment.action == UNKNOWN_ACTION
            for from_s, to_s in _counted(segment):
                for k in range(bisect_right(self._ends_s, from_s), bisect_left(self._starts_s, to_s)):
                    prediction, start_s, end_s = self._stretches[k]
                    weight_s = min(end_s, to_s) - max(start_s, from_s)
                    total_s += weight_s
                    for label, probability in prediction.top:
                        sums[label] += weight_s * probability
                    if is_unknown:
                        guess, probability = prediction.top[0]
                        guessed[guess] += weight_s * probability
            yield _ranked(sums, total_s, max(guessed, key=guessed.__getitem__, default=segment.action))


class _VotedGuesses:
    """The label that wins the vote of the predictions around each moment."""

    def __init__(self, stretches: Iterable[Votes]) -> None:
        self._stretches = tuple(stretches)
        self._starts_s = [float(stretch.edges_s[0]) for stretch in self._stretches]

    def pieces(self, min_confidence: float) -> Iterator[_Piece]:
        for stretch in self._stretches:
            said = np.where(stretch.probability >= min_confidence, stretch.best, -1)
            starts = np.concatenate(([0], np.flatnonzero(np.diff(said)) + 1))
            ends = np.append(starts[1:], len(said))
            means = np.add.reduceat(stretch.probability, starts) / (ends - starts)
            for start, end, mean in zip(starts.tolist(), ends.tolist(), means.tolist(), strict=True):
                action = UNKNOWN_ACTION if said[start] < 0 else stretch.labels[said[start]]
                yield _Piece(action, float(stretch.edges_s[start]), float(stretch.edges_s[end]), mean)

    def likely_labels(self, segments: Sequence[Segment]) -> Iterator[LikelyLabels]:
        for k, together in groupby(segments, lambda segment: bisect_right(self._starts_s, segment.start_s) - 1):
            of_stretch = list(together)
            for first in range(0, len(of_stretch), _SEGMENTS_AT_ONCE):
                yield from _most_voted(self._stretches[max(k, 0)], of_stretch[first : first + _SEGMENTS_AT_ONCE])


def _most_voted(stretch: Votes, segments: Sequence[Segment]) -> Iterator[LikelyLabels]:
    """The likely labels of segments that lie in one stretch."""
    index = {label: k for k, label in enumerate(stretch.labels)}
    times_s = np.array([(row, *span) for row, segment in enumerate(segments) for span in _counted(segment)])
    bounds = np.minimum(np.searchsorted(stretch.edges_s, times_s[:, 1:]), len(stretch.best)).tolist()
    spans = [(row, *b) for row, b in zip(times_s[:, 0].astype(int).tolist(), bounds, strict=True) if b[1] > b[0]]
    leads = np.array([index.get(segment.action, -1) for segment in segments])
    guessed: dict[int, NDArray[Any]] = {}
    for row, first, past in spans:
        if segments[row].action == UNKNOWN_ACTION:
            weight = np.bincount(stretch.best[first:past], stretch.probability[first:past], len(index))
            guessed[row] = guessed.get(row, 0.0) + weight
            leads[row] = guessed[row].argmax()
    shares = stretch.mean_shares(spans, len(segments))
    rank = -shares
    rank[leads >= 0, leads[leads >= 0]] = -np.inf
    top = np.argpartition(rank, min(MOST_LIKELY, len(index) - 1), axis=1)[:, :MOST_LIKELY]
    values = np.take_along_axis(shares, top, axis=1).tolist()
    for lead, labels, probabilities in zip(leads.tolist(), top.tolist(), values, strict=True):
        ranked = sorted(zip(labels, probabilities, strict=True), key=lambda one: (one[0] != lead, -one[1]))
        yield tuple((stretch.labels[label], probability) for label, probability in ranked if probability > 0)


def _counted(segment: Segment | _Piece) -> tuple[tuple[float, float], ...]:
    return ((segment.start_s, segment.end_s),) if segment.counted is None else segment.counted


def _counted_s(piece: _Piece) -> float:
    return sum(end_s - start_s for start_s, end_s in _counted(piece))


def _ranked(sums: Mapping[str, float], total_s: float, first: str) -> LikelyLabels:
    ranked = sorted(sums.items(), key=lambda item: (-item[1], item[0]))
    if ranked and ranked[0][0] != first and first in sums:
        ranked.remove((first, sums[first]))
        ranked.insert(0, (first, sums[first]))
    return tuple((label, weighted / total_s) for label, weighted in ranked[:MOST_LIKELY])


def _merged(pieces: Iterable[_Piece]) -> list[_Piece]:
    """Join neighbours that touch and have the same action; their confidence is weighted by the time that counts."""
    merged: list[_Piece] = []
    for piece in pieces:
        last = merged[-1] if merged else None
        if last and last.action == piece.action and piece.start_s - last.end_s < _TOUCHING_S:
            if last.counted is None and piece.counted is None:
                last_s, piece_s, counted = last.end_s - last.start_s, piece.end_s - piece.start_s, None
            else:
                last_s, piece_s = _counted_s(last), _counted_s(piece)
                counted = (*_counted(last), *_counted(piece))
            mean = (last.confidence * last_s + piece.confidence * piece_s) / (last_s + piece_s)
            merged[-1] = _Piece(last.action, last.start_s, piece.end_s, mean, counted)
        else:
            merged.append(piece)
    return merged


def _without_short(pieces: list[_Piece], min_duration_s: float) -> list[_Piece]:
    def is_short(piece: _Piece) -> bool:
        return piece.action != UNKNOWN_ACTION and piece.end_s - piece.start_s < min_duration_s - _TOUCHING_S

    while True:
        joined = _merged(_absorbed(pieces, is_short))
        if len(joined) == len(pieces):
            break
        pieces = joined
    return _merged(piece._replace(action=UNKNOWN_ACTION) if is_short(piece) else piece for piece in pieces)


def _absorbed(pieces: list[_Piece], is_short: Callable[[_Piece], bool]) -> Iterator[_Piece]:
    """Short pieces between two of one other action become that action; two short ones make no long one."""
    for k, piece in enumerate(pieces):
        before = pieces[k - 1] if k > 0 and piece.start_s - pieces[k - 1].end_s < _TOUCHING_S else None
        after = pieces[k + 1] if k + 1 < len(pieces) and pieces[k + 1].start_s - piece.end_s < _TOUCHING_S else None
        if (
            is_short(piece)
            and before is not None
            and after is not None
            and before.action == after.action
            and not (is_short(before) and is_short(after))
        ):
            # the stretch was not recognized as this action, so it does not count towards the action's confidence
            yield piece._replace(action=before.action, counted=())
        else:
            yield piece


class _TrackBuilder:
    """One person's samples in compact arrays; grows by 32 bytes a sample."""

    def __init__(self) -> None:
        self.time_s = array("d")
        self.box_xyxy = array("f")
        self.confidence = array("f")


class TimelineBuilder:
    """Collects what is seen and said of one stream.

    ``build`` may be called at any time, also in between and on another thread.
    """

    def __init__(self, settings: Settings, frame_rate_hz: float) -> None:
        self.change(settings, frame_rate_hz)
        self._tracks: dict[int, _TrackBuilder] = {}
        self._predictions: list[Prediction] = []
        self._analysed_s = 0.0
        self._lock = threading.Lock()  # an array that is being copied cannot grow

    def change(self, settings: Settings, frame_rate_hz: float) -> None:
        """Go on with other settings; the timeline is signed with the last ones."""
        self._settings = settings
        self._interval_s = settings.sample_interval_s(frame_rate_hz)
        self._max_gap_s = settings.max_gap_s(frame_rate_hz)

    def add_people(self, time_s: float, people: Iterable[TrackedPerson]) -> None:
        """Record who was there in a sampled frame; frames come in time order."""
        with self._lock:
            self._analysed_s = time_s + self._interval_s
            for person in people:
                track = self._tracks.setdefault(person.person_id, _TrackBuilder())
                track.time_s.append(time_s)
                track.box_xyxy.extend(person.box_xyxy)
                track.confidence.append(person.confidence)

    def add_predictions(self, predictions: Iterable[Prediction]) -> None:
        """Record what the classifier said; predictions may come in any order."""
        with self._lock:
            self._predictions.extend(predictions)

    def build(
        self,
        video: VideoInfo,
        *,
        frame_times_s: NDArray[np.float64],
        complete: bool,
        notes: Iterable[str] = (),
        provenance: Mapping[str, str] | None = None,
        since_s: float = 0.0,
        person_of: Mapping[int, int] | None = None,
    ) -> Timeline:
        """The timeline as it stands. Nothing lasts beyond the end of the last frame.

        With ``since_s``, samples and predictions from before that time are left out, and who has no others.
        With ``person_of``, the tracks that it gives one number are one person.
        """
        with self._lock:
            end_s = self._analysed_s
            if len(frame_times_s):
                end_s = min(end_s, float(frame_times_s[-1]) + 1 / frame_rate_hz(video, frame_times_s))
            recent = [person_id for person_id, track in self._tracks.items() if track.time_s[-1] >= since_s]
            together: dict[int, list[int]] = defaultdict(list)
            for person_id in sorted(recent):
                together[(person_of or {}).get(person_id, person_id)].append(person_id)
            people = tuple(self._track(number, together[number], since_s, end_s) for number in sorted(together))
            said = [prediction for prediction in self._predictions if prediction.end_s > since_s]
            if person_of is not None:
                said = list(_said_of_people(said, person_of))
            predictions = sorted(said, key=lambda p: (p.person_id, p.start_s, p.end_s))
        return Timeline(
            video=video,
            settings=self._settings,
            people=people,
            predictions=tuple(replace(p, end_s=min(p.end_s, end_s)) for p in predictions),
            frame_times_s=frame_times_s,
            analysed_s=end_s,
            complete=complete,
            notes=tuple(notes),
            provenance=dict(provenance or {}),
        )

    def tracks(self) -> tuple[PersonTrack, ...]:
        """Everyone so far, as the tracker numbers them."""
        with self._lock:
            return tuple(self._track(number, [number], 0.0, self._analysed_s) for number in sorted(self._tracks))

    def _track(self, person_id: int, of: Sequence[int], since_s: float, end_s: float) -> PersonTrack:
        """One person's samples out of one or more of the tracker's tracks. Where two have the same sample, the longer
        track's box stands."""
        parts = [self._samples(number, since_s) for number in of]
        time_s, box_xyxy, confidence = parts[0]
        if len(parts) > 1:
            longest_first = sorted(parts, key=lambda part: -len(part[0]))
            times_s = np.concatenate([part[0] for part in longest_first])
            time_s, first = np.unique(times_s, return_index=True)
            box_xyxy = np.concatenate([part[1] for part in longest_first])[first]
            confidence = np.concatenate([part[2] for part in longest_first])[first]
        ends = np.flatnonzero(np.diff(time_s) > self._max_gap_s)
        starts_s = time_s[np.concatenate(([0], ends + 1))]
        ends_s = np.minimum(time_s[np.concatenate((ends, [len(time_s) - 1]))] + self._interval_s, end_s)
        return PersonTrack(
            person_id=person_id,
            time_s=time_s,
            box_xyxy=box_xyxy,
            confidence=confidence,
            presence=tuple((float(a), float(b)) for a, b in zip(starts_s, ends_s, strict=True)),
        )

    def _samples(
        self, number: int, since_s: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float32], NDArray[np.float32]]:
        built = self._tracks[number]
        first = bisect_left(built.time_s, since_s)
        return (
            np.array(built.time_s[first:], np.float64),
            np.array(built.box_xyxy[4 * first :], np.float32).reshape(-1, 4),
            np.array(built.confidence[first:], np.float32),
        )


def _said_of_people(predictions: Iterable[Prediction], person_of: Mapping[int, int]) -> Iterator[Prediction]:
    """What was said of tracks, as said of people. Where two tracks of one person were there at once, what was said of
    the one that more was said of stands: the other's clip shows the same."""
    of_track: dict[int, list[Prediction]] = defaultdict(list)
    for prediction in predictions:
        of_track[prediction.person_id].append(prediction)
    covering: dict[int, list[list[Prediction]]] = defaultdict(list)
    for number in sorted(of_track, key=lambda number: (-len(of_track[number]), number)):
        person_id, said = person_of.get(number, number), of_track[number]
        start_s, end_s = _span_s(said)
        at_once = [
            other
            for those in covering[person_id]
            if _span_s(those)[0] < end_s and _span_s(those)[1] > start_s
            for other in those
        ]
        covering[person_id].append(said)
        for prediction in said:
            middle_s = (prediction.start_s + prediction.end_s) / 2
            if not any(other.start_s <= middle_s < other.end_s for other in at_once):
                yield replace(prediction, person_id=person_id)


def _span_s(predictions: Sequence[Prediction]) -> tuple[float, float]:
    return min(one.start_s for one in predictions), max(one.end_s for one in predictions)
