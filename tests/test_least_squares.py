"""Large least-squares fits take two visits to the rows, and answer as ordinary fits do."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from jaxglm._status import Status
from jaxglm._tuning import tuned
from jaxglm.families import Gaussian
from jaxglm.links import Log
from jaxglm.penalties import QuadraticForm
from jaxglm.rows import Problem
from jaxglm.search import Fit, Options, _attempts
from jaxglm.sources import Resident
from tests.engine import chunked, fit, problem

pytestmark = pytest.mark.slow

N = 2000
_rng = np.random.default_rng(5)
X1, X2 = _rng.normal(size=(2, N))
TABLE = {
    "y": 0.4 + 0.4 * X1 - 0.3 * X2 + _rng.normal(size=N),
    "far": 1e4 + 1e-2 * X1 + 1e-2 * _rng.normal(size=N),
    "line": 3.0 - 2.0 * X1,
    "x1": X1,
    "x2": X2,
    "copy": X1 - 2.0 * X2,
    "nearly": X1 + 1e-7 * X2,
    "g": np.array(list("abcdefgh"))[_rng.integers(0, 8, size=N)],
}
PRIOR, FREQ = _rng.uniform(0.5, 2.0, size=N), _rng.integers(0, 3, size=N).astype(float)
VECTORS = {"offset": 0.2 * _rng.normal(size=N), "weights": PRIOR, "freq_weights": FREQ}


@pytest.fixture(autouse=True)
def small_tiles() -> Iterator[None]:
    with tuned(smallest_tile=64, largest_tile=64, least_eliminated=4):
        yield


@pytest.fixture
def visits(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The kernels of the visits to the rows, and `loop` for each loop over them."""
    seen: list[str] = []
    reduce, solve = Resident.reduce, _attempts.solve

    def seen_reduce(self: Resident, kernel: Any, *params: Any) -> Any:
        seen.append(kernel.__name__)
        return reduce(self, kernel, *params)

    def seen_solve(*args: Any) -> Any:
        seen.append("loop")
        return solve(*args)

    monkeypatch.setattr(Resident, "reduce", seen_reduce)
    monkeypatch.setattr(_attempts, "solve", seen_solve)
    return seen


def both(of: Problem, options: Options | None = None, family: Any = "gaussian") -> tuple[Fit, Fit]:
    """The fit of rows that count as many, and that of the same rows by a loop."""
    with tuned(large_rows=0):
        short = fit(of, family, options)
    return short, fit(of, family, options)


def agree(short: Fit, loop: Fit) -> None:
    se = loop.covariance.standard_errors
    assert short.status == loop.status == Status.CONVERGED
    np.testing.assert_allclose((short.coef - loop.coef) / se, 0.0, atol=1e-9)
    np.testing.assert_allclose(short.covariance.standard_errors, se, rtol=1e-9)
    for name in ("deviance", "null_deviance", "log_likelihood", "null_log_likelihood", "objective"):
        assert getattr(short, name) == pytest.approx(getattr(loop, name), rel=1e-9), name
    assert short.decrement < 1e-7


@pytest.mark.parametrize(
    ("formula", "vectors"),
    [("y ~ x1 + x2", {}), ("y ~ x1 + x2", VECTORS), ("y ~ x1 + g", {}), ("y ~ x1 - 1", VECTORS)],
    ids=["plain", "weighted", "factor", "no intercept"],
)
def test_two_visits(formula: str, vectors: dict, visits: list[str]) -> None:
    short, loop = both(problem(formula, TABLE, "gaussian", **vectors))
    agree(short, loop)
    at = visits.index("loop") if "loop" in visits else 0
    assert [name for name in visits[:at] if name != "likelihoods_of_rows"][:2] == [
        "full_moments",
        "_described",
    ]
    assert short.turns == 1


def test_a_penalty() -> None:
    ridge = QuadraticForm(np.diag([0.0, 30.0, 10.0]))
    agree(*both(problem("y ~ x1 + x2", TABLE, "gaussian"), Options(penalty=ridge)))


def test_blocks_that_come_again() -> None:
    of = problem("y ~ x1 + x2", TABLE, "gaussian", **VECTORS)
    with tuned(large_rows=0):
        agree(fit(chunked(of, 300), "gaussian"), fit(of, "gaussian"))


def test_a_response_far_from_zero() -> None:
    """The first step leaves what its own rounding makes; the second one removes that."""
    short, loop = both(problem("far ~ x1 + x2", TABLE, "gaussian"))
    se = loop.covariance.standard_errors
    np.testing.assert_allclose((short.coef - loop.coef) / se, 0.0, atol=1e-6)
    exact = np.linalg.lstsq(np.column_stack([np.ones(N), X1, X2]), TABLE["far"] - 1e4, rcond=None)[
        0
    ]
    np.testing.assert_allclose((short.coef - [1e4, 0, 0] - exact) / se, 0.0, atol=1e-6)


@pytest.mark.parametrize("formula", ["y ~ x1 + x2 + copy", "y ~ x1 + nearly", "line ~ x1"])
def test_columns_and_responses_without_noise(formula: str) -> None:
    """Collinear columns are left to the ordinary way, which answers as ever."""
    short, loop = both(problem(formula, TABLE, "gaussian"))
    assert short.status == loop.status
    np.testing.assert_array_equal(np.isnan(short.coef), np.isnan(loop.coef))
    np.testing.assert_allclose(short.coef, loop.coef, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(
        short.covariance.standard_errors, loop.covariance.standard_errors, rtol=1e-6
    )


def test_another_loss_is_not_quadratic(visits: list[str]) -> None:
    class Biweight(Gaussian):
        def loss(self, y: Any, eta: Any) -> Any:
            return super().loss(y, eta)

    assert Gaussian().is_quadratic
    assert not Biweight().is_quadratic and not Gaussian(link=Log()).is_quadratic
    with tuned(large_rows=0):
        fit(problem("y ~ x1 + x2", TABLE, "gaussian"), Biweight())
    assert "loop" in visits and "_described" not in visits
