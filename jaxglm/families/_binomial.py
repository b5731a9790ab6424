"""Owns the binomial family."""

import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxglm._record import static
from jaxglm.families._base import Family, infinite_outside, only_weighted
from jaxglm.links import Link, Logit
from jaxglm.links._special import LOG_SQRT_2PI, scaled_gap, stirling_remainder, tail_product, times


class Binomial(Family):
    """Proportions of successes, V(mu) = mu (1 - mu); 0/1 responses are single trials.

    Parameters
    ----------
    link : Link, default Logit()
        Canonical: `Logit`. With `Log`, `Identity` and the like, linear predictors that give a
        probability outside (0, 1) have infinite loss.

    Notes
    -----
    Unit deviance 2 [y log(y/mu) + (1 - y) log((1 - y)/(1 - mu))]. All but the deviance works
    from log(mu) and log(1 - mu) as functions of eta, so that no probability rounds to 0 or 1;
    the Fisher weight is -(d log mu/deta)(d log(1 - mu)/deta).

    The log-likelihood rounds trials and successes to whole numbers, as R does. Without trials,
    the prior weights are the trials, as R takes them to be.

    Examples
    --------
    >>> family = Binomial()
    >>> float(family.loss(1.0, -50.0))
    50.0
    >>> float(family.fisher_weight(0.0, 0.0))
    0.25
    """

    link: Link = static(default=Logit(), kw_only=True)

    name = "binomial"
    mean_domain = (0.0, 1.0)
    dispersion_fixed = True
    has_likelihood = True
    response_rule = "proportions must lie between 0 and 1"
    _canonical_links = (Logit(),)

    def variance(self, mu: Array) -> Array:
        return mu * (1.0 - mu)

    def unit_deviance(self, y: Array, mu: Array) -> Array:
        successes = scaled_gap(mu, y, mu - y)
        failures = scaled_gap(1.0 - mu, 1.0 - y, y - mu)
        return 2.0 * (successes + failures)

    def loss(self, y: Array, eta: Array) -> Array:
        inside, eta = self._guard(eta)
        successes = times(y, self.link.log_inverse(eta))
        failures = times(1.0 - y, self.link.log_complement(eta))
        return infinite_outside(-(successes + failures), inside)

    def score(self, y: Array, eta: Array) -> Array:
        # For the logit this is (1 - y) mu - y (1 - mu), not mu - y, which is 0 for a success with
        # eta above 37.
        _, eta = self._guard(eta)
        of_success, of_failure = self.link.log_rates(eta)
        return -(times(y, of_success) + times(1.0 - y, of_failure))

    def fisher_weight(self, y: Array, eta: Array) -> Array:
        _, eta = self._guard(eta)
        return -tail_product(*self.link.log_rates(eta))

    def initial_mean(self, y: Array, weight: Array) -> Array:
        # Where the dispersion is estimated weights say nothing of the size of a response: in other
        # units they must not start a fit elsewhere.
        size = weight if self.dispersion_fixed else jnp.ones_like(weight)
        start = (size * y + 0.5) / (size + 1.0)
        # Huge numbers of trials round a proportion of 1 to itself.
        epsilon = 4.0 * float(jnp.finfo(jnp.result_type(start)).eps)
        return jnp.clip(start, epsilon, 1.0 - epsilon)

    def valid_response(self, y: np.ndarray) -> np.ndarray:
        return (y >= 0) & (y <= 1)

    def log_likelihood(
        self, y: Array, mu: Array, weight: Array, scale: Array | float, trials: Array | None = None
    ) -> Array:
        size = weight if trials is None else trials
        whole = jnp.round(size)
        successes = jnp.round(size * y)
        failures = whole - successes
        # Loader (2000): the binomial coefficient and the probabilities as gaps and remainders,
        # which stay exact where their logarithms are large and nearly cancel.
        proportion = successes / jnp.where(whole > 0, whole, 1.0)
        deviance = whole * 0.5 * self.unit_deviance(proportion, mu)
        mixed = (successes > 0) & (failures > 0)
        s, f = jnp.where(mixed, successes, 1.0), jnp.where(mixed, failures, 1.0)
        constant = (
            stirling_remainder(1.0 / (s + f))
            - stirling_remainder(1.0 / s)
            - stirling_remainder(1.0 / f)
            - 0.5 * (jnp.log(s) + jnp.log(f / (s + f)))
            - LOG_SQRT_2PI
        )
        row = jnp.where(mixed, constant, 0.0) - deviance
        return only_weighted(row if trials is None else row * weight, weight)

    def for_rows(self, y: np.ndarray, size: np.ndarray | None) -> Family:
        # Not for its subclasses: the quasi-binomial is another law.
        plain = type(self) is Binomial
        if plain and size is None and ((y == 0.0) | (y == 1.0)).all():
            return _Bernoulli(link=self.link)
        return self


class _Bernoulli(Binomial):
    """Single trials, the commonest response by far: one logarithm, and no constant."""

    likelihood_is_loss = True

    def unit_deviance(self, y: Array, mu: Array) -> Array:
        # Two logarithms, which a mean that all rows share takes once.
        return -2.0 * jnp.where(y > 0.5, jnp.log(mu), jnp.log1p(-mu))

    def log_likelihood(
        self, y: Array, mu: Array, weight: Array, scale: Array | float, trials: Array | None = None
    ) -> Array:
        return only_weighted(-0.5 * self.unit_deviance(y, mu), weight)
