"""Owns the choice of a dispersion: Pearson's, the deviance's, maximum likelihood's, or a number."""

import dataclasses
from typing import Any

import jax
import numpy as np

from jaxglm._jax import computing
from jaxglm._status import DataError
from jaxglm.inference._sandwich import Estimated
from jaxglm.search import Fit
from jaxglm.sums import dispersion_slopes
from jaxglm.words import is_positive, measure

_NAMES = {"pearson": "pearson", "x2": "pearson", "deviance": "deviance", "dev": "deviance"}
_NAMES |= {"ml": "ml"}
_TURNS, _SMALL = 100, 1e-12


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
            "scale must be 'pearson', 'deviance', 'ml' or a positive number (the dispersion itself), "
            f"not {scale!r}"
        )
    return name


def with_dispersion(fit: Fit, estimated: Estimated, scale: str | float | None) -> Fit:
    """The fit with another dispersion in its standard errors.

    A number is taken as known, and tests are then normal; estimates leave `df_resid` degrees of
    freedom. Where nothing of the response is left but rounding there is none.

    Raises
    ------
    DataError
        For maximum likelihood in a family whose likelihood has no dispersion.
    """
    if scale is None:
        return fit
    covariance, family = fit.covariance, estimated.family
    df: float | None = fit.df_resid
    if isinstance(scale, float):
        value, df, how = scale, None, f"The dispersion was given as {measure(scale)}."
    elif fit.df_resid <= 0:
        value, how = np.nan, "Without residual degrees of freedom there is no dispersion."
    elif scale == "ml":
        value = _by_likelihood(estimated, fit.deviance / fit.nobs)
        how = "The dispersion is the maximum likelihood estimate."
    else:
        total = fit.pearson_chi2 if scale == "pearson" else fit.deviance
        what = "Pearson chi2" if scale == "pearson" else "the deviance"
        value, how = total / fit.df_resid, f"The dispersion is {what} over its degrees of freedom."
    if scale == "pearson" and not family.dispersion_fixed:
        how = ""
    rounding = np.isnan(covariance.scale) and not isinstance(scale, float)
    covariance = dataclasses.replace(
        covariance,
        scale=np.nan if rounding else value,
        df=df,
        notes=(*covariance.notes, *filter(None, [how])),
    )
    return dataclasses.replace(fit, covariance=covariance, scale=value)


def _by_likelihood(estimated: Estimated, start: float) -> float:
    """The dispersion at which the likelihood is largest, by Newton steps in its logarithm."""
    family = estimated.family
    if family.dispersion_fixed or not family.has_likelihood:
        known = "is known to be 1" if family.dispersion_fixed else "has no likelihood"
        raise DataError(
            f"scale='ml' needs a likelihood with a dispersion in it, and that of the {family.name} "
            f"family {known}: use 'pearson' or 'deviance'."
        )
    beta = estimated.at(estimated.covariance.root).beta
    log = np.log(start)
    with computing():
        for _ in range(_TURNS):
            slopes = estimated.source.reduce(dispersion_slopes, family, beta, np.float64(log))
            first, second = map(float, jax.device_get(slopes))
            # Uphill where the likelihood is not concave yet.
            step = -first / second if second < 0 else np.sign(first)
            log += float(np.clip(step, -1.0, 1.0))
            if abs(step) < _SMALL:
                break
    return float(np.exp(log))
