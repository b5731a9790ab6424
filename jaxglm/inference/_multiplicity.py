"""Owns p-values and intervals of several comparisons, adjusted for how many they are."""

import numpy as np

from jaxglm.inference._wald import critical_value
from jaxglm.words import FloatArray

ADJUSTMENTS = ("none", "holm", "bonferroni", "tukey")
# Below this SciPy's distribution of the studentised range, made for absolute accuracy, is rounding.
_ABSOLUTE = 1e-9


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
    if kind == "none":
        return float(critical_value(alpha, df))
    if kind == "tukey":
        critical_value(alpha, df)  # refuses an alpha that is none
        if df is not None and np.isnan(df):
            return np.nan
        from scipy.stats import studentized_range

        return float(studentized_range.isf(alpha, levels, np.inf if df is None else df)) / 2**0.5
    critical_value(alpha, df)
    return float(critical_value(alpha / max(comparisons, 1), df))


def _tukey(p: FloatArray, values: FloatArray, levels: int, df: float | None) -> FloatArray:
    from scipy.stats import studentized_range

    # The bound of Bonferroni, which is the tail of the range far out.
    pairs = levels * (levels - 1) / 2
    out = pairs * p
    near = out > _ABSOLUTE
    ranges = 2**0.5 * np.abs(values[near])
    tail = studentized_range.sf(ranges, levels, np.inf if df is None else df)
    out[near] = np.clip(tail, p[near], out[near])
    return out
