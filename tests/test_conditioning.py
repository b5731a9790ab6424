"""Ill-conditioned and rank-deficient columns: right digits, or nan by R's rule."""

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

import jaxglm as jg
from jaxglm.algebra import span_of

from .exact_least_squares import exact_least_squares
from .marks import slow_among

pytestmark = pytest.mark.slow

DATA = Path(__file__).parent / "data" / "hardcases"
TRUTH = json.loads((DATA / "truth.json").read_text())


def digits(found, truth) -> float:
    """The number of right digits of the worst entry."""
    found, truth = np.asarray(found, float), np.asarray(truth, float)
    worst = np.max(np.abs(found - truth) / np.abs(truth))
    return float(-np.log10(max(worst, 1e-16)))


def quiet(y, X, family: Any = "gaussian", **settings: Any) -> jg.Results:
    """A fit whose warnings are not the matter of the test."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", jg.JaxglmWarning)
        return jg.GLM(y, X, family).fit(**settings)


# NIST's certified regressions.


def longley() -> tuple[np.ndarray, np.ndarray]:
    table = pd.read_csv(DATA / "longley.csv").to_numpy(float)
    return table[:, 0], np.column_stack([np.ones(len(table)), table[:, 1:]])


def filip() -> tuple[np.ndarray, np.ndarray]:
    table = pd.read_csv(DATA / "filip.csv").to_numpy(float)
    return table[:, 0], np.vander(table[:, 1], 11, increasing=True)


# Filip's powers are rounded to 53 bits before the fit sees them, which alone costs half its digits.
CERTIFIED = {"nist_longley": (longley, 10.0), "nist_filip": (filip, 6.5)}


@pytest.mark.parametrize("name", CERTIFIED)
@pytest.mark.parametrize("method", ["irls", "newton"])
def test_certified_regressions(name: str, method: str) -> None:
    make, least = CERTIFIED[name]
    y, X = make()
    results, truth = quiet(y, X, method=method), TRUTH[name]
    assert results.converged and not results.fit.aliased.any()
    assert digits(results.params, truth["coef"]) >= least
    assert digits(results.bse, truth["se"]) >= least
    assert digits(results.deviance, truth["deviance"]) >= least
    assert digits(results.fittedvalues[:10], truth["fitted_10"]) >= 8


@pytest.mark.parametrize("noise", [0.0, 1.0, 1e3], ids=lambda noise: f"noise {noise:g}")
def test_polynomials_of_degree_five(noise: float) -> None:
    """As NIST's Wampler: powers of 0..20, with noise of any size beside the signal."""
    x = np.arange(21.0)
    X = np.vander(x, 6, increasing=True)
    y = X.sum(axis=1) + noise * np.array([1.0, -2.0, 3.0, -1.0, -2.0, 1.0, 0.0] * 3)
    results = quiet(y, X)
    assert digits(results.params, exact_least_squares(X, y)[0]) >= 8
    if noise:
        assert digits(results.bse, exact_least_squares(X, y)[1]) >= 8


def test_polynomial_of_degree_ten() -> None:
    rng = np.random.default_rng(4)
    x = np.linspace(-8.8, -3.1, 60)
    X = np.vander(x, 11, increasing=True)
    y = np.sin(x) + 0.01 * rng.normal(size=60)
    results, (beta, se) = quiet(y, X), exact_least_squares(X, y)
    assert not results.fit.aliased.any()
    assert digits(results.params, beta) >= 6
    assert digits(results.bse, se) >= 6


NEAR = [1e-3, 1e-5, 1e-7, 1e-9, 1e-10]


def collinear(share: float) -> np.ndarray:
    """The third column is the second but for `share` of its length."""
    rng = np.random.default_rng(7)
    a, b = rng.normal(size=(2, 40))
    return np.column_stack([np.ones(40), a, a + share * b])


@pytest.mark.parametrize("share", NEAR)
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
def test_near_collinear_columns(share: float, weighted: bool) -> None:
    X = collinear(share)
    rng = np.random.default_rng(1)
    y = X @ [1.0, 2.0, -1.0] + rng.normal(size=40)
    weight = rng.uniform(0.1, 3, size=40) if weighted else None
    results = jg.GLM(y, X, var_weights=weight).fit()
    beta, se = exact_least_squares(X, y, weight)
    assert results.converged and not results.fit.aliased.any()
    # Normal equations square the condition number, which may cost half the digits of the standard
    # errors before the columns are factorised instead; it costs the coefficients none of them.
    assert digits(results.bse, se) >= min(9.0, 15 + np.log10(share) - 1.5)
    assert np.max(np.abs(results.params - beta) / se) <= 1e-15 / share


@pytest.mark.parametrize("share", NEAR)
def test_near_collinear_columns_of_a_poisson_model(share: float) -> None:
    """The same model in other coordinates, (a, b) for (a, a + share b), is well conditioned."""
    X = collinear(share)
    b = np.random.default_rng(7).normal(size=(2, 40))[1]
    apart = np.column_stack([X[:, :2], b])
    y = np.random.default_rng(1).poisson(np.exp(apart @ [0.4, 0.3, -0.2])).astype(float)
    one, other = quiet(y, X, "poisson"), quiet(y, apart, "poisson")
    assert one.converged and not one.fit.aliased.any()
    assert np.allclose(one.fittedvalues, other.fittedvalues, rtol=1e-6)
    assert float(one.bse.iloc[2]) * share == pytest.approx(float(other.bse.iloc[2]), rel=1e-4)


@pytest.mark.parametrize("share", [1e-13, 1e-15])
def test_columns_that_differ_by_rounding_are_the_same(share: float) -> None:
    X = collinear(share)
    results = quiet(np.arange(40.0), X)
    assert results.fit.aliased.tolist() == [False, False, True]


@pytest.mark.parametrize("unit", [1e-150, 1e-30, 1e30, 1e150])
@pytest.mark.parametrize("family", ["gaussian", "poisson"])
def test_units_of_columns(unit: float, family: str) -> None:
    rng = np.random.default_rng(3)
    X = np.column_stack([np.ones(40), rng.normal(size=(40, 2))])
    y = rng.poisson(np.exp(X @ [0.4, 0.3, -0.2])).astype(float)
    units = np.array([1.0, unit, 1 / unit])
    plain, scaled = quiet(y, X, family), quiet(y, X * units, family)
    assert scaled.converged and not scaled.fit.aliased.any()
    assert digits(scaled.params * units, plain.params) >= 9
    assert digits(scaled.bse * units, plain.bse) >= 9


@pytest.mark.parametrize("unit", [1e-200, 1e200])
def test_columns_whose_squares_overflow(unit: float) -> None:
    """Fitted or refused by name; neither called collinear nor an error out of the arithmetic."""
    rng = np.random.default_rng(3)
    X = np.column_stack([np.ones(40), unit * rng.normal(size=(40, 2))])
    try:
        results = quiet(np.arange(40.0), X)
    except jg.DataError as refusal:
        assert "x1" in str(refusal)
    else:
        assert results.converged and not results.fit.aliased.any()


@pytest.mark.parametrize("origin", [1e3, 1e6, 1e8])
def test_a_column_far_from_zero(origin: float) -> None:
    """A year, or a time stamp: nearly collinear with the intercept."""
    x = np.arange(40.0)
    y = 3 + 0.25 * x + np.cos(7 * x)
    X = np.column_stack([np.ones(40), origin + x])
    results, (beta, se) = quiet(y, X), exact_least_squares(X, y)
    assert not results.fit.aliased.any()
    assert np.max(np.abs(results.params - beta) / se) <= 1e-6
    assert digits(results.params.iloc[1], beta[1]) >= 6


# Aliasing: the earlier column stays.


def columns(n: int = 48) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(11)
    a, b = rng.normal(size=(2, n))
    return {"1": np.ones(n), "a": a, "b": b, "0": np.zeros(n), "a+b": a + b, "2a": 2 * a,
            "first": (np.arange(n) % 2 == 0) * 1.0,
            "second": (np.arange(n) % 2 == 1) * 1.0}  # fmt: skip


ALIASED = {
    "duplicate": (["1", "a", "a", "b"], [2]),
    "multiple": (["1", "a", "2a", "b"], [2]),
    "multiple first": (["1", "2a", "b", "a"], [3]),
    "sum of others": (["1", "a", "b", "a+b"], [3]),
    "sum first": (["1", "a+b", "a", "b"], [3]),
    "zero": (["1", "a", "0", "b"], [2]),
    "zero first": (["0", "1", "a", "b"], [0]),
    "dummy trap": (["1", "first", "second", "a"], [2]),
    "dummy trap, intercept last": (["first", "second", "a", "1"], [3]),
    "three of them": (["1", "a", "a", "0", "first", "second"], [2, 3, 5]),
}
MODELS = {"gaussian": "gaussian", "poisson": "poisson"}


def response(n: int = 48) -> np.ndarray:
    return np.random.default_rng(12).poisson(2.0, size=n).astype(float)


@pytest.mark.parametrize("sparse", slow_among([False, True], [True]), ids=["dense", "sparse"])
@pytest.mark.parametrize("which", ALIASED)
def test_aliased_columns_are_nan_and_the_rest_is_the_smaller_model(
    which: str, sparse: bool
) -> None:
    names, aliased = ALIASED[which]
    X = np.column_stack([columns()[name] for name in names])
    y = response()
    given = scipy.sparse.csr_array(X) if sparse else X
    with pytest.warns(jg.RankWarning):
        results = jg.GLM(y, given, "poisson").fit()
    assert np.flatnonzero(results.fit.aliased).tolist() == aliased
    assert np.flatnonzero(np.isnan(results.params)).tolist() == aliased
    assert np.flatnonzero(np.isnan(results.bse)).tolist() == aliased
    smaller = jg.GLM(y, np.delete(X, aliased, axis=1), "poisson").fit()
    assert np.allclose(results.params.dropna(), smaller.params, rtol=1e-9, atol=1e-12)
    assert np.allclose(results.bse.dropna(), smaller.bse, rtol=1e-9)
    assert results.df_resid == smaller.df_resid == len(y) - X.shape[1] + len(aliased)
    assert results.deviance == pytest.approx(smaller.deviance, rel=1e-12)
    assert np.allclose(results.predict(given), smaller.fittedvalues, rtol=1e-9)


@pytest.mark.parametrize("method", ["irls", "newton", "lbfgs"])
def test_no_method_overlooks_an_aliased_column(method: str) -> None:
    """A gradient method reaches one of infinitely many optima as happily as the only one."""
    X = np.column_stack([columns()[name] for name in ("1", "a", "a", "b")])
    results = quiet(response(), X, "poisson", method=method)
    assert np.flatnonzero(results.fit.aliased).tolist() == [2]
    assert np.flatnonzero(np.isnan(results.params)).tolist() == [2]
    smaller = quiet(response(), np.delete(X, 2, axis=1), "poisson")
    assert np.allclose(results.bse.dropna(), smaller.bse, rtol=1e-7)
    assert results.df_resid == smaller.df_resid


def table(n: int = 48) -> pd.DataFrame:
    made = columns(n)
    group = np.array(["p", "q", "r", "s"])[np.arange(n) % 4]
    return pd.DataFrame(
        {
            "y": response(n),
            "a": made["a"],
            "b": made["b"],
            "g": group,
            "coarse": np.where(np.isin(group, ["p", "q"]), "low", "high"),
            "is_q": (group == "q") * 1.0,
            "again": made["a"] - 2 * made["b"] + 3,
        }
    )


FORMULAS = {
    "a factor, then the numbers that it holds": ("y ~ g + is_q + a", ["is_q"]),
    "a number, then the factor that holds it": ("y ~ is_q + g + a", None),
    "a coarser factor after a finer one": ("y ~ a + g + coarse + b", ["coarse[T.low]"]),
    "numbers in between factors": ("y ~ a + g + b + again + coarse", ["again", "coarse[T.low]"]),
}


@pytest.mark.parametrize("which", FORMULAS)
@pytest.mark.slow
def test_aliasing_follows_the_order_of_the_formula(which: str) -> None:
    """Inside the fit numbers come before factors; what is left out must not show that."""
    formula, expected = FORMULAS[which]
    with pytest.warns(jg.RankWarning):
        results = jg.glm(formula, table(), "poisson")
    aliased = results.params.index[np.isnan(results.params)].tolist()
    if expected is None:
        names = results.params.index.tolist()
        assert len(aliased) == 1 and aliased[0].startswith("g[")
        assert names.index(aliased[0]) > names.index("is_q")
    else:
        assert aliased == expected


@pytest.mark.slow
def test_a_coarse_factor_first_takes_a_column_from_the_finer_one() -> None:
    with pytest.warns(jg.RankWarning):
        results = jg.glm("y ~ coarse + a + g", table(), "poisson")
    plain = jg.glm("y ~ a + g", table(), "poisson")
    assert np.isnan(results.params).sum() == 1
    assert np.isnan(results.params["g[T.s]"])  # the last column that the others determine
    assert results.deviance == pytest.approx(plain.deviance, rel=1e-11)
    assert np.allclose(results.fittedvalues, plain.fittedvalues, rtol=1e-9)


def test_an_empty_cell_of_an_interaction() -> None:
    """No row has g = s together with low: that cell has no coefficient."""
    with pytest.warns(jg.RankWarning):
        results = jg.glm("y ~ g * coarse + a", table(), "poisson")
    plain = jg.glm("y ~ g + a", table(), "poisson")
    assert results.df_resid == plain.df_resid
    assert results.deviance == pytest.approx(plain.deviance, rel=1e-11)


def test_rank_raise_names_the_column() -> None:
    with pytest.raises(jg.DataError, match=r"'is_q' is a .*Leave it out, or .*rank='drop'") as info:
        jg.glm("y ~ g + is_q + a", table(), "poisson", rank="raise")
    assert "nan" not in str(info.value), "there is no coefficient to be one"


def test_rows_of_weight_zero_do_not_give_rank() -> None:
    """The columns differ only in a row that does not count."""
    X = np.column_stack([columns()[name] for name in ("1", "a", "a")])
    X[5, 2] += 1.0
    weight = np.ones(48)
    weight[5] = 0.0
    with pytest.warns(jg.RankWarning):
        results = jg.GLM(response(), X, "poisson", freq_weights=weight).fit()
    assert results.fit.aliased.tolist() == [False, False, True]


@pytest.mark.parametrize("tolerance", [1e-12, 1e-5])
def test_shares_of_independent_columns(tolerance: float) -> None:
    triangle = np.array([[2.0, 2.0, 0.0, 1.0], [0.0, 1e-8, 0.0, 0.0], [0.0, 0.0, 0.0, 1e100]])
    shares = span_of(triangle, tolerance).shares
    assert shares[0] == 1.0 and shares[2] == 0.0
    assert shares[3] == pytest.approx(1.0)
    assert shares[1] == (pytest.approx(5e-9) if tolerance < 1e-8 else 0.0)


def test_shares_of_many_problems_are_those_of_each() -> None:
    rng = np.random.default_rng(6)
    stack = rng.normal(size=(2, 3, 7, 4))
    stack[0, 0, :, 2] = stack[0, 0, :, 1] + stack[0, 0, :, 0]  # determined
    stack[0, 1, :, 1] = 0.0
    stack[0, 2] = 0.0
    stack[1, 0, :, 3] = stack[1, 0, :, 1] * (1 + 1e-7 * rng.normal(size=7))  # nearly
    stack[1, 1, 2:] = 0.0  # two rows
    stack[1, 2] *= [1e-150, 1.0, 1e150, 1.0]
    shares = span_of(stack, 1e-12).shares
    for place in np.ndindex(2, 3):
        assert np.allclose(shares[place], span_of(stack[place], 1e-12).shares, rtol=1e-12)
    assert (shares > 0).sum(axis=-1).tolist() == [[3, 3, 0], [4, 2, 4]]
    lengths = np.full((2, 3, 4), 2.0)
    given = span_of(stack[:1], 1e-12, lengths[:1]).shares
    alone = span_of(stack[0, 0], 1e-12, lengths[0, 0]).shares
    assert np.allclose(given[0, 0], alone, rtol=1e-12)
