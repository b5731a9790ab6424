"""The columns of a fit and of a formula: those that were fitted, as a table or a sparse matrix."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

import jaxglm as jg
from jaxglm.intake import _matrix
from tests.marks import slow_among

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(7)
TABLE = pd.DataFrame(
    {
        "y": RNG.poisson(2.0, 60),
        "x": RNG.normal(size=60),
        "g": list("abcd") * 15,
        "h": list("uvw") * 20,
    },
    index=np.arange(60) * 2,
)
FORMULAS = [
    "y ~ x",
    "y ~ g + x + h",
    "y ~ x * g",
    "y ~ C(g, Sum) * h + bs(x, df=4)",
    "y ~ 0 + g:x + h",
]


@pytest.mark.parametrize("formula", slow_among(FORMULAS, FORMULAS[2:3]))
def test_columns_are_those_that_were_fitted(formula: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(_matrix, "_CHUNK_NUMBERS", 100)  # several chunks
    fit = jg.glm(formula, TABLE, "poisson")
    y, X = jg.design(formula, TABLE)
    again = jg.GLM(y, X, "poisson").fit()
    np.testing.assert_allclose(again.params, fit.params, rtol=1e-9)
    assert list(again.params.index) == fit.names
    held = fit.design_matrix()
    assert held.index.equals(TABLE.index) and list(held.columns) == fit.names
    pd.testing.assert_frame_equal(held, X)
    pd.testing.assert_frame_equal(fit.design_matrix(TABLE[::3]), X[::3])
    eta = X.to_numpy() @ fit.params.to_numpy()
    np.testing.assert_allclose(eta, fit.predict(which="linear"), rtol=1e-12, atol=1e-12)
    sparse = fit.design_matrix(sparse=True)
    assert scipy.sparse.issparse(sparse) and np.array_equal(sparse.toarray(), X)
    assert np.array_equal(fit.design_matrix(TABLE[::3], sparse=True).toarray(), X[::3])


def test_formula_columns_are_formulaics() -> None:
    formulaic = pytest.importorskip("formulaic")
    theirs = formulaic.model_matrix("y ~ x * g + h", TABLE)
    y, X = jg.design("y ~ x * g + h", TABLE)
    assert isinstance(y, pd.Series) and y.name == "y" and (y == theirs.lhs["y"]).all()
    np.testing.assert_allclose(X[list(theirs.rhs.columns)], theirs.rhs)


def test_responses_of_every_kind() -> None:
    frame = TABLE.assign(n=9, won=np.where(TABLE.x > 0, "yes", "no"))
    counts = jg.design("cbind(y, n) ~ x", frame).y
    assert isinstance(counts, pd.DataFrame)
    assert list(counts) == ["successes", "failures"] and (counts["failures"] == 9).all()
    assert np.array_equal(jg.design("won ~ x", frame).y, frame.won == "yes")
    assert jg.design("~ x", frame).y is None


def test_missing_values() -> None:
    frame = TABLE.astype({"y": float})
    frame.iloc[3, 0] = np.nan
    with pytest.raises(jg.DataError, match="'y'"):
        jg.design("y ~ x", frame)
    y, X = jg.design("y ~ x", frame, missing="drop")
    assert len(X) == 59 and X.index.equals(y.index) and 6 not in X.index
    fit = jg.glm("y ~ x + g", TABLE)
    new = {"x": [1.0, np.nan], "g": ["b", "b"]}
    assert fit.design_matrix(new).isna().all(axis=1).tolist() == [False, True]
    with pytest.raises(jg.DataError, match=r"missing in row 1 \(counting .* leave these rows out"):
        fit.design_matrix(new, sparse=True)


def test_an_offset_is_no_column() -> None:
    with pytest.raises(jg.FormulaError, match="offset="):
        jg.design("y ~ x + offset(x)", TABLE)
    fit = jg.glm("y ~ x", TABLE, "poisson", offset=1.0)
    assert fit.design_matrix(TABLE).equals(fit.design_matrix())  # nor is one asked for


@pytest.mark.parametrize("make", [np.asarray, scipy.sparse.csr_array])
def test_columns_of_arrays(make: Any) -> None:
    X = np.column_stack([np.ones(60), TABLE.x, TABLE.x > 0])
    fit = jg.GLM(TABLE.y, make(X), "poisson").fit()
    assert np.array_equal(fit.design_matrix(), X)
    assert np.array_equal(fit.design_matrix(sparse=True).toarray(), X)


def test_columns_of_a_segment() -> None:
    fits = jg.fit_groups("y ~ x + h", TABLE, "g", "poisson")
    X = fits["b"].design_matrix()
    assert X.equals(jg.design("y ~ x + h", TABLE).X[TABLE.g == "b"])


def test_rows_that_were_let_go() -> None:
    fit = jg.glm("y ~ x", TABLE, keep_data=False)
    with pytest.raises(jg.DataError, match=r"design_matrix\(\) needs the rows"):
        fit.design_matrix()
    assert fit.design_matrix(TABLE).shape == (60, 2)
