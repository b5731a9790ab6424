"""Owns how far a prediction concentrates the response: Lorenz curve, Gini coefficient, lift."""

from typing import NamedTuple

import numpy as np

from jaxglm.diagnostics._calibration import calibration
from jaxglm.diagnostics._ranking import Ranking
from jaxglm.words import FloatArray


class Lift(NamedTuple):
    """Bins from the highest prediction to the lowest, [k] each; see `Evaluation.lift_table`."""

    bins: Ranking
    weight: FloatArray
    predicted: FloatArray
    observed: FloatArray
    lift: FloatArray
    cumulative_lift: FloatArray
    captured: FloatArray


def lorenz(y: FloatArray, key: FloatArray, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Shares of the weight and of the response in the rows of the lowest keys, [k + 1] each.

    A point for each different key: rows of equal keys lie on a line, which is the average over all
    orders that they could have.
    """
    runs = Ranking.of(key)
    upto, so_far = np.cumsum(runs.sums(weight)), np.cumsum(runs.sums(weight * y))
    return np.append(0.0, upto / upto[-1]), np.append(0.0, so_far / so_far[-1])


def gini(y: FloatArray, key: FloatArray, weight: FloatArray) -> float:
    """Twice the area between the Lorenz curve by `key` and the diagonal.

    Examples
    --------
    >>> gini(np.array([0.0, 0, 1, 3]), np.array([1.0, 2, 2, 3]), np.ones(4))
    0.5625
    """
    share, of_y = lorenz(y, key, weight)
    return float(1 - np.sum(np.diff(share) * (of_y[1:] + of_y[:-1])))


def lift(y: FloatArray, mean: FloatArray, weight: FloatArray, count: int) -> Lift:
    """How many times the average response the bins of the highest predictions have."""
    bins, *found = calibration(y, mean, weight, count)
    size, predicted, observed = (values[::-1] for values in found)
    amount = size * observed
    average = amount.sum() / size.sum()
    upto, so_far = np.cumsum(size), np.cumsum(amount)
    return Lift(
        bins,
        size,
        predicted,
        observed,
        observed / average,
        so_far / upto / average,
        so_far / amount.sum(),
    )
