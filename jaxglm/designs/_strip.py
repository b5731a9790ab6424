"""Owns the strip: tiles that lie in the memory of the host's own array.

XLA reads a NumPy array in place if it starts at a multiple of 64 bytes, which NumPy's own large
arrays do not: those start 16 bytes late. From its first aligned element on, the array is handed
over as it is. The first tile, which begins before that element, and the last ones are copies: the
very last is padded, and how many of the others go with it makes the strip one of few lengths, which
tables of neighbouring sizes share, and with it their compiled programs.
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

    `elements` [N] are those of the array from its first aligned one on, which `skipped` precede;
    `edges` [1 + copied, rows, ...] are the first tile and the last ones.
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
    def inside(self) -> int:
        """The first of the last tiles."""
        return self.count - self.edges.shape[0] + 1

    @property
    def dtype(self) -> np.dtype:
        return self.edges.dtype

    def edge(self, index: jax.Array) -> jax.Array:
        """The first tile, or one of the last."""
        at = jnp.maximum(index.astype(jnp.int32) - self.inside + 1, 0)
        return jax.lax.dynamic_index_in_dim(self.edges, at, keepdims=False)

    def inner(self, index: jax.Array) -> jax.Array:
        """Any other tile."""
        shape = self.edges.shape[1:]
        size = math.prod(shape)
        start = index.astype(jnp.int32) * size - self.skipped
        return jax.lax.dynamic_slice(self.elements, (start,), (size,)).reshape(shape)


def copied(count: int) -> int:
    """How many of so many tiles are copied at the end: a thirty-second to a sixteenth of them.

    Strips have a whole number of times so many tiles: sixteen sizes an octave.
    """
    return 1 << max(0, (count - 1).bit_length() - 5)


def strip(values: np.ndarray, rows: int, fill: float, count: int) -> Strip | None:
    """The strip of so many tiles of an array [n, ...], or None where it cannot be read in place."""
    shape = (rows, *values.shape[1:])
    late = -values.ctypes.data % _ALIGNMENT
    skipped, misplaced = divmod(late, values.itemsize)
    inside = count - copied(count)
    rest = values[inside * rows :]
    # The strip has one length wherever the array starts, so that it shares its compiled programs.
    length = inside * math.prod(shape)
    roomy = (
        inside > 0
        and math.prod(shape) > 0
        and length + _ALIGNMENT // values.itemsize <= values.size
    )
    readable = values.flags.c_contiguous and not misplaced and values.size <= _MOST_ELEMENTS
    if not (roomy and readable):
        return None
    edges = np.empty(((1 + count - inside) * rows, *shape[1:]), values.dtype)
    edges[:rows] = values[:rows]
    edges[rows : rows + rest.shape[0]] = rest
    edges[rows + rest.shape[0] :] = fill
    return Strip(
        elements=jax.device_put(values.reshape(-1)[skipped : skipped + length]),
        skipped=np.int32(skipped),
        edges=jax.device_put(edges.reshape((-1, *shape))),
        count=count,
    )
