"""Owns the rows of many segments: one problem whose rows stand segment by segment.

Imports `_problem`, sources (for the block) and NumPy only.
"""

import dataclasses
import functools

import jax
import numpy as np

from jaxglm._problem import Problem
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
    def nobs(self) -> np.ndarray:
        """Observations of each segment."""
        problem = self.problem
        freq = 1.0 if problem.freq is None else problem.freq
        return self._sums(np.where(problem.live, freq, 0.0))

    @functools.cached_property
    def weight_sum(self) -> np.ndarray:
        """Sum of the weights of each segment."""
        return self._sums(self.problem.weight)

    @property
    def sizes(self) -> np.ndarray:
        """Rows of each segment."""
        return np.diff(self.starts)

    def _sums(self, values: np.ndarray) -> np.ndarray:
        """Sums over the rows of each segment; reduceat has none for one without rows."""
        some = self.sizes > 0
        sums = np.zeros(self.count)
        sums[some] = np.add.reduceat(values, self.starts[:-1][some])
        return sums

    def cut(self, which: np.ndarray, count: int, size: int, shape: tuple[int, int]) -> Block:
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
        return Block(
            design=jax.tree.map(laid, problem.design.take_rows(flat)),
            y=vector(problem.y),
            weight=laid(weight.astype(problem.dtype, copy=False)),
            offset=vector(problem.offset),
            freq=vector(problem.freq),
            trials=vector(problem.trials),
        )

    def one(self, g: int) -> Problem:
        """The problem of one segment."""
        return self.problem.take_rows(np.arange(self.starts[g], self.starts[g + 1]))
