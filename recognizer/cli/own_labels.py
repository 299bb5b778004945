"""The options about a user's own labels, and the file with them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Final

from recognizer.annotations.model import AN_ACTION, EVERYONE, LEFT_OUT, Answers, LabelFile, Who
from recognizer.errors import SettingsError, TruthError, system_reason

_WORDS: Final = (EVERYONE, AN_ACTION, LEFT_OUT)


def add_truth(parser: Any) -> None:
    """Add ``--truth``, and the options that answer what its file leaves open."""
    group = parser.add_argument_group("labels of your own")
    group.add_argument("--truth", metavar="FILE", help="your own labels; each classifier is scored against them")
    group.add_argument(
        "--truth-from",
        metavar="NAME",
        help="which recording of the file it is, if none is named like the video",
    )
    group.add_argument(
        "--truth-person",
        action="append",
        default=[],
        metavar="NAME=N",
        help="who a name in the file is: a person's number, 'everyone' in view, 'action' (the name is an action) or "
        "'nobody' (left out); repeat it for each name",
    )
    group.add_argument(
        "--truth-exclusive",
        metavar="A,B,...",
        help="the actions that exclude one another; each other action is scored apart (default: as many as never "
        "overlap)",
    )
    group.add_argument(
        "--truth-begins",
        metavar="TIME",
        help="the time on the labels' clock at which the video begins: seconds, hh:mm:ss or a date with a time",
    )


def answers_of(options: argparse.Namespace) -> Answers:
    """Return what the options say about the labels.

    Raises:
        SettingsError: an option has no valid value.
    """
    from recognizer.annotations.text import time_in_s

    begins_s = None
    if options.truth_begins is not None:
        begins_s = time_in_s(options.truth_begins)
        if begins_s is None:
            raise SettingsError(f"--truth-begins is '{options.truth_begins}'; give seconds or hh:mm:ss.")
    exclusive = options.truth_exclusive
    return Answers(
        part=options.truth_from,
        people=dict(map(_person, options.truth_person)),
        exclusive=None if exclusive is None else tuple(word.strip() for word in exclusive.split(",") if word.strip()),
        begins_s=begins_s,
    )


def _person(option: str) -> tuple[str, Who]:
    name, equals, who = (word.strip() for word in option.rpartition("="))
    if equals and name and who.isdecimal() and int(who):
        return name, int(who)
    if equals and name and who in _WORDS:
        return name, who
    raise SettingsError(
        f"--truth-person is '{option}'; give a name and a person's number, or {', '.join(_WORDS[:2])} or {_WORDS[2]}, "
        "such as Anna=1."
    )


def read_own_labels(path: str, video_name: str, answers: Answers) -> LabelFile:
    """Read the user's own labels, and check that the options say enough about them.

    Raises:
        TruthError: they cannot be read, or it is open which part of them is about the video, or who is who.
    """
    from recognizer.annotations.fitting import names_in, part_for, who_is
    from recognizer.annotations.reading import read_labels
    from recognizer.video import display_name

    shown = display_name(path)
    try:
        labels = read_labels(Path(path).read_bytes(), shown.strip("'"))
    except OSError as error:
        reason = system_reason(error)
        raise TruthError(f"{shown} cannot be read ({reason}); give a file of your labels.") from error
    names = [part.name for part in labels.parts]
    if answers.part is not None and answers.part not in names:
        listed = ", ".join(f"'{name}'" for name in names if name) or "only one recording"
        raise TruthError(f"--truth-from is '{answers.part}'; {shown} has {listed}.")
    part = part_for(labels, video_name, answers)
    if part is None:
        listed = ", ".join(f"'{name}'" for name in names)
        raise TruthError(
            f"{shown} has labels of {len(names)} recordings, and none alone is named like the video; choose one of "
            f"{listed} with --truth-from."
        )
    if all(who_is(label.subject, answers) is None for label in part.labels):
        people = list(names_in(part))
        raise TruthError(
            f"{shown} has labels of {', '.join(people[:10])}; say who they are, such as "
            f"--truth-person {people[0].replace(' ', chr(92) + ' ')}=1."
        )
    return labels
