"""Owns the null model where it takes a search of its own: beside an offset, or with its own shape.

The null model is the intercept with the offset; the offset alone where the model has no intercept.
"""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm.designs import Dense
from jaxglm.families import Family, NegativeBinomial
from jaxglm.rows import Problem
from jaxglm.search._estimate import Estimate, estimate
from jaxglm.search._settings import Options
from jaxglm.search._shape import Shape, estimate_shape, shape_of_means
from jaxglm.sources import Block
from jaxglm.sums import FinalSums, NullModel, log_likelihood


def with_null_model(
    problem: Problem, family: Family, found: Estimate, shape: Shape | None
) -> tuple[FinalSums, NullModel]:
    """The sums of an estimate with those of the null model, and the null model itself.

    The null deviance is that at the shape of the model, as R's. The log-likelihood is the largest
    that the null model has: where the shape was estimated, it is so again beside the null means.
    """
    sums, null = found.sums, found.null
    constant = problem.constant is not None
    if constant and found.totals.has_offset and not np.isfinite(null.shift):
        only = _intercept(problem)
        intercept = estimate(only, family, Options())
        deviance: Any = np.nan
        likelihood: Any = np.nan
        if intercept.has_means:
            null = null._replace(shift=problem.dtype.type(intercept.gamma[0]))
            deviance, likelihood = jax.device_get(problem.source.reduce(_null_sums, family, null))
        sums = sums._replace(null_deviance=deviance, null_log_likelihood=likelihood)
    if shape is not None and np.isfinite(shape.alpha):
        assert isinstance(family, NegativeBinomial)
        sums = sums._replace(null_log_likelihood=_shaped_likelihood(problem, family, found))
    return sums, null


def _shaped_likelihood(problem: Problem, family: NegativeBinomial, found: Estimate) -> Any:
    """Log-likelihood of the null model at the shape that is best for it."""
    only, unknown, null = _intercept(problem), dataclasses.replace(family, alpha=None), found.null
    if problem.constant is not None and found.totals.has_offset:
        intercept, shaped, shape = estimate_shape(only, unknown, Options())
        null = null._replace(shift=problem.dtype.type(intercept.gamma[0]))
    else:
        # The means are known: an intercept alone has the average, whatever the shape.
        average = jnp.asarray(null.average)
        level = null.shift if np.isfinite(null.shift) else family.link.link(average)
        gamma = np.full(1, level, problem.dtype)
        shaped, shape = shape_of_means(only.source, unknown, gamma)
    if not np.isfinite(shape.alpha):
        return np.nan
    return jax.device_get(problem.source.reduce(_null_sums, shaped, null))[1]


def _intercept(problem: Problem) -> Problem:
    """The rows with a column of ones in place of their columns."""

    def ones(block: Block) -> Dense:
        return Dense(np.broadcast_to(1.0, (len(block.rows), 1)))

    return Problem(
        problem.source.with_design(ones), np.zeros(1, int), (0, 1.0), n_rows=problem.n_rows
    )


def _null_sums(block: Block, family: Family, null: NullModel) -> tuple[jax.Array, jax.Array]:
    """Deviance and log-likelihood of the null model, the latter at dispersion 1."""
    mean, weight = null.means(block, family), block.rows.weight
    deviance = weight * family.unit_deviance(block.rows.y, mean)
    one = jnp.ones((), mean.dtype)
    known = family.dispersion_fixed and family.has_likelihood
    return (
        jnp.sum(jnp.where(weight > 0, deviance, jnp.zeros_like(deviance))),
        log_likelihood(block, family, mean, one) if known else jnp.full_like(one, jnp.nan),
    )
