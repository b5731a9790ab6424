"""Owns p-values and intervals of several comparisons, adjusted for how many they are."""

import numpy as np

from jaxglm.inference._wald import check_alpha, critical_value
from jaxglm.words import FloatArray

ADJUSTMENTS = ("none", "holm", "bonferroni", "tukey")
# Below this SciPy's distribution of the studentised range, made for absolute accuracy, is rounding.
_ABSOLUTE = 1e-9
# It takes some 15 ms a value: of more than this many a polynomial is evaluated, right to 1e-5.
_MOST_VALUES, _DEGREE = 100, 64


def adjusted(
    kind: str, p: FloatArray, values: FloatArray, levels: int, df: float | None
) -> FloatArray:
    """Adjusted p-values; those that are nan have no part.

    Holm (1979, Scand. J. Stat. 6, 65-70), Bonferroni, and Tukey's studentised range of all pairs
    of `levels`: ``P(Q >= sqrt(2) |t|)``. The last is exact where all means are equally precise and
    uncorrelated, and conservative as a rule elsewhere (Hayter 1984, Ann. Stat. 12, 61-75).

    Examples
    --------
    >>> adjusted("holm", np.array([0.01, 0.04, 0.03]), np.zeros(3), 3, None)
    array([0.03, 0.06, 0.06])
    """
    told = ~np.isnan(p)
    out, own = np.full(len(p), np.nan), p[told]
    if kind == "holm":
        order = np.argsort(own, kind="stable")
        steps = np.maximum.accumulate((own.size - np.arange(own.size)) * own[order])
        own = own.copy()
        own[order] = steps
    elif kind == "bonferroni":
        own = own.size * own
    elif kind == "tukey":
        own = _tukey(own, values[told], levels, df)
    out[told] = np.minimum(own, 1.0)
    return out


def adjusted_critical_value(
    kind: str, alpha: float, comparisons: int, levels: int, df: float | None
) -> float:
    """What a standard error is multiplied with for intervals that hold together.

    Holm's steps have no intervals; Bonferroni's, which are wider, go with them.
    """
    check_alpha(alpha)
    if df is not None and not df > 0:
        return np.nan
    if kind == "tukey":
        from scipy.stats import studentized_range

        return float(studentized_range.isf(alpha, levels, np.inf if df is None else df)) / 2**0.5
    return float(critical_value(alpha if kind == "none" else alpha / max(comparisons, 1), df))


def _tukey(p: FloatArray, values: FloatArray, levels: int, df: float | None) -> FloatArray:
    from scipy.stats import studentized_range

    def log_tail(ranges: FloatArray) -> FloatArray:
        return np.log(studentized_range.sf(ranges, levels, np.inf if df is None else df))

    # The bound of Bonferroni, which is the tail of the range far out.
    out = levels * (levels - 1) / 2 * p
    near = out > _ABSOLUTE
    ranges, place = np.unique(2**0.5 * np.abs(values[near]), return_inverse=True)
    if ranges.size > _MOST_VALUES:
        smooth = np.polynomial.Chebyshev.interpolate(log_tail, _DEGREE, domain=ranges[[0, -1]])
        logs = smooth(ranges)
    else:
        logs = log_tail(ranges)
    out[near] = np.clip(np.exp(logs)[place], p[near], out[near])
    return out
