"""Owns the rows of many segments: one problem, and which of its rows are each segment's."""

import dataclasses
from typing import Any

import jax
import numpy as np

from jaxglm.designs import Dense, Sparse
from jaxglm.families import Family
from jaxglm.rows._problem import Problem, constant_column, narrowed
from jaxglm.sources import Block


@dataclasses.dataclass(frozen=True)
class Segments:
    """The rows of segment g are those at places starts[g]:starts[g+1] of `order`.

    Attributes
    ----------
    problem : Problem
        All rows, as the user's table has them: they are brought together when they are fitted.
    order : [n] int or None
        Positions in `problem`, segment by segment; None where the rows stand so.
    starts : [G + 1] int
        A segment may be empty: it failed, or its rows were all left out.
    rows : [n] int
        Where each row, segment by segment, stands in the table that the user gave.
    failed : dict of str
        By segment, why its rows cannot be fitted; it has none here.
    """

    problem: Problem
    order: np.ndarray | None
    starts: np.ndarray
    rows: np.ndarray
    failed: dict[int, str]

    @property
    def count(self) -> int:
        return self.starts.size - 1

    @property
    def sizes(self) -> np.ndarray:
        """Rows of each segment."""
        return np.diff(self.starts)

    @property
    def ready(self) -> np.ndarray:
        """Segments that can be fitted."""
        return np.flatnonzero(self.sizes)

    @property
    def of_rows(self) -> np.ndarray:
        """The segment of each row of `problem`; -1 for one that is in none."""
        segment = np.full(len(self.problem.rows), -1)
        segment[self.at(np.arange(self.starts[-1]))] = np.repeat(np.arange(self.count), self.sizes)
        return segment

    def narrowed(self, family: Family) -> Family:
        """The family with what it need not compute for the rows of segments left out."""
        placed = int(self.starts[-1])
        if placed == len(self.problem.rows):
            return self.problem.narrowed(family)
        return narrowed(self.problem.rows.take(self.at(np.arange(placed))), family)

    def at(self, places: np.ndarray) -> np.ndarray:
        """Positions in `problem` of places in the order of the segments."""
        return places if self.order is None else self.order[places]

    def common(self, size: int) -> Block | None:
        """What all segments share: nothing."""
        return None

    def cut(self, which: np.ndarray, count: int, size: int, shape: tuple[int, ...]) -> Block:
        """The rows of some segments, padded to `size`; segments from `count` on have weight 0."""
        problem = self.problem
        step = np.arange(size)
        inside = step < self.sizes[which][:, None]
        inside[count:] = False
        first = self.starts[which][:, None]
        flat = self.at(np.where(inside, first + step, first).ravel())

        def laid(values: np.ndarray) -> Any:
            return values.reshape(*shape, size, *values.shape[1:])

        # A lane computes with dense columns in any case.
        own = problem.design
        design = Dense(own.dense_at(flat)) if isinstance(own, Sparse) else own.take_rows(flat)
        rows = problem.rows.take(flat)
        rows = dataclasses.replace(rows, weight=np.where(inside.ravel(), rows.weight, 0.0))
        return Block(
            design=jax.tree.map(laid, design),
            rows=rows.each(lambda _, values: laid(values.astype(problem.dtype, copy=False))),
        )

    def dense(self, which: np.ndarray, size: int) -> np.ndarray:
        """The columns of some segments, [k, size, p] float64; rows that do not count are zero."""
        block = self.cut(which, which.size, size, (which.size,))
        flat = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), block.design)
        columns = flat.on_host().reshape(which.size, size, -1)
        return np.where(block.rows.live[..., None], columns, 0.0)

    def one(self, g: int) -> Problem:
        """The problem of one segment."""
        own = self.problem.take_rows(self.at(np.arange(self.starts[g], self.starts[g + 1])))
        return dataclasses.replace(own, constant=own.constant or constant_column(own.design))
