"""Owns the tests of a fit's shape against its own rows: the link test, and unequal variances."""

from typing import Any, NamedTuple

import numpy as np

from jaxglm.diagnostics import pull_and_weight, residuals
from jaxglm.intake import Dataset
from jaxglm.search import Fit
from jaxglm.words import FloatArray


class Misfit(NamedTuple):
    """A test of one degree of freedom.

    Attributes
    ----------
    z : float
        Its statistic, standard normal where nothing is wrong; its sign says to which side.
    pvalue : float
        Two-sided.
    """

    z: float
    pvalue: float


def link_test(fit: Fit, family: Any, held: Dataset, eta: FloatArray) -> Misfit:
    """Score test of the squared linear predictor as one more column.

    Pregibon's (1980, Applied Statistics 29, 15-24) test of the link: where the model is right, the
    square of what it predicts says nothing more.
    """
    rows = held.rows
    eta = np.where(rows.live, eta, 0.0)
    pull, expected = pull_and_weight(family, rows.y, eta)
    weight = rows.weight * expected
    square = (eta - _average(eta, weight)) ** 2
    score = float(np.sum(rows.weight * pull * square))
    along = fit.covariance.expected.root.norm(held.columns.rmatvec(weight * square))
    information = float(np.sum(weight * square**2)) - along**2
    if not information > 1e-10 * np.sum(weight * square**2):
        return _of(np.nan)  # the square is a combination of the columns
    return _of(score / np.sqrt(information * fit.scale))


def variance_test(fit: Fit, family: Any, held: Dataset, eta: FloatArray) -> Misfit:
    """Whether squared Pearson residuals rise or fall with the linear predictor.

    The studentised score test of Koenker (1981, J. Econometrics 17, 107-112), n times the squared
    correlation of the two.
    """
    rows = held.rows
    freq = np.where(rows.live, 1.0 if rows.freq is None else rows.freq, 0.0)
    squared = residuals("pearson", family, rows.y, eta, rows.unit_weight) ** 2
    squared, eta = (np.where(rows.live, values, 0.0) for values in (squared, eta))
    total = freq.sum()
    centred = [values - np.sum(freq * values) / total for values in (squared, eta)]
    moments = [np.sum(freq * one * other) for one, other in (centred, (centred[0],) * 2)]
    spread = moments[1] * np.sum(freq * centred[1] ** 2)
    if not spread > 0:
        return _of(np.nan)
    return _of(float(moments[0] / np.sqrt(spread) * np.sqrt(total)))


def _average(values: FloatArray, weight: FloatArray) -> float:
    total = float(weight.sum())
    return float(np.sum(weight * values)) / total if total > 0 else 0.0


def _of(z: float) -> Misfit:
    from scipy import special

    return Misfit(z, 2 * float(special.ndtr(-abs(z))))
