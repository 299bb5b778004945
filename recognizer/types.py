"""The core types that the stages exchange. RGB everywhere, times in seconds, boxes in pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

CROP_SIZE_PX = 224
"""Side of a person's crop. Networks with 112-pixel input average 2 x 2 pixels (docs/decisions/003-one-crop-size.md)."""

APPEARANCE_SIZE = 256
"""Length of an appearance: colour histograms of a person's upper and lower half, 8 x 4 x 4 bins each."""

TOUCHING_S = 1e-6
"""Times closer than this are one boundary."""

Box = tuple[float, float, float, float]
"""x1, y1, x2, y2 in pixels of the frame; x2 and y2 are exclusive."""


@dataclass(frozen=True)
class VideoInfo:
    """The facts about a video that are known before it is decoded. None if the file does not state them.

    Attributes:
        sha256: hash of the file's bytes, or of its parts' hashes, lower-case hexadecimal; None for a live stream.
        width: pixels of the pictures as players show them: upright and square.
        height: pixels, likewise.
        frame_rate: usual frames per second: the average, or the inverse of the median distance between frames if the
            recording has holes.
        duration_s: time at which the pictures end, according to the container.
        frame_count: number of frames, according to the container; after an analysis, the number of decoded frames.
        codec: FFmpeg's name for the codec, such as ``h264``.
    """

    sha256: str | None
    width: int
    height: int
    frame_rate: Fraction | None
    duration_s: float | None
    frame_count: int | None
    codec: str | None


@dataclass(frozen=True)
class StreamFacts:
    """One of the video streams in a file.

    Attributes:
        index: its number among all streams of the file, from 0.
        width: pixels, as stored; 0 if FFmpeg does not know the codec.
        height: likewise.
        codec: FFmpeg's name for the codec; None if FFmpeg does not know it.
        is_default: whether the file marks it as a default.
    """

    index: int
    width: int
    height: int
    codec: str | None = None
    is_default: bool = False


@dataclass(frozen=True)
class DamagedSpan:
    """A stretch of a video in which packets could not be decoded.

    Attributes:
        start_s: time of the last picture before it, or of the start of the video.
        end_s: time of the first picture after it, or of the end of the video.
        packets: number of packets that were skipped.
    """

    start_s: float
    end_s: float
    packets: int


@dataclass(frozen=True)
class Part:
    """One of several files that make one recording.

    Attributes:
        name: the file's name.
        start_s: time of its first moment in the recording.
        sha256: hash of the file's bytes; None if it is not known yet.
    """

    name: str
    start_s: float
    sha256: str | None = None


@dataclass(frozen=True)
class Reading:
    """How a video was read: what was chosen, converted, assumed, repaired and skipped. The defaults are a plain file.

    ``recognizer.video.reading`` puts it into words.

    Attributes:
        stream: number of the stream that was read among all streams of the file; None if not known.
        other_streams: the other video streams, without covers.
        stream_given: whether the user chose the stream.
        stored_wh: width and height of the stored pictures, upright; None if they are shown as stored.
        shown_wh: width and height after squaring the pixels; None if they are shown as stored.
        pixel_aspect: width of a stored pixel divided by its height, upright.
        deinterlaced: whether pictures were deinterlaced.
        tone_mapped_from: the transfer curve that was mapped to BT.709, such as ``PQ`` or ``HLG``; None for SDR.
        assumed_colors: the color space that was assumed because the file names none, such as ``BT.709``; else None.
        letterboxed_from_s: time at which the picture's shape first changed; later pictures have borders. None if never.
        first_picture_s: time of the first picture on the file's clock, which starts with the earliest stream.
        rate_assumed_hz: frames per second that were assumed because the file states none; else None.
        rate_given_hz: frames per second that the user gave; else None.
        repaired_stamps: number of pictures whose time was estimated because their stamp was missing or wrong.
        damaged: stretches that could not be decoded, in order of time.
        pauses: other stretches without a new picture, ``(start_s, end_s)``, in order of time.
        parts: the files of a recording, in order; empty for a single file.
    """

    stream: int | None = None
    other_streams: tuple[StreamFacts, ...] = ()
    stream_given: bool = False
    stored_wh: tuple[int, int] | None = None
    shown_wh: tuple[int, int] | None = None
    pixel_aspect: Fraction = Fraction(1)
    deinterlaced: bool = False
    tone_mapped_from: str | None = None
    assumed_colors: str | None = None
    letterboxed_from_s: float | None = None
    first_picture_s: float = 0.0
    rate_assumed_hz: float | None = None
    rate_given_hz: float | None = None
    repaired_stamps: int = 0
    damaged: tuple[DamagedSpan, ...] = ()
    pauses: tuple[tuple[float, float], ...] = ()
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame of a stream.

    Attributes:
        index: 0 for the first frame of the stream; counts every frame, sampled or not.
        time_s: presentation time on the file's clock, which begins with its earliest stream; a player shows the same.
        rgb: uint8 (H, W, 3), upright, with square pixels.
    """

    index: int
    time_s: float
    rgb: NDArray[np.uint8]

    def __post_init__(self) -> None:
        if self.rgb.dtype != np.uint8 or self.rgb.ndim != 3 or self.rgb.shape[2] != 3:
            raise ValueError(f"Frame.rgb must be uint8 (H, W, 3), got {self.rgb.dtype} {self.rgb.shape}")


@dataclass(frozen=True)
class Detection:
    """One person detected in one frame, not yet tracked."""

    box_xyxy: Box
    confidence: float


@dataclass(frozen=True)
class TrackedPerson:
    """One person in one frame. ``person_id`` counts 1, 2, … within its stream."""

    person_id: int
    box_xyxy: Box
    confidence: float


class CameraStep(NamedTuple):
    """The camera's motion from one sampled frame to the next: where still things of the one appear in the other.

    A point ``x + iy``, in pixels, moves to ``(cosine + i sine) (x + iy) + shift_x_px + i shift_y_px``. The length of
    ``cosine + i sine`` is the zoom, its angle the rotation. All four are NaN where the motion is unknown.
    """

    cosine: float
    sine: float
    shift_x_px: float
    shift_y_px: float

    @property
    def is_known(self) -> bool:
        """Whether the motion could be measured."""
        return not math.isnan(self.cosine)


UNKNOWN_STEP = CameraStep(math.nan, math.nan, math.nan, math.nan)


@dataclass(frozen=True, eq=False)
class CameraPath:
    """The camera's motion through a video, sample by sample.

    Attributes:
        time_s: float64 (n,), times of the sampled frames, ascending.
        steps: float64 (n, 4), the ``CameraStep`` from the sample before to each; NaN where it is unknown, as it is for
            the first.
    """

    time_s: NDArray[np.float64]
    steps: NDArray[np.float64]

    def __post_init__(self) -> None:
        if self.steps.shape != (len(self.time_s), 4):
            raise ValueError(f"CameraPath.steps must be ({len(self.time_s)}, 4), got {self.steps.shape}")


class Crossing(NamedTuple):
    """Two people crossed, and a tracker may have swapped their numbers.

    Attributes:
        one_id, other_id: their numbers.
        since_s: time from which the numbers are, or may be, swapped.
        is_swapped: whether they were swapped; if not, appearance cannot tell.
    """

    one_id: int
    other_id: int
    since_s: float
    is_swapped: bool


class Picture(Protocol):
    """A picture as NumPy reads it: an array, or what ``np.asarray`` makes one of."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array."""
        ...

    def __array__(self, dtype: None = None, /, *, copy: bool | None = None) -> NDArray[np.uint8]:
        """Return the picture."""
        ...


@dataclass(frozen=True, eq=False)
class Observation:
    """The people in one sampled frame, and their crops.

    Attributes:
        frame_index: index of the frame in its stream.
        time_s: presentation time.
        people: the tracked people.
        crops_rgb: one crop for each of ``people``, uint8 (CROP_SIZE_PX, CROP_SIZE_PX, 3).
        appearances: one appearance for each of ``people``, uint8 (APPEARANCE_SIZE,); empty if not measured.
        is_cut: whether a new shot begins at the frame.
        surroundings_rgb: the surroundings of each of ``people``, with the same shape as a crop; empty if not requested.
        camera: the camera's motion since the previous observation; None if not measured.
        camera_roughly: the same where it can only be measured to a few pixels, otherwise ``camera``.
        crossings: what this sample tells about people who crossed. If they were swapped, their numbers are right from
            this sample on, and swapped in earlier samples from ``since_s`` on.
    """

    frame_index: int
    time_s: float
    people: tuple[TrackedPerson, ...]
    crops_rgb: tuple[Picture, ...]
    appearances: tuple[NDArray[np.uint8], ...] = ()
    is_cut: bool = False
    surroundings_rgb: tuple[Picture, ...] = ()
    camera: CameraStep | None = None
    camera_roughly: CameraStep | None = None
    crossings: tuple[Crossing, ...] = ()

    def __post_init__(self) -> None:
        if len(self.people) != len(self.crops_rgb):
            raise ValueError(f"Observation has {len(self.people)} people but {len(self.crops_rgb)} crops")
        if self.surroundings_rgb and len(self.people) != len(self.surroundings_rgb):
            raise ValueError(f"Observation has {len(self.people)} people but {len(self.surroundings_rgb)} surroundings")
        if self.appearances and len(self.people) != len(self.appearances):
            raise ValueError(f"Observation has {len(self.people)} people but {len(self.appearances)} appearances")


@dataclass(frozen=True, eq=False)
class Clip:
    """The classifier's input: consecutive samples of one person.

    Attributes:
        person_id: the person.
        start_s: time of the first sample.
        end_s: time of the last sample plus one sampling interval.
        rgb: uint8 (N, S, S, 3), N samples in time order, S = CROP_SIZE_PX.
        surroundings_rgb: the person's surroundings in the same samples, of the same shape; the classifier averages the
            scores of the two. None if not requested.
    """

    person_id: int
    start_s: float
    end_s: float
    rgb: NDArray[np.uint8]
    surroundings_rgb: NDArray[np.uint8] | None = None

    def __post_init__(self) -> None:
        shape = self.rgb.shape
        if self.rgb.dtype != np.uint8 or len(shape) != 4 or shape[3] != 3 or shape[1] != shape[2] or not shape[0]:
            raise ValueError(f"Clip.rgb must be uint8 (N, S, S, 3) with N > 0, got {self.rgb.dtype} {shape}")
        around = self.surroundings_rgb
        if around is not None and (around.dtype != np.uint8 or around.shape != shape):
            raise ValueError(f"Clip.surroundings_rgb must be uint8 {shape} like rgb, got {around.dtype} {around.shape}")
        if not self.end_s > self.start_s:
            raise ValueError(f"a clip must end after it starts, got {self.start_s} to {self.end_s}")

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of ``rgb``."""
        return self.rgb.shape

    @property
    def length(self) -> int:
        """The number of samples."""
        return self.shape[0]

    def stacked(self) -> Clip:
        """Return the clip with its samples in arrays of their own."""
        return self


@dataclass(frozen=True, eq=False)
class ClipFeatures:
    """What a network computed of one clip before its last layer, one byte a number: ``low + step * code``.

    Attributes:
        codes: uint8 (V, D), D numbers for each of V views: the crop, then the surroundings as the network saw them
            (mirrored) if they were classified.
        low: float32 (V,), the smallest number of each view.
        step: float32 (V,), the distance between two codes.
        rising: uint8 (V, ceil(D / 8)), one bit a number: whether it is higher in the second half of the clip than in
            the first (docs/own-actions.md). All 0 where that is unknown.
    """

    codes: NDArray[np.uint8]
    low: NDArray[np.float32]
    step: NDArray[np.float32]
    rising: NDArray[np.uint8]

    def __post_init__(self) -> None:
        if self.codes.dtype != np.uint8 or self.codes.ndim != 2:
            raise ValueError(f"ClipFeatures.codes must be uint8 (V, D), got {self.codes.dtype} {self.codes.shape}")
        views = (len(self.codes),)
        if self.low.shape != views or self.step.shape != views:
            raise ValueError(f"ClipFeatures.low and step must be {views}, got {self.low.shape} and {self.step.shape}")
        bits = (len(self.codes), packed_size(self.codes.shape[1]))
        if self.rising.dtype != np.uint8 or self.rising.shape != bits:
            raise ValueError(f"ClipFeatures.rising must be uint8 {bits}, got {self.rising.dtype} {self.rising.shape}")

    @classmethod
    def rounded(cls, values: NDArray[np.floating], change: NDArray[np.floating] | None = None) -> ClipFeatures:
        """Return features (V, D), each rounded to the nearest of 256 steps between the extremes of its view.

        Args:
            values: the numbers.
            change: (V, D), what is positive where a number rises; all 0 in a view, or None, if that is unknown.
        """
        low, high = values.min(axis=1).astype(np.float32), values.max(axis=1).astype(np.float32)
        step = (high - low) / np.float32(_HIGHEST_CODE)
        spacing = np.where(step > 0, step, 1)
        codes = np.rint((values - low[:, None]) / spacing[:, None]).clip(0, _HIGHEST_CODE)
        rising = np.zeros((len(codes), packed_size(codes.shape[1])), np.uint8)
        if change is not None:
            rising = np.packbits(change > 0, axis=1)
        return cls(codes.astype(np.uint8), low, step, rising)

    def values(self) -> NDArray[np.float32]:
        """Return the numbers, float32 (V, D); each is within half a step of the network's."""
        return self.low[:, None] + self.step[:, None] * self.codes

    def values_and_change(self) -> NDArray[np.float32]:
        """Return the numbers, then for each 1 if it rises and -1 if it falls, float32 (2 V, D); 0 if it is unknown."""
        return np.concatenate((self.values(), unpacked_change(self.rising, self.codes.shape[1])))


_HIGHEST_CODE = 255
_BITS = 8

_SIGNS = np.where(np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1), 1, -1).astype(np.float32)
"""The signs of each byte: a table is three times as fast as its bits."""


def packed_size(numbers: int) -> int:
    """Return how many bytes hold one bit for each of so many numbers."""
    return -(-numbers // _BITS)


def unpacked_change(rising: NDArray[np.uint8], size: int) -> NDArray[np.float32]:
    """Return 1 for each set bit of ``rising`` and -1 for the others, float32 (…, size); 0 in rows without a set bit."""
    signs = np.take(_SIGNS, rising, axis=0).reshape(*rising.shape[:-1], -1)[..., :size]
    signs[~rising.any(axis=-1)] = 0
    return signs


@dataclass(frozen=True)
class Prediction:
    """A classifier's output for one clip.

    Attributes:
        person_id: the clip's person.
        start_s: start of the clip.
        end_s: end of the clip; in a timeline, of the stay or the start of the next clip if that comes soon after.
        top: the five most probable labels (or fewer) with their probabilities, descending.
        classifier: name of the classifier.
        network_probabilities: the network's own probabilities of the labels in ``top``, if evidence decides how sure
            they are (``networks.classifiers.evidence``); empty if those in ``top`` are the network's own.
        features: the numbers that the scores follow from; None if they were not kept.
    """

    person_id: int
    start_s: float
    end_s: float
    top: tuple[tuple[str, float], ...]
    classifier: str
    network_probabilities: tuple[float, ...] = ()
    features: ClipFeatures | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if len(self.network_probabilities) not in (0, len(self.top)):
            counts = f"{len(self.top)} labels but {len(self.network_probabilities)} probabilities of the network"
            raise ValueError(f"Prediction has {counts}")


Source = Literal["machine", "human"]
"""Who decided a segment: a classifier, or a person who corrected it."""


@dataclass(frozen=True)
class Segment:
    """A stretch of time in which one person does one action: ``[start_s, end_s)``.

    Attributes:
        person_id: 1, 2, … within the video.
        action: a label, or ``unknown``.
        start_s: start.
        end_s: end; exclusive.
        confidence: time-weighted mean probability of ``action``; for ``unknown``, of the best guess at each moment.
        counted: the stretches that ``confidence`` averages; None for the whole segment. Time that a minimum duration
            assigned to this action does not count: another label was recognized there.
        source: ``human`` if a person decided the label or an edge; see ``recognizer.timeline.corrections``.
    """

    person_id: int
    action: str
    start_s: float
    end_s: float
    confidence: float
    counted: tuple[tuple[float, float], ...] | None = field(default=None, compare=False, repr=False)
    source: Source = "machine"

    @property
    def duration_s(self) -> float:
        """Seconds from start to end."""
        return self.end_s - self.start_s


class Detector(Protocol):
    """Detects people. Stateless, shared between streams, safe to call from several threads."""

    def detect(self, frames_rgb: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
        """Return the people in each frame, uint8 (H, W, 3), most confident first."""
        ...


class Classifier(Protocol):
    """Classifies clips. Stateless, shared between streams, safe to call from several threads."""

    @property
    def name(self) -> str:
        """The name in the predictions."""
        ...

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, in the order of the network's outputs."""
        ...

    def classify(self, clips: Sequence[Clip]) -> list[Prediction]:
        """Return one prediction for each clip, in order. Clips may have different numbers of samples."""
        ...

    def warm_up(self, samples: int) -> None:
        """Prepare for clips of ``samples`` samples, so that the first one is not delayed."""
        ...
