"""What a result answers: held against statsmodels, definitions, and itself after a round trip."""

import dataclasses
import pickle
import warnings
from typing import Any

import mpmath
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import special

import jaxglm as jg
from jaxglm import inference
from jaxglm.algebra import Root
from jaxglm.inference import NewResponses, Prediction
from tests.old_files import without_covariance

ROWS = pd.Index([f"row{i}" for i in range(120)], name="id")


def table() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    x = rng.normal(size=120)
    group = rng.choice(["a", "b", "c"], size=120)
    mean = np.exp(0.4 + 0.5 * x + 0.6 * (group == "b"))
    return pd.DataFrame(
        {
            "x": x,
            "g": group,
            "e": rng.uniform(0.5, 2.0, size=120),
            "count": rng.poisson(mean),
            "hit": (rng.uniform(size=120) < special.expit(x)).astype(int),
            "size": rng.integers(3, 20, size=120),
            "time": rng.gamma(3.0, mean / 3.0),
        },
        index=ROWS,
    ).assign(wins=lambda t: rng.binomial(t["size"], special.expit(0.5 * t["x"])))


DATA = table()
DESIGN = sm.add_constant(
    pd.DataFrame({"x": DATA.x, "b": 1.0 * (DATA.g == "b"), "c": 1.0 * (DATA.g == "c")})
)
MODELS: dict[str, tuple[str, Any, dict[str, str], Any]] = {
    "gaussian": ("time", "gaussian", {}, sm.families.Gaussian()),
    "poisson": ("count", "poisson", {"exposure": "e"}, sm.families.Poisson()),
    "binomial": ("hit", "binomial", {}, sm.families.Binomial()),
    "gamma": ("time", jg.Gamma(link=jg.Log()), {}, sm.families.Gamma(sm.families.links.Log())),
    "nb": (
        "count",
        jg.NegativeBinomial(alpha=0.5),
        {},
        sm.families.NegativeBinomial(alpha=0.5),
    ),
}


@pytest.fixture(scope="module", params=MODELS)
def pair(request: pytest.FixtureRequest) -> tuple[jg.Results, Any]:
    """The same model by this library and by statsmodels."""
    response, family, extra, theirs = MODELS[request.param]
    ours = jg.glm(f"{response} ~ x + g", DATA, family=family, **extra)
    exposure = DATA.e if extra else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = sm.GLM(DATA[response], DESIGN, family=theirs, exposure=exposure).fit(tol=1e-12)
    return ours, fit


@pytest.fixture(scope="module")
def poisson() -> jg.Results:
    return jg.glm("count ~ x + g", DATA, family="poisson")


@pytest.fixture(scope="module")
def logistic() -> jg.Results:
    return jg.glm("hit ~ x + g", DATA, family="binomial")


def relabelled(results: jg.Results, family: jg.Family) -> jg.Results:
    """The same numbers under another family: what depends on the family alone needs no fit."""
    df = None if family.dispersion_fixed else results.df_resid
    covariance = dataclasses.replace(results.fit.covariance, df=df)
    fit = dataclasses.replace(results.fit, covariance=covariance)
    return jg.Results(fit, dataclasses.replace(results.model, family=family))


# -- estimates ---------------------------------------------------------------------------------


def test_estimates_equal_statsmodels(pair: tuple[jg.Results, Any]) -> None:
    ours, theirs = pair
    np.testing.assert_allclose(ours.params, theirs.params, rtol=1e-7)
    np.testing.assert_allclose(ours.bse, theirs.bse, rtol=1e-6)
    np.testing.assert_allclose(ours.tvalues, theirs.tvalues, rtol=1e-6)
    np.testing.assert_allclose(ours.cov_params(), theirs.cov_params(), rtol=1e-5, atol=1e-12)
    for name in ("deviance", "null_deviance", "pearson_chi2", "scale", "df_model", "df_resid"):
        assert getattr(ours, name) == pytest.approx(getattr(theirs, name), rel=1e-7), name
    assert ours.nobs == theirs.nobs == 120
    assert ours.converged and ours.status is jg.Status.CONVERGED
    assert ours.n_iter > 0 and ours.method == "irls"


def test_tests_use_t_where_the_dispersion_is_estimated(pair: tuple[jg.Results, Any]) -> None:
    ours, theirs = pair
    if not ours.use_t:
        np.testing.assert_allclose(ours.pvalues, theirs.pvalues, rtol=1e-5)
        np.testing.assert_allclose(ours.conf_int(0.1), theirs.conf_int(0.1), rtol=1e-6, atol=1e-9)
        return
    # statsmodels keeps the normal distribution there; R does not.
    expected = 2 * special.stdtr(ours.df_resid, -np.abs(ours.tvalues))
    np.testing.assert_allclose(ours.pvalues, expected, rtol=1e-12)
    reach = special.stdtrit(ours.df_resid, 0.975) * ours.bse
    np.testing.assert_allclose(ours.conf_int()[1], ours.params + reach, rtol=1e-12)


def test_p_sized_answers_carry_the_names(poisson: jg.Results) -> None:
    names = ["Intercept", "x", "g[T.b]", "g[T.c]"]
    for answer in (poisson.params, poisson.bse, poisson.tvalues, poisson.pvalues):
        assert isinstance(answer, pd.Series) and list(answer.index) == names
    assert list(poisson.conf_int().index) == names and list(poisson.conf_int().columns) == [0, 1]
    covariance = poisson.cov_params()
    assert list(covariance.index) == list(covariance.columns) == names
    answer = poisson.params
    answer["x"] = np.nan
    assert np.isfinite(poisson.params["x"])


def test_criteria_count_as_r_does(pair: tuple[jg.Results, Any]) -> None:
    ours, _ = pair
    k = 4 + (ours.family.name in ("gaussian", "gamma"))
    assert ours.aic == pytest.approx(-2 * ours.llf + 2 * k, rel=1e-14)
    assert ours.bic == pytest.approx(-2 * ours.llf + k * np.log(120), rel=1e-14)
    assert ours.llnull < ours.llf


def test_quasi_families_have_no_likelihood() -> None:
    fit = jg.glm("count ~ x", DATA, family="quasipoisson")
    assert all(np.isnan([fit.llf, fit.llnull, fit.aic, fit.bic]))
    assert fit.use_t and fit.scale == pytest.approx(fit.pearson_chi2 / fit.df_resid)


@pytest.mark.parametrize("df", [None, 1, 5, 48, 1000])
@pytest.mark.parametrize("size", [0.3, 2.0, 10.0, 37.0])
def test_p_values_are_accurate_far_into_the_tail(df: float | None, size: float) -> None:
    with mpmath.workdps(40):
        if df is None:
            exact = mpmath.erfc(mpmath.mpf(size) / mpmath.sqrt(2))
        else:
            share = mpmath.mpf(df) / (df + mpmath.mpf(size) ** 2)
            half = mpmath.mpf(1) / 2
            exact = mpmath.betainc(mpmath.mpf(df) / 2, half, 0, share, regularized=True)
        _, p = inference.wald(np.array([-size]), np.array([1.0]), df)
        assert abs(mpmath.mpf(float(p[0])) / exact - 1) < 1e-12


@pytest.mark.parametrize("alpha", [0.0, 1.0, 95])
def test_an_impossible_level_is_refused(poisson: jg.Results, alpha: float) -> None:
    with pytest.raises(ValueError, match="alpha must lie between 0 and 1"):
        poisson.conf_int(alpha)


# -- predictions ---------------------------------------------------------------------------------


def test_predictions_equal_statsmodels(pair: tuple[jg.Results, Any]) -> None:
    ours, theirs = pair
    frame = ours.get_prediction().summary_frame()
    # Without arguments statsmodels leaves the exposure of the fit out of its predictions.
    exposure = DATA.e if "exposure" in ours.model.used else None
    expected = theirs.get_prediction(DESIGN, exposure=exposure).summary_frame()
    assert list(frame.columns) == list(expected.columns)
    assert frame.index.equals(ROWS)
    np.testing.assert_allclose(frame["mean"], expected["mean"], rtol=1e-7)
    np.testing.assert_allclose(frame["mean_se"], expected["mean_se"], rtol=1e-6)
    if not ours.use_t:
        np.testing.assert_allclose(frame["mean_ci_lower"], expected["mean_ci_lower"], rtol=1e-6)
        np.testing.assert_allclose(frame["mean_ci_upper"], expected["mean_ci_upper"], rtol=1e-6)


def test_linear_scale(poisson: jg.Results) -> None:
    prediction = poisson.get_prediction(DATA.head(5))
    frame = prediction.summary_frame(alpha=0.1, which="linear")
    assert list(frame.columns) == ["linear", "linear_se", "linear_ci_lower", "linear_ci_upper"]
    np.testing.assert_allclose(frame["linear"], poisson.predict(DATA.head(5), which="linear"))
    np.testing.assert_allclose(np.exp(frame["linear"]), prediction.predicted_mean)
    np.testing.assert_allclose(prediction.se_mean, prediction.predicted_mean * frame["linear_se"])
    means = prediction.conf_int(alpha=0.1)
    np.testing.assert_allclose(np.log(means["upper"]), frame["linear_ci_upper"])
    with pytest.raises(ValueError, match='must be "mean"'):
        poisson.predict(which="link")  # type: ignore[arg-type]


def test_predict_returns_one_row_per_row(poisson: jg.Results) -> None:
    new = DATA.iloc[[5, 3, 5]].copy()
    new.iloc[1, new.columns.get_loc("x")] = np.nan
    with pytest.warns(jg.DataWarning, match=r"1 row \(1\), which gets nan"):
        predicted = poisson.predict(new)
    assert list(predicted.index) == ["row5", "row3", "row5"]
    assert np.isnan(predicted.iloc[1]) and np.isfinite(predicted.iloc[[0, 2]]).all()
    with pytest.warns(jg.DataWarning, match="missing"):
        frame = poisson.get_prediction(new).summary_frame()
    assert frame.iloc[1].isna().all() and frame.iloc[[0, 2]].notna().all(axis=None)


def test_fitted_values_are_the_predictions_of_the_training_rows(poisson: jg.Results) -> None:
    np.testing.assert_allclose(poisson.fittedvalues, poisson.predict(DATA), rtol=1e-13)
    assert poisson.fittedvalues.index.equals(ROWS)


def test_unseen_levels_follow_the_policy(poisson: jg.Results) -> None:
    new = DATA.head(2).assign(g=["a", "z"])
    with pytest.raises(jg.DataError, match="z"):
        poisson.predict(new)
    based = poisson.predict(new, unseen="base")
    assert based.iloc[1] == pytest.approx(poisson.predict(new.assign(g="a")).iloc[1])
    assert list(poisson.predict(new, unseen="nan").isna()) == [False, True]


@pytest.mark.parametrize("name", ["offset", "exposure"])
def test_an_offset_of_the_fit_is_required_for_new_data(name: str) -> None:
    fit = jg.glm("count ~ x", DATA, family="poisson", **{name: "e"})
    with pytest.raises(jg.DataError, match=f"fitted with {name}="):
        fit.predict(DATA)
    with pytest.raises(jg.DataError, match=f"fitted with {name}="):
        fit.get_prediction(DATA)
    with pytest.raises(jg.DataError, match="Give data="):
        fit.predict(offset=DATA.e)
    np.testing.assert_allclose(fit.predict(DATA, **{name: DATA.e}), fit.fittedvalues, rtol=1e-12)


def test_an_offset_in_the_formula_needs_no_argument() -> None:
    fit = jg.glm("count ~ x + offset(log(e))", DATA, family="poisson")
    np.testing.assert_allclose(fit.predict(DATA), fit.fittedvalues, rtol=1e-12)


def test_prediction_variances_are_those_of_the_written_out_product(poisson: jg.Results) -> None:
    whole = poisson.get_prediction().linear_se
    X = DESIGN.to_numpy()
    direct = np.sqrt(np.einsum("ij,jk,ik->i", X, poisson.cov_params(), X))
    np.testing.assert_allclose(whole, direct, rtol=1e-12)


@pytest.mark.parametrize(
    ("family", "eta", "lower", "upper"),
    [
        # Around eta -+ 1; an end that no mean belongs to stands for the edge of the range.
        (jg.Poisson(link=jg.Identity()), 0.5, 0.0, 1.5),
        (jg.Poisson(link=jg.Sqrt()), 0.5, 0.0, 2.25),
        (jg.Gamma(), 0.5, 1 / 1.5, np.inf),
        (jg.Gamma(), 2.0, 1 / 3, 1.0),
        (jg.Binomial(link=jg.Log()), -0.5, np.exp(-1.5), 1.0),
        # Across the pole of 1/eta every large mean of either sign is inside.
        (jg.Gaussian(link=jg.Inverse()), 0.5, -np.inf, np.inf),
        (jg.Gaussian(link=jg.Inverse()), -2.0, -1.0, -1 / 3),
    ],
    ids=str,
)
def test_intervals_stay_inside_the_range_of_the_mean(
    family: jg.Family, eta: float, lower: float, upper: float
) -> None:
    se = np.array([1 / special.ndtri(0.975)])
    responses = NewResponses(family, 1.0, np.ones(1), None)
    prediction = Prediction(family, np.array([eta]), se, None, pd.RangeIndex(1), responses)
    np.testing.assert_allclose(prediction.conf_int().iloc[0], [lower, upper], rtol=1e-12)


# -- residuals -----------------------------------------------------------------------------------


def test_residuals_equal_statsmodels(pair: tuple[jg.Results, Any]) -> None:
    ours, theirs = pair
    for kind in ("response", "pearson", "deviance", "working"):
        expected = getattr(theirs, f"resid_{kind}")
        np.testing.assert_allclose(ours.resid(kind), expected, rtol=1e-6, atol=1e-7, err_msg=kind)
        pd.testing.assert_series_equal(ours.resid(kind), getattr(ours, f"resid_{kind}"))
    assert ours.resid().index.equals(ROWS)
    assert np.sum(ours.resid("pearson") ** 2) == pytest.approx(ours.pearson_chi2)
    assert np.sum(ours.resid("deviance") ** 2) == pytest.approx(ours.deviance)
    with pytest.raises(ValueError, match="'response', 'pearson', 'deviance', 'working'"):
        ours.resid("studentized")  # type: ignore[arg-type]


def test_residuals_carry_prior_weights_and_trials_but_not_frequencies() -> None:
    grouped = jg.glm("wins ~ x", DATA, family="binomial", trials="size")
    assert np.sum(grouped.resid("pearson") ** 2) == pytest.approx(grouped.pearson_chi2)
    repeated = jg.glm("count ~ x", DATA, family="poisson", freq_weights="size")
    squares = np.sum(DATA["size"] * repeated.resid("deviance") ** 2)
    assert squares == pytest.approx(repeated.deviance)


def test_residuals_keep_their_digits_where_a_probability_rounds_to_one() -> None:
    X = np.ones((4, 1))
    far = jg.GLM([1, 0, 1, 1], X, "binomial", offset=[0.0, 0.0, 45.0, 45.0]).fit()
    # At y = 1 the working residual is 1/mu, however close mu is to one.
    np.testing.assert_allclose(far.resid("working").iloc[2:], 1.0, rtol=1e-12)
    assert (far.resid("response").iloc[2:] > 0).all()
    assert (far.resid("pearson").iloc[2:] < 1e-8).all()


# -- effects ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("family", "label"),
    [
        (jg.Binomial(), "odds ratio"),
        (jg.QuasiBinomial(), "odds ratio"),
        (jg.Quasi("mu(1-mu)", link=jg.Logit()), "odds ratio"),
        (jg.Binomial(link=jg.CLogLog()), "hazard ratio"),
        (jg.Binomial(link=jg.Log()), "risk ratio"),
        (jg.Poisson(), "rate ratio"),
        (jg.QuasiPoisson(), "rate ratio"),
        (jg.NegativeBinomial(alpha=0.5), "rate ratio"),
        (jg.Gamma(link=jg.Log()), "ratio of means"),
        (jg.Gaussian(link=jg.Log()), "ratio of means"),
        (jg.Tweedie(power=1.5), "ratio of means"),
    ],
    ids=str,
)
def test_effects_are_labelled_for_what_they_are(
    poisson: jg.Results, family: jg.Family, label: str
) -> None:
    fit = relabelled(poisson, family)
    effects = fit.effects(alpha=0.1)
    assert list(effects.columns) == [label, "conf_low", "conf_high", "p_value"]
    assert list(effects.index) == ["x", "g[T.b]", "g[T.c]"]
    np.testing.assert_allclose(effects[label], np.exp(fit.params.iloc[1:]))
    np.testing.assert_allclose(effects["conf_high"], np.exp(fit.conf_int(0.1)[1].iloc[1:]))
    if label == "odds ratio":
        pd.testing.assert_frame_equal(fit.odds_ratios(alpha=0.1), effects)
    else:
        with pytest.raises(ValueError, match=rf"'{label}'. Use effects\(\)"):
            fit.odds_ratios()


@pytest.mark.parametrize(
    ("family", "words"),
    [
        (jg.Gaussian(), "difference of the mean"),
        (jg.Binomial(link=jg.Probit()), "not comparable with a logit"),
        (jg.Binomial(link=jg.Cauchit()), "Cauchy"),
        (jg.Binomial(link=jg.LogLog()), "cloglog"),
        (jg.Gamma(), "positive one lowers the mean"),
        (jg.Poisson(link=jg.Sqrt()), "square root"),
        (jg.Gaussian(link=jg.Power(0.3)), "power of the mean"),
    ],
    ids=str,
)
def test_meaningless_ratios_are_refused(poisson: jg.Results, family: jg.Family, words: str) -> None:
    fit = relabelled(poisson, family)
    for ask in (fit.effects, fit.odds_ratios):
        with pytest.raises(ValueError, match=words) as refused:
            ask()
        assert "predicted means" in str(refused.value)


def test_a_separated_effect_shows_its_limit() -> None:
    rows = DATA.assign(hit=lambda t: np.where(t.g == "c", 1, t.hit))
    fit = jg.glm("hit ~ x + g", rows, family="binomial", on_failure="ignore")
    effect = fit.odds_ratios().loc["g[T.c]"]
    assert effect["odds ratio"] == np.inf and effect[["conf_low", "p_value"]].isna().all()
    assert not fit.converged


# -- overdispersion ------------------------------------------------------------------------------


def test_the_poisson_test_is_the_score_statistic(poisson: jg.Results) -> None:
    y, mu = DATA["count"], poisson.fittedvalues
    excess = np.sum((y - mu) ** 2 - y) + 4 / 120 * np.sum(mu)
    report = poisson.overdispersion()
    assert report.statistic == pytest.approx(excess / np.sqrt(2 * np.sum(mu**2)), rel=1e-10)
    assert report.pvalue == pytest.approx(special.ndtr(-report.statistic))
    assert report.pearson_ratio == pytest.approx(poisson.pearson_chi2 / poisson.df_resid)
    assert report.overdispersed is False and not report.serious
    assert "No sign" in str(report)


def test_overdispersed_counts_are_seen_and_told_what_next() -> None:
    hr = jg.datasets.load_hr(1000)
    report = jg.glm("sick_days ~ salary", hr, family="poisson").overdispersion()
    assert report.overdispersed and report.serious
    for word in ("quasipoisson", "negative_binomial", "too small"):
        assert word in report.advice


def test_a_negative_binomial_is_tested_with_its_own_fourth_moment() -> None:
    rng = np.random.default_rng(5)
    rows = pd.DataFrame({"y": rng.negative_binomial(2.0, 0.2, size=400)})
    right = jg.glm("y ~ 1", rows, family=jg.NegativeBinomial(alpha=0.5)).overdispersion()
    assert right.overdispersed is False
    tight = jg.glm("y ~ 1", rows, family=jg.NegativeBinomial(alpha=0.1)).overdispersion()
    assert tight.overdispersed and tight.serious
    variance = 400 * (2 + 0.6 + 1 / (rows.y.mean() + 0.1 * rows.y.mean() ** 2))
    expected = (tight.pearson_chi2 - 399) / np.sqrt(variance)
    assert tight.statistic == pytest.approx(expected)


def test_underdispersed_counts_are_seen() -> None:
    rows = pd.DataFrame({"y": [4, 5] * 60})
    report = jg.glm("y ~ 1", rows, family="poisson").overdispersion()
    assert report.underdispersed and "too large" in report.advice
    assert report.pvalue == pytest.approx(1) and report.pvalue_lower < 1e-9
    assert "p of so little variation = " in str(report) and "1.000" not in str(report)
    shares = pd.DataFrame({"won": [4, 5, 5, 6] * 20, "n": [10] * 80})
    report = jg.glm("won ~ 1", shares, family="binomial", trials="n").overdispersion()
    assert report.pvalue_lower == pytest.approx(special.chdtr(79, report.pearson_chi2))


@pytest.mark.slow
def test_rows_at_their_limit_have_residuals_and_make_no_underdispersion() -> None:
    rows = pd.DataFrame({"y": [3, 1, 2, 4, 1, 2] + [0] * 40, "g": list("aaaaaa") + ["b"] * 40})
    for family in ("poisson", jg.NegativeBinomial(alpha=0.5)):
        fit = jg.glm("y ~ g", rows, family, on_failure="ignore")
        kinds: tuple[Any, ...] = ("response", "pearson", "deviance", "working", "anscombe")
        assert all((fit.resid(kind)[6:] == 0).all() for kind in kinds)
    report = jg.glm("y ~ g", rows, "poisson", on_failure="ignore").overdispersion()
    assert report.pearson_ratio < 0.1 and not report.underdispersed
    assert "at its limit (separation)" in report.caution


def test_single_trials_cannot_show_overdispersion(logistic: jg.Results) -> None:
    report = logistic.overdispersion()
    assert report.overdispersed is None and not report.serious and np.isnan(report.pvalue)
    assert "successes and failures" in report.caution


def test_grouped_trials_are_tested_by_pearson() -> None:
    report = jg.glm("wins ~ x", DATA, family="binomial", trials="size").overdispersion()
    assert report.pvalue == pytest.approx(special.chdtrc(report.df_resid, report.pearson_chi2))
    assert report.overdispersed is False and "Cochran" in report.caution


COUNTED = {
    "poisson": ("count", jg.Poisson()),
    "negative binomial": ("count", jg.NegativeBinomial(alpha=0.5)),
    "binomial": ("share", jg.Binomial()),
}


@pytest.mark.parametrize("case", COUNTED)
def test_weights_on_a_wrong_scale_are_named_before_the_model(case: str) -> None:
    """Weights a hundred times too large make the ratio a hundred times too large."""
    response, family = COUNTED[case]
    rows = DATA.assign(share=DATA.wins / DATA["size"])
    weight = 100 * rows["size"] if case == "binomial" else np.full(len(rows), 100.0)
    fit = jg.glm(f"{response} ~ x", rows, family, var_weights=weight)
    report = fit.overdispersion()
    assert report.serious and report.caution.startswith("chi2 is proportional to var_weights")
    assert "as the model and the var_weights allow" in report.advice
    assert "If the weights are right" in report.advice
    note = next(note for note in fit.notes if note.startswith("Overdispersion"))
    assert note.index("var_weights") < note.index("standard errors")


def test_frequencies_that_count_nothing_are_named_before_the_model() -> None:
    rows = DATA.assign(noisy=DATA["count"] + 3 * (DATA["count"] > DATA["count"].median()))
    fit = jg.glm("noisy ~ 1", rows, "poisson", freq_weights=np.full(len(rows), 50))
    report = fit.overdispersion()
    assert report.overdispersed and report.caution.startswith("freq_weights count a row")
    plain = jg.glm("noisy ~ 1", rows, "poisson").overdispersion()
    assert "weights" not in str(plain) and "exposure is missing" in plain.advice
    known = jg.glm("noisy ~ 1", rows, "poisson", exposure=np.ones(len(rows))).overdispersion()
    assert "exposure" not in known.advice


def test_shares_without_trials_cannot_show_overdispersion() -> None:
    report = jg.glm("share ~ x", DATA.assign(share=DATA.wins / DATA["size"]), "binomial")
    assert report.overdispersion().overdispersed is None
    assert "trials=" in report.overdispersion().caution


def test_an_estimated_dispersion_needs_no_test() -> None:
    report = jg.glm("count ~ x", DATA, family="quasipoisson").overdispersion()
    assert report.test == "" and report.overdispersed is None
    assert "already include it" in str(report)


# -- tables ----------------------------------------------------------------------------------------


def test_tidy_and_glance(poisson: jg.Results) -> None:
    tidy = poisson.tidy(alpha=0.1)
    names = "term estimate std_error statistic p_value conf_low conf_high infinite"
    assert list(tidy.columns) == names.split() and not tidy["infinite"].any()
    np.testing.assert_array_equal(tidy["estimate"], poisson.params)
    np.testing.assert_array_equal(tidy[["conf_low", "conf_high"]], poisson.conf_int(0.1))
    glance = poisson.glance()
    assert len(glance) == 1 and glance.loc[0, "aic"] == poisson.aic
    assert glance.loc[0, "family"] == "poisson" and glance.loc[0, "converged"]
    assert glance.loc[0, "status"] == "converged"


def test_aliased_columns_are_nan_and_take_no_part() -> None:
    rows = DATA.assign(twice=2 * DATA.x)
    fit = jg.glm("count ~ x + twice + g", rows, family="poisson", on_failure="ignore")
    without = jg.glm("count ~ x + g", rows, family="poisson")
    assert np.isnan(fit.params["twice"]) and np.isnan(fit.bse["twice"])
    assert fit.aic == pytest.approx(without.aic) and fit.df_resid == without.df_resid
    frames = [f.get_prediction(rows).summary_frame() for f in (fit, without)]
    pd.testing.assert_frame_equal(*frames)


def test_a_saturated_gaussian_has_no_dispersion() -> None:
    fit = jg.GLM([1.0, 2.0], np.eye(2)).fit(on_failure="ignore")
    assert np.isnan(fit.scale) and fit.bse.isna().all()
    with pytest.warns(jg.DataWarning, match="no standard error .* no dispersion"):
        assert fit.get_prediction().summary_frame()["mean_se"].isna().all()


# -- without the data ----------------------------------------------------------------------------


@pytest.fixture(params=["pickle", "save"])
def round_trip(request: pytest.FixtureRequest, tmp_path: Any) -> Any:
    """A function that sends a result through a file and back."""

    def saved(results: jg.Results, **given: Any) -> jg.Results:
        results.save(tmp_path / "fit.jaxglm")
        return jg.load(tmp_path / "fit.jaxglm", **given)

    return saved if request.param == "save" else lambda r, **_: pickle.loads(pickle.dumps(r))


class Halved(jg.Link):
    name = "halved"

    def link(self, mu: Any) -> Any:
        return mu / 2

    def inverse(self, eta: Any) -> Any:
        return 2 * eta


FAMILIES = [
    jg.Gaussian(),
    jg.Gaussian(link=jg.Power(0.5)),
    jg.Binomial(link=jg.CLogLog()),
    jg.Poisson(),
    jg.Gamma(link=jg.Log()),
    jg.InverseGaussian(link=jg.Log()),
    jg.Tweedie(power=1.4),
    jg.NegativeBinomial(alpha=0.7),
    jg.QuasiPoisson(),
    jg.QuasiBinomial(),
    jg.Quasi("mu^2", link=jg.Log()),
]


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_a_result_survives_without_its_data(
    poisson: jg.Results, family: jg.Family, round_trip: Any
) -> None:
    fit = relabelled(poisson, family)
    back = round_trip(fit)
    assert back.family == fit.family
    pd.testing.assert_frame_equal(back.tidy(), fit.tidy())
    pd.testing.assert_frame_equal(back.glance(), fit.glance())
    assert str(back.summary()) == str(fit.summary())
    pd.testing.assert_frame_equal(
        back.get_prediction(DATA).summary_frame(), fit.get_prediction(DATA).summary_frame()
    )
    assert str(back.overdispersion()) == str(fit.overdispersion())
    assert back.model.dataset is None and back.model.terms == fit.model.terms
    assert back.fit.notes == fit.fit.notes


def test_an_estimated_shape_survives(round_trip: Any) -> None:
    fit = jg.glm("sick_days ~ 1", jg.datasets.load_hr(300), family="negative_binomial")
    back = round_trip(fit)
    assert back.family.alpha == fit.family.alpha == fit.fit.alpha
    assert back.fit.alpha_se == fit.fit.alpha_se and str(back.summary()) == str(fit.summary())


def test_what_needs_the_data_says_so(poisson: jg.Results, round_trip: Any) -> None:
    back = round_trip(poisson)
    for ask in (back.resid, lambda: back.fittedvalues, back.predict, back.get_prediction):
        with pytest.raises(jg.DataError, match="this result holds none"):
            ask()
    assert str(round_trip(back).summary()) == str(poisson.summary())


def test_a_result_of_arrays_survives(round_trip: Any) -> None:
    X = jg.add_constant(DATA[["x", "e"]].to_numpy())
    fit = jg.GLM(DATA["count"].to_numpy(), X, "poisson", exposure=DATA.e).fit()
    back = round_trip(fit)
    new = {"exposure": DATA.e.to_numpy()}
    pd.testing.assert_series_equal(back.predict(X, **new), fit.predict(X, **new))
    with pytest.raises(jg.DataError, match="exposure"):
        back.predict(X)


def test_a_saved_file_holds_no_code(poisson: jg.Results, tmp_path: Any) -> None:
    path = tmp_path / "fit"
    poisson.save(path)
    assert path.exists(), "the name is kept as given"
    with np.load(path, allow_pickle=False) as archive:
        assert "coef" in archive.files
        assert archive["header.json"].dtype == np.uint8


def test_another_covariance_is_taken_as_it_is(poisson: jg.Results, round_trip: Any) -> None:
    root = Root(*(2.0 * part for part in poisson.fit.covariance.root))
    covariance = poisson.fit.covariance.another(root, "another", scale=0.25, df=3.0)
    other = jg.Results(dataclasses.replace(poisson.fit, covariance=covariance), poisson.model)
    assert "P>|t|" in str(other.summary()) and other.scale == poisson.scale
    pd.testing.assert_series_equal(other.bse, poisson.bse)
    pd.testing.assert_frame_equal(other.cov_params(), poisson.cov_params())
    np.testing.assert_allclose(other.pvalues, 2 * special.stdtr(3.0, -abs(poisson.tvalues)))
    ours, theirs = other.get_prediction(DATA), poisson.get_prediction(DATA)
    np.testing.assert_allclose(ours.linear_se, theirs.linear_se, rtol=1e-14)
    low = theirs.linear + special.stdtrit(3.0, 0.025) * theirs.linear_se
    np.testing.assert_allclose(ours.conf_int(which="linear")["lower"], low)
    back = round_trip(other)
    assert back.fit.covariance.kind == "another"
    pd.testing.assert_frame_equal(back.tidy(), other.tidy())
    pd.testing.assert_frame_equal(back.get_prediction(DATA).summary_frame(), ours.summary_frame())


@pytest.mark.parametrize("family", [jg.Poisson(), jg.QuasiPoisson()], ids=str)
def test_a_file_that_says_nothing_of_its_covariance_is_read(
    poisson: jg.Results, family: jg.Family, tmp_path: Any
) -> None:
    fit = relabelled(poisson, family)
    fit.save(tmp_path / "fit")
    without_covariance(tmp_path / "fit")
    back = jg.load(tmp_path / "fit")
    assert back.use_t == fit.use_t and back.fit.covariance.kind == "nonrobust"
    pd.testing.assert_frame_equal(back.tidy(), fit.tidy())
    pd.testing.assert_frame_equal(back.cov_params(), fit.cov_params())
    frames = [one.get_prediction(DATA).summary_frame() for one in (back, fit)]
    pd.testing.assert_frame_equal(*frames)


def test_own_code_is_asked_for_when_loading(poisson: jg.Results, tmp_path: Any) -> None:
    own = jg.Gaussian(link=Halved())
    fit = relabelled(poisson, own)
    fit.save(tmp_path / "own")
    with pytest.raises(jg.DataError, match=r"Halved.*family=\.\.\."):
        jg.load(tmp_path / "own")
    with pytest.raises(jg.DataError, match="Gaussian"):
        jg.load(tmp_path / "own", family=jg.Poisson())
    back = jg.load(tmp_path / "own", family=own)
    pd.testing.assert_series_equal(back.predict(DATA), fit.predict(DATA))


@pytest.mark.parametrize("content", [b"", b"not a result", b"PK\x03\x04 broken"])
def test_a_foreign_file_is_refused(content: bytes, tmp_path: Any) -> None:
    path = tmp_path / "foreign"
    path.write_bytes(content)
    with pytest.raises(jg.DataError, match="not a result saved by jaxglm"):
        jg.load(path)


def test_a_newer_format_is_refused(
    poisson: jg.Results, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jaxglm.results._file.FORMAT", 99)
    poisson.save(tmp_path / "new")
    monkeypatch.undo()
    with pytest.raises(jg.DataError, match="format 99"):
        jg.load(tmp_path / "new")
