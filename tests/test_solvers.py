"""Solvers are told sums; here the sums are made up on the host, so that every branch is seen."""

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jaxglm as jg
from jaxglm._status import Status
from jaxglm.solvers import Controls, FirstOrder, Newton, Outcome, Solver, Stop, lbfgs
from jaxglm.sums._moments import Moments
from jaxglm.sums._rowwise import Point

CONTROLS = Controls(
    tol=np.float64(1e-10),
    max_turns=np.int32(100),
    smallest_pivot=np.float64(1e-7),
    residual_df=np.float64(0.0),
    fixed=np.float64(1.0),
    adaptive=np.bool_(True),
    reach=np.float64(0.0),
    keep_within=np.float64(0.0),
    final=np.bool_(True),
)
H = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, -0.2], [0.5, -0.2, 2.0]])
OPTIMUM = np.array([1.0, -2.0, 0.5])


@pytest.fixture(autouse=True)
def double_precision() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def point(beta=(0.0, 0.0, 0.0), *, observed: bool = False, start: int = 0) -> Point:
    return Point(
        beta=jnp.asarray(np.asarray(beta, float)),
        observed=jnp.asarray(observed),
        start=jnp.asarray(start, jnp.int32),
        center=jnp.asarray(0.0),
        barrier=jnp.asarray(0.0),
    )


def sums(loss: float, score: np.ndarray, info: np.ndarray, pearson: float = 1.0) -> Moments:
    return Moments(
        loss=jnp.asarray(float(loss)),
        loss_size=jnp.asarray(abs(float(loss))),
        score=jnp.asarray(score, float),
        info=jnp.asarray(info, float),
        pearson=jnp.asarray(pearson),
        rounding=jnp.asarray(1.0),
    )


def quadratic(at: Point, *, curvature: float = 1.0, diagonal: bool = False) -> Moments:
    """Loss with its optimum at OPTIMUM; `curvature` scales the matrix the solver is told."""
    d = np.asarray(at.beta) - OPTIMUM
    info = curvature * (np.diag(H) if diagonal else H)
    return sums(0.5 * d @ H @ d, H @ d, info)


Ask = Callable[[Point], Moments]


# One program for every test of a solver: all states and sums here have the same shapes.
_newton_tell = jax.jit(Newton().tell)
_FIRST_ORDER = FirstOrder(lbfgs())
_lbfgs_tell = jax.jit(_FIRST_ORDER.tell)


def steps(solver: Solver, ask: Ask, at: Point, controls: Controls = CONTROLS) -> Iterator[Any]:
    """The states of a loop, the first before anything was told."""
    tell = {Newton: _newton_tell}.get(type(solver), _lbfgs_tell)
    state: Any = solver.init(at, None)
    yield state
    while int(state.status) == Status.RUNNING:
        state = tell(state, ask(state.at), controls)
        yield state


def run(ask: Ask, at: Point | None = None, controls: Controls = CONTROLS) -> Outcome:
    *_, last = steps(Newton(), ask, point() if at is None else at, controls)
    return Newton().outcome(last)


def test_a_quadratic_takes_one_step() -> None:
    outcome = run(quadratic)
    assert int(outcome.status) == Status.CONVERGED
    assert int(outcome.turns) == 2  # one sees the start, one that there is nothing left
    assert np.allclose(outcome.beta + outcome.correction, OPTIMUM, rtol=1e-14)


def test_the_step_in_hand_is_part_of_the_answer() -> None:
    """With a loose tolerance the loop stops at once, and the correction leads to the optimum."""
    outcome = run(quadratic, controls=CONTROLS._replace(tol=np.float64(1e3)))
    assert int(outcome.turns) == 1 and not outcome.beta.any()
    assert np.allclose(outcome.beta + outcome.correction, OPTIMUM, rtol=1e-14)


def test_the_decrement_is_the_distance_in_standard_errors() -> None:
    outcome = run(quadratic, controls=CONTROLS._replace(tol=np.float64(1e3)))
    assert float(outcome.decrement) == pytest.approx(np.sqrt(OPTIMUM @ H @ OPTIMUM), rel=1e-13)
    scaled = CONTROLS._replace(tol=np.float64(1e3), residual_df=np.float64(4.0))
    assert float(run(quadratic, controls=scaled).decrement) == pytest.approx(
        2 * float(outcome.decrement), rel=1e-13
    )


def test_start_sums_are_a_least_squares_problem_whose_loss_does_not_bind() -> None:
    """The loss of a start belongs to no coefficients, so a higher one after it is accepted."""

    def ask(at: Point) -> Moments:
        if int(at.start) == 0:
            return quadratic(at)
        return sums(-1e6, -H @ np.array([5.0, 5.0, 5.0]), H)

    states = list(steps(Newton(), ask, point(start=1)))
    assert np.allclose(states[1].at.beta, 5.0) and int(states[1].at.start) == 0
    assert np.allclose(states[2].at.beta, OPTIMUM)
    assert int(states[2].halvings) == 0
    assert int(states[-1].status) == Status.CONVERGED


def test_steps_are_halved_until_the_loss_falls() -> None:
    """A matrix of a tenth of the true curvature makes steps ten times too long."""
    losses, halvings = [], []
    for state in steps(Newton(), lambda at: quadratic(at, curvature=0.1), point()):
        losses.append(float(state.loss))
        halvings.append(int(state.halvings))
    assert max(halvings) == 3  # a tenth of the step is best; an eighth is the first that helps
    assert (np.diff(losses[1:]) <= 0).all()
    assert int(state.status) == Status.CONVERGED
    assert np.allclose(state.beta, OPTIMUM, atol=1e-8)


def test_linear_convergence_counts_the_steps_to_come() -> None:
    """With half the curvature the matrix says, each step leaves half the distance."""
    outcome = run(lambda at: quadratic(at, curvature=2.0))
    assert int(outcome.status) == Status.CONVERGED
    left = np.asarray(outcome.beta + outcome.correction) - OPTIMUM
    assert np.sqrt(left @ H @ left) <= 2 * float(CONTROLS.tol)


def edge(at: Point) -> Moments:
    """Nothing beyond half the way to the optimum is valid."""
    if np.asarray(at.beta)[0] > 0.5:
        return sums(np.inf, np.full(3, np.nan), np.full((3, 3), np.nan))
    return quadratic(at)


def uphill(at: Point) -> Moments:
    """A score that is wrong: no step along it lowers the loss."""
    return quadratic(at)._replace(score=-quadratic(at).score)


def nowhere(at: Point) -> Moments:
    return sums(np.nan, np.full(3, np.nan), np.full((3, 3), np.nan))


def singular(at: Point) -> Moments:
    v = np.array([1.0, 2.0, 3.0])
    return sums(1.0, v, np.outer(v, v))


def without_information(at: Point) -> Moments:
    return quadratic(at)._replace(info=jnp.asarray(H * np.outer([1, 1, 0], [1, 1, 0])))


def drifting(at: Point) -> Moments:
    """A constant slope: there is no optimum to reach."""
    return sums(-np.sum(np.asarray(at.beta)), np.full(3, -1.0), H)


FAILURES = {
    "not finite at the start": (nowhere, Status.NONFINITE),
    "no step helps": (uphill, Status.STEP_FAILED),
    "the optimum is out of reach": (edge, Status.STEP_FAILED),
    "turns run out": (drifting, Status.MAX_TURNS),
    "dependent columns": (singular, Status.SINGULAR),
    "a column without information": (without_information, Status.SINGULAR),
}


@pytest.mark.parametrize("which", FAILURES)
def test_failure_is_a_status(which: str) -> None:
    ask, status = FAILURES[which]
    outcome = run(ask)
    assert Status(int(outcome.status)) is status
    assert int(outcome.stop) == Stop.NONE
    assert int(outcome.turns) <= 100
    assert np.isfinite(outcome.beta).all()


def test_trials_that_are_not_finite_are_counted() -> None:
    assert int(run(edge).invalid) > 0
    assert int(run(uphill).invalid) == 0


def test_turns_are_exactly_those_allowed() -> None:
    assert int(run(drifting, controls=CONTROLS._replace(max_turns=np.int32(7))).turns) == 7


def test_rounding_ends_what_no_tolerance_can() -> None:
    outcome = run(quadratic, controls=CONTROLS._replace(tol=np.float64(0.0)))
    assert int(outcome.status) == Status.CONVERGED
    assert int(outcome.stop) in (Stop.ROUNDING, Stop.DECREMENT)
    assert float(outcome.decrement) <= float(outcome.floor)


DAMPED = CONTROLS._replace(smallest_pivot=np.float64(0.0))


def test_damping_gets_past_a_singular_matrix() -> None:
    """Two equal columns: the sum of their coefficients is determined, and found."""
    g = np.array([[2.0, 2.0, 0.0], [2.0, 2.0, 0.0], [0.0, 0.0, 1.0]])

    def ask(at: Point) -> Moments:
        d = np.asarray(at.beta) - np.array([1.0, 0.0, 3.0])
        return sums(0.5 * d @ g @ d, g @ d, g)

    assert int(run(ask).status) == Status.SINGULAR
    outcome = run(ask, controls=DAMPED)
    assert int(outcome.status) == Status.CONVERGED
    beta = np.asarray(outcome.beta + outcome.correction)
    assert beta[0] + beta[1] == pytest.approx(1.0, abs=1e-8) and beta[2] == pytest.approx(3.0)


def test_damping_dies_away_where_the_matrix_is_sound() -> None:
    damped = Newton().init(point(), None)._replace(damping=jnp.asarray(1e-6))
    state = _newton_tell(damped, quadratic(damped.at), DAMPED)
    assert float(state.damping) == pytest.approx(1e-7)
    outcome = run(quadratic, controls=DAMPED)
    assert int(outcome.turns) == 2


@pytest.mark.parametrize("controls", [CONTROLS, DAMPED], ids=["refusing", "damping"])
def test_no_information_is_no_convergence(controls: Controls) -> None:
    """A step of zero because nothing is known is not one because nothing is left to do."""
    outcome = run(lambda at: quadratic(at, curvature=0.0), controls=controls)
    assert Status(int(outcome.status)) in (Status.SINGULAR, Status.MAX_TURNS, Status.STEP_FAILED)


def test_an_infinite_floor_is_no_convergence() -> None:
    outcome = run(lambda at: quadratic(at)._replace(rounding=jnp.asarray(np.inf)))
    assert int(outcome.status) == Status.CONVERGED and int(outcome.turns) == 2
    assert np.allclose(outcome.beta + outcome.correction, OPTIMUM)


def test_slow_convergence_asks_for_the_observed_information() -> None:
    asked = []

    def ask(at: Point) -> Moments:
        asked.append(bool(at.observed))
        return quadratic(at, curvature=1.0 if at.observed else 3.0)

    outcome = run(ask, point((1.02, -2.0, 0.5)))
    assert asked[0] is False and asked[-1] is True
    assert bool(outcome.observed) and int(outcome.turns) <= 6
    asked.clear()
    outcome = run(ask, point((1.02, -2.0, 0.5)), CONTROLS._replace(adaptive=np.bool_(False)))
    assert not any(asked) and int(outcome.turns) > 20


def test_indefinite_observed_information_gives_way_to_the_expected() -> None:
    asked = []

    def ask(at: Point) -> Moments:
        asked.append(bool(at.observed))
        moments = quadratic(at)
        return moments._replace(info=-moments.info) if at.observed else moments

    outcome = run(ask, point(observed=True))
    assert asked == [True, False, False]
    assert int(outcome.status) == Status.CONVERGED
    assert np.allclose(outcome.beta + outcome.correction, OPTIMUM)


def test_lbfgs_reaches_the_optimum_by_gradients_alone() -> None:
    *_, state = steps(_FIRST_ORDER, lambda at: quadratic(at, diagonal=True), point())
    outcome = _FIRST_ORDER.outcome(state)
    assert int(outcome.status) == Status.CONVERGED
    assert np.allclose(outcome.beta, OPTIMUM, atol=1e-9)
    assert int(outcome.turns) < 40
    assert not np.asarray(outcome.correction).any()


@pytest.mark.parametrize(
    ("ask", "status"),
    [(nowhere, Status.NONFINITE), (uphill, Status.STEP_FAILED), (drifting, Status.MAX_TURNS)],
    ids=["not finite at the start", "no step helps", "turns run out"],
)
def test_failures_of_a_first_order_method(ask: Ask, status: Status) -> None:
    def diagonal(at: Point) -> Moments:
        moments = ask(at)
        return moments._replace(info=jnp.diagonal(moments.info))

    *_, state = steps(_FIRST_ORDER, diagonal, point())
    assert Status(int(state.status)) is status


# From here on: fits of data.


def data(n: int = 60) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """X, counts and a binary response."""
    rng = np.random.default_rng(31)
    X = np.column_stack([np.ones(n), rng.normal(size=(n, 2))])
    counts = rng.poisson(np.exp(X @ [0.5, 0.4, -0.3])).astype(float)
    binary = (rng.uniform(size=n) < 1 / (1 + np.exp(-X @ [0.2, 0.8, -0.5]))).astype(float)
    return X, counts, binary


FAMILIES = {
    "poisson": ("poisson", 1),
    "logit": ("binomial", 2),
    "gamma": (jg.Gamma(link=jg.Log()), 3),
}


def response(which: int) -> tuple[np.ndarray, np.ndarray]:
    X, counts, binary = data()
    return X, (counts, binary, counts + 0.5)[which - 1]


def fit(name: str, **settings: Any) -> jg.Results:
    family, which = FAMILIES[name]
    X, y = response(which)
    return jg.GLM(y, X, family).fit(**settings)


def distance(one: jg.Results, other: jg.Results) -> float:
    """Between two answers, in standard errors."""
    return float(np.max(np.abs(one.params - other.params) / other.bse))


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("method", ["newton", "lbfgs"])
def test_methods_agree(name: str, method: str) -> None:
    one, other = fit(name), fit(name, method=method)
    assert other.method == method and other.converged
    assert distance(other, one) < 1e-7
    assert np.allclose(other.bse, one.bse, rtol=1e-7)


def test_any_optax_transformation_is_a_method() -> None:
    results = fit("poisson", method=optax.chain(optax.scale_by_adam(), optax.scale(-0.05)),
                  tol=1e-6)  # fmt: skip
    assert results.method == "optax" and results.converged
    assert distance(results, fit("poisson")) < 1e-5


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("tol", [1e-2, 1e-5])
def test_the_answer_is_nearer_than_the_decrement_says(name: str, tol: float) -> None:
    loose, tight = fit(name, tol=tol, on_failure="ignore"), fit(name)
    assert float(loose.fit.decrement) <= tol
    assert distance(loose, tight) <= max(float(loose.fit.decrement), 1e-9)
    assert loose.n_iter <= tight.n_iter


def test_a_tolerance_of_ones_own_is_not_called_rounding() -> None:
    """Nothing is announced: the caller asked for it, and the step in hand is added anyway."""
    assert "rounding may shift" not in " ".join(fit("poisson", tol=1e-2).fit.notes)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_default_tolerance_leaves_nothing_to_gain(name: str) -> None:
    results = fit(name)
    assert results.fit.decrement < 4e-11
    assert distance(fit(name, start=results.params.to_numpy()), results) < 1e-11


@pytest.mark.parametrize("name", FAMILIES)
def test_a_warm_start_takes_fewer_turns(name: str) -> None:
    cold = fit(name)
    warm = fit(name, start=cold.params.to_numpy() + 0.01 * cold.bse.to_numpy())
    assert warm.n_iter < cold.n_iter
    assert distance(warm, cold) < 1e-9


STARTS = {
    "means overflow": [2000.0, 0.0, 0.0],
    "means nearly overflow": [700.0, 0.0, 0.0],
    "means underflow": [-2000.0, 0.0, 0.0],
    "means at both limits": [0.0, 1e6, 0.0],
    "one wrong sign": [0.0, -30.0, 0.0],
}


@pytest.mark.parametrize("name", ["poisson", "logit"])
@pytest.mark.parametrize("start", STARTS)
def test_a_start_without_information_is_left_behind(name: str, start: str) -> None:
    cold = fit(name)
    results = fit(name, start=np.array(STARTS[start]))
    assert results.converged and distance(results, cold) < 1e-9


FAR = {
    "gaussian, log": (jg.Gaussian(link=jg.Log()), 0.1, 300.0),  # Pearson's sum overflows
    "gamma, log": (jg.Gamma(link=jg.Log()), 0.5, -300.0),  # the next point is out of all measure
    "gamma, inverse": (jg.Gamma(), 0.5, 1e5),
}


@pytest.mark.parametrize("name", FAR)
def test_a_far_start_where_the_dispersion_is_estimated(name: str) -> None:
    """A standard error that is itself out of all measure makes any distance look small."""
    family, shift, intercept = FAR[name]
    X, y = response(1)
    cold = jg.GLM(y + shift, X, family).fit()
    results = jg.GLM(y + shift, X, family).fit(start=np.array([intercept, 0.0, 0.0]))
    assert results.converged and distance(results, cold) < 1e-8


# Each with the seed of a sample on which Fisher scoring shrinks the decrement slowly.
SLOW = {
    "cauchit": (jg.Binomial(link=jg.Cauchit()), 0),
    "log-binomial": (jg.Binomial(link=jg.Log()), 0),
    "poisson, identity": (jg.Poisson(link=jg.Identity()), 0),
    "gaussian, log": (jg.Gaussian(link=jg.Log()), 3),
}


@pytest.mark.parametrize("name", SLOW)
def test_fisher_scoring_changes_to_newton_where_it_is_slow(name: str) -> None:
    """Responses that the model does not describe: there the two informations differ."""
    family, seed = SLOW[name]
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, size=60)
    X = np.column_stack([np.ones(60), x])
    y = {
        "cauchit": lambda: rng.uniform(size=60) < 0.5 + np.arctan(0.2 + 3 * x) / np.pi,
        "log-binomial": lambda: rng.uniform(size=60) < np.where(np.abs(x) > 0.7, 0.1, 0.8),
        "poisson, identity": lambda: rng.poisson(2.5 + 3 * x * x),
        "gaussian, log": lambda: np.exp(2 * x) + 2 * rng.normal(size=60) + 3 * (x < 0),
    }[name]()
    model = jg.GLM(y.astype(float), X, family)
    results = model.fit()
    assert results.converged
    assert results.method == "irls+newton"
    assert results.n_iter <= 12
    newton = model.fit(method="newton")
    assert newton.method == "newton" and distance(newton, results) < 1e-8


def test_a_method_that_cannot_succeed_falls_through() -> None:
    results = fit("poisson", method=optax.sgd(0.0), max_turns=10)
    assert results.method == "irls" and results.converged
    assert distance(results, fit("poisson")) < 1e-9
    assert results.n_iter > 10 * 10  # the passes in vain are counted


def test_too_few_turns_are_said_to_be_too_few() -> None:
    with pytest.warns(jg.ConvergenceWarning, match="max_turns"):
        results = fit("poisson", max_turns=1)
    assert not results.converged and results.status is Status.MAX_TURNS


@pytest.mark.parametrize("method", ["irls", "newton", "lbfgs"])
@pytest.mark.slow
def test_more_columns_than_rows(method: str) -> None:
    """As many columns as rows can carry are kept, the earliest; the fit is then perfect."""
    rng = np.random.default_rng(2)
    X = np.column_stack([np.ones(4), rng.normal(size=(4, 6))])
    y = np.array([1.0, 3.0, 2.0, 6.0])
    with pytest.warns(jg.RankWarning):
        results = jg.GLM(y, X, "poisson").fit(method=method)
    assert np.isnan(results.params.to_numpy()).tolist() == [False] * 4 + [True] * 3
    assert np.allclose(results.fittedvalues, y, rtol=1e-8)
