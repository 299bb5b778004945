"""The parts of torchvision that this program uses, imported in half the time.

torchvision 0.29.2 imports PyTorch's compiler for one predicate (``torchvision/ops/roi_align.py``, line 7), and with it
SymPy and a thousand modules: 1.5 to 2 seconds of processor time in every process that labels anything. The predicate
is only called while a network is compiled. Until then, a stand-in imports the compiler when it is asked for anything.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any, Final

_COMPILER: Final = "torch._dynamo.utils"


class _ImportedWhenUsed(ModuleType):
    """Stands in for a module that is imported when it is first asked for anything."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # the import system asks every module for these
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(import_module(self.__name__), name)


class _Compiler(_ImportedWhenUsed):
    """Stands in for the compiler's utilities."""

    def is_compile_supported(self, device_type: str) -> bool:
        """Return whether networks can be compiled for a kind of device."""
        return bool(self.__getattr__("is_compile_supported")(device_type))


@contextmanager
def _without_compiler() -> Iterator[None]:
    """Have imports of the compiler's utilities find the stand-in, unless they are imported already."""
    stand_in = _Compiler(_COMPILER)
    used = sys.modules.setdefault(_COMPILER, stand_in)
    try:
        yield
    finally:
        if used is stand_in and sys.modules.get(_COMPILER) is stand_in:
            del sys.modules[_COMPILER]


with _without_compiler():
    from torchvision.models import get_model

__all__ = ["get_model"]
