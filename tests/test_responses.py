"""Many responses on the same columns: each as a fit of its own."""

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import jaxglm as jg
from jaxglm._tuning import tuned, tuning

N = 40
RNG = np.random.default_rng(5)
TABLE = pd.DataFrame({"x": RNG.normal(size=N), "g": list("uvwv") * (N // 4)})
TABLE["e"] = RNG.uniform(1, 3, N)
for name in ("y1", "y2", "y3"):
    TABLE[name] = RNG.poisson(TABLE["e"] * np.exp(0.3 * TABLE["x"])).astype(float)
NAMES = ["y1", "y2", "y3"]


def agree(one: jg.Results, single: jg.Results) -> None:
    """Everything that a table shows, to nine digits."""
    for name in ("params", "bse"):
        np.testing.assert_allclose(getattr(one, name), getattr(single, name), rtol=1e-9)
    scalars = "llf llnull deviance null_deviance pearson_chi2 scale nobs df_resid df_model"
    for name in scalars.split():
        np.testing.assert_allclose(
            getattr(one, name), getattr(single, name), rtol=1e-9, err_msg=name
        )
    pd.testing.assert_series_equal(one.resid(), single.resid(), rtol=1e-7)


@pytest.mark.parametrize(
    "family, more",
    [
        ("poisson", {"exposure": "e"}),
        ("gaussian", {"var_weights": "e"}),
        pytest.param("negative_binomial", {}, marks=pytest.mark.slow),
    ],
)
def test_each_response_is_the_fit_of_it_alone(family: str, more: dict[str, str]) -> None:
    fits = jg.fit_responses("~ x + C(g)", TABLE, NAMES, family=family, on_failure="ignore", **more)
    assert fits.params.index.name == "response"
    assert list(fits) == NAMES
    for name in NAMES:
        single = jg.glm(f"{name} ~ x + C(g)", TABLE, family, on_failure="ignore", **more)
        agree(fits[name], single)
        assert fits[name].model.y_name == name


@pytest.mark.slow
def test_arrays_and_frames_take_weights_trials_and_two_columns() -> None:
    X = jg.add_constant(TABLE[["x"]].to_numpy())
    Y, m = np.minimum(TABLE[NAMES[:2]].to_numpy(), 5), np.full(N, 5.0)
    weights = np.arange(N) % 3.0
    fits = jg.GLM(Y, X, "binomial", trials=m, freq_weights=weights).fit_responses()
    assert list(fits) == ["y1", "y2"]
    for j, name in enumerate(fits):
        single = jg.GLM(Y[:, j], X, "binomial", trials=m, freq_weights=weights).fit()
        agree(fits[name], single)


def test_a_response_fails_by_itself() -> None:
    table = TABLE.assign(bad=TABLE["y1"] - 9, none=0.0)
    table.loc[3, "y2"] = np.nan
    names = ["y1", "bad", "y2", "none"]
    with pytest.warns(jg.SegmentWarning, match="3 of 4 responses have no ordinary"):
        fits = jg.fit_responses("~ x", table, names, family="poisson")
    assert "'bad' is outside the support" in fits.failed["bad"]
    assert "missing" in fits.failed["y2"]
    assert fits.status["none"] == jg.Status.SEPARATED
    assert fits.params.loc[["bad", "y2"]].isna().all(axis=None)
    agree(fits["y1"], jg.glm("y1 ~ x", TABLE, "poisson"))
    with pytest.raises(jg.DataError, match="response 'bad' has no fit"):
        fits["bad"]
    with pytest.raises(jg.FitError):
        jg.fit_responses("~ x", table, names, family="poisson", on_failure="raise")


@pytest.mark.slow
def test_rows_that_only_a_response_misses_are_left_out_of_its_fit() -> None:
    table = TABLE.copy()
    table.loc[3, "y2"] = np.nan
    table.loc[5, "x"] = np.nan
    fits = jg.fit_responses("~ x + C(g)", table, NAMES, family="poisson", missing="drop")
    for name in NAMES:
        agree(fits[name], jg.glm(f"{name} ~ x + C(g)", table, "poisson", missing="drop"))
    assert fits.glance()["nobs"].tolist() == [39, 38, 39]
    assert any("1 of 39 rows" in note for note in fits["y2"].notes)


@pytest.mark.slow
def test_labels_and_what_the_event_is() -> None:
    table = {"x": TABLE["x"], "a": np.where(TABLE["y1"] > 1, "yes", "no")}
    table["b"] = np.where(TABLE["y2"] > 1, "yes", "no")
    fits = jg.fit_responses("~ x", table, ["a", "b"], family="binomial")
    agree(fits["b"], jg.glm("b ~ x", table, "binomial"))
    assert fits["b"].model.event == "yes"
    table["b"] = np.where(TABLE["y2"] > 1, "up", "down")
    with pytest.raises(jg.DataError, match=r"'yes' in 'a', 'up' in 'b'.*recode"):
        jg.fit_responses("~ x", table, ["a", "b"], family="binomial")


@pytest.mark.parametrize("small", [True, False])
def test_predictions_have_a_column_for_each_response(small: bool) -> None:
    with tuned(most_lane_rows=tuning().most_lane_rows if small else 1):  # 1: single fits
        fits = jg.fit_responses("~ x + C(g)", TABLE, NAMES, family="poisson")
    single = jg.glm("y2 ~ x + C(g)", TABLE, "poisson")
    new = TABLE[["x", "g"]].head(3)
    np.testing.assert_allclose(fits.predict(new)["y2"], single.predict(new), rtol=1e-9)
    np.testing.assert_allclose(fits.predict()["y2"], single.predict(), rtol=1e-9)
    assert fits.predict().shape == (N, 3)


def test_files_and_pickles_hold_no_data(tmp_path: Path) -> None:
    fits = jg.fit_responses("~ x", TABLE, NAMES, family="poisson")
    fits.save(tmp_path / "fits")
    for kept in (jg.load(tmp_path / "fits"), pickle.loads(pickle.dumps(fits))):
        assert isinstance(kept, jg.ResponseResults)
        pd.testing.assert_frame_equal(kept.tidy(), fits.tidy())
        assert kept["y3"].model.y_name == "y3"
        with pytest.raises(jg.DataError, match="this result holds none"):
            kept.predict()


@pytest.mark.parametrize(
    "formula, responses, words",
    [
        ("y1 ~ x", ["y1"], "has a left side"),
        ("~ x + y1", ["y1"], "also on the right"),
        ("~ x", ["y1", "y1"], "given twice"),
        ("~ x", [], "no response"),
        ("~ x", ["y9"], "no column 'y9'"),
        ("~ x", ["g"], "no response can be fitted; 'g'"),
    ],
)
def test_calls_that_make_no_sense(formula: str, responses: list[str], words: str) -> None:
    with pytest.raises(jg.DataError, match=words):
        jg.fit_responses(formula, TABLE, responses)


def test_a_dot_leaves_the_responses_out() -> None:
    fits = jg.fit_responses("~ . - e - y3", TABLE, ["y1", "y2"])
    assert fits.names == ["Intercept", "x", "g[T.v]", "g[T.w]"]


@pytest.mark.slow
def test_shares_beside_single_outcomes_keep_their_family() -> None:
    """What a family leaves out for 0 and 1 must not be left out for the other responses."""
    rng = np.random.default_rng(3)
    X = np.column_stack([np.ones(40), rng.normal(size=40)])
    Y = pd.DataFrame({"event": rng.integers(0, 2, 40) * 1.0, "share": rng.uniform(size=40)})
    fits = jg.GLM(Y, X, family="binomial").fit_responses(on_failure="ignore")
    for name in Y:
        single = jg.GLM(Y[name], X, family="binomial").fit()
        assert fits[name].deviance == pytest.approx(single.deviance, rel=1e-9)
        assert fits[name].llf == pytest.approx(single.llf, rel=1e-9)


@pytest.mark.slow
def test_responses_beside_trials_have_one_reading() -> None:
    table = TABLE.assign(t=4.0, rare=1.0 * (np.arange(N) % 5 == 0), half=np.arange(N) % 3 / 2)
    call = {"family": "binomial", "trials": "t", "on_failure": "ignore"}
    both = jg.fit_responses("~ x", table, ["rare", "half"], **call)
    alone = jg.fit_responses("~ x", table, ["rare"], proportions=True, **call)
    np.testing.assert_allclose(both.params.loc["rare"], alone.params.loc["rare"], rtol=1e-12)
    with pytest.warns(jg.DataWarning, match="'rare' holds only 0 and 1"):
        guessed = jg.fit_responses("~ x", table, ["rare"], **call)
    assert guessed.params.loc["rare", "Intercept"] < alone.params.loc["rare", "Intercept"] - 0.5
    with pytest.warns(jg.DataWarning, match="So it was with 'also'") as said:
        jg.fit_responses("~ x", table.assign(also=1 - table["rare"]), ["rare", "also"], **call)
    assert len(said) == 1
    with pytest.raises(jg.DataError, match="give the number of trials"):
        jg.fit_responses("~ x", table, ["rare"], "binomial", proportions=True)


def test_labels_are_no_outcome_of_many_trials() -> None:
    table = TABLE.assign(won=np.where(TABLE["x"] > 0, "yes", "no"), t=3.0)
    with pytest.raises(jg.DataError, match="'won' holds labels, which tell how one trial ended"):
        jg.glm("won ~ g", table, "binomial", trials="t")
