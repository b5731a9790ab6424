"""Unit deviances and log-likelihoods of families against values of many digits."""

import csv
import json
import math
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxglm.families import (
    Binomial,
    Family,
    Gamma,
    Gaussian,
    InverseGaussian,
    NegativeBinomial,
    Poisson,
    Quasi,
    Tweedie,
)
from jaxglm.links import (
    Cauchit,
    CLogLog,
    Log,
    Sqrt,
)
from tests import exact
from tests.family_rows import WEDDERBURN, evaluate, name_of, padded
from tests.test_links import relative_error

from .marks import slow_among

REFERENCE = Path(__file__).parent / "data" / "reference"


DEVIANCES: list[tuple[Family, list]] = [
    (Gaussian(), [-3.0, 1.0, 1e5]),
    (Binomial(), [0.0, 1e-9, 0.3, 0.5, 1 - 1e-9, 1.0]),
    (Poisson(), [0.0, 1e-3, 1.0, 50.0, 1e9]),
    (Gamma(), [1e-9, 1.0, 1e9]),
    (InverseGaussian(), [1e-9, 1.0, 1e9]),
    (Tweedie(power=1.0), [0.0, 1e-5, 1.0, 1e6]),
    (Tweedie(power=1.001), [0.0, 1e-5, 1.0, 1e6]),
    (Tweedie(power=1.5), [0.0, 1e-5, 1.0, 1e6]),
    (Tweedie(power=2.0), [1e-5, 1.0, 1e6]),
    (Tweedie(power=3.7), [1e-5, 1.0, 1e6]),
    (NegativeBinomial(alpha=0.5), [0.0, 1.0, 50.0, 1e9]),
    (NegativeBinomial(alpha=1e-10), [0.0, 1.0, 50.0, 1e9]),
    (NegativeBinomial(alpha=1e4), [0.0, 1.0, 50.0, 1e9]),
    (NegativeBinomial(alpha=0.0), [0.0, 1.0, 50.0]),
    (Quasi(WEDDERBURN), [1e-9, 0.3, 0.5, 1 - 1e-9]),
]


def deviance_and_slope(law: Family, y: np.ndarray, mu: np.ndarray) -> list[np.ndarray]:
    return padded(compiled_deviance, law, y, mu)


@jax.jit
def compiled_deviance(law: Family, y: jax.Array, mu: jax.Array) -> tuple[jax.Array, jax.Array]:
    return jax.jvp(lambda m: law.unit_deviance(y, m), (mu,), (jnp.ones_like(mu),))


@pytest.mark.parametrize(("law", "responses"), DEVIANCES, ids=name_of)
def test_unit_deviance_keeps_its_digits_next_to_the_response(law: Family, responses: list) -> None:
    apart = [-0.9, -0.5, -0.34, -0.1, -1e-3, -1e-9, -1e-13, 1e-13, 1e-9, 1e-3, 0.1, 0.49, 0.51, 2]
    pairs = []
    for y in responses:
        for difference in [*apart, 1e3]:
            if law.mean_domain[1] != 1 or y <= 0.5:
                mu = (y or 1.0) * (1 + difference)
            else:
                mu = 1 - ((1 - y) or 0.3) * (1 + difference)
            if law.mean_domain[0] < mu < law.mean_domain[1] or law.name == "gaussian":
                pairs.append((y, mu))
    y, mu = np.array(pairs).T
    rule = exact.law(law)
    numbers = [(exact.mp.mpf(a), exact.mp.mpf(b)) for a, b in pairs]
    right = np.array([float(rule.deviance(a, b)) for a, b in numbers])
    slope = np.array([float(2 * (b - a) / rule.variance(b)) for a, b in numbers])
    with jax.enable_x64(True):
        found, found_slope = deviance_and_slope(law, y, mu)
        at_response, _ = deviance_and_slope(law, y, np.where(y == 0, mu, y))
    assert relative_error(found, right) < 1e-13
    # Far out, where the variance dwarfs the distance, the slope is a difference.
    near = np.abs(mu - y) < 10 * np.maximum(y, 1e-300)
    assert relative_error(np.asarray(found_slope)[near], slope[near]) < 1e-12
    assert (at_response[(y > 0) & (y < 1)] == 0).all()


def test_unit_deviance_at_the_ends_of_the_mean() -> None:
    infinite = math.inf
    with jax.enable_x64(True):
        for law in (Poisson(), NegativeBinomial(alpha=0.5), Tweedie(power=1.5), Tweedie(power=1)):
            y, mu = np.array([0.0, 1.0, 0.0, 1.0]), np.array([0.0, 0.0, infinite, infinite])
            unit = deviance_and_slope(law, y, mu)[0]
            assert unit.tolist() == [0.0, infinite, infinite, infinite]
        y, mu = np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.0, 1.0, 0.0, 1.0])
        unit = deviance_and_slope(Binomial(), y, mu)[0]
        assert unit.tolist() == [0.0, infinite, infinite, 0.0]
        y, mu = np.array([1.0, 1.0]), np.array([0.0, infinite])
        unit = deviance_and_slope(Gamma(), y, mu)[0]
        assert unit.tolist() == [infinite, infinite]
        unit = deviance_and_slope(InverseGaussian(), y, mu)[0]
        assert unit.tolist() == [infinite, 1.0]


# ---------------------------------------------------------------------------- likelihoods
mp = exact.mp


def log_negative_binomial(y, mu, alpha):
    theta = 1 / alpha
    gammas = mp.loggamma(y + theta) - mp.loggamma(theta) - mp.loggamma(y + 1)
    return gammas + theta * mp.log(theta / (theta + mu)) + exact.xlogy(y, mu / (mu + theta))


def log_gamma_density(y, mu, phi):
    a = 1 / phi
    return a * mp.log(a * y / mu) - a * y / mu - mp.log(y) - mp.loggamma(a)


def log_tweedie_density(y, mu, phi, p):
    """Dunn & Smyth (2005), the series as it stands."""
    a = (2 - p) / (1 - p)
    log_z = -a * mp.log(y) + a * mp.log(p - 1) - (1 - a) * mp.log(phi) - mp.log(2 - p)
    mode = max(1, int(y ** (2 - p) / (phi * (2 - p))))
    width = int(12 * math.sqrt(mode) + 60)
    total = mp.fsum(
        mp.exp(j * log_z - mp.loggamma(1 + j) - mp.loggamma(-a * j))
        for j in range(max(1, mode - width), mode + width)
    )
    canonical = y * mu ** (1 - p) / (1 - p) - mu ** (2 - p) / (2 - p)
    return mp.log(total) - mp.log(y) + canonical / phi


@jax.jit
def compiled_likelihood(law, y, mu, weight, scale):
    return law.log_likelihood(y, mu, weight, scale[0])


def likelihood(law: Family, y, mu, weight=1.0, scale=1.0) -> np.ndarray:
    weight, scale = np.broadcast_to(weight, np.shape(y)), np.broadcast_to(scale, np.shape(y))
    return padded(compiled_likelihood, law, y, mu, weight, scale)


def check_rows(found: jax.Array, right: list) -> None:
    """To 1e-13 of the value, or of 1: the size of a term in a sum of likelihoods."""
    np.testing.assert_allclose(found, [float(value) for value in right], rtol=1e-13, atol=1e-13)


def numbers(values: np.ndarray) -> list:
    return [mp.mpf(float(value)) for value in values]


@pytest.fixture
def seventy_digits():
    digits, mp.dps = mp.dps, 70
    yield
    mp.dps = digits


@pytest.mark.usefixtures("seventy_digits")
def test_count_likelihoods_keep_their_digits_at_a_billion() -> None:
    y = np.array([0, 1, 3, 1e3, 1e9, 1e12])
    mu = np.array([2.0, 0.1, 3.3, 900, 1.00001e9, 1e12])
    pairs = list(zip(numbers(y), numbers(mu), strict=True))
    with jax.enable_x64(True):
        check_rows(
            likelihood(Poisson(), y, mu),
            [exact.xlogy(a, b) - b - mp.loggamma(a + 1) for a, b in pairs],
        )
        found = likelihood(Poisson(), y, mu, 3.0)
        check_rows(found, [3 * (exact.xlogy(a, b) - b - mp.loggamma(a + 1)) for a, b in pairs])

        trials = np.array([1, 5, 20, 1e9, 1e9, 1e9, 3, 1])
        successes = np.array([1, 0, 7, 3, 11, 5e8, 3, 0])
        mu = np.array([0.3, 0.1, 0.3, 3e-9, 1e-8, 0.50001, 0.9, 1e-12])
        right = [
            mp.loggamma(m + 1)
            - mp.loggamma(s + 1)
            - mp.loggamma(m - s + 1)
            + exact.xlogy(s, p)
            + exact.xlogy(m - s, 1 - p)
            for m, s, p in zip(numbers(trials), numbers(successes), numbers(mu), strict=True)
        ]
        weights = np.full(8, 2.0)
        check_rows(likelihood(Binomial(), successes / trials, mu, trials), right)
        found = jax.jit(Binomial().log_likelihood)(successes / trials, mu, weights, 1.0, trials)
        check_rows(found, [2 * value for value in right])


@jax.jit
def compiled_alpha(law: NegativeBinomial, y: jax.Array, mu: jax.Array):
    """Log-likelihood and its derivative in alpha."""

    def of_alpha(alpha):
        return NegativeBinomial(alpha=alpha).log_likelihood(y, mu, jnp.ones_like(mu), 1.0)

    return jax.jvp(of_alpha, (law.alpha,), (jnp.ones_like(law.alpha),))


@pytest.mark.usefixtures("seventy_digits")
@pytest.mark.parametrize("alpha", [1e-10, 1e-5, 0.3, 1e4])
def test_negative_binomial_likelihood_and_its_derivative_in_alpha(alpha: float) -> None:
    y, mu = np.array([0, 1, 3, 1e3, 1e6]), np.array([2.0, 0.1, 3.3, 900, 1.1e6])
    a, step = mp.mpf(alpha), mp.mpf(alpha) * mp.mpf(10) ** -20
    value, slope = [], []
    for y_row, mu_row in zip(numbers(y), numbers(mu), strict=True):
        above = log_negative_binomial(y_row, mu_row, a + step)
        below = log_negative_binomial(y_row, mu_row, a - step)
        value.append(log_negative_binomial(y_row, mu_row, a))
        slope.append((above - below) / (2 * step))

    with jax.enable_x64(True):
        found, found_slope = padded(compiled_alpha, NegativeBinomial(alpha=alpha), y, mu)
    check_rows(found, value)
    np.testing.assert_allclose(found_slope, [float(s) for s in slope], rtol=1e-10)


def test_negative_binomial_at_alpha_zero_is_poisson() -> None:
    y, mu = np.array([0, 1, 3, 1e3]), np.array([2.0, 0.1, 3.3, 900])
    with jax.enable_x64(True):
        found, slope = padded(compiled_alpha, NegativeBinomial(alpha=0.0), y, mu)
        np.testing.assert_allclose(found, likelihood(Poisson(), y, mu), rtol=1e-13)
    np.testing.assert_allclose(slope, 0.5 * ((y - mu) ** 2 - y), rtol=1e-12)
    assert NegativeBinomial(alpha=0.5).theta == 2.0
    assert NegativeBinomial(alpha=0.0).theta == math.inf
    assert NegativeBinomial().theta is None
    with pytest.raises(ValueError, match="estimated by the fit and not known here"):
        NegativeBinomial().variance(1.0)


@pytest.mark.usefixtures("seventy_digits")
def test_likelihoods_with_a_dispersion() -> None:
    y = np.array([0.2, 1, 3, 1e3, 1e-9])
    weight = np.array([1.0, 2.0, 0.5, 1.0, 0.0])
    with jax.enable_x64(True):
        for phi in (1e-8, 0.3, 40.0):
            mu = y * (1 + np.array([0.1, -0.01, 0.3, -0.2, 0.001]) * min(1, phi**0.5))
            rows = list(zip(numbers(y), numbers(mu), numbers(weight), strict=True))
            right = [w * log_gamma_density(a, m, mp.mpf(phi)) if w else 0 for a, m, w in rows]
            check_rows(likelihood(Gamma(), y, mu, weight, phi), right)
            right = [
                -w * ((a - m) ** 2 / (phi * a * m * m) + mp.log(2 * mp.pi * phi * a**3)) / 2
                for a, m, w in rows
            ]
            check_rows(likelihood(InverseGaussian(), y, mu, weight, phi), right)
            right = [
                -(w * (a - m) ** 2 / phi + mp.log(2 * mp.pi * phi / w)) / 2 if w else 0
                for a, m, w in rows
            ]
            check_rows(likelihood(Gaussian(), y, mu, weight, phi), right)
    assert Gaussian().likelihood_scale(10.0, 4.0, 5.0, 9.0) == 2.0
    assert Gamma().likelihood_scale(10.0, 4.0, 5.0, 9.0) == 2.5
    assert InverseGaussian().likelihood_scale(10.0, 4.0, 5.0, 9.0) == 2.5
    assert Tweedie().likelihood_scale(10.0, 4.0, 5.0, 9.0) == 9.0
    assert Poisson().likelihood_scale(10.0, 4.0, 5.0, 9.0) == 1.0


@pytest.mark.usefixtures("seventy_digits")
@pytest.mark.parametrize("power", [1.05, 1.5, 1.95])
def test_tweedie_series_from_few_terms_to_many(power: float) -> None:
    p = mp.mpf(power)
    rows = []
    for mode in (0.001, 1, 19.9, 20.1, 300):
        for y, ratio in ((0.01, 0.8), (1e4, 1.3)):
            rows.append((y, y * ratio, y ** (2 - power) / ((2 - power) * mode)))
    y, mu, phi = np.array(rows).T
    with jax.enable_x64(True):
        found = likelihood(Tweedie(power=power), y, mu, 1 / phi)
    check = [log_tweedie_density(*map(mp.mpf, row), p) for row in rows]
    np.testing.assert_allclose(found, [float(value) for value in check], rtol=1e-12, atol=1e-12)


# Means, dispersions and weights about a response near, between and beyond the multiples of the
# dispersion, at which the density of a power just above 1 stands.
_TWEEDIE_Y = np.array([0.0, 0.37, 1.0, 2.5, 17.3])
_TWEEDIE_REST = [(0.5, 1.0, 1.0), (20.0, 1.0, 2.5), (2.0, 0.05, 1.0), (2.0, 30.0, 2.5)]


# The gap between response and lattice is known to the rounding of the response, over p - 1.
ENDS = [(1.00001, 1e-10), (1.0001, 1e-11), (1.001, 1e-12), (1.999, 1e-13)]


@pytest.mark.usefixtures("seventy_digits")
@pytest.mark.parametrize(
    ("power", "rtol"),
    slow_among(ENDS, ENDS[1:]),
)
def test_tweedie_density_next_to_the_ends_of_its_powers(power: float, rtol: float) -> None:
    p = mp.mpf(power)
    for mean, scale, weight in _TWEEDIE_REST:
        phi = mp.mpf(scale) / mp.mpf(weight)
        at_zero = -(mp.mpf(mean) ** (2 - p)) / (2 - p) / phi
        right = [at_zero] + [
            log_tweedie_density(y, mp.mpf(mean), phi, p) for y in numbers(_TWEEDIE_Y[1:])
        ]
        with jax.enable_x64(True):
            mu = np.full(_TWEEDIE_Y.size, mean)
            found = likelihood(Tweedie(power=power), _TWEEDIE_Y, mu, weight, scale)
        assert np.isfinite(found).all()
        np.testing.assert_allclose(found, [float(v) for v in right], rtol=rtol, atol=rtol)


def test_tweedie_density_meets_its_limits() -> None:
    y, mu = np.linspace(0.1, 8, 10), np.full(10, 2.0)
    with jax.enable_x64(True):
        near = likelihood(Tweedie(power=2 - 1e-9), y, mu, scale=0.7)
        np.testing.assert_allclose(near, likelihood(Gamma(), y, mu, scale=0.7), atol=1e-6)
        for power, law in ((2.0, Gamma()), (3.0, InverseGaussian()), (0.0, Gaussian())):
            np.testing.assert_allclose(
                likelihood(Tweedie(power=power), y, mu, scale=0.7),
                likelihood(law, y, mu, scale=0.7),
                rtol=1e-12,
            )
        counts = np.arange(10.0)
        np.testing.assert_allclose(
            likelihood(Tweedie(power=1.0), 0.5 * counts, mu, scale=0.5),
            likelihood(Poisson(), counts, mu / 0.5),
            rtol=1e-12,
        )
        assert np.isnan(likelihood(Tweedie(power=2.5), y, mu)).all()


@pytest.mark.parametrize(
    ("name", "power", "right"),
    # 60-digit sums of the series at the Pearson dispersion.
    [
        ("quine_tweedie_p15_log", 1.5, -550.7657316740306),
        ("psid_tweedie_p16_log", 1.6, -3996.449830783981),
    ],
)
def test_tweedie_likelihood_of_the_reference_fits(name: str, power: float, right: float) -> None:
    case = json.loads((REFERENCE / "cases" / f"{name}.json").read_text())
    with open(REFERENCE / "design" / case["design"], newline="") as file:
        table = list(csv.DictReader(file))
    columns = [key for key in table[0] if not key.startswith("__")]
    design = np.array([[float(row[key]) for key in columns] for row in table])
    y = np.array([float(row["__y__"]) for row in table])
    fit = case["certified"]
    mu = np.exp(design @ np.array(fit["coefficients"], float))
    law, ones = Tweedie(power=power), np.ones_like(y)
    with jax.enable_x64(True):
        rows = np.asarray(jax.jit(law.log_likelihood)(y, mu, ones, float(fit["dispersion"])))
    assert float(np.sum(rows)) == pytest.approx(right, rel=1e-12)


@pytest.mark.parametrize(
    ("law", "top", "eta"),
    [
        (Binomial(link=CLogLog()), 1, 0.7),
        (Binomial(link=Cauchit()), 1, -2.5),
        (Poisson(link=Sqrt()), 80, 3.5),
        (NegativeBinomial(alpha=1e-10, link=Log()), 80, 2.5),
        (NegativeBinomial(alpha=0.5, link=Log()), 90, 0.7),
    ],
    ids=name_of,
)
def test_fisher_weight_is_the_expected_curvature(law: Family, top: int, eta: float) -> None:
    counts = np.arange(top + 1.0)
    with jax.enable_x64(True):
        mu = np.full(top + 1, float(law.link.inverse(eta)))
        probability = np.exp(likelihood(law, counts, mu))
        rows = evaluate(law, counts, np.full(top + 1, eta))
    assert probability.sum() == pytest.approx(1.0, rel=1e-12)
    assert (probability * rows["score"]).sum() == pytest.approx(0.0, abs=1e-9)
    expected = (probability * rows["observed"]).sum()
    assert expected == pytest.approx(rows["fisher_weight"][0], rel=1e-9)
