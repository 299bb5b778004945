"""``python -m recognizer compare``: the options; ``compare_command`` does the work."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

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
from recognizer.cli.own_labels import add_truth, answers_of
from recognizer.errors import SettingsError
from recognizer.settings import CLASSIFIER_NAMES, Settings

if TYPE_CHECKING:
    from recognizer.video import VideoSource

_DESCRIPTION = """\
Run several classifiers over one video and report how far they agree. People
are found and tracked once, for all classifiers. Without an output option, print
the agreement and the cost as tables.
"""
_EPILOG = """\
which classifiers:
  A comma-separated list of NAME or NAME:SAMPLES. SAMPLES is the sequence length
  of this classifier, so a network can be compared with itself: i3d:8,i3d:32.
  Add each of your own checkpoints with --own.

labels of your own:
  A CSV with the columns action, start_s, end_s and, optionally, person_id; or
  a file of BORIS, ELAN, Praat, Audacity, DeepEthogram, SimBA, Label Studio or
  CVAT. Each classifier is scored against it. Odd rows are mended and reported.

where results go:
  A PATH is a file, or a folder, or - for standard output.

exit codes:
  0    done
  2    a problem that you can solve, reported in one sentence; if a classifier is
       unavailable, the others are still compared
  130  ended by Ctrl-C (143: by SIGTERM); no half-written file is left

examples:
  python -m recognizer compare clip.mp4 --classifiers i3d,s3d,r3d_18 \\
      --truth labels.csv --report out.html
  python -m recognizer compare clip.mp4 --classifiers i3d \\
      --own mc3_18 fights.pth fights.txt --csv out.csv
"""


def add_command(commands: Any) -> None:
    """Add ``compare`` to argparse's sub-commands."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "compare",
        help="report how far several classifiers agree about a video",
        usage="%(prog)s VIDEO [VIDEO ...] --classifiers NAME,NAME [options]",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "videos",
        nargs="+",
        metavar="VIDEO",
        help="a video file; several are the parts of one recording, read in the order of their names",
    )
    add_source(parser)
    parser.add_argument(
        "--classifiers",
        default="",
        metavar="NAME[:SAMPLES],...",
        help=f"the networks to compare: {', '.join(CLASSIFIER_NAMES)}",
    )
    parser.add_argument(
        "--own",
        nargs=3,
        action="append",
        default=[],
        metavar=("NETWORK", "CHECKPOINT", "LABELS"),
        help="your own weights for a network, and their labels, one per line; nothing in the files is executed",
    )
    add_truth(parser)
    results = parser.add_argument_group("results")
    results.add_argument("--csv", metavar="PATH", help="one row per segment, with its classifier")
    results.add_argument("--json", metavar="PATH", help="everything: each timeline, agreement, scores, costs")
    results.add_argument("--report", metavar="PATH", help="charts and tables in one HTML file that needs no network")
    results.add_argument(
        "--corrections",
        metavar="FILE",
        help="merge, split and hide people as a person's corrections do (docs/corrections.md); what they say about "
        "segments is no classifier's answer and is left out",
    )
    add_actions(results, "a lane of its own beside each classifier's")
    results.add_argument("--groups", metavar="FILE", help="fold labels into groups, your own too (docs/corrections.md)")
    add_thresholds(results)
    settings = parser.add_argument_group("settings, shared by all classifiers")
    add_settings(settings, without=("video_classifier_model", "checkpoint_path", "labels_path"))
    add_fresh(parser)
    parser.add_argument("--quiet", action="store_true", help="show errors only, no progress and no summary")
    parser.add_argument("--verbose", action="store_true", help="log each step on standard error")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, stdout: IO[str]) -> int:
    """Compare and return the exit code. Raises RecognizerError for a problem that stops all classifiers."""
    from recognizer.video.workers import warm_up

    warm_up()  # it starts while this process loads its libraries
    from recognizer.cli.compare_command import Request, run_comparison

    check_source(options)
    video = _source(options)
    return run_comparison(
        Request(
            video=video,
            settings=_entries(options, video),
            truth=options.truth,
            answers=answers_of(options),
            csv=options.csv,
            json=options.json,
            report=options.report,
            corrections=options.corrections,
            groups=options.groups,
            actions=options.actions,
            actions_mode=options.actions_mode,
            min_confidence=min_confidence(options),
            min_duration_s=within("--min-duration", options.min_duration, math.inf),
            fresh=options.fresh,
            quiet=options.quiet,
        ),
        stdout,
    )


_MOST_ENTRIES: Final = 20
"""More lanes than this cannot be distinguished."""


def _source(options: argparse.Namespace) -> VideoSource:
    from recognizer.video import VideoSource, in_order

    paths = [Path(path) for path in options.videos]
    ordered = tuple(paths[k] for k in in_order([path.name for path in paths]))
    return VideoSource(ordered, stream=options.stream, frame_rate_hz=options.frame_rate)


def _frame_rate_hz(video: VideoSource) -> float:
    """Return the frame rate of the video; the recommended preset depends on it."""
    from recognizer.timeline.model import frame_rate_hz
    from recognizer.video import open_video

    with open_video(video) as reader:
        return frame_rate_hz(reader.facts)


def _entries(options: argparse.Namespace, video: VideoSource) -> tuple[Settings, ...]:
    rate_hz = _frame_rate_hz(video) if options.preset == "recommended" else None
    words = [word.strip() for word in options.classifiers.split(",") if word.strip()]
    entries = [_published(word, options, rate_hz) for word in words]
    for network, checkpoint, labels in options.own:
        _check_name(network, "--own")
        entries.append(
            settings_of(
                options, rate_hz, video_classifier_model=network, checkpoint_path=checkpoint, labels_path=labels
            )
        )
    if not 2 <= len(entries) <= _MOST_ENTRIES:
        raise SettingsError(
            f"--classifiers and --own name {len(entries)}; give 2 to {_MOST_ENTRIES} to compare, such as "
            "--classifiers i3d,s3d."
        )
    return tuple(entries)


def _published(word: str, options: argparse.Namespace, rate_hz: float | None) -> Settings:
    name, colon, samples = word.partition(":")
    _check_name(name, "--classifiers")
    if not colon:
        return settings_of(options, rate_hz, video_classifier_model=name)
    if not samples.isdecimal():
        raise SettingsError(f"--classifiers has '{word}'; give a whole number of samples, such as {name}:16.")
    return settings_of(options, rate_hz, video_classifier_model=name, num_video_sequence_samples=int(samples))


def _check_name(name: str, option: str) -> None:
    if name not in CLASSIFIER_NAMES:
        raise SettingsError(f"{option} has '{name}'; choose from {', '.join(CLASSIFIER_NAMES)}.")
