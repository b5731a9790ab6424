"""Owns the formulas of families and links that the judgement and the drawing of data rest on.

Plain NumPy, row by row, shared with no library that is measured.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from benchmarks.spec import Spec

Array = np.ndarray
FIXED_DISPERSION = ("binomial", "poisson", "negative_binomial")


@dataclass(frozen=True)
class Terms:
    """Per row: loss (-log-likelihood at dispersion 1, up to a constant in y) and derivatives."""

    loss: Array
    score: Array
    observed: Array
    expected: Array
    pearson: Array


def row_terms(spec: Spec, y: Array, eta: Array, shape: float | Array | None = None) -> Terms:
    """The terms of a problem's family and link; `shape` where it is not the problem's own."""
    if spec.family == "binomial" and spec.link == "logit":
        return _logistic(y, eta)
    shape = spec.shape if shape is None else shape
    mu, first, second = means(spec.link, eta)
    loss, variance, slope = _family(spec, y, mu, shape)
    away = y - mu
    expected = first**2 / variance
    curved = second / variance - slope * (first / variance) ** 2
    return Terms(
        loss, -away * first / variance, expected - away * curved, expected, away**2 / variance
    )


def _logistic(y: Array, eta: Array) -> Terms:
    """Without the cancellation of 1 - mu at large linear predictors."""
    small = np.exp(-np.abs(eta))
    mu = np.where(eta >= 0, 1.0, small) / (1.0 + small)
    variance = small / (1.0 + small) ** 2
    loss = np.maximum(eta, 0.0) + np.log1p(small) - y * eta
    return Terms(loss, mu - y, variance, variance, np.zeros_like(eta))


def _family(
    spec: Spec, y: Array, mu: Array, shape: float | Array | None
) -> tuple[Array, Array, Array]:
    """Loss, variance and the variance's slope in the mean."""
    one = np.ones_like(mu)
    if spec.family == "gaussian":
        return (y - mu) ** 2 / 2, one, 0 * one
    if spec.family == "binomial":
        return -special.xlogy(y, mu) - special.xlog1py(1 - y, -mu), mu * (1 - mu), 1 - 2 * mu
    if spec.family == "poisson":
        return mu - special.xlogy(y, mu), mu, one
    if spec.family == "gamma":
        return y / mu + np.log(mu), mu**2, 2 * mu
    if spec.family == "inverse_gaussian":
        # A mean below 0 has no likelihood; without its logarithm nothing else here would say so.
        return np.where(mu > 0, y / (2 * mu**2) - 1 / mu, np.nan), mu**3, 3 * mu**2
    if spec.family == "negative_binomial":
        assert shape is not None
        loss = (y + 1 / shape) * np.log1p(shape * mu) - special.xlogy(y, mu)
        return loss, mu * (1 + shape * mu), 1 + 2 * shape * mu
    k = spec.power
    assert spec.family == "tweedie" and k is not None and 1 < k < 2
    return y * mu ** (1 - k) / (k - 1) + mu ** (2 - k) / (2 - k), mu**k, k * mu ** (k - 1)


def means(link: str, eta: Array) -> tuple[Array, Array, Array]:
    """The mean of a linear predictor, and its first and second derivative."""
    return _MEANS[link](eta)


def predictor(link: str, mu: Array) -> Array:
    """The linear predictor of a mean."""
    return _PREDICTORS[link](mu)


def _log(eta: Array) -> tuple[Array, Array, Array]:
    mu = np.exp(eta)
    return mu, mu, mu


def _logit(eta: Array) -> tuple[Array, Array, Array]:
    mu = special.expit(eta)
    first = mu * (1 - mu)
    return mu, first, first * (1 - 2 * mu)


def _probit(eta: Array) -> tuple[Array, Array, Array]:
    density = np.exp(-(eta**2) / 2) / np.sqrt(2 * np.pi)
    return special.ndtr(eta), density, -eta * density


def _cloglog(eta: Array) -> tuple[Array, Array, Array]:
    rate = np.exp(eta)
    first = rate * np.exp(-rate)
    return -np.expm1(-rate), first, first * (1 - rate)


def _loglog(eta: Array) -> tuple[Array, Array, Array]:
    mu, first, second = _cloglog(-eta)
    return 1 - mu, first, -second


def _cauchit(eta: Array) -> tuple[Array, Array, Array]:
    first = 1 / (np.pi * (1 + eta**2))
    return 0.5 + np.arctan(eta) / np.pi, first, -2 * np.pi * eta * first**2


_MEANS: dict[str, Callable[[Array], tuple[Array, Array, Array]]] = {
    "identity": lambda eta: (eta, np.ones_like(eta), np.zeros_like(eta)),
    "log": _log,
    "inverse": lambda eta: (1 / eta, -(eta**-2.0), 2 * eta**-3.0),
    "inverse_squared": lambda eta: (eta**-0.5, -(eta**-1.5) / 2, 0.75 * eta**-2.5),
    "sqrt": lambda eta: (eta**2, 2 * eta, np.full_like(eta, 2.0)),
    "logit": _logit,
    "probit": _probit,
    "cloglog": _cloglog,
    "loglog": _loglog,
    "cauchit": _cauchit,
}
_PREDICTORS: dict[str, Callable[[Array], Array]] = {
    "identity": lambda mu: mu,
    "log": np.log,
    "inverse": lambda mu: 1 / mu,
    "inverse_squared": lambda mu: mu**-2.0,
    "sqrt": np.sqrt,
    "logit": special.logit,
    "probit": special.ndtri,
    "cloglog": lambda mu: np.log(-np.log1p(-mu)),
    "loglog": lambda mu: -np.log(-np.log(mu)),
    "cauchit": lambda mu: np.tan(np.pi * (mu - 0.5)),
}
