"""``python -m recognizer analyze``: the options; ``analyze_command`` does the work."""

from __future__ import annotations

import argparse
import math
from functools import partial
from typing import IO, Any

from recognizer.cli.options import (
    add_fresh,
    add_settings,
    add_source,
    add_thresholds,
    check_source,
    min_confidence,
    settings_of,
    within,
)
from recognizer.cli.own_actions import add_actions
from recognizer.errors import SettingsError

_DESCRIPTION = """\
Find and track the people in a video and label what each of them does. Without
an output option, print the actions as a table.
"""
_EPILOG = """\
several files of one recording:
  Cameras cut long recordings into files (GX010042.MP4, GX020042.MP4, ...; the
  segments of a network recorder). With --join, the files are read as one video,
  in the order of the numbers or clocks in their names.

where results go:
  A PATH is a file; a folder, where the result gets the video's name; or a path
  with {name} in it, which stands for the video's file name without its ending.
  Folders must exist. With several videos, PATH must be a folder or hold {name}.
  For --csv and --json, - is standard output. A file appears when it is
  complete and replaces an older one.

formats of --export, by the ending of PATH:
  .csv .people.csv .predictions.csv .movement.csv
                                       tables; also .parquet instead of .csv
  .budget.csv .bins.csv                time per action; the same per minute
  .transitions.csv .together.csv       what follows what; what two people do at once
  .eaf                                 ELAN, one tier per person
  .boris                               BORIS, a project with one observation
  .tsv                                 BORIS' table of aggregated events
  .TextGrid                            Praat, one tier per person
  .vtt .srt                            subtitles
  .ava.csv .ava.pbtxt                  boxes and labels as in the AVA data set
  .json                                as --json
  .zip                                 all of these, with a README

a command that was killed or interrupted:
  Run it again with the same settings, and it goes on where it was; the results
  are those of a command that was left alone. --fresh begins at the start.

how long a clip is:
  sequence length x skip interval / frame rate. The defaults give half a second
  at 30 frames per second, which is too short for most actions; start with
  --preset recommended, or with --sequence-length 32 (two seconds).

exit codes:
  0    done
  2    a problem that you can solve, reported in one sentence; if one of several
       videos is bad, the others are still analysed
  130  ended by Ctrl-C (143: by SIGTERM); no half-written file is left

examples:
  python -m recognizer analyze clip.mp4 --preset recommended
  python -m recognizer analyze clip.mp4 --classifier i3d --sequence-length 32 \\
      --csv clip.csv --json clip.json --video annotated.mp4
  python -m recognizer analyze clip.mp4 --csv - > clip.csv
  python -m recognizer analyze clip.mp4 --export clip.eaf --export clip.zip
  python -m recognizer analyze GX*0042.MP4 --join --csv juggling.csv
  python -m recognizer analyze clip.mp4 --preset recommended --classifier i3d \\
      --actions gym.actions
  python -m recognizer analyze *.mp4 --csv 'tables/{name}-actions.csv' --json results/
"""


def add_command(commands: Any) -> None:
    """Add ``analyze`` to argparse's sub-commands."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "analyze",
        help="find out who does what, when, in videos",
        usage="%(prog)s [options] VIDEO [VIDEO ...]",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("videos", nargs="+", metavar="VIDEO", help="a video file; the networks are loaded once for all")
    parser.add_argument(
        "--join", action="store_true", help="read the files as one recording, in the order of their names"
    )
    add_source(parser)
    results = parser.add_argument_group("results")
    results.add_argument("--csv", metavar="PATH", help="one row per segment: person, action, start, end, probability")
    results.add_argument("--json", metavar="PATH", help="everything: settings, presence, the top five of every clip")
    results.add_argument("--video", metavar="PATH", help="the annotated video, MP4 with H.264 and the sound")
    results.add_argument(
        "--export",
        action="append",
        default=[],
        metavar="PATH",
        help="a file in the format that its ending names, see below; can be given several times",
    )
    results.add_argument(
        "--corrections",
        metavar="FILE",
        help="apply a person's corrections, a JSON file (docs/corrections.md)",
    )
    add_actions(results, "a table of each; files hold your own names")
    results.add_argument("--groups", metavar="FILE", help="fold labels into groups, a JSON file (docs/corrections.md)")
    add_thresholds(results)
    settings = parser.add_argument_group("settings")
    add_settings(settings)
    settings.add_argument("--max-file-mb", type=float, metavar="MB", help="refuse larger videos (default: no limit)")
    add_fresh(parser)
    parser.add_argument("--quiet", action="store_true", help="show errors only, no progress and no summary")
    parser.add_argument("--verbose", action="store_true", help="log each step on standard error")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, stdout: IO[str]) -> int:
    """Analyse every video and return the exit code. Raises RecognizerError for a problem that stops all of them."""
    from recognizer.video.workers import warm_up

    warm_up()  # it starts while this process loads its libraries
    from recognizer.cli.analyze_command import Request, run_all

    check_source(options)
    settings_of(options)  # reports an invalid value before anything else happens
    return run_all(
        Request(
            videos=tuple(options.videos),
            join=options.join,
            stream=options.stream,
            frame_rate_hz=options.frame_rate,
            csv=options.csv,
            json=options.json,
            video=options.video,
            exports=tuple(options.export),
            corrections=options.corrections,
            groups=options.groups,
            actions=options.actions,
            actions_mode=options.actions_mode,
            settings_at=partial(settings_of, options),
            classifier_is_named=options.video_classifier_model is not None or options.checkpoint_path is not None,
            min_confidence=min_confidence(options),
            min_duration_s=within("--min-duration", options.min_duration, math.inf),
            max_file_mb=options.max_file_mb if options.max_file_mb is None else _positive_mb(options.max_file_mb),
            fresh=options.fresh,
            quiet=options.quiet,
        ),
        stdout,
    )


def _positive_mb(value: float) -> float:
    if not (value > 0 and math.isfinite(value)):
        raise SettingsError(f"--max-file-mb is {value:g}; give a number of megabytes above 0.")
    return value
