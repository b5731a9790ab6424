"""Owns the fits of all segments: lanes where they answer, single fits where they do not.

Imports `_lanes`, `_estimate`, `_shape`, `_statistics`, `_settings`, `_record`, `_records`, `_status`,
diagnostics (for values by row), designs and families. A segment that needs more than the plain loop (collinear columns, separation, another start, many rows) takes the way of a single fit,
on its own rows.
"""

import dataclasses
from collections.abc import Callable

import jax
import numpy as np

from jaxglm._estimate import ColumnRangeError, estimate
from jaxglm._record import Fit
from jaxglm._settings import Options
from jaxglm._shape import estimate_shape
from jaxglm._statistics import record
from jaxglm._status import DataError, Status
from jaxglm.designs import Dense
from jaxglm.diagnostics import evaluate
from jaxglm.families import Family, NegativeBinomial
from jaxglm.groups._lanes import LaneSums, fit_lanes
from jaxglm.groups._records import Fits
from jaxglm.groups._segments import Segments
from jaxglm.solvers import Stop

# As for a single fit: rounding that hides more than this is looked at again, and told.
_RESOLUTION = 1e-4


def fit_segments(
    segments: Segments,
    family: Family,
    options: Options,
    *,
    max_memory: float,
    progress: Callable[[int], None],
) -> tuple[Fits, dict[int, str]]:
    """Fit every segment, each as if it were alone.

    Parameters
    ----------
    segments : Segments
    family : Family
        As given; a negative binomial shape that is not given is estimated segment by segment.
    options : Options
    max_memory : float
        Bytes for the lanes of one call.
    progress : callable
        Told how many segments have been done since the last call.

    Returns
    -------
    fits : Fits
        nan, and status `RUNNING`, for a segment that raised.
    failed : dict
        What a segment raised, in words.
    """
    problem = segments.problem
    fits = Fits.empty(segments.count, problem.n_columns, ("irls", Stop.DECREMENT.words))
    failed: dict[int, str] = {}
    alone = np.ones(segments.count, bool)
    narrow = problem.narrowed(family)
    shaped = isinstance(family, NegativeBinomial) and family.alpha is None
    if options.method == "irls" and options.start is None and not shaped:
        for which, found in fit_lanes(segments, narrow, options, max_memory=max_memory):
            settled = _settled(narrow, found)
            _take(fits, segments, narrow, which[settled], _some(found, settled))
            alone[which[settled]] = False
            progress(int(settled.sum()))
        _likelihoods(fits, segments, narrow, np.flatnonzero(~alone))
    for g in np.flatnonzero(alone):
        try:
            fits.put(int(g), _single(segments.one(int(g)), family, options, shaped))
        except (DataError, ColumnRangeError, FloatingPointError) as error:
            failed[int(g)] = str(error)
        progress(1)
    return fits, failed


def _single(problem, family: Family, options: Options, shaped: bool) -> Fit:
    if not problem.live.any():
        raise DataError("all weights are zero: no row counts")
    if shaped:
        found, with_shape, shape = estimate_shape(problem, family, options)
        return record(problem, with_shape, found, shape=shape)
    narrow = problem.narrowed(family)
    return record(problem, narrow, estimate(problem, narrow, options))


def _settled(family: Family, found: LaneSums) -> np.ndarray:
    """Lanes whose optimum is an ordinary one, that a single fit would not look at again."""
    outcome, sums = found
    bounded = bool(np.isfinite(family.link.domain(family.mean_domain)).any())
    good = (outcome.status == int(Status.CONVERGED)) & (sums.far == 0)
    if bounded:
        good &= sums.edge == 0
    by_rounding = outcome.stop != int(Stop.DECREMENT)
    hidden = np.maximum(outcome.floor, np.where(by_rounding, outcome.decrement, 0.0))
    return good & (hidden <= _RESOLUTION)


def _some(found: LaneSums, which: np.ndarray) -> LaneSums:
    return jax.tree.map(lambda leaf: leaf[which], found)


def _take(
    fits: Fits, segments: Segments, family: Family, which: np.ndarray, found: LaneSums
) -> None:
    """Write settled lanes into the record."""
    problem, (outcome, sums) = segments.problem, found
    p = problem.n_columns
    nobs, weight_sum = segments.nobs[which], segments.weight_sum[which]
    df = nobs - p
    with np.errstate(divide="ignore", invalid="ignore"):
        estimated = np.where(df > 0, sums.pearson / df, np.nan)
    fits.coef[which[:, None], problem.order] = outcome.beta + outcome.correction
    fits.cov_root[which[:, None], problem.order] = _roots(sums.info)
    fits.cov_diagonal[which] = 0.0
    fits.aliased[which] = fits.infinite[which] = False
    for name, values in {
        "deviance": sums.deviance,
        "null_deviance": sums.null_deviance,
        "pearson_chi2": sums.pearson,
        "log_likelihood": sums.log_likelihood,
        "null_log_likelihood": sums.null_log_likelihood,
        "objective": outcome.loss,
        "decrement": outcome.decrement,
        "n_rows": segments.rows[which],
        "n_patterns": segments.rows[which],
        "nobs": nobs,
        "weight_sum": weight_sum,
        "df_model": float(p - (problem.constant is not None)),
        "df_resid": df,
        "scale": 1.0 if family.dispersion_fixed else estimated,
        "turns": outcome.turns,
        "status": outcome.status,
        "likelihood_params": family.n_likelihood_params,
    }.items():
        fits.scalars[name][which] = values
    changed = "irls" if family.canonical else "irls+newton"
    for lane in np.flatnonzero(outcome.observed | (outcome.stop != int(Stop.DECREMENT))):
        method = changed if outcome.observed[lane] else "irls"
        fits.words[int(which[lane])] = (method, Stop(int(outcome.stop[lane])).words, ())


def _roots(information: np.ndarray) -> np.ndarray:
    """A with A A' = H^-1 for each H; as `_inverse.root_of_inverse`, whose pivots were sound."""
    diagonal = np.sqrt(np.diagonal(information, axis1=1, axis2=2))
    scaled = information / (diagonal[:, :, None] * diagonal[:, None, :])
    inverse = np.linalg.inv(np.linalg.cholesky(scaled))
    return np.swapaxes(inverse, 1, 2) / diagonal[:, :, None]


def _likelihoods(fits: Fits, segments: Segments, family: Family, which: np.ndarray) -> None:
    """What lanes could not know: a null model with an offset, and likelihoods with a dispersion."""
    problem = segments.problem
    refit = problem.offset is not None and problem.constant is not None
    shift = _null_shifts(segments, family) if refit else None
    estimated = family.has_likelihood and not family.dispersion_fixed
    if shift is None and not estimated:
        return
    segment = np.repeat(np.arange(segments.count), segments.rows)
    live = np.flatnonzero(problem.live & np.isin(segment, which))
    y, of = problem.y[live], segment[live]
    freq = np.ones(live.size) if problem.freq is None else problem.freq[live]
    trials = np.ones(live.size) if problem.trials is None else problem.trials[live]
    prior = problem.weight[live] / (freq * trials)
    offset = np.zeros(live.size) if problem.offset is None else problem.offset[live]

    def total(values: np.ndarray) -> np.ndarray:
        return np.bincount(of, freq * values, segments.count)

    def means(eta: np.ndarray) -> np.ndarray:
        return evaluate(family.link.inverse, eta)

    average = np.bincount(of, problem.weight[live] * y, segments.count) / segments.weight_sum
    null = average[of] if shift is None else means(offset + shift[of])
    scalars = fits.scalars
    if shift is not None:
        deviance = evaluate(family.unit_deviance, y, null) * prior * trials
        scalars["null_deviance"][which] = total(deviance)[which]
    for name, of_which in (
        ("log_likelihood", "deviance"),
        ("null_log_likelihood", "null_deviance"),
    ):
        if name == "log_likelihood" and not estimated:
            continue
        scale = np.ones(segments.count)
        if estimated:
            scale = family.likelihood_scale(
                scalars[of_which], segments.weight_sum, segments.nobs, scalars["scale"]
            )
        mu = null
        if name == "log_likelihood":
            coef = fits.coef[:, problem.order][of]
            mu = means(offset + problem.design.take_rows(live).times_rows(coef))
        rows = evaluate(
            lambda y, mu, w, s: family.log_likelihood(y, mu, w, s, None), y, mu, prior, scale[of]
        )
        scalars[name][which] = total(rows)[which]


def _null_shifts(segments: Segments, family: Family) -> np.ndarray:
    """The intercept beside the offset of each segment's null model, from lanes of one column."""
    problem = segments.problem
    only = dataclasses.replace(
        problem,
        design=Dense(np.ones((problem.y.size, 1))),
        order=np.zeros(1, int),
        constant=(0, 1.0),
    )
    alone = Segments(only, segments.starts)
    shift = np.full(segments.count, np.nan)
    for which, (outcome, _) in fit_lanes(alone, family, Options(), max_memory=2.0**28):
        shift[which] = (outcome.beta + outcome.correction)[:, 0]
    return shift
