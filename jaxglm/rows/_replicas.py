"""Owns the rows of fits that share them: the same columns, responses or counts of their own."""

import dataclasses
import functools
from typing import Any

import numpy as np

from jaxglm.designs import Dense
from jaxglm.families import Family
from jaxglm.rows._problem import Problem
from jaxglm.sources import Block


@dataclasses.dataclass(frozen=True)
class Replicas:
    """G problems on the rows of one; to the search they are what `Segments` are.

    Attributes
    ----------
    problem : Problem
        The rows. What a lane has of its own goes before what stands here.
    y : [G, n] or None
        A response for each lane.
    times : [G, n] or None
        How often each lane has each row: a count of observations, or bool where a row is there as
        it stands or is not.
    failed : dict of str
        By lane, why it cannot be fitted; each lane without a row that counts is here.
    """

    problem: Problem
    y: np.ndarray | None
    times: np.ndarray | None
    failed: dict[int, str]

    @property
    def count(self) -> int:
        own = self.y if self.times is None else self.times
        assert own is not None
        return len(own)

    @property
    def sizes(self) -> np.ndarray:
        """Rows of each lane."""
        return np.full(self.count, self.problem.y.size)

    @functools.cached_property
    def ready(self) -> np.ndarray:
        """Lanes that can be fitted."""
        return np.setdiff1d(np.arange(self.count), np.array(list(self.failed), int))

    def narrowed(self, family: Family) -> Family:
        """The family with what it need not compute for any of the lanes left out."""
        if self.y is None:
            return self.problem.narrowed(family)
        each = (dataclasses.replace(self.problem, y=self.y[g]).narrowed(family) for g in self.ready)
        first = next(each, family)
        return first if all(type(other) is type(first) for other in each) else family

    @functools.cached_property
    def _columns(self) -> np.ndarray:
        return np.asarray(self.problem.design.dense(self.problem.dtype))

    def common(self, size: int) -> Block:
        """What all lanes share, padded to `size` rows."""
        problem = self.problem

        def vector(values: np.ndarray | None) -> Any:
            return None if values is None else _padded(values.astype(problem.dtype), size)

        return Block(
            design=Dense(_padded(self._columns.T, size).T),
            y=vector(problem.y),
            weight=vector(np.zeros(problem.y.size)),
            offset=vector(problem.offset),
            freq=vector(problem.freq),
            trials=vector(problem.trials),
        )

    def cut(self, which: np.ndarray, count: int, size: int, shape: tuple[int, ...]) -> Block:
        """What some lanes have of their own; those from `count` on have weight 0."""
        n = self.problem.y.size

        def laid(values: np.ndarray) -> Any:
            own = _padded(values.astype(self.problem.dtype), size)
            return own.reshape(*shape, size)

        weight = np.zeros((which.size, size))
        weight[:count, :n] = self._weights(which[:count])
        counts = None if self.times is None or self.times.dtype == bool else self.times[which]
        if counts is not None and self.problem.freq is not None:
            counts = counts * self.problem.freq
        from_common: Any = None
        return Block(
            design=from_common,
            y=from_common if self.y is None else laid(self.y[which]),
            weight=laid(weight),
            freq=None if counts is None else laid(counts),
        )

    def dense(self, which: np.ndarray, size: int) -> np.ndarray:
        """The columns of some lanes, [k, size, p] float64; rows that do not count are zero."""
        weight = np.zeros((which.size, size))
        weight[:, : self.problem.y.size] = self._weights(which)
        columns = _padded(self._columns.T, size).T.astype(float)
        return np.where((weight > 0)[..., None], columns, 0.0)

    def one(self, g: int) -> Problem:
        """The problem of one lane."""
        problem = self.problem
        if self.y is not None:
            problem = dataclasses.replace(problem, y=self.y[g])
        if self.times is None:
            return problem
        times = self.times[g]
        if times.dtype != bool:
            freq = times * (1.0 if problem.freq is None else problem.freq)
            problem = dataclasses.replace(problem, freq=freq, weight=times * problem.weight)
        return problem.take_rows(np.flatnonzero(times))

    def _weights(self, which: np.ndarray) -> np.ndarray:
        """The weights of all rows in some lanes, [k, n]."""
        weight = self.problem.weight
        if self.times is None:
            return np.broadcast_to(weight, (which.size, weight.size))
        return self.times[which] * weight


def _padded(values: np.ndarray, size: int) -> np.ndarray:
    """The last axis padded to `size` with its last value: no column varies more by that."""
    room = size - values.shape[-1]
    if room == 0:
        return values
    return np.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, room)], mode="edge")
