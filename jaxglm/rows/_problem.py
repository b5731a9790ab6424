"""Owns the problem: validated rows of one fit, wherever they live, and what their columns are."""

import dataclasses
from typing import Any

import numpy as np

from jaxglm.designs import Design, Sparse
from jaxglm.families import Family
from jaxglm.sources import Block, Resident, Rows, Source


@dataclasses.dataclass(frozen=True)
class Problem:
    """What is to be fitted.

    Attributes
    ----------
    source : Source
        The rows; its columns are in design order.
    order : [p] int
        The public position of each design column.
    constant : (int, float) or None
        Position and value of a constant column, if there is one: it decides the null model.
    n_rows : int
        Rows of the user's data, which are more than the source has once identical ones are merged.
    """

    source: Source
    order: np.ndarray
    constant: tuple[int, float] | None
    n_rows: int

    @classmethod
    def of_block(cls, block: Block, order: np.ndarray, dtype: np.dtype) -> "Problem":
        """The problem of rows in memory."""
        constant = constant_column(block.design)
        return cls(Resident(block, dtype), order, constant, len(block.rows))

    @property
    def n_columns(self) -> int:
        return self.order.size

    @property
    def dtype(self) -> np.dtype:
        """Of the arithmetic."""
        return self.source.dtype

    @property
    def block(self) -> Block:
        """The rows on the host, where they are in memory."""
        if not isinstance(self.source, Resident):
            raise TypeError("these rows are not held in memory: they come part by part")
        return self.source.block

    @property
    def design(self) -> Design:
        """The columns of rows in memory."""
        return self.block.design

    @property
    def rows(self) -> Rows:
        """The vectors of rows in memory."""
        return self.block.rows

    def with_block(self, block: Block, **changes: Any) -> "Problem":
        """The problem of other rows in memory, or of other columns of these."""
        return dataclasses.replace(self, source=Resident(block, self.dtype), **changes)

    def take_rows(self, rows: np.ndarray) -> "Problem":
        """The problem of some of the rows in memory, in this order."""
        return self.with_block(self.block.take(rows), n_rows=rows.size)

    def take_columns(self, keep: np.ndarray) -> "Problem":
        """The problem of some of the columns of rows in memory; `keep` [p] is in public order."""
        own = keep[self.order]
        if own.all():
            return self
        design = self.design.take_columns(own)
        return self.with_block(
            Block(design, self.rows),
            order=np.argsort(np.argsort(self.order[own])),
            constant=constant_column(design),
        )

    def narrowed(self, family: Family) -> Family:
        """The family with what it need not compute for these rows left out."""

        def also(known: Family | None, block: Block) -> Family | None:
            own = narrowed(block.rows, family)
            return own if known is None or type(own) is type(known) else family

        return self.source.scan(also, None) or family

    def public(self, values: np.ndarray) -> np.ndarray:
        """The rows of a [p] or [p, k] array from design order to public order."""
        out = np.empty_like(values)
        out[self.order] = values
        return out


def narrowed(rows: Rows, family: Family) -> Family:
    """The family with what it need not compute for these rows left out."""
    live = rows.live
    if not live.all():
        rows = rows.take(live)
    freq = 1.0 if rows.freq is None else rows.freq
    plain = rows.trials is None and bool((rows.weight == freq).all())
    return family.for_rows(rows.y, None if plain else rows.weight / freq)


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
