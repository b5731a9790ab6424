"""Owns the gamma family."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxglm._record import static
from jaxglm.families._base import infinite_outside, only_weighted
from jaxglm.families._power_variance import PowerVariance
from jaxglm.links import Inverse, Link, Power
from jaxglm.links._special import LOG_SQRT_2PI, relative_gap, stirling_remainder


class Gamma(PowerVariance):
    """Positive responses with constant coefficient of variation, V(mu) = mu^2.

    Parameters
    ----------
    link : Link, default Inverse()
        Canonical: `Inverse`, R's default. `Log` is the usual choice.

    Notes
    -----
    Unit deviance 2 [(y - mu)/mu - log(y/mu)]. The log-likelihood is taken at dispersion
    deviance / (sum of weights), as in R, and multiplied by the prior weight.

    Examples
    --------
    >>> from jaxglm.links import Log
    >>> float(Gamma(link=Log()).score(3.0, 0.0))
    -2.0
    """

    link: Link = static(default=Inverse(), kw_only=True)

    name = "gamma"
    has_likelihood = True
    n_likelihood_params = 1
    response_rule = "responses must be greater than 0"
    _canonical_links = (Inverse(), Power(-1.0))
    _exponent = 2

    def unit_deviance(self, y: Array, mu: Array) -> Array:
        return 2.0 * relative_gap(y, mu, y - mu)

    def loss(self, y: Array, eta: Array) -> Array:
        inside, eta = self._guard(eta)
        kernel = y * self.link.inverse_power(eta, -1) + self.link.log_inverse(eta)
        return infinite_outside(kernel, inside)

    def initial_mean(self, y: Array, weight: Array) -> Array:
        return self._valid_start(y, y, weight)

    def valid_response(self, y: np.ndarray) -> np.ndarray:
        return (y > 0) & np.isfinite(y)

    def log_likelihood(
        self, y: Array, mu: Array, weight: Array, scale: Array | float, trials: Array | None = None
    ) -> Array:
        return only_weighted(weight * log_gamma(y, mu, scale), weight)

    def log_normaliser(self, relative: Array) -> Array:
        return jnp.log(relative) + 2.0 * stirling_remainder(relative)

    def likelihood_scale(self, deviance: Any, weight_sum: Any, n: Any, pearson_scale: Any) -> Any:
        return deviance / weight_sum


def log_gamma(y: Array, mu: Array, dispersion: Array | float) -> Array:
    """Log density of a gamma response, with shape 1/dispersion, exact for large shapes."""
    return (
        -relative_gap(y, mu, y - mu) / dispersion
        - 0.5 * jnp.log(dispersion)
        - LOG_SQRT_2PI
        - stirling_remainder(dispersion)
        - jnp.log(y)
    )
