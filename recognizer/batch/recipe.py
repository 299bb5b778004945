"""A recipe: the settings that, together with a video's bytes, decide a result."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal, get_args

import msgspec

from recognizer.errors import SettingsError, system_reason
from recognizer.settings import RECOMMENDED_MIN_CONFIDENCE, SETTING_SPECS, Settings, SettingSpec, chosen
from recognizer.weights import file_sha256

FORMAT: Final = 1
"""Part of a recipe's digest: increase it when results of the same settings become others."""

PATH_SETTINGS: Final = ("checkpoint_path", "labels_path")

_Preset = Literal["documented", "recommended"]
_NUMBERS: Final = {"min_confidence": 1.0, "min_duration": None, "frame_rate": 1000.0}
"""Numbers that are not settings of the analysis, with the highest value of each."""

_WORDS: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class Recipe(msgspec.Struct, frozen=True, dict=True):
    """The settings with which a video is analyzed.

    Attributes:
        preset: the base settings.
        own: values that take precedence over the preset, by the names of settings.
        min_confidence: of the segments; None for that of the preset.
        min_duration_s: of the segments.
        stream: number of the video stream; None for the one that a player shows.
        frame_rate_hz: frames per second of raw streams that state none; None to assume one.
    """

    preset: _Preset = "documented"
    own: dict[str, bool | int | float | str] = {}
    min_confidence: float | None = None
    min_duration_s: float = 0.0
    stream: int | None = None
    frame_rate_hz: float | None = None

    def settings_at(self, frame_rate_hz: float | None) -> Settings:
        """Return the settings for a video of this frame rate.

        Raises:
            SettingsError: a value is not allowed.
        """
        return chosen(self.preset, self.own, frame_rate_hz)

    @property
    def names_a_classifier(self) -> bool:
        """Whether the user chose a classifier; if not, an unavailable default may be replaced."""
        return "video_classifier_model" in self.own or "checkpoint_path" in self.own

    @property
    def least_confidence(self) -> float:
        """The minimum confidence of the segments."""
        if self.min_confidence is not None:
            return self.min_confidence
        return RECOMMENDED_MIN_CONFIDENCE if self.preset == "recommended" else 0.0

    @cached_property
    def digest(self) -> str:
        """Equal for recipes with equal results. A user's own files count by their bytes, not by their names.

        Raises:
            SettingsError: one of these files cannot be read.
        """
        values = self.settings_at(None).as_dict()
        if self.preset == "recommended":  # the frame rate decides the other values
            values = {name: values[name] for name in self.own}
        values |= {name: _sha256(values[name]) for name in PATH_SETTINGS if values.get(name) is not None}
        parts: list[Any] = [FORMAT, self.preset, values, self.least_confidence, self.min_duration_s]
        parts += [self.stream, self.frame_rate_hz]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]

    def with_values(self, values: Mapping[str, Any], where: str, folder: Path | None = None) -> Recipe:
        """Return a recipe with further values, such as those of a file.

        Args:
            values: by name of setting or option, such as ``skip_frame`` or ``skip``; text for any kind of value.
            where: what the values come from, for messages.
            folder: what paths among them are relative to; None for the current folder.

        Raises:
            SettingsError: a name is unknown, or a value does not fit.
        """
        changes: dict[str, Any] = {}
        own = dict(self.own)
        for given, value in values.items():
            name = _plain(given)
            if name in _SETTINGS:
                spec = _SETTINGS[name]
                own[spec.name] = _checked(spec, value, where, folder)
            elif name in OTHERS:
                changes[OTHERS[name]] = _other(name, value, where)
            else:
                raise SettingsError(f"{where} sets '{given}', which is not a setting; choose from {', '.join(NAMES)}.")
        changed = msgspec.structs.replace(self, own=own, **changes)
        try:
            changed.settings_at(None)
        except SettingsError as error:
            raise SettingsError(f"{where}: {error}") from error
        return changed


def _sha256(path: str) -> str:
    try:
        return file_sha256(path)
    except OSError as error:
        reason = system_reason(error)
        raise SettingsError(f"'{path}' cannot be read ({reason}); give a file that exists.") from error


_SETTINGS: Final[dict[str, SettingSpec]] = {
    name: spec
    for spec in SETTING_SPECS.values()
    for name in (spec.name, spec.option.removeprefix("--").replace("-", "_"))
}
OTHERS: Final = {
    "preset": "preset",
    "min_confidence": "min_confidence",
    "min_duration": "min_duration_s",
    "stream": "stream",
    "frame_rate": "frame_rate_hz",
}
"""What a recipe has besides the settings: its fields by the names of the options."""

NAMES: Final = (*OTHERS, *(spec.option.removeprefix("--").replace("-", "_") for spec in SETTING_SPECS.values()))
"""What a file of settings, or a column of a list, may be called; the names of ``Settings`` are understood too."""


def is_setting(name: str) -> bool:
    """Return whether a recipe can have a value of this name."""
    return _plain(name) in _SETTINGS or _plain(name) in OTHERS


def _plain(name: str) -> str:
    return name.strip().lower().replace("-", "_")


def _checked(spec: SettingSpec, value: Any, where: str, folder: Path | None) -> Any:
    if spec.name in PATH_SETTINGS:
        return str((folder or Path()).absolute() / str(value))
    found = _converted(spec.kind, value)
    try:
        if found is None:
            raise SettingsError(f"{spec.name} is {value!r}; give a value like {spec.default!r}.")
        spec.check(found)
    except SettingsError as error:
        raise SettingsError(f"{where}: {error}") from error
    return found


def _converted(kind: type, value: Any) -> Any:
    """Return a value, or the one that a text stands for; None if it is of another kind."""
    if isinstance(value, str) and kind is not str:
        if kind is bool:
            return _WORDS.get(value.strip().lower())
        try:
            return kind(value)
        except ValueError:
            return None
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value if type(value) is kind else None


def _other(name: str, value: Any, where: str) -> Any:
    """Return the value of something that is not a setting of the analysis."""
    if name == "preset":
        if value not in get_args(_Preset):
            raise SettingsError(f"{where}: preset is {value!r}; choose one of {', '.join(get_args(_Preset))}.")
        return value
    if name == "stream":
        number = _converted(int, value)
        if number is None or number < 0:
            raise SettingsError(f"{where}: stream is {value!r}; give a whole number from 0 on.")
        return number
    found, highest = _converted(float, value), _NUMBERS[name]
    if found is None or not 0 <= found <= (highest or float("1e9")):
        allowed = "from 0 up" if highest is None else f"from 0 to {highest:g}"
        raise SettingsError(f"{where}: {name} is {value!r}; give a number {allowed}.")
    return found


def read_recipe(path: Path, base: Recipe) -> Recipe:
    """Return a recipe with the values of a TOML file.

    Raises:
        SettingsError: the file cannot be read, or has an unknown name or an unfit value.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        reason = system_reason(error)
        raise SettingsError(f"'{path}' cannot be read ({reason}); give --settings a TOML file.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"'{path}' is not TOML ({error}); write lines like skip = 2.") from error
    return base.with_values(values, f"'{path}'", path.absolute().parent)
