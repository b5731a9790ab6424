"""What stands only in rows that are left out has no say in the fit, nor in a result's answers."""

import warnings
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse as sp

import jaxglm as jg

N = 24
RNG = np.random.default_rng(0)
WHOLE = pd.DataFrame(
    {
        "y": RNG.poisson(3, N).astype(float),
        "x": RNG.normal(size=N),
        "g": np.array(["a", "b", "c"])[np.arange(N) % 3],
        "h": np.array(["u", "v"])[np.arange(N) // 2 % 2],
        "shop": np.array(["s", "t"])[np.arange(N) // 12],
        "w": 1.0,
    }
)
WITHOUT_C = WHOLE[WHOLE["g"] != "c"]


def gap_where_c(column: str) -> pd.DataFrame:
    """The level c only where `column` is missing."""
    return WHOLE.assign(**{column: WHOLE[column].where(WHOLE["g"] != "c")})


MAKES = {
    "pandas": lambda frame: frame,
    "categories": lambda frame: frame.assign(g=frame["g"].astype("category")),
    "polars": pl.from_pandas,
    "polars categories": lambda frame: pl.from_pandas(frame).with_columns(
        pl.col("g").cast(pl.Categorical)
    ),
    "arrow": pa.Table.from_pandas,
    "arrow dictionary": lambda frame: pa.Table.from_pandas(
        frame.assign(g=frame["g"].astype("category"))
    ),
    "dict": lambda frame: {name: frame[name].to_numpy() for name in frame},
}


@pytest.mark.slow
@pytest.mark.parametrize("make", MAKES)
def test_every_answer_of_a_result(make: str, tmp_path: Any) -> None:
    data = MAKES[make](gap_where_c("y"))
    fit = jg.glm("y ~ x + g", data, "poisson", missing="drop")
    assert list(fit.params.index) == ["Intercept", "x", "g[T.b]"]
    assert "levels 'c' do not occur in the rows used" in str(fit.summary())
    assert len(fit.fittedvalues) == len(fit.resid()) == len(WITHOUT_C)
    fit.save(tmp_path / "fit.npz")
    for result in (fit, jg.load(tmp_path / "fit.npz")):
        assert result.bootstrap(data, n=3, seed=1, cluster="h").params.shape == (3, 3)
        assert result.predict(data, unseen="nan").isna().sum() == 8
        assert result.predict(data, unseen="base").notna().all()
        with pytest.raises(jg.DataError, match=r"not in the fit: 'c' in rows 2, 5"):
            result.predict(data)


@pytest.mark.parametrize(
    "formula",
    [
        "y ~ x*g",
        "y ~ g*h",
        "y ~ C(g, Sum)",
        "y ~ relevel(g, 'b')",
        "y ~ C(g, levels=['b', 'a'])",
        "y ~ C(g, levels=['c', 'b', 'a'])",
    ],
)
@pytest.mark.parametrize("gap", ["y", "w"])
def test_fit_is_that_of_the_used_rows(formula: str, gap: str) -> None:
    data = gap_where_c(gap)
    fit = jg.glm(formula, data, "poisson", missing="drop", var_weights="w")
    used = jg.glm(formula, WITHOUT_C, "poisson", var_weights="w")
    pd.testing.assert_series_equal(fit.params, used.params)
    assert fit.predict(data, unseen="nan").isna().sum() == 8


def test_value_outside_the_levels_given_counts_in_used_rows_and_at_prediction() -> None:
    formula = "y ~ C(g, levels=['b', 'a'])"
    with pytest.raises(jg.FormulaError, match=r"value 'c' in rows 2, 5, .* not among the levels"):
        jg.glm(formula, WHOLE, "poisson")
    data = WHOLE.assign(y=WHOLE["y"].where((WHOLE["g"] != "c") | (WHOLE.index == 5)))
    with pytest.raises(jg.FormulaError, match=r"value 'c' in row 5 \(counting"):
        jg.glm(formula, data, "poisson", missing="drop")
    fit = jg.glm(formula, WITHOUT_C, "poisson")
    with pytest.raises(jg.DataError, match=r"not in the fit: 'c' in rows 2"):
        fit.predict(WHOLE)
    with pytest.raises(jg.FormulaError, match="'c' is not one of its levels in the rows used"):
        jg.glm("y ~ relevel(g, 'c')", gap_where_c("y"), "poisson", missing="drop")


@pytest.mark.slow
def test_response_has_the_two_labels_of_the_used_rows() -> None:
    data = gap_where_c("x")
    direct = jg.glm("g ~ x", WITHOUT_C, "binomial").params.to_numpy()
    assert np.array_equal(jg.glm("g ~ x", data, "binomial", missing="drop").params, direct)
    X = jg.add_constant(data[["x"]])
    assert np.array_equal(jg.GLM(data["g"], X, "binomial", missing="drop").fit().params, direct)
    many = jg.fit_responses("~ x", data, ["g"], "binomial", missing="drop")
    assert np.allclose(many.params.to_numpy()[0], direct, rtol=1e-8)
    groups = jg.fit_groups("g ~ x", data, by="shop", family="binomial", missing="drop")
    assert groups.converged.all()
    with pytest.raises(jg.DataError, match=r"3 labels \('a', 'b', 'c'\)"):
        jg.glm("g ~ x", WHOLE, "binomial")


@pytest.mark.slow
def test_segments_share_the_levels_of_the_used_rows() -> None:
    data = gap_where_c("y")
    fits = jg.fit_groups("y ~ x + g", data, by="shop", family="poisson", missing="drop")
    used = jg.fit_groups("y ~ x + g", WITHOUT_C, by="shop", family="poisson")
    pd.testing.assert_frame_equal(fits.params, used.params)
    keyless = WHOLE.assign(shop=WHOLE["shop"].where(WHOLE["g"] != "c"))
    fits = jg.fit_groups("y ~ x + g", keyless, by="shop", family="poisson", missing="drop")
    pd.testing.assert_frame_equal(fits.params, used.params)


def test_transforms_learn_from_all_complete_values_as_in_r_and_patsy() -> None:
    data = WHOLE.assign(y=WHOLE["y"].where(WHOLE.index != 0))
    fit = jg.glm("y ~ center(x)", data, "poisson", missing="drop")
    by_hand = WHOLE.assign(x=WHOLE["x"] - WHOLE["x"].mean())[1:]
    assert np.allclose(fit.params, jg.glm("y ~ x", by_hand, "poisson").params, rtol=1e-8)


def test_nothing_is_said_of_a_level_that_occurs() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not any("do not occur" in note for note in jg.glm("y ~ g", WHOLE, "poisson").notes)


FIT_WITH = {
    "formula": lambda data: jg.glm(
        "y ~ x + log(z)", data, "poisson", var_weights="w", offset="o", missing="drop"
    ),
    "matrix": lambda data: jg.GLM(
        data["y"],
        jg.add_constant(data[["x", "z"]]),
        "poisson",
        var_weights=data["w"],
        exposure=data["z"],
        offset=data["o"],
        missing="drop",
    ).fit(),
    "sparse matrix": lambda data: jg.GLM(
        data["y"].to_numpy(),
        sp.csr_array(data[["x", "z"]].to_numpy()),
        "poisson",
        var_weights=data["w"].to_numpy(),
        offset=data["o"].to_numpy(),
        missing="drop",
    ).fit(),
    "segments": lambda data: jg.fit_groups(
        "y ~ x + z", data, "shop", "poisson", var_weights="w", offset="o", missing="drop"
    ),
    "segments of a matrix": lambda data: jg.GLM(
        data["y"], data[["x", "z"]], "poisson", var_weights=data["w"], missing="drop"
    ).fit_groups(data["shop"]),
    "responses": lambda data: jg.fit_responses(
        "~ x + z", data, ["y"], "poisson", var_weights="w", offset="o", missing="drop"
    ),
}
FINITE = WHOLE.assign(z=np.linspace(1, 2, N), o=0.0)


@pytest.mark.slow
@pytest.mark.parametrize("door", FIT_WITH)
def test_an_infinite_value_in_a_row_that_is_left_out_is_no_matter(door: str) -> None:
    fit = FIT_WITH[door]
    gap = FINITE.assign(x=FINITE["x"].where(FINITE.index != 3))
    used = fit(gap).params.to_numpy()
    for column in ("z", "y", "w", "o"):
        strange = gap.assign(**{column: gap[column].where(gap.index != 3, np.inf)})
        assert np.array_equal(fit(strange).params.to_numpy(), used), column
    # The other row has no gap.
    strange.loc[5, "z"] = -np.inf
    if "segments" in door:
        with pytest.warns(jg.SegmentWarning):
            fits = fit(strange)
        assert list(fits.failed.index) == ["s"] and "row 5 " in fits.failed["s"]
        assert "row 3" not in fits.failed["s"]
        return
    with pytest.raises(jg.DataError, match=r"infinite values in row 5 |infinite .* row 5 "):
        fit(strange)


def test_what_a_formula_makes_of_a_row_that_is_left_out_is_no_matter() -> None:
    data = FINITE.assign(x=FINITE["x"].where(FINITE.index != 3))
    data["z"] = FINITE["z"].where(FINITE.index != 3, 0.0)
    assert jg.glm("y ~ x + log(z)", data, "poisson", missing="drop").nobs == N - 1
    counts = np.column_stack([data["y"], data["y"] + 1])
    counts[3] = np.inf, -np.inf
    X = jg.add_constant(data[["x"]])
    assert jg.GLM(counts, X, "binomial", missing="drop").fit().nobs == N - 1
    with pytest.raises(jg.DataError, match=r"of y has infinite values in row 3 "):
        jg.GLM(counts, X.fillna(0), "binomial", missing="drop").fit()


def test_no_row_of_any_segment_can_be_used() -> None:
    for missing in ("raise", "drop"):
        with pytest.raises(jg.DataError, match="'x' has infinite values in rows 0, 1"):
            jg.fit_groups("y ~ x", WHOLE.assign(x=np.inf), "shop", missing=missing)


@pytest.mark.filterwarnings("ignore:No prediction for 1 row")
def test_an_infinite_value_in_a_new_row_that_misses_another() -> None:
    new = pd.DataFrame({"x": [np.nan, 1.0], "z": [np.inf, 1.0], "o": [np.inf, 0.0]})
    formula = jg.glm("y ~ x + z", FINITE, "poisson", offset="o")
    matrix = jg.GLM(FINITE["y"], FINITE[["x", "z"]], "poisson", offset=FINITE["o"]).fit()
    for rows in (new, new[["x", "z"]].to_numpy(), sp.csr_array(new[["x", "z"]].to_numpy())):
        assert matrix.predict(rows, offset=new["o"].to_numpy()).isna().tolist() == [True, False]
    assert formula.predict(new, offset="o").isna().tolist() == [True, False]
    for result in (formula, matrix):
        with pytest.raises(jg.DataError, match=r"'z'.* has infinite values in row 0 "):
            result.predict(new.fillna(0), offset=0)
        with pytest.raises(jg.DataError, match="infinite values in row 0 "):
            result.predict(new.fillna(0).assign(z=0), offset="o")
