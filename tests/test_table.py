"""Tables of every make give the same columns; the array door takes what it should and no more."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import scipy.sparse

from jaxglm._status import DataError
from jaxglm.io import (
    add_constant,
    check_aligned,
    missing_rows,
    model_frame,
    read_arrays,
    read_matrix,
    read_new_matrix,
    read_response,
    read_row_values,
    read_table,
    read_vector,
)

FRAME = pd.DataFrame(
    {
        "count": np.array([3, 1, 2, 5], dtype=np.int32),
        "x": [0.5, 1.5, np.nan, 3.0],
        "text": ["b", "a", None, "b"],
        "size": pd.Categorical(["S", "L", "S", "L"], categories=["S", "never", "L"]),
        "flag": [True, False, True, True],
        "maybe": pd.array([True, None, False, True], dtype="boolean"),
        "whole": pd.array([1, None, 3, 4], dtype="Int64"),
    }
)


def to_parquet(folder: Path) -> str:
    """A folder of two files, so that levels have to be unified."""
    for i in range(2):
        pq.write_table(pa.Table.from_pandas(FRAME[2 * i : 2 * i + 2]), folder / f"{i}.parquet")
    return str(folder)


MAKES: dict[str, Callable[[Path], Any]] = {
    "pandas": lambda _: FRAME,
    "pandas on arrow": lambda _: FRAME.convert_dtypes(dtype_backend="pyarrow"),
    "polars": lambda _: pl.from_pandas(FRAME),
    "polars lazy": lambda _: pl.from_pandas(FRAME).lazy(),
    "arrow": lambda _: pa.Table.from_pandas(FRAME),
    "dict of arrays": lambda _: {name: FRAME[name].to_numpy() for name in FRAME},
    "dict of lists": lambda _: {name: FRAME[name].tolist() for name in FRAME},
    "dict of series": lambda _: {name: FRAME[name] for name in FRAME},
    "parquet": to_parquet,
}


@pytest.fixture(params=MAKES)
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    return MAKES[request.param](tmp_path)


def test_columns_of_every_make(made: Any) -> None:
    table = read_table(made)
    assert table.n_rows == 4 and table.names == tuple(FRAME.columns)
    assert np.array_equal(table.column("count").values, [3, 1, 2, 5])
    for name, gaps in [("x", [2]), ("text", [2]), ("maybe", [1]), ("whole", [1])]:
        assert list(np.flatnonzero(table.column(name).missing)) == gaps, name
    for name, values in [("x", FRAME["x"]), ("whole", [1, np.nan, 3, 4])]:
        assert np.allclose(table.column(name).numbers, values, equal_nan=True)
    text = table.column("text")
    assert text.levels == ("a", "b") and list(text.codes) == [1, 0, -1, 1]
    size = table.column("size")
    assert [size.levels[code] for code in size.codes] == ["S", "L", "S", "L"]
    assert table.column("flag").values.dtype == bool
    assert list(table.column("maybe").values) == [True, False, False, True]
    assert table.column("flag").missing is None and table.column("size").missing is None


def test_formula_on_every_make(made: Any) -> None:
    frame = model_frame("count ~ x + text + flag", made, missing="drop")
    assert frame.names == ["Intercept", "x", "text[T.b]", "flag[T.True]"]
    assert list(frame.rows_kept) == [0, 1, 3]
    pieces, _, missing = frame.spec.pieces(made)
    assert list(missing) == [False, False, True, False]
    assert sum(len(piece.names) for piece in pieces) == 4


@pytest.mark.parametrize("make", ["pandas", "polars enum", "arrow", "pandas on arrow"])
def test_declared_order_of_categories_is_kept(make: str) -> None:
    sizes = {
        "pandas": FRAME[["size"]],
        "polars enum": pl.DataFrame(
            {"size": ["S", "L"]}, schema={"size": pl.Enum(["S", "never", "L"])}
        ),
        "arrow": pa.Table.from_pandas(FRAME[["size"]]),
        "pandas on arrow": pa.Table.from_pandas(FRAME[["size"]]).to_pandas(
            types_mapper=pd.ArrowDtype
        ),
    }
    assert read_table(sizes[make]).column("size").levels == ("S", "never", "L")


def test_numbers_are_not_copied() -> None:
    values = np.arange(5.0)
    assert np.shares_memory(read_table({"x": values}).column("x").values, values)
    frame = pd.DataFrame({"x": values}, copy=False)
    assert np.shares_memory(read_table(frame).column("x").values, frame["x"].to_numpy())
    series = pl.Series("x", values)
    assert np.shares_memory(
        read_table(pl.DataFrame([series])).column("x").values, series.to_numpy()
    )


def test_levels_are_plain_python() -> None:
    table = read_table({"i": np.array([3, 1, 2]), "f": np.array([2.0, 1.0, 2.0])})
    frame = model_frame("i ~ factor(f)", table)
    assert frame.names == ["Intercept", "factor(f)[T.2]"]
    cut = pd.DataFrame({"y": range(4), "c": pd.cut([1, 5, 2, 8], [0, 4, 9])})
    assert model_frame("y ~ c", cut).names == ["Intercept", "c[T.(4, 9]]"]


BAD_COLUMNS = [
    ({"x": [1.0, np.inf]}, "'x' has infinite values in row 1 "),
    ({"x": pd.date_range("2020", periods=2)}, "'x' holds dates"),
    ({"x": np.array([1j, 2])}, "'x' holds complex"),
    ({"x": [1, "a"]}, "'x' mixes.*int in row 0, str in row 1"),
    ({"x": [[1, 2], [3, 4]]}, "'x' holds Python objects of type list"),
    ({"x": np.array([b"a", b"b"])}, "'x' holds Python objects of type bytes"),
    ({"x": np.ones((2, 2))}, r"'x' has shape \(2, 2\)"),
    ({"x": [1, 2], "z": [1]}, "'x' 2, 'z' 1"),
    ({"x": iter([1, 2])}, "'x' of the dict is a list_iterator.*one value for all rows"),
    (pl.DataFrame({"x": [[1], [2]]}), "'x' holds List"),
    (pa.table({"x": [[1], [2]]}), "'x' holds list"),
    (pd.DataFrame([[1, 2]], columns=["x", "x"]), "2 columns named 'x'"),
    (np.ones((3, 2)), r"GLM\(y, X\)"),
    (3, "data is a int"),
    ("nowhere.parquet", "no file or folder"),
]


@pytest.mark.parametrize(("data", "message"), BAD_COLUMNS, ids=[m for _, m in BAD_COLUMNS])
def test_bad_tables(data: Any, message: str) -> None:
    with pytest.raises(DataError, match=f"(?s){message}"):
        read_table(data).column("x")


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("x\n1\n")
    with pytest.raises(DataError, match=r"not a Parquet file.*read_csv"):
        read_table(tmp_path / "data.csv")


def test_unknown_column_gets_near_names() -> None:
    with pytest.raises(DataError, match=r"no column 'cuont'.*did you mean 'count'"):
        read_table(FRAME).column("cuont")


# -- the array door --------------------------------------------------------------------------------

VALUES = np.array([[1.0, 2.0], [1.0, 4.0], [1.0, 7.0]])

MATRICES: dict[str, Any] = {
    "float64": VALUES,
    "fortran": np.asfortranarray(VALUES),
    "strided": np.repeat(VALUES, 2, axis=0)[::2],
    "int8": VALUES.astype(np.int8),
    "uint64": VALUES.astype(np.uint64),
    "object": VALUES.astype(object),
    "lists": VALUES.tolist(),
    "jax": jnp.asarray(VALUES),
    "bfloat16": jnp.asarray(VALUES, dtype=jnp.bfloat16),
    "pandas": pd.DataFrame(VALUES, columns=["const", "x1"]),
    "pandas mixed": pd.DataFrame({"const": [1, 1, 1], "x1": pd.array([2, 4, 7], dtype="Int64")}),
    "polars": pl.DataFrame({"const": [1, 1, 1], "x1": [2.0, 4.0, 7.0]}),
    "arrow": pa.table({"const": [1, 1, 1], "x1": [2.0, 4.0, 7.0]}),
    "matrix": np.matrix(VALUES),
}


@pytest.mark.parametrize("make", MATRICES)
def test_matrices(make: str) -> None:
    values, names, index = read_matrix(MATRICES[make])
    assert np.array_equal(values, VALUES) and names == ["const", "x1"]
    assert values.dtype == (np.float32 if make in ("jax", "bfloat16") else np.float64)
    assert (index is None) != make.startswith("pandas")


def test_matrix_is_not_copied_and_float32_stays() -> None:
    assert read_matrix(VALUES)[0] is VALUES
    assert read_matrix(VALUES.astype(np.float32))[0].dtype == np.float32
    frozen = VALUES.copy()
    frozen.setflags(write=False)
    assert read_matrix(frozen)[0] is frozen
    frame = pd.DataFrame(VALUES)
    assert np.shares_memory(read_matrix(frame)[0], frame.to_numpy())
    single = pd.DataFrame(VALUES.astype(np.float32))
    assert read_matrix(single)[0].dtype == np.float32


def test_one_dimension_is_one_column() -> None:
    assert read_matrix(np.arange(3.0))[0].shape == (3, 1)
    assert read_matrix(pd.Series([1, 2], name="dose"))[1] == ["dose"]
    assert read_matrix(pl.Series("dose", [1, 2]))[1] == ["dose"]


@pytest.mark.parametrize("kind", ["csr_array", "csc_matrix", "coo_array"])
def test_sparse_stays_sparse(kind: str) -> None:
    values, names, index = read_matrix(getattr(scipy.sparse, kind)(VALUES.astype(np.int16)))
    assert scipy.sparse.issparse(values) and values.dtype == np.float64
    assert np.array_equal(values.toarray(), VALUES)
    assert names == ["x1", "x2"] and index is None


def bad(row: int, column: int, value: float) -> np.ndarray:
    values = VALUES.copy()
    values[row, column] = value
    return values


BAD_MATRICES = [
    (bad(1, 1, np.nan), r"column 'x1' of X has missing values \(NaN\) in row 1 "),
    (bad(2, 1, -np.inf), "column 'x1' of X has infinite values in row 2 "),
    (scipy.sparse.csr_array(bad(2, 1, np.nan)), "column 'x2' of X .* in row 2 "),
    (VALUES + 0j, "complex"),
    (scipy.sparse.csr_array(VALUES + 0j), "complex"),
    (np.array([["1", "a"], ["1", "b"]], dtype=object), "column 'x1' of X holds strings.*formula"),
    (pd.DataFrame({"x": [1, 2], "g": ["a", "b"]}), "column 'g' of X holds labels.*formula"),
    (pd.DataFrame({"x": [1.0, np.inf]}), "column 'x'.*infinite.*row 1"),
    (np.empty((0, 2)), "empty.*no rows"),
    (np.empty((4, 0)), "no columns"),
    (np.ones((2, 2, 2)), r"shape \(2, 2, 2\)"),
    (np.array(3.0), r"shape \(\)"),
    (np.ma.masked_equal(VALUES, 4.0), "'x1' of X has missing"),
    (np.array([["2020"]], dtype="datetime64[D]"), "dates"),
]


@pytest.mark.parametrize(("X", "message"), BAD_MATRICES, ids=[m for _, m in BAD_MATRICES])
def test_bad_matrices(X: Any, message: str) -> None:
    with pytest.raises(DataError, match=f"(?s){message}"):
        read_matrix(X)


def test_vectors() -> None:
    for given in ([1, 2, 3], np.array([[1], [2], [3]]), pd.Series([1, 2, 3]), jnp.arange(1, 4)):
        read = read_vector(given, "offset", 3)
        assert read.dtype == np.float64 and list(read) == [1, 2, 3]
    assert list(read_vector(pl.DataFrame({"w": [1, 2]}), "w", 2)) == [1, 2]
    for given, message in [
        (np.ones(7), "w has length 7, but the data have 3 rows"),
        ([1.0, np.nan, 2.0], r"w has missing values \(NaN\) in row 1 "),
        ([1.0, np.inf, 2.0], "w has infinite values in row 1 "),
        (["a", "b", "c"], "w holds labels"),
        (True, "single bool"),
        (np.ones((3, 2)), r"shape \(3, 2\)"),
    ]:
        with pytest.raises(DataError, match=message):
            read_vector(given, "w", 3)
    assert np.isnan(read_vector([1.0, np.nan], "w", 2, allow_missing=True)[1])


def test_responses() -> None:
    assert list(read_response(np.array([[1], [0]]), 2).y) == [1, 0]
    assert list(read_response([True, False], 2).y) == [1, 0]
    labels = read_response(["no", "yes", "no"], 3)
    assert labels.levels == ("no", "yes") and list(labels.y) == [0, 1, 0]
    assert list(read_response(np.array([250, 3], dtype=np.uint8), 2).y) == [250, 3]
    for grouped in ([[1, 4], [2, 5]], pd.DataFrame({"s": [1, 2], "f": [4, 5]})):
        found = read_response(grouped, 2)
        assert list(found.y) == [1, 2] and list(found.trials) == [5, 7]
    three = read_response(["a", "b", "c"], 3)
    assert three.take(np.array([0, 2])).settled("y").levels == ("a", "c")
    with pytest.raises(DataError, match=r"3 labels \('a', 'b', 'c'\)"):
        three.settled("y")
    with pytest.raises(DataError, match="length 9, but the data have 10"):
        read_response(np.ones(9), 10)
    with pytest.raises(DataError, match="y has missing values in row 1 "):
        read_response(["a", None, "b"], 3)


def test_indexes_are_aligned_or_refused() -> None:
    X = pd.DataFrame({"x": [1.0, 2, 3]}, index=list("abc"))
    y = pd.Series([30.0, 10, 20], index=list("cab"), name="sick_days")
    frame = read_arrays(y, X, {"offset": pd.Series([3.0, 2, 1], index=list("cba"))})
    assert list(frame.response.y) == [10, 20, 30] and frame.y_name == "sick_days"
    assert list(frame.vectors["offset"]) == [1, 2, 3] and list(frame.index) == list("abc")
    with pytest.raises(DataError, match=r"index of y .*row 2.*align"):
        read_arrays(y.set_axis(list("abd")), X, {})
    twice = pd.Index(["a", "a", "b"])
    assert check_aligned(twice, twice, "y") is None
    with pytest.raises(DataError, match="index of y"):
        check_aligned(twice, pd.Index(["a", "b", "a"]), "y")
    assert check_aligned(None, twice, "y") is None


def test_incomplete_rows_are_dropped_on_request() -> None:
    offset = np.array([0.0, np.nan, 0.0])
    for X in (bad(0, 1, np.nan), scipy.sparse.coo_array(bad(0, 1, np.nan))):
        frame = read_arrays([1.0, 2.0, 3.0], X, {"offset": offset, "w": None}, missing="drop")
        assert frame.matrix.shape == (1, 2) and list(frame.response.y) == [3]
        assert list(frame.rows_kept) == [2] and frame.n_dropped == 2
        assert "2 of 3 rows" in frame.notes[0] and frame.vectors["w"] is None
    with pytest.raises(DataError, match="offset has missing values"):
        read_arrays([1.0, 2.0, 3.0], VALUES, {"offset": offset})
    assert missing_rows(VALUES, None, offset[:1]) is None


def test_new_rows_of_a_frame_are_taken_by_name() -> None:
    new = pd.DataFrame({"b": [1.0, np.nan], "other": ["u", "v"], "a": [3.0, 4.0]})
    matrix, missing, index = read_new_matrix(new, ["a", "b"])
    assert np.array_equal(matrix, [[3, 1], [0, 0]]) and list(missing) == [False, True]
    assert list(index) == [0, 1]
    for frame in (pl.from_pandas(new), pa.Table.from_pandas(new)):
        assert np.array_equal(read_new_matrix(frame, ["a", "b"])[0], matrix)
    with pytest.raises(DataError, match="no column 'c'"):
        read_new_matrix(new, ["a", "c"])
    with pytest.raises(DataError, match=r"3 columns.* has 2"):
        read_new_matrix(np.ones((4, 3)), ["a", "b"])
    assert read_new_matrix(pd.DataFrame(VALUES), ["const", "x1"])[0].shape == (3, 2)
    sparse, missing, _ = read_new_matrix(scipy.sparse.csr_array(bad(1, 1, np.nan)), ["a", "b"])
    assert list(missing) == [False, True, False] and np.isfinite(sparse.data).all()


def test_row_values_by_name_number_or_array() -> None:
    for given in ("e", 2.0, [2.0, 2.0], np.array(2.0)):
        read = read_row_values(given, "exposure", {"e": [2, 2]}, 2, None)
        assert list(read) == [2, 2]


def test_add_constant() -> None:
    x = np.array([[2.0], [3.0]])
    assert np.array_equal(add_constant(x), [[1, 2], [1, 3]])
    assert np.array_equal(add_constant(x[:, 0], prepend=False), [[2, 1], [3, 1]])
    assert add_constant(VALUES) is VALUES
    assert add_constant(VALUES, has_constant="add").shape == (3, 3)
    with pytest.raises(DataError, match=r"'x1'.*already constant"):
        add_constant(VALUES, has_constant="raise")
    frame = pd.DataFrame({"a": [1.0, 2], "g": ["u", "v"]}, index=[7, 8])
    assert list(add_constant(frame).columns) == ["const", "a", "g"]
    assert list(add_constant(frame).index) == [7, 8] and list(frame.columns) == ["a", "g"]
    assert add_constant(pl.DataFrame({"a": [1, 2]}), prepend=False).columns == ["a", "const"]
    assert add_constant(pa.table({"a": [1, 2]})).column_names == ["const", "a"]
    sparse = add_constant(scipy.sparse.csr_array(x))
    assert scipy.sparse.issparse(sparse) and np.array_equal(sparse.toarray(), [[1, 2], [1, 3]])
    assert add_constant(sparse) is sparse
    assert add_constant(pd.Series([1.0, 2.0], name="a")).columns.tolist() == ["const", "a"]
