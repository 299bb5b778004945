"""Run the command line: ``python -m recognizer``."""

from __future__ import annotations

import sys

from recognizer.cli import main
from recognizer.memory import leave_garbage

if __name__ == "__main__":
    code = main()
    leave_garbage()
    sys.exit(code)
