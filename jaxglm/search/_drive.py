"""Owns the two drivers of one turn: a compiled loop for resident rows, a Python loop for others.

Both ask for the sums that a solver wants, add the penalty's part, and tell the solver, until it
stops. The compiled loop costs one dispatch a fit, and is compiled anew for each family and form of
the rows; from Python the solver's half of a turn is compiled once for each number of columns.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import numpy as np

from jaxglm._programs import program
from jaxglm._record import zeros_of
from jaxglm._status import Status
from jaxglm._tuning import tuning
from jaxglm.algebra import zero_information
from jaxglm.penalties import Penalty
from jaxglm.solvers import Controls, KeptFactor, Outcome, Solver, Wants
from jaxglm.sources import Resident, Source, Tiles, is_small
from jaxglm.sums import (
    FinalSums,
    Moments,
    NullModel,
    Objective,
    Point,
    diagonal_moments,
    full_moments,
    light_moments,
    penalised,
)

Kernel = Callable[..., Any]


def solve(
    source: Source,
    objective: Objective,
    at: Point,
    controls: Controls,
    null: NullModel,
    kept: KeptFactor | None = None,
    *,
    solver: Solver,
    kernel: Kernel = full_moments,
    final: Kernel,
) -> tuple[Outcome, FinalSums | None]:
    """Run a loop to its end, and make the sums that the statistics want there; on the host.

    Parameters
    ----------
    source, objective, solver
        What to minimise, over which rows, and how.
    at, controls, null : Point, Controls, NullModel
        Where to start, when to stop, and what the response lies about.
    kept : KeptFactor, optional
        What the solver brings along from an earlier loop.
    kernel, final : callable
        Make the sums with the information matrix, and those at the end (None unless
        `controls.final`).
    """
    given = source, objective, at, controls, null, kept
    if isinstance(source, Resident) and tuning().driver == "compiled":
        outcome, sums = _compiled_loop(
            source.tiles, *given[1:], solver=solver, kernel=kernel, final=final
        )
    else:
        outcome, sums = _python_loop(*given, solver=solver, kernel=kernel, final=final)
    return jax.device_get((outcome, sums if controls.final else None))


def told(
    state: Any, sums: Moments, controls: Controls, penalty: Penalty | None, *, solver: Solver
) -> Any:
    """The p-sized half of a turn: the state after seeing the sums over rows at its trial point."""
    return solver.tell(state, penalised(sums, penalty, state.at.beta), controls)


def _kernels(kernel: Kernel) -> dict[Wants, Kernel]:
    return {
        Wants.INFORMATION: kernel,
        Wants.DIAGONAL: diagonal_moments,
        Wants.NOTHING: light_moments,
    }


def run_loop(
    tiles: Tiles,
    objective: Objective,
    at: Point,
    controls: Controls,
    null: NullModel,
    kept: KeptFactor | None = None,
    *,
    solver: Solver,
    kernel: Kernel,
    final: Kernel,
) -> tuple[Outcome, FinalSums]:
    """The loop inside a compiled program, and one pass where it ends; see `solve`."""
    family, design = objective.family, tiles.block.design
    kernels = _kernels(kernel)

    def turn(state: Any) -> Any:
        def sums(wants: Wants) -> Moments:
            return tiles.reduce(kernels[wants], family, state.at)

        wants = solver.wants(state)
        if isinstance(wants, Wants):
            found = sums(wants)
        else:
            nothing = zero_information(design.n_columns, design.n_eliminated, at.beta.dtype)
            found = jax.lax.cond(
                wants == int(Wants.NOTHING),
                lambda: sums(Wants.NOTHING)._replace(info=nothing),
                lambda: sums(Wants.INFORMATION),
            )
        return told(state, found, controls, objective.penalty, solver=solver)

    def running(state: Any) -> jax.Array:
        return state.status == int(Status.RUNNING)

    outcome = solver.outcome(jax.lax.while_loop(running, turn, solver.init(at, kept)))

    def last_pass(beta: jax.Array) -> FinalSums:
        return penalised(tiles.reduce(final, family, beta, null), objective.penalty, beta)

    if tiles.count == 1:  # no sample is taken of one tile, so the sums are wanted
        return outcome, last_pass(outcome.settled())
    return outcome, jax.lax.cond(
        controls.final, last_pass, partial(zeros_of, last_pass), outcome.settled()
    )


_compiled_loop = program(quick=is_small, static_argnames=("solver", "kernel", "final"))(run_loop)
_told = program(quick=True, static_argnames=("solver",))(told)


@program(quick=True, static_argnames=("solver",))
def _begun(at: Point, kept: KeptFactor | None, *, solver: Solver) -> Any:
    return solver.init(at, kept)


def _python_loop(
    source: Source,
    objective: Objective,
    at: Point,
    controls: Controls,
    null: NullModel,
    kept: KeptFactor | None,
    *,
    solver: Solver,
    kernel: Kernel,
    final: Kernel,
) -> tuple[Outcome, FinalSums | None]:
    family, kernels = objective.family, _kernels(kernel)
    state = _begun(at, kept, solver=solver)
    while int(state.status) == int(Status.RUNNING):
        wants = Wants(int(solver.wants(state)))
        sums = source.reduce(kernels[wants], family, state.at)
        if wants is Wants.NOTHING:
            columns, eliminated = source.design.n_columns, source.design.n_eliminated
            sums = sums._replace(info=zero_information(columns, eliminated, source.dtype))
        state = _told(state, sums, controls, objective.penalty, solver=solver)
    outcome = jax.device_get(solver.outcome(state))
    if not controls.final:
        return outcome, None
    beta = outcome.settled(np)
    return outcome, penalised(source.reduce(final, family, beta, null), objective.penalty, beta)
