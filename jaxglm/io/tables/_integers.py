"""Owns whole numbers among Python objects: as labels they never pass through a float.

A float64 has 53 bits, so that neighbours among larger numbers would become one label.
"""

import decimal
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from jaxglm._status import DataError

_EXACT = 2.0**53


def is_exact(number: float) -> bool:
    """Whether a float that is a whole number stands for no other whole number."""
    return abs(number) < _EXACT


def series_of(items: Sequence[Any]) -> pd.Series:
    """A list as a Series; whole numbers that floats cannot hold stay what they are."""
    series = pd.Series(items)
    if series.dtype == np.float64 and (series.abs() >= _EXACT).any():
        return pd.Series(items, dtype=object)
    return series


def are_whole(items: pd.Series) -> bool:
    """Whether decimal numbers are all whole."""
    return all(decimal.Decimal(item) % 1 == 0 for item in items)


def has_large(items: pd.Series) -> bool:
    """Whether whole numbers are among them that floats do not hold apart."""
    return any(isinstance(item, int | np.integer) and abs(int(item)) > _EXACT for item in items)


def whole_numbers(items: pd.Series, name: str) -> np.ndarray:
    """Python's whole numbers as int64 or uint64.

    Raises
    ------
    DataError
        If they need more bits.
    """
    numbers = [int(item) for item in items]
    low, high = min(numbers), max(numbers)
    for dtype in (np.int64, np.uint64):
        if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
            return np.array(numbers, dtype)
    raise DataError(
        f"column {name!r} holds whole numbers that 64 bits cannot hold, such as "
        f"{low if -low > high else high}; convert it to text for a factor, or to float64 for a "
        "numeric predictor"
    )


def check_floats(name: str, known: Iterable[Any], labels: Iterable[Any]) -> None:
    """Refuse floats beside whole numbers, as labels, where they stand for several of these.

    Raises
    ------
    DataError
        For the labels of the column `name` now, or those `known` from the fit.
    """
    before, now = list(known), list(labels)
    floats = [_large_float(before), _large_float(now)]
    if floats[1] is not None and any(_is_whole(label) for label in before):
        words, large = "held whole numbers in the fit and now holds floats", floats[1]
    elif floats[0] is not None and any(_is_whole(label) and not is_exact(label) for label in now):
        words, large = "held floats in the fit and now holds whole numbers", floats[0]
    else:
        return
    raise DataError(
        f"column {name!r} {words}, and a float of this size, {large!r}, stands for several whole "
        "numbers; give the column as int64 in both, or as Int64 where values are missing"
    )


def _large_float(labels: Iterable[Any]) -> float | None:
    """The first float that stands for several whole numbers."""
    floats = (float(label) for label in labels if isinstance(label, float | np.floating))
    return next((label for label in floats if not is_exact(label)), None)


def _is_whole(label: Any) -> bool:
    return isinstance(label, int | np.integer)
