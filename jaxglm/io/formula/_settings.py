"""Owns the arguments of the functions of a formula: calls with them, and refusals in words."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from jaxglm._status import FormulaError
from jaxglm.words import listed, near_text

_Answer = TypeVar("_Answer")

# Polynomials and splines with more columns are no curves; each column is as long as the data.
MOST_COLUMNS = 200


def called(
    function: Callable[..., _Answer],
    first: Sequence[Any],
    given: Sequence[Any],
    named: Mapping[str, Any],
) -> _Answer:
    """The answer of a function; `first` is what it is given besides the user's own arguments.

    Raises
    ------
    FormulaError
        If the arguments are not those that it has.
    """
    signature = inspect.signature(function)
    try:
        signature.bind(*first, *given, **named)
    except TypeError:
        own = list(signature.parameters)[len(first) :]
        strange = [name for name in named if name not in own]
        if strange:
            near = near_text(strange[0], own)
            raise FormulaError(f"there is no argument {strange[0]!r}; {near}") from None
        besides = " besides the column" if first else ""
        raise FormulaError(
            f"the arguments do not fit; there can be {listed(own)}{besides}"
        ) from None
    return function(*first, *given, **named)


def whole(value: Any, name: str, least: int, most: int = MOST_COLUMNS) -> int:
    """A whole number within bounds."""
    number = one_number(value, name)
    if not number.is_integer():
        raise FormulaError(f"{name}={number:g} must be a whole number")
    if number < least:
        raise FormulaError(f"{name}={number:g} is too small; it must be {least} or more")
    if number > most:
        raise FormulaError(f"{name}={number:g} is too large; it must be {most} or less")
    return int(number)


def one_number(value: Any, name: str) -> float:
    """A single finite number."""
    if np.ndim(value) or np.asarray(value).dtype.kind not in "biuf" or not np.isfinite(value):
        raise FormulaError(f"{name} must be one number")
    return float(value)


def several_numbers(value: Any, name: str, most: int = MOST_COLUMNS) -> list[float]:
    """A number, or some as in c(1, 2)."""
    try:
        numbers = np.atleast_1d(np.asarray(value, dtype=np.float64))
        is_text = np.asarray(value).dtype.kind not in "biuf"
    except (TypeError, ValueError):
        is_text = True
    if is_text or numbers.ndim != 1 or not np.isfinite(numbers).all():
        raise FormulaError(f"{name} must be a number, or several as in c(1, 2)")
    if len(numbers) > most:
        raise FormulaError(f"{name} has {len(numbers)} numbers; it can have {most}")
    return [float(number) for number in numbers]


def flag(value: Any, name: str) -> bool:
    """True or false, also as 1 or 0."""
    if np.ndim(value) or np.asarray(value).dtype.kind not in "biu" or value not in (0, 1):
        raise FormulaError(f"{name} must be True or False")
    return bool(value)
