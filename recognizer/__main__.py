"""Run the command line: ``python -m recognizer``."""

from __future__ import annotations

import sys

try:
    from recognizer.cli import main
    from recognizer.memory import leave_garbage
except ImportError as error:
    if (error.name or "recognizer").partition(".")[0] == "recognizer":
        raise
    # in the project's folder, any Python finds the program, and only that of .venv finds its libraries
    sys.stderr.write(
        f"error: {sys.executable} lacks what this program needs ({error}); use .venv/bin/python instead "
        "(Windows: .venv\\Scripts\\python), which 'make setup' prepares.\n"
    )
    sys.exit(2)

if __name__ == "__main__":
    code = main()
    leave_garbage()
    sys.exit(code)
