"""Owns the rows of fits that share them: the same columns, responses or counts of their own."""

import dataclasses
import functools
from typing import Any

import numpy as np

from jaxglm.designs import Dense
from jaxglm.families import Family
from jaxglm.rows._problem import Problem, narrowed
from jaxglm.sources import Block, Rows


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
        return np.full(self.count, len(self.problem.rows))

    @functools.cached_property
    def ready(self) -> np.ndarray:
        """Lanes that can be fitted."""
        return np.setdiff1d(np.arange(self.count), np.array(list(self.failed), int))

    def narrowed(self, family: Family) -> Family:
        """The family with what it need not compute for any of the lanes left out."""
        if self.y is None:
            return self.problem.narrowed(family)
        rows = self.problem.rows
        each = (narrowed(dataclasses.replace(rows, y=self.y[g]), family) for g in self.ready)
        first = next(each, family)
        return first if all(type(other) is type(first) for other in each) else family

    def _with(self, **vectors: np.ndarray) -> Problem:
        """The rows with some vectors of a lane's own."""
        block = self.problem.block
        return self.problem.with_block(
            Block(block.design, dataclasses.replace(block.rows, **vectors))
        )

    @functools.cached_property
    def _columns(self) -> np.ndarray:
        return np.asarray(self.problem.design.dense(self.problem.dtype))

    def common(self, size: int) -> Block:
        """What all lanes share, padded to `size` rows."""
        rows = dataclasses.replace(self.problem.rows, weight=np.zeros(len(self.problem.rows)))
        return Block(
            design=Dense(_padded(self._columns.T, size).T),
            rows=rows.each(lambda _, values: _padded(values.astype(self.problem.dtype), size)),
        )

    def cut(self, which: np.ndarray, count: int, size: int, shape: tuple[int, ...]) -> Block:
        """What some lanes have of their own; those from `count` on have weight 0."""
        n, freq = len(self.problem.rows), self.problem.rows.freq

        def laid(values: np.ndarray) -> Any:
            own = _padded(values.astype(self.problem.dtype), size)
            return own.reshape(*shape, size)

        weight = np.zeros((which.size, size))
        weight[:count, :n] = self._weights(which[:count])
        counts = None if self.times is None or self.times.dtype == bool else self.times[which]
        if counts is not None and freq is not None:
            counts = counts * freq
        from_common: Any = None
        rows = Rows(y=from_common if self.y is None else self.y[which], weight=weight, freq=counts)
        return Block(design=from_common, rows=rows.each(lambda _, values: laid(values)))

    def dense(self, which: np.ndarray, size: int) -> np.ndarray:
        """The columns of some lanes, [k, size, p] float64; rows that do not count are zero."""
        weight = np.zeros((which.size, size))
        weight[:, : len(self.problem.rows)] = self._weights(which)
        columns = _padded(self._columns.T, size).T.astype(float)
        return np.where((weight > 0)[..., None], columns, 0.0)

    def one(self, g: int) -> Problem:
        """The problem of one lane."""
        own: dict[str, np.ndarray] = {} if self.y is None else {"y": self.y[g]}
        if self.times is None:
            return self._with(**own)
        times, rows = self.times[g], self.problem.rows
        if times.dtype != bool:
            freq = times * (1.0 if rows.freq is None else rows.freq)
            own |= {"freq": freq, "weight": times * rows.weight}
        return self._with(**own).take_rows(np.flatnonzero(times))

    def _weights(self, which: np.ndarray) -> np.ndarray:
        """The weights of all rows in some lanes, [k, n]."""
        weight = self.problem.rows.weight
        if self.times is None:
            return np.broadcast_to(weight, (which.size, weight.size))
        return self.times[which] * weight


def _padded(values: np.ndarray, size: int) -> np.ndarray:
    """The last axis padded to `size` with its last value: no column varies more by that."""
    room = size - values.shape[-1]
    if room == 0:
        return values
    return np.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, room)], mode="edge")
