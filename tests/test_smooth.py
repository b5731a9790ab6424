"""Curves s(x), random effects re(g) and smoothing penalties, with strengths given or estimated."""

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

import jaxglm as jg
from jaxglm._tuning import tuned
from tests.marks import slow_among
from tests.reference.cases import FOLDER, read_csv

BY_R = json.loads((Path(__file__).parent / "data/smooth/smooth.json").read_text())


def table(name: str) -> pd.DataFrame:
    return read_csv(FOLDER / "data" / f"{name}.csv")


def bacteria() -> pd.DataFrame:
    data = table("bacteria")
    return data.assign(late=(data["week"] > 2).astype(int))


CASES: dict[str, tuple[str, Callable[[], pd.DataFrame], Any]] = {
    "mcycle": ("accel ~ s(times, k=20)", lambda: table("mcycle"), "gaussian"),
    "boston": ("medv ~ s(lstat, k=12) + s(rm, k=10) + crim", lambda: table("boston"), "gaussian"),
    "pima": ("type ~ s(glu, k=10) + s(bmi, k=10) + age", lambda: table("pima_tr"), "binomial"),
    "doctorvisits": (
        "visits ~ s(income, k=8) + illness",
        lambda: table("doctorvisits"),
        "poisson",
    ),
    "trees": (
        "Volume ~ s(Height, k=6) + s(Girth, k=8)",
        lambda: table("trees"),
        jg.Gamma(link=jg.Log()),
    ),
    "bacteria": ("y ~ C(trt, Treatment('drug')) + late + (1 | ID)", bacteria, "binomial"),
}


@pytest.mark.parametrize("name", slow_among(CASES, ["boston", "doctorvisits", "pima"]))
def test_fits_of_mgcv(name: str) -> None:
    formula, data, family = CASES[name]
    expected = BY_R[name]
    fit = jg.glm(formula, data(), family)
    np.testing.assert_allclose(fit.fittedvalues[:10], expected["fitted_10"], rtol=2e-6)
    shown = fit.smooth_terms
    np.testing.assert_allclose(shown["edf"], np.atleast_1d(expected["edf"]), atol=2e-5)
    # A straight line is one at any strength that is large enough.
    told = shown["edf"] > 1.001
    by_r = np.atleast_1d(expected["lambda"])
    np.testing.assert_allclose(shown["lambda"][told], by_r[told], rtol=1e-4)
    assert fit.df_model + 1 == pytest.approx(expected["edf_total"], abs=3e-5)
    assert fit.deviance == pytest.approx(expected["deviance"], rel=1e-6)
    own = [j for j, name in enumerate(fit.names) if name.partition("(")[0] not in ("s", "re")]
    order = np.argsort(np.abs(fit.params.iloc[own]))
    by_r = np.atleast_1d(expected["coef"])
    np.testing.assert_allclose(
        fit.params.iloc[own].iloc[order], by_r[np.argsort(np.abs(by_r))], rtol=1e-5
    )


def test_an_approximation_of_the_likelihood_by_lme4_is_near() -> None:
    formula, data, family = CASES["bacteria"]
    fit, laplace = jg.glm(formula, data(), family), BY_R["bacteria"]["laplace"]
    # Penalised quasi-likelihood is biased downwards for single binary outcomes.
    assert 0.7 < fit.smooth_terms["std_dev"].iloc[0] / laplace["std_dev"] < 1.1
    assert fit.params["late"] == pytest.approx(laplace["coef"][-1], rel=0.2)


@pytest.mark.parametrize("name", ["petersen", "crossed"])
def test_linear_mixed_models_of_lme4(name: str) -> None:
    data = table("petersen")
    if name == "crossed":
        data = data[data["firm"] <= 60]
    fit = jg.glm(BY_R[name]["formula"], data)
    expected = BY_R[name]
    np.testing.assert_allclose(fit.params.iloc[:2], expected["coef"], rtol=1e-6)
    np.testing.assert_allclose(fit.bse.iloc[:2], expected["bse"], rtol=1e-5)
    np.testing.assert_allclose(fit.smooth_terms["std_dev"], expected["std_dev"], rtol=1e-5)
    assert np.sqrt(fit.scale) == pytest.approx(expected["sigma"], rel=1e-7)
    effects = [fit.params[f"re(firm)[{i}]"] for i in range(1, 11)]
    np.testing.assert_allclose(effects, expected["effects_10"], rtol=1e-5, atol=1e-8)


def test_credibility_of_a_balanced_table_is_in_closed_form() -> None:
    """Bühlmann's: Z = 1 - MSE / MSA, which REML gives where all groups are of one size."""
    rng = np.random.default_rng(3)
    groups, m = 12, 5
    g = np.repeat(np.arange(groups), m)
    y = 3 + rng.normal(size=groups)[g] + rng.normal(size=g.size)
    fit = jg.glm("y ~ (1 | g)", {"y": y, "g": g})
    means = y.reshape(groups, m).mean(axis=1)
    within = np.sum((y - means[g]) ** 2) / (groups * (m - 1))
    between = m * np.var(means, ddof=1)
    share = 1 - within / between
    effects = fit.params[[f"re(g)[{i}]" for i in range(groups)]]
    np.testing.assert_allclose(effects, share * (means - y.mean()), rtol=1e-9)
    assert fit.scale == pytest.approx(within, rel=1e-9)
    variance = fit.smooth_terms.loc["re(g)", "std_dev"] ** 2
    assert variance == pytest.approx((between - within) / m, rel=1e-8)


# ------------------------------------------------------------- the restricted likelihood itself

RNG = np.random.default_rng(7)
N = 150
DATA = pd.DataFrame(
    {"x": RNG.uniform(size=N), "z": RNG.normal(size=N), "g": RNG.integers(0, 12, N)}
)
DATA["w"] = RNG.integers(1, 4, N)
DATA["y"] = np.sin(6 * DATA.x) + RNG.normal(size=12)[DATA.g] / 2 + RNG.normal(size=N) / 2
DATA["n"] = RNG.poisson(np.exp(DATA.y - DATA.y.mean()))
BOTH = "y ~ z + s(x, k=8) + (1 | g)"


@functools.cache
def both() -> jg.Results:
    return jg.glm(BOTH, DATA)


def test_strengths_maximise_the_restricted_likelihood() -> None:
    """Of the marginal model, with dense n x n matrices: nothing in common with how it is found."""
    fit = both()
    X = fit.design_matrix().to_numpy()
    curve = dict(fit.model.terms)["s(x, k=8)"]
    steps = np.array(fit.model.spec.states["s(x, k=8)"]["free"])  # type: ignore[union-attr]
    sizes = np.sum(np.diff(steps, n=2, axis=0) ** 2, axis=0)
    wiggly = np.arange(curve.start, curve.stop)[sizes > 1e-12]
    levels = np.arange(*dict(fit.model.terms)["re(g)"].indices(X.shape[1]))
    fixed = np.delete(X, [*wiggly, *levels], axis=1)
    scaled = X[:, wiggly] / np.sqrt(sizes[sizes > 1e-12])

    def minus(logs: np.ndarray) -> float:
        V = np.eye(N) + np.exp(logs[0]) * scaled @ scaled.T
        V += np.exp(logs[1]) * X[:, levels] @ X[:, levels].T
        inner = fixed.T @ np.linalg.solve(V, fixed)
        b = np.linalg.solve(inner, fixed.T @ np.linalg.solve(V, DATA.y))
        r = DATA.y - fixed @ b
        df = N - fixed.shape[1]
        squares = r @ np.linalg.solve(V, r)
        logdet = np.linalg.slogdet(V)[1] + np.linalg.slogdet(inner)[1]
        return float(0.5 * (df * np.log(squares) + logdet))

    ours = -np.log(N * fit.smooth_terms["lambda"].to_numpy())
    best = minimize(minus, ours + 0.3, method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 0})
    np.testing.assert_allclose(ours, best.x, atol=2e-4)
    assert minus(ours) <= best.fun + 1e-10


def test_a_row_counted_three_times_is_three_rows() -> None:
    counted = jg.glm(BOTH, DATA, freq_weights="w")
    repeated = jg.glm(BOTH, DATA.loc[DATA.index.repeat(DATA["w"])])
    # The curves' columns have other averages, and the same span.
    np.testing.assert_allclose(counted.smooth_terms["edf"], repeated.smooth_terms["edf"], rtol=1e-6)
    np.testing.assert_allclose(counted.predict(DATA), repeated.predict(DATA), rtol=1e-6, atol=1e-8)


def test_an_eliminated_factor_gives_the_same() -> None:
    with tuned(most_columns=10):
        apart = jg.glm("n ~ z + (1 | g)", DATA, "poisson")
    whole = jg.glm("n ~ z + (1 | g)", DATA, "poisson")
    np.testing.assert_allclose(apart.params, whole.params, atol=1e-9)
    np.testing.assert_allclose(apart.bse, whole.bse, rtol=1e-8)
    np.testing.assert_allclose(apart.smooth_terms, whole.smooth_terms, rtol=1e-7)


def test_a_given_strength_is_that_of_the_estimate() -> None:
    fit = both()
    given = [jg.Smooth(lam, term) for term, lam in fit.smooth_terms["lambda"].items()]
    same = jg.glm(BOTH, DATA, penalty=given[0] + given[1])
    np.testing.assert_allclose(same.params, fit.params, atol=1e-9)
    np.testing.assert_allclose(same.bse, fit.bse, rtol=1e-8)
    assert same.df_model == pytest.approx(fit.df_model)


def test_one_strength_given_and_one_estimated() -> None:
    lam = both().smooth_terms.loc["s(x, k=8)", "lambda"]
    fit = jg.glm(BOTH, DATA, penalty=jg.Smooth(lam, "s(x, k=8)"))
    assert list(fit.smooth_terms.index) == ["re(g)"]
    np.testing.assert_allclose(fit.params, both().params, atol=1e-6)


def test_a_ridge_leaves_terms_with_a_penalty_of_their_own() -> None:
    ridge = jg.glm(BOTH, DATA, penalty=jg.Ridge(0.1))
    named = jg.glm(BOTH, DATA, penalty=jg.Ridge(0.1, penalty_factor={"s(x, k=8)": 0, "re(g)": 0}))
    np.testing.assert_allclose(ridge.params, named.params, atol=1e-10)
    assert abs(ridge.params["z"]) < abs(both().params["z"])


def test_where_nothing_varies_the_strength_is_at_its_end() -> None:
    fit = jg.glm("y ~ s(z, k=6)", DATA.assign(y=2 * DATA.z + np.tile([1.0, -1.0], N // 2)))
    assert fit.smooth_terms["edf"].iloc[0] == pytest.approx(1, abs=1e-4)
    assert "a curve is a straight line" in " ".join(fit.notes)
    line = jg.glm("y ~ z", DATA.assign(y=2 * DATA.z + np.tile([1.0, -1.0], N // 2)))
    np.testing.assert_allclose(fit.fittedvalues, line.fittedvalues, atol=1e-5)


def test_strengths_that_do_not_settle_are_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jaxglm.search._strengths._MOST_ROUNDS", 1)
    with pytest.warns(jg.ConvergenceWarning, match="did not settle"):
        fit = jg.glm("n ~ z + (1 | g)", DATA, "poisson")
    assert "did not settle" in " ".join(fit.notes)


def test_a_shape_is_estimated_beside_a_curve() -> None:
    counts = DATA.assign(n=RNG.poisson(np.exp(DATA.y) * RNG.gamma(1.0, 1.0, N)))
    fit = jg.glm("n ~ s(x, k=8)", counts, "negative_binomial")
    assert fit.converged
    given = jg.glm("n ~ s(x, k=8)", counts, jg.NegativeBinomial(alpha=fit.fit.alpha))
    np.testing.assert_allclose(given.params, fit.params, atol=1e-6)


# ------------------------------------------------------------------------------ given strengths


def test_levels_in_order_walk_at_random() -> None:
    week = DATA["g"]
    data = DATA.assign(week=pd.Categorical(week))
    steps = np.diff(np.eye(12), axis=0)
    direct = jg.glm("n ~ 0 + week", data, "poisson", penalty=jg.Quadratic(0.2 * steps.T @ steps))
    smooth = jg.glm("n ~ 0 + week", data, "poisson", penalty=jg.Smooth(0.2, "week"))
    np.testing.assert_allclose(smooth.params, direct.params, atol=1e-10)
    # Treatment and sum coding hold the same effects.
    for formula, term in (("n ~ week", "week"), ("n ~ C(week, Sum)", "C(week,Sum)")):
        coded = jg.glm(formula, data, "poisson", penalty=jg.Smooth(0.2, term))
        np.testing.assert_allclose(coded.fittedvalues, direct.fittedvalues, rtol=1e-8)


def test_differences_of_a_given_order_are_held() -> None:
    data = DATA.assign(week=pd.Categorical(DATA["g"]))
    line = jg.glm("y ~ g", DATA)
    held = jg.glm("y ~ week", data, penalty=jg.Smooth(1e5, "week", order=2))
    np.testing.assert_allclose(held.fittedvalues, line.fittedvalues, atol=1e-3)
    level = jg.glm("y ~ week", data, penalty=jg.Smooth(1e7, "week"))
    np.testing.assert_allclose(level.fittedvalues, DATA.y.mean(), atol=1e-4)


def test_a_smooth_beside_a_lasso() -> None:
    penalty = jg.Lasso(0.2, penalty_factor={"s(x, k=8)": 0, "re(g)": 0}) + jg.Smooth(0.01)
    fit = jg.glm(BOTH, DATA, penalty=penalty)
    assert fit.params["z"] == 0
    assert (fit.params.drop("z") != 0).all()


# ------------------------------------------------------------------------------ what is answered


def test_the_curve_goes_on_as_a_straight_line() -> None:
    fit = jg.glm("y ~ s(x, k=8)", DATA)
    beyond = fit.predict({"x": [1.5, 2.0, 2.5]}).to_numpy()
    assert beyond[2] - beyond[1] == pytest.approx(beyond[1] - beyond[0])


def test_levels_that_were_not_seen_have_no_effect() -> None:
    new = DATA.head(3).assign(g=99)
    with pytest.raises(jg.DataError, match="unseen='base' takes their effect as 0"):
        both().predict(new)
    effects = both().params[[name for name in both().names if name.startswith("re(")]]
    shifted = both().predict(DATA.head(3)) - both().predict(new, unseen="base")
    expected = [effects[f"re(g)[{g}]"] for g in DATA["g"].head(3)]
    np.testing.assert_allclose(shifted, expected, rtol=1e-9)


def test_a_partial_effect_is_that_of_no_level() -> None:
    pytest.importorskip("matplotlib").use("agg")
    for data in (DATA, DATA.assign(g="s" + DATA["g"].astype(str))):
        fit = jg.glm("n ~ s(x, k=8) + (1 | g)", data, "poisson")
        drawn = fit.plot.partial_effect("x").data
        new = pd.DataFrame(
            {"x": drawn["value"].astype(float), "g": "new" if data is not DATA else 99}
        )
        expected = fit.predict(new, unseen="base")
        np.testing.assert_allclose(drawn["mean"], expected, rtol=1e-9)
        one = fit.plot.partial_effect("x", at={"g": data["g"][0]}).data["mean"]
        assert not np.allclose(one, drawn["mean"])
        assert len(fit.plot.partial_effect("g").data) == 12


def test_the_summary_folds_curves_into_a_line(tmp_path: Path) -> None:
    text = str(both().summary())
    assert "s(x, k=8)[1]" not in text
    assert "edf" in text and "re(g)" in text
    assert list(both().smooth_terms.columns) == ["lambda", "edf", "columns", "std_dev"]
    assert both().smooth_terms["std_dev"].isna().tolist() == [True, False]
    both().save(tmp_path / "fit")
    loaded = jg.load(tmp_path / "fit")
    pd.testing.assert_frame_equal(loaded.smooth_terms, both().smooth_terms)
    np.testing.assert_array_equal(loaded.predict(DATA), both().predict(DATA))
    assert "No test of re(g), s(x, k=8)" in str(both().wald_test_terms())
    counts = jg.glm("n ~ z + s(x, k=8)", DATA, "poisson")
    assert list(counts.effects().index) == ["z"]


# ------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("y ~ s(x) * z", "s(x) has a penalty of its own and cannot be part of an interaction"),
        ("y ~ (1 | g):x", "re(g) has a penalty of its own"),
        ("y ~ I(s(x))", "s(...) is a term by itself"),
        ("y ~ log(re(g))", "re(...) is a term by itself"),
        ("y ~ s(x, k=3)", "k=3 is too small"),
        ("y ~ s(g, k=20)", "12 different values, and a curve of k=20 needs as many"),
        ("y ~ (x | g)", "a random effect is (1 | g), with no slope in it"),
        ("y ~ (1 | )", "a factor is missing behind '1 |'"),
        ("y ~ te(x, z)", "s(x, k=10)"),
    ],
)
def test_formulas_that_say_nothing(formula: str, words: str) -> None:
    with pytest.raises(jg.FormulaError) as refused:
        jg.glm(formula, DATA)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: jg.Smooth(-1), "lam must be a number of 0 or more"),
        (lambda: jg.Smooth("gcv"), "or 'reml', not 'gcv'"),  # type: ignore[arg-type]
        (lambda: jg.Smooth(1, order=0), "order must be a whole number"),
        (lambda: jg.Smooth(1, [3]), "names of terms"),  # type: ignore[list-item]
        (lambda: jg.glm("y ~ z", DATA, penalty=jg.Smooth(1)), r"no s\(...\) and no re"),
        (lambda: jg.glm("y ~ z", DATA, penalty=jg.Smooth(1, "z")), "neither a factor nor a curve"),
        (
            lambda: jg.glm("y ~ z", DATA, penalty=jg.Smooth(1, "q")),
            "no term 'q' to smooth",
        ),
        (
            lambda: jg.glm(BOTH, DATA, penalty=jg.Smooth(1) + jg.Smooth(2, "re(g)")),
            r"re\(g\) has two smoothing penalties",
        ),
        (
            lambda: jg.glm(BOTH, DATA, penalty=jg.Lasso(1)),
            "a lasso, or bounds, cannot stand beside",
        ),
        (lambda: jg.glm(BOTH, DATA, bias="firth"), "both shrink the estimates"),
        (lambda: jg.fit_groups(BOTH, DATA, "w"), r"fit_groups\(\) has no place for s\(x, k=8\)"),
        (lambda: jg.fit_path(BOTH, DATA), "a path of penalties has no place"),
        (lambda: jg.cross_validate(BOTH, DATA), "a path of penalties has no place"),
        (lambda: jg.fit_responses("~ s(x)", DATA, ["y", "n"]), r"fit_responses\(\) has no place"),
        (
            lambda: jg.fit_groups("y ~ C(g)", DATA, "w", penalty=jg.Smooth("reml", "C(g)")),
            "is estimated for one fit",
        ),
        (
            lambda: jg.fit_path(
                "y ~ z + C(g)", DATA, penalty=jg.Lasso(1) + jg.Smooth("reml", "C(g)")
            ),
            "is estimated for one fit",
        ),
        (lambda: jg.glm(BOTH, DATA, scale=1.0), "scale= cannot stand beside"),
        (lambda: jg.glm("y ~ (1 | one)", DATA.assign(one="a")), "has one level only"),
        (lambda: jg.glm("y ~ (1 | x)", DATA), "with a row for each"),
        (lambda: both().robust("HC1"), "as if they were known"),
        (lambda: both().robust(cluster="g", data=DATA), "as if they were known"),
        (lambda: jg.glm("y ~ z", DATA).smooth_terms, "no term whose penalty was estimated"),
        (lambda: both().bootstrap(n=3, seed=1), "would do so without its penalty"),
        (lambda: jg.glm("y ~ g", DATA, penalty=jg.Smooth(1, "g")), "neither a factor nor a curve"),
    ],
)
def test_what_cannot_be_smoothed(make: Callable[[], Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()
