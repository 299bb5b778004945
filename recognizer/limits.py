"""What the operator of this server allows: one table of limits, read from one TOML file and the environment.

A field of ``Limits`` carries everything known about the limit; ``python -m recognizer limits``, the documentation and
the messages follow from these fields. A limit that is hit raises ``LimitError`` (see ``exceeded``): the message has the
fact, the value, the limit's name and who can raise it.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from recognizer.errors import LimitError, SettingsError
from recognizer.files import data_dir, size_text

CONFIG_VARIABLE = "RECOGNIZER_CONFIG"
"""Environment variable that names the TOML file."""

CONFIG_NAME = "recognizer.toml"
"""Name of the TOML file in the folder of users' data, read if ``CONFIG_VARIABLE`` names none."""

LIMIT_PREFIX = "RECOGNIZER_LIMIT_"
"""Begins the environment variable of each limit; a variable takes precedence over the file."""

_GB: Final = 10**9
_HOUR_S: Final = 3600
_HELP: Final = "help"
_WHO: Final = "whoever runs this server can"
_TRUE_WORDS: Final = ("true", "yes", "on", "1")
_FALSE_WORDS: Final = ("false", "no", "off", "0", "")


def _limit(default: Any, help_text: str) -> Any:
    """Make a field of ``Limits`` from its default and the sentence that explains it."""
    return field(default=default, metadata={_HELP: help_text})


@dataclass(frozen=True)
class Limits:
    """What a server allows. The name of each field holds its unit, and its ``help`` describes it."""

    max_upload_bytes: int = _limit(
        2 * 2**30,
        "The largest file that is accepted. Streamlit's own limit, server.maxUploadSize, counts if it is smaller.",
    )
    max_video_s: int = _limit(24 * _HOUR_S, "The longest video, by its own clock.")
    max_frames: int = _limit(6_000_000, "The most pictures in one video; each costs time, however small it is.")
    max_pixels_in_flight: int = _limit(
        200_000_000,
        "The most pixels of all pictures that wait for the detector, three bytes each. One picture may always wait.",
    )
    max_people: int = _limit(10_000, "The most people who are followed in one video.")
    max_decoder_bytes: int = _limit(4 * 2**30, "The address space of the process that decodes one video.")
    max_decoder_stall_s: int = _limit(60, "How long a decoder may go on without a picture before it is ended.")
    max_checkpoint_bytes: int = _limit(
        2 * _GB, "The largest checkpoint of a user. Its tensors may take no more than the file has."
    )
    max_runs_per_visitor: int = _limit(20, "The most runs of one visitor that wait or run at the same time.")
    max_runs: int = _limit(200, "The most runs of all visitors together that wait or run at the same time.")
    max_runs_at_once: int = _limit(4, "The most long runs that are worked on at the same time; one for each visitor.")
    max_uploads_bytes_per_visitor: int = _limit(
        20 * 2**30, "The most disk space that the videos and checkpoints of one visitor may take."
    )
    max_videos_bytes: int = _limit(
        20 * 2**30, "The disk space of all videos; the least recently used ones make room for new ones."
    )
    min_free_bytes: int = _limit(
        1 * _GB, "What stays free on the disk; uploads and runs are refused before less is left."
    )
    operators: tuple[str, ...] = _limit((), "The e-mail addresses of those who see and may end everybody's runs.")
    alone: bool = _limit(
        False,
        "Whether this is one person's own machine: every visitor then is an operator. 'make run' says yes.",
    )
    batch_folders: tuple[str, ...] = _limit(
        (), "The folders of batches that the page lists, besides those in the folder of users' data."
    )
    batches_are_shared: bool = _limit(
        False, "Whether every visitor sees the batches and opens their videos, and not operators alone."
    )
    network_cameras: tuple[str, ...] = _limit(
        (), "The hosts of the network cameras that visitors may open, such as cam.local or 192.168.1.20:554."
    )
    weights_sha256: tuple[str, ...] = _limit(
        (),
        "The SHA-256 that files of weights must have, such as s3d-d76dad2f.pth=0123...: for those of which only eight "
        "digits are published.",
    )


class LimitValue(NamedTuple):
    """One limit as it is on this server.

    Attributes:
        name: the field of ``Limits``.
        value: what holds.
        origin: where the value comes from: ``default``, an environment variable, or the file.
        help: what it limits.
    """

    name: str
    value: Any
    origin: str
    help: str

    @property
    def text(self) -> str:
        """The value for people, such as ``2.1 GB``."""
        return value_text(self.name, self.value)


@cache
def limits() -> Limits:
    """Return this server's limits, read once.

    Raises:
        SettingsError: the file cannot be read, or it or a variable has an unknown name or an unfit value.
    """
    return Limits(**{one.name: one.value for one in limit_values()})


def limit_values(environment: Mapping[str, str] | None = None) -> tuple[LimitValue, ...]:
    """Return every limit with its value and where that comes from; read anew.

    Args:
        environment: environment variables; those of this process if None.

    Raises:
        SettingsError: as ``limits``.
    """
    environment = os.environ if environment is None else environment
    origin, values = _from_file(environment)
    found = {name: (value, origin) for name, value in values.items()}
    found |= {name: (value, f"{LIMIT_PREFIX}{name.upper()}") for name, value in _from(environment).items()}
    values_of = ((one, *found.get(one.name, (one.default, "default"))) for one in fields(Limits))
    return tuple(LimitValue(one.name, value, origin, one.metadata[_HELP]) for one, value, origin in values_of)


def exceeded(name: str, fact: str, remedy: str) -> LimitError:
    """Return the error for a limit that is hit.

    Args:
        name: the field of ``Limits``.
        fact: what was asked for, such as ``'talk.mp4' has 3.2 GB``.
        remedy: what its user can do, such as ``cut it into shorter pieces``.
    """
    allowed = value_text(name, getattr(limits(), name))
    change = "lower it" if name.startswith("min_") else "raise it"
    return LimitError(f"{fact}, the limit is {allowed}; {remedy} ({name}: {_WHO} {change}).")


def value_text(name: str, value: Any) -> str:
    """Return a limit's value for people, in a readable unit."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    if "_bytes" in name:
        return size_text(value)
    if name.endswith("_s"):
        return duration_text(value)
    return f"{value:,}"


def duration_text(seconds: float) -> str:
    """Return a length of time for people, rounded as an estimate: ``40 s``, ``12 min``, ``3 h 20 min``."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes >= 600:
        return f"{round(seconds / 3600)} h"
    hours, minutes = divmod(round(minutes / 5) * 5, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def rate_text(frames_per_s: float) -> str:
    """Return a speed for people: ``24 frames/s``, ``2.3 frames/s``. Work that goes on is never said to stand still."""
    if frames_per_s < 0.1:
        return "under 0.1 frames/s"
    return f"{frames_per_s:.0f} frames/s" if frames_per_s >= 9.95 else f"{frames_per_s:.1f} frames/s"


def _from_file(environment: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """Return the file's name and its values; none if there is no file and none is named."""
    named = environment.get(CONFIG_VARIABLE)
    path = Path(named).expanduser() if named else data_dir() / CONFIG_NAME
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        if not named:
            return "", {}
        raise SettingsError(f"{CONFIG_VARIABLE} names '{path}', which does not exist; name a TOML file.") from error
    except OSError as error:
        raise SettingsError(f"'{path}' cannot be read ({error.strerror}); make it readable or move it away.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"'{path}' is not TOML ({error}); write lines like max_runs = 200.") from error
    return str(path), {name: _checked(name, value, f"'{path}'") for name, value in content.items()}


def _from(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of the environment variables."""
    found = {}
    for variable, text in environment.items():
        if variable.startswith(LIMIT_PREFIX):
            name = variable.removeprefix(LIMIT_PREFIX).lower()
            found[name] = _checked(name, _parsed(name, text), variable)
    return found


def _parsed(name: str, text: str) -> Any:
    """Return the value that a variable's text stands for; the text itself if it stands for none."""
    default = _defaults().get(name)
    if isinstance(default, bool):
        word = text.strip().lower()
        return True if word in _TRUE_WORDS else False if word in _FALSE_WORDS else text
    if isinstance(default, tuple):
        return [part.strip() for part in text.split(",") if part.strip()]
    try:
        return int(text)
    except ValueError:
        return text


def _checked(name: str, value: Any, where: str) -> Any:
    """Return the value as a field has it.

    Raises:
        SettingsError: there is no such limit, or the value does not fit.
    """
    known = _defaults()
    if name not in known:
        raise SettingsError(f"{where} sets '{name}', which is not a limit; choose from {', '.join(known)}.")
    default = known[name]
    if isinstance(default, tuple):
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            return tuple(value)
        raise SettingsError(f"{name} in {where} is {value!r}; give a list of texts.")
    if isinstance(default, bool):
        if isinstance(value, bool):
            return value
        raise SettingsError(f"{name} in {where} is {value!r}; give true or false.")
    least = 0 if name.startswith("min_") else 1
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise SettingsError(f"{name} in {where} is {value!r}; give a whole number from {least} on.")
    return value


def _defaults() -> dict[str, Any]:
    return {one.name: one.default for one in fields(Limits)}
