"""Read a user's own label file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from recognizer.errors import CheckpointError, one_line

MAX_LABEL_FILE_BYTES = 1_000_000
"""Larger than any list of labels; stops a checkpoint passed as the label file from being read."""


def read_labels(path: Path) -> tuple[str, ...]:
    """Return the labels of ``path``, in the order of the network's outputs.

    The file is UTF-8: one label per line, ignoring blank lines; or JSON: a list of labels, ``{"0": "label"}`` or
    ``{"label": 0}``.

    Raises:
        CheckpointError: the file cannot be read, is empty, or contains a label twice.
    """
    try:
        size = path.stat().st_size
        if size > MAX_LABEL_FILE_BYTES:
            raise CheckpointError(
                f"label file '{path}' is {size:,} bytes long; give a text file with one label a line."
            )
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise CheckpointError(f"label file '{path}' is not UTF-8 text; give one label a line.") from None
    except OSError as error:
        raise CheckpointError(
            f"label file '{path}' cannot be read ({error.strerror}); give a file with one label a line."
        ) from error
    labels = _from_json(text, path) if text.lstrip()[:1] in ("[", "{") else tuple(map(str.strip, text.splitlines()))
    labels = tuple(one_line(label) for label in labels if label)
    if not labels:
        raise CheckpointError(f"label file '{path}' holds no label; write one label a line.")
    seen: set[str] = set()
    for label in labels:
        if label in seen:
            raise CheckpointError(f"label file '{path}' names '{label}' twice; give each class a label of its own.")
        seen.add(label)
    return labels


def _from_json(text: str, path: Path) -> tuple[str, ...]:
    try:
        data: Any = json.loads(text)
    except (ValueError, RecursionError):
        # a plain list may start with a bracket, as in "[other]"
        return tuple(line.strip() for line in text.splitlines())
    pairs: list[tuple[Any, Any]] = list(enumerate(data)) if isinstance(data, list) else list(data.items())
    if pairs and all(isinstance(value, int) and not isinstance(value, bool) for _, value in pairs):
        pairs = [(value, key) for key, value in pairs]
    by_index = {str(index): label for index, label in pairs}
    wanted = [str(index) for index in range(len(pairs))]
    if sorted(by_index) != sorted(wanted) or not all(
        isinstance(label, str) and label.strip() for label in by_index.values()
    ):
        raise CheckpointError(
            f"label file '{path}' is JSON of another kind; give a list of labels, or an object that counts from 0."
        )
    return tuple(by_index[index].strip() for index in wanted)
