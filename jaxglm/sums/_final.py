"""Owns the sums over rows at the solution, and the rows that have gone to a limit of the mean.

Statistics and the separation test see these sums and no row.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm.algebra import Information
from jaxglm.families import Family
from jaxglm.sources import Block
from jaxglm.sums._moments import light_moments
from jaxglm.sums._rowwise import Point, Value, pearson_rows


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
        """The mean of each row in the null model, or the one mean of all."""
        shifted = family.link.inverse(self._shifted(block))
        # Nobody asks for derivatives of the null model, which are nan where its shift is.
        return jax.lax.stop_gradient(jnp.where(jnp.isnan(self.shift), self.average, shifted))

    def linear_predictors(self, block: Block, family: Family) -> jax.Array:
        """The linear predictors of `means`; not finite where a mean is at an end of its range."""
        common = family.link.link(jnp.asarray(self.average))
        return jnp.where(jnp.isnan(self.shift), common, self._shifted(block))

    def _shifted(self, block: Block) -> Any:
        offset = block.rows.offset
        return self.shift if offset is None else offset + self.shift


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
    loss_size : float
        Of deviances that are differences of losses, the sum of these losses' sizes; else 0.
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
    loss_size: jax.Array


def final_sums(block: Block, family: Family, beta: jax.Array, null: NullModel) -> FinalSums:
    """The sums at the solution, with the expected information matrix."""
    return _final(block, family, beta, null, block.design.gram, _deviances)


def lean_final_sums(block: Block, family: Family, beta: jax.Array, null: NullModel) -> FinalSums:
    """`final_sums` with deviances from losses: a quarter of the cost; see `digits_are_lost`."""
    return _final(block, family, beta, null, block.design.gram, _lean_deviances)


def final_sums_diagonal(
    block: Block, family: Family, beta: jax.Array, null: NullModel
) -> FinalSums:
    """The sums at the solution, with the diagonal of the information only."""
    return _final(block, family, beta, null, block.design.gram_diagonal, _deviances)


def light_final_sums(block: Block, family: Family, beta: jax.Array, null: NullModel) -> FinalSums:
    """`lean_final_sums` without the information, which is left at zero."""

    def nothing(curvature: jax.Array) -> jax.Array:
        return jnp.zeros((), curvature.dtype)

    return _final(block, family, beta, null, nothing, _lean_deviances)


class Deviances(NamedTuple):
    """The fields of `FinalSums` on how well the model and the null model describe the response."""

    deviance: jax.Array
    null_deviance: jax.Array
    log_likelihood: jax.Array
    null_log_likelihood: jax.Array
    loss_size: jax.Array


def deviances(block: Block, family: Family, beta: jax.Array, null: NullModel) -> Deviances:
    """The deviances and likelihoods of `final_sums` by themselves."""
    return _deviances(block, family, block.linear_predictor(beta), null)


# The share of a loss that rounding may take of a deviance, in units in the last place of the share.
_MOST_LOST = 2.0**13


def digits_are_lost(sums: FinalSums, dtype: np.dtype) -> Any:
    """Whether deviances of `lean_final_sums` want to be made again by `deviances`; bool or [k].

    They are where the losses that they are differences of are much larger, and where the null model
    is at an end of the means, whose losses are no numbers.
    """
    share = max(_MOST_LOST * float(np.finfo(np.float64).eps), float(np.finfo(dtype).eps) ** 0.5)
    return _are_under(share, sums)


# A thousandth of the losses keeps twelve digits. One more visit to the rows costs a single fit less
# than another fit costs a lane.
_LEAST_SHARE = 2.0**-10


def with_sure_deviances(sums: FinalSums, again: Callable[[], Deviances]) -> FinalSums:
    """The sums, their deviances made again where differences of losses do not keep 12 digits."""
    return sums._replace(**again()._asdict()) if _are_under(_LEAST_SHARE, sums) else sums


def _are_under(share: float, sums: FinalSums) -> Any:
    """Whether deviances are under a share of the losses that they are differences of."""
    # nan compares as False.
    return (sums.loss_size != 0) & ~(sums.deviance >= share * sums.loss_size)


def _final(
    block: Block,
    family: Family,
    beta: jax.Array,
    null: NullModel,
    information: Callable[[jax.Array], Information],
    compared: Callable[[Block, Family, jax.Array, NullModel], Deviances],
) -> FinalSums:
    eta = block.linear_predictor(beta)
    score, expected = family.score(block.rows.y, eta), family.fisher_weight(block.rows.y, eta)
    chi2 = pearson_rows(score, expected)

    def weighted(values: jax.Array) -> jax.Array:
        return jnp.where(block.rows.weight > 0, block.rows.weight * values, jnp.zeros_like(values))

    return FinalSums(
        pearson=block.total(weighted(chi2)),
        score=block.design.rmatvec(weighted(score)),
        info=information(weighted(expected)),
        **_rows_at_limits(block, family, eta, null)._asdict(),
        **compared(block, family, eta, null)._asdict(),
    )


class RowsAtLimits(NamedTuple):
    """The fields of `FinalSums` on rows that have gone to a limit."""

    far: jax.Array
    lost: jax.Array
    edge: jax.Array


def _rows_at_limits(block: Block, family: Family, eta: jax.Array, null: NullModel) -> RowsAtLimits:
    side, _, lost = _sides(block, family, family.link.inverse(eta), null)
    return RowsAtLimits(
        far=block.total(jnp.abs(side)),
        lost=block.total(lost),
        edge=_rows_at_edge(block, family, eta, null),
    )


class Description(NamedTuple):
    """What a fit says of its rows, beside the sums that a loop makes anyway.

    Attributes
    ----------
    deviances : Deviances
    limits : RowsAtLimits
    loss, pearson, rounding : float
        See `Moments`.
    """

    deviances: Deviances
    limits: RowsAtLimits
    loss: jax.Array
    pearson: jax.Array
    rounding: jax.Array


def lean_description(block: Block, family: Family, at: Point, null: NullModel) -> Description:
    """What `lean_final_sums` has beside the sums that a loop makes as well."""
    eta = block.linear_predictor(at.beta)
    sums = light_moments(block, family, at)
    return Description(
        deviances=_lean_deviances(block, family, eta, null),
        limits=_rows_at_limits(block, family, eta, null),
        loss=sums.loss,
        pearson=sums.pearson,
        rounding=sums.rounding,
    )


def _deviances(block: Block, family: Family, eta: jax.Array, null: NullModel) -> Deviances:
    # The model and the null model in one computation: what does not depend on the mean is shared.
    means = jnp.stack(jnp.broadcast_arrays(family.link.inverse(eta), null.means(block, family)))
    units = jax.vmap(lambda mu: _unit_deviances(block, family, mu))(means)
    if _has_likelihood_of_means(family):
        one = jnp.ones((), eta.dtype)
        likelihoods = jax.vmap(lambda mu: log_likelihood(block, family, mu, one))(means)
    else:
        likelihoods = jnp.full_like(units, jnp.nan)
    zero = jnp.zeros_like(units[0])
    return Deviances(units[0], units[1], likelihoods[0], likelihoods[1], zero)


def _lean_deviances(block: Block, family: Family, eta: jax.Array, null: NullModel) -> Deviances:
    """From the null model's, which is the same in all rows, and how the losses differ from its."""
    y, weight, live = block.rows.y, block.rows.weight, block.rows.live
    mean = null.means(block, family)
    of_null = family.loss(y, null.linear_predictors(block, family))
    loss = family.loss(y, eta)
    nothing = jnp.zeros_like(eta)
    gain = block.total(jnp.where(live, weight * (of_null - loss), nothing))
    size = jnp.where(live, weight * (jnp.abs(of_null) + jnp.abs(loss)), nothing)
    null_deviance = _unit_deviances(block, family, mean)
    likelihood = null_likelihood = jnp.full_like(gain, jnp.nan)
    if _has_likelihood_of_means(family):
        one = jnp.ones((), eta.dtype)
        null_likelihood = log_likelihood(block, family, mean, one)
        if family.likelihood_is_loss:
            likelihood = null_likelihood + gain
        else:
            likelihood = log_likelihood(block, family, family.link.inverse(eta), one)
    return Deviances(
        null_deviance - 2.0 * gain, null_deviance, likelihood, null_likelihood, block.total(size)
    )


def _has_likelihood_of_means(family: Family) -> bool:
    """Whether log-likelihoods are known without an estimate of the dispersion."""
    return family.dispersion_fixed and family.has_likelihood


def _unit_deviances(block: Block, family: Family, mean: jax.Array) -> jax.Array:
    values = block.rows.weight * family.unit_deviance(block.rows.y, mean)
    return block.total(jnp.where(block.rows.live, values, jnp.zeros_like(values)))


def log_likelihood(block: Block, family: Family, mean: jax.Array, scale: jax.Array) -> jax.Array:
    """R's log-likelihood: each observation with its prior weight, times its frequency."""
    live = block.rows.weight > 0
    ones = jnp.ones_like(block.rows.y)
    freq = ones if block.rows.freq is None else block.rows.freq
    trials = ones if block.rows.trials is None else block.rows.trials
    prior = jnp.where(live, block.rows.weight / jnp.where(live, freq * trials, ones), ones)
    values = family.log_likelihood(block.rows.y, mean, prior, scale, block.rows.trials)
    return block.total(jnp.where(live, freq * values, jnp.zeros_like(values)))


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
    return block.total(count)


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
