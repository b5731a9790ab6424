"""What stands only in rows that are left out has no say in the fit, nor in a result's answers."""

import warnings
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

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
