"""Owns the search for an optimum inside a user's own compiled program.

The loop is that of every fit, and the attempts are those of a single fit, one after the other in
the program. What a host asks a linear programme (separation) or a QR (rank), the pivots of a matrix
decide here, on the safe side.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm._status import Status
from jaxglm.algebra import factorise, full_matrix, solve
from jaxglm.search._drive import Loop, run_loop
from jaxglm.search._separation import gram_of_told, grams_of_others, movement_of_others, stays
from jaxglm.search._settings import (
    AT_BETA,
    AT_COMMON_MEAN,
    AT_INITIAL_MEANS,
    Options,
    Settings,
)
from jaxglm.search._statistics import worse_than_null
from jaxglm.solvers import Newton, Outcome
from jaxglm.sources import Block, Tiles
from jaxglm.sums import (
    FinalSums,
    NullModel,
    Objective,
    Point,
    final_sums,
    full_moments,
    has_constant,
    null_model,
    penalised,
    totals,
    unit_gram,
)

# Starts, and whether the observed information comes first.
_WAYS = ((AT_INITIAL_MEANS, False), (AT_COMMON_MEAN, False), (AT_COMMON_MEAN, True))
# Rounding that hides more standard errors than this tells of a start out of all measure.
_MOST_HIDDEN = 1e-2
# A Newton step that moves a linear predictor by more than this ends at no optimum.
STILL = 1e-3
# Of inverse iteration: what keeps the factor from failing, in epsilons, and its turns.
_DAMPING, _ITERATIONS = 1e4, 3


class Ended(NamedTuple):
    """Where a search ended.

    Attributes
    ----------
    coef : [p]
    loss, decrement : float
    status, turns : int
    far, lost, edge : float
        See `FinalSums`.
    null : NullModel
        What the response lies about.
    """

    coef: Any
    loss: Any
    decrement: Any
    status: Any
    turns: Any
    far: Any
    lost: Any
    edge: Any
    null: NullModel


def searched(block: Block, objective: Objective, options: Options) -> Ended:
    """Search for the optimum of an objective on a traced block."""
    # Rows may be constants of the user's program, with which the compiler would begin to calculate.
    block = jax.lax.optimization_barrier(block)
    family, dtype, p = objective.family, np.dtype(block.rows.y.dtype), block.design.n_columns
    of = totals(block.rows, jnp)
    null = null_model(of, family, has_constant=has_constant(block), xp=jnp)
    settings = Settings(family, options, dtype, p, of, null, jnp)
    tiles = Tiles(jax.tree.map(lambda leaf: leaf[None], block))
    given: Any = jnp.asarray(jnp.zeros(p) if options.start is None else options.start, dtype)
    ways = _WAYS if options.start is None else ((AT_BETA, False), *_WAYS)
    starts: Any
    starts, observed = (jnp.array(part) for part in zip(*ways, strict=True))

    def attempt(way: jax.Array) -> tuple[Outcome, FinalSums]:
        loop = Loop(
            settings.point(given * (starts[way] == AT_BETA), starts[way], observed=observed[way]),
            settings.controls(reach=settings.tol),
            settings.null_model,
            solver=Newton(),
            final=final_sums,
        )
        return run_loop(tiles, objective, loop)

    def is_lost(way: jax.Array, outcome: Outcome, sums: FinalSums) -> Any:
        unresolved = (starts[way] == AT_BETA) & ~(outcome.floor < _MOST_HIDDEN)
        if objective.penalty is not None:
            return unresolved
        offset = of.has_offset
        worse = worse_than_null(family, sums, of.weight, null, has_offset=offset, xp=jnp)
        return unresolved | worse

    def going(so_far: tuple[jax.Array, jax.Array, Ended]) -> jax.Array:
        way, settled, _ = so_far
        return ~settled & (way < len(ways))

    def turn(so_far: tuple[jax.Array, jax.Array, Ended]) -> tuple[jax.Array, jax.Array, Ended]:
        way, _, best = so_far
        outcome, sums = attempt(way)
        lost = (outcome.status == int(Status.CONVERGED)) & is_lost(way, outcome, sums)
        status = jnp.where(lost, int(Status.STEP_FAILED), outcome.status).astype(jnp.int32)
        settled = (status == int(Status.CONVERGED)) | (status == int(Status.SINGULAR))
        found = best._replace(
            coef=outcome.settled(),
            loss=outcome.loss,
            decrement=outcome.decrement,
            status=status,
            far=sums.far,
            lost=sums.lost,
            edge=sums.edge,
        )
        better = settled | (way == 0) | ~(found.loss >= best.loss)
        best = jax.tree.map(lambda new, old: jnp.where(better, new, old), found, best)
        return way + 1, settled, best._replace(turns=best.turns + outcome.turns)

    zero, count = jnp.zeros((), dtype), jnp.zeros((), jnp.int32)
    nothing = Ended(
        given, zero, zero, count, count, far=zero, lost=zero, edge=zero, null=settings.null_model
    )
    _, _, found = jax.lax.while_loop(going, turn, (count, jnp.zeros((), bool), nothing))
    return found._replace(status=_judged(found, block, objective, settings.smallest_pivot))


def _judged(found: Ended, block: Block, objective: Objective, smallest: float) -> jax.Array:
    """The status, once rows whose means are at a limit or an edge have been looked at."""
    converged = found.status == int(Status.CONVERGED)

    def separated() -> jax.Array:
        # Only rows that have gone far take part in separation, along directions that the others do
        # not see. Where these rows are what the optimum rests on, they pull to either side, and a
        # Newton step from there is none; where they run off, it goes on as long as before.
        args = block, objective.family, found.coef, found.null
        others, squares = grams_of_others(*args)
        least = _least_seen(others, squares, objective)
        moves = movement_of_others(*args, least[:, None])[0, 0]
        unseen = ~_determine(others, squares, objective, smallest) & stays(moves, least.dtype)
        whole = _determine(unit_gram(block), squares, objective, smallest)
        return unseen & jnp.where(converged, _runs(found.coef, block, objective), whole)

    def flat() -> jax.Array:
        args = block, objective.family, found.coef, found.null
        told, squares = gram_of_told(*args)
        return ~_determine(told, squares, objective, smallest)

    def never() -> jax.Array:
        return jnp.zeros((), bool)

    finite = jnp.all(jnp.isfinite(found.coef))
    return jnp.select(
        [
            jnp.any(~(block.rows.weight >= 0)),
            jax.lax.cond((found.far > 0) & finite, separated, never),
            jax.lax.cond((found.lost > 0) & converged, flat, never),
            (found.edge > 0) & converged,
        ],
        [
            int(Status.INVALID),
            int(Status.SEPARATED),
            int(Status.STEP_FAILED),
            int(Status.BOUNDARY),
        ],
        found.status,
    ).astype(jnp.int32)


def _runs(coef: jax.Array, block: Block, objective: Objective) -> jax.Array:
    """Whether one more Newton step moves the linear predictor of some row."""
    at = Point(coef, observed=np.False_, start=0, center=None, barrier=0.0)
    sums = penalised(full_moments(block, objective.family, at), objective.penalty, coef)
    step = solve(factorise(sums.info, jnp.zeros((), coef.dtype)), sums.score)
    moved = jnp.where(block.rows.live, jnp.abs(block.design.matvec(step)), 0.0)
    return ~(jnp.max(moved) < STILL)  # nan compares as False


def _determine(gram: Any, squares: Any, objective: Objective, smallest: float) -> jax.Array:
    """Whether some rows and the penalty determine all coefficients.

    `gram` [p, p] is the Gram matrix of these rows, `squares` [p] its diagonal for all rows.
    """
    seen = _seen(gram, _unit(squares), objective)
    return factorise(seen, jnp.zeros((), seen.dtype)).pivot > smallest


def _least_seen(gram: Any, squares: Any, objective: Objective) -> jax.Array:
    """About the direction [p] that these rows and the penalty see least: inverse iteration."""
    unit = _unit(squares)
    seen = _seen(gram, unit, objective)
    factor = factorise(seen, jnp.asarray(_DAMPING * jnp.finfo(seen.dtype).eps, seen.dtype))
    direction = jnp.asarray(np.random.default_rng(0).normal(size=len(unit)), seen.dtype)
    for _ in range(_ITERATIONS):
        direction = solve(factor, direction)
        direction = direction / jnp.linalg.norm(direction)
    return direction / unit


def _unit(squares: Any) -> Any:
    """The lengths of columns, 1 for those without one."""
    return jnp.where(squares > 0, jnp.sqrt(squares), 1.0)


def _seen(gram: Any, unit: Any, objective: Objective) -> Any:
    """The Gram matrix in units of the columns, with what the penalty holds."""
    both = unit[:, None] * unit
    seen = gram / both
    if objective.penalty is not None:
        held = full_matrix(objective.penalty.added_to(jnp.zeros_like(gram))) / both
        largest = jnp.max(jnp.diagonal(held))
        # However small a penalty is, it bounds what it holds.
        seen = seen + held / jnp.where(largest > 0, largest, 1.0)
    return seen
