"""The JSON document of a timeline as types, which validate input and generate the JSON Schema.

``docs/json-schema.md`` explains every field. After a change, regenerate
``docs/timeline.schema.json`` with ``python -m recognizer.export.schema``.

Only the schema has ranges and patterns. Reading is more lenient, so that a rounded probability, for example, never
makes a stored analysis unreadable.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from recognizer.settings import Settings, SettingSpec, specs_of

PATH_SETTINGS: Final = ("checkpoint_path", "labels_path")

_REQUIRED_SETTINGS: Final = (
    "model",
    "video_classifier_model",
    "crop_margin_percentage",
    "num_video_sequence_samples",
    "skip_frame",
)
"""Every document of version 1.x has these. For the others, the schema gives only the type: a minor version may add
names and widen ranges."""

_JSON_TYPES: Final[dict[type, str]] = {bool: "boolean", int: "integer", float: "number", str: "string"}


def _setting_schema(spec: SettingSpec) -> dict[str, Any]:
    kind = _JSON_TYPES[spec.kind]
    schema: dict[str, Any] = {"type": kind if spec.default is not None else [kind, "null"], "title": spec.title}
    if spec.name in PATH_SETTINGS:
        schema |= {"pattern": "^[^/\\\\]*$", "description": "file name only, never a folder"}
    if spec.name in _REQUIRED_SETTINGS and spec.limits is not None:
        schema |= {"minimum": spec.limits.low, "maximum": spec.limits.high}
    return schema


Seconds = Annotated[float, Meta(extra_json_schema={"minimum": 0})]
Probability = Annotated[float, Meta(extra_json_schema={"minimum": 0, "maximum": 1})]
PersonId = Annotated[int, Meta(extra_json_schema={"minimum": 1})]
Pixels = Annotated[int, Meta(extra_json_schema={"minimum": 0}, description="square pixels of the upright picture")]
SettingValues = Annotated[
    dict[str, Any],
    Meta(
        description="what the analysis was made with",
        extra_json_schema={
            "required": list(_REQUIRED_SETTINGS),
            "properties": {name: _setting_schema(spec) for name, spec in specs_of(Settings).items()},
        },
    ),
]


class Video(Struct):
    """The analyzed video; null where a value is unknown."""

    sha256: Annotated[
        str | None,
        Meta(
            description="hash of the file's bytes, or of its parts' hashes; null for a live stream",
            extra_json_schema={"pattern": "^[0-9a-f]{64}$"},
        ),
    ]
    width: Pixels
    height: Pixels
    frame_rate: Annotated[
        str | None,
        Meta(
            description="usual frames per second as an exact fraction, such as 30000/1001",
            extra_json_schema={"pattern": "^[0-9]+(/[0-9]+)?$"},
        ),
    ]
    duration_s: Annotated[float | None, Meta(description="time at which the pictures end, as the container states it")]
    frame_count: Annotated[
        int | None, Meta(description="number of decoded frames; as the container states it while not complete")
    ]
    codec: str | None


class Thresholds(Struct):
    """The thresholds of the segments; the predictions do not depend on them."""

    min_confidence: Probability
    min_duration_s: Seconds


class Samples(Struct, gc=False):
    """Where a person was; entry k of each list belongs to one sampled frame."""

    time_s: list[float]
    box_xyxy: Annotated[
        list[tuple[float, float, float, float]],
        Meta(description="x1, y1, x2, y2 in pixels; x2 and y2 are exclusive"),
    ]
    confidence: Annotated[list[float], Meta(description="the detector's")]


class MovementSpan(Struct, gc=False):
    """A stretch of time in which a person moves in one way."""

    start_s: Seconds
    end_s: Seconds
    movement: Annotated[str, Meta(description="still, slow, fast or unknown")]
    heights_per_s: Annotated[float | None, Meta(description="mean speed; null where it is unknown")]
    reason: Annotated[str | UnsetType, Meta(description="why it is unknown")] = UNSET


class Movement(Struct):
    """How fast a person travels across the picture, the camera's motion taken out."""

    known_s: Annotated[Seconds, Meta(description="time in which the movement is known")]
    still_s: Seconds
    slow_s: Seconds
    fast_s: Seconds
    mean_heights_per_s: Annotated[float | None, Meta(description="body heights per second, where known")]
    max_heights_per_s: float | None
    spans: list[MovementSpan]


class Camera(Struct):
    """The camera's motion from one sampled frame to the next; entry k of each list belongs to one sampled frame."""

    time_s: list[float]
    steps: Annotated[
        list[tuple[float, float, float, float] | None],
        Meta(
            description="cosine, sine, x, y of the motion since the sample before: a still point z moves to "
            "(cosine + i sine) z + x + i y, in pixels; null where it is unknown"
        ),
    ]


class Person(Struct):
    """A person in the video."""

    person_id: PersonId
    presence: Annotated[
        list[tuple[float, float]], Meta(description="intervals [start_s, end_s) in which the person was there")
    ]
    samples: Samples | UnsetType = UNSET
    name: Annotated[str | UnsetType, Meta(description="the name that a user gave")] = UNSET
    movement: Movement | UnsetType = UNSET


class Segment(Struct, gc=False):
    """An action of one person from its start to its end."""

    person_id: PersonId
    action: Annotated[str, Meta(description="a label, or unknown where no label was probable enough")]
    start_s: Seconds
    end_s: Seconds
    confidence: Annotated[
        Probability,
        Meta(
            description="mean probability of the action, weighted by time; of the most probable label where the action "
            "is unknown; 1 where a person made the label"
        ),
    ]
    source: Annotated[
        Literal["machine", "human"] | UnsetType,
        Meta(description="human if a person corrected the label or an edge; machine if missing"),
    ] = UNSET
    checked: Annotated[bool | UnsetType, Meta(description="true if a person has checked the whole segment")] = UNSET


class Filter(Struct):
    """What the segments were chosen by; null where everything is kept."""

    person_ids: list[PersonId] | None
    actions: list[str] | None
    min_confidence: Probability
    max_confidence: Probability | None
    start_s: Seconds
    end_s: Seconds | None
    checked: Annotated[bool | None, Meta(description="whether a person has checked the segments")]


class LabelGroups(Struct):
    """The groups that stand in place of labels, in segments and predictions."""

    groups: Annotated[dict[str, list[str]], Meta(description="by name of the group, its labels")]
    other: Annotated[str | None, Meta(description="the name of all labels in no group; null if they keep theirs")]


class LabelProbability(Struct, gc=False):
    """A label with its probability."""

    label: str
    probability: Annotated[Probability, Meta(description="how sure the label is")]
    network_probability: Annotated[
        Probability | UnsetType,
        Meta(description="the network's own, which decides between labels; missing where probability is the same"),
    ] = UNSET


class Prediction(Struct):
    """The output of the classifier for one clip."""

    person_id: PersonId
    start_s: Seconds
    end_s: Seconds
    classifier: str
    top: Annotated[
        list[LabelProbability],
        Meta(min_length=1, description="the most probable labels, descending", extra_json_schema={"maxItems": 5}),
    ]


class StreamFacts(Struct):
    """One of the video streams in the file."""

    index: Annotated[int, Meta(description="its number among all streams of the file, from 0")]
    width: Annotated[int, Meta(description="pixels, as stored")]
    height: Annotated[int, Meta(description="pixels, as stored")]
    codec: str | None = None
    is_default: bool = False


class DamagedSpan(Struct):
    """A stretch of the video in which packets could not be decoded."""

    start_s: float
    end_s: float
    packets: Annotated[int, Meta(description="packets that were skipped; 0 where they were lost before decoding")]


class Part(Struct):
    """One of several files that make one recording."""

    name: str
    start_s: Annotated[float, Meta(description="time of its first moment in the recording")]
    sha256: str | None = None


class Reading(Struct, omit_defaults=True):
    """How the video was read; a missing field has its default, which is that of a plain file."""

    line: Annotated[str, Meta(description="the fields below in one line, for people")] = ""
    stream: Annotated[int | None, Meta(description="number of the stream that was read, from 0")] = None
    other_streams: Annotated[list[StreamFacts], Meta(description="the other video streams, without covers")] = []
    stream_given: Annotated[bool, Meta(description="whether the user chose the stream")] = False
    stored_wh: Annotated[tuple[int, int] | None, Meta(description="size of the stored pictures, upright")] = None
    shown_wh: Annotated[tuple[int, int] | None, Meta(description="size with square pixels")] = None
    pixel_aspect: Annotated[
        str,
        Meta(
            description="width of a stored pixel divided by its height",
            extra_json_schema={"pattern": "^[0-9]+(/[1-9][0-9]*)?$"},
        ),
    ] = "1"
    deinterlaced: bool = False
    tone_mapped_from: Annotated[
        str | None, Meta(description="the transfer curve that was mapped to BT.709, such as PQ or HLG")
    ] = None
    assumed_colors: Annotated[
        str | None, Meta(description="the color space that was assumed because the file names none")
    ] = None
    letterboxed_from_s: Annotated[
        float | None, Meta(description="time from which pictures have borders, because their shape changed")
    ] = None
    first_picture_s: Annotated[float, Meta(description="time of the first picture on the file's clock")] = 0.0
    rate_assumed_hz: Annotated[
        float | None, Meta(description="frames per second that were assumed because the file states none")
    ] = None
    rate_given_hz: Annotated[float | None, Meta(description="frames per second that the user gave")] = None
    repaired_stamps: Annotated[int, Meta(description="pictures whose time was estimated")] = 0
    damaged: list[DamagedSpan] = []
    pauses: Annotated[
        list[tuple[float, float]], Meta(description="other stretches without a new picture: start_s, end_s")
    ] = []
    parts: Annotated[list[Part], Meta(description="the files of the recording; empty for a single file")] = []


class Document(Struct):
    """The export of one analysis, schema version 1.x.

    All times are seconds from the start of the video; intervals are half-open. A later minor version may add
    properties, so readers ignore those they do not know.
    """

    schema_version: Annotated[str, Meta(extra_json_schema={"pattern": "^1\\.[0-9]+$"})]
    complete: Annotated[bool, Meta(description="false where the analysis was cancelled or still running")]
    analysed_s: Annotated[Seconds, Meta(description="time up to which the video was analyzed")]
    video: Video
    settings: SettingValues
    provenance: Annotated[dict[str, str], Meta(description="versions of the libraries, hashes of the weights")]
    notes: Annotated[list[str], Meta(description="remarks for people, such as a file that ends early")]
    thresholds: Thresholds
    people: Annotated[list[Person], Meta(description="everyone who was detected, by person_id")]
    segments: Annotated[list[Segment], Meta(description="who does what, by person, then by time")]
    predictions: Annotated[
        list[Prediction],
        Meta(description="one for each clip, by person, then by time; clips of one person overlap"),
    ]
    filter: Annotated[Filter | UnsetType, Meta(description="missing if the segments are all there are")] = UNSET
    label_groups: LabelGroups | UnsetType = UNSET
    reading: Reading | UnsetType = UNSET
    camera: Camera | UnsetType = UNSET
    frame_times_s: Annotated[list[float] | UnsetType, Meta(description="presentation time of every decoded frame")] = (
        UNSET
    )
