"""Owns the checks of plain arguments: one of a few choices, or a number between bounds.

Whatever is given, an array or a table too, is answered with what may be given.
"""

import math
import numbers
from collections.abc import Collection, Hashable
from typing import Any


def is_one_of(given: Any, choices: Collection[Any]) -> bool:
    """Whether a value is among some plain ones; an array or a list never is."""
    return isinstance(given, Hashable) and given in choices


def check_choice(name: str, given: Any, choices: Collection[Any]) -> None:
    """Refuse what is none of the choices.

    Raises
    ------
    ValueError
    """
    if not is_one_of(given, choices):
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, not {given!r}")


def check_seed(given: Any) -> None:
    """Refuse what starts no generator of random numbers.

    Raises
    ------
    ValueError
    """
    if isinstance(given, bool) or not isinstance(given, numbers.Integral) or given < 0:
        raise ValueError(f"seed must be a whole number, 0 or more, not {given!r}")


def is_between(given: Any, low: float, high: float) -> bool:
    """Whether a value is one number strictly between two."""
    return _is_number(given) and low < float(given) < high


def is_from(given: Any, low: float, high: float = math.inf) -> bool:
    """Whether a value is one finite number from `low` to `high`, both included."""
    return _is_number(given) and low <= float(given) <= high and given < math.inf


def is_positive(given: Any) -> bool:
    """Whether a value is one number above zero, infinity included."""
    return _is_number(given) and float(given) > 0


def _is_number(given: Any) -> bool:
    # True and False are numbers to Python, and to nobody who writes them.
    return isinstance(given, numbers.Real) and not isinstance(given, bool)
