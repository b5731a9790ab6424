"""Owns the tiles of resident rows: what a compiled program visits one by one."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm._tracing import once, zeros_of
from jaxglm.designs import Strip
from jaxglm.sources._block import Block

_EVERY_TILE = np.int32(1)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Tiles:
    """A block whose array leaves carry a leading axis of tiles: shape [tiles, rows, ...].

    A `Strip` stands for a leaf whose tiles lie in the user's own memory. `stride` is how far the
    next tile to visit is from the last: 1 visits all rows; `first` is the first tile that holds
    rows, None for 0, and `live` how many do, None for all. They may change without recompiling, so
    the program that visits a sample is the one that visits all, and that of more rows the one of
    fewer.
    """

    block: Block
    stride: Any = _EVERY_TILE
    first: Any = None
    live: Any = None

    @property
    def count(self) -> int:
        return self.block.rows.y.shape[0]

    @property
    def n_live(self) -> Any:
        """Tiles that hold rows."""
        return self.count if self.live is None else self.live

    def _at(self, index: Any) -> Any:
        """The place of a tile among those that hold rows."""
        return index if self.first is None else self.first + index

    @property
    def rows(self) -> int:
        """Of one tile."""
        return self.block.rows.y.shape[1]

    @property
    def dtype(self) -> np.dtype:
        """Of the vectors, and so of the sums."""
        return self.block.rows.y.dtype

    def sample(self, stride: int) -> "Tiles":
        """Every `stride`-th tile."""
        return dataclasses.replace(self, stride=np.int32(stride))

    def _tile(self, index: jax.Array | int) -> Block:
        def indexed(leaf: Any) -> Any:
            if isinstance(leaf, Strip):
                return leaf
            return jax.lax.dynamic_index_in_dim(leaf, index, keepdims=False)

        def of_strips(part: Callable[[Strip], jax.Array]) -> Block:
            return jax.tree.map(
                lambda leaf: part(leaf) if isinstance(leaf, Strip) else leaf,
                tile,
                is_leaf=_is_strip,
            )

        tile = jax.tree.map(indexed, self.block, is_leaf=_is_strip)
        strips = [leaf for leaf in jax.tree.leaves(tile, is_leaf=_is_strip) if _is_strip(leaf)]
        if not strips:
            return tile
        at = jnp.asarray(index)
        return jax.lax.cond(
            (at == 0) | (at >= strips[0].inside),
            lambda: of_strips(lambda leaf: leaf.edge(at)),
            lambda: of_strips(lambda leaf: leaf.inner(at)),
        )

    def reduce(self, kernel: Callable[..., Any], *params: Any) -> Any:
        """The sum of `kernel(tile, *params)` over the tiles: one visit to each row.

        In float32 the sum over tiles is compensated (Neumaier), so that its error does not grow
        with the number of tiles; float64 needs none.
        """
        if self.count == 1 and self.first is None:
            return kernel(self._tile(0), *params)
        term = once(lambda index: kernel(self._tile(index), *params))
        zeros = zeros_of(term, np.int32(0))
        compensate = self.dtype == jnp.float32

        def add_tile(turn: jax.Array, carry: Any) -> Any:
            total, lost = carry
            own = term(self._at(turn * self.stride))
            new = jax.tree.map(jnp.add, total, own)
            if compensate:
                lost = jax.tree.map(lost_digits, lost, total, own, new)
            return new, lost

        start = (zeros, zeros if compensate else None)
        visits = (self.n_live + self.stride - 1) // self.stride
        total, lost = jax.lax.fori_loop(0, visits, add_tile, start)
        return jax.tree.map(jnp.add, total, lost) if compensate else total

    def fold(self, step: Callable[..., Any], carry: Any, *params: Any) -> Any:
        """`carry = step(carry, tile, *params)` over the tiles, in order.

        For sums that are larger than what a tile adds to them.
        """

        def with_tile(index: jax.Array, carry: Any) -> Any:
            return step(carry, self._tile(self._at(index)), *params)

        return jax.lax.fori_loop(0, self.n_live, with_tile, carry)

    def map(
        self,
        function: Callable[..., Any],
        *params: Any,
        first: Any = 0,
        count: int | None = None,
    ) -> Any:
        """`function(tile, *params)` row by row, [tiles * rows, ...], padding included.

        Of all tiles, or of `count` from `first` on; a place beyond the last is the last.
        """
        which = jnp.minimum(first + jnp.arange(count or self.count), self.count - 1)
        rows = jax.lax.map(lambda index: function(self._tile(index), *params), which)
        return jax.tree.map(lambda leaf: leaf.reshape((-1, *leaf.shape[2:])), rows)


def _is_strip(leaf: Any) -> bool:
    return isinstance(leaf, Strip)


def lost_digits(lost, total, term, new):
    """Neumaier's correction, carried on: what `total + term`, rounded to `new`, has lost so far."""
    larger_total = jnp.abs(total) >= jnp.abs(term)
    error = jnp.where(larger_total, (total - new) + term, (term - new) + total)
    return lost + jnp.where(jnp.isfinite(error), error, jnp.zeros_like(error))
