"""Owns the negative binomial family."""

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxglm._record import static
from jaxglm.families._arguments import check_single
from jaxglm.families._base import Family, infinite_outside, only_weighted, slope
from jaxglm.links import Link, Log
from jaxglm.links._special import (
    LOG_SQRT_2PI,
    scaled_gap,
    stirling_remainder,
    stirling_slopes,
    times,
)


class NegativeBinomial(Family):
    """Overdispersed counts, V(mu) = mu + alpha mu^2 (NB2).

    Parameters
    ----------
    alpha : float, optional
        Shape, 0 or more. The number in R's ``negative.binomial(2)`` is theta = 1/alpha: write
        ``NegativeBinomial(theta=2)`` for it. 0 is the Poisson family. None (default) has the fit
        estimate it, by maximum likelihood; the result's family holds it.
    link : Link, default Log()
        No link is canonical; `Log` is R's default.

    Raises
    ------
    ValueError
        If `alpha` is negative or not finite, or if the family is used before `alpha` is known.

    Notes
    -----
    Unit deviance 2 [y log(y/mu) - (y + theta) log((y + theta)/(mu + theta))]. Everything here
    is written in alpha, so that alpha = 0 is an ordinary point and theta = 1e10 loses no digits.

    Examples
    --------
    >>> family = NegativeBinomial(alpha=0.5)
    >>> family.theta
    2.0
    >>> float(family.variance(4.0))
    12.0
    """

    alpha: Any = None
    link: Link = static(default=Log(), kw_only=True)

    name = "negative_binomial"
    mean_domain = (0.0, math.inf)
    dispersion_fixed = True
    has_likelihood = True
    likelihood_is_loss = True
    response_rule = "counts must be 0 or more"

    def __post_init__(self) -> None:
        check_single("NegativeBinomial: alpha", self.alpha)
        if isinstance(self.alpha, int | float) and not 0 <= self.alpha < math.inf:
            raise ValueError(
                f"NegativeBinomial(alpha={self.alpha}): alpha must be a finite number, 0 or more "
                "(alpha = 1/theta)"
            )

    @property
    def theta(self) -> Any:
        """MASS's shape, 1/alpha."""
        if isinstance(self.alpha, int | float) and self.alpha == 0:
            return math.inf
        return None if self.alpha is None else 1.0 / self.alpha

    def _alpha_like(self, values: Array) -> Array:
        if self.alpha is None:
            raise ValueError(
                "the shape of NegativeBinomial() is estimated by the fit and not known here; "
                "give alpha= for a fixed shape"
            )
        return jnp.asarray(self.alpha, jnp.result_type(values))

    def variance(self, mu: Array) -> Array:
        return mu + self._alpha_like(mu) * jnp.square(mu)

    def unit_deviance(self, y: Array, mu: Array) -> Array:
        # As a sum of two gaps, both positive, between success probabilities alpha y/(1 + alpha y)
        # and alpha mu/(1 + alpha mu), each scaled by (1 + alpha y)/alpha. The textbook form is
        # their difference with the Poisson deviance, which cancels when alpha y is large.
        alpha = self._alpha_like(mu)
        known = alpha > 0
        shrink = (1.0 + alpha * y) / (1.0 + alpha * mu)
        difference = (mu - y) / (1.0 + alpha * mu)
        first = scaled_gap(mu * shrink, y, difference)
        second = scaled_gap(shrink, jnp.ones_like(shrink), -alpha * difference)
        # At alpha = 0 the second gap over alpha is 0, with the derivative of its leading term.
        limit = 0.5 * alpha * jnp.square(difference)
        second = jnp.where(known, second / jnp.where(known, alpha, 1.0), limit)
        finite = 2.0 * (first + second)
        return jnp.where(jnp.isinf(mu), jnp.inf, finite)

    def shape_slopes(self, y: Array, mu: Array) -> tuple[Array, Array]:
        """First and second derivative of `log_likelihood` in log alpha, at weight 1 and alpha > 0.

        Those of autodiff, for a fifth of their cost.
        """
        alpha = self._alpha_like(mu)
        room = 1.0 + alpha * y
        difference = (y - mu) / (1.0 + alpha * mu)
        # alpha (w - log(1 + w)) / alpha^2 at w = alpha (y - mu) / (1 + alpha mu).
        w = alpha * difference
        gap = scaled_gap(1.0 + w, jnp.ones_like(w), w) / alpha
        own, own_second = stirling_slopes(alpha)
        of_row, of_row_second = stirling_slopes(alpha / room)
        share = alpha * y / room
        first = of_row / room - own - 0.5 * share + gap
        second = (of_row_second / room - (of_row + 0.5) * share) / room - own_second
        return first, second + w * (difference / room) - gap

    def _parts(self, eta: Array) -> tuple[Array, Array, Array, Array]:
        """Log mean, log(1 + alpha mu), mu/(1 + alpha mu) and 1/(1 + alpha mu)."""
        alpha = self._alpha_like(eta)
        log_mean = self.link.log_inverse(eta)
        mean = self.link.inverse(eta)
        # Which of the two, alpha mu or 1/(alpha mu), is at most 1.
        # Its derivative in alpha, infinite at 0, has no part in the choices below there.
        known = alpha > 0
        above = log_mean + jnp.where(known, jnp.log(jnp.where(known, alpha, 1.0)), -jnp.inf)
        large = above > 0
        small = jnp.where(large, jnp.exp(-jnp.abs(above)), alpha * jnp.where(large, 0.0, mean))
        growth = jnp.where(large, above, 0.0) + jnp.log1p(small)
        limit = 1.0 / jnp.where(large, alpha, 1.0)
        saturated = jnp.where(large, limit, jnp.where(large, 0.0, mean)) / (1.0 + small)
        return log_mean, growth, saturated, jnp.where(large, small, 1.0) / (1.0 + small)

    def loss(self, y: Array, eta: Array) -> Array:
        inside, eta = self._guard(eta)
        alpha = self._alpha_like(eta)
        log_mean, growth, _, _ = self._parts(eta)
        # log(1 + alpha mu)/alpha has the limit mu; below the square root of the smallest number
        # it has reached it for every mean whose variance is representable.
        smallest = math.sqrt(float(jnp.finfo(eta.dtype).tiny))
        known = alpha > smallest
        mean_like = jnp.where(known, growth / jnp.where(known, alpha, 1.0), self.link.inverse(eta))
        return infinite_outside(mean_like - times(y, log_mean - growth), inside)

    def score(self, y: Array, eta: Array) -> Array:
        _, eta = self._guard(eta)
        _, _, saturated, share = self._parts(eta)
        return slope(self.link.log_inverse, eta) * (saturated - y * share)

    def score_slope(self, y: Array, eta: Array) -> Array:
        """Derivative of `score` in log alpha."""
        _, _, saturated, _ = self._parts(self._guard(eta)[1])
        return -self._alpha_like(eta) * saturated * self.score(y, eta)

    def fisher_weight(self, y: Array, eta: Array) -> Array:
        _, eta = self._guard(eta)
        _, _, saturated, _ = self._parts(eta)
        rate = slope(self.link.log_inverse, eta)
        return rate * (rate * saturated)

    def initial_mean(self, y: Array, weight: Array) -> Array:
        return self._valid_start(jnp.where(y == 0, 1.0 / 6.0, y), y, weight)

    def valid_response(self, y: np.ndarray) -> np.ndarray:
        return (y >= 0) & np.isfinite(y)

    def log_likelihood(
        self, y: Array, mu: Array, weight: Array, scale: Array | float, trials: Array | None = None
    ) -> Array:
        # log Gamma(y + theta) - log Gamma(theta) - log y! and the powers, with Stirling's formula
        # taken out of each: what it leaves in the powers is half the unit deviance.
        alpha = self._alpha_like(mu)
        positive = y > 0
        count = jnp.where(positive, y, 1.0)
        constant = (
            stirling_remainder(alpha / (1.0 + alpha * count))
            - stirling_remainder(alpha)
            - stirling_remainder(1.0 / count)
            - 0.5 * (jnp.log(count) + jnp.log1p(alpha * count))
            - LOG_SQRT_2PI
        )
        row = jnp.where(positive, constant, 0.0) - 0.5 * self.unit_deviance(y, mu)
        return only_weighted(weight * row, weight)
