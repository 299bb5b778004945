"""Columns of numbers in tables, with as many decimals in every row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import streamlit as st

if TYPE_CHECKING:
    import pandas as pd

_MOST_DECIMALS: Final = 4


def number_columns(table: pd.DataFrame) -> dict[str, Any]:
    """Return the configuration of a table's columns of floats; Streamlit by itself writes 0, 1.4 and 2.79 in one.

    Args:
        table: its numbers are rounded already: each column shows the decimals that one of its numbers has.
    """
    floats = table.select_dtypes("float")
    return {
        str(title): st.column_config.NumberColumn(format=f"%.{_decimals(floats[title].to_numpy())}f")
        for title in floats.columns
    }


def draw_numbers(table: pd.DataFrame) -> None:
    """Draw a table with as many decimals in every row of a column."""
    st.dataframe(table, hide_index=True, width="stretch", column_config=number_columns(table), placeholder="–")


def _decimals(numbers: np.ndarray) -> int:
    finite = numbers[np.isfinite(numbers)]
    # a rounded number differs from itself by what a float cannot hold
    return next((k for k in range(_MOST_DECIMALS) if np.allclose(finite, finite.round(k), 1e-9, 1e-9)), _MOST_DECIMALS)
