"""Owns the first-order bias of maximum likelihood estimates, as a part of the score.

Estimates that solve the score less this part have no bias of order 1/n (Firth 1993, Biometrika 80,
27-38; Kosmidis and Firth 2009, Biometrika 96, 793-804). Under a canonical link the part is the
gradient of half the log determinant of the information: the maximum of a likelihood penalised by
Jeffreys' prior, which is finite where the likelihood itself has none.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxglm.algebra import Information, Root, factorise, inverse_root, log_determinant
from jaxglm.families import Family
from jaxglm.sources import Block
from jaxglm.sums._lengths import squared_lengths
from jaxglm.sums._moments import Moments
from jaxglm.sums._rowwise import Point, Value


class Inverse(NamedTuple):
    """What the bias takes from an information matrix; nan where that is not positive definite."""

    root: Root
    log_determinant: jax.Array


class Bias(NamedTuple):
    """What is taken off the sums: of the score, and of the loss that it is the gradient of.

    It is the gradient of half the log determinant, times the dispersion, under a canonical link.
    """

    score: jax.Array
    loss: jax.Array

    def off(self, sums: Moments) -> Moments:
        """The sums without it."""
        return sums._replace(
            score=sums.score - self.score,
            loss=sums.loss - self.loss,
            loss_size=sums.loss_size + jnp.abs(self.loss),
        )


def inverted(information: Information) -> Inverse:
    """The parts of an information matrix that the bias is made of."""
    factor = factorise(information, jnp.zeros((), jax.tree.leaves(information)[0].dtype))
    return Inverse(inverse_root(factor), log_determinant(factor))


def bias_score(block: Block, family: Family, at: Point, root: Root, dispersion: Value) -> jax.Array:
    """What the bias takes part of the score for: ``phi X' (h d' / 2d)``, [p]; 0 at a start.

    h are the leverages of the rows, all observations and trials of a row together, and d'/d is the
    derivative of log |dmu/deta|. A row that stands for several observations has the sum of their
    leverages, so that merged rows say the same.

    Parameters
    ----------
    root : Root
        Of the inverse of the expected information at dispersion 1, at the same point.
    dispersion : float
        phi.
    """
    eta = block.linear_predictor(at.beta)
    live = block.rows.weight > 0
    weight = block.rows.weight * family.fisher_weight(block.rows.y, eta)
    part = 0.5 * weight * squared_lengths(block, root) * _bend(family, eta)
    # A row that does not count may lie outside the link's domain, where there is no slope.
    score = block.design.rmatvec(jnp.where(live, part, jnp.zeros_like(part)))
    return jnp.where(at.start > 0, jnp.zeros_like(score), dispersion * score)


def _bend(family: Family, eta: jax.Array) -> jax.Array:
    """The second derivative of the mean by its first; 0 where the mean does not move any more."""

    def slope(e: jax.Array) -> jax.Array:
        return jax.jvp(family.link.inverse, (e,), (jnp.ones_like(e),))[1]

    first, second = jax.jvp(slope, (eta,), (jnp.ones_like(eta),))
    moves = first != 0
    return jnp.where(moves, second / jnp.where(moves, first, jnp.ones_like(first)), 0.0)
