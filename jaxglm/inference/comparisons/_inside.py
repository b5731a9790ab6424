"""Owns whether one model is a special case of another, told from their columns and not their names.

A member of the smaller model is drawn at random: with probability one it is among the members of
the larger only where all are.
"""

import numpy as np

from jaxglm._jax import computing
from jaxglm.designs import append
from jaxglm.inference._estimates import Estimates
from jaxglm.inference.comparisons._nesting import problem_of
from jaxglm.intake import Dataset
from jaxglm.rows import Problem
from jaxglm.search import condition, smallest_pivot
from jaxglm.sources import Block

# Of coefficients that are a combination of others, what is left by rounding.
_ROUNDING = 1e-9


def outside(small: Estimates, large: Estimates) -> tuple[bool | None, str]:
    """Whether a model is no special case of another, and why; None where that cannot be told."""
    own, held = small.model.dataset, large.model.dataset
    if own is None or held is None:
        which = small if own is None else large
        if not _by_names(small, large):
            return None, which.model.why_no_rows
        return False, ""
    if large.model.constraints:
        return _beside_constraints(small, large, own, held)
    shift = _offset(own) - _offset(held)
    start, along = _drawn(small, own)
    linear = own.columns.matvec(along)
    problem = problem_of(held)
    if _is_among(problem, linear + own.columns.matvec(start) + shift):
        return False, ""
    if not _is_among(problem, linear):
        return True, "the columns of the smaller model are no combinations of those of the larger"
    if not np.any(shift):
        return True, "the smaller model is held to values that the larger one cannot take"
    return True, "their offsets (offset= or exposure=) differ by what the columns cannot make up"


def _by_names(small: Estimates, large: Estimates) -> bool:
    """Whether the names of columns show it, for want of rows."""
    models = small.model, large.model
    offsets = [
        (model.used & {"offset", "exposure"}, () if model.spec is None else model.spec.offsets)
        for model in models
    ]
    same = offsets[0] == offsets[1] and not large.model.constraints
    return same and set(small.names) <= set(large.names)


def _beside_constraints(
    small: Estimates, large: Estimates, own: Dataset, held: Dataset
) -> tuple[bool | None, str]:
    """The same for a larger model under constraints, told from the coefficients of its columns."""
    unknown = None, f"the larger one is held to {large.model.constraints}"
    if small.names != large.names or np.any(_offset(own) != _offset(held)):
        return unknown
    start, along = _drawn(small, own)
    drawn = start + along
    if not np.array_equal(own.columns.matvec(drawn), held.columns.matvec(drawn)):
        return unknown
    dense, diagonal = large.fit.covariance.expected.root
    sizes = _sizes(held)
    moves = np.concatenate([dense, np.diag(diagonal)[:, diagonal > 0]], axis=1) * sizes[:, None]
    rest = (drawn - _coefficients(large)) * sizes
    left = rest - moves @ np.linalg.lstsq(moves, rest, rcond=None)[0]
    if np.abs(left).max() <= _ROUNDING * np.abs(rest).max():
        return False, ""
    if large.fit.aliased.any() or small.fit.aliased.any():
        return unknown
    return True, f"the smaller one is not held to {large.model.constraints}, as the larger one is"


def _drawn(fit: Estimates, held: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients [p] of a member of a model: where it must be, and where it may go from there."""
    draw = np.random.default_rng(0)
    if not fit.model.constraints:
        along = draw.normal(size=len(fit.names)) / _sizes(held)
        return np.zeros(along.size), np.where(fit.fit.aliased, 0.0, along)
    dense, diagonal = fit.fit.covariance.expected.root
    along = dense @ draw.normal(size=dense.shape[1]) + diagonal * draw.normal(size=diagonal.size)
    return _coefficients(fit), along


def _coefficients(fit: Estimates) -> np.ndarray:
    return np.where(fit.fit.aliased, 0.0, fit.fit.coef)


def _offset(held: Dataset) -> np.ndarray:
    return np.zeros(len(held.rows)) if held.rows.offset is None else held.rows.offset


def _sizes(held: Dataset) -> np.ndarray:
    """The largest entry of each column, in public order, 1 for a column of zeros."""
    largest = np.ones(held.order.size)
    largest[held.order] = held.block.design.largest()
    return np.where(largest > 0, largest, 1.0)


def _is_among(problem: Problem, values: np.ndarray) -> bool:
    """Whether values of the rows are a combination of the columns of a problem."""
    with computing():
        design, order = append(problem.design, problem.order, values[:, None])
        wider = problem.with_block(Block(design, problem.rows), order=order)
        basis, _ = condition(wider, wider.source, smallest_pivot(wider.dtype), None)
    return not basis.keep[order == problem.n_columns].any()
