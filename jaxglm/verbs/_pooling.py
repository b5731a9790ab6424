"""Owns fits of segments towards what they have in common: their start, and what is kept of it."""

import dataclasses
from collections.abc import Callable

import numpy as np

from jaxglm._jax import computing
from jaxglm._status import DataError
from jaxglm.intake import CommonPrior, GroupIntake, Model
from jaxglm.lanes import Fits, Prior, pooled
from jaxglm.penalties import QuadraticForm
from jaxglm.rows import merge_rows
from jaxglm.search import Options, RangeError, estimate_all, fit_of, has_unknown_shape
from jaxglm.words import listed


def pooled_fits(
    intake: GroupIntake, options: Options, fit: Callable[[Options], Fits]
) -> tuple[Fits, Model]:
    """The fits of all segments, and the model with the distribution that they have in common.

    Parameters
    ----------
    intake : GroupIntake
    options : Options
    fit : callable
        Fits all segments with other options.

    Raises
    ------
    DataError
        Where there are fewer than two segments to tell a distribution from, or their rows together
        have collinear columns, are separated, or leave nothing of the response.
    ValueError
        For what shrinks the estimates as well, and an unknown shape.
    """
    model, family = intake.model, intake.model.family
    if options.penalty is not None:
        raise ValueError("toward='pooled' and penalty= both shrink the estimates: leave out one")
    if options.reduced or options.reduce_separated:
        raise ValueError(
            "toward='pooled' and the reduction of bias both shrink the estimates: leave out one"
        )
    if has_unknown_shape(family):
        raise ValueError(
            "toward='pooled' needs a negative binomial family whose alpha is given, as in "
            "NegativeBinomial(alpha=0.5): each segment would have another one"
        )
    if intake.segments.ready.size < 2:
        raise DataError(
            "toward='pooled' wants two segments at the least that can be fitted: what they have in "
            "common is told from their differences"
        )

    def fit_with(penalty: QuadraticForm) -> Fits:
        return fit(dataclasses.replace(options, penalty=penalty))

    fits, prior = pooled(fit_with, _start(intake, options), scaled=not family.dispersion_fixed)
    if not family.dispersion_fixed:
        # One for all: short segments tell nothing of their own.
        fits.covariance.scale[:] = fits.scalars["scale"][:] = prior.dispersion
        fits.covariance.df[:] = np.nansum(fits.scalars["df_resid"][fits.usable])
    common = CommonPrior(
        mean=tuple(prior.mean.tolist()),
        covariance=tuple(tuple(row) for row in prior.covariance.tolist()),
        dispersion=float(prior.dispersion),
    )
    words = "towards what the segments have in common"
    return fits, dataclasses.replace(model, prior=common, penalty=words)


def note_on_prior(prior: CommonPrior) -> str:
    """What has to be said of fits towards a distribution that was estimated."""
    covariance = np.array(prior.covariance)
    alone = len(covariance) > 1 and not (covariance - np.diag(np.diagonal(covariance))).any()
    few = " Too few segments tell of covariances: only variances were estimated." if alone else ""
    return (
        "Each segment is pulled towards what all have in common (prior_mean, prior_cov), by as "
        "much as shrinkage says. Standard errors take that distribution as known." + few
    )


def _start(intake: GroupIntake, options: Options) -> Prior:
    """The fit of all rows together, with variances of what an average segment tells."""
    problem, model = intake.segments.problem, intake.model
    with computing(problem.dtype == np.float64):
        merged = merge_rows(problem, "auto")
        try:
            found, family, _ = estimate_all(merged, merged.narrowed(model.family), options)
            fit = fit_of(merged, family, found)
        except RangeError as error:
            raise DataError(error.told(model.names, problem.dtype)) from None
    names, wrong = np.array(model.names), "toward='pooled' has no common distribution to find: "
    if fit.aliased.any():
        raise DataError(
            f"{wrong}{listed(names[fit.aliased], 3)} follows from the other columns in the rows of "
            "all segments together; leave it out"
        )
    if fit.infinite.any():
        raise DataError(
            f"{wrong}in the rows of all segments together there is no finite estimate for "
            f"{listed(names[fit.infinite], 3)} (separation); leave out what separates them, or "
            "pull with a penalty of your own (penalty=jg.Quadratic(P))"
        )
    scale = 1.0 if model.family.dispersion_fixed else fit.covariance.scale
    if not scale > 0:
        raise DataError(f"{wrong}nothing of the response is left to tell a dispersion from")
    variances = intake.segments.count * fit.covariance.standard_errors**2
    variances = np.where(np.isfinite(variances) & (variances > 0), variances, 1.0)
    return Prior(fit.estimates, np.diag(variances), float(scale))
