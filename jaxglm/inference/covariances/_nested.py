"""Owns the coefficients that fixest does not count: those of factors nested in the clusters."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from jaxglm.designs import Split
from jaxglm.inference.covariances._clustered import Clusters
from jaxglm.sources import Block, Source


def nested(
    source: Source,
    ways: Sequence[Clusters],
    determined: np.ndarray,
    segment: np.ndarray | None = None,
) -> np.ndarray:
    """How many coefficients of each fit are left out where fixest counts them: [k].

    Those of a factor whose every level has its rows in one cluster, of any of the clusterings: the
    fixed effects that fixest calls nested. One of its levels counts, as the intercept does.

    Parameters
    ----------
    determined : [k, p] bool
        The columns that have a coefficient in each of k fits, design order.
    segment : [n] int, optional
        The fit of each row, -1 for none; there is one unless given.
    """
    fits = len(determined)
    total = np.zeros(fits, int)
    design = source.design
    if not isinstance(design, Split):
        return total
    segment = np.zeros(source.n_rows, int) if segment is None else segment
    live = (segment >= 0) & (ways[0].codes >= 0)
    end = design.numeric.n_columns
    for factor, codes in zip(design.factors, _codes(source, len(design.factors)), strict=True):
        own = slice(end, end := end + factor.n_columns)
        if factor.multiplier is not None:
            continue  # slopes
        # The levels of each fit, numbered one after the other.
        levels = Clusters.of(segment * np.int64(factor.n_levels + 1) + codes, live)
        level, fit = levels.codes[live], segment[live]
        fit_of = np.empty(levels.count, int)
        fit_of[level] = fit
        inside = np.zeros(fits, bool)
        for way in ways:
            cluster, cluster_of = way.codes[live], np.empty(levels.count, int)
            cluster_of[level] = cluster
            inside |= np.bincount(fit, cluster_of[level] != cluster, fits) == 0
        others = np.maximum(np.bincount(fit_of, minlength=fits) - 1, 0)
        total += np.where(inside, np.minimum(determined[:, own].sum(axis=1), others), 0)
    return total


def _codes(source: Source, factors: int) -> Iterator[np.ndarray]:
    """The level of every row, [n], of one factor after the other."""

    def further(before: list[Any], block: Block) -> list[Any]:
        assert isinstance(block.design, Split)
        found = zip(before, block.design.factors, strict=True)
        return [[*parts, factor.codes] for parts, factor in found]

    return map(np.concatenate, source.scan(further, [[]] * factors))
