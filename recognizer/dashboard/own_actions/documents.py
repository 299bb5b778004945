"""The documents of a set's addresses. Keys are in camel case; times are seconds on the video's clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from recognizer.actions.model import ActionSet, Example
from recognizer.actions.quality import Quality
from recognizer.dashboard.own_actions.typical import few_of
from recognizer.dashboard.own_actions.words import gathered, left_out, named_others, no_groups
from recognizer.palette import ActionPalette, ActionStyle, style_of_slot
from recognizer.service.clip_index import FoundMoment

COLORS: Final = 8
"""The colors that a user can choose from: those without a pattern."""


class Color(Struct):
    """A color for a light and a dark page, ``#RRGGBB``."""

    light: str
    dark: str


class Moment(Struct, rename="camel"):
    """A marked moment; its pictures have the addresses ``picture/<id>/0`` and so on."""

    id: str
    video: str
    person_id: int
    start_s: float
    end_s: float
    pictures: int


class Row(Struct, rename="camel"):
    """One action with its examples, or none of these."""

    name: str | None
    slot: int
    color: Color | None
    counted: str
    examples: Sequence[Moment]
    warnings: Sequence[str]


class Recall(Struct, rename="camel"):
    """How many of an action's examples get its name by what other videos teach."""

    name: str
    color: Color
    right: int
    total: int


class Measured(Struct, rename="camel"):
    """A set's scores; ``missing`` says what it takes to find out."""

    missing: str | None
    rows: Sequence[Recall]
    others: str | None
    advice: Sequence[str]


class SetDocument(Struct, rename="camel"):
    """Everything about a set but its pictures."""

    revision: int
    title: str
    undo: str | None
    colors: Sequence[Color]
    rows: Sequence[Row]
    warnings: Sequence[str]


class NamedDocument(Struct, rename="camel"):
    """The set after moments got a name, and how many of them are examples now."""

    actions: SetDocument
    added: int


class Found(Struct, rename="camel"):
    """A moment in an analysis that may become an example."""

    analysis_id: str
    video: str
    person_id: int
    start_s: float
    end_s: float


class FoundDocument(Struct):
    """Moments that were looked for; ``problem`` says why there are none."""

    moments: Sequence[Found]
    problem: str | None


class Group(Struct):
    """Moments that look alike, and the few of them that teach as much as all."""

    counted: str
    moments: Sequence[Found]


class GroupsDocument(Struct):
    """Groups of unknown moments, the largest first; ``problem`` says why there are none."""

    groups: Sequence[Group]
    problem: str | None


def set_document(
    actions: ActionSet, palette: ActionPalette, warnings: Mapping[str | None, Sequence[str]], undo: str | None
) -> SetDocument:
    """Return the document of a set.

    Args:
        actions: the set.
        palette: the actions' colors, as in the charts.
        warnings: where the set will fail, by action; under None, what concerns the whole set.
        undo: what undo takes back; None if there is nothing.
    """
    styles = _styles(actions, palette)
    rows = [
        _row(name, styles.get(name or ""), actions.examples_of(name), warnings.get(name, ()) if name else ())
        for name in (*actions.names, None)
    ]
    return SetDocument(
        revision=actions.revision,
        title=actions.title,
        undo=undo,
        colors=[_color(style_of_slot(slot)) for slot in range(COLORS)],
        rows=rows,
        warnings=list(warnings.get(None, ())),
    )


def measured_document(actions: ActionSet, palette: ActionPalette, quality: Quality | None) -> Measured:
    """Return the document of how good a set is; ``quality`` is None if that cannot be measured yet."""
    if quality is None:
        return Measured(left_out(actions), [], None, [])
    styles, counts = _styles(actions, palette), {name: len(actions.examples_of(name)) for name in quality.recall}
    rows = [
        Recall(name, _color(styles[name]), round(share * counts[name]), counts[name])
        for name in actions.names
        if (share := quality.recall.get(name)) is not None
    ]
    none = len(actions.examples_of(None))
    others = None if quality.named_others is None else named_others(round(quality.named_others * none), none)
    return Measured(None, rows, others, quality.sentences)


def moments(found: Iterable[FoundMoment]) -> list[Found]:
    """Return the documents of moments."""
    return [Found(one.analysis_id, one.video_name, one.person_id, one.start_s, one.end_s) for one in found]


def groups_document(groups: Iterable[Sequence[FoundMoment]], has_analyses: bool) -> GroupsDocument:
    """Return the document of groups of moments; ``has_analyses``: whether there was anywhere to look."""
    made = [
        Group(gathered(len(group), len({one.video_name for one in group})), moments(few_of(group))) for group in groups
    ]
    return GroupsDocument(made, None if made else no_groups(has_analyses))


def _styles(actions: ActionSet, palette: ActionPalette) -> dict[str, ActionStyle]:
    return {name: palette.style(name) for name in actions.names}


def _row(name: str | None, style: ActionStyle | None, examples: Sequence[Example], warnings: Sequence[str]) -> Row:
    return Row(
        name=name,
        slot=-1 if style is None else style.slot % COLORS,
        color=None if style is None else _color(style),
        counted=gathered(len(examples), len(_videos(examples))),
        examples=[_moment(one) for one in examples],
        warnings=list(warnings),
    )


def _moment(one: Example) -> Moment:
    return Moment(one.example_id, one.video_name, one.person_id, one.start_s, one.end_s, one.picture_count)


def _videos(examples: Iterable[Example]) -> set[str]:
    return {one.video_key for one in examples}


def _color(style: ActionStyle) -> Color:
    return Color(style.colour_light, style.colour_dark)
