"""Rows whose prediction the data of a fit do not determine: nan with a warning, others quiet."""

import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import jaxglm as jg
from jaxglm._tuning import tuned
from jaxglm.search import _basis
from tests.marks import slow_among

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(3)
N = 60
TABLE = pd.DataFrame(
    {
        "a": list("ppqq") * (N // 4),
        "b": list("uvw") * (N // 3),
        "x": RNG.normal(size=N),
        "k": RNG.integers(0, 40, N),
        "zero": 0.0,
    }
)
TABLE = TABLE[(TABLE["a"] != "q") | (TABLE["b"] != "w")].reset_index(drop=True)
TABLE["z"] = 2.0 * TABLE["x"] - 1.0
TABLE["y"] = RNG.poisson(3.0, len(TABLE)).astype(float)
TABLE["of_k"] = np.sin(TABLE["k"].astype(float))


def quietly(formula: str, table: Any = TABLE, **more: Any) -> jg.Results:
    with pytest.warns(jg.RankWarning, match="Rank deficient"):
        return jg.glm(formula, table, "poisson", **more)


def in_row_space(fit: jg.Results, new: Any) -> np.ndarray:
    """By least squares: which rows of `new` are combinations of the rows of the fit."""
    seen = fit.model.dataset.columns.matvec(np.eye(len(fit.names)))
    rows = fit.model.new_design(new)[0].matvec(np.eye(len(fit.names)))
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    combination = np.linalg.lstsq(seen.T, rows.T, rcond=1e-10)[0]
    return np.abs(seen.T @ combination - rows.T).max(axis=0) < 1e-9


FORMULAS = [
    "y ~ a * b",
    pytest.param("y ~ a * C(b, Sum)", marks=pytest.mark.slow),
    "y ~ x + z",
    pytest.param("y ~ z + a + x:a + z:a", marks=pytest.mark.slow),
    "y ~ x + zero + a",
    "y ~ 0 + a + b + x:zero + z",
    pytest.param("y ~ a + C(k) + of_k", marks=pytest.mark.slow),
]


@pytest.mark.parametrize("formula", FORMULAS)
def test_exactly_the_rows_outside_the_row_space_have_no_prediction(formula: str) -> None:
    fit = quietly(formula)
    new = pd.DataFrame(
        {
            "a": RNG.choice(["p", "q"], 40),
            "b": RNG.choice(["u", "v", "w"], 40),
            "k": RNG.choice(np.unique(TABLE["k"]), 40),
            "x": RNG.choice([0.0, 1.5, -3.0, 1e3], 40),
            "zero": RNG.choice([0.0, 0.0, 2.0], 40),
        }
    )
    new["z"] = np.where(RNG.random(40) < 0.5, 2.0 * new["x"] - 1.0, RNG.normal(size=40))
    new["of_k"] = np.where(RNG.random(40) < 0.5, np.sin(new["k"].astype(float)), 0.3)
    with pytest.warns(jg.RankWarning, match="No prediction for"):
        eta = fit.predict(new, "linear")
    determined = in_row_space(fit, new)
    assert 0 < determined.sum() < 40
    assert (eta.isna().to_numpy() == ~determined).all()
    with pytest.warns(jg.RankWarning, match="No prediction for"):
        frame = fit.get_prediction(new).summary_frame()
    assert (frame.isna().all(axis=1).to_numpy() == ~determined).all()
    assert not frame[determined].isna().any().any()


@pytest.mark.parametrize("formula", FORMULAS)
def test_rows_that_occur_are_quiet(formula: str) -> None:
    fit = quietly(formula)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not fit.predict(TABLE).isna().any()
        np.testing.assert_allclose(fit.predict(TABLE), fit.fittedvalues, rtol=1e-12)
        assert not fit.get_prediction().summary_frame().isna().any().any()


@pytest.mark.slow
@pytest.mark.parametrize("way", slow_among(["levels eliminated", "Gram matrix"], ["Gram matrix"]))
def test_columns_that_follow_from_the_levels_of_a_large_factor(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`of_k` has one value in each level; `twice` is `x` and that."""
    table = TABLE.assign(twice=2.0 * TABLE["x"] + 5.0 * TABLE["of_k"])
    if way == "Gram matrix":
        monkeypatch.setattr(_basis, "_MOST_QR_WORK", 0.0)
    few = {"most_columns": 5, "least_eliminated": 8} if way == "levels eliminated" else {}
    with tuned(**few):
        fit = quietly("y ~ of_k + x + twice + C(k)", table)
        new = table.head(4).copy()
        new.loc[1, "twice"] += 1e-3
        new.loc[2, "of_k"] += 1.0
        with pytest.warns(jg.RankWarning, match=r"No prediction for 2 rows \(1, 2\)"):
            assert list(fit.predict(new).isna()) == [False, True, True, False]


@pytest.mark.parametrize("kind", slow_among(["dense", "sparse"], ["sparse"]))
def test_players_that_never_met(kind: str, tmp_path: Path) -> None:
    """Two leagues of three: who would win between them is not known."""
    games = [(0, 1), (1, 2), (2, 0), (3, 4), (4, 5), (5, 3)] * 4
    X = np.zeros((len(games), 6))
    for row, (home, away) in zip(X, games, strict=True):
        row[home], row[away] = 1.0, -1.0
    won = RNG.integers(0, 2, len(games))
    model = jg.GLM(won, sparse.csr_matrix(X) if kind == "sparse" else X, "binomial")
    with pytest.warns(jg.RankWarning, match="Rank deficient"):
        fit = model.fit()
    new = np.array([[1.0, -1, 0, 0, 0, 0], [1, 0, 0, -1, 0, 0], [0, 0, 0, 1, 0, -1]])
    new = sparse.csr_matrix(new) if kind == "sparse" else new
    fit.save(tmp_path / "fit")
    for one in (fit, jg.load(tmp_path / "fit"), pickle.loads(pickle.dumps(fit))):
        with pytest.warns(jg.RankWarning, match=r"'x3' = - 'x1' - 'x2' and 'x6' = "):
            assert list(one.predict(new).isna()) == [False, True, False]


def test_a_row_that_does_not_count_determines_nothing() -> None:
    table = TABLE.assign(w=1.0)
    table.loc[3, ["w", "z"]] = 0.0, 50.0
    fit = quietly("y ~ x + z", table, freq_weights="w")
    with pytest.warns(jg.RankWarning, match="No prediction for 1 row"):
        assert np.flatnonzero(fit.fittedvalues.isna()).tolist() == [3]
    for kind in ("response", "pearson", "deviance", "working"):
        with pytest.warns(jg.RankWarning, match="No prediction for 1 row"):
            assert np.flatnonzero(fit.resid(kind).isna()).tolist() == [3]


@pytest.mark.slow
def test_segments_and_responses_say_what_single_fits_say(tmp_path: Path) -> None:
    table = pd.concat([TABLE.assign(s="one"), TABLE.assign(s="two")], ignore_index=True)
    two = table["s"] == "two"
    table.loc[two, "z"] = 1.0 - table.loc[two, "x"]
    table["v"] = table["y"] + 1.0
    new = table.iloc[[0, 1, 60, 61, 62]].reset_index(drop=True)
    new.loc[[1, 4], "z"] += 1.0
    formula = "y ~ x + z + a:b"
    groups = jg.fit_groups(formula, table, "s", "poisson", on_failure="ignore")
    groups.save(tmp_path / "groups")
    for many in (groups, jg.load(tmp_path / "groups")):
        with pytest.warns(jg.RankWarning, match=r"No prediction for 2 rows \(1, 4\).*its segment"):
            mine = many.predict(new)
        for key, rows in new.groupby("s"):
            with pytest.warns(jg.RankWarning, match="No prediction for 1 row"):
                single = many[key].predict(rows)
            np.testing.assert_allclose(mine[rows.index], single, rtol=1e-12)
        assert mine.isna().sum() == 2
    responses = jg.fit_responses(
        "~ x + z + a:b", table[~two], ["y", "v"], "poisson", on_failure="ignore"
    )
    with pytest.warns(jg.RankWarning, match="No prediction for 4 rows .*of a response"):
        mine = responses.predict(new)
    assert (mine.isna().sum() == 4).all()  # the relation of the other segment is not this one's
    with pytest.warns(jg.RankWarning, match="No prediction"):
        np.testing.assert_allclose(mine["v"], responses["v"].predict(new), rtol=1e-12)


@pytest.mark.slow
def test_a_row_that_runs_to_infinity_is_unknown_all_the_same_where_nothing_determines_it() -> None:
    x = np.arange(20.0) - 9.5
    table = pd.DataFrame({"s": "one", "x": x, "z": 2 * x, "y": (x > 0).astype(float)})
    new = pd.DataFrame({"s": "one", "x": [1.0, -1, 1], "z": [2.0, -2, 7]})
    groups = jg.fit_groups("y ~ x + z", table, "s", "binomial", on_failure="ignore")
    responses = jg.fit_responses("~ x + z", table, ["y"], "binomial", on_failure="ignore")
    assert groups.infinite.any(axis=None) and groups.aliased.any(axis=None)
    for predict in (
        groups["one"].predict,
        groups.predict,
        lambda rows: responses.predict(rows)["y"],
    ):
        with pytest.warns(jg.RankWarning, match="No prediction for 1 row"):
            means = predict(new)
        np.testing.assert_array_equal(means, [1.0, 0.0, np.nan])


def test_relations_are_held_to_the_size_of_the_row() -> None:
    fit = quietly("y ~ x + z")
    new = pd.DataFrame({"x": [1e12 / 3, 1e12 / 3, 1e-12]})
    new["z"] = 2.0 * new["x"] - 1.0
    new.loc[1, "z"] *= 1.001
    with pytest.warns(jg.RankWarning, match=r"No prediction for 1 row \(1\)"):
        assert list(fit.predict(new, "linear").isna()) == [False, True, False]
