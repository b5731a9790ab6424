"""Owns the short way of many fits: which fits take it, its program, and the calls of that."""

import dataclasses
import functools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm._programs import piece, program
from jaxglm._tracing import once
from jaxglm.families import Family
from jaxglm.lanes._lane_rows import LaneRows
from jaxglm.lanes._packing import Layout, Packing
from jaxglm.lanes._short_loop import LaneGiven, Searched, ShortOptions, search
from jaxglm.lanes._short_record import described
from jaxglm.lanes._sums import LaneSums
from jaxglm.lanes._workers import shared_out, workers
from jaxglm.rows import Replicas, Segments
from jaxglm.search import Options
from jaxglm.search._settings import tolerance
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
    """The fits of the `used` first blocks; zeros for the others.

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
    blocks = joint.size

    def search_all(block, first, joint, own, used, family, shared):
        def one(i: Any) -> Searched:
            rows = _rows(block, first, joint, i)
            which = {"from_beta": from_beta, "constant": constant}
            return search(rows, family, _of(own, i), shared, **which)

        return _each(one, used, blocks)

    def describe_all(block, first, joint, searched, used, family):
        def one(i: Any) -> LaneSums:
            return described(_rows(block, first, joint, i), family, _of(searched, i))

        return _each(one, used, blocks)

    # Two pieces, for the time that they take to compile.
    searched = piece(search_all)(block, first, joint, own, used, family, shared)
    return piece(describe_all)(block, first, joint, searched, used, family)


def _rows(block: Block, first: Any, joint: Any, i: Any) -> LaneRows:
    """Those of a block of lanes."""
    start, end = _of(first, i), _of(first, i + 1)
    return LaneRows(Tiles(block, first=start, live=end - start), _of(joint, i))


def _each(function: Callable[[Any], Any], used: Any, blocks: int) -> Any:
    """A function of each of the `used` first blocks; zeros for the others."""
    function = once(function)

    def turn(i: Any, out: Any) -> Any:
        def put(filled: jax.Array, one: jax.Array) -> jax.Array:
            return jax.lax.dynamic_update_index_in_dim(filled, one, i, 0)

        return jax.tree.map(put, out, function(i))

    room = jax.tree.map(
        lambda leaf: jnp.zeros((blocks, *leaf.shape), leaf.dtype), jax.eval_shape(function, used)
    )
    return jax.lax.fori_loop(0, used, turn, room)


def _of(values: Any, i: Any) -> Any:
    """What there is of block i; leaves of `values` lead with an axis of blocks."""
    return jax.tree.map(
        lambda leaf: jax.lax.dynamic_index_in_dim(leaf, i, 0, keepdims=False), values
    )


_over_blocks = program(of_pieces=True, static_argnames=("from_beta", "constant"))(over_blocks)


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


@dataclasses.dataclass(frozen=True)
class ShortWay:
    """The fits of some segments from the same start.

    Attributes
    ----------
    segments : Segments
    family : Family
        As `LaneGiven` completes it.
    options : Options
    max_memory : float
        Bytes that the rows in work may take.
    max_turns : int
        Of those that the options allow.
    """

    segments: Segments
    family: Family
    options: Options
    max_memory: float
    max_turns: int

    @functools.cached_property
    def _layout(self) -> Layout:
        problem = self.segments.problem
        numbers = self.max_memory / problem.dtype.itemsize
        return Layout.of(problem.n_columns, numbers / workers())

    @property
    def most_rows(self) -> int:
        """Of a segment that can be fitted."""
        return self._layout.most_rows

    def job(self, which: np.ndarray, own: LaneGiven) -> "Job":
        """For `together`: segments, [k] int, and what is given for them; it leads with k."""
        options, problem = self.options, self.segments.problem
        start = np.zeros(problem.n_columns)
        if options.start is not None:
            start = options.start[problem.order]
        shared = ShortOptions(
            beta=start.astype(problem.dtype),
            tol=problem.dtype.type(tolerance(options, problem.dtype)),
            max_turns=np.int32(min(self.max_turns, options.max_turns)),
        )
        packing = Packing.of(self.segments, which, self._layout)
        return Job(packing, self.family, own, shared, options.start is not None)


class Job(NamedTuple):
    """What the program is called with, for all segments of a packing."""

    packing: Packing
    family: Family
    own: LaneGiven
    shared: ShortOptions
    from_beta: bool

    def run(self, call: slice) -> tuple[np.ndarray, LaneSums]:
        """The fits of a call, and the positions of their segments among those packed."""
        packing = self.packing
        block, first = packing.cut(call)
        joint = packing.of_blocks(call, packing.joint)
        each = jax.tree.map(functools.partial(packing.of_lanes, call), self.own)
        used = np.int32(call.stop - call.start)
        constant = packing.segments.problem.constant is not None
        which = {"from_beta": self.from_beta, "constant": constant}
        found = _over_blocks(block, first, joint, each, used, self.family, self.shared, **which)
        return packing.of_call(call, jax.device_get(found))


def together(*jobs: Job) -> Iterator[tuple[int, np.ndarray, LaneSums]]:
    """The fits of the segments of jobs, or where they came to rest.

    Yields
    ------
    job : int
        Its position.
    some : [m] int
        Positions among the segments of the job, in any order; each comes once.
    found : LaneSums
        On the host; leaves have a leading axis of m.
    """
    calls = [[(k, call) for call in job.packing.calls()] for k, job in enumerate(jobs)]

    def run(at: tuple[int, slice]) -> tuple[int, np.ndarray, LaneSums]:
        k, call = at
        return k, *jobs[k].run(call)

    # The first call of a job compiles its program; different ones do so side by side.
    firsts = [own[0] for own in calls if own]
    others = [call for own in calls for call in own[1:]]
    double = jobs[0].packing.segments.problem.dtype == np.float64
    return shared_out(run, (firsts, others), double=double)
