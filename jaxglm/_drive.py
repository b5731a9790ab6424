"""Owns the only loops: ask a source for sums, tell a solver, until it stops.

Imports solvers, sources and the kernels' module; knows neither rows nor algebra.
"""

import functools
from collections.abc import Callable

import jax

from jaxglm._moments import Moments
from jaxglm._rowwise import Point
from jaxglm._status import Status
from jaxglm.families import Family
from jaxglm.solvers import Controls, Outcome, Solver
from jaxglm.sources import Resident


@functools.partial(jax.jit, static_argnames=("solver", "kernel"))
def on_device(
    source: Resident,
    family: Family,
    at: Point,
    controls: Controls,
    *,
    solver: Solver,
    kernel: Callable[..., Moments],
) -> Outcome:
    """Run the whole loop as one compiled program; `kernel` makes the sums that `solver` wants."""

    def turn(state):
        return solver.tell(state, source.reduce(kernel, family, state.at), controls)

    def running(state):
        return state.status == int(Status.RUNNING)

    return solver.outcome(jax.lax.while_loop(running, turn, solver.init(at)))


@functools.partial(jax.jit, static_argnames=("kernel",))
def one_pass(source: Resident, *params, kernel: Callable):
    """One visit to the rows: the sum of a kernel over the blocks of a source."""
    return source.reduce(kernel, *params)


@functools.partial(jax.jit, static_argnames=("function",))
def each_row(source: Resident, *params, function: Callable) -> jax.Array:
    """One value (or vector) per row, padding included."""
    return source.map(function, *params)
