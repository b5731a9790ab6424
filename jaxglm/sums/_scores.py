"""Owns what a row says at an estimate, in root coordinates: its score and its leverage.

The meat of a sandwich, clusters' sums, leverages and influence are all made of them.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxglm._programs import program
from jaxglm.algebra import Information
from jaxglm.designs import in_root
from jaxglm.families import Family
from jaxglm.sources import Block
from jaxglm.sums._lengths import squared_lengths

# A row whose leverage is nearer to 1 determines a coefficient alone.
ALONE = 1e-9


class Rooted(NamedTuple):
    """An estimate with a root of the inverse information there, design order; see `Root`.

    Attributes
    ----------
    beta : [p]
    dense : [p, q]
    diagonal : [p] or None
        None where it is zero, or where its levels are not asked for.
    """

    beta: Any
    dense: Any
    diagonal: Any = None


class RowScores(NamedTuple):
    """Rows in root coordinates.

    Attributes
    ----------
    along : [n, q]
        x_i' times the dense root.
    pull : [n]
        Derivative of the weighted loss in eta: the score of the row is this times `along`.
    weight : [n]
        Expected information about eta, weights included.
    """

    along: jax.Array
    pull: jax.Array
    weight: jax.Array


class Meat(NamedTuple):
    """The middle of a sandwich in root coordinates, and the rows for which it has no answer.

    Attributes
    ----------
    matrix : [q, q] or `Bordered`
        Sum over observations of their scores times themselves. The levels of `Bordered` lack their
        factor, the root's diagonal.
    alone : float
        Rows of leverage 1.
    """

    matrix: Information
    alone: jax.Array


def row_scores(block: Block, family: Family, at: Rooted) -> RowScores:
    """Each row by itself; zeros for those that do not count."""
    along = block.design.matvec(at.dense)
    pull, weight = _pull_and_weight(block, family, at.beta)
    return RowScores(along, pull, weight)


def scores_of_rows(block: Block, family: Family, at: Rooted) -> jax.Array:
    """The score of each row, [n, q]."""
    rows = row_scores(block, family, at)
    return rows.along * rows.pull[:, None]


def add_scores(
    sums: jax.Array, block: Block, family: Family, at: Rooted, first: jax.Array
) -> jax.Array:
    """Scores of rows added to those of their clusters, [count, q], the first of which is `first`.

    The rows have a cluster in each of several ways.
    """
    scores = scores_of_rows(block, family, at)
    count = len(sums)
    for codes in block.rows.cluster.T:
        own = codes.astype(jnp.int32) - first
        # A negative place would be counted from the end.
        sums = sums.at[jnp.where(own < 0, count, own)].add(scores, mode="drop")
    return sums


@program(quick=True)
def products(scores: jax.Array, others: jax.Array) -> jax.Array:
    """Sum over the rows of the scores times others: [q, q]."""
    return jnp.dot(scores.T, others, precision=jax.lax.Precision.HIGHEST)


def leverages(block: Block, family: Family, at: Rooted) -> jax.Array:
    """How much one observation of each row counts for its own fitted value, [n].

    w_i x_i' H^-1 x_i, with w_i the expected information of the observation and H the information of
    all: the diagonal of the hat matrix, R's `hatvalues`.
    """
    weight = _pull_and_weight(block, family, at.beta)[1]
    return _each(block, weight) * squared_lengths(block, at)


def meat(block: Block, family: Family, at: Rooted, power: jax.Array) -> Meat:
    """Sum of squared scores of observations, each divided by ``(1 - leverage) ** power``.

    Parameters
    ----------
    power : float
        0 for HC0, 1 for HC2 and 2 for HC3.
    """
    pull, weight = _pull_and_weight(block, family, at.beta)
    one = _each(block, pull)
    along = block.design.matvec(at.dense)
    left = 1.0 - _each(block, weight) * squared_lengths(block, at, along=along)
    alone = (left < ALONE) & (power > 0) & block.rows.live
    unit = jnp.where((power > 0) & ~alone, left, jnp.ones_like(left)) ** power
    rows = in_root(block.design, along, levels=at.diagonal is not None)
    return Meat(rows.gram(pull * one / unit), jnp.sum(alone.astype(pull.dtype)))


def observed_gram(block: Block, family: Family, at: Rooted) -> Information:
    """The observed information in root coordinates, where the expected one is the unit matrix."""
    eta = block.linear_predictor(at.beta)
    _, second = jax.jvp(lambda e: family.score(block.rows.y, e), (eta,), (jnp.ones_like(eta),))
    along = block.design.matvec(at.dense)
    rows = in_root(block.design, along, levels=at.diagonal is not None)
    return rows.gram(_weighted(block, second))


def _pull_and_weight(block: Block, family: Family, beta: jax.Array) -> tuple[jax.Array, jax.Array]:
    eta = block.linear_predictor(beta)
    y = block.rows.y
    return _weighted(block, family.score(y, eta)), _weighted(block, family.fisher_weight(y, eta))


def _weighted(block: Block, values: jax.Array) -> jax.Array:
    return jnp.where(block.rows.live, block.rows.weight * values, jnp.zeros_like(values))


def _each(block: Block, values: jax.Array) -> jax.Array:
    """The share of one observation of each row."""
    if block.rows.freq is None:
        return values
    return values / jnp.where(block.rows.live, block.rows.freq, jnp.ones_like(values))
