"""Processes of their own for files from outside (docs/decisions/093), and the priority of threads (107)."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

WHERE_VARIABLE: Final = "RECOGNIZER_DECODER"
"""Environment variable: ``worker`` reads outside files in processes of their own, ``inline`` in this one."""

_USUAL: Final = "worker"

_KEPT_FROM_THEM: Final = ("RECOGNIZER_", "STREAMLIT_")
_OF_LIMITS: Final = ("RECOGNIZER_CONFIG", "RECOGNIZER_DATA")
_LIMIT_PREFIX: Final = "RECOGNIZER_LIMIT_"
"""Variables of this program may hold passwords, and such a process needs none; it does need to know its limits."""

_KILLED_WITH_PARENT: Final = 1  # PR_SET_PDEATHSIG (Linux, prctl.h)


def are_used() -> bool:
    """Return whether outside files are read in processes of their own."""
    return os.environ.get(WHERE_VARIABLE, _USUAL) == _USUAL


def command(module: str) -> list[str]:
    """Return the command that runs a module of this package.

    ``-P``: the folder that this program happens to run in holds no modules of it.
    """
    return [sys.executable, "-P", "-m", module]


def typed(words: str) -> str:
    """Return a command of this program as its user types it, in the project's folder if that holds its Python.

    Args:
        words: the command and its arguments.
    """
    project, python = Path(__file__).parents[1], Path(sys.executable)
    name = python.relative_to(project) if python.is_relative_to(project) else "python"
    return f"{name} -m recognizer {words}"


def environment() -> dict[str, str]:
    """Return the environment variables of such a process."""
    kept = {name: value for name, value in os.environ.items() if not _is_kept_from_them(name)}
    # NumPy multiplies no large matrices there, and each of its threads takes address space
    return {**kept, "PYTHONPATH": python_path(), "OPENBLAS_NUM_THREADS": "1"}


def python_path() -> str:
    """Return the ``PYTHONPATH`` with which another process finds this package, wherever it is started."""
    package = str(Path(__file__).resolve().parents[1])
    return os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))


def _is_kept_from_them(name: str) -> bool:
    tells_limits = name in _OF_LIMITS or name.startswith(_LIMIT_PREFIX)
    return name.startswith(_KEPT_FROM_THEM) and not tells_limits


def own_group() -> int | None:
    """Return the argument ``process_group`` of ``Popen``: Ctrl+C is not for such a process, even while it starts."""
    return None if sys.platform == "win32" else 0


def limit_this_process(most_bytes: int) -> None:
    """Limit the address space, leave no core files, and end with the parent, as far as the system can.

    Windows has none of these limits, and macOS does not hold the one of the address space.
    """
    end_with_parent()
    if sys.platform != "win32":
        import resource

        with suppress(ValueError):  # a lower limit holds already
            resource.setrlimit(resource.RLIMIT_AS, (most_bytes, most_bytes))


def end_with_parent() -> None:
    """Let the parent alone decide when this process ends, end with it where the system can, and leave no core files."""
    # a terminal's Ctrl+C and a service manager's end reach all processes
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_KILLED_WITH_PARENT, signal.SIGKILL)


def give_way(by: int) -> None:
    """Lower the priority of the calling thread, and of each thread and process that it starts from now on.

    Only Linux has priorities of threads; elsewhere, nothing happens. An ordinary user cannot raise it again. A thread
    that gives way already does not do so twice.

    Args:
        by: steps of niceness below the process's first thread; with five, a thread gets a quarter of a core that
            another one wants too, and with ten a tenth (sched(7)).
    """
    if sys.platform == "linux":
        thread, first = threading.get_native_id(), os.getpid()
        now, usual = (os.getpriority(os.PRIO_PROCESS, one) for one in (thread, first))
        os.setpriority(os.PRIO_PROCESS, thread, max(now, usual + by))


def address_space_bytes() -> int:
    """Return how much address space this process has already; 0 where only Linux could say it."""
    if sys.platform != "linux":
        return 0
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    return pages * os.sysconf("SC_PAGE_SIZE")


def ending(code: int) -> str:
    """Return in words how a process ended, such as ``was ended by SIGSEGV``."""
    if code >= 0:
        return f"ended with code {code}"
    with suppress(ValueError):
        return f"was ended by {signal.Signals(-code).name}"
    return f"was ended by signal {-code}"
