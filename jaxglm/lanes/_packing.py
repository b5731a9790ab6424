"""Owns how segments stand side by side: blocks of lanes, cut into tiles of a few rows each.

The segments of a block are of similar size, so that little is padding; a block visits its own
number of tiles, so that one program serves all sizes. A long segment is cut into as many pieces as
there are lanes, and has a block of its own.
"""

import dataclasses
import functools
from collections.abc import Iterator
from typing import Any, NamedTuple, Self

import jax
import numpy as np

from jaxglm.designs import InLanes, aligned_empty
from jaxglm.rows import Segments
from jaxglm.sources import Block

# Blocks of one call.
_MOST_BLOCKS = 64
# Numbers of a call: enough to make its overhead small, and few enough to share out evenly.
_CALL_NUMBERS = 1 << 20
# Rows that are brought together at a time.
_ROWS_TOGETHER = 1 << 12
# The largest blocks are so small a part of a call that they stay in a core's second cache.
_BLOCKS_OF_A_CALL = 4
# Numbers of a row beside its columns.
_SCRATCH = 3


class Layout(NamedTuple):
    """The shape of a call, the same for all sizes of segments.

    Attributes
    ----------
    rows, lanes : int
        Of a tile: T and W.
    tiles, blocks : int
        Of a call, at most.
    """

    rows: int
    lanes: int
    tiles: int
    blocks: int

    @classmethod
    def of(cls, columns: int, most_numbers: float) -> Self:
        """For segments of so many columns, and at most so many numbers in a call.

        The sums of a block stay in the first cache, and its rows in the second.
        """
        rows, lanes = (4, 32) if columns <= 6 else (4, 16)
        numbers = min(_CALL_NUMBERS, most_numbers)
        tiles = max(int(numbers / (rows * lanes * (columns + _SCRATCH))), 1)
        return cls(rows, lanes, tiles, _MOST_BLOCKS)

    @property
    def long(self) -> int:
        """A segment of more rows has a block of its own."""
        return self.tiles * self.rows // _BLOCKS_OF_A_CALL

    @property
    def most_rows(self) -> int:
        """Of a segment that one call takes."""
        return self.tiles * self.rows * self.lanes


@dataclasses.dataclass(frozen=True)
class Packing:
    """Some segments in blocks of lanes.

    Attributes
    ----------
    segments : Segments
    layout : Layout
    place : [blocks, W] int
        The position of each lane's segment among those packed; -1 for a lane without one.
    first, size : [blocks, W] int
        Where the lane's rows start in the order of the segments, and how many there are.
    joint : [blocks] bool
        Blocks whose lanes hold pieces of one segment.
    """

    segments: Segments
    layout: Layout
    place: np.ndarray
    first: np.ndarray
    size: np.ndarray
    joint: np.ndarray

    @classmethod
    def of(cls, segments: Segments, which: np.ndarray, layout: Layout) -> Self:
        """Of segments, [k] int, of at most `layout.most_rows` rows each."""
        lanes, sizes = layout.lanes, segments.sizes[which]
        by_size = np.argsort(sizes, kind="stable")
        long = sizes[by_size] > layout.long
        short, long = by_size[~long], by_size[long]
        place = np.full(-(-short.size // lanes) * lanes, -1)
        place[: short.size] = short
        place = np.concatenate([place.reshape(-1, lanes), np.repeat(long[:, None], lanes, axis=1)])
        size = np.where(place >= 0, sizes[place], 0)
        first = segments.starts[:-1][which][place]
        joint = np.arange(len(place)) >= len(place) - long.size
        piece = -(-size[joint] // lanes)
        begin = piece * np.arange(lanes)
        left = np.clip(size[joint] - begin, 0, piece)
        first[joint] += np.where(left > 0, begin, 0)
        size[joint] = left
        return cls(segments, layout, place, first, size, joint)

    @functools.cached_property
    def unit_weights(self) -> bool:
        """Whether all rows have weight 1."""
        return bool((self.segments.problem.rows.weight == 1.0).all())

    @functools.cached_property
    def tiles(self) -> np.ndarray:
        """Of each block, [blocks]."""
        return -(-self.size.max(axis=1) // self.layout.rows)

    def calls(self) -> Iterator[slice]:
        """Runs of blocks that fit into a call."""
        ends, start = np.cumsum(self.tiles), 0
        while start < ends.size:
            before = ends[start - 1] if start else 0
            stop = int(np.searchsorted(ends, before + self.layout.tiles, side="right"))
            stop = min(stop, start + self.layout.blocks)
            yield slice(start, stop)
            start = stop

    def cut(self, call: slice) -> tuple[Block, np.ndarray]:
        """The rows of a call, with leading axes [tiles], and the first tile of each block."""
        rows, lanes, most, blocks = self.layout
        tiles = self.tiles[call]
        first = np.zeros(blocks + 1, np.int32)
        first[1 : tiles.size + 1] = np.cumsum(tiles)
        used = first[tiles.size]
        first[tiles.size + 1 :] = used
        block = np.repeat(np.arange(call.start, call.start + tiles.size), tiles)
        step = rows * (np.arange(used) - first[block - call.start])
        row = step[:, None] + np.arange(rows)
        inside = row[..., None] < self.size[block][:, None]
        begin = self.first[block][:, None]
        flat = self.segments.at(np.where(inside, begin + row[..., None], begin).ravel())
        problem, shape = self.segments.problem, (used, rows, lanes)

        def laid(values: np.ndarray) -> np.ndarray:
            room = aligned_empty((most, *values.shape[1:]), problem.dtype)
            room[:used] = values
            return room

        x = aligned_empty((most, problem.n_columns, rows, lanes), problem.dtype)
        # A few at a time: rows are brought together, and taken apart into columns in the cache.
        step = max(_ROWS_TOGETHER // (rows * lanes), 1)
        for start in range(0, used, step):
            some = x[start : min(start + step, used)]
            own = flat[start * rows * lanes :][: len(some) * rows * lanes]
            for j, column in enumerate(problem.design.columns_at(own)):
                some[:, j] = column.reshape(-1, rows, lanes)
        given = problem.rows
        vectors = dataclasses.replace(given, weight=None, cluster=None).take(flat)
        weight = inside if self.unit_weights else np.where(inside.ravel(), given.weight[flat], 0.0)
        vectors = dataclasses.replace(vectors, weight=weight)
        filled = np.arange(most) < used
        return Block(InLanes(x, filled), vectors.each(lambda _, v: laid(v.reshape(shape)))), first

    def of_blocks(self, call: slice, values: np.ndarray) -> np.ndarray:
        """What there is of each block, [all blocks, ...], for a call; zeros for those missing."""
        own = values[call]
        room = np.zeros((self.layout.blocks, *own.shape[1:]), own.dtype)
        room[: len(own)] = own
        return room

    def of_lanes(self, call: slice, values: np.ndarray) -> np.ndarray:
        """What there is of each segment packed, [k, ...], in lanes: [blocks, ..., W]."""
        return self.of_blocks(call, np.moveaxis(values[self.place], 1, -1))

    def of_call(self, call: slice, found: Any) -> tuple[np.ndarray, Any]:
        """Positions of the segments of a call, [m], and what was found of each.

        Leaves of `found` have axes [blocks, ..., W]; those returned lead with m.
        """
        place = self.place[call]
        own = place >= 0
        own[:, 1:] &= ~self.joint[call][:, None]

        def each(leaf: np.ndarray) -> np.ndarray:
            return np.moveaxis(leaf[: len(place)], -1, 1)[own]

        return place[own], jax.tree.map(each, found)
