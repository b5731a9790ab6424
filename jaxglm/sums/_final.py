"""Owns the sums over rows at the solution, and the rows that have gone to a limit of the mean.

Statistics and the separation test see these sums and no row.
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm.algebra import Information
from jaxglm.families import Family
from jaxglm.sources import Block
from jaxglm.sums._rowwise import Value, pearson_rows


class NullModel(NamedTuple):
    """What the response lies about: its average, and the model of an intercept and the offset.

    Attributes
    ----------
    average : float
        Weighted mean of the response.
    inside : float
        A mean that the link can give, the average itself where it can.
    shift : float
        The null model has the linear predictors offset + shift, or where this is nan the average
        as the mean of all rows.
    """

    average: Value
    inside: Value
    shift: Value

    def means(self, block: Block, family: Family) -> jax.Array:
        """The mean of each row in the null model."""
        offset = jnp.zeros_like(block.rows.y) if block.rows.offset is None else block.rows.offset
        shifted = family.link.inverse(offset + self.shift)
        # Nobody asks for derivatives of the null model, which are nan where its shift is.
        return jax.lax.stop_gradient(jnp.where(jnp.isnan(self.shift), self.average, shifted))


class FinalSums(NamedTuple):
    """Sums at the solution, for the statistics and the separation test.

    Attributes
    ----------
    deviance, null_deviance : float
        Of the fitted means, and of those of the null model.
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
    lost : float
        Rows whose mean is lost at a limit that their response does not want.
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
    lost: jax.Array
    edge: jax.Array


def final_sums(block: Block, family: Family, beta: jax.Array, null: NullModel) -> FinalSums:
    """The sums at the solution, with the expected information matrix."""
    return _final(block, family, beta, null, full=True)


def final_sums_diagonal(
    block: Block, family: Family, beta: jax.Array, null: NullModel
) -> FinalSums:
    """The sums at the solution, with the diagonal of the information only."""
    return _final(block, family, beta, null, full=False)


def _final(
    block: Block, family: Family, beta: jax.Array, null: NullModel, *, full: bool
) -> FinalSums:
    eta = block.linear_predictor(beta)
    mean = family.link.inverse(eta)
    score, expected = family.score(block.rows.y, eta), family.fisher_weight(block.rows.y, eta)
    chi2 = pearson_rows(score, expected)

    def weighted(values: jax.Array) -> jax.Array:
        return jnp.where(block.rows.weight > 0, block.rows.weight * values, jnp.zeros_like(values))

    # The model and the null model in one computation: what does not depend on the mean is shared.
    means = jnp.stack([mean, null.means(block, family)])
    deviances = jax.vmap(lambda mu: jnp.sum(weighted(family.unit_deviance(block.rows.y, mu))))(
        means
    )
    if family.dispersion_fixed and family.has_likelihood:
        one = jnp.ones((), eta.dtype)
        likelihoods = jax.vmap(lambda mu: log_likelihood(block, family, mu, one))(means)
    else:
        likelihoods = jnp.full(2, jnp.nan, eta.dtype)
    side, _, lost = _sides(block, family, mean, null)
    information = block.design.gram if full else block.design.gram_diagonal
    return FinalSums(
        deviance=deviances[0],
        null_deviance=deviances[1],
        log_likelihood=likelihoods[0],
        null_log_likelihood=likelihoods[1],
        pearson=jnp.sum(weighted(chi2)),
        score=block.design.rmatvec(weighted(score)),
        info=information(weighted(expected)),
        far=jnp.sum(jnp.abs(side)),
        lost=jnp.sum(lost),
        edge=_rows_at_edge(block, family, eta, null),
    )


def log_likelihood(block: Block, family: Family, mean: jax.Array, scale: jax.Array) -> jax.Array:
    """R's log-likelihood: each observation with its prior weight, times its frequency."""
    live = block.rows.weight > 0
    ones = jnp.ones_like(block.rows.y)
    freq = ones if block.rows.freq is None else block.rows.freq
    trials = ones if block.rows.trials is None else block.rows.trials
    prior = jnp.where(live, block.rows.weight / jnp.where(live, freq * trials, ones), ones)
    values = family.log_likelihood(block.rows.y, mean, prior, scale, block.rows.trials)
    return jnp.sum(jnp.where(live, freq * values, jnp.zeros_like(values)))


# Distance from a finite end of the domain, relative to that of the average response, at which a
# row's linear predictor counts as being there.
_EDGE = 1e-6


def _rows_at_edge(block: Block, family: Family, eta: jax.Array, null: NullModel) -> jax.Array:
    typical = family.link.link(null.average)
    count = jnp.zeros_like(eta)
    for bound in family.link.domain(family.mean_domain):
        if math.isfinite(bound):
            at_edge = jnp.abs(eta - bound) < _EDGE * jnp.abs(typical - bound)
            count = count + jnp.where(at_edge & (block.rows.weight > 0), 1.0, 0.0).astype(eta.dtype)
    return jnp.sum(count)


# A mean this close to its limit, relative to the distance of the average response from that limit,
# counts as far gone. Generous: a row wrongly taken in only enlarges a linear programme.
_FAR = 1e-3
# A mean this close to its limit is lost to a row that wants to be elsewhere: by itself the row asks
# for a step in eta of one over this, of which a quadratic model knows nothing. Canonical weights do
# not vanish before the residuals do, and rates of one in 1e8 occur.
_LOST = float(np.finfo(np.float64).eps) ** 0.5
_LOST_CANONICAL = float(np.finfo(np.float64).eps)


def far_sides(block: Block, family: Family, beta: jax.Array, null: NullModel) -> jax.Array:
    """-1 or +1 for rows whose mean has gone to the limit that their response wants, else 0."""
    return _sides(block, family, family.link.inverse(block.linear_predictor(beta)), null)[0]


def rows_at_limit(block: Block, family: Family, beta: jax.Array, null: NullModel) -> jax.Array:
    """1 for rows whose mean is lost at a limit, whatever their response wants, else 0."""
    return _sides(block, family, family.link.inverse(block.linear_predictor(beta)), null)[1]


def _sides(
    block: Block, family: Family, mean: jax.Array, null: NullModel
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """`far_sides` and `rows_at_limit` of known means, and which of these want to be elsewhere."""
    lower, upper = family.link.domain(family.mean_domain)
    live = block.rows.weight > 0
    least = _LOST_CANONICAL if family.canonical else _LOST
    side = jnp.zeros_like(mean)
    at_limit = lost = jnp.zeros_like(mean, bool)
    for end, sign in ((upper, 1.0), (lower, -1.0)):
        if not math.isinf(end):
            continue  # eta cannot run there
        limit = family.link.inverse(jnp.asarray(end, mean.dtype))
        distance = jnp.abs(null.average - limit)
        # All responses are at the limit: any mean close to it in absolute terms has gone far.
        unit = jnp.where(distance > 0, distance, jnp.ones_like(distance))
        # A response at the limit or beyond it, as a negative one under a log link.
        wants = jnp.where(limit <= null.inside, block.rows.y <= limit, block.rows.y >= limit)
        left = jnp.abs(mean - limit)
        side = jnp.where(live & wants & (left < _FAR * unit), sign, side)
        here = live & (left < least * unit)
        at_limit |= here
        lost |= here & ~wants & (jnp.abs(block.rows.y - mean) > left)
    return side, at_limit.astype(mean.dtype), lost.astype(mean.dtype)
