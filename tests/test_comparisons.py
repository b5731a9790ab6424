"""Comparisons of models by refits: anova, drop1, add1, step and score tests, as R has them."""

import json
import pickle
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import jaxglm as jg

from .reference.cases import load
from .reference.engine import fit_formula

R = json.loads((Path(__file__).parent / "data/comparisons/comparisons.json").read_text())
QUICK = ("warpbreaks_poisson_log", "mtcars_gamma_log")
ALL = [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in R["tables"]]


@cache
def fitted(name: str) -> jg.Results:
    return fit_formula(load(name))


def assert_is(ours: pd.DataFrame, theirs: Any, skip: int = 0, rtol: float = 1e-7) -> None:
    """The numbers of R's table, in its columns and rows."""
    for name, values in theirs["columns"].items():
        right = np.array(values, float)[skip:]
        column = ours[{"F values": "F value"}.get(name, name)].to_numpy(float)
        np.testing.assert_allclose(column, right, rtol=rtol, atol=1e-300, err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
@pytest.mark.filterwarnings("ignore::jaxglm.RankWarning")
def test_tables_of_one_model(name: str) -> None:
    fit, theirs = fitted(name), R["tables"][name]
    assert_is(jg.anova(fit).table, theirs["anova"])
    assert_is(fit.drop1().table, theirs["drop1"])
    if "drop1_lrt" in theirs:
        assert_is(fit.drop1("LRT").table, theirs["drop1_lrt"])
    if "anova_rao" in theirs:
        # R's has the weights of the iteration before the last; a tail of 1e-80 shows that.
        assert_is(jg.anova(fit, test="Rao").table, theirs["anova_rao"], rtol=5e-6)
        assert_is(fit.drop1("Rao").table, theirs["drop1_rao"], rtol=5e-6)
    for key in theirs:
        if not key.startswith("type"):
            continue
        kind, test = int(key[4]), key[6:]
        ours = jg.anova(fit, type=kind, test=test)
        rows = ["Intercept" if name == "(Intercept)" else name for name in theirs[key]["rows"]]
        assert ours.table.index.to_list() == rows
        assert_is(ours.table, theirs[key])


def birthwt(formula: str) -> jg.Results:
    return jg.glm(formula, load("birthwt_binomial_logit").frame, "binomial")


def assert_path(chosen: jg.Results, theirs: dict[str, Any], formula: str | None = None) -> None:
    assert chosen.path["Step"].to_list() == theirs["step"]
    assert_is(chosen.path.rename(columns={"BIC": "AIC"}), theirs)
    assert chosen.model.formula == (formula or theirs["formula"])


@pytest.mark.slow
def test_steps_are_those_of_r() -> None:
    data = load("birthwt_binomial_logit").frame
    whole = birthwt("low ~ age + lwt + race + smoke + ptl + ht + ui + ftv")
    chosen = whole.step()
    assert_path(chosen, R["step"]["birthwt_backward"])
    again = birthwt(chosen.model.formula or "")
    pd.testing.assert_series_equal(chosen.params, again.params, rtol=1e-9)
    pd.testing.assert_series_equal(chosen.bse, again.bse, rtol=1e-9)
    assert chosen.notes == again.notes
    assert chosen.predict(data.head()).equals(chosen.predict().head())
    start = birthwt("low ~ lwt")
    scope = "~ . + race + smoke + ht + ui"
    forward = start.step("forward", scope=scope, data=data)
    # R writes terms in the order in which they came.
    columns = "low ~ lwt + race + smoke + ht + ui"
    assert_path(forward, R["step"]["birthwt_forward"], columns)
    added = start.add1("~ . + race + smoke + ht + lwt:smoke", data, "LRT").table
    assert_is(added, R["step"]["birthwt_add1"])  # no `lwt:smoke` without `smoke`
    assert_is(start.add1(["race", "smoke"], data, "Rao").table, R["step"]["birthwt_add1_rao"])


@pytest.mark.slow
def test_more_steps_are_those_of_r() -> None:
    data = load("birthwt_binomial_logit").frame
    whole = birthwt("low ~ age + lwt + race + smoke + ptl + ht + ui + ftv")
    assert_path(whole.step(criterion="bic"), R["step"]["birthwt_bic"])
    both = birthwt("low ~ lwt").step(scope="~ (lwt + age + race + smoke + ht + ui)^2", data=data)
    columns = "low ~ lwt + race + smoke + ht + ui + lwt:smoke + lwt:ui"
    assert_path(both, R["step"]["birthwt_both"], columns)
    cars = load("mtcars_gamma_log").frame
    gamma = jg.glm("mpg ~ wt + hp + factor(cyl) + qsec", cars, jg.Gamma(link=jg.Log()))
    assert_path(gamma.step(), R["step"]["mtcars_gamma"])
    small = jg.glm("mpg ~ wt", cars, jg.Gamma(link=jg.Log()))
    ours = small.add1("~ . + hp + factor(cyl)", cars, "F").table
    assert_is(ours, R["step"]["mtcars_gamma_add1"])
    normal = jg.glm("mpg ~ wt", cars)
    assert_path(
        normal.step("both", scope="~ wt * hp + qsec", data=cars),
        R["step"]["mtcars_gaussian_both"],
        "mpg ~ wt + hp + qsec + wt:hp",
    )
    ours = normal.add1(["hp", "qsec"], cars, "LRT").table
    assert_is(ours, R["step"]["mtcars_gaussian_add1"])
    counts = fitted("quine_nb_ml_main").step()
    assert_path(counts, R["step"]["quine_nb"])
    assert counts.fit.alpha != fitted("quine_nb_ml_main").fit.alpha


@pytest.mark.slow
def test_several_models() -> None:
    breaks = load("warpbreaks_quasipoisson_log").frame
    formulas = ("breaks ~ wool", "breaks ~ wool + tension", "breaks ~ wool * tension")
    quasi = [jg.glm(formula, breaks, "quasipoisson") for formula in formulas]
    assert_is(jg.anova(*quasi).table, R["several"]["quasi_F"])
    down = jg.anova(quasi[2], quasi[0], test="Chisq").table
    assert_is(down, R["several"]["quasi_downwards"])
    poisson = [jg.glm(formulas[i], breaks, "poisson") for i in (0, 2)]
    assert_is(jg.anova(*poisson, test="Rao").table, R["several"]["poisson_rao"])
    assert jg.anova(*poisson[::-1], test="Rao").table["Pr(>Chi)"].iloc[1] == pytest.approx(
        R["several"]["poisson_rao"]["columns"]["Pr(>Chi)"][1]
    )


@pytest.mark.slow
def test_shapes_of_their_own_are_compared_by_likelihoods() -> None:
    quine = load("quine_nb_ml_main").frame
    small = jg.glm("Days ~ Eth", quine, "negative_binomial")
    large = fitted("quine_nb_ml_main")
    theirs, ours = R["several"]["nb"], jg.anova(small, large).table
    np.testing.assert_allclose(ours["LR"].iloc[1], theirs["LR"], rtol=1e-7)
    np.testing.assert_allclose(ours["Pr(>Chi)"].iloc[1], theirs["p"], rtol=1e-7)
    np.testing.assert_allclose(ours["-2 logLik"], -np.array(theirs["twologlik"]), rtol=1e-9)
    np.testing.assert_allclose(1 / ours["alpha"], theirs["theta"], rtol=1e-6)
    count = jg.glm("Days ~ Eth + Sex + Age + Lrn", quine, "poisson", on_failure="ignore")
    boundary, theirs = jg.anova(count, large), R["several"]["poisson_nb"]
    np.testing.assert_allclose(boundary.table["LR"].iloc[1], theirs["LR"], rtol=1e-7)
    np.testing.assert_allclose(boundary.table["Pr(>Chi)"].iloc[1], theirs["p"], rtol=1e-5)
    assert any("boundary" in note for note in boundary.notes)
    with pytest.raises(jg.DataError, match="its alpha given"):
        jg.anova(large, jg.glm("Days ~ Eth", quine, jg.NegativeBinomial(alpha=1.0)))
    with pytest.raises(ValueError, match="by their likelihoods"):
        jg.anova(count, large, test="Rao")


N = 60
RNG = np.random.default_rng(5)
TABLE = pd.DataFrame({"x": RNG.normal(size=N), "z": RNG.normal(size=N), "g": list("abc") * 20})
TABLE["y"] = RNG.poisson(np.exp(0.5 + 0.4 * TABLE["x"]))
TABLE["w"] = RNG.integers(0, 3, N)


def poisson(formula: str, table: pd.DataFrame = TABLE, **given: Any) -> jg.Results:
    return jg.glm(formula, table, "poisson", **given)


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (lambda: poisson("y ~ x + z", TABLE.head(50)), "numbers of rows, 60 and 50"),
        (lambda: poisson("w ~ x"), "responses differ, 'y' and 'w'"),
        (lambda: poisson("y ~ x + z", TABLE.assign(y=TABLE.y[::-1].to_numpy())), "responses diff"),
        (lambda: jg.glm("y ~ x + z", TABLE), "families differ, poisson and gaussian"),
        (lambda: jg.glm("y ~ x + z", TABLE, "quasipoisson"), "families differ, poisson and quasi"),
        (lambda: poisson("y ~ x + z", freq_weights="w"), "numbers of observations"),
        (lambda: poisson("y ~ x + z", var_weights=np.full(N, 2.0)), "weights differ"),
        (lambda: jg.glm("y ~ x + z", TABLE, jg.Poisson(link=jg.Sqrt())), "links differ, log and s"),
    ],
)
def test_models_that_no_test_compares(other: Any, words: str) -> None:
    with pytest.raises(jg.DataError, match=words):
        jg.anova(poisson("y ~ x"), other())


def test_without_rows_what_is_known_is_compared() -> None:
    one = poisson("y ~ x").without_data()
    table = jg.anova(one, poisson("y ~ x + z")).table
    pd.testing.assert_frame_equal(table, jg.anova(poisson("y ~ x"), poisson("y ~ x + z")).table)
    turned = poisson("y ~ z", TABLE.assign(y=TABLE.y + 1)).without_data()
    with pytest.raises(jg.DataError, match="null deviances differ"):
        jg.anova(one, turned)
    with pytest.warns(jg.DataWarning, match="cannot be told"):
        jg.anova(one, poisson("y ~ z + g"))
    with pytest.raises(jg.DataError, match=r"drop1\(\) needs the rows"):
        one.drop1()
    # Wald tests need no rows.
    assert jg.anova(one, type=2, test="Wald").table["Chisq"].iloc[0] == pytest.approx(
        float(one.tvalues["x"] ** 2)
    )


def test_nesting_is_of_columns_and_not_of_names() -> None:
    with pytest.warns(jg.DataWarning, match="are not nested"):
        apart = jg.anova(poisson("y ~ x"), poisson("y ~ z + g"))
    assert "not nested" in str(apart)
    same = poisson("y ~ I(3 * x - 2)"), poisson("y ~ x + z")
    np.testing.assert_allclose(
        jg.anova(*same).table.iloc[1], jg.anova(poisson("y ~ x"), same[1]).table.iloc[1], rtol=1e-7
    )
    with pytest.warns(jg.DataWarning, match="nothing to test"):
        jg.anova(poisson("y ~ x"), poisson("y ~ z"))
    exposed = poisson("y ~ x + z", exposure=TABLE.w + 1)
    with pytest.warns(jg.DataWarning, match=r"their offsets \(offset= or exposure=\) differ"):
        jg.anova(poisson("y ~ x"), exposed)
    half = poisson("y ~ z + offset(0.5 * x)")
    assert not any("nested" in note for note in jg.anova(half, poisson("y ~ x + z")).notes)


@pytest.mark.slow
@pytest.mark.parametrize("test", ["Chisq", "F", "Rao"])
def test_the_tidy_statistic_is_what_the_p_value_is_of(test: str) -> None:
    one, two = jg.glm("y ~ x", TABLE, "quasipoisson"), jg.glm("y ~ x + z", TABLE, "quasipoisson")
    tables = [
        jg.anova(one, two, test=test),
        jg.anova(two, one, test=test),
        jg.anova(two, test=test),
    ]
    if test != "F":
        tables.append(jg.anova(poisson("y ~ x + z"), test=test))
    for table in tables:
        tidy = table.tidy().dropna()
        df, df_resid = tidy["df"].abs(), two.df_resid
        tail = stats.f.sf(tidy["statistic"], df, df_resid)
        if test != "F":
            tail = stats.chi2.sf(tidy["statistic"], df)
        np.testing.assert_allclose(tidy["p_value"], tail, rtol=1e-9)
        assert len(tidy) and tidy.columns.is_unique


@pytest.mark.slow
def test_a_shape_with_fewer_terms_is_not_nested_in_none_with_more() -> None:
    shaped = jg.glm("y ~ 1", TABLE, jg.NegativeBinomial(), on_failure="ignore")
    with pytest.warns(jg.DataWarning, match="not nested.*Poisson, so there is no p-value"):
        table = jg.anova(poisson("y ~ x + z"), shaped)
    assert table.table["Pr(>Chi)"].isna().all()
    assert not any("mixture" in note for note in table.notes)


@pytest.mark.slow
def test_frequencies_are_repeated_rows() -> None:
    live = TABLE[TABLE.w > 0]
    long = live.loc[live.index.repeat(live.w)].reset_index(drop=True)
    short, whole = poisson("y ~ x + z + g", freq_weights="w"), poisson("y ~ x + z + g", long)
    for ours, theirs in (
        (short.drop1("Rao"), whole.drop1("Rao")),
        (jg.anova(short), jg.anova(whole)),
        (jg.anova(short, type=2), jg.anova(whole, type=2)),
    ):
        pd.testing.assert_frame_equal(ours.table, theirs.table, rtol=1e-8)


def test_arrays_have_a_term_for_each_column() -> None:
    columns = jg.add_constant(TABLE[["x", "z"]])
    fit, formula = jg.GLM(TABLE.y, columns, "poisson").fit(), poisson("y ~ x + z")
    pd.testing.assert_frame_equal(fit.drop1().table, formula.drop1().table, rtol=1e-8)
    chosen = fit.step()
    assert chosen.names[1:] == formula.step().names[1:]
    with pytest.raises(jg.DataError, match="a fit of arrays"):
        fit.add1("~ . + g", TABLE)


def test_aliased_columns_and_separation() -> None:
    with pytest.warns(jg.RankWarning):
        fit = poisson("y ~ x + twice + z", TABLE.assign(twice=2 * TABLE.x))
    table = fit.drop1().table
    assert table.loc["twice", "Df"] == 0 and np.isnan(table.loc["twice", "Pr(>Chi)"])
    few = {"y": [0, 1, 0, 1, 1, 1, 1, 1], "g": list("aaaabbbb"), "x": [1, 2, 3, 4, 1, 2, 3, 5]}
    apart = jg.glm("y ~ g + x", few, "binomial", on_failure="ignore")
    dropped = apart.drop1()
    np.testing.assert_allclose(dropped.table["Deviance"]["<none>"], apart.deviance)
    alone = jg.glm("y ~ x", few, "binomial")
    np.testing.assert_allclose(dropped.table["Deviance"]["g"], alone.deviance, rtol=1e-9)
    assert any("separated" in note for note in dropped.notes)
    wald = jg.anova(apart, type=3, test="Wald")
    assert np.isnan(wald.table.loc["g", "Chisq"])
    assert "No test of 'g'" in wald.notes[0] and "test='LR'" in wald.notes[1]
    assert not any("deviance" in note for note in wald.notes)
    for test in ("LR", "Wald"):
        assert any("(aliased): 'twice'" in n for n in jg.anova(fit, type=3, test=test).notes)
    with pytest.raises(jg.DataError, match="The fit is separated"):
        apart.score_test(np.arange(8.0))


def test_what_is_read_again_must_be_the_data_of_the_fit() -> None:
    gaps = TABLE.assign(x=TABLE.x.where(TABLE.index != 7), h=TABLE.z.where(TABLE.index != 9))
    fit = poisson("y ~ x", gaps, missing="drop")
    ours = fit.add1("~ . + z + g", gaps).table
    pd.testing.assert_frame_equal(
        ours, poisson("y ~ x", TABLE.drop(7)).add1("~ . + z + g", TABLE.drop(7)).table, rtol=1e-8
    )
    spelt = TABLE.rename(columns={"z": "my col", "w": "x:g"})
    by_name = poisson("y ~ x", spelt).add1(["my col", "g", "x:g"], spelt).table
    assert by_name["Df"].iloc[1:].to_dict() == {"my col": 1, "g": 2, "x:g": 1}
    assert by_name.loc["my col", "LRT"] == pytest.approx(
        poisson("y ~ x").add1("z", TABLE).table.loc["z", "LRT"]
    )
    for scope, data, words in (
        ("~ . + h", gaps, r"miss a value in row 9"),
        ("~ . + z", gaps.head(5), "has 5 rows"),
        ("~ . + z", gaps.assign(x=gaps.x + 1), "not those of the fit"),
        ("~ . + z", gaps.assign(y=gaps.y[::-1].to_numpy()), "not those of the fit"),
        ("~ . + z", None, "needs the table"),
        ("~ . + y", gaps, "the response 'y'"),
        ("~ . + offset(z)", gaps, "offset"),
        (3, gaps, "scope must be"),
        ("~ . + q", gaps, "no column 'q'"),
        ("~ . - 1", gaps, "'Intercept'"),
    ):
        with pytest.raises(jg.DataError, match=words):
            fit.add1(scope, data)


def test_a_step_knows_what_it_cannot_do() -> None:
    fit = poisson("y ~ x + z")
    for given, words in (
        ({"direction": "forward"}, "give scope="),
        ({"direction": "up"}, "direction must be"),
        ({"criterion": "cp"}, "criterion must be"),
    ):
        with pytest.raises(ValueError, match=words):
            fit.step(**given)
    quasi = jg.glm("y ~ x + z + g", TABLE, "quasipoisson")
    with pytest.raises(ValueError, match="criterion='qaic'"):
        quasi.step()
    assert "AIC" not in quasi.drop1().table
    chosen = quasi.step(criterion="qaic")
    spread = quasi.pearson_chi2 / quasi.df_resid
    for row in (0, -1):
        fall, rank = chosen.path["Resid. Dev"].iloc[row], N - chosen.path["Resid. Df"].iloc[row]
        assert chosen.path["QAIC"].iloc[row] == pytest.approx(fall / spread + 2 * rank)
    assert pickle.loads(pickle.dumps(chosen)).path.equals(chosen.path)
    with pytest.raises(AttributeError, match="only a result of step"):
        _ = fit.path


def test_a_term_that_codes_others_is_no_step() -> None:
    fit = poisson("y ~ 0 + g + h", TABLE.assign(h=list("uv") * 30))
    assert any("would code other terms" in note for note in fit.drop1().notes)
    assert "g" in fit.step().model.formula


def test_score_test_against_its_definition_and_r() -> None:
    fit = poisson("y ~ x", freq_weights="w")
    extra = np.column_stack([TABLE.z, TABLE.x**2, TABLE.x])
    found = fit.score_test(extra)
    X = np.column_stack([np.ones(N), TABLE.x, TABLE.z, TABLE.x**2])
    mu = fit.fittedvalues.to_numpy()
    score = X.T @ (TABLE.w * (TABLE.y - mu))
    info = X.T @ ((TABLE.w * mu).to_numpy()[:, None] * X)
    assert found.statistic == pytest.approx(score @ np.linalg.solve(info, score), rel=1e-9)
    assert (found.df, found.columns, found.scale) == (2, 3, 1.0)
    assert "nothing to test" in str(fit.score_test(3 * TABLE.x + 1))
    for given, words in (
        (np.ones(3), "the fit has 60 rows"),
        (np.ones((2, 2, 2)), "shape"),
        (TABLE.g, "holds text"),
        (TABLE.index.astype(str).to_series(), "holds text"),
        (np.arange(N).astype(str).astype(object), "holds text"),
        (TABLE[["w"]].astype("category"), "categories"),
        (TABLE.w.astype("category"), "categories"),
        (pd.Series(pd.date_range("2024", periods=N)), "dates"),
        (TABLE.z.where(TABLE.index > 3), "missing or infinite"),
    ):
        with pytest.raises(jg.DataError, match=words):
            fit.score_test(given)


def test_models_side_by_side() -> None:
    one, two = (
        poisson("y ~ x"),
        jg.glm("y ~ x + z", TABLE, "negative_binomial", on_failure="ignore"),
    )
    table = jg.compare(one, two, names=["poisson", "nb"]).table
    assert table.index.to_list() == ["poisson", "nb"]
    for name in ("aic", "bic", "llf", "deviance", "scale", "nobs"):
        assert table[name].to_list() == [getattr(one, name), getattr(two, name)]
    assert table["df"].to_list() == [2, 4]
    assert table["pseudo_r2"].iloc[0] == 1 - one.llf / one.llnull
    with pytest.warns(jg.DataWarning, match="no likelihood"):
        jg.compare(one, jg.glm("y ~ x", TABLE, "quasipoisson"))
    with pytest.warns(jg.DataWarning, match="cannot be compared: they have different numbers"):
        text = str(jg.compare(one, poisson("y ~ x", TABLE.head(30))))
    assert "m1: y ~ x" in text and "cannot be compared" in text
    with pytest.raises(ValueError, match="2 names"):
        jg.compare(one, two, names=["a"])
    with pytest.raises(TypeError, match="takes results of fits"):
        jg.compare(one, TABLE)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="is for one model"):
        jg.anova(one, two, type=2)
    pd.testing.assert_frame_equal(jg.anova(one, type="III").table, jg.anova(one, type=3).table)
    with pytest.raises(ValueError, match="type must be one of 1, 2, 3, 'I'"):
        jg.anova(one, type="IV")  # type: ignore[arg-type]
    reduced = poisson("y ~ x", bias="firth")
    with pytest.warns(jg.DataWarning, match="m2 are at estimates of reduced bias"):
        jg.compare(one, reduced)
    shapes = [jg.glm("y ~ x", TABLE, jg.NegativeBinomial(alpha=a)) for a in (1.0, 2.0)]
    with pytest.raises(jg.DataError, match=r"have another alpha, 1\.0 and 2\.0"):
        jg.anova(*shapes)
    with pytest.raises(ValueError, match="F test is for an estimated dispersion"):
        jg.anova(one, test="F")
    assert "<table" in jg.anova(one)._repr_html_()
