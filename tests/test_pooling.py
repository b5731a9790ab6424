"""Segments that are pulled towards what they have in common: empirical Bayes."""

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import jaxglm as jg

FOLDER = Path(__file__).parent / "data/smooth"

RNG = np.random.default_rng(4)
G = 25
SIZES = RNG.integers(2, 9, G)
SEGMENT = np.repeat(np.arange(G), SIZES)
N = SEGMENT.size
X = RNG.normal(size=N)
EFFECTS = np.array([0.3, 0.5]) + RNG.normal(size=(G, 2)) * [0.6, 0.3]
ETA = EFFECTS[SEGMENT, 0] + EFFECTS[SEGMENT, 1] * X
DATA = pd.DataFrame(
    {
        "shop": [f"s{g:02d}" for g in SEGMENT],
        "x": X,
        "n": RNG.poisson(np.exp(ETA)),
        "y": ETA + RNG.normal(size=N),
        "b": RNG.binomial(1, 1 / (1 + np.exp(-ETA))),
    }
)


@functools.cache
def counts() -> jg.GroupResults:
    return jg.fit_groups("n ~ x", DATA, "shop", "poisson", toward="pooled")


def test_a_linear_mixed_model_of_lme4() -> None:
    expected = json.loads((FOLDER / "smooth.json").read_text())["slopes"]
    nights = pd.read_csv(FOLDER / "nights.csv")
    fits = jg.fit_groups("Reaction ~ Days", nights, "Subject", toward="pooled")
    np.testing.assert_allclose(fits.prior_mean, expected["mean"], rtol=1e-6)
    np.testing.assert_allclose(fits.prior_cov.to_numpy().ravel(), expected["cov"], rtol=1e-4)
    np.testing.assert_allclose(fits.params.iloc[:10], expected["coef_10"], rtol=1e-5, atol=1e-5)
    assert fits[308].scale == pytest.approx(expected["sigma"] ** 2, rel=1e-5)


def test_a_covariance_without_an_inverse() -> None:
    """lme4 calls this fit singular: intercepts and slopes have a correlation of -1."""
    expected = json.loads((FOLDER / "smooth.json").read_text())["singular"]
    chickens = pd.read_csv(FOLDER / "chickens.csv")
    fits = jg.fit_groups("weight ~ Time", chickens, "Chick", toward="pooled")
    assert fits.converged.all()
    np.testing.assert_allclose(fits.prior_mean, expected["mean"], rtol=2e-3)
    np.testing.assert_allclose(fits.prior_cov.to_numpy().ravel(), expected["cov"], rtol=2e-2)
    np.testing.assert_allclose(fits.params.iloc[:10], expected["coef_10"], rtol=2e-2)


@pytest.mark.parametrize(("response", "family"), [("y", "gaussian"), ("n", "poisson")])
def test_intercepts_are_those_of_a_random_effect(response: str, family: str) -> None:
    fits = jg.fit_groups(f"{response} ~ 1", DATA, "shop", family, toward="pooled")
    one = jg.glm(f"{response} ~ (1 | shop)", DATA, family)
    effects = one.params.drop("Intercept").to_numpy() + one.params["Intercept"]
    np.testing.assert_allclose(fits.params["Intercept"], effects, rtol=1e-5)
    assert fits.prior_mean["Intercept"] == pytest.approx(one.params["Intercept"], rel=1e-5)
    spread = one.smooth_terms["std_dev"].iloc[0]
    assert np.sqrt(fits.prior_cov.iloc[0, 0]) == pytest.approx(spread, rel=1e-5)


def test_an_estimate_is_the_optimum_under_the_prior() -> None:
    fits, g = counts(), "s03"
    weight = (DATA["shop"] == g).sum()
    prior = jg.Quadratic(np.linalg.inv(fits.prior_cov) / weight, center=fits.prior_mean)
    alone = jg.glm("n ~ x", DATA[DATA["shop"] == g], "poisson", penalty=prior)
    np.testing.assert_allclose(fits[g].params, alone.params, atol=1e-8)
    np.testing.assert_allclose(fits[g].bse, alone.bse, rtol=1e-7)


def test_short_segments_are_pulled_the_more() -> None:
    shares = counts().shrinkage
    assert ((shares > 0) & (shares < 1)).all(axis=None)
    assert np.corrcoef(SIZES, shares["Intercept"])[0, 1] < -0.5
    tidy = counts().tidy()
    np.testing.assert_array_equal(tidy["shrinkage"], shares.to_numpy().ravel())
    assert "pulled towards what all have in common" in " ".join(counts().notes)


def test_segments_that_cannot_stand_alone_have_estimates() -> None:
    assert DATA.groupby("shop")["b"].nunique().min() == 1
    fits = jg.fit_groups("b ~ x", DATA, "shop", "binomial", toward="pooled")
    assert fits.converged.all()
    assert np.isfinite(fits.params).all(axis=None)
    assert (fits.bse > 0).all(axis=None)


def test_a_column_that_a_segment_lacks_is_what_all_have() -> None:
    data = DATA.assign(half=np.where(DATA["shop"] < "s12", "low", np.tile(["low", "up"], N)[:N]))
    fits = jg.fit_groups("n ~ half", data, "shop", "poisson", toward="pooled")
    low = fits.params.loc["s03", "half[T.up]"]
    # What is known of it comes through the intercept, with which it varies together.
    share = fits.prior_cov.loc["Intercept", "half[T.up]"] / fits.prior_cov.loc["Intercept"].iloc[0]
    apart = fits.params.loc["s03", "Intercept"] - fits.prior_mean["Intercept"]
    assert low == pytest.approx(fits.prior_mean["half[T.up]"] + share * apart, abs=1e-6)


def test_new_segments_have_the_common_coefficients() -> None:
    new = pd.DataFrame({"shop": ["s01", "new"], "x": [0.5, 0.5]})
    with pytest.raises(jg.DataError, match="not in the fit"):
        counts().predict(new)
    linear = counts().predict(new, which="linear", unseen="pooled")
    mean = counts().prior_mean
    assert linear[1] == pytest.approx(mean["Intercept"] + 0.5 * mean["x"])
    assert linear[0] == pytest.approx(counts().predict(new[:1], which="linear")[0])


def test_a_prior_is_kept_in_a_file(tmp_path: Path) -> None:
    counts().save(tmp_path / "fits")
    loaded = jg.load(tmp_path / "fits")
    pd.testing.assert_frame_equal(loaded.prior_cov, counts().prior_cov)
    pd.testing.assert_frame_equal(loaded.shrinkage, counts().shrinkage)


def test_few_segments_tell_of_variances_only() -> None:
    some = DATA[DATA["shop"] < "s06"]
    fits = jg.fit_groups("n ~ x", some, "shop", "poisson", toward="pooled")
    assert fits.prior_cov.iloc[0, 1] == 0
    assert "only variances were estimated" in " ".join(fits.notes)


def test_where_segments_do_not_differ_all_are_the_pooled_fit() -> None:
    same = pd.DataFrame({"g": np.repeat(np.arange(8), 4), "x": np.tile([0.0, 1, 2, 3], 8)})
    same["n"] = np.tile([1, 2, 4, 7], 8)
    fits = jg.fit_groups("n ~ x", same, "g", "poisson", toward="pooled")
    one = jg.glm("n ~ x", same, "poisson")
    np.testing.assert_allclose(fits.params, np.tile(one.params, (8, 1)), atol=1e-6)
    assert (fits.shrinkage > 0.99).all(axis=None)


def test_arrays_come_to_the_same() -> None:
    model = jg.GLM(DATA["n"], jg.add_constant(DATA[["x"]]), "poisson")
    fits = model.fit_groups(DATA["shop"], toward="pooled")
    np.testing.assert_allclose(fits.params, counts().params, rtol=1e-9)


def test_a_segment_without_a_fit_takes_no_part() -> None:
    wrong = DATA.assign(n=np.where(DATA["shop"] == "s00", -1, DATA["n"]))
    fits = jg.fit_groups("n ~ x", wrong, "shop", "poisson", toward="pooled", on_failure="ignore")
    rest = jg.fit_groups("n ~ x", DATA[DATA["shop"] != "s00"], "shop", "poisson", toward="pooled")
    assert fits.shrinkage.loc["s00"].isna().all()
    np.testing.assert_allclose(fits.prior_mean, rest.prior_mean, rtol=1e-6)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"toward": "mean"}, "toward must be one of None"),
        ({"penalty": jg.Ridge(1)}, "both shrink the estimates"),
        ({"bias": "firth"}, "both shrink the estimates"),
        ({"family": "negative_binomial"}, "whose alpha is given"),
        ({"data": DATA[DATA["shop"] == "s01"]}, "two segments at the least"),
    ],
)
def test_what_cannot_be_pooled(given: dict[str, Any], words: str) -> None:
    asked: dict[str, Any] = {"data": DATA, "by": "shop", "family": "poisson", "toward": "pooled"}
    with pytest.raises(ValueError, match=words):
        jg.fit_groups("n ~ x", **(asked | given))


@pytest.mark.parametrize(
    ("formula", "changed", "family", "words"),
    [
        ("y ~ x + I(2 * x)", {}, "gaussian", r"I\(2 \* x\) follows from the other columns"),
        ("y ~ x + q", {"q": 3.0}, "gaussian", "q follows from the other columns"),
        ("n ~ x", {"n": 0}, "poisson", "no finite estimate for Intercept"),
        ("b ~ x", {"b": 1}, "binomial", "no finite estimate for Intercept"),
        ("y ~ x", {"y": 0.0}, "gaussian", "nothing of the response is left"),
        ("y ~ x", {"y": 2 * X}, "gaussian", "nothing of the response is left"),
        ("y ~ x", {"y": SEGMENT * X}, "gaussian", "segments by themselves leave nothing"),
    ],
)
def test_rows_that_tell_of_no_distribution(
    formula: str, changed: dict[str, Any], family: str, words: str
) -> None:
    with pytest.raises(jg.DataError, match=words):
        jg.fit_groups(formula, DATA.assign(**changed), "shop", family, toward="pooled")


@pytest.mark.parametrize(
    "ask",
    [
        lambda fits: fits.shrinkage,
        lambda fits: fits.prior_mean,
        lambda fits: fits.predict(DATA, unseen="pooled"),
    ],
)
def test_what_only_pooled_fits_have(ask: Callable[[jg.GroupResults], Any]) -> None:
    fits = jg.fit_groups("n ~ x", DATA, "shop", "poisson", on_failure="ignore")
    with pytest.raises(jg.DataError, match=r"toward='pooled'"):
        ask(fits)
