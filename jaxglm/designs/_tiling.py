"""Owns how rows are cut into tiles: buckets, padding and the leading axis of tiles."""

import dataclasses
import math

import jax
import numpy as np

from jaxglm.designs._strip import Strip, strip

_SMALL_BYTES = 1 << 16


def bucket(count: int) -> int:
    """The smallest number of the form k 2^j, k in 8..15, that is at least `count` (and 8)."""
    if count <= 8:
        return 8
    step = 1 << max(0, count.bit_length() - 4)
    return math.ceil(count / step) * step


@dataclasses.dataclass(frozen=True)
class Tiling:
    """`count` tiles of `rows` rows each; what the data leave over is padding.

    `in_place` tells that arrays may stay where they are.
    """

    count: int
    rows: int
    in_place: bool = False

    def cut(self, values: np.ndarray, fill: float) -> np.ndarray | jax.Array | Strip:
        """From [n, ...] on the host to [count, rows, ...] on the device.

        On a CPU a small array stays NumPy's: each program takes it faster than it can be placed.
        """
        left = strip(values, self.rows, fill, self.count) if self.in_place else None
        if left is not None:
            return left
        n, total = values.shape[0], self.count * self.rows
        padded = values
        if n < total:
            padded = aligned_empty((total, *values.shape[1:]), values.dtype)
            padded[:n] = values
            padded[n:] = fill
        tiles = padded.reshape((self.count, self.rows, *values.shape[1:]))
        if tiles.nbytes <= _SMALL_BYTES and jax.default_backend() == "cpu":
            return tiles
        # An aligned array is not copied once more; nobody else holds it.
        return jax.device_put(tiles)


def aligned_empty(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """An uninitialised array that starts at a multiple of 64 bytes: XLA reads it in place."""
    size = int(np.prod(shape)) * dtype.itemsize
    buffer = np.empty(size + 64, np.uint8)
    start = -buffer.ctypes.data % 64
    return buffer[start : start + size].view(dtype).reshape(shape)
