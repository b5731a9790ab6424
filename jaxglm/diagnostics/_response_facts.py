"""Owns the facts of a response by itself, before any model, that suggest a family."""

import dataclasses

import numpy as np

from jaxglm.words import FloatArray


@dataclasses.dataclass(frozen=True)
class ResponseFacts:
    """What a response looks like; rows are counted with their weights.

    Attributes
    ----------
    n : float
        Observations.
    distinct : int
        Different values, counted up to 8.
    lowest, highest, mean, variance : float
    skewness : float
        0 for a symmetric response.
    whole : bool
        All are whole numbers.
    zeros, ones, highest_share : float
        Shares of the rows that hold 0, 1 and the highest value.
    """

    n: float
    distinct: int
    lowest: float
    highest: float
    mean: float
    variance: float
    skewness: float
    whole: bool
    zeros: float
    ones: float
    highest_share: float

    @property
    def variation(self) -> float:
        """Coefficient of variation."""
        return float(np.sqrt(self.variance) / self.mean) if self.mean else np.inf

    @property
    def dispersion(self) -> float:
        """Variance over mean, 1 for Poisson counts of one mean."""
        return self.variance / self.mean if self.mean else np.nan


def response_facts(y: FloatArray, weight: FloatArray) -> ResponseFacts:
    """The facts of responses [n], n >= 1, of positive weight."""
    n, mean = float(np.sum(weight)), float(np.average(y, weights=weight))
    away = y - mean
    variance = float(np.sum(weight * away**2) / (n - 1)) if n > 1 else 0.0
    cube = float(np.average(away**3, weights=weight))
    skewness = cube / variance**1.5 if variance > 0 else 0.0
    return ResponseFacts(
        n=n,
        distinct=_distinct(y),
        lowest=float(y.min()),
        highest=float(y.max()),
        mean=mean,
        variance=variance,
        skewness=skewness,
        whole=bool(np.all(y == np.floor(y))),
        zeros=float(np.sum(weight * (y == 0)) / n),
        ones=float(np.sum(weight * (y == 1)) / n),
        highest_share=float(np.sum(weight * (y == y.max())) / n),
    )


def _distinct(y: FloatArray) -> int:
    found = 0
    while y.size and found < 8:
        y = y[y != y[0]]
        found += 1
    return found
