"""Robust covariances: against R's sandwich and clubSandwich, and against each other."""

import dataclasses
import json
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import jaxglm as jg
from jaxglm._tuning import tuned
from jaxglm.inference import Asked, CovarianceChoice, Estimated, covariance_of
from jaxglm.sources import Chunked
from tests.marks import slow_among

FOLDER = Path(__file__).parent / "data"
R: dict[str, Any] = json.loads((FOLDER / "robust" / "robust.json").read_text())

RNG = np.random.default_rng(3)
N = 60
TABLE = pd.DataFrame(
    {
        "x": RNG.normal(size=N).round(3),
        "g": RNG.choice(list("abc"), N),
        "firm": RNG.integers(0, 9, N),
        "year": RNG.integers(0, 6, N),
        "f": RNG.integers(1, 4, N),
        "w": RNG.uniform(0.5, 2.0, N).round(2),
    }
)
TABLE["y"] = RNG.poisson(np.exp(0.5 * TABLE.x + 0.3 * (TABLE.g == "b")))
TABLE["cost"] = (1 + TABLE.y + RNG.gamma(2.0, size=N)).round(3)
GAMMA = jg.Gamma(link="log")

KINDS: list[dict[str, Any]] = [
    {"cov_type": "HC0"},
    {"cov_type": "HC1"},
    {"cov_type": "HC2"},
    {"cov_type": "HC3"},
    {"cluster": "firm"},
    {"cluster": "firm", "type": "HC1"},
    {"cluster": "firm", "type": "HC2"},
    {"cluster": "firm", "type": "HC3"},
    {"cluster": ["firm", "year"]},
    {"cov_type": "HAC", "maxlags": 2, "time": "year"},
    {"cov_type": "HAC", "maxlags": 2, "time": "year", "groups": "g"},
    {"cov_type": "nonrobust", "information": "observed"},
    {"cov_type": "HC3", "information": "observed"},
]
IDS = [" ".join(map(str, kind.values())) for kind in KINDS]


@pytest.fixture(autouse=True)
def quiet() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", jg.RankWarning)
        yield


@cache
def fit() -> jg.Results:
    return jg.glm("cost ~ x + g", TABLE, GAMMA)


def close(found: Any, wanted: Any, rtol: float = 1e-9) -> None:
    """Covariances agree, an entry counting as its standard errors do."""
    found, wanted = np.asarray(found), np.asarray(wanted)
    size = np.sqrt(np.abs(np.diag(wanted)))
    np.testing.assert_allclose(found / np.outer(size, size), wanted / np.outer(size, size), 0, rtol)


# -- against R -------------------------------------------------------------------------------------


def innovation_table() -> pd.DataFrame:
    return pd.read_csv(FOLDER / "robust" / "innovation.csv")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("HC3", {"cov_type": "HC3"}),
        ("company", {"cluster": "company"}),
        ("company_HC1", {"cluster": "company", "type": "HC1"}),
        ("company_plain", {"cluster": "company", "cadjust": False}),
        ("both", {"cluster": ["company", "year"]}),
        ("both_HC1", {"cluster": ["company", "year"], "type": "HC1"}),
        ("panel_3", {"cov_type": "HAC", "groups": "company", "time": "year", "maxlags": 3}),
        ("time_3", {"cov_type": "HAC", "time": "year", "maxlags": 3}),
    ],
)
def test_counts_of_firms_as_sandwich(name: str, kind: dict[str, Any]) -> None:
    table = innovation_table()
    model = jg.glm("cites ~ institutions + capital + sales", table, "poisson")
    close(model.robust(**kind).cov_params(), R["innovation"][name])


@pytest.mark.parametrize("name", ["HC2", "HC3", "CR2", "CR3"])
def test_corrected_clusters_as_sandwich_and_clubsandwich(name: str) -> None:
    table = pd.read_csv(FOLDER / "reference" / "data" / "petersen.csv")
    table = table[table.firm <= 60]
    found = (
        jg.glm("y ~ x", table).robust(cluster="firm", type=name.replace("CR", "HC")).cov_params()
    )
    # clubSandwich has no factor; sandwich's G / (G - 1) and (G - 1) / G make none here either.
    close(found, R["petersen"][name])


def test_corrected_clusters_of_a_logit_as_clubsandwich() -> None:
    table = pd.read_csv(FOLDER / "reference" / "data" / "bacteria.csv")
    table["trt"] = pd.Categorical(table.trt, ["placebo", "drug", "drug+"])
    model = jg.glm("y ~ trt + late", table, "binomial")
    close(model.robust(cluster="ID", type="HC3").cov_params(), R["bacteria"]["CR3"])
    close(model.robust(cluster="ID", cadjust=False).cov_params(), R["bacteria"]["CR0"])


@pytest.mark.parametrize("lags", [0, 4])
def test_newey_west_as_sandwich(lags: int) -> None:
    table = pd.read_csv(FOLDER / "reference" / "data" / "airpassengers.csv")
    table["t"] = (np.arange(len(table)) + 1) / 100
    model = jg.glm("passengers ~ t", table, "quasipoisson")
    close(model.robust("HAC", maxlags=lags).cov_params(), R["air"][f"lag_{lags}"])


def test_the_same_model_may_be_asked_by_statsmodels_words() -> None:
    groups = TABLE.firm
    ours = jg.glm("cost ~ x + g", TABLE, GAMMA, cov_type="cluster", cov_kwds={"groups": groups})
    close(ours.cov_params(), fit().robust(cluster="firm").cov_params())
    again = fit().get_robustcov_results("HAC", maxlags=2, time=TABLE.year)
    close(again.cov_params(), fit().robust("HAC", maxlags=2, time="year").cov_params())
    corrected = fit().get_robustcov_results("cluster", groups=groups, use_correction=True)
    factor = (N - 1) / (N - 4)
    close(corrected.cov_params(), factor * fit().robust(cluster="firm").cov_params())


def test_corrections_of_other_software() -> None:
    plain = fit().robust("HC0").cov_params()
    factors = {
        "sandwich": N / (N - 4),
        "stata": N / (N - 1),
        "statsmodels": 1,
        "fixest": N / (N - 4),
    }
    for software, factor in factors.items():
        close(fit().robust("HC1", correction=software).cov_params(), factor * plain)
    bare = fit().robust(cluster="firm", cadjust=False).cov_params()
    for software, factor in {"stata": 1.0, "statsmodels": 59 / 56, "fixest": 59 / 56}.items():
        found = fit().robust(cluster="firm", correction=software)
        close(found.cov_params(), 9 / 8 * factor * bare)
        assert software in " ".join(found.notes)


# -- the same covariance in other ways -------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS, ids=IDS)
@pytest.mark.slow
def test_frequency_weights_are_repeated_rows(kind: dict[str, Any]) -> None:
    weighted = jg.glm("cost ~ x + g", TABLE, GAMMA, freq_weights="f", var_weights="w")
    rows = TABLE.loc[TABLE.index.repeat(TABLE.f)].reset_index(drop=True)
    repeated = jg.glm("cost ~ x + g", rows, GAMMA, var_weights="w")
    close(weighted.robust(**kind).cov_params(), repeated.robust(**kind).cov_params())


@pytest.mark.parametrize("kind", slow_among(KINDS, KINDS[:3] + KINDS[4:7]), ids=IDS)
def test_rows_may_stand_in_any_order(kind: dict[str, Any]) -> None:
    table = TABLE.sample(frac=1.0, random_state=1)
    found = jg.glm("cost ~ x + g", table, GAMMA).robust(**kind)
    close(found.cov_params(), fit().robust(**kind).cov_params())


@pytest.mark.parametrize("kind", slow_among(KINDS, KINDS[:3] + KINDS[4:6]), ids=IDS)
@pytest.mark.slow
def test_an_eliminated_factor_changes_nothing(kind: dict[str, Any]) -> None:
    if kind.get("type") in ("HC2", "HC3"):
        kind = {**kind, "cluster": "year"}
    with tuned(least_eliminated=2):
        found = jg.glm("cost ~ x + g + C(firm)", TABLE, GAMMA)
    assert found.fit.covariance.root.diagonal.any()
    plain = jg.glm("cost ~ x + g + C(firm)", TABLE, GAMMA)
    one, other = found.robust(**kind), plain.robust(**kind)
    close(one.cov_params(), other.cov_params())
    if "cluster" not in kind and "time" not in kind:
        with tuned(most_robust=3):
            few = found.robust(**kind)
        if kind["cov_type"] != "nonrobust":
            np.testing.assert_allclose(few.bse[:4], other.bse[:4], rtol=1e-9)
            assert few.bse[4:].isna().all()
            assert "8 levels" in few.notes[1]


@pytest.mark.parametrize("kind", KINDS, ids=IDS)
def test_rows_may_come_in_parts(kind: dict[str, Any]) -> None:
    if kind.get("cov_type") == "HAC" or kind.get("type") in ("HC2", "HC3"):
        pytest.skip("these take rows in an order of their own")
    model = fit()
    held = model.model.held("a test")
    asked = _read(kind, model)
    parts = [held.block.take(np.arange(a, min(a + 25, N))) for a in range(0, N, 25)]
    estimated = Estimated.of(model.fit, model.family, held)
    of_parts = dataclasses.replace(estimated, source=Chunked(parts, np.dtype(float)))
    in_parts = covariance_of(of_parts, asked)
    close(in_parts.matrix, model.robust(**kind).cov_params())


def _read(kind: dict[str, Any], model: jg.Results) -> Asked:
    return CovarianceChoice.of(**kind).read(model.model.held("a test"), TABLE.__getitem__)


@pytest.mark.parametrize(
    "kind",
    slow_among([k for k in KINDS if "groups" not in k], KINDS[:3] + KINDS[4:6]),
    ids=lambda k: str(k),
)
@pytest.mark.slow
def test_each_segment_has_the_covariance_that_it_would_have_alone(kind: dict[str, Any]) -> None:
    table = pd.concat([TABLE.assign(s="p"), TABLE.assign(s="q", cost=TABLE.cost[::-1].to_numpy())])
    table = table.sample(frac=0.9, random_state=2)
    found = _segments(table).robust(**kind)
    for key in ("p", "q"):
        rows = table[table.s == key]
        own = jg.glm("cost ~ x + g", rows, GAMMA).robust(**kind)
        np.testing.assert_allclose(found.bse.loc[key], own.bse, rtol=1e-9)
        np.testing.assert_allclose(found[key].robust(**kind).bse, own.bse, rtol=1e-9)
        assert found[key].fit.covariance.df == own.fit.covariance.df


def _segments(table: pd.DataFrame) -> jg.GroupResults:
    return jg.fit_groups("cost ~ x + g", table, "s", GAMMA)


def test_a_segment_without_such_a_covariance_says_why() -> None:
    table = pd.DataFrame(
        {
            "s": ["a"] * 6 + ["b"] * 6,
            "x": [0, 1, 2, 3, 4, 5.0] * 2,
            "y": [1, 0, 2, 3, 5, 8, 4, 2, 2, 1, 0, 1],
            "c": [0, 0, 1, 1, 2, 2] + [7] * 6,
        }
    )
    found = jg.fit_groups("y ~ x", table, "s", "poisson", cluster="c")
    assert found.bse.loc["a"].notna().all()
    assert found.bse.loc["b"].isna().all()
    assert found.notes == ("1 segment has no such standard errors ('b'): it has one cluster only.",)
    assert found.params.notna().all().all()


# -- what follows from a covariance ----------------------------------------------------------------


def test_everything_downstream_uses_it(tmp_path: Path) -> None:
    robust = fit().robust(cluster="firm")
    covariance = robust.cov_params().to_numpy()
    np.testing.assert_allclose(robust.bse, np.sqrt(np.diag(covariance)))
    # The dispersion of a gamma is estimated: t, with the clusters less one.
    np.testing.assert_allclose(
        robust.pvalues, 2 * stats.t(8).sf(np.abs(robust.params / robust.bse))
    )
    assert robust.tidy().std_error.tolist() == robust.bse.tolist()
    X = robust.design_matrix().to_numpy()
    prediction = robust.get_prediction()
    np.testing.assert_allclose(prediction.linear_se, np.sqrt(np.sum((X @ covariance) * X, axis=1)))
    assert "cluster HC0" in str(robust.summary())
    assert "clusters of firm (9)" in str(robust.summary()).replace("\n  ", " ")
    robust.save(tmp_path / "fit")
    loaded = jg.load(tmp_path / "fit")
    assert loaded.bse.equals(robust.bse)
    assert loaded.notes == robust.notes
    assert loaded.cov_type == "cluster HC0"
    assert loaded.robust("nonrobust").bse.equals(fit().bse)
    assert robust.robust("nonrobust").bse.equals(fit().bse)
    close(robust.robust("HC3").cov_params(), fit().robust("HC3").cov_params())


@pytest.mark.slow
def test_segments_are_saved_with_it(tmp_path: Path) -> None:
    found = jg.fit_groups("cost ~ x", TABLE, "g", GAMMA, cov_type="HC1")
    found.save(tmp_path / "fits")
    loaded = jg.load(tmp_path / "fits")
    assert loaded.bse.equals(found.bse)
    assert loaded["b"].cov_type == "HC1"
    assert (
        loaded["b"]
        .robust("nonrobust")
        .bse.equals(jg.fit_groups("cost ~ x", TABLE, "g", GAMMA)["b"].bse)
    )


def test_robust_errors_silence_the_note_on_overdispersion() -> None:
    table = TABLE.assign(y=TABLE.y * 9)
    model = jg.glm("y ~ x", table, "poisson")
    assert any("Overdispersion" in note for note in model.notes)
    assert not any("Overdispersion" in note for note in model.robust("HC0").notes)
    assert not any(
        "Overdispersion" in n for n in jg.glm("y ~ x", table, "poisson", scale="X2").notes
    )


@pytest.mark.parametrize(
    ("scale", "value"),
    [
        ("pearson", 0.08544273079757035),
        ("ml", 0.0844774564785924),
        (2.0, 2.0),
        ("dev", 0.114221356405),
    ],
)
@pytest.mark.slow
def test_dispersions(scale: Any, value: float) -> None:
    # R: summary(m)$dispersion, 1 / MASS::gamma.shape(m)$alpha and deviance(m) / df.residual(m).
    table = {"y": [2, 1, 3, 4, 6, 9, 3, 5], "x": [0.0, 1, 2, 3, 4, 5, 1, 4]}
    model = jg.glm("y ~ x", table, GAMMA, scale=scale)
    assert model.scale == pytest.approx(value, rel=1e-10)
    unit = jg.glm("y ~ x", table, GAMMA)
    np.testing.assert_allclose(model.bse, unit.bse * np.sqrt(value / unit.scale), rtol=1e-9)
    assert model.use_t == (scale != 2.0)
    by = jg.fit_groups("y ~ x", {**table, "s": ["a"] * 8}, "s", GAMMA, scale=scale)
    np.testing.assert_allclose(by.bse.loc["a"], model.bse, rtol=1e-9)


def test_observed_information_is_that_of_second_differences() -> None:
    observed = fit().robust(information="observed")
    X, y = fit().design_matrix().to_numpy(), TABLE.cost.to_numpy()
    eta = X @ fit().params.to_numpy()
    # The loss of a gamma with a log link is y exp(-eta) + eta, and so is its second derivative.
    hessian = (X * (y * np.exp(-eta))[:, None]).T @ X
    close(observed.cov_params(), fit().scale * np.linalg.inv(hessian))


# -- what is refused, and in which words -----------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ({"cov_type": "HC4"}, "cov_type must be 'nonrobust', 'HC0'"),
        ({"cov_type": "cluster"}, "needs cluster="),
        ({"cov_type": "HC1", "maxlags": 3}, "maxlags= belongs to cov_type='HAC'"),
        ({"cov_type": "HAC", "maxlags": -1}, "maxlags must be a number of lags"),
        ({"cov_type": "HAC", "type": "HC1"}, "type='HC1' is"),
        ({"cluster": "frim"}, "did you mean 'firm'"),
        ({"cluster": np.zeros(N)}, "cluster holds one cluster only"),
        ({"cluster": TABLE.firm.where(TABLE.firm > 0)}, "firm has missing values in"),
        ({"cluster": np.arange(3)}, "length"),
        ({"cov_type": "HC0", "information": "fisher"}, "information must be one of"),
        ({"cov_type": "HC0", "correction": "sas"}, "correction must be one of"),
    ],
)
def test_what_cannot_be_is_refused_in_words(kind: dict[str, Any], words: str) -> None:
    with pytest.raises((ValueError, jg.DataError), match=words):
        fit().robust(**kind)


def test_a_table_that_is_gone_or_changed() -> None:
    table = TABLE.copy()
    model = jg.glm("cost ~ x + g", table, GAMMA)
    table["x"] = table.x[::-1].to_numpy()
    with pytest.raises(jg.DataError, match="not that of the fit as it was"):
        model.robust(cluster="firm")
    model = jg.glm("cost ~ x + g", TABLE.copy(), GAMMA)
    with pytest.raises(
        jg.DataError, match=r"no longer there: a result keeps.*read_csv.*table\['firm'\]"
    ):
        model.robust(cluster="firm")
    close(
        model.robust(cluster="firm", data=TABLE).cov_params(),
        fit().robust(cluster="firm").cov_params(),
    )


def test_a_row_that_determines_a_coefficient_alone() -> None:
    table = pd.DataFrame({"y": [1, 3, 2, 4, 6.0], "g": list("aabbc")})
    model = jg.glm("y ~ g", table)
    with pytest.raises(jg.DataError, match=r"1 row has a leverage of 1.*position 4"):
        model.robust("HC3")
    assert model.robust("HC1").bse.notna().all()


def test_no_more_observations_than_coefficients() -> None:
    model = jg.glm("y ~ g", {"y": [1, 2], "g": ["a", "b"]}, "poisson")
    with pytest.raises(jg.DataError, match="2 observations for 2 coefficients"):
        model.robust("HC0")


def test_few_clusters_are_mentioned() -> None:
    notes = " ".join(fit().robust(cluster="firm").notes)
    assert "firm has 9 clusters only" in notes
    notes = " ".join(fit().robust(cluster=TABLE.g).notes)
    assert "g has 3 clusters for 4 coefficients" in notes


def test_missing_rows_are_left_out_of_clusters_too() -> None:
    table = TABLE.assign(x=TABLE.x.where(TABLE.index != 5))
    found = jg.glm("cost ~ x + g", table, GAMMA, missing="drop", cluster="firm")
    rest = TABLE.drop(index=5)
    wanted = jg.glm("cost ~ x + g", rest, GAMMA, cluster="firm")
    close(found.cov_params(), wanted.cov_params())
    close(found.robust(cluster=TABLE.firm).cov_params(), wanted.cov_params())


def test_rows_of_weight_zero_do_not_count() -> None:
    table = TABLE.assign(f=np.where(TABLE.index < 50, 1, 0))
    found = jg.glm("cost ~ x + g", table, GAMMA, freq_weights="f")
    first = TABLE[:50]
    wanted = jg.glm("cost ~ x + g", first, GAMMA)
    for kind in KINDS[3:5]:
        close(found.robust(**kind).cov_params(), wanted.robust(**kind).cov_params())


def test_aliased_and_infinite_coefficients_have_no_error() -> None:
    table = TABLE.assign(twice=2 * TABLE.x)
    found = jg.glm("cost ~ x + twice + g", table, GAMMA).robust("HC3")
    assert np.isnan(found.bse["twice"])
    np.testing.assert_allclose(found.bse.drop("twice"), fit().robust("HC3").bse, rtol=1e-9)


def test_separation_leaves_the_others_a_robust_error() -> None:
    table = TABLE.assign(z=(TABLE.g == "a") | (TABLE.x > 0.3))
    found = jg.glm("z ~ x + g", table, "binomial", on_failure="ignore")
    assert found.infinite.any()
    for kind in ({"cov_type": "HC3"}, {"cluster": "firm"}):
        assert found.robust(**kind).bse.isna().equals(found.bse.isna())


@pytest.mark.parametrize("cluster", [TABLE[["firm", "year"]], TABLE[["firm", "year"]].to_numpy()])
def test_two_columns_are_two_clusterings(cluster: Any) -> None:
    wanted = fit().robust(cluster=[TABLE.firm, TABLE.year]).cov_params()
    close(fit().robust(cluster=cluster).cov_params(), wanted)
