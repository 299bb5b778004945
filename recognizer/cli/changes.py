"""The corrections and label groups that the command line lays over a machine's result."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from recognizer.cli.outputs import NAME_FIELD
from recognizer.errors import CorrectionsError, SettingsError, system_reason

if TYPE_CHECKING:
    from recognizer.annotations.model import Truth
    from recognizer.comparison.model import Comparison, Entry
    from recognizer.timeline.corrections import Corrected, Corrections
    from recognizer.timeline.groups import LabelGroups
    from recognizer.timeline.model import Timeline


@dataclass(frozen=True)
class Changes:
    """Corrections and label groups of one video."""

    corrections: Corrections
    groups: LabelGroups | None

    def applied_to(self, timeline: Timeline) -> Corrected:
        """Return the timeline as corrected, then with groups in place of labels."""
        corrected = self.corrections.applied_to(timeline)
        return corrected if self.groups is None else self.groups.fold(corrected)

    def about_people(self) -> Changes:
        """Return the changes without edits of segments: what a person decided there is no classifier's answer."""
        from recognizer.timeline.corrections import Corrections
        from recognizer.timeline.edits import Hide, Merge, Name, Split, Together

        edits = self.corrections.edits
        singles = (one for edit in edits for one in (edit.edits if isinstance(edit, Together) else (edit,)))
        people = tuple(one for one in singles if isinstance(one, Merge | Split | Hide | Name))
        return replace(self, corrections=Corrections(people))

    def applied_to_all(self, comparison: Comparison) -> Comparison:
        """Return a comparison with these changes in each timeline, and with groups among the labels."""
        return replace(comparison, entries=tuple(map(self._applied_to_entry, comparison.entries)))

    def _applied_to_entry(self, entry: Entry) -> Entry:
        if entry.timeline is None:
            return entry
        labels = tuple(dict.fromkeys(map(self.label_of, entry.labels)))
        return replace(entry, timeline=self.applied_to(entry.timeline).timeline, labels=labels)

    def truth_of(self, truth: Truth) -> Truth:
        """Return a user's own labels with groups in place of labels."""
        rows, apart = (
            tuple(replace(row, action=self.label_of(row.action)) for row in some) for some in (truth.rows, truth.apart)
        )
        return replace(truth, rows=rows, apart=apart)

    def label_of(self, label: str) -> str:
        """Return the group of a label, or the label."""
        return label if self.groups is None else self.groups.group_of(label)


def check_place(corrections: str | None, videos: int) -> None:
    """Raise unless each video gets its own corrections.

    Raises:
        SettingsError: one file is named for several videos.
    """
    if corrections is not None and videos > 1 and NAME_FIELD not in corrections:
        raise SettingsError(
            f"--corrections is '{corrections}' for {videos} videos; put {NAME_FIELD} into the name, such as "
            f"corrections/{NAME_FIELD}.json."
        )


def read_changes(corrections: str | None, groups: str | None, video: str, video_sha256: str | None) -> Changes:
    """Read the files, None for each that is not given.

    Raises:
        CorrectionsError: a file cannot be read, or does not fit the video.
    """
    from recognizer.timeline.corrections import Corrections
    from recognizer.timeline.corrections_file import corrections_from_json
    from recognizer.timeline.groups import groups_from_json

    made, folded = Corrections(), None
    if corrections is not None:
        path = corrections.replace(NAME_FIELD, Path(video).stem)
        made = corrections_from_json(_read(path, "--corrections"), path, video_sha256)
    if groups is not None:
        folded = groups_from_json(_read(groups, "--groups"), groups)
    return Changes(made, folded)


def _read(path: str, option: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        reason = system_reason(error)
        raise CorrectionsError(f"'{path}' cannot be read ({reason}); give {option} a file that exists.") from error
