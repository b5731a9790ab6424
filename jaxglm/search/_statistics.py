"""Owns the statistics of a finished fit: sums over rows at the solution, and the covariance."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm._status import Status
from jaxglm.algebra import Covariance, Root, root_of_inverse
from jaxglm.designs import Dense
from jaxglm.families import Family
from jaxglm.rows import Problem
from jaxglm.search._basis import plain_basis
from jaxglm.search._estimate import Estimate, Placed, estimate
from jaxglm.search._fit import Fit
from jaxglm.search._settings import Options
from jaxglm.search._shape import Shape
from jaxglm.sources import Block, each_row, one_pass
from jaxglm.sums import Middle, log_likelihood


def _fitted_means(block: Block, family: Family, beta: jax.Array) -> jax.Array:
    return family.link.inverse(block.linear_predictor(beta))


def _null_means(block: Block, family: Family, null: Middle) -> jax.Array:
    return null.null_means(block, family)


def _likelihoods(
    block: Block, family: Family, beta: jax.Array, null: Middle, scales: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Log-likelihoods of the model and of the null model, at a dispersion each."""
    return (
        log_likelihood(block, family, _fitted_means(block, family, beta), scales[0]),
        log_likelihood(block, family, null.null_means(block, family), scales[1]),
    )


def _null_sums(block: Block, family: Family, null: Middle) -> tuple[jax.Array, jax.Array]:
    """Deviance and log-likelihood of the null model, the latter at dispersion 1."""
    mean = null.null_means(block, family)
    deviance = block.weight * family.unit_deviance(block.y, mean)
    one = jnp.ones((), mean.dtype)
    known = family.dispersion_fixed and family.has_likelihood
    return (
        jnp.sum(jnp.where(block.weight > 0, deviance, jnp.zeros_like(deviance))),
        log_likelihood(block, family, mean, one) if known else jnp.full_like(one, jnp.nan),
    )


def _log_likelihoods(
    problem: Problem, family: Family, found: Estimate, null: Middle, scales: list[float]
) -> tuple[float, float]:
    """R's `logLik` of model and null model at their dispersions; nan where there is none."""
    nothing = float("nan")
    if not family.has_likelihood or not np.isfinite(scales[0]):
        return nothing, nothing
    gamma = found.gamma.astype(problem.dtype)
    if not family.likelihood_on_host:
        at = np.asarray(scales, problem.dtype)
        model, empty = one_pass(found.source, family, gamma, null, at, kernel=_likelihoods)
        return float(model), float(empty) if np.isfinite(scales[1]) else nothing

    live = problem.live
    freq = np.ones(problem.y.size) if problem.freq is None else problem.freq

    def total(means: jax.Array, scale: float) -> float:
        mu = np.asarray(means, float)[: live.size][live]
        prior = problem.weight[live] / freq[live]
        rows = family.log_likelihood(problem.y[live], mu, prior, scale, None)
        return float(np.dot(freq[live], np.asarray(rows)))

    fitted = each_row(found.source, family, gamma, function=_fitted_means)
    empty = each_row(found.source, family, null, function=_null_means)
    return total(fitted, scales[0]), total(empty, scales[1])


def _null_model(problem: Problem, family: Family, found: Estimate) -> tuple[Middle, float, float]:
    """The null model, its deviance, and its log-likelihood where that needs no dispersion."""
    sums, null = found.sums, found.middle
    if problem.constant is None or problem.offset is None or np.isfinite(null.shift):
        return null, float(sums.null_deviance), float(sums.null_log_likelihood)
    column = Dense(np.broadcast_to(1.0, (problem.y.size, 1)))
    only = dataclasses.replace(problem, design=column, order=np.zeros(1, int), constant=(0, 1.0))
    tiles = found.source.tiles
    ones = Dense(jnp.ones((*tiles.y.shape, 1), found.source.dtype))
    rows = dataclasses.replace(found.source, tiles=dataclasses.replace(tiles, design=ones))
    intercept = estimate(only, family, Options(), placed=Placed(plain_basis(only), rows))
    null = null._replace(shift=problem.dtype.type(intercept.gamma[0]))
    deviance, likelihood = one_pass(found.source, family, null, kernel=_null_sums)
    return null, float(deviance), float(likelihood)


def _public_root(problem: Problem, found: Estimate) -> Root:
    """A root of the covariance at dispersion 1 in public column order; nan without a matrix."""
    if not found.has_matrix:
        p = problem.n_columns
        return Root(np.full((p, 1), np.nan), np.zeros(p))
    root = root_of_inverse(found.sums.info) if found.root is None else found.root
    return Root(*(problem.public(part) for part in found.basis.root(root)))


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
    deviance, pearson = float(found.sums.deviance), float(found.sums.pearson)
    null, null_deviance, null_likelihood = _null_model(problem, family, found)
    rank, nobs = int(found.basis.keep.sum()), problem.nobs
    df_resid = nobs - rank
    weight_sum = float(problem.weight[problem.live].sum())
    estimated = pearson / df_resid if df_resid > 0 else float("nan")
    scale = 1.0 if family.dispersion_fixed else estimated
    likelihoods = float(found.sums.log_likelihood), null_likelihood
    if not np.isfinite(likelihoods[0]):
        scales = [
            family.likelihood_scale(d, weight_sum, nobs, scale) for d in (deviance, null_deviance)
        ]
        likelihoods = _log_likelihoods(problem, family, found, null, scales)
    covariance = Covariance(
        root=_public_root(problem, found),
        aliased=problem.public(~found.basis.keep),
        scale=scale,
        df=None if family.dispersion_fixed else float(df_resid),
    )
    return Fit(
        coef=found.beta,
        covariance=covariance,
        infinite=found.infinite,
        deviance=deviance,
        null_deviance=null_deviance,
        pearson_chi2=pearson,
        log_likelihood=likelihoods[0],
        null_log_likelihood=likelihoods[1],
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
