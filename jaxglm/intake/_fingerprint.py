"""Owns the fingerprint of a matrix that is not copied: whether its owner has changed it since."""

import dataclasses
import functools
from concurrent.futures import ThreadPoolExecutor

import numpy as np

# Bytes at work at a time: few enough for a core's cache, and so many that threads, which take turns
# between calls of NumPy, are seldom in each other's way.
_CHUNK = 1 << 19
# From this many chunks on threads are worth their start.
_FEWEST_SHARED = 4


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

        def number(first: int) -> None:
            # Adding zero makes 0.0 of -0.0, which is the same number in every fit.
            own = (matrix[first : first + step] + matrix.dtype.type(0)).view(f"u{matrix.itemsize}")
            mixed = own.astype(np.uint64) if own.itemsize == 4 else own ^ (own >> np.uint64(32))
            np.matmul(mixed, factors, out=numbers[first : first + step])

        firsts = range(0, n, step)
        if len(firsts) < _FEWEST_SHARED:
            for first in firsts:
                number(first)
        else:
            with ThreadPoolExecutor() as pool:
                list(pool.map(number, firsts))
        return cls(numbers)

    def take(self, positions: np.ndarray) -> "Fingerprint":
        """The fingerprint of some of the rows, in this order."""
        return Fingerprint(self.numbers[positions])

    def changed(self, matrix: np.ndarray) -> np.ndarray:
        """Positions of the rows that are no longer those of the fingerprint."""
        return np.flatnonzero(self.numbers != Fingerprint.of(matrix).numbers)
