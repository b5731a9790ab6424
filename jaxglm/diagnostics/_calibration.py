"""Owns what is predicted against what is observed, in bins of the prediction.

Here and in the modules beside, `y`, `mean` and `weight` [n] are the responses of the rows that
count, their predicted means and what they count for, all weights positive; a row of `weight`
trials has the share `y` of successes.
"""

from typing import NamedTuple

import numpy as np

from jaxglm.diagnostics._ranking import Ranking
from jaxglm.words import FloatArray


class Calibration(NamedTuple):
    """Bins from the lowest prediction to the highest, [k] each.

    `weight` is the sum of the weights of a bin, `predicted` and `observed` are weighted means.
    """

    bins: Ranking
    weight: FloatArray
    predicted: FloatArray
    observed: FloatArray


def calibration(y: FloatArray, mean: FloatArray, weight: FloatArray, count: int) -> Calibration:
    """Observed and predicted means in at most `count` bins of equal weight."""
    bins = Ranking.of(mean).bins(weight, count)
    return Calibration(bins, bins.sums(weight), bins.means(mean, weight), bins.means(y, weight))


def wilson(share: FloatArray, size: FloatArray, z: float) -> tuple[FloatArray, FloatArray]:
    """Wilson's (1927, JASA 22, 209-212) interval of a probability, from a share of `size` trials.

    Examples
    --------
    >>> low, high = wilson(np.array([0.0, 0.5]), np.array([10.0, 10.0]), 1.96)
    >>> low.round(4), high.round(4)
    (array([0.    , 0.2366]), array([0.2775, 0.7634]))
    """
    spread = z**2 / size
    middle = (share + spread / 2) / (1 + spread)
    reach = z * np.sqrt(share * (1 - share) / size + spread / (4 * size)) / (1 + spread)
    return np.maximum(middle - reach, 0.0), np.minimum(middle + reach, 1.0)


def hosmer_lemeshow(
    y: FloatArray, mean: FloatArray, weight: FloatArray, count: int
) -> tuple[float, FloatArray]:
    """The sum over bins of n (observed - predicted)^2 / (predicted (1 - predicted)).

    Returns
    -------
    statistic : float
    expected : [k]
        The smaller one of the expected successes and failures in each bin.
    """
    _, size, predicted, observed = calibration(y, mean, weight, count)
    away = size * (observed - predicted) ** 2
    variance = predicted * (1 - predicted)
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = np.where(away == 0, 0.0, away / variance)
    return float(parts.sum()), size * np.minimum(predicted, 1 - predicted)
