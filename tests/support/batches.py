"""Finished batches without networks: generated timelines, stored as a command stores them.

``python -m tests.support.batches DATA/batches/NAME COUNT`` makes one of so many videos; start the server with
RECOGNIZER_DATA set to DATA, and ``RECOGNIZER_LIMIT_ALONE=true``.
"""

from __future__ import annotations

import argparse
import hashlib
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from recognizer.batch.dataset import gather
from recognizer.batch.manifest import Manifest
from recognizer.batch.messages import Outcome
from recognizer.batch.places import Batch, batches_in
from recognizer.batch.recipe import Recipe
from recognizer.batch.results import BatchFolder, key_of, write_result
from recognizer.batch.sources import Entry
from recognizer.errors import StoreError
from recognizer.timeline.model import Timeline
from tests.support.workbench import generated_timeline

RECIPE = Recipe(own={"video_classifier_model": "i3d"}, min_confidence=0.35)


@dataclass(frozen=True)
class Video:
    """A video of a batch.

    Attributes:
        name: of its file.
        group: the user's group.
        timeline: what was found in it; None if it failed.
        title: the user's id; empty for the file's name.
    """

    name: str
    group: str = ""
    timeline: Timeline | None = None
    title: str = ""


def seen(people: int, duration_s: float, seed: int = 0) -> Timeline:
    """Return a generated timeline of so many people."""
    return generated_timeline(people, duration_s, seed=seed)


def store_batch(root: Path, videos: Sequence[Video], files: Path, *, gathers: bool = True) -> Batch:
    """Store a batch as a command leaves it; files of no video stand for its videos.

    Args:
        root: its folder.
        videos: what it is about.
        files: where the files are made, unless they are there.
        gathers: whether the command came to the end, where it writes the data set.
    """
    folder = BatchFolder(root.absolute())
    folder.make()
    files.mkdir(parents=True, exist_ok=True)
    with Manifest(folder.manifest) as manifest:
        manifest.list([_entry(files / one.name, one) for one in videos], retry=False)
        numbers = {due.place: due.number for due in manifest.due()}
        for one in videos:
            place = files / one.name
            if str(place) in numbers:
                manifest.record(_outcome(folder, numbers[str(place)], place, one))
        if gathers:
            gather(folder, manifest)
    return batch_at(root)


def batch_at(root: Path) -> Batch:
    """Return the batch in a folder."""
    (batch,) = batches_in([root])
    return batch


def analyzed_again(batch: Batch, files: Path, groups: Mapping[str, str]) -> str:
    """Add these videos with other settings, and so other timelines, to a batch; return the digest of the settings."""
    recipe = Recipe(own={"video_classifier_model": "r3d_18"})
    with Manifest(batch.folder.manifest) as manifest:
        manifest.list(
            [
                Entry(str(path), one, path.name, groups.get(path.name, "hall"), 1, "1")
                for path in files.iterdir()
                for one in (RECIPE, recipe)
                if one is RECIPE or path.name in groups
            ],
            retry=False,
        )
        for due in manifest.due():
            name = Path(due.place).name
            sha256 = hashlib.sha256(Path(due.place).read_bytes()).hexdigest()
            key = key_of(sha256, due.digest)
            if due.recipe == recipe:
                write_result(batch.folder, key, seen(2, 15.0, 70 + len(name)), recipe)
            elif name == "broken.mp4":
                manifest.record(Outcome(due.number, "failed", error="broken."))
                continue
            manifest.record(Outcome(due.number, "done", key, sha256, 12.0, 2.0, 1, 1))
    with sqlite3.connect(batch.folder.manifest) as connection:  # a second has passed
        connection.execute("UPDATE video SET ended_at = '2999' WHERE recipe = ?", (recipe.digest,))
    return recipe.digest


def _entry(path: Path, video: Video) -> Entry:
    if not path.is_file():
        path.write_bytes(video.name.encode())
    status = path.stat()
    name = video.title or video.name
    return Entry(str(path), RECIPE, name, video.group, status.st_size, str(status.st_mtime_ns))


def _outcome(folder: BatchFolder, number: int, path: Path, video: Video) -> Outcome:
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    if video.timeline is None:
        return Outcome(number, "failed", sha256=sha256, took_s=0.5, error=f"'{path}' is incomplete; copy it again.")
    timeline = replace(video.timeline, video=replace(video.timeline.video, sha256=sha256))
    key = key_of(sha256, RECIPE.digest)
    segments = write_result(folder, key, timeline, RECIPE)
    people = len(timeline.people)
    return Outcome(number, "done", key, sha256, timeline.analysed_s, 2.0, people, segments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Store a batch of generated videos."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("count", type=int)
    given = parser.parse_args(arguments)
    groups = ("kitchen", "yard", "hall")
    videos = [
        Video(f"camera {k:04}.mp4", groups[k % 3], None if k % 9 == 8 else seen(1 + k % 3, 30.0, seed=k))
        for k in range(given.count)
    ]
    try:
        store_batch(given.folder, videos, given.folder.with_name("videos"))
    except StoreError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
