"""The jackknife: derivatives against refits at other frequencies, and fits without a row."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

import jaxglm as jg
from jaxglm._tuning import tuned

RNG = np.random.default_rng(5)
N = 30
TABLE = pd.DataFrame(
    {
        "x": RNG.normal(size=N),
        "g": np.resize(list("abcde"), N),
        "count": RNG.integers(1, 4, N),
        "w": RNG.uniform(0.5, 2, N),
    },
    index=[f"row{i}" for i in range(N)],
).assign(y=lambda t: RNG.poisson(np.exp(0.4 + 0.5 * t.x)))
ROWS = ["row3", "row0", "row17"]


@pytest.fixture(scope="module")
def line() -> jg.Results:
    return jg.glm("y ~ x", TABLE)


@pytest.fixture(scope="module")
def counts() -> jg.Results:
    return jg.glm("y ~ x", TABLE, "poisson", freq_weights="count")


# -- closed forms ----------------------------------------------------------------------------------


def test_linear_regression_has_closed_forms(line: jg.Results) -> None:
    X, e = line.design_matrix().to_numpy(), line.resid_response.to_numpy()
    pull = (np.linalg.inv(X.T @ X) @ X.T * e).T
    found = line.infinitesimal_jackknife()
    assert list(found.columns) == ["Intercept", "x"] and found.index.equals(TABLE.index)
    np.testing.assert_allclose(found, pull, rtol=1e-10, atol=1e-14)
    left = line.leave_one_out(ROWS)
    assert left.index.tolist() == ROWS and list(left.columns) == ["Intercept", "x"]
    share = np.einsum("ij,jk,ik->i", X, np.linalg.inv(X.T @ X), X)
    exact = line.params.to_numpy() - pull / (1 - share)[:, None]
    np.testing.assert_allclose(left, exact[[3, 0, 17]], rtol=1e-11)
    np.testing.assert_allclose(line.leave_one_out("row0"), exact[[0]], rtol=1e-11)


def test_the_covariance_that_it_estimates_is_the_sandwich(line: jg.Results) -> None:
    X, e = line.design_matrix().to_numpy(), line.resid_response.to_numpy()
    bread = np.linalg.inv(X.T @ X)
    moves = line.infinitesimal_jackknife().to_numpy()
    np.testing.assert_allclose(moves.T @ moves, bread @ (X.T * e**2) @ X @ bread, rtol=1e-9)


# -- refits ----------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("eliminated", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_derivatives_are_those_of_refits_where_the_link_is_not_canonical(eliminated: bool) -> None:
    family = jg.NegativeBinomial(alpha=0.7)
    with tuned(least_eliminated=2 if eliminated else 32):
        found = jg.glm("y ~ x + g", TABLE, family, freq_weights="count", var_weights="w")
        moves = found.infinitesimal_jackknife()
        for i in (2, 11):
            ends = []
            for step in (1e-3, -1e-3):
                freq = TABLE["count"] + step * (np.arange(N) == i)
                given = {"freq_weights": freq, "var_weights": "w"}
                ends.append(jg.glm("y ~ x + g", TABLE, family, **given).params)
            np.testing.assert_allclose(moves.iloc[i], (ends[0] - ends[1]) / 2e-3, rtol=1e-5)


@pytest.mark.slow
def test_frequencies_are_repeated_rows(counts: jg.Results) -> None:
    place = np.repeat(np.arange(N), TABLE["count"])
    repeated = jg.glm("y ~ x", TABLE.iloc[place].reset_index(drop=True), "poisson")
    wanted = repeated.infinitesimal_jackknife(columns=["x"])
    found = counts.infinitesimal_jackknife(columns="x")
    assert list(found.columns) == ["x"]
    np.testing.assert_allclose(found.iloc[place], wanted, rtol=1e-9)
    several = int(np.flatnonzero(TABLE["count"] > 1)[0])
    left = counts.leave_one_out([TABLE.index[several]]).to_numpy()
    np.testing.assert_allclose(
        left, repeated.leave_one_out([int(np.flatnonzero(place == several)[0])]), rtol=1e-10
    )
    freq = TABLE["count"] - (np.arange(N) == several)
    np.testing.assert_allclose(left[0], jg.glm("y ~ x", TABLE, "poisson", freq_weights=freq).params)


@pytest.mark.slow
def test_a_row_of_weight_0_moves_nothing(counts: jg.Results) -> None:
    weights = TABLE["count"] * (np.arange(N) != 4)
    fit = jg.glm("y ~ x", TABLE, "poisson", freq_weights=weights)
    assert (fit.infinitesimal_jackknife().loc["row4"] == 0).all()
    np.testing.assert_allclose(fit.leave_one_out("row4").iloc[0], fit.params, rtol=1e-10)


# -- where coefficients are lost -------------------------------------------------------------------


def test_aliased_and_infinite_coefficients_are_not_told() -> None:
    table = TABLE.assign(twice=2 * TABLE.x, zero=np.where(TABLE.index == "row5", 1.0, 0.0))
    table.loc["row5", "y"] = 0
    fit = jg.glm("y ~ x + twice + zero", table, "poisson", on_failure="ignore")
    assert fit.status is jg.Status.SEPARATED
    moves = fit.infinitesimal_jackknife()
    assert moves[["twice", "zero"]].isna().all(axis=None)
    plain = jg.glm("y ~ x", table.drop(index="row5"), "poisson")
    wanted = plain.infinitesimal_jackknife()
    np.testing.assert_allclose(moves.drop(index="row5")[["Intercept", "x"]], wanted, rtol=1e-6)


@pytest.mark.slow
def test_what_the_other_rows_do_not_determine_is_said() -> None:
    x = np.arange(8.0)
    table = pd.DataFrame({"x": x, "y": [0, 0, 0, 1, 0, 1, 1, 1], "near": np.where(x == 2, 9, x)})
    logit = jg.glm("y ~ x", table, "binomial")
    with pytest.warns(jg.SegmentWarning, match="2 of 2 fits .* 2 separated"):
        left = logit.leave_one_out([3, 4])
    assert left["x"].tolist() == [np.inf, np.inf]
    line = jg.glm("y ~ x + near", table)
    with pytest.warns(jg.SegmentWarning, match="1 of 2 fits .* 1 rank deficient"):
        left = line.leave_one_out([2, 1])
    assert left["near"].isna().tolist() == [True, False]
    assert left["x"][2] == pytest.approx(jg.glm("y ~ x", table.drop(index=2)).params["x"])


# -- what is refused -------------------------------------------------------------------------------


def test_unknown_names_are_refused_in_words(line: jg.Results) -> None:
    with pytest.raises(jg.DataError, match="no coefficient 'z'"):
        line.infinitesimal_jackknife(columns=["z"])
    with pytest.raises(jg.DataError, match="no row 'row99'; rows are named as in the index"):
        line.leave_one_out(["row1", "row99"])


def test_another_covariance_changes_nothing(line: jg.Results) -> None:
    other = line.robust("HC3").infinitesimal_jackknife()
    pd.testing.assert_frame_equal(other, line.infinitesimal_jackknife())


@pytest.mark.parametrize(
    "ask", [lambda fit: fit.infinitesimal_jackknife(), lambda fit: fit.leave_one_out("row1")]
)
def test_a_fit_without_optimum_or_rows_is_refused(line: jg.Results, ask: Any) -> None:
    with pytest.raises(jg.DataError, match="needs the rows of the fit"):
        ask(line.without_data())
    stopped = jg.glm("y ~ x", TABLE, "poisson", max_turns=1, on_failure="ignore")
    with pytest.raises(jg.DataError, match="did not converge"):
        ask(stopped)


# -- what moves as well, and what is held ----------------------------------------------------------


@pytest.mark.slow
def test_fits_without_bias_are_left_without_a_row_likewise() -> None:
    table = {"y": [0, 0, 0, 1, 0, 1, 1, 1], "x": [0.0, 1, 2, 3, 4, 5, 6, 7]}
    frame = pd.DataFrame(table)
    fit = jg.glm("y ~ x", frame, "binomial", bias="firth")
    found = fit.leave_one_out([3, 4])  # no warning
    without = jg.glm("y ~ x", frame.drop(index=3), "binomial", bias="firth")
    np.testing.assert_allclose(found.loc[3], without.params, rtol=1e-8)


@pytest.mark.slow
def test_an_estimated_shape_is_held_and_told() -> None:
    table = {"y": [0, 9, 1, 14, 2, 30, 3, 5], "x": [0.0, 1, 2, 3, 4, 5, 6, 7]}
    frame = pd.DataFrame(table)
    fit = jg.glm("y ~ x", frame, "negative_binomial")
    with pytest.warns(jg.JaxglmWarning, match=r"leave_one_out\(\) holds the negative binomial"):
        found = fit.leave_one_out([5])
    held = jg.glm("y ~ x", frame.drop(index=5), jg.NegativeBinomial(alpha=fit.fit.alpha))
    np.testing.assert_allclose(found.loc[5], held.params, rtol=1e-7)
    with pytest.warns(jg.JaxglmWarning, match=r"infinitesimal_jackknife\(\) holds"):
        fit.infinitesimal_jackknife()
    assert f"at alpha = {fit.fit.alpha:.4g}" in repr(fit.bootstrap(n=2, seed=1))
