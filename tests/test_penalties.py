"""A quadratic penalty given to the engine: one optimum from resident rows, blocks and lanes."""

import dataclasses
import json
from typing import Any

import jax
import numpy as np
import pytest

from jaxglm._status import Status
from jaxglm._tuning import tuned
from jaxglm.designs import Split, from_matrix
from jaxglm.families import family as resolve
from jaxglm.lanes import Fits, fit_segments
from jaxglm.penalties import QuadraticForm
from jaxglm.rows import Problem, Segments
from jaxglm.search import Fit, Options
from jaxglm.sources import Block, Rows
from tests.engine import chunked, fit, problem
from tests.marks import slow_among
from tests.reference.cases import FOLDER, read_csv

CASE = json.loads((FOLDER / "penalised" / "ridge_binomial_pima.json").read_text())
DESIGN = read_csv(FOLDER / "penalised" / CASE["design"])
PIMA = DESIGN[CASE["R"]["names"]].to_numpy(float)
DIABETES = DESIGN["__y__"].to_numpy(float)


def of_arrays(X: np.ndarray, y: np.ndarray, dtype: str = "float64") -> Problem:
    design, order = from_matrix(X)
    rows = Rows(np.asarray(y, float), np.ones(len(y)))
    return Problem.of_block(Block(design, rows), order, np.dtype(dtype))


def glmnet(lam: float) -> QuadraticForm:
    """The penalty of the case's objective on the scale of the whole log-likelihood."""
    n, spread = len(PIMA), PIMA.std(axis=0)  # the intercept varies by nothing, and is free
    return QuadraticForm(np.diag(n * lam * spread**2))


def in_lanes(one: Problem, times: int, family: Any, options: Options) -> Fits:
    """The same rows as so many segments."""
    n = len(one.rows)
    rows = np.tile(np.arange(n), times)
    segments = Segments(one.take_rows(rows), None, np.arange(times + 1) * n, rows, {})
    with jax.enable_x64(True):
        return fit_segments(
            segments,
            resolve(family),
            options,
            names=["column"] * one.n_columns,
            max_memory=2.0**28,
            progress=lambda count: None,
        )


@pytest.mark.parametrize("way", ["resident", "host", "chunked", "lanes"])
@pytest.mark.parametrize(
    "solution",
    slow_among(CASE["certified"], CASE["certified"][1:]),
    ids=lambda s: f"lambda {s['lambda']}",
)
def test_ridge_of_the_reference(solution: dict, way: str) -> None:
    one, options = of_arrays(PIMA, DIABETES), Options(penalty=glmnet(solution["lambda"]))
    if way == "lanes":
        coef = in_lanes(one, 3, "binomial", options).coef
    else:
        with tuned(driver="host" if way == "host" else "compiled"):
            rows = chunked(one, 64) if way == "chunked" else one
            found = fit(rows, "binomial", options)
        assert Status(found.status) is Status.CONVERGED
        coef = found.coef[None]
    for row in coef:
        np.testing.assert_allclose(row, solution["coefficients"], rtol=1e-10)


rng = np.random.default_rng(3)
N = 120
x, z, u = rng.normal(size=(3, N))
TABLE: dict[str, Any] = {
    "x": x,
    "z": z,
    "twice": 2 * x,
    "g": rng.choice(list("abcde"), N),
    "y": 1 + x - 0.5 * z + u,
    "side": (x > 0) * 1,
    "count": rng.poisson(np.exp(0.3 * x)),
}


def test_a_gaussian_fit_is_the_closed_form() -> None:
    of = problem("y ~ x + z", TABLE, "gaussian")
    X = np.column_stack([np.ones(N), x, z])
    P = np.array([[0, 0, 0], [0, 30.0, 10.0], [0, 10.0, 5.0]])
    found = fit(of, "gaussian", Options(penalty=QuadraticForm(P)))
    H = X.T @ X
    inverse = np.linalg.inv(H + P)
    np.testing.assert_allclose(found.coef, inverse @ X.T @ TABLE["y"], rtol=1e-12)
    # Effective degrees of freedom tr H (H + P)^-1, and with them the dispersion and its errors.
    used = np.trace(H @ inverse)
    assert found.df_resid == pytest.approx(N - used, rel=1e-12)
    assert found.df_model == pytest.approx(used - 1, rel=1e-10)
    residuals = TABLE["y"] - X @ found.coef
    scale = residuals @ residuals / (N - used)
    se = np.sqrt(scale * np.diag(inverse))
    np.testing.assert_allclose(found.covariance.standard_errors, se, rtol=1e-11)
    lanes = in_lanes(of, 2, "gaussian", Options(penalty=QuadraticForm(P)))
    for own in (lanes.one(0), lanes.one(1)):
        np.testing.assert_allclose(own.coef, found.coef, rtol=1e-12)
        np.testing.assert_allclose(own.covariance.standard_errors, se, rtol=1e-11)
        assert own.df_resid == pytest.approx(found.df_resid, rel=1e-12)


def test_no_penalty_is_a_penalty_of_zero() -> None:
    of = problem("count ~ x + g", TABLE, "poisson")
    plain = fit(of, "poisson")
    zero = fit(of, "poisson", Options(penalty=QuadraticForm(np.zeros((of.n_columns,) * 2))))
    np.testing.assert_allclose(zero.coef, plain.coef, rtol=1e-12)
    assert zero.df_resid == plain.df_resid


@pytest.mark.parametrize("way", ["resident", "chunked", "lanes"])
@pytest.mark.slow
def test_what_a_penalty_holds_is_neither_aliased_nor_infinite(way: str) -> None:
    def found(formula: str, response: str, held: list[int]) -> Any:
        of = problem(f"{response} ~ {formula}", TABLE, "binomial")
        P = np.zeros((of.n_columns,) * 2)
        P[held, held] = 1.0
        options = Options(penalty=QuadraticForm(P))
        if way == "lanes":
            return in_lanes(of, 2, "binomial", options).one(1)
        return fit(chunked(of, 50) if way == "chunked" else of, "binomial", options)

    both = found("x + twice", "side", [1, 2])  # separated, and collinear
    assert Status(both.status) is Status.CONVERGED
    assert not both.aliased.any() and not both.infinite.any()
    # Of two columns on one line, each takes a share as large as it is.
    assert both.coef[2] == pytest.approx(2 * both.coef[1], rel=1e-9)


WAYS = ("resident", "chunked", "lanes")


def by_way(way: str, of: Problem, family: Any, P: np.ndarray) -> Fit:
    options = Options(penalty=QuadraticForm(P))
    if way == "lanes":
        return in_lanes(of, 2, family, options).one(1)
    return fit(chunked(of, 50) if way == "chunked" else of, family, options)


@pytest.mark.parametrize("way", WAYS)
def test_what_it_does_not_hold_is_infinite(way: str) -> None:
    of = problem("side ~ x + z", TABLE, "binomial")
    found = by_way(way, of, "binomial", np.diag([0.0, 0, 1]))
    assert Status(found.status) is Status.SEPARATED and found.infinite.tolist()[1:] == [True, False]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("held", slow_among([1, 3], [1]))
@pytest.mark.slow
def test_holding_one_column_hides_no_separation_in_another(way: str, held: int) -> None:
    table = TABLE | {"count": np.where(TABLE["g"] == "b", 0, TABLE["count"] + 1)}
    of = problem("count ~ x + g", table, "poisson")
    P = np.zeros((of.n_columns,) * 2)
    P[held, held] = 1.0
    found = by_way(way, of, "poisson", P)
    assert Status(found.status) is Status.SEPARATED
    assert np.flatnonzero(found.infinite).tolist() == [2]  # g[T.b]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("coupled", slow_among([False, True], [False]))
@pytest.mark.slow
def test_a_column_without_an_entry_that_is_held(way: str, coupled: bool) -> None:
    X = np.column_stack([np.ones(N), x, np.zeros(N), z])
    pull = np.diff(np.eye(3), axis=0) if coupled else np.eye(3)
    P = np.zeros((4, 4))
    P[1:, 1:] = 5.0 * pull.T @ pull
    found = by_way(way, of_arrays(X, TABLE["y"]), "gaussian", P)
    wanted = np.linalg.solve(X.T @ X + P, X.T @ TABLE["y"])
    np.testing.assert_allclose(found.coef, wanted, rtol=1e-9, atol=1e-12)
    assert not found.aliased.any()
    # The same in separated data, where directions that no row sees are looked for.
    apart = by_way(way, of_arrays(X, TABLE["side"]), "binomial", P)
    assert Status(apart.status) is Status.CONVERGED


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.slow
def test_rank_counts_what_is_held_as_determined(way: str) -> None:
    X = np.column_stack([np.ones(N), x, 2 * x, z, 3 * z])
    P = np.diag([0.0, 1, 1, 0, 0])
    found = by_way(way, of_arrays(X, TABLE["y"]), "gaussian", P)
    assert found.aliased.tolist() == [False, False, False, False, True]
    kept = X[:, :4]
    wanted = np.linalg.solve(kept.T @ kept + P[:4, :4], kept.T @ TABLE["y"])
    np.testing.assert_allclose(found.coef[:4], wanted, rtol=1e-9)


@pytest.mark.parametrize("coupled", [False, True])
def test_a_factor_that_is_eliminated(coupled: bool) -> None:
    with tuned(least_eliminated=3):
        of = problem("count ~ x + g", TABLE, "poisson")
    assert isinstance(of.design, Split) and of.design.eliminated
    levels = of.n_columns - 2
    differences = np.diff(np.eye(levels), axis=0) if coupled else np.eye(levels)
    P = np.zeros((of.n_columns,) * 2)
    public = of.order[2:]  # design column j is public column order[j]; the levels come last
    P[np.ix_(public, public)] = 2.0 * differences.T @ differences
    options = Options(penalty=QuadraticForm(P))
    whole = dataclasses.replace(of.design, eliminated=False)
    wanted = fit(of.with_block(Block(whole, of.rows)), "poisson", options)
    found = fit(of, "poisson", options)
    np.testing.assert_allclose(found.coef, wanted.coef, rtol=1e-10)
    np.testing.assert_allclose(
        found.covariance.standard_errors, wanted.covariance.standard_errors, rtol=1e-8
    )


def test_an_ill_conditioned_basis() -> None:
    X = np.column_stack([np.ones(N), x + 1e7, z])
    P = np.diag([0.0, 3.0, 3.0])
    found = fit(of_arrays(X, TABLE["y"]), "gaussian", Options(penalty=QuadraticForm(P)))
    near = np.column_stack([np.ones(N), x, z])  # the free intercept takes the distance
    wanted = np.linalg.solve(near.T @ near + P, near.T @ TABLE["y"])
    np.testing.assert_allclose(found.coef[1:], wanted[1:], rtol=1e-8)


@pytest.mark.parametrize("method", ["newton", "lbfgs"])
def test_every_method(method: str) -> None:
    one, solution = of_arrays(PIMA, DIABETES), CASE["certified"][1]
    options = Options(method=method, penalty=glmnet(solution["lambda"]))
    found: Fit = fit(one, "binomial", options)
    assert found.method == method
    np.testing.assert_allclose(found.coef, solution["coefficients"], rtol=1e-6)
