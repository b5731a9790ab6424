"""Owns Anscombe residuals: the transformation of the response that makes it nearly normal."""

from typing import Any

import numpy as np

from jaxglm.words import FloatArray

# The variance of these families is a power of the mean.
_POWERS = {
    "gaussian": 0.0,
    "poisson": 1.0,
    "quasipoisson": 1.0,
    "gamma": 2.0,
    "inverse_gaussian": 3.0,
}


def anscombe(family: Any, y: FloatArray, mean: FloatArray) -> FloatArray:
    """``(A(y) - A(mu)) / (A'(mu) sqrt(V(mu)))`` with A' = V^(-1/3), at weight 1.

    Raises
    ------
    ValueError
        For a family whose integral is not known here.
    """
    from scipy import special

    name = family.name
    power = float(family.power) if name == "tweedie" else _POWERS.get(name)
    with np.errstate(divide="ignore", invalid="ignore"):
        if power == 3.0:
            return (np.log(y) - np.log(mean)) / np.sqrt(mean)
        if power is not None:
            exponent = 1.0 - power / 3.0
            # mu^(p/3) / mu^(p/2) is 1 / (A' sqrt(V)).
            return (y**exponent - mean**exponent) / (exponent * mean ** (power / 6.0))
        if name in ("binomial", "quasibinomial"):
            third = 2.0 / 3.0
            whole = special.beta(third, third)
            above = special.betainc(third, third, y) - special.betainc(third, third, mean)
            return whole * above / (mean * (1.0 - mean)) ** (1.0 / 6.0)
        if name == "negative_binomial":
            alpha = float(family.alpha)

            def integral(x: FloatArray) -> FloatArray:
                return 1.5 * x ** (2 / 3) * special.hyp2f1(1 / 3, 2 / 3, 5 / 3, -alpha * x)

            return (integral(y) - integral(mean)) / (mean + alpha * mean**2) ** (1.0 / 6.0)
    raise ValueError(
        f"Anscombe residuals are not known for the {name} family; kind='deviance' is close to them."
    )
