"""The command line: ``python -m recognizer analyze``, ``compare``, ``batch``, ``weights``, ``doctor`` and ``limits``.

Exit codes: 0, done; 2, a problem that the user can solve, reported in one sentence on standard error; 130, interrupted
by Ctrl-C; 141, standard output was closed by its reader; 143, ended by SIGTERM. Results go to standard output,
everything else to standard error. Each command imports its libraries when it runs, so that ``--help`` answers at once.
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
from recognizer.cli import analyze, batch, compare, doctor, limits, weights
from recognizer.cli.signals import Interrupts
from recognizer.cli.terminal import complain
from recognizer.errors import RecognizerError

EXIT_BAD_INPUT = 2
EXIT_BROKEN_PIPE = 141
"""128 plus the number of SIGPIPE, the exit code that a shell reports for a program ended by SIGPIPE."""

_DESCRIPTION = "Find out who does what, when, in a video."
_EPILOG = """\
examples:
  python -m recognizer analyze clip.mp4 --classifier i3d --sequence-length 32
  python -m recognizer analyze clip.mp4 --csv clip.csv --json clip.json --video annotated.mp4
  python -m recognizer compare clip.mp4 --classifiers i3d,s3d --report clip.html
  python -m recognizer weights

'python -m recognizer analyze --help' explains every setting.
"""


class _Parser(argparse.ArgumentParser):
    """Reports a wrong option in one sentence, without the usage."""

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
    batch.add_command(commands)
    weights.add_command(commands)
    doctor.add_command(commands)
    limits.add_command(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Args:
        arguments: the words after the program's name; those of this process if None.
    """
    stdout = sys.stdout
    for stream in (stdout, sys.stderr):
        with contextlib.suppress(AttributeError):  # a test or an embedding program may have replaced the stream
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    with Interrupts() as interrupts:
        try:
            try:
                options = _parser().parse_args(arguments)
            except SystemExit as end:  # after --help, --version or a wrong option
                stdout.flush()
                return int(end.code or 0)
            if options.verbose:
                from recognizer.service.logs import inert_handler

                logging.basicConfig(level=logging.INFO, handlers=[inert_handler("%(name)s: %(message)s")])
            # libraries that print must not spoil piped output
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
            # a library that is interrupted during its import may raise an error of its own
            if interrupts.exit_code is None:
                raise
            return interrupts.exit_code
        return code


def _close_quietly() -> None:
    """Redirect standard output to nowhere, so that flushing Python's buffer at exit does not fail."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
