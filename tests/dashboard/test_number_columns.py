"""Numbers of a table's column have the same decimals in every row."""

from __future__ import annotations

import numpy as np
import pandas as pd

from recognizer.dashboard.parts.number_columns import number_columns


def formats(**columns: list[float | None]) -> dict[str, str]:
    table = pd.DataFrame({name: pd.Series(values, dtype="float64") for name, values in columns.items()})
    return {name: column["type_config"]["format"] for name, column in number_columns(table).items()}


def test_a_column_shows_the_decimals_that_one_of_its_numbers_has() -> None:
    found = formats(whole=[0, 100], tenths=[88.1, 100, 0], mixed=[0, 1.4, 2.79], unknown=[None, None], none=[])
    assert found == {"whole": "%.0f", "tenths": "%.1f", "mixed": "%.2f", "unknown": "%.0f", "none": "%.0f"}


def test_what_a_float_cannot_hold_adds_no_decimals() -> None:
    times_s = np.round(np.arange(0, 3600, 0.1), 3).tolist()
    assert formats(start_s=times_s, third=[1 / 3]) == {"start_s": "%.1f", "third": "%.4f"}


def test_only_floats_are_formatted() -> None:
    table = pd.DataFrame({"Person": [1, 2], "Action": ["a", "b"], "Checked": [True, False], "End (s)": [1.5, 2.0]})
    assert list(number_columns(table)) == ["End (s)"]
