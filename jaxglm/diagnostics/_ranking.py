"""Owns the order of rows by a number, in which rows of equal numbers are one run."""

import dataclasses
from typing import Self

import numpy as np

from jaxglm.words import FloatArray

# Predictions of identical rows may differ by rounding: a program computes its last rows otherwise.
_ROUNDING = 1e-12


@dataclasses.dataclass(frozen=True)
class Ranking:
    """Rows from the lowest number to the highest, in runs.

    The runs are those of equal numbers, or bins of such: rows of equal numbers are never parted, so
    that no answer depends on the order of the rows, and a frequency weight is a repeated row.

    Attributes
    ----------
    order : [n] int
    starts : [k] int
        Where in this order each run begins.

    Examples
    --------
    >>> ranking = Ranking.of(np.array([0.5, 0.1, 0.5, 0.3]))
    >>> ranking.sums(np.array([1.0, 10.0, 100.0, 1000.0]))
    array([  10., 1000.,  101.])
    """

    order: np.ndarray
    starts: np.ndarray

    @classmethod
    def of(cls, values: FloatArray) -> Self:
        """The order of some numbers, at least one."""
        order = np.argsort(values)
        ordered = values[order]
        with np.errstate(invalid="ignore"):  # inf - inf
            apart = np.diff(ordered) > _ROUNDING * np.abs(ordered[:-1])
        return cls(order, np.flatnonzero(np.concatenate([[True], apart])))

    def __len__(self) -> int:
        return self.starts.size

    def sums(self, values: FloatArray) -> FloatArray:
        """The sum of each run, [k], of values of the rows, [n]."""
        return np.add.reduceat(values[self.order], self.starts)

    def means(self, values: FloatArray, weight: FloatArray) -> FloatArray:
        """The weighted mean of each run, [k]."""
        # Deviations from a value in the run: where all are equal the mean is that value.
        first = values[self.order[self.starts]]
        finite = np.where(np.isfinite(first), first, 0.0)
        with np.errstate(invalid="ignore"):
            away = values - self.to_rows(finite)
            return finite + self.sums(weight * away) / self.sums(weight)

    def to_rows(self, values: FloatArray) -> FloatArray:
        """For each row the value of its run."""
        out = np.empty(self.order.size, values.dtype)
        out[self.order] = np.repeat(values, np.diff(self.starts, append=self.order.size))
        return out

    def bins(self, weight: FloatArray, count: int) -> Self:
        """Runs of equal numbers put together in bins of as equal a weight as they allow.

        A run belongs to the bin that the middle of its weight falls in; bins that get none are left
        out.
        """
        own = self.sums(weight)
        upto = np.cumsum(own)
        middle = (upto - own / 2) / upto[-1]
        bin_of = np.minimum(np.floor(count * middle).astype(int), count - 1)
        first = np.flatnonzero(np.diff(bin_of, prepend=-1))
        return dataclasses.replace(self, starts=self.starts[first])
