"""Owns how numbers are written in reports, enough digits to read and few enough to compare."""

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

# Outside these sizes a number is written with a power of ten.
_SMALLEST, _LARGEST = 1e-4, 1e7


def is_plain(x: float) -> bool:
    """Whether a number reads well without a power of ten."""
    return _SMALLEST <= abs(x) < _LARGEST


def decimals(values: Iterable[float], digits: int) -> int:
    """Decimals, six at most, that show so many digits of the smallest plain value.

    Examples
    --------
    >>> decimals([0.0123, 4.5], digits=3), decimals([1e-12], digits=3)
    (4, 2)
    """
    smallest = min((abs(x) for x in values if is_plain(x)), default=1.0)
    return min(6, max(0, digits - 1 - math.floor(math.log10(smallest))))


def fixed(x: float, places: int) -> str:
    """A number with so many decimals, or with a power of ten where it is too small or large.

    Examples
    --------
    >>> fixed(-0.25, 4), fixed(1e-12, 4), fixed(0.0, 2), fixed(float("nan"), 4)
    ('-0.2500', '1.000e-12', '0.00', 'nan')
    """
    if not math.isfinite(x):
        return str(float(x))
    return f"{x:.{places}f}" if is_plain(x) or x == 0 else f"{x:.3e}"


def count(x: float) -> str:
    """A number of things, which weights may make fractional.

    Examples
    --------
    >>> count(336776.0), count(12.25)
    ('336776', '12.25')
    """
    return str(int(x)) if math.isfinite(x) and x == round(x) else f"{x:.8g}"


def measure(x: float) -> str:
    """A scalar of a fit: three decimals, or six digits where it is small or large.

    Examples
    --------
    >>> measure(-911.79519), measure(0.16613185), measure(3e-28), measure(float("nan"))
    ('-911.795', '0.166132', '3e-28', 'nan')
    """
    return f"{x:.3f}" if 1 <= abs(x) < 1e9 else f"{x:.6g}"


def statistic(x: float) -> str:
    """A z or t value.

    Examples
    --------
    >>> statistic(-1.23456), statistic(1.5e7)
    ('-1.235', '1.500e+07')
    """
    return f"{x:.3e}" if math.isfinite(x) and abs(x) >= 1e6 else f"{x:.3f}"


def p_value(p: float) -> str:
    """A p-value: three decimals, or two digits and a power of ten below 0.001.

    Examples
    --------
    >>> p_value(0.0234), p_value(5.5066e-89), p_value(0.0)
    ('0.023', '5.5e-89', '<1e-300')
    """
    if p < 1e-300:
        return "<1e-300"
    return f"{p:.1e}" if p < 0.001 else f"{p:.3f}"
