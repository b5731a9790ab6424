"""Owns the short way of many fits: which fits take it, its program, and the calls of that."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm._programs import program
from jaxglm.families import Family
from jaxglm.lanes._lane_rows import LaneRows
from jaxglm.lanes._packing import Packing
from jaxglm.lanes._short_loop import LaneGiven, ShortOptions, fit_lanes
from jaxglm.lanes._sums import LaneSums
from jaxglm.lanes._workers import shared_out
from jaxglm.rows import Replicas, Segments
from jaxglm.search import Options
from jaxglm.sources import Block, Tiles
from jaxglm.sums import Objective


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
