"""Owns the resident source: rows that fit in memory, visited tile by tile.

Imports designs and `sources._block` only.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxglm.sources._block import Block


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Resident:
    """A block whose array leaves carry a leading axis of tiles: shape [tiles, rows, ...]."""

    tiles: Block

    def reduce(self, kernel: Callable[..., Any], *params: Any) -> Any:
        """The sum of `kernel(tile, *params)` over the tiles: one visit to each row.

        In float32 the sum over tiles is compensated (Neumaier), so that its error does not grow
        with the number of tiles; float64 needs none. A kernel with a method `of_all_tiles` does
        the summing itself.
        """
        if hasattr(kernel, "of_all_tiles"):
            return kernel.of_all_tiles(self.tiles, *params)
        count = self.tiles.y.shape[0]
        if count == 1:
            return kernel(jax.tree.map(lambda leaf: leaf[0], self.tiles), *params)
        first = jax.tree.map(lambda leaf: leaf[0], self.tiles)
        zeros = jax.tree.map(
            lambda leaf: jnp.zeros(leaf.shape, leaf.dtype),
            jax.eval_shape(kernel, first, *params),
        )
        compensate = self.tiles.y.dtype == jnp.float32

        def add_tile(carry, tile):
            total, lost = carry
            term = kernel(tile, *params)
            if not compensate:
                return (jax.tree.map(jnp.add, total, term), lost), None
            new = jax.tree.map(jnp.add, total, term)
            lost = jax.tree.map(lost_digits, lost, total, term, new)
            return (new, lost), None

        start = (zeros, zeros if compensate else None)
        (total, lost), _ = jax.lax.scan(add_tile, start, self.tiles)
        return jax.tree.map(jnp.add, total, lost) if compensate else total

    def map(self, function: Callable[..., jax.Array], *params: Any) -> jax.Array:
        """`function(tile, *params)` row by row, [tiles * rows, ...], padding included."""
        rows = jax.lax.map(lambda tile: function(tile, *params), self.tiles)
        return rows.reshape((-1, *rows.shape[2:]))


def lost_digits(lost, total, term, new):
    """Neumaier's correction, carried on: what `total + term`, rounded to `new`, has lost so far."""
    larger_total = jnp.abs(total) >= jnp.abs(term)
    error = jnp.where(larger_total, (total - new) + term, (term - new) + total)
    return lost + jnp.where(jnp.isfinite(error), error, jnp.zeros_like(error))
