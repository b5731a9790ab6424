"""Owns the proximal Newton method: Newton steps where the penalty is not smooth."""

import dataclasses
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm._status import Status
from jaxglm.algebra import Bend, Bordered, all_finite, descend
from jaxglm.solvers._base import (
    Controls,
    Outcome,
    Stop,
    Wants,
    choose,
    dispersion,
    not_worse,
    outcome_of,
    rounding_floor,
)
from jaxglm.sums import Moments, Point, Value

# A step is sought to this share of itself: what is left of the distance is that, or what Newton's
# method leaves. Among more columns than `_MANY` the search costs more than the visit that follows.
_SHARE, _SHARE_OF_MANY, _MANY = 1e-3, 1e-2, 1_000
_MOST_ROUNDS = 200
_MOST_HALVINGS = 40
_STALLED_TURNS = 6
# A kept matrix that leaves more than this of the distance has had its day.
_LEAST_GAIN = 0.1
# A change of the score by less, or by so many times more, than was foreseen is none to learn from.
_LEAST_SECANT = 0.1
# Under this share of its diagonal entry a column is determined by the free ones.
_DETERMINED = 1e-12


class Bent(NamedTuple):
    """What is not smooth, and the information matrix of an earlier turn with whether to use it.

    Attributes
    ----------
    bend : Bend
    info : [p, p]
    use : bool
    free : [f] int
        Coefficients with neither a threshold nor a bound, and in no group.
    beta, score : [p]
        Where the score was last seen, and what it was.
    """

    bend: Bend
    info: Value
    use: Value
    free: Value
    beta: Value
    score: Value

    @classmethod
    def fresh(cls, bend: Bend, dtype: np.dtype) -> "Bent":
        """Without a matrix yet."""
        p = len(bend.threshold)
        nothing = np.zeros(p, dtype)
        empty = np.zeros((p, p), dtype), np.bool_(False), np.zeros(0, np.int32), nothing, nothing
        return cls(bend, *empty).bent(bend, dtype)

    def bent(self, bend: Bend, dtype: np.dtype) -> "Bent":
        """The same matrix beside something else that is not smooth."""
        norms = bend.norms
        if norms is not None:
            norms = norms._replace(weight=np.asarray(norms.weight, dtype))
        threshold, lower, upper = (np.asarray(part, dtype) for part in bend[:3])
        bend = Bend(threshold, lower, upper, norms)
        bounded = np.isfinite(bend.lower) | np.isfinite(bend.upper)
        free = np.flatnonzero(~bend.choosing & ~bounded).astype(np.int32)
        return self._replace(bend=bend, free=free)


class ProximalState(NamedTuple):
    """The loop's carry: the accepted point, the direction from it, and the trial asked for."""

    at: Point
    beta: jax.Array
    loss: jax.Array
    direction: jax.Array
    step: jax.Array
    decrement: jax.Array
    best: jax.Array
    stalled: jax.Array
    floor: jax.Array
    halvings: jax.Array
    invalid: jax.Array
    turns: jax.Array
    status: jax.Array
    stop: jax.Array
    kept: Bent


@dataclasses.dataclass(frozen=True)
class Proximal:
    """At each turn the minimum of a quadratic model of the loss, with what is not smooth as it is.

    The loss that it is told includes what is not smooth, the score and the information do not (see
    `Thresholded`). With nothing that is not smooth its steps are Newton's.
    """

    def init(self, at: Point, kept: Bent) -> ProximalState:
        dtype = at.beta.dtype
        zero, inf = jnp.zeros((), dtype), jnp.full((), jnp.inf, dtype)
        count = jnp.zeros((), jnp.int32)
        return ProximalState(
            at=at,
            beta=at.beta,
            loss=inf,
            direction=jnp.zeros_like(at.beta),
            step=jnp.ones((), dtype),
            decrement=inf,
            best=inf,
            stalled=count,
            floor=zero,
            halvings=count,
            invalid=count,
            turns=count,
            status=jnp.full((), int(Status.RUNNING), jnp.int32),
            stop=jnp.full((), int(Stop.NONE), jnp.int32),
            kept=kept,
        )

    def wants(self, state: ProximalState) -> Any:
        return jnp.where(state.kept.use, int(Wants.NOTHING), int(Wants.INFORMATION))

    def tell(self, state: ProximalState, moments: Moments, controls: Controls) -> ProximalState:
        accepted = all_finite(moments.score) & not_worse(moments, state.loss)
        ahead = self._advance(state, moments, controls)
        return choose(accepted, ahead, self._retreat(state, moments, controls), controls)

    def _advance(self, state: ProximalState, moments: Moments, controls: Controls) -> ProximalState:
        """From an accepted trial: the next step, and whether it is the last."""
        beta, kept = state.at.beta, state.kept
        assert not isinstance(moments.info, Bordered)  # nothing is eliminated beside thresholds
        info = jnp.where(kept.use, _with_secant(kept, beta, moments.score), moments.info)
        deviation = jnp.sqrt(dispersion(moments, controls))
        unit = jnp.where(deviation > 0, deviation, 1.0)
        least = 0.1 * controls.tol * unit
        target = least_of_model(info, moments.score, beta, kept, least)
        direction = target - beta
        moved = jnp.dot(info, direction, precision=jax.lax.Precision.HIGHEST)
        decrement = jnp.sqrt(jnp.maximum(jnp.vdot(direction, moved), 0.0)) / unit
        floor = 2 * rounding_floor(moments, jnp.diagonal(info), beta) / unit
        ratio = jnp.where(jnp.isfinite(state.decrement), decrement / state.decrement, 0.0)
        to_come = jnp.maximum(1.0, jnp.where(ratio < 1, ratio / (1 - ratio), jnp.inf))
        stalled = jnp.where(decrement > 0.9 * state.best, state.stalled + 1, 0)
        near = decrement <= jnp.sqrt(controls.tol)
        stop = jnp.select(
            [
                decrement * to_come <= controls.tol,
                decrement <= floor,
                near & (stalled >= _STALLED_TURNS),
            ],
            [int(Stop.DECREMENT), int(Stop.ROUNDING), int(Stop.STALLED)],
            int(Stop.NONE),
        ).astype(jnp.int32)
        serves = ~kept.use | (ratio < _LEAST_GAIN)
        use = (decrement < controls.keep_within) & serves
        return state._replace(
            at=state.at._replace(beta=target),
            beta=beta,
            loss=moments.loss,
            direction=direction,
            step=jnp.ones_like(state.step),
            decrement=decrement,
            best=jnp.minimum(state.best, decrement),
            stalled=stalled.astype(jnp.int32),
            floor=floor,
            halvings=jnp.zeros_like(state.halvings),
            status=jnp.where(stop > 0, int(Status.CONVERGED), int(Status.RUNNING)).astype(
                jnp.int32
            ),
            stop=stop,
            kept=kept._replace(info=info, use=use, beta=beta, score=moments.score),
        )

    def _retreat(self, state: ProximalState, moments: Moments, controls: Controls) -> ProximalState:
        """From a rejected trial: halve the step, or give up."""
        step, halvings = 0.5 * state.step, state.halvings + 1
        unstarted = ~jnp.isfinite(state.loss)
        outside = jnp.where(jnp.isfinite(moments.loss), 0, 1).astype(jnp.int32)
        exhausted = unstarted | (halvings > _MOST_HALVINGS)
        near = (state.decrement <= jnp.sqrt(controls.tol)) & (outside == 0)
        status = jnp.select(
            [exhausted & unstarted, exhausted & near, exhausted],
            [int(Status.NONFINITE), int(Status.CONVERGED), int(Status.STEP_FAILED)],
            int(Status.RUNNING),
        )
        return state._replace(
            at=state.at._replace(beta=state.beta + step * state.direction),
            step=step,
            halvings=halvings,
            invalid=state.invalid + outside,
            status=status.astype(jnp.int32),
            stop=jnp.where(exhausted & near, int(Stop.STALLED), int(Stop.NONE)).astype(jnp.int32),
        )

    def outcome(self, state: ProximalState) -> Outcome:
        """The accepted point; the correction is the step in hand there."""
        return outcome_of(state, state.direction, state.kept)


def _with_secant(kept: Bent, beta: jax.Array, score: jax.Array) -> jax.Array:
    """The kept matrix, changed to say how the score has changed since it was last seen.

    The update of Broyden, Fletcher, Goldfarb and Shanno (1970): of all definite matrices with that
    property it is near to the one before.
    """
    step, change = beta - kept.beta, score - kept.score
    expected = jnp.matmul(kept.info, step, precision=jax.lax.Precision.HIGHEST)
    across, along = jnp.vdot(step, change), jnp.vdot(step, expected)
    # Not where rounding is what a short step has changed, or the loss is not convex there.
    tells = (across > _LEAST_SECANT * along) & (across * _LEAST_SECANT < along) & (along > 0)
    new = jnp.outer(change, change) / jnp.where(tells, across, 1.0)
    old = jnp.outer(expected, expected) / jnp.where(tells, along, 1.0)
    return kept.info + jnp.where(tells, new - old, 0.0)


def least_of_model(
    info: jax.Array, score: jax.Array, beta: jax.Array, kept: Bent, least: jax.Array
) -> jax.Array:
    """Where the quadratic model about `beta` with what is not smooth is least.

    Free coefficients are eliminated: they follow the others exactly. One by one they would not,
    where a column is far from zero, and nearly a multiple of the intercept.
    """
    free, highest = kept.free, jax.lax.Precision.HIGHEST
    share = _SHARE if beta.size <= _MANY else _SHARE_OF_MANY
    if free.size == 0:
        return descend(info, score, beta, kept.bend, share, least, _MOST_ROUNDS)
    held = jnp.ones_like(beta).at[free].set(0.0)
    rows = info[free]
    size = jnp.diagonal(rows[:, free])
    unit = jnp.where(size > 0, 1 / jnp.sqrt(jnp.where(size > 0, size, 1.0)), 0.0)
    scaled = rows[:, free] * unit[:, None] * unit
    inverse = jnp.linalg.pinv(scaled, hermitian=True) * unit[:, None] * unit
    moves = jnp.matmul(inverse, rows, precision=highest)
    rest = (info - jnp.matmul(rows.T, moves, precision=highest)) * held[:, None] * held
    # What is left of a column that the free ones determine is rounding: it stays where it is.
    own, whole = jnp.diagonal(rest), jnp.diagonal(info)
    told = own > _DETERMINED * whole
    rest = rest - jnp.diag(jnp.where(told, 0.0, own))
    slope = (score - jnp.matmul(score[free], moves, precision=highest)) * held
    target = descend(rest, slope, beta, kept.bend, share, least, _MOST_ROUNDS)
    step = (target - beta) * held
    pull = score[free] + jnp.matmul(rows, step, precision=highest)
    followed = beta[free] - jnp.matmul(inverse, pull, precision=highest)
    return target.at[free].set(followed)
