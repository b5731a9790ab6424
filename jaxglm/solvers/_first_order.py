"""Owns the first-order solvers: L-BFGS or any optax transformation, for p too large for p x p."""

import dataclasses
import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxglm._status import Status
from jaxglm.algebra import diagonal_of
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
from jaxglm.sums import Moments, Point

_MOST_HALVINGS = 30


@functools.cache
def lbfgs():
    """L-BFGS as optax has it, without its own line search: steps are halved by the loop."""
    import optax

    return optax.chain(optax.scale_by_lbfgs(memory_size=20), optax.scale(-1.0))


class FirstOrderState(NamedTuple):
    """The loop's carry; `scale` maps columns to unit curvature at the start."""

    at: Point
    beta: jax.Array
    loss: jax.Array
    direction: jax.Array
    step: jax.Array
    scale: jax.Array
    memory: Any
    decrement: jax.Array
    floor: jax.Array
    halvings: jax.Array
    invalid: jax.Array
    turns: jax.Array
    status: jax.Array
    stop: jax.Array


@dataclasses.dataclass(frozen=True)
class FirstOrder:
    """Steps of an optax transformation on columns scaled to unit curvature.

    The stopping rule is that of Newton's method with the information replaced by its diagonal:
    the norm of the score in standard errors.
    """

    transformation: Any

    def init(self, at: Point, kept: Any) -> FirstOrderState:
        dtype = at.beta.dtype
        inf = jnp.full((), jnp.inf, dtype)
        count = jnp.zeros((), jnp.int32)
        return FirstOrderState(
            at=at,
            beta=at.beta,
            loss=inf,
            direction=jnp.zeros_like(at.beta),
            step=jnp.ones((), dtype),
            scale=jnp.ones_like(at.beta),
            memory=self.transformation.init(at.beta),
            decrement=inf,
            floor=jnp.zeros((), dtype),
            halvings=count,
            invalid=count,
            turns=count,
            status=jnp.full((), int(Status.RUNNING), jnp.int32),
            stop=jnp.full((), int(Stop.NONE), jnp.int32),
        )

    def wants(self, state: FirstOrderState) -> Wants:
        """The diagonal at each turn: the stopping rule is in its metric."""
        return Wants.DIAGONAL

    def tell(self, state: FirstOrderState, moments: Moments, controls: Controls):
        accepted = jnp.all(jnp.isfinite(moments.score)) & not_worse(moments, state.loss)
        ahead = self._advance(state, moments, controls)
        back = self._retreat(state, moments)
        return choose(accepted, ahead, back, controls)

    def _advance(self, state: FirstOrderState, moments: Moments, controls: Controls):
        beta = state.at.beta
        curvature = diagonal_of(moments.info)
        diagonal = jnp.where(curvature > 0, curvature, 1.0)
        scale = jnp.where(state.turns == 0, 1 / jnp.sqrt(diagonal), state.scale)
        unit = jnp.sqrt(dispersion(moments, controls))
        unit = jnp.where(unit > 0, unit, 1.0)
        decrement = jnp.linalg.norm(moments.score / jnp.sqrt(diagonal)) / unit
        floor = 2 * rounding_floor(moments, curvature, beta) / unit
        stop = jnp.select(
            [decrement <= controls.tol, decrement <= floor],
            [int(Stop.DECREMENT), int(Stop.ROUNDING)],
            int(Stop.NONE),
        ).astype(jnp.int32)
        updates, memory = self.transformation.update(
            moments.score * scale, state.memory, beta / scale
        )
        direction = updates * scale
        return state._replace(
            at=state.at._replace(beta=beta + direction),
            beta=beta,
            loss=moments.loss,
            direction=direction,
            step=jnp.ones_like(state.step),
            scale=scale,
            memory=memory,
            decrement=decrement,
            floor=floor,
            halvings=jnp.zeros_like(state.halvings),
            status=jnp.where(stop > 0, int(Status.CONVERGED), int(Status.RUNNING)).astype(
                jnp.int32
            ),
            stop=stop,
        )

    def _retreat(self, state: FirstOrderState, moments: Moments) -> FirstOrderState:
        step = 0.5 * state.step
        halvings = state.halvings + 1
        failed = jnp.where(jnp.isfinite(state.loss), int(Status.STEP_FAILED), int(Status.NONFINITE))
        status = jnp.where(halvings > _MOST_HALVINGS, failed, int(Status.RUNNING))
        return state._replace(
            at=state.at._replace(beta=state.beta + step * state.direction),
            step=step,
            halvings=halvings,
            invalid=state.invalid + jnp.where(jnp.isfinite(moments.loss), 0, 1).astype(jnp.int32),
            status=status.astype(jnp.int32),
        )

    def outcome(self, state: FirstOrderState) -> Outcome:
        """The accepted point; a first-order method has no correction in hand."""
        return outcome_of(state, jnp.zeros_like(state.beta))
