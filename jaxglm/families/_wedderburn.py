"""Owns the quasi-family with variance mu^2 (1 - mu)^2."""

import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxglm._record import static
from jaxglm.families._base import Family, infinite_outside, slope
from jaxglm.families._binomial import Binomial
from jaxglm.links import Link, Logit
from jaxglm.links._special import relative_gap, times


class Wedderburn(Family):
    """Quasi-family of Wedderburn (1974) for percentages, V(mu) = mu^2 (1 - mu)^2.

    The quasi-likelihood is (2y - 1) log(mu/(1 - mu)) - y/mu - (1 - y)/(1 - mu). The deviance is
    infinite at y = 0 and y = 1; the loss is finite.
    """

    link: Link = static(default=Logit(), kw_only=True)

    name = "quasi"
    mean_domain = (0.0, 1.0)
    response_rule = Binomial.response_rule

    def variance(self, mu: Array) -> Array:
        return jnp.square(mu * (1.0 - mu))

    def unit_deviance(self, y: Array, mu: Array) -> Array:
        # The gamma deviances of y and of 1 - y, and twice the binomial deviance.
        gaps = relative_gap(y, mu, y - mu) + relative_gap(1.0 - y, 1.0 - mu, mu - y)
        return 2.0 * (gaps + Binomial().unit_deviance(y, mu))

    def loss(self, y: Array, eta: Array) -> Array:
        inside, eta = self._guard(eta)
        log_odds = self.link.log_inverse(eta) - self.link.log_complement(eta)
        kernel = self._weighed(y, eta, 1.0) - times(2.0 * y - 1.0, log_odds)
        return infinite_outside(kernel, inside)

    def score(self, y: Array, eta: Array) -> Array:
        # (mu - y)/V dmu = [(1-y)/(1-mu) - y/mu] d log(mu/(1-mu)).
        _, eta = self._guard(eta)
        return self._weighed(y, eta, -1.0) * self._rate(eta)

    def fisher_weight(self, y: Array, eta: Array) -> Array:
        _, eta = self._guard(eta)
        return jnp.square(self._rate(eta))

    def _weighed(self, y: Array, eta: Array, sign: float) -> Array:
        """(1 - y)/(1 - mu) + sign y/mu."""
        failures = times(1.0 - y, jnp.exp(-self.link.log_complement(eta)))
        return failures + sign * times(y, jnp.exp(-self.link.log_inverse(eta)))

    def _rate(self, eta: Array) -> Array:
        return slope(self.link.log_inverse, eta) - slope(self.link.log_complement, eta)

    def initial_mean(self, y: Array, weight: Array) -> Array:
        return jnp.clip(y, 0.001, 0.999)

    def valid_response(self, y: np.ndarray) -> np.ndarray:
        return (y >= 0) & (y <= 1)
