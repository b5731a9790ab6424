"""Owns the Poisson family."""

import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxglm._record import static
from jaxglm.families._base import infinite_outside, only_weighted
from jaxglm.families._power_variance import PowerVariance
from jaxglm.links import Link, Log
from jaxglm.links._special import LOG_SQRT_2PI, scaled_gap, stirling_remainder, times


class Poisson(PowerVariance):
    """Counts with variance equal to the mean, V(mu) = mu.

    Parameters
    ----------
    link : Link, default Log()
        Canonical: `Log`.

    Notes
    -----
    Unit deviance 2 [y log(y/mu) - (y - mu)]. Fractional responses are allowed; the
    log-likelihood then puts log Gamma(y + 1) for log y!, where R answers -Inf.

    Examples
    --------
    >>> float(Poisson().score(3.0, 0.0))
    -2.0
    """

    link: Link = static(default=Log(), kw_only=True)

    name = "poisson"
    dispersion_fixed = True
    has_likelihood = True
    likelihood_is_loss = True
    response_rule = "counts must be 0 or more"
    _canonical_links = (Log(),)
    _exponent = 1

    def unit_deviance(self, y: Array, mu: Array) -> Array:
        return 2.0 * scaled_gap(mu, y, mu - y)

    def loss(self, y: Array, eta: Array) -> Array:
        inside, eta = self._guard(eta)
        kernel = self.link.inverse(eta) - times(y, self.link.log_inverse(eta))
        return infinite_outside(kernel, inside)

    def initial_mean(self, y: Array, weight: Array) -> Array:
        return self._valid_start(y + 0.1, y, weight)

    def valid_response(self, y: np.ndarray) -> np.ndarray:
        return (y >= 0) & np.isfinite(y)

    def log_likelihood(
        self, y: Array, mu: Array, weight: Array, scale: Array | float, trials: Array | None = None
    ) -> Array:
        return only_weighted(weight * log_poisson(y, mu), weight)


def log_poisson(y: Array, mu: Array) -> Array:
    """Log probability of a count, exact where its parts are large (Loader 2000)."""
    positive = y > 0
    count = jnp.where(positive, y, 1.0)
    constant = stirling_remainder(1.0 / count) + 0.5 * jnp.log(count) + LOG_SQRT_2PI
    return -scaled_gap(mu, y, mu - y) - jnp.where(positive, constant, 0.0)
