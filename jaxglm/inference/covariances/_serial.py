"""Owns the meat of a covariance that allows for dependence over time: Newey and West's."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from jaxglm.designs import bucket
from jaxglm.families import Family
from jaxglm.inference.covariances._clustered import Clusters
from jaxglm.sources import Source, in_parts
from jaxglm.sums import Rooted, products, scores_of_rows


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


def check_times(times: Times, max_lags: int, k: int) -> tuple[str, ...]:
    """What has to be said of the moments of k coefficients, and of so many lags between them."""
    notes = []
    moments = times.series.size
    longest, alone = int(np.bincount(times.series).max()), np.ptp(times.series) == 0
    if times.order.size > moments and alone:
        notes.append(
            f"{times.order.size:,} rows are of {moments:,} times: the scores of a time were added "
            "up, as Driscoll and Kraay (1998) do for series that depend on each other. groups= "
            "names series that do not."
        )
    if moments <= k:
        notes.append(
            f"There are {moments:,} moments for {k:,} coefficients: the covariance has no full "
            f"rank, and joint tests of {moments:,} or more coefficients mean nothing."
        )
    if alone and 2 * (max_lags + 1) > longest:
        notes.append(
            f"maxlags={max_lags} is much for a series of {longest:,} moments: the more lags, the "
            "nearer the sum comes to the square of the total score, which is 0, and standard "
            "errors come out too small."
        )
    elif max_lags >= longest:
        notes.append(
            f"maxlags={max_lags} reaches beyond the longest series, of {longest:,} moments: the "
            "covariance is nearly that of series as clusters, cluster=."
        )
    return tuple(notes)


def serial(source: Source, family: Family, at: Rooted, times: Times, max_lags: int) -> np.ndarray:
    """Bartlett's weighted sum of the products of scores up to so many times apart: [q, q].

    ``sum_l (1 - l / (L + 1)) (C_l + C_l')`` with C_l the sum of s_t s_(t-l)' (Newey and West 1987,
    Econometrica 55, 703-708); s_t are the scores of a moment added up. Times count as far apart as
    they are among all that occur: a series that lacks one has a gap there.
    """
    import scipy.sparse

    q = at.dense.shape[1]
    total, before = np.zeros((q, q)), np.zeros((max_lags, q))
    for first, scores in _moments(source, family, at, times):
        end = max_lags + len(scores)
        joined = np.zeros((bucket(end), q))
        joined[:max_lags], joined[max_lags:end] = before, scores
        before = joined[len(scores) : end]
        # The places before the first moment are empty.
        here = np.maximum(np.arange(first - max_lags, first + len(scores)), 0)
        series, time = times.series[here], times.time[here]
        weights = np.zeros((max_lags + 1, len(joined)))
        weights[0, max_lags:] = 0.5
        later = slice(max_lags, end)
        for back in range(1, max_lags + 1):
            earlier = slice(max_lags - back, end - back)
            near = 1 - (time[later] - time[earlier]) / (max_lags + 1)
            weights[back, earlier] = np.maximum(near, 0.0) * (series[later] == series[earlier])
        lags = np.arange(max_lags + 1)
        band = scipy.sparse.dia_array((weights, -lags), shape=(len(joined), len(joined)))
        total += np.asarray(products(joined, band @ joined))
    return total + total.T


def _moments(
    source: Source, family: Family, at: Rooted, times: Times
) -> Iterator[tuple[int, np.ndarray]]:
    """Scores of moments in order, some at a time, each with the number of the first."""
    q, done, first = at.dense.shape[1], 0, 0
    open_ = np.zeros(q)  # what is known of a moment whose rows have not all come
    order = None if np.array_equal(times.order, np.arange(source.n_rows)) else times.order
    for which, scores in in_parts(source, scores_of_rows, family, at, width=2 * q, order=order):
        moment = times.moment[done : done + which.size]
        done += which.size
        starts = np.flatnonzero(np.diff(moment, prepend=-1))
        sums = scores if starts.size == len(scores) else np.add.reduceat(scores, starts)
        sums = np.concatenate([open_[None], sums])
        if moment[0] == first:
            sums[1] += open_
            sums = sums[1:]
        if done < times.order.size:
            sums, open_ = sums[:-1], sums[-1].copy()
        if len(sums):
            yield first, sums
        first += len(sums)
