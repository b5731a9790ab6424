"""Owns how well predictions tell outcomes apart: the ROC curve, its area, Tjur's coefficient."""

from typing import NamedTuple

import numpy as np

from jaxglm.diagnostics._ranking import Ranking
from jaxglm.words import FloatArray


class Roc(NamedTuple):
    """The points of a ROC curve, from the highest threshold to the lowest, [k + 1] each.

    A row counts as positive where its prediction is at least the threshold; the first is inf.
    """

    threshold: FloatArray
    false_positive_rate: FloatArray
    true_positive_rate: FloatArray


def roc(y: FloatArray, mean: FloatArray, weight: FloatArray) -> Roc:
    """The ROC curve, with a point for each different prediction."""
    runs = Ranking.of(mean)
    threshold = mean[runs.order[runs.starts]][::-1]
    rates = [_from_the_top(runs.sums(weight * part)) for part in (1 - y, y)]
    return Roc(np.concatenate([[np.inf], threshold]), *rates)


def roc_area(y: FloatArray, mean: FloatArray, weight: FloatArray) -> float:
    """The share of pairs of a success and a failure in which the success has the higher mean.

    Equal means count half: the statistic of Mann and Whitney, and the area under the ROC curve
    (Hanley and McNeil 1982, Radiology 143, 29-36).

    Examples
    --------
    >>> y, mean = np.array([0.0, 1, 0, 1]), np.array([0.2, 0.3, 0.4, 0.8])
    >>> roc_area(y, mean, np.ones(4))
    0.75
    """
    _, false, true = roc(y, mean, weight)
    return float(np.sum(np.diff(false) * (true[1:] + true[:-1])) / 2)


def tjur(y: FloatArray, mean: FloatArray, weight: FloatArray) -> float:
    """Average prediction of the successes less that of the failures."""
    return float(np.average(mean, weights=weight * y) - np.average(mean, weights=weight * (1 - y)))


def _from_the_top(sums: FloatArray) -> FloatArray:
    """Shares of a total, summed from the last run on, with 0 before."""
    total = np.concatenate([[0.0], np.cumsum(sums[::-1])])
    return total / total[-1]
