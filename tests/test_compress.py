"""Identical rows merged: the fit is that of all rows, and the rows are still those of the user."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

import jaxglm as jg
from jaxglm._tuning import tuned
from jaxglm.intake import Given, table_intake
from jaxglm.rows import _compress
from jaxglm.rows._compress import merge_rows

from .marks import slow_among

pytestmark = pytest.mark.slow

PATTERNS, N = 24, 150
STATISTICS = (
    "params", "bse", "deviance", "null_deviance", "pearson_chi2", "llf", "llnull", "aic", "bic",
    "nobs", "df_model", "df_resid", "scale",
)  # fmt: skip


def long_table() -> pd.DataFrame:
    """Rows drawn from a few; each of the few is there.

    The few come in pairs that agree in all but trials, prior weight and exposure; the share of
    successes is the same, and so is trials times prior weight.
    """
    rng = np.random.default_rng(3)
    pairs = PATTERNS // 2
    x = rng.integers(0, 7, size=pairs).astype(float)
    mean = np.exp(0.4 + 0.2 * x)
    short = pd.DataFrame(
        {
            "x": x,
            "g": np.resize(list("abc"), pairs),
            "h": np.resize(list("uuuvvv"), pairs),
            "counts": rng.poisson(mean * rng.gamma(1.5, 1 / 1.5, size=pairs)).astype(float),
            "yes": np.repeat([0.0, 1.0, 1.0, 0.0], 3),
            "amount": np.round(mean * rng.gamma(3.0, 1 / 3.0, size=pairs), 2) + 0.1,
            "share": rng.integers(0, 5, size=pairs) / 4,
        }
    )
    short = pd.concat([short, short], ignore_index=True)
    second = np.arange(PATTERNS) >= pairs
    short["n"] = np.where(second, 8.0, 4.0)
    short["hits"] = short["share"] * short["n"]
    short["precision"] = np.where(second, 0.5, 1.0)
    short["years"] = np.where(second, 2.5, 0.5)
    short["times"] = rng.integers(1, 4, size=PATTERNS).astype(float)
    drawn = np.r_[np.arange(PATTERNS), rng.integers(0, PATTERNS, size=N - PATTERNS)]
    return short.loc[rng.permutation(drawn)].set_axis([f"row {i}" for i in range(N)])


TABLE = long_table()


def same(merged: jg.Results, plain: jg.Results, tolerance: float = 1e-10) -> None:
    assert merged.converged and plain.converged
    for name in STATISTICS:
        one, other = (np.asarray(getattr(fit, name), float) for fit in (merged, plain))
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=1e-13, err_msg=name)
    assert merged.fit.n_rows == plain.fit.n_rows == plain.fit.n_patterns
    assert merged.fit.n_patterns < plain.fit.n_patterns
    assert merged.fit.notes == plain.fit.notes


def both(formula: str, family: Any, table: pd.DataFrame = TABLE, **settings: Any):
    return [jg.glm(formula, table, family, compress=c, **settings) for c in (True, False)]


FAMILIES: dict[str, tuple[str, Any]] = {
    "gaussian": ("amount", "gaussian"),
    "binomial": ("yes", "binomial"),
    "poisson": ("counts", "poisson"),
    "gamma": ("amount", jg.Gamma(link=jg.Log())),
    "inverse-gaussian": ("amount", jg.InverseGaussian(link=jg.Log())),
    "tweedie": ("counts", jg.Tweedie(power=1.5)),
    "negative-binomial": ("counts", jg.NegativeBinomial(alpha=0.7)),
    "quasipoisson": ("amount", "quasipoisson"),
    "quasibinomial": ("yes", "quasibinomial"),
    "quasi": ("amount", jg.Quasi("mu^2", link=jg.Log())),
}


# The same code for another distribution, and as much to compile.
OTHERS = ("gamma", "negative-binomial", "inverse-gaussian", "tweedie", "quasibinomial", "quasi")


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] * (n in OTHERS)) for n in FAMILIES]
)
def test_every_family(name: str) -> None:
    response, family = FAMILIES[name]
    merged, plain = both(f"{response} ~ x + g", family)
    same(merged, plain)
    assert merged.fit.n_patterns <= PATTERNS


@pytest.mark.slow
@pytest.mark.parametrize("weights", [{}, {"freq_weights": "times"}], ids=["plain", "frequencies"])
def test_the_shape_of_the_negative_binomial(weights: dict[str, str]) -> None:
    merged, plain = both("counts ~ x + g", "nb", **weights)
    same(merged, plain)
    assert merged.fit.alpha == pytest.approx(plain.fit.alpha, rel=1e-10)
    assert merged.fit.alpha_se == pytest.approx(plain.fit.alpha_se, rel=1e-10)


SETTINGS: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "prior weights": ("amount ~ x + g", "gaussian", {"var_weights": "precision"}),
    "both": ("counts ~ x + g", "poisson", {"freq_weights": "times", "var_weights": "precision"}),
    "an estimated dispersion": (
        "counts ~ x + g",
        "quasipoisson",
        {"freq_weights": "times", "var_weights": "precision"},
    ),
    "trials": ("hits ~ x + g", "binomial", {"trials": "n", "freq_weights": "times"}),
    "prior weights with trials": (
        "hits ~ x",
        "binomial",
        {"trials": "n", "var_weights": "precision"},
    ),
    "cbind": ("cbind(hits, n - hits) ~ x + g", "binomial", {}),
    "exposure": ("counts ~ x + g", "poisson", {"exposure": "years"}),
    "offset without intercept": ("counts ~ 0 + g", "poisson", {"offset": "years"}),
    "factors": ("counts ~ g * h", "poisson", {}),
    "factor by number": ("counts ~ g * x", "poisson", {}),
    "contrasts": ("counts ~ C(g, contr.sum) + x", "poisson", {}),
    "spline": ("counts ~ bs(x, df=4)", "poisson", {}),
}


@pytest.mark.parametrize(
    "name",
    slow_among(SETTINGS, ["factors", "exposure", "offset without intercept", "trials", "cbind"]),
)
def test_every_setting(name: str) -> None:
    formula, family, settings = SETTINGS[name]
    same(*both(formula, family, **settings))


def test_frequencies_of_rows_alike_may_differ() -> None:
    """The frequency is what is added up, not what rows must agree in."""
    uneven = 1.0 + np.arange(N) % 5
    merged, plain = both("counts ~ x + g", "poisson", freq_weights=uneven)
    same(merged, plain)
    assert merged.fit.n_patterns <= PATTERNS and merged.nobs == uneven.sum()


def test_rows_of_weight_zero_stay_out() -> None:
    weights = np.where(np.arange(N) % 7 == 0, 0.0, 2.0)
    table = TABLE.assign(counts=np.where(weights > 0, TABLE["counts"], 999.0))
    for kind in ("freq_weights", "var_weights"):
        merged, plain = both("counts ~ x + g", "poisson", table, **{kind: weights})
        same(merged, plain)
        assert len(merged.fittedvalues) == N


def test_missing_rows() -> None:
    table = TABLE.copy()
    table.loc["row 3", "x"] = np.nan
    table.loc["row 9", "counts"] = np.nan
    merged, plain = both("counts ~ x + g", "poisson", table, missing="drop")
    same(merged, plain)
    assert merged.fit.n_rows == N - 2
    assert merged.fittedvalues.index.equals(plain.fittedvalues.index)


def arrays() -> np.ndarray:
    return np.column_stack([np.ones(N), TABLE["x"], TABLE["g"] == "b", TABLE["g"] == "c"]).astype(
        float
    )


@pytest.mark.parametrize("kind", ["float64", "float32", "columns first", "csr", "coo shuffled"])
def test_arrays(kind: str) -> None:
    X: Any = arrays()
    if kind == "float32":
        X = X.astype(np.float32)
    elif kind == "columns first":
        X = np.asfortranarray(X)
    elif kind == "csr":
        X = scipy.sparse.csr_matrix(X)
    elif kind == "coo shuffled":
        entries = scipy.sparse.coo_matrix(X)
        order = np.random.default_rng(0).permutation(entries.nnz)
        X = scipy.sparse.coo_matrix(
            (entries.data[order], (entries.row[order], entries.col[order])), shape=X.shape
        )
    model = jg.GLM(TABLE["counts"], X, "poisson")
    merged, plain = model.fit(compress=True), model.fit(compress=False)
    same(merged, plain)
    assert merged.fit.n_patterns <= PATTERNS


@pytest.mark.slow
def test_float32_arithmetic() -> None:
    merged, plain = both("counts ~ x + g", "poisson", dtype="float32")
    same(merged, plain, 1e-4)


def test_the_rows_are_the_users() -> None:
    merged, plain = both("counts ~ x + g", "poisson", exposure="years", freq_weights="times")
    assert merged.fittedvalues.index.equals(TABLE.index)
    np.testing.assert_allclose(merged.fittedvalues, plain.fittedvalues, rtol=1e-10)
    for kind in ("response", "pearson", "deviance"):
        np.testing.assert_allclose(merged.resid(kind), plain.resid(kind), rtol=1e-9, atol=1e-12)
    assert str(merged.overdispersion()) == str(plain.overdispersion())
    new = TABLE.head(5)
    np.testing.assert_allclose(
        merged.predict(new, exposure="years"), plain.predict(new, exposure="years"), rtol=1e-10
    )


@pytest.mark.slow
def test_aliased_columns_and_separation_are_found() -> None:
    with pytest.warns(jg.RankWarning):
        merged, plain = both("counts ~ x + I(2 * x) + g", "poisson")
    same(merged, plain)
    table = TABLE.assign(yes=np.where(TABLE["g"] == "c", 1.0, TABLE["yes"]))
    with pytest.warns(jg.SeparationWarning, match=r"g\[T.c\]"):
        merged, plain = both("yes ~ x + g", "binomial", table)
    assert merged.fit.infinite.tolist() == plain.fit.infinite.tolist()
    assert merged.deviance == pytest.approx(plain.deviance, rel=1e-8)


def problem(formula: str, table: pd.DataFrame):
    return table_intake(formula, table, Given(jg.Poisson(), {}, "raise", np.dtype(float))).problem


def test_patterns_stand_in_the_order_of_their_first_rows() -> None:
    given = problem("counts ~ x + g", TABLE)
    merged = merge_rows(given, True)
    rows = np.column_stack([given.rows.y, given.design.dense(float)])
    first = np.sort(np.unique(rows, axis=0, return_index=True)[1])
    assert np.array_equal(merged.rows.y, given.rows.y[first])
    assert np.array_equal(merged.design.dense(float), given.design.take_rows(first).dense(float))
    freq = merged.rows.freq
    assert freq is not None and freq.sum() == N and merged.n_rows == N


def test_keys_too_large_for_one_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the product of the columns' counts would overflow, the key is numbered anew."""
    given = problem("counts ~ g * h + x", TABLE)
    merged = merge_rows(given, True)
    monkeypatch.setattr(_compress, "_LARGEST_RADIX", 400)
    again = merge_rows(given, True)
    assert np.array_equal(merged.rows.y, again.rows.y)
    assert np.array_equal(merged.rows.weight, again.rows.weight)


def test_rows_that_all_differ_are_left_alone() -> None:
    given = problem("counts ~ x", TABLE.assign(x=np.arange(float(N))))
    assert merge_rows(given, True) is given


@pytest.fixture
def few_rows_will_do() -> Iterator[None]:
    with tuned(fewest_rows_merged=100):
        yield


def test_auto_merges_few_patterns(few_rows_will_do: None) -> None:
    assert merge_rows(problem("counts ~ x + g", TABLE), "auto").rows.y.size <= PATTERNS


def test_auto_leaves_few_rows_alone() -> None:
    given = problem("counts ~ x + g", TABLE)
    assert merge_rows(given, "auto") is given


def test_auto_stops_at_a_continuous_column(
    few_rows_will_do: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[np.ndarray] = []
    numbers = _compress._numbers

    def reading(values: np.ndarray):
        read.append(values)
        return numbers(values)

    monkeypatch.setattr(_compress, "_numbers", reading)
    rng = np.random.default_rng(1)
    continuous = TABLE.assign(u=rng.normal(size=N), v=rng.normal(size=N))
    given = problem("counts ~ u + v + x + g", continuous)
    assert merge_rows(given, "auto") is given
    # The response, the weight, the intercept and the first continuous column; of a sample only.
    assert len(read) == 4 and all(values.size < N for values in read)


def test_auto_takes_rows_that_are_half_alike_for_what_they_are(few_rows_will_do: None) -> None:
    """Half of the rows one pattern, the others all different: many patterns, however many pairs."""
    alike = np.arange(2000) % 2 == np.arange(2000) // 500 % 2
    table = pd.DataFrame({"counts": 1.0, "x": np.where(alike, 0.0, np.arange(2000.0))})
    table.loc[:5, "counts"] = 2.0
    given = problem("counts ~ x", table)
    assert merge_rows(given, True).rows.y.size > 1000
    assert not _compress._promising(given.block)


@pytest.mark.parametrize("value", ["yes", None, 2])
def test_a_choice_that_there_is_not(value: Any) -> None:
    with pytest.raises(ValueError, match="compress must be one of 'auto', True, False, not"):
        jg.glm("counts ~ x", TABLE, "poisson", compress=value)
