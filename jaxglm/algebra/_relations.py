"""Owns how columns that earlier ones determine follow from them, in the rows of a fit."""

from typing import NamedTuple

import numpy as np

# Of columns scaled to length 1, coefficients below this are what rounding leaves of zeros.
_ROUNDING = 1e-9


class Relations(NamedTuple):
    """Aliased columns as combinations of kept ones: ``x_j = sum_i times_ij x_i`` in every row.

    Only nonzero coefficients are held; an aliased column that has none is zero in every row, which
    `with_zeros` writes down as well.

    Attributes
    ----------
    aliased : [m] int
        Position j of the column that follows.
    on : [m] int
        Position i of a column that it follows from.
    times : [m] float
        Its coefficient.
    """

    aliased: np.ndarray
    on: np.ndarray
    times: np.ndarray

    @classmethod
    def none(cls) -> "Relations":
        """Of columns none of which follows from others."""
        return cls(np.zeros(0, int), np.zeros(0, int), np.zeros(0))

    @classmethod
    def of(cls, combinations: np.ndarray, aliased: np.ndarray, lengths: np.ndarray) -> "Relations":
        """From coefficients [p, a] of the `aliased` columns ([a] int) and all columns' lengths."""
        along = combinations * lengths[:, None]
        i, a = np.nonzero(np.abs(along) > _ROUNDING * lengths[aliased])
        return cls(aliased[a], i, combinations[i, a])

    def with_zeros(self, zero: np.ndarray) -> "Relations":
        """With ``x_j = 0 x_j`` for the columns j ([z] int) that are zero in every row."""
        more = Relations(zero, zero, np.zeros(zero.size))
        return Relations(*(np.concatenate(parts) for parts in zip(self, more, strict=True)))

    def scaled(self, factor: np.ndarray) -> "Relations":
        """Of columns that were multiplied by `factor` [p] before: of the columns themselves."""
        return self._replace(times=self.times * factor[self.on] / factor[self.aliased])

    def at(self, positions: np.ndarray) -> "Relations":
        """With columns counted anew: position j becomes `positions[j]`."""
        return self._replace(aliased=positions[self.aliased], on=positions[self.on])

    def table(self) -> np.ndarray:
        """As one array [m, 3] of aliased, on, times."""
        return np.column_stack([self.aliased, self.on, self.times])

    @classmethod
    def from_table(cls, table: np.ndarray) -> "Relations":
        """Of what `table` gave."""
        aliased, on, times = table.T
        return cls(aliased.astype(int), on.astype(int), times)

    def only(self, aliased: np.ndarray) -> "Relations":
        """Those of some columns, [p] bool."""
        return Relations(*(part[aliased[self.aliased]] for part in self))

    def left(self, p: int) -> np.ndarray:
        """The columns that follow from others, [p] bool."""
        out = np.zeros(p, bool)
        out[self.aliased] = True
        return out

    def involved(self, p: int) -> np.ndarray:
        """The columns of which the rows determine no coefficient by itself, [p] bool."""
        out = self.left(p)
        out[self.on] = True
        return out

    def directions(self, p: int) -> np.ndarray:
        """For each column that follows from others, a vector that every row is orthogonal to.

        [r, p]: 1 at the column, less its coefficients.
        """
        columns, which = np.unique(self.aliased, return_inverse=True)
        out = np.zeros((columns.size, p))
        out[which, self.on] = -self.times
        out[np.arange(columns.size), columns] = 1.0
        return out
