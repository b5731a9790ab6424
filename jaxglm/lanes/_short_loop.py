"""Owns the loops of the short way: scoring steps in all lanes, without a look back.

A lane that needs more (a shorter step, the observed information, a decision on rank) says so, and
another round fits it. All arrays end with the axis of lanes, so that a number of each of several
segments stands in one register; nothing but elementwise operations and loops is in the program.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm._status import Status
from jaxglm.algebra import LaneMatrices, factorise_lanes
from jaxglm.families import Family
from jaxglm.lanes._lane_rows import LaneRows
from jaxglm.lanes._lane_shapes import LaneShapes
from jaxglm.search import Options, has_unknown_shape
from jaxglm.search._settings import AT_BETA, Settings
from jaxglm.solvers import Controls, dispersion, not_worse
from jaxglm.sums import (
    NullModel,
    Point,
    ShapeSums,
    full_moments,
    null_model,
)

# From so many turns on, a step that does not shorten the distance is left to another round.
_TURNS_TO_SETTLE = 4
# Nearer to the optimum, in standard errors, the observed information converges the faster.
_CLOSE = 1.0
# A lane ends where its exact sums leave no more than this multiple of the tolerance: the step from
# there takes it away, and the information, which is that of this point, is as good as exact.
_MORE_LEFT = 10


class ShortOptions(NamedTuple):
    """What is the same in all lanes.

    Attributes
    ----------
    beta : [p]
        Coefficients to start from, where a start was given.
    tol : float
        See `Controls`.
    max_turns : int
    """

    beta: Any
    tol: Any
    max_turns: Any


class LaneGiven(NamedTuple):
    """What differs from lane to lane.

    Attributes
    ----------
    shift : [W]
        Of the null model where that took a fit; see `NullModel`.
    keep : [p, W] bool
        Columns that take part.
    alpha : [W] or None
        The shapes of a negative binomial that has one for each lane.
    """

    shift: Any
    keep: Any
    alpha: Any = None


class _Sums(NamedTuple):
    """The fields of `Moments` that the loop looks at."""

    score: jax.Array
    info: LaneMatrices
    pearson: jax.Array
    loss: jax.Array
    loss_size: jax.Array


class State(NamedTuple):
    """The loop's carry: the sums at a point, the step from there, and how far that leads."""

    beta: jax.Array
    step: jax.Array
    sums: _Sums
    decrement: jax.Array
    turns: jax.Array
    status: jax.Array
    shapes: LaneShapes | None


class Searched(NamedTuple):
    """Where the loops of W lanes ended, and what they were about.

    Attributes
    ----------
    state : State
    unit : [W]
        The standard deviation that distances are measured by.
    nobs, weight : [W]
        Observations, and the sum of their weights.
    null : NullModel
    keep : [p, W] bool
        Columns that take part.
    has_constant : [W] bool
    alpha : [W] or None
        As given.
    """

    state: State
    unit: jax.Array
    nobs: jax.Array
    weight: jax.Array
    null: NullModel
    keep: jax.Array
    has_constant: jax.Array
    alpha: jax.Array | None


def search(
    rows: LaneRows,
    family: Family,
    own: LaneGiven,
    shared: ShortOptions,
    *,
    from_beta: bool,
    constant: bool,
) -> Searched:
    """The loops of W segments.

    `from_beta` says where they start; `constant` that all have an intercept.
    """
    dtype = rows.tiles.dtype
    if own.alpha is not None:
        family = family._with(alpha=own.alpha)
    shaped = has_unknown_shape(family)
    of, present = rows.totals()
    keep = own.keep & present
    has_constant = jnp.any(keep if constant else rows.constant_columns(), axis=0)
    null = null_model(of, family, has_constant=has_constant, xp=jnp)
    null = null._replace(shift=jnp.where(jnp.isnan(null.shift), own.shift, null.shift))
    options = Options(tol=shared.tol, max_turns=shared.max_turns)
    settings = Settings(family, options, dtype, jnp.sum(keep, axis=0), of, null, jnp)
    controls, null = settings.controls(), settings.null_model
    lift = jnp.zeros_like(null.inside) if from_beta else family.link.link(null.inside)

    nothing = jnp.zeros_like(null.inside)

    def sums_at(family: Family, beta: jax.Array, first: jax.Array, observed: Any) -> _Sums:
        at = Point(beta, observed, AT_BETA, null.inside, 0.0, jnp.where(first, lift, 0.0))
        sums = rows.reduce(full_moments, family, at)
        score, info = jnp.where(keep, sums.score, 0.0), sums.info.matrices().regular(keep)
        sums = _Sums(score, info, sums.pearson, sums.loss, sums.loss_size)
        # What a loop does not look at is not computed.
        if family.dispersion_fixed:
            sums = sums._replace(pearson=nothing)
        if family.canonical or shaped:
            sums = sums._replace(loss=nothing, loss_size=nothing)
        return sums

    def running(state: State) -> jax.Array:
        return jnp.any(state.status == int(Status.RUNNING))

    def turn(state: State) -> State:
        beta = state.beta + state.step
        on = state.status == int(Status.RUNNING)
        starting = (state.turns == 0) & ~from_beta
        at, shapes = family, state.shapes
        observed: Any = np.bool_(False) if family.canonical else state.decrement < _CLOSE
        apart = None
        if shapes is not None:
            shapes = shapes.moved()
            at = shapes.family(family)
            apart = shapes.sums(rows, family, beta, on)
            observed = shapes.known
        sums = sums_at(at, beta, starting, observed)
        new = _advance(state, beta, sums, at, controls, starting, observed, shapes, apart)
        if new.shapes is not None:
            new = _with_shapes_begun(new, rows, family)
        return jax.tree.map(lambda a, b: jnp.where(on, a, b), new, state)

    beta = jnp.where(keep, shared.beta[:, None], 0.0).astype(dtype)
    shapes = LaneShapes.none(nothing) if shaped else None
    state = jax.lax.while_loop(running, turn, _begun(beta, shapes))
    weight = jnp.broadcast_to(of.weight, nothing.shape)
    unit = jnp.broadcast_to(_unit(state.sums, controls), nothing.shape)
    return Searched(state, unit, of.nobs, weight, null, keep, has_constant, own.alpha)


def _begun(beta: jax.Array, shapes: LaneShapes | None) -> State:
    lanes = beta.shape[-1:]
    nothing = jnp.zeros(lanes, beta.dtype)
    info = LaneMatrices(jnp.zeros((len(beta), *beta.shape), beta.dtype))
    return State(
        beta=beta,
        step=jnp.zeros_like(beta),
        sums=_Sums(jnp.zeros_like(beta), info, nothing, nothing + jnp.inf, nothing),
        decrement=jnp.full(lanes, jnp.inf, beta.dtype),
        turns=jnp.zeros(lanes, jnp.int32),
        status=jnp.full(lanes, int(Status.RUNNING), jnp.int32),
        shapes=shapes,
    )


def _advance(
    state: State,
    beta: jax.Array,
    sums: _Sums,
    family: Family,
    controls: Controls,
    starting: jax.Array,
    observed: jax.Array,
    shapes: LaneShapes | None,
    apart: ShapeSums | None,
) -> State:
    """The state at the point where the sums were made; the last one when the step hardly moves."""
    factor = factorise_lanes(sums.info)
    step = -factor.solve(sums.score)
    squared = -jnp.sum(sums.score * step, axis=0)
    begun: Any = 0
    total = squared
    if shapes is not None and apart is not None:
        shapes, step = shapes.stepping(apart, factor, step)
        begun, total = shapes.since, squared + shapes.squared
    decrement = jnp.where(starting, jnp.inf, jnp.sqrt(total) / _unit(sums, controls))
    sound = (factor.pivot > controls.smallest_pivot) & jnp.isfinite(squared) & (squared >= 0)
    known = jnp.isfinite(state.decrement)
    slow = known & (decrement > state.decrement) & (state.turns - begun >= _TURNS_TO_SETTLE)
    ended = decrement <= _MORE_LEFT * controls.tol
    # That the observed information is indefinite says nothing of the rank.
    singular = ~observed & ~(factor.pivot > controls.smallest_pivot)
    singular &= jnp.isfinite(jnp.sum(sums.score, axis=0))
    lost = ~sound | (slow & ~ended)
    # A convex loss falls along with the distance.
    if shapes is not None:
        lost |= ~shapes.in_range
    elif not family.canonical:
        lost |= ~starting & ~not_worse(sums, state.sums.loss)
        loss = jnp.where(starting, jnp.inf, sums.loss)
        sums = sums._replace(loss=loss)
    turns = state.turns + 1
    status = jnp.select(
        [singular, lost, ended, turns >= controls.max_turns],
        [
            int(Status.SINGULAR),
            int(Status.STEP_FAILED),
            int(Status.CONVERGED),
            int(Status.MAX_TURNS),
        ],
        int(Status.RUNNING),
    )
    step = jnp.where(sound, step, 0.0)
    return State(beta, step, sums, decrement, turns, status.astype(jnp.int32), shapes)


def _with_shapes_begun(state: State, rows: LaneRows, family: Family) -> State:
    """The state with lanes running on whose optimum is not where alpha is 0."""
    assert state.shapes is not None
    before = state.shapes.known
    near = (state.status == int(Status.RUNNING)) & (state.decrement < _CLOSE)
    ended = state.status == int(Status.CONVERGED)
    shapes = state.shapes.begun(rows, family, state.beta, near, ended, state.turns)
    again = shapes.known & ~before
    return state._replace(
        decrement=jnp.where(again, jnp.inf, state.decrement),
        status=jnp.where(again, int(Status.RUNNING), state.status),
        shapes=shapes,
    )


def _unit(sums: Any, controls: Controls) -> jax.Array:
    """The standard deviation that a distance is measured by."""
    deviation = jnp.sqrt(dispersion(sums, controls))
    return jnp.where(deviation > 0, deviation, 1.0)
