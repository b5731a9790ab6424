"""Owns the meat of a covariance that allows for dependence over time: Newey and West's."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm._programs import program
from jaxglm.designs import bucket
from jaxglm.families import Family
from jaxglm.inference.covariances._clustered import Clusters
from jaxglm.sources import Source, in_parts
from jaxglm.sums import Rooted, row_scores


@dataclasses.dataclass(frozen=True)
class Times:
    """In which order rows came.

    Attributes
    ----------
    order : [n] int
        The rows that count, series by series, and by time in each.
    moment : [n] int
        For each of these the number of its moment: those of a series follow each other, and rows
        of the same series and time share one.
    series, time : [m] int
        The series of each moment, and the number of its time among all times that occur.
    """

    order: np.ndarray
    moment: np.ndarray
    series: np.ndarray
    time: np.ndarray

    @classmethod
    def of(cls, time: np.ndarray | None, series: np.ndarray | None, live: np.ndarray) -> "Times":
        """From codes of times and of series that sort as they do; None for the rows' own order.

        Without times each row is a moment of its own.
        """
        n = live.size
        groups = np.zeros(n, int) if series is None else series
        times = np.arange(n) if time is None else time
        order = np.lexsort((times, groups))
        order = order[live[order]]
        new = np.ones(order.size, bool)
        new[1:] = (np.diff(groups[order]) != 0) | (np.diff(times[order]) != 0)
        return cls(order, np.cumsum(new) - 1, groups[order][new], times[order][new])

    def as_clusters(self, live: np.ndarray) -> Clusters:
        """The moments as clusters, whose numbers sort as time does; of the rows that count."""
        codes = np.full(live.size, -1)
        codes[self.order] = self.moment
        return Clusters(codes, self.series.size)


def automatic_lags(moments: Any) -> Any:
    """How many lags a series of so many moments has by itself: floor(4 (T / 100)^(2/9)).

    The rule that Newey and West (1994, Rev. Econ. Stud. 61) start from for Bartlett weights.
    """
    return np.floor(4 * (np.asarray(moments) / 100) ** (2 / 9))


def serial(source: Source, family: Family, at: Rooted, times: Times, max_lags: int) -> np.ndarray:
    """Bartlett's weighted sum of the products of scores up to so many times apart: [q, q].

    ``sum_l (1 - l / (L + 1)) (C_l + C_l')`` with C_l the sum of s_t s_(t-l)' (Newey and West 1987,
    Econometrica 55, 703-708); s_t are the scores of a moment added up. Times count as far apart as
    they are among all that occur: a series that lacks one has a gap there.
    """
    q = at.dense.shape[1]
    total = np.zeros((q, q))
    before = np.zeros((0, q))
    for first, scores in _moments(source, family, at, times):
        joined = np.concatenate([before, scores])
        here = slice(first - len(before), first + len(scores))
        series, time = times.series[here], times.time[here]
        total += scores.T @ scores
        padded = np.zeros((bucket(len(joined)), q))
        padded[: len(joined)] = joined
        for back in range(1, min(max_lags, len(joined) - 1) + 1):
            first_later = max(len(before), back)
            later, earlier = slice(first_later, None), slice(first_later - back, -back)
            weight = np.zeros(len(padded))
            apart = time[later] - time[earlier]
            near = np.maximum(1 - apart / (max_lags + 1), 0.0)
            weight[later.start : len(joined)] = near * (series[later] == series[earlier])
            product = np.asarray(_lagged(padded, weight, np.int32(back)))
            total += product + product.T
        before = joined[max(0, len(joined) - max_lags) :]
    return total


@program(quick=True)
def _lagged(scores: jax.Array, weight: jax.Array, back: jax.Array) -> jax.Array:
    """Weighted sum of the products of scores with those so many places before: [q, q]."""
    earlier = weight[:, None] * jnp.roll(scores, back, axis=0)
    return jnp.dot(scores.T, earlier, precision=jax.lax.Precision.HIGHEST)


def _moments(
    source: Source, family: Family, at: Rooted, times: Times
) -> Iterator[tuple[int, np.ndarray]]:
    """Scores of moments in order, some at a time, each with the number of the first."""
    q, done, first = at.dense.shape[1], 0, 0
    open_ = np.zeros(q)  # what is known of a moment whose rows have not all come
    order = None if np.array_equal(times.order, np.arange(source.n_rows)) else times.order
    for which, rows in in_parts(source, row_scores, family, at, width=q + 2, order=order):
        moment = times.moment[done : done + which.size]
        done += which.size
        starts = np.flatnonzero(np.diff(moment, prepend=-1))
        scores = rows.along * rows.pull[:, None]
        sums = scores if starts.size == len(scores) else np.add.reduceat(scores, starts)
        if moment[0] == first:
            sums[0] += open_
        else:
            sums = np.concatenate([open_[None], sums])
        if done < times.order.size:
            sums, open_ = sums[:-1], sums[-1].copy()
        if len(sums):
            yield first, sums
        first += len(sums)
