"""``python -m recognizer limits``: shows what this server allows, and where each value comes from."""

from __future__ import annotations

import argparse
from typing import IO, Any

from recognizer.cli.terminal import print_table, table
from recognizer.limits import CONFIG_NAME, CONFIG_VARIABLE, LIMIT_PREFIX, limit_values

_DESCRIPTION = f"""\
Show the limits of the server and of the command line, and where each value
comes from: the default, the file, or an environment variable.

The file is {CONFIG_NAME} in the folder of users' data, or the one that
{CONFIG_VARIABLE} names; it holds lines like 'max_runs = 200'. A variable such
as {LIMIT_PREFIX}MAX_RUNS=200 takes precedence over it.
"""


def add_command(commands: Any) -> None:
    """Add ``limits`` to argparse's sub-commands."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "limits",
        help="show what this server allows",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--verbose", action="store_true", help="log each step on standard error")
    parser.set_defaults(run=run)


def run(_options: argparse.Namespace, stdout: IO[str]) -> int:
    """Print the table and return the exit code.

    Raises:
        SettingsError: the file or a variable has an unknown name or an unfit value.
    """
    listed = table({"Limit": False, "Value": True, "From": False, "What it limits": False})
    for one in limit_values():
        listed.add_row(one.name, one.text, one.origin, one.help)
    print_table("Limits", listed, stdout)
    return 0
