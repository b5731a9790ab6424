"""Comparisons follow the dispersion of the fit: known or estimated, whatever the family has."""

import functools
import json
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import jaxglm as jg
from jaxglm._tuning import tuned

from .reference.cases import load
from .reference.engine import fit_formula
from .test_comparisons import assert_is

pytestmark = pytest.mark.slow

R = json.loads((Path(__file__).parent / "data/comparisons/comparisons.json").read_text())["given"]
N = 40
RNG = np.random.default_rng(8)
TABLE = pd.DataFrame({"x": RNG.normal(size=N), "z": RNG.normal(size=N), "g": list("ab") * 20})
TABLE["y"] = RNG.poisson(np.exp(0.6 + 0.4 * TABLE["x"])) * RNG.integers(1, 3, N)


@functools.cache
def fit(formula: str = "y ~ x + z + g", family: Any = "poisson", **given: Any) -> jg.Results:
    return jg.glm(formula, TABLE, family, **given)


def plain_fit() -> jg.Results:
    return fit()


def one_fit() -> jg.Results:
    return fit(scale=1)


def quasi_fit() -> jg.Results:
    return fit(family="quasipoisson")


def pearson_fit() -> jg.Results:
    return fit(scale="pearson")


def two_fit() -> jg.Results:
    return fit(scale=2)


@pytest.mark.slow
@pytest.mark.parametrize("name", R)
def test_a_dispersion_that_was_given_is_known_as_in_r(name: str) -> None:
    theirs, plain = R[name], fit_formula(load(name))
    ours = jg.glm(
        plain.model.formula, load(name).frame, plain.family, scale=theirs["scale"], tol=1e-13
    )
    assert_is(jg.anova(ours).table, theirs["anova"])
    assert_is(jg.anova(ours, test="Rao").table, theirs["anova_rao"], rtol=1e-5)
    for test, key in ((None, "drop1"), ("Rao", "drop1_rao")):
        table = ours.drop1(test).table
        # AIC is less the same number in all models.
        shift = theirs[key]["columns"]["AIC"][0] - table["AIC"].iloc[0]
        assert_is(table.assign(AIC=table["AIC"] + shift), theirs[key], rtol=1e-5)
    ends = ours.conf_int(method="profile")
    for column, end in ((0, "lower"), (1, "upper")):
        np.testing.assert_allclose(ends[column], theirs["profile"][end], rtol=1e-7)


COMPARED: dict[str, Callable[[jg.Results], Any]] = {
    "type 1": lambda m: jg.anova(m).table,
    "type 1, Rao": lambda m: jg.anova(m, test="Rao").table,
    "type 2, F": lambda m: jg.anova(m, type=2, test="F").table,
    "type 3, LR": lambda m: jg.anova(m, type=3).table,
    "type 3, Wald": lambda m: jg.anova(m, type=3, test="Wald").table,
    "drop1": lambda m: m.drop1().table,
    "drop1, LRT": lambda m: m.drop1("LRT").table,
    "drop1, Rao": lambda m: m.drop1("Rao").table,
    "profile": lambda m: m.profile("x", n=3),
    "score": lambda m: pd.Series(m.score_test(TABLE.x**2).pvalue),
    "step": lambda m: m.step(criterion="qaic").tidy(),
    "constrained": lambda m: m.fit_constrained("x = 0.3").tidy(),
}


QUICK = ("type 1", "drop1, LRT", "profile", "constrained")


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n in QUICK else pytest.mark.slow) for n in COMPARED]
)
def test_an_estimated_dispersion_is_that_of_the_quasi_family(name: str) -> None:
    for one, other in ((pearson_fit(), quasi_fit()), (one_fit(), plain_fit())):
        ours, theirs = COMPARED[name](one), COMPARED[name](other)
        same = pd.testing.assert_series_equal if ours.ndim == 1 else pd.testing.assert_frame_equal
        same(ours, theirs, rtol=1e-9)
    assert one_fit().notes == plain_fit().notes


@pytest.mark.slow
def test_several_models_have_the_dispersion_of_the_largest() -> None:
    small = [fit("y ~ x", family) for family in ("poisson", "quasipoisson")]
    ours = jg.anova(fit("y ~ x", scale="pearson"), pearson_fit())
    pd.testing.assert_frame_equal(ours.table, jg.anova(small[1], quasi_fit()).table, rtol=1e-9)
    assert "F tests" in ours.title
    known = jg.anova(fit("y ~ x", scale=2), two_fit()).table.iloc[1]
    plain = jg.anova(small[0], plain_fit()).table.iloc[1]
    assert known["Pr(>Chi)"] == pytest.approx(stats.chi2.sf(plain["Deviance"] / 2, 2))
    for one in (small[0], fit("y ~ x", scale=3), fit("y ~ x", scale="deviance")):
        with pytest.raises(jg.DataError, match=r"dispersions were asked for as scale=.* and"):
            jg.anova(one, pearson_fit())
    for known_one in (two_fit(), plain_fit()):
        with pytest.raises(ValueError, match="F test is for an estimated dispersion"):
            jg.anova(known_one, test="F")
    shaped = [fit(f, "negative_binomial", scale="pearson") for f in ("y ~ x", "y ~ x + z")]
    with pytest.raises(jg.DataError, match="has a dispersion of its own"):
        jg.anova(*shaped)


def test_criteria_know_what_the_likelihood_does_not() -> None:
    assert "AIC" not in pearson_fit().drop1().table
    with pytest.raises(ValueError, match="nothing of an estimated dispersion"):
        pearson_fit().step()
    chosen = two_fit().step()
    path = chosen.path
    rank = N - path["Resid. Df"]
    np.testing.assert_allclose(path["AIC"], path["Resid. Dev"] / 2 + 2 * rank)
    assert chosen.scale == 2 and not chosen.use_t
    assert two_fit().step(criterion="qaic").path["QAIC"].to_list() == path["AIC"].to_list()
    with pytest.warns(jg.DataWarning, match="dispersion that scale= asked for"):
        jg.compare(plain_fit(), two_fit())


@pytest.mark.slow
@pytest.mark.parametrize("scale", ["deviance", "ml", 0.3])
def test_refits_have_a_dispersion_of_the_same_kind(scale: Any) -> None:
    table = TABLE.assign(y=TABLE.y + 0.5)
    gamma = jg.Gamma(link=jg.Log())
    whole = jg.glm("y ~ x + z", table, gamma, scale=scale)
    hand = jg.glm("y ~ z", table, gamma, scale=scale, offset=0.2 * TABLE.x)
    held = whole.fit_constrained("x = 0.2")
    assert held.scale == pytest.approx(hand.scale, rel=1e-8) and held.use_t == hand.use_t
    np.testing.assert_allclose(held.bse[["Intercept", "z"]], hand.bse, rtol=1e-8)
    fall = jg.glm("y ~ z", table, gamma).deviance - whole.deviance
    tail = stats.f.sf(fall / whole.scale, 1, whole.df_resid)
    if scale == 0.3:
        tail = stats.chi2.sf(fall / 0.3, 1)
    assert whole.drop1().table.loc["x"].iloc[-1] == pytest.approx(tail, rel=1e-6)


def test_robust_errors_are_kept_by_refits_and_said_beside_the_likelihood() -> None:
    ours = fit(cov_type="HC1", scale="pearson")
    assert ours.step(criterion="qaic").cov_type == "HC1"
    held = ours.fit_constrained("x = 2 * z + 0.1")
    # By hand: the sandwich of the free coefficients, and N V N' of that.
    X = ours.design_matrix().to_numpy()
    free = np.eye(4)[:, [0, 2, 3]]
    free[1, 1] = 2.0
    mu = held.fittedvalues.to_numpy()
    Z = X @ free
    bread = np.linalg.inv(Z.T * mu @ Z)
    scores = Z * (TABLE.y.to_numpy() - mu)[:, None]
    V = bread @ (scores.T @ scores) @ bread * N / (N - 3)
    np.testing.assert_allclose(held.cov_params(), free @ V @ free.T, rtol=1e-7, atol=1e-12)
    words = r"robust covariance \(HC1\) of the fit has no part"
    for found in (jg.anova(ours), jg.anova(ours, type=2), ours.drop1("Rao")):
        assert any("HC1" in note for note in found.notes)
    assert "HC1" in str(ours.score_test(TABLE.x**2))
    with pytest.warns(jg.DataWarning, match=words):
        ours.profile("x", n=3)
    wald = jg.anova(ours, type="II", test="Wald")
    assert wald.table.loc["x", "Chisq"] == pytest.approx(ours.wald_test("x = 0").statistic)
    assert any("chi-squared, as car has them" in note for note in wald.notes)
    assert pickle.loads(pickle.dumps(ours)).cov_type == "HC1"


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind",
    [
        {"cov_type": "HC3"},
        {"cluster": np.arange(N) // 4},
        {"cluster": np.arange(N) // 4, "type": "HC3"},
        {"cov_type": "HAC", "maxlags": 2},
        {"information": "observed"},
    ],
    ids=str,
)
def test_a_sandwich_under_constraints_is_that_of_the_columns_left(kind: dict[str, Any]) -> None:
    gamma, table = jg.Gamma(link=jg.Log()), TABLE.assign(y=TABLE.y + 0.5, u=2 * TABLE.x + TABLE.z)
    held = jg.glm("y ~ x + z + g", table, gamma).robust(**kind).fit_constrained("x = 2 * z + 0.1")
    hand = jg.glm("y ~ u + g", table, gamma, offset=0.1 * table.x).robust(**kind)
    assert held.cov_type == hand.cov_type and held.fit.covariance.df == hand.fit.covariance.df
    np.testing.assert_allclose(held.bse[["z", "g[T.b]"]], hand.bse[["u", "g[T.b]"]], rtol=1e-8)
    assert held.bse["x"] == pytest.approx(2 * held.bse["z"])
    segment = jg.fit_groups("y ~ x + z", table, "g", gamma, cov_type="HC0")["a"]
    assert segment.fit_constrained("z = 0").cov_type == "HC0"


@pytest.mark.slow
@pytest.mark.parametrize("kind", [{"cov_type": "HC1"}, {"information": "observed"}], ids=str)
def test_levels_that_were_eliminated_may_be_held(kind: dict[str, Any]) -> None:
    gamma, table = jg.Gamma(link=jg.Log()), TABLE.assign(y=TABLE.y + 0.5, f=list("abcde") * 8)
    table["two"] = table.f.replace({"b": "c"})
    with tuned(least_eliminated=2):
        free = jg.glm("y ~ x + f", table, gamma).robust(**kind)
        held = free.fit_constrained("f[T.b] = f[T.c]")
        hand = jg.glm("y ~ x + two", table, gamma).robust(**kind)
    assert free.fit.covariance.expected.root.diagonal.any() and held.cov_type == hand.cov_type
    names = {"x": "x", "f[T.b]": "two[T.c]", "f[T.c]": "two[T.c]", "f[T.d]": "two[T.d]"}
    np.testing.assert_allclose(held.bse[list(names)], hand.bse[list(names.values())], rtol=1e-8)


def test_a_covariance_that_cannot_be_made_again_is_missed_in_words() -> None:
    table = {"y": [1, 2, 4, 3, 5, 6.5], "x": [0, 0, 0, 0, 0, 1.0], "z": [1, 2, 3, 4, 6, 5.0]}
    ours = jg.glm("y ~ z", table, cov_type="HC3")
    with pytest.warns(jg.DataWarning, match=r"not of the kind of this one \(HC3\): HC3 divides"):
        chosen = ours.step("forward", scope=["x"], data=table, criterion="aic")
    assert chosen.cov_type == "nonrobust"


def test_files_keep_the_choice_and_the_constraints(tmp_path: Path) -> None:
    pearson_fit().fit_constrained("x = 0.3").save(tmp_path / "fit")
    found = jg.load(tmp_path / "fit")
    assert found.model.constraints == "x = 0.3"
    with pytest.warns(jg.DataWarning, match="cannot be told: results that were saved"):
        assert "F tests" in jg.anova(fit("y ~ z", scale="pearson"), found).title


def test_studentised_residuals_follow_the_dispersion_of_the_fit() -> None:
    """Reference: R's rstudent, of quasi-Poisson and of a known dispersion."""
    student = {
        m: m.rstudent().to_numpy() for m in (plain_fit(), quasi_fit(), pearson_fit(), two_fit())
    }
    np.testing.assert_allclose(student[pearson_fit()], student[quasi_fit()], rtol=1e-6)
    np.testing.assert_allclose(student[two_fit()], student[plain_fit()] / np.sqrt(2), rtol=1e-6)
    line = fit(family="gaussian")
    influence, given = line.get_influence(), fit(family="gaussian", scale=3.0).rstudent()
    left = 1 - influence.hat_matrix_diag
    np.testing.assert_allclose(given, line.resid("response") / np.sqrt(3 * left), rtol=1e-6)


ASKED_OF_A_DISTRIBUTION: dict[str, Callable[[jg.Results], Any]] = {
    "simulate": lambda m: m.simulate(seed=1),
    "interval": lambda m: m.get_prediction(interval="prediction").summary_frame(),
    "distribution": lambda m: m.get_distribution(TABLE),
    "residuals": lambda m: m.resid("quantile"),
}


@pytest.mark.parametrize("what", ASKED_OF_A_DISTRIBUTION)
def test_counts_with_another_dispersion_have_no_distribution(what: str) -> None:
    for model in (pearson_fit(), two_fit()):
        with pytest.raises(jg.DataError, match=r"with scale= .* no distribution .*negative_binom"):
            ASKED_OF_A_DISTRIBUTION[what](model)
        with pytest.raises(jg.DataError, match=r"with scale= .* no probabilities"):
            model.zero_inflation()
    ASKED_OF_A_DISTRIBUTION[what](one_fit())
    told = pearson_fit().get_prediction().interval_method
    assert told == "none: the model with this dispersion has no distribution"


def test_their_quantile_plot_has_no_envelope() -> None:
    assert pearson_fit().plot.qq().curve is None


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (pearson_fit, "already include it, as a dispersion of"),
        (two_fit, "already include a dispersion of 2, the number given"),
        (lambda: plain_fit().robust("HC1"), r"are robust to it \(HC1\)"),
    ],
)
def test_errors_that_allow_for_overdispersion_are_not_called_too_small(
    model: Callable[[], jg.Results], words: str
) -> None:
    assert "too small" in plain_fit().overdispersion().advice
    report = model().overdispersion()
    assert report.overdispersed
    assert "too small" not in str(report)
    assert "refit" not in str(report)
    assert re.search(f"the standard errors {words}", report.advice)
