"""Owns the covariances of many fits: those of `_sandwich`, a lane for each segment."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from jaxglm._jax import computing
from jaxglm._tuning import tuning
from jaxglm.algebra import Covariance, Root, root_of, without_negative
from jaxglm.families import Family
from jaxglm.inference.covariances import _corrections
from jaxglm.inference.covariances._asked import (
    BESIDE_REDUCED,
    Asked,
    how_made,
    idle,
    indefinite,
    kind_of,
)
from jaxglm.inference.covariances._clustered import Clusters, intersections
from jaxglm.inference.covariances._nested import nested
from jaxglm.inference.covariances._sandwich import POWERS
from jaxglm.inference.covariances._serial import automatic_lags
from jaxglm.intake import MAX_MEMORY
from jaxglm.lanes import (
    Fits,
    LaneEstimate,
    Lanes,
    lane_clusters,
    lane_meat,
    lane_observed,
    lane_serial,
)
from jaxglm.rows import Segments
from jaxglm.sources import Block
from jaxglm.sums import Objective

# Makes the covariance of one segment by itself, or says in words why there is none.
Alone = Callable[[int], Covariance | str]


@dataclasses.dataclass(frozen=True)
class ManyCovariances:
    """Covariances of many fits.

    Attributes
    ----------
    covariance : Covariance
    lacking : dict of str
        Why a segment has none, by its number.
    remarks : dict of [k] int
        What has to be said of segments, as the rest of a sentence, and of which.
    """

    covariance: Covariance
    lacking: dict[int, str]
    remarks: dict[str, np.ndarray]


def covariances_of(
    segments: Segments, family: Family, fits: Fits, asked: Asked, alone: Alone
) -> ManyCovariances:
    """The covariance asked for of every fit.

    Parameters
    ----------
    segments : Segments
        The rows.
    family : Family
        Of all fits but those whose shape was estimated.
    fits : Fits
    asked : Asked
        With the rows of all.
    alone : callable
        For segments that are no lane: a shape of their own, very many rows, HC2 and HC3 of
        clusters.
    """
    base = fits.covariance.expected
    count = segments.count
    none = Root(np.full_like(base.root.dense, np.nan), np.zeros_like(base.root.diagonal))
    df = None if base.df is None else base.df.copy()
    notes = how_made(asked), *idle(asked)
    covariance = base.another(none, kind_of(asked), notes, df=df)
    signs = np.ones(base.root.dense.shape[:2])
    covariance = dataclasses.replace(covariance, scale=np.full(count, np.nan), signs=signs)
    fitted = np.flatnonzero(fits.fitted)
    by_cluster = asked.kind == "cluster" and asked.type in ("HC2", "HC3")
    lane = (segments.sizes[fitted] <= tuning().most_lane_rows) & ~fits.shaped[fitted]
    lane &= ~base.root.diagonal[fitted].any(axis=1) & (not by_cluster)
    lanes = _Lanes(segments, family, fits, asked, covariance)
    with computing(segments.problem.dtype == np.float64):
        lacking = lanes.write(fitted[lane])
    negative = np.asarray((signs < 0).any(axis=1))
    if asked.sets_negative_to_zero:
        errors = ~(base.aliased | base.infinite | base.open)
        for g in map(int, np.flatnonzero(negative)):
            root, own = without_negative(covariance.root.dense[g], signs[g], errors[g])
            covariance.root.dense[g], signs[g] = root, 1.0 if own is None else own
    for g in map(int, fitted[~lane]):
        one = alone(g)
        if isinstance(one, str):
            lacking[g] = one
            continue
        covariance.put(g, one)
        negative[g] = any("negative eigenvalues" in note for note in one.notes)
    notes = covariance.notes
    if negative.any():
        notes += (indefinite(asked, "The covariance of some segments"),)
    signed = signs if (signs < 0).any() else None
    covariance = dataclasses.replace(covariance, signs=signed, notes=notes)
    remarks = {
        "a covariance with negative eigenvalues: see the notes of one of them": negative,
        **lanes.remarks(),
        f"estimates of reduced bias: {BESIDE_REDUCED}": fits.reduced & (asked.kind != "nonrobust"),
    }
    told = np.isin(np.arange(count), [*lacking, *np.flatnonzero(~fits.fitted)], invert=True)
    found = {remark: np.flatnonzero(which & told) for remark, which in remarks.items()}
    return ManyCovariances(
        covariance,
        dict(sorted(lacking.items())),
        {remark: which for remark, which in found.items() if which.size},
    )


@dataclasses.dataclass(frozen=True)
class _Lanes:
    """The lanes of some segments."""

    segments: Segments
    family: Family
    fits: Fits
    asked: Asked
    covariance: Covariance

    def write(self, which: np.ndarray) -> dict[int, str]:
        """Write the covariances of some segments; those that have none, and why."""
        if which.size == 0:
            return {}
        base, order = self.covariance.expected, self.segments.problem.order
        root = base.root.dense[which][:, order]
        lacking: dict[int, str] = {}
        if self.asked.information == "observed":
            gram, _ = self._over(lane_observed, which, root)
            root, wrong = _observed(root, gram)
            _say(lacking, which[wrong], "its observed information is not positive definite")
        scale = base.scale[which]
        if self.asked.kind != "nonrobust":
            matrix, lost = self._meat(which, root, lacking)
            middle, signs = root_of(matrix)
            root = root @ middle
            if signs is not None:
                assert self.covariance.signs is not None
                self.covariance.signs[which] = np.where(lost[:, None], 1.0, signs)
            scale = np.where(np.isnan(scale) | lost, np.nan, 1.0)
        public = np.empty_like(root)
        public[:, order] = root
        public[np.isin(which, list(lacking))] = np.nan
        self.covariance.root.dense[which] = public
        self.covariance.scale[which] = scale
        return lacking

    def remarks(self) -> dict[str, np.ndarray]:
        """What has to be said of moments and lags, and of which segments, [G] bool."""
        times = self.asked.times
        if times is None:
            return {}
        problem = self.segments.problem
        moments = self._counts(times.as_clusters(problem.rows.live))
        rows = np.bincount(self.segments.of_rows[times.order], minlength=moments.size)
        lags = self.asked.max_lags
        lags = automatic_lags(moments) if lags is None else lags
        much = (
            "much of maxlags for the moments that it has: the more lags, the nearer the sum comes "
            "to the square of the total score, which is 0, and standard errors come out too small"
        )
        several = (
            "several rows at a time: their scores were added up, as Driscoll and Kraay (1998) do "
            "for series that depend on each other"
        )
        return {several: rows > moments, much: 2 * (lags + 1) > moments}

    def _meat(
        self, which: np.ndarray, root: np.ndarray, lacking: dict[int, str]
    ) -> tuple[np.ndarray, np.ndarray]:
        """The middles of sandwiches, [k, p, p], and where there is none, [k] bool."""
        asked = self.asked
        k = (~self.fits.aliased[which]).sum(axis=1)
        n = self.fits.scalars["nobs"][which]
        lost = n <= k
        _say(lacking, which[lost], "it has no more observations than coefficients")
        n = np.where(lost, np.nan, n)
        if asked.kind == "HC":
            power = self.segments.problem.dtype.type(POWERS[asked.type])
            matrix, alone = self._over(lane_meat, which, root, power)
            alone = np.where(self.fits.infinite[which].any(axis=1), 0.0, alone)
            factor = _corrections.of_rows(asked.correction, asked.type, n, k)
            _say(lacking, which[alone > 0], f"a row has leverage 1, and {asked.type} divides by 0")
            lost = lost | (alone > 0)
        elif asked.kind == "HAC":
            assert asked.times is not None
            moments = asked.times.as_clusters(self.segments.problem.rows.live)
            lags = asked.max_lags
            each = automatic_lags(self._counts(moments)[which]) if lags is None else lags
            matrix, _ = self._over(lane_serial, which, root, clusters=moments, lags=each)
            factor = _corrections.of_lags(asked.correction, n, k)
        else:
            matrix, factor, single = self._clustered(which, root, n, k)
            _say(lacking, which[single & ~lost], "it has one cluster only")
            lost = lost | single
        return matrix * np.nan_to_num(np.reshape(factor, (-1, 1, 1))), lost

    def _clustered(
        self, which: np.ndarray, root: np.ndarray, n: np.ndarray, k: np.ndarray
    ) -> tuple[np.ndarray, float, np.ndarray]:
        """Middles with their corrections in them, and where there is one cluster only."""
        asked, total = self.asked, np.zeros_like(root)
        parts = list(intersections(asked.clusters))
        counts = [self._counts(way)[which] for _, way in parts]
        fewest = np.minimum.reduce(counts[: len(asked.clusters)])
        counts = [np.maximum(own, 2) for own in counts]  # those of one are nan in the end
        if asked.correction == "fixest":
            problem = self.segments.problem
            determined = ~self.fits.aliased[:, problem.order]
            of_rows = self.segments.of_rows
            k = k - nested(problem.source, asked.clusters, determined, of_rows)[which]
        for i, (sign, way) in enumerate(parts):
            matrix, _ = self._over(lane_clusters, which, root, clusters=way)
            factor = _corrections.of_clusters(
                asked.correction, asked.type, n, k, counts, i, adjust=asked.adjust
            )
            total += sign * np.nan_to_num(np.reshape(factor, (-1, 1, 1))) * matrix
        if self.covariance.df is not None:
            self.covariance.df[which] = fewest - 1.0
        return total, 1.0, fewest < 2

    def _over(
        self,
        function: Callable[..., Any],
        which: np.ndarray,
        root: np.ndarray,
        shared: Any = None,
        clusters: Clusters | None = None,
        lags: Any = 0,
    ) -> tuple[np.ndarray, np.ndarray]:
        """What a function adds up in each of some segments."""
        segments, dtype = self.segments, self.segments.problem.dtype
        if clusters is not None:
            problem = segments.problem
            rows = dataclasses.replace(problem.rows, cluster=self._local(clusters))
            problem = problem.with_block(Block(problem.design, rows))
            segments = dataclasses.replace(segments, problem=problem)
        coef = np.where(self.fits.aliased, 0.0, self.fits.coef)[which][:, segments.problem.order]
        own = LaneEstimate(
            coef.astype(dtype),
            root.astype(dtype),
            ~self.fits.aliased[which][:, segments.problem.order],
            np.broadcast_to(np.asarray(lags, dtype), which.shape),
        )
        lanes = Lanes.of(segments, Objective(self.family), which, MAX_MEMORY)
        matrix, alone = np.empty(root.shape), np.empty(which.size)
        for places, found in lanes.over(function, which, own, shared):
            matrix[places], alone[places] = found.matrix, found.alone
        return matrix, alone

    def _local(self, clusters: Clusters) -> np.ndarray:
        """The clusters of each segment numbered from 0 on, row by row."""
        segment, both = self._both(clusters)
        found, place = np.unique(both, return_inverse=True)
        first = np.searchsorted(found, segment * np.int64(clusters.count))
        return np.where(both < 0, 0, place - first).astype(float)

    def _counts(self, clusters: Clusters) -> np.ndarray:
        """How many clusters each segment has."""
        _, both = self._both(clusters)
        found = np.unique(both[both >= 0])
        return np.bincount(found // clusters.count, minlength=self.segments.count)

    def _both(self, clusters: Clusters) -> tuple[np.ndarray, np.ndarray]:
        """The segment of each row, and a number for it together with its cluster; -1 for none."""
        segment = self.segments.of_rows
        inside = (segment >= 0) & (clusters.codes >= 0)
        both = np.where(inside, segment * np.int64(clusters.count) + clusters.codes, -1)
        return segment, both


def _say(lacking: dict[int, str], which: np.ndarray, why: str) -> None:
    for g in which.tolist():
        lacking.setdefault(g, why)


def _observed(root: np.ndarray, gram: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Roots of the inverse observed information, and where that is not positive definite."""
    entry = np.arange(gram.shape[-1])
    nothing = gram[:, entry, entry] == 0  # of columns that take no part
    gram[:, entry, entry] += nothing
    values, vectors = np.linalg.eigh(gram)
    wrong = values.min(axis=1) <= 0
    inner = vectors / np.sqrt(np.where(values > 0, values, 1.0))[:, None, :]
    return root @ inner, wrong
