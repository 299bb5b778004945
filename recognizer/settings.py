"""The settings of an analysis, one entry each, and the presets.

A field of ``Settings`` carries everything known about the setting: title, command line option, help, allowed
values, what it decides (``Scope``) and its value in the recommended preset. The command line, the sidebar, the keys of
stored passes, the entries of a comparison and the tables in the README follow from these fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import Enum
from typing import Any, Final, Literal, NamedTuple

from recognizer.classifier_specs import SPECS
from recognizer.errors import SettingsError

DETECTOR_NAMES = ("yolo26n.pt", "yolo26s.pt", "yolo26m.pt", "yolo26l.pt", "yolo26x.pt")
CLASSIFIER_NAMES = tuple(SPECS)

_TRACKERS: Final = {
    "bytetrack": "ByteTrack",
    "botsort": "BoT-SORT (also uses appearance)",
    "tracktrack": "TrackTrack (follows a moving camera)",
    "ocsort": "OC-SORT",
    "deepocsort": "Deep OC-SORT (also uses appearance)",
    "fasttrack": "FastTrack",
}
_DEVICES: Final = {
    "auto": "Automatic",
    "cpu": "Processor (CPU)",
    "cuda": "NVIDIA GPU (CUDA)",
    "mps": "Apple GPU (Metal)",
}
_PRECISIONS: Final = {"auto": "Automatic", "float32": "float32"}
_BACKENDS: Final = {"auto": "Automatic", "openvino": "OpenVINO", "pytorch": "PyTorch"}

TRACKER_NAMES = tuple(_TRACKERS)
DEVICE_NAMES = tuple(_DEVICES)
PRECISION_NAMES = tuple(_PRECISIONS)
BACKEND_NAMES = tuple(_BACKENDS)

UNKNOWN_ACTION = "unknown"
"""The action of a segment whose best label is below the minimum confidence."""

MAX_GAP_S = 1.0
"""A person who is lost for longer starts a new clip and a new presence interval."""

LEAST_HEIGHT_PX = 40
"""People shorter than this are tracked but not classified: upscaling them to 112 or 224 pixels would invent most of the
pixels. Notes and the timeline list them (``Timeline.small_ids``)."""

DEFAULT_FRAME_RATE_HZ = 30.0
"""Assumed for a stream without a frame rate: a webcam, ``ActionRecognition``."""


def least_height_px(frame_height_px: int) -> float:
    """Return the minimum height at which a person is classified in a frame of this height.

    In a frame under 200 pixels high, it is a fifth of the height instead of ``LEAST_HEIGHT_PX``, because no larger
    picture exists. 0 if the height is unknown, as for a camera before its first frame.
    """
    return min(LEAST_HEIGHT_PX, frame_height_px / 5)


class Scope(Enum):
    """The scope of a setting: the things it decides. Every setting has exactly one."""

    PERSON = "who is found, where and when"
    CLIP = "which samples make a clip"
    CROP = "what a crop shows"
    LABEL = "how clips are labelled"
    MOVEMENT = "when a movement is called still, slow or fast"
    MACHINE = "what the networks run on"
    KEPT = "what is kept with an analysis"

    @property
    def decides_pass(self) -> bool:
        """Whether another value needs another pass of detection and tracking over the video."""
        return self in (Scope.PERSON, Scope.MACHINE)


class Range(NamedTuple):
    """Allowed values of a number, both ends included; whole numbers if the ends are ``int``."""

    low: float
    high: float


BY_CLASSIFIER: Final = "by classifier"
"""``SettingSpec.recommended`` of a setting whose recommended value depends on the classifier and the frame rate."""


LONG_CLIP_S: Final = 3.0
"""The clips of both presets are shorter, at the frame rates of cameras; longer ones are somebody's choice."""

_HOLDS_SHARE = 0.25
"""Share of the time between two clips. A last clip with less that is new costs as much as any other, and hardly ever
says something else (decision 112)."""


@dataclass(frozen=True)
class SettingSpec:
    """Everything known about one setting.

    Attributes:
        title: the label in the sidebar.
        option: the option on the command line.
        help: explanation for users, in full sentences; shared by the command line, the sidebar and the README.
        scope: what the setting decides.
        choices: the allowed names; empty for numbers, switches and paths.
        choice_titles: the sidebar's text for choices that it does not show unchanged.
        limits: the allowed numbers; None for everything else.
        form: printf format of the number in the sidebar.
        differs: distinguishes an entry of a comparison from others that differ only in this setting: a ``str.format``
            template, or the texts for False and True. Empty if the name of the network distinguishes them.
        recommended: value in the recommended preset, or ``BY_CLASSIFIER``; None if presets do not change it.
        sidebar: its place in the sidebar: at the top, under More, as an upload, or nowhere.
        name: the field's name; filled in by ``specs_of``.
        default: the field's default; filled in by ``specs_of``.
    """

    title: str
    option: str
    help: str
    scope: Scope
    choices: tuple[str, ...] = ()
    choice_titles: Mapping[str, str] = field(default_factory=dict)
    limits: Range | None = None
    form: str = ""
    differs: str | tuple[str, str] = ""
    recommended: Any = None
    sidebar: Literal["top", "more", "upload"] | None = "more"
    name: str = ""
    default: Any = None

    @property
    def kind(self) -> type:
        """``bool``, ``int``, ``float`` or ``str``; an optional path counts as ``str``."""
        return str if self.default is None else type(self.default)

    def check(self, value: Any) -> None:
        """Raise SettingsError, with the allowed values, unless ``value`` is allowed."""
        if self.choices and value not in self.choices:
            raise SettingsError(f"{self.name} is {value!r}; choose one of {', '.join(self.choices)}.")
        if self.kind is bool and not isinstance(value, bool):
            raise SettingsError(f"{self.name} is {value!r}; give True or False.")
        if self.limits is None:
            return
        low, high = self.limits
        whole = self.kind is int
        if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
            kind = "a whole number" if whole else "a number"
            raise SettingsError(f"{self.name} is {value!r}; give {kind} from {low:g} to {high:g}.")
        if not low <= value <= high:
            raise SettingsError(f"{self.name} is {value:g}; give a value from {low:g} to {high:g}.")

    def difference(self, value: Any) -> str:
        """Return a short text for ``value``, for the name of an entry in a comparison."""
        return self.differs.format(value) if isinstance(self.differs, str) else self.differs[bool(value)]


_SPEC: Final = "spec"
"""Key of the ``SettingSpec`` in a field's metadata."""


def setting(default: Any, **spec: Any) -> Any:
    """Make a field of ``Settings`` from its default and the attributes of its ``SettingSpec``."""
    return field(default=default, metadata={_SPEC: SettingSpec(**spec)})


_SPECS_OF: Final[dict[type, dict[str, SettingSpec]]] = {}


def specs_of(settings_class: type[Settings]) -> dict[str, SettingSpec]:
    """Return the specs of a class's settings by name, in the order of declaration.

    Raises:
        TypeError: a field was not made by ``setting``.
    """
    if settings_class not in _SPECS_OF:
        specs = {}
        for one in fields(settings_class):
            if _SPEC not in one.metadata:
                raise TypeError(f"{one.name} has no SettingSpec; declare it with setting(...).")
            specs[one.name] = replace(one.metadata[_SPEC], name=one.name, default=one.default)
        _SPECS_OF[settings_class] = specs
    return _SPECS_OF[settings_class]


class CropStyle(NamedTuple):
    """How people are cut out of a frame: the settings of ``Scope.CROP``.

    Attributes:
        margin_percentage: added on each side of a person's box, in % of its longer side.
        steady: the crop follows its person smoothly.
        surroundings: the picture around the person is cut out as well.
    """

    margin_percentage: int
    steady: bool
    surroundings: bool


@dataclass(frozen=True)
class Settings:
    """The settings of an analysis, checked on creation. The ``help`` of each field describes it.

    The first five are the documented ones; their names, types, order and defaults must not change.

    Raises:
        SettingsError: a value is not allowed; the message has the value and the allowed ones.
    """

    model: str = setting(
        "yolo26n.pt",
        title="Detector",
        option="--detector",
        help="The network that finds people. From n (fastest) to x (most accurate), each finds more small and hidden "
        "people but is slower.",
        scope=Scope.PERSON,
        choices=DETECTOR_NAMES,
    )
    video_classifier_model: str = setting(
        "s3d",
        title="Classifier",
        option="--classifier",
        help="The network that labels what a person does. The more accurate ones are larger and slower.",
        scope=Scope.LABEL,
        choices=CLASSIFIER_NAMES,
        sidebar="top",
    )
    crop_margin_percentage: int = setting(
        10,
        title="Crop margin",
        option="--crop-margin",
        help="What is added around a person's box on each side, in percent of its longer side. More shows what the "
        "person holds and stands on; less keeps other people out.",
        scope=Scope.CROP,
        limits=Range(0, 100),
        form="%d %%",
        differs="margin {} %",
        recommended=10,
        sidebar="top",
    )
    num_video_sequence_samples: int = setting(
        8,
        title="Sequence length",
        option="--sequence-length",
        help="How many samples of a person make one clip. Longer clips show more of an action and give steadier "
        "labels; shorter ones react sooner.",
        scope=Scope.CLIP,
        limits=Range(1, 64),
        form="%d samples",
        differs="{} samples",
        recommended=BY_CLASSIFIER,
        sidebar="top",
    )
    skip_frame: int = setting(
        2,
        title="Skip interval",
        option="--skip",
        help="One frame in this many is sampled. A higher number is faster and lets a clip span more time; fast "
        "movements need a lower one.",
        scope=Scope.PERSON,
        limits=Range(1, 30),
        form="%d",
        recommended=BY_CLASSIFIER,
        sidebar="top",
    )
    min_person_confidence: float = setting(
        0.4,
        title="Detector confidence",
        option="--min-person-confidence",
        help="How confident the detector must be to start tracking a person. Lower it if people are missed; raise it "
        "if objects are mistaken for people.",
        scope=Scope.PERSON,
        limits=Range(0.05, 0.95),
        form="%.2f",
    )
    tracker: str = setting(
        "botsort",
        title="Tracker",
        option="--tracker",
        help="The method that keeps each person's number from frame to frame. BoT-SORT scored best in our "
        "measurements; try another if numbers change.",
        scope=Scope.PERSON,
        choices=TRACKER_NAMES,
        choice_titles=_TRACKERS,
    )
    overlap: float = setting(
        0.25,
        title="Overlap",
        option="--overlap",
        help="The share of a clip's samples that were already in the clip before. More overlap finds the moment of a "
        "change more exactly and takes longer.",
        scope=Scope.CLIP,
        limits=Range(0.0, 0.9),
        form="%.2f",
        differs="overlap {:g}",
        recommended=0.5,
    )
    device: str = setting(
        "auto",
        title="Device",
        option="--device",
        help="What the networks run on. By default an NVIDIA GPU, if there is one.",
        scope=Scope.MACHINE,
        choices=DEVICE_NAMES,
        choice_titles=_DEVICES,
    )
    precision: str = setting(
        "auto",
        title="Precision",
        option="--precision",
        help="The number format of the networks. float32 is the reference; by default a faster format is used where "
        "the processor has one.",
        scope=Scope.MACHINE,
        choices=PRECISION_NAMES,
        choice_titles=_PRECISIONS,
        sidebar=None,
    )
    checkpoint_path: str | None = setting(
        None,
        title="Checkpoint",
        option="--checkpoint",
        help="Your own weights for the classifier's network. Nothing in the file is executed.",
        scope=Scope.LABEL,
        sidebar="upload",
    )
    labels_path: str | None = setting(
        None,
        title="Labels",
        option="--labels",
        help="The checkpoint's labels, one per line, in the order of its outputs.",
        scope=Scope.LABEL,
        sidebar="upload",
    )
    backend: str = setting(
        "auto",
        title="Backend",
        option="--backend",
        help="The library that runs the networks. By default the fastest on this machine, which is measured the first "
        "time a network is used and takes up to a minute.",
        scope=Scope.MACHINE,
        choices=BACKEND_NAMES,
        choice_titles=_BACKENDS,
    )
    steady_crop: bool = setting(
        False,
        title="Steady crop",
        option="--steady-crop",
        help="The crop follows a person smoothly instead of jumping with the detected box. The networks were trained "
        "on footage that does not jump.",
        scope=Scope.CROP,
        differs=("not steady", "steady"),
        recommended=True,
    )
    surroundings: bool = setting(
        False,
        title="Surroundings",
        option="--surroundings",
        help="Also classify the picture around the person, with other people covered, and average the two scores: "
        "where people are often tells what they do. Takes twice as long.",
        scope=Scope.CROP,
        differs=("crop alone", "with surroundings"),
        recommended=True,
    )
    calibrated: bool = setting(
        False,
        title="Calibrated confidence",
        option="--calibrated",
        help="Give a label the confidence that labels with such evidence deserved in our measurements. With "
        "surroundings, a label counts only as far as the crop supports it, and more if the person moves more than the "
        "background. Fitted to I3D; the others use the same rule for their own probabilities.",
        scope=Scope.LABEL,
        differs=("not calibrated", "calibrated"),
        recommended=True,
    )
    smoothing_s: float = setting(
        0.0,
        title="Smoothing",
        option="--smoothing",
        help="The clips around each moment vote for its action, up to this many seconds away. More gives a calmer "
        "timeline and may lose short actions; 0 uses each clip on its own.",
        scope=Scope.LABEL,
        limits=Range(0.0, 10.0),
        form="%.1f s",
        differs="smoothing {:g} s",
        recommended=1.0,
    )

    still_below: float = setting(
        0.2,
        title="Still below",
        option="--still-below",
        help="People who travel slower than this, in body heights per second, are still. Most people walk at 0.6 to "
        "0.8 across the picture, and seemingly slower at an angle to it.",
        scope=Scope.MOVEMENT,
        limits=Range(0.0, 2.0),
        form="%.2f heights/s",
        differs="still below {:g}",
    )
    fast_from: float = setting(
        1.2,
        title="Fast from",
        option="--fast-from",
        help="People who travel at this speed or faster, in body heights per second, are fast. People change from "
        "walking to running at about 1.2.",
        scope=Scope.MOVEMENT,
        limits=Range(0.0, 10.0),
        form="%.2f heights/s",
        differs="fast from {:g}",
    )
    keep_features: bool = setting(
        True,
        title="Keep features",
        option="--keep-features",
        help="Keep what the classifier computed of each clip, so that your own actions can be taught and named. Takes "
        "about 7 MB for an hour of one person.",
        scope=Scope.KEPT,
        differs=("features not kept", "features kept"),
    )

    def __post_init__(self) -> None:
        for name, spec in specs_of(type(self)).items():
            spec.check(getattr(self, name))
        if (self.checkpoint_path is None) != (self.labels_path is None):
            missing = "labels_path" if self.labels_path is None else "checkpoint_path"
            raise SettingsError(f"{missing} is missing; a checkpoint and its label file go together.")

    def sample_interval_s(self, frame_rate_hz: float) -> float:
        """Return the seconds between two samples of a person in a stream of ``frame_rate_hz``."""
        return self.skip_frame / frame_rate_hz

    def clip_span_s(self, frame_rate_hz: float) -> float:
        """Return the seconds of video that one clip covers: the time until a person's first label."""
        return self.num_video_sequence_samples * self.sample_interval_s(frame_rate_hz)

    @property
    def new_samples_per_clip(self) -> int:
        """The number of new samples a person needs between two clips; at least one."""
        return max(1, round(self.num_video_sequence_samples * (1.0 - self.overlap)))

    def label_holds_s(self, frame_rate_hz: float) -> float:
        """Return how long a label holds beyond its clip if the person is gone by then: no clip is made for less."""
        return _HOLDS_SHARE * self.new_samples_per_clip * self.sample_interval_s(frame_rate_hz)

    @property
    def asks_for_evidence(self) -> bool:
        """Whether a label's confidence follows from its evidence; a user's own labels have none that was measured."""
        return self.calibrated and self.surroundings and self.checkpoint_path is None

    @property
    def crop_style(self) -> CropStyle:
        """The settings that decide what a crop shows."""
        return CropStyle(self.crop_margin_percentage, self.steady_crop, self.surroundings)

    def as_dict(self) -> dict[str, Any]:
        """Return the values by name, in the order of declaration."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    def max_gap_s(self, frame_rate_hz: float) -> float:
        """Return how long a person may be lost without ending the clip: at least one and a half sample intervals."""
        return max(MAX_GAP_S, 1.5 * self.sample_interval_s(frame_rate_hz))


SETTING_SPECS: Final = specs_of(Settings)
"""Every setting by name, in the order of declaration."""

RANGES: Final = {name: spec.limits for name, spec in SETTING_SPECS.items() if spec.limits is not None}
"""The allowed values of every number."""

PRESET_FIELDS: Final = tuple(name for name, spec in SETTING_SPECS.items() if spec.recommended is not None)
"""The settings that a preset decides; it does not change the others."""


def settings_from(values: Mapping[str, Any]) -> Settings:
    """Return stored settings; those that this version does not know are left out, and missing ones have the default.

    Raises:
        SettingsError: a value is not allowed.
    """
    return Settings(**{name: value for name, value in values.items() if name in SETTING_SPECS})


def specs_by_scope() -> list[SettingSpec]:
    """Return every setting, in the order of ``Scope`` and, within a scope, of declaration."""
    order = list(Scope)
    return sorted(SETTING_SPECS.values(), key=lambda spec: order.index(spec.scope))


Preset = Literal["recommended", "documented", "custom"]

RECOMMENDED_MIN_CONFIDENCE: Final = 0.3
"""Minimum confidence of the recommended preset. With it, people doing no known action are labelled at most
12 % of the time, and people doing one at least 80 %, on videos held out (docs/accuracy.md)."""


def recommended(settings: Settings, frame_rate_hz: float | None = None) -> Settings:
    """Return ``settings`` with the values that label people best, measured in ``docs/accuracy.md``.

    Args:
        settings: gives the classifier and everything that presets do not change.
        frame_rate_hz: frame rate of the stream, 30 if None; a clip spans the same time at any frame rate.
    """
    rate_hz = frame_rate_hz or DEFAULT_FRAME_RATE_HZ
    classifier = SPECS[settings.video_classifier_model]
    skip = _within("skip_frame", rate_hz / classifier.recommended_rate_hz)
    fitting = _within("num_video_sequence_samples", classifier.recommended_span_s * rate_hz / skip)
    fixed = {name: spec.recommended for name, spec in SETTING_SPECS.items() if name in PRESET_FIELDS}
    return replace(settings, **fixed | {"num_video_sequence_samples": fitting, "skip_frame": skip})


def chosen(preset: Preset, own: Mapping[str, Any], frame_rate_hz: float | None = None) -> Settings:
    """Return a preset with a user's own values in place of its own.

    Args:
        preset: ``custom`` counts as ``documented``.
        own: values by the names of settings.
        frame_rate_hz: frame rate of the stream; 30 if None.

    Raises:
        SettingsError: a value is not allowed.
    """
    settings = replace(Settings(), **own)
    return replace(recommended(settings, frame_rate_hz), **own) if preset == "recommended" else settings


def _within(name: str, value: float) -> int:
    low, high = RANGES[name]
    return int(min(max(round(value), low), high))


def documented(settings: Settings) -> Settings:
    """Return ``settings`` with the documented defaults for everything that a preset decides."""
    return replace(settings, **{name: SETTING_SPECS[name].default for name in PRESET_FIELDS})


def preset_of(settings: Settings, frame_rate_hz: float | None = None) -> Preset:
    """Return the preset that these settings match, for a stream of this frame rate."""
    if settings == recommended(settings, frame_rate_hz):
        return "recommended"
    return "documented" if settings == documented(settings) else "custom"
