"""Owns the bootstrap of one fit: observations or clusters drawn again, and what their fits say."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from jaxglm._jax import computing
from jaxglm._status import DataError, SegmentWarning, Status
from jaxglm.inference._again import rows_of
from jaxglm.inference._clusters import check_rows, cluster_column, row_codes
from jaxglm.inference._refits import problem_of, refits
from jaxglm.inference._wald import check_alpha
from jaxglm.inference.comparisons._submodels import refuse_constrained
from jaxglm.intake import Dataset, Model, check_memory
from jaxglm.lanes import _failures
from jaxglm.rows import Problem, merge_rows
from jaxglm.search import Fit
from jaxglm.sources import Block
from jaxglm.words import check_seed, understands_habits, warn

# Kinds of fits that are no optimum of the model that was fitted.
_LOST = ("rank deficient", "separated", "not converged", "not fitted")
# The counts of a batch of replicates take this share of the memory.
_SHARE_OF_COUNTS = 0.25


class Bootstrap:
    """Coefficients of a model in resampled data, made by `Results.bootstrap`.

    A replicate without an optimum (its rows are separated, or collinear) is nan as a whole; a
    coefficient whose column is zero in all rows of a replicate is nan there. Both are left out of
    what is computed from the replicates.

    Attributes
    ----------
    params : DataFrame
        Coefficients, one row per replicate and one column per term.
    failed : int
        Replicates without an optimum.
    kinds : dict of int
        The same by kind: `rank deficient, separated, not converged, not fitted`.
    """

    def __init__(self, params: pd.DataFrame, kinds: Mapping[str, int], what: str):
        self.params, self.kinds, self._what = params, dict(kinds), what

    @property
    def failed(self) -> int:
        """Replicates without an optimum."""
        return sum(self.kinds.values())

    @property
    def replicates(self) -> pd.Series:
        """Number of replicates that each coefficient has a value in."""
        return self.params.notna().sum().rename("replicates")

    @property
    def bse(self) -> pd.Series:
        """Standard errors: the standard deviations of the coefficients over the replicates."""
        return self.params.std().rename("bse")

    @understands_habits
    def cov_params(self) -> pd.DataFrame:
        """Covariance of the coefficients over the replicates that have both of a pair."""
        return self.params.cov()

    @understands_habits
    def conf_int(self, alpha: float = 0.05) -> pd.DataFrame:
        """Percentile intervals, in columns 0 (lower) and 1 (upper).

        Raises
        ------
        ValueError
            When `alpha` is outside (0, 1).
        """
        check_alpha(alpha)
        ends = self.params.quantile([alpha / 2, 1 - alpha / 2]).T
        return ends.set_axis([0, 1], axis=1)

    @understands_habits
    def tidy(self, alpha: float = 0.05) -> pd.DataFrame:
        """One row per coefficient: `term, std_error, conf_low, conf_high, replicates`.

        Raises
        ------
        ValueError
            When `alpha` is outside (0, 1).
        """
        ends = self.conf_int(alpha)
        return pd.DataFrame(
            {
                "term": list(self.params),
                "std_error": self.bse.to_numpy(),
                "conf_low": ends[0].to_numpy(),
                "conf_high": ends[1].to_numpy(),
                "replicates": self.replicates.to_numpy(),
            }
        )

    def __repr__(self) -> str:
        told = f"<jaxglm.Bootstrap: {len(self.params):,} replicates of {self._what}"
        if self.failed:
            told += f", {self.failed:,} without an optimum ({_told(self.kinds)})"
        fewest = self.replicates[self.replicates > 0]
        if len(fewest) and fewest.min() < len(self.params) - self.failed:
            told += f", {fewest.idxmin()!r} in {fewest.min():,} of them"
        return told + ">"


def _told(kinds: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {kind}" for kind, count in kinds.items() if count)


def bootstrap(
    fit: Fit,
    model: Model,
    data: Any,
    n: int,
    seed: int,
    cluster: Any,
    max_memory: float,
) -> Bootstrap:
    """The bootstrap of a fit; see `Results.bootstrap`."""
    _check(n, seed)
    check_memory(max_memory)
    refuse_constrained(model, "bootstrap()")
    if not Status(fit.status).usable:
        raise DataError(
            f"The fit has no optimum that resampling could move about: {Status(fit.status).message}"
        )
    by_name = isinstance(cluster, str)
    if data is not None and model.dataset is not None and not by_name:
        raise DataError(
            "This result holds the rows of its fit; leave out data= (it is for the name of a "
            "column, cluster='...')."
        )
    values = cluster_column(cluster, data, n, seed) if by_name else cluster
    held = rows_of(fit, model, data, "bootstrap")
    with computing():
        drawing = _Drawing.of(fit, held, values)
        if by_name and model.dataset is not None:
            check_rows(held, model, data, cluster)
        size = len(drawing.problem.rows)
        counts = np.dtype(np.int32).itemsize * size
        batch = max(1, int(max_memory * _SHARE_OF_COUNTS / counts))
        coef = np.full((n, fit.coef.size), np.nan)
        lost = dict.fromkeys(_LOST, 0)
        for first in range(0, n, batch):
            which = range(first, min(first + batch, n))
            times = np.stack([drawing.draw(np.random.default_rng([seed, g])) for g in which])
            found, kinds = _fitted(drawing.problem, times, model, fit, max_memory)
            names = np.array(_failures.KINDS)[kinds]
            for kind in lost:
                lost[kind] += int((names == kind).sum())
            found[np.isin(names, _LOST)] = np.nan
            coef[first : first + len(which), ~fit.aliased] = found
    index = pd.RangeIndex(n, name="replicate")
    result = Bootstrap(
        pd.DataFrame(coef, index=index, columns=list(model.names)), lost, drawing.what
    )
    if result.failed:
        warn(
            f"{result.failed:,} of {n:,} replicates have no optimum ({_told(lost)}): they are nan, "
            "and intervals and standard errors are those of the others",
            SegmentWarning,
        )
    return result


def _check(n: int, seed: int) -> None:
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 2:
        raise ValueError(f"n must be a number of replicates, 2 or more, not {n!r}")
    check_seed(seed)


def _fitted(
    problem: Problem, times: np.ndarray, model: Model, fit: Fit, max_memory: float
) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients of some replicates and their kinds, as positions in `KINDS`."""
    fits = refits(problem, times, model, fit, max_memory * (1 - _SHARE_OF_COUNTS))
    return fits.coef, _failures.kinds(fits)


@dataclasses.dataclass(frozen=True)
class _Drawing:
    """What replicates are drawn from.

    Attributes
    ----------
    problem : Problem
        Rows that count, each as one observation, in the columns that have a coefficient.
    counts : int [n]
        Observations of each row.
    cluster : int [n] or None
        The cluster of each row, where whole clusters are drawn.
    what : str
        What is drawn, in words.
    """

    problem: Problem
    counts: np.ndarray
    cluster: np.ndarray | None
    what: str

    @classmethod
    def of(cls, fit: Fit, held: Dataset, cluster: Any) -> "_Drawing":
        """The rows of a fit; identical ones are merged where that saves time."""
        codes = None if cluster is None else row_codes(cluster, held, "cluster", held.rows.live)
        problem = problem_of(fit, held)
        live = np.flatnonzero(problem.rows.live)
        if live.size < len(problem.rows):
            problem = problem.take_rows(live)
        if codes is None:
            problem = merge_rows(problem, "auto")
        else:
            codes = np.unique(codes[live], return_inverse=True)[1]
        vectors = problem.rows
        counts = np.ones(len(vectors)) if vectors.freq is None else vectors.freq
        if (counts != np.floor(counts)).any():
            raise DataError(
                "A bootstrap draws observations again, and freq_weights that are no whole numbers "
                "count none; give such weights as var_weights, or draw whole clusters of your own."
            )
        one_each = dataclasses.replace(vectors, weight=vectors.unit_weight, freq=None)
        problem = problem.with_block(Block(problem.design, one_each))
        many = counts.sum() if codes is None else codes.max() + 1
        what = f"{int(many):,} {'observations' if codes is None else 'clusters'}"
        if fit.alpha is not None:
            what += f" at alpha = {fit.alpha:.4g}"
        return cls(problem, counts.astype(np.int32), codes, what)

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """How often a replicate has each row; int32 [n]."""
        if self.cluster is None:
            total = int(self.counts.sum())
            return rng.multinomial(total, self.counts / total).astype(np.int32)
        clusters = int(self.cluster.max()) + 1
        drawn = rng.multinomial(clusters, np.full(clusters, 1 / clusters))
        return (drawn[self.cluster] * self.counts).astype(np.int32)
