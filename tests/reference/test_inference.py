"""Robust covariances, leverages and distances of the reference cases, held to R."""

import json
import warnings
from typing import Any

import numpy as np
import pytest

import jaxglm as jg

from .cases import CASES, FOLDER, load
from .compare import OTHER, digits
from .engine import fitted

VALUES: dict[str, Any] = json.loads((FOLDER / "inference.json").read_text())
# Other families and weights than these are looked at by the slow tests.
QUICK = {"bacteria_binomial_cluster", "ships_quasipoisson_offset", "caschools_gaussian_weights"}
MARKED = [
    name if name in QUICK else pytest.param(name, marks=pytest.mark.slow)
    for name in CASES
    if "robust" in VALUES[name] or "leverage_10" in VALUES[name]
]


def fit_of(name: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", jg.RankWarning)
        return fitted(name, "formula")


@pytest.mark.parametrize("name", MARKED)
def test_robust_covariances(name: str) -> None:
    case, fit, kept = load(name), fit_of(name), ~load(name).aliased
    wanted = [({"cov_type": kind}, value) for kind, value in VALUES[name].get("robust", {}).items()]
    clusters = VALUES[name].get("cluster", {})
    for label, value in clusters.items():
        if label.startswith("HC"):
            kind, _, adjusted = label.split("_")
            given = {"cluster": case.frame[clusters["variable"]], "type": kind}
            wanted.append(({**given, "cadjust": adjusted == "TRUE"}, value))
    for kind, value in wanted:
        truth = np.array(value, float)
        found = fit.robust(**kind).cov_params().to_numpy()[np.ix_(kept, kept)]
        se = np.sqrt(np.diag(truth))
        # An entry counts as its standard errors do: some are zero but for rounding.
        assert (np.abs(found - truth) <= 10.0**-OTHER * np.outer(se, se)).all(), kind
        assert digits(np.sqrt(np.diag(found)), se) >= OTHER, kind


@pytest.mark.parametrize("name", MARKED)
def test_leverages_residuals_and_distances(name: str) -> None:
    fit, values = fit_of(name), VALUES[name]
    influence = fit.get_influence()
    found = {
        "leverage_10": influence.hat_matrix_diag,
        "cooks_distance_10": influence.cooks_distance,
        "standardized_pearson_10": influence.resid_studentized,
    }
    if load(name).family != "wedderburn":  # R's deviance is made finite at y = 0
        found["dffits_10"] = influence.dffits
        found["standardized_deviance_10"] = fit.rstandard()
        found["studentized_10"] = fit.rstudent()
    for quantity, ours in found.items():
        truth = np.array([v if isinstance(v, float) else np.nan for v in values[quantity]])
        known = np.isfinite(truth)
        first = ours.to_numpy()[:10]
        assert np.isnan(first[~known]).all(), quantity
        assert digits(first[known], truth[known], np.abs(truth[known]).max()) >= OTHER, quantity
    assert influence.hat_matrix_diag.sum() == pytest.approx(values["leverage_sum"], rel=1e-9)
