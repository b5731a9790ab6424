"""Owns the links of probabilities: quantile functions of distributions."""

# Methods are documented once, on the base class.

import math

import jax
import jax.numpy as jnp
from jax import Array

from jaxglm.links import _special
from jaxglm.links._base import Link


class Logit(Link):
    """eta = log(mu / (1 - mu)); coefficients are logarithms of odds ratios.

    Examples
    --------
    >>> float(Logit().inverse(0.0))
    0.5
    >>> float(Logit().log_inverse(-1000.0))
    -1000.0
    """

    name = "logit"
    mean_range = (0.0, 1.0)
    eta_range = (-math.inf, math.inf)

    def link(self, mu: Array) -> Array:
        return jnp.log(mu) - jnp.log1p(-mu)

    def inverse(self, eta: Array) -> Array:
        return _special.sigmoid(eta)

    def log_inverse(self, eta: Array) -> Array:
        return _special.log_sigmoid(eta)

    def log_complement(self, eta: Array) -> Array:
        return _special.log_sigmoid(-eta)

    def log_rates(self, eta: Array) -> tuple[Array, Array]:
        mean, complement = _special.both_sigmoids(eta)
        return complement, -mean


class Probit(Link):
    """eta = Phi^-1(mu), Phi the standard normal distribution function.

    Examples
    --------
    >>> round(float(Probit().inverse(1.959964)), 4)
    0.975
    """

    name = "probit"
    mean_range = (0.0, 1.0)
    eta_range = (-math.inf, math.inf)

    def link(self, mu: Array) -> Array:
        return jax.scipy.special.ndtri(mu)

    def inverse(self, eta: Array) -> Array:
        return _special.normal_cdf(eta)

    def log_inverse(self, eta: Array) -> Array:
        return _special.log_normal_cdf(eta)

    def log_complement(self, eta: Array) -> Array:
        return _special.log_normal_cdf(-eta)


class CLogLog(Link):
    """eta = log(-log(1 - mu)), complementary log-log; coefficients are log hazard ratios.

    Examples
    --------
    >>> round(float(CLogLog().inverse(0.0)), 4)
    0.6321
    """

    name = "cloglog"
    mean_range = (0.0, 1.0)
    eta_range = (-math.inf, math.inf)

    def link(self, mu: Array) -> Array:
        return jnp.log(-jnp.log1p(-mu))

    def inverse(self, eta: Array) -> Array:
        return -jnp.expm1(-_special.bounded_exp(eta))

    def log_inverse(self, eta: Array) -> Array:
        return _special.log_gumbel(eta)

    def log_complement(self, eta: Array) -> Array:
        return -jnp.exp(eta)


class LogLog(Link):
    """eta = -log(-log(mu)), the mirror image of the complementary log-log.

    Examples
    --------
    >>> round(float(LogLog().inverse(0.0)), 4)
    0.3679
    """

    name = "loglog"
    mean_range = (0.0, 1.0)
    eta_range = (-math.inf, math.inf)

    def link(self, mu: Array) -> Array:
        return -jnp.log(-jnp.log(mu))

    def inverse(self, eta: Array) -> Array:
        return jnp.exp(-_special.bounded_exp(-eta))

    def log_inverse(self, eta: Array) -> Array:
        return -jnp.exp(-eta)

    def log_complement(self, eta: Array) -> Array:
        return _special.log_gumbel(-eta)


class Cauchit(Link):
    """eta = tan(pi (mu - 1/2)), the quantile function of the Cauchy distribution.

    Examples
    --------
    >>> round(float(Cauchit().inverse(1.0)), 4)
    0.75
    """

    name = "cauchit"
    mean_range = (0.0, 1.0)
    eta_range = (-math.inf, math.inf)

    def link(self, mu: Array) -> Array:
        # Through the nearer end, so that a tail probability keeps its digits.
        near = jnp.minimum(mu, 1.0 - mu)
        return jnp.where(mu < 0.5, -1.0, 1.0) / jnp.tan(math.pi * near)

    def inverse(self, eta: Array) -> Array:
        tail = self._tail(eta)
        return jnp.where(eta < 0, tail, 1.0 - tail)

    def log_inverse(self, eta: Array) -> Array:
        tail = self._tail(eta)
        return jnp.where(eta < 0, jnp.log(tail), jnp.log1p(-tail))

    def log_complement(self, eta: Array) -> Array:
        return self.log_inverse(-eta)

    def _tail(self, eta: Array) -> Array:
        """The smaller of mu and 1 - mu."""
        # Not abs(eta), whose derivative at 0 is 0.
        size = jnp.where(eta < 0, -eta, eta)
        beyond = size > 1.0
        angle = jnp.arctan(jnp.where(beyond, 1.0 / jnp.where(beyond, size, 1.0), size)) / math.pi
        return jnp.where(beyond, angle, 0.5 - angle)
