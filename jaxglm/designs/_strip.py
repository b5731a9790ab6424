"""Owns the strip: tiles that lie in the memory of the user's own array.

Imports jax and NumPy only.

XLA reads a NumPy array in place if it starts at a multiple of 64 bytes, which NumPy's own arrays do
not: those start 16 bytes late. From its first aligned element on, the array is handed over as it
is. The first tile, which begins before that element, and the last, which is padded, are copies.
"""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

_ALIGNMENT = 64
# 32-bit indices must reach every element.
_MOST_ELEMENTS = 2**31 - 1


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Strip:
    """Tiles of shape [rows, width], one after the other in `elements`.

    `elements` [N] are those of the array from its first aligned one on, of which `skipped` precede
    it; `edges` [2, rows, width] are the first and the last tile.
    """

    elements: Any
    skipped: Any
    edges: Any
    count: int = dataclasses.field(metadata={"static": True})

    @property
    def shape(self) -> tuple[int, ...]:
        """As of an array of all tiles."""
        return (self.count, *self.edges.shape[1:])

    @property
    def dtype(self) -> np.dtype:
        return self.edges.dtype

    def tile(self, index: jax.Array | int) -> jax.Array:
        """One tile, [rows, width]."""
        rows, width = self.edges.shape[1:]
        first = index == 0

        def edge() -> jax.Array:
            return jax.lax.dynamic_index_in_dim(self.edges, jnp.where(first, 0, 1), keepdims=False)

        def inner() -> jax.Array:
            start = jnp.asarray(index, jnp.int32) * (rows * width) - self.skipped
            return jax.lax.dynamic_slice(self.elements, (start,), (rows * width,)).reshape(
                rows, width
            )

        return jax.lax.cond(first | (index == self.count - 1), edge, inner)


def strip(values: np.ndarray, rows: int) -> Strip | None:
    """The strip of an array [n, width], or None where it cannot be read in place."""
    n, width = values.shape
    count = -(-n // rows)
    size = values.itemsize
    late = -values.ctypes.data % _ALIGNMENT
    in_place = values.flags.c_contiguous and late % size == 0 and values.size <= _MOST_ELEMENTS
    if not in_place or count < 2 or late // size >= rows * width:
        return None
    skipped = late // size
    edges = np.zeros((2, rows, width), values.dtype)
    edges[0] = values[:rows]
    rest = values[(count - 1) * rows :]
    edges[1, : rest.shape[0]] = rest
    return Strip(
        elements=jax.device_put(values.reshape(-1)[skipped:]),
        skipped=np.int32(skipped),
        edges=jax.device_put(edges),
        count=count,
    )
