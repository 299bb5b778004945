"""Label groups: 400 labels folded into the few that matter for a study, such as all ball games into one."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from recognizer.errors import CorrectionsError, inert_json
from recognizer.timeline.corrections import Corrected
from recognizer.timeline.model import Timeline
from recognizer.types import Prediction

GROUPS_VERSION: Final = "1.0"

MAX_GROUPS_BYTES: Final = 1_000_000
"""Fifty times as much as all labels of Kinetics-400 take."""


@dataclass(frozen=True)
class LabelGroups:
    """Groups of labels; capitals make no difference.

    Attributes:
        groups: by name, the labels of each group.
        other: the name of all labels in no group; None to keep them as they are.

    Raises:
        ValueError: a group has no name, or a label is in two groups.
    """

    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    other: str | None = None

    def __post_init__(self) -> None:
        if not all(name.strip() for name in (*self.groups, self.other or "-")):
            raise ValueError("a group has no name")
        count = Counter(label.casefold() for labels in self.groups.values() for label in labels)
        if twice := [label for label, number in count.items() if number > 1]:
            raise ValueError(f"'{twice[0]}' is listed twice")

    def group_of(self, label: str) -> str:
        """Return the name of a label's group, or the label itself; a group's own name stays."""
        known = self._by_label.get(label.casefold())
        return known if known is not None else label if self.other is None else self.other

    @property
    def in_words(self) -> str:
        """What is counted, for users: ``groups in place of labels: ball games, everything else``."""
        names = [*self.groups, *([self.other] if self.other else ())]
        return f"groups in place of labels: {', '.join(names)}"

    def fold(self, result: Corrected) -> Corrected:
        """Return a timeline with groups in place of labels, in predictions and corrections.

        The probability of a group is the sum of those of its labels among the top five, before any threshold.
        """
        return self.folded_decisions(replace(result, timeline=self.folded(result.timeline)))

    def folded(self, timeline: Timeline) -> Timeline:
        """Return a timeline with groups in place of labels in its predictions; see ``fold``."""
        return replace(timeline, predictions=tuple(map(self._folded_prediction, timeline.predictions)))

    def folded_decisions(self, result: Corrected) -> Corrected:
        """Return a corrected timeline with groups in place of the labels that a person decided."""
        decided = {
            person_id: tuple(
                span if span.action is None else span._replace(action=self.group_of(span.action)) for span in spans
            )
            for person_id, spans in result.decided.items()
        }
        return replace(result, decided=decided)

    @cached_property
    def _by_label(self) -> dict[str, str]:
        names = {name.casefold(): name for name in (*self.groups, *([self.other] if self.other else ()))}
        return names | {label.casefold(): name for name, labels in self.groups.items() for label in labels}

    def _folded_prediction(self, prediction: Prediction) -> Prediction:
        labels = [label for label, _ in prediction.top]
        sums = self._sums(labels, [probability for _, probability in prediction.top])
        top = tuple(sorted(sums.items(), key=lambda item: -item[1]))
        if not prediction.network_probabilities:
            return replace(prediction, top=top)
        of_network = self._sums(labels, prediction.network_probabilities)
        return replace(prediction, top=top, network_probabilities=tuple(of_network[group] for group, _ in top))

    def _sums(self, labels: Sequence[str], probabilities: Sequence[float]) -> dict[str, float]:
        """Return the probability of each group; at most 1, past which rounding may carry a sum."""
        sums: dict[str, float] = {}
        for label, probability in zip(labels, probabilities, strict=True):
            group = self.group_of(label)
            sums[group] = min(1.0, sums.get(group, 0.0) + probability)
        return sums


class GroupsDocument(Struct):
    """Label groups as a JSON file."""

    schema_version: Annotated[str, Meta(extra_json_schema={"pattern": "^1\\.[0-9]+$"})]
    groups: Annotated[dict[str, list[str]], Meta(description="by name of the group, its labels")]
    other: Annotated[
        str | None, Meta(description="the name of all labels in no group; null to keep them as they are")
    ] = None


def groups_json(groups: LabelGroups) -> str:
    """Return a document that ``groups_from_json`` reads; it ends in a line feed."""
    values = msgspec.to_builtins(
        GroupsDocument(GROUPS_VERSION, {name: list(labels) for name, labels in groups.groups.items()}, groups.other)
    )
    return inert_json(json.dumps(values, ensure_ascii=False, indent=1)) + "\n"


def groups_from_json(text: str | bytes, name: str) -> LabelGroups:
    """Read label groups.

    Args:
        text: the document.
        name: its file's name, for messages.

    Raises:
        CorrectionsError: it is no such document or too large, or a label is in two groups.
    """
    if len(text) > MAX_GROUPS_BYTES:
        raise CorrectionsError(f"'{name}' is {len(text):,} bytes long, and label groups are short; give their file.")
    try:
        document = msgspec.json.decode(text, type=GroupsDocument)
        if document.schema_version.partition(".")[0] != GROUPS_VERSION.partition(".")[0]:
            raise ValueError(f"its schema version is {document.schema_version[:20]!r}, not {GROUPS_VERSION}")
        return LabelGroups({group: tuple(labels) for group, labels in document.groups.items()}, document.other)
    except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
        raise CorrectionsError(
            f"'{name}' is not a file of label groups ({str(error)[:200]}); give JSON such as "
            '{"schema_version": "1.0", "groups": {"ball games": ["juggling soccer ball"]}}.'
        ) from error
