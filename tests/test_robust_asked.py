"""Robust covariances: what is said of what was asked for, and which rows it is read from."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import jaxglm as jg
from jaxglm._tuning import tuned

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(8)
N = 48
TABLE = pd.DataFrame(
    {
        "x": RNG.normal(size=N).round(3),
        "firm": np.arange(N) // 4,
        "year": np.arange(N) % 4,
        "s": np.repeat(["p", "q"], N // 2),
        "f": np.where(np.arange(N) == N - 1, 0, 1),
    }
)
TABLE["y"] = RNG.poisson(np.exp(0.5 * TABLE.x))
FORMULA = "y ~ x"


@pytest.fixture(scope="module")
def fit() -> jg.Results:
    return jg.glm(FORMULA, TABLE, "poisson")


@pytest.fixture(scope="module")
def fits() -> jg.GroupResults:
    return jg.fit_groups(FORMULA, TABLE, "s", "poisson", freq_weights="f")


# -- what does nothing -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ({"cov_type": "HC1", "cadjust": False}, "cadjust=False leaves out the G / "),
        ({"cov_type": "HAC", "cadjust": False}, "asked for is 'HAC'"),
        ({"cadjust": False}, "asked for is 'nonrobust'"),
        ({"correction": "stata"}, "correction='stata' is of robust covariances"),
        ({"information": "observed", "correction": "stata"}, "is of robust covariances"),
        ({"cov_type": "HAC", "correction": "fixest"}, "correction='fixest' is of HC"),
        ({"cov_type": "HC1", "data": TABLE}, "data= is the table in which columns"),
    ],
)
def test_what_does_nothing_is_refused(fit: jg.Results, kind: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        fit.robust(**kind)


def test_a_table_beside_segments_that_hold_theirs(fits: jg.GroupResults) -> None:
    with pytest.raises(jg.DataError, match="data= is the table in which columns"):
        fits.robust("HC1", data=TABLE)


@pytest.mark.parametrize("kind", [{"cov_type": "HC1"}, {"cov_type": "nonrobust"}])
def test_use_correction_is_of_clusters_and_hac(fit: jg.Results, kind: Any) -> None:
    with pytest.raises(ValueError, match="use_correction is of cluster and HAC"):
        fit.get_robustcov_results(**kind, use_correction=True)


@pytest.mark.parametrize(
    "kind",
    [
        {"cov_type": "HC3", "correction": "stata"},
        {"cov_type": "HC0", "correction": "statsmodels"},
        {"cov_type": "HC1", "correction": "fixest"},
        {"cluster": "firm", "correction": "stata"},
        {"cluster": "firm", "type": "HC1", "correction": "statsmodels"},
        {"cov_type": "HAC", "correction": "statsmodels"},
        {"cov_type": "HC1", "correction": "stata"},
        {"cov_type": "HC1", "correction": "statsmodels"},
        {"cluster": "firm", "correction": "statsmodels"},
        {"cluster": "firm", "type": "HC1", "correction": "stata"},
        {"cluster": "firm", "type": "HC3", "correction": "fixest"},
        {"cov_type": "HAC", "correction": "stata"},
    ],
)
def test_a_correction_says_whether_it_makes_a_difference(fit: jg.Results, kind: Any) -> None:
    found = fit.robust(**kind)
    plain = fit.robust(**{**kind, "correction": "sandwich"})
    notes = " ".join(found.notes)
    same = np.allclose(found.bse, plain.bse, rtol=1e-12)
    assert ("makes no difference" in notes) == same
    assert (f"corrected as in {kind['correction']}" in notes) == (not same)


# -- with the fit ----------------------------------------------------------------------------------

KEYWORDS = {"type": "HC1", "correction": "statsmodels", "cadjust": False}


def test_all_words_may_be_given_with_the_fit(fit: jg.Results, fits: jg.GroupResults) -> None:
    wanted = fit.robust(cluster="firm", **KEYWORDS).bse
    words: dict[str, Any] = {"cluster": "firm", "cov_kwds": KEYWORDS}
    assert jg.glm(FORMULA, TABLE, "poisson", **words).bse.equals(wanted)
    X = fit.design_matrix()
    own = words | {"cluster": TABLE.firm}
    np.testing.assert_allclose(jg.GLM(TABLE.y, X, "poisson").fit(**own).bse, wanted, rtol=1e-12)
    many = jg.fit_groups(FORMULA, TABLE, "s", "poisson", freq_weights="f", **words)
    np.testing.assert_allclose(many.bse, fits.robust(cluster="firm", **KEYWORDS).bse)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ({"cov_kwds": {"cadjust": False}}, "cadjust=False leaves out"),
        ({"cluster": "firm", "cov_kwds": {"type": "HC9"}}, "type must be one of"),
        ({"cluster": "firm", "cov_kwds": {"correction": "sas"}}, "correction must be one of"),
        ({"cluster": "firm", "cov_kwds": {"adjust": 1}}, "cov_kwds has no 'adjust'"),
        (
            {"cluster": "firm", "cov_kwds": {"cadjust": True, "use_correction": True}},
            "use_correction is statsmodels' word",
        ),
    ],
)
def test_wrong_words_with_the_fit(kind: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        jg.glm(FORMULA, TABLE, "poisson", **kind)


# -- moments and lags ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "words", "other"),
    [
        ({"time": "year", "maxlags": 1}, "48 rows are of 4 times", "maxlags=1 is much"),
        ({"maxlags": 40}, "maxlags=40 is much for a series of 48 moments", "rows are of"),
        ({"time": "year", "maxlags": 2}, "maxlags=2 is much for a series of 4", "no full rank"),
        ({"time": "s", "maxlags": 0}, "2 moments for 2 coefficients", "is much"),
        (
            {"time": "year", "groups": "firm", "maxlags": 9},
            "reaches beyond the longest series, of 4 moments",
            "rows are of",
        ),
    ],
)
def test_moments_and_lags_are_mentioned(fit: jg.Results, kind: Any, words: str, other: str) -> None:
    notes = " ".join(fit.robust("HAC", **kind).notes)
    assert words in notes and other not in notes


def test_an_ordinary_series_is_not(fit: jg.Results) -> None:
    assert len(fit.robust("HAC").notes) == 2  # what it is, and how to read a coefficient
    assert len(fit.robust("HAC", time="year", groups="firm", maxlags=2).notes) == 2


def test_moments_and_lags_of_segments(fits: jg.GroupResults) -> None:
    notes = fits.robust("HAC", time="year", maxlags=3).notes
    assert "2 segments have several rows at a time ('p', 'q')" in notes[0]
    assert "2 segments have much of maxlags" in notes[1]
    assert fits.robust("HAC", maxlags=3).notes == ()


# -- rows that take no part ------------------------------------------------------------------------

GAP = TABLE.assign(
    firm=TABLE.firm.where(TABLE.f == 1).astype(object), year=TABLE.year.where(TABLE.f == 1)
)


@pytest.mark.parametrize(
    "kind",
    [
        {"cluster": "firm"},
        {"cluster": ["firm", "year"], "correction": "fixest"},
        {"cov_type": "HAC", "time": "year", "groups": "firm", "maxlags": 1},
    ],
)
def test_rows_of_weight_zero_may_lack_a_value(kind: Any) -> None:
    found = jg.glm(FORMULA, GAP, "poisson", freq_weights="f")
    table = TABLE[TABLE.f == 1]
    rest = jg.glm(FORMULA, table, "poisson")
    np.testing.assert_allclose(
        found.robust(**kind).cov_params(), rest.robust(**kind).cov_params(), rtol=1e-9
    )


@pytest.mark.slow
def test_nor_do_those_of_segments_or_replicates(fits: jg.GroupResults) -> None:
    table = GAP.assign(y=TABLE.y.where(TABLE.s == "p", -1), firm=TABLE.firm.where(TABLE.s == "p"))
    found = jg.fit_groups(
        FORMULA, table, "s", "poisson", freq_weights="f", cluster="firm", on_failure="ignore"
    )
    wanted = fits.robust(cluster="firm").bse.loc["p"]
    np.testing.assert_allclose(found.bse.loc["p"], wanted, rtol=1e-9)
    with tuned(most_lane_rows=1):
        again = found.robust(cluster="firm", type="HC1").bse.loc["p"]
        last = fits.robust("HAC", time=GAP.year.to_numpy(), maxlags=1)
    assert np.isfinite(again).all() and last.bse.notna().all(axis=None)
    weighted = jg.glm(FORMULA, GAP, "poisson", freq_weights="f")
    assert weighted.bootstrap(n=3, seed=1, cluster=GAP.firm).params.shape == (3, 2)


def test_a_missing_value_in_a_row_that_counts_is_an_error() -> None:
    table = GAP.assign(firm=GAP.firm.where(GAP.index > 0))
    with pytest.raises(jg.DataError, match="firm has missing values in row 0"):
        jg.glm(FORMULA, table, "poisson", freq_weights="f", cluster="firm")


# -- results that hold no rows ---------------------------------------------------------------------


def test_rows_are_read_again_from_the_table(fit: jg.Results, tmp_path: Path) -> None:
    fit.save(tmp_path / "fit")
    slim = jg.glm(FORMULA, TABLE, "poisson", keep_data=False)
    for other in (jg.load(tmp_path / "fit"), pickle.loads(pickle.dumps(fit)), slim):
        found = other.robust(cluster="firm", data=TABLE)
        np.testing.assert_allclose(found.bse, fit.robust(cluster="firm").bse, rtol=1e-9)
        assert found.model.dataset is None
        with pytest.raises(jg.DataError, match=r"Give the table as data=\."):
            other.robust(cluster="firm")
    loaded = jg.load(tmp_path / "fit")
    np.testing.assert_allclose(loaded.robust("HC3", data=TABLE).bse, fit.robust("HC3").bse)
    with pytest.raises(jg.DataError, match="other coefficients there"):
        loaded.robust(cluster="firm", data=TABLE.assign(x=TABLE.x[::-1].to_numpy()))
    with pytest.raises(jg.DataError, match="did you mean 'firm'"):
        loaded.robust(cluster="frim", data=TABLE)


def test_what_cannot_be_read_again_is_said(fits: jg.GroupResults, tmp_path: Path) -> None:
    weighted = pickle.loads(pickle.dumps(jg.glm(FORMULA, TABLE, "poisson", freq_weights="f")))
    with pytest.raises(jg.DataError, match=r"a fit with freq_weights=.*Fit again and call robust"):
        weighted.robust("HC1", data=TABLE)
    fits.save(tmp_path / "fits")
    with pytest.raises(jg.DataError, match=r"with the fits, as fit_groups.*saved with them"):
        jg.load(tmp_path / "fits").robust("HC1")


def test_a_table_that_nothing_else_refers_to_is_gone() -> None:
    result = jg.glm(FORMULA, TABLE.copy(), "poisson")
    with pytest.raises(jg.DataError, match=r"glm\(\.\.\., cluster='firm'\); or give the values"):
        result.robust(cluster="firm")


@pytest.mark.slow
def test_the_information_of_a_fit_stays_with_its_other_covariances() -> None:
    rng = np.random.default_rng(5)
    table = pd.DataFrame({"x": rng.normal(size=60)})
    table["y"] = rng.gamma(2, np.exp(0.2 * table.x))
    family = jg.Gamma(link="log")
    fit = jg.glm("y ~ x", table, family, information="observed")
    both = jg.glm("y ~ x", table, family, information="observed", cov_type="HC0")
    assert fit.robust("HC0").bse.equals(both.bse) and both.cov_type == "HC0, observed"
    assert both.robust("nonrobust").bse.equals(fit.bse)
    expected = jg.glm("y ~ x", table, family)
    assert fit.robust("HC0", information="expected").bse.equals(expected.robust("HC0").bse)
    assert fit.get_robustcov_results("HC0").cov_type == fit.robust("HC0").glance().cov_type[0]
    table["g"] = np.arange(60) % 2
    fits = jg.fit_groups("y ~ x", table, "g", family, information="observed")
    assert fits.robust("HC0").cov_type == "HC0, observed"


@pytest.mark.slow
def test_robust_errors_beside_reduced_bias_carry_a_caution() -> None:
    table = pd.DataFrame({"g": [1] * 5 + [2] * 5, "x": [1.0, 2, 3, 4, 5] * 2})
    table["y"] = [1, 1, 0, 1, 0, 1, 1, 1, 0, 0]
    one = jg.glm("y ~ x", table, "binomial", bias="firth", cov_type="HC1")
    assert any("come out far too small" in note for note in one.notes)
    assert not any("far too small" in note for note in one.robust("nonrobust").notes)
    fits = jg.fit_groups("y ~ x", table, "g", "binomial", on_separation="firth", cov_type="HC1")
    assert any("(2): robust standard errors rest on" in note for note in fits.notes)
