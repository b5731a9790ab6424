"""New responses: intervals, distributions, draws, and how they go with the likelihood."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

import jaxglm as jg

DATA = Path(__file__).parent / "data"
R = json.loads((DATA / "margins" / "intervals.json").read_text())
RNG = np.random.default_rng(11)
N = 150
X = RNG.normal(size=N)
MEAN = np.exp(0.5 + 0.4 * X)
TABLE = pd.DataFrame(
    {
        "x": X,
        "m": RNG.integers(5, 30, N),
        "w": RNG.integers(1, 4, N),
        "count": RNG.negative_binomial(2, 2 / (2 + MEAN)),
        "real": MEAN + RNG.normal(size=N),
        "positive": RNG.gamma(3, MEAN / 3),
        "zeros": np.where(RNG.uniform(size=N) < 0.3, 0.0, RNG.gamma(2, MEAN / 2)),
        "one": (RNG.uniform(size=N) < 0.4).astype(int),
    }
)
TABLE["share"] = RNG.binomial(TABLE["m"], 1 / (1 + np.exp(-X))) / TABLE["m"]
NEW = pd.DataFrame({"x": [-2.0, 0.0, 2.0]})

# Responses with the family, and how weights and trials are given.
FITS: dict[str, tuple[str, Any, dict[str, str]]] = {
    "gaussian": ("real", jg.Gaussian(), {"var_weights": "w"}),
    "gaussian log": ("positive", jg.Gaussian(link="log"), {}),
    "poisson": ("count", jg.Poisson(), {}),
    "poisson weights": ("count", jg.Poisson(), {"var_weights": "w"}),
    "negative binomial": ("count", jg.NegativeBinomial(alpha=0.5), {}),
    "binomial": ("share", jg.Binomial(), {"trials": "m"}),
    "bernoulli": ("one", jg.Binomial(), {}),
    "gamma": ("positive", jg.Gamma(link="log"), {}),
    "inverse gaussian": ("positive", jg.InverseGaussian(link="log"), {}),
    "tweedie": ("zeros", jg.Tweedie(power=1.4), {}),
    "tweedie gamma": ("positive", jg.Tweedie(power=2), {}),
}


@pytest.fixture(scope="module")
def fits() -> dict[str, jg.Results]:
    return {
        name: jg.glm(
            f"{y} ~ x", TABLE, family, **given, **({"proportions": True} if y == "share" else {})
        )
        for name, (y, family, given) in FITS.items()
    }


def test_least_squares_intervals_are_those_of_r() -> None:
    cars = pd.read_csv(DATA / "reference" / "data" / "mtcars.csv")
    fit = jg.glm("mpg ~ wt * hp", cars, var_weights="cyl")
    new = {"wt": [1.5, 3, 5], "hp": [60, 150, 300]}
    own = fit.get_prediction(new).conf_int(0.1, interval="prediction")
    np.testing.assert_allclose(own, R["own"], rtol=1e-9)
    prediction = fit.get_prediction(new, var_weights=[4, 1, 2])
    frame = prediction.summary_frame(interval="prediction")
    np.testing.assert_allclose(frame[["obs_ci_lower", "obs_ci_upper"]], R["four"], rtol=1e-9)
    assert "Student's t on 28 df" in prediction.interval_method
    assert list(frame)[:4] == list(prediction.summary_frame())


def mixed(fit: jg.Results, name: str, row: int, trials: float) -> Any:
    """The distribution function of a new response, integrated by brute force."""
    prediction = fit.get_prediction(NEW)
    x = np.linspace(-9, 9, 20001)
    eta = prediction.linear.iloc[row] + prediction.linear_se.iloc[row] * x
    density = stats.norm.pdf(x)
    phi = fit.scale
    mu = 1 / (1 + np.exp(-eta)) if name == "binomial" else np.exp(eta)
    law = {
        "gaussian log": lambda: stats.norm(mu, np.sqrt(phi)),
        "poisson": lambda: stats.poisson(mu),
        "negative binomial": lambda: stats.nbinom(2, 1 / (1 + 0.5 * mu)),
        "binomial": lambda: stats.binom(trials, mu),
        "gamma": lambda: stats.gamma(1 / phi, scale=mu * phi),
        "inverse gaussian": lambda: stats.invgauss(mu * phi, scale=1 / phi),
    }[name]()
    return lambda y: np.trapezoid(law.cdf(y) * density, x)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["gaussian log", "poisson", "negative binomial", "binomial", "gamma", "inverse gaussian"],
)
def test_intervals_are_quantiles_of_the_mixture(fits: dict[str, jg.Results], name: str) -> None:
    trials = 20 if name == "binomial" else None
    ci = fits[name].get_prediction(NEW, trials=trials).conf_int(0.1, interval="prediction")
    whole = name in ("poisson", "negative binomial", "binomial")
    for row, (low, high) in enumerate(ci.to_numpy() * (trials or 1)):
        F = mixed(fits[name], name, row, trials or 1)
        if not whole:
            np.testing.assert_allclose([F(low), F(high)], [0.05, 0.95], atol=2e-6)
            continue
        assert low == np.round(low) and F(low) >= 0.05 > F(low - 1) * (low > 0)
        assert F(high) >= 0.95 > F(high - 1)


@pytest.mark.slow
def test_tweedie_intervals_are_those_of_draws(fits: dict[str, jg.Results]) -> None:
    fit = fits["tweedie"]
    prediction = fit.get_prediction(NEW)
    ci = prediction.conf_int(0.2, interval="prediction").to_numpy()
    rng = np.random.default_rng(3)
    eta = rng.normal(prediction.linear, prediction.linear_se, size=(40_000, 3))
    p, phi, mu = 1.4, fit.scale, np.exp(eta)
    number = rng.poisson(mu ** (2 - p) / (phi * (2 - p)))
    drawn = rng.gamma((2 - p) / (p - 1) * number) * phi * (p - 1) * mu ** (p - 1)
    assert (ci[:, 0] == 0).any()
    share = (drawn <= ci[:, 1]).mean(axis=0)
    np.testing.assert_allclose(share, 0.9, atol=0.008)


def test_a_wide_predictor_beside_a_narrow_response() -> None:
    """Where responses hardly vary the interval is that of the mean."""
    from jaxglm.inference.predictions._mixture import Mixture

    rows = Mixture(jg.Gamma(link="log"), 1e-4, np.ones(1), np.zeros(1), np.full(1, 0.5))
    low, high = rows.quantiles((0.025, 0.975))
    wanted = np.exp(np.sqrt(0.25 + 1e-4) * stats.norm.ppf([0.025, 0.975]))
    np.testing.assert_allclose([low[0], high[0]], wanted, rtol=1e-4)


def test_a_probability_of_no_end_has_no_end() -> None:
    """With the inverse link the mean is infinite where the linear predictor may be zero."""
    from jaxglm.inference.predictions._mixture import Mixture

    rows = Mixture(jg.Gamma(), 0.3, np.ones(1), np.full(1, 0.1), np.full(1, 0.2))
    low, high = rows.quantiles((0.025, 0.975))
    assert 0 < low[0] < high[0] == np.inf


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gamma", "poisson", "binomial", "tweedie"])
def test_intervals_hold_new_responses(fits: dict[str, jg.Results], name: str) -> None:
    fit = fits[name]
    truth = fit.simulate(60, seed=8)
    y = FITS[name][0]
    inside = []
    for column in truth:
        again = jg.glm(
            fit.model.formula,
            TABLE.assign(**{y: truth[column]}),
            fit.family,
            **FITS[name][2],
            **({"proportions": True} if y == "share" else {}),
        )
        ci = again.get_prediction().conf_int(interval="prediction")
        new = fit.simulate(1, seed=9)["sim_1"]
        inside.append(((new >= ci["lower"]) & (new <= ci["upper"])).mean())
    assert np.mean(inside) > 0.94


@pytest.mark.slow
def test_distributions_are_those_of_statsmodels(fits: dict[str, jg.Results]) -> None:
    families = sm.families
    for name, theirs, y in [
        ("poisson", families.Poisson(), "count"),
        ("negative binomial", families.NegativeBinomial(alpha=0.5), "count"),
        ("gamma", families.Gamma(families.links.Log()), "positive"),
        ("inverse gaussian", families.InverseGaussian(families.links.Log()), "positive"),
        ("gaussian log", families.Gaussian(families.links.Log()), "positive"),
    ]:
        exog = jg.add_constant(TABLE[["x"]])
        other = sm.GLM(TABLE[y], exog, theirs).fit(tol=1e-13, maxiter=200).get_distribution()
        at = np.arange(N) % 5 + 1
        np.testing.assert_allclose(
            fits[name].get_distribution().cdf(at), other.cdf(at), rtol=1e-5, err_msg=name
        )


@pytest.mark.slow
def test_the_likelihood_is_that_of_the_distributions(fits: dict[str, jg.Results]) -> None:
    for name in ("poisson", "negative binomial", "bernoulli"):
        fit, y = fits[name], TABLE[FITS[name][0]]
        assert fit.get_distribution().logpmf(y).sum() == pytest.approx(fit.llf, rel=1e-12)
    successes = np.round(TABLE["share"] * TABLE["m"])
    fit = fits["binomial"]
    assert fit.get_distribution().logpmf(successes).sum() == pytest.approx(fit.llf, rel=1e-11)
    # R's logLik has the dispersion of maximum likelihood, or deviance / n, in place of Pearson's.
    from jaxglm.inference import law

    fit = fits["gaussian"]
    rows = law(fit.family, fit.fittedvalues, fit.deviance / N, TABLE["w"])
    assert rows.frozen.logpdf(TABLE["real"]).sum() == pytest.approx(fit.llf, rel=1e-12)
    for name in ("gamma", "inverse gaussian"):
        fit = fits[name]
        rows = law(fit.family, fit.fittedvalues, fit.deviance / N, np.ones(N))
        assert rows.frozen.logpdf(TABLE["positive"]).sum() == pytest.approx(fit.llf, rel=1e-11)


@pytest.mark.parametrize("name", FITS)
def test_draws_have_the_mean_and_variance_of_the_family(
    fits: dict[str, jg.Results], name: str
) -> None:
    fit, (y, _, given) = fits[name], FITS[name]
    n = 400
    drawn = fit.simulate(n, seed=4)
    assert list(drawn)[:2] == ["sim_1", "sim_2"] and drawn.index.equals(TABLE.index)
    assert drawn.equals(fit.simulate(n, seed=4)) and not drawn.equals(fit.simulate(n, seed=5))
    mean = fit.fittedvalues.to_numpy()
    weight = TABLE[next(iter(given.values()))].to_numpy() if given else np.ones(N)
    variance = np.asarray(fit.family.variance(mean)) * fit.scale / weight
    z = (drawn.to_numpy() - mean[:, None]) / np.sqrt(variance)[:, None]
    assert abs(z.mean()) < 4 / np.sqrt(n * N)
    kurtosis = np.mean(z**4)
    assert np.mean(z**2) == pytest.approx(1, abs=4 * np.sqrt(kurtosis / (n * N)))
    if fit.family.name != "gaussian":
        assert fit.family.valid_response(drawn.to_numpy()).all()
    assert y != "zeros" or 0.01 < (drawn.to_numpy() == 0).mean() < 0.6


def test_rows_that_do_not_count_get_nothing() -> None:
    table = TABLE.assign(w=np.where(TABLE.index < 3, 0, 1))
    fit = jg.glm("count ~ x", table, "poisson", var_weights="w")
    assert fit.simulate(seed=1)["sim_1"].isna().tolist() == [True] * 3 + [False] * (N - 3)
    with pytest.warns(jg.DataWarning, match=r"Rows 0, 1, 2 .* no interval for a new response"):
        ci = fit.get_prediction().conf_int(interval="prediction")
    assert ci["lower"].isna().sum() == 3
    assert np.isnan(fit.get_distribution().pmf(1)).sum() == 3


@pytest.mark.slow
def test_separated_rows_have_no_interval() -> None:
    table = pd.DataFrame({"y": [0, 1, 0, 0, 0, 1], "g": list("aabbab")})
    table.loc[table["g"] == "b", "y"] = 0
    fit = jg.glm("y ~ g", table, "binomial", on_failure="ignore")
    with pytest.warns(jg.SeparationWarning, match=r"Rows 2, 3, 5 .* no standard error") as caught:
        prediction = fit.get_prediction(interval="prediction")
    assert prediction.notes == (str(caught[0].message),) and caught[0].filename == __file__
    assert prediction.notes[0] in repr(prediction)
    ci = prediction.conf_int()
    assert ci["lower"].isna().tolist() == (table["g"] == "b").tolist()
    assert (fit.simulate(5, seed=1)[table["g"] == "b"] == 0).all(axis=None)


@pytest.mark.filterwarnings("ignore:.*no standard error")
def test_what_cannot_be_is_said(fits: dict[str, jg.Results]) -> None:
    quasi = jg.glm("count ~ x", TABLE, "quasipoisson")
    assert quasi.get_prediction(NEW).interval_method.startswith("none")
    shares, counts, tweedie = fits["binomial"], fits["poisson weights"], fits["tweedie"]
    full = jg.glm("y ~ x", {"y": [1.0, 2.0], "x": [0.0, 1.0]})

    def interval(fit: Any, *args: Any, **given: Any) -> Any:
        return fit.get_prediction(*args, **given).conf_int(interval="prediction")

    for call, words in (
        (lambda: quasi.simulate(seed=1), "no distribution follows"),
        (lambda: quasi.get_distribution(), "no distribution follows"),
        (lambda: interval(quasi), "no distribution follows"),
        (
            lambda: full.get_prediction({"x": [3.0]}, interval="prediction"),
            "dispersion is unknown",
        ),
        (lambda: interval(shares, NEW), "trials="),
        (lambda: interval(shares, NEW, trials=2.5), "whole number of trials.* row"),
        (lambda: interval(shares, NEW, trials=-1), "must not be negative"),
        (lambda: interval(shares, trials=2), "belong to new data"),
        (lambda: shares.get_distribution(NEW), "trials="),
        (lambda: counts.get_distribution(), r"simulate\(\) draws"),
        (lambda: tweedie.get_distribution(), r"simulate\(\) draws"),
        (lambda: counts.without_data().simulate(seed=1), "holds none"),
    ):
        with pytest.raises(jg.DataError, match=words):
            call()
    prediction = counts.get_prediction(NEW)
    for call, words in (
        (lambda: counts.simulate(seed=-1), "seed must be"),
        (lambda: counts.simulate(0, seed=1), "n must be"),
        (lambda: prediction.conf_int(interval="obs"), "interval must be .*prediction"),
        (lambda: prediction.conf_int(interval="prediction", which="linear"), "link scale"),
        (lambda: prediction.conf_int(2, interval="prediction"), "alpha must lie"),
    ):
        with pytest.raises(ValueError, match=words):
            call()
    assert interval(shares.without_data(), NEW, trials=7).shape == (3, 2)


def test_what_intervals_are_for_is_asked_for_once(fits: dict[str, jg.Results]) -> None:
    for name, given in (("poisson", {}), ("gaussian", {}), ("binomial", {"trials": 9})):
        plain, asked = (
            fits[name].get_prediction(NEW, interval=interval, **given)
            for interval in ("mean", "prediction")
        )
        later = plain.summary_frame(0.1, interval="prediction")
        pd.testing.assert_frame_equal(asked.summary_frame(0.1), later)
        pd.testing.assert_frame_equal(
            asked.conf_int(0.1), later.iloc[:, 4:].set_axis(["lower", "upper"], axis=1)
        )
        pd.testing.assert_frame_equal(asked.conf_int(interval="mean"), plain.conf_int())
        assert list(asked.tidy().columns[-2:]) == ["pred_low", "pred_high"]
        assert list(plain.tidy().columns) == ["estimate", "std_error", "conf_low", "conf_high"]
    quasi = jg.glm("count ~ x", TABLE, "quasipoisson")
    # Where there is none the call itself says so.
    for call, words in (
        (lambda: quasi.get_prediction(NEW, interval="prediction"), "no distribution follows"),
        (lambda: fits["binomial"].get_prediction(NEW, interval="prediction"), "trials="),
        (lambda: quasi.get_prediction(NEW, interval="confidence"), "R calls"),
    ):
        with pytest.raises(ValueError, match=words):
            call()


def test_numbers_and_shares_of_successes(fits: dict[str, jg.Results]) -> None:
    fit, trials = fits["binomial"], TABLE["m"]
    np.testing.assert_allclose(fit.get_distribution().mean(), fit.fittedvalues * trials)
    drawn = fit.simulate(400, seed=2)
    assert drawn.max(axis=None) <= 1
    np.testing.assert_allclose(drawn.mean(axis=1), fit.fittedvalues, atol=0.15)
    successes = drawn.mul(trials, axis=0)
    np.testing.assert_allclose(successes, successes.round(), atol=1e-9)


def test_rows_without_an_answer_are_named(fits: dict[str, jg.Results]) -> None:
    new = pd.DataFrame({"x": [0.0, np.nan, 1.0]})
    fit = fits["poisson"]
    for call in (
        lambda: fit.predict(new),
        lambda: fit.get_prediction(new),
        lambda: fit.get_distribution(new),
    ):
        with pytest.warns(jg.DataWarning, match=r"1 row \(1\), which gets nan: a predictor"):
            call()
    with pytest.warns(jg.DataWarning, match="gets nan"):
        prediction = fit.get_prediction(new)
    assert prediction.notes[0].startswith("Row 1 (counting from 0): no prediction")
    rates = jg.glm("count ~ x", TABLE, "poisson", exposure="w")
    with pytest.warns(jg.DataWarning, match=r"1 row \(2\)"):
        assert np.isnan(rates.predict(NEW, exposure=[1, 2, np.nan])[2])
    shares = fits["binomial"].get_prediction(NEW, trials=[3, 0, np.nan])
    with pytest.warns(jg.DataWarning, match="Rows 1, 2 .* trials or weight are 0 or missing"):
        assert shares.conf_int(interval="prediction")["upper"].isna().tolist() == [0, 1, 1]
    full = jg.glm("y ~ x", {"y": [1.0, 2.0], "x": [0.0, 1.0]})
    with pytest.warns(jg.DataWarning, match="Rows 0, 1 .* no dispersion"):
        full.get_prediction()
