"""Read Label Studio's video timeline labels, from its JSON and JSON-MIN exports.

Frames count from 1 and the end is included (Label Studio 1.23): the label of frames 1 to 25 lasts from frame 0 to
before frame 25 as they are counted here. The export states no frame rate, so the video's own is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from recognizer.annotations.model import Label, LabelFile, Part
from recognizer.annotations.remarks import Tally, check_any
from recognizer.annotations.text import file_name, label_text
from recognizer.errors import TruthError


def is_export(document: Any) -> bool:
    """Return whether a JSON document is an export of tasks by Label Studio."""
    if not isinstance(document, list) or not document or not isinstance(document[0], dict):
        return False
    task = document[0]
    return {"annotations", "data"} <= task.keys() or any(True for _ in _minimal(task))


def read_export(document: Sequence[Mapping[str, Any]], name: str) -> LabelFile:
    """Read an export; each task is a part.

    Raises:
        TruthError: it is damaged, or has no timeline label.
    """
    tally = Tally()
    parts: list[Part] = []
    try:
        for number, task in enumerate(document, 1):
            labels = tuple(_labels(_results(task, tally), tally))
            if labels:
                video = _video(task)
                title = f"task {task.get('id', number)}" + (f", {video}" if video else "")
                parts.append(Part(title, labels, video))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise TruthError(f"'{name}' is damaged ({error!r}); export it again from Label Studio.") from error
    check_any([label for part in parts for label in part.labels], tally, name)
    return LabelFile(name, "Label Studio", tuple(parts), tally.remarks)


def _results(task: Mapping[str, Any], tally: Tally) -> Iterator[Mapping[str, Any]]:
    if "annotations" not in task:
        yield from _minimal(task)
        return
    given = [one for one in task["annotations"] if not one.get("was_cancelled")]
    for _ in given[1:]:
        tally.leave_out("further annotations of a task", f"task {task.get('id')}")
    for result in given[0]["result"] if given else ():
        yield result["value"]


def _minimal(task: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the values in the JSON-MIN export, which keeps those of each control in a list."""
    for values in task.values():
        if isinstance(values, list):
            yield from (one for one in values if isinstance(one, dict) and "ranges" in one)


def _labels(values: Iterator[Mapping[str, Any]], tally: Tally) -> Iterator[Label]:
    for number, value in enumerate(values, 1):
        place = f"region {number}"
        names = value.get("timelinelabels") or ()
        if "ranges" not in value or not names:
            tally.leave_out("regions that are not labels of a timeline", place)
            continue
        for span in value["ranges"]:
            for label in names:
                yield Label(place, "", label_text(label), span["start"] - 1, span["end"], in_frames=True)


def _video(task: Mapping[str, Any]) -> str | None:
    """Return the name of the task's video: the only address in its data, or the one that is called video."""
    data = task.get("data", task)
    addresses = {key: value for key, value in data.items() if isinstance(value, str) and "." in file_name(value)}
    found = addresses.get("video") or (next(iter(addresses.values())) if len(addresses) == 1 else None)
    return None if found is None else file_name(found.partition("?")[0])
