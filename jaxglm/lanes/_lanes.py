"""Owns the compiled programs that work on many segments at once, a lane each.

The loop in a lane is that of a single fit.

Segments of similar length share a program: rows are padded to a common size with weight 0. A
program works through blocks of lanes, each of which stops by itself, so that a lane that needs many
turns keeps no more than its block waiting.
"""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm._programs import program
from jaxglm._tuning import tuning
from jaxglm.algebra import Factor, Root, factorise, inverse_root, solve, trace_with
from jaxglm.designs import Masked
from jaxglm.lanes._buckets import call_shape, padded_sizes
from jaxglm.lanes._sums import LaneSums
from jaxglm.lanes._workers import shared_out, workers
from jaxglm.rows import Replicas, Segments
from jaxglm.search import Options
from jaxglm.search._drive import Loop, run_loop
from jaxglm.search._settings import AT_BETA, Settings
from jaxglm.search._statistics import likelihoods_of_rows, statistics
from jaxglm.solvers import Newton, Outcome
from jaxglm.sources import Block, Tiles
from jaxglm.sums import (
    FinalSums,
    Objective,
    bias_score,
    final_sums,
    has_constant,
    null_model,
    totals,
)


class LaneInput(NamedTuple):
    """What a fit in a lane starts from.

    Attributes
    ----------
    beta : [p]
        Coefficients to start from, where `LaneOptions.start` says so.
    keep : [p] bool
        Columns that take part.
    shift : float
        Of the null model where that took a fit; see `NullModel`.
    """

    beta: Any
    keep: Any
    shift: Any


class LaneOptions(NamedTuple):
    """What is the same in all lanes: fields of `Point` and `Controls`."""

    start: Any
    observed: Any
    tol: Any
    max_turns: Any


def fit_lane(block: Block, objective: Objective, own: LaneInput, shared: LaneOptions) -> LaneSums:
    """The loop of one segment, and its statistics."""
    family, penalty = objective.family, objective.penalty
    dtype = block.rows.y.dtype
    seen = (block.design.dense(dtype) != 0) & block.rows.live[:, None]
    present = jnp.any(seen, axis=0)
    keep = own.keep & (present if penalty is None else present | penalty.holds())
    rank = jnp.sum(keep)
    rows = masked(block, keep)
    constant = has_constant(block)
    of = totals(block.rows, jnp)
    null = null_model(of, family, has_constant=constant, xp=jnp)
    null = null._replace(shift=jnp.where(jnp.isnan(null.shift), own.shift, null.shift))
    if penalty is not None:
        penalty = penalty.where(keep).beside(of.weight)
    reduced_at = objective.reduced_at
    objective = Objective(family, penalty, reduced_at)
    options = Options(tol=shared.tol, max_turns=shared.max_turns)
    settings = Settings(family, options, dtype, rank, of, null, jnp, reduced_at)
    outcome, sums = loop_in_lane(rows, objective, settings, own.beta * keep, shared, final_sums)
    factor = factorise(sums.info, jnp.zeros((), dtype))
    root = inverse_root(factor).dense * keep[:, None]
    if reduced_at is not None:
        there = settings.point(outcome.settled(), AT_BETA)
        bias = bias_score(rows, family, there, Root(root, jnp.zeros(root.shape[0])), reduced_at)
        sums = sums._replace(score=sums.score - bias)
    held: Any = 0
    if penalty is not None:
        p = sums.score.size
        matrix = penalty.added_to(jnp.zeros((p, p), dtype))
        held = trace_with(matrix, Root(root, jnp.zeros(p, dtype)))

    def likelihoods(scales: tuple[Any, Any]) -> tuple[Any, Any]:
        return likelihoods_of_rows(rows, family, outcome.settled(), settings.null_model, scales)

    found = statistics(
        family,
        sums,
        likelihoods,
        nobs=of.nobs,
        weight_sum=of.weight,
        parameters=rank - held,
        has_constant=constant,
        xp=jnp,
    )
    return LaneSums(
        outcome=outcome,
        sums=sums,
        null=settings.null_model,
        statistics=jax.tree.map(lambda value: jnp.asarray(value, dtype), found),
        decrement=_distance(settings, sums, factor, found.df_resid),
        root=root,
        keep=keep,
    )


def loop_in_lane(
    rows: Block,
    objective: Objective,
    settings: Settings,
    beta: Any,
    shared: LaneOptions,
    final: Callable[..., FinalSums],
) -> tuple[Outcome, FinalSums]:
    """The loop over masked rows, and the sums that `final` makes where it ends."""
    loop = Loop(
        settings.point(beta, shared.start, observed=shared.observed),
        settings.controls(reach=settings.tol),
        settings.null_model,
        solver=_newton(objective),
        final=final,
    )
    return run_loop(Tiles(jax.tree.map(lambda leaf: leaf[None], rows)), objective, loop)


def _newton(objective: Objective) -> Newton:
    """The solver of a lane, as `Search` chooses it."""
    if objective.reduced_at is None:
        return Newton()
    return Newton(secant=True, by_loss=objective.family.canonical)


def _distance(settings: Settings, sums: FinalSums, factor: Factor, df: Any) -> Any:
    """The Newton decrement of the exact sums."""
    squared = jnp.maximum(jnp.dot(sums.score, solve(factor, sums.score)), 0.0)
    if settings.family.dispersion_fixed:
        return jnp.sqrt(squared / settings.fixed_dispersion)
    scale = sums.pearson / jnp.maximum(df, 1.0)
    return jnp.sqrt(squared / jnp.where(scale > 0, scale, 1.0))


def masked(block: Block, keep: Any) -> Block:
    """The block with dense columns, of which those take part where `keep` ([p]) holds."""
    values = block.design.dense(block.rows.y.dtype)
    return dataclasses.replace(block, design=Masked.of(values, keep))


class _Call(NamedTuple):
    """Some segments of one size, by their places, in so many blocks of so many lanes."""

    places: np.ndarray
    size: int
    shape: tuple[int, int]

    @property
    def padded(self) -> np.ndarray:
        """A place for each lane; the first one stands in for those that are missing."""
        missing = self.shape[0] * self.shape[1] - self.places.size
        return np.append(self.places, np.full(missing, self.places[0]))


def _over_blocks(
    blocks: Block,
    common: Block | None,
    used: Any,
    objective: Objective,
    own: Any,
    shared: Any,
    *,
    function: Callable,
) -> Any:
    """A function of every lane of the `used` first blocks; zeros for the others.

    The leaves of what goes in and out lead with axes [blocks, lanes]. What the blocks leave out is
    `common` to all lanes.
    """
    lanes = jax.vmap(lambda block, own: function(block.beside(common), objective, own, shared))

    def at(i: Any) -> Any:
        return lanes(*jax.tree.map(lambda leaf: leaf[i], (blocks, own)))

    def turn(i: Any, out: Any) -> Any:
        return jax.tree.map(lambda filled, one: filled.at[i].set(one), out, at(i))

    room = jax.tree.map(
        lambda leaf: jnp.zeros((blocks.rows.weight.shape[0], *leaf.shape), leaf.dtype),
        jax.eval_shape(at, 0),
    )
    return jax.lax.fori_loop(0, used, turn, room)


_on_few_lanes = program(quick=True, static_argnames=("function",))(_over_blocks)
_on_many_lanes = program(static_argnames=("function",))(_over_blocks)


@dataclasses.dataclass(frozen=True)
class Lanes:
    """Runs functions of segments, those of similar size in one program.

    Shapes and programs are chosen once, so that all rounds share them.

    Attributes
    ----------
    segments : Segments or Replicas
    objective : Objective
        What each minimises; the family has all its parameters.
    sizes : [s] int
        What segments are padded to, ascending.
    shapes : dict
        Blocks and lanes of a call on segments of each size.
    few : bool
        All rows take less than their programs take to compile.
    """

    segments: Segments | Replicas
    objective: Objective
    sizes: np.ndarray
    shapes: dict[int, tuple[int, int]]
    few: bool

    @classmethod
    def of(
        cls,
        segments: Segments | Replicas,
        objective: Objective,
        which: np.ndarray,
        max_memory: float,
    ) -> "Lanes":
        """Lanes for some segments, whose rows in work may take so many bytes."""
        rows = segments.sizes[which]
        sizes = padded_sizes(rows)
        counts = np.bincount(np.searchsorted(sizes, rows), minlength=sizes.size)
        shapes = {
            size: call_shape(
                size,
                segments.problem.n_columns,
                count,
                workers=workers(),
                most_numbers=max_memory / segments.problem.dtype.itemsize,
                accelerator=jax.default_backend() != "cpu",
            )
            for size, count in zip(sizes.tolist(), counts.tolist(), strict=True)
        }
        few = rows.sum() * segments.problem.n_columns <= tuning().small_cells
        return cls(segments, objective, sizes, shapes, bool(few))

    def size_of(self, which: np.ndarray) -> np.ndarray:
        """What each of some segments is padded to."""
        return self.sizes[np.searchsorted(self.sizes, self.segments.sizes[which])]

    def over(
        self, function: Callable, which: np.ndarray, own: Any, shared: Any = None
    ) -> Iterator[tuple[np.ndarray, Any]]:
        """`function(block, objective, own, shared)` of some segments.

        Parameters
        ----------
        function : callable
            Of a traced block, the objective, what differs from lane to lane and what does not; the
            same object at each call, for it names the program.
        which : [k] int
            The segments.
        own : pytree
            Leaves have a leading axis of k.
        shared : pytree, optional

        Yields
        ------
        some : [m] int
            Positions in `which`, in any order; each comes once.
        found : pytree
            What the function returned, on the host, with a leading axis of m.
        """
        dtype, common = self.segments.problem.dtype, {}
        on_lanes = _on_few_lanes if self.few else _on_many_lanes
        firsts, others = [], []
        sizes = self.size_of(which)
        for size in np.unique(sizes).tolist():
            places, shape = np.flatnonzero(sizes == size), self.shapes[size]
            step = shape[0] * shape[1]
            calls = [_Call(places[i : i + step], size, shape) for i in range(0, places.size, step)]
            firsts.append(calls[0])
            common[size] = self.segments.common(size)
            others.extend(calls[1:])

        def run(call: _Call) -> tuple[np.ndarray, Any]:
            lanes, count = call.padded, call.places.size
            block = self.segments.cut(which[lanes], count, call.size, call.shape)
            each = jax.tree.map(lambda leaf: leaf[lanes].reshape(*call.shape, *leaf.shape[1:]), own)
            used = np.int32(-(-count // call.shape[1]))
            found = on_lanes(
                block, common[call.size], used, self.objective, each, shared, function=function
            )
            return call.places, jax.tree.map(
                lambda leaf: leaf.reshape(-1, *leaf.shape[2:])[:count], jax.device_get(found)
            )

        # The first call of a shape compiles its program; different ones do so side by side.
        yield from shared_out(run, (firsts, others), double=dtype == np.float64)
