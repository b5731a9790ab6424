"""Joint errors of coefficients and a negative binomial shape, against 60 digits and statsmodels."""

from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm

import jaxglm as jg
from jaxglm._tuning import tuned

from .reference.cases import load
from .reference.compare import digits

pytestmark = pytest.mark.slow

N = 60
_rng = np.random.default_rng(5)
TABLE: dict[str, Any] = {
    "x": _rng.normal(size=N),
    "g": np.repeat(["a", "b", "c"], N // 3),
    "time": _rng.uniform(1, 3, N),
    "times": (np.arange(N) % 3).astype(float),
}
TABLE["y"] = _rng.poisson(np.exp(1 + 0.5 * TABLE["x"]) * TABLE["time"] * _rng.gamma(2, 0.5, N))
FORMULA = "y ~ x + C(g)"


def fitted(**settings: Any) -> jg.Results:
    return jg.glm(FORMULA, TABLE, family="negative_binomial", **settings)


@pytest.fixture(scope="module")
def fit() -> jg.Results:
    return fitted(exposure="time")


SLOW = [
    pytest.param(name, marks=pytest.mark.slow) for name in ("doctorvisits_nb_ml", "quine_nb_ml")
]


@pytest.fixture(scope="module")
def plain() -> jg.Results:
    return fitted()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["quine_nb_ml_main", *SLOW])
def test_certified_errors(name: str) -> None:
    case = load(name)
    fit = jg.GLM(case.y, case.X, "negative_binomial").fit()
    found = fit.joint_bse.to_numpy()[np.append(~case.aliased, True)]
    found[-1] /= fit.family.alpha**2  # that of theta = 1 / alpha
    assert digits(found, np.array(case.certified["joint_observed_se"])) > 10


@pytest.mark.slow
def test_an_offset_as_in_statsmodels(fit: jg.Results) -> None:
    X = fit.design_matrix().to_numpy()
    model = sm.NegativeBinomial(TABLE["y"], X, offset=np.log(TABLE["time"]))
    start = [*fit.params, fit.family.alpha]
    joint = model.fit(start_params=start, method="newton", tol=1e-14, disp=0)
    covariance = fit.joint_cov_params()
    assert list(covariance.columns) == [*fit.names, "alpha"] == list(covariance.index)
    se = np.sqrt(np.diag(covariance))
    assert np.allclose(fit.joint_bse, se, rtol=1e-12)
    assert (np.abs(covariance - joint.cov_params()) < 1e-8 * np.outer(se, se)).to_numpy().all()


@pytest.mark.slow
def test_frequencies_are_repeated_rows() -> None:
    counted = fitted(freq_weights="times")
    each = {name: np.repeat(values, TABLE["times"].astype(int)) for name, values in TABLE.items()}
    repeated = jg.glm(FORMULA, each, family="negative_binomial")
    assert np.allclose(counted.joint_bse, repeated.joint_bse, rtol=1e-9)


@pytest.mark.slow
def test_an_eliminated_factor_changes_nothing(fit: jg.Results) -> None:
    with tuned(least_eliminated=2):
        eliminated = fitted(exposure="time")
        assert eliminated.fit.covariance.root.diagonal.any()
        found = eliminated.joint_cov_params()
    assert np.allclose(found, fit.joint_cov_params(), rtol=1e-9)


@pytest.mark.slow
def test_a_column_left_out_has_no_error(plain: jg.Results) -> None:
    with pytest.warns(jg.RankWarning):
        fit = jg.glm(f"{FORMULA} + z", {**TABLE, "z": 2 * TABLE["x"]}, family="negative_binomial")
    assert np.isnan(fit.joint_bse["z"])
    assert np.allclose(fit.joint_bse.drop("z"), plain.joint_bse, rtol=1e-9)


@pytest.mark.slow
def test_separation_leaves_the_others_their_errors(plain: jg.Results) -> None:
    """A level of zeros only: the rest is the fit without its rows."""
    rows = {"x": np.zeros(4), "g": ["d"] * 4, "y": np.zeros(4)}
    more = {name: np.append(TABLE[name], values) for name, values in rows.items()}
    with pytest.warns(jg.SeparationWarning):
        fit = jg.glm(FORMULA, more, family="negative_binomial")
    assert np.isnan(fit.joint_bse["C(g)[T.d]"])
    assert np.allclose(fit.joint_bse.drop("C(g)[T.d]"), plain.joint_bse, rtol=1e-5)


def test_refusals(fit: jg.Results) -> None:
    equal = {"y": [2, 3, 2, 3, 2, 3], "x": [0.0, 1, 2, 3, 4, 5]}
    with pytest.warns(jg.BoundaryWarning):
        poisson_like = jg.glm("y ~ x", equal, family="negative_binomial")
    cases = {
        "its shape was given": jg.glm(FORMULA, TABLE, jg.NegativeBinomial(alpha=0.5)),
        "the family is poisson": jg.glm(FORMULA, TABLE, "poisson"),
        "it is 0, the end of its range": poisson_like,
        r"rest on something else \(HC1\)": fit.robust("HC1"),
        r"something else \(a dispersion of": fitted(scale="pearson"),
        "needs the rows of the fit": fit.without_data(),
    }
    for words, refused in cases.items():
        with pytest.raises(jg.DataError, match=words):
            refused.joint_cov_params()
