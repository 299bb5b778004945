"""``python -m recognizer batch``: the options; ``batch_command`` does the work."""

from __future__ import annotations

import argparse
import math
from typing import IO, Any

from recognizer.cli.options import add_settings, add_source, add_thresholds, check_source, settings_of, within
from recognizer.cli.own_actions import add_actions
from recognizer.errors import SettingsError

_DESCRIPTION = """\
Analyse many videos. A command that ended, whatever ended it, goes on where it
was when it is run again; nothing is done twice.
"""
_EPILOG = """\
sources:
  files; folders, with the videos in all folders below; patterns in quotes, such
  as 'season/**/*.mp4'; addresses (https://..., s3://bucket/folder/) with the
  packages of pip install '.[remote]'; lists.
  A list is a text file (.txt) with a path on each line, or a table (.csv, .tsv)
  whose first line names its columns: path, and if you like id, group, and
  settings such as classifier or skip, which apply to that video. Paths are
  relative to the list's folder.

settings for all videos:
  The options below, or a TOML file with the same names: skip = 1. An option
  takes precedence over the file, and a column of a list over both.

what is in FOLDER:
  manifest.sqlite3   a row per video: state, result, seconds, speed, error
  manifest.csv       the same as a table, from the end of a command on
  videos/            a folder per result: timeline.json, segments.csv, Parquet,
                     features.npy for your own actions (--no-keep-features)
  data/              all segments, people and predictions as one Parquet data set
  exports/           with --export or --actions: a folder per format, a file per
                     video. They are made of the results: adding them to a batch
                     that is done analyses nothing again
  batch.log          what the workers say

how a video is known:
  By its bytes and its settings: a renamed or copied file is not analysed again,
  a changed file or other settings are. Results do not depend on the order of
  the videos or on the number of workers.

exit codes:
  0    every video is done
  2    a problem that you can solve, reported in one sentence; if it belongs to
       one video, the others are still analysed
  130  ended by Ctrl-C (143: by SIGTERM); run the same command to go on

examples:
  python -m recognizer batch recordings/ --preset recommended
  python -m recognizer batch season.csv --out season --settings lab.toml --plain
"""


def add_command(commands: Any) -> None:
    """Add ``batch`` to argparse's sub-commands."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "batch",
        help="analyse many videos, and go on after whatever ends it",
        usage="%(prog)s [options] SOURCE [SOURCE ...] [--out FOLDER]",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "sources", nargs="+", metavar="SOURCE", help="a file, a folder, a pattern, an address or a list"
    )
    parser.add_argument(
        "--out",
        metavar="FOLDER",
        help="where the results go; created if it is missing (default: a folder of its own for these sources, among "
        "the batches in the folder of users' data, where the page finds it)",
    )
    parser.add_argument("--retry", action="store_true", help="try videos again that failed in an earlier command")
    add_source(parser)
    machine = parser.add_argument_group("the machine")
    machine.add_argument(
        "--workers",
        default="auto",
        metavar="N",
        help="how many videos at the same time; auto (the default): one per core, as far as there is memory, on GPUs "
        "too",
    )
    machine.add_argument(
        "--ray",
        metavar="ADDRESS",
        help="use the machines of this Ray cluster; auto: the one that this machine belongs to (docs/scale.md)",
    )
    machine.add_argument("--max-file-mb", type=float, metavar="MB", help="refuse larger videos (default: no limit)")
    machine.add_argument(
        "--max-seconds", type=float, metavar="S", help="give up a video after so long (default: never)"
    )
    machine.add_argument(
        "--max-memory-mb",
        type=float,
        metavar="MB",
        help="give up a video whose worker takes more memory (default: what is free, divided by the workers)",
    )
    results = parser.add_argument_group("results for other programs")
    results.add_argument(
        "--export",
        action="append",
        default=[],
        metavar="ENDING",
        help="a file of each video in this format, such as .eaf (see analyze --help); can be given several times; .csv "
        "if there is --actions and no --export",
    )
    add_actions(results, "as only; data/ has the network's labels")
    segments = parser.add_argument_group("segments")
    add_thresholds(segments)
    settings = parser.add_argument_group("settings")
    settings.add_argument("--settings", metavar="FILE", help="a TOML file with settings, see above")
    add_settings(settings)
    parser.add_argument("--plain", action="store_true", help="progress as lines for a log, twice a minute")
    parser.add_argument("--quiet", action="store_true", help="show errors only, no progress and no summary")
    parser.add_argument("--verbose", action="store_true", help="log each step on standard error")
    # None: the file of settings decides
    parser.set_defaults(run=run, preset=None, min_duration=None)


def run(options: argparse.Namespace, _stdout: IO[str]) -> int:
    """Run the batch and return the exit code. Raises RecognizerError for a problem that stops all of it."""
    from recognizer.cli.batch_command import run_command

    check_source(options)
    settings_of(options)  # reports an invalid value by the name of its option
    if options.out == "":
        raise SettingsError("--out is empty; give a folder.")
    for option in ("max_file_mb", "max_seconds", "max_memory_mb"):
        _check_positive(option, getattr(options, option))
    for option, value, highest in (
        ("--min-confidence", options.min_confidence, 1.0),
        ("--min-duration", options.min_duration, math.inf),
    ):
        if value is not None:
            within(option, value, highest)
    return run_command(options)


def _check_positive(name: str, value: float | None) -> None:
    if value is not None and not (value > 0 and math.isfinite(value)):
        raise SettingsError(f"--{name.replace('_', '-')} is {value:g}; give a number above 0.")
