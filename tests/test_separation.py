"""Separation: found in every form, with the finite part right; not seen where there is none."""

import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

import jaxglm as jg
from jaxglm._status import Status
from jaxglm.search._recession import common_step
from tests.old_files import without_covariance

from .marks import slow_among

LINKS = {
    "logit": jg.Binomial(),
    "probit": jg.Binomial(link=jg.Probit()),
    "cloglog": jg.Binomial(link=jg.CLogLog()),
}
COUNTS = {"poisson": jg.Poisson(), "negative binomial": jg.NegativeBinomial(alpha=0.5)}


def quiet(y, X, family: Any, **settings: Any) -> jg.Results:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", jg.JaxglmWarning)
        return jg.GLM(y, X, family, **settings).fit()


def separated(results: jg.Results) -> list[int]:
    """Positions of infinite coefficients, of a result that also says so."""
    assert results.status is Status.SEPARATED and not results.converged
    assert any("Separation" in note for note in results.fit.notes)
    return np.flatnonzero(results.fit.infinite).tolist()


N = 40
_rng = np.random.default_rng(6)
X1, X2 = _rng.normal(size=(2, N))
ONES = np.ones(N)
GROUP = np.arange(N) % 4
NOISE = _rng.uniform(size=N)
COUNT = _rng.poisson(2.0, size=N).astype(float)
TIED = np.round(X1 * 3)


def complete() -> tuple[np.ndarray, np.ndarray, list[int]]:
    return (X1 > 0.1) * 1.0, np.column_stack([ONES, X1]), [0, 1]


def quasi_complete() -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Both outcomes occur at TIED = 1, which fixes the intercept plus the slope, not each."""
    y = np.where(TIED == 1, NOISE > 0.5, TIED > 1) * 1.0
    assert 0 < y[TIED == 1].mean() < 1
    return y, np.column_stack([ONES, TIED]), [0, 1]


def quasi_complete_at_zero() -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Both outcomes occur at TIED = 0: the intercept is their logit, the slope is infinite."""
    y = np.where(TIED == 0, np.arange(N) % 2, TIED > 0) * 1.0
    assert 0 < y[TIED == 0].mean() < 1
    return y, np.column_stack([ONES, TIED]), [1]


def combination() -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Neither column separates alone; their sum does."""
    y = (X1 + X2 > 0) * 1.0
    assert all(
        (x[y == 0].max() > x[y == 1].min()) and (x[y == 1].max() > x[y == 0].min())
        for x in (X1, X2)
    )
    return y, np.column_stack([ONES, X1, X2]), [0, 1, 2]


def level() -> tuple[np.ndarray, np.ndarray, list[int]]:
    """One group without a single failure."""
    y = np.where(GROUP == 2, 1.0, NOISE > 0.5)
    dummies = [(k == GROUP) * 1.0 for k in (1, 2, 3)]
    return y, np.column_stack([ONES, X1, *dummies]), [3]


def rare_row() -> tuple[np.ndarray, np.ndarray, list[int]]:
    """A column that is zero but in one row."""
    return (NOISE > 0.5) * 1.0, np.column_stack([ONES, X1, np.arange(N) == 7]), [2]


def constant_response() -> tuple[np.ndarray, np.ndarray, list[int]]:
    return ONES, ONES[:, None], [0]


BINARY: dict[str, Callable] = {
    "complete": complete,
    "quasi-complete": quasi_complete,
    "quasi-complete at zero": quasi_complete_at_zero,
    "by a combination": combination,
    "a group of one outcome": level,
    "a column of one row": rare_row,
    "one outcome only": constant_response,
}


PAIRS = [("logit", case) for case in BINARY] + [
    (link, case)
    for link in ("probit", "cloglog")
    for case in ("complete", "by a combination", "a group of one outcome")
]


@pytest.mark.parametrize(("link", "case"), slow_among(PAIRS, PAIRS[-6:-3]))
def test_binary_responses(link: str, case: str) -> None:
    y, X, infinite = BINARY[case]()
    assert separated(quiet(y, X, LINKS[link])) == infinite


@pytest.mark.parametrize("link", slow_among(LINKS, ["probit", "cloglog"]))
def test_the_finite_part_is_the_fit_without_the_separated_rows(link: str) -> None:
    y, X, _ = level()
    results = quiet(y, X, LINKS[link])
    rest = GROUP != 2
    plain = quiet(y[rest], np.delete(X, 3, axis=1)[rest], LINKS[link])
    assert plain.converged
    finite = [0, 1, 2, 4]
    assert np.allclose(results.params.iloc[finite], plain.params, rtol=1e-6, atol=1e-8)
    assert np.allclose(results.bse.iloc[finite], plain.bse, rtol=1e-4)
    assert results.params.iloc[3] > 3
    assert np.allclose(results.fittedvalues[GROUP == 2], 1.0, atol=1e-3)
    assert results.llf == pytest.approx(plain.llf, abs=1e-3)


def test_the_warning_names_the_column() -> None:
    table = pd.DataFrame({"y": level()[0], "x": X1, "g": np.array(list("abcd"))[GROUP]})
    with pytest.warns(jg.SeparationWarning, match=r"g\[T\.c\]"):
        jg.glm("y ~ x + g", table, "binomial")
    with pytest.raises(jg.FitError, match=r"g\[T\.c\]"):
        jg.glm("y ~ x + g", table, "binomial", on_failure="raise")


@pytest.mark.parametrize("family", COUNTS)
def test_a_group_of_zero_counts(family: str) -> None:
    y = np.where(GROUP == 2, 0.0, COUNT)
    X = np.column_stack([ONES, X1, *((k == GROUP) * 1.0 for k in (1, 2, 3))])
    results = quiet(y, X, COUNTS[family])
    assert separated(results) == [3]
    rest = GROUP != 2
    plain = quiet(y[rest], np.delete(X, 3, axis=1)[rest], COUNTS[family])
    assert np.allclose(results.params.iloc[[0, 1, 2, 4]], plain.params, rtol=1e-6, atol=1e-8)
    assert results.params.iloc[3] < -5


@pytest.mark.parametrize("family", COUNTS)
def test_counts_separated_by_a_combination(family: str) -> None:
    """Positive counts lie on a line through the origin, and all zeros on one side of it."""
    side = np.arange(N) % 2 == 0
    shift = np.where(side, np.abs(X2) + 0.1, 0.0)
    y = np.where(side, 0.0, COUNT + 1)
    X = np.column_stack([ONES, X1 + shift, X1])
    assert separated(quiet(y, X, COUNTS[family])) == [1, 2]


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("size", [10.0, 100.0])
def test_one_row_on_the_wrong_side_is_no_separation(link: str, size: float) -> None:
    """Steep, with fitted probabilities of almost 0 and 1, and yet an optimum."""
    x = size * np.linspace(-1, 1, N)
    y = (x > 0) * 1.0
    y[[N // 2 - 1, N // 2]] = [1.0, 0.0]
    results = jg.GLM(y, np.column_stack([ONES, x]), LINKS[link]).fit()
    assert results.converged and not results.fit.infinite.any()


@pytest.mark.parametrize("link", slow_among(LINKS, ["cloglog", "probit"]))
@pytest.mark.parametrize("overlap", [1e-4, 1e-5, 1e-6])
def test_outcomes_that_overlap_by_little_are_not_separated(link: str, overlap: float) -> None:
    """Small shares of the range of a column are seen."""
    x = np.sort(X1)
    y = (x > 0) * 1.0
    last = int((x <= 0).sum()) - 1
    x[last], x[last + 1] = overlap, 0.0
    X = np.column_stack([ONES, x])
    results = jg.GLM(y, X, LINKS[link]).fit()
    assert results.converged and not results.fit.infinite.any()
    if link == "logit":
        assert np.abs(X.T @ (y - results.fittedvalues.to_numpy())).max() < 1e-9
    groups = jg.GLM(y, X, LINKS[link]).fit_groups(np.zeros(N, int))
    assert groups.params.to_numpy()[0] == pytest.approx(results.params.to_numpy(), rel=1e-9)


def test_the_unit_of_time_does_not_separate() -> None:
    """Seconds of a day, the first event one second before the last of no event; by 50 digits."""
    rng = np.random.default_rng(5)
    x = np.sort(rng.choice(100_000, 1000, replace=False)).astype(float)
    y = (np.arange(1000) >= 500) * 1.0
    x[500] = x[499] - 1
    results = jg.glm("y ~ x", {"x": x, "y": y}, "binomial")
    assert results.converged
    assert results.params["x"] == pytest.approx(0.390494145139, rel=1e-9)
    assert results.bse["x"] == pytest.approx(0.844678553848, rel=1e-6)
    assert results.deviance == pytest.approx(3.57231287099, rel=1e-10)


def test_large_coefficients_are_no_separation() -> None:
    x = 1e-6 * X1
    y = (1 / (1 + np.exp(-2 * X1)) > NOISE) * 1.0
    results = jg.GLM(y, np.column_stack([ONES, x]), "binomial").fit()
    assert results.converged and abs(results.params.iloc[1]) > 1e5


def test_a_small_mean_is_no_separation() -> None:
    """Exposures of 1e-6 bring every mean close to zero; some counts are positive."""
    exposure = np.full(N, 1e-6)
    y = (np.arange(N) % 10 == 0) * 1.0
    results = jg.GLM(y, np.column_stack([ONES, X1]), "poisson", exposure=exposure).fit()
    assert results.converged and not results.fit.infinite.any()


DECREASING = {
    "gamma, inverse": jg.Gamma(),
    "inverse gaussian, inverse squared": jg.InverseGaussian(),
    "gamma, log": jg.Gamma(link=jg.Log()),
}


@pytest.mark.parametrize("family", DECREASING)
def test_a_group_of_tiny_means_is_no_separation(family: str) -> None:
    """Means of 1e-5 beside others of 1, also where a larger predictor means a smaller mean."""
    second = np.arange(N) % 2 == 1
    y = np.where(second, 1e-5, 1.0) * (0.5 + NOISE)
    results = jg.GLM(y, np.column_stack([ONES, second]), DECREASING[family]).fit()
    assert results.converged and not results.fit.infinite.any()
    assert np.allclose(results.fittedvalues[second], y[second].mean(), rtol=1e-6)


@pytest.mark.parametrize("weights", ["freq_weights", "var_weights"])
def test_a_row_of_weight_zero_does_not_object(weights: str) -> None:
    """Without the one row on the wrong side the data are separated; its weight is zero."""
    y, X, infinite = complete()
    y = y.copy()
    y[np.argmin(X1)] = 1.0
    weight = np.ones(N)
    assert quiet(y, X, "binomial", **{weights: weight}).converged
    weight[np.argmin(X1)] = 0.0
    assert separated(quiet(y, X, "binomial", **{weights: weight})) == infinite


def test_proportions() -> None:
    """A group of successes only, among others of both outcomes."""
    trials = np.full(8, 10.0)
    successes = np.array([3.0, 10, 4, 10, 5, 10, 6, 10])
    X = np.column_stack([np.ones(8), np.arange(8) % 2])
    results = quiet(successes, X, "binomial", trials=trials)
    assert separated(results) == [1]
    assert results.params.iloc[0] == pytest.approx(np.log(18 / 22), abs=1e-8)


@pytest.mark.parametrize("unit", [1e-8, 1e8])
def test_units_of_columns_change_nothing(unit: float) -> None:
    y, X, infinite = level()
    units = np.array([1.0, unit, 1.0, unit, 1.0])
    assert separated(quiet(y, X * units, "binomial")) == infinite


def test_aliased_and_separated_at_once() -> None:
    y, X, _ = level()
    both = np.column_stack([X[:, :2], X[:, 1], X[:, 2:]])
    results = quiet(y, both, "binomial")
    assert separated(results) == [4]
    assert np.flatnonzero(results.fit.aliased).tolist() == [2]


@pytest.mark.parametrize("method", ["newton", "lbfgs"])
def test_every_method_tells(method: str) -> None:
    y, X, infinite = level()
    with pytest.warns(jg.SeparationWarning):
        results = jg.GLM(y, X, "binomial").fit(method=method)
    assert separated(results) == infinite


@pytest.mark.slow
def test_many_rows_take_no_long_search() -> None:
    """50,000 rows, one of forty groups without a failure: two directions to search, not 50,000."""
    n = 50_000
    rng = np.random.default_rng(1)
    group = rng.integers(0, 40, size=n)
    x = rng.normal(size=n)
    y = np.where(group == 17, 1.0, rng.uniform(size=n) < 1 / (1 + np.exp(-x))).astype(float)
    table = {"y": y, "x": x, "g": group.astype(str)}
    with pytest.warns(jg.SeparationWarning):
        results = jg.glm("y ~ x + C(g)", table, "binomial")
    infinite = results.params.index[results.fit.infinite].tolist()
    assert infinite == ["C(g)[T.17]"]


# -- what is said of it ----------------------------------------------------------------------------

# Nobody of b has an event, everybody of c has one: their coefficients run to -inf and inf.
SIDES = pd.DataFrame(
    {"x": X1, "g": np.array(list("aaabc"))[np.arange(N) % 5], "e": NOISE, "s": np.arange(N) % 2}
).assign(y=lambda t: np.where(t.g == "b", 0, np.where(t.g == "c", 1, t.e > 0.5)).astype(int))
LIMITS = {"g[T.b]": -np.inf, "g[T.c]": np.inf}


def of_one() -> jg.Results:
    return jg.glm("y ~ x + g", SIDES, "binomial", on_failure="ignore")


def of_segments() -> jg.GroupResults:
    return jg.fit_groups("y ~ x + g", SIDES, "s", "binomial", on_failure="ignore")


def of_responses() -> jg.ResponseResults:
    table = SIDES.assign(z=1 - SIDES.y)
    return jg.fit_responses("~ x + g", table, ["y", "z"], "binomial", on_failure="ignore")


def assert_limits(params: Any, tables: list[Any], sign: int = 1) -> None:
    """Coefficients are their limits; whatever else is said of them is nan, and not of the rest."""
    for name, limit in LIMITS.items():
        assert params[name] == sign * limit
        assert all(np.isnan(table.loc[name]).all() for table in tables)
    rest = params.index.difference(list(LIMITS))
    assert np.isfinite(params[rest]).all()
    assert all(np.isfinite(table.loc[rest].to_numpy()).all() for table in tables)


def test_a_single_fit_says_inf_everywhere() -> None:
    fit = of_one()
    tidy = fit.tidy().set_index("term")
    errors = ["std_error", "statistic", "p_value", "conf_low", "conf_high"]
    spread = pd.DataFrame({"bse": fit.bse, "t": fit.tvalues, "p": fit.pvalues})
    assert_limits(fit.params, [spread, fit.conf_int(), tidy[errors]])
    assert_limits(tidy["estimate"], [])
    assert tidy.index[tidy["infinite"]].tolist() == list(LIMITS)
    assert fit.infinite[fit.infinite].index.tolist() == list(LIMITS)
    ratios = fit.odds_ratios()
    assert ratios["odds ratio"].loc[list(LIMITS)].tolist() == [0.0, np.inf]
    assert ratios.drop(columns="odds ratio").isna().all(axis=1).tolist() == [False, True, True]
    known = ~np.isnan(fit.cov_params().to_numpy())
    assert np.array_equal(known, ~(fit.infinite.to_numpy()[:, None] | fit.infinite.to_numpy()))
    assert fit.glance().loc[0, "status"] == "separated"
    for text in (str(fit.summary()), fit.summary().as_html(), fit.to_latex()):
        assert "-inf" in text and not re.search(r"e\+?\d\d", text)


@pytest.mark.parametrize(
    ("fits", "keys"), [(of_segments, {0: 1, 1: 1}), (of_responses, {"y": 1, "z": -1})]
)
@pytest.mark.slow
def test_many_fits_say_what_a_single_one_says(fits: Callable, keys: dict[Any, int]) -> None:
    many = fits()
    tidy = many.tidy()
    for key, sign in keys.items():
        one = many[key]
        tables = [getattr(many, name).loc[key].to_frame() for name in ("bse", "tvalues", "pvalues")]
        assert_limits(many.params.loc[key], [*tables, many.conf_int().loc[key]], sign)
        pd.testing.assert_series_equal(one.params, many.params.loc[key], check_names=False)
        rows = tidy[tidy.iloc[:, 0] == key].iloc[:, 1:].reset_index(drop=True)
        assert set(rows.pop("method")) == {one.method}
        pd.testing.assert_frame_equal(rows, one.tidy(), check_categorical=False, check_dtype=False)
        assert (
            many.infinite.loc[key].tolist() == one.infinite.tolist() == [False, False, True, True]
        )


def test_predictions_that_run_to_infinity_have_no_error_and_the_others_have_theirs() -> None:
    fit = of_one()
    rest = jg.glm("y ~ x", SIDES[SIDES.g == "a"], "binomial")
    for which, limits in (("mean", [0.0, 1.0]), ("linear", [-np.inf, np.inf])):
        with pytest.warns(jg.SeparationWarning, match="no standard error"):
            frame = fit.get_prediction(SIDES).summary_frame(which=which)
        for level, limit in zip("bc", limits, strict=True):
            own = frame[SIDES.g == level]
            assert (own[which] == limit).all() and own.drop(columns=which).isna().all(axis=None)
        pd.testing.assert_frame_equal(
            frame[SIDES.g == "a"], rest.get_prediction().summary_frame(which=which), rtol=1e-6
        )
        pd.testing.assert_series_equal(
            fit.predict(which=which), fit.predict(SIDES, which), check_names=False, atol=1e-12
        )
    assert np.isfinite(fit.resid()).all()


@pytest.mark.parametrize("fits", [of_segments, of_responses])
def test_many_predict_what_single_fits_predict(fits: Callable) -> None:
    many = fits()
    for which in ("mean", "linear"):
        found, again = many.predict(SIDES, which), many.predict(None, which)
        np.testing.assert_allclose(np.asarray(again), np.asarray(found), rtol=1e-12, atol=1e-12)
        for key in many:
            rows = SIDES.s == key if found.ndim == 1 else SIDES.s >= 0
            own = found[rows] if found.ndim == 1 else found[key]
            np.testing.assert_allclose(own, many[key].predict(SIDES[rows], which), rtol=1e-9)
            assert np.isinf(own).any() == (which == "linear")


def test_what_cancels_at_infinity_is_predicted_with_its_error() -> None:
    """Both outcomes occur at TIED = 1: intercept and slope are infinite there, not their sum."""
    y, X, _ = quasi_complete()
    fit = quiet(y, X, "binomial")
    assert fit.params.tolist() == [-np.inf, np.inf]
    with pytest.warns(jg.SeparationWarning, match="Rows 0, 2 .* no standard error"):
        frame = fit.get_prediction(np.array([[1.0, 0], [1, 1], [1, 2]])).summary_frame()
    share, n = y[TIED == 1].mean(), (TIED == 1).sum()
    np.testing.assert_allclose(frame["mean"], [0, share, 1], rtol=1e-8)
    np.testing.assert_allclose(frame["mean_se"][1], np.sqrt(share * (1 - share) / n), rtol=1e-6)
    assert frame["mean_se"].isna().tolist() == [True, False, True]


@pytest.mark.parametrize("old", [False, True], ids=["new file", "old file"])
@pytest.mark.parametrize("fits", [of_one, of_segments, of_responses])
def test_files_keep_the_limits(fits: Callable, old: bool, tmp_path: Path) -> None:
    before = fits()
    before.save(tmp_path / "fit")
    if old:
        without_covariance(tmp_path / "fit")
    after = jg.load(tmp_path / "fit")
    for name in ("params", "bse", "infinite"):
        found, wanted = (getattr(results, name) for results in (after, before))
        np.testing.assert_array_equal(np.asarray(found), np.asarray(wanted))
    for which in ("mean", "linear"):
        found, wanted = (np.asarray(part.predict(SIDES, which)) for part in (after, before))
        np.testing.assert_array_equal(found, wanted)


STEPS: dict[str, tuple[list[list[float]], bool]] = {
    "all rows at once": ([[1, 0], [2, 0], [1, 1]], True),
    "only together": ([[2, -1], [-1, 2], [1, 1]], True),
    "against each other": ([[1], [-1]], False),
    "against each other in every direction": ([[1, 0], [-1, 0], [0, 1], [0, -1]], False),
    "some stay": ([[0, 1], [0, -1], [3, 0], [0, 0]], True),
    "within a wedge": ([[1, 0], [-1, 1e-3], [0, 1]], True),
    "none moves": ([[0, 0], [0, 0]], False),
    "no row": ([], False),
    "size does not matter": ([[1e-9, 0], [2e-9, 1e-9]], True),
    "rounding is no movement": ([[1, 0], [-1, 0], [0, 1e-12]], False),
}


def assert_common_step(pulls: np.ndarray, parts: int, *, exists: bool, rounding: float) -> None:
    """Whether there is one, in rows that come in so many parts, some of them without a row."""
    cut = [*np.array_split(pulls, parts), pulls[:0]]
    step = common_step(lambda: iter(cut))
    assert (step is not None) == exists
    if step is not None:
        moved = pulls @ step
        assert (moved >= -rounding).all() and moved.max() == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("parts", [1, 3])
@pytest.mark.parametrize("case", STEPS)
def test_a_common_step_moves_rows_and_pulls_none_back(case: str, parts: int) -> None:
    rows, exists = STEPS[case]
    pulls = np.array(rows, float).reshape(len(rows), -1) if rows else np.zeros((0, 2))
    assert_common_step(pulls, parts, exists=exists, rounding=1e-9)


@pytest.mark.parametrize("parts", [1, 7])
@pytest.mark.parametrize("exists", [True, False])
def test_more_rows_than_the_programme_takes_at_a_time(exists: bool, parts: int) -> None:
    """All rows but one leave a single direction, which the last one may pull back.

    In other coordinates, so that the rows that the programme begins with say neither.
    """
    rng = np.random.default_rng(12)
    pulls = rng.normal(size=(6001, 3))
    pulls[:, 0] = np.maximum(rng.uniform(-0.1, 1.0, size=6001), 0.0)
    pulls[-1] = [1.0 if exists else -1.0, 0.0, 0.0]
    turn = np.array([[-2.0, 1.0, 2.0], [1.0, -2.0, 2.0], [2.0, 2.0, 1.0]]) / 3
    assert_common_step(pulls @ turn, parts, exists=exists, rounding=1e-6)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.slow
def test_every_row_that_some_step_moves_is_moved(seed: int) -> None:
    """By one programme for each row: how far it moves where no row moves by more than one."""
    rng = np.random.default_rng(seed)
    found = 0
    for _ in range(50):
        pulls = rng.integers(-2, 4, size=(6, 3)).astype(float)
        step = common_step(lambda pulls=pulls: iter([pulls]))
        moved = np.zeros(6) if step is None else pulls @ step
        rows, limits = np.vstack([-pulls, pulls]), np.repeat([0.0, 1.0], 6)
        most = [-linprog(-row, A_ub=rows, b_ub=limits, bounds=(None, None)).fun for row in pulls]
        assert np.array_equal(moved > 1e-6, np.array(most) > 1e-6)
        assert (moved >= -1e-8).all() and (step is None or moved.max() == pytest.approx(1.0))
        found += np.sum(moved > 1e-6) > 0
    assert found > 5
