"""Owns what a separated fit leaves open: coefficients that nothing determines at the limit.

Where coefficients run to infinity along a direction, the rows that it moves are at their limits and
say nothing more. Only the rows that it does not move determine what is left: a coefficient that
takes part in a relation among their columns is open, and so is the prediction of a row, moved no
more than they are, that does not obey such a relation.
"""

import jax.numpy as jnp
import numpy as np

from jaxglm._tuning import tuning
from jaxglm.algebra import MOVES, Information, Relations, Span, movement, span_of
from jaxglm.rows import Problem
from jaxglm.search._estimate import Estimate
from jaxglm.search._triangle import (
    GRAM_RANK_TOLERANCE,
    RANK_TOLERANCE,
    gram_triangle,
    triangle_of,
)
from jaxglm.sources import Block

# Columns of length one are independent where all singular values are above this, which even a Gram
# matrix tells; it spares the comparison of many columns one by one.
_INDEPENDENT = 1e-4
# Beyond this many operations, a second or so, the rows are not factorised but their Gram matrix.
_MOST_QR_WORK = 1e10


def relations_at_limit(problem: Problem, found: Estimate) -> Relations:
    """The relations among the columns in the rows that stay finite, in public order.

    Columns that are zero in all of these have one too (`Relations.with_zeros`). None where there
    is no separation, where nothing is open but the direction itself, or of very many columns.
    """
    p, recession = problem.n_columns, found.recession
    if not recession.any() or found.gamma.size > tuning().most_columns:
        return Relations.none()
    direction, source = recession[problem.order], problem.source
    if 2.0 * source.n_rows * p * p > _MOST_QR_WORK:
        gram = source.reduce(_gram_of_rest, jnp.asarray(direction, source.dtype))
        triangle, tolerance = gram_triangle(gram), GRAM_RANK_TOLERANCE
    else:
        triangle = triangle_of(source, p, lambda rows: movement(rows @ direction) == 0)
        tolerance = RANK_TOLERANCE
    keep = found.basis.keep
    if found.objective.penalty is not None:
        held, transform = found.objective.penalty.as_rows(), found.basis.transform
        own = np.zeros((held.shape[0], p))
        own[:, keep] = held if transform is None else held @ transform
        triangle = np.vstack([triangle, own])
    public = np.where(keep, triangle, 0.0)[:, np.argsort(problem.order)]
    kept, lengths = problem.public(keep), np.linalg.norm(public, axis=0)
    some = lengths > 0
    if _independent(public[:, some] / lengths[some]):
        zero = np.flatnonzero(kept & ~some)
        return Relations.none().with_zeros(zero if zero.size > 1 else zero[:0])
    return relations_of_rest(span_of(public, tolerance), kept)


def _independent(columns: np.ndarray) -> bool:
    r, k = columns.shape
    return r >= k and bool((np.linalg.svd(columns, compute_uv=False) > _INDEPENDENT).all())


def relations_of_rest(span: Span, keep: np.ndarray) -> Relations:
    """Those of the kept columns, [p] bool; none where the direction alone makes them."""
    left = (span.shares == 0) & keep
    if left.sum() < 2:
        return Relations.none()
    return span.relations().with_zeros(np.flatnonzero(left & (span.lengths == 0)))


def _gram_of_rest(block: Block, direction: jnp.ndarray) -> Information:
    """X'X over the rows that count and do not move along a direction."""
    rests = (block.rows.weight > 0) & (jnp.abs(block.design.matvec(direction)) <= MOVES)
    return block.design.gram(rests.astype(block.rows.y.dtype))
