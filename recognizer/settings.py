"""The settings of an analysis: five documented arguments and a few more; and the presets.

``docs/accuracy.md`` has the measurements behind the recommended preset; ``benchmarks/labels.py`` repeats them.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Final, Literal, NamedTuple

from recognizer.errors import SettingsError

DETECTOR_NAMES = ("yolo26n.pt", "yolo26s.pt", "yolo26m.pt", "yolo26l.pt", "yolo26x.pt")
CLASSIFIER_NAMES = (
    "s3d",
    "r3d_18",
    "mc3_18",
    "r2plus1d_18",
    "mvit_v1_b",
    "mvit_v2_s",
    "swin3d_t",
    "swin3d_s",
    "swin3d_b",
    "i3d",
)
TRACKER_NAMES = ("bytetrack", "botsort", "tracktrack", "ocsort", "deepocsort", "fasttrack")
DEVICE_NAMES = ("auto", "cpu", "cuda", "mps")
PRECISION_NAMES = ("auto", "float32")
BACKEND_NAMES = ("auto", "openvino", "pytorch")

UNKNOWN_ACTION = "unknown"
"""What a timeline says where no label is sure enough."""

MAX_GAP_S = 1.0
"""A track that is lost for longer than this starts a new clip and a new presence interval."""

LEAST_HEIGHT_PX = 40
"""Who is less high in the picture is followed, but not named: the networks see 112 or 224 pixels, and of a person this
small they would get six times as many as there are. Whoever is that small is told so (Timeline.small_ids)."""

DEFAULT_FRAME_RATE_HZ = 30.0
"""Assumed where a stream does not tell its frame rate (a webcam, the drop-in class)."""


class Range(NamedTuple):
    """Allowed values of a number, both ends included."""

    low: float
    high: float


RANGES: dict[str, Range] = {
    "crop_margin_percentage": Range(0, 100),
    "num_video_sequence_samples": Range(1, 64),
    "skip_frame": Range(1, 30),
    "min_person_confidence": Range(0.05, 0.95),
    "overlap": Range(0.0, 0.9),
    "smoothing_s": Range(0.0, 10.0),
}

_CHOICES: dict[str, tuple[str, ...]] = {
    "model": DETECTOR_NAMES,
    "video_classifier_model": CLASSIFIER_NAMES,
    "tracker": TRACKER_NAMES,
    "device": DEVICE_NAMES,
    "precision": PRECISION_NAMES,
    "backend": BACKEND_NAMES,
}


_SWITCHES = ("steady_crop", "surroundings", "calibrated")


class CropStyle(NamedTuple):
    """How people are cut out of a frame; the rest of the settings does not change a crop.

    Attributes:
        margin_percentage: added on each side of a person's box, in % of its longer side.
        steady: the crop follows its person smoothly.
        surroundings: the picture around the person is cut out too.
    """

    margin_percentage: int
    steady: bool
    surroundings: bool


def least_height_px(frame_height_px: int) -> float:
    """From which height on people are named, in a picture of this height; under 200 pixels a fifth of it: whoever
    analyses such a picture has no other. 0 where the height is not known, as a camera's before its first frame."""
    return min(LEAST_HEIGHT_PX, frame_height_px / 5)


@dataclass(frozen=True)
class Settings:
    """What an analysis is made with; checked when made.

    Attributes:
        model: file name of the person detector.
        video_classifier_model: name of the network that names each clip.
        crop_margin_percentage: how much is added on each side of a person's box, in % of the box's longer side.
        num_video_sequence_samples: how many crops of one person make a clip.
        skip_frame: every ``skip_frame``-th frame is sampled; as a time, ``skip_frame / frame_rate`` seconds.
        min_person_confidence: a person starts to be tracked at this detector confidence.
        tracker: how boxes of successive frames are joined into people.
        overlap: share of a clip's samples that were already in the person's previous clip.
        device: where the networks run; ``auto`` takes a GPU where there is one.
        precision: number format of the networks; ``float32`` is the reference.
        backend: library that runs the networks; ``auto`` takes what is quickest on this machine, measured once.
        steady_crop: the crop follows its person smoothly instead of jumping with the box from sample to sample.
        surroundings: each clip is also named by the largest square of the picture around the person, and the scores of
            the two are averaged; this doubles the classifier's work.
        calibrated: probabilities are those of being right, where that was measured for the classifier
            (``ClassifierSpec.temperature``), and not the network's own, which is too sure.
        smoothing_s: time over which the predictions around a moment are weighed when segments are made; 0 takes each
            prediction by itself.
        checkpoint_path: a person's own weights for ``video_classifier_model``; None for the published ones.
        labels_path: the label file that goes with the checkpoint, one label a line.

    Raises:
        SettingsError: a value is outside its range; the message says which and what is allowed.
    """

    model: str = "yolo26n.pt"
    video_classifier_model: str = "s3d"
    crop_margin_percentage: int = 10
    num_video_sequence_samples: int = 8
    skip_frame: int = 2
    min_person_confidence: float = 0.4
    tracker: str = "botsort"
    overlap: float = 0.25
    device: str = "auto"
    precision: str = "auto"
    checkpoint_path: str | None = None
    labels_path: str | None = None
    backend: str = "auto"
    steady_crop: bool = False
    surroundings: bool = False
    calibrated: bool = False
    smoothing_s: float = 0.0

    def __post_init__(self) -> None:
        for name, allowed in _CHOICES.items():
            value = getattr(self, name)
            if value not in allowed:
                raise SettingsError(f"{name} is {value!r}; choose one of {', '.join(allowed)}.")
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            whole = isinstance(low, int)
            if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
                kind = "a whole number" if whole else "a number"
                raise SettingsError(f"{name} is {value!r}; give {kind} from {low:g} to {high:g}.")
            if not low <= value <= high:
                raise SettingsError(f"{name} is {value:g}; give a value from {low:g} to {high:g}.")
        for name in _SWITCHES:
            if not isinstance(getattr(self, name), bool):
                raise SettingsError(f"{name} is {getattr(self, name)!r}; give True or False.")
        if (self.checkpoint_path is None) != (self.labels_path is None):
            missing = "labels_path" if self.labels_path is None else "checkpoint_path"
            raise SettingsError(f"{missing} is missing; a checkpoint and its label file go together.")

    def sample_interval_s(self, frame_rate_hz: float) -> float:
        """Seconds between two samples of a person in a stream of ``frame_rate_hz``."""
        return self.skip_frame / frame_rate_hz

    def clip_span_s(self, frame_rate_hz: float) -> float:
        """Seconds of video that one clip covers: the time until a person's first label."""
        return self.num_video_sequence_samples * self.sample_interval_s(frame_rate_hz)

    @property
    def new_samples_per_clip(self) -> int:
        """How many new samples a person needs between two clips; at least one."""
        return max(1, round(self.num_video_sequence_samples * (1.0 - self.overlap)))

    @property
    def crop_style(self) -> CropStyle:
        """What decides what a crop shows."""
        return CropStyle(self.crop_margin_percentage, self.steady_crop, self.surroundings)

    def as_dict(self) -> dict[str, Any]:
        """Field names and values, in the order of declaration."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def max_gap_s(self, frame_rate_hz: float) -> float:
        """Longest loss that a person's clip survives; never shorter than the way to the next sample and a half."""
        return max(MAX_GAP_S, 1.5 * self.sample_interval_s(frame_rate_hz))


Preset = Literal["recommended", "documented", "custom"]

_CLIP: Final[dict[str, tuple[int, float]]] = {
    "s3d": (32, 15.0),
    "r3d_18": (16, 15.0),
    "mc3_18": (16, 15.0),
    "r2plus1d_18": (16, 15.0),
    "mvit_v1_b": (16, 7.5),
    "mvit_v2_s": (16, 7.5),
    "swin3d_t": (32, 15.0),
    "swin3d_s": (32, 15.0),
    "swin3d_b": (32, 15.0),
    "i3d": (38, 15.0),
}
"""Samples of a clip, and how many a second: those of the published accuracies (torchvision's documentation:
``clip_len`` and ``frame_rate``). But ``s3d`` was trained on 128, over eight seconds, for which no label should wait;
and ``i3d`` on 64 at 25 a second (arXiv 1705.07750): the same 2.56 s, of which fewer pictures serve as well."""

_AROUND: Final[dict[str, Any]] = {
    "crop_margin_percentage": 10,
    "overlap": 0.5,
    "steady_crop": True,
    "surroundings": True,
    "calibrated": True,
    "smoothing_s": 1.0,
}

RECOMMENDED_MIN_CONFIDENCE: Final = 0.3
"""Below this, what is recommended says ``unknown``: then who does none of the labels gets one in at most a fifth of the
time, and who does one of them in at least four fifths (docs/accuracy.md)."""

PRESET_FIELDS: Final = ("num_video_sequence_samples", "skip_frame", *_AROUND)
"""The settings that a preset decides; the others are the person's own."""


def recommended(settings: Settings, frame_rate_hz: float | None = None) -> Settings:
    """``settings`` with what names people best, for its classifier and a stream of this frame rate.

    Args:
        settings: gives the classifier, and all that a preset leaves alone.
        frame_rate_hz: a clip spans the same time at any; the usual 30 where it is not known.
    """
    rate_hz = frame_rate_hz or DEFAULT_FRAME_RATE_HZ
    samples, samples_hz = _CLIP[settings.video_classifier_model]
    allowed = RANGES["skip_frame"]
    skip = int(min(max(round(rate_hz / samples_hz), allowed.low), allowed.high))
    most = RANGES["num_video_sequence_samples"]
    fitting = int(min(max(round(samples / samples_hz * rate_hz / skip), most.low), most.high))
    return replace(settings, num_video_sequence_samples=fitting, skip_frame=skip, **_AROUND)


def documented(settings: Settings) -> Settings:
    """``settings`` with the documented defaults in all that a preset decides."""
    return replace(settings, **{name: getattr(Settings, name) for name in PRESET_FIELDS})


def preset_of(settings: Settings, frame_rate_hz: float | None = None) -> Preset:
    """Which preset these settings are, for a stream of this frame rate."""
    if settings == recommended(settings, frame_rate_hz):
        return "recommended"
    return "documented" if settings == documented(settings) else "custom"
