"""Owns the meat of a cluster-robust covariance: scores added up by cluster."""

import dataclasses
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np

from jaxglm._status import DataError
from jaxglm.families import Family
from jaxglm.sources import Source, in_parts
from jaxglm.sums import ALONE, Rooted, row_scores

# Numbers of the matrices of clusters that are held at a time.
_NUMBERS = 1 << 25


@dataclasses.dataclass(frozen=True)
class Clusters:
    """Which cluster each row is in.

    Attributes
    ----------
    codes : [n] int
        From 0 to count - 1, each of which occurs; -1 for a row that does not count.
    count : int
    """

    codes: np.ndarray
    count: int

    @classmethod
    def of(cls, codes: np.ndarray, live: np.ndarray) -> "Clusters":
        """Of any codes, among the rows that are `live` ([n] bool)."""
        known, own = np.unique(codes[live], return_inverse=True)
        dense = np.full(codes.size, -1)
        dense[live] = own
        return cls(dense, known.size)

    def with_other(self, other: "Clusters") -> "Clusters":
        """Rows that agree in both are one cluster."""
        both = self.codes * np.int64(other.count) + other.codes
        return Clusters.of(both, self.codes >= 0)


def intersections(ways: tuple[Clusters, ...]) -> Iterator[tuple[int, Clusters]]:
    """All clusterings of inclusion and exclusion, each with its sign.

    Cameron, Gelbach and Miller (2011): for two ways A + B - AB, and so on.
    """
    for size in range(1, len(ways) + 1):
        for some in combinations(ways, size):
            first, *others = some
            for other in others:
                first = first.with_other(other)
            yield (-1) ** (size + 1), first


def clustered(
    source: Source, family: Family, at: Rooted, clusters: Clusters, kind: str
) -> np.ndarray:
    """Sum over clusters of their scores times themselves, in root coordinates: [q, q].

    Parameters
    ----------
    kind : {"HC0", "HC1", "HC2", "HC3"}
        HC2 and HC3 multiply the score of a cluster by (I - H_g)^(-1/2) and (I - H_g)^-1, with H_g
        the information of its rows in root coordinates (Bell and McCaffrey 2002, there in the
        rows: they agree, as X_g (I - H_g)^-1 = (I - X_g X_g')^-1 X_g). Where a cluster determines a
        direction alone its score has no part in it, and no more has what is added.
    """
    sums = _sums(source, family, at, clusters)
    if kind in ("HC2", "HC3"):
        sums = _adjusted(source, family, at, clusters, sums, -0.5 if kind == "HC2" else -1.0)
    return sums.T @ sums


def _sums(source: Source, family: Family, at: Rooted, clusters: Clusters) -> np.ndarray:
    """The score of each cluster, [G, q]."""
    import scipy.sparse

    q = at.dense.shape[1]
    sums = np.zeros((clusters.count, q))
    for which, rows in in_parts(source, row_scores, family, at, width=q + 2):
        codes = clusters.codes[which]
        inside = np.flatnonzero(codes >= 0)
        here, local = np.unique(codes[inside], return_inverse=True)
        pulls = (rows.pull[inside], (local, inside))
        sums[here] += scipy.sparse.csr_array(pulls, (here.size, which.size)) @ rows.along
    return sums


def _adjusted(
    source: Source, family: Family, at: Rooted, clusters: Clusters, sums: np.ndarray, power: float
) -> np.ndarray:
    """Scores of clusters times a power of I - H_g, some clusters at a time."""
    q = at.dense.shape[1]
    adjusted = np.empty_like(sums)
    step = max(1, _NUMBERS // (q * q))
    order = np.argsort(clusters.codes, kind="stable")
    starts = np.searchsorted(clusters.codes[order], np.arange(clusters.count + 1))
    for first in range(0, clusters.count, step):
        last = min(first + step, clusters.count)
        hat = np.zeros((last - first, q, q))
        own = order[starts[first] : starts[last]]
        for which, rows in in_parts(source, row_scores, family, at, width=q + 2, order=own):
            weighted = rows.along * np.sqrt(rows.weight)[:, None]
            codes = clusters.codes[which] - first
            # The rows of a cluster stand together.
            ends = np.flatnonzero(np.diff(codes)) + 1
            for part in np.split(np.arange(which.size), ends):
                hat[codes[part[0]]] += weighted[part].T @ weighted[part]
        values, vectors = np.linalg.eigh(np.eye(q) - hat)
        alone = values < ALONE
        powers = np.where(alone, 0.0, np.where(alone, 1.0, values) ** power)
        turned = np.einsum("gij,gi->gj", vectors, sums[first:last])
        adjusted[first:last] = np.einsum("gij,gj->gi", vectors, powers * turned)
    return adjusted


def check_counts(names: tuple[str, ...], ways: tuple[Clusters, ...], k: int) -> tuple[str, ...]:
    """What has to be said of how many clusters there are.

    Raises
    ------
    DataError
        For one cluster only.
    """
    notes: list[str] = []
    for name, way in zip(names, ways, strict=True):
        if way.count < 2:
            raise DataError(
                f"{name} holds one cluster only: how much clusters differ cannot be told from one. "
                "Use cov_type='HC1' or another robust kind without clusters, or a finer clustering."
            )
        if way.count <= k:
            notes.append(
                f"{name} has {way.count:,} clusters for {k:,} coefficients: the covariance has no "
                f"full rank, and joint tests of {way.count:,} or more coefficients mean nothing."
            )
        elif way.count < 30:
            notes.append(
                f"{name} has {way.count:,} clusters only: with few of them cluster-robust errors "
                "come out too small; type='HC3' errs to the other side."
            )
    return tuple(notes)


def told(names: tuple[str, ...], ways: tuple[Clusters, ...]) -> str:
    """The clusterings in words."""
    parts: list[Any] = [f"{name} ({w.count:,})" for name, w in zip(names, ways, strict=True)]
    return " and ".join(parts)
