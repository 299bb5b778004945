"""``python -m recognizer analyze``: the options; ``analyze_run`` does the work."""

from __future__ import annotations

import argparse
import math
from dataclasses import replace
from functools import partial
from typing import IO, Any, Final

from recognizer.errors import SettingsError
from recognizer.settings import (
    BACKEND_NAMES,
    CLASSIFIER_NAMES,
    DETECTOR_NAMES,
    DEVICE_NAMES,
    PRECISION_NAMES,
    RANGES,
    RECOMMENDED_MIN_CONFIDENCE,
    TRACKER_NAMES,
    Settings,
    recommended,
)

_DESCRIPTION = """\
Find everyone in a video, follow them, and name what each of them does. Without
an output option the actions are printed as a table.
"""
_EPILOG = """\
where results go:
  A PATH is a file; a folder (then the video's name is used); or a path with
  {name} in it, which stands for the video's file name without its ending.
  Folders must exist. With several videos it must be a folder or hold {name}.
  For --csv and --json, - is standard output. A file appears when it is
  complete, and takes the place of the one before.

how long a clip is:
  sequence length x skip interval / frame rate. With the defaults and 30 frames
  per second that is half a second, too short for most actions:
  --sequence-length 32 (two seconds) is a better start.

exit codes:
  0    done
  2    something that you can mend, told in one sentence; of several videos the
       good ones are done all the same
  130  ended by Ctrl-C (143: by SIGTERM); no half-written file stays behind

examples:
  python -m recognizer analyze clip.mp4 --preset recommended
  python -m recognizer analyze clip.mp4 --classifier i3d --sequence-length 32 \\
      --csv clip.csv --json clip.json --video annotated.mp4
  python -m recognizer analyze clip.mp4 --csv - > clip.csv
  python -m recognizer analyze *.mp4 --csv 'tables/{name}-actions.csv' --json results/
"""

# option, field of Settings, type, help
_SETTINGS: Final[tuple[tuple[str, str, type, str], ...]] = (
    ("--detector", "model", str, f"the network that finds people: {', '.join(DETECTOR_NAMES)}"),
    (
        "--classifier",
        "video_classifier_model",
        str,
        f"the network that names actions: {', '.join(CLASSIFIER_NAMES)}; where the default cannot be had and you name "
        "none, i3d is used",
    ),
    ("--sequence-length", "num_video_sequence_samples", int, "how many samples of a person make one clip"),
    ("--skip", "skip_frame", int, "take every how many frames one sample"),
    (
        "--crop-margin",
        "crop_margin_percentage",
        int,
        "what is added around a person on each side, in percent of the longer side",
    ),
    (
        "--min-person-confidence",
        "min_person_confidence",
        float,
        "how sure the detector must be of a person to start following them",
    ),
    ("--tracker", "tracker", str, f"how people are followed: {', '.join(TRACKER_NAMES)}"),
    ("--overlap", "overlap", float, "share of a clip's samples that were in the clip before it"),
    ("--steady-crop", "steady_crop", bool, "let the crop follow its person smoothly instead of jumping with the box"),
    (
        "--surroundings",
        "surroundings",
        bool,
        "name each clip by the picture around the person too, and average the two; takes twice as long",
    ),
    ("--calibrated", "calibrated", bool, "give probabilities of being right, where that was measured (i3d)"),
    (
        "--smoothing",
        "smoothing_s",
        float,
        "seconds over which clips around a moment weigh in; 0 takes each by itself",
    ),
    ("--device", "device", str, f"where the networks run: {', '.join(DEVICE_NAMES)}"),
    ("--precision", "precision", str, f"number format of the networks: {', '.join(PRECISION_NAMES)}"),
    (
        "--backend",
        "backend",
        str,
        f"library that runs the networks: {', '.join(BACKEND_NAMES)}; auto takes what is quickest on this machine, "
        "measured once ('python -m recognizer doctor' shows it)",
    ),
)


def add_command(commands: Any) -> None:
    """Add ``analyze`` to argparse's sub-commands."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "analyze",
        help="tell who does what, when, in videos",
        usage="%(prog)s [options] VIDEO [VIDEO ...]",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("videos", nargs="+", metavar="VIDEO", help="a video file; several share the loaded networks")
    results = parser.add_argument_group("results")
    results.add_argument("--csv", metavar="PATH", help="one row a segment: person, action, start, end, probability")
    results.add_argument("--json", metavar="PATH", help="everything: settings, presence, the top five of every clip")
    results.add_argument("--video", metavar="PATH", help="the annotated video, MP4 with H.264 and its sound")
    add_thresholds(results)
    settings = parser.add_argument_group("settings")
    add_settings(settings)
    settings.add_argument(
        "--checkpoint",
        dest="checkpoint_path",
        metavar="FILE",
        help="your own weights for the classifier's network; nothing in the file is executed",
    )
    settings.add_argument(
        "--labels", dest="labels_path", metavar="FILE", help="the checkpoint's labels, one a line, in their order"
    )
    settings.add_argument("--max-file-mb", type=float, metavar="MB", help="refuse larger videos (default: no limit)")
    parser.add_argument("--quiet", action="store_true", help="show no progress and no summary, only what is wrong")
    parser.add_argument("--verbose", action="store_true", help="tell on standard error what is done")
    parser.set_defaults(run=run)


def add_thresholds(group: Any) -> None:
    """Add the options that decide which segments there are."""
    group.add_argument(
        "--min-confidence",
        type=float,
        metavar="P",
        help="where the best label is less probable it reads 'unknown'; 0 to 1 (default: 0; 0.3 where recommended)",
    )
    group.add_argument(
        "--min-duration",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="an action shorter than this does not count as one; in seconds (default: 0)",
    )


def add_settings(group: Any, *, without: tuple[str, ...] = ()) -> None:
    """Add an option for each field of Settings but those ``without``, and the presets."""
    group.add_argument(
        "--preset",
        choices=("documented", "recommended"),
        default="documented",
        help="what the settings start from: documented (half a second of a tight crop; the default), or recommended "
        "(what was measured to name people best, and 0.3 as --min-confidence; the page starts with it)",
    )
    for option, field, kind, text in _SETTINGS:
        if field in without:
            continue
        default = getattr(Settings, field)
        if kind is bool:
            group.add_argument(
                option, dest=field, action=argparse.BooleanOptionalAction, default=None, help=f"{text} (default: no)"
            )
            continue
        allowed = f"; {RANGES[field].low:g} to {RANGES[field].high:g}" if field in RANGES else ""
        metavar = "NAME" if kind is str else "N" if kind is int else "X"
        group.add_argument(option, dest=field, type=kind, metavar=metavar, help=f"{text}{allowed} (default: {default})")


def run(options: argparse.Namespace, stdout: IO[str]) -> int:
    """Analyse every video; the exit code. Raises RecognizerError for what stops all of them."""
    from recognizer.cli.analyze_command import Request, run_all

    settings_of(options)  # a value that is not allowed is told before anything else
    return run_all(
        Request(
            videos=tuple(options.videos),
            csv=options.csv,
            json=options.json,
            video=options.video,
            settings_at=partial(settings_of, options),
            classifier_is_named=options.video_classifier_model is not None or options.checkpoint_path is not None,
            min_confidence=min_confidence(options),
            min_duration_s=within("--min-duration", options.min_duration, math.inf),
            max_file_mb=options.max_file_mb if options.max_file_mb is None else _positive_mb(options.max_file_mb),
            quiet=options.quiet,
        ),
        stdout,
    )


def min_confidence(options: argparse.Namespace) -> float:
    """What the person asked for, or else what goes with the preset.

    Raises:
        SettingsError: it is not from 0 to 1.
    """
    if options.min_confidence is None:
        return RECOMMENDED_MIN_CONFIDENCE if options.preset == "recommended" else 0.0
    return within("--min-confidence", options.min_confidence, 1.0)


def settings_of(options: argparse.Namespace, frame_rate_hz: float | None = None, **more: Any) -> Settings:
    """The settings that the options give, and ``more`` of them; those of the preset where there is nothing.

    Args:
        options: what the person typed.
        frame_rate_hz: of the video; None where it is not known.
        **more: fields of Settings.

    Raises:
        SettingsError: a value is not allowed; the message names the option.
    """
    fields = (*(field for _, field, _, _ in _SETTINGS), "checkpoint_path", "labels_path")
    named = {field: getattr(options, field, None) for field in fields} | more
    own = {field: value for field, value in named.items() if value is not None}
    try:
        settings = replace(Settings(), **own)
        if options.preset == "recommended":
            settings = replace(recommended(settings, frame_rate_hz), **own)
        return settings
    except SettingsError as error:
        raise SettingsError(_in_options(str(error))) from error


def _in_options(sentence: str) -> str:
    """A sentence about a field of Settings, in the words of the command line."""
    names = {field: option for option, field, _, _ in _SETTINGS}
    names |= {"checkpoint_path": "--checkpoint", "labels_path": "--labels"}
    field, space, rest = sentence.partition(" ")
    return names.get(field, field) + space + rest


def within(option: str, value: float, highest: float) -> float:
    """The value, if it is from 0 to ``highest``.

    Raises:
        SettingsError: it is not.
    """
    if not (0 <= value <= highest and math.isfinite(value)):
        allowed = "from 0 up" if math.isinf(highest) else f"from 0 to {highest:g}"
        raise SettingsError(f"{option} is {value:g}; give a number {allowed}.")
    return value


def _positive_mb(value: float) -> float:
    if not (value > 0 and math.isfinite(value)):
        raise SettingsError(f"--max-file-mb is {value:g}; give a number of megabytes above 0.")
    return value
