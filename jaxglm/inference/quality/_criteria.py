"""Owns the criteria and coefficients of determination that are made of the scalars of a fit."""

from typing import Any

import numpy as np

from jaxglm._jax import computing
from jaxglm.inference._estimates import Estimates
from jaxglm.words import check_choice, is_positive

# The squared share of a response that rounding takes, some sixty units in its last place.
_ROUNDING = (64 * float(np.finfo(np.float64).eps)) ** 2

# Spellings of the kinds, statsmodels' among them.
_KINDS = {
    "mcf": "mcf",
    "mcfadden": "mcf",
    "cs": "cs",
    "cox-snell": "cs",
    "lr": "cs",
    "nagelkerke": "nagelkerke",
    "deviance": "deviance",
    "tjur": "tjur",
}


def check_kind(kind: Any) -> str:
    """The kind of a pseudo R-squared under its first name.

    Raises
    ------
    ValueError
    """
    kind = kind.lower() if isinstance(kind, str) else kind
    check_choice("kind", kind, tuple(_KINDS))
    return _KINDS[kind]


def share_explained(deviance: float, null_deviance: float) -> float:
    """1 - deviance / null_deviance; nan where nothing varies that could be explained."""
    return 1 - deviance / null_deviance if null_deviance > 0 else np.nan


def without_rounding(family: Any, null_deviance: float, average: float, weight: float) -> float:
    """A null deviance, or 0 where it is rounding errors of equal responses.

    `average` is the mean response, `weight` the sum of the weights.
    """
    with computing(), np.errstate(all="ignore"):
        size = weight * average**2 / float(family.variance(average))
    return null_deviance if null_deviance > _ROUNDING * size else 0.0


def likelihood_rsquared(estimates: Estimates, kind: str) -> float:
    """McFadden's, Cox and Snell's or Nagelkerke's coefficient.

    Raises
    ------
    ValueError
        Where the family has no likelihood, or the coefficient no meaning for it.
    """
    family, n = estimates.family, estimates.nobs
    if not family.has_likelihood:
        raise ValueError(
            f"kind={kind!r} is made of log-likelihoods, and the {family.name} family has none; "
            "kind='deviance' works."
        )
    if kind != "cs" and not family.dispersion_fixed:
        raise ValueError(
            f"kind={kind!r} is for responses that have probabilities (0/1, counts). The likelihood "
            f"of the {family.name} family is a density, and it would change with the unit of the "
            "response; kind='deviance' and kind='cs' do not."
        )
    if kind == "mcf":
        return float(1 - estimates.llf / estimates.llnull)
    share = -np.expm1(2 * (estimates.llnull - estimates.llf) / n)
    return float(share if kind == "cs" else share / -np.expm1(2 * estimates.llnull / n))


def information_criterion(estimates: Estimates, k: float, crit: Any, scale: Any) -> float:
    """AIC, its correction for few observations, BIC or the quasi-AIC; see `info_criteria`.

    `k` is the number of parameters.

    Raises
    ------
    ValueError
        For another criterion, a dispersion too many or none, or no likelihood.
    """
    crit = crit.lower() if isinstance(crit, str) else crit
    check_choice("crit", crit, ("aic", "aicc", "bic", "qaic"))
    family = estimates.family
    if not family.has_likelihood:
        same = {"quasipoisson": "poisson", "quasibinomial": "binomial"}.get(family.name)
        instead = (
            f"the quasi-AIC is that of the same model with family={same!r}: "
            "info_criteria('qaic', scale=...), with the scale of the largest quasi model"
            if same
            else "compare models by the tests of their coefficients, or pseudo_rsquared('deviance')"
        )
        raise ValueError(
            f"crit={crit!r} is made of the log-likelihood, and the {family.name} family has none; "
            f"{instead}."
        )
    if crit == "qaic":
        return _quasi(estimates, k, scale)
    if scale is not None:
        raise ValueError(f"scale= is the dispersion of the quasi-AIC; crit={crit!r} takes none.")
    if crit == "bic":
        return estimates.bic
    if crit == "aic":
        return estimates.aic
    left = estimates.nobs - k - 1
    if left <= 0:
        raise ValueError(
            f"crit='aicc' needs more than {k + 1:g} observations for {k:g} parameters, and there "
            f"are {estimates.nobs:g}; crit='aic' works."
        )
    return float(estimates.aic + 2 * k * (k + 1) / left)


def _quasi(estimates: Estimates, k: float, scale: Any) -> float:
    family = estimates.family
    if not family.dispersion_fixed:
        raise ValueError(
            f"crit='qaic' is for counts and shares, whose dispersion is known to be 1 otherwise; "
            f"the {family.name} family estimates it in any case, and crit='aic' has it."
        )
    if not is_positive(scale) or not np.isfinite(scale):
        raise ValueError(
            "crit='qaic' needs scale=, the dispersion of the largest of the models compared, a "
            f"positive number: pearson_chi2 / df_resid of its result. Got {scale!r}."
        )
    return float(-2 * estimates.llf / scale + 2 * k)
