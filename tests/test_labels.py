"""Labels are what the user wrote: exact, told apart by name, and missing where nothing stands."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import jaxglm as jg

N = 24
Y = np.random.default_rng(0).poisson(3, N).astype(float)
X = np.linspace(-1.0, 1.0, N)
Y[3::4] += 10
SMALL = [2**53 + i % 4 for i in range(N)]
LARGE = [2**63 + i % 4 for i in range(N)]


def gap(ids: list[int]) -> list[int | None]:
    return [None, *ids[1:]]


IDS: dict[str, Callable[[], Any]] = {
    "int64": lambda: np.array(SMALL),
    "uint64": lambda: np.array(LARGE, np.uint64),
    "Int64": lambda: pd.array(gap(SMALL), dtype="Int64"),
    "UInt64": lambda: pd.array(gap(LARGE), dtype="UInt64"),
    "object": lambda: pd.Series(SMALL, dtype=object),
    "object with None": lambda: pd.Series(gap(SMALL), dtype=object),
    "large object with NaT": lambda: pd.Series([pd.NaT, *LARGE[1:]], dtype=object),
    "decimal": lambda: pd.Series([None, *map(Decimal, SMALL[1:])], dtype=object),
    "list": lambda: gap(SMALL),
    "masked": lambda: np.ma.MaskedArray(SMALL, mask=np.arange(N) == 0),
    "sparse": lambda: pd.arrays.SparseArray(np.array(SMALL)),
    "arrow": lambda: pa.array(gap(SMALL), pa.int64()),
    "arrow uint64": lambda: pa.array(gap(LARGE), pa.uint64()),
    "arrow decimal": lambda: pa.array(gap(SMALL), pa.int64()).cast(pa.decimal128(19, 0)),
    "pandas on arrow": lambda: pd.array(gap(SMALL), dtype="int64[pyarrow]"),
    "polars": lambda: pl.Series(gap(SMALL), dtype=pl.Int64),
    "polars uint64": lambda: pl.Series(gap(LARGE), dtype=pl.UInt64),
    "polars decimal of few digits": lambda: pl.Series(gap(SMALL), dtype=pl.Int64).cast(
        pl.Decimal(18, 0)
    ),
    "polars 128 bits": lambda: pl.Series(gap(SMALL), dtype=pl.Int128),
    "polars decimal": lambda: pl.Series(gap(SMALL), dtype=pl.Int64).cast(pl.Decimal(30, 0)),
}


@pytest.mark.filterwarnings("ignore:No prediction for 1 row")
@pytest.mark.parametrize("make", IDS)
def test_large_whole_numbers_stay_apart(make: str, tmp_path: Path) -> None:
    ids, own = IDS[make](), (LARGE if "uint64" in make.lower() or "large" in make else SMALL)[:4]
    data = {"y": Y, "id": ids}
    fit = jg.glm("y ~ C(id)", data, "poisson", missing="drop")
    assert list(fit.params.index[1:]) == [f"C(id)[T.{label}]" for label in own[1:]]
    new = fit.predict(data)
    means = new.groupby(np.arange(N) % 4).mean().to_numpy()
    assert np.allclose(
        means, [Y[0 if new.notna()[0] else 4 :: 4].mean(), *Y.reshape(-1, 4).T[1:].mean(1)]
    )
    one = jg.glm(f"y ~ I(id == {own[1]})", data, "poisson", missing="drop").predict(data)
    assert np.allclose(one[1::4], Y[1::4].mean()) and one.nunique() == 2
    among = jg.glm(f"y ~ I(id %in% c({own[1]}, {own[2]}))", data, "poisson", missing="drop")
    assert np.allclose(among.predict(data)[2], np.r_[Y[1::4], Y[2::4]].mean())

    fits = jg.fit_groups("y ~ 1", data, by="id", family="poisson", missing="drop")
    fits.save(tmp_path / "fits.npz") if "decimal" not in make else None
    there = {"id": ids[1:], "y": Y[1:]}  # a row without a key has no segment
    assert [int(key) for key in fits.keys] == own
    for result in [fits] if "decimal" in make else [fits, jg.load(tmp_path / "fits.npz")]:
        assert np.allclose(result.predict(there)[:3], means[1:])
    assert jg.glm("y ~ id", data, missing="drop", on_failure="ignore").nobs >= N - 1


@pytest.mark.slow
def test_keys_of_another_type_are_compared_exactly() -> None:
    fits = jg.fit_groups("y ~ 1", {"y": Y, "id": np.array(SMALL)}, by="id", family="poisson")
    for ids in (np.array([2**53], np.uint64), [2**53, None][:1]):
        assert np.allclose(fits.predict({"id": ids}), Y[::4].mean())
    with pytest.raises(jg.DataError, match=f"not in the fit: {2**53 + 4} in row 0"):
        fits.predict({"id": [2**53 + 4]})
    mixed = pl.DataFrame({"id": pl.Series([2**53 + 1, None], dtype=pl.Int64)})
    with pytest.raises(jg.DataError, match="nan in row 1 "):
        fits.predict(mixed)
    assert np.allclose(fits.predict(mixed, unseen="nan")[0], Y[1::4].mean())
    clusters = jg.glm("y ~ 1", {"y": Y}, "poisson").bootstrap(n=3, seed=1, cluster=SMALL)
    assert "4 clusters" in repr(clusters)


@pytest.mark.slow
@pytest.mark.parametrize("make", [list, np.array, pd.Series, pl.Series])
def test_floats_that_stand_for_several_whole_numbers_are_refused(make: Any) -> None:
    data = {"y": Y, "id": np.array(SMALL), "k": np.arange(N) % 4}
    fit = jg.glm("y ~ C(id)", data, "poisson")
    fits = jg.fit_groups("y ~ 1", data, by="id", family="poisson")
    for result in (fit, fits):
        for number in (2.0**53, -(2.0**60)):
            with pytest.raises(
                jg.DataError, match=r"'.*id.*' held whole numbers.*give the .*Int64"
            ):
                result.predict({"id": make([1.0, number])}, unseen="nan")
    small = jg.glm("y ~ C(k)", data, "poisson")
    assert np.allclose(small.predict({"k": make([1.0, 2.0])}), [Y[1::4].mean(), Y[2::4].mean()])
    data |= {"id": data["id"].astype(float)}
    floats = jg.glm("y ~ C(id)", data, "poisson")
    for result in (floats, jg.fit_groups("y ~ 1", data, by="id", family="poisson")):
        assert result.predict({"id": make([2.0**53])}).notna().all()
        assert result.predict({"id": make([0, 1])}, unseen="nan").isna().all()
        with pytest.raises(jg.DataError, match=r"'.*id.*' held floats.*whole.*give the .*Int64"):
            result.predict({"id": make([2**53 + 1, 0])}, unseen="nan")


def test_functions_see_nan_where_a_whole_number_is_missing() -> None:
    data = {"y": Y, "k": pd.array([None, *range(1, N)], dtype="Int64")}
    seen = []
    jg.glm(
        "y ~ f(k)", data, "poisson", missing="drop", context={"f": lambda k: seen.append(k) or k}
    )
    assert np.isnan(seen[0][0]) and list(seen[0][1:]) == list(range(1, N))
    with pytest.raises(jg.FormulaError, match="NaN or infinite although the columns are complete"):
        jg.glm("y ~ f(x)", {"y": Y, "x": X}, "poisson", context={"f": lambda x: data["k"]})


def test_numbers_of_more_bits_are_refused() -> None:
    with pytest.raises(jg.DataError, match=r"'id'.*64 bits cannot hold.*convert it to text"):
        jg.glm("y ~ C(id)", {"y": Y, "id": [2**70 + i % 4 for i in range(N)]}, "poisson")


@pytest.mark.parametrize("nothing", [None, np.nan, pd.NA, pd.NaT, np.datetime64("NaT", "ns")])
def test_nothing_is_no_label(nothing: Any) -> None:
    for values in (["a", "b"], [1, 2], [0.5, 2], [True, False]):
        column = [nothing, *(values[i % 2] for i in range(1, N))]
        for given in (column, pd.Series(column, dtype=object)):
            fit = jg.glm("y ~ g", {"y": Y, "g": given}, "poisson", missing="drop")
            assert len(fit.params) == 2 and fit.nobs == N - 1
    keys = jg.fit_groups(
        "y ~ 1", {"y": Y, "g": ["a", nothing] * 12}, "g", "poisson", missing="drop"
    )
    assert list(keys.keys) == ["a"]
    dictionary = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2] * 8), pa.array(["a", None, "b"]))
    fit = jg.glm("y ~ g", pa.table({"y": Y, "g": dictionary}), "poisson", missing="drop")
    assert list(fit.params.index) == ["Intercept", "g[T.b]"]


def test_two_labels_of_one_name() -> None:
    for labels in ([1, "1", "b"], [True, "True", "b"], [1.5, "1.5", "b"]):
        data = pd.DataFrame({"y": Y, "g": pd.Categorical(labels * 8, categories=labels)})
        for verb in (jg.glm, lambda *given: jg.fit_groups(*given[:2], "h", given[2])):
            with pytest.raises(jg.DataError, match=r"'g' has two levels of one name, .* and '"):
                verb("y ~ g", data.assign(h=1), "poisson")
    with pytest.raises(jg.DataError, match="'g' mixes kinds"):
        jg.glm("y ~ g", {"y": Y, "g": [1, "1"] * 12}, "poisson")


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("g[T.b]", "y ~ g + `g[T.b]`"),
        ("Intercept", "y ~ Intercept"),
        ("a:b", "y ~ a*b + `a:b`"),
        ("exp(a)", "y ~ exp(a) + `exp(a)`"),
    ],
)
def test_two_coefficients_of_one_name(name: str, formula: str) -> None:
    data = pd.DataFrame({"y": Y, "a": X, "b": X**2, "g": ["a", "b"] * 12, name: np.sin(5 * X)})
    with pytest.raises(jg.FormulaError, match="two coefficients would both be called") as told:
        jg.glm(formula, data, "poisson")
    assert repr(name) in str(told.value)
    renamed = formula.replace(f"`{name}`", "other").replace("~ Intercept", "~ other")
    assert jg.glm(renamed, data.rename(columns={name: "other"}), "poisson").converged


def test_two_columns_of_one_name() -> None:
    twice = pd.DataFrame(np.c_[X, X**2], columns=["x", "x"])
    arrow = pa.Table.from_arrays([pa.array(X), pa.array(X**2)], names=["x", "x"])
    for frame in (twice, pd.DataFrame({1: X, "1": X**2}), arrow):
        with pytest.raises(jg.DataError, match="X has two columns named"):
            jg.GLM(Y, frame, "poisson").fit()
        with pytest.raises(jg.DataError, match="X has two columns named"):
            jg.GLM(np.c_[Y, Y], frame, "poisson").fit_responses()
    for frame in (twice.assign(y=Y), arrow.append_column("y", pa.array(Y))):
        with pytest.raises(jg.DataError, match="2 columns named 'x'"):
            jg.glm("y ~ x", frame, "poisson")
        assert jg.glm("y ~ 1", frame, "poisson").converged
    fit = jg.GLM(Y, pd.DataFrame({"x": X, "z": X**2}), "poisson").fit()
    for new in (twice.assign(z=X), arrow.append_column("z", pa.array(X))):
        with pytest.raises(jg.DataError, match="2 columns named 'x'"):
            fit.predict(new)
    keys = [pd.Series(["a", "b"] * 12, name="k"), pd.Series(["c"] * 12 + ["d"] * 12, name="k")]
    with pytest.raises(jg.DataError, match="groups has two columns named 'k'"):
        jg.GLM(Y, X, "poisson").fit_groups(keys)


def test_columns_of_new_data_are_found_by_name_in_a_dict_too() -> None:
    fit = jg.GLM(Y, pd.DataFrame({"x": X, "z": X**2}), "poisson").fit()
    assert np.array_equal(fit.predict({"z": X**2, "x": X}), fit.fittedvalues)
    with pytest.raises(jg.DataError, match="no column 'x' in the new data"):
        fit.predict({"z": X, "w": X})


def test_names_of_columns_may_look_like_those_of_the_program() -> None:
    odd = {"y": Y, "a b": X, "_name0_": X**2, "_name1_": X**3, "c d": X**4}
    plain = dict(zip(["y", "u", "v", "w", "z"], odd.values(), strict=True))
    for formula, same in [
        ("y ~ I(`a b` + _name0_)", "y ~ I(u + v)"),
        ("y ~ scale(`a b` * _name0_ + `c d` * _name1_)", "y ~ scale(u * v + z * w)"),
    ]:
        fit, direct = jg.glm(formula, odd, "poisson"), jg.glm(same, plain, "poisson")
        assert np.array_equal(fit.params, direct.params)
        assert np.array_equal(fit.predict(odd), direct.predict(plain))


@pytest.mark.filterwarnings("ignore:No prediction for 1 row")
def test_truth_values_are_one_thing_whatever_holds_them() -> None:
    flags = np.array([True, False] * 12)
    flags[3] = True
    held = {
        "bool": flags,
        "object": pd.Series(flags, dtype=object),
        "categories": pd.Categorical(flags),
        "nullable": pd.array(flags, dtype="boolean"),
        "masked": np.ma.MaskedArray(flags, mask=False),
    }
    fits = {make: jg.glm("y ~ g", {"y": Y, "g": own}, "poisson") for make, own in held.items()}
    for fit in fits.values():
        assert list(fit.params.index) == ["Intercept", "g[T.True]"]
        for own in held.values():
            assert np.allclose(fit.predict({"g": own}), fits["bool"].fittedvalues)
    gap = fits["bool"].predict({"g": pd.Categorical([True, None])})
    assert gap.notna()[0] and gap.isna()[1]


def test_numbers_find_categories_that_are_numbers() -> None:
    data = pd.DataFrame({"y": Y, "g": pd.Categorical([10, 2, 3] * 8)})
    fit = jg.glm("y ~ g", data, "poisson")
    assert np.array_equal(fit.predict({"g": [10, 2, 3]}), fit.fittedvalues[:3])
    with pytest.raises(jg.DataError, match="not in the fit: 4 in row 1"):
        fit.predict({"g": [10, 4]})


@pytest.mark.slow
def test_text_that_reads_as_numbers_is_told() -> None:
    data = {"y": Y, "price": [f"{i / 2}" for i in range(23)] + ["n/a"]}
    with pytest.warns(jg.DataWarning, match=r"'price' holds text.* 24 levels.*'n/a'.*to_numeric"):
        fit = jg.glm("y ~ price", data, "gaussian")
    assert any("'price' holds text" in note for note in fit.notes)
    with pytest.warns(jg.DataWarning, match="'price' holds text"):
        jg.fit_responses("~ price", data, ["y"], "gaussian")


@pytest.mark.filterwarnings("error::jaxglm.DataWarning")
def test_text_that_is_meant_as_labels_is_not_told_of() -> None:
    codes = [f"{i:05d}" for i in range(1, 25)]  # digits, no numbers
    for formula, column in [
        ("y ~ C(k)", [str(i) for i in range(N)]),
        ("y ~ k", codes),
        ("y ~ k", [str(i % 5) for i in range(N)]),
        ("y ~ k", list("abcdefghijklmnopqrstuvwx")),
    ]:
        jg.glm(formula, {"y": Y, "k": column}, "gaussian", on_failure="warn", rank="drop")


def test_labels_that_differ_in_spaces_are_told() -> None:
    data = {"y": Y, "g": ["a", " a", "b"] * 8, "x": X}
    with pytest.warns(jg.DataWarning, match="'g' holds labels.* ' a' and 'a'.*str.strip"):
        assert len(jg.glm("y ~ g", data, "poisson").params) == 3
    with pytest.warns(jg.DataWarning, match="key 'g' of the segments holds labels"):
        jg.fit_groups("y ~ 1", data, by="g", family="poisson")
    with pytest.warns(jg.DataWarning, match="key 'group' of the segments"):
        jg.GLM(Y, np.ones(N), "poisson").fit_groups(data["g"])


@pytest.mark.filterwarnings("ignore:No prediction for 1 row")
def test_single_values_in_a_dict_stand_in_every_row() -> None:
    data = {"y": Y, "x": X, "g": ["a", "bc"] * 12}
    fit = jg.glm("y ~ x + g", data, "poisson")
    by_list = fit.predict({"x": [0.5], "g": ["bc"]})
    for row in ({"x": 0.5, "g": "bc"}, {"x": np.array(0.5), "g": np.str_("bc")}):
        assert np.array_equal(fit.predict(row), by_list)
    rows = fit.predict({"x": [0.5, 1.0], "g": "bc"})
    assert rows.size == 2 and rows[0] == by_list[0]
    assert fit.predict({"x": None, "g": "bc"}).isna().all()
    assert fit.predict({"x": [], "g": "bc"}).size == 0
    arrays = jg.GLM(Y, pd.DataFrame({"x": X, "z": X**2}), "poisson").fit()
    assert np.array_equal(arrays.predict({"z": 0.25, "x": 0.5}), arrays.predict([[0.5, 0.25]]))
    with pytest.raises(jg.DataError, match=r"data is of type Series, .*give a table or a dict"):
        fit.predict(pd.Series({"x": 0.5, "g": "bc"}))


def test_folders_and_files_that_are_no_tables(tmp_path: Path) -> None:
    frame = pd.DataFrame({"y": Y, "x": X})
    for folder in ("empty", "csv", "mixed", "damaged", "good"):
        (tmp_path / folder).mkdir()
    for folder in ("mixed", "damaged", "good"):
        frame.to_parquet(tmp_path / folder / "a.parquet")
    (tmp_path / "csv" / "a.csv").write_text("y,x\n1,2\n")
    (tmp_path / "mixed" / "README.txt").write_text("what the columns are")
    (tmp_path / "good" / "_SUCCESS").write_text("")
    whole = (tmp_path / "good" / "a.parquet").read_bytes()
    (tmp_path / "damaged" / "b.parquet").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "c.parquet").write_bytes(whole[:100] + whole[-8:])
    for name, message in [
        ("nowhere", "there is no file or folder"),
        ("empty", "no Parquet file in the folder"),
        ("csv", "a.csv' is not a Parquet file"),
        ("mixed", r"README.txt' is not a Parquet file.*move it away"),
        ("damaged", r"b.parquet' is not a Parquet file, or a damaged one"),
        ("c.parquet", "cannot read .*c.parquet"),
    ]:
        with pytest.raises(jg.DataError, match=message):
            jg.glm("y ~ x", tmp_path / name, "poisson")
    assert jg.glm("y ~ x", tmp_path / "good", "poisson").nobs == N


def test_add_constant_to_one_row() -> None:
    fit = jg.GLM(Y, jg.add_constant(np.c_[X, X**2]), "poisson").fit()
    for row in ([[0.5, 0.25]], [[1.0, 1.0]], np.array([[0.5, 0.25]])):
        made = jg.add_constant(row)
        assert made.tolist() == [[1.0, *np.asarray(row)[0]]]
        assert fit.predict(made).size == 1
        assert jg.add_constant(row, has_constant="raise").shape == (1, 3)
    import scipy.sparse

    assert jg.add_constant(scipy.sparse.csr_array([[0.5, 0.25]])).shape == (1, 3)
    frame = pd.DataFrame({"x": [0.5]})
    assert list(jg.add_constant(frame)) == ["const", "x"]
    assert list(jg.add_constant(pl.from_pandas(frame)).columns) == ["const", "x"]
    assert list(jg.add_constant(jg.add_constant(frame))) == ["const", "x"]
    with pytest.raises(jg.DataError, match="'const' of data is already constant"):
        jg.add_constant(jg.add_constant(frame), has_constant="raise")
    two = pd.DataFrame({"k": [3.0, 3.0]})
    assert list(jg.add_constant(two)) == ["k"]


def test_arithmetic_of_whole_numbers_holds_them_apart() -> None:
    """In floats 2**53 + 1 is 2**53."""
    first = 2**53
    ids = np.tile(first + np.arange(4), 6)
    y = np.tile([1.0, 2, 30, 40], 6)
    data = {"y": y, "id": ids, "next": ids + 1}
    shift = ["C(id + 0)", "C(id - 1)", "C(abs(id))", "C(-id)", f"C(pmin(id, {first + 9}))"]
    for text in [*shift, "C(id %% 4)", "C(id * 1)"]:
        fitted = jg.glm(f"y ~ {text}", data, "poisson").fittedvalues
        assert np.allclose(fitted, y, rtol=1e-9), text
    _, columns = jg.design(f"y ~ I(id - {first}) + I(next - id)", data)
    assert columns.iloc[:4, 1].tolist() == [0, 1, 2, 3] and (columns.iloc[:, 2] == 1).all()
    # What does not fit is rounded, as before.
    assert np.isfinite(jg.design("y ~ I(id * id)", data)[1].to_numpy()).all()
    gap = {"y": [1.0, 2, 3], "id": pd.array([1, None, 3], dtype="Int64")}
    assert jg.design("y ~ I(id + 1)", gap, missing="drop")[1].iloc[:, 1].tolist() == [2, 4]


def test_a_float_among_large_whole_numbers_is_refused() -> None:
    ids = [float(2**53), *(2**53 + i % 4 for i in range(1, 24))]
    for column in (ids, pd.Series(ids, dtype=object)):
        data = {"y": np.ones(24), "id": column}
        with pytest.raises(jg.DataError, match="'id' mixes fractions with whole numbers"):
            jg.glm("y ~ C(id)", data, "poisson")
        fits = jg.fit_groups("y ~ 1", data, by="id", family="poisson")
        assert list(fits) == [2**53 + i for i in range(4)]
    jg.glm("y ~ v", {"y": [1.0, 2, 2], "v": [1, 2.5, 3]})
