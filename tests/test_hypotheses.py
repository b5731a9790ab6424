"""Tests of linear hypotheses: the values of R and statsmodels, and words where there is no test."""

import dataclasses
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

import jaxglm as jg
from jaxglm.algebra import Root
from jaxglm.inference.hypotheses._hypothesis_text import equations
from tests.hypothesis_fits import R, birthwt, mtcars, warpbreaks

PAIR = "wool[T.B] = 0, tension[T.L] = tension[T.M]"


@pytest.fixture(scope="module")
def poisson() -> jg.Results:
    return jg.glm("breaks ~ wool * tension", warpbreaks, "poisson")


@pytest.fixture(scope="module")
def quasi() -> jg.Results:
    return jg.glm("breaks ~ wool * tension", warpbreaks, "quasipoisson")


@pytest.fixture(scope="module")
def binomial() -> jg.Results:
    return jg.glm("low ~ race + age + smoke", birthwt, "binomial")


@pytest.fixture(scope="module")
def gaussian() -> jg.Results:
    return jg.glm("mpg ~ C(cyl) * wt + hp", mtcars)


def as_in_r(test: Any, name: str) -> None:
    theirs = R["together"][name]
    assert test.df_num == theirs["df"]
    np.testing.assert_allclose(test.statistic, theirs["statistic"], rtol=1e-8)
    np.testing.assert_allclose(test.pvalue, theirs["p"], rtol=1e-7)


def test_together_as_car(
    poisson: jg.Results, quasi: jg.Results, gaussian: jg.Results, binomial: jg.Results
) -> None:
    as_in_r(poisson.wald_test(PAIR), "poisson")
    as_in_r(poisson.f_test(PAIR), "poisson_f")
    as_in_r(poisson.wald_test("2*wool[T.B] - tension[T.L] = 0.5"), "poisson_value")
    as_in_r(quasi.wald_test(PAIR), "quasi")
    as_in_r(quasi.wald_test(PAIR, use_f=False), "quasi_chi2")
    as_in_r(gaussian.wald_test("C(cyl)[T.6]:wt, C(cyl)[T.8]:wt"), "gaussian_interaction")
    as_in_r(
        binomial.wald_test("race[T.other] = race[T.white], smoke = 2*age"),
        "binomial",
    )
    assert poisson.wald_test(PAIR).df_denom == np.inf
    assert quasi.f_test(PAIR).df_denom == quasi.wald_test(PAIR).df_denom == quasi.df_resid


def test_each_as_multcomp(poisson: jg.Results) -> None:
    test = poisson.t_test("wool[T.B], tension[T.L] - tension[T.M] = 0.1")
    theirs = R["each"]["poisson_none"]
    np.testing.assert_allclose(test.effect, theirs["effect"], rtol=1e-10)
    np.testing.assert_allclose(test.sd, theirs["sd"], rtol=1e-9)
    np.testing.assert_allclose(test.tvalue, theirs["statistic"], rtol=1e-9)
    np.testing.assert_allclose(test.pvalue, theirs["p"], rtol=1e-7)


def with_covariance(fit: jg.Results, matrix: np.ndarray) -> jg.Results:
    """The result with another covariance of its coefficients."""
    root = Root(np.linalg.cholesky(matrix), np.zeros(len(matrix)))
    other = dataclasses.replace(fit.fit.covariance, root=root, scale=1.0, kind="HC0")
    return jg.Results(dataclasses.replace(fit.fit, covariance=other), fit.model)


def test_any_covariance(poisson: jg.Results) -> None:
    sandwich = np.array(R["hc0"])
    fit = with_covariance(poisson, sandwich + 1e-18 * np.eye(6))
    as_in_r(fit.wald_test(PAIR), "poisson_hc0")
    np.testing.assert_allclose(
        fit.contrasts("wool", at={"tension": "H"}, adjust="none")["std_error"],
        np.sqrt(sandwich[1, 1]),
        rtol=1e-9,
    )


def test_a_covariance_of_few_clusters_cannot_test_many_together(poisson: jg.Results) -> None:
    flat = np.zeros((6, 6))
    flat[:, :2] = np.random.default_rng(1).normal(size=(6, 2))
    root = Root(flat, np.zeros(6))
    other = dataclasses.replace(poisson.fit.covariance, root=root, kind="cluster")
    fit = jg.Results(dataclasses.replace(poisson.fit, covariance=other), poisson.model)
    assert np.isfinite(fit.wald_test("wool[T.B], tension[T.L]").statistic)
    test = fit.wald_test("wool[T.B], tension[T.L], tension[T.M]")
    assert np.isnan(test.statistic) and "(cluster) tells apart 2 of the 3" in str(test)


def test_as_statsmodels(gaussian: jg.Results) -> None:
    theirs = smf.ols("mpg ~ C(cyl) * wt + hp", mtcars).fit()
    text = "C(cyl)[T.6] = C(cyl)[T.8], C(cyl)[T.6]:wt = 2*wt + 1"
    ours, other = gaussian.wald_test(text), theirs.wald_test(text, use_f=True, scalar=True)
    for name in ("statistic", "pvalue", "df_num", "df_denom"):
        np.testing.assert_allclose(getattr(ours, name), getattr(other, name), rtol=1e-9)
    one, each = gaussian.t_test(text), theirs.t_test(text)
    for name in ("effect", "sd", "statistic", "tvalue", "pvalue"):
        np.testing.assert_allclose(
            getattr(one, name), np.ravel(getattr(each, name)), rtol=1e-9, err_msg=name
        )
    np.testing.assert_allclose(one.conf_int(0.1), each.conf_int(0.1), rtol=1e-9)
    assert list(one.summary_frame().columns) == list(each.summary_frame().columns)
    np.testing.assert_allclose(one.summary_frame(), each.summary_frame(), rtol=1e-9)
    terms, their_terms = gaussian.wald_test_terms(), theirs.wald_test_terms(scalar=True)
    assert list(terms.table.columns) == list(their_terms.table.columns)
    pd.testing.assert_frame_equal(
        terms.table.sort_index(), their_terms.table.sort_index(), rtol=1e-9, check_dtype=False
    )
    assert list(terms.summary_frame()) == ["F", "P>F", "df constraint", "df denom"]
    single: Any = gaussian.wald_test_terms(skip_single=True)
    assert list(single.table.index) == ["C(cyl)", "C(cyl):wt"]


def test_habits_of_statsmodels(gaussian: jg.Results) -> None:
    wald_test: Any = gaussian.wald_test
    assert wald_test(r_matrix="hp", scalar=True) == gaussian.wald_test("hp")
    with pytest.raises(TypeError, match=r"covariance of the result"):
        wald_test("hp", cov_p=np.eye(7))
    with pytest.raises(TypeError, match=r"^f_test\(\).*wald_test\(hypothesis, use_f"):
        f_test: Any = gaussian.f_test
        f_test("hp", use_f=True)


def test_all_forms_say_the_same(poisson: jg.Results) -> None:
    names = poisson.names
    row = np.zeros(6)
    row[[1, 2]] = 1.0, -2.0
    forms: list[Any] = [
        "wool[T.B] = 2*tension[T.L]",
        ["wool[T.B] - 2*tension[T.L]"],
        ("wool[T.B] - 2*tension[T.L] = 0",),
        row,
        row.tolist(),
        tuple(row),
        (row, 0),
        ([row], [0.0]),
        pd.Series(row, index=names),
        {"wool[T.B]": 1, "tension[T.L]": -2},
        pd.DataFrame({"tension[T.L]": [-2.0], "wool[T.B]": [1.0]}),
    ]
    expected = poisson.t_test(forms[0])
    np.testing.assert_allclose(expected.statistic[0] ** 2, poisson.wald_test(forms[0]).statistic)
    for form in forms:
        np.testing.assert_array_equal(poisson.t_test(form).statistic, expected.statistic)
    assert poisson.t_test(row).hypotheses == ("wool[T.B] - 2*tension[T.L] = 0",)
    both = pd.DataFrame(np.eye(6)[1:3], columns=names, index=["wool", "L"])
    assert poisson.t_test(both).hypotheses == ("wool = 0", "L = 0")
    value = poisson.t_test((np.eye(6)[1:3], [0.5, -1]))
    np.testing.assert_array_equal(value.null_value, [0.5, -1.0])


NAMES = [
    "Intercept", "x", "x1", "x2", "x1:x2", "x10", "I(x ** 2)", "np.log(x)", "C(g, Sum)[S.a]",
    "C(g)[T.a b]:x1", "my col", "my", "a-b", "a", "b", "2", "2nd", "bs(x, df=4)[1]",
    "relevel(g, ref='b')[T.a, c]", "x.y",
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x1 = x2", [({"x1": 1, "x2": -1}, 0)]),
        ("2*x1 - x2 = 0.5", [({"x1": 2, "x2": -1}, 0.5)]),
        ("x1 + x2", [({"x1": 1, "x2": 1}, 0)]),
        ("(x1 = 0), (x2 = 0)", [({"x1": 1}, 0), ({"x2": 1}, 0)]),
        ("((x1 = 0, x2 = 0), x)", [({"x1": 1}, 0), ({"x2": 1}, 0), ({"x": 1}, 0)]),
        ("x1 = x2 = 3", [({"x1": 1, "x2": -1}, 0), ({"x2": 1}, 3)]),
        ("x1 == -x2", [({"x1": 1, "x2": 1}, 0)]),
        ("x10-x1:x2", [({"x10": 1, "x1:x2": -1}, 0)]),
        ("2*(x - (x1 + 1)/4) = 1e-1", [({"x": 2, "x1": -0.5}, 0.6)]),
        ("- -x*3/2 = x", [({"x": 0.5}, 0)]),
        ("I(x**2) = np.log(x)", [({"I(x ** 2)": 1, "np.log(x)": -1}, 0)]),
        ("C(g,Sum)[S.a] + C(g)[T.a b]:x1", [({"C(g, Sum)[S.a]": 1, "C(g)[T.a b]:x1": 1}, 0)]),
        ("my col - my = 0", [({"my col": 1, "my": -1}, 0)]),
        ("a-b", [({"a-b": 1}, 0)]),
        ("a - b", [({"a": 1, "b": -1}, 0)]),
        ("2*`2` - 2nd = 2", [({"2": 2, "2nd": -1}, 2)]),
        ("bs(x, df=4)[1] = 0, x.y", [({"bs(x, df=4)[1]": 1}, 0), ({"x.y": 1}, 0)]),
        ("relevel(g, ref='b')[T.a, c] = (Intercept)",
         [({"relevel(g, ref='b')[T.a, c]": 1, "Intercept": -1}, 0)]),
    ],
)  # fmt: skip
def test_text(text: str, expected: list[tuple[dict[str, float], float]]) -> None:
    found = equations(text, NAMES)
    for one, (coef, value) in zip(found, expected, strict=True):
        assert {NAMES[i]: one.coef[i] for i in np.flatnonzero(one.coef)} == coef
        assert one.value == pytest.approx(value, abs=1e-15)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x3 = 0", "no coefficient 'x3'; did you mean 'x'"),
        ("x1:x3", "no coefficient 'x1:x3'; did you mean 'x1:x2'"),
        ("x**2", r"did you mean .* or 'I\(x \*\* 2\)'"),
        ("C(g, Sum)[S.c]", r"no coefficient 'C\(g, Sum\)\[S.c\]'; did you mean"),
        ("`x3`", "no coefficient 'x3'"),
        ("`x1", "backtick at position 0 is left open"),
        ("my coll", "no coefficient 'my coll'; did you mean 'my col'"),
        ("x1 * x2", "is linear"),
        ("x1 / x2", "only a number other than 0"),
        ("x1 / 0", "only a number other than 0"),
        ("3 x1", r"write 2\*x"),
        ("x1 >= 0", "is an equation"),
        ("x1 != 0", "is an equation"),
        ("x1 = ", "an expression is missing"),
        ("x1,", "an expression is missing"),
        (" ", "it is empty"),
        ("x1 +", "ends with an operator"),
        ("x1 + * x2", "stands where a coefficient"),
        ("(x1", "left open"),
        ("x1)", "closed that was not opened"),
        ("1 + (x1 = 0)", "stands by itself"),
        ("(" * 200 + "x1" + ")" * 200, "parentheses stand inside each other"),
    ],
)
def test_what_cannot_be_read(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        equations(text, NAMES)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([1.0, 2.0], "for each of the 6 coefficients, and what was given is 2"),
        (np.zeros((2, 3)), "given is 2 x 3"),
        (3.0, "given is one number"),
        (None, "give text"),
        (object(), "cannot be read"),
        ({"wool": 1}, r"no coefficient 'wool'; did you mean 'wool\[T.B\]'"),
        ({"wool[T.B]": "one"}, "cannot be read"),
        ((np.eye(6)[:2], [1, 2, 3]), "one finite number for each of the 2 rows"),
        ((np.eye(6)[:2], np.nan), "one finite number"),
        ((["wool[T.B]"], 1), "the value stands behind '='"),
        (np.full(6, np.nan), "finite numbers"),
        ("wool[T.B] = wool[T.B]", "about no coefficient"),
        ("wool[T.B] = 1, 2*wool[T.B] = 3", r"'2\*wool\[T.B\] = 3' cannot be true together with"),
        ("wool[T.B] - wool[T.B] = 1", "no coefficients can make"),
    ],
)
def test_what_is_no_hypothesis(poisson: jg.Results, given: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        poisson.wald_test(given)


def test_rows_that_follow_from_others_count_for_nothing(poisson: jg.Results) -> None:
    more = poisson.wald_test(f"{PAIR}, 1e-8*tension[T.L] = 1e-8*tension[T.M] + 1e-9*wool[T.B]")
    less = poisson.wald_test(PAIR)
    assert (more.df_num, more.statistic, more.hypotheses) == (2, less.statistic, less.hypotheses)
    assert "follows from the rest" in str(more)


def test_lincom(binomial: jg.Results) -> None:
    row = binomial.lincom("race[T.other] - race[T.white]", alpha=0.1).iloc[0]
    test = binomial.t_test("race[T.other] = race[T.white]")
    low, high = test.conf_int(0.1)[0]
    np.testing.assert_allclose(
        row.iloc[1:].astype(float),
        [test.effect[0], test.sd[0], test.statistic[0], test.pvalue[0], low, high],
        rtol=1e-12,
    )
    ratio = binomial.lincom({"smoke": 1}, exponentiate=True).iloc[0]
    theirs = binomial.odds_ratios().loc["smoke"]
    np.testing.assert_allclose(
        ratio[["odds ratio", "conf_low", "conf_high", "p_value"]].astype(float), theirs, rtol=1e-12
    )
    shifted = binomial.lincom("10*age + 0.5").iloc[0]
    assert shifted["estimate"] == pytest.approx(10 * binomial.params["age"] + 0.5)
    for given, words in (
        ("age = 0", "is a hypothesis"),
        ("age, smoke", "is a hypothesis"),
        (["age", "smoke"], "one combination"),
        (np.eye(5)[:2], "one combination, not 2"),
        ("3", "of no coefficient"),
    ):
        with pytest.raises(ValueError, match=words):
            binomial.lincom(given)
    with pytest.raises(ValueError, match="is no ratio but a baseline"):
        binomial.lincom("Intercept + smoke", exponentiate=True)


def test_lincom_has_no_ratio_on_other_links(gaussian: jg.Results) -> None:
    with pytest.raises(ValueError, match="identity link"):
        gaussian.lincom("hp", exponentiate=True)


# -- coefficients without an estimate ------------------------------------------------------------


@pytest.fixture(scope="module")
def aliased() -> jg.Results:
    table = mtcars.assign(half=1.0 + 0.5 * mtcars["wt"], nothing=0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", jg.RankWarning)
        return jg.glm("mpg ~ wt + hp + half + nothing", table)


def test_aliased_columns(aliased: jg.Results) -> None:
    plain = jg.glm("mpg ~ wt + hp", mtcars)
    for text in ("wt = 0", "wt = hp, Intercept = 3"):
        ours, theirs = aliased.wald_test(text), plain.wald_test(text)
        np.testing.assert_allclose(ours.statistic, theirs.statistic, rtol=1e-9)
    # The slope along the data is wt + half / 2, and the level Intercept + half.
    slope = aliased.t_test("wt + 0.5*half = 0, Intercept + half = 0")
    np.testing.assert_allclose(slope.effect, plain.params[["wt", "Intercept"]], rtol=1e-9)
    np.testing.assert_allclose(slope.sd, plain.bse[["wt", "Intercept"]], rtol=1e-9)
    assert not slope.notes
    for text in ("half = 0", "wt = half", "nothing = 0"):
        test = aliased.t_test(text)
        assert np.isnan([test.effect, test.sd, test.pvalue]).all()
        assert "'half' = 'Intercept' + 0.5 * 'wt'" in str(test).replace("\n  ", " ")
        assert np.isnan(aliased.wald_test(f"{text}, hp").statistic)
    twice = aliased.wald_test("wt + 0.5*half = 0, wt = 0")
    assert twice.df_num == 1 and twice.notes
    terms = aliased.wald_test_terms()
    assert terms.table.loc["half", "df_constraint"] == 0
    assert "half: No test: all its columns were left out" in str(terms).replace("\n  ", " ")
    with pytest.warns(jg.RankWarning, match="No test of half: the rows of the fit"):
        assert np.isnan(aliased.lincom("half").loc[0, "estimate"])


@pytest.fixture(scope="module")
def separated() -> jg.Results:
    """No success in b, whose coefficient runs off; the rest is the fit without b."""
    table = pd.DataFrame({"g": list("aaaabbbbccccdddd"), "x": np.tile([1.0, 2, 3, 4], 4)})
    table["y"] = [0, 1, 0, 1, 0, 0, 0, 0, 1, 0, 1, 1, 0, 1, 1, 0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", jg.SeparationWarning)
        return jg.glm("y ~ g + x", table, "binomial")


def test_separation(separated: jg.Results) -> None:
    rest = pd.DataFrame({"g": list("aaaaccccdddd"), "x": np.tile([1.0, 2, 3, 4], 3)})
    rest["y"] = [0, 1, 0, 1, 1, 0, 1, 1, 0, 1, 1, 0]
    plain = jg.glm("y ~ g + x", rest, "binomial")
    text = "g[T.c] = g[T.d], x = 0"
    np.testing.assert_allclose(
        separated.wald_test(text).statistic, plain.wald_test(text).statistic, rtol=1e-6
    )
    test = separated.t_test("g[T.b] = 0, 1e-9*g[T.b] - x = 0, x = 0")
    assert test.effect[0] == test.effect[1] == -np.inf
    assert np.isnan(test.pvalue[:2]).all() and np.isfinite(test.pvalue[2])
    assert "runs to infinity (separation)" in str(test).replace("\n  ", " ")
    assert np.isnan(separated.wald_test("g[T.b], x").pvalue)
    terms = separated.wald_test_terms()
    assert np.isnan(terms.table.loc["g", "pvalue"]) and np.isfinite(terms.table.loc["x", "pvalue"])
    with pytest.warns(jg.SeparationWarning, match=r"No test of a / b, b / c, b / d: it runs"):
        table = separated.contrasts("g", exponentiate=True)
    assert table["odds ratio"].tolist()[0] == np.inf
    assert table["p_value"].isna().tolist() == [True, False, False, True, True, False]


def test_no_dispersion() -> None:
    fit = jg.glm("y ~ x", {"y": [1.0, 2.5], "x": [0.0, 1.0]}, on_failure="ignore")
    test = fit.wald_test("x")
    assert np.isnan(test.pvalue) and "no dispersion" in str(test)
    assert "no dispersion" in str(fit.wald_test_terms())


def test_a_fit_that_did_not_converge_is_named() -> None:
    fit = jg.glm("low ~ age", birthwt, "binomial", max_turns=1, on_failure="ignore")
    for test in (fit.wald_test("age"), fit.t_test("age"), fit.wald_test_terms()):
        assert "did not converge" in str(test)


def test_results_without_rows_test_as_before(poisson: jg.Results, tmp_path: Path) -> None:
    poisson.save(tmp_path / "fit")
    again = jg.load(tmp_path / "fit")
    assert again.wald_test(PAIR) == poisson.wald_test(PAIR)
    assert again.contrasts("tension", at={"wool": "A"}).equals(
        poisson.contrasts("tension", at={"wool": "A"})
    )


def test_arrays_have_hypotheses_too(poisson: jg.Results) -> None:
    X = poisson.design_matrix()
    fit = jg.GLM(warpbreaks["breaks"], X, "poisson").fit()
    np.testing.assert_allclose(
        fit.wald_test(PAIR).statistic, poisson.wald_test(PAIR).statistic, rtol=1e-9
    )
    assert list(fit.wald_test_terms().table.index) == list(X.columns)
    with pytest.raises(jg.DataError, match="which a formula says"):
        fit.contrasts("tension")


def test_shown(poisson: jg.Results, quasi: jg.Results) -> None:
    assert str(poisson.wald_test("wool[T.B]")).startswith("Wald test\n  wool[T.B] = 0\n")
    assert repr(poisson.wald_test(PAIR)) == str(poisson.wald_test(PAIR))
    html = quasi.t_test("wool[T.B] = 0")._repr_html_()
    assert "<td>" in html and "wool[T.B] = 0" in html and "t with 48 df" in html
    assert "P&gt;F" in quasi.wald_test_terms()._repr_html_()
    assert "<li>" in quasi.wald_test("wool[T.B], 2*wool[T.B]")._repr_html_()


def test_many_columns_are_not_tested_together(poisson: jg.Results) -> None:
    from jaxglm.inference.hypotheses import _linear_tests

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_linear_tests, "_MOST_TOGETHER", 1)
        assert "more than the 1 tested together" in str(poisson.wald_test_terms())
