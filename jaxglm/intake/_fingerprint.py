"""Owns the fingerprint of a matrix that is not copied: whether its owner has changed it since."""

import dataclasses
import functools
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np

# Bytes at work at a time, which stay in a core's own cache, twice.
_CHUNK = 1 << 18
# From this many chunks on threads are worth their start.
_FEWEST_SHARED = 32
_HALF = np.uint64(32)


@functools.cache
def _factors(p: int) -> np.ndarray:
    """An odd number for each column."""
    return np.random.default_rng(p).integers(0, 1 << 64, p, np.uint64) | np.uint64(1)


@dataclasses.dataclass(frozen=True)
class Fingerprint:
    """A number for each row, which another row, or a row of another order, does not have.

    One number a row, and not one for all, so that it can be cut as the rows are: a segment compares
    its own rows only, and words can say which rows are others.

    Attributes
    ----------
    numbers : uint64 [n]
    """

    numbers: np.ndarray

    @classmethod
    def of(cls, matrix: np.ndarray) -> "Fingerprint":
        """The fingerprint of a float64 or float32 matrix, of any strides.

        The bits of an element, mixed one to one so that those of short numbers are not all high
        ones, times an odd number of its column, summed modulo 2**64: a row with one element changed
        has another number for certain, a row changed otherwise but for a chance of about 2**-40.
        -0.0 and 0.0 are one number.
        """
        n, p = matrix.shape
        factors = _factors(p)
        numbers = np.empty(n, np.uint64)
        step = max(1, _CHUNK // (p * factors.itemsize))

        def number(start: int, end: int) -> None:
            room = np.empty((min(step, end - start), p), matrix.dtype)
            mixed = np.empty(room.shape, np.uint64)
            for first in range(start, end, step):
                last = min(first + step, end)
                own, bits = room[: last - first], mixed[: last - first]
                # Adding zero makes 0.0 of -0.0, which is the same number in every fit.
                np.add(matrix[first:last], matrix.dtype.type(0), out=own)
                if own.itemsize == 4:
                    bits[:] = own.view(np.uint32)
                else:
                    np.right_shift(own.view(np.uint64), _HALF, out=bits)
                    np.bitwise_xor(bits, own.view(np.uint64), out=bits)
                np.einsum("ij,j->i", bits, factors, out=numbers[first:last])

        threads = 1 if n < _FEWEST_SHARED * step else os.cpu_count() or 1
        edges = [n * i // threads for i in range(threads + 1)]
        if threads == 1:
            number(0, n)
        else:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(number, edges[:-1], edges[1:]))
        return cls(numbers)

    def take(self, positions: np.ndarray) -> "Fingerprint":
        """The fingerprint of some of the rows, in this order."""
        return Fingerprint(self.numbers[positions])

    def changed(self, matrix: np.ndarray) -> np.ndarray:
        """Positions of the rows that are no longer those of the fingerprint."""
        return np.flatnonzero(self.numbers != Fingerprint.of(matrix).numbers)
