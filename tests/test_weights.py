"""What each of freq_weights, var_weights, trials, offset and exposure means."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import jaxglm as jg

N = 24


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(20)
    x = rng.normal(size=N)
    return pd.DataFrame(
        {
            "x": x,
            "income": np.exp(1 + 0.4 * x + 0.3 * rng.normal(size=N)),
            "visits": rng.poisson(np.exp(0.7 + 0.5 * x)).astype(float),
            "times": 1.0 + np.arange(N) % 3,
            "days": rng.uniform(0.5, 4.0, size=N),
        }
    )


def same(one: jg.Results, other: jg.Results, *names: str) -> None:
    for name in names:
        first, second = np.asarray(getattr(one, name)), np.asarray(getattr(other, name))
        assert np.allclose(first, second, rtol=1e-9, atol=1e-12), name


EVERYTHING = (
    "params",
    "bse",
    "pvalues",
    "deviance",
    "null_deviance",
    "pearson_chi2",
    "scale",
    "llf",
    "aic",
    "bic",
    "df_resid",
    "nobs",
)


GAMMA = jg.Gamma(link=jg.Log())


@pytest.mark.parametrize(
    ("response", "family"),
    [("income", "gaussian"), ("income", GAMMA), ("visits", "poisson"), ("visits", "nb")],
    ids=["gaussian", "gamma", "poisson", "negative binomial"],
)
def test_frequency_weights_are_repeated_rows(
    frame: pd.DataFrame, response: str, family: Any
) -> None:
    formula = f"{response} ~ x"
    weighted = jg.glm(formula, frame, family, freq_weights="times")
    repeated = jg.glm(formula, frame.loc[frame.index.repeat(frame["times"].astype(int))], family)
    assert weighted.nobs == frame["times"].sum()
    same(weighted, repeated, *EVERYTHING)


@pytest.mark.parametrize("factor", [1e-3, 7.0])
def test_standard_errors_do_not_change_with_the_unit_of_variance_weights(
    frame: pd.DataFrame, factor: float
) -> None:
    one = jg.glm("income ~ x", frame, GAMMA, var_weights="days")
    other = jg.glm("income ~ x", frame, GAMMA, var_weights=factor * frame["days"])
    same(one, other, "params", "bse", "pvalues", "nobs", "df_resid")
    assert np.isclose(other.scale, factor * one.scale, rtol=1e-10)
    assert np.isclose(other.deviance, factor * one.deviance, rtol=1e-10)


def test_variance_weights_divide_the_variance(frame: pd.DataFrame) -> None:
    """A mean of `times` equal measurements is known as well as all of them together."""
    means = jg.glm("income ~ x", frame, "gaussian", var_weights="times")
    rows = frame.loc[frame.index.repeat(frame["times"].astype(int))]
    measurements = jg.glm("income ~ x", rows, "gaussian")
    same(means, measurements, "params", "deviance")
    # Their spread is judged by the number of means, not of measurements.
    assert means.nobs == N
    assert means.df_resid == N - 2
    ratio = np.sqrt(measurements.df_resid / means.df_resid)
    assert np.allclose(means.bse, ratio * measurements.bse, rtol=1e-9)


@pytest.mark.parametrize("name", ["freq_weights", "var_weights"])
@pytest.mark.parametrize("family", ["gaussian", GAMMA], ids=["gaussian", "gamma"])
def test_weight_zero_is_the_row_removed(frame: pd.DataFrame, name: str, family: Any) -> None:
    keep = np.arange(N) % 4 != 1
    zeroed = jg.glm("income ~ x", frame, family, **{name: keep * 1.0})
    removed = jg.glm("income ~ x", frame[keep], family)
    same(zeroed, removed, *EVERYTHING)
    # The row still has a fitted value, so that the answers line up with the table.
    assert len(zeroed.fittedvalues) == N
    assert np.allclose(zeroed.fittedvalues[keep], removed.fittedvalues, rtol=1e-9)


def aic_of_r(name: str, y: np.ndarray, mu: np.ndarray, w: np.ndarray, deviance: float) -> float:
    """What the `aic` function of R's family object computes, before 2 p is added."""
    n, total = len(y), w.sum()
    if name == "gaussian":
        return n * (np.log(2 * np.pi * deviance / n) + 1) + 2 - np.log(w).sum()
    if name == "gamma":
        phi = deviance / total
        return -2 * np.sum(w * stats.gamma.logpdf(y, 1 / phi, scale=mu * phi)) + 2
    if name == "inverse_gaussian":
        level = total * (np.log(2 * np.pi * deviance / total) + 1)
        return level + 3 * np.sum(w * np.log(y)) + 2
    assert name == "poisson"
    return -2 * np.sum(w * stats.poisson.logpmf(y, mu))


@pytest.mark.parametrize("name", ["gaussian", "gamma", "inverse_gaussian", "poisson"])
def test_log_likelihood_with_variance_weights_is_that_of_r(frame: pd.DataFrame, name: str) -> None:
    response = "visits" if name == "poisson" else "income"
    weighted = jg.glm(f"{response} ~ x", frame, name, link="log", var_weights="days")
    y, mu, w = frame[response], weighted.fittedvalues, frame["days"]
    expected = aic_of_r(name, *(np.asarray(v) for v in (y, mu, w)), weighted.deviance)
    assert np.isclose(weighted.aic, expected + 2 * 2, rtol=1e-11)


def test_variance_weights_of_binomial_shares_are_trials(grouped: pd.DataFrame) -> None:
    """R's only way to give shares: `glm(share ~ dose, binomial, weights = n)`."""
    weighted = jg.glm("share ~ dose", grouped, "binomial", var_weights="n")
    same(weighted, jg.glm("share ~ dose", grouped, "binomial", trials="n"), *GROUPED)


def test_exposure_is_an_offset_of_its_logarithm(frame: pd.DataFrame) -> None:
    exposed = jg.glm("visits ~ x", frame, "poisson", exposure="days")
    for other in (
        jg.glm("visits ~ x", frame, "poisson", offset=np.log(frame["days"])),
        jg.glm("visits ~ x + offset(log(days))", frame, "poisson"),
        jg.GLM(frame["visits"], jg.add_constant(frame[["x"]]), "poisson", exposure=frame["days"])
        .fit(),
    ):  # fmt: skip
        same(exposed, other, *EVERYTHING)


def test_offset_and_exposure_add_up(frame: pd.DataFrame) -> None:
    both = jg.glm("visits ~ x", frame, "poisson", exposure="days", offset=np.full(N, 0.25))
    one = jg.glm("visits ~ x", frame, "poisson", offset=np.log(frame["days"]) + 0.25)
    same(both, one, *EVERYTHING)


def test_exposure_of_a_prediction(frame: pd.DataFrame) -> None:
    results = jg.glm("visits ~ x", frame, "poisson", exposure="days")
    new = frame.head(5)
    double = results.predict(new, exposure=2 * new["days"])
    assert np.allclose(double, 2 * results.predict(new, exposure="days"), rtol=1e-12)


@pytest.fixture(scope="module")
def grouped() -> pd.DataFrame:
    dose = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    return pd.DataFrame({"dose": dose, "died": [1, 3, 6, 9, 9], "n": [10, 10, 12, 11, 10]}).assign(
        lived=lambda d: d["n"] - d["died"], share=lambda d: d["died"] / d["n"]
    )


GROUPED = ("params", "bse", "deviance", "null_deviance", "llf", "aic", "bic", "df_resid", "nobs")


def test_three_ways_of_giving_grouped_binomial_data(grouped: pd.DataFrame) -> None:
    pairs = jg.glm("cbind(died, lived) ~ dose", grouped, "binomial")
    X = jg.add_constant(grouped[["dose"]])
    for other in (
        jg.glm("share ~ dose", grouped, "binomial", trials="n"),
        jg.GLM(grouped[["died", "lived"]], X, "binomial").fit(),
        jg.GLM(grouped["share"], X, "binomial", trials=grouped["n"]).fit(),
    ):
        same(pairs, other, *GROUPED)


def test_grouped_binomial_data_and_single_trials(grouped: pd.DataFrame) -> None:
    """The same estimates; the likelihood of single trials lacks the binomial coefficients."""
    pairs = jg.glm("cbind(died, lived) ~ dose", grouped, "binomial")
    single = pd.DataFrame(
        [
            {"dose": row.dose, "y": outcome}
            for row in grouped.itertuples()
            for outcome in [1.0] * row.died + [0.0] * row.lived
        ]
    )
    alone = jg.glm("y ~ dose", single, "binomial")
    same(pairs, alone, "params", "bse")
    counted = pd.DataFrame(
        {
            "dose": np.repeat(grouped["dose"], 2),
            "y": np.tile([1.0, 0.0], len(grouped)),
            "count": grouped[["died", "lived"]].to_numpy().ravel().astype(float),
        }
    )
    weighted = jg.glm("y ~ dose", counted, "binomial", freq_weights="count")
    same(alone, weighted, *EVERYTHING)


def test_all_of_them_at_once(grouped: pd.DataFrame) -> None:
    """freq_weights 2 repeats a group of n trials; it does not double its trials."""
    twice = jg.glm("cbind(died, lived) ~ dose", grouped, "binomial", freq_weights=np.full(5, 2.0))
    repeated = jg.glm("cbind(died, lived) ~ dose", pd.concat([grouped, grouped]), "binomial")
    same(twice, repeated, *GROUPED)
