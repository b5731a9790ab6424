"""Transformations that must not change the answer, and shapes that must not compile again."""

from collections.abc import Iterator
from contextlib import contextmanager

import jax
import numpy as np
import pandas as pd
import pytest

import jaxglm as jg

pytestmark = pytest.mark.slow


def data(n: int = 150, seed: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.ones(n), rng.normal(size=(n, 2))])
    return X, rng.poisson(np.exp(X @ [0.4, 0.5, -0.3])).astype(float)


def fit(y: np.ndarray, X: np.ndarray, family: str = "poisson", **settings) -> jg.Results:
    return jg.GLM(y, X, family, **settings).fit()


def close(one, other, rtol: float = 1e-11) -> bool:
    return np.allclose(np.asarray(one), np.asarray(other), rtol=rtol, atol=0)


@pytest.fixture(scope="module")
def plain() -> jg.Results:
    X, y = data()
    return fit(y, X)


def test_column_order(plain: jg.Results) -> None:
    X, y = data()
    order = [2, 0, 1]
    other = fit(y, X[:, order])
    assert close(other.params, plain.params.to_numpy()[order])
    assert close(other.cov_params(), plain.cov_params().to_numpy()[np.ix_(order, order)])


@pytest.mark.parametrize("unit", [1e-8, 1e3, 1e8])
def test_units_of_a_column(plain: jg.Results, unit: float) -> None:
    X, y = data()
    factor = np.array([1.0, unit, 1.0])
    other = fit(y, X * factor)
    assert close(other.params * factor, plain.params, 1e-10)
    assert close(other.bse * factor, plain.bse, 1e-10)
    assert close(other.pvalues, plain.pvalues, 1e-8)


def test_origin_of_a_column(plain: jg.Results) -> None:
    X, y = data()
    other = fit(y, X + np.array([0.0, 50.0, 0.0]))
    assert close(other.params.iloc[1:], plain.params.iloc[1:], 1e-9)
    assert close(other.bse.iloc[1:], plain.bse.iloc[1:], 1e-9)


def test_the_same_fit_twice_is_identical(plain: jg.Results) -> None:
    X, y = data()
    other = fit(y, X)
    assert np.array_equal(other.params, plain.params)
    assert np.array_equal(other.cov_params(), plain.cov_params())
    assert other.llf == plain.llf


@pytest.mark.parametrize("family", ["gaussian", "gamma"])
def test_units_of_the_response(family: str) -> None:
    X, _ = data()
    y = np.exp(X @ [0.4, 0.5, -0.3] + 0.2 * np.sin(np.arange(len(X))))
    log = jg.Gaussian(link=jg.Log()) if family == "gaussian" else jg.Gamma(link=jg.Log())
    one, other = fit(y, X, log), fit(1e6 * y, X, log)
    assert close(other.params - one.params, [np.log(1e6), 0, 0], 1e-8) or np.allclose(
        other.params - one.params, [np.log(1e6), 0, 0], rtol=0, atol=1e-9
    )
    assert close(other.bse, one.bse, 1e-9)


def test_success_and_failure_swapped() -> None:
    X, _ = data()
    y = (np.arange(len(X)) % 7 < 2 + X[:, 1]).astype(float)
    one, other = fit(y, X, "binomial"), fit(1 - y, X, "binomial")
    assert close(other.params, -one.params, 1e-10) and close(other.bse, one.bse, 1e-10)
    assert close(other.deviance, one.deviance)


def buckets() -> list[int]:
    """Row counts next to powers of two and to their quarters, where padding could change."""
    return sorted({n + d for n in (64, 80, 96, 112, 128) for d in (-1, 0, 1)})


@pytest.mark.parametrize("n", buckets())
def test_padding_changes_nothing(n: int) -> None:
    """Rows beyond n, up to the bucket, are as if they were not there."""
    X, y = data(n)
    results = fit(y, X)
    more = fit(np.r_[y, np.zeros(40)], np.r_[X, np.ones((40, 3))],
               freq_weights=np.r_[np.ones(n), np.zeros(40)])  # fmt: skip
    for name in ("params", "bse", "deviance", "null_deviance", "llf", "aic", "bic", "nobs"):
        assert close(getattr(more, name), getattr(results, name)), name


COMPILED = "/jax/core/compile/backend_compile_duration"
_compilations: list[str] = []


def _count(event: str, duration: float, **kwargs) -> None:
    if event == COMPILED:
        _compilations.append(event)


jax.monitoring.register_event_duration_secs_listener(_count)


@contextmanager
def compilations() -> Iterator[list[str]]:
    """The programs that XLA compiles inside the block."""
    found: list[str] = []
    before = len(_compilations)
    yield found
    found.extend(_compilations[before:])


def use(results: jg.Results) -> None:
    """Everything that a user commonly asks for after a fit."""
    results.summary()
    results.fittedvalues  # noqa: B018
    results.resid("pearson")
    results.get_prediction().summary_frame()


@pytest.mark.parametrize("family", ["poisson", "gaussian", "gamma", "nb", "quasipoisson"])
def test_second_fit_of_the_same_shape_compiles_nothing(family: str) -> None:
    spread = 1 + np.arange(90) % 5
    X, y = data(90)
    use(fit(spread * y + 1, X, family))
    X, y = data(90, seed=6)
    with compilations() as found:
        use(fit(spread * y + 1, X, family))
    assert len(found) == 0


def test_counting_compilations_works() -> None:
    with compilations() as found:
        jax.jit(lambda x: x * 3.25 - 1)(np.ones(17)).block_until_ready()
    assert len(found) >= 1


def test_neighbouring_row_counts_share_a_compilation() -> None:
    """113 to 120 rows are padded to the same bucket."""
    X, y = data(120)
    fit(y, X)
    with compilations() as found:
        for n in range(113, 120):
            fit(y[:n], X[:n])
    assert len(found) == 0


def test_other_parameters_of_a_family_compile_nothing() -> None:
    X, y = data(90)
    for make in (
        lambda value: jg.NegativeBinomial(alpha=value),
        lambda value: jg.Tweedie(power=value),
    ):
        use(fit(y, X, make(1.2)))
        with compilations() as found:
            use(fit(y, X, make(1.7)))
        assert len(found) == 0


def test_second_formula_fit_compiles_nothing() -> None:
    def frame(seed: int) -> pd.DataFrame:
        X, y = data(90, seed)
        group = np.array(["a", "b", "c", "d"])[np.arange(90) % 4]
        return pd.DataFrame({"y": y, "x": X[:, 1], "group": group})

    use(jg.glm("y ~ x + group", frame(1), "poisson"))
    with compilations() as found:
        use(jg.glm("y ~ x + group", frame(2), "poisson"))
    assert len(found) == 0
