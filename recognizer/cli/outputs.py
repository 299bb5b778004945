"""The paths of each video's results; decided before the first video is opened."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from recognizer import files
from recognizer.errors import OutputError, SettingsError, system_reason
from recognizer.video import display_name

NAME_FIELD: Final = "{name}"
"""In an output's path, stands for the video's file name without its extension."""

STDOUT: Final = "-"

_ENDINGS: Final = {"csv": ".csv", "json": ".json", "video": ".mp4", "report": ".html"}


@dataclass(frozen=True)
class Outputs:
    """The paths of one video's results; None for each that is not wanted.

    Attributes:
        csv: a file, or ``-`` for standard output.
        json: a file, or ``-`` for standard output.
        video: a file.
        report: a file, or ``-`` for standard output.
        exports: files whose endings name their formats.
    """

    csv: str | None = None
    json: str | None = None
    video: str | None = None
    report: str | None = None
    exports: tuple[str, ...] = ()

    @property
    def any(self) -> bool:
        """Whether anything is written."""
        return any((self.csv, self.json, self.video, self.report, self.exports))

    @property
    def by_option(self) -> tuple[tuple[str, str], ...]:
        """The options with the files that are written, without standard output."""
        single = ((option, getattr(self, option)) for option in _ENDINGS)
        files = [(option, path) for option, path in single if path not in (None, STDOUT)]
        return (*files, *(("export", path) for path in self.exports))

    @property
    def files(self) -> tuple[str, ...]:
        """The files that are written, without standard output."""
        return tuple(path for _, path in self.by_option)


def plan_outputs(
    videos: Sequence[str],
    *,
    csv: str | None,
    json: str | None,
    video: str | None = None,
    report: str | None = None,
    exports: Sequence[str] = (),
    also_read: Sequence[str] = (),
) -> list[Outputs]:
    """Return the outputs of each video, in order.

    A path names a file, contains ``{name}``, or names a folder (it exists, or the path ends in a slash), where the
    result is named after the video. A path of ``exports`` has the ending of its format, so it cannot be a folder.
    ``also_read``: further files that no result may overwrite, such as the parts of a
    recording.

    Raises:
        SettingsError: two results have the same path, a result would overwrite a video, or a path is impossible.
    """
    wanted = {"csv": csv, "json": json, "video": video, "report": report}
    to_stdout = [f"--{option}" for option in ("csv", "json", "report") if wanted[option] == STDOUT]
    if len(to_stdout) > 1:
        raise SettingsError(f"{' and '.join(to_stdout[:2])} both go to standard output; give one of them a file.")
    if video == STDOUT:
        raise SettingsError("--video cannot go to standard output; give it a file that ends in .mp4.")
    for option, place in (*wanted.items(), *(("export", place) for place in exports)):
        if place is not None and len(videos) > 1:
            _check_for_several(option, place, len(videos))
    plans = [
        Outputs(
            **{option: _for_video(option, place, path) for option, place in wanted.items()},
            exports=tuple(_export_for_video(place, path) for place in exports),
        )
        for path in videos
    ]
    inputs = {_identity(path) for path in (*videos, *also_read)}
    taken: dict[str, str] = {}
    for source, plan in zip(videos, plans, strict=True):
        for option, target in plan.by_option:
            _check_target(option, target, inputs)
            other = taken.setdefault(_identity(target), f"--{option} of '{source}'")
            if other != f"--{option} of '{source}'" or plan.files.count(target) > 1:
                raise SettingsError(
                    f"--{option} of '{source}' and {other} would both be written to '{target}'; "
                    "give them different places or names."
                )
    if len(set(map(_identity, videos))) < len(videos) and any(plan.any for plan in plans):
        raise SettingsError("a video is named twice, and its results would overwrite each other; name it once.")
    return plans


def _check_for_several(option: str, place: str, count: int) -> None:
    if place == STDOUT:
        raise SettingsError(f"--{option} - takes one video, and {count} are given; use --{option} {_example(option)}.")
    if NAME_FIELD not in place and (option == "export" or not _is_folder(place)):
        folder = "" if option == "export" else "a folder, or "
        raise SettingsError(
            f"--{option} is '{place}' for {count} videos, which would overwrite each other; "
            f"give {folder}{NAME_FIELD} in the name, such as {_example(option)}."
        )


def _example(option: str) -> str:
    return f"results/{NAME_FIELD}{_ENDINGS.get(option, '.eaf')}"


def _is_folder(place: str) -> bool:
    return place.endswith(("/", os.sep)) or Path(place).is_dir()


def _for_video(option: str, place: str | None, video: str) -> str | None:
    if place is None or place == STDOUT:
        return place
    if not place:
        raise SettingsError(f"--{option} is empty; give a file, a folder, or {_example(option)}.")
    name = Path(video).stem
    place = place.replace(NAME_FIELD, name)
    return str(Path(place) / f"{name}{_ENDINGS[option]}") if _is_folder(place) else place


def _export_for_video(place: str, video: str) -> str:
    from recognizer.export.formats import format_of

    path = place.replace(NAME_FIELD, Path(video).stem)
    if not path or _is_folder(path):
        raise SettingsError(
            f"--export is '{place}', which names no format; give a name with its ending, such as {_example('export')}."
        )
    format_of(path)
    return path


def _identity(path: str) -> str:
    try:
        return os.path.normcase(os.path.realpath(path))
    except (OSError, ValueError):  # no file can have this name; opening it reports that
        return path


def _check_target(option: str, target: str, inputs: set[str]) -> None:
    if _identity(target) in inputs:
        raise SettingsError(f"--{option} would overwrite the video '{target}'; give another place or name.")
    folder = Path(target).parent
    if not folder.is_dir():
        raise SettingsError(f"there is no folder '{folder}' for --{option}; make it first or give another place.")
    if option != "video":
        return
    if not target.lower().endswith(_ENDINGS[option]):
        raise SettingsError(f"--video is '{target}', but the annotated video is MP4; give a name that ends in .mp4.")
    if Path(target).exists() and not Path(target).is_file():
        raise SettingsError(f"--video is '{target}', which is not a plain file; give another place.")


def write_text(target: str, text: str, stdout: IO[str]) -> None:
    """Write a result to a file or, for ``-``, to standard output.

    Raises:
        OutputError: it cannot be written; no partial file is left.
    """
    with _writing(target):
        if target == STDOUT:
            stdout.flush()
            # as bytes: the line ends are the format's, not the system's
            stdout.buffer.write(text.encode("utf-8"))  # type: ignore[attr-defined]
            stdout.flush()
        else:
            files.write_text(target, text)


def write_bytes(target: str, data: bytes) -> None:
    """Write a result to a file.

    Raises:
        OutputError: it cannot be written; no partial file is left.
    """
    with _writing(target):
        files.write_bytes(target, data)


@contextlib.contextmanager
def _writing(target: str) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        where = "standard output" if target == STDOUT else display_name(target)
        reason = system_reason(error)
        raise OutputError(f"{where} cannot be written ({reason}); make room or give another place.") from error
