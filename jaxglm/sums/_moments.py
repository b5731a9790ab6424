"""Owns the additive sums over rows, and the kernels that make them from a block.

A solver sees these sums and never a row.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxglm.algebra import Information
from jaxglm.families import Family
from jaxglm.sources import Block
from jaxglm.sums._rowwise import Point, RowTerms, pearson_rows, row_terms


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
    info : [p, p], `Bordered`, [p] or zero
        X' diag(curvature) X, its diagonal for solvers that need no matrix, or nothing.
    pearson : float
        Pearson chi-squared: the sum of score^2 / expected weight.
    rounding : float
        Sum of curvature (1 + eta^2 + offset^2): the squared size, in units of eta, of what is
        rounded when the score is formed; less than 1 where eta has a unit in which it is small.
    """

    loss: jax.Array
    loss_size: jax.Array
    score: jax.Array
    info: Information
    pearson: jax.Array
    rounding: jax.Array


def full_moments(block: Block, family: Family, at: Point) -> Moments:
    """The sums with the p x p information matrix."""
    return _moments(block, family, at, block.design.gram)


def quick_moments(block: Block, family: Family, at: Point) -> Moments:
    """The sums with an information matrix from float32 products, at a third of the cost.

    The score, which decides where the iteration ends, is summed in the precision of the fit; the
    matrix only decides how fast it gets there. On recent GPUs the products are TF32's.
    """

    def gram(curvature: jax.Array) -> jax.Array:
        products = block.design.quick_gram(curvature)
        return jax.tree.map(lambda part: part.astype(curvature.dtype), products)

    return _moments(block, family, at, gram)


def light_moments(block: Block, family: Family, at: Point) -> Moments:
    """The sums without the information, which is left at zero: for a turn on a kept factor."""
    return _moments(block, family, at, lambda curvature: jnp.zeros((), curvature.dtype))


def diagonal_moments(block: Block, family: Family, at: Point) -> Moments:
    """The sums with the diagonal of the information only."""
    return _moments(block, family, at, block.design.gram_diagonal)


def _moments(
    block: Block, family: Family, at: Point, information: Callable[[jax.Array], Information]
) -> Moments:
    eta, offset, rows = _visit(block, family, at)
    live = block.rows.weight > 0

    def weighted(values: jax.Array) -> jax.Array:
        # 0 * inf is nan: rows of weight 0 are cut out, not multiplied away.
        return jnp.where(live, block.rows.weight * values, jnp.zeros_like(values))

    score = weighted(rows.score)
    curvature = weighted(rows.curvature)
    loss = weighted(rows.loss)
    chi2 = pearson_rows(rows.score, rows.expected)
    # A derivative is rounded as an eta of size 1 is, or of the size of its row where that is in a
    # unit of the response.
    unit: jax.Array | float = 1.0
    if family.link.has_unit:
        known = rows.expected > 0
        residual = rows.score / jnp.where(known, rows.expected, jnp.ones_like(eta))
        unit = jnp.minimum(1.0, eta**2 + residual**2)
    return Moments(
        loss=block.total(loss),
        loss_size=block.total(jnp.abs(loss)),
        score=block.design.rmatvec(score),
        info=information(curvature),
        pearson=block.total(weighted(chi2)),
        rounding=block.total(jnp.abs(weighted(rows.curvature * (unit + eta**2 + offset**2)))),
    )


def _visit(block: Block, family: Family, at: Point) -> tuple[jax.Array, jax.Array, RowTerms]:
    eta = block.design.matvec(at.beta)
    offset = jnp.zeros_like(eta) if block.rows.offset is None else block.rows.offset
    eta = eta + offset
    return eta, offset, row_terms(family, block.rows.y, block.rows.weight, offset, eta, at)


def unit_gram(block: Block) -> Information:
    """X'X over rows of positive weight: what rank decisions look at."""
    return block.design.gram(jnp.where(block.rows.weight > 0, 1.0, 0.0).astype(block.rows.y.dtype))
