"""Owns randomised quantile residuals: the place of a response in its distribution."""

from typing import Any

import numpy as np

from jaxglm.inference.predictions._distribution import Law, check_sizes, law
from jaxglm.words import FloatArray


def quantile_residuals(
    family: Any, y: FloatArray, mean: FloatArray, scale: float, weight: FloatArray, seed: int
) -> FloatArray:
    """Normal quantiles of F(y), or of a number drawn between F(y-) and F(y) where F jumps.

    Exactly standard normal where the model is right (Dunn and Smyth 1996, J. Comput. Graph. Stat.
    5, 236-244).

    Parameters
    ----------
    y, mean, weight : [n]
        Responses, their means, and prior weights with trials in them.
    scale : float
        The dispersion.
    seed : int
        Of the numbers drawn.

    Raises
    ------
    DataError
        For a family without a distribution, or shares of no whole number of trials.
    """
    from scipy import special

    check_sizes(family, weight)
    rows = law(family, mean, scale, weight)
    at = np.round(y * rows.size) if rows.whole else y * rows.size
    # What lies below y itself: the count before, or nothing below an exact zero.
    before = at - 1.0 if isinstance(rows, Law) and rows.whole else np.where(at > 0, at, -1.0)
    if isinstance(rows, Law) and not rows.whole:
        before = at
    drawn = np.random.default_rng(seed).uniform(size=y.size)
    low, high = rows.below(before), rows.below(at)
    p = low + drawn * (high - low)
    # Close to 1 only what is left of it has digits.
    over, under = rows.above(at), rows.above(before)
    q = over + (1.0 - drawn) * (under - over)
    return np.where(p < 0.5, special.ndtri(p), -special.ndtri(q))
