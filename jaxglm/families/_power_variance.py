"""Owns the mathematics shared by the families with V(mu) = mu^p."""

import math
from typing import Any, ClassVar

import jax.numpy as jnp
from jax import Array

from jaxglm.families._base import Family, slope
from jaxglm.links._special import times


class PowerVariance(Family):
    """Base of Poisson, gamma, inverse Gaussian and Tweedie: positive means, variance mu^p.

    With r = d log(mu)/deta, score and Fisher weight are r (mu^(2-p) - y mu^(1-p)) and
    r^2 mu^(2-p): two powers of the mean, which a link gives without forming the mean.
    """

    mean_domain = (0.0, math.inf)

    #: The power p.
    _exponent: ClassVar[Any] = 0

    def variance(self, mu: Array) -> Array:
        return jnp.asarray(mu) ** self._power_like(mu)

    def unit_deviance(self, y: Array, mu: Array) -> Array:
        raise NotImplementedError

    def score(self, y: Array, eta: Array) -> Array:
        _, eta = self._guard(eta)
        p = self._power_like(eta)
        rate = slope(self.link.log_inverse, eta)
        return rate * (self._mean_power(eta, 2 - p) - times(y, self._mean_power(eta, 1 - p)))

    def fisher_weight(self, y: Array, eta: Array) -> Array:
        _, eta = self._guard(eta)
        rate = slope(self.link.log_inverse, eta)
        # In this order, since the square of the rate may overflow where the weight does not.
        return rate * (rate * self._mean_power(eta, 2 - self._power_like(eta)))

    def _power_like(self, values: Array) -> Any:
        """The power p: an int that selects code, or a number of the dtype of `values`."""
        return self._exponent

    def _mean_power(self, eta: Array, exponent: Any) -> Array:
        if isinstance(exponent, int) and exponent == 0:
            return jnp.ones_like(eta)
        return self.link.inverse_power(eta, exponent)
