"""A user's own actions: the names, the examples that teach them, and the set that holds both."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from recognizer.actions.descriptors import Descriptors
from recognizer.actions.posture import POSTURE
from recognizer.errors import ActionsError
from recognizer.settings import UNKNOWN_ACTION
from recognizer.timeline.features import FeatureSpace, FeatureTable
from recognizer.timeline.model import Timeline

NONE_OF_THESE: Final = "none of these"
"""What users call an example of no action; it has no name in the data."""

MOST_NAME_CHARS: Final = 60
"""Longer names fit neither a lane nor a legend."""

MOST_TITLE_CHARS: Final = 100

_JOINERS: Final = "\u200c\u200d"
"""Invisible themselves, but words of Persian and Hindi and many emoji are written with them."""

MOST_ACTIONS: Final = 100
"""More than anybody tells apart by example; a bound for files from elsewhere."""

MOST_EXAMPLES: Final = 1000
"""Ten times as many as the largest set that was measured; so many are still learned in about a second."""

BACKGROUND_CLIPS: Final = 4
"""Clips of a video that tell what all moments share; twice as many change no figure (docs/own-actions.md)."""

MOST_BACKGROUNDS: Final = 64
"""Videos whose clips do so, the latest: 4 MB of the largest network."""

PICTURES: Final = 3
"""Pictures of an example: from the beginning, the middle and the end of the moment."""


_SAME_SPAN: Final = 1.2
"""Clips show the same movement up to this ratio of their lengths: other frame rates round the number of samples."""


class ClipSettings(NamedTuple):
    """How clips were cut when an action was taught; other settings change features a little, not what they mean.

    Attributes:
        views: 1 for the crop alone, 2 with the surroundings.
        samples: samples of a clip.
        skip_frame: frames from one sample to the next.
        backend: what the network ran on and its number format, such as ``openvino-bfloat16``.
        span_s: length of a clip; the same settings span other times at other frame rates.
    """

    views: int
    samples: int
    skip_frame: int
    backend: str
    span_s: float


@dataclass(frozen=True)
class OwnAction:
    """One name of a user's own.

    Attributes:
        name: as ``checked_name`` returns it; unique in its set, capitals aside.
        slot: its slot of the palette; None for the next free one.
    """

    name: str
    slot: int | None = None


@dataclass(frozen=True, eq=False)
class Example:
    """A moment of one person that shows an action, or none of them. It still works when its video is gone.

    Attributes:
        example_id: identifies it; cannot be guessed.
        action: the name of its action; None for none of these.
        video_sha256: hash of the video; None for a camera's stream.
        video_name: the user's name for the video.
        person_id: the person's number in the analysis, as corrected.
        start_s: start of the moment.
        end_s: its end; exclusive.
        features: float32 (2 V, D), as ``FeatureTable.values``: the mean over the clips of the moment.
        posture: float64 (P,), see ``recognizer.actions.posture``.
        added_at: when it was added.
        pictures: up to three JPEGs, from the moment's beginning, middle and end; none if the video was gone, or where
            they are not loaded.
        picture_count: how many there are.
    """

    example_id: str
    action: str | None
    video_sha256: str | None
    video_name: str
    person_id: int
    start_s: float
    end_s: float
    features: NDArray[np.float32]
    posture: NDArray[np.float64]
    added_at: datetime
    pictures: tuple[bytes, ...] = ()
    picture_count: int = 0

    @property
    def video_key(self) -> str:
        """Identifies the video; a camera's streams are told apart by their names."""
        return self.video_sha256 or self.video_name

    @property
    def moment_key(self) -> tuple[str, int, int, int]:
        """Identifies the moment: two examples with one key are the same, whoever marked them. Times to 10 ms."""
        return self.video_key, self.person_id, round(self.start_s * 100), round(self.end_s * 100)


@dataclass(frozen=True, eq=False)
class Background:
    """A few clips of a video without names: what moments share is not what tells them apart.

    Attributes:
        video_key: identifies the video, like that of an example.
        features: float32 (m, 2 V, D), in the order of time.
    """

    video_key: str
    features: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class ActionSet:
    """Actions that are used together, with the examples that teach them.

    Attributes:
        set_id: identifies it; cannot be guessed.
        title: the user's name for it.
        space: the network whose features it is made of; None until the first example, and then so is ``clips``.
        clips: how clips were cut when the first example was added.
        actions: the names, in the user's order.
        examples: those of all actions and of none, in the order in which they were added.
        revision: grows with each change.
        backgrounds: of the videos that were taught from or named, the latest last.
    """

    set_id: str
    title: str
    space: FeatureSpace | None = None
    clips: ClipSettings | None = None
    actions: tuple[OwnAction, ...] = ()
    examples: tuple[Example, ...] = ()
    revision: int = 0
    backgrounds: tuple[Background, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the actions, in the user's order."""
        return tuple(one.name for one in self.actions)

    def examples_of(self, action: str | None) -> tuple[Example, ...]:
        """Return the examples of an action, or those of none of these."""
        return tuple(one for one in self.examples if one.action == action)

    @cached_property
    def descriptors(self) -> Descriptors:
        """The examples as the head takes them, in their order; only for a set that has some."""
        return descriptors_of(self.examples)

    @cached_property
    def background(self) -> Descriptors | None:
        """The clips of all backgrounds as the head takes them; None if there are none."""
        if not self.backgrounds:
            return None
        return unnamed(np.concatenate([one.features for one in self.backgrounds]))

    @cached_property
    def sha256(self) -> str:
        """Hash of everything that decides which names are given: the network, the names and the examples."""
        digest = hashlib.sha256(msgspec.json.encode([self.space, self.names]))
        for one in sorted(self.examples, key=lambda one: (*one.moment_key, one.action or "")):
            digest.update(msgspec.json.encode([one.moment_key, one.action]))
            digest.update(one.features.tobytes())
            digest.update(one.posture.tobytes())
        for background in sorted(self.backgrounds, key=lambda one: one.video_key):
            digest.update(background.video_key.encode())
            digest.update(background.features.tobytes())
        return digest.hexdigest()

    def misfit(self, space: FeatureSpace, views: int) -> str | None:
        """Return one sentence that says why features of a network do not fit this set; None if they do."""
        if self.space is None or self.clips is None:
            return None
        if space.classifier != self.space.classifier or space.size != self.space.size:
            return (
                f"'{self.title}' was taught with {self.space.classifier}, and this analysis is by {space.classifier}; "
                f"analyse the video with {self.space.classifier}."
            )
        if space.weights_sha256 != self.space.weights_sha256:
            return (
                f"'{self.title}' was taught with other weights of {space.classifier} (their hash begins with "
                f"{self.space.weights_sha256[:8]}, here with {space.weights_sha256[:8]}); use the same weights."
            )
        if views != self.clips.views:
            taught, given = ("on", "off") if self.clips.views > views else ("off", "on")
            return (
                f"'{self.title}' was taught with Surroundings {taught}, and this analysis has them {given}; analyse "
                f"the video with Surroundings {taught}."
            )
        return None

    def remark(self, clips: ClipSettings) -> str | None:
        """Return one sentence about clips much longer or shorter than those of the set; None if there is nothing."""
        if self.clips is None:
            return None
        ours_s, theirs_s = clips.span_s, self.clips.span_s
        if max(ours_s, theirs_s) <= _SAME_SPAN * min(ours_s, theirs_s):
            return None
        return (
            f"A clip is {ours_s:.1f} s long in this analysis and {theirs_s:.1f} s where this set was taught, so names "
            "may be less certain."
        )


def descriptors_of(examples: Iterable[Example]) -> Descriptors:
    """Return examples as the head takes them, in their order; at least one."""
    some = tuple(examples)
    return Descriptors(np.stack([one.features for one in some]), np.stack([one.posture for one in some]))


def unnamed(features: NDArray[np.float32]) -> Descriptors:
    """Return clips, float32 (n, 2 V, D), as the head takes moments without a name."""
    return Descriptors(features, np.full((len(features), len(POSTURE)), np.nan))


def background_of(table: FeatureTable) -> NDArray[np.float32]:
    """Return a few clips, evenly spread over those with features, float32 (m, 2 V, D)."""
    known = np.flatnonzero(table.has)
    places = np.linspace(0, len(known) - 1, min(len(known), BACKGROUND_CLIPS))
    return table.values(known[np.unique(np.round(places).astype(np.intp))])


def with_network(before: ActionSet, space: FeatureSpace | None, clips: ClipSettings | None) -> ActionSet:
    """Return a set without examples as one of another network, whose backgrounds cannot be those of its old one."""
    views = (None if one is None else one.views for one in (before.clips, clips))
    is_same = before.space == space and len(set(views)) == 1
    kept = before.backgrounds if is_same else ()
    return replace(before, space=space, clips=clips, backgrounds=kept)


def with_background(before: ActionSet, background: Background) -> ActionSet:
    """Return a set with the background of one more video; the same set if it has it."""
    if not len(background.features) or any(one.video_key == background.video_key for one in before.backgrounds):
        return before
    return replace(before, backgrounds=(*before.backgrounds, background)[-MOST_BACKGROUNDS:])


def clip_settings(timeline: Timeline, views: int) -> ClipSettings:
    """Return how the clips of a timeline, whose features have ``views`` views, were cut."""
    settings = timeline.settings
    backend = timeline.provenance.get("classifier_backend", settings.backend)
    span_s = settings.clip_span_s(timeline.frame_rate_hz)
    return ClipSettings(views, settings.num_video_sequence_samples, settings.skip_frame, backend, span_s)


def checked_name(text: str) -> str:
    """Return a name for an action without spaces around it.

    Raises:
        ActionsError: it is empty, too long, a word with another meaning here, or holds control characters.
    """
    name = checked_text(text, "an action's name", MOST_NAME_CHARS)
    if name.casefold() in (UNKNOWN_ACTION, NONE_OF_THESE):
        raise ActionsError(f"'{name}' has another meaning here; choose another name for the action.")
    return name


def checked_title(text: str) -> str:
    """Return a title for a set without spaces around it.

    Raises:
        ActionsError: it is empty, too long, or holds control characters.
    """
    return checked_text(text, "the title of a set", MOST_TITLE_CHARS)


def checked_text(text: str, what: str, most: int) -> str:
    """Return a short text in one line, in Unicode's composed form; ``what`` it is stands in messages.

    Raises:
        ActionsError: it is empty, too long, or holds control characters.
    """
    if len(text) > 4 * most:  # before any work on it
        raise ActionsError(f"{what} has {len(text):,} characters; use up to {most}.")
    plain = unicodedata.normalize("NFC", " ".join(text.split())).strip(_JOINERS + " ")
    if any(unicodedata.category(char).startswith("C") and char not in _JOINERS for char in plain):
        raise ActionsError(f"{what} holds characters that cannot be shown; type it again.")
    if not plain:
        raise ActionsError(f"{what} is empty; type one.")
    if len(plain) > most:
        raise ActionsError(f"{what} has {len(plain)} characters; use up to {most}.")
    return plain


def with_examples(before: ActionSet, examples: Iterable[Example]) -> ActionSet:
    """Return a set with more examples, and with their actions; the same set if it knows them all.

    An example of a moment that the set knows takes its place, so that one moment never teaches two things.

    Raises:
        ActionsError: the set is full.
    """
    kept = {one.moment_key: one for one in before.examples}
    is_new = False
    for example in examples:
        if example.action is not None:
            before, name = with_action(before, example.action)
            example = replace(example, action=name)
        known = kept.get(example.moment_key)
        if known is None or known.action != example.action:
            kept.pop(example.moment_key, None)
            kept[example.moment_key] = example
            is_new = True
    if len(kept) > MOST_EXAMPLES:
        raise ActionsError(f"a set holds up to {MOST_EXAMPLES:,} examples; remove some, or begin another set.")
    return replace(before, examples=tuple(kept.values())) if is_new else before


def with_action(before: ActionSet, name: str, slot: int | None = None) -> tuple[ActionSet, str]:
    """Return a set that has an action, and how the set spells its name; ``slot`` is the color of a new one.

    Raises:
        ActionsError: the set is full.
    """
    known = next((one.name for one in before.actions if one.name.casefold() == name.casefold()), None)
    if known is not None:
        return before, known
    if len(before.actions) >= MOST_ACTIONS:
        raise ActionsError(f"a set holds up to {MOST_ACTIONS} actions; remove one, or begin another set.")
    return replace(before, actions=(*before.actions, OwnAction(name, slot))), name


def merged(one: ActionSet, other: ActionSet) -> ActionSet:
    """Return a set with the actions and examples of another as well; actions of one name are one action.

    What the first set says of a moment counts.

    Raises:
        ActionsError: their features cannot be compared, or there are too many.
    """
    if one.space is None or one.clips is None or not one.examples:
        one = with_network(one, other.space, other.clips)
    elif other.space is not None and other.clips is not None:
        ours, theirs = ((*some.space, some.clips.views) for some in (one, other) if some.space and some.clips)
        if ours != theirs:
            raise ActionsError(
                f"'{other.title}' was taught with {_network_in_words(other)}, and '{one.title}' with "
                f"{_network_in_words(one)}; join sets of one network."
            )
    for action in other.actions:
        one, _ = with_action(one, action.name, action.slot)
    for background in other.backgrounds:
        one = with_background(one, background)
    known = {example.moment_key for example in one.examples}
    return with_examples(one, (example for example in other.examples if example.moment_key not in known))


def _network_in_words(actions: ActionSet) -> str:
    assert actions.space is not None and actions.clips is not None  # noqa: PT018 - one fact
    surroundings = "with" if actions.clips.views > 1 else "without"
    weights = actions.space.weights_sha256[:8]
    return f"{actions.space.classifier} {surroundings} surroundings (weights {weights})"
