"""Owns the problem: the validated host arrays of one fit, ready to be placed.

Arrays are NumPy; columns are in design order.
"""

import dataclasses
from typing import Any

import numpy as np

from jaxglm.designs import Design, Sparse
from jaxglm.families import Family
from jaxglm.sources import Resident, place


@dataclasses.dataclass(frozen=True)
class Problem:
    """What is to be fitted.

    `order[j]` is the public position of design column j. `weight` is the product of frequency and
    prior weights and trials; rows of weight 0 do not count. `constant` is the position and the
    value of a constant column, if there is one: it decides the null model. `dtype` is the dtype of
    the arithmetic. `n_rows` counts the rows of the user's data, which are more than the arrays hold
    once identical ones are merged.
    """

    design: Design
    order: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    offset: np.ndarray | None
    freq: np.ndarray | None
    trials: np.ndarray | None
    constant: tuple[int, float] | None
    dtype: np.dtype
    n_rows: int

    @property
    def n_columns(self) -> int:
        return self.order.size

    @property
    def live(self) -> np.ndarray:
        """Rows that count."""
        return self.weight > 0

    @property
    def nobs(self) -> float:
        """Observations: frequencies of the rows that count."""
        return float(self.live.sum() if self.freq is None else self.freq[self.live].sum())

    def unit_weight(self, rows: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Prior weight times trials: the weight of one observation of some rows."""
        weight = self.weight[rows]
        if self.freq is None:
            return weight
        freq = self.freq[rows]
        return np.divide(weight, freq, out=np.zeros_like(weight), where=freq > 0)

    def take_rows(self, rows: np.ndarray) -> "Problem":
        """The problem of some of the rows, in this order."""

        def some(values: np.ndarray | None) -> np.ndarray | None:
            return None if values is None else values[rows]

        return dataclasses.replace(
            self,
            design=self.design.take_rows(rows),
            y=self.y[rows],
            weight=self.weight[rows],
            offset=some(self.offset),
            freq=some(self.freq),
            trials=some(self.trials),
            n_rows=rows.size,
        )

    def narrowed(self, family: Family) -> Family:
        """The family with what it need not compute for these rows left out."""
        live = self.live
        rows = slice(None) if live.all() else live
        weight = self.weight[rows]
        freq = 1.0 if self.freq is None else self.freq[rows]
        unit = self.trials is None and bool((weight == freq).all())
        return family.for_rows(self.y[rows], None if unit else weight / freq)

    def place(self, design: Design | None = None) -> Resident:
        """The rows on the device, with this design or another one for the same rows."""
        return place(
            self.design if design is None else design,
            self.y,
            self.weight,
            offset=self.offset,
            freq=self.freq,
            trials=self.trials,
            dtype=self.dtype,
        )

    def public(self, values: np.ndarray) -> np.ndarray:
        """The rows of a [p] or [p, k] array from design order to public order."""
        out = np.empty_like(values)
        out[self.order] = values
        return out


def constant_column(design: Design) -> tuple[int, float] | None:
    """Design position and value of the intercept: a constant numeric column that is not zero."""
    if isinstance(design, Sparse):
        return _constant_sparse_column(design)
    numeric: Any = getattr(design, "numeric", design)
    values = np.asarray(numeric.values)
    for j in range(values.shape[1]):
        column = values[:, j]
        # Ends compared first: most columns are told apart without being read.
        if column[0] == column[-1] != 0 and (column == column[0]).all():
            return j, float(column[0])
    return None


def _constant_sparse_column(design: Sparse) -> tuple[int, float] | None:
    values, columns = np.asarray(design.values), np.asarray(design.columns)
    for j in np.flatnonzero(np.bincount(columns, minlength=design.width) == design.n_rows):
        column = values[columns == j]
        if column[0] != 0 and (column == column[0]).all():
            return int(j), float(column[0])
    return None
