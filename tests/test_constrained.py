"""Fits under linear constraints: by hand in R, by reparametrisation, and the reading of them."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import jaxglm as jg

from .reference.cases import load

pytestmark = pytest.mark.slow

R = json.loads((Path(__file__).parent / "data/comparisons/comparisons.json").read_text())
N = 60
RNG = np.random.default_rng(2)
TABLE = pd.DataFrame(RNG.normal(size=(N, 3)), columns=["x1", "x2", "x3"])
TABLE["g"] = list("abc") * 20
TABLE["y"] = RNG.poisson(np.exp(0.3 + 0.3 * TABLE["x1"] + 0.2 * TABLE["x2"]))


def poisson(formula: str, table: pd.DataFrame = TABLE, **given: object) -> jg.Results:
    return jg.glm(formula, table, "poisson", **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("case", "constraints"),
    [("held", "hp = -0.001, factor(cyl)[T.6] = factor(cyl)[T.8]"), ("alike", "wt = 100 * hp")],
)
def test_against_r_by_hand(case: str, constraints: str) -> None:
    cars, theirs = load("mtcars_gamma_log").frame, R["constrained"][case]
    fit = jg.glm("mpg ~ wt + hp + factor(cyl)", cars, jg.Gamma(link=jg.Log()))
    ours = fit.fit_constrained(constraints)
    np.testing.assert_allclose(ours.params, theirs["coef"], rtol=1e-8)
    np.testing.assert_allclose(ours.bse, theirs["se"], rtol=1e-7, atol=1e-15)
    assert ours.deviance == pytest.approx(theirs["deviance"], rel=1e-10)
    assert ours.llf == pytest.approx(theirs["logLik"], rel=1e-10)
    assert ours.df_resid == theirs["df_resid"]
    assert ours.aic == pytest.approx(-2 * ours.llf + 2 * (len(cars) - ours.df_resid + 1))
    assert f"Constrained: {constraints}" in str(ours.summary())


def test_it_is_the_model_of_other_columns() -> None:
    fit = poisson("y ~ x1 + x2 + x3 + g")
    ours = fit.fit_constrained("x1 = 2 * x2 + 0.1, x3 - g[T.b] = 0")
    table = TABLE.assign(u=2 * TABLE.x1 + TABLE.x2, v=TABLE.x3 + (TABLE.g == "b"))
    table["c"] = 1.0 * (table.g == "c")
    hand = poisson("y ~ u + v + c", table, offset=0.1 * TABLE.x1)
    np.testing.assert_allclose(ours.params[["x2", "x3", "g[T.c]"]], hand.params[1:], rtol=1e-8)
    np.testing.assert_allclose(ours.params["x1"], 2 * ours.params["x2"] + 0.1)
    np.testing.assert_allclose(ours.bse[["x2", "g[T.b]"]], hand.bse[["u", "v"]], rtol=1e-8)
    assert ours.bse["x1"] == pytest.approx(2 * ours.bse["x2"])
    for name in ("deviance", "llf", "aic", "df_model", "pearson_chi2"):
        assert getattr(ours, name) == pytest.approx(getattr(hand, name), rel=1e-9)
    np.testing.assert_allclose(ours.fittedvalues, hand.fittedvalues, rtol=1e-9)
    new = TABLE.head(4)
    assert ours.null_deviance == fit.null_deviance and ours.llnull == fit.llnull
    one, other = ours.get_prediction(new), hand.get_prediction(table.head(4), offset=0.1 * new.x1)
    np.testing.assert_allclose(one.summary_frame(), other.summary_frame(), rtol=1e-7)
    rows = np.zeros((2, 6))
    rows[0, [1, 2]], rows[1, [3, 4]] = [1, -2], [1, -1]
    by_matrix = fit.fit_constrained((rows, [0.1, 0]))
    np.testing.assert_allclose(by_matrix.params, ours.params, rtol=1e-10)
    assert by_matrix.model.constraints == "x1 - 2*x2 = 0.1, x3 - g[T.b] = 0"
    assert jg.anova(ours, fit).table["Df"].iloc[1] == 2


def test_statsmodels_says_the_same() -> None:
    import statsmodels.api as sm

    X = jg.add_constant(TABLE[["x1", "x2", "x3"]])
    theirs = sm.GLM(TABLE.y, X, sm.families.Poisson()).fit_constrained("x1 = x2, x3 = 0.5")
    ours = jg.GLM(TABLE.y, X, "poisson").fit_constrained("x1 = x2, x3 = 0.5")
    np.testing.assert_allclose(ours.params, theirs.params, rtol=1e-6)
    np.testing.assert_allclose(ours.bse, theirs.bse, rtol=1e-5, atol=1e-12)
    assert ours.df_resid == theirs.df_resid
    # A coefficient that was held has no test.
    assert ours.bse["x3"] == 0 and np.isnan(ours.tvalues["x3"]) and np.isnan(ours.pvalues["x3"])
    assert ours.conf_int().loc["x3"].to_list() == [0.5, 0.5]


def test_what_would_forget_the_constraints_is_refused() -> None:
    ours = poisson("y ~ x1 + x2").fit_constrained("x1 = x2")
    for call in (
        lambda: ours.drop1(),
        lambda: ours.step(),
        lambda: ours.bootstrap(seed=1),
        lambda: ours.conf_int(method="profile"),
        lambda: ours.fit_constrained("x1 = 0"),
        lambda: ours.score_test(TABLE.x3),
        lambda: jg.anova(ours),
    ):
        with pytest.raises(jg.DataError, match=r"without its constraints \(x1 = x2\)"):
            call()


def test_columns_that_were_left_out_stay_out() -> None:
    fit = poisson("y ~ x1 + I(2 * x1) + x2", on_failure="ignore")
    held = fit.fit_constrained("x1 = 0.2")
    alone = poisson("y ~ x2", offset=0.2 * TABLE.x1)
    assert held.deviance == pytest.approx(alone.deviance, rel=1e-9)
    assert held.params.isna().to_list() == [False, False, True, False]
    assert jg.anova(held, fit).table["Df"].to_list()[1] == 1
    assert held.predict(TABLE.head(2)).notna().all()
    with pytest.raises(jg.DataError, match=r"'I\(2 \* x1\) = 0.2' is no constraint.*left columns"):
        fit.fit_constrained("I(2 * x1) = 0.2")


@pytest.mark.slow
def test_aliased_and_infinite_coefficients() -> None:
    with pytest.warns(jg.RankWarning):
        fit = poisson("y ~ x1 + x2 + again", TABLE.assign(again=TABLE.x1 + TABLE.x2))
    ours = fit.fit_constrained("again + x1 = 0.1")  # 0.1 of x1 - x2, however it is written
    assert ours.params.isna().to_list() == [False, False, False, True]
    hand = poisson("y ~ x2", TABLE, offset=0.1 * TABLE.x1)
    np.testing.assert_allclose(ours.deviance, hand.deviance, rtol=1e-9)
    with pytest.warns(jg.RankWarning):
        left = poisson("y ~ x1 + x2 + again", TABLE.assign(again=TABLE.x1)).fit_constrained(
            "x2 = 0.1"
        )
    assert left.params.isna().to_list() == [False, False, False, True]
    broken = pd.DataFrame({"x1": [1.0, 1.0], "x2": [0.0, 0.0], "again": [1.0, 3.0]})
    with pytest.warns(jg.RankWarning, match="No prediction for 1 row"):
        assert left.predict(broken).isna().to_list() == [False, True]
    apart = {"y": [0, 1, 0, 1, 1, 1, 1, 1], "g": list("aaaabbbb"), "x": [1, 2, 3, 4, 1, 2, 3, 5]}
    free = jg.glm("y ~ g + x", apart, "binomial", on_failure="ignore")
    with pytest.warns(jg.SeparationWarning):
        held = free.fit_constrained("x = 0.5")
    assert held.params["g[T.b]"] == np.inf and np.isnan(held.bse["g[T.b]"])
    assert held.params["x"] == 0.5
    tied = free.fit_constrained("g[T.b] = 2 * x")
    assert np.isfinite(tied.params).all()


@pytest.mark.slow
def test_a_shape_is_estimated_again() -> None:
    quine = load("quine_nb_ml_main").frame
    fit = jg.glm("Days ~ Eth + Sex + Lrn", quine, "negative_binomial")
    ours = fit.fit_constrained("Sex[T.M] = 0")
    hand = jg.glm("Days ~ Eth + Lrn", quine, "negative_binomial")
    assert ours.fit.alpha == pytest.approx(hand.fit.alpha, rel=1e-7) != fit.fit.alpha
    assert jg.anova(ours, fit).table["LR"].iloc[1] == pytest.approx(2 * (fit.llf - hand.llf))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x1 = q", "q"),
        ("x1 + = 2", "x1"),
        ("x1 = 1, x1 = 2", "contradict"),
        ("x1 = 1, x2 = 1, Intercept = 1", "holds every coefficient"),
    ],
)
def test_equations_that_cannot_be(text: str, words: str) -> None:
    fit = poisson("y ~ x1 + x2")
    with pytest.raises(ValueError, match=words):
        fit.fit_constrained(text)


def test_they_are_read_as_hypotheses_are() -> None:
    fit = poisson("y ~ x1 + x2")
    wanted = fit.fit_constrained("x1 = x2").params
    for given in ("x1 = x2, 2 * x1 - 2 * x2 = 0", ["x1 = x2"], ({"x1": 1, "x2": -1}, 0)):
        pd.testing.assert_series_equal(fit.fit_constrained(given).params, wanted)
    for bad in (3, (np.ones((1, 2)), [1.0]), (np.full((1, 3), np.nan), [0.0])):
        with pytest.raises(ValueError, match=r"matrix|column|finite|number"):
            fit.fit_constrained(bad)
    # A value to hold it at, or a coefficient of a combination?
    for named in ({"x1": 0.3}, pd.Series({"x1": 0.3})):
        with pytest.raises(jg.DataError, match=r"'x1 = 0\.3'.*\(\{'x1': .*\}, 0\)"):
            fit.fit_constrained(named)


def test_what_is_held_has_no_test_and_the_rest_has() -> None:
    ours = poisson("y ~ x1 + x2 + g").fit_constrained("x1 = 0.3, g[T.b] = g[T.c]")
    for hypothesis in ("x1 = 0.3", "x1 = 0", "g[T.b] - g[T.c] = 0", "x1 = 0, x2 = 0"):
        test = ours.wald_test(hypothesis)
        assert np.isnan(test.pvalue) and "constraints of the fit hold it" in " ".join(test.notes)
    both = ours.wald_test("g[T.b] = 0, g[T.c] = 0")
    assert "constraints of the fit, by which some follow" in both.notes[0]
    single = ours.t_test("x1 = 0.3, x2 = 0")
    assert single.sd[0] == 0 and np.isnan(single.pvalue[0]) and single.pvalue[1] < 1
    assert ours.wald_test("x2 = 0").statistic == pytest.approx(ours.tvalues["x2"] ** 2)
    with pytest.warns(jg.DataWarning, match="constraints of the fit hold it"):
        row = ours.lincom("2 * x1").iloc[0]
    assert (row["estimate"], row["conf_low"]) == (0.6, 0.6)
    terms = jg.anova(ours, type=3, test="Wald")
    assert terms.table["Chisq"].isna().to_list() == [False, True, False, True]
    assert any("has no test here" in note for note in terms.notes)


def test_nesting_under_constraints_is_told() -> None:
    free = poisson("y ~ x1 + x2 + x3")
    one, two = free.fit_constrained("x1 = x2"), free.fit_constrained("x1 = x2, x3 = 0.1")
    assert not any("nested" in note for note in jg.anova(two, one).notes)
    other = free.fit_constrained("x3 = 0.2")
    with pytest.warns(jg.DataWarning, match=r"is not held to x3 = 0\.2"):
        jg.anova(two, other)
    with pytest.warns(jg.DataWarning, match="values that the larger one cannot take"):
        jg.anova(two, poisson("y ~ I(x1 + x2) + g"))
    with pytest.warns(jg.DataWarning, match="cannot be told: the larger one is held to"):
        jg.anova(poisson("y ~ x3"), one)
    with pytest.raises(jg.DataError, match="of the larger model without its constraints"):
        jg.anova(two, one, test="Rao")


def test_a_fit_of_reduced_bias_is_not_compared_by_likelihood() -> None:
    table = TABLE.assign(event=TABLE.y > 1)
    fit = jg.glm("event ~ x1 + x2", table, "binomial", bias="firth")
    for call in (
        lambda: fit.drop1(),
        lambda: fit.fit_constrained("x1 = 0"),
        lambda: jg.anova(jg.glm("event ~ x1", table, "binomial", bias="firth"), fit),
        lambda: fit.infinitesimal_jackknife(),
    ):
        with pytest.raises(jg.DataError, match="bias='firth'"):
            call()
    found = fit.conf_int(method="profile")
    np.testing.assert_allclose(found, fit.firth_test()[["conf_low", "conf_high"]])


def test_further_columns_are_aligned_by_their_labels() -> None:
    fit = poisson("y ~ x1 + x2")
    wanted = fit.score_test(TABLE.x3)
    shuffled = TABLE.x3.sample(frac=1.0, random_state=1)
    assert fit.score_test(shuffled).statistic == pytest.approx(wanted.statistic)
    with pytest.raises(jg.DataError, match="index of exog_extra"):
        fit.score_test(TABLE.x3.set_axis(TABLE.index + 7))
    gaps = TABLE.assign(x1=TABLE.x1.where(TABLE.index != 3))
    fewer = jg.glm("y ~ x1 + x2", gaps, "poisson", missing="drop")
    wanted = fewer.score_test(TABLE.x3.to_numpy())
    assert fewer.score_test(shuffled).statistic == pytest.approx(wanted.statistic)


def test_collinearity_is_asked_of_the_fit_without_constraints() -> None:
    ours = poisson("y ~ x1 + x2 + g").fit_constrained("x1 = x2")
    assert "collinearity" not in [one.topic for one in ours.check().findings]
    for call in (lambda: ours.vif(), lambda: ours.condition_number):
        with pytest.raises(jg.DataError, match="without the constraints"):
            call()
