"""Large fits take a short way; here small ones do, in tiles of 64 rows, with the same answers."""

import dataclasses
import itertools
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import numpy as np
import pytest
from scipy import stats

import jaxglm as jg
from jaxglm._status import Status
from jaxglm._tuning import tuned
from jaxglm.designs import Dense
from jaxglm.search import _attempts, _drive, _settings, _short_way
from jaxglm.search._attempts import Attempt, Search
from jaxglm.search._drive import Loop
from jaxglm.solvers import KeptFactor, Outcome
from jaxglm.sources import Block, Resident, Rows, Tiles, one_pass
from jaxglm.sums import FinalSums, unit_gram

pytestmark = pytest.mark.slow

N = 2000
_rng = np.random.default_rng(5)
X1, X2 = _rng.normal(size=(2, N))
X = np.column_stack([np.ones(N), X1, X2])
OFFSET = 0.2 * _rng.normal(size=N)
WEIGHT = _rng.integers(0, 3, size=N).astype(float)
ETA = 0.4 + 0.4 * X1 - 0.3 * X2 + OFFSET
NOISE = _rng.uniform(size=N)
COUNTS = _rng.poisson(np.exp(ETA)).astype(float)
WIDER = _rng.poisson(np.exp(ETA) * _rng.gamma(2.0, 0.5, size=N)).astype(float)
YES = (1 / (1 + np.exp(-ETA)) > NOISE).astype(float)
AMOUNT = _rng.gamma(3.0, size=N) * np.exp(ETA) / 3

CAUCHIT, LOG_GAMMA = jg.Binomial(link=jg.Cauchit()), jg.Gamma(link=jg.Log())
# Elsewhere the null model is the average, which needs no fit.
WITH_OFFSET = ("poisson", LOG_GAMMA)


@pytest.fixture(autouse=True)
def small_tiles() -> Iterator[None]:
    with tuned(smallest_tile=64, largest_tile=64):
        yield


@pytest.fixture
def short() -> Iterator[None]:
    with tuned(large_rows=0):
        yield


@pytest.fixture
def quick() -> Iterator[None]:
    """Information from float32 products, which the short way takes where they pay."""
    with tuned(large_work=0.0):
        yield


class Run(NamedTuple):
    """A loop: how many tiles one that it visited is from the next, and what it left."""

    stride: int
    outcome: Outcome
    sums: FinalSums | None


def stride_of(source: Resident) -> int:
    return int(source.tiles.stride)


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[Run]:
    """The loops of the fits of a test; those of null models, of one column, are left out.

    All loops of an estimate go through `_attempts.solve`, the seam that tests put themselves in.
    """
    seen: list[Run] = []
    solve = _attempts.solve

    def spy(source: Resident, objective: Any, loop: Loop) -> Any:
        outcome, sums = solve(source, objective, loop)
        if loop.at.beta.size > 1:
            seen.append(Run(stride_of(source), outcome, sums))
        return outcome, sums

    monkeypatch.setattr(_attempts, "solve", spy)
    return seen


def fit(
    y: np.ndarray = COUNTS,
    family: Any = "poisson",
    columns: np.ndarray = X,
    weight: np.ndarray = WEIGHT,
    **settings: Any,
) -> jg.Results:
    """Fits of one family have the same shapes, and so share their programs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", jg.JaxglmWarning)
        offset = OFFSET if family in WITH_OFFSET else None
        model = jg.GLM(y, columns, family, offset=offset, freq_weights=weight)
        return model.fit(compress=False, **settings)


# -- against a computation of its own -------------------------------------------------------------

# Mean, its slope and its variance at a linear predictor; log-likelihood at a mean and dispersion.
LAWS: dict[str, tuple[Any, np.ndarray, Any, Any]] = {
    "poisson": (
        "poisson",
        COUNTS,
        lambda eta: (np.exp(eta), np.exp(eta), np.exp(eta)),
        lambda y, mu, phi: stats.poisson.logpmf(y, mu),
    ),
    "cauchit": (
        CAUCHIT,
        YES,
        lambda eta: (
            stats.cauchy.cdf(eta),
            stats.cauchy.pdf(eta),
            stats.cauchy.cdf(eta) * stats.cauchy.sf(eta),
        ),
        lambda y, mu, phi: stats.bernoulli.logpmf(y, mu),
    ),
    "gaussian": (
        "gaussian",
        AMOUNT,
        lambda eta: (eta, np.ones(N), np.ones(N)),
        lambda y, mu, phi: stats.norm.logpdf(y, mu, np.sqrt(phi)),
    ),
    "gamma": (LOG_GAMMA, AMOUNT, lambda eta: (np.exp(eta), np.exp(eta), np.exp(2 * eta)), None),
}


def scoring(
    law: Any, y: np.ndarray, offset: np.ndarray = OFFSET
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Fisher scoring in NumPy: coefficients, standard errors, means and Pearson's dispersion."""
    beta = np.zeros(3)
    for _ in range(200):
        mu, slope, variance = law(X @ beta + offset)
        information = X.T @ ((WEIGHT * slope**2 / variance)[:, None] * X)
        beta = beta + np.linalg.solve(information, X.T @ (WEIGHT * (y - mu) * slope / variance))
    mu, slope, variance = law(X @ beta + offset)
    phi = np.sum(WEIGHT * (y - mu) ** 2 / variance) / (WEIGHT.sum() - 3)
    return beta, np.sqrt(np.diag(np.linalg.inv(information))), mu, phi


def agrees(name: str, results: jg.Results) -> None:
    family, y, law, loglik = LAWS[name]
    offset = OFFSET if family in WITH_OFFSET else np.zeros(N)
    beta, se, mu, phi = scoring(law, y, offset)
    if results.use_t:
        assert results.scale == pytest.approx(phi, rel=1e-10)
        se = se * np.sqrt(phi)
    assert results.converged and results.decrement < 1e-7
    assert np.abs((results.params - beta) / se).max() < 1e-9
    np.testing.assert_allclose(results.bse, se, rtol=1e-9)
    if loglik is not None:
        likely = phi * (1 - 3 / WEIGHT.sum()) if name == "gaussian" else 1.0
        assert results.llf == pytest.approx(WEIGHT @ loglik(y, mu, likely), rel=1e-10)


@pytest.mark.parametrize("name", [name for name in LAWS if name != "gaussian"])
@pytest.mark.usefixtures("short")
def test_the_short_way_ends_at_the_optimum(name: str, runs: list) -> None:
    family, y, *_ = LAWS[name]
    results = fit(y, family)
    agrees(name, results)
    # From a sample, and then from there: no other attempt was needed.
    assert len(runs) >= 2 and runs[0].stride >= 4 and {run.stride for run in runs[1:]} == {1}
    assert runs[0].sums is None  # nobody wants the sums of the sample


@pytest.mark.usefixtures("short")
@pytest.mark.compiled
def test_the_sums_of_a_sample_are_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[bool] = []
    loop = _drive._compiled_loop

    def spy(tiles: Tiles, *args: Any, **kwargs: Any) -> Any:
        outcome, sums = loop(tiles, *args, **kwargs)
        made.append(bool(np.any(sums.info)))
        return outcome, sums

    monkeypatch.setattr(_drive, "_compiled_loop", spy)
    fit()
    assert made[0] is False and all(made[1:])


@pytest.mark.parametrize("name", ["poisson", "cauchit"])
@pytest.mark.usefixtures("quick")
def test_float32_products_end_there_too(name: str, runs: list) -> None:
    family, y, *_ = LAWS[name]
    agrees(name, fit(y, family))
    assert runs[0].stride >= 4 and len(runs) <= 3


def test_the_ordinary_way_for_comparison(runs: list) -> None:
    agrees("poisson", fit())
    assert [run.stride for run in runs] == [1]


@pytest.mark.slow
@pytest.mark.usefixtures("short")
def test_an_estimated_shape() -> None:
    """Neither the coefficients nor the shape can move the likelihood."""
    results = fit(WIDER, "negative_binomial")
    alpha, beta = results.fit.alpha, results.params.to_numpy()
    assert results.converged and alpha is not None and alpha > 0.1

    def likelihood(alpha: float) -> float:
        mean = np.exp(X @ beta)
        return WEIGHT @ stats.nbinom.logpmf(WIDER, 1 / alpha, 1 / (1 + alpha * mean))

    assert results.llf == pytest.approx(likelihood(alpha), rel=1e-10)
    step = 1e-4 * alpha
    slope = (likelihood(alpha + step) - likelihood(alpha - step)) / (2 * step)
    assert abs(slope * results.fit.alpha_se) < 1e-5
    mean = np.exp(X @ beta)
    score = X.T @ (WEIGHT * (WIDER - mean) / (1 + alpha * mean))
    assert np.abs(score * results.bse).max() < 1e-8


# -- how it goes ----------------------------------------------------------------------------------


@pytest.mark.parametrize("stride", [1, 3, 7])
def test_a_sample_is_every_so_manyth_tile(stride: int) -> None:
    with jax.enable_x64(True):
        values = np.arange(20.0 * 64).reshape(20, 64)
        tiles = Tiles(Block(Dense(values[:, :, None]), Rows(values, np.ones_like(values))))
        total = one_pass(tiles.sample(stride), kernel=unit_gram)
    assert float(total[0, 0]) == np.sum(values[::stride] ** 2)


@pytest.mark.usefixtures("short")
def test_rows_in_an_unlucky_order(runs: list) -> None:
    """Sorted by the response, by a column: every sample of tiles has some of all kinds."""
    expected = fit()
    for key in (COUNTS, X1, WEIGHT):
        order = np.argsort(key, kind="stable")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model = jg.GLM(
                COUNTS[order], X[order], "poisson", offset=OFFSET[order], freq_weights=WEIGHT[order]
            )
            results = model.fit(compress=False)
        assert np.abs((results.params - expected.params) / expected.bse).max() < 1e-9
        np.testing.assert_allclose(results.bse, expected.bse, rtol=1e-9)


@pytest.mark.usefixtures("short")
def test_a_sample_without_an_answer_is_left_aside(runs: list) -> None:
    """The tiles of the sample hold no count: it has no optimum, all rows together have."""
    y = COUNTS.copy()
    for stride in (7, 8):
        y[(np.arange(N) // 64) % stride == 0] = 0.0
    results = fit(y)
    assert runs[0].stride in (7, 8) and results.converged
    mean = np.exp(X @ results.params.to_numpy() + OFFSET)
    score = X.T @ (WEIGHT * (y - mean))
    assert np.abs(score * results.bse).max() < 1e-8


@pytest.mark.usefixtures("short")
def test_a_start_is_taken_as_given(runs: list) -> None:
    expected = fit()
    runs.clear()
    results = fit(start=expected.params.to_numpy() + 0.01)
    agrees("poisson", results)
    assert [run.stride for run in runs] == [1] and results.n_iter <= 4


@pytest.mark.parametrize("start", [[2000.0, 0, 0], [-2000.0, 0, 0], [0, 1e6, 0], [50.0, 30.0, 0]])
@pytest.mark.usefixtures("short")
def test_a_start_out_of_all_measure(start: list[float]) -> None:
    agrees("poisson", fit(start=np.array(start)))


@pytest.mark.parametrize("tol", [1e-3, 1e-6, 1e-13])
@pytest.mark.usefixtures("short")
def test_a_tolerance_of_the_user(tol: float, runs: list) -> None:
    results = fit(tol=tol)
    beta, se, *_ = scoring(LAWS["poisson"][2], COUNTS)
    assert results.converged
    # A step on the exact sums squares what the tolerance allowed.
    assert np.abs((results.params - beta) / se).max() < max(1e-9, tol)
    assert results.decrement <= 100 * tol or results.decrement < 1e-8


@pytest.mark.usefixtures("short")
def test_a_forecast_that_fails_leads_to_another_round(
    runs: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first loop over all rows is ended far too early; its exact sums tell."""
    solve = _attempts.solve

    def impatient(source, objective, loop):
        if stride_of(source) == 1 and len(runs) == 1:
            controls = loop.controls._replace(reach=np.float64(1e3), tol=np.float64(1e3))
            loop = dataclasses.replace(loop, controls=controls)
        return solve(source, objective, loop)

    steps = []
    settled = Search.settled

    def spy(search: Search, found: Attempt) -> Attempt:
        steps.append((found.gamma, settled(search, found)))
        return steps[-1][1]

    monkeypatch.setattr(_attempts, "solve", impatient)
    monkeypatch.setattr(Search, "settled", spy)
    results = fit()
    agrees("poisson", results)
    assert [run.stride for run in runs][1:] == [1, 1]
    # The step on the exact sums went most of the way that was left, and its length was told.
    before, after = (
        np.abs((gamma - results.params) / results.bse).max()
        for gamma in (steps[0][0], steps[0][1].gamma)
    )
    assert 1e-4 < before < steps[0][1].outcome.decrement * 1.1 and after < 0.2 * before


@pytest.mark.usefixtures("short")
def test_forecasts_that_always_fail_leave_the_ordinary_way(
    runs: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled = Search.settled

    def far(search: Search, found: Attempt) -> Attempt:
        at = settled(search, found)
        runs.append(Run(0, at.outcome, at.sums))
        return dataclasses.replace(at, outcome=at.outcome._replace(decrement=1.0))

    monkeypatch.setattr(Search, "settled", far)
    agrees("poisson", fit())
    strides = [run.stride for run in runs]
    assert strides.count(0) == 3 and strides[-1] == 1  # three rounds, then an attempt


def matrix(outcome: Outcome) -> np.ndarray:
    """What the factor of the last turn is of."""
    factor = outcome.kept.factor
    return factor.lower @ factor.lower.T / np.outer(factor.scale, factor.scale)


@pytest.mark.parametrize("keeps", [True, False])
@pytest.mark.parametrize("enough", [True, False], ids=["of the sample", "of its own"])
@pytest.mark.usefixtures("quick")
def test_turns_on_a_kept_factor(
    enough: bool, keeps: bool, runs: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loop over all rows is run turn by turn, to see at which it takes a new matrix."""
    monkeypatch.setattr(_settings, "_CHANGE_TO_KEEP", 1.0 if keeps else 0.0)
    monkeypatch.setattr(_short_way, "_ROWS_TO_KEEP", 1 if enough else 10**9)
    matrices: list[np.ndarray] = []
    solve = _attempts.solve

    def spy(source, objective, loop):
        if stride_of(source) == 1 and not matrices:
            assert bool(loop.kept.use) is enough
            for turns in range(1, 7):
                only = loop.controls._replace(max_turns=np.int32(turns), reach=np.float64(0.0))
                short = dataclasses.replace(loop, controls=only)
                outcome, sums = solve(source, objective, short)
                matrices.append(matrix(outcome))
            largest = np.diag(sums.info).max()
            # From some hundreds of rows, or from where the loop starts.
            np.testing.assert_allclose(matrices[0], sums.info, atol=0.2 * largest)
            near = 0.05 if keeps else 0.01
            np.testing.assert_allclose(matrices[-1], sums.info, atol=near * largest)
        return solve(source, objective, loop)

    monkeypatch.setattr(_attempts, "solve", spy)
    agrees("poisson", fit())
    sampled = matrix(runs[0].outcome) * runs[0].stride
    assert np.allclose(matrices[0], sampled, rtol=1e-12) is enough
    again = [np.array_equal(*pair) for pair in itertools.pairwise(matrices)]
    # The loop ends at its fourth turn at the earliest; turns after the end change nothing.
    assert any(again[:3]) is keeps


@pytest.mark.usefixtures("quick")
def test_a_sample_counts_by_its_share(runs: list, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five tiles of 32 are every seventh: their matrix stands for 6.4 times as much, not for 7."""
    monkeypatch.setattr(_short_way, "_MOST_STRIDE", 7)
    monkeypatch.setattr(_short_way, "_ROWS_TO_KEEP", 1)
    times: list[float] = []
    of_more_rows = KeptFactor.of_more_rows

    def spy(kept: KeptFactor, more: float) -> KeptFactor:
        times.append(more)
        return of_more_rows(kept, more)

    monkeypatch.setattr(KeptFactor, "of_more_rows", spy)
    agrees("poisson", fit())
    assert runs[0].stride == 7 and times == [32 / 5]


class Asked(Exception):
    """What a loop would have run over."""


@pytest.mark.parametrize(("level", "sampled"), [("rare", False), ("common", True)])
@pytest.mark.usefixtures("short")
def test_a_rare_level_keeps_the_sample_from_being_used(
    level: str, sampled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(source: Resident, *_: Any, **__: Any) -> Any:
        raise Asked(stride_of(source))

    monkeypatch.setattr(_attempts, "solve", ask)
    third = np.arange(N) % 150 == 0 if level == "rare" else X2 > 0.5
    table = {"y": COUNTS, "x": X1, "g": np.where(third, "c", np.where(X1 > 0, "a", "b"))}
    with pytest.raises(Asked) as asked:
        jg.glm("y ~ x + g", table, "poisson", compress=False)
    assert (asked.value.args[0] > 1) is sampled


# -- where it does not lead -----------------------------------------------------------------------

BEYOND = X1 > 0.5
FAILING: dict[str, dict[str, Any]] = {
    "near-collinear": {"columns": np.column_stack([X[:, :2], X1 + 1e-7 * X2])},
    "separated": {
        "y": np.where(BEYOND, 0.0, COUNTS),
        "columns": np.column_stack([X[:, :2], BEYOND]),
    },
}


@pytest.mark.parametrize("which", FAILING)
def test_the_ordinary_answer_where_it_fails(which: str) -> None:
    ordinary = fit(**FAILING[which])
    with tuned(large_rows=0):
        results = fit(**FAILING[which])
    assert results.status is ordinary.status
    assert np.array_equal(results.fit.infinite, ordinary.fit.infinite)
    assert results.fit.notes == ordinary.fit.notes
    finite = ~ordinary.fit.infinite
    distance = (results.params - ordinary.params)[finite] / ordinary.bse[finite]
    assert np.abs(distance).max() < 1e-6
    np.testing.assert_allclose(results.bse[finite], ordinary.bse[finite], rtol=1e-7)
    assert results.deviance == pytest.approx(ordinary.deviance, rel=1e-9)


def test_an_optimum_at_the_edge_of_the_domain(runs: list, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends the ordinary way, where the barrier, which is left out here, goes on."""
    monkeypatch.setattr(Search, "barrier", lambda *_: None)
    y = np.where(X1 < 0, 0.0, np.round(COUNTS + 5 * X1))
    settings: dict[str, Any] = {"y": y, "family": jg.Poisson(link=jg.Identity())}
    ordinary = fit(**settings)
    with tuned(large_rows=0):
        results = fit(**settings)
    assert results.status is ordinary.status is Status.STEP_FAILED
    assert len(runs) > 2
    np.testing.assert_array_equal(results.params, ordinary.params)


@pytest.mark.usefixtures("short")
def test_more_columns_than_a_matrix_has_room_for() -> None:
    with tuned(most_cells=8):
        results = fit()
    assert results.method == "lbfgs" and results.bse.isna().all()
    beta, se, *_ = scoring(LAWS["poisson"][2], COUNTS)
    assert np.abs((results.params - beta) / se).max() < 1e-5


@pytest.mark.usefixtures("quick")
def test_float32_products_step_aside_where_they_cannot_hold(runs: list) -> None:
    """A pivot lost in float32 starts the search again with the full sums."""
    columns = np.column_stack([X[:, :2], X1 + 1e-5 * X2])
    results = fit(columns=columns)
    assert results.converged and len(runs) > 2
    mean = np.exp(columns @ results.params.to_numpy() + OFFSET)
    assert np.abs(columns.T @ (WEIGHT * (COUNTS - mean)) * results.bse).max() < 1e-2
