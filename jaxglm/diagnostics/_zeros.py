"""Owns the zeros among counts: how many a Poisson or negative binomial model expects."""

from typing import NamedTuple

import numpy as np

from jaxglm.words import FloatArray


class Zeros(NamedTuple):
    """Observed and expected zeros, and what a test of their difference is made of.

    Attributes
    ----------
    observed, expected : float
    difference : float
        The statistic before it is divided by its standard deviation.
    variance : float
        Of `difference`, were the means and the shape known.
    by_eta, by_alpha : [n], float
        How the expectation of zeros moves with each linear predictor, and with the shape, in the
        units of `difference`.
    largest_share : float
        Of `variance`, from one row.
    """

    observed: float
    expected: float
    difference: float
    variance: float
    by_eta: FloatArray
    by_alpha: float
    largest_share: float


def poisson_zeros(y: FloatArray, mean: FloatArray, slope: FloatArray, freq: FloatArray) -> Zeros:
    """The parts of the score test of van den Broek (1995, Biometrics 51, 738-743).

    The score of a share of additional zeros at 0 is the sum of ``1{y = 0} / p - 1`` with
    ``p = exp(-mean)``, and its variance that of ``(1 - p) / p``. `slope` is d mean / d eta.
    """
    zero = y == 0
    with np.errstate(over="ignore", invalid="ignore"):
        score = np.where(zero, np.expm1(mean), -1.0)
        odds = freq * np.expm1(mean)
        return Zeros(
            observed=float(np.sum(freq * zero)),
            expected=float(np.sum(freq * np.exp(-mean))),
            difference=float(np.sum(freq * score)),
            variance=float(np.sum(odds)),
            by_eta=-freq * slope,
            by_alpha=0.0,
            largest_share=_largest_share(odds, freq),
        )


def negative_binomial_zeros(
    y: FloatArray, mean: FloatArray, slope: FloatArray, freq: FloatArray, alpha: float
) -> Zeros:
    """Zeros less their expectation, the sum of p = (1 + alpha mean)^(-1 / alpha); alpha > 0."""
    zero, grown = y == 0, 1 + alpha * mean
    p = np.exp(-np.log1p(alpha * mean) / alpha)
    spread = freq * p * (1 - p)
    by_alpha = p * (np.log1p(alpha * mean) / alpha**2 - mean / (alpha * grown))
    return Zeros(
        observed=float(np.sum(freq * zero)),
        expected=float(np.sum(freq * p)),
        difference=float(np.sum(freq * (zero - p))),
        variance=float(np.sum(spread)),
        by_eta=-freq * (p / grown) * slope,
        by_alpha=float(np.sum(freq * by_alpha)),
        largest_share=_largest_share(spread, freq),
    )


def _largest_share(parts: FloatArray, freq: FloatArray) -> float:
    """The share of a total from the one row that adds most, copies counted one by one."""
    total, single = float(np.sum(parts)), float(np.max(parts / freq))
    return single / total if 0 < total < np.inf else float(single > 0)
