"""From the user's data to segments: keys, rows in order, and faults that stay in their segment."""

import datetime
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse

import jaxglm as jg
from jaxglm._status import DataError, FormulaError
from jaxglm.families import family
from jaxglm.intake import Given, GroupIntake, array_segments, table_segments
from jaxglm.io import groups_of, read_table, segments_of

FLOAT = np.dtype(np.float64)


def by_formula(
    formula: str, data: Any, by: Any = "g", name: str = "poisson", **given: Any
) -> GroupIntake:
    return table_segments(formula, data, by, as_given(name, given))


def by_arrays(y: Any, X: Any, groups: Any, name: str = "poisson", **given: Any) -> GroupIntake:
    return array_segments(y, X, groups, as_given(name, given))


def as_given(name: str, given: dict[str, Any]) -> Given:
    missing, dtype = given.pop("missing", "raise"), given.pop("dtype", FLOAT)
    return Given(family(name, None), given, missing, dtype)


def labels(intake: GroupIntake) -> str:
    """The labels of the rows, segment by segment."""
    segments = intake.segments
    assert intake.model.dataset is not None
    return "".join(intake.model.dataset.index[segments.at(np.arange(segments.starts[-1]))])


# -- keys -----------------------------------------------------------------------------------------

DAYS = [datetime.date(2024, 1, 2), datetime.date(2024, 1, 1), None, datetime.date(2024, 1, 2)]
COLUMNS: dict[str, tuple[Any, list[int], list[Any]]] = {
    "small integers": (np.array([127, -128, 127, 0], np.int8), [2, 0, 2, 1], [-128, 0, 127]),
    "far integers": (np.array([10**15, 3, 10**15, 7]), [2, 0, 2, 1], [3, 7, 10**15]),
    "unsigned": (np.array([2**63 + 1, 2**63, 2**63 + 1, 5], np.uint64), [2, 1, 2, 0], None),
    "in order": (np.array([3, 3, 8, 9]), [0, 0, 1, 2], [3, 8, 9]),
    "numbers": (np.array([1.5, np.nan, 0.5, 1.5]), [1, -1, 0, 1], [0.5, 1.5]),
    "numbers in order": (np.array([0.5, 0.5, 1.5, 2.0]), [0, 0, 1, 2], [0.5, 1.5, 2.0]),
    "integers with gaps": (pd.array([3, None, 1, 3], dtype="Int64"), [1, -1, 0, 1], [1, 3]),
    "truth": (np.array([True, False, True, True]), [1, 0, 1, 1], [False, True]),
    "truth with gaps": (pd.array([True, None, False, True], dtype="boolean"), [1, -1, 0, 1], None),
    "text": (["b", "a", None, "b"], [1, 0, -1, 1], ["a", "b"]),
    "categories of numbers": (pd.Categorical([2.0, 1.0, 2.0, None]), [1, 0, 1, -1], [1.0, 2.0]),
    "dates": (DAYS, [1, 0, -1, 1], [DAYS[1], DAYS[0]]),
    "times": (pd.to_datetime(DAYS), [1, 0, -1, 1], list(pd.to_datetime([DAYS[1], DAYS[0]]))),
}


@pytest.mark.parametrize("kind", COLUMNS)
def test_keys_are_the_values_that_occur(kind: str) -> None:
    values, codes, keys = COLUMNS[kind]
    frame = pd.DataFrame({"g": values})
    for data in (frame, pl.from_pandas(frame), pa.Table.from_pandas(frame), {"g": values}):
        found, index = segments_of(read_table(data), ["g"])
        assert found.dtype == np.int32 and found.tolist() == codes
        assert index.name == "g" and index.is_monotonic_increasing
        if keys is not None:
            assert index.tolist() == keys
            assert [type(a) for a in index.tolist()] == [type(a) for a in keys]


def test_categories_keep_their_order_and_those_that_do_not_occur_are_no_segments() -> None:
    sizes = pd.Categorical(["L", "S", "L", None], categories=["S", "M", "L"])
    codes, keys = segments_of(read_table({"g": sizes}), ["g"])
    assert codes.tolist() == [1, 0, 1, -1] and keys.tolist() == ["S", "L"]


def test_several_columns_make_the_combinations_that_occur() -> None:
    table = read_table({"a": [2, 1, 2, 2, 1], "b": ["x", "y", "x", "y", None]})
    codes, keys = segments_of(table, ["a", "b"])
    assert keys.tolist() == [(1, "y"), (2, "x"), (2, "y")] and keys.names == ["a", "b"]
    assert codes.tolist() == [1, 0, 1, 2, -1]
    assert keys.get_loc((2, "y")) == 2


def test_what_cannot_be_a_key_is_refused() -> None:
    with pytest.raises(DataError, match="no column 'h'"):
        segments_of(read_table({"g": [1]}), ["h"])
    with pytest.raises(DataError, match="twice"):
        segments_of(read_table({"g": [1]}), ["g", "g"])
    with pytest.raises(DataError, match="names no column"):
        segments_of(read_table({"g": [1]}), [])


def test_groups_of_arrays() -> None:
    labels = pd.Index(["r", "s", "t"])
    for several in (np.array([[2, 1], [1, 1], [2, 1]]), [[2, 1, 2], [1, 1, 1]]):
        codes, keys = groups_of(several, 3, None)
        assert codes.tolist() == [1, 0, 1] and keys.names == ["group_1", "group_2"]
    codes, keys = groups_of(pd.DataFrame({"a": [2, 1, 2]}), 3, None)
    assert codes.tolist() == [1, 0, 1] and keys.name == "a"
    own = pd.Series([2, 1, 1], index=labels[::-1], name="shop")
    codes, keys = groups_of(own, 3, labels)
    assert codes.tolist() == [0, 0, 1] and keys.name == "shop"
    assert groups_of([2, 1, 1], 3, labels)[1].name == "group"
    with pytest.raises(DataError, match="groups has length 2"):
        groups_of([1, 2], 3, None)


# -- rows in order --------------------------------------------------------------------------------


def frame(**columns: Any) -> pd.DataFrame:
    """Three segments, "a", "b" and "c", whose rows stand in disorder."""
    start = {
        "y": [1.0, 0, 2, 1, 3, 0, 1, 2],
        "x": [0.5, 1.5, 2.5, 0.25, 1.0, 2.0, 0.75, 1.25],
        "g": ["b", "a", "c", "b", "a", "c", "b", "a"],
    }
    return pd.DataFrame(start | columns, index=list("ABCDEFGH"))


ORDER = [1, 4, 7, 0, 3, 6, 2, 5]

DOORS: dict[str, Callable[[pd.DataFrame], GroupIntake]] = {
    "pandas": lambda data: by_formula("y ~ x", data),
    "polars": lambda data: by_formula("y ~ x", pl.from_pandas(data)),
    "arrow": lambda data: by_formula("y ~ x", pa.Table.from_pandas(data)),
    "dict": lambda data: by_formula("y ~ x", data.to_dict("list")),
    "arrays": lambda data: by_arrays(data["y"], data[["x"]].assign(one=1.0), data["g"]),
}


@pytest.mark.parametrize("door", DOORS)
def test_rows_stand_segment_by_segment_in_the_order_given(door: str) -> None:
    data = frame()
    intake = DOORS[door](data)
    segments = intake.segments
    assert intake.keys.tolist() == ["a", "b", "c"] and segments.starts.tolist() == [0, 3, 6, 8]
    assert segments.rows.tolist() == ORDER and segments.failed == {}
    x = intake.model.names.index("x")
    for g in range(3):
        own, rows = segments.one(g), ORDER[segments.starts[g] : segments.starts[g + 1]]
        assert own.rows.y.tolist() == data["y"].iloc[rows].tolist()
        assert own.design.values[:, x].tolist() == data["x"].iloc[rows].tolist()
    assert intake.native == {"arrow": "pyarrow", "arrays": "pandas"}.get(door, door)
    if door in ("pandas", "arrays"):
        assert labels(intake) == "BEHADGCF"


def test_rows_in_order_are_not_copied() -> None:
    data = frame().sort_values("g")
    X = np.asarray(data[["x"]])
    intake = by_arrays(data["y"].to_numpy(), X, data["g"].to_numpy())
    assert np.shares_memory(intake.segments.problem.design.values, X)
    assert intake.segments.rows.tolist() == list(range(8))


def test_every_vector_follows_the_rows() -> None:
    data = frame(w=np.arange(8.0) + 1, t=np.full(8, 4.0), o=np.arange(8.0))
    intake = by_formula(
        "y ~ C(g) + x", data, name="binomial", trials="t", offset="o", freq_weights="w"
    )
    problem = intake.segments.problem.take_rows(intake.segments.order)
    vectors = problem.rows
    assert vectors.freq.tolist() == data["w"].iloc[ORDER].tolist()
    assert vectors.offset.tolist() == ORDER
    assert vectors.weight.tolist() == (4 * data["w"].iloc[ORDER]).tolist()
    assert problem.constant is not None and vectors.trials.tolist() == [4] * 8
    sparse = by_arrays(
        data["y"], scipy.sparse.csr_array(data[["x"]].to_numpy()), data["g"].to_numpy()
    )
    rows = sparse.segments.cut(np.arange(3), 3, 3, (3,))
    assert rows.design.values.ravel()[[0, 1, 2, 3, 4, 5, 6, 7]].tolist() == (
        data["x"].iloc[ORDER].tolist()
    )


# -- faults ---------------------------------------------------------------------------------------


def spoilt(name: str, row: int, value: float) -> pd.DataFrame:
    data = frame(w=1.0, t=4.0, e=1.0, o=0.0)
    data.iloc[row, data.columns.get_loc(name)] = value
    return data


# What is wrong with row 3, which is of segment "b"; words; the call.
FAULTS: dict[str, tuple[tuple[str, float], tuple[str, ...], Callable[[Any], GroupIntake]]] = {
    "support": (("y", -1), ("'y'", "row (first: 3)"), lambda d: by_formula("y ~ x", d)),
    "infinite": (("x", np.inf), ("'x'", "infinite", "row 3 "), lambda d: by_formula("y ~ x", d)),
    "infinite response": (("y", np.inf), ("'y'", "row 3 "), lambda d: by_formula("y ~ x", d)),
    "expression": (("x", 0), ("log(x)", "row 3 "), lambda d: by_formula("y ~ log(x)", d)),
    "weight": (
        ("w", -1),
        ("var_weights", "first: 3"),
        lambda d: by_formula("y ~ x", d, var_weights="w"),
    ),
    "trials": (
        ("t", 0.5),
        ("successes than trials", "first: 3"),
        lambda d: by_formula("y ~ x", d, name="binomial", trials="t"),
    ),
    "share": (
        ("y", 2.5),
        ("'y'", "first: 3", "number of successes"),
        lambda d: by_formula("y ~ x", d, name="binomial", trials="t"),
    ),
    "exposure": (
        ("e", 0),
        ("exposure", "first: 3"),
        lambda d: by_formula("y ~ x", d, exposure=d["e"].to_numpy()),
    ),
    "infinite companion": (
        ("o", -np.inf),
        ("'o'", "row 3 "),
        lambda d: by_formula("y ~ x", d, offset="o"),
    ),
    "float32": (
        ("y", 1e300),
        ("float32", "first: 3"),
        lambda d: by_formula("y ~ x", d, name="gaussian", dtype=np.dtype(np.float32)),
    ),
    "missing": (("x", np.nan), ("'x' (1)", "row 3 "), lambda d: by_formula("y ~ x", d)),
    "array": (("x", np.inf), ("'x' of X", "row 3 "), lambda d: by_arrays(d["y"], d[["x"]], d["g"])),
    "array with a gap": (
        ("x", np.nan),
        ("'x' of X", "row 3 "),
        lambda d: by_arrays(d["y"], d[["x"]], d["g"]),
    ),
    "sparse array": (
        ("x", np.nan),
        ("'x1' of X", "row 3 "),
        lambda d: by_arrays(d["y"], scipy.sparse.csr_array(d[["x"]].to_numpy()), d["g"].to_numpy()),
    ),
    "response of an array": (
        ("y", np.nan),
        ("y has missing", "row 3 "),
        lambda d: by_arrays(d["y"][::-1], d[["x"]], d["g"][::-1]),
    ),
    "companion of an array": (
        ("o", np.nan),
        ("offset", "row 3 "),
        lambda d: by_arrays(d["y"], d[["x"]], d["g"], offset=d["o"]),
    ),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_fault_stays_in_its_segment(kind: str) -> None:
    (name, value), words, call = FAULTS[kind]
    sound = call(frame(w=1.0, t=4.0, e=1.0, o=0.0))
    intake = call(spoilt(name, 3, value))
    assert list(intake.segments.failed) == [1] and intake.keys.tolist() == ["a", "b", "c"]
    for word in words:
        assert word in intake.segments.failed[1]
    assert intake.segments.sizes.tolist() == [3, 0, 2]
    assert intake.notes == () and intake.segments.sizes.tolist() == [3, 0, 2]
    for g in (0, 2):
        ours, theirs = intake.segments.one(g), sound.segments.one(g)
        assert np.array_equal(ours.rows.y, theirs.rows.y)
        assert np.array_equal(ours.rows.weight, theirs.rows.weight)
        all_columns = np.arange(ours.n_columns)
        for mine, other in zip(
            vars(ours.design.take_columns(all_columns)).values(),
            vars(theirs.design.take_columns(all_columns)).values(),
            strict=True,
        ):
            assert np.array_equal(mine, other)
        assert (ours.constant, intake.model.names) == (theirs.constant, sound.model.names)


def test_values_that_rounding_would_merge_are_a_matter_of_their_segment() -> None:
    y = np.where(frame()["g"] == "b", 1e9 + frame()["x"], frame()["y"])
    intake = by_formula("y ~ x", frame(y=y), name="gaussian", dtype=np.dtype(np.float32))
    assert list(intake.segments.failed) == [1] and "apart" in intake.segments.failed[1]


def test_all_weights_of_a_segment_zero() -> None:
    w = np.where(frame()["g"] == "c", 0.0, 1.0)
    intake = by_formula("y ~ x", frame(w=w), freq_weights="w")
    assert intake.segments.failed == {2: "all weights are zero: no row counts"}


def test_the_first_fault_is_told_and_all_segments_may_fail() -> None:
    data = frame(y=-1.0)
    data.loc["D", "x"] = np.inf
    intake = by_formula("y ~ x", data)
    failed = intake.segments.failed
    assert list(failed) == [0, 1, 2] and "infinite" in failed[1]
    assert "3 rows (first: 1, 4, 7) hold -1, -1, -1" in failed[0]
    assert intake.segments.rows.size == 0 and intake.segments.sizes.tolist() == [0, 0, 0]


def test_what_concerns_the_whole_table_is_raised() -> None:
    with pytest.raises(DataError, match="no column 'z'"):
        by_formula("y ~ z", frame())
    with pytest.raises(FormulaError, match="no function 'bad'"):
        by_formula("y ~ bad(x)", frame())
    with pytest.raises(DataError, match="holds 3 labels"):
        by_formula("g ~ x", frame(k=1), by="k", name="binomial")


# -- missing values -------------------------------------------------------------------------------


def test_incomplete_rows_are_left_out_on_request() -> None:
    data = frame()
    data.loc[["A", "C", "F"], "x"] = np.nan  # one row of "b", all of "c"
    intake = by_formula("y ~ x", data, missing="drop")
    assert intake.segments.rows.tolist() == [1, 4, 7, 3, 6] and labels(intake) == "BEHDG"
    assert intake.segments.failed == {2: "no row is complete: missing values in 'x' (2)"}
    assert "1 of 8 rows were dropped" in intake.notes[0] and "row 0 " in intake.notes[0]
    assert intake.keys.tolist() == ["a", "b", "c"]
    arrays = by_arrays(data["y"], data[["x"]], data["g"], missing="drop")
    assert arrays.segments.rows.tolist() == intake.segments.rows.tolist()
    assert list(arrays.segments.failed) == [2]


def test_rows_are_told_by_their_place_in_the_table_also_after_others_were_left_out() -> None:
    data = frame()
    data.loc["A", "x"], data.loc["G", "y"] = np.nan, -1.0
    intake = by_formula("y ~ x", data, missing="drop")
    assert "first: 6)" in intake.segments.failed[1]


def test_rows_without_a_key() -> None:
    data = frame(h=[1, 1, 2, np.nan, 1, 2, 2, 1])
    data.loc["B", "g"] = None
    with pytest.raises(DataError, match=r"'g' in row 1 .*'h' in row 3 "):
        by_formula("y ~ x", data, by=["g", "h"])
    intake = by_formula("y ~ x", data, by=["g", "h"], missing="drop")
    assert intake.keys.tolist() == [("a", 1), ("b", 1), ("b", 2), ("c", 2)]
    assert intake.segments.rows.tolist() == [4, 7, 0, 6, 2, 5]
    assert "'g' (1), 'h' (1)" in intake.notes[0] and intake.segments.failed == {}
    with pytest.raises(DataError, match="'groups' in row 1 "):
        by_arrays(data["y"], data[["x"]], data["g"])
    dropped = by_arrays(data["y"], data[["x"]], data["g"], missing="drop")
    assert dropped.segments.sizes.tolist() == [2, 3, 2]


@pytest.mark.slow
def test_a_response_beside_trials_has_one_reading_in_the_whole_table() -> None:
    """One segment has fractions, which tells that the 0 and 1 of the others are proportions."""
    data = pd.DataFrame({"g": np.repeat(list("abc"), 6), "y": [0, 1, 1, 0, 1, 1.0] * 3, "t": 5.0})
    data["x"] = np.tile(np.arange(6.0), 3)
    call = {"by": "g", "family": "binomial", "trials": "t", "on_failure": "ignore"}
    two = data[data["g"] != "c"]
    proportions = jg.fit_groups("y ~ x", two, proportions=True, **call)
    numbers = jg.fit_groups("y ~ x", two, proportions=False, **call)
    assert abs(proportions.params["x"]["a"] - numbers.params["x"]["a"]) > 0.01
    with pytest.warns(jg.DataWarning, match="'y' holds only 0 and 1 .*proportions=True") as said:
        guessed = jg.fit_groups("y ~ x", two, **call)
    assert len(said) == 1 and said[0].filename == __file__
    assert guessed.params.equals(numbers.params)
    assert any("number of successes" in note for note in guessed.notes)
    data.loc[17, "y"] = 1.5  # one bad value tells nothing of the others
    with pytest.warns(jg.DataWarning, match="'y' holds only 0 and 1"):
        fits = jg.fit_groups("y ~ x", data, **call)
    assert list(fits.failed.index) == ["c"]
    assert np.allclose(fits.params.loc[["a", "b"]], numbers.params, rtol=1e-12)
    data.loc[17, "y"] = 0.5
    fits = jg.fit_groups("y ~ x", data, **call)
    assert list(fits.failed.index) == []
    assert np.allclose(fits.params.loc[["a", "b"]], proportions.params, rtol=1e-12)
    assert not any("read as" in note for note in fits.notes)
    data.loc[3, "y"] = 4.0
    fits = jg.fit_groups("y ~ x", data, **call)
    assert "'y' was read as the proportion of successes" in fits.failed["a"]
    assert "1 row (first: 3) hold 4" in fits.failed["a"]
    one = jg.glm("y ~ x", two[two["g"] == "a"], "binomial", trials="t", proportions=True)
    assert np.allclose(one.params, proportions.params.loc["a"], rtol=1e-9)


@pytest.mark.parametrize("by", [None, 0, pd.Series(["a", "b"]), ["g", 1]])
def test_by_is_a_name_or_names(by) -> None:
    with pytest.raises(DataError, match="by= must be the name of a column, or a list of names"):
        jg.fit_groups("y ~ x", frame(), by=by)
