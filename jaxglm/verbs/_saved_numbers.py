"""Owns the checks that the numbers a file holds of a fit, or of many, can be those of one fit.

Only what is so for every fit is asked: a file that was written is never refused.
"""

from collections.abc import Mapping

import numpy as np

from jaxglm._schema import Damaged
from jaxglm._status import Status
from jaxglm.algebra import Covariance
from jaxglm.diagnostics import RowFacts
from jaxglm.intake import Model
from jaxglm.search import PROXIMAL, REDUCED
from jaxglm.solvers import Stop

_COUNTS = ("n_rows", "n_patterns", "turns", "likelihood_params")
# Never below zero; nan where a fit has none.
_SIZES = (*_COUNTS, "nobs", "weight_sum", "pearson_chi2", "scale", "alpha", "alpha_se")
# Known of every fit, however it ended.
_KNOWN = ("nobs", "weight_sum", "df_model", "df_resid")
_METHODS = ("irls", "newton", "irls+newton", "lbfgs", "optax", "barrier", REDUCED, PROXIMAL)
# What sums in float32 may lose.
_ROUNDING = 1e-4


def check_ranges(scalars: Mapping[str, np.ndarray], prefix: str) -> None:
    """Refuse counts below zero or without end, and a status that is none."""
    for name in _SIZES:
        if name in scalars and (scalars[name] < 0).any():
            raise Damaged(prefix + name, "is below zero")
    if not np.isin(scalars["status"], [int(status) for status in Status]).all():
        raise Damaged(f"{prefix}status", "is none that a fit can have")
    ended = _ended(scalars)
    for name in _KNOWN:
        if (ended & ~np.isfinite(scalars[name])).any():
            raise Damaged(prefix + name, "is not finite")
    if (scalars["n_patterns"] > scalars["n_rows"]).any():
        raise Damaged(f"{prefix}n_patterns", "are more than the rows")


def check_consistent(
    scalars: Mapping[str, np.ndarray], covariance: Covariance, model: Model, prefix: str
) -> None:
    """Refuse numbers of which one cannot be beside the others, or beside the covariance."""
    family, ended = model.family, _ended(scalars)
    rank = (~covariance.aliased).sum(axis=-1)

    def refuse(name: str, wrong: np.ndarray, words: str) -> None:
        if (ended & wrong).any():
            raise Damaged(prefix + name, words)

    rows, nobs, weight = scalars["n_rows"], scalars["nobs"], scalars["weight_sum"]
    unweighted = "var_weights" not in model.used and family.mean_domain != (0.0, 1.0)
    if "freq_weights" not in model.used:
        refuse("nobs", (nobs > rows) | (nobs != np.floor(nobs)), "is no number of these rows")
        # Of many responses each may miss some of the rows, and trials or weights may be 0.
        one = model.formula is not None and not model.formula.lstrip().startswith("~")
        if one and unweighted:
            refuse("n_rows", nobs != rows, "is not the number of observations")
    if unweighted:
        off = ~np.isclose(weight, nobs, rtol=_ROUNDING, atol=0.0)
        refuse("weight_sum", off, "is not that of the observations")
    # A penalty takes some of the degrees of freedom of the coefficients.
    taken, slack = nobs - scalars["df_resid"], 1e-6 + 1e-9 * nobs
    refuse(
        "df_resid",
        (taken < -slack) | (taken > rank + slack),
        "is not the observations less the coefficients",
    )
    constant = taken - scalars["df_model"]
    refuse(
        "df_model",
        np.minimum(abs(constant), abs(constant - 1)) > slack,
        "is not the coefficients, without the intercept or with it",
    )
    null = np.nan_to_num(scalars["null_deviance"], posinf=0.0)
    for name in ("deviance", "null_deviance"):
        # Rounding may leave a little below zero.
        refuse(name, scalars[name] < -1e-6 * np.maximum(1.0, null), "is below zero")
    if family.dispersion_fixed:
        other = scalars["scale"] != np.asarray(covariance.expected.scale)
        refuse("scale", other, "is not that of the covariance")
    optimum = np.isin(scalars["status"], [int(s) for s in Status if s.usable])
    known = family.dispersion_fixed and family.has_likelihood
    if known and type(family).__module__.startswith("jaxglm."):
        refuse("log_likelihood", optimum & np.isnan(scalars["log_likelihood"]), "is none")
    converged = scalars["status"] == int(Status.CONVERGED)
    refuse("decrement", converged & ~(scalars["decrement"] >= 0), "is no distance")


def check_words(method: str, stopped_by: str, prefix: str) -> None:
    """Refuse a method and a test that are none."""
    if method not in _METHODS:
        raise Damaged(f"{prefix}method", "is none that fits")
    if stopped_by and stopped_by not in [stop.words for stop in Stop]:
        raise Damaged(f"{prefix}stopped_by", "is no test that ends a fit")


def check_facts(facts: RowFacts, prefix: str) -> None:
    """Refuse a share that is none, and sizes below zero."""
    if not 0 <= facts.sparse_share <= 1 + _ROUNDING:
        raise Damaged(f"{prefix}.sparse_share", "is no share")
    if facts.pearson_variance < 0:
        raise Damaged(f"{prefix}.pearson_variance", "is below zero")


def _ended(scalars: Mapping[str, np.ndarray]) -> np.ndarray:
    return ~np.isin(scalars["status"], [int(Status.RUNNING), int(Status.INVALID)])
