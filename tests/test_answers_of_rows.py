"""How often answers of rows visit them: predictions, residuals and influence of one fit."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import jaxglm as jg
from jaxglm import io
from jaxglm.designs import Dense, Split
from jaxglm.intake import Columns
from jaxglm.intake._fingerprint import Fingerprint

pytestmark = pytest.mark.slow

N = 40
RNG = np.random.default_rng(5)
TABLE = pd.DataFrame({"x": RNG.normal(size=N), "g": RNG.choice(["a", "b", "c"], N)})
TABLE["y"] = RNG.poisson(2.0, N).astype(float)

# Asked of vectors alone, once the linear predictors are known.
OF_VECTORS: dict[str, Callable[[jg.Results], Any]] = {
    "summary": lambda fit: fit.summary().as_text(),
    "fittedvalues": lambda fit: fit.fittedvalues,
    "linear": lambda fit: fit.predict(which="linear"),
    "pearson": lambda fit: fit.resid("pearson"),
    "anscombe": lambda fit: fit.resid("anscombe"),
    "quantile": lambda fit: fit.resid("quantile"),
    "simulate": lambda fit: fit.simulate(seed=1),
    "gini": lambda fit: fit.gini(),
    "robust summary": lambda fit: fit.robust("HC0").robust("nonrobust").fittedvalues,
}
# Asked of the columns as well.
OF_COLUMNS: dict[str, Callable[[jg.Results], Any]] = {
    "prediction": lambda fit: fit.get_prediction().summary_frame(),
    "influence": lambda fit: fit.get_influence().summary_frame(),
    "leverages": lambda fit: fit.hatvalues(),
    "rstandard": lambda fit: fit.rstandard(),
    "check": lambda fit: fit.check(),
}


def of_arrays() -> jg.Results:
    X = np.column_stack([np.ones(N), TABLE["x"]])
    return jg.GLM(TABLE["y"].to_numpy(), X, "poisson").fit(compress=False)


def of_table() -> jg.Results:
    return jg.glm("y ~ x + g", TABLE, "poisson")


@pytest.fixture
def visits(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often columns were multiplied, and a matrix that was read in place was looked at."""
    found: Counter[str] = Counter()

    def counted(owner: Any, name: str, kind: str) -> None:
        original = getattr(owner, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            found[kind] += 1
            return original(*args, **kwargs)

        monkeypatch.setattr(owner, name, call)

    counted(Dense, "times", "products")
    counted(Fingerprint, "changed", "looks")
    counted(Columns, "squared_lengths", "lengths")
    for name in ("model_frame", "read_table", "read_arrays", "read_matrix"):
        counted(io, name, "readings")
    counted(io.TermsSpec, "evaluated", "readings")
    return found


@pytest.mark.parametrize("fit", [of_arrays, of_table])
def test_linear_predictors_are_found_once(fit: Callable[[], Any], visits: Counter[str]) -> None:
    result, in_place = fit(), fit is of_arrays
    visits.clear()
    first = result.predict(which="linear")
    assert visits == Counter(products=1, looks=in_place) + Counter()
    visits.clear()
    for name in set(OF_VECTORS) - {"robust summary"}:
        OF_VECTORS[name](result)
        assert not visits, name
    for name, ask in OF_COLUMNS.items():
        ask(result)
        assert visits["looks"] == in_place * looks_of(name) and not visits["products"], name
        assert visits["lengths"] <= 1 and not visits["readings"], name
        visits.clear()
    other = result.robust("HC0")
    visits.clear()
    pd.testing.assert_series_equal(other.predict(which="linear"), first)
    assert not visits


@pytest.mark.parametrize("name", OF_VECTORS | OF_COLUMNS)
@pytest.mark.parametrize("fit", [of_arrays, of_table])
def test_a_first_answer_takes_one_product(
    fit: Callable[[], Any], name: str, visits: Counter[str]
) -> None:
    result = fit()
    visits.clear()
    (OF_VECTORS | OF_COLUMNS)[name](result)
    looks = looks_of(name) if fit is of_arrays else 0
    assert visits["products"] == 1 and visits["looks"] == looks and not visits["readings"]


def looks_of(name: str) -> int:
    """How often a matrix is looked at for an answer."""
    return 2 if name in ("robust summary", "check") else 1  # another covariance, excess zeros


def test_new_rows_are_read_once(visits: Counter[str]) -> None:
    result = of_table()
    new = TABLE.drop(columns="y")
    for ask in (result.predict, result.get_prediction):
        visits.clear()
        ask(new)
        assert visits["products"] == 1 and visits["readings"] <= 2, ask


def test_what_is_kept_is_counted_and_nobody_elses() -> None:
    result = of_arrays()
    before = result.data_nbytes
    linear = result.predict(which="linear")
    assert result.data_nbytes == before + 8 * N
    mean = result.predict()
    for series in (linear, result.get_prediction().linear):
        series.iloc[:] = 0.0
    pd.testing.assert_series_equal(result.predict(), mean)
    assert result.without_data().data_nbytes == 0


def test_what_was_found_before_a_matrix_was_changed_stays() -> None:
    X = np.column_stack([np.ones(N), TABLE["x"]])
    result = jg.GLM(TABLE["y"].to_numpy(), X, "poisson").fit(compress=False)
    mean, pearson = result.predict(), result.resid("pearson")
    X *= 2.0
    pd.testing.assert_series_equal(result.predict(), mean)
    pd.testing.assert_series_equal(result.resid("pearson"), pearson)
    for ask in OF_COLUMNS.values():
        with pytest.raises(jg.DataError, match="changed in place"):
            ask(result)


@pytest.mark.parametrize("width", [1, 2, 64])
@pytest.mark.parametrize("signed", [False, True])
def test_squared_lengths(width: int, signed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jaxglm.sums._lengths._WIDTH", width)
    jg._programs.forget_programs()
    held = of_table().model.dataset
    assert held is not None and isinstance(held.block.design, Split)
    dense = RNG.normal(size=(4, 3))
    signs = np.array([1.0, -1.0, 1.0]) if signed else None
    product = held.columns.matvec(dense)
    wanted = (product**2 * (1.0 if signs is None else signs)).sum(axis=1)
    np.testing.assert_allclose(held.columns.squared_lengths(dense, signs), wanted, rtol=1e-12)
