"""Owns the log-likelihoods of many segments for families whose likelihood is the host's to compute.

Imports `_final`, `groups._lanes`, families and sources.
"""

from typing import Any, NamedTuple

import numpy as np

from jaxglm._final import Middle
from jaxglm.families import Family
from jaxglm.groups._lanes import Lanes, LaneSums, masked
from jaxglm.sources import Block


class _At(NamedTuple):
    beta: Any
    middle: Middle
    keep: Any


def _means(block: Block, family: Family, at: _At, shared: None) -> Any:
    """Fitted means, and those of the null model."""
    fitted = family.link.inverse(masked(block, at.keep).linear_predictor(at.beta))
    return fitted, at.middle.null_means(block, family)


def host_likelihoods(
    lanes: Lanes, which: np.ndarray, found: LaneSums, beta: np.ndarray
) -> LaneSums:
    """What lanes have left of some segments, with the log-likelihoods filled in.

    Parameters
    ----------
    lanes : Lanes
    which : [k] int
        Segments.
    found : LaneSums
        Leaves have a leading axis of k.
    beta : [k, p]
        Coefficients in design order, 0 where a column takes no part.
    """
    segments, family, sums = lanes.segments, lanes.family, found.sums
    df = found.nobs - found.keep.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        pearson = np.where(df > 0, sums.pearson / df, np.nan)
    model, null = (
        family.likelihood_scale(deviance, found.weight_sum, found.nobs, pearson)
        for deviance in (sums.deviance, sums.null_deviance)
    )
    likelihoods = np.full((2, which.size), np.nan)
    at = _At(beta.astype(segments.problem.dtype), found.middle, found.keep)
    for places, means in lanes.over(_means, which, at):
        for i, *own in zip(places, *means, strict=True):
            if not np.isfinite(model[i]):
                continue
            rows = segments.one(int(which[i]))
            live = rows.live
            freq = np.ones(live.sum()) if rows.freq is None else rows.freq[live]
            for j, (mean, scale) in enumerate(zip(own, (model[i], null[i]), strict=True)):
                mu = np.asarray(mean, float)[: live.size][live]
                values = family.log_likelihood(
                    rows.y[live], mu, rows.weight[live] / freq, scale, None
                )
                likelihoods[j, i] = float(np.dot(freq, np.asarray(values)))
    return found._replace(
        sums=sums._replace(log_likelihood=likelihoods[0], null_log_likelihood=likelihoods[1])
    )
