"""`check`, variance inflation and the tests behind them: each finding on data that have it."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from statsmodels.stats.diagnostic import het_breuschpagan

import jaxglm as jg
from jaxglm.inference import link_test, variance_test

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(11)
N = 400
TABLE = pd.DataFrame({"x": RNG.uniform(-1, 1, N), "z": RNG.normal(size=N), "g": list("abcd") * 100})
TABLE["line"] = 1 + TABLE.x + RNG.normal(size=N)
TABLE["count"] = RNG.poisson(np.exp(0.5 + 0.5 * TABLE.x))
TABLE["event"] = (RNG.uniform(size=N) < 1 / (1 + np.exp(-TABLE.x))).astype(int)


def topics(fit: jg.Results) -> list[str]:
    return [one.topic for one in fit.check().findings]


@pytest.mark.parametrize(
    ("formula", "family"),
    [("line ~ x + z", "gaussian"), ("count ~ x + g", "poisson"), ("event ~ x + z", "binomial")],
)
def test_nothing_is_found_where_nothing_is_wrong(formula: str, family: str) -> None:
    report = jg.glm(formula, TABLE, family).check()
    assert report.ok, str(report)
    assert "Nothing was found" in str(report)
    assert {"the optimum", "the shape of the model"} <= set(report.passed)


CASES: dict[str, tuple[str, pd.Series, Any, str]] = {
    "overdispersion": (
        "y ~ x",
        pd.Series(RNG.negative_binomial(1, 1 / (1 + np.exp(1 + TABLE.x)))),
        "poisson",
        "serious",
    ),
    "the family": ("y ~ x", TABLE.event, "gaussian", "serious"),
    "the shape of the model": (
        "y ~ x + z",
        (3 + TABLE.x + TABLE.z) ** 2 + 0.1 * TABLE.line,
        "gaussian",
        "notable",
    ),
    "unequal variances": (
        "y ~ x",
        5 + 2 * TABLE.x + (1.2 + TABLE.x) * RNG.normal(size=N),
        "gaussian",
        "serious",
    ),
    "outliers": ("y ~ x", TABLE.line.where(TABLE.index != 7, 9.0), "gaussian", "notable"),
    "zeros": ("y ~ x", TABLE["count"] * (RNG.uniform(size=N) < 0.7), "poisson", "notable"),
}


@pytest.mark.parametrize("topic", CASES)
def test_what_is_wrong_is_found(topic: str) -> None:
    formula, y, family, severity = CASES[topic]
    fit = jg.glm(formula, TABLE.assign(y=y), family)
    found = {one.topic: one for one in fit.check().findings}
    assert topic in found, str(fit.check())
    assert found[topic].severity == severity
    assert found[topic].evidence and found[topic].remedy


def test_an_influential_row_and_collinear_columns() -> None:
    table = TABLE.assign(u=TABLE.x + 0.01 * TABLE.z)
    table.loc[3, ["x", "u", "line"]] = [30.0, 30.0, -20.0]
    found = {one.topic: one for one in jg.glm("line ~ x + u + g", table).check().findings}
    assert found["influential rows"].severity == "serious"
    assert "Row 3 has" in found["influential rows"].evidence
    assert "x, u" in found["collinearity"].evidence or "u, x" in found["collinearity"].evidence


@pytest.mark.slow
def test_rows_that_stand_alone_are_named() -> None:
    table = TABLE[:80].assign(g=TABLE.g.where(TABLE.index != 9, "z"))
    table.index = [f"r{i}" for i in range(80)]
    for formula, name in (("count ~ x + g", "g[T.z] is 0"), ("count ~ x + C(g, Sum)", "")):
        fit = jg.glm(formula, table, "poisson")
        assert fit.get_influence().alone.tolist() == [9]
        found = {one.topic: one for one in fit.check().findings}["rows that stand alone"]
        assert found.evidence.startswith("Row r9 is fitted exactly (leverage 1)")
        assert name in found.evidence and "leave the row out" in found.remedy
        # As the remedy has it: predictions of the others do not move.
        others = jg.glm(formula, table.drop(index="r9"), "poisson")
        np.testing.assert_allclose(fit.fittedvalues.drop("r9"), others.fittedvalues, rtol=1e-8)
    # Three equal observations tell of each other.
    three = jg.glm(
        "count ~ x + g", table.assign(f=1 + 2 * (table.g == "z")), "poisson", freq_weights="f"
    )
    assert "rows that stand alone" in three.check().passed
    full = jg.glm("y ~ g", {"y": [1, 2, 4], "g": list("abc")}, "poisson").check()
    assert "as many coefficients as observations" in full.findings[0].evidence


def test_underdispersion_has_the_p_of_its_own_tail() -> None:
    fit = jg.glm("y ~ x", TABLE.assign(y=4 + TABLE.index % 2), "poisson")
    (found,) = [one for one in fit.check().findings if one.topic == "underdispersion"]
    report = fit.overdispersion()
    assert report.pvalue_lower < 1e-20 and report.pvalue == 1
    assert "p = 1.0" not in found.evidence and "e-" in found.evidence


def test_separation_comes_first_and_few_events_are_counted() -> None:
    table = TABLE[:60].assign(y=lambda t: ((t.g == "a") & (t.x > 0)).astype(int))
    fit = jg.glm("y ~ x + g", table, "binomial", on_failure="ignore")
    report = fit.check()
    assert report.findings[0].topic == "the optimum"
    assert "few events" in topics(fit)
    assert list(report.table.severity) == sorted(report.table.severity, reverse=True)
    assert "<li>" in report._repr_html_()


def test_robust_errors_answer_overdispersion() -> None:
    formula, y, family, _ = CASES["overdispersion"]
    fit = jg.glm(formula, TABLE.assign(y=y), family)
    assert "overdispersion" not in topics(fit.robust("HC1"))


def test_a_result_without_rows_says_so() -> None:
    with pytest.raises(jg.DataError, match=r"check\(\) needs the rows"):
        jg.glm("line ~ x", TABLE).without_data().check()


@pytest.mark.slow
def test_the_link_test_is_a_score_test_of_the_square() -> None:
    table = TABLE.assign(f=RNG.integers(1, 3, N))
    for formula, family in (
        ("count ~ x + z", "poisson"),
        ("event ~ x", jg.Binomial(link="probit")),
    ):
        fit = jg.glm(formula, table, family, freq_weights="f")
        held, eta = fit._fitted("a test")
        found = link_test(fit.fit, fit.family, held, eta)
        # Written out: U'V^-1 U with the design and the square side by side.
        X = np.column_stack([fit.design_matrix(), eta**2])
        working, f = fit.resid("working").to_numpy(), table.f.to_numpy()
        mean = fit.fittedvalues.to_numpy()
        slope = mean if fit.family.name == "poisson" else np.exp(-(eta**2) / 2) / np.sqrt(2 * np.pi)
        variance = mean if fit.family.name == "poisson" else mean * (1 - mean)
        weight = f * slope**2 / variance
        score = X.T @ (weight * working)
        statistic = score @ np.linalg.solve((X * weight[:, None]).T @ X, score)
        assert found.z**2 == pytest.approx(statistic, rel=1e-6)
    square = jg.glm("count ~ g", TABLE, "poisson")
    assert np.isnan(link_test(square.fit, square.family, *square._fitted("a test")).z)


def test_the_variance_test_is_koenkers() -> None:
    fit = jg.glm("line ~ x + z", TABLE)
    found = variance_test(fit.fit, fit.family, *fit._fitted("a test"))
    exog = sm.add_constant(fit.fittedvalues)
    wanted = het_breuschpagan(fit.resid("response"), exog)
    assert found.z**2 == pytest.approx(wanted[0], rel=1e-9)
    assert found.pvalue == pytest.approx(wanted[1], rel=1e-9)


def test_variance_inflation_as_car() -> None:
    # R: car::vif of models on MASS::birthwt and mtcars, kappa(exact = TRUE) of scaled columns.
    folder = "tests/data/reference/data"
    births = pd.read_csv(f"{folder}/birthwt.csv")
    fit = jg.glm("low ~ age + lwt + race + smoke", births, "binomial")
    known = [1.051052711335869, 1.128238520341400, 1.461976592065279, 1.301875754166384]
    np.testing.assert_allclose(fit.vif().gvif, known, rtol=1e-8)
    assert fit.vif().df.tolist() == [1, 1, 2, 1]
    cars = jg.glm("mpg ~ wt + hp + disp + C(cyl)", pd.read_csv(f"{folder}/mtcars.csv"))
    known = [2.316952990265270, 1.879163115169354, 3.591780419069496, 1.731714648819165]
    np.testing.assert_allclose(cars.vif().per_coefficient, known, rtol=1e-9)
    assert cars.condition_number == pytest.approx(23.39111389852269, rel=1e-9)
    robust = cars.robust("HC3")
    pd.testing.assert_frame_equal(robust.vif(), cars.vif())
    with pytest.raises(jg.DataError, match="one term"):
        jg.glm("line ~ x", TABLE).vif()


def test_aliased_columns_take_no_part_in_inflation() -> None:
    table = TABLE.assign(twice=2 * TABLE.x)
    with pytest.warns(jg.RankWarning):
        fit = jg.glm("line ~ x + twice + z", table)
    wanted = jg.glm("line ~ x + z", TABLE).vif()
    np.testing.assert_allclose(fit.vif().gvif, wanted.gvif)
    assert "collinearity" in topics(fit)
