"""Owns the strip: tiles that lie in the memory of the host's own array.

XLA reads a NumPy array in place if it starts at a multiple of 64 bytes, which NumPy's own large
arrays do not: those start 16 bytes late. From its first aligned element on, the array is handed
over as it is. The first tile, which begins before that element, and the last, which is padded, are
copies.
"""

import dataclasses
import math
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
    """Tiles of shape [rows, ...], one after the other in `elements`.

    `elements` [N] are those of the array from its first aligned one on, of which `skipped` precede
    it; `edges` [2, rows, ...] are the first and the last tile.
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

    def edge(self, last: jax.Array) -> jax.Array:
        """The first tile, or the last."""
        return jax.lax.dynamic_index_in_dim(self.edges, last.astype(jnp.int32), keepdims=False)

    def inner(self, index: jax.Array) -> jax.Array:
        """Any other tile."""
        shape = self.edges.shape[1:]
        size = math.prod(shape)
        start = index.astype(jnp.int32) * size - self.skipped
        return jax.lax.dynamic_slice(self.elements, (start,), (size,)).reshape(shape)


def strip(values: np.ndarray, rows: int, fill: float) -> Strip | None:
    """The strip of an array [n, ...], or None where it cannot be read in place."""
    shape = (rows, *values.shape[1:])
    count = -(-values.shape[0] // rows)
    late = -values.ctypes.data % _ALIGNMENT
    skipped, misplaced = divmod(late, values.itemsize)
    rest = values[(count - 1) * rows :]
    # The strip has one length wherever the array starts, so that it shares its compiled programs.
    spare = _ALIGNMENT // values.itemsize
    roomy = count > 1 and min(rest.size, math.prod(shape)) >= spare
    readable = values.flags.c_contiguous and not misplaced and values.size <= _MOST_ELEMENTS
    if not (roomy and readable):
        return None
    edges = np.full((2, *shape), fill, values.dtype)
    edges[0] = values[:rows]
    edges[1, : rest.shape[0]] = rest
    return Strip(
        elements=jax.device_put(values.reshape(-1)[skipped : values.size - spare + skipped]),
        skipped=np.int32(skipped),
        edges=jax.device_put(edges),
        count=count,
    )
