"""Ridge, lasso and elastic net: the certified optima, and what must hold at any optimum."""

import functools
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pandas as pd
import pytest

import jaxglm as jg
from tests.marks import slow_among
from tests.reference.cases import FOLDER, read_csv

CASES = {
    path.stem: json.loads(path.read_text())
    for path in sorted((FOLDER / "penalised").glob("*.json"))
}


def model_of(case: dict[str, Any]) -> jg.GLM:
    design = read_csv(FOLDER / "penalised" / case["design"])
    given = {}
    if (design["__w__"] != 1).any():
        given["var_weights"] = design["__w__"].to_numpy(float)
    if (design["__offset__"] != 0).any():
        given["offset"] = design["__offset__"].to_numpy(float)
    X = design[case["R"]["names"]].to_numpy(float)
    return jg.GLM(design["__y__"].to_numpy(float), X, case["family"], **given)


@pytest.mark.parametrize("name", slow_among(CASES, list(CASES)[2:5]))
def test_certified_optima(name: str) -> None:
    case = CASES[name]
    model, factors = model_of(case), np.array(case["penalty_factor"], float)
    factors *= factors.size / factors.sum()  # as glmnet does
    for solution in case["certified"]:
        penalty = jg.ElasticNet(
            solution["lambda"],
            case["alpha"],
            standardize=case["standardize"],
            penalty_factor=factors,
        )
        fit = model.fit(penalty=penalty)
        assert fit.converged
        expected = np.array(solution["coefficients"])
        size = np.maximum(np.abs(expected), 1e-6)
        assert np.max(np.abs(fit.params - expected) / size) < 1e-8
        assert ((fit.params == 0) == (expected == 0)).all()


# ----------------------------------------------------------------- what holds at any optimum

RNG = np.random.default_rng(5)
N, P = 60, 8
X = jg.add_constant(RNG.normal(size=(N, P)))
ETA = X @ np.r_[0.3, 1.0, -0.7, np.zeros(P - 2)]
MEANS = np.exp(ETA)
RESPONSES = {
    "gaussian": ("gaussian", ETA + RNG.normal(size=N)),
    "binomial": ("binomial", RNG.binomial(1, 1 / (1 + np.exp(-ETA)))),
    "poisson": ("poisson", RNG.poisson(MEANS)),
    "gamma": (jg.Gamma(link=jg.Log()), RNG.gamma(2.0, MEANS / 2)),
    "negative binomial": (jg.NegativeBinomial(alpha=0.5), RNG.poisson(MEANS)),
    "tweedie": (jg.Tweedie(1.5), RNG.poisson(MEANS) * 1.5),
    "probit": (jg.Binomial(link=jg.Probit()), RNG.binomial(1, 1 / (1 + np.exp(-ETA)))),
}
WEIGHT, OFFSET = RNG.uniform(0.5, 2.0, N), 0.3 * RNG.normal(size=N)


@pytest.mark.parametrize("name", slow_among(RESPONSES, list(RESPONSES)[3:]))
@pytest.mark.parametrize("l1_ratio", [0.0, 0.6, 1.0])
def test_slopes_of_the_loss_are_those_of_the_penalty(name: str, l1_ratio: float) -> None:
    """The conditions of Karush, Kuhn and Tucker."""
    family, y = RESPONSES[name]
    lam = 0.15
    penalty = jg.ElasticNet(lam, l1_ratio, penalty_factor=[1.0] * (P - 1) + [0.0])
    model = jg.GLM(y, X, family, var_weights=WEIGHT, offset=OFFSET)
    fit = model.fit(penalty=penalty, tol=1e-11)
    assert fit.converged
    eta = np.asarray(X @ fit.params + OFFSET)
    with jax.enable_x64(True):
        score = np.asarray(fit.family.score(np.asarray(y, float), eta))
    slope = X.T @ (-WEIGHT * score) / WEIGHT.sum()
    b = fit.params.to_numpy()
    free = np.r_[True, np.zeros(P - 1, bool), True]
    np.testing.assert_allclose(slope[free], 0.0, atol=1e-8)
    bent = slope - lam * (1 - l1_ratio) * b
    kept = ~free & (b != 0)
    np.testing.assert_allclose(bent[kept], lam * l1_ratio * np.sign(b[kept]), atol=1e-8)
    assert (np.abs(bent[~free & (b == 0)]) <= lam * l1_ratio + 1e-8).all()
    if l1_ratio:
        assert (b == 0).any()
        assert fit.bse.isna().all()
        assert "no standard errors" in " ".join(fit.notes)
    else:
        assert (fit.bse > 0).all()
        assert fit.df_model < P


# ------------------------------------------------------------------------------------- paths

FRAME = pd.DataFrame(X[:, 1:], columns=[f"x{j}" for j in range(P)]).assign(
    y=RESPONSES["poisson"][1], g=np.arange(N) // 6, when=np.arange(N) % 12
)
FORMULA = "y ~ " + " + ".join(f"x{j}" for j in range(P))


@functools.cache
def path() -> jg.PathResults:
    return jg.fit_path(FORMULA, FRAME, "poisson", n_lambdas=25, tol=1e-10)


def test_a_path_begins_where_the_first_column_comes_in() -> None:
    params = path().params.drop(columns="Intercept")
    assert (params.iloc[0] == 0).all()
    assert (params.iloc[1] != 0).any()
    assert path().df.iloc[0] == 1
    assert (np.diff(path().lambdas) < 0).all()
    assert path().deviance_ratio.iloc[0] == pytest.approx(0.0, abs=1e-9)
    assert path().deviance_ratio.is_monotonic_increasing
    assert path().kkt_residual.max() < 1e-9


def test_a_point_of_a_path_is_the_fit_at_its_strength() -> None:
    for i in (3, 12):
        alone = jg.glm(FORMULA, FRAME, "poisson", penalty=jg.Lasso(path().lambdas[i]))
        np.testing.assert_allclose(path().params.iloc[i], alone.params, atol=1e-8)
        at = path().at(path().lambdas[i])
        np.testing.assert_allclose(at.params, alone.params, atol=1e-9)
        assert at.llf == pytest.approx(path().llf.iloc[i], rel=1e-9)
        assert at.df_model + 1 == path().df.iloc[i]


def test_criteria_count_what_is_not_zero() -> None:
    k = path().df
    np.testing.assert_allclose(path().aic, -2 * path().llf + 2 * k)
    np.testing.assert_allclose(path().bic, -2 * path().llf + np.log(N) * k)
    assert path().best("bic").params.equals(path().at(float(path().bic.idxmin())).params)
    np.testing.assert_allclose(path().ebic(0.0), path().bic)
    with pytest.raises(ValueError, match="by must be"):
        path().best("cp")  # type: ignore[arg-type]


def test_strengths_that_are_given_are_all_fitted() -> None:
    some = jg.fit_path(FORMULA, FRAME, "poisson", lambdas=[0.05, 0.5, 0.1])
    assert list(some.lambdas) == [0.5, 0.1, 0.05]
    assert len(some) == 3


def test_a_ridge_path_shrinks_all_and_leaves_out_none() -> None:
    ridge = jg.fit_path(FORMULA, FRAME, "poisson", l1_ratio=0.0, lambdas=[10.0, 0.1])
    sizes = ridge.params.drop(columns="Intercept").abs()
    assert (sizes > 0).all(axis=None)
    alone = jg.glm(FORMULA, FRAME, "poisson", penalty=jg.Ridge(0.1))
    np.testing.assert_allclose(ridge.params.loc[0.1], alone.params, atol=1e-7)


# ------------------------------------------------------------------------- cross-validation


def test_rows_held_out_are_predicted_by_fits_without_them() -> None:
    numbers = np.arange(N) % 3
    cv = jg.cross_validate(FORMULA, FRAME, "poisson", folds=numbers, lambdas=[0.3, 0.1], tol=1e-8)
    for number in range(3):
        rest, held = FRAME[numbers != number], FRAME[numbers == number]
        fit = jg.glm(FORMULA, rest, "poisson", penalty=jg.Lasso(0.1))
        mean = fit.predict(held)
        np.testing.assert_allclose(cv.predictions[0.1][numbers == number], mean, rtol=1e-6)
        loss = np.mean(np.asarray(fit.family.unit_deviance(held.y.to_numpy(), mean.to_numpy())))
        assert cv.folds.loc[0.1, number] == pytest.approx(loss, rel=1e-6)
    assert cv.mean[0.1] == pytest.approx(cv.folds.loc[0.1].mean())
    assert cv.se[0.1] == pytest.approx(cv.folds.loc[0.1].std(ddof=1) / np.sqrt(3))
    assert cv.lambda_min in cv.lambdas and cv.lambda_1se >= cv.lambda_min


def test_an_exposure_is_one_of_the_rows_held_out_too() -> None:
    table = FRAME.assign(exposed=np.linspace(0.5, 2.0, len(FRAME)))
    numbers = np.arange(len(FRAME)) % 4
    given = {"lambdas": [0.3], "exposure": "exposed"}
    cv = jg.cross_validate(FORMULA, table, "poisson", folds=numbers, **given)
    out = numbers == 1
    seen = jg.fit_path(FORMULA, table[~out], "poisson", **given).at(0.3)
    means = seen.predict(table[out], exposure=table["exposed"][out])
    assert np.allclose(np.asarray(cv.predictions)[out, 0], means, rtol=1e-6)


def test_groups_stay_together_and_time_goes_forward() -> None:
    given = {"lambdas": [0.2], "tol": 1e-8}
    grouped = jg.cross_validate(FORMULA, FRAME, "poisson", folds=5, by="g", **given)
    assert grouped.fold_weights.sum() == N
    forward = jg.cross_validate(FORMULA, FRAME, "poisson", folds=3, time="when", **given)
    seen = forward.predictions[0.2].notna()
    assert set(FRAME["when"][~seen]) == {0, 1, 2}
    fit = jg.glm(FORMULA, FRAME[FRAME.when < 9], "poisson", penalty=jg.Lasso(0.2))
    late = FRAME.when >= 9
    np.testing.assert_allclose(forward.predictions[0.2][late], fit.predict(FRAME[late]), rtol=1e-6)


def test_area_and_absolute_error() -> None:
    binary = FRAME.assign(y=RESPONSES["binomial"][1])
    area = jg.cross_validate(FORMULA, binary, "binomial", folds=4, measure="auc", n_lambdas=5)
    assert ((area.folds >= 0) & (area.folds <= 1)).all(axis=None)
    error = jg.cross_validate(FORMULA, FRAME, "poisson", folds=4, measure="mae", n_lambdas=5)
    assert (error.mean > 0).all()
    with pytest.raises(ValueError, match="outcomes of 0 and 1"):
        jg.cross_validate(FORMULA, FRAME, "poisson", measure="auc")


# ------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: jg.Ridge(-1), "Ridge: lam must be a number of 0 or more, not -1"),
        (lambda: jg.Lasso("big"), "Lasso: lam must be a number"),
        (lambda: jg.ElasticNet(1, 1.5), "l1_ratio must be a number from 0"),
        (lambda: jg.Ridge(np.inf), "not inf"),
        (lambda: jg.Ridge(True), "not True"),
        (lambda: jg.Lasso(1, standardize="yes"), "standardize must be True or False"),
        (lambda: jg.fit_path(FORMULA, FRAME, "poisson", n_lambdas=1), "2 or more"),
        (lambda: jg.fit_path(FORMULA, FRAME, "poisson", lambdas=[-1]), "0 or more"),
        (lambda: jg.fit_path(FORMULA, FRAME, "poisson", lambda_min_ratio=2), "between 0 and 1"),
        (lambda: jg.fit_path(FORMULA, FRAME, "negative_binomial"), "whose alpha is given"),
        (lambda: jg.cross_validate(FORMULA, FRAME, "poisson", folds=1), "2 or more"),
        (lambda: jg.glm("y ~ x0", FRAME, bias="firth", penalty=jg.Ridge(1)), "leave out one"),
        (
            lambda: jg.glm("y ~ x0", FRAME, method="lbfgs", penalty=jg.Lasso(1)),
            "method of their own",
        ),
    ],
)
def test_what_cannot_be_asked(make: Callable[[], Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.parametrize(
    ("penalty", "words"),
    [
        (jg.Ridge(1, penalty_factor={"nothing": 0}), "no column or term 'nothing'"),
        (jg.Ridge(1, penalty_factor=[1, 2, 3]), "a number for each of 9 columns"),
        (jg.Lasso(1, penalty_factor={"x1": -1}), r"penalty_factor\['x1'\] must be a number of 0"),
    ],
)
def test_factors_that_fit_no_column(penalty: Any, words: str) -> None:
    with pytest.raises(jg.DataError, match=words):
        jg.glm(FORMULA, FRAME, "poisson", penalty=penalty)


def test_what_is_no_penalty() -> None:
    with pytest.raises(TypeError, match=r"penalty must be one of jg.Ridge\(lam\)"):
        jg.glm(FORMULA, FRAME, "poisson", penalty=0.1)


ASKED: dict[str, Callable[[jg.Results], Any]] = {
    "bootstrap": lambda m: m.bootstrap(n=5, seed=1),
    "drop1": lambda m: m.drop1(),
    "anova": lambda m: jg.anova(m),
    "profile": lambda m: m.profile("x0"),
    "profile intervals": lambda m: m.conf_int(method="profile"),
    "score test": lambda m: m.score_test(FRAME["when"]),
    "constraints": lambda m: m.fit_constrained("x0 = 0"),
    "leave one out": lambda m: m.leave_one_out([0]),
    "jackknife": lambda m: m.infinitesimal_jackknife(),
    "vif": lambda m: m.vif(),
    "observed": lambda m: m.robust(information="observed"),
}


@pytest.mark.parametrize("what", ASKED)
def test_what_does_not_hold_under_a_penalty_is_refused(what: str) -> None:
    with pytest.raises(jg.DataError, match=r"Ridge\(0.1\)"):
        ASKED[what](ridged())


@pytest.mark.parametrize("family", ["poisson", "binomial", "gaussian"])
def test_there_is_no_path_where_nothing_varies(family: str) -> None:
    for y in (0, 1):
        with pytest.raises(jg.DataError, match="nothing of the response to explain"):
            jg.fit_path(FORMULA, FRAME.assign(y=y), family)


def test_what_needs_errors_says_that_a_lasso_has_none() -> None:
    fit = jg.glm(FORMULA, FRAME, "poisson", penalty=jg.Lasso(0.1))
    none = "under its penalty the fit has no standard errors"
    assert none in str(fit.wald_test("x0 = 0"))
    assert none in str(fit.t_test("x0 = 0"))
    for ask in (fit.robust, lambda: fit.get_influence().hat_matrix_diag):
        with pytest.raises(jg.DataError, match=none):
            ask()
    with pytest.warns(jg.DataWarning, match=none):
        frame = fit.get_prediction(FRAME[:2]).summary_frame()
    assert frame["mean"].notna().all()
    assert frame["mean_se"].isna().all()


def test_plots_that_need_no_leverage_are_drawn() -> None:
    pytest.importorskip("matplotlib").use("agg")
    fit = jg.glm(FORMULA, FRAME, "poisson", penalty=jg.Lasso(0.1))
    assert list(fit.plot()) == ["residuals", "qq"]


def test_a_lasso_fitted_again_is_the_fit_of_what_it_kept() -> None:
    lasso = jg.glm(FORMULA, FRAME, "poisson", penalty=jg.Lasso(0.1))
    kept = [name for name in lasso.names if name != "Intercept" and lasso.params[name] != 0]
    again, alone = lasso.refit(), jg.glm("y ~ " + " + ".join(kept), FRAME, "poisson")
    np.testing.assert_allclose(again.params[["Intercept", *kept]], alone.params, atol=1e-8)
    np.testing.assert_allclose(again.bse[["Intercept", *kept]], alone.bse, rtol=1e-7)
    assert (again.params.drop(["Intercept", *kept]) == 0).all()
    assert again.aic == pytest.approx(alone.aic)
    assert "are too small" in " ".join(again.notes)
    np.testing.assert_allclose(again.predict(FRAME[:3]), alone.predict(FRAME[:3]))
    for nothing in (again, ridged()):
        with pytest.raises(jg.DataError, match="left out none"):
            nothing.refit()


def test_a_path_is_pickled_without_its_rows() -> None:
    again = pickle.loads(pickle.dumps(path()))
    pd.testing.assert_frame_equal(again.params, path().params)
    with pytest.raises(jg.DataError, match="leaves them behind"):
        again.best("bic")


@functools.cache
def ridged() -> jg.Results:
    return jg.glm(FORMULA, FRAME, "poisson", penalty=jg.Ridge(0.1))


def test_a_penalty_is_told_of_and_kept(tmp_path: Path) -> None:
    assert "Ridge(0.1)" in str(ridged().summary())
    assert "Bayesian" in " ".join(ridged().notes)
    ridged().save(tmp_path / "fit")
    assert jg.load(tmp_path / "fit").model.penalty == "Ridge(0.1)"
    lasso = jg.glm(FORMULA, FRAME, "poisson", penalty=jg.Lasso(0.1))
    lasso.save(tmp_path / "lasso")
    loaded = jg.load(tmp_path / "lasso")
    pd.testing.assert_series_equal(loaded.params, lasso.params)
    with pytest.raises(jg.DataError, match="no covariance to begin with"):
        lasso.robust("HC1")


def test_more_columns_than_rows_and_identical_ones() -> None:
    wide = jg.add_constant(np.random.default_rng(1).normal(size=(30, 80)))
    wide = np.column_stack([wide, wide[:, 1], np.zeros(30)])
    y = 2 * wide[:, 1] - wide[:, 2] + np.random.default_rng(2).normal(size=30)
    fit = jg.GLM(y, wide).fit(penalty=jg.Lasso(0.1))
    assert fit.converged
    b, slope = fit.params.to_numpy(), wide.T @ (y - wide @ fit.params) / 30
    kept = b != 0
    assert 2 < kept.sum() < 30
    kept[0] = False
    assert abs(slope[0]) < 1e-12
    np.testing.assert_allclose(slope[kept], 0.1 * np.sign(b[kept]), atol=1e-10)
    assert (np.abs(slope[1:]) <= 0.1 + 1e-10).all()
    assert b[-1] == 0
    along = jg.GLM(y, wide).fit_path(n_lambdas=30)
    assert along.lambdas[-1] == pytest.approx(0.01 * along.lambdas[0])
    assert along.kkt_residual.max() < 1e-6


@pytest.mark.parametrize("shift", [1e3, -3e3])
@pytest.mark.parametrize("penalty", [jg.Lasso(0.1), jg.Ridge(0.1, standardize=True)], ids=repr)
def test_where_zero_is_on_a_column_does_not_matter(penalty: Any, shift: float) -> None:
    here, there = (
        jg.glm("y ~ x0 + x1", FRAME.assign(x0=FRAME.x0 + s), "poisson", penalty=penalty)
        for s in (0.0, shift)
    )
    assert here.converged and there.converged
    np.testing.assert_allclose(there.params.iloc[1:], here.params.iloc[1:], rtol=1e-7)
    np.testing.assert_allclose(there.fittedvalues, here.fittedvalues, rtol=1e-7)


@pytest.mark.parametrize("penalty", [jg.Lasso(0.1), jg.Ridge(0.1, standardize=True)], ids=repr)
def test_a_column_too_far_from_zero_is_refused(penalty: Any) -> None:
    with pytest.raises(jg.DataError, match=r"'x0' is so far from zero.*subtract its mean"):
        jg.glm("y ~ x0", FRAME.assign(x0=FRAME.x0 + 1e7), "poisson", penalty=penalty)


def test_a_whole_ridge_path_goes_from_strong_to_weak() -> None:
    ridge = jg.fit_path(FORMULA, FRAME, "poisson", l1_ratio=0.0, n_lambdas=20)
    assert len(ridge) == 20
    assert 0 <= ridge.deviance_ratio.iloc[0] < 0.05
    assert ridge.deviance_ratio.iloc[-1] > 0.2
    cv = jg.cross_validate(FORMULA, FRAME, "poisson", l1_ratio=0.0, n_lambdas=5, folds=3)
    assert cv.folds.notna().all(axis=None)


def test_criteria_count_effective_parameters() -> None:
    k = ridged().df_model + 1
    assert k != round(k)
    assert ridged().aic == pytest.approx(-2 * ridged().llf + 2 * k)
    assert ridged().bic == pytest.approx(-2 * ridged().llf + np.log(N) * k)


def test_labels_say_which_column_is_meant() -> None:
    factors = pd.Series({f"x{j}": float(j) for j in reversed(range(P))})
    by_name = jg.glm(FORMULA, FRAME, "poisson", penalty=jg.Ridge(0.1, penalty_factor=factors))
    by_place = jg.Ridge(0.1, penalty_factor=np.arange(P))
    expected = jg.glm(FORMULA, FRAME, "poisson", penalty=by_place).params
    np.testing.assert_allclose(by_name.params, expected)
    center = pd.Series({"x1": 0.3, "Intercept": 0.0, "x0": 1.0})
    prior = jg.Quadratic(np.diag([2.0, 0.0, 1.0]), center)
    other = jg.Quadratic(np.diag([0.0, 1.0, 2.0]), [0.0, 1.0, 0.3])
    here, there = (jg.glm("y ~ x0 + x1", FRAME, "poisson", penalty=p) for p in (prior, other))
    np.testing.assert_allclose(here.params, there.params)
    with pytest.raises(jg.DataError, match="labelled x1, Intercept, x0"):
        jg.glm("y ~ x2 + x3", FRAME, "poisson", penalty=prior)
    with pytest.raises(ValueError, match="not a dict"):
        jg.Quadratic(np.eye(1), center={"x0": 1.0})


def test_a_fold_of_one_outcome_has_no_area() -> None:
    table = FRAME.assign(y=np.r_[np.ones(N // 2), RESPONSES["binomial"][1][N // 2 :]])
    halves = np.arange(N) >= N // 2
    with pytest.raises(jg.DataError, match="outcomes of one kind only"):
        jg.cross_validate(FORMULA, table, "binomial", folds=halves, measure="auc", n_lambdas=3)


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
def test_constant_and_equal_columns_under_every_penalty(l1_ratio: float, standardize: bool) -> None:
    table = FRAME.assign(one=1.0, zero=0.0, again=FRAME.x0)
    net = jg.ElasticNet(0.05, l1_ratio, standardize=standardize)
    plain = jg.glm("y ~ x0 + x1", table, "poisson", penalty=net)
    fit = jg.glm("y ~ x0 + x1 + one + zero", table, "poisson", penalty=net)
    np.testing.assert_allclose(fit.params[["one", "zero"]], 0.0, atol=1e-12)
    np.testing.assert_allclose(fit.params[plain.params.index], plain.params, atol=1e-8)
    twice = jg.glm("y ~ x0 + x1 + again", table, "poisson", penalty=net)
    if l1_ratio:
        assert twice.df_model == plain.df_model
        assert twice.params["again"] == 0
    else:
        assert twice.params["again"] == pytest.approx(twice.params["x0"])


def test_strengths_without_an_optimum_are_told_of() -> None:
    with pytest.warns(jg.ConvergenceWarning, match="strengths of the path the search ended"):
        short = jg.fit_path(FORMULA, FRAME, "poisson", n_lambdas=5, max_turns=1)
    assert not short.converged.all()
    assert path().converged.all()


def test_sum_adds_penalties_up() -> None:
    both = sum([jg.Ridge(0.1), jg.Lasso(0.01)])
    assert repr(both) == "Ridge(0.1) + Lasso(0.01)"
