"""Owns sums about a negative binomial's shape: what estimates it, what coefficients share."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxglm.designs import in_root
from jaxglm.families import NegativeBinomial
from jaxglm.sources import Block
from jaxglm.sums._scores import Rooted


def shape_excess(
    block: Block, family: NegativeBinomial, beta: jax.Array
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """What tells whether there is a shape, and about which: three sums at the means of alpha = 0.

    The score in alpha there, ((y - mu)^2 - y) / 2, and what the variance has beyond the mean,
    (y - mu)^2 - mu, with mu^2, by which alpha multiplies it.
    """
    mu = _means(block, family, beta)
    square = (block.rows.y - mu) ** 2
    of_rows = (square - block.rows.y) / 2, square - mu, mu**2
    score, excess, squares = (_total(block, values) for values in of_rows)
    return score, excess, squares


def shape_slopes(
    block: Block, family: NegativeBinomial, beta: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """First and second derivative in log alpha of the log-likelihood at fixed means."""
    mu = _means(block, family, beta)
    # A row that does not count may lie outside the link's domain, and nan times 0 is no slope.
    mu = jnp.where(block.rows.live, mu, jnp.ones_like(mu))
    slope, curvature = family.shape_slopes(block.rows.y, mu)
    return _total(block, slope), _total(block, curvature)


class ShapeSums(NamedTuple):
    """Of the log-likelihood, derivatives that a joint step in coefficients and log alpha takes.

    Attributes
    ----------
    slope, curvature : float
        See `shape_slopes`.
    cross : [p]
        Second derivatives of minus the log-likelihood, in a coefficient and in log alpha.
    """

    slope: jax.Array
    curvature: jax.Array
    cross: jax.Array


def shape_sums(block: Block, family: NegativeBinomial, beta: jax.Array) -> ShapeSums:
    """The sums of a joint step; X beta + offset lies within the link's domain."""
    rows = block.rows
    change = family.score_slope(rows.y, block.linear_predictor(beta))
    weighted = jnp.where(rows.live, rows.weight * change, jnp.zeros_like(change))
    return ShapeSums(*shape_slopes(block, family, beta), block.design.rmatvec(weighted))


def _means(block: Block, family: NegativeBinomial, beta: jax.Array) -> jax.Array:
    return family.link.inverse(block.linear_predictor(beta))


def _total(block: Block, values: jax.Array) -> jax.Array:
    live = block.rows.live
    return block.total(jnp.where(live, block.rows.weight * values, jnp.zeros_like(values)))


def shape_cross(block: Block, family: NegativeBinomial, at: Rooted) -> jax.Array:
    """Second derivatives of minus the log-likelihood in the coefficients and in log alpha.

    In the coordinates of a root, [q]; beside these the levels of an eliminated factor, which lack
    their entries of the root's diagonal, where it has one.
    """
    rows = block.rows
    change = family.score_slope(rows.y, block.linear_predictor(at.beta))
    along = block.design.matvec(at.dense)
    columns = in_root(block.design, along, levels=at.diagonal is not None)
    return columns.rmatvec(jnp.where(rows.live, rows.weight * change, jnp.zeros_like(change)))
