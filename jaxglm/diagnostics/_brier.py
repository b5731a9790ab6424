"""Owns the Brier score and what it is made of."""

from typing import NamedTuple

import numpy as np

from jaxglm.diagnostics._calibration import calibration
from jaxglm.words import FloatArray


class BrierParts(NamedTuple):
    """score = reliability - resolution + uncertainty + within_bins, but for rounding."""

    score: float
    reliability: float
    resolution: float
    uncertainty: float
    within_bins: float


def brier(y: FloatArray, mean: FloatArray, weight: FloatArray, count: int) -> BrierParts:
    """The mean squared distance of single outcomes from their probabilities, and its parts.

    Murphy's (1973, J. Appl. Meteorology 12, 595-600) three in bins of the prediction. His are
    complete where all predictions of a bin are equal; what is left elsewhere is the spread of the
    predictions within bins less twice their covariance with the outcomes there (Stephenson, Coelho
    and Jolliffe 2008, Weather and Forecasting 23, 752-757).
    """
    bins, size, predicted, observed = calibration(y, mean, weight, count)
    total = size.sum()
    rate = float(np.average(y, weights=weight))
    away = mean - bins.to_rows(predicted)
    covariance = away * (y - bins.to_rows(observed))
    return BrierParts(
        # The outcomes behind a share are themselves 0 or 1.
        score=float(np.sum(weight * ((y - mean) ** 2 + y * (1 - y))) / total),
        reliability=float(np.sum(size * (predicted - observed) ** 2) / total),
        resolution=float(np.sum(size * (observed - rate) ** 2) / total),
        uncertainty=rate * (1 - rate),
        within_bins=float(np.sum(weight * (away**2 - 2 * covariance)) / total),
    )
