"""Leverage and influence: against fits without the row, statsmodels, and repeated rows."""

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import jaxglm as jg
from jaxglm._tuning import tuned

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(5)
N = 40
TABLE = pd.DataFrame(
    {
        "x": RNG.normal(size=N).round(3),
        "g": RNG.choice(list("abcd"), N),
        "f": RNG.integers(1, 4, N),
        "w": RNG.uniform(0.5, 2.0, N).round(2),
    },
    index=[f"r{i}" for i in range(N)],
)
TABLE["y"] = RNG.poisson(np.exp(1 + 0.5 * TABLE.x))


@cache
def poisson() -> jg.Results:
    return jg.glm("y ~ x + g", TABLE, "poisson")


@cache
def line() -> jg.Results:
    return jg.glm("y ~ x + g", TABLE, var_weights="w")


def test_a_linear_model_without_a_row_is_known_exactly() -> None:
    influence = line().get_influence()
    for row in ("r3", "r17"):
        rest = TABLE.drop(index=row)
        without = jg.glm("y ~ x + g", rest, var_weights="w")
        moved = line().params - without.params
        np.testing.assert_allclose(influence.d_params.loc[row], moved, rtol=1e-8)
        unscaled = line().cov_params() / line().scale
        distance = moved @ np.linalg.solve(unscaled, moved) / (line().scale * len(moved))
        assert influence.cooks_distance[row] == pytest.approx(distance, rel=1e-8)
        spread = np.sqrt(without.deviance / without.df_resid)
        one = influence.resid_studentized_external[row]
        gap = TABLE.y[row] - without.predict(TABLE.loc[[row]])[row]
        h = influence.hat_matrix_diag[row]
        assert one == pytest.approx(gap * np.sqrt(TABLE.w[row] * (1 - h)) / spread, rel=1e-8)


@pytest.mark.parametrize("family", ["poisson", "gamma"])
def test_as_statsmodels_has_it(family: str) -> None:
    y, X = TABLE.y + (family == "gamma"), jg.add_constant(TABLE[["x"]])
    link = sm.families.links.Log()
    theirs = {"poisson": sm.families.Poisson(), "gamma": sm.families.Gamma(link)}[family]
    fit = jg.GLM(y, X, family, link="log").fit()
    wanted = sm.GLM(y, X, theirs).fit(tol=1e-14)
    influence, known = fit.get_influence(), wanted.get_influence(observed=False)
    for name in ("hat_matrix_diag", "resid_studentized", "d_params", "dfbetas"):
        np.testing.assert_allclose(getattr(influence, name), getattr(known, name), rtol=1e-6)
    np.testing.assert_allclose(influence.cooks_distance, known.cooks_distance[0], rtol=1e-6)
    np.testing.assert_allclose(fit.resid_anscombe, wanted.resid_anscombe, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    ("family", "theirs"),
    [
        (jg.Binomial(), sm.families.Binomial()),
        (jg.NegativeBinomial(alpha=0.5), sm.families.NegativeBinomial(alpha=0.5)),
        (jg.InverseGaussian(link="log"), sm.families.InverseGaussian(sm.families.links.Log())),
    ],
    ids=lambda family: type(family).__name__,
)
def test_anscombe_residuals_as_statsmodels(family: Any, theirs: Any) -> None:
    X = jg.add_constant(TABLE[["x"]])
    y = (TABLE.y > 2).astype(float) if family.name == "binomial" else TABLE.y + 1.0
    found, wanted = jg.GLM(y, X, family).fit(), sm.GLM(y, X, theirs).fit(tol=1e-14)
    np.testing.assert_allclose(found.resid_anscombe, wanted.resid_anscombe, rtol=1e-6, atol=1e-8)


def test_a_row_of_some_observations_is_so_many_rows() -> None:
    weighted = jg.glm("y ~ x + g", TABLE, "poisson", freq_weights="f")
    rows = TABLE.loc[TABLE.index.repeat(TABLE.f)]
    repeated = jg.glm("y ~ x + g", rows, "poisson")
    first = ~rows.index.duplicated()
    one, other = weighted.get_influence(), repeated.get_influence()
    pd.testing.assert_frame_equal(one.summary_frame(), other.summary_frame()[first], rtol=1e-9)
    pd.testing.assert_frame_equal(one.dfbetas, other.dfbetas[first], rtol=1e-9)


def test_an_eliminated_factor_changes_nothing() -> None:
    with tuned(least_eliminated=2):
        found = jg.glm("y ~ x + g", TABLE, "poisson")
    assert found.fit.covariance.root.diagonal.any()
    one, other = found.get_influence(), poisson().get_influence()
    pd.testing.assert_frame_equal(one.summary_frame(), other.summary_frame(), rtol=1e-9)
    pd.testing.assert_frame_equal(one.dfbetas, other.dfbetas, rtol=1e-8, atol=1e-12)


def test_labels_and_names_are_the_users() -> None:
    influence = poisson().get_influence()
    table = influence.summary_frame()
    assert table.index.equals(TABLE.index)
    assert list(influence.dfbetas.columns) == poisson().names
    assert influence.hat_matrix_diag.sum() == pytest.approx(5.0)
    worst = influence.largest(3)
    assert list(worst.index) == list(table.cooks_d.sort_values(ascending=False).index[:3])
    (chunk,) = influence.in_chunks("d_params", columns=["x"])
    np.testing.assert_allclose(chunk["x"], influence.d_params["x"], rtol=1e-12)
    assert poisson().hatvalues().equals(influence.hat_matrix_diag)
    assert poisson().cooks_distance().equals(influence.cooks_distance)


def test_rows_of_weight_zero_and_aliased_columns_are_nan() -> None:
    table = TABLE.assign(w=np.where(np.arange(N) < 35, 1.0, 0.0), twice=2 * TABLE.x)
    with pytest.warns(jg.RankWarning):
        fit = jg.glm("y ~ x + twice + g", table, "poisson", var_weights="w")
    influence = fit.get_influence()
    assert influence.summary_frame()[35:].isna().all().all()
    betas = influence.dfbetas
    assert betas["twice"].isna().all()
    first = TABLE[:35]
    wanted = jg.glm("y ~ x + g", first, "poisson").get_influence().dfbetas
    np.testing.assert_allclose(betas.drop(columns="twice")[:35], wanted, rtol=1e-7)


def test_a_row_that_determines_a_coefficient_alone_is_nan_where_one_divides_by_nothing() -> None:
    table = pd.DataFrame({"y": [1, 3, 2, 4, 6.0, 5], "g": list("aabbbc")})
    table = jg.glm("y ~ g", table).get_influence().summary_frame()
    assert table.hat_diag[5] == pytest.approx(1.0)
    assert table.drop(columns="hat_diag").loc[5].isna().all()
    assert table[:5].notna().all().all()


def test_what_is_refused_in_words() -> None:
    influence = poisson().get_influence()
    with pytest.raises(ValueError, match="did you mean 'x'"):
        influence.in_chunks(columns=["X"])
    with pytest.raises(ValueError, match="what must be 'dfbetas' or 'd_params'"):
        influence.in_chunks("cooks")
    with pytest.raises(ValueError, match="did you mean 'cooks_d'"):
        influence.largest(by="cook_d")
    with pytest.raises(jg.DataError, match=r"get_influence\(\) needs the rows of the fit"):
        poisson().without_data().get_influence()
    with pytest.raises(ValueError, match="not known for the quasi family"):
        jg.glm("y ~ x", TABLE, jg.Quasi("mu^2")).resid("anscombe")
