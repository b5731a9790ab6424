"""Owns the sums over rows at the solution, and the rows that have gone to a limit of the mean.

Imports families and sources, `_linalg` and `_rowwise` for types. Statistics and the separation test
see these sums and no row.
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxglm._linalg import Information
from jaxglm._rowwise import Value
from jaxglm.families import Family
from jaxglm.sources import Block


class Limits(NamedTuple):
    """Where the mean can run to.

    Attributes
    ----------
    low, high : float
        Means approached as eta runs to -inf and to +inf; nan where it cannot.
    average : float
        Weighted mean of the response.
    inside : float
        A mean between the limits.
    """

    low: Value
    high: Value
    average: Value
    inside: Value


class FinalSums(NamedTuple):
    """Sums at the solution, for the statistics and the separation test.

    Attributes
    ----------
    deviance, null_deviance : float
        Of the fitted means, and of the average response as the mean of all rows.
    log_likelihood, null_log_likelihood : float
        R's `logLik` of the same means at dispersion 1; nan where the dispersion is estimated, since
        it is not known before the sums are.
    pearson : float
        Pearson chi-squared.
    score : [p]
        X' dl/deta: what is left of the gradient.
    info : [p, p], `Bordered` or [p]
        Expected information at dispersion 1, or its diagonal.
    far : float
        Rows whose mean has gone to the limit that their response wants.
    edge : float
        Rows at a finite end of the link's domain.
    """

    deviance: jax.Array
    null_deviance: jax.Array
    log_likelihood: jax.Array
    null_log_likelihood: jax.Array
    pearson: jax.Array
    score: jax.Array
    info: Information
    far: jax.Array
    edge: jax.Array


def final_sums(block: Block, family: Family, beta: jax.Array, limits: Limits) -> FinalSums:
    """The sums at the solution, with the expected information matrix."""
    return _final(block, family, beta, limits, full=True)


def final_sums_diagonal(block: Block, family: Family, beta: jax.Array, limits: Limits) -> FinalSums:
    """The sums at the solution, with the diagonal of the information only."""
    return _final(block, family, beta, limits, full=False)


def _final(
    block: Block, family: Family, beta: jax.Array, limits: Limits, *, full: bool
) -> FinalSums:
    eta = block.linear_predictor(beta)
    mean = family.link.inverse(eta)
    score, expected = family.score(block.y, eta), family.fisher_weight(block.y, eta)
    # (y - mu)^2 / V, written with the score and the expected weight: these stay accurate where mu
    # rounds to its limit and V to zero.
    chi2 = score**2 / jnp.where(expected > 0, expected, jnp.ones_like(eta))

    def weighted(values: jax.Array) -> jax.Array:
        return jnp.where(block.weight > 0, block.weight * values, jnp.zeros_like(values))

    common = jnp.full_like(mean, limits.average)
    known = family.dispersion_fixed and family.has_likelihood and not family.likelihood_on_host
    one, unknown = jnp.ones((), eta.dtype), jnp.full((), jnp.nan, eta.dtype)
    information = block.design.gram if full else block.design.gram_diagonal
    return FinalSums(
        deviance=jnp.sum(weighted(family.unit_deviance(block.y, mean))),
        null_deviance=jnp.sum(weighted(family.unit_deviance(block.y, common))),
        log_likelihood=log_likelihood(block, family, mean, one) if known else unknown,
        null_log_likelihood=log_likelihood(block, family, common, one) if known else unknown,
        pearson=jnp.sum(weighted(chi2)),
        score=block.design.rmatvec(weighted(score)),
        info=information(weighted(expected)),
        far=jnp.sum(jnp.abs(_sides(block, mean, limits))),
        edge=_rows_at_edge(block, family, eta, limits),
    )


def log_likelihood(block: Block, family: Family, mean: jax.Array, scale: jax.Array) -> jax.Array:
    """R's log-likelihood: each observation with its prior weight, times its frequency."""
    live = block.weight > 0
    ones = jnp.ones_like(block.y)
    freq = ones if block.freq is None else block.freq
    trials = ones if block.trials is None else block.trials
    prior = jnp.where(live, block.weight / jnp.where(live, freq * trials, ones), ones)
    values = family.log_likelihood(block.y, mean, prior, scale, block.trials)
    return jnp.sum(jnp.where(live, freq * values, jnp.zeros_like(values)))


# Distance from a finite end of the domain, relative to that of the average response, at which a
# row's linear predictor counts as being there.
_EDGE = 1e-6


def _rows_at_edge(block: Block, family: Family, eta: jax.Array, limits: Limits) -> jax.Array:
    typical = family.link.link(limits.average)
    count = jnp.zeros_like(eta)
    for bound in family.link.domain(family.mean_domain):
        if math.isfinite(bound):
            at_edge = jnp.abs(eta - bound) < _EDGE * jnp.abs(typical - bound)
            count = count + jnp.where(at_edge & (block.weight > 0), 1.0, 0.0).astype(eta.dtype)
    return jnp.sum(count)


# A mean this close to its limit, relative to the distance of the average response from that limit,
# counts as far gone. Generous: a row wrongly taken in only enlarges a linear programme.
_FAR = 1e-3


def far_sides(block: Block, family: Family, beta: jax.Array, limits: Limits) -> jax.Array:
    """-1 or +1 for rows whose mean has gone to the limit that their response wants, else 0."""
    return _sides(block, family.link.inverse(block.linear_predictor(beta)), limits)


def _sides(block: Block, mean: jax.Array, limits: Limits) -> jax.Array:
    def gone(limit: jax.Array) -> jax.Array:
        distance = jnp.abs(limits.average - limit)
        # All responses are at the limit: any mean close to it in absolute terms has gone far.
        unit = jnp.where(distance > 0, distance, jnp.ones_like(distance))
        # A response at the limit or beyond it, as a negative one under a log link.
        wants = jnp.where(limit <= limits.inside, block.y <= limit, block.y >= limit)
        return wants & (jnp.abs(mean - limit) < _FAR * unit)

    down, up = gone(limits.low), gone(limits.high)
    side = jnp.where(down, -1.0, jnp.where(up, 1.0, 0.0)).astype(block.y.dtype)
    return jnp.where(block.weight > 0, side, jnp.zeros_like(side))
