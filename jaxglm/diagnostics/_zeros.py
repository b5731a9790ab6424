"""Owns the zeros among counts: how many a Poisson or negative binomial model expects."""

from typing import NamedTuple

import numpy as np

from jaxglm.words import FloatArray


class Zeros(NamedTuple):
    """What a test of the number of zeros is made of.

    Attributes
    ----------
    difference : float
        Of the zeros from their expectation.
    variance : float
        Of `difference`, were the means and the shape known.
    by_mean, by_alpha : [n], float
        How the expectation moves with each mean, and with the shape.
    largest_share : float
        Of `variance`, from one observation.
    """

    difference: float
    variance: float
    by_mean: FloatArray
    by_alpha: float
    largest_share: float


def zero_probability(mean: FloatArray, alpha: float) -> FloatArray:
    """(1 + alpha mean)^(-1 / alpha), the negative binomial's; exp(-mean) for an alpha of 0.

    Examples
    --------
    >>> zero_probability(np.array([1.0]), 1.0), zero_probability(np.array([1.0]), 0.0).round(4)
    (array([0.5]), array([0.3679]))
    """
    return np.exp(-(np.log1p(alpha * mean) / alpha if alpha > 0 else mean))


def zero_difference(y: FloatArray, mean: FloatArray, freq: FloatArray, alpha: float) -> Zeros:
    """The number of zeros less the sum of their probabilities."""
    p, grown = zero_probability(mean, alpha), 1 + alpha * mean
    spread = p * (1 - p)
    by_alpha = np.zeros_like(p)
    if alpha > 0:
        by_alpha = p * (np.log1p(alpha * mean) / alpha**2 - mean / (alpha * grown))
    return Zeros(
        difference=float(np.sum(freq * ((y == 0) - p))),
        variance=float(np.sum(freq * spread)),
        by_mean=-freq * p / grown,
        by_alpha=float(np.sum(freq * by_alpha)),
        largest_share=_largest_share(spread, freq),
    )


def zero_score(y: FloatArray, mean: FloatArray, freq: FloatArray) -> Zeros:
    """The score of a share of zeros beside a Poisson distribution, at a share of 0.

    ``sum(1{y = 0} / p - 1)`` with ``p = exp(-mean)``, of variance ``sum((1 - p) / p)`` (van den
    Broek 1995, Biometrics 51, 738-743).
    """
    with np.errstate(over="ignore"):
        odds = np.expm1(mean)
    return Zeros(
        difference=float(np.sum(freq * np.where(y == 0, odds, -1.0))),
        variance=float(np.sum(freq * odds)),
        by_mean=-freq,
        by_alpha=0.0,
        largest_share=_largest_share(odds, freq),
    )


def _largest_share(parts: FloatArray, freq: FloatArray) -> float:
    total, largest = float(np.sum(freq * parts)), float(np.max(parts))
    if np.isinf(total):
        return 1.0
    return largest / total if total > 0 else 0.0
