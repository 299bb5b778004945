"""The command line: ``python -m recognizer analyze``, ``compare``, ``weights`` and ``doctor``.

Exit codes: 0 done; 2 something that the person can mend, told in one sentence on standard error; 130 ended by Ctrl-C,
143 by SIGTERM; 141 the reader of standard output went away. Results go to standard output, everything else to standard
error. What a command needs is imported when it runs, so that ``--help`` answers at once.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from recognizer import __version__
from recognizer.cli import analyze, compare, doctor, weights
from recognizer.cli.signals import Interrupts
from recognizer.cli.terminal import complain
from recognizer.errors import RecognizerError

EXIT_BAD_INPUT = 2
EXIT_BROKEN_PIPE = 141
"""128 and the number of SIGPIPE, as a shell reports a program that SIGPIPE has ended."""

_DESCRIPTION = "Tell who does what, when, in a video."
_EPILOG = """\
examples:
  python -m recognizer analyze clip.mp4 --classifier i3d --sequence-length 32
  python -m recognizer analyze clip.mp4 --csv clip.csv --json clip.json --video annotated.mp4
  python -m recognizer compare clip.mp4 --classifiers i3d,s3d --report clip.html
  python -m recognizer weights

'python -m recognizer analyze --help' explains every setting.
"""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, without the whole usage before it."""

    def error(self, message: str) -> NoReturn:
        complain(f"{message}; see '{self.prog} --help'.")
        self.exit(EXIT_BAD_INPUT)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m recognizer",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"recognizer {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=_Parser)
    analyze.add_command(commands)
    compare.add_command(commands)
    weights.add_command(commands)
    doctor.add_command(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code.

    Args:
        arguments: the words after the program's name; those of this process if None.
    """
    stdout = sys.stdout
    for stream in (stdout, sys.stderr):
        with contextlib.suppress(AttributeError):  # a stream that a test or an embedding program put there
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    with Interrupts() as interrupts:
        try:
            try:
                options = _parser().parse_args(arguments)
            except SystemExit as end:  # after --help, --version, or a sentence about the options
                stdout.flush()
                return int(end.code or 0)
            if options.verbose:
                logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(name)s: %(message)s")
            # libraries that print would spoil what a person pipes on
            with contextlib.redirect_stdout(sys.stderr):
                code: int = options.run(options, stdout)
            stdout.flush()
        except RecognizerError as error:
            complain(str(error))
            return EXIT_BAD_INPUT
        except BrokenPipeError:
            _close_quietly()
            return EXIT_BROKEN_PIPE
        except BaseException:
            # libraries turn an interrupt in the middle of their import into errors of their own
            if interrupts.exit_code is None:
                raise
            return interrupts.exit_code
        return code


def _close_quietly() -> None:
    """Nobody reads any more: what Python still holds for standard output must not fail at its exit."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
