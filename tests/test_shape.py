"""The negative binomial's shape, held against a direct maximisation of the joint likelihood."""

import warnings
from dataclasses import dataclass
from typing import Any

import jax
import mpmath
import numpy as np
import pytest
import scipy.optimize
from scipy.special import gammaln

import jaxglm as jg
from jaxglm._tuning import tuned
from jaxglm.families import NegativeBinomial
from jaxglm.search import _shape, _short_way
from jaxglm.search._shape_profile import ShapeProfile
from jaxglm.search._shape_start import near_shape
from tests.engine import problem
from tests.marks import slow_among

pytestmark = pytest.mark.slow

N = 120
_rng = np.random.default_rng(17)
X = np.column_stack([np.ones(N), _rng.normal(size=(N, 2))])
MEAN = np.exp(X @ [0.8, 0.5, -0.3])
OFFSET = _rng.uniform(-0.5, 0.5, size=N)
FREQ = (1.0 + np.arange(N) % 3) * (np.arange(N) != 11)


def counts(alpha: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.poisson(MEAN * rng.gamma(1 / alpha, alpha, size=N)).astype(float)


def log_likelihood(
    beta: np.ndarray, log_alpha: float, y: np.ndarray, offset: np.ndarray, freq: np.ndarray
) -> float:
    theta, mu = np.exp(-log_alpha), np.exp(X @ beta + offset)
    rows = (
        gammaln(y + theta)
        - gammaln(theta)
        - gammaln(y + 1)
        - theta * np.log1p(mu / theta)
        - y * np.log1p(theta / mu)
    )
    return float(freq @ rows)


@dataclass(frozen=True)
class Joint:
    """Maximum over coefficients and log alpha together, and the curvature in alpha alone."""

    beta: np.ndarray
    alpha: float
    alpha_se: float
    value: float


def maximise(y: np.ndarray, offset: np.ndarray, freq: np.ndarray) -> Joint:
    def loss(at: np.ndarray) -> float:
        return -log_likelihood(at[:3], at[3], y, offset, freq)

    found = scipy.optimize.minimize(loss, np.zeros(4), method="BFGS", options={"gtol": 1e-9})
    found = scipy.optimize.minimize(
        loss, found.x, method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-13}
    )
    beta, alpha = found.x[:3], np.exp(found.x[3])
    h = 1e-3 * alpha
    low, middle, high = (
        log_likelihood(beta, np.log(a), y, offset, freq) for a in (alpha - h, alpha, alpha + h)
    )
    return Joint(beta, alpha, 1 / np.sqrt(-(low - 2 * middle + high) / h**2), middle)


CASES = {
    "weak": (0.1, {}),
    "medium": (0.7, {}),
    "strong": (3.0, {}),
    "offset": (0.7, {"offset": OFFSET}),
    "frequencies": (0.7, {"freq_weights": FREQ}),
    "both": (0.7, {"offset": OFFSET, "freq_weights": FREQ}),
}


def fit(y: np.ndarray, family: Any = "nb", **settings: Any) -> jg.Results:
    return jg.GLM(y, X, family, **settings).fit()


@pytest.mark.parametrize("case", slow_among(CASES, ["medium", "offset", "frequencies"]))
def test_the_joint_maximum(case: str) -> None:
    true_alpha, settings = CASES[case]
    y = counts(true_alpha)
    results = fit(y, **settings)
    joint = maximise(
        y, settings.get("offset", np.zeros(N)), settings.get("freq_weights", np.ones(N))
    )
    alpha = results.fit.alpha
    assert alpha is not None and results.converged
    assert results.llf >= joint.value - 1e-10 * abs(joint.value)
    assert results.llf == pytest.approx(joint.value, rel=1e-10)
    # Half the digits: the search sees the likelihood alone, which is flat at its maximum.
    assert alpha == pytest.approx(joint.alpha, rel=1e-6)
    assert np.allclose(results.params, joint.beta, atol=1e-6)
    assert results.fit.alpha_se == pytest.approx(joint.alpha_se, rel=1e-4)
    assert results.model.family.alpha == alpha


@pytest.mark.parametrize("case", slow_among(CASES, ["offset", "frequencies"]))
def test_neither_slope_is_left(case: str) -> None:
    """Central differences of the likelihood in log alpha, at the coefficients of the fit."""
    true_alpha, settings = CASES[case]
    y = counts(true_alpha)
    results = fit(y, **settings)
    offset = settings.get("offset", np.zeros(N))
    freq = settings.get("freq_weights", np.ones(N))
    beta, u = results.params.to_numpy(), np.log(results.fit.alpha)
    slope = (
        log_likelihood(beta, u + 1e-4, y, offset, freq)
        - log_likelihood(beta, u - 1e-4, y, offset, freq)
    ) / 2e-4
    spread = results.fit.alpha_se / results.fit.alpha
    assert abs(slope) * spread < 1e-6  # in standard errors of log alpha, differences' error aside
    mu = np.exp(X @ beta + offset)
    score = X.T @ (freq * (y - mu) / (1 + results.fit.alpha * mu))
    assert np.max(np.abs(score) * results.bse.to_numpy()) < 1e-9


def test_the_estimate_given_as_a_constant_is_the_same_fit() -> None:
    y = counts(0.7)
    free = fit(y)
    held = fit(y, jg.NegativeBinomial(alpha=free.fit.alpha))
    assert held.fit.alpha is None and held.fit.alpha_se is None
    assert np.allclose(held.params, free.params, rtol=1e-10)
    assert np.allclose(held.bse, free.bse, rtol=1e-9)
    assert held.llf == pytest.approx(free.llf, rel=1e-12)
    assert free.aic == pytest.approx(held.aic + 2, rel=1e-12)  # one parameter more


@pytest.mark.parametrize("alpha", [1e-6, 0.3, 5.0])
def test_a_given_shape_is_kept(alpha: float) -> None:
    results = fit(counts(0.7), jg.NegativeBinomial(alpha=alpha))
    assert results.model.family.alpha == alpha
    assert results.converged


UNDERDISPERSED = {
    "less than Poisson": np.round(MEAN),
    "one constant": np.full(N, 3.0),
    "binary": (np.arange(N) % 2) * 1.0,
}


@pytest.mark.parametrize("which", UNDERDISPERSED)
def test_without_overdispersion_the_shape_is_at_its_boundary(which: str) -> None:
    y = UNDERDISPERSED[which]
    with pytest.warns(jg.BoundaryWarning, match="not overdispersed"):
        results = fit(y)
    poisson = fit(y, "poisson")
    assert results.fit.alpha == 0.0 and np.isnan(results.fit.alpha_se)
    assert any("alpha goes to 0" in note for note in results.fit.notes)
    assert np.allclose(results.params, poisson.params, rtol=1e-10, atol=1e-12)
    assert np.allclose(results.bse, poisson.bse, rtol=1e-9)
    assert results.deviance == pytest.approx(poisson.deviance, rel=1e-9, abs=1e-9)
    assert results.llf == pytest.approx(poisson.llf, rel=1e-10)


def exact_slope(alpha: float, y: np.ndarray, mu: np.ndarray) -> float:
    """Of the log-likelihood in log alpha, in 50 digits: theta large cancels all of 16."""
    with mpmath.workdps(50):
        theta = 1 / mpmath.mpf(alpha)
        total = mpmath.mpf(0)
        for count, mean in zip(y, mu, strict=True):
            total += mpmath.digamma(count + theta) - mpmath.digamma(theta)
            total += mpmath.log(theta / (theta + mean)) + (mean - count) / (theta + mean)
        return float(-theta * total)


@pytest.mark.parametrize("seed", range(4))
def test_hardly_any_overdispersion(seed: int) -> None:
    """On either side of the boundary, by chance; the score at alpha = 0 says on which."""
    y = counts(0.002, seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", jg.BoundaryWarning)
        results = fit(y)
    mu = fit(y, "poisson").fittedvalues.to_numpy()
    overdispersed = np.sum((y - mu) ** 2 - y) > 0
    assert (results.fit.alpha > 0) == overdispersed
    if overdispersed:
        spread = results.fit.alpha_se / results.fit.alpha
        slope = exact_slope(results.fit.alpha, y, results.fittedvalues.to_numpy())
        assert abs(slope) * spread < 1e-7


@pytest.mark.slow
def test_frequencies_are_repeated_rows() -> None:
    y = counts(0.7)
    weighted = fit(y, freq_weights=FREQ)
    rows = np.repeat(np.arange(N), FREQ.astype(int))
    repeated = jg.GLM(y[rows], X[rows], "nb").fit()
    assert weighted.fit.alpha == pytest.approx(repeated.fit.alpha, rel=1e-10)
    assert weighted.fit.alpha_se == pytest.approx(repeated.fit.alpha_se, rel=1e-9)
    assert np.allclose(weighted.params, repeated.params, rtol=1e-10)


@pytest.mark.parametrize("method", ["newton", "lbfgs"])
def test_the_shape_does_not_depend_on_the_method(method: str) -> None:
    y = counts(0.7)
    one = fit(y)
    other = jg.GLM(y, X, "nb").fit(method=method)
    assert other.converged
    assert other.fit.alpha == pytest.approx(one.fit.alpha, rel=1e-7)
    assert np.max(np.abs(other.params - one.params) / one.bse) < 1e-7


def test_an_aliased_column_beside_the_shape() -> None:
    y = counts(0.7)
    with pytest.warns(jg.RankWarning):
        results = jg.GLM(y, np.column_stack([X, X[:, 1]]), "nb").fit()
    plain = fit(y)
    assert results.fit.alpha == pytest.approx(plain.fit.alpha, rel=1e-9)
    assert np.allclose(results.params.iloc[:3], plain.params, rtol=1e-9)
    assert np.isnan(results.params.iloc[3])


def log_likelihood_of_shape(y: np.ndarray, mu: np.ndarray, freq: Any = 1.0) -> float:
    """The largest over the shape, by a search of another kind."""

    def loss(log_alpha: float) -> float:
        theta = np.exp(-log_alpha)
        rows = gammaln(y + theta) - gammaln(theta) - gammaln(y + 1)
        rows = rows - theta * np.log1p(mu / theta) - y * np.log1p(theta / mu)
        return -float(np.sum(freq * rows))

    return -scipy.optimize.minimize_scalar(loss, bounds=(-20, 5), method="bounded").fun


@pytest.mark.slow
def test_the_null_model_has_a_shape_of_its_own() -> None:
    """R: logLik(glm.nb(y ~ 1)); the null deviance stays that at the theta of the model."""
    table = {"y": [0, 1, 0, 7, 2, 15, 3, 30], "x": np.arange(8)}
    results = jg.glm("y ~ x", table, family="nb")
    assert results.llnull == pytest.approx(-23.4412760595, abs=1e-9)
    fixed = jg.glm("y ~ x", table, family=jg.NegativeBinomial(alpha=results.fit.alpha))
    assert results.null_deviance == pytest.approx(fixed.null_deviance, rel=1e-9)
    assert jg.glm("y ~ 1", table, family="nb").llf == pytest.approx(results.llnull, rel=1e-12)
    doubled = {name: np.tile(values, 2) for name, values in table.items()}
    doubled["shop"] = np.repeat(["a", "b"], 8)
    groups = jg.fit_groups("y ~ x", doubled, "shop", family="nb")
    assert np.allclose(groups.glance()["llnull"], results.llnull, rtol=1e-12)
    responses = jg.fit_responses("~ x", table, ["y"], family="nb")
    assert responses.glance()["llnull"].to_numpy() == pytest.approx([results.llnull])


@pytest.mark.parametrize("link", slow_among(["log", "sqrt"], ["sqrt"]))
def test_null_shapes_beside_weights(link: str) -> None:
    y = counts(0.7)
    results = jg.GLM(y, X, "nb", link=link, freq_weights=FREQ).fit()
    mean = np.full(N, FREQ @ y / FREQ.sum())
    assert results.llnull == pytest.approx(log_likelihood_of_shape(y, mean, FREQ), rel=1e-9)


@pytest.mark.slow
def test_null_shapes_beside_an_offset() -> None:
    y = counts(0.7)
    results = jg.GLM(y, X, "nb", offset=OFFSET).fit()
    only = jg.GLM(y, X[:, :1], "nb", offset=OFFSET).fit()
    assert results.llnull == pytest.approx(only.llf, rel=1e-11)
    assert only.llnull == pytest.approx(only.llf, rel=1e-11)
    without = jg.GLM(y, X[:, 1:], "nb", offset=OFFSET).fit()
    expected = log_likelihood_of_shape(y, np.exp(OFFSET))
    assert without.llnull == pytest.approx(expected, rel=1e-9)


def test_a_null_model_without_overdispersion() -> None:
    table = {"y": [2, 3, 2, 3, 2, 3, 2, 3], "x": np.arange(8)}
    results = jg.glm("y ~ x", table, family="nb", on_failure="ignore")
    assert results.llnull == pytest.approx(jg.glm("y ~ x", table, family="poisson").llnull)


@pytest.mark.parametrize("name", slow_among(["freq_weights", "var_weights"], ["freq_weights"]))
@pytest.mark.slow
def test_a_row_without_weight_may_lie_outside_the_domain(name: str) -> None:
    x = np.arange(16) / 16
    y = np.array([8, 5, 3, 3, 3, 6, 4, 9, 8, 0, 2, 4, 8, 8, 7, 1.0])
    far = np.r_[x, np.linspace(-60, 60, 16)]
    weight = np.repeat([1.0, 0.0], 16)
    family = jg.NegativeBinomial(link=jg.Inverse())
    plain = jg.GLM(y, jg.add_constant(x), family).fit()
    more = jg.GLM(np.r_[y, y], jg.add_constant(far), family, **{name: weight}).fit()
    assert plain.fit.alpha > 0.05
    assert more.fit.alpha == pytest.approx(plain.fit.alpha, rel=1e-9)
    assert more.llf == pytest.approx(plain.llf, rel=1e-12)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_counts_that_are_all_zero_have_no_shape(dtype: str) -> None:
    with pytest.warns(jg.SeparationWarning), pytest.warns(jg.ConvergenceWarning, match="shape"):
        results = jg.GLM(np.zeros(8), np.ones((8, 1)), "nb").fit(dtype=dtype)
    assert results.status is jg.Status.SEPARATED
    assert np.isnan(results.fit.alpha) and results.family.alpha == 0
    assert any("counts do not determine it" in note for note in results.notes)


# -- large fits -----------------------------------------------------------------------------------


@pytest.mark.parametrize("whole", slow_among([True, False], [False]), ids=["counts", "amounts"])
@pytest.mark.slow
def test_a_large_fit_starts_from_a_sample(whole: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes turns over coefficients and shape together, and ends where the ordinary way does."""
    rng = np.random.default_rng(3)
    n = 2000
    columns = np.column_stack([np.ones(n), rng.normal(size=(n, 2))])
    y = rng.poisson(np.exp(columns @ [0.8, 0.5, -0.3]) * rng.gamma(2.0, 0.5, size=n)) * 1.0
    y = y if whole else y + 0.25 * (y > 3)
    starts: list[Any] = []

    def spy(*args: Any) -> Any:
        starts.append(near_shape(*args))
        return starts[-1]

    monkeypatch.setattr(_shape, "near_shape", spy)
    monkeypatch.setattr(_short_way, "_ROWS_TO_KEEP", 1)
    with tuned(smallest_tile=64, largest_tile=64):
        loop = jg.GLM(y, columns, "negative_binomial").fit()
        with tuned(large_rows=0):
            short = jg.GLM(y, columns, "negative_binomial").fit()
    assert starts[0] is None and starts[1] is not None
    assert starts[1].log_alpha == pytest.approx(np.log(loop.fit.alpha), abs=1e-6)
    assert short.fit.alpha == pytest.approx(loop.fit.alpha, rel=1e-9)
    assert short.fit.alpha_se == pytest.approx(loop.fit.alpha_se, rel=1e-9)
    np.testing.assert_allclose((short.params - loop.params) / loop.bse, 0.0, atol=1e-9)
    np.testing.assert_allclose(short.bse, loop.bse, rtol=1e-9)
    assert short.llf == pytest.approx(loop.llf, rel=1e-12)


@pytest.mark.parametrize("log_alpha", [-18.0, -6.0, -1.0, 1.5, 8.0])
def test_slopes_of_counts_are_those_of_the_likelihood(log_alpha: float) -> None:
    rng = np.random.default_rng(4)
    table = {"x": rng.normal(size=50), "y": rng.poisson(4.0, 50) * 1.0, "weights": FREQ[:50]}
    weights = table.pop("weights")
    with jax.enable_x64(True):
        source = problem("y ~ x", table, "negative_binomial", weights=weights).source
        profile, gamma = ShapeProfile(source), np.array([1.2, 0.3])
        family = NegativeBinomial()
        found = profile.slopes(source, family, gamma, log_alpha)
        profile._length = 0
        expected = profile.slopes(source, family, gamma, log_alpha)
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_counts_that_have_no_table() -> None:
    with jax.enable_x64(True):
        for y in ([0.0, 2.5, 1.0], [0.0, 3.0, 1e6]):
            source = problem("y ~ 1", {"y": np.array(y)}, "negative_binomial").source
            assert ShapeProfile(source)._length == 0
