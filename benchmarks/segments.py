"""Owns the rows of a problem of many fits, segment by segment.

Imports `spec` only. Segments are counted in the order of their keys, which is that of the `by`
columns' codes.
"""

from dataclasses import dataclass

import numpy as np

from benchmarks.spec import Columns, Spec

MOST_PARTS = 100_000
"""Segments that are cut out for a library that fits one at a time: minutes of work for each."""


def segment_ids(spec: Spec, columns: Columns) -> np.ndarray:
    """The number of each row's segment; every number below the largest has rows."""
    ids = np.zeros(columns.y.size, np.int64)
    for name in spec.by:
        codes = columns.codes[name]
        ids = ids * (int(codes.max()) + 1) + codes
    present = np.bincount(ids) > 0
    return (np.cumsum(present) - 1)[ids]


@dataclass(frozen=True)
class Part:
    """One segment as arrays: X with a constant in column 0, in C order."""

    segment: int
    y: np.ndarray
    X: np.ndarray
    offset: np.ndarray | None


class Sorted:
    """A problem whose rows are put in the order of their segments.

    Attributes
    ----------
    starts : [G + 1] int
        Segment g has rows starts[g]:starts[g + 1].
    """

    def __init__(self, spec: Spec, columns: Columns):
        ids = segment_ids(spec, columns)
        self._order = np.argsort(ids, kind="stable")
        self._columns = columns
        self.starts = np.concatenate([[0], np.cumsum(np.bincount(ids))])

    @property
    def count(self) -> int:
        return self.starts.size - 1

    def rows(self, first: int, end: int) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """y, X and offset of the segments first:end."""
        columns = self._columns
        rows = self._order[self.starts[first] : self.starts[end]]
        X = np.ones((rows.size, 1 + len(columns.numeric)))
        for j, values in enumerate(columns.numeric.values(), 1):
            X[:, j] = values[rows]
        offset = None if columns.exposure is None else np.log(columns.exposure[rows])
        return columns.y[rows], X, offset

    def parts(self) -> list[Part]:
        """The segments one by one, in a shuffled order: those at its front are a sample."""
        y, X, offset = self.rows(0, self.count)
        shuffled = np.random.default_rng(0).permutation(self.count)[:MOST_PARTS]
        found = []
        for segment in shuffled.tolist():
            rows = slice(self.starts[segment], self.starts[segment + 1])
            shift = None if offset is None else offset[rows]
            found.append(Part(segment, y[rows], X[rows], shift))
        return found
