"""Owns the rows of many segments: one problem whose rows stand segment by segment.

Imports `_problem`, designs, sources (for the block), NumPy, and SciPy where a design is sparse.
"""

import dataclasses
import functools
from typing import Any

import jax
import numpy as np

from jaxglm._problem import Problem, constant_column
from jaxglm.designs import Dense, Sparse
from jaxglm.sources import Block


@dataclasses.dataclass(frozen=True)
class Segments:
    """A problem whose rows stand segment by segment; segment g has rows starts[g]:starts[g+1].

    Attributes
    ----------
    problem : Problem
        All rows.
    starts : [G + 1] int
        A segment may be empty: it failed, or its rows were all left out.
    rows : [n] int
        Where each row stands in the table that the user gave.
    failed : dict of str
        By segment, why its rows cannot be fitted; it has none here.
    """

    problem: Problem
    starts: np.ndarray
    rows: np.ndarray
    failed: dict[int, str]

    @property
    def count(self) -> int:
        return self.starts.size - 1

    @functools.cached_property
    def ready(self) -> np.ndarray:
        """Segments that can be fitted: they have rows that count, and nothing against them."""
        counted = np.flatnonzero(self.weight_sum > 0)
        return np.setdiff1d(counted, np.array(list(self.failed), int))

    @functools.cached_property
    def nobs(self) -> np.ndarray:
        """Observations of each segment."""
        live, freq = self.problem.live, self.problem.freq
        return self.total(live.astype(float) if freq is None else np.where(live, freq, 0.0))

    @functools.cached_property
    def weight_sum(self) -> np.ndarray:
        """Sum of the weights of each segment."""
        return self.total(self.problem.weight)

    @functools.cached_property
    def has_constant(self) -> np.ndarray:
        """[G] bool: segments that have an intercept, be it a column that is constant only there."""
        if self.problem.constant is not None:
            return np.ones(self.count, bool)
        constant = np.zeros(self.count, bool)
        if self._entries is not None:
            entries = self._entries.tocoo()
            segment = np.repeat(np.arange(self.count), self.sizes)[entries.row]
            order = np.lexsort((entries.col, segment))
            column, segment, values = entries.col[order], segment[order], entries.data[order]
            begins = np.flatnonzero(
                (np.diff(segment, prepend=-1) != 0) | (np.diff(column, prepend=-1) != 0)
            )
            least, most = (f.reduceat(values, begins) for f in (np.minimum, np.maximum))
            everywhere = np.diff(np.append(begins, values.size)) == self.sizes[segment[begins]]
            constant[segment[begins[everywhere & (least == most) & (least != 0)]]] = True
            return constant
        design: Any = self.problem.design
        values = np.asarray(getattr(design, "numeric", design).values)
        starts = self.starts[self.full]
        for j in range(values.shape[1]):
            column = values[:, j]
            least, most = (f.reduceat(column, starts) for f in (np.minimum, np.maximum))
            constant[self.full] |= (least == most) & (least != 0)
        return constant

    @functools.cached_property
    def _entries(self) -> Any:
        """The rows of a sparse design, each found at once; None for other designs."""
        design = self.problem.design
        if not isinstance(design, Sparse):
            return None
        import scipy.sparse

        shape = (design.n_rows, design.width)
        return scipy.sparse.csr_array((design.values, (design.rows, design.columns)), shape)

    @functools.cached_property
    def full(self) -> np.ndarray:
        """Segments that have rows."""
        return np.flatnonzero(self.sizes)

    def total(self, values: np.ndarray) -> np.ndarray:
        """Sums of one value a row over each segment."""
        sums = np.zeros(self.count)
        sums[self.full] = np.add.reduceat(values, self.starts[self.full])
        return sums

    @property
    def sizes(self) -> np.ndarray:
        """Rows of each segment."""
        return np.diff(self.starts)

    def cut(self, which: np.ndarray, count: int, size: int, shape: tuple[int, ...]) -> Block:
        """The rows of some segments, padded to `size`; segments from `count` on have weight 0."""
        problem = self.problem
        step = np.arange(size)
        inside = step < self.sizes[which][:, None]
        inside[count:] = False
        rows = np.where(inside, self.starts[which][:, None] + step, self.starts[which][:, None])
        flat = rows.ravel()

        def laid(values: np.ndarray) -> np.ndarray:
            return values.reshape(*shape, size, *values.shape[1:])

        def vector(values: np.ndarray | None) -> np.ndarray | None:
            return None if values is None else laid(values[flat].astype(problem.dtype, copy=False))

        weight = np.where(inside.ravel(), problem.weight[flat], 0.0)
        # A lane computes with dense columns in any case.
        sparse = self._entries
        design = problem.design.take_rows(flat) if sparse is None else Dense(sparse[flat].toarray())
        return Block(
            design=jax.tree.map(laid, design),
            y=vector(problem.y),
            weight=laid(weight.astype(problem.dtype, copy=False)),
            offset=vector(problem.offset),
            freq=vector(problem.freq),
            trials=vector(problem.trials),
        )

    def dense(self, which: np.ndarray, size: int) -> np.ndarray:
        """The columns of some segments, [k, size, p] float64; rows that do not count are zero."""
        block = self.cut(which, which.size, size, (which.size,))
        flat = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), block.design)
        columns = np.asarray(flat.dense(np.float64)).reshape(which.size, size, -1)
        return np.where((block.weight > 0)[..., None], columns, 0.0)

    def one(self, g: int) -> Problem:
        """The problem of one segment."""
        own = self.problem.take_rows(np.arange(self.starts[g], self.starts[g + 1]))
        return dataclasses.replace(own, constant=own.constant or constant_column(own.design))
