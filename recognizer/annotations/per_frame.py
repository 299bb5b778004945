"""Read labels that are given frame by frame: one-hot tables of DeepEthogram and SimBA, class numbers of FERAL.

Row n is frame n, from 0. In DeepEthogram's tables, -1 means that a frame is not labelled for an action, and the column
``background`` means no action (DeepEthogram's documentation, ``using_gui.md``). SimBA adds the columns to its features;
where a column ``Probability_NAME`` stands next to NAME, only those are actions (SimBA, ``run_inference.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from recognizer.annotations.cells import Row, cell_of
from recognizer.annotations.model import Label, LabelFile, Part
from recognizer.annotations.remarks import Tally, check_any
from recognizer.annotations.text import label_text
from recognizer.errors import TruthError

_NO_ACTION: Final = frozenset(("background", "other", "none"))
_VALUES: Final = {"0": 0, "0.0": 0, "1": 1, "1.0": 1, "-1": -1, "-1.0": -1}
_FRAME_TITLES: Final = frozenset(("", "frame", "frames", "frame_number", "unnamed: 0", "index", "time", "video"))
_PROBABILITY: Final = "probability_"


def one_hot_columns(rows: Sequence[Row]) -> dict[int, str]:
    """Return the columns that hold only 0, 1 and -1, with their titles; empty if the table is not one-hot."""
    if len(rows) < 3:
        return {}
    header = rows[0][1]
    columns = {
        number: title
        for number, title in enumerate(header)
        if title.casefold() not in _FRAME_TITLES
        and not title.casefold().startswith(_PROBABILITY)
        and all(cell_of(cells, number) in _VALUES for _, cells in rows[1:])
    }
    if any(title.replace(".", "").lstrip("-").isdigit() for title in columns.values()):
        return {}  # a table of numbers without a header
    judged = {
        title.casefold().removeprefix(_PROBABILITY) for title in header if title.casefold().startswith(_PROBABILITY)
    }
    return {number: title for number, title in columns.items() if not judged or title.casefold() in judged}


def read_one_hot(rows: Sequence[Row], columns: Mapping[int, str], name: str) -> LabelFile:
    """Read a table with a column for each action and a row for each frame.

    Raises:
        TruthError: no frame has an action.
    """
    tally = Tally()
    labels: list[Label] = []
    for number, title in columns.items():
        if title.casefold() == "background":
            continue
        values = [_VALUES[cell_of(cells, number)] for _, cells in rows[1:]]
        if -1 in values:
            tally.leave_out(f"actions that are not labelled in every frame, there: {title}")
        labels += _runs(values, {1: label_text(title)})
    labels.sort(key=lambda label: label.start)
    check_any(labels, tally, name)
    return LabelFile(name, "one-hot table, a row a frame", (Part("", tuple(labels)),), tally.remarks)


def _runs(values: Iterable[Any], names: Mapping[Any, str]) -> Iterator[Label]:
    """Yield a label for each run of frames with one value that has a name."""
    frame = 0
    for value, run in groupby(values):
        length = sum(1 for _ in run)
        if value in names:
            yield Label(f"frame {frame}", "", names[value], frame, frame + length, in_frames=True)
        frame += length


def read_feral(document: Mapping[str, Any], name: str) -> LabelFile:
    """Read FERAL's labels: for each video, a class number a frame, or a list of 0 and 1 a frame.

    Raises:
        TruthError: it lacks the parts of such a file, or no frame has an action.
    """
    tally = Tally()
    parts = []
    try:
        classes = {int(number): label_text(str(title)) for number, title in document["class_names"].items()}
        videos = dict(document["labels"])
    except (ValueError, TypeError, AttributeError) as error:
        raise TruthError(f"'{name}' lacks FERAL's class names and labels; save it again from FERAL.") from error
    for title in classes.values():
        if title.casefold() in _NO_ACTION:
            tally.leave_out(f"the class {title}, which is no action")
    actions = {number: title for number, title in classes.items() if title.casefold() not in _NO_ACTION}
    for video, frames in videos.items():
        if frames and isinstance(frames[0], list):
            labels = [
                label
                for number, title in actions.items()
                for label in _runs((int(bool(frame[number])) for frame in frames), {1: title})
            ]
        else:
            labels = list(_runs(frames, actions))
        parts.append(Part(video if len(videos) > 1 else "", tuple(sorted(labels, key=lambda one: one.start)), video))
    check_any([label for part in parts for label in part.labels], tally, name)
    return LabelFile(name, "FERAL, a class a frame", tuple(parts), tally.remarks)
