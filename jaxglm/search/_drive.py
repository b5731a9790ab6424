"""Owns the two drivers of one turn: a compiled loop for resident rows, a Python loop for others.

Others come part by part, or are those of a large fit, which the cores share. Both drivers ask for
the sums that a solver wants, add the penalty's part or take off the bias's, and tell the solver,
until it stops. The compiled loop costs one dispatch a fit, and is compiled anew for each family and
form of the rows; from Python the solver's half of a turn is compiled once for each number of
columns.
"""

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import numpy as np

from jaxglm._jax import fetched
from jaxglm._programs import program
from jaxglm._status import Status
from jaxglm._tracing import once, zeros_of
from jaxglm._tuning import tuning
from jaxglm.algebra import zero_information
from jaxglm.penalties import Penalty
from jaxglm.solvers import Bent, Controls, KeptFactor, Outcome, Solver, Wants
from jaxglm.sources import Resident, Source, Tiles, is_small
from jaxglm.sums import (
    Bias,
    Deviances,
    FinalSums,
    Moments,
    NullModel,
    Objective,
    Point,
    bias_score,
    deviances,
    diagonal_moments,
    full_moments,
    inverted,
    light_moments,
    penalised,
    with_sure_deviances,
)

Kernel = Callable[..., Any]


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Loop:
    """What a loop is made of, beside the rows and the objective.

    Attributes
    ----------
    at, controls, null : Point, Controls, NullModel
        Where to start, when to stop, and what the response lies about.
    kept : KeptFactor, Bent or None
        What the solver brings along from an earlier loop.
    solver : Solver
    kernel, final : callable
        Make the sums with the information matrix, and those at the end.
    """

    at: Point
    controls: Controls
    null: NullModel
    kept: KeptFactor | Bent | None = None
    solver: Solver = dataclasses.field(kw_only=True, metadata={"static": True})
    final: Kernel = dataclasses.field(kw_only=True, metadata={"static": True})
    kernel: Kernel = dataclasses.field(
        default=full_moments, kw_only=True, metadata={"static": True}
    )

    @property
    def kernels(self) -> dict[Wants, Kernel]:
        """What makes the sums that the solver may want."""
        return {
            Wants.INFORMATION: self.kernel,
            Wants.DIAGONAL: diagonal_moments,
            Wants.NOTHING: light_moments,
        }


def solve(source: Source, objective: Objective, loop: Loop) -> tuple[Outcome, FinalSums | None]:
    """Run a loop to its end, and make the sums that the statistics want there; on the host.

    The sums are None unless `controls.final`.
    """
    compiled = tuning().driver == "compiled"
    if compiled and isinstance(source, Resident) and not source.is_shared:
        outcome, sums = _compiled_loop(source.tiles, objective, loop)
    else:
        outcome, sums = _python_loop(source, objective, loop)
    outcome, sums = fetched((outcome, sums if loop.controls.final else None))
    if sums is None:
        return outcome, None

    def again() -> Deviances:
        beta = outcome.settled(np)
        return fetched(source.reduce(deviances, objective.family, beta, loop.null))

    return outcome, with_sure_deviances(sums, again)


def turn(
    state: Any,
    sums: Moments,
    bias: Bias | None,
    controls: Controls,
    penalty: Penalty | None,
    *,
    solver: Solver,
) -> Any:
    """One turn, once its sums over rows are made: the state after seeing them."""
    if bias is not None:
        sums = bias.off(sums)
    return solver.tell(state, penalised(sums, penalty, state.at.beta), controls)


def _bias(
    reduce: Callable[..., Any], objective: Objective, at: Point, info: Any, inverted: Kernel
) -> Bias | None:
    """The bias's part of the sums, in one more visit to the rows; None where it is not wanted."""
    phi = objective.reduced_at
    if phi is None:
        return None
    inverse = inverted(info)
    score = reduce(bias_score, objective.family, at, inverse.root, phi)
    return Bias(score, 0.5 * phi * inverse.log_determinant)


def run_loop(tiles: Tiles, objective: Objective, loop: Loop) -> tuple[Outcome, FinalSums]:
    """The loop inside a compiled program, and one pass where it ends."""
    family, penalty, solver = objective.family, objective.penalty, loop.solver
    design, dtype = tiles.block.design, loop.at.beta.dtype

    def with_its_sums(state: Any) -> Any:
        def sums(wants: Wants) -> Moments:
            return tiles.reduce(loop.kernels[wants], family, state.at)

        wants = solver.wants(state)
        if isinstance(wants, Wants):
            found = sums(wants)
        else:
            nothing = zero_information(design.n_columns, design.n_eliminated, dtype)
            found = jax.lax.cond(
                wants == int(Wants.NOTHING),
                lambda: sums(Wants.NOTHING)._replace(info=nothing),
                lambda: sums(Wants.INFORMATION),
            )
        bias = _bias(tiles.reduce, objective, state.at, found.info, inverted)
        return turn(state, found, bias, loop.controls, penalty, solver=solver)

    def running(state: Any) -> jax.Array:
        return state.status == int(Status.RUNNING)

    start = solver.init(loop.at, loop.kept)
    outcome = solver.outcome(jax.lax.while_loop(running, with_its_sums, start))

    @once
    def last_pass(beta: jax.Array) -> FinalSums:
        return penalised(tiles.reduce(loop.final, family, beta, loop.null), penalty, beta)

    if tiles.count == 1:  # no sample is taken of one tile, so the sums are wanted
        return outcome, last_pass(outcome.settled())
    return outcome, jax.lax.cond(
        loop.controls.final, last_pass, partial(zeros_of, last_pass), outcome.settled()
    )


_compiled_loop = program(quick=is_small)(run_loop)
_turn = program(quick=True, static_argnames=("solver",))(turn)
_inverted = program(quick=True)(inverted)


@program(quick=True, static_argnames=("solver",))
def _begun(at: Point, kept: KeptFactor | None, *, solver: Solver) -> Any:
    return solver.init(at, kept)


def _python_loop(
    source: Source, objective: Objective, loop: Loop
) -> tuple[Outcome, FinalSums | None]:
    family, penalty, solver = objective.family, objective.penalty, loop.solver
    state = _begun(loop.at, loop.kept, solver=solver)
    while int(state.status) == int(Status.RUNNING):
        wants = Wants(int(solver.wants(state)))
        sums = source.reduce(loop.kernels[wants], family, state.at)
        if wants is Wants.NOTHING:
            columns, eliminated = source.design.n_columns, source.design.n_eliminated
            sums = sums._replace(info=zero_information(columns, eliminated, source.dtype))
        bias = _bias(source.reduce, objective, state.at, sums.info, _inverted)
        state = _turn(state, sums, bias, loop.controls, penalty, solver=solver)
    outcome = fetched(solver.outcome(state))
    if not loop.controls.final:
        return outcome, None
    beta = outcome.settled(np)
    return outcome, penalised(source.reduce(loop.final, family, beta, loop.null), penalty, beta)
