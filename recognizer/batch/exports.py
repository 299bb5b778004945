"""Files of each finished video for other programs, made of the stored results: no network runs for them.

They bear the names of the videos and of the user's own actions, so they stand apart from the results, which do not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Final

from recognizer import files
from recognizer.batch.manifest import Manifest
from recognizer.batch.places import file_name
from recognizer.batch.recipe import Recipe
from recognizer.batch.results import FEATURES, TIMELINE, BatchFolder, content_of_result, unreadable, writing
from recognizer.errors import ActionsError

if TYPE_CHECKING:
    from recognizer.timeline.features import FeatureTable
    from recognizer.timeline.model import Timeline

_KEY_CHARACTERS: Final = 8


@dataclass(frozen=True)
class Exports:
    """The files that are made of each finished video.

    Attributes:
        endings: of the formats (``recognizer.export.formats``).
        named: gives a timeline other names, from the features of its predictions; None for the network's labels. Raises
            ActionsError if it cannot.
        names_digest: differs between names.
    """

    endings: tuple[str, ...]
    named: Callable[[Timeline, FeatureTable | None], Timeline] | None = None
    names_digest: str = ""


def export_all(
    folder: BatchFolder, manifest: Manifest, exports: Exports, follow: Callable[[], None] = lambda: None
) -> list[str]:
    """Make what is missing, remove what belongs to no video any more, and return a sentence for each that failed.

    Args:
        folder: of the batch.
        manifest: its videos.
        exports: what is made.
        follow: called now and then; it may raise.

    Raises:
        OutputError: a file cannot be written.
        StoreError: a result cannot be read.
    """
    for ending in exports.endings:
        _forget_other_names(folder, manifest, ending, exports.names_digest)
    wanted: set[Path] = set()
    problems = []
    for row in manifest.rows():
        follow()
        if row["state"] != "done":
            continue
        targets = {ending: _target(folder, row, ending) for ending in exports.endings}
        wanted.update(targets.values())
        missing = {ending: target for ending, target in targets.items() if not target.is_file()}
        try:
            if missing:
                _write(folder.result(row["result"]), row["path"], manifest.recipe(row["settings"]), exports, missing)
        except ActionsError as error:
            problems.append(f"'{row['id']}' gets no own names: {error}")
    for ending in exports.endings:
        for path in _files(folder.exports_in(ending)):
            if path not in wanted:
                path.unlink(missing_ok=True)
    return problems


def _forget_other_names(folder: BatchFolder, manifest: Manifest, ending: str, names_digest: str) -> None:
    name = f"exports {ending}"
    if manifest.fact(name) != names_digest:
        with writing(folder.exports_in(ending)):
            for path in _files(folder.exports_in(ending)):
                path.unlink(missing_ok=True)
        manifest.set_fact(name, names_digest)


def _files(place: Path) -> Iterator[Path]:
    return place.iterdir() if place.is_dir() else iter(())


def _target(folder: BatchFolder, row: dict[str, Any], ending: str) -> Path:
    """Return where a file is: named by the user's id for the video, and by its result, because ids may be equal."""
    name = file_name(row["id"].removesuffix(PurePath(row["path"]).suffix)) or "video"
    return folder.exports_in(ending) / f"{name}-{row['result'][:_KEY_CHARACTERS]}{ending}"


def _write(result: Path, place: str, recipe: Recipe, exports: Exports, targets: dict[str, Path]) -> None:
    from recognizer.export import format_of

    timeline, table = _read(result)
    if exports.named is not None:
        timeline = exports.named(timeline, table)
    content = content_of_result(timeline, recipe, PurePath(place.partition("?")[0]).name)
    for ending, target in targets.items():
        with writing(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            files.write_bytes(target, format_of(ending).write(content))


def _read(result: Path) -> tuple[Timeline, FeatureTable | None]:
    """Return a stored timeline and the features of its predictions; None if none were kept."""
    from recognizer.service.features import timeline_and_features

    try:
        return timeline_and_features(result / TIMELINE, result / FEATURES)
    except (OSError, ValueError) as error:
        raise unreadable(result, error) from error
