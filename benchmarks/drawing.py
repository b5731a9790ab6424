"""Owns how responses are drawn, given their linear predictor."""

import numpy as np

from benchmarks import formulas
from benchmarks.spec import Spec

SHAPE = 0.5
"""The alpha with which negative binomial responses are drawn."""


def respond(
    spec: Spec, eta: np.ndarray, rng: np.random.Generator, exposure: np.ndarray | None = None
) -> np.ndarray:
    """Responses; Tweedie ones have power 1.5 and dispersion 2."""
    family, (mean, _, _) = spec.family, formulas.means(spec.link, eta)
    if exposure is not None:
        mean = mean * exposure
    if family == "binomial":
        return (rng.random(eta.size) < mean).astype(float)
    if family == "poisson":
        return rng.poisson(mean).astype(float)
    if family == "negative_binomial":
        return rng.poisson(mean * rng.gamma(1 / SHAPE, SHAPE, eta.size)).astype(float)
    if family == "gamma":
        return rng.gamma(2.0, mean / 2.0)
    if family == "inverse_gaussian":
        return rng.wald(mean, 4.0)
    if family == "gaussian":
        return mean + rng.standard_normal(eta.size)
    # Tweedie 1.5: a Poisson number of exponential claims.
    phi, root = 2.0, np.sqrt(mean)
    claims = rng.poisson(2.0 * root / phi)
    return np.where(claims > 0, rng.gamma(np.maximum(claims, 1), 0.5 * phi * root), 0.0)
