"""Owns the Tweedie family; its density is in `_tweedie_series`."""

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxglm._record import static
from jaxglm.families._arguments import check_single
from jaxglm.families._base import infinite_outside, only_weighted
from jaxglm.families._power_variance import PowerVariance
from jaxglm.families._tweedie_series import log_normaliser
from jaxglm.links import Identity, Inverse, InverseSquared, Link, Log, Power, Sqrt
from jaxglm.links._special import times


class Tweedie(PowerVariance):
    """Non-negative responses with exact zeros, V(mu) = mu^power.

    Between 1 and 2 a response is the sum of a Poisson number of gamma amounts, as claims are.

    Parameters
    ----------
    power : float, default 1.5
        Power of the variance: 0 or at least 1 (no Tweedie distribution lies between). 0, 1, 2
        and 3 are Gaussian, Poisson, gamma and inverse Gaussian, with a positive mean and an
        estimated dispersion. The result's `power_profile()` estimates one between 1 and 2.
    link : Link, default Log()
        Canonical: `Power(1 - power)`.

    Raises
    ------
    ValueError
        If `power` is negative, between 0 and 1, or not finite.

    Notes
    -----
    Unit deviance 2 [y^(2-p)/((1-p)(2-p)) - y mu^(1-p)/(1-p) + mu^(2-p)/(2-p)]. The
    log-likelihood is taken at the Pearson dispersion. For 1 < p < 2 it is the exact series of
    Dunn & Smyth (2005); for other powers than 0, 1, 2 and 3 there is no closed form and it is
    nan. At power 1 it is that of a Poisson variable times the dispersion.

    Examples
    --------
    >>> family = Tweedie(power=1.5)
    >>> float(family.variance(4.0))
    8.0
    """

    power: Any = 1.5
    link: Link = static(default=Log(), kw_only=True)

    name = "tweedie"
    has_likelihood = True
    n_likelihood_params = 1

    def __post_init__(self) -> None:
        check_single("Tweedie: power", self.power)
        if isinstance(self.power, int | float) and not (
            self.power == 0 or 1 <= self.power < math.inf
        ):
            raise ValueError(
                f"Tweedie(power={self.power}): the power must be 0 or at least 1; claims and "
                "rainfall have powers between 1 and 2"
            )

    # Of other families it is a constant of the class; so it is in the other two that follow their
    # parameters, `_quasi` and `_quadrature`, as are the bounds of the mean there.
    @property
    def response_rule(self) -> str:  # type: ignore[override]
        """What `valid_response` asks at this power."""
        if self.power == 0:
            return "responses must be finite numbers"
        return f"responses must be {'0 or more' if self.power < 2 else 'greater than 0'}"

    @property
    def canonical(self) -> bool:
        """Whether the link is the power 1 - p; False where p is traced."""
        if not isinstance(self.power, int | float):
            return False
        named = {1: Log(), 0: Identity(), 2: Inverse(), 3: InverseSquared(), 0.5: Sqrt()}
        if self.link == named.get(self.power):
            return True
        return isinstance(self.link, Power) and self.link.exponent == 1 - self.power

    def _power_like(self, values: Array) -> Array:
        return jnp.asarray(self.power, jnp.result_type(values))

    def unit_deviance(self, y: Array, mu: Array) -> Array:
        p = self._power_like(mu)
        positive = y > 0
        # d = 2 y^(2-p) f(log(mu/y)) with f(u) = integral from 0 to u of e^((1-p)v) (e^v - 1) dv.
        safe = jnp.where(positive, y, 1.0)
        ratio = (mu - safe) / safe
        u = jnp.where(jnp.abs(ratio) < 0.5, jnp.log1p(ratio), jnp.log(mu / safe))
        u = jnp.minimum(u, float(jnp.finfo(u.dtype).max))
        unit = 2.0 * safe ** (2.0 - p) * _deviance_integral(u, 1.0 - p)
        # At y = 0 only the last term is left; negative responses belong to power 0.
        at_zero = 2.0 * mu ** (2.0 - p) / (2.0 - p)
        return jnp.where(p == 0, jnp.square(y - mu), jnp.where(positive, unit, at_zero))

    def loss(self, y: Array, eta: Array) -> Array:
        inside, eta = self._guard(eta)
        p = self._power_like(eta)
        log_mean = self.link.log_inverse(eta)
        kernel = _power_integral(2.0 - p, log_mean) - times(y, _power_integral(1.0 - p, log_mean))
        return infinite_outside(kernel, inside)

    def initial_mean(self, y: Array, weight: Array) -> Array:
        return self._valid_start(jnp.where(y == 0, 0.1, y), y, weight, known=self._start_range)

    @property
    def _start_range(self) -> tuple[float, float]:
        traced_or_zero = not isinstance(self.power, int | float) or self.power == 0
        return (-math.inf, math.inf) if traced_or_zero else self.mean_domain

    def valid_response(self, y: np.ndarray) -> np.ndarray:
        finite = np.isfinite(y)
        if self.power == 0:
            return finite
        return finite & (y >= 0 if self.power < 2 else y > 0)

    def log_likelihood(
        self, y: Array, mu: Array, weight: Array, scale: Array | float, trials: Array | None = None
    ) -> Array:
        y, mu, weight = jnp.broadcast_arrays(y, mu, weight)
        dispersion = scale / jnp.where(weight > 0, weight, 1.0)
        normaliser = log_normaliser(y, dispersion, self._power_like(mu))
        return only_weighted(normaliser - 0.5 * self.unit_deviance(y, mu) / dispersion, weight)


def _power_integral(exponent: Array, log_mean: Array) -> Array:
    """mu^k / k; near k = 0 the same less 1/k, whose limit is log(mu)."""
    small = jnp.abs(exponent) < 0.05
    power = jnp.exp(exponent * log_mean) / jnp.where(small, 1.0, exponent)
    zero = exponent == 0
    near = jnp.expm1(exponent * log_mean) / jnp.where(zero, 1.0, exponent)
    return jnp.where(zero, log_mean, jnp.where(small, near, power))


def _deviance_integral(u: Array, k: Array) -> Array:
    """Integral from 0 to u of e^(k v) (e^v - 1) dv, to full relative precision near u = 0."""
    # Power series: the sum over n >= 2 of [(k+1)^(n-1) - k^(n-1)] u^n / n!. The bracket obeys
    # b_n = (k+1) b_(n-1) + k^(n-2), b_2 = 1. Where |u| max(|k|, |k+1|) < 1/2, 16 terms suffice.
    near = jnp.abs(u) * jnp.maximum(jnp.abs(k), jnp.abs(k + 1.0)) < 0.5
    v = jnp.where(near, u, 0.0)
    bracket, power, term = jnp.ones_like(k), jnp.ones_like(k), 0.5 * v * v
    total = term
    for n in range(3, 19):
        power = power * k
        bracket = (k + 1.0) * bracket + power
        term = term * v / n
        total = total + bracket * term
    far = _expm1_over(k + 1.0, u) - _expm1_over(k, u)
    return jnp.where(near, total, far)


def _expm1_over(k: Array, u: Array) -> Array:
    zero = k == 0
    return jnp.where(zero, u, jnp.expm1(k * u) / jnp.where(zero, 1.0, k))
