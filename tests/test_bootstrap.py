"""The bootstrap: what is drawn, what is fitted, and what is said of it."""

import functools
import pickle

import numpy as np
import pandas as pd
import pytest

import jaxglm as jg
from jaxglm._tuning import tuned

N = 500
RNG = np.random.default_rng(3)
TABLE = pd.DataFrame({"x": RNG.normal(size=N), "z": RNG.normal(size=N), "c": np.arange(N) // 10})
TABLE["y"] = RNG.binomial(1, 1 / (1 + np.exp(-0.3 - 0.8 * TABLE["x"] + 0.5 * TABLE["z"]))) * 1.0
TABLE["w"] = RNG.integers(0, 4, N)


@functools.cache
def fitted() -> jg.Results:
    return jg.glm("y ~ x + z", TABLE, family="binomial")


def counts(replicate: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng([seed, replicate]).multinomial(N, np.full(N, 1 / N))


@pytest.mark.slow
def test_a_replicate_is_the_fit_with_the_counts_drawn() -> None:
    drawn = fitted().bootstrap(n=8, seed=1)
    for g in (0, 7):
        single = jg.glm("y ~ x + z", TABLE.assign(k=counts(g)), "binomial", freq_weights="k")
        np.testing.assert_allclose(drawn.params.loc[g], single.params, rtol=1e-9)


@pytest.mark.slow
def test_standard_errors_are_those_of_the_model_where_it_is_right() -> None:
    drawn = fitted().bootstrap(n=1000, seed=1)
    np.testing.assert_allclose(drawn.bse, fitted().bse, rtol=0.1)
    np.testing.assert_allclose(drawn.conf_int(), fitted().conf_int(), atol=0.06)
    np.testing.assert_allclose(np.diag(drawn.cov_params()), drawn.bse**2)
    assert drawn.failed == 0
    assert repr(drawn) == "<jaxglm.Bootstrap: 1,000 replicates of 500 observations>"


def test_the_seed_decides_alone() -> None:
    drawn = fitted().bootstrap(n=6, seed=1)
    np.testing.assert_array_equal(drawn.params, fitted().bootstrap(n=6, seed=1).params)
    in_batches = fitted().bootstrap(n=6, seed=1, max_memory=20_000)
    np.testing.assert_allclose(in_batches.params, drawn.params, rtol=1e-9)
    with tuned(most_lane_rows=1):  # each is a single fit
        one_by_one = fitted().bootstrap(n=6, seed=1)
    np.testing.assert_allclose(one_by_one.params, drawn.params, rtol=1e-9)
    assert (fitted().bootstrap(n=6, seed=2).params != drawn.params).all(axis=None)


@pytest.mark.slow
def test_clusters_are_drawn_whole() -> None:
    effect = np.repeat(np.random.default_rng(0).normal(size=50), 10)
    table = TABLE.assign(x=np.repeat(TABLE["x"].to_numpy()[:50], 10))
    table["y"] = table["x"] + effect + 0.3 * TABLE["z"]
    fit = jg.glm("y ~ x", table)
    by_row, by_cluster = (
        fit.bootstrap(n=200, seed=1),
        fit.bootstrap(n=200, seed=1, cluster=table["c"]),
    )
    assert (by_cluster.bse > 1.5 * by_row.bse).all()
    assert "50 clusters" in repr(by_cluster)
    shuffled = table["c"].sample(frac=1, random_state=0)
    again = fit.bootstrap(n=200, seed=1, cluster=shuffled)
    np.testing.assert_array_equal(again.params, by_cluster.params)
    drawn = np.random.default_rng([1, 4]).multinomial(50, np.full(50, 1 / 50))[table["c"]]
    single = jg.glm("y ~ x", table.assign(k=drawn), freq_weights="k")
    np.testing.assert_allclose(by_cluster.params.loc[4], single.params, rtol=1e-9)


@pytest.mark.slow
def test_frequencies_are_observations_and_other_weights_stay() -> None:
    fit = jg.glm("y ~ x", TABLE, "gaussian", freq_weights="w", var_weights=1 + TABLE["c"])
    total = TABLE["w"].sum()
    live = TABLE[TABLE["w"] > 0]
    drawn = np.random.default_rng([1, 2]).multinomial(total, live["w"] / total)
    single = jg.glm(
        "y ~ x", live.assign(k=drawn), "gaussian", freq_weights="k", var_weights=1 + live["c"]
    )
    np.testing.assert_allclose(fit.bootstrap(n=3, seed=1).params.loc[2], single.params, rtol=1e-9)
    halves = jg.glm("y ~ x", TABLE, freq_weights=TABLE["w"] / 2)
    with pytest.raises(jg.DataError, match="no whole numbers"):
        halves.bootstrap(n=3, seed=1)


@pytest.mark.slow
def test_identical_rows_are_drawn_together() -> None:
    rows = np.random.default_rng(0).integers(0, 2, (20_000, 2)).astype(float)
    fit = jg.GLM(rows[:, 0], jg.add_constant(rows[:, 1]), "binomial").fit()
    drawn = fit.bootstrap(n=200, seed=1)
    np.testing.assert_allclose(drawn.bse, fit.bse, rtol=0.2)


@pytest.mark.slow
def test_aliased_columns_stay_out_and_a_held_shape_stays() -> None:
    table = TABLE.assign(twice=2 * TABLE["x"])
    with pytest.warns(jg.RankWarning):
        fit = jg.glm("y ~ x + twice + z", table, "binomial")
    drawn = fit.bootstrap(n=4, seed=1)
    assert drawn.params["twice"].isna().all()
    np.testing.assert_allclose(
        drawn.params.drop(columns="twice"), fitted().bootstrap(n=4, seed=1).params, rtol=1e-9
    )
    counted = table.assign(y=np.random.default_rng(1).negative_binomial(2, 0.3, N))
    shaped = jg.glm("y ~ x", counted, "negative_binomial")
    single = jg.glm("y ~ x", counted.assign(k=counts(1)), shaped.model.family, freq_weights="k")
    np.testing.assert_allclose(
        shaped.bootstrap(n=2, seed=1).params.loc[1], single.params, rtol=1e-9
    )


@pytest.mark.slow
def test_replicates_without_an_optimum_are_nan_and_told() -> None:
    few = {"y": [0, 1, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0], "g": list("aaaaabbbbbcc")}
    fit = jg.glm("y ~ C(g)", few, "binomial")
    with pytest.warns(jg.SegmentWarning, match="replicates have no optimum"):
        drawn = fit.bootstrap(n=60, seed=1)
    gone = drawn.params.isna().all(axis=1)
    assert drawn.failed == gone.sum() == drawn.kinds["separated"]
    assert 0 < drawn.replicates["C(g)[T.c]"] < drawn.replicates["Intercept"] == (~gone).sum()
    assert np.isfinite(drawn.bse).all()
    assert "without an optimum" in repr(drawn)


def test_a_result_without_its_data_takes_them_again() -> None:
    kept = pickle.loads(pickle.dumps(fitted()))
    drawn = kept.bootstrap(TABLE, n=3, seed=1)
    np.testing.assert_allclose(drawn.params, fitted().bootstrap(n=3, seed=1).params, rtol=1e-9)
    weighted = pickle.loads(
        pickle.dumps(jg.glm("y ~ x", TABLE, "binomial", var_weights=np.full(N, 2.0)))
    )
    for result, data, words in (
        (kept, None, "Give the table as data="),
        (fitted(), TABLE, "leave out data="),
        (kept, TABLE.head(50), "50 rows"),
        (kept, TABLE.assign(y=1 - TABLE["y"]), "other coefficients"),
        (weighted, TABLE, "a fit with var_weights=.*Fit again"),
    ):
        with pytest.raises(jg.DataError, match=words):
            result.bootstrap(data, n=3, seed=1)


@pytest.mark.parametrize(
    "given, words",
    [
        ({"n": 1, "seed": 1}, "2 or more"),
        ({"seed": -1}, "0 or more"),
        ({"seed": 1, "max_memory": 0}, "positive number of bytes"),
        ({"seed": 1, "cluster": "c"}, r"bootstrap\(n=1000, seed=1, cluster=table\['c'\]\)"),
        ({"data": TABLE, "seed": 1, "cluster": "q"}, "no column 'q'"),
        ({"data": TABLE.head(9), "seed": 1, "cluster": "c"}, "cluster has length 9"),
        ({"seed": 1, "cluster": [1, 2]}, "cluster has length 2"),
        ({"seed": 1, "cluster": np.append(np.nan, np.ones(N - 1))}, "cluster has missing"),
    ],
)
def test_calls_that_make_no_sense(given: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        fitted().bootstrap(**given)


def test_a_fit_without_an_optimum_has_no_bootstrap() -> None:
    apart = jg.glm("y ~ x", {"y": [0, 0, 1, 1], "x": [0, 1, 2, 3]}, "binomial", on_failure="ignore")
    with pytest.raises(jg.DataError, match="no optimum"):
        apart.bootstrap(seed=1)
