"""The videos to analyze: files, folders, patterns, lists and addresses become entries."""

from __future__ import annotations

import csv
import glob
import io
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import unquote, unquote_to_bytes, urlsplit

from recognizer.batch.recipe import NAMES, Recipe, is_setting
from recognizer.batch.remote import is_remote, remote_files
from recognizer.errors import RecognizerError, SettingsError, one_line, system_reason

_LIST_SUFFIXES: Final = (".csv", ".tsv", ".txt")
_PATTERN_SIGNS: Final = re.compile(r"[*?\[]")
_OWN_COLUMNS: Final = ("path", "id", "group")


@dataclass(frozen=True)
class Entry:
    """A video that is to be analyzed.

    Attributes:
        place: absolute path, or address; see ``place_of``.
        recipe: how.
        name: the user's id for it, or else its file name.
        group: the user's group; empty if there is none.
        size_bytes: None if unknown.
        changed: differs after the file has changed; empty if unknown.
    """

    place: str
    recipe: Recipe
    name: str = ""
    group: str = ""
    size_bytes: int | None = None
    changed: str = ""


@dataclass
class Sources:
    """The sources of a batch.

    Attributes:
        sources: as the user gave them.
        recipe: how videos are analyzed, unless a list says otherwise.
        without: a folder that is not searched: that of the results.
        problems: a sentence for each source that cannot be read; complete after ``entries``.
    """

    sources: Iterable[str]
    recipe: Recipe
    without: Path
    problems: list[str] = field(default_factory=list)

    def entries(self) -> Iterator[Entry]:
        """Yield the videos to analyze; call once.

        Raises:
            SettingsError: a list has an unknown column or an unfit value.
        """
        for source in self.sources:
            if not is_remote(source) and source.lower().endswith(_LIST_SUFFIXES):
                yield from self._listed(Path(source))
            else:
                yield from self._found(source, Entry(source, self.recipe))

    def _found(self, source: str, like: Entry) -> Iterator[Entry]:
        """Yield the videos of one source, with the rest as in ``like``."""
        try:
            if is_remote(source):
                for file in remote_files(source, _video_name()):
                    yield _like(like, file.place, file.size_bytes, file.changed)
            else:
                for path in self._local(source):
                    yield _local_entry(path, like)
        except RecognizerError as error:
            self.problems.append(str(error))

    def _local(self, source: str) -> Iterator[str]:
        # without a Path for each of 100,000 lines of a list, which takes a second
        path = str(local_path(source) or source)
        if os.path.isdir(path):  # noqa: PTH112
            if Path(path).absolute() == self.without:
                self.problems.append(f"'{source}' is the folder of the results; give another --out.")
                return
            yield from self._in_folder(path)
        elif _PATTERN_SIGNS.search(path) and not os.path.exists(path):  # noqa: PTH110
            found = sorted(glob.glob(path, recursive=True))  # noqa: PTH207 (the pattern may be absolute)
            if not found:
                self.problems.append(f"no file is named like '{source}'; check the pattern, or put it in quotes.")
            for one in found:
                if Path(one).is_dir():
                    yield from self._in_folder(one)
                else:
                    yield one
        else:
            yield path

    def _in_folder(self, folder: str) -> Iterator[str]:
        count = 0
        for inner, folders, files in os.walk(folder, onerror=self._note_unreadable):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            if Path(inner).absolute() == self.without:
                folders.clear()
                continue
            for name in sorted(files):
                if not name.startswith(".") and _video_name().search(name):
                    count += 1
                    yield os.path.join(inner, name)  # noqa: PTH118 (a Path for each of 100,000 files takes a second)
        if not count:
            self.problems.append(f"'{folder}' holds no video; name files, or a folder with videos.")

    def _note_unreadable(self, error: OSError) -> None:
        reason = system_reason(error)
        self.problems.append(f"the folder '{error.filename}' cannot be read ({reason}); check that it is there.")

    def _listed(self, path: Path) -> Iterator[Entry]:
        try:
            text = path.read_text(encoding="utf-8-sig")
            if "\0" in text:  # UTF-16
                raise UnicodeError
        except (OSError, UnicodeError) as error:
            reason = system_reason(error) if isinstance(error, OSError) else "it is not UTF-8"
            self.problems.append(f"the list '{path}' cannot be read ({reason}); give a CSV or text file.")
            return
        recipes: dict[tuple[tuple[str, str], ...], Recipe] = {}
        for number, row in _rows(path, text):
            values = {name: value for name, value in row.items() if name not in _OWN_COLUMNS and value}
            key = tuple(values.items())
            if key not in recipes:
                where = f"line {number} of '{path}'"
                recipes[key] = self.recipe.with_values(values, where, path.absolute().parent)
            place = row["path"]
            if not is_remote(place) and local_path(place) is None:
                place = os.path.join(path.absolute().parent, place)  # noqa: PTH118 (as above)
            yield from self._found(place, Entry(place, recipes[key], row.get("id", ""), row.get("group", "")))


def _rows(path: Path, text: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Yield the number of each line of a list with its values by column."""
    if path.suffix.lower() == ".txt":
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip() and not line.lstrip().startswith("#"):
                yield number, {"path": line.strip()}
        return
    delimiter = "\t" if path.suffix.lower() == ".tsv" else _delimiter(text)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or ()]
    if "path" not in reader.fieldnames:
        raise SettingsError(
            f"the list '{path}' has no column path; begin it with a line such as path,id,group, and name settings as "
            "further columns."
        )
    for name in reader.fieldnames:
        if name and name not in _OWN_COLUMNS and not is_setting(name):
            raise SettingsError(
                f"the list '{path}' has a column '{name}', which is not a setting; choose from "
                f"{', '.join((*_OWN_COLUMNS, *NAMES))}."
            )
    for row in _read(reader, path):
        values = {name: (value or "").strip() for name, value in row.items() if isinstance(name, str)}
        if None in row:
            raise SettingsError(f"line {reader.line_num} of '{path}' has more values than the first line; quote them.")
        if values["path"]:
            yield reader.line_num, values


def _read(reader: csv.DictReader[str], path: Path) -> Iterator[dict[str, str]]:
    try:
        yield from reader
    except csv.Error as error:
        where = f"line {reader.line_num} of '{path}'"
        raise SettingsError(f"{where} is not that of a table ({error}); close each quote.") from error


def _delimiter(text: str) -> str:
    first = text.partition("\n")[0]
    return ";" if first.count(";") > first.count(",") else ","


def _local_entry(path: str, like: Entry) -> Entry:
    try:
        status = os.stat(path)  # noqa: PTH116 (as above)
    except OSError:  # whoever analyzes it says so
        return _like(like, place_of(path), None, "")
    return _like(like, place_of(path), status.st_size, str(status.st_mtime_ns))


def _like(like: Entry, place: str, size_bytes: int | None, changed: str) -> Entry:
    name = like.name or one_line(unquote(place.partition("?")[0]).rpartition("/")[2])
    return Entry(place, like.recipe, name, like.group, size_bytes, changed)


def place_of(path: str) -> str:
    """Return an absolute path as text; as an address where its bytes are no text, which a database cannot hold."""
    path = os.path.abspath(path)  # noqa: PTH100 (a Path for each of 100,000 files takes a second)
    try:
        path.encode()
    except UnicodeEncodeError:
        return Path(path).as_uri()
    return path


def local_path(place: str) -> Path | None:
    """Return the path of a ``file://`` address; None for anything else."""
    if not place.startswith("file://"):
        return None
    return Path(os.fsdecode(unquote_to_bytes(urlsplit(place).path)))


@cache
def _video_name() -> re.Pattern[str]:
    """Return the pattern of names of videos."""
    from recognizer.video import VIDEO_SUFFIXES  # imported here, because it loads FFmpeg

    return re.compile(rf"\.(?:{'|'.join(VIDEO_SUFFIXES)})$", re.IGNORECASE)
