"""Owns the meat of a cluster-robust covariance: scores added up by cluster."""

import dataclasses
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm._status import DataError
from jaxglm.designs import bucket
from jaxglm.families import Family
from jaxglm.sources import Block, Source, folded, in_parts, place
from jaxglm.sums import ALONE, Rooted, add_scores, products, row_scores

# Numbers of clusters that are held at a time.
_NUMBERS = 1 << 25
# Codes up to so many times their number are counted, which takes a tenth of the time of sorting.
_SPARSE = 4


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
        some = codes[live]
        if some.size and some.min() >= 0 and some.max() < _SPARSE * some.size:
            number = np.cumsum(np.bincount(some) > 0) - 1
            own, count = number[some], int(number[-1]) + 1
        else:
            known, own = np.unique(some, return_inverse=True)
            count = known.size
        dense = np.full(codes.size, -1)
        dense[live] = own
        return cls(dense, count)

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
    source: Source,
    family: Family,
    at: Rooted,
    parts: Sequence[tuple[float, Clusters]],
    kind: str,
) -> np.ndarray:
    """Sum over clusters of their scores times themselves, in root coordinates: [q, q].

    Parameters
    ----------
    parts : sequence of (float, Clusters)
        Clusterings, each with what its sum is multiplied by.
    kind : {"HC0", "HC1", "HC2", "HC3"}
        HC2 and HC3 multiply the score of a cluster by (I - H_g)^(-1/2) and (I - H_g)^-1, with H_g
        the information of its rows in root coordinates (Bell and McCaffrey 2002, there in the
        rows: they agree, as X_g (I - H_g)^-1 = (I - X_g X_g')^-1 X_g). Where a cluster determines a
        direction alone its score has no part in it, and no more has what is added.
    """
    if kind not in ("HC2", "HC3"):
        return _plain(source, family, at, parts)
    power = -0.5 if kind == "HC2" else -1.0
    q = at.dense.shape[1]
    total = np.zeros((q, q))
    for factor, way in parts:
        total += factor * _adjusted(source, family, at, way, power)
    return total


def _plain(
    source: Source, family: Family, at: Rooted, parts: Sequence[tuple[float, Clusters]]
) -> np.ndarray:
    """All clusterings in one visit to the rows, or as many as memory for their scores asks for."""
    q = at.dense.shape[1]
    starts = np.cumsum([0, *(way.count for _, way in parts)])
    # The clusters of one way follow those of another.
    codes = np.stack(
        [
            np.where(way.codes < 0, -1, way.codes + start)
            for (_, way), start in zip(parts, starts[:-1], strict=True)
        ],
        axis=1,
    )
    factors = np.repeat([factor for factor, _ in parts], np.diff(starts))
    total = np.zeros((q, q))
    step = min(bucket(factors.size), max(1, _NUMBERS // q))
    for first in range(0, factors.size, step):
        sums = _scores(source, family, at, codes, first, step)
        own = np.zeros((step, 1))
        own[: factors.size - first, 0] = factors[first : first + step]
        total += np.asarray(products(sums, own * sums))
    return total


def _scores(
    source: Source, family: Family, at: Rooted, codes: np.ndarray, first: int, count: int
) -> jax.Array:
    """The scores of the clusters from `first` on, [count, q]; `codes` [n, ways]."""
    q = at.dense.shape[1]

    def further(carry: tuple[int, Any], block: Block) -> tuple[int, Any]:
        done, sums = carry
        end = done + len(block.rows)
        rows = dataclasses.replace(block.rows, cluster=codes[done:end])
        tiles = place(Block(block.design, rows), source.dtype, made=2 * q)
        return end, folded(tiles, sums, family, at, np.int32(first), step=add_scores)

    _, sums = source.scan(further, (0, jnp.zeros((count, q), source.dtype)))
    return sums


def _adjusted(
    source: Source, family: Family, at: Rooted, clusters: Clusters, power: float
) -> np.ndarray:
    """With scores of clusters times a power of I - H_g, some clusters at a time."""
    q = at.dense.shape[1]
    total = np.zeros((q, q))
    step = max(1, _NUMBERS // (q * q))
    order = np.argsort(clusters.codes, kind="stable")
    starts = np.searchsorted(clusters.codes[order], np.arange(clusters.count + 1))
    for first in range(0, clusters.count, step):
        last = min(first + step, clusters.count)
        hat, scores = np.zeros((last - first, q, q)), np.zeros((last - first, q))
        own = order[starts[first] : starts[last]]
        for which, rows in in_parts(source, row_scores, family, at, width=q + 2, order=own):
            weighted = rows.along * np.sqrt(rows.weight)[:, None]
            pulls = rows.along * rows.pull[:, None]
            codes = clusters.codes[which] - first
            # The rows of a cluster stand together.
            ends = np.flatnonzero(np.diff(codes)) + 1
            for part in np.split(np.arange(which.size), ends):
                hat[codes[part[0]]] += weighted[part].T @ weighted[part]
                scores[codes[part[0]]] += pulls[part].sum(axis=0)
        values, vectors = np.linalg.eigh(np.eye(q) - hat)
        alone = values < ALONE
        powers = np.where(alone, 0.0, np.where(alone, 1.0, values) ** power)
        turned = np.einsum("gij,gi->gj", vectors, scores)
        adjusted = np.einsum("gij,gj->gi", vectors, powers * turned)
        total += adjusted.T @ adjusted
    return total


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
