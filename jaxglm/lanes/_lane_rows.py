"""Owns the rows of many segments side by side, as lanes: their sums, totals and constant columns.

All arrays end with the axis of lanes.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxglm.sources import Block, Tiles
from jaxglm.sums import Totals, totals


def _added(known: Any, other: Any) -> Any:
    return jax.tree.map(jnp.add, known, other)


def _sizes(block: Block) -> jax.Array:
    """Sums of the absolute entries of each column in rows that count: [p, W]."""
    x = jnp.abs(block.design.values.astype(block.rows.y.dtype))
    return jnp.sum(jnp.where(block.rows.live, x, 0.0), axis=1)


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

    def totals(self) -> tuple[Totals, jax.Array]:
        """Of the rows, and which columns have an entry in those that count: [p, W] bool."""
        p, _, lanes = self.tiles.block.design.values.shape[1:]
        has_offset = self.tiles.block.rows.offset is not None
        nothing = jnp.zeros(lanes, self.tiles.dtype)
        # All but whether there are offsets, which the program is made for.
        none = (*[nothing] * 6, nothing - jnp.inf if has_offset else nothing, nothing)

        def both(known: tuple[Any, ...], other: tuple[Any, ...]) -> tuple[Any, ...]:
            one, two = (Totals._make((*part, has_offset)) for part in (known, other))
            return tuple(one.and_of(two, jnp)[:-1])

        def with_tile(known: Any, block: Block) -> Any:
            parts = (jnp.asarray(part, nothing.dtype) for part in totals(block.rows, jnp)[:-1])
            own = tuple(jnp.broadcast_to(part, nothing.shape) for part in parts)
            return both(known[0], own), known[1] + _sizes(block)

        start = none, jnp.zeros((p, lanes), nothing.dtype)
        of, sizes = self.tiles.fold(with_tile, start)
        return Totals._make((*self._joined(of, both), has_offset)), self._joined(sizes) > 0

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

    def _joined(self, values: Any, both: Callable[..., Any] = _added) -> Any:
        """The values of all lanes in each of them, where they are those of one segment."""
        lanes = jax.tree.leaves(values)[0].shape[-1]

        def with_lane(lane: jax.Array, known: Any) -> Any:
            at = partial(jax.lax.dynamic_slice_in_dim, start_index=lane, slice_size=1, axis=-1)
            return both(known, jax.tree.map(at, values))

        first = jax.tree.map(lambda leaf: leaf[..., :1], values)
        count = jnp.where(self.joint, lanes, 1)
        together = jax.lax.fori_loop(1, count, with_lane, first)
        return jax.tree.map(partial(jnp.where, self.joint), together, values)
