"""A database that refuses what it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from recognizer.errors import StoreError
from recognizer.service.database import Database


@contextmanager
def failing(database: Database, *methods: str, problem: str) -> Iterator[None]:
    """Let the database refuse what these methods do, or all that it does if none is named."""

    def refuse(*_: object) -> Any:
        raise StoreError(problem)

    with pytest.MonkeyPatch.context() as patch:
        for method in methods or ("reading", "transaction"):
            patch.setattr(database, method, refuse)
        yield
