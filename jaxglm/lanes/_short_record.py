"""Owns the record of where the loops of the short way ended: their sums, statistics and roots.

A piece of its own beside the loops (`_short_loop`), under the same rules.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm._status import Status
from jaxglm.algebra import factorise_lanes
from jaxglm.families import Family
from jaxglm.lanes._lane_rows import LaneRows
from jaxglm.lanes._short_loop import Searched
from jaxglm.lanes._sums import LaneSums
from jaxglm.search._settings import AT_BETA
from jaxglm.search._shape import Shape
from jaxglm.search._statistics import likelihoods_of_rows, statistics
from jaxglm.search._traced import STILL
from jaxglm.solvers import Outcome, Stop, rounding_floor
from jaxglm.sources import Block
from jaxglm.sums import (
    Description,
    FinalSums,
    NullModel,
    Point,
    full_moments,
    lean_description,
)


def described(rows: LaneRows, family: Family, searched: Searched) -> LaneSums:
    """The record of where the loops ended, as `fit_lane` makes that of one."""
    state, null, keep = searched.state, searched.null, searched.keep
    converged = state.status == int(Status.CONVERGED)
    beta = state.beta + jnp.where(converged, state.step, 0.0)
    shape = None
    if searched.alpha is not None:
        family = family._with(alpha=searched.alpha)
    if state.shapes is not None:
        moved = state.shapes.moved().alpha
        shape = Shape(jnp.where(converged, moved, state.shapes.alpha), state.shapes.alpha_se)
        family = family._with(alpha=shape.alpha)
    at = Point(beta, np.bool_(False), AT_BETA, null.inside, 0.0)
    step = jnp.where(keep, state.step, 0.0)
    there, info, moved = rows.reduce(_visit, family, at, null, step)
    info = state.sums.info if info is None else info.matrices().regular(keep)
    # Where the matrix is definite and a Newton step moves no row, it leads to an optimum: then
    # rows do not run away, however far they are.
    still = converged & (moved < STILL**2)
    limits = there.limits._replace(far=jnp.where(still, 0.0, there.limits.far))
    sums = FinalSums(
        pearson=there.pearson,
        score=state.sums.score,
        info=info.full(),
        **limits._asdict(),
        **there.deviances._asdict(),
    )

    def likelihoods(scales: tuple[Any, Any]) -> tuple[Any, Any]:
        return rows.reduce(likelihoods_of_rows, family, beta, null, scales)

    found = statistics(
        family,
        sums,
        likelihoods,
        nobs=searched.nobs,
        weight_sum=searched.weight,
        parameters=jnp.sum(keep, axis=0),
        has_constant=searched.has_constant,
        xp=jnp,
    )
    lanes = state.status.shape
    floor = 2 * rounding_floor(there, info.diagonal, beta) / searched.unit
    outcome = Outcome(
        beta=state.beta,
        correction=state.step,
        loss=there.loss,
        decrement=state.decrement,
        floor=floor,
        turns=state.turns,
        status=state.status,
        stop=jnp.full(lanes, int(Stop.DECREMENT), jnp.int32),
        observed=jnp.zeros(lanes, bool),
        invalid=jnp.zeros(lanes, jnp.int32),
    )
    root = factorise_lanes(info).inverse_root()
    return LaneSums(
        outcome=outcome,
        sums=sums,
        null=null,
        statistics=jax.tree.map(
            lambda value: jnp.broadcast_to(jnp.asarray(value, beta.dtype), lanes), found
        ),
        decrement=state.decrement,
        root=root * keep[:, None],
        keep=keep,
        shape=shape,
    )


def _visit(
    block: Block, family: Family, at: Point, null: NullModel, step: jax.Array
) -> tuple[Description, Any, jax.Array]:
    """The description, the expected information where the loop's may be another, and (X step)^2."""
    info = None if family.canonical else full_moments(block, family, at).info
    squares = jnp.where(block.rows.live, block.design.matvec(step) ** 2, 0.0)
    return lean_description(block, family, at, null), info, block.total(squares)
