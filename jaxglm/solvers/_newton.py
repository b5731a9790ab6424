"""Owns Newton's method and IRLS: one algorithm, with the expected or the observed information."""

import dataclasses
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm._status import Status
from jaxglm.algebra import Factor, all_finite, diagonal_of, factorise, solve
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
from jaxglm.solvers._secants import Secants
from jaxglm.sums import Moments, Point, Value

# A quadratically convergent step multiplies the decrement by itself; one that keeps a fifth of it
# is converging linearly, and there the observed information is worth its risk.
_SLOW_RATIO = 0.2
_MOST_HALVINGS = 40
# Halving towards the origin of a start that has never been valid is not a search worth long.
_MOST_HALVINGS_UNSTARTED = 10
# A step with an information matrix from float32 products keeps this much of the distance.
_LEAST_RATIO = 1e-5
# A kept factor that leaves more than this of the distance has had its day.
_LEAST_GAIN = 0.1
_STALLED_TURNS = 6
# So many trials outside the link's domain without getting nearer to an optimum: it lies on the
# edge, or is better approached from inside.
_MOST_CRAMPED = 15
_FIRST_DAMPING = 1e-8


class KeptFactor(NamedTuple):
    """The factor of an information matrix from an earlier turn, and whether to use it again.

    A turn on a kept factor needs the score only. Newton's method then shrinks the distance by about
    as much as the information changes, instead of squaring it: worth it where the matrix is most of
    a pass, or comes from a sample.
    """

    factor: Factor
    diagonal: Value
    use: Value

    def of_more_rows(self, times: float) -> "KeptFactor":
        """As of so many times the rows, to be used at the next turn."""
        scale = np.asarray(self.factor.scale) / np.sqrt(times)
        factor = self.factor._replace(scale=scale)
        return KeptFactor(factor, np.asarray(self.diagonal) * times, np.bool_(True))


def unfactored(k: int, eliminated: int, dtype: np.dtype) -> KeptFactor:
    """Room for the factor of k columns, the last ones eliminated; there is none yet."""
    q = k - eliminated
    coupling = np.zeros((eliminated, q), dtype) if eliminated else None
    factor = Factor(np.zeros((q, q), dtype), coupling, np.zeros(k, dtype), dtype.type(0))
    return KeptFactor(factor, np.zeros(k, dtype), np.bool_(False))


class NewtonState(NamedTuple):
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
    damping: jax.Array
    switch_below: jax.Array
    halvings: jax.Array
    invalid: jax.Array
    cramped: jax.Array
    turns: jax.Array
    status: jax.Array
    stop: jax.Array
    kept: KeptFactor | None
    secants: Secants | None


@dataclasses.dataclass(frozen=True)
class Newton:
    """Newton steps with step halving, damping when the matrix fails, and one stopping rule.

    Each turn is one pass over the rows. A rejected trial costs a pass as well; there are few.

    Attributes
    ----------
    secant : bool
        Steps are corrected by what earlier ones did to the score: where the information is not its
        derivative.
    by_loss : bool
        They are judged by the loss. Where the score is no gradient of it they are by the distance
        that they leave, if they are corrected, and else taken as long as the loss is finite: that
        distance may have to grow on the way to where there is none.
    """

    secant: bool = dataclasses.field(default=False, kw_only=True)
    by_loss: bool = dataclasses.field(default=True, kw_only=True)

    def init(self, at: Point, kept: KeptFactor | None) -> NewtonState:
        dtype = at.beta.dtype
        zero, inf = jnp.zeros((), dtype), jnp.full((), jnp.inf, dtype)
        count = jnp.zeros((), jnp.int32)
        return NewtonState(
            at=at,
            beta=at.beta,
            loss=inf,
            direction=jnp.zeros_like(at.beta),
            step=jnp.ones((), dtype),
            decrement=inf,
            best=inf,
            stalled=count,
            floor=zero,
            damping=zero,
            switch_below=jnp.ones((), dtype),
            halvings=count,
            invalid=count,
            cramped=count,
            turns=count,
            status=jnp.full((), int(Status.RUNNING), jnp.int32),
            stop=jnp.full((), int(Stop.NONE), jnp.int32),
            kept=kept,
            secants=Secants.none(at.beta) if self.secant else None,
        )

    def wants(self, state: NewtonState) -> Any:
        """The information, or nothing beside the score where the kept factor is used again."""
        if state.kept is None:
            return Wants.INFORMATION
        return jnp.where(state.kept.use, int(Wants.NOTHING), int(Wants.INFORMATION))

    def tell(self, state: NewtonState, moments: Moments, controls: Controls) -> NewtonState:
        finite = all_finite(moments.score) & all_finite(moments.info)
        ahead = self._advance(state, moments, controls)
        back = self._retreat(state, moments, controls)
        better = not_worse(moments, state.loss)
        if not self.by_loss:
            better = jnp.isfinite(moments.loss)
            if self.secant:
                # Next to nothing, rounding may make more of the distance.
                known = jnp.maximum(state.decrement, jnp.sqrt(controls.tol))
                better &= ahead.decrement <= known
        accepted = finite & ((state.at.start > 0) | better)
        return choose(accepted, ahead, back, controls)

    def _advance(self, state: NewtonState, moments: Moments, controls: Controls) -> NewtonState:
        """From an accepted trial: factor, test for convergence, and take the next direction."""
        beta, eps, inf = state.at.beta, jnp.finfo(state.beta.dtype).eps, jnp.inf
        kept = self._factor(state, moments)
        factor, diagonal = kept.factor, kept.diagonal
        refuse = controls.smallest_pivot > 0
        least = jnp.where(refuse, controls.smallest_pivot, beta.shape[0] * eps)
        sound = factor.pivot > least  # nan compares as False

        direction = -solve(factor, moments.score)
        squared = -jnp.dot(moments.score, direction, precision=jax.lax.Precision.HIGHEST)
        deviation = jnp.sqrt(dispersion(moments, controls))
        unit = jnp.where(deviation > 0, deviation, 1.0)
        decrement = jnp.sqrt(jnp.maximum(squared, 0.0)) / unit
        floor = 2 * rounding_floor(moments, diagonal, beta) / unit

        starting = state.at.start > 0
        ratio = jnp.where(jnp.isfinite(state.decrement), decrement / state.decrement, 0.0)
        # Under linear convergence the steps still to come add up to this multiple of the last one.
        to_come = jnp.maximum(1.0, jnp.where(ratio < 1, ratio / (1 - ratio), jnp.inf))
        # Newton's method squares the distance at each turn; Fisher scoring, where that is another
        # method, only shrinks it.
        shrinks = jnp.where(
            kept.use | (controls.adaptive & ~state.at.observed),
            ratio / (1 - ratio),
            jnp.maximum(ratio**2, _LEAST_RATIO),
        )
        foreseen = jnp.where(
            jnp.isfinite(state.decrement) & (ratio < 0.5), decrement * shrinks, inf
        )
        stalled = jnp.where(decrement > 0.9 * state.best, state.stalled + 1, 0)
        near = decrement <= jnp.sqrt(controls.tol)
        stop = jnp.select(
            [
                (decrement * to_come <= controls.tol) | (foreseen < controls.reach),
                decrement <= floor,
                near & (stalled >= _STALLED_TURNS),
            ],
            [int(Stop.DECREMENT), int(Stop.ROUNDING), int(Stop.STALLED)],
            int(Stop.NONE),
        )
        # A score without curvature moves no coefficient, but that is no optimum either.
        blind = jnp.any((diagonal <= 0) & (moments.score != 0))
        stop = jnp.where(sound & ~starting & ~blind, stop, int(Stop.NONE)).astype(jnp.int32)

        cramped = jnp.where(decrement < 0.5 * state.best, 0, state.cramped)
        observed = state.at.observed
        singular = ~sound & ~observed & refuse
        status = jnp.select(
            [singular, stop > 0], [int(Status.SINGULAR), int(Status.CONVERGED)], int(Status.RUNNING)
        )
        # Indefinite observed information: see this point again with the expected one.
        slow = (ratio > _SLOW_RATIO) & (decrement < state.switch_below) & controls.adaptive
        next_observed = jnp.where(sound, observed | (slow & ~starting), False)
        retry_damped = ~sound & ~observed & ~refuse
        damping = jnp.where(
            retry_damped,
            jnp.maximum(10 * state.damping, _FIRST_DAMPING),
            jnp.where(state.damping > _FIRST_DAMPING / 10, state.damping / 10, 0.0),
        )
        secants = state.secants
        if secants is not None:
            known = secants.and_of(beta, moments.score, direction)
            secants = jax.tree.map(partial(jnp.where, starting), secants, known)
            direction = jnp.where(starting, direction, known.direction(factor))
        direction = jnp.where(sound, direction, jnp.zeros_like(direction))
        trial = jnp.where(sound, beta + direction, beta)
        # The sums of a start, damped, are wanted once more at the start itself.
        start = jnp.where(sound, 0, state.at.start).astype(jnp.int32)
        return state._replace(
            at=state.at._replace(beta=trial, observed=next_observed, start=start),
            beta=beta,
            loss=jnp.where(starting, jnp.inf, moments.loss),
            direction=direction,
            step=jnp.ones_like(state.step),
            decrement=jnp.where(sound & ~starting, decrement, jnp.inf),
            best=jnp.where(starting, state.best, jnp.minimum(state.best, decrement)),
            stalled=stalled.astype(jnp.int32),
            floor=floor,
            damping=damping,
            switch_below=jnp.where(sound | ~observed, state.switch_below, 0.1 * state.switch_below),
            halvings=jnp.zeros_like(state.halvings),
            cramped=cramped.astype(jnp.int32),
            status=status.astype(jnp.int32),
            stop=stop,
            kept=None if state.kept is None else self._keep(kept, decrement, ratio, controls),
            secants=secants,
        )

    def _factor(self, state: NewtonState, moments: Moments) -> KeptFactor:
        """The factor to step with: of these sums, or the kept one."""

        def fresh() -> tuple[Factor, jax.Array]:
            return factorise(moments.info, state.damping), diagonal_of(moments.info)

        if state.kept is None:
            return KeptFactor(*fresh(), jnp.zeros((), bool))
        kept = state.kept
        factor, diagonal = jax.lax.cond(kept.use, lambda: (kept.factor, kept.diagonal), fresh)
        return KeptFactor(factor, diagonal, kept.use)

    def _keep(
        self, kept: KeptFactor, decrement: jax.Array, ratio: jax.Array, controls: Controls
    ) -> KeptFactor:
        """Whether the next turn is to use the factor once more; a kept one must still serve."""
        serves = ~kept.use | (ratio < _LEAST_GAIN)
        near = decrement < controls.keep_within  # nan compares as False
        return kept._replace(use=near & serves & ~controls.adaptive)

    def _retreat(self, state: NewtonState, moments: Moments, controls: Controls) -> NewtonState:
        """From a rejected trial: halve the step, or give up."""
        step, direction = 0.5 * state.step, state.direction
        halvings = state.halvings + 1
        if state.secants is not None:
            # What earlier steps tell may be out of date: the information's own comes first.
            step = jnp.where(halvings == 1, 1.0, step)
            direction = jnp.where(halvings == 1, state.secants.plain, direction)
        unstarted = ~jnp.isfinite(state.loss)
        allowed = jnp.where(unstarted, _MOST_HALVINGS_UNSTARTED, _MOST_HALVINGS)
        outside = jnp.where(jnp.isfinite(moments.loss), 0, 1).astype(jnp.int32)
        cramped = state.cramped + outside
        exhausted = (halvings > allowed) | (state.at.start > 0) | (cramped >= _MOST_CRAMPED)
        # At the edge of a domain the decrement shrinks without an optimum: only a finite loss that
        # will not fall any more tells of the rounding floor.
        near = (state.decrement <= jnp.sqrt(controls.tol)) & jnp.isfinite(moments.loss)
        status = jnp.select(
            [exhausted & unstarted, exhausted & near, exhausted],
            [int(Status.NONFINITE), int(Status.CONVERGED), int(Status.STEP_FAILED)],
            int(Status.RUNNING),
        )
        return state._replace(
            at=state.at._replace(beta=state.beta + step * direction),
            direction=direction,
            step=step,
            halvings=halvings,
            invalid=state.invalid + outside,
            cramped=cramped,
            status=status.astype(jnp.int32),
            stop=jnp.where(exhausted & near, int(Stop.STALLED), int(Stop.NONE)).astype(jnp.int32),
        )

    def outcome(self, state: NewtonState) -> Outcome:
        """The accepted point; the correction is the Newton step already in hand there."""
        return outcome_of(state, state.direction, state.kept)
