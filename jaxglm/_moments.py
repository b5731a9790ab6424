"""Owns the additive sums over rows, and the kernels that make them from a block.

Imports families, sources and `_rowwise` only. A solver sees these sums and never a row.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxglm._rowwise import Point, Rows, Value, evaluate
from jaxglm.families import Family
from jaxglm.sources import Block


class Moments(NamedTuple):
    """Sums over rows at a trial point; `Moments` of two blocks add up to those of both.

    Attributes
    ----------
    loss : float
        Negative log-likelihood at dispersion 1, up to a constant.
    loss_size : float
        Sum of absolute row losses: what rounding in `loss` is relative to.
    score : [p]
        X' dl/deta.
    info : [p, p] or [p]
        X' diag(curvature) X, or its diagonal for solvers that need no matrix.
    pearson : float
        Pearson chi-squared: the sum of score^2 / expected weight.
    rounding : float
        Sum of curvature (1 + eta^2 + offset^2): the squared size, in units of eta, of what is
        rounded when the score is formed.
    """

    loss: jax.Array
    loss_size: jax.Array
    score: jax.Array
    info: jax.Array
    pearson: jax.Array
    rounding: jax.Array


def full_moments(block: Block, family: Family, at: Point) -> Moments:
    """The sums with the p x p information matrix."""
    return _moments(block, family, at, block.design.gram)


def quick_moments(block: Block, family: Family, at: Point) -> Moments:
    """The sums with an information matrix from float32 products, at a third of the cost.

    The score, which decides where the iteration ends, is summed in the precision of the fit; the
    matrix only decides how fast it gets there.
    """

    def gram(curvature: jax.Array) -> jax.Array:
        return block.design.gram(curvature.astype(jnp.float32)).astype(curvature.dtype)

    return _moments(block, family, at, gram)


def diagonal_moments(block: Block, family: Family, at: Point) -> Moments:
    """The sums with the diagonal of the information only."""
    return _moments(block, family, at, block.design.gram_diagonal)


def _moments(
    block: Block, family: Family, at: Point, information: Callable[[jax.Array], jax.Array]
) -> Moments:
    eta, offset, rows = _visit(block, family, at)
    live = block.weight > 0

    def weighted(values: jax.Array) -> jax.Array:
        # 0 * inf is nan: rows of weight 0 are cut out, not multiplied away.
        return jnp.where(live, block.weight * values, jnp.zeros_like(values))

    score = weighted(rows.score)
    curvature = weighted(rows.curvature)
    loss = weighted(rows.loss)
    chi2 = rows.score**2 / jnp.where(rows.expected > 0, rows.expected, jnp.ones_like(eta))
    return Moments(
        loss=jnp.sum(loss),
        loss_size=jnp.sum(jnp.abs(loss)),
        score=block.design.rmatvec(score),
        info=information(curvature),
        pearson=jnp.sum(weighted(chi2)),
        rounding=jnp.sum(jnp.abs(weighted(rows.curvature * (1 + eta**2 + offset**2)))),
    )


def _visit(block: Block, family: Family, at: Point) -> tuple[jax.Array, jax.Array, Rows]:
    eta = block.design.matvec(at.beta)
    offset = jnp.zeros_like(eta) if block.offset is None else block.offset
    eta = eta + offset
    return eta, offset, evaluate(family, block.y, block.weight, offset, eta, at)


def unit_gram(block: Block) -> jax.Array:
    """X'X over rows of positive weight: what rank decisions look at."""
    return block.design.gram(jnp.where(block.weight > 0, 1.0, 0.0).astype(block.y.dtype))


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
    pearson : float
        Pearson chi-squared.
    info : [p, p] or [p]
        Expected information at dispersion 1, or its diagonal.
    far : float
        Rows whose mean has gone to the limit that their response wants.
    edge : float
        Rows at a finite end of the link's domain.
    """

    deviance: jax.Array
    null_deviance: jax.Array
    pearson: jax.Array
    info: jax.Array
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
    information = block.design.gram if full else block.design.gram_diagonal
    return FinalSums(
        deviance=jnp.sum(weighted(family.unit_deviance(block.y, mean))),
        null_deviance=jnp.sum(weighted(family.unit_deviance(block.y, common))),
        pearson=jnp.sum(weighted(chi2)),
        info=information(weighted(expected)),
        far=jnp.sum(jnp.abs(far_sides(block, family, beta, limits))),
        edge=_rows_at_edge(block, family, eta, limits),
    )


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
    mean = family.link.inverse(block.linear_predictor(beta))

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
