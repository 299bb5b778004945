"""A user's own actions on the command line: ``--actions FILE`` of ``analyze`` and ``compare``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from recognizer.actions.provenance import Mode
from recognizer.errors import ActionsError, system_reason

if TYPE_CHECKING:
    from recognizer.actions.model import ActionSet
    from recognizer.comparison.model import Comparison, Entry
    from recognizer.networks.loading import Models
    from recognizer.settings import Settings
    from recognizer.timeline.features import FeatureTable
    from recognizer.timeline.model import Timeline


def add_actions(group: Any, beside: str) -> None:
    """Add the options.

    Args:
        group: of the parser.
        beside: what the mode ``beside`` does in this command.
    """
    group.add_argument(
        "--actions",
        metavar="FILE",
        help="name people's actions in your own words, with a set exported from the page My actions; it needs the "
        "classifier and the surroundings that it was taught with",
    )
    group.add_argument(
        "--actions-mode",
        choices=get_args(Mode),
        default="instead",
        help="instead: your name where one fits, the network's label elsewhere (the default); only: your name or "
        f"'unknown'; beside: {beside}",
    )


@dataclass(frozen=True)
class OwnActions:
    """A set of own actions, and how its names are shown."""

    actions: ActionSet
    mode: Mode

    def check_networks(self, settings: Sequence[Settings]) -> None:
        """Raise, before anything is loaded, if the set was taught with another network than all of these.

        Raises:
            ActionsError: it was.
        """
        if self.actions.space is None:
            return
        taught = self.actions.space.classifier.partition(":")[0]
        names = list(dict.fromkeys(one.video_classifier_model for one in settings))
        if taught not in names:
            raise ActionsError(
                f"'{self.actions.title}' was taught with {taught}, and this analysis uses {' and '.join(names)}; "
                f"choose {taught}."
            )

    def check_features(self, settings: Settings) -> None:
        """Raise before an analysis that would keep no features.

        Raises:
            ActionsError: it would not.
        """
        if not settings.keep_features:
            raise ActionsError(
                "own actions are named from features, and --no-keep-features keeps none; leave that option out."
            )

    def check(self, models: Models, settings: Settings) -> None:
        """Raise before an analysis unless its features will fit.

        Raises:
            ActionsError: they will not.
        """
        from recognizer.timeline.features import FeatureSpace

        self.check_features(settings)
        weights_sha256 = models.provenance.get("classifier_sha256")
        if self.actions.space is None or weights_sha256 is None:
            return
        space = FeatureSpace(models.classifier.name, weights_sha256, self.actions.space.size)
        problem = self.actions.misfit(space, 2 if settings.surroundings else 1)
        if problem is not None:
            raise ActionsError(problem)

    def applied_to(self, timeline: Timeline, table: FeatureTable | None = None) -> Timeline:
        """Return a timeline with own names; with ``beside``, they alone.

        Args:
            timeline: the analysis as the network said it.
            table: the features of its predictions; None for those that they hold.

        Raises:
            ActionsError: the set does not fit, or has too few examples.
        """
        from recognizer.actions.naming import judged, learned, named
        from recognizer.timeline.features import feature_space, feature_table

        if not timeline.predictions:
            return timeline
        if table is None:
            table = feature_table(timeline.predictions)
        space = None if table is None else feature_space(timeline, table)
        if table is None or space is None:
            raise ActionsError("this analysis has no features to name actions from; run it with --keep-features.")
        problem = self.actions.misfit(space, table.views)
        if problem is not None:
            raise ActionsError(problem)
        head = learned(self.actions, table)
        if head is None:
            raise ActionsError(
                f"'{self.actions.title}' teaches nothing yet; mark moments of two actions, or of one and of none of "
                "these."
            )
        return named(timeline, judged(timeline, table, head), self.actions, self.mode)

    def remark(self, timeline: Timeline) -> str | None:
        """Return one sentence about clips that were cut otherwise than when the set was taught."""
        from recognizer.actions.model import clip_settings

        return self.actions.remark(clip_settings(timeline, 2 if timeline.settings.surroundings else 1))

    def applied_to_all(self, comparison: Comparison) -> tuple[Comparison, list[str]]:
        """Return a comparison with own names, and a sentence for each entry that the set does not fit."""
        entries: list[Entry] = []
        problems = []
        for entry in comparison.entries:
            own = entry
            try:
                own = self._applied_to_entry(entry)
            except ActionsError as error:
                problems.append(f"{entry.name} keeps its labels: {error}")
            entries += [entry, own] if self.mode == "beside" and own is not entry else [own]
        return replace(comparison, entries=tuple(entries)), problems

    def _applied_to_entry(self, entry: Entry) -> Entry:
        if entry.timeline is None:
            return entry
        from recognizer.service.compared_names import entry_named

        return entry_named(entry, self.applied_to(entry.timeline), self.actions, self.mode)


def read_actions(path: str | None, mode: Mode) -> OwnActions | None:
    """Read a set; None if no file is given.

    Raises:
        ActionsError: the file cannot be read, or is no set.
    """
    if path is None:
        return None
    from recognizer.actions.set_file import MOST_FILE_BYTES, read_set

    try:
        with Path(path).open("rb") as file:
            content = file.read(MOST_FILE_BYTES + 1)
    except OSError as error:
        reason = system_reason(error)
        raise ActionsError(f"'{path}' cannot be read ({reason}); give --actions a file that exists.") from error
    return OwnActions(read_set(content, Path(path).name), mode)
