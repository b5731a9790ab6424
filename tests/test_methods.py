"""The same numbers, whatever they arrive in and whatever they are asked of."""

import pickle
import warnings
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import scipy.sparse

import jaxglm as jg
from tests.marks import slow_among

pytestmark = pytest.mark.slow

N = 48
_rng = np.random.default_rng(23)
NAMES = ["const", "a", "b", "c"]
X = np.column_stack([np.ones(N), np.round(_rng.normal(size=(N, 3)), 2)])
X[::2, 2] = 0.0
X32 = X.astype(np.float32)
Y = _rng.poisson(np.exp(X @ [0.5, 0.4, -0.3, 0.2])).astype(float)
OFFSET = np.round(0.2 * _rng.normal(size=N), 3)
FREQ = 1.0 + np.arange(N) % 3

STATISTICS = (
    "params",
    "bse",
    "pvalues",
    "fittedvalues",
    "deviance",
    "null_deviance",
    "pearson_chi2",
    "llf",
    "llnull",
    "aic",
    "bic",
    "scale",
    "df_resid",
    "nobs",
)


def same(one: jg.Results, other: jg.Results, rtol: float = 1e-10) -> None:
    for name in STATISTICS:
        first, second = np.asarray(getattr(one, name)), np.asarray(getattr(other, name))
        assert np.allclose(first, second, rtol=rtol, atol=1e-12), name


MATRICES = {
    "list": lambda: X.tolist(),
    "pandas": lambda: pd.DataFrame(X, columns=NAMES),
    "polars": lambda: pl.DataFrame(X, schema=NAMES),
    "Arrow": lambda: pa.table(dict(zip(NAMES, X.T, strict=True))),
    "Fortran order": lambda: np.asfortranarray(X),
    "every second row of a larger one": lambda: np.repeat(X, 2, axis=0)[::2],
    "CSR": lambda: scipy.sparse.csr_array(X),
    "CSC": lambda: scipy.sparse.csc_matrix(X),
    "COO": lambda: scipy.sparse.coo_array(X),
}


@pytest.fixture(scope="module", params=["poisson", "gaussian"])
def plain(request: pytest.FixtureRequest) -> jg.Results:
    return jg.GLM(Y, X, request.param, offset=OFFSET, freq_weights=FREQ).fit()


@pytest.mark.parametrize("make", MATRICES)
def test_any_matrix_gives_the_fit_of_the_array(plain: jg.Results, make: str) -> None:
    given = MATRICES[make]()
    family = plain.model.family
    results = jg.GLM(Y, given, family, offset=OFFSET, freq_weights=FREQ).fit()
    same(results, plain)
    assert np.allclose(results.predict(given, offset=OFFSET), plain.fittedvalues, rtol=1e-10)


def test_jax_arrays(plain: jg.Results) -> None:
    with jax.enable_x64(True):
        given, y = jnp.asarray(X), jnp.asarray(Y)
    results = jg.GLM(y, given, plain.model.family, offset=OFFSET, freq_weights=FREQ).fit()
    same(results, plain)


@pytest.mark.parametrize("make", [np.asarray, jnp.asarray, scipy.sparse.csr_array],
                         ids=["NumPy", "JAX", "sparse"])  # fmt: skip
def test_columns_in_float32_are_fitted_as_the_numbers_they_are(make: Any) -> None:
    """The values were rounded when the user made them; the arithmetic is double all the same."""
    promoted = jg.GLM(Y, X32.astype(float), "poisson").fit()
    same(jg.GLM(Y, make(X32), "poisson").fit(), promoted, 1e-11)


@pytest.mark.parametrize("integer", [np.int8, np.int64, bool])
def test_columns_of_whole_numbers(integer: Any) -> None:
    whole = np.column_stack([np.ones(N), np.arange(N) % 2, np.arange(N) % 3 > 0]).astype(integer)
    same(jg.GLM(Y, whole, "poisson").fit(), jg.GLM(Y, whole.astype(float), "poisson").fit(), 1e-12)


HARD = {
    "as it is": X,
    "near-collinear": np.column_stack([X[:, :3], X[:, 1] + 1e-4 * X[:, 3]]),
    "far from zero": X + np.array([0.0, 300.0, 0.0, 0.0]),
}


@pytest.mark.parametrize("family", slow_among(["poisson", "gaussian", "nb"], ["nb"]))
@pytest.mark.parametrize("method", ["irls", "lbfgs"])
def test_float32_arithmetic_agrees_or_says_so(family: str, method: str) -> None:
    y = Y * (1 + np.arange(N) % 4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", jg.PrecisionWarning)
        single = jg.GLM(y, X, family).fit(method=method, dtype="float32")
    double = jg.GLM(y, X, family).fit()
    apart = np.max(np.abs(single.params - double.params) / double.bse)
    assert single.converged
    assert apart < 1e-4 or any("Precision" in note for note in single.fit.notes)
    assert np.allclose(single.bse, double.bse, rtol=1e-3)


@pytest.mark.parametrize("which", HARD)
def test_float32_arithmetic_on_harder_columns(which: str) -> None:
    columns = HARD[which]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", jg.PrecisionWarning)
        single = jg.GLM(Y, columns, "poisson").fit(dtype="float32")
    double = jg.GLM(Y, columns, "poisson").fit()
    apart = np.max(np.abs(single.params - double.params) / double.bse)
    assert apart < 1e-4 or any("Precision" in note for note in single.fit.notes)


def large(n: int = 5000, k: int = 40) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Group codes, one number and counts: more rows than one tile holds."""
    rng = np.random.default_rng(2)
    group, x = rng.integers(0, k, size=n), rng.normal(size=n)
    return group, x, rng.poisson(np.exp(0.3 * x + 0.02 * group)).astype(float)


@pytest.mark.slow
def test_dense_sparse_and_coded_columns_agree_over_many_tiles() -> None:
    group, x, y = large()
    matrix = np.column_stack([np.ones(len(y)), group[:, None] == np.arange(1, 40), x])
    dense = jg.GLM(y, matrix, "poisson").fit()
    same(jg.GLM(y, scipy.sparse.csr_array(matrix), "poisson").fit(), dense)
    coded = jg.glm("y ~ C(group) + x", {"y": y, "group": group, "x": x}, "poisson")
    same(coded, dense)


# The formula door.

FORMULA = "y ~ a + b + g + a:h + offset(shift)"


def frame() -> pd.DataFrame:
    table = pd.DataFrame(X[:, 1:], columns=NAMES[1:])
    table["y"] = Y
    table["g"] = np.array(["q", "p", "r"])[np.arange(N) % 3]
    table["h"] = np.array(["v", "u"])[np.arange(N) // 7 % 2]
    table["shift"] = OFFSET
    table["times"] = FREQ
    return table


@pytest.fixture(scope="module")
def from_pandas() -> jg.Results:
    return jg.glm(FORMULA, frame(), "poisson", freq_weights="times")


def parquet_file(folder: Path) -> str:
    path = folder / "rows.parquet"
    pq.write_table(pa.table(frame()), path)
    return str(path)


def parquet_folder(folder: Path) -> Path:
    table = pa.table(frame())
    for part in range(3):
        rows = table.slice(part * 16, 16)
        pq.write_table(rows, folder / f"part-{part}.parquet")
    return folder


TABLES = {
    "polars": lambda folder: pl.from_pandas(frame()),
    "Arrow": lambda folder: pa.table(frame()),
    "dict of arrays": lambda folder: {name: frame()[name].to_numpy() for name in frame()},
    "dict of lists": lambda folder: frame().to_dict("list"),
    "categorical": lambda folder: frame().astype({"g": "category", "h": "category"}),
    "Parquet file": parquet_file,
    "Parquet folder": parquet_folder,
}


@pytest.mark.parametrize("make", TABLES)
def test_any_table_gives_the_fit_of_the_pandas_one(
    from_pandas: jg.Results, make: str, tmp_path: Path
) -> None:
    data = TABLES[make](tmp_path)
    results = jg.glm(FORMULA, data, "poisson", freq_weights="times")
    assert results.params.index.tolist() == from_pandas.params.index.tolist()
    same(results, from_pandas, 1e-12)
    assert np.allclose(results.predict(data), from_pandas.fittedvalues, rtol=1e-12)


def test_the_formula_is_the_matrix_it_stands_for(from_pandas: jg.Results) -> None:
    """Codes in place of indicator columns change no digit that matters."""
    table = frame()
    a = table["a"].to_numpy()
    matrix = np.column_stack(
        [
            np.ones(N),
            table["g"] == "q",
            table["g"] == "r",
            a,
            table["b"],
            a * (table["h"] == "v"),
        ]
    )
    by_hand = jg.GLM(Y, matrix, "poisson", offset=OFFSET, freq_weights=FREQ).fit()
    names = ["Intercept", "g[T.q]", "g[T.r]", "a", "b", "a:h[T.v]"]
    assert sorted(from_pandas.params.index) == sorted(names)
    assert np.allclose(from_pandas.params[names], by_hand.params, rtol=1e-10)
    assert np.allclose(from_pandas.bse[names], by_hand.bse, rtol=1e-10)
    assert np.allclose(from_pandas.fittedvalues, by_hand.fittedvalues, rtol=1e-11)


# Afterwards.


@pytest.mark.parametrize("door", ["formula", "arrays"])
def test_pickling(from_pandas: jg.Results, door: str) -> None:
    results = from_pandas if door == "formula" else jg.GLM(Y, X, "poisson").fit()
    data, settings = (frame(), {}) if door == "formula" else (X, {})
    back = pickle.loads(pickle.dumps(results))
    for name in STATISTICS:
        if name != "fittedvalues":
            assert np.array_equal(getattr(back, name), getattr(results, name)), name
    assert np.array_equal(back.predict(data, **settings), results.predict(data, **settings))
    assert back.summary().as_text() == results.summary().as_text()
    with pytest.raises(Exception, match="data"):
        back.resid("pearson")


def test_a_pickle_holds_no_rows() -> None:
    n = 20_000
    x = np.random.default_rng(0).normal(size=n)
    results = jg.glm("y ~ x", {"y": 1.0 + x + x**2, "x": x})
    assert len(pickle.dumps(results)) < 20_000


def with_gaps() -> pd.DataFrame:
    table = frame().set_index(pd.Index([f"row {i}" for i in range(N)]))
    table.loc["row 3", "a"] = np.nan
    table.loc["row 8", "g"] = None
    table.loc["row 20", "y"] = np.nan
    table.loc["row 41", "times"] = np.nan
    return table


GAPS = ["row 3", "row 8", "row 20", "row 41"]


@pytest.mark.parametrize("what", ["fittedvalues", "response", "pearson", "deviance", "working"])
def test_rows_left_out_for_missing_values_leave_the_others_in_place(what: str) -> None:
    results = jg.glm(FORMULA, with_gaps(), "poisson", freq_weights="times", missing="drop")
    complete = with_gaps().drop(index=GAPS)
    other = jg.glm(FORMULA, complete, "poisson", freq_weights="times")
    same(results, other, 1e-12)
    one, two = (
        r.fittedvalues if what == "fittedvalues" else r.resid(what) for r in (results, other)
    )
    assert one.index.tolist() == complete.index.tolist()
    assert np.allclose(one, two[one.index], rtol=1e-12, atol=1e-14)
    assert results.fit.n_rows == N - 4


def test_rows_left_out_of_arrays() -> None:
    holes = X.copy()
    holes[5, 1] = holes[30, 3] = np.nan
    kept = np.setdiff1d(np.arange(N), [5, 30])
    results = jg.GLM(Y, holes, "poisson", offset=OFFSET, missing="drop").fit()
    other = jg.GLM(Y[kept], X[kept], "poisson", offset=OFFSET[kept]).fit()
    same(results, other, 1e-12)
    assert results.fittedvalues.index.tolist() == kept.tolist()
    assert any("2" in note and "missing" in note for note in results.fit.notes)
