"""Owns responses drawn from the distribution that a fit gives them."""

from collections.abc import Callable
from typing import Any

import numpy as np

from jaxglm.words import FloatArray

Draw = Callable[[np.random.Generator, Any, FloatArray, FloatArray, FloatArray], FloatArray]


def draws(
    rng: np.random.Generator, family: Any, mean: FloatArray, scale: float, weight: FloatArray
) -> FloatArray | None:
    """A response for each mean, of an observation of this prior weight (trials included).

    The dispersion of an observation is `scale` over its weight, and a count is the average of as
    many. None where the family is a variance and no distribution (quasi families), or where a
    binomial weight is no whole number of trials.
    """
    draw = _LAWS.get(family.name)
    if draw is None or (family.name == "binomial" and np.any(weight != np.round(weight))):
        return None
    return draw(rng, family, mean, scale / weight, weight)


def _gaussian(
    rng: np.random.Generator, family: Any, mean: FloatArray, phi: FloatArray, weight: FloatArray
) -> FloatArray:
    return rng.normal(mean, np.sqrt(phi))


def _gamma(
    rng: np.random.Generator, family: Any, mean: FloatArray, phi: FloatArray, weight: FloatArray
) -> FloatArray:
    return rng.gamma(1 / phi, mean * phi)


def _inverse_gaussian(
    rng: np.random.Generator, family: Any, mean: FloatArray, phi: FloatArray, weight: FloatArray
) -> FloatArray:
    return rng.wald(mean, 1 / phi)


def _binomial(
    rng: np.random.Generator, family: Any, mean: FloatArray, phi: FloatArray, weight: FloatArray
) -> FloatArray:
    return rng.binomial(weight.astype(int), mean) / weight


def _poisson(
    rng: np.random.Generator, family: Any, mean: FloatArray, phi: FloatArray, weight: FloatArray
) -> FloatArray:
    return rng.poisson(weight * mean) / weight


def _negative_binomial(
    rng: np.random.Generator, family: Any, mean: FloatArray, phi: FloatArray, weight: FloatArray
) -> FloatArray:
    if family.alpha == 0:
        return _poisson(rng, family, mean, phi, weight)
    size = weight / family.alpha
    return rng.negative_binomial(size, 1 / (1 + family.alpha * mean)) / weight


_LAWS: dict[str, Draw] = {
    "gaussian": _gaussian,
    "gamma": _gamma,
    "inverse_gaussian": _inverse_gaussian,
    "binomial": _binomial,
    "poisson": _poisson,
    "negative_binomial": _negative_binomial,
}
