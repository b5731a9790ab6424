"""How good a fitted model is: against R, statsmodels and sums over all pairs of rows."""

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf

import jaxglm as jg

pytestmark = pytest.mark.slow

R = json.loads((Path(__file__).parent / "data/quality/quality.json").read_text())
TABLE = pd.DataFrame(R["table"])
HALF = len(TABLE) // 2
EVENTS = "events ~ x + g + offset(log(years))"


@pytest.fixture(scope="module")
def died() -> jg.Results:
    return jg.glm("died ~ x + g", TABLE, family="binomial")


@pytest.fixture(scope="module")
def grouped() -> jg.Results:
    return jg.glm("cbind(hits, size - hits) ~ x + g", TABLE, family="binomial")


@pytest.fixture(scope="module")
def claims() -> jg.Results:
    return jg.glm("claims ~ x + g", TABLE, family="poisson", exposure="years")


@pytest.fixture(scope="module")
def amounts() -> jg.Results:
    return jg.glm("years ~ x + g", TABLE)


def close(found: Any, wanted: Any, rtol: float = 1e-9) -> None:
    np.testing.assert_allclose(found, wanted, rtol=rtol, atol=1e-12)


# -- scalars -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "of_r"), [("died", "single"), ("grouped",) * 2, ("claims", "poisson")]
)
def test_pseudo_rsquared_is_that_of_pscl(
    name: str, of_r: str, request: pytest.FixtureRequest
) -> None:
    fit, wanted = request.getfixturevalue(name), R[of_r]["r2"]
    close(fit.pseudo_rsquared(), wanted["McFadden"])
    close(fit.pseudo_rsquared("McFadden"), wanted["McFadden"])
    close(fit.pseudo_rsquared("cs"), wanted["r2ML"])
    close(fit.pseudo_rsquared("nagelkerke"), wanted["r2CU"])


def test_the_deviance_explained(died: jg.Results, amounts: jg.Results) -> None:
    close(died.rsquared, R["single"]["deviance"])
    close(died.pseudo_rsquared("deviance"), R["single"]["deviance"])
    close(died.d_squared(), died.rsquared)
    close(amounts.rsquared, R["gaussian"]["rsquared"])
    close(died.pseudo_rsquared("tjur"), R["single"]["tjur"])


def test_statsmodels_has_the_same(
    died: jg.Results, claims: jg.Results, amounts: jg.Results
) -> None:
    theirs = smf.glm("died ~ x + g", TABLE, family=sm.families.Binomial()).fit()
    for kind in ("mcf", "cs"):
        close(died.pseudo_rsquared(kind), theirs.pseudo_rsquared(kind))
    for crit in ("aic", "bic"):
        close(died.info_criteria(crit), theirs.info_criteria(crit))
    close(died.info_criteria("qaic", scale=1.7), theirs.info_criteria("qaic", scale=1.7))
    counts = smf.glm(
        "claims ~ x + g", TABLE, family=sm.families.Poisson(), exposure=TABLE.years
    ).fit()
    close(claims.info_criteria("qaic", scale=2.5), counts.info_criteria("qaic", scale=2.5))
    close(claims.pseudo_rsquared("cs"), counts.pseudo_rsquared("cs"))
    linear = smf.ols("years ~ x + g", TABLE).fit()
    close(amounts.rsquared, linear.rsquared)
    close(amounts.pseudo_rsquared("cs"), linear.rsquared)  # the same, for least squares


def test_information_criteria(died: jg.Results, amounts: jg.Results) -> None:
    close(
        [died.info_criteria("aic"), died.info_criteria("BIC")],
        [R["single"]["aic"], R["single"]["bic"]],
    )
    # Hurvich and Tsai count the variance among the parameters, as R's logLik does.
    n, k = len(TABLE), 5
    close(amounts.info_criteria("aicc"), amounts.aic + 2 * k * (k + 1) / (n - k - 1))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda f: f["quasi"].pseudo_rsquared(), "has none; kind='deviance' works"),
        (lambda f: f["quasi"].info_criteria("aic"), "family='poisson'.*'qaic', scale="),
        (lambda f: f["linear"].pseudo_rsquared("nagelkerke"), "unit of the response"),
        (lambda f: f["linear"].pseudo_rsquared("r2"), "must be one of"),
        (lambda f: f["linear"].info_criteria("qaic", 2.0), "crit='aic' has it"),
        (lambda f: f["linear"].info_criteria("dic"), "must be one of"),
        (lambda f: f["counts"].info_criteria("qaic"), "pearson_chi2 / df_resid"),
        (lambda f: f["counts"].info_criteria("aic", scale=2.0), "takes none"),
        (lambda f: f["few"].info_criteria("aicc"), "more than 3 observations for 2 parameters"),
    ],
)
def test_what_has_no_meaning_is_refused(
    call: Any, words: str, claims: jg.Results, amounts: jg.Results
) -> None:
    quasi = jg.glm("claims ~ x", TABLE, family="quasipoisson")
    few = jg.glm("claims ~ x", TABLE[:3], family="poisson", on_failure="ignore")
    with pytest.raises(ValueError, match=words):
        call({"quasi": quasi, "linear": amounts, "counts": claims, "few": few})


# -- probabilities -------------------------------------------------------------------------------


def test_hosmer_and_lemeshow(died: jg.Results, grouped: jg.Results) -> None:
    for found, wanted in (
        (died.hosmer_lemeshow(), R["single"]["hl"]),
        (grouped.hosmer_lemeshow(bins=8), R["grouped"]["hl"]),
    ):
        close(
            [found.statistic, found.df, found.pvalue], [wanted[k] for k in ("statistic", "df", "p")]
        )
    close(died.hosmer_lemeshow().statistic, R["single"]["hl_quantiles"])
    assert "3 of 10 bins expect fewer than 5" in died.hosmer_lemeshow().caution
    assert "Caution" not in str(died.hosmer_lemeshow(bins=4))
    # Trials count, not rows.
    assert "1138 outcomes the test finds differences" in grouped.hosmer_lemeshow(8).caution
    elsewhere = died.evaluate(TABLE).hosmer_lemeshow()
    assert elsewhere.df == 10
    close(elsewhere.statistic, R["single"]["hl"]["statistic"])


@pytest.mark.parametrize(
    ("formula", "family", "words"),
    [
        ("cbind(hits, size - hits) ~ x", "quasibinomial", "family estimates it; calibration"),
        ("hits / size ~ x", "binomial", "shares without the number of trials"),
    ],
)
def test_hosmer_and_lemeshow_need_trials(formula: str, family: str, words: str) -> None:
    fit = jg.glm(formula, TABLE, family=family)
    with pytest.raises(jg.DataError, match=words):
        fit.hosmer_lemeshow()
    by_weight = jg.glm("hits / size ~ x", TABLE, family="binomial", var_weights="size")
    by_trials = jg.glm("hits ~ x", TABLE, family="binomial", trials="size")
    close(by_weight.hosmer_lemeshow().statistic, by_trials.hosmer_lemeshow().statistic)


def test_calibration_in_the_bins_of_r(died: jg.Results, grouped: jg.Results) -> None:
    for found, wanted in (
        (died.calibration(), R["single"]["hl"]),
        (grouped.calibration(8), R["grouped"]["hl"]),
    ):
        for column in ("n", "observed", "predicted"):
            close(found[column], wanted[column])
        close(found["weight"], found["n"])


def test_intervals_of_the_observed_share_are_wilsons(grouped: jg.Results) -> None:
    from statsmodels.stats.proportion import proportion_confint

    found = grouped.calibration(8, alpha=0.1)
    low, high = proportion_confint(found.n * found.observed, found.n, 0.1, "wilson")
    close(found.lower, low)
    close(found.upper, high)
    # With an estimated dispersion a trial tells less.
    quasi = jg.glm("cbind(hits, size - hits) ~ x + g", TABLE, family="quasibinomial")
    own = quasi.calibration(8, alpha=0.1)
    low, high = proportion_confint(
        own.n * own.observed / quasi.scale, own.n / quasi.scale, 0.1, "wilson"
    )
    close(own.lower, low)


def test_intervals_of_the_observed_mean(amounts: jg.Results, claims: jg.Results) -> None:
    found = amounts.calibration(4)
    close(found.upper - found.observed, 1.959963984540054 * np.sqrt(amounts.scale / found.n))
    # A bin of counts: the variance of its rate is sum(mu) / exposure^2.
    rates = claims.calibration(4)
    close(rates.upper - rates.observed, 1.959963984540054 * np.sqrt(rates.predicted / rates.weight))
    assert (rates.lower >= 0).all()


def pairs(fit: jg.Results, key: Any, y: Any) -> float:
    """The area under the ROC curve as a mean over all pairs."""
    positive, negative = key[y == 1][:, None], key[y == 0][None, :]
    return np.mean((positive > negative) + 0.5 * (positive == negative))


def test_the_roc_curve(died: jg.Results, grouped: jg.Results) -> None:
    close(died.roc_auc(), R["single"]["auc"])
    close(died.roc_auc(), pairs(died, died.fittedvalues.to_numpy(), TABLE.died))
    close(grouped.roc_auc(), R["grouped"]["auc"])
    # Few different predictions, many ties.
    by_group = jg.glm("died ~ g", TABLE, family="binomial")
    close(
        by_group.roc_auc(), pairs(by_group, by_group.fittedvalues.round(9).to_numpy(), TABLE.died)
    )
    curve = by_group.roc_curve()
    assert list(curve) == ["threshold", "false_positive_rate", "true_positive_rate"]
    assert curve.threshold[0] == np.inf and len(curve) == 4
    for threshold, false, true in curve.itertuples(index=False):
        above = by_group.fittedvalues >= threshold - 1e-9
        close([false, true], [above[TABLE.died == 0].mean(), above[TABLE.died == 1].mean()])


def test_the_brier_score_adds_up(died: jg.Results, grouped: jg.Results) -> None:
    close(died.brier_score().score, np.mean((TABLE.died - died.fittedvalues) ** 2))
    p, size = grouped.fittedvalues, TABLE["size"]
    trials = TABLE.hits * (1 - p) ** 2 + (size - TABLE.hits) * p**2
    close(float(grouped.brier_score()), trials.sum() / size.sum())
    for fit in (died, grouped):
        for bins in (2, 10, 1000):
            s = fit.brier_score(bins=bins)
            close(s.reliability - s.resolution + s.uncertainty + s.within_bins, s.score)
    # Murphy's case: all predictions of a bin are equal.
    s = jg.glm("died ~ g", TABLE, family="binomial").brier_score()
    close(s.within_bins, 0.0)
    shares = TABLE.groupby("g").died.agg(["mean", "size"])
    close(
        s.resolution, np.average((shares["mean"] - TABLE.died.mean()) ** 2, weights=shares["size"])
    )
    close(s.skill, 1 - s.score / (TABLE.died.mean() * (1 - TABLE.died.mean())))


# -- order ---------------------------------------------------------------------------------------


def test_gini_of_single_outcomes_is_that_of_the_area(died: jg.Results) -> None:
    close(died.gini(normalised=True), 2 * died.roc_auc() - 1)
    close(died.gini(), (1 - TABLE.died.mean()) * (2 * died.roc_auc() - 1))


def test_lorenz_curve_averages_over_the_orders_of_ties() -> None:
    y, x = np.array([3.0, 1.0, 0.0, 2.0]), ["a", "b", "b", "b"]
    fit = jg.glm("y ~ x", {"y": y, "x": x}, family="poisson")
    # b has the mean 1 and a the mean 3.
    curves = [np.cumsum(y[[*order, 0]]) / 6 for order in itertools.permutations([1, 2, 3])]
    mean = np.mean(curves, axis=0)
    found = fit.lorenz_curve()
    close(np.interp([0.25, 0.5, 0.75, 1], found.share_of_weight, found.share_of_response), mean)
    area = np.sum((mean + np.append(0, mean[:-1])) / 2) / 4
    close(fit.gini(), 1 - 2 * area)


def test_the_perfect_order_has_a_normalised_gini_of_one() -> None:
    table = {"y": [1.0, 2, 3, 5, 8, 13], "x": np.log([1.0, 2, 3, 5, 8, 13])}
    fit = jg.glm("y ~ x", table, family="poisson", on_failure="ignore")
    close(fit.gini(normalised=True), 1.0)


def test_a_rate_weighted_by_its_exposure_has_the_same_answers(claims: jg.Results) -> None:
    rates = jg.glm(
        "rate ~ x + g",
        TABLE.assign(rate=TABLE.claims / TABLE.years),
        family="poisson",
        var_weights="years",
    )
    formula = jg.glm("claims ~ x + g + offset(log(years))", TABLE, family="poisson")
    for other in (rates, formula):
        close(other.gini(), claims.gini(), 1e-8)
        close(other.gini(normalised=True), claims.gini(normalised=True), 1e-8)
        close(other.calibration(5), claims.calibration(5), 1e-7)
        close(other.lift_table(5), claims.lift_table(5), 1e-7)


def test_lift(claims: jg.Results) -> None:
    found = claims.lift_table(5)
    key = claims.fittedvalues / TABLE.years
    order = np.argsort(-key.to_numpy())
    amount, exposure = TABLE.claims.to_numpy()[order], TABLE.years.to_numpy()[order]
    upto = np.cumsum(found.n).astype(int)
    assert upto.iloc[-1] == len(TABLE)
    overall = amount.sum() / exposure.sum()
    for i, last in enumerate(upto):
        first = 0 if i == 0 else upto.iloc[i - 1]
        own = amount[first:last].sum() / exposure[first:last].sum()
        close(found.lift.iloc[i], own / overall)
        close(found.captured.iloc[i], amount[:last].sum() / amount.sum())
        close(found.cumulative_lift.iloc[i], amount[:last].sum() / exposure[:last].sum() / overall)
    assert (found.predicted.diff()[1:] < 0).all()


# -- zeros ---------------------------------------------------------------------------------------


def test_zeros_of_counts() -> None:
    few = jg.glm("visits ~ x", TABLE, family="poisson")
    found, wanted = few.zero_inflation(), R["few"]["zeros"]
    close(
        [found.observed, found.expected, found.statistic, found.pvalue],
        [wanted[k] for k in ("observed", "expected", "statistic", "p")],
        1e-6,
    )
    assert "Broek" in found.test and found.inflated
    assert "negative_binomial" in str(found)


def test_zeros_where_one_mean_is_large(claims: jg.Results) -> None:
    found, wanted = claims.zero_inflation(), R["poisson"]["zeros"]
    close([found.observed, found.expected, found.statistic], list(wanted.values()), 1e-7)
    assert "standard deviations" in found.test


@pytest.mark.slow
def test_zeros_of_a_negative_binomial() -> None:
    found = jg.glm(EVENTS, TABLE, family="negative_binomial").zero_inflation()
    wanted = R["negative_binomial"]["zeros"]
    close([found.observed, found.expected], [wanted["observed"], wanted["expected"]], 1e-5)
    close(found.statistic, wanted["z"], 0.01)  # MASS has the expected information of theta
    assert not found.inflated and not found.deflated


@pytest.mark.slow
def test_zeros_at_a_shape_next_to_that_of_poisson() -> None:
    poisson, nearly = (
        jg.glm(EVENTS, TABLE, family=family).zero_inflation()
        for family in ("poisson", jg.NegativeBinomial(alpha=1e-7))
    )
    close(nearly.statistic, poisson.statistic, 1e-4)


@pytest.mark.slow
def test_zeros_beside_separation_and_aliasing() -> None:
    """A group without events takes no part, nor does a column that follows from others."""
    table = {
        "y": [1, 0, 3, 2, 0, 4, 0, 2, 0, 0, 0],
        "x": [0.0, 1, 2, 3, 0, 1, 2, 3, 1, 2, 3],
        "g": ["a"] * 8 + ["none"] * 3,
    }
    frame = pd.DataFrame(table).assign(twice=lambda t: 2 * t.x)
    with_group = jg.glm("y ~ x + twice + g", frame, family="poisson", on_failure="ignore")
    without = jg.glm("y ~ x", frame[:8], family="poisson")
    one, other = with_group.zero_inflation(), without.zero_inflation()
    close([one.statistic, one.expected - 3], [other.statistic, other.expected], 1e-6)
    # Coefficients for each row leave nothing to test.
    full = jg.glm("y ~ C(x)", frame[4:8], family="poisson", on_failure="ignore")
    assert np.isnan(full.zero_inflation().pvalue)
    assert "nothing is left to test" in full.zero_inflation().caution


@pytest.mark.parametrize(
    ("formula", "options", "words"),
    [
        ("claims ~ x", {"family": "quasipoisson"}, "ask again"),
        ("claims ~ x", {"family": "poisson", "var_weights": "years"}, "no count"),
        ("years ~ x", {"family": "poisson"}, "fractions"),
        ("died ~ x", {"family": "binomial"}, "models of counts"),
    ],
)
def test_zeros_of_what_is_no_count(formula: str, options: dict[str, Any], words: str) -> None:
    with pytest.raises(jg.DataError, match=words):
        jg.glm(formula, TABLE, **options).zero_inflation()


# -- other rows ----------------------------------------------------------------------------------


def test_rows_held_out() -> None:
    train, test = TABLE[:HALF], TABLE[HALF:]
    fit, wanted = jg.glm("died ~ x + g", train, family="binomial"), R["heldout"]
    close(fit.roc_auc(test), wanted["auc"])
    close(fit.d_squared(test), wanted["d_squared"])
    close(fit.brier_score(test).score, wanted["brier"])
    assert fit.calibration(4, test).n.sum() == HALF
    for found in (fit.gini(test), fit.lift_table(5, data=test), fit.lorenz_curve(test)):
        assert np.isfinite(found).all(axis=None)


def test_rows_held_out_beside_an_offset() -> None:
    train, test = TABLE[:HALF], TABLE[HALF:]
    formula = jg.glm("claims ~ x + g + offset(log(years))", train, family="poisson")
    close(formula.d_squared(test), R["heldout"]["poisson_d_squared"])
    given = jg.glm("claims ~ x + g", train, family="poisson", exposure="years")
    close(given.evaluate(test, exposure="years").d_squared(), R["heldout"]["poisson_d_squared"])
    with pytest.raises(jg.DataError, match=r"evaluate\(data, exposure=...\)"):
        given.d_squared(test)
    none = jg.glm("claims ~ 0 + x + offset(log(years))", train, family="poisson")
    y, m0 = test.claims, test.years
    deviance = 2 * np.sum(np.where(y > 0, y * np.log(np.maximum(y, 1) / m0), 0) - (y - m0))
    close(none.evaluate(test).null_deviance, deviance)


def test_the_rows_of_the_fit_given_again_are_those_of_the_fit(
    died: jg.Results, grouped: jg.Results, claims: jg.Results
) -> None:
    trials = jg.glm("hits ~ x + g", TABLE, family="binomial", trials="size")
    for own, again in (
        (died.evaluate(), died.evaluate(TABLE)),
        (grouped.evaluate(), grouped.evaluate(TABLE)),
        (trials.evaluate(), trials.evaluate(TABLE, trials="size")),
        (claims.evaluate(), claims.evaluate(TABLE, exposure="years")),
    ):
        close(again.calibration(6), own.calibration(6))
        close(again.deviance, own.deviance)
        close(again.null_deviance, own.null_deviance)
        close(again.gini(normalised=True), own.gini(normalised=True))
    close(trials.roc_auc(), grouped.roc_auc())
    close(trials.brier_score().score, grouped.brier_score().score)


def test_models_of_arrays_and_responses_beside_the_table(died: jg.Results) -> None:
    X = jg.add_constant(TABLE[["x"]])
    fit = jg.GLM(TABLE.died, X, family="binomial").fit()
    close(fit.evaluate(X, y=TABLE.died).roc_auc(), fit.roc_auc())
    close(fit.evaluate(X.assign(died=TABLE.died), y="died").roc_auc(), fit.roc_auc())
    with pytest.raises(jg.DataError, match=r"give their response as well, evaluate\(data, y=...\)"):
        fit.roc_auc(X)
    close(died.evaluate(TABLE[["x", "g"]], y=TABLE.died).roc_auc(), died.roc_auc())


def test_labels_keep_their_meaning(died: jg.Results) -> None:
    table = TABLE.assign(end=np.where(TABLE.died == 1, "A died", "lived"))
    fit = jg.glm("end ~ x + g", table, family="binomial")  # the event is the later label: lived
    close(fit.roc_auc(table), died.roc_auc())
    survivors = table[table.end == "lived"]
    assert fit.evaluate(survivors).calibration(2).observed.tolist() == [1.0, 1.0]
    for wrong, words in (
        (table.assign(end=table.g), "two labels, of which 'lived' is the event"),
        (table.assign(end=table.died), "now holds numbers"),
    ):
        with pytest.raises(jg.DataError, match=words):
            fit.roc_auc(wrong)
    with pytest.raises(jg.DataError, match="now holds labels"):
        died.roc_auc(table.assign(died=table.end))


@pytest.mark.slow
def test_one_of_many_fits() -> None:
    fits = jg.fit_groups("died ~ x", TABLE, by="g", family="binomial")
    own = TABLE[TABLE.g == "b"]
    close(fits["b"].roc_auc(), pairs(fits["b"], fits["b"].fittedvalues.to_numpy(), own.died))
    close(fits["b"].roc_auc(own), fits["b"].roc_auc())
    responses = jg.fit_responses("~ x", TABLE, responses=["claims", "visits"], family="poisson")
    close(responses["visits"].evaluate(TABLE).gini(), responses["visits"].gini())


@pytest.mark.parametrize("family", ["binomial", "poisson", "gaussian"])
def test_frequency_weights_are_repeated_rows(family: str) -> None:
    y = {"binomial": "died", "poisson": "visits", "gaussian": "years"}[family]
    rng = np.random.default_rng(3)
    short = TABLE[:60].assign(x=TABLE.x.round(0), times=rng.integers(0, 4, 60))
    long = short.loc[short.index.repeat(short.times)]
    weighted = jg.glm(f"{y} ~ x + g", short, family=family, freq_weights="times")
    repeated = jg.glm(f"{y} ~ x + g", long, family=family)
    one, other = weighted.evaluate(), repeated.evaluate()
    close(one.nobs, other.nobs)
    close(one.calibration(5), other.calibration(5), 1e-8)
    close(one.lift_table(5), other.lift_table(5), 1e-8)
    close(one.gini(normalised=True), other.gini(normalised=True), 1e-8)
    close(one.d_squared(), other.d_squared(), 1e-8)
    close(weighted.evaluate(short, freq_weights="times").d_squared(), other.d_squared(), 1e-8)
    if family == "binomial":
        close(one.roc_auc(), other.roc_auc())
        close(one.roc_curve(), other.roc_curve(), 1e-8)
        close(one.hosmer_lemeshow(4).statistic, other.hosmer_lemeshow(4).statistic, 1e-7)
        close(one.brier_score(5).within_bins, other.brier_score(5).within_bins, 1e-7)
    if family == "poisson":
        close(weighted.zero_inflation().statistic, repeated.zero_inflation().statistic, 1e-7)


def test_the_order_of_the_rows_does_not_matter(claims: jg.Results) -> None:
    mixed = TABLE.assign(x=TABLE.x.round(0)).sample(frac=1.0, random_state=4)
    one, other = (
        jg.glm("claims ~ x + offset(log(years))", table, family="poisson")
        for table in (mixed, mixed[::-1])
    )
    close(one.gini(), other.gini())
    close(one.calibration(4), other.calibration(4))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda died, claims: claims.roc_auc(), r"poisson model. gini\(\)"),
        (lambda died, claims: claims.hosmer_lemeshow(), "happen or not"),
        (lambda died, claims: claims.brier_score(), "d_squared"),
        (lambda died, claims: died.roc_auc(TABLE[TABLE.died == 1]), "all outcomes are successes"),
        (lambda died, claims: died.roc_auc(TABLE.drop(columns="died")), "no column 'died'"),
        (lambda died, claims: died.roc_auc(TABLE.assign(died=2)), "between 0 and 1"),
        (lambda died, claims: died.evaluate(TABLE, freq_weights=-1), "not be negative"),
        (lambda died, claims: died.evaluate(TABLE, freq_weights=0), "nothing to evaluate"),
        (lambda died, claims: died.evaluate(y=TABLE.died), "belong to new data"),
        (lambda died, claims: died.without_data().roc_auc(), r"roc_auc\(\) needs the rows"),
        (
            lambda died, claims: died.without_data().d_squared(TABLE),
            r"d_squared\(\) needs the rows",
        ),
        (
            lambda died, claims: died.roc_auc(TABLE.assign(x=TABLE.x.where(TABLE.index > 1))),
            "no prediction for 2 of the rows: rows 0, 1",
        ),
        (
            lambda died, claims: died.roc_auc(TABLE.assign(died=TABLE.died.where(TABLE.index > 1))),
            "'died' has missing values in rows 0, 1",
        ),
    ],
)
def test_refusals_say_what_to_do(
    call: Any, words: str, died: jg.Results, claims: jg.Results
) -> None:
    with pytest.raises(jg.DataError, match=words):
        call(died, claims)


def test_negative_amounts_are_not_shared_out() -> None:
    fit = jg.glm("x ~ g", TABLE)
    with pytest.raises(jg.DataError, match="are negative; calibration"):
        fit.gini()
    assert len(fit.calibration()) == 3


def test_a_transformation_that_learns_cannot_be_carried_to_new_rows() -> None:
    fit = jg.glm("scale(years) ~ x", TABLE)
    fit.calibration()
    with pytest.raises(jg.FormulaError, match="was not saved"):
        fit.calibration(data=TABLE)


def test_bins_must_be_some(died: jg.Results) -> None:
    for bins in (1, 2.5, "10", None):
        with pytest.raises(ValueError, match="whole number, 2 or more"):
            died.calibration(bins)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="whole number, 3 or more"):
        died.hosmer_lemeshow(2)


def test_separation_and_aliasing() -> None:
    table = {"y": [0, 0, 0, 1, 1, 1], "x": [1.0, 2, 3, 4, 5, 6], "twice": [2.0, 4, 6, 8, 10, 12]}
    fit = jg.glm("y ~ x + twice", table, family="binomial", on_failure="ignore")
    assert fit.roc_auc() == 1.0 and fit.brier_score().score == 0.0
    assert fit.calibration().predicted.tolist() == [0.0, 1.0]
    close(fit.rsquared, 1.0)
    with pytest.raises(jg.DataError, match="needs 3 bins"):
        fit.hosmer_lemeshow()
    # A new row that does not obey twice = 2 x has no prediction.
    with pytest.warns(UserWarning), pytest.raises(jg.DataError, match="do not determine"):
        fit.roc_auc({"y": [0, 1], "x": [1.0, 5], "twice": [2.0, 3.0]})


def test_a_response_that_does_not_vary_has_nothing_to_explain() -> None:
    for value in (0.1, 1e9 / 3):
        fit = jg.glm("y ~ x", {"y": [value] * 7, "x": range(7)}, on_failure="ignore")
        assert np.isnan(fit.rsquared)


def test_a_loaded_result_scores_new_rows(died: jg.Results, tmp_path: Path) -> None:
    died.save(tmp_path / "fit")
    close(jg.load(tmp_path / "fit").roc_auc(TABLE), died.roc_auc())
