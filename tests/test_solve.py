"""`solve`, a fit inside a program: its answers are those of `GLM`, its slopes those of refits."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from scipy.special import expit

import jaxglm as jg
import tests.conftest
from jaxglm import Status
from jaxglm.links._special import times
from tests.marks import slow_among
from tests.test_jax_settings import SETTINGS, set_to

RNG = np.random.default_rng(11)
N, P = 24, 3
X = np.column_stack([np.ones(N), RNG.normal(size=(N, P - 1))])
MEAN = np.exp(0.3 + 0.5 * X[:, 1])
COUNT = RNG.poisson(MEAN).astype(float)
POSITIVE = RNG.gamma(2.0, MEAN / 2)
SHARE = RNG.binomial(8, 1 / (1 + np.exp(-X[:, 1]))) / 8
WEIGHTS, OFFSET = RNG.uniform(0.5, 2, N), 0.3 * RNG.normal(size=N)
RIDGE = np.array([0.0, 0.5, 2.0])
QUASI = jg.Quasi(lambda mu: mu**1.5, link=jg.Log(), mean_domain=(0.0, np.inf))

Theta = dict[str, Any]


@pytest.fixture(autouse=True)
def in_64_bits() -> Any:
    with jax.enable_x64(True):
        yield


# -- the fit ---------------------------------------------------------------------------------------


def test_it_is_the_fit_of_arrays_and_values_compile_nothing_anew() -> None:
    found = jg.solve(X, COUNT, "quasipoisson", weights=WEIGHTS, offset=OFFSET)
    fit = jg.GLM(COUNT, X, "quasipoisson", var_weights=WEIGHTS, offset=OFFSET).fit()
    np.testing.assert_allclose(found.coef, fit.params, rtol=1e-11)
    np.testing.assert_allclose(found.covariance, fit.cov_params(), rtol=1e-10)
    assert float(found.deviance) == pytest.approx(fit.deviance, rel=1e-12)
    assert float(found.scale) == pytest.approx(fit.scale, rel=1e-12)
    assert bool(found.converged) and int(found.status) == Status.CONVERGED
    assert found.decrement < 1e-4 and int(found.turns) <= 10
    before = tests.conftest._compiled
    jg.solve(X + 1e-3, COUNT + 1, "quasipoisson", weights=2 * WEIGHTS, offset=-OFFSET)
    assert tests.conftest._compiled == before


def test_linear_regression() -> None:
    found = jg.solve(X, POSITIVE)
    coef, (rss,) = np.linalg.lstsq(X, POSITIVE)[:2]
    np.testing.assert_allclose(found.coef, coef, rtol=1e-12)
    covariance = rss / (N - P) * np.linalg.inv(X.T @ X)
    np.testing.assert_allclose(found.covariance, covariance, rtol=1e-11)
    likelihood = -N / 2 * (np.log(2 * np.pi * rss / N) + 1)
    assert float(found.log_likelihood) == pytest.approx(likelihood, rel=1e-12)
    perfect = jg.solve(X, X @ [1.0, 2, 3])
    np.testing.assert_allclose(perfect.coef, [1, 2, 3], rtol=1e-12)
    assert perfect.converged and np.isnan(perfect.scale)


def test_a_penalty_is_a_strength_for_each_column_or_a_matrix() -> None:
    inverse = np.linalg.inv(X.T @ X + np.diag(RIDGE))
    for given in (RIDGE, np.diag(RIDGE)):
        found = jg.solve(X, POSITIVE, penalty=given)
        np.testing.assert_allclose(found.coef, inverse @ X.T @ POSITIVE, rtol=1e-11)
    residuals = POSITIVE - X @ np.asarray(found.coef)
    scale = residuals @ residuals / (N - np.trace(X.T @ X @ inverse))
    np.testing.assert_allclose(found.covariance, scale * inverse, rtol=1e-10)


# -- derivatives -----------------------------------------------------------------------------------

THETA: Theta = {"X": X, "weights": WEIGHTS, "offset": OFFSET, "penalty": RIDGE}
THETA["shape"] = np.float64(0.5)
CASES: dict[str, tuple[Any, np.ndarray]] = {
    "poisson": (lambda shape: jg.Poisson(), COUNT),
    "negative binomial": (lambda shape: jg.NegativeBinomial(alpha=shape), COUNT),
    "gaussian": (lambda shape: jg.Gaussian(), POSITIVE),
    "binomial": (lambda shape: jg.Binomial(), SHARE),
    "single trials": (lambda shape: jg.Binomial(), (SHARE > 0.5) * 1.0),
    "probit": (lambda shape: jg.Binomial(link="probit"), SHARE),
    "cloglog": (lambda shape: jg.Binomial(link="cloglog"), (SHARE > 0.5) * 1.0),
    "square root": (lambda shape: jg.Poisson(link="sqrt"), COUNT + 1),
    "gamma": (lambda shape: jg.Gamma(), 0.2 + POSITIVE / 10),
    "gamma, log": (lambda shape: jg.Gamma(link="log"), POSITIVE),
    "inverse gaussian": (lambda shape: jg.InverseGaussian(link="log"), POSITIVE),
    "tweedie": (lambda shape: jg.Tweedie(power=1 + shape), np.where(X[:, 2] > 0.8, 0, POSITIVE)),
    "quasi": (lambda shape: QUASI, POSITIVE),
}
NB = "negative binomial"
LISTED = slow_among(CASES, [case for case in CASES if case != "square root"])


@functools.cache
def programs(case: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Refits, and derivatives along one direction and back from weights of the answers."""
    family, _ = CASES[case]

    def answers(theta: Theta) -> tuple[jax.Array, jax.Array]:
        given = {name: theta[name] for name in ("weights", "offset", "penalty")}
        found = jg.solve(theta["X"], theta["y"], family(theta["shape"]), **given)
        return found.coef, jnp.diagonal(found.covariance)

    def derivatives(theta: Theta, along: Theta, weigh: Any) -> tuple[Any, Theta]:
        _, forward = jax.jvp(answers, (theta,), (along,))
        return forward, jax.vjp(answers, theta)[1](weigh)[0]

    return jax.jit(answers), jax.jit(derivatives)


def moved(theta: Theta, step: float, along: Theta) -> Theta:
    return {name: theta[name] + step * along[name] for name in theta}


@pytest.mark.parametrize("case", LISTED)
@pytest.mark.slow
def test_all_derivatives_at_once_are_those_of_refits(case: str) -> None:
    """Of everything that is given, along one direction: forward, by differences, and in reverse."""
    theta = THETA | {"y": CASES[case][1]}
    refit, derivatives = programs(case)
    along: Theta = {name: RNG.normal(size=np.shape(value))[()] for name, value in theta.items()}
    weigh = RNG.normal(size=P), RNG.normal(size=P)
    forward, back = derivatives(theta, along, weigh)
    h = 3e-5
    ends = [[refit(moved(theta, sign * k * h, along)) for sign in (1, -1)] for k in (1, 2)]
    one, two = (jax.tree.map(np.subtract, *pair) for pair in ends)
    for dot, near, far in zip(forward, one, two, strict=True):
        difference = (8 * near - far) / (12 * h)
        np.testing.assert_allclose(dot, difference, rtol=1e-6, atol=1e-6 * np.abs(dot).max())
    forth = float(sum(np.sum(w * dot) for w, dot in zip(weigh, forward, strict=True)))
    assert float(sum(np.sum(back[k] * along[k]) for k in along)) == pytest.approx(forth, rel=1e-10)


@pytest.mark.slow
def test_the_shape_of_a_negative_binomial_is_differentiated_from_0_on() -> None:
    theta = THETA | {"y": COUNT, "shape": np.float64(0.0)}
    refit, derivatives = programs(NB)
    along = jax.tree.map(np.zeros_like, theta) | {"shape": np.float64(1.0)}
    weigh = np.array([0.0, 1.0, 0.0]), np.zeros(P)
    (forward, _), back = derivatives(theta, along, weigh)
    start, near, far = (refit(moved(theta, k * 1e-5, along))[0][1] for k in range(3))
    assert float(forward[1]) == pytest.approx(float(-3 * start + 4 * near - far) / 2e-5, rel=1e-6)
    assert float(back["shape"]) == pytest.approx(float(forward[1]), rel=1e-12)


@pytest.mark.slow
def test_settings_of_jax_change_no_answer() -> None:
    y = jnp.asarray(COUNT)

    def slope(y: Any) -> Any:
        return jax.grad(lambda y: jg.solve(X, y, "poisson", offset=OFFSET).coef[1])(y)

    plain = slope(y)
    # The guard would refuse the differentiation itself, which is jax's; 64 bits are set already.
    out = "jax_transfer_guard", "jax_enable_x64"
    with set_to({name: SETTINGS[name] for name in SETTINGS if name not in out}):
        found = slope(y)
    np.testing.assert_allclose(found, plain, rtol=1e-12)


@pytest.mark.slow
def test_linear_regression_has_the_hat_matrix() -> None:
    W = np.diag(WEIGHTS)
    hat = X @ np.linalg.inv(X.T @ W @ X) @ X.T @ W

    def fitted(y: Any) -> Any:
        return X @ jg.solve(X, y, weights=WEIGHTS).coef

    found = jax.jit(lambda y: (jax.jacfwd(fitted)(y), jax.jacrev(fitted)(y)))(POSITIVE)
    for jacobian in found:
        np.testing.assert_allclose(jacobian, hat, rtol=1e-9, atol=1e-12)


@pytest.mark.slow  # the page on derivatives takes Newton steps with them
def test_second_derivatives() -> None:
    def loss(log_strength: Any) -> Any:
        ridge = jnp.exp(log_strength) * np.array([0.0, 1.0, 1.0])
        return jnp.sum(jg.solve(X, COUNT, "poisson", penalty=ridge).coef ** 2)

    both = jax.jit(lambda s: (jax.grad(loss)(s), jax.hessian(loss)(s)))
    difference = (both(0.5 + 1e-4)[0] - both(0.5 - 1e-4)[0]) / 2e-4
    assert float(both(0.5)[1]) == pytest.approx(float(difference), rel=1e-6)


def test_a_response_of_0_has_a_derivative_like_any_other() -> None:
    assert jax.grad(times)(0.0, 3.0) == 3.0 and jax.grad(times, 1)(2.0, 3.0) == 2.0
    assert times(0.0, np.inf) == 0.0 and jax.grad(times)(0.0, np.inf) == 0.0
    assert jax.jvp(lambda f: times(0.0, f), (np.inf,), (np.inf,)) == (0.0, 0.0)


# -- many at once, and those that fail -------------------------------------------------------------


def test_lanes_are_the_fits_and_one_that_fails_is_nan_by_itself() -> None:
    responses = np.stack([COUNT, COUNT[::-1], 0 * COUNT])
    weights = np.stack([WEIGHTS, np.ones(N), WEIGHTS])

    def slope(y: Any, w: Any) -> tuple[Any, jg.Solution]:
        found = jg.solve(X, y, "poisson", weights=w)
        return found.coef[1], found

    lanes = jax.jit(jax.vmap(jax.grad(slope, argnums=(0, 1), has_aux=True)))
    (of_y, of_w), found = lanes(responses, weights)
    assert found.converged.tolist() == [True, True, False]
    assert found.status[2] == Status.SEPARATED
    for y, w, coef in zip(responses[:2], weights, found.coef, strict=False):
        assert np.abs(X.T @ (w * (y - np.exp(X @ np.asarray(coef))))).max() < 1e-10
    for gradient in (of_y, of_w):
        assert np.isfinite(gradient[:2]).all() and np.isnan(gradient[2]).all()
    assert np.isnan(found.covariance).any(axis=(1, 2)).tolist() == [False, False, True]


LINE = np.column_stack([np.ones(8), np.arange(8.0)])
FAR = np.column_stack([np.ones(8), 9 + np.arange(8.0)])
FLAT = np.ones((8, 2))
SIDES = (LINE[:, 1] > 3) * 1.0
TIED = np.where(LINE[:, 1] == 4, 0.5, SIDES)
MIXED = np.array([0.0, 0, 1, 0, 1, 0, 1, 1])
UNIT, NONE = np.ones(8), np.zeros(8)


def logistic(X: Any, y: Any, weights: Any = UNIT, offset: Any = NONE) -> jg.Solution:
    """In the forms that share a program."""
    return jg.solve(X, y, "binomial", weights=weights, offset=offset)


def test_outcomes_that_overlap_by_little_are_not_called_separated() -> None:
    x = np.sort(np.random.default_rng(5).choice(100_000, 1000, replace=False)).astype(float)
    y = (np.arange(1000) >= 500) * 1.0
    x[500] = x[499] - 1
    with jax.enable_x64(True):
        for center, status in ((0.0, Status.SINGULAR), (48e3, Status.CONVERGED)):
            found = jg.solve(np.column_stack([np.ones(1000), x - center]), y, "binomial")
            assert Status(int(found.status)) is status
        # One event less, and they are separated.
        y[500] = 0.0
        found = jg.solve(np.column_stack([np.ones(1000), x - 48e3]), y, "binomial")
        assert Status(int(found.status)) is Status.SEPARATED


@pytest.mark.parametrize(
    ("X", "y", "weights", "status"),
    [
        (LINE, MIXED, UNIT, Status.CONVERGED),
        (LINE, SIDES, UNIT, Status.SEPARATED),
        (FAR, TIED, UNIT, Status.SEPARATED),
        (LINE, UNIT, UNIT, Status.SEPARATED),
        (FLAT, MIXED, UNIT, Status.SINGULAR),
        (FLAT, UNIT, UNIT, Status.SINGULAR),
        (LINE, MIXED, NONE, Status.SINGULAR),
        (LINE, MIXED, MIXED - 0.5, Status.INVALID),
        (LINE, MIXED, np.nan * UNIT, Status.INVALID),
        (np.where(LINE == 3, np.inf, LINE), MIXED, UNIT, Status.NONFINITE),
    ],
)
def test_a_status_says_how_it_ended(X: Any, y: Any, weights: Any, status: Status) -> None:
    # Within a program, where values are not seen before it runs.
    found = jax.jit(logistic)(X, y, weights)
    assert Status(int(found.status)) is status
    assert bool(found.converged) == bool(np.isfinite(found.covariance).all())


@pytest.mark.slow
def test_a_row_of_weight_0_is_not_there_whatever_it_holds() -> None:
    there = np.arange(8) != 2
    y, offset = (np.where(there, v, np.nan) for v in (MIXED, NONE))
    found = logistic(LINE, y, there * 1.0, offset)
    mean = 1 / (1 + np.exp(-LINE @ np.asarray(found.coef)))
    assert np.abs(LINE[there].T @ (mean - MIXED)[there]).max() < 1e-10
    information = LINE[there].T @ ((mean * (1 - mean))[there, None] * LINE[there])
    np.testing.assert_allclose(found.covariance, np.linalg.inv(information), rtol=1e-9)
    slope = jax.jit(jax.grad(lambda y: logistic(LINE, y, there * 1.0, offset).coef[1]))(y)
    assert np.isfinite(slope).all() and slope[2] == 0.0


@pytest.mark.slow
def test_a_ridge_bounds_what_is_separated_however_small_it_is() -> None:
    for strength in (1.0, 1e-3, 1e-6):
        found = jg.solve(LINE, SIDES, "binomial", penalty=np.array([0.0, strength]))
        assert found.converged
        mean = 1 / (1 + np.exp(-LINE @ np.asarray(found.coef)))
        score = LINE.T @ (mean - SIDES) + [0, strength * float(found.coef[1])]
        assert np.abs(score).max() < 1e-9 * max(strength, 1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("text", ["binomial(link=probit)", "binomial(link=cauchit)", "poisson"])
def test_small_random_problems_end_as_single_fits_do(text: str) -> None:
    rng, many, n = np.random.default_rng(7), 40, 14
    columns = np.insert(rng.normal(size=(many, n, 2)) * rng.choice([1, 3], (many, 1, 1)), 0, 1, 2)
    columns[::3, :, 2] = columns[::3, :, 2] > 0
    eta = np.clip(columns @ [0.3, 1, -1], -9, 5)
    y = rng.poisson(np.exp(eta)) if text == "poisson" else rng.uniform(size=eta.shape) < expit(eta)
    found = jax.jit(jax.vmap(lambda X, y: jg.solve(X, y, text)))(columns, y.astype(float))
    assert 0 < int(np.sum(found.converged)) < many
    for i in range(many):
        alone = jg.GLM(y[i].astype(float), columns[i], text).fit(on_failure="ignore")
        assert bool(found.converged[i]) == (alone.status is Status.CONVERGED)
        if found.converged[i]:
            apart = np.abs(np.asarray(found.coef[i]) - alone.params)
            assert (apart < 1e-8 * alone.bse).all()


@pytest.mark.slow
def test_float32_where_jax_allows_no_more() -> None:
    wanted = logistic(LINE, MIXED)
    with jax.enable_x64(False):
        found = logistic(LINE, MIXED)
    assert found.coef.dtype == np.float32 and found.converged
    np.testing.assert_allclose(found.coef, wanted.coef, rtol=1e-5)
    single = [v.astype(np.float32) for v in (LINE, MIXED, UNIT, NONE)]
    assert jax.eval_shape(logistic, *single).coef.dtype == np.float32


# -- what is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: jg.solve(X, COUNT - 1, "poisson"), "counts must be 0 or more, but .* hold -1"),
        (lambda: jg.solve(COUNT, X), r"The columns come first: solve\(X, y\)"),
        (lambda: jg.solve(X, COUNT[:3]), "y must be one number per row of X"),
        (lambda: jg.solve(X, COUNT, weights=np.ones(2)), "weights must be one number per row"),
        (lambda: jg.solve(X, COUNT, offset=1.0), "offset must be one number per row"),
        (
            lambda: jg.solve(X, COUNT, penalty=1.0),
            "one strength per column, 0 for one that is free",
        ),
        (lambda: jg.solve(X, COUNT, start=[1.0]), "start must be one number per column"),
        (lambda: jg.solve(X, COUNT, "negative_binomial"), "give alpha= for a fixed shape"),
        (
            lambda: jg.solve("y ~ x", {"y": COUNT}),
            r"X must be numbers, and it is a str.*jaxglm.glm",
        ),
        (lambda: jg.solve(None, COUNT), "X must be numbers, and it is None"),
        (lambda: jg.solve(X, ["no"] * len(COUNT)), "y must be numbers, and it is a list"),
        (lambda: jg.solve(X, pd.date_range("2020", periods=len(COUNT))), "y must be numbers"),
        (lambda: jg.solve(X + 1j, COUNT), "X must be numbers, and it is .* complex"),
        (lambda: jg.solve(scipy.sparse.csr_array(X), COUNT), r"X.toarray\(\)"),
        (lambda: jg.solve(X, COUNT, penalty="l2"), "penalty must be numbers"),
        (lambda: jg.solve(X, COUNT, tol="small"), "tol must be numbers"),
        (lambda: jg.solve(X, COUNT, max_turns=[1, 2]), "max_turns must be one number"),
        (lambda: jg.solve(X[:0], COUNT[:0]), "a row and a column at the least"),
        (lambda: jg.solve(X, COUNT, weights=-np.ones(len(COUNT))), "weights must not be negative"),
    ],
)
def test_what_does_not_fit_together_is_refused_in_words(call: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.slow
def test_rows_of_weight_0_need_no_valid_response() -> None:
    y = np.where(MIXED == 1, 1.0, -5.0)
    with pytest.raises(jg.DataError, match="hold -5"):
        logistic(LINE, y)
    assert logistic(LINE, y, MIXED).status == Status.SEPARATED
