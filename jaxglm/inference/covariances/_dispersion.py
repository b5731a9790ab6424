"""Owns the choice of a dispersion: Pearson's, the deviance's, maximum likelihood's, or a number."""

import dataclasses
from collections.abc import Callable
from typing import Any, TypeVar

import jax
import numpy as np

from jaxglm._jax import computing
from jaxglm._status import DataError
from jaxglm.algebra import Covariance
from jaxglm.families import Family
from jaxglm.inference.covariances._sandwich import Estimated
from jaxglm.intake import MAX_MEMORY, Dataset
from jaxglm.lanes import Fits, LaneDispersion, Lanes, lane_slopes
from jaxglm.rows import Segments
from jaxglm.search import Fit
from jaxglm.sources import Source
from jaxglm.sums import Objective, dispersion_slopes
from jaxglm.words import is_positive, measure

_NAMES = {"pearson": "pearson", "x2": "pearson", "deviance": "deviance", "dev": "deviance"}
_NAMES |= {"ml": "ml"}
# What a covariance holds of the choice; empty for the family's own.
_GIVEN = "given"
SCALES_ASKED = ("", *dict.fromkeys(_NAMES.values()), _GIVEN)
# A Newton step leaves an error of about its square.
_TURNS, _SMALL = 100, 1e-7
_UPHILL, _LONGEST = 0.1, 0.3

# From logarithms of dispersions to the first and second derivatives of the log-likelihood in them.
Slopes = Callable[[Any], tuple[Any, Any]]
Record = TypeVar("Record", Fit, Fits)


def check_scale_choice(scale: Any) -> str | float | None:
    """The name of an estimator, a number, or None for the family's own.

    Raises
    ------
    ValueError
    """
    if scale is None or is_positive(scale):
        return None if scale is None else float(scale)
    name = _NAMES.get(scale.lower()) if isinstance(scale, str) else None
    if name is None:
        raise ValueError(
            "scale must be 'pearson', 'deviance', 'ml' or a positive number, which is the "
            f"dispersion itself; not {scale!r}"
        )
    return name


def with_dispersion(
    record: Record, family: Family, scale: str | float | None, slopes: Slopes
) -> Record:
    """A fit, or many, with another dispersion in the standard errors.

    A number is taken as known, and tests are then normal; estimates leave `df_resid` degrees of
    freedom. Where nothing of the response is left but rounding there is none.

    Parameters
    ----------
    record : Fit or Fits
    family : Family
    scale : str, float or None
        As `check_scale_choice` gives it.
    slopes : callable
        Of the rows of the fits, for maximum likelihood.

    Raises
    ------
    DataError
        For maximum likelihood in a family whose likelihood has no dispersion.
    """
    if scale is None or scale == (1.0 if family.dispersion_fixed else "pearson"):
        return record  # as it is anyway
    of = record.scalars if isinstance(record, Fits) else vars(record)
    df: Any = np.asarray(of["df_resid"], float)
    if isinstance(scale, float):
        value = np.full(df.shape, scale)
    elif scale == "ml":
        value = likeliest_dispersion(family, np.asarray(of["deviance"]) / of["nobs"], slopes)
    else:
        total = of["pearson_chi2" if scale == "pearson" else "deviance"]
        value = np.divide(total, df, out=np.full(df.shape, np.nan), where=df > 0)
    covariance: Covariance = record.covariance
    if not isinstance(scale, float):
        value = np.where((df > 0) & ~np.isnan(covariance.scale), value, np.nan)
    many = isinstance(record, Fits)
    changes: dict[str, Any] = {"scale": value if many else float(value)}
    changes["df"] = None if isinstance(scale, float) else df.copy() if many else float(df)
    changes["scale_by"] = _GIVEN if isinstance(scale, float) else scale
    found = dataclasses.replace(covariance, notes=(*covariance.notes, _told(scale)), **changes)
    if isinstance(record, Fits):
        scalars = {**record.scalars, "scale": value.copy()}
        return dataclasses.replace(record, covariance=found, scalars=scalars)
    return dataclasses.replace(record, covariance=found, scale=float(value))


def scale_choice(fit: Fit) -> str | float | None:
    """The dispersion that was asked for with a fit, as `check_scale_choice` gives it."""
    own = fit.covariance.expected
    return own.scale if own.scale_by == _GIVEN else own.scale_by or None


def with_dispersion_of(found: Fit, other: Fit, family: Family, held: Dataset) -> Fit:
    """A fit of the rows of another, its dispersion found in the way that was asked for there."""
    choice = scale_choice(other)
    if choice is None:
        return found
    return with_dispersion(found, family, choice, slopes_of(Estimated.of(found, family, held)))


def slopes_of(estimated: Estimated) -> Slopes:
    """Of the rows of one fit."""
    beta = estimated.at(estimated.covariance.root).beta
    return slopes_at(estimated.source, estimated.family, beta)


def slopes_at(source: Source, family: Family, beta: np.ndarray) -> Slopes:
    """Of rows at coefficients of their columns."""

    def slopes(log: Any) -> tuple[Any, Any]:
        with computing():
            return jax.device_get(source.reduce(dispersion_slopes, family, beta, np.float64(log)))

    return slopes


def slopes_of_many(segments: Segments, family: Family, fits: Fits) -> Slopes:
    """Of the rows of many fits."""
    which, order = np.flatnonzero(fits.fitted), segments.problem.order
    dtype = segments.problem.dtype
    beta = np.where(fits.aliased, 0.0, fits.coef)[which][:, order].astype(dtype)
    keep = ~fits.aliased[which][:, order]
    lanes = Lanes.of(segments, Objective(family), which, MAX_MEMORY)

    def slopes(log: Any) -> tuple[Any, Any]:
        first, second = np.full(log.shape, np.nan), np.full(log.shape, np.nan)
        own = LaneDispersion(beta, keep, log[which].astype(dtype))
        with computing(dtype == np.float64):
            for places, (one, two) in lanes.over(lane_slopes, which, own):
                first[which[places]], second[which[places]] = one, two
        return first, second

    return slopes


def _told(scale: str | float) -> str:
    if isinstance(scale, float):
        return f"The dispersion was given as {measure(scale)}."
    what = {
        "pearson": "Pearson chi2 over its degrees of freedom",
        "deviance": "the deviance over its degrees of freedom",
        "ml": "the maximum likelihood estimate",
    }[scale]
    return f"The dispersion is {what}."


def likeliest_dispersion(family: Family, start: np.ndarray, slopes: Slopes) -> np.ndarray:
    """The dispersions at which likelihoods are largest, by Newton steps in their logarithms.

    Raises
    ------
    DataError
        For a family whose likelihood has no dispersion.
    """
    if family.dispersion_fixed or not family.has_likelihood:
        known = "is known to be 1" if family.dispersion_fixed else "has no likelihood"
        raise DataError(
            f"scale='ml' needs a likelihood with a dispersion in it, and that of the {family.name} "
            f"family {known}: use 'pearson' or 'deviance'."
        )
    with np.errstate(divide="ignore", invalid="ignore"):
        log = np.log(start)
        for _ in range(_TURNS):
            first, second = (np.asarray(part, float) for part in slopes(log))
            # Uphill where the likelihood is not concave yet. Steps are short, since there may be
            # several maxima (a Tweedie density near power 1): that by the start is meant.
            step = np.where(second < 0, -first / second, _UPHILL * np.sign(first))
            step = np.clip(step, -_LONGEST, _LONGEST)
            log = log + step
            if not (np.abs(step) > _SMALL).any():
                break
    return np.exp(log)
