"""Owns the inverse Gaussian family."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxglm._record import static
from jaxglm.families._base import infinite_outside, only_weighted
from jaxglm.families._power_variance import PowerVariance
from jaxglm.links import InverseSquared, Link, Power
from jaxglm.links._special import LOG_SQRT_2PI


class InverseGaussian(PowerVariance):
    """Positive, strongly skewed responses, V(mu) = mu^3.

    Parameters
    ----------
    link : Link, default InverseSquared()
        Canonical: `InverseSquared`, R's default.

    Notes
    -----
    Unit deviance (y - mu)^2 / (y mu^2). The log-likelihood is taken at dispersion deviance /
    (sum of weights), as in R, and multiplied by the prior weight.

    Examples
    --------
    >>> from jaxglm.links import Log
    >>> float(InverseGaussian(link=Log()).loss(2.0, 0.0))
    0.25
    """

    link: Link = static(default=InverseSquared(), kw_only=True)

    name = "inverse_gaussian"
    has_likelihood = True
    n_likelihood_params = 1
    response_rule = "responses must be greater than 0"
    _canonical_links = (InverseSquared(), Power(-2.0))
    _exponent = 3

    def unit_deviance(self, y: Array, mu: Array) -> Array:
        return jnp.square(_excess(y, mu)) / y

    def loss(self, y: Array, eta: Array) -> Array:
        inside, eta = self._guard(eta)
        excess = y * self.link.inverse_power(eta, -1) - 1.0
        return infinite_outside(0.5 * jnp.square(excess) / y, inside)

    def initial_mean(self, y: Array, weight: Array) -> Array:
        return self._valid_start(y, y, weight)

    def valid_response(self, y: np.ndarray) -> np.ndarray:
        return (y > 0) & np.isfinite(y)

    def log_likelihood(
        self, y: Array, mu: Array, weight: Array, scale: Array | float, trials: Array | None = None
    ) -> Array:
        return only_weighted(weight * log_inverse_gaussian(y, mu, scale), weight)

    def log_normaliser(self, relative: Array) -> Array:
        return jnp.log(relative)

    def likelihood_scale(self, deviance: Any, weight_sum: Any, n: Any, pearson_scale: Any) -> Any:
        return deviance / weight_sum


def log_inverse_gaussian(y: Array, mu: Array, dispersion: Array | float) -> Array:
    """Log density of an inverse Gaussian response."""
    unit = jnp.square(_excess(y, mu)) / y
    return -0.5 * (unit / dispersion + jnp.log(dispersion)) - LOG_SQRT_2PI - 1.5 * jnp.log(y)


def _excess(y: Array, mu: Array) -> Array:
    """y/mu - 1, with its limit where the mean overflows."""
    mu = jnp.asarray(mu)
    return jnp.where(jnp.isinf(mu), -1.0, (y - mu) / mu)
