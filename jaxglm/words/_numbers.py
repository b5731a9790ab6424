"""Owns how numbers are written in reports, enough digits to read and few enough to compare."""

import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

# A number of this size is written with a power of ten.
_LARGEST = 1e7
# Digits of a standard error, of which the last says little; and of a number that has none.
_DIGITS, _DIGITS_ALONE = 4, 5
# More decimals, and more digits before a power of ten, are too wide to read.
_MOST_DECIMALS = 8


def row(error: float, values: Iterable[float]) -> list[str]:
    """Numbers that are read beside one standard error, which is written like them.

    All have the decimals that show four digits of the error. A power of ten stands where a number
    is too large, or would be lost in zeros.

    Examples
    --------
    >>> row(0.02412, [-1.234567, 0.0])
    ['-1.23457', '0.00000']
    >>> row(1.8e-05, [-9.177e-05, 1.8e-05])
    ['-0.00009177', '0.00001800']
    >>> row(1.8e-12, [-9.177e-12]), row(2e9, [5e9]), row(1234.5, [5234.25])
    (['-9.177e-12'], ['5.000e+09'], ['5234'])
    >>> row(float("nan"), [0.25, float("-inf")])
    ['0.25000', '-inf']
    """
    values = list(values)
    if error > 0 and math.isfinite(error):
        wanted = _DIGITS - 1 - _exponent(error)
    else:
        sizes = [abs(x) for x in values if x and math.isfinite(x)]
        wanted = _DIGITS_ALONE - 1 - _exponent(min(sizes, default=1.0))
    places = min(max(wanted, 0), _MOST_DECIMALS)
    # Where decimals are cut, a number that shows fewer than four digits has lost some of its own.
    least = 10.0 ** (_DIGITS - 1 - places) if wanted > places else 0.5 * 10.0**-places
    return [_written(x, wanted, places, least) for x in values]


def _written(x: float, wanted: int, places: int, least: float) -> str:
    if not math.isfinite(x):
        return str(float(x))
    if x == 0 or least <= abs(x) < _LARGEST:
        return f"{x:z.{places}f}"
    digits = min(max(wanted + _exponent(x), _DIGITS - 1), _MOST_DECIMALS)
    return f"{x:.{digits}e}"


def _exponent(x: float) -> int:
    return math.floor(math.log10(abs(x)))


def aligned(cells: Sequence[str]) -> list[str]:
    """A column of cells with their points below each other: blanks stand for decimals.

    Examples
    --------
    >>> aligned(["1.25", "-0.0125", "12", "inf", "1.000e-09"])
    ['1.25  ', '-0.0125', '12     ', 'inf', '1.000e-09']
    """
    after = [len(c) - c.index(".") if "." in c else 0 for c in cells]
    plain = [c.strip("-").replace(".", "").isdigit() for c in cells]
    most = max((n for n, own in zip(after, plain, strict=True) if own), default=0)
    return [
        c + " " * (most - n) if own else c for c, n, own in zip(cells, after, plain, strict=True)
    ]


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
    >>> statistic(-1.23456), statistic(1.5e7), statistic(-1e-9)
    ('-1.235', '1.500e+07', '0.000')
    """
    return f"{x:.3e}" if math.isfinite(x) and abs(x) >= 1e6 else f"{x:z.3f}"


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
