"""Owns the statistics of a finished fit: sums over rows at the solution, and the covariance.

Imports `_estimate`, `_problem`, `_drive`, `_moments`, `_record`, sources and families only.
"""

import dataclasses
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm._drive import each_row, one_pass
from jaxglm._estimate import Estimate, Options, estimate
from jaxglm._moments import final_sums
from jaxglm._problem import Problem
from jaxglm._record import Fit
from jaxglm._rowwise import Value
from jaxglm._shape import Shape
from jaxglm._status import Status
from jaxglm.designs import Dense
from jaxglm.families import Family
from jaxglm.sources import Block, Resident


class Mean(NamedTuple):
    """Where to evaluate: the means of a linear predictor, or one mean common to all rows."""

    beta: Value
    common: Value
    use_common: Value


def _mean(block: Block, family: Family, at: Mean) -> jax.Array:
    mu = family.link.inverse(block.linear_predictor(at.beta))
    return jnp.where(at.use_common, at.common, mu)


def _likelihood_sum(block: Block, family: Family, at: Mean, scale: jax.Array) -> jax.Array:
    """R's log-likelihood: each observation with its prior weight, times its frequency."""
    live = block.weight > 0
    ones = jnp.ones_like(block.y)
    freq = ones if block.freq is None else block.freq
    trials = ones if block.trials is None else block.trials
    prior = jnp.where(live, block.weight / jnp.where(live, freq * trials, ones), ones)
    values = family.log_likelihood(block.y, _mean(block, family, at), prior, scale, block.trials)
    return jnp.sum(jnp.where(live, freq * values, jnp.zeros_like(values)))


def log_likelihood(
    problem: Problem, source: Resident, family: Family, at: Mean, scale: float
) -> float:
    """R's `logLik` at the given means and dispersion; nan for families without a likelihood."""
    if not family.has_likelihood or not np.isfinite(scale):
        return float("nan")
    if not family.likelihood_on_host:
        return float(
            one_pass(source, family, at, problem.dtype.type(scale), kernel=_likelihood_sum)
        )
    live = problem.live
    mu = np.asarray(each_row(source, family, at, function=_mean), float)[: problem.y.size][live]
    freq = np.ones(mu.size) if problem.freq is None else problem.freq[live]
    values = family.log_likelihood(problem.y[live], mu, problem.weight[live] / freq, scale, None)
    return float(np.dot(freq, np.asarray(values)))


class _Null(NamedTuple):
    """The null model: the intercept with the offset, or the offset alone without an intercept."""

    source: Resident
    means: Mean
    deviance: float


def _null_model(problem: Problem, family: Family, found: Estimate) -> _Null:
    scalar = problem.dtype.type
    zero, yes, no = scalar(0), np.bool_(True), np.bool_(False)
    origin = np.zeros(found.gamma.size, problem.dtype)
    if problem.constant is None:
        sums = one_pass(found.source, family, origin, found.limits, kernel=final_sums)
        return _Null(found.source, Mean(origin, zero, no), float(sums.deviance))
    if problem.offset is None:
        at = Mean(origin, found.limits.average, yes)
        return _Null(found.source, at, float(found.sums.null_deviance))
    only = dataclasses.replace(
        problem,
        design=Dense(np.ones((problem.y.size, 1))),
        order=np.zeros(1, int),
        constant=(0, 1.0),
    )
    null = estimate(only, family, Options())
    at = Mean(null.gamma.astype(problem.dtype), zero, no)
    return _Null(null.source, at, float(null.sums.deviance))


def _root_of_inverse(information: np.ndarray) -> np.ndarray:
    """A with A A' = H^-1, from the eigenvalues of H scaled to unit diagonal.

    Eigenvalues that are zero up to rounding (separation) are raised to rounding, which makes the
    standard errors of those directions as large as can be told.
    """
    diagonal = np.diag(information)
    scale = 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    scaled = information * np.outer(scale, scale)
    try:
        lower = np.linalg.cholesky(scaled)
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(scaled)
        return scale[:, None] * (vectors / np.sqrt(np.maximum(values, 1e-16)))
    from scipy.linalg import solve_triangular

    return scale[:, None] * solve_triangular(lower, np.eye(lower.shape[0]), lower=True).T


def record(
    problem: Problem,
    family: Family,
    found: Estimate,
    *,
    shape: Shape | None = None,
    notes: tuple[str, ...] = (),
) -> Fit:
    """The fit record of an estimate.

    Parameters
    ----------
    problem : Problem
        The data of the fit.
    family : Family
        With all parameters known.
    found : Estimate
        Where the search ended.
    shape : Shape, optional
        Of the negative binomial where it was estimated: one more parameter of the likelihood.
    notes : tuple of str
        What the user must know, in words.

    Returns
    -------
    Fit
    """
    scalar = problem.dtype.type
    gamma = found.gamma.astype(problem.dtype)
    at = Mean(gamma, scalar(0), np.bool_(False))
    deviance, pearson = float(found.sums.deviance), float(found.sums.pearson)
    null = _null_model(problem, family, found)
    rank, nobs = int(found.basis.keep.sum()), problem.nobs
    df_resid = nobs - rank
    weight_sum = float(problem.weight[problem.live].sum())
    estimated = pearson / df_resid if df_resid > 0 else float("nan")
    scale = 1.0 if family.dispersion_fixed else estimated
    llf_scale = family.likelihood_scale(deviance, weight_sum, nobs, scale)
    null_scale = family.likelihood_scale(null.deviance, weight_sum, nobs, scale)

    information = np.asarray(found.sums.info, float)
    if information.ndim == 2:
        root = problem.public(found.basis.root(_root_of_inverse(information)))
    else:
        root = np.full((problem.n_columns, 1), np.nan)
    return Fit(
        coef=found.beta,
        cov_root=root,
        aliased=problem.public(~found.basis.keep),
        infinite=found.infinite,
        deviance=deviance,
        null_deviance=null.deviance,
        pearson_chi2=pearson,
        log_likelihood=log_likelihood(problem, found.source, family, at, llf_scale),
        null_log_likelihood=log_likelihood(problem, null.source, family, null.means, null_scale),
        objective=found.loss,
        decrement=found.decrement,
        n_rows=problem.n_rows,
        n_patterns=problem.y.size,
        nobs=nobs,
        weight_sum=weight_sum,
        df_model=float(rank - (problem.constant is not None)),
        df_resid=float(df_resid),
        scale=scale,
        turns=found.turns,
        status=int(found.status),
        method=found.method,
        stopped_by=found.stop.words if found.status is Status.CONVERGED else "",
        likelihood_params=family.n_likelihood_params + (shape is not None),
        alpha=None if shape is None else shape.alpha,
        alpha_se=None if shape is None else shape.alpha_se,
        notes=notes,
    )
