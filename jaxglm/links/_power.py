"""Owns the power links, with their limit the logarithm."""

# Methods are documented once, on the base class.

import math
from typing import Any

import jax.numpy as jnp
from jax import Array

from jaxglm._record import static
from jaxglm.links import _special
from jaxglm.links._base import Link, whole


class Identity(Link):
    """eta = mu.

    Examples
    --------
    >>> float(Identity().inverse(0.25))
    0.25
    """

    name = "identity"
    has_unit = True

    def link(self, mu: Array) -> Array:
        return jnp.asarray(mu)

    def inverse(self, eta: Array) -> Array:
        return jnp.asarray(eta)


class Log(Link):
    """eta = log(mu); coefficients are logarithms of ratios of means.

    Examples
    --------
    >>> float(Log().inverse(0.0))
    1.0
    """

    name = "log"
    mean_range = (0.0, math.inf)
    eta_range = (-math.inf, math.inf)

    def link(self, mu: Array) -> Array:
        return jnp.log(mu)

    def inverse(self, eta: Array) -> Array:
        return jnp.exp(eta)

    def log_inverse(self, eta: Array) -> Array:
        return jnp.asarray(eta)

    def log_complement(self, eta: Array) -> Array:
        return _special.log1mexp(eta)

    def inverse_power(self, eta: Array, exponent: Any) -> Array:
        return jnp.exp(whole(exponent) * eta)


class Power(Link):
    """eta = mu ** exponent, for positive means.

    Parameters
    ----------
    exponent : float
        Any number but 0; its limit there is `Log`.

    Raises
    ------
    ValueError
        If `exponent` is 0 or not finite.

    Examples
    --------
    >>> round(float(Power(0.25).inverse(2.0)), 6)
    16.0
    """

    exponent: float = static()

    name = "power"
    has_unit = True
    mean_range = (0.0, math.inf)

    def __post_init__(self) -> None:
        if self.exponent == 0 or not math.isfinite(self.exponent):
            raise ValueError(
                f"Power(exponent={self.exponent}): the exponent must be a finite number other "
                "than 0; the link of exponent 0 is Log()"
            )

    def link(self, mu: Array) -> Array:
        return jnp.asarray(mu) ** whole(self.exponent)

    def inverse(self, eta: Array) -> Array:
        return self.inverse_power(eta, 1)

    def log_inverse(self, eta: Array) -> Array:
        return jnp.log(eta) / self.exponent

    def inverse_power(self, eta: Array, exponent: Any) -> Array:
        return jnp.asarray(eta) ** whole(exponent / self.exponent)


class Inverse(Link):
    """eta = 1/mu, canonical for the gamma family.

    Examples
    --------
    >>> float(Inverse().inverse(4.0))
    0.25
    """

    name = "inverse"
    has_unit = True
    pole = 0.0

    def link(self, mu: Array) -> Array:
        return 1.0 / jnp.asarray(mu)

    def inverse(self, eta: Array) -> Array:
        return 1.0 / jnp.asarray(eta)

    def log_inverse(self, eta: Array) -> Array:
        return -jnp.log(eta)

    def inverse_power(self, eta: Array, exponent: Any) -> Array:
        return jnp.asarray(eta) ** whole(-exponent)


class InverseSquared(Link):
    """eta = 1/mu^2, canonical for the inverse Gaussian family (R's ``"1/mu^2"``).

    Examples
    --------
    >>> float(InverseSquared().inverse(4.0))
    0.5
    """

    name = "inverse_squared"
    has_unit = True
    mean_range = (0.0, math.inf)

    def link(self, mu: Array) -> Array:
        return 1.0 / jnp.square(mu)

    def inverse(self, eta: Array) -> Array:
        return 1.0 / jnp.sqrt(eta)

    def log_inverse(self, eta: Array) -> Array:
        return -0.5 * jnp.log(eta)

    def inverse_power(self, eta: Array, exponent: Any) -> Array:
        return jnp.sqrt(eta) ** whole(-exponent)


class Sqrt(Link):
    """eta = sqrt(mu), which makes the variance of a count nearly constant.

    Examples
    --------
    >>> float(Sqrt().inverse(3.0))
    9.0
    """

    name = "sqrt"
    has_unit = True
    mean_range = (0.0, math.inf)

    def link(self, mu: Array) -> Array:
        return jnp.sqrt(mu)

    def inverse(self, eta: Array) -> Array:
        return jnp.square(eta)

    def log_inverse(self, eta: Array) -> Array:
        return 2.0 * jnp.log(eta)

    def inverse_power(self, eta: Array, exponent: Any) -> Array:
        return jnp.asarray(eta) ** whole(2 * exponent)
