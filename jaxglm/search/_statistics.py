"""Owns the statistics of a fit: one pure function of sums, for a single fit and inside a lane.

The formulas are those of NumPy for a fit on the host, and of JAX inside a lane of many fits: `xp`
says which.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm.families import Family
from jaxglm.sources import Block
from jaxglm.sums import FinalSums, NullModel, log_likelihood

# The squared share of a response that rounding takes: some sixty units in the last place, of
# float64 whatever the arithmetic, since float32 resolves less than data may hold.
_ROUNDING = (64 * float(np.finfo(np.float64).eps)) ** 2

# The share of the null deviance by which a fit is worse beyond all rounding.
_WORSE = 1e-6

# Log-likelihoods of the model and of the null model, at a dispersion each.
Likelihoods = Callable[[tuple[Any, Any]], tuple[Any, Any]]


class Statistics(NamedTuple):
    """The scalars of a fit, under the names that they have in `Fit`."""

    deviance: Any
    null_deviance: Any
    pearson_chi2: Any
    log_likelihood: Any
    null_log_likelihood: Any
    nobs: Any
    weight_sum: Any
    df_model: Any
    df_resid: Any
    scale: Any


def statistics(
    family: Family,
    sums: FinalSums,
    likelihoods: Likelihoods,
    *,
    nobs: Any,
    weight_sum: Any,
    parameters: Any,
    has_constant: Any,
    xp: Any = np,
) -> Statistics:
    """The statistics of a fit from its sums.

    Parameters
    ----------
    family : Family
        With all parameters known.
    sums : FinalSums
        At the solution; its log-likelihoods are nan where the dispersion is estimated.
    likelihoods : callable
        Makes these for two dispersions, in one more pass over the rows.
    nobs, weight_sum : float
        Observations, and the sum of their weights.
    parameters : float
        The rank, or under a penalty the effective degrees of freedom.
    has_constant : bool
        Whether the null model has an intercept.
    """
    df_resid = nobs - parameters
    with np.errstate(divide="ignore", invalid="ignore"):
        pearson = xp.where(df_resid > 0, sums.pearson / df_resid, xp.nan)
    scale = 1.0 if family.dispersion_fixed else pearson
    found = sums.log_likelihood, sums.null_log_likelihood
    if family.has_likelihood and not family.dispersion_fixed:
        scales = tuple(
            family.likelihood_scale(deviance, weight_sum, nobs, scale)
            for deviance in (sums.deviance, sums.null_deviance)
        )
        model, null = likelihoods(scales)
        known = xp.isfinite(scales[0])
        found = (
            xp.where(known, model, xp.nan),
            xp.where(known & xp.isfinite(scales[1]), null, xp.nan),
        )
    return Statistics(
        deviance=sums.deviance,
        null_deviance=sums.null_deviance,
        pearson_chi2=sums.pearson,
        log_likelihood=found[0],
        null_log_likelihood=found[1],
        nobs=nobs,
        weight_sum=weight_sum,
        df_model=parameters - has_constant,
        df_resid=df_resid,
        scale=scale,
    )


def rounding_is_left(
    family: Family, sums: FinalSums, weight: Any, average: Any, xp: Any = np
) -> Any:
    """Whether a fit leaves nothing of the response but rounding; bool, or [G] of many.

    Its dispersion, where that is estimated, is then one of rounding errors. `weight` is the sum of
    the weights, `average` that of the response.
    """
    if family.dispersion_fixed:
        return xp.zeros(np.shape(average), bool)
    average, weight = xp.asarray(average, float), xp.asarray(weight, float)
    with np.errstate(all="ignore"):
        variance = xp.asarray(family.variance(jnp.asarray(average)), float)
        size = xp.where(variance > 0, weight * average * (average / variance), 0.0)
    # Some quasi families have an infinite deviance at the ends of their range.
    spread = xp.where(xp.isfinite(sums.null_deviance), sums.null_deviance, 0.0)
    return sums.deviance <= _ROUNDING * xp.maximum(spread, xp.maximum(size, 0.0))


def worse_than_null(
    family: Family,
    sums: FinalSums,
    weight: Any,
    null: NullModel,
    *,
    has_offset: bool,
    xp: Any = np,
) -> Any:
    """Whether a fit describes the response less well than its null model; bool, or [G] of many.

    The null model is one of those that the fit had to choose from, so this is no optimum, wherever
    the search came to rest. False where the null means are not known or out of the link's reach.
    """
    average = xp.asarray(null.average, float)
    reached = xp.isfinite(null.shift) | ((average == null.inside) & (not has_offset))
    # A known dispersion says what size of deviance is rounding, an estimated one does not.
    rounding = rounding_is_left(family, sums, weight, average, xp)
    size = xp.asarray(weight, float) if family.dispersion_fixed else 0.0
    allowed = sums.null_deviance + _WORSE * (sums.null_deviance + size)
    return reached & ~rounding & (sums.deviance > allowed)


def likelihoods_of_rows(
    block: Block, family: Family, beta: jax.Array, null: NullModel, scales: tuple[Any, Any]
) -> tuple[jax.Array, jax.Array]:
    """Log-likelihoods of the model and of the null model, at a dispersion each."""
    fitted = family.link.inverse(block.linear_predictor(beta))
    return (
        log_likelihood(block, family, fitted, scales[0]),
        log_likelihood(block, family, null.means(block, family), scales[1]),
    )
