"""The README agrees with the code."""

from __future__ import annotations

import pytest

from tests.support.readme import TABLES, in_readme


@pytest.mark.parametrize("name", list(TABLES))
def test_table_of_the_readme_is_the_one_in_the_code(name: str) -> None:
    assert in_readme(name) == TABLES[name](), "run 'python -m tests.support.readme'"
