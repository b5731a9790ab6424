"""Score a fit of a reference case: how many digits of each quantity are right."""

import math
from typing import Any

import numpy as np
import pandas as pd

from .cases import Case

# At default settings. Everything else is held to OTHER.
BARS = {"coef": 8.0, "se": 7.5}
OTHER = 7.0
# An element smaller than this share of its scale is zero but for rounding: 0.0 in exact arithmetic,
# or a residual of a row that is fitted exactly.
ZERO = 1e-10


def bar(quantity: str) -> float:
    return BARS.get(quantity, OTHER)


def digits(values: Any, truth: Any, scale: Any = None) -> float:
    """Worst log relative error, -log10(|x - c| / |c|), over the elements: 0 to 16.

    An element whose truth is zero (see ZERO) counts with its error relative to ``scale``, the
    largest truth if not given.
    """
    truth = np.asarray(truth, float)
    values = np.asarray(values, float)
    if values.shape != truth.shape or not np.isfinite(values).all():
        return 0.0
    scale = np.broadcast_to(np.max(np.abs(truth)) if scale is None else scale, truth.shape)
    size = np.where(np.abs(truth) > ZERO * scale, np.abs(truth), scale)
    error = np.abs(values - truth)
    worst = float(np.max(np.where(error > 0, error / np.where(size > 0, size, 1.0), 0.0)))
    return 16.0 if worst == 0 else min(16.0, max(0.0, -math.log10(worst)))


def score(case: Case, results: Any, door: str) -> dict[str, float]:
    """Right digits of every quantity that the case has."""
    truth, found = case.truth, observed(case, results, door)
    scales = _scales(truth)
    return {name: digits(found[name], truth[name], scales.get(name)) for name in truth}


def _scales(truth: dict[str, Any]) -> dict[str, Any]:
    se, fitted = truth["se"], np.max(np.abs(truth["fitted_10"]))
    return {
        "vcov": np.outer(se, se),
        "residuals_10 response": fitted,
        # The other residuals are the response residual in units of its deviation, or of eta.
        "residuals_10 pearson": 1.0,
        "residuals_10 deviance": 1.0,
        "residuals_10 working": np.max(np.abs(truth["predictions_10 link fit"])),
    }


def observed(case: Case, results: Any, door: str) -> dict[str, Any]:
    kept = ~case.aliased
    found = {
        "coef": np.asarray(results.params)[kept],
        "se": np.asarray(results.bse)[kept],
        "vcov": np.asarray(results.cov_params())[np.ix_(kept, kept)],
        "statistic": np.asarray(results.tvalues)[kept],
        "p_value": np.asarray(results.pvalues)[kept],
        "conf_int": np.asarray(results.conf_int())[kept],
        "deviance": results.deviance,
        "null_deviance": results.null_deviance,
        "dispersion": results.scale,
        "pearson_chi2": results.pearson_chi2,
        "logLik": results.llf,
        "aic": results.aic,
        "bic": results.bic,
        "df_residual": results.df_resid,
        "nobs": results.nobs,
        "fitted_10": np.asarray(results.fittedvalues)[:10],
    }
    if case.estimates_theta:
        alpha, alpha_se = results.family.alpha, results.fit.alpha_se
        # The delta method: theta = 1 / alpha.
        found |= {"theta": 1 / alpha, "theta_se": alpha_se / alpha**2}
    for kind in ("response", "pearson", "deviance", "working"):
        found[f"residuals_10 {kind}"] = np.asarray(results.resid(kind))[:10]
    if door == "design":
        offset = None if case.offset is None else case.offset[:10]
        found |= _predicted("predictions_10", results, case.X[:10], offset=offset)
    else:
        found |= _predicted("predictions_10", results, case.frame.head(10))
    if "newdata" in case.R:
        rows = pd.DataFrame(case.R["newdata"]["rows"])
        # Out-of-sample rows are given as data, so the design door cannot predict them.
        if door == "formula":
            found |= _predicted("newdata", results, rows)
        else:
            found |= {name: value for name, value in case.truth.items() if "newdata" in name}
    return found


def _predicted(label: str, results: Any, data: Any, **given: Any) -> dict[str, Any]:
    prediction = results.get_prediction(data, **given)
    assert np.array_equal(prediction.predicted_mean, results.predict(data, **given))
    return {
        f"{label} link fit": results.predict(data, which="linear", **given),
        f"{label} link se": prediction.linear_se,
        f"{label} response fit": prediction.predicted_mean,
        f"{label} response se": prediction.se_mean,
    }
