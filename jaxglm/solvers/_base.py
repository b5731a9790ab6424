"""Owns what every solver shares: the state of a loop, its controls, and the stopping rules."""

import enum
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp

from jaxglm._status import Status
from jaxglm.sums import Moments, Point, Value


class Stop(enum.IntEnum):
    """Which test ended a converged loop."""

    NONE = 0
    DECREMENT = 1
    ROUNDING = 2
    STALLED = 3

    @property
    def words(self) -> str:
        """The test in words, for the summary."""
        return {
            Stop.NONE: "not stopped by a convergence test",
            Stop.DECREMENT: "Newton decrement",
            Stop.ROUNDING: "rounding floor",
            Stop.STALLED: "no further decrease at the rounding floor",
        }[self]


class Wants(enum.IntEnum):
    """What a solver asks for at its trial point, beside the loss and the score."""

    INFORMATION = 0
    DIAGONAL = 1
    NOTHING = 2


class Controls(NamedTuple):
    """What may change without recompiling; one scalar each.

    Attributes
    ----------
    tol : float
        Distance to the optimum, in standard errors, at which to stop.
    max_turns : int
        Passes over the rows allowed.
    smallest_pivot : float
        A scaled pivot of the information below this ends the loop as `SINGULAR`; 0: damp instead.
    residual_df : float
        Observations minus coefficients, where the dispersion is estimated; 0 where it is 1.
        Standard errors scale with the dispersion, so the stopping rule does.
    fixed : float
        What the stopping rule takes for the dispersion where that is not estimated: 1, or the
        average weight where it is smaller. Standard errors grow as weights shrink, and a distance
        that is small beside them would be no proof of an optimum.
    adaptive : bool
        Change from expected to observed information when the decrement shrinks slowly.
    reach : float
        Stop as soon as the step in hand is foreseen to leave less than this, in standard errors;
        0: never on the strength of a forecast.
    keep_within : float
        The next turn keeps the factor of this one if the step to it is shorter than this, in
        standard errors: the information changes by about that over sqrt(n).
    final : bool
        Whether the sums at the end are wanted.
    """

    tol: Value
    max_turns: Value
    smallest_pivot: Value
    residual_df: Value
    fixed: Value
    adaptive: Value
    reach: Value
    keep_within: Value
    final: Value


class Outcome(NamedTuple):
    """What a loop leaves: coefficients and how it ended, all p-sized or scalar.

    `correction` is the step in hand at `beta`; `invalid` counts the trials at which the loss was
    not finite, because they left the domain of the link; `kept` is the factor for a later loop.
    """

    beta: Value
    correction: Value
    loss: jax.Array
    decrement: Value
    floor: jax.Array
    turns: jax.Array
    status: jax.Array
    stop: jax.Array
    observed: jax.Array
    invalid: jax.Array
    kept: Any = None

    def settled(self, xp: Any = jnp) -> Any:
        """The coefficients: where it converged, with the step in hand."""
        step = xp.where(self.status == int(Status.CONVERGED), self.correction, 0.0)
        return self.beta + step.astype(self.beta.dtype)


class Solver(Protocol):
    """A solver is told the sums at the point it asked for and answers with the next point."""

    def init(self, at: Point, kept: Any) -> NamedTuple:
        """The state whose trial point is the start."""

    def wants(self, state) -> Any:
        """The sums at `state.at` that the next `tell` wants: a `Wants`, traced if it may change."""

    def tell(self, state, moments: Moments, controls: Controls):
        """The state after seeing the sums at `state.at`."""

    def outcome(self, state) -> Outcome:
        """What to keep of a state that has stopped."""


def dispersion(moments: Any, controls: Controls) -> jax.Array:
    """Pearson chi2 / residual df, or what stands for it where the dispersion is fixed."""
    estimated = controls.residual_df > 0
    df = jnp.where(estimated, controls.residual_df, 1.0)
    value = moments.pearson / df
    return jnp.where(estimated & jnp.isfinite(value), value, controls.fixed)


def rounding_floor(moments: Any, diagonal: Any, beta: Any, xp: Any = jnp) -> Any:
    """Size of the Newton decrement that rounding alone produces.

    Each eta carries errors of machine epsilon times the terms it sums, and so does each row's
    derivative; in the metric of the information these errors have the squared size
    sum_j H_jj beta_j^2 + sum_i w_i (1 + eta_i^2 + offset_i^2); see `Moments.rounding`.
    """
    eps = jnp.finfo(beta.dtype).eps
    floor = eps * xp.sqrt(xp.sum(xp.abs(diagonal) * beta**2, axis=0) + moments.rounding)
    return xp.where(xp.isfinite(floor), floor, 0.0)  # overflow far away excuses nothing


def not_worse(moments: Any, loss: jax.Array) -> jax.Array:
    """Whether the loss is finite and not above the one before, rounding of the sums aside."""
    eps = jnp.finfo(moments.loss.dtype).eps
    noise = 64 * eps * moments.loss_size
    return jnp.isfinite(moments.loss) & (moments.loss <= loss + noise)


def choose(accepted: jax.Array, ahead: Any, back: Any, controls: Controls) -> Any:
    """The state after a turn: `ahead` or `back`, with the turn counted and their limit obeyed."""
    new = jax.tree.map(lambda a, b: jnp.where(accepted, a, b), ahead, back)
    turns = new.turns + 1
    out_of_turns = (new.status == int(Status.RUNNING)) & (turns >= controls.max_turns)
    status = jnp.where(out_of_turns, int(Status.MAX_TURNS), new.status)
    return new._replace(turns=turns, status=status)


def outcome_of(state: Any, correction: jax.Array, kept: Any = None) -> Outcome:
    """What to keep of a state: its fields of the same names, and the step in hand."""
    return Outcome(
        beta=state.beta,
        correction=correction,
        loss=state.loss,
        decrement=state.decrement,
        floor=state.floor,
        turns=state.turns,
        status=state.status,
        stop=state.stop,
        observed=state.at.observed,
        invalid=state.invalid,
        kept=kept,
    )
