"""Owns the only loops: ask a source for sums, tell a solver, until it stops."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax

from jaxglm._programs import program
from jaxglm._record import zeros_of
from jaxglm._status import Status
from jaxglm.families import Family
from jaxglm.solvers import Controls, Outcome, Solver
from jaxglm.sources import Resident
from jaxglm.sums import FinalSums, Middle, Moments, Point


def run_loop(
    source: Resident,
    family: Family,
    at: Point,
    controls: Controls,
    middle: Middle,
    kept: Any = None,
    *,
    solver: Solver,
    kernel: Callable[..., Moments],
    final: Callable[..., FinalSums],
) -> tuple[Outcome, FinalSums]:
    """Run the whole loop, and one pass where it ends.

    `kernel` makes the sums that `solver` wants, `final` those that the statistics want. `kept` is
    what a solver brings along from an earlier loop.
    """

    def turn(state):
        def sums(kernel: Callable[..., Moments]) -> Moments:
            return source.reduce(kernel, family, state.at)

        return solver.tell(state, solver.ask(state, sums, kernel), controls)

    def running(state):
        return state.status == int(Status.RUNNING)

    outcome = solver.outcome(jax.lax.while_loop(running, turn, solver.init(at, kept)))
    if source.n_tiles == 1:  # no sample is taken of one tile, so the sums are wanted
        return outcome, source.reduce(final, family, outcome.settled, middle)
    return outcome, jax.lax.cond(
        controls.final,
        lambda beta: source.reduce(final, family, beta, middle),
        lambda beta: zeros_of(partial(source.reduce, final, family), beta, middle),
        outcome.settled,
    )


on_device = program(static_argnames=("solver", "kernel", "final"))(run_loop)
