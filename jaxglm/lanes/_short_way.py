"""Owns the short way of many fits: one elementwise program, segments side by side as its lanes.

Scoring steps without a look back. A lane that needs more (a shorter step, the observed
information, a decision on rank) says so, and another round fits it. All arrays end with the axis of
lanes, so that a number of each of several segments stands in one register, and nothing but
elementwise operations and loops is in the program: it is compiled as one piece.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm._programs import program
from jaxglm._record import zeros_of
from jaxglm._status import Status
from jaxglm.algebra import Triangle, factorise_lanes
from jaxglm.families import Family
from jaxglm.lanes._packing import Packing
from jaxglm.lanes._sums import LaneSums
from jaxglm.lanes._workers import shared_out
from jaxglm.rows import Replicas, Segments
from jaxglm.search import Options
from jaxglm.search._settings import AT_BETA, Settings
from jaxglm.search._short_way import MORE_LEFT
from jaxglm.search._statistics import statistics
from jaxglm.solvers import Controls, Outcome, Stop, dispersion, not_worse, rounding_floor
from jaxglm.sources import Block, Tiles
from jaxglm.sums import (
    FinalSums,
    NullModel,
    Objective,
    Point,
    Totals,
    full_moments,
    lean_description,
    log_likelihood,
    null_model,
    totals,
)

# From so many turns on, a step that does not halve the distance is left to another round.
_TURNS_TO_SETTLE = 4


class ShortOptions(NamedTuple):
    """What is the same in all lanes.

    Attributes
    ----------
    beta : [p]
        Coefficients to start from, where a start was given.
    tol : float
        See `Controls`; a lane ends where its exact sums leave not much more than that, which the
        step from there takes away.
    max_turns : int
    largest_offset : float
        Of all lanes.
    """

    beta: Any
    tol: Any
    max_turns: Any
    largest_offset: Any


class LaneGiven(NamedTuple):
    """What differs from lane to lane.

    Attributes
    ----------
    shift : [W]
        Of the null model where that took a fit; see `NullModel`.
    keep : [p, W] bool
        Columns that take part.
    """

    shift: Any
    keep: Any


class LaneRows(NamedTuple):
    """The rows of W lanes.

    Attributes
    ----------
    tiles : Tiles
    joint : bool
        All lanes hold rows of one segment, whose sums are those of all lanes.
    """

    tiles: Tiles
    joint: Any

    def reduce(self, kernel: Callable[..., Any], *params: Any) -> Any:
        """The sums of a kernel, lane by lane."""
        return self._joined(self.tiles.reduce(kernel, *params))

    def totals(self, largest_offset: Any) -> tuple[Totals, jax.Array]:
        """Of the rows, about an offset that all lanes share; and X'X's diagonal, [p, W]."""

        def kernel(block: Block) -> tuple[list[jax.Array], jax.Array]:
            own, dtype = totals(block.rows, jnp), block.rows.y.dtype
            own = own._replace(relative=own.relative * jnp.exp(own.largest - largest_offset))
            sums = [jnp.asarray(getattr(own, name), dtype) for name in _SUMMED]
            shape = own.weight.shape
            squares = block.design.gram_diagonal(block.rows.live.astype(dtype))
            return [jnp.broadcast_to(value, shape) for value in sums], squares

        sums, squares = self.reduce(kernel)
        has_offset = self.tiles.block.rows.offset is not None
        of = dict(zip(_SUMMED, sums, strict=True))
        return Totals(**of, largest=largest_offset, has_offset=has_offset), squares

    def constant_columns(self) -> jax.Array:
        """Columns that are constant in the rows that count, and not zero: [p, W] bool."""
        p, _, lanes = self.tiles.block.design.values.shape[1:]
        ends = jnp.full((p, lanes), jnp.inf, self.tiles.dtype)

        def widened(known: tuple[jax.Array, jax.Array], block: Block) -> tuple[Any, Any]:
            lowest, highest = known
            for t, live in enumerate(block.rows.live):
                x = block.design.values[:, t].astype(lowest.dtype)
                lowest = jnp.where(live, jnp.minimum(lowest, x), lowest)
                highest = jnp.where(live, jnp.maximum(highest, x), highest)
            return lowest, highest

        lowest, highest = self.tiles.fold(widened, (ends, -ends))
        lowest = self._joined(lowest, jnp.minimum)
        return (lowest == self._joined(highest, jnp.maximum)) & (lowest != 0)

    def _joined(self, values: Any, both: Callable[..., jax.Array] = jnp.add) -> Any:
        """The values of all lanes in each of them, where they are those of one segment."""
        lanes = jax.tree.leaves(values)[0].shape[-1]

        def with_lane(lane: jax.Array, known: Any) -> Any:
            own = jax.tree.map(
                partial(jax.lax.dynamic_slice_in_dim, start_index=lane, slice_size=1, axis=-1),
                values,
            )
            return jax.tree.map(both, known, own)

        first = jax.tree.map(lambda leaf: leaf[..., :1], values)
        count = jnp.where(self.joint, lanes, 1)
        together = jax.lax.fori_loop(1, count, with_lane, first)
        return jax.tree.map(partial(jnp.where, self.joint), together, values)


# The fields of `Totals` that are sums.
_SUMMED = ("rows", "nobs", "weight", "response", "size", "offset", "relative")


class _Sums(NamedTuple):
    """The fields of `Moments` that the loop looks at."""

    score: jax.Array
    info: Triangle
    pearson: jax.Array
    loss: jax.Array
    loss_size: jax.Array


class _State(NamedTuple):
    """The loop's carry: the sums at a point, the step from there, and how far that leads."""

    beta: jax.Array
    step: jax.Array
    sums: _Sums
    decrement: jax.Array
    turns: jax.Array
    status: jax.Array


def fit_lanes(
    rows: LaneRows,
    family: Family,
    own: LaneGiven,
    shared: ShortOptions,
    *,
    from_beta: bool,
    constant: bool,
) -> LaneSums:
    """The loops of W segments, and their statistics; as `fit_lane` makes those of one.

    `from_beta` says where they start; `constant` that all have an intercept.
    """
    dtype = rows.tiles.dtype
    of, squares = rows.totals(shared.largest_offset)
    keep = own.keep & (squares > 0)
    has_constant = jnp.any(keep if constant else rows.constant_columns(), axis=0)
    null = null_model(of, family, has_constant=has_constant, xp=jnp)
    null = null._replace(shift=jnp.where(jnp.isnan(null.shift), own.shift, null.shift))
    options = Options(tol=shared.tol, max_turns=shared.max_turns)
    settings = Settings(family, options, dtype, jnp.sum(keep, axis=0), of, null, jnp)
    controls, null = settings.controls(), settings.null_model
    lift = jnp.zeros_like(null.inside) if from_beta else family.link.link(null.inside)

    nothing = jnp.zeros_like(null.inside)

    def sums_at(beta: jax.Array, first: jax.Array) -> _Sums:
        at = Point(beta, np.bool_(False), AT_BETA, null.inside, 0.0, jnp.where(first, lift, 0.0))
        sums = rows.reduce(full_moments, family, at)
        score, info = jnp.where(keep, sums.score, 0.0), sums.info.regular(keep)
        sums = _Sums(score, info, sums.pearson, sums.loss, sums.loss_size)
        # What a loop does not look at is not computed.
        if family.dispersion_fixed:
            sums = sums._replace(pearson=nothing)
        if family.canonical:
            sums = sums._replace(loss=nothing, loss_size=nothing)
        return sums

    def running(state: _State) -> jax.Array:
        return jnp.any(state.status == int(Status.RUNNING))

    def turn(state: _State) -> _State:
        beta = state.beta + state.step
        starting = (state.turns == 0) & ~from_beta
        sums = sums_at(beta, starting)
        new = _advance(state, beta, sums, family, controls, starting)
        on = state.status == int(Status.RUNNING)
        return jax.tree.map(lambda a, b: jnp.where(on, a, b), new, state)

    beta = jnp.where(keep, shared.beta[:, None], 0.0).astype(dtype)
    state = jax.lax.while_loop(running, turn, _begun(beta, zeros_of(sums_at, beta, True)))
    return _ended(rows, family, settings, controls, state, keep, has_constant)


def _begun(beta: jax.Array, sums: _Sums) -> _State:
    lanes = beta.shape[-1:]
    return _State(
        beta=beta,
        step=jnp.zeros_like(beta),
        sums=sums._replace(loss=jnp.full_like(sums.loss, jnp.inf)),
        decrement=jnp.full(lanes, jnp.inf, beta.dtype),
        turns=jnp.zeros(lanes, jnp.int32),
        status=jnp.full(lanes, int(Status.RUNNING), jnp.int32),
    )


def _advance(
    state: _State,
    beta: jax.Array,
    sums: _Sums,
    family: Family,
    controls: Controls,
    starting: jax.Array,
) -> _State:
    """The state at the point where the sums were made; the last one when the step hardly moves."""
    factor = factorise_lanes(sums.info)
    step = -factor.solve(sums.score)
    squared = -jnp.sum(sums.score * step, axis=0)
    decrement = jnp.where(starting, jnp.inf, jnp.sqrt(squared) / _unit(sums, controls))
    sound = (factor.pivot > controls.smallest_pivot) & jnp.isfinite(squared) & (squared >= 0)
    known = jnp.isfinite(state.decrement)
    slow = known & (decrement > 0.5 * state.decrement) & (state.turns >= _TURNS_TO_SETTLE)
    ended = decrement <= MORE_LEFT * controls.tol
    singular = ~(factor.pivot > controls.smallest_pivot) & jnp.isfinite(jnp.sum(sums.score, axis=0))
    lost = ~sound | (slow & ~ended)
    # A convex loss falls along with the distance.
    if not family.canonical:
        lost |= ~starting & ~not_worse(sums, state.sums.loss)
        loss = jnp.where(starting, jnp.inf, sums.loss)
        sums = sums._replace(loss=loss)
    turns = state.turns + 1
    status = jnp.select(
        [singular, lost, ended, turns >= controls.max_turns],
        [
            int(Status.SINGULAR),
            int(Status.STEP_FAILED),
            int(Status.CONVERGED),
            int(Status.MAX_TURNS),
        ],
        int(Status.RUNNING),
    )
    step = jnp.where(sound, step, 0.0)
    return _State(beta, step, sums, decrement, turns, status.astype(jnp.int32))


def _unit(sums: Any, controls: Controls) -> jax.Array:
    """The standard deviation that a distance is measured by."""
    deviation = jnp.sqrt(dispersion(sums, controls))
    return jnp.where(deviation > 0, deviation, 1.0)


def _ended(
    rows: LaneRows,
    family: Family,
    settings: Settings,
    controls: Controls,
    state: _State,
    keep: jax.Array,
    has_constant: jax.Array,
) -> LaneSums:
    """The record of where the loops ended."""
    null, of, info = settings.null_model, settings.of, state.sums.info
    beta = state.beta + jnp.where(state.status == int(Status.CONVERGED), state.step, 0.0)
    at = Point(beta, np.bool_(False), AT_BETA, null.inside, 0.0)
    described = rows.reduce(lean_description, family, at, null)
    sums = FinalSums(
        pearson=described.pearson,
        score=state.sums.score,
        info=info.full(),
        **described.limits._asdict(),
        **described.deviances._asdict(),
    )

    def likelihoods(scales: tuple[Any, Any]) -> tuple[Any, Any]:
        return rows.reduce(_likelihoods, family, beta, null, scales)

    found = statistics(
        family,
        sums,
        likelihoods,
        nobs=of.nobs,
        weight_sum=of.weight,
        parameters=settings.n_columns,
        has_constant=has_constant,
        xp=jnp,
    )
    lanes = state.status.shape
    floor = 2 * rounding_floor(described, info.diagonal, beta) / _unit(described, controls)
    outcome = Outcome(
        beta=state.beta,
        correction=state.step,
        loss=described.loss,
        decrement=state.decrement,
        floor=floor,
        turns=state.turns,
        status=state.status,
        stop=jnp.full(lanes, int(Stop.DECREMENT), jnp.int32),
        observed=jnp.zeros(lanes, bool),
        invalid=jnp.zeros(lanes, jnp.int32),
    )
    root = factorise_lanes(info).inverse_root()
    return LaneSums(
        outcome=outcome,
        sums=sums,
        null=null,
        statistics=jax.tree.map(
            lambda value: jnp.broadcast_to(jnp.asarray(value, beta.dtype), lanes), found
        ),
        decrement=state.decrement,
        root=root * keep[:, None],
        keep=keep,
    )


def _likelihoods(
    block: Block, family: Family, beta: jax.Array, null: NullModel, scales: tuple[Any, Any]
) -> tuple[jax.Array, jax.Array]:
    fitted = family.link.inverse(block.linear_predictor(beta))
    return (
        log_likelihood(block, family, fitted, scales[0]),
        log_likelihood(block, family, null.means(block, family), scales[1]),
    )


def over_blocks(
    block: Block,
    first: Any,
    joint: Any,
    own: LaneGiven,
    used: Any,
    family: Family,
    shared: ShortOptions,
    *,
    from_beta: bool,
    constant: bool,
) -> LaneSums:
    """`fit_lanes` of the `used` first blocks; zeros for the others.

    Parameters
    ----------
    block : Block
        Leaves lead with an axis of tiles.
    first : [blocks + 1] int
        The first tile of each block.
    joint : [blocks] bool
    own : LaneGiven
        Leaves lead with an axis of blocks.
    """

    def at(i: Any) -> LaneSums:
        start, end, together = _at(first, i), _at(first, i + 1), _at(joint, i)
        rows = LaneRows(Tiles(block, first=start, live=end - start), together)
        each = jax.tree.map(lambda leaf: _at(leaf, i), own)
        return fit_lanes(rows, family, each, shared, from_beta=from_beta, constant=constant)

    def turn(i: Any, out: Any) -> Any:
        def put(filled: jax.Array, one: jax.Array) -> jax.Array:
            return jax.lax.dynamic_update_index_in_dim(filled, one, i, 0)

        return jax.tree.map(put, out, at(i))

    room = jax.tree.map(
        lambda leaf: jnp.zeros((joint.size, *leaf.shape), leaf.dtype), jax.eval_shape(at, used)
    )
    return jax.lax.fori_loop(0, used, turn, room)


def _at(values: Any, i: Any) -> Any:
    return jax.lax.dynamic_index_in_dim(values, i, 0, keepdims=False)


_over_blocks = program(one_piece=True, static_argnames=("from_beta", "constant"))(over_blocks)


# More columns take long to compile, and are as well served by products of matrices.
_MOST_COLUMNS = 24


def serves(segments: Segments | Replicas, objective: Objective, options: Options) -> bool:
    """Whether fits may take the short way: those of segments may.

    Not with families from elsewhere: XLA ends the process where an operation has no place in a
    program of this kind.
    """
    family = objective.family
    ours = all(type(part).__module__.startswith("jaxglm.") for part in (family, family.link))
    plain = objective.penalty is None and objective.reduced_at is None
    narrow = segments.problem.n_columns <= _MOST_COLUMNS
    return isinstance(segments, Segments) and ours and plain and narrow and options.method == "irls"


def short_way(
    packing: Packing,
    family: Family,
    own: LaneGiven,
    shared: ShortOptions,
    *,
    from_beta: bool,
) -> Iterator[tuple[np.ndarray, LaneSums]]:
    """The fits of the segments of a packing, or where they came to rest.

    Parameters
    ----------
    packing : Packing
    family : Family
        With all its parameters.
    own : LaneGiven
        Leaves have a leading axis of k, and none of lanes.
    shared : ShortOptions
    from_beta : bool
        Whether they start from the coefficients there.

    Yields
    ------
    some : [m] int
        Positions among the segments packed, in any order; each comes once.
    found : LaneSums
        On the host; leaves have a leading axis of m.
    """
    problem = packing.segments.problem
    constant = problem.constant is not None

    def run(call: slice) -> tuple[np.ndarray, LaneSums]:
        block, first = packing.cut(call)
        joint = packing.of_blocks(call, packing.joint)
        each = jax.tree.map(partial(packing.of_lanes, call), own)
        used = np.int32(call.stop - call.start)
        which = {"from_beta": from_beta, "constant": constant}
        found = _over_blocks(block, first, joint, each, used, family, shared, **which)
        return packing.of_call(call, jax.device_get(found))

    calls = list(packing.calls())
    return shared_out(run, (calls[:1], calls[1:]), double=problem.dtype == np.float64)
