"""Read the events in a project file of BORIS, with a part for each observation and media file.

An event is ``[time, subject, behavior, modifier, comment, …]``; each second event of a state behavior ends the first.
Times include the observation's time offset; the media files of the first player follow one another, and those of
another player begin with that player's offset (BORIS' source, ``core.py``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from recognizer.annotations.boris import POINTS, Medium, is_within, parts_of
from recognizer.annotations.model import Label, LabelFile
from recognizer.annotations.remarks import Tally, check_any
from recognizer.annotations.text import file_name, label_text, subject_text
from recognizer.errors import TruthError


def is_project(document: Any) -> bool:
    """Return whether a JSON document is a project of BORIS."""
    return isinstance(document, dict) and {"observations", "behaviors_conf"} <= document.keys()


def read_project(document: Mapping[str, Any], name: str) -> LabelFile:
    """Read a project.

    Raises:
        TruthError: it is damaged, or has no state event.
    """
    tally = Tally()
    found: list[tuple[str, Medium | None, Sequence[Label]]] = []
    try:
        states = {
            label_text(behavior["code"])
            for behavior in document["behaviors_conf"].values()
            if behavior["type"].casefold().startswith("state")
        }
        for title, observation in document["observations"].items():
            labels = list(_labels(observation["events"], states, tally))
            media = list(_media(observation))
            if not media:
                found.append((title, None, labels))
            for medium, last in media:
                found.append((title, medium, [label for label in labels if is_within(label, medium, last)]))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise TruthError(f"'{name}' is damaged ({error!r}); save the project again in BORIS.") from error
    check_any([label for _, _, labels in found for label in labels], tally, name)
    return LabelFile(name, "BORIS project", parts_of(found), tally.remarks)


def _media(observation: Mapping[str, Any]) -> Iterator[tuple[Medium, bool]]:
    """Yield the media files of an observation, and whether each is the last of its player."""
    players = observation.get("file") or {}
    facts = observation.get("media_info") or {}
    lengths, offsets = facts.get("length") or {}, facts.get("offset") or {}
    for player, paths in players.items() if isinstance(players, dict) else ():
        begins_s: float | None = float(observation.get("time offset") or 0) + float(offsets.get(player) or 0)
        for number, path in enumerate(paths):
            length = lengths.get(path)
            ends_s = None if begins_s is None or length is None else begins_s + float(length)
            yield Medium(file_name(path), begins_s, ends_s), number == len(paths) - 1
            begins_s = ends_s


def _labels(events: Sequence[Sequence[Any]], states: set[str], tally: Tally) -> Iterator[Label]:
    begun: dict[tuple[str, str, str], tuple[float, str]] = {}
    for number, event in sorted(enumerate(events, 1), key=lambda one: float(one[1][0])):
        time_s, subject, behavior = float(event[0]), subject_text(str(event[1])), label_text(str(event[2]))
        key = (subject, behavior, str(event[3]))
        if behavior not in states:
            tally.leave_out(POINTS)
        elif key in begun:
            start_s, place = begun.pop(key)
            yield Label(place, subject, behavior, start_s, time_s)
        else:
            begun[key] = time_s, f"event {number}"
    for (subject, behavior, _), (start_s, place) in begun.items():
        yield Label(place, subject, behavior, start_s, None)
