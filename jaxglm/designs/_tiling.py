"""Owns how rows are cut into tiles: buckets, padding and the leading axis of tiles.

Imports jax and NumPy only.
"""

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np


def bucket(count: int) -> int:
    """The smallest number of the form k 2^j, k in 8..15, that is at least `count` (and 8)."""
    if count <= 8:
        return 8
    step = 1 << max(0, count.bit_length() - 4)
    return math.ceil(count / step) * step


@dataclasses.dataclass(frozen=True)
class Tiling:
    """`count` tiles of `rows` rows each; what the data leave over is padding."""

    count: int
    rows: int

    def cut(self, values: np.ndarray, fill: float) -> jax.Array:
        """From [n, ...] on the host to [count, rows, ...] on the device."""
        n, total = values.shape[0], self.count * self.rows
        padded = values
        if n < total:
            padded = np.empty((total, *values.shape[1:]), values.dtype)
            padded[:n] = values
            padded[n:] = fill
        return jnp.asarray(padded.reshape((self.count, self.rows, *values.shape[1:])))
