"""Owns the Gaussian family."""

import math
from typing import Any

import jax.numpy as jnp
from jax import Array

from jaxglm._record import static
from jaxglm.families._base import Family, infinite_outside, only_weighted, slope
from jaxglm.links import Identity, Link, Power
from jaxglm.links._special import LOG_SQRT_2PI


class Gaussian(Family):
    """Normal responses with constant variance, V(mu) = 1.

    Parameters
    ----------
    link : Link, default Identity()
        Canonical: `Identity`. With a link that gives positive means only, the responses may
        still be of any sign.

    Notes
    -----
    Unit deviance (y - mu)^2. The log-likelihood is taken at the maximum likelihood dispersion,
    deviance / n, as in R.

    Examples
    --------
    >>> float(Gaussian().loss(3.0, 1.0))
    2.0
    """

    link: Link = static(default=Identity(), kw_only=True)

    name = "gaussian"
    has_likelihood = True
    n_likelihood_params = 1
    _canonical_links = (Identity(), Power(1.0))

    @property
    def is_quadratic(self) -> bool:
        return self.canonical and type(self) is Gaussian  # one of the user's may have another loss

    def variance(self, mu: Array) -> Array:
        return jnp.ones_like(mu)

    def unit_deviance(self, y: Array, mu: Array) -> Array:
        return jnp.square(y - mu)

    def loss(self, y: Array, eta: Array) -> Array:
        inside, eta = self._guard(eta)
        return infinite_outside(0.5 * jnp.square(y - self.link.inverse(eta)), inside)

    def score(self, y: Array, eta: Array) -> Array:
        _, eta = self._guard(eta)
        return (self.link.inverse(eta) - y) * slope(self.link.inverse, eta)

    def fisher_weight(self, y: Array, eta: Array) -> Array:
        _, eta = self._guard(eta)
        return jnp.square(slope(self.link.inverse, eta))

    def log_likelihood(
        self, y: Array, mu: Array, weight: Array, scale: Array | float, trials: Array | None = None
    ) -> Array:
        safe = jnp.where(weight > 0, weight, 1.0)
        standardised = (y - mu) * jnp.sqrt(safe / scale)
        row = -LOG_SQRT_2PI - 0.5 * (jnp.square(standardised) + jnp.log(scale) - jnp.log(safe))
        return only_weighted(row, weight)

    def log_likelihood_of_deviance(
        self, deviance: float, scale: float, n: float, log_weights: float
    ) -> float | None:
        if type(self) is not Gaussian:
            return None
        return (
            0.5 * log_weights - n * (LOG_SQRT_2PI + 0.5 * math.log(scale)) - 0.5 * deviance / scale
        )

    def log_normaliser(self, relative: Array) -> Array:
        return jnp.log(relative)

    def likelihood_scale(self, deviance: Any, weight_sum: Any, n: Any, pearson_scale: Any) -> Any:
        return deviance / n
