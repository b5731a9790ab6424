"""Owns the rows of fits that share them: the same columns with responses or frequencies of their own.

Imports `_problem`, `_settings`, designs, families and sources (for the block).
"""

import dataclasses
import functools

import numpy as np

from jaxglm._problem import Problem
from jaxglm._settings import Facts, facts_of
from jaxglm.designs import Dense
from jaxglm.families import Family
from jaxglm.sources import Block

# Numbers of a stack of lanes.
_STACK = 1 << 20


@dataclasses.dataclass(frozen=True)
class Replicas:
    """G problems on the rows of one; to the search they are what `Segments` are.

    Attributes
    ----------
    problem : Problem
        The rows. What the lanes have of their own stands in place of its response and frequencies.
    y : [G, n] or None
        A response for each lane.
    freq : [G, n] or None
        Frequencies for each lane; a row of frequency 0 is none of its.
    failed : dict of str
        By lane, why it cannot be fitted.
    """

    problem: Problem
    y: np.ndarray | None
    freq: np.ndarray | None
    failed: dict[int, str]

    @property
    def count(self) -> int:
        own = self.y if self.freq is None else self.freq
        assert own is not None
        return len(own)

    @property
    def sizes(self) -> np.ndarray:
        """Rows of each lane."""
        return np.full(self.count, self.problem.y.size)

    @functools.cached_property
    def ready(self) -> np.ndarray:
        """Lanes that can be fitted: they have rows that count, and nothing against them."""
        counted = np.flatnonzero(self.weight_sum > 0)
        return np.setdiff1d(counted, np.array(list(self.failed), int))

    @functools.cached_property
    def nobs(self) -> np.ndarray:
        """Observations of each lane."""
        if self.freq is None:
            return np.full(self.count, self.problem.nobs)
        return self.freq @ self.problem.live.astype(float)

    @functools.cached_property
    def weight_sum(self) -> np.ndarray:
        """Sum of the weights of each lane."""
        if self.freq is None:
            return np.full(self.count, self.problem.weight.sum())
        return self.freq @ self.problem.unit_weight()

    @property
    def has_constant(self) -> np.ndarray:
        """[G] bool: lanes that have an intercept."""
        return np.full(self.count, self.problem.constant is not None)

    def facts(self, family: Family) -> Facts:
        """What the settings need to know of each lane."""
        n = self.problem.y.size
        values = np.zeros((len(Facts._fields), self.count))
        for some in np.array_split(self.ready, -(-self.ready.size * n // _STACK) or 1):
            if some.size:
                starts = np.arange(some.size) * n
                values[:, some] = facts_of(self._stacked(some), family, starts)
        return Facts(*values)

    def _stacked(self, which: np.ndarray) -> Problem:
        """The vectors of some lanes one after the other, without their columns."""
        problem, shape = self.problem, (which.size, self.problem.y.size)

        def every(values: np.ndarray | None) -> np.ndarray | None:
            return None if values is None else np.broadcast_to(values, shape).ravel()

        freq = problem.freq if self.freq is None else self.freq[which].astype(float)
        weight = problem.weight if self.freq is None else freq * problem.unit_weight()
        return dataclasses.replace(
            problem,
            y=every(problem.y if self.y is None else self.y[which]),
            weight=every(weight),
            offset=every(problem.offset),
            freq=every(freq),
        )

    @functools.cached_property
    def _columns(self) -> np.ndarray:
        return np.asarray(self.problem.design.dense(self.problem.dtype))

    def common(self, size: int) -> Block:
        """What all lanes share, padded to `size` rows."""
        problem = self.problem

        def vector(values: np.ndarray | None) -> np.ndarray | None:
            return None if values is None else _padded(values.astype(problem.dtype), size)

        return Block(
            design=Dense(_padded(self._columns.T, size).T),
            y=vector(problem.y),
            weight=vector(problem.weight),
            offset=vector(problem.offset),
            freq=vector(problem.freq),
            trials=vector(problem.trials),
        )

    def cut(self, which: np.ndarray, count: int, size: int, shape: tuple[int, ...]) -> Block:
        """What some lanes have of their own; those from `count` on have weight 0."""
        problem = self.problem

        def laid(values: np.ndarray) -> np.ndarray:
            own = _padded(np.asarray(values, problem.dtype), size)
            return own.reshape(*shape, size)

        weight = np.empty((which.size, problem.y.size))
        weight[:count] = problem.weight if self.freq is None else self.freq[which[:count]]
        if self.freq is not None:
            weight[:count] *= problem.unit_weight()
        weight[count:] = 0.0
        return Block(
            design=None,
            y=None if self.y is None else laid(self.y[which]),
            weight=laid(weight),
            freq=None if self.freq is None else laid(self.freq[which]),
        )

    def dense(self, which: np.ndarray, size: int) -> np.ndarray:
        """The columns of some lanes, [k, size, p] float64; rows that do not count are zero."""
        columns = _padded(self._columns.T, size).T.astype(float)
        weight = _padded(np.stack([self._rows(g).weight for g in which]), size)
        return np.where((weight > 0)[..., None], columns, 0.0)

    def one(self, g: int) -> Problem:
        """The problem of one lane."""
        problem = self._rows(g)
        if self.freq is None:
            return problem
        return problem.take_rows(np.flatnonzero(self.freq[g] > 0))

    def _rows(self, g: int) -> Problem:
        """All rows as they stand in one lane."""
        problem = self.problem
        if self.freq is not None:
            freq = self.freq[g].astype(float)
            problem = dataclasses.replace(problem, freq=freq, weight=problem.unit_weight() * freq)
        return problem if self.y is None else dataclasses.replace(problem, y=self.y[g])


def _padded(values: np.ndarray, size: int) -> np.ndarray:
    """The last axis padded to `size` with zeros."""
    room = size - values.shape[-1]
    if room == 0:
        return values
    return np.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, room)])
