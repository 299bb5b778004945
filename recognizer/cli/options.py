"""Options that commands share: one for each setting, the presets, and the thresholds of the segments."""

from __future__ import annotations

import argparse
import math
from typing import Any

from recognizer.errors import SettingsError
from recognizer.settings import RECOMMENDED_MIN_CONFIDENCE, SETTING_SPECS, Settings, SettingSpec, chosen

_MOST_FRAMES_PER_S = 1000
"""The same as ``recognizer.video.container.MAX_FRAME_RATE_HZ``, which would load FFmpeg for ``--help``."""

_METAVARS = {str: "NAME", int: "N", float: "X"}

_MORE_HELP = {
    "video_classifier_model": "If the default cannot be fetched and you name none, i3d is used.",
    "backend": "'python -m recognizer doctor' shows what was measured.",
}
"""Sentences that the command line alone adds to the help of a setting."""

_YES_NO = {True: "yes", False: "no"}


def add_settings(group: Any, *, without: tuple[str, ...] = ()) -> None:
    """Add the presets, and an option for each setting except those ``without``."""
    group.add_argument(
        "--preset",
        choices=("documented", "recommended"),
        default="documented",
        help="base settings: documented (half a second of a tight crop; the default), or recommended "
        "(the settings that labelled people best in our measurements, with --min-confidence 0.3; the app starts with "
        "it)",
    )
    for name, spec in SETTING_SPECS.items():
        if name not in without:
            _add_setting(group, name, spec)


def add_fresh(parser: argparse.ArgumentParser) -> None:
    """Add the option that forgets what an earlier run saved."""
    parser.add_argument(
        "--fresh",
        action="store_true",
        help="begin at the start, even if an earlier run of the same command was killed or interrupted",
    )


def _add_setting(group: Any, name: str, spec: SettingSpec) -> None:
    text = _help(name, spec).replace("%", "%%")
    if spec.kind is bool:
        group.add_argument(spec.option, dest=name, action=argparse.BooleanOptionalAction, default=None, help=text)
        return
    metavar = "FILE" if spec.default is None else _METAVARS[spec.kind]
    group.add_argument(spec.option, dest=name, type=spec.kind, metavar=metavar, help=text)


def _help(name: str, spec: SettingSpec) -> str:
    """Return the help of a setting with its allowed values and its default."""
    facts = []
    if spec.choices:
        facts.append(", ".join(spec.choices))
    if spec.limits is not None:
        facts.append(f"{spec.limits.low:g} to {spec.limits.high:g}")
    if spec.default is not None:
        facts.append(f"default: {_YES_NO.get(spec.default, spec.default) if spec.kind is bool else spec.default}")
    more = f" {_MORE_HELP[name]}" if name in _MORE_HELP else ""
    return f"{spec.help}{more}" + (f" ({'; '.join(facts)})" if facts else "")


def add_source(group: Any) -> None:
    """Add the options that say how a file is read; they matter for few files."""
    group.add_argument(
        "--stream",
        type=int,
        metavar="N",
        help="which video to read from a file that holds several: its number among all streams of the file, from 0 "
        "(default: the one that a player shows)",
    )
    group.add_argument(
        "--frame-rate",
        type=float,
        metavar="HZ",
        help="frames per second of a raw stream (.h264, .hevc, ...) that does not state them; other files keep theirs",
    )


def check_source(options: argparse.Namespace) -> None:
    """Check the options of ``add_source``.

    Raises:
        SettingsError: a value is not allowed; the message names the option.
    """
    if options.stream is not None and options.stream < 0:
        raise SettingsError(f"--stream is {options.stream}; streams are numbered from 0.")
    rate_hz = options.frame_rate
    if rate_hz is not None and not (0 < rate_hz <= _MOST_FRAMES_PER_S):
        raise SettingsError(f"--frame-rate is {rate_hz:g}; give a number above 0 and up to {_MOST_FRAMES_PER_S}.")


def add_thresholds(group: Any) -> None:
    """Add the options that decide the segments."""
    group.add_argument(
        "--min-confidence",
        type=float,
        metavar="P",
        help="show 'unknown' where the best label is less probable than this; 0 to 1 (default: 0, or 0.3 with the "
        "recommended preset)",
    )
    group.add_argument(
        "--min-duration",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="actions shorter than this become the action around them, or 'unknown'; in seconds (default: 0)",
    )


def settings_of(options: argparse.Namespace, frame_rate_hz: float | None = None, **more: Any) -> Settings:
    """Return the settings from the options, or from the preset where an option is not given.

    Args:
        options: the parsed command line.
        frame_rate_hz: frame rate of the video; None if unknown.
        **more: settings that take precedence over the options.

    Raises:
        SettingsError: a value is not allowed; the message names the option.
    """
    given = {name: getattr(options, name, None) for name in SETTING_SPECS} | more
    own = {name: value for name, value in given.items() if value is not None}
    try:
        return chosen(options.preset, own, frame_rate_hz)
    except SettingsError as error:
        raise SettingsError(_with_option(str(error))) from error


def _with_option(sentence: str) -> str:
    """Replace the name of a setting at the start of a sentence with its option."""
    name, space, rest = sentence.partition(" ")
    return (SETTING_SPECS[name].option if name in SETTING_SPECS else name) + space + rest


def min_confidence(options: argparse.Namespace) -> float:
    """Return the minimum confidence from the options, or else from the preset.

    Raises:
        SettingsError: it is not from 0 to 1.
    """
    if options.min_confidence is None:
        return RECOMMENDED_MIN_CONFIDENCE if options.preset == "recommended" else 0.0
    return within("--min-confidence", options.min_confidence, 1.0)


def within(option: str, value: float, highest: float) -> float:
    """Return ``value`` if it is from 0 to ``highest``.

    Raises:
        SettingsError: it is not.
    """
    if not (0 <= value <= highest and math.isfinite(value)):
        allowed = "from 0 up" if math.isinf(highest) else f"from 0 to {highest:g}"
        raise SettingsError(f"{option} is {value:g}; give a number {allowed}.")
    return value
