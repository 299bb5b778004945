"""Read a pickle of NumPy arrays without executing anything in it.

A pickle is a program that may import and call any function. This reader allows arrays, their dtypes and plain
containers, and refuses every other name before it is imported.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
from numpy._core import multiarray

from recognizer.errors import WeightsError

_ADMITTED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("collections", "OrderedDict"): dict,
    # Flax stored its parameters as a FrozenDict, a read-only dict
    ("flax.core.frozen_dict", "FrozenDict"): dict,
}
# NumPy 2 renamed the module that its pickles refer to
for _module in ("numpy.core.multiarray", "numpy._core.multiarray"):
    _ADMITTED[(_module, "_reconstruct")] = multiarray._reconstruct
    _ADMITTED[(_module, "scalar")] = multiarray.scalar

_PLAIN = (str, bytes, int, float, complex, bool, type(None))
_NOT_A_PICKLE = (
    pickle.UnpicklingError,
    EOFError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
    MemoryError,
    RecursionError,
)


class _RefusedError(pickle.UnpicklingError):
    pass


class _NumpyUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ADMITTED[(module, name)]
        except KeyError:
            raise _RefusedError(f"it names {module}.{name}") from None

    def persistent_load(self, pid: Any) -> Any:
        raise _RefusedError(f"it refers to something outside the file ({pid!r})")


def load_numpy_pickle(path: str | Path) -> Any:
    """Return the content of a pickle (protocol 3 or 4) of NumPy arrays in plain dictionaries, lists and tuples.

    Raises:
        WeightsError: the file refers to anything else, is truncated, or is not a pickle. Nothing in it was executed.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            content = _NumpyUnpickler(file).load()
    except OSError as error:
        raise WeightsError(f"'{path}' cannot be read ({error.strerror}); check the file.") from error
    except _RefusedError as error:
        raise _refused(path, str(error)) from error
    except _NOT_A_PICKLE as error:
        raise WeightsError(
            f"'{path}' is not a readable file of NumPy arrays ({type(error).__name__}); download it again."
        ) from error
    _check(content, path)
    return content


def _check(content: Any, path: Path) -> None:
    """Check that ``content`` holds only data. Not recursive, since a file may nest deeply."""
    seen: set[int] = set()
    waiting = [content]
    while waiting:
        value = waiting.pop()
        if isinstance(value, np.ndarray | np.generic):
            if value.dtype.hasobject:
                raise _refused(path, "it holds an array of Python objects")
        elif isinstance(value, dict | list | tuple | set | frozenset):
            if id(value) in seen:
                continue
            seen.add(id(value))
            if isinstance(value, dict):
                waiting.extend(value.keys())
                waiting.extend(value.values())
            else:
                waiting.extend(value)
        elif not isinstance(value, _PLAIN):
            raise _refused(path, f"it holds a {type(value).__name__}")


def _refused(path: Path, reason: str) -> WeightsError:
    return WeightsError(
        f"'{path}' is refused because {reason}, which is not a NumPy array; use a file with arrays alone."
    )
