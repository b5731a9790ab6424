"""The compiled loop and the Python loop are two drivers of one turn: the same answers, bit by bit
where XLA orders the sums alike.
"""

from typing import Any

import numpy as np
import pytest

import jaxglm as jg
from jaxglm._tuning import tuned
from jaxglm.search import Options
from tests.engine import fit, problem
from tests.marks import slow_among
from tests.test_chunked import BLOCK, CASES, TABLE, TOLERANCE, assert_same

pytestmark = pytest.mark.compiled

LISTED = (
    "dense",
    "factors",
    "eliminated",
    "prior weights",
    "aliased",
    "at the boundary",
    "float32",
)


def both(case: str, options: Options | None = None, **tuning: Any) -> None:
    formula, family, vectors = CASES[case]
    of = problem(formula, TABLE, family, **vectors)
    with tuned(driver="compiled", **tuning):
        wanted = fit(of, family, options)
    with tuned(driver="host", **tuning):
        assert_same(fit(of, family, options), wanted, TOLERANCE[of.dtype.name])


SLOW = ["prior weights", "aliased", "factors", "eliminated", "at the boundary"]


@pytest.mark.parametrize(
    "case",
    slow_among(LISTED, SLOW),
)
def test_the_same_fit(case: str) -> None:
    both(case)


@pytest.mark.parametrize("method", slow_among(["newton", "lbfgs"], ["lbfgs"]))
def test_every_method(method: str) -> None:
    both("dense", Options(method=method))


def test_a_start_and_a_tolerance_of_ones_own() -> None:
    both("dense", Options(start=np.array([0.1, 0.5, 0.0]), tol=1e-6))


@pytest.mark.slow
def test_the_short_way_with_its_kept_factor() -> None:
    both("dense", large_rows=0, large_work=0, smallest_tile=BLOCK // 4, largest_tile=BLOCK // 4)


def test_users_run_the_compiled_loop() -> None:
    table = {"y": [1, 0, 2, 3, 5, 8], "x": [0.0, 1, 2, 3, 4, 5]}
    here = jg.glm("y ~ x", table, family="poisson")
    with tuned(driver="host"):
        there = jg.glm("y ~ x", table, family="poisson")
    assert here.params.tolist() == pytest.approx(there.params.tolist(), rel=1e-14)
    assert here.n_iter == there.n_iter
