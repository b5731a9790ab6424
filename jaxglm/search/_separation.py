"""Owns the separation test: whether some direction lets the likelihood rise for ever.

A row can only rise for ever if its response is the limit of the mean as eta runs to -inf or +inf (a
zero count, an observed 0 or 1); it then wants eta to move to that side, and every other row wants
eta to stay. A direction that no row objects to and some row wants has no finite optimum
(Albert & Anderson 1984; Correia, Guimaraes & Zylkin 2019 for the non-binary case; Konis 2007 for
the linear programme). The rows that have gone far at the end of a fit are the only ones that can
take part, so the search is confined to the directions that the others do not see: usually none,
else one or two.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from jaxglm.algebra import full_matrix
from jaxglm.families import Family
from jaxglm.sources import Block, Resident, each_row, one_pass
from jaxglm.sums import Middle, far_sides

# Eigenvalues of the scaled Gram matrix of the other rows under this are zero up to rounding (and
# under some hundreds of the machine's epsilon in float32).
_NULL = 1e-10
_SIGN = 1e-6


def grams_of_others(block: Block, family: Family, beta: jnp.ndarray, middle: Middle):
    """X'X over the rows that stay, and the diagonal of X'X over all that count."""
    live = (block.weight > 0).astype(block.y.dtype)
    side = far_sides(block, family, beta, middle)
    others = full_matrix(block.design.gram(live * (1 - jnp.abs(side))))
    return others, block.design.gram_diagonal(live)


def pulls_along(
    block: Block, family: Family, beta: jnp.ndarray, middle: Middle, directions: jnp.ndarray
) -> jnp.ndarray:
    """Each row's movement along the directions, towards the side it wants; 0 where it stays."""
    side = far_sides(block, family, beta, middle)
    return side[:, None] * block.design.matvec(directions)


class Recession(NamedTuple):
    """A direction without optimum, and the lengths of the columns to compare its parts by."""

    direction: np.ndarray
    lengths: np.ndarray


def recession_direction(
    source: Resident, family: Family, beta: np.ndarray, middle: Middle
) -> Recession | None:
    """A direction along which the likelihood never falls and somewhere rises, or None.

    Parameters
    ----------
    source : Resident
        The rows, in the basis of `beta`; the columns must be independent.
    family : Family
        Its link gives the limits of the mean.
    beta : [k]
        Coefficients at the end of the fit.
    middle : Middle
        Of the response.

    Returns
    -------
    Recession or None
        The direction moves every row that takes part, and hence every coefficient that is infinite.
    """
    if not np.isfinite(beta).all():
        return None
    dtype = source.dtype
    args = (family, jnp.asarray(beta, dtype), middle)
    gram, squares = (np.asarray(g, float) for g in one_pass(source, *args, kernel=grams_of_others))
    lengths = np.sqrt(squares)
    null = unseen_directions(gram, lengths, dtype)
    if null.shape[1] == 0:
        return None
    pulls = each_row(source, *args, jnp.asarray(null, dtype), function=pulls_along)
    step = common_step(np.asarray(pulls, float))
    return None if step is None else Recession(null @ step, lengths)


def unseen_directions(gram: np.ndarray, lengths: np.ndarray, dtype: Any) -> np.ndarray:
    """Directions [p, k] that the rows that stay do not see, from their Gram matrix [p, p]."""
    values, vectors = np.linalg.eigh(gram / np.outer(lengths, lengths))
    zero = max(_NULL, 300 * float(jnp.finfo(dtype).eps))
    return vectors[:, values < zero] / lengths[:, None]


def _level_sides(block: Block, family: Family, beta: jnp.ndarray, middle: Middle):
    """For the levels of the eliminated factor, the sum of the sides and the rows that count."""
    design: Any = block.design
    last = design.factors[-1]
    live = (block.weight > 0).astype(block.y.dtype)
    return last.level_sums(far_sides(block, family, beta, middle)), last.level_sums(live)


def separated_levels(
    source: Resident, family: Family, beta: np.ndarray, middle: Middle
) -> np.ndarray:
    """Levels of the eliminated factor, [m] bool, all of whose rows want the same limit.

    No other row sees the coefficient of such a level, so it runs to infinity by itself.
    """
    args = (family, jnp.asarray(beta, source.dtype), middle)
    sides, rows = (np.asarray(s) for s in one_pass(source, *args, kernel=_level_sides))
    return (rows > 0) & (np.abs(sides) == rows)


def common_step(pulls: np.ndarray) -> np.ndarray | None:
    """A combination [k] of directions that moves rows, as many as possible, and pulls none back.

    Parameters
    ----------
    pulls : [n, k]
        How far each direction moves each row towards the side that it wants.

    Returns
    -------
    [k] or None
        None where there is none.
    """
    pulls = pulls[np.abs(pulls).max(axis=1) > 0]
    if pulls.shape[0] == 0:
        return None
    pulls = np.unique(np.round(pulls / np.abs(pulls).max(), 9), axis=0)
    # Often one combination moves all rows by about as much; no programme is needed then.
    step = np.linalg.lstsq(pulls, np.ones(pulls.shape[0]), rcond=None)[0]
    if (pulls @ step > _SIGN).all():
        return step
    return _most_moved(pulls)


def _most_moved(pulls: np.ndarray) -> np.ndarray | None:
    from scipy.optimize import linprog

    count = pulls.shape[0]
    programme = linprog(
        -pulls.sum(axis=0),
        A_ub=np.vstack([-pulls, pulls]),
        b_ub=np.concatenate([np.zeros(count), np.ones(count)]),
        bounds=(None, None),
        method="highs",
    )
    moves = programme.status == 0 and -programme.fun > _SIGN
    return programme.x if moves else None
