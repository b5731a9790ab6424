"""Owns the separation test: whether some direction lets the likelihood rise for ever.

A row can only rise for ever if its response is the limit of the mean as eta runs to -inf or +inf (a
zero count, an observed 0 or 1); it then wants eta to move to that side, and every other row wants
eta to stay. A direction that no row objects to and some row wants has no finite optimum
(Albert & Anderson 1984; Correia, Guimaraes & Zylkin 2019 for the non-binary case; Konis 2007 for
the linear programme). The rows that have gone far at the end of a fit are the only ones that can
take part, so the search is confined to the directions that the others do not see: usually none,
else one or two.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm.algebra import full_matrix
from jaxglm.families import Family
from jaxglm.penalties import Penalty
from jaxglm.search._recession import common_step
from jaxglm.sources import Block, Source
from jaxglm.sums import NullModel, Objective, far_sides, rows_at_limit

# Eigenvalues of the scaled Gram matrix of the other rows under this may be zero up to rounding (and
# under some hundreds of the machine's epsilon in float32).
_NULL = 1e-10
# Squares lose what moves a row by less than 1e-5 of its length: the rows themselves tell whether a
# direction moves them by this share or by rounding (some hundreds of epsilon in float32).
_UNMOVED = 1e-9
# A penalty that resists a direction by less than this share of its largest resistance does not.
_HELD = 1e-8
# A coefficient that moves by less than this share of the one that moves most does not.
_ROUNDING = 1e-6


def grams_of_others(block: Block, family: Family, beta: jnp.ndarray, null: NullModel):
    """X'X over the rows that stay, and the diagonal of X'X over all that count."""
    live = (block.rows.weight > 0).astype(block.rows.y.dtype)
    side = far_sides(block, family, beta, null)
    others = full_matrix(block.design.gram(live * (1 - jnp.abs(side))))
    return others, block.design.gram_diagonal(live)


def movement_of_others(
    block: Block, family: Family, beta: jnp.ndarray, null: NullModel, directions: jnp.ndarray
) -> jnp.ndarray:
    """The Gram matrix of how far some directions [p, k] move the rows that stay: [k, k]."""
    others = (block.rows.weight > 0) & (far_sides(block, family, beta, null) == 0)
    moves = jnp.where(others[:, None], block.design.matvec(directions), 0.0)
    return jnp.dot(moves.T, moves, precision=jax.lax.Precision.HIGHEST)


def gram_of_told(block: Block, family: Family, beta: jnp.ndarray, null: NullModel):
    """X'X over the rows whose mean can be told from its limits, and its diagonal over all."""
    live = (block.rows.weight > 0).astype(block.rows.y.dtype)
    told = full_matrix(block.design.gram(live * (1 - rows_at_limit(block, family, beta, null))))
    return told, block.design.gram_diagonal(live)


def is_flat(source: Source, objective: Objective, beta: np.ndarray, null: NullModel) -> bool:
    """Whether some direction moves no row but those whose means cannot be told from a limit.

    Where no row of these wants to be there, the loss is flat for want of digits: no optimum.
    """
    args = (objective.family, jnp.asarray(beta, source.dtype), null)
    gram, squares = (np.asarray(g, float) for g in source.reduce(gram_of_told, *args))
    lengths = np.sqrt(squares)
    return unseen_directions(gram, lengths, source.dtype, objective.penalty).shape[1] > 0


def pulls_along(
    block: Block, family: Family, beta: jnp.ndarray, null: NullModel, directions: jnp.ndarray
) -> jnp.ndarray:
    """Each row's movement along the directions, towards the side it wants; 0 where it stays."""
    side = far_sides(block, family, beta, null)
    return side[:, None] * block.design.matvec(directions)


class Recession(NamedTuple):
    """A direction without optimum, and the lengths of the columns to compare its parts by."""

    direction: np.ndarray
    lengths: np.ndarray


def recession_direction(
    source: Source, objective: Objective, beta: np.ndarray, null: NullModel
) -> Recession | None:
    """A direction along which the likelihood never falls and somewhere rises, or None.

    Parameters
    ----------
    source : Source
        The rows, in the basis of `beta`; the columns must be independent.
    objective : Objective
        The family's link gives the limits of the mean; a penalty bounds what it holds.
    beta : [k]
        Coefficients at the end of the fit.
    null : NullModel
        Of the response.

    Returns
    -------
    Recession or None
        The direction moves every row that takes part, and hence every coefficient that is infinite;
        the row that it moves most by one.
    """
    if not np.isfinite(beta).all():
        return None
    dtype = source.dtype
    args = (objective.family, jnp.asarray(beta, dtype), null)
    gram, squares = (np.asarray(g, float) for g in source.reduce(grams_of_others, *args))
    lengths = np.sqrt(squares)
    unseen = unseen_directions(gram, lengths, dtype, objective.penalty)
    if unseen.shape[1]:
        moves = source.reduce(movement_of_others, *args, jnp.asarray(unseen, dtype))
        unseen = unseen @ unmoved(np.asarray(moves, float), dtype)
    if unseen.shape[1] == 0:
        return None

    def pulls() -> Iterator[np.ndarray]:
        for part in source.map(pulls_along, *args, jnp.asarray(unseen, dtype)):
            yield part.astype(float)

    step = common_step(pulls)
    return None if step is None else Recession(unseen @ step, lengths)


def moving(direction: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """A direction with 0 where a coefficient moves by rounding alone.

    `lengths` are those of the columns, by which the parts are compared.
    """
    size = np.abs(direction) * lengths
    return np.where(size > _ROUNDING * size.max(), direction, 0.0)


def unseen_directions(
    gram: np.ndarray, lengths: np.ndarray, dtype: Any, penalty: Penalty | None
) -> np.ndarray:
    """Directions [p, k] that neither the rows that stay nor a penalty see.

    `gram` [p, p] is the Gram matrix of these rows, `lengths` are those of the columns in all rows.
    """
    unit = np.where(lengths > 0, lengths, 1.0)  # a column of zeros, which a penalty may hold
    values, vectors = np.linalg.eigh(gram / np.outer(unit, unit))
    zero = max(_NULL, 300 * float(jnp.finfo(dtype).eps))
    unseen = vectors[:, values < zero]
    if penalty is not None and unseen.shape[1]:
        # Compared with the penalty's own size: what is left of it by rounding holds nothing.
        rows = penalty.as_rows() / unit
        _, sizes, combinations = np.linalg.svd(rows @ unseen)
        held = int((sizes > _HELD * np.linalg.norm(rows, 2)).sum()) if rows.size else 0
        unseen = unseen @ combinations[held:].T
    return unseen / unit[:, None]


def unmoved(moves: np.ndarray, dtype: Any) -> np.ndarray:
    """Combinations [k, m] of directions that leave in place the rows of `movement_of_others`."""
    values, vectors = np.linalg.eigh(moves)
    return vectors[:, stays(values, dtype)]


def stays(squares: Any, dtype: Any) -> Any:
    """Whether squared movements, as of `movement_of_others`, are none but for rounding."""
    return squares < max(_UNMOVED, 100 * float(jnp.finfo(dtype).eps)) ** 2


def _level_sides(block: Block, family: Family, beta: jnp.ndarray, null: NullModel):
    """For the levels of the eliminated factor, the sum of the sides and the rows that count."""
    design: Any = block.design
    last = design.factors[-1]
    live = (block.rows.weight > 0).astype(block.rows.y.dtype)
    return last.level_sums(far_sides(block, family, beta, null)), last.level_sums(live)


def separated_levels(
    source: Source, family: Family, beta: np.ndarray, null: NullModel
) -> np.ndarray:
    """The limit that all rows of a level of the eliminated factor want, +-1; 0 if none; [m].

    No other row sees the coefficient of such a level, so it runs to infinity by itself.
    """
    args = (family, jnp.asarray(beta, source.dtype), null)
    sides, rows = (np.asarray(s) for s in source.reduce(_level_sides, *args))
    return np.where((rows > 0) & (np.abs(sides) == rows), np.sign(sides), 0.0)
