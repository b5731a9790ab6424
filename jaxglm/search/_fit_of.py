"""Owns the making of a `Fit`: what an estimate found, with its statistics."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from jaxglm._jax import fetched
from jaxglm._status import Status
from jaxglm.algebra import Covariance, Root
from jaxglm.families import Family
from jaxglm.penalties import QuadraticForm, Thresholded
from jaxglm.rows import Problem
from jaxglm.search._estimate import Estimate
from jaxglm.search._fit import Fit
from jaxglm.search._limit import relations_at_limit
from jaxglm.search._null_model import with_null_model
from jaxglm.search._shape import Shape
from jaxglm.search._statistics import likelihoods_of_rows, rounding_is_left, statistics
from jaxglm.sources import Block
from jaxglm.sums import FinalSums, NullModel, final_sums


def fit_of(
    problem: Problem,
    family: Family,
    found: Estimate,
    *,
    shape: Shape | None = None,
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

    Returns
    -------
    Fit
    """
    sums, null = with_null_model(problem, family, found, shape)
    weight = found.totals.weight

    def likelihoods(scales: tuple[Any, Any]) -> tuple[Any, Any]:
        if not np.isfinite(scales[0]):
            return np.nan, np.nan
        known = _likelihoods_of_deviances(family, found, sums, scales)
        return _likelihoods(problem, family, found, null, scales) if known is None else known

    of_sums = statistics(
        family,
        sums,
        likelihoods,
        nobs=found.totals.nobs,
        weight_sum=weight,
        parameters=_parameters(found),
        has_constant=problem.constant is not None,
    )
    scalars: dict[str, Any] = {name: float(value) for name, value in of_sums._asdict().items()}
    if found.reduced_at is not None and scalars["df_resid"] > 0:
        scalars["scale"] = found.reduced_at
    rounding = rounding_is_left(family, sums, weight, null.average)
    at_limit = relations_at_limit(problem, found)
    covariance = Covariance(
        root=_public_root(problem, found),
        aliased=problem.public(~found.basis.keep),
        scale=np.nan if rounding else scalars["scale"],
        df=None if family.dispersion_fixed else scalars["df_resid"],
        recession=found.recession,
        open=at_limit.involved(problem.n_columns) & (found.recession == 0.0),
    )
    return Fit(
        coef=found.beta,
        covariance=covariance,
        **scalars,
        objective=found.loss,
        decrement=found.decrement,
        n_rows=problem.n_rows,
        n_patterns=problem.source.n_rows,
        turns=found.turns,
        status=int(found.status),
        method=found.method,
        stopped_by=found.stop.words if found.status is Status.CONVERGED else "",
        likelihood_params=family.n_likelihood_params + (shape is not None),
        alpha=None if shape is None else shape.alpha,
        alpha_se=None if shape is None else shape.alpha_se,
        relations=found.basis.relations.at(problem.order),
        relations_at_limit=at_limit,
    )


def _parameters(found: Estimate) -> float:
    """The rank, or under a penalty the effective degrees of freedom: tr H (H + P)^-1.

    Of the coefficients that a lasso leaves at zero none counts (Zou, Hastie and Tibshirani 2007).
    """
    penalty, k = found.objective.penalty, found.gamma.size
    if isinstance(penalty, Thresholded):
        kept = (found.gamma != 0) | ~penalty.bend.choosing
        kept &= ~penalty.at_bound(found.gamma)
        if penalty.smooth is None:
            return float(kept.sum())
        own = np.flatnonzero(kept)
        held = penalty.smooth.take(own).added_to(jnp.zeros((own.size, own.size)))
        inverse = np.linalg.pinv(_penalised_information(found, own), hermitian=True)
        return float(own.size - np.sum(inverse * np.asarray(held)))
    if penalty is None or found.root is None:
        return float(k)
    assert isinstance(penalty, QuadraticForm)
    return k - penalty.degrees_of_freedom(found.root)


def _penalised_information(found: Estimate, columns: np.ndarray) -> np.ndarray:
    """That of some columns; of very many it is not there, and made by one more visit."""
    if np.ndim(found.sums.info) == 2:
        return np.asarray(found.sums.info, float)[np.ix_(columns, columns)]
    keep = np.zeros(found.gamma.size, bool)
    keep[columns] = True
    source = found.source.with_design(lambda block: block.design.take_columns(keep))
    beta, penalty = found.gamma[columns].astype(source.dtype), found.objective.penalty
    sums = fetched(source.reduce(final_sums, found.objective.family, beta, found.null))
    assert penalty is not None
    return np.asarray(penalty.take(columns).added_to(sums.info), float)


def _public_root(problem: Problem, found: Estimate) -> Root:
    """A root of the covariance at dispersion 1 in public column order; nan without a matrix."""
    if found.root is None:
        p = problem.n_columns
        return Root(np.full((p, 1), np.nan), np.zeros(p))
    return Root(*(problem.public(part) for part in found.basis.root(found.root)))


def _likelihoods(
    problem: Problem, family: Family, found: Estimate, null: NullModel, scales: tuple[Any, Any]
) -> tuple[float, float]:
    """R's `logLik` of model and null model at their dispersions, by one more visit to the rows."""
    gamma = found.gamma.astype(problem.dtype)
    at = tuple(problem.dtype.type(scale) for scale in scales)
    return fetched(found.source.reduce(likelihoods_of_rows, family, gamma, null, at))


def _likelihoods_of_deviances(
    family: Family, found: Estimate, sums: FinalSums, scales: tuple[Any, Any]
) -> tuple[Any, Any] | None:
    """The same without a visit; None where a likelihood is no function of the deviance."""

    def likelihood(deviance: Any, scale: Any, log_weights: float) -> float | None:
        if not scale > 0:
            return np.nan
        n = float(found.totals.nobs)
        return family.log_likelihood_of_deviance(float(deviance), float(scale), n, log_weights)

    if likelihood(1.0, 1.0, 0.0) is None:
        return None
    log_weights = found.source.scan(_and_log_weights, 0.0)
    return (
        likelihood(sums.deviance, scales[0], log_weights),
        likelihood(sums.null_deviance, scales[1], log_weights),
    )


def _and_log_weights(known: float, block: Block) -> float:
    """The sum of the logarithms of prior weights, with those of a block's observations."""
    rows, live = block.rows, block.rows.live
    logs = np.log(rows.unit_weight[live])
    return known + float(np.sum(logs if rows.freq is None else rows.freq[live] * logs))
