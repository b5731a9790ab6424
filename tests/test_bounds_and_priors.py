"""Bounds on coefficients, and quadratic penalties with a matrix of one's own."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import isotonic_regression, lsq_linear

import jaxglm as jg
from jaxglm._tuning import tuned

RNG = np.random.default_rng(8)
N = 50
X = jg.add_constant(RNG.normal(size=(N, 4)))
Y = X @ np.array([0.5, 1.0, -1.0, 0.2, 0.0]) + RNG.normal(size=N)
COUNTS = RNG.poisson(np.exp(0.2 + 0.5 * X[:, 1] - 0.4 * X[:, 2]))
FRAME = pd.DataFrame(X[:, 1:], columns=list("abcd")).assign(y=Y, n=COUNTS)
FORMULA = "y ~ a + b + c + d"


# ------------------------------------------------------------------------------------- bounds


@pytest.mark.parametrize(
    ("lower", "upper"),
    [
        ([-np.inf, 0.0, 0.0, 0.0, 0.0], [np.inf] * 5),
        ([-np.inf, -0.3, -0.5, -0.1, -0.1], [np.inf, 0.6, 0.4, 0.1, 0.1]),
        ([0.7] * 5, [0.9] * 5),
    ],
)
def test_bounded_least_squares(lower: list[float], upper: list[float]) -> None:
    expected = lsq_linear(X, Y, (lower, upper), method="bvls", tol=1e-14).x
    fit = jg.GLM(Y, X).fit(penalty=jg.Bounds(lower, upper))
    assert fit.converged
    np.testing.assert_allclose(fit.params, expected, atol=1e-9)


def test_a_bound_that_is_not_reached_changes_nothing() -> None:
    free, bounded = (jg.glm(FORMULA, FRAME, penalty=p) for p in (None, jg.Bounds(-9, 9)))
    np.testing.assert_allclose(bounded.params, free.params, rtol=1e-9)
    np.testing.assert_allclose(bounded.bse, free.bse, rtol=1e-9)
    assert bounded.df_model == free.df_model
    assert "At a bound" not in " ".join(bounded.notes)


def test_coefficients_at_a_bound_are_known() -> None:
    fit = jg.glm("n ~ a + b + c", FRAME, "poisson", penalty=jg.Bounds(lower={"b": 0, "c": -5}))
    rest = jg.glm("n ~ a + c", FRAME, "poisson")
    assert fit.params["b"] == 0
    np.testing.assert_allclose(fit.params[rest.params.index], rest.params, atol=1e-8)
    np.testing.assert_allclose(fit.bse[rest.params.index], rest.bse, rtol=1e-7)
    assert fit.df_model == rest.df_model
    assert fit.deviance == pytest.approx(rest.deviance)
    assert "At a bound: 'b'" in " ".join(fit.notes)
    assert "Bounds(lower={'b': 0" in fit.model.penalty
    str(fit.summary())


def test_bounds_and_a_lasso_add_up() -> None:
    both = jg.Lasso(0.05) + jg.Bounds(lower=0)
    fit = jg.glm(FORMULA, FRAME, penalty=both)
    assert (fit.params[list("abcd")] >= 0).all()
    assert fit.params["b"] == 0
    only = jg.glm("y ~ a + c + d", FRAME, penalty=both)
    np.testing.assert_allclose(fit.params[only.params.index], only.params, atol=1e-8)


# ------------------------------------------------------------------------- quadratic penalties


def test_a_gaussian_fit_with_a_prior_is_the_closed_form() -> None:
    half = RNG.normal(size=(3, 5))
    P, center = half.T @ half, RNG.normal(size=5)
    fit = jg.GLM(Y, X).fit(penalty=jg.Quadratic(P, center))
    expected = np.linalg.solve(X.T @ X / N + P, X.T @ Y / N + P @ center)
    np.testing.assert_allclose(fit.params, expected, rtol=1e-10)
    hat = np.linalg.solve(X.T @ X / N + P, X.T @ X / N)
    assert fit.df_model == pytest.approx(np.trace(hat) - 1)
    inverse = np.linalg.inv(X.T @ X + N * P) * fit.scale
    np.testing.assert_allclose(fit.cov_params(), inverse, rtol=1e-8)


def test_penalties_about_different_centers_add_up() -> None:
    P, center = np.diag([2.0, 1.0, 3.0, 0.5]), np.array([1.0, -1.0, 0.0, 2.0])
    penalty = jg.Ridge(0.3) + jg.Quadratic(P, center)
    fit = jg.glm(FORMULA, FRAME, penalty=penalty)
    whole = np.diag(np.r_[0.0, np.diag(P)])
    ridge = 0.3 * np.diag([0.0, 1, 1, 1, 1])
    pull = whole @ np.r_[0.0, center]
    expected = np.linalg.solve(X.T @ X / N + whole + ridge, X.T @ Y / N + pull)
    np.testing.assert_allclose(fit.params, expected, rtol=1e-10)


def test_a_diagonal_prior_is_ridge() -> None:
    ridge = jg.glm("n ~ a + b + c + d", FRAME, "poisson", penalty=jg.Ridge(0.2))
    prior = jg.glm("n ~ a + b + c + d", FRAME, "poisson", penalty=jg.Quadratic(0.2 * np.eye(4)))
    np.testing.assert_allclose(prior.params, ridge.params, rtol=1e-10)
    np.testing.assert_allclose(prior.bse, ridge.bse, rtol=1e-10)


def test_a_prior_beside_a_lasso_keeps_its_center() -> None:
    prior = jg.Quadratic(5.0 * np.eye(4), np.array([2.0, 0.0, 0.0, 0.0]))
    plain = jg.glm(FORMULA, FRAME, penalty=prior)
    chosen = jg.glm(FORMULA, FRAME, penalty=prior + jg.Lasso(1e-12))
    np.testing.assert_allclose(chosen.params, plain.params, atol=1e-8)


def test_bounds_come_by_name_in_a_series() -> None:
    by_dict, by_series = (
        jg.glm(FORMULA, FRAME, penalty=jg.Bounds(upper=upper)).params
        for upper in ({"b": 0.1, "a": 0.2}, pd.Series({"a": 0.2, "b": 0.1}))
    )
    pd.testing.assert_series_equal(by_dict, by_series)


def test_what_is_said_of_a_column_counts_before_its_term() -> None:
    data = FRAME.assign(g=np.resize(["a", "b", "c"], N))
    for upper in ({"g": -0.1, "g[T.b]": -0.3}, {"g[T.b]": -0.3, "g": -0.1}):
        fit = jg.glm("y ~ a + b + g", data, penalty=jg.Bounds(upper=upper))
        assert fit.params["g[T.b]"] <= -0.3
        factor = {name: 5.0 if name == "g" else 0.0 for name in upper}
        free = jg.glm("y ~ a + b + g", data, penalty=jg.Lasso(1.0, penalty_factor=factor))
        assert free.params["g[T.c]"] == 0
        assert free.params["g[T.b]"] != 0


def test_columns_that_determine_each_other_within_bounds_have_no_errors() -> None:
    twice = FRAME.assign(e=2 * FRAME["a"])
    with pytest.warns(jg.RankWarning, match="one choice of many"):
        fit = jg.glm("n ~ a + b + e", twice, "poisson", penalty=jg.Bounds(-5, 5))
    plain = jg.glm("n ~ a + b", FRAME, "poisson")
    assert fit.bse.isna().all()
    np.testing.assert_allclose(fit.fittedvalues, plain.fittedvalues, rtol=1e-8)
    # At a bound one of them is known, and the other determined.
    held = jg.glm("n ~ a + b + e", twice, "poisson", penalty=jg.Bounds(upper={"e": -1}))
    assert held.params["e"] == -1
    assert held.bse.drop("e").notna().all()


def test_bounds_on_steps_are_isotonic_regression() -> None:
    level = RNG.integers(0, 7, 120)
    y = np.array([0.0, 0.3, 0.2, 0.1, 0.8, 0.7, 1.0])[level] + RNG.normal(size=120) / 4
    data = {"level": level, "y": y}
    rises = jg.Bounds(lower={"C(level, Diff)": 0})
    fit = jg.glm("y ~ C(level, Diff)", data, penalty=rises)
    means = pd.Series(y).groupby(level).agg(["mean", "size"])
    expected = isotonic_regression(means["mean"], weights=means["size"]).x
    np.testing.assert_allclose(fit.predict({"level": np.arange(7)}), expected, atol=1e-9)


def test_a_lasso_of_steps_is_the_fused_lasso() -> None:
    """Its optimum in the levels' own effects, where the absolute values are of differences."""
    level = np.repeat(np.arange(5), 6)
    y = np.array([0.0, 0.1, 1.0, 1.1, 1.0])[level] + RNG.normal(size=30) / 10
    fit = jg.glm("y ~ C(level, Diff)", {"level": level, "y": y}, penalty=jg.Lasso(0.03))
    effects = fit.predict({"level": np.arange(5)}).to_numpy()
    steps = np.diff(effects)
    slopes = np.array([np.sum(effects[g] - y[level == g]) for g in range(5)]) / 30
    # The dual of the differences: what they hold each other with, at its end where they differ.
    held = np.cumsum(slopes)[:-1]
    assert abs(slopes.sum()) < 1e-12
    assert (np.abs(held) <= 0.03 + 1e-9).all()
    moved = np.abs(steps) > 1e-12
    assert moved.any() and not moved.all()
    np.testing.assert_allclose(held[moved], 0.03 * np.sign(steps[moved]), atol=1e-9)


# ------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: jg.Bounds(), "give lower=, upper= or both"),
        (lambda: jg.Bounds(1, 0), "no value is between"),
        (lambda: jg.Bounds(lower="a"), "lower must be a number"),
        (lambda: jg.Bounds(lower={"a": "low"}), "lower must be a number"),
        (lambda: jg.Bounds(upper={"a": np.nan}), "must not be nan"),
        (lambda: jg.Bounds(upper=np.nan), "must not be nan"),
        (lambda: jg.Bounds(lower=np.inf), "or inf"),
        (lambda: jg.Quadratic([[1.0, 2.0]]), "square matrix"),
        (lambda: jg.Quadratic([[1.0, 2.0], [0.0, 1.0]]), "symmetric"),
        (lambda: jg.Quadratic([[-1.0]]), "negative eigenvalue"),
        (lambda: jg.Quadratic([[1.0]], [1.0, 2.0]), "center must hold 1 finite"),
    ],
)
def test_what_is_none(make: Callable[[], Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.parametrize(
    ("penalty", "words"),
    [
        (jg.Bounds(lower=1) + jg.Bounds(upper=0), "the lower bound of a, b, c, d is above"),
        (jg.Bounds(lower={"a": 1}) + jg.Bounds(upper={"a": 0}), "the lower bound of a is above"),
        (jg.Bounds(lower={"nothing": 1}), "no column or term 'nothing' to bound"),
        (jg.Bounds(upper=[1, 2]), "one for each is needed"),
        (jg.Quadratic(np.eye(3)), "P has 3 rows, and the model has 5 columns"),
    ],
)
def test_what_fits_no_column(penalty: Any, words: str) -> None:
    with pytest.raises(jg.DataError, match=words):
        jg.glm(FORMULA, FRAME, penalty=penalty)


# ------------------------------------------------------------------------------- many levels

M = 60
LEVELS = pd.DataFrame({"g": RNG.integers(0, M, 600), "x": RNG.normal(size=600)})
LEVELS["y"] = RNG.poisson(np.exp(0.3 * LEVELS.x + RNG.normal(size=M)[LEVELS.g] / 2))
DUMMIES = jg.add_constant(
    np.column_stack([LEVELS.x, *[LEVELS.g == g for g in range(1, M)]]).astype(float)
)


def test_ridge_of_an_eliminated_factor_is_that_of_its_columns() -> None:
    factors = [0.0, *[1.0] * (M - 1)]
    wide = jg.GLM(LEVELS.y, DUMMIES, "poisson").fit(penalty=jg.Ridge(0.01, penalty_factor=factors))
    penalty = jg.Ridge(0.01, penalty_factor={"x": 0})
    with tuned(most_columns=10):
        fit = jg.glm("y ~ x + C(g)", LEVELS, "poisson", penalty=penalty)
    np.testing.assert_allclose(fit.params, wide.params, atol=1e-9)
    np.testing.assert_allclose(fit.bse, wide.bse, rtol=1e-8)
    assert fit.df_model == pytest.approx(wide.df_model, rel=1e-9)


PARTS = {"most_whole": 10, "smallest_part": 8}


@pytest.mark.parametrize("penalty", [jg.Lasso(0.01), jg.ElasticNet(0.02, 0.5)])
def test_a_fit_in_parts_is_that_of_all_columns(penalty: jg.ElasticNet) -> None:
    whole = jg.glm("y ~ x + C(g)", LEVELS, "poisson", penalty=penalty)
    with tuned(**PARTS):
        parts = jg.glm("y ~ x + C(g)", LEVELS, "poisson", penalty=penalty)
    assert parts.converged
    np.testing.assert_allclose(parts.params, whole.params, atol=1e-8)
    assert ((parts.params == 0) == (whole.params == 0)).all()
    assert parts.df_model == pytest.approx(whole.df_model, rel=1e-6)


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_a_path_in_parts_is_that_of_all_columns(l1_ratio: float) -> None:
    wide = np.random.default_rng(2).normal(size=(40, 120))
    y = np.random.default_rng(3).poisson(np.exp(0.5 * wide[:, 0] - 0.5 * wide[:, 1]))
    given = {"l1_ratio": l1_ratio, "n_lambdas": 30, "tol": 1e-8}
    model = jg.GLM(y, jg.add_constant(wide), "poisson")
    whole = model.fit_path(**given)
    with tuned(**PARTS):
        parts = model.fit_path(**given)
        at = parts.at(float(parts.lambdas[10]))
    np.testing.assert_allclose(parts.lambdas, whole.lambdas, rtol=1e-9)
    np.testing.assert_allclose(parts.params, whole.params, atol=2e-6)
    assert parts.kkt_residual.max() < 1e-6
    np.testing.assert_allclose(at.params, whole.params.iloc[10], atol=2e-6)


def test_what_takes_too_many_columns_is_refused() -> None:
    small = PARTS | {"most_cells": 200}
    with tuned(**small), pytest.raises(jg.DataError, match="columns take part in the optimum"):
        jg.glm("y ~ x + C(g)", LEVELS, "poisson", penalty=jg.Lasso(0.001))
    groups = jg.GroupLasso(0.1)
    with tuned(**small), pytest.raises(jg.DataError, match="61 columns are more than the 14"):
        jg.glm("y ~ x + C(g)", LEVELS, "poisson", penalty=groups)


# ----------------------------------------------------------------------------------- segments


@pytest.mark.parametrize("weighted", [False, True])
def test_each_segment_has_the_penalty_of_a_fit_alone(weighted: bool) -> None:
    table = FRAME.assign(g=np.arange(N) // 10, w=RNG.uniform(0.5, 2.0, N))
    given = {"var_weights": "w"} if weighted else {}
    pooled = jg.glm("n ~ a + b", FRAME, "poisson")
    towards = jg.Quadratic(0.3 * np.eye(3), pooled.params)
    for penalty in (jg.Ridge(0.2), towards):
        fits = jg.fit_groups("n ~ a + b", table, "g", "poisson", penalty=penalty, **given)
        for g in range(5):
            one = jg.glm("n ~ a + b", table[table.g == g], "poisson", penalty=penalty, **given)
            np.testing.assert_allclose(fits.params.loc[g], one.params, atol=1e-8)
            np.testing.assert_allclose(fits.bse.loc[g], one.bse, rtol=1e-7)
            assert fits[g].df_model == pytest.approx(one.df_model)
    with pytest.raises(jg.DataError, match="covariance of their model only"):
        fits.robust("HC1")
    assert "Quadratic(3 x 3" in fits.model.penalty


@pytest.mark.parametrize(
    ("penalty", "words"),
    [
        (jg.Lasso(0.1), "quadratic penalty only"),
        (jg.Ridge(0.1, standardize=True), "standardize=True is for one fit"),
        (jg.Bounds(lower=0), "quadratic penalty only"),
    ],
)
def test_segments_take_quadratic_penalties(penalty: Any, words: str) -> None:
    table = FRAME.assign(g=np.arange(N) // 10)
    with pytest.raises(ValueError, match=words):
        jg.fit_groups("n ~ a", table, "g", "poisson", penalty=penalty)
