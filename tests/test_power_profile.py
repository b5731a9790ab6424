"""The Tweedie power by profile likelihood, held to the density as a sum over Poisson numbers."""

import re
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import gammaln, logsumexp

import jaxglm as jg

from .marks import slow_among

pytestmark = pytest.mark.slow

N = 48
_rng = np.random.default_rng(3)
GROUP = np.arange(N) % 3
NAMES = np.array(list("abc"))[GROUP]
X = _rng.normal(size=N)
_number = _rng.poisson(1.1 + 0.3 * GROUP)
Y = np.where(_number > 0, _rng.gamma(0.8 * np.maximum(_number, 1), np.exp(0.4 * GROUP)), 0.0)
PRIOR = _rng.uniform(0.5, 2.0, N)
TIMES = (np.arange(N) // 3 % 3).astype(float)
TABLE = {"y": Y, "g": NAMES, "x": X, "prior": PRIOR, "times": TIMES}
J = np.arange(1, 120)[:, None]


def rows(y: np.ndarray, mean: np.ndarray, phi: np.ndarray, power: float) -> np.ndarray:
    """The log density: a Poisson number j of gamma amounts, over every j."""
    rate = mean ** (2 - power) / (phi * (2 - power))
    shape = J * (2 - power) / (power - 1)
    scale = phi * (power - 1) * mean ** (power - 1)
    at = np.where(y > 0, y, 1.0)
    number = -rate + J * np.log(rate) - gammaln(J + 1)
    amount = (shape - 1) * np.log(at) - at / scale - gammaln(shape) - shape * np.log(scale)
    return np.where(y > 0, logsumexp(number + amount, axis=0), -rate)


def group_means(weight: np.ndarray) -> np.ndarray:
    """Those of maximum likelihood where the groups are the model, whatever the power is."""
    total, count = np.bincount(GROUP, weight * Y), np.bincount(GROUP, weight)
    return np.where(count > 0, total / np.maximum(count, 1e-9), 1.0)[GROUP]


def brute(power: float, prior: np.ndarray, freq: np.ndarray) -> tuple[float, float]:
    """The largest log-likelihood at a power, and the log dispersion that gives it."""
    mean = group_means(prior * freq)

    def loss(log: float) -> float:
        return -float(freq @ rows(Y, mean, np.exp(log) / prior, power))

    found = minimize_scalar(loss, bounds=(-2, 2), method="bounded", options={"xatol": 1e-10})
    return -found.fun, found.x


ONES = np.ones(N)
CASES: dict[str, tuple[dict[str, Any], np.ndarray, np.ndarray]] = {
    "plain": ({}, ONES, ONES),
    "weights": ({"var_weights": "prior", "freq_weights": "times"}, PRIOR, TIMES),
}


def profiled(formula: str = "y ~ g", powers: Any = (1.4, 1.6), **settings: Any) -> Any:
    table = settings.pop("table", TABLE)
    fit = jg.glm(formula, table, family=jg.Tweedie(power=1.5), **settings)
    return fit.power_profile(powers)


@pytest.fixture(scope="module")
def plain() -> Any:
    return profiled()


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_brute_force(case: str) -> None:
    settings, prior, freq = CASES[case]
    found = profiled(**settings)

    def value(power: float) -> float:
        return brute(power, prior, freq)[0]

    power, h = found.power, 1e-3
    two, one, at, other, far = (value(power + i * h) for i in (-2, -1, 0, 1, 2))
    slope, curvature = (8 * (other - one) - (far - two)) / (12 * h), (other - 2 * at + one) / h**2
    assert abs(slope / curvature) < 1e-6  # the distance to the root of the slope
    for end in found.conf_int().to_numpy()[0]:
        assert at - value(end) == pytest.approx(3.841458820694124 / 2, abs=1e-5)
    for _, row in found.table.iterrows():
        top, log_phi = brute(row["power"], prior, freq)
        assert row["llf"] == pytest.approx(top, abs=1e-9)
        assert row["dispersion"] == pytest.approx(np.exp(log_phi), rel=1e-5)
    assert found.llf == found.table["llf"].max()


@pytest.mark.slow
def test_the_likelihood_in_forty_digits(plain: Any) -> None:
    with mpmath.workdps(40):
        power, phi = mpmath.mpf(plain.power), mpmath.mpf(plain.dispersion)
        shape, total = (2 - power) / (power - 1), mpmath.mpf(0)
        for y, mean in zip(Y, group_means(ONES), strict=True):
            mu = mpmath.mpf(mean)
            rate = mu ** (2 - power) / (phi * (2 - power))
            scale = phi * (power - 1) * mu ** (power - 1)
            total -= rate
            if y > 0:
                terms = (
                    rate**j
                    * (y / scale) ** (j * shape)
                    / (mpmath.factorial(j) * mpmath.gamma(j * shape))
                    for j in range(1, 120)
                )
                total += mpmath.log(mpmath.fsum(terms) / y) - y / scale
        assert plain.llf == pytest.approx(float(total), rel=1e-13)


@pytest.mark.slow
def test_the_table_and_the_fit(plain: Any) -> None:
    table = plain.table
    assert list(table.columns) == ["power", "dispersion", "deviance", "llf"]
    assert np.allclose(table["power"], sorted([1.4, 1.6, plain.power]))
    fit = plain.fit
    assert fit.family == jg.Tweedie(power=plain.power)
    held = jg.glm("y ~ g", TABLE, family=fit.family)
    assert np.allclose(fit.params, held.params, rtol=1e-10)
    assert np.allclose(fit.bse, held.bse, rtol=1e-8)
    assert fit.aic == pytest.approx(held.aic + 2, rel=1e-12)  # one parameter more
    assert table.loc[table["llf"].idxmax(), "deviance"] == pytest.approx(fit.deviance, rel=1e-10)
    again = fit.power_profile([1.5], alpha=0.1).fit
    for of in (fit, again):
        assert sum("estimate by profile likelihood" in note for note in of.notes) == 1
    assert "95 % interval" in str(plain) and "<table" in plain._repr_html_()


@pytest.mark.slow
def test_where_the_search_starts_does_not_matter(plain: Any) -> None:
    fit = jg.glm("y ~ g", TABLE, family=jg.Tweedie(power=1.9))
    for powers in ([1.1], [1.9, 1.8]):
        found = fit.power_profile(powers)
        assert found.power == pytest.approx(plain.power, abs=1e-6)
        assert np.allclose(found.conf_int(), plain.conf_int(), atol=1e-6)


@pytest.mark.slow
def test_a_covariate_an_offset_and_a_column_left_out() -> None:
    """No slope is left in the power, and the ends lose what they should."""
    table = {**TABLE, "z": 2 * X, "o": 0.1 * np.arange(N) / N}
    with pytest.warns(jg.RankWarning):
        fit = jg.glm("y ~ x + z", table, family=jg.Tweedie(power=1.5), offset="o")
    found = fit.power_profile([1.4, 1.6])
    assert np.isnan(found.fit.params["z"])
    mean = found.fit.fittedvalues.to_numpy()

    def value(power: float) -> float:
        return float(rows(Y, mean, np.full(N, found.dispersion), power).sum())

    power, h = found.power, 1e-4
    below, at, above = value(power - h), value(power), value(power + h)
    slope, curvature = (above - below) / (2 * h), (above - 2 * at + below) / h**2
    assert at == pytest.approx(found.llf, abs=1e-9)
    assert abs(slope / curvature) < 1e-6
    ends = fit.power_profile(found.conf_int().to_numpy()[0]).table["llf"]
    assert np.allclose(found.llf - ends.iloc[[0, 2]], 3.841458820694124 / 2, atol=1e-5)


@pytest.mark.slow
def test_frequencies_are_repeated_rows() -> None:
    counted = profiled(freq_weights="times")
    each = {name: np.repeat(values, TIMES.astype(int)) for name, values in TABLE.items()}
    repeated = profiled(table=each)
    assert counted.power == pytest.approx(repeated.power, abs=1e-8)
    assert counted.llf == pytest.approx(repeated.llf, rel=1e-12)


@pytest.mark.slow
def test_a_level_of_zeros_has_no_part_in_it() -> None:
    with pytest.warns(jg.SeparationWarning):
        found = profiled(table={"y": np.where(GROUP == 2, 0.0, Y), "g": NAMES})
    others = (GROUP < 2).astype(float)
    assert found.llf == pytest.approx(brute(found.power, ONES, others)[0], abs=1e-9)
    assert found.fit.params["g[T.c]"] == -np.inf
    for power in (found.power - 1e-3, found.power + 1e-3):
        assert brute(power, ONES, others)[0] < found.llf


WITHOUT_MAXIMUM: dict[str, tuple[Callable[[], np.ndarray], str]] = {
    "no zeros": (lambda: Y + 1.0, "None of the responses is 0.*gamma model"),
    "counts": (lambda: _rng.poisson(1.5, N).astype(float), "All responses are whole numbers"),
    "multiples": (lambda: 0.3 * _rng.poisson(1.5, N), "1.0[0-9]* has the largest. Towards power 1"),
}


@pytest.mark.parametrize("which", slow_among(WITHOUT_MAXIMUM, ["counts", "no zeros"]))
def test_no_maximum_is_said_in_words(which: str) -> None:
    make, words = WITHOUT_MAXIMUM[which]
    found = profiled(table={"y": make(), "g": NAMES})
    assert np.isnan(found.power) and found.conf_int().isna().to_numpy().all()
    assert "no maximum between 1 and 2" in str(found)
    with pytest.raises(jg.DataError, match="no fit at the best power"):
        found.fit  # noqa: B018
    assert len(found.notes) == 1
    assert re.search(words, found.notes[0])


def test_whole_numbers_that_are_amounts() -> None:
    found = profiled(table={"y": np.round(1000 * Y), "g": NAMES})
    assert np.isfinite(found.power)
    assert found.notes[0].startswith("All responses are whole numbers")


def test_an_interval_to_the_end() -> None:
    amounts = np.random.default_rng(1).gamma(2.0, np.exp(0.4 * GROUP))
    found = profiled(table={"y": amounts, "g": NAMES})
    assert found.conf_int().loc["power", 1] == 2.0
    assert "the data do not exclude it" in found.notes[0]


def test_refusals() -> None:
    fit = jg.glm("y ~ g", TABLE, family=jg.Tweedie(power=1.5))
    for powers in ([1.0, 1.5], [], ["a"], 2.5):
        with pytest.raises(ValueError, match="powers must be numbers between 1 and 2"):
            fit.power_profile(powers)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="alpha must lie"):
        fit.power_profile(alpha=2)
    with pytest.raises(jg.DataError, match="is for Tweedie models, and the family is poisson"):
        jg.glm("times ~ 1", TABLE, family="poisson").power_profile()
    below = jg.glm("y ~ g", {"y": X - X.mean() + 1, "g": NAMES}, family=jg.Tweedie(power=0))
    with pytest.raises(jg.DataError, match="some are negative"):
        below.power_profile()
    with pytest.raises(jg.DataError, match="needs the rows of the fit"):
        fit.without_data().power_profile()
