"""Families: loss, score, weights, deviances and likelihoods, against many-digit values."""

import csv
import json
import math
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxglm import families, links
from jaxglm.families import (
    Binomial,
    Family,
    Gamma,
    Gaussian,
    InverseGaussian,
    NegativeBinomial,
    Poisson,
    Quasi,
    QuasiBinomial,
    QuasiPoisson,
    Tweedie,
    family,
)
from jaxglm.links import (
    Cauchit,
    CLogLog,
    Identity,
    Inverse,
    InverseSquared,
    Log,
    Logit,
    LogLog,
    Power,
    Probit,
    Sqrt,
)
from tests import exact
from tests.test_links import PROBABILITY, TAILS, relative_error

REFERENCE = Path(__file__).parent / "data" / "reference"
WEDDERBURN = "mu^2(1-mu)^2"

# Linear predictors and responses that reach into the tails of each link and family.
ETA = TAILS | {
    "log": [-300, -100, -20, -1, -0.1, 0, 0.2, 3, 50, 200],
    "identity": [1e-100, 1e-5, 0.3, 1, 7, 1e6, 1e100],
    "inverse": [1e-50, 1e-5, 0.3, 1, 7, 1e6, 1e50],
    "inverse_squared": [1e-50, 1e-5, 0.3, 1, 7, 1e6, 1e60],
    "sqrt": [1e-30, 1e-5, 0.3, 1, 7, 1e6, 1e30],
    "power": [1e-10, 1e-5, 0.3, 1, 7, 1e6, 1e15],
}
OPEN_INTERVAL = {
    "log": [-600, -20, -3, -0.8, -0.6, -0.1, -1e-5, -1e-15],
    "identity": [1e-300, 1e-20, 1e-5, 0.3, 0.7, 0.999, 1 - 1e-12],
    "inverse": [1 + 1e-12, 1.1, 2, 7, 1e10],
}
COUNTS = [0, 1, 7.5, 1e9]
AMOUNTS = [1e-9, 0.5, 7.5, 1e9]
SHARES = [0, 1, 0.3]

PAIRS: list[tuple[Family, list]] = [
    *((Binomial(link=link), SHARES) for link in (*PROBABILITY, Log(), Identity(), Inverse())),
    *((Quasi(WEDDERBURN, link=link), SHARES) for link in (Logit(), Probit(), CLogLog())),
    (QuasiBinomial(), SHARES),
    (QuasiPoisson(), COUNTS),
    *((Poisson(link=link), COUNTS) for link in (Log(), Identity(), Sqrt(), Power(0.3))),
    *((Gamma(link=link), AMOUNTS) for link in (Log(), Identity(), Inverse(), Power(0.3))),
    *(
        (InverseGaussian(link=link), AMOUNTS)
        for link in (Log(), Identity(), Inverse(), InverseSquared())
    ),
    (Tweedie(power=1.5), COUNTS),
    (Tweedie(power=1.0), COUNTS),
    (Tweedie(power=1.3, link=Identity()), COUNTS),
    (Tweedie(power=2.5, link=Sqrt()), AMOUNTS),
    (NegativeBinomial(alpha=0.5), COUNTS),
    (NegativeBinomial(alpha=1e-10), COUNTS),
    (NegativeBinomial(alpha=1e4, link=Sqrt()), COUNTS),
    (NegativeBinomial(alpha=0.0, link=Identity()), COUNTS),
    *(
        (Gaussian(link=link), [-3, 0, 7.5])
        for link in (Identity(), Log(), Inverse(), Logit(), Sqrt())
    ),
    (Quasi("mu^3", link=Log()), AMOUNTS),
    (Quasi("constant"), [-3, 0, 7.5]),
]


def name_of(value: object) -> str | None:
    return repr(value) if isinstance(value, Family) else None


def grid(law: Family, responses: list) -> tuple[np.ndarray, np.ndarray]:
    inside_unit = law.mean_domain[1] == 1
    eta = (OPEN_INTERVAL if inside_unit else {}).get(law.link.name, ETA[law.link.name])
    return (
        np.repeat(np.array(responses, float), len(eta)),
        np.tile(np.array(eta, float), len(responses)),
    )


@jax.jit
def evaluate(law: Family, y: jax.Array, eta: jax.Array) -> dict[str, jax.Array]:
    """What a solver asks of each row, and the score once more from the loss."""
    ones = jnp.ones_like(eta)
    loss, from_loss = jax.jvp(lambda e: law.loss(y, e), (eta,), (ones,))
    score, observed = jax.jvp(lambda e: law.score(y, e), (eta,), (ones,))
    return {
        "loss": loss,
        "score": score,
        "fisher_weight": law.fisher_weight(y, eta),
        "from_loss": from_loss,
        "observed": observed,
    }


@pytest.mark.parametrize(("law", "responses"), PAIRS, ids=name_of)
def test_rows_keep_their_digits_in_the_tails(law: Family, responses: list) -> None:
    y, eta = grid(law, responses)
    with jax.enable_x64(True):
        found = {key: np.asarray(value) for key, value in evaluate(law, y, eta).items()}
    right = exact.rows(law, y, eta)
    for key in ("loss", "score", "fisher_weight"):
        # Where the score is 0, rounding of its two parts is left.
        resolved = right[key] != 0
        assert relative_error(found[key][resolved], right[key][resolved]) < 1e-12, key
    for values in found.values():
        assert np.isfinite(values).all()
    # The generic score, the derivative of the loss, agrees where its parts do not cancel.
    size = np.abs(found["score"]) + np.sqrt(found["fisher_weight"])
    moderate = (size > 1e-3) & (size < 1e3)
    np.testing.assert_allclose(
        found["from_loss"][moderate], found["score"][moderate], rtol=1e-10, atol=1e-10
    )
    if law.canonical:
        np.testing.assert_allclose(
            found["observed"][moderate], found["fisher_weight"][moderate], rtol=1e-9, atol=1e-300
        )


@pytest.mark.parametrize(
    ("law", "top"),
    [
        (Binomial(link=CLogLog()), 1),
        (Binomial(link=Cauchit()), 1),
        (Poisson(link=Sqrt()), 60),
        (NegativeBinomial(alpha=0.5, link=Sqrt()), 2000),
    ],
    ids=name_of,
)
def test_fisher_weight_is_the_expected_curvature(law: Family, top: int) -> None:
    eta = np.array([0.7, 1.5, 2.5])
    counts = np.arange(top + 1.0)[:, None] * np.ones(3)
    with jax.enable_x64(True):
        mu = law.link.inverse(eta)
        ones = np.ones_like(counts)
        probability = jnp.exp(law.log_likelihood(counts, mu * ones, ones, 1.0))
        np.testing.assert_allclose(probability.sum(0), 1.0, rtol=1e-12)
        rows = evaluate(law, counts, eta * ones)
        expected = (probability * rows["observed"]).sum(0)
        np.testing.assert_allclose(expected, law.fisher_weight(eta, eta), rtol=1e-9)
        np.testing.assert_allclose((probability * rows["score"]).sum(0), 0.0, atol=1e-9)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: repr(pair[0]))
def test_outside_the_domain_the_loss_is_infinite_and_nothing_is_nan(pair: tuple) -> None:
    law, responses = pair
    lower, upper = law.link.domain(law.mean_domain)
    y = np.repeat(np.array(responses, float), 4)
    eta = np.tile(np.array([-2.0, 0.0, 0.5, 2.0]), len(responses))
    outside = ~((eta > lower) & (eta < upper))
    if isinstance(law, Gaussian) and law.link == Inverse():
        outside = eta == 0
    with jax.enable_x64(True):
        found = {key: np.asarray(value) for key, value in evaluate(law, y, eta).items()}
    assert (found["loss"][outside] == np.inf).all()
    assert np.isfinite(found["loss"][~outside]).all()
    for key in ("score", "fisher_weight", "from_loss", "observed"):
        assert np.isfinite(found[key]).all(), key


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


@jax.jit
def deviance_and_slope(law: Family, y: jax.Array, mu: jax.Array) -> tuple[jax.Array, jax.Array]:
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
        at_response = law.unit_deviance(y[y > 0], y[y > 0])
    assert relative_error(found, right) < 1e-13
    # Far out, where the variance dwarfs the distance, the slope is a difference.
    near = np.abs(mu - y) < 10 * np.maximum(y, 1e-300)
    assert relative_error(np.asarray(found_slope)[near], slope[near]) < 1e-12
    assert (np.asarray(at_response)[y[y > 0] < 1] == 0).all()


def test_unit_deviance_at_the_ends_of_the_mean() -> None:
    infinite = math.inf
    with jax.enable_x64(True):
        for law in (Poisson(), NegativeBinomial(alpha=0.5), Tweedie(power=1.5), Tweedie(power=1)):
            y, mu = np.array([0.0, 1.0, 0.0, 1.0]), np.array([0.0, 0.0, infinite, infinite])
            assert law.unit_deviance(y, mu).tolist() == [0.0, infinite, infinite, infinite]
        y, mu = np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.0, 1.0, 0.0, 1.0])
        assert Binomial().unit_deviance(y, mu).tolist() == [0.0, infinite, infinite, 0.0]
        y, mu = np.array([1.0, 1.0]), np.array([0.0, infinite])
        assert Gamma().unit_deviance(y, mu).tolist() == [infinite, infinite]
        assert InverseGaussian().unit_deviance(y, mu).tolist() == [infinite, 1.0]


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


def check_rows(found: jax.Array, right: list) -> None:
    """To 1e-13 of the value, or of 1: the size of a term in a sum of likelihoods."""
    np.testing.assert_allclose(found, [float(value) for value in right], rtol=1e-13, atol=1e-13)


def numbers(values: np.ndarray) -> list:
    return [mp.mpf(float(value)) for value in values]


@pytest.fixture
def forty_digits():
    digits, mp.dps = mp.dps, 40
    yield
    mp.dps = digits


@pytest.mark.usefixtures("forty_digits")
def test_count_likelihoods_keep_their_digits_at_a_billion() -> None:
    y = np.array([0, 1, 3, 1e3, 1e9, 1e12])
    mu = np.array([2.0, 0.1, 3.3, 900, 1.00001e9, 1e12])
    ones = np.ones_like(y)
    pairs = list(zip(numbers(y), numbers(mu), strict=True))
    with jax.enable_x64(True):
        found = jax.jit(Poisson().log_likelihood)(y, mu, ones, 1.0)
        check_rows(found, [exact.xlogy(a, b) - b - mp.loggamma(a + 1) for a, b in pairs])
        found = Poisson().log_likelihood(y, mu, 3 * ones, 1.0)
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
        check_rows(Binomial().log_likelihood(successes / trials, mu, trials, 1.0), right)
        found = Binomial().log_likelihood(successes / trials, mu, weights, 1.0, trials)
        check_rows(found, [2 * value for value in right])


@pytest.mark.usefixtures("forty_digits")
@pytest.mark.parametrize("alpha", [1e-10, 1e-5, 0.3, 1e4])
def test_negative_binomial_likelihood_and_its_derivative_in_alpha(alpha: float) -> None:
    y, mu = np.array([0, 1, 3, 1e3, 1e6]), np.array([2.0, 0.1, 3.3, 900, 1.1e6])
    a, step = mp.mpf(alpha), mp.mpf(alpha) * mp.mpf(10) ** -12
    value, slope = [], []
    for y_row, mu_row in zip(numbers(y), numbers(mu), strict=True):
        above = log_negative_binomial(y_row, mu_row, a + step)
        below = log_negative_binomial(y_row, mu_row, a - step)
        value.append(log_negative_binomial(y_row, mu_row, a))
        slope.append((above - below) / (2 * step))

    @jax.jit
    def log_likelihood(alpha):
        law = NegativeBinomial(alpha=alpha)
        return law.log_likelihood(y, mu, np.ones_like(mu), 1.0)

    with jax.enable_x64(True):
        check_rows(log_likelihood(alpha), value)
        np.testing.assert_allclose(
            jax.jit(jax.jacfwd(log_likelihood))(alpha), [float(s) for s in slope], rtol=1e-10
        )


def test_negative_binomial_at_alpha_zero_is_poisson() -> None:
    y, mu = np.array([0, 1, 3, 1e3]), np.array([2.0, 0.1, 3.3, 900])
    ones = np.ones_like(y)
    with jax.enable_x64(True):
        law = NegativeBinomial(alpha=0.0)
        poisson = Poisson().log_likelihood(y, mu, ones, 1.0)
        np.testing.assert_allclose(law.log_likelihood(y, mu, ones, 1.0), poisson, rtol=1e-13)
        slope = jax.jvp(
            lambda alpha: NegativeBinomial(alpha=alpha).log_likelihood(y, mu, ones, 1.0),
            (0.0,),
            (1.0,),
        )[1]
        np.testing.assert_allclose(slope, 0.5 * ((y - mu) ** 2 - y), rtol=1e-12)
    assert NegativeBinomial(alpha=0.5).theta == 2.0
    assert NegativeBinomial(alpha=0.0).theta == math.inf
    assert NegativeBinomial().theta is None
    with pytest.raises(ValueError, match="estimated by the fit and not known here"):
        NegativeBinomial().variance(1.0)


@pytest.mark.usefixtures("forty_digits")
def test_likelihoods_with_a_dispersion() -> None:
    y = np.array([0.2, 1, 3, 1e3, 1e-9])
    weight = np.array([1.0, 2.0, 0.5, 1.0, 0.0])
    with jax.enable_x64(True):
        for phi in (1e-8, 0.3, 40.0):
            mu = y * (1 + np.array([0.1, -0.01, 0.3, -0.2, 0.001]) * min(1, phi**0.5))
            rows = list(zip(numbers(y), numbers(mu), numbers(weight), strict=True))
            right = [w * log_gamma_density(a, m, mp.mpf(phi)) if w else 0 for a, m, w in rows]
            check_rows(Gamma().log_likelihood(y, mu, weight, phi), right)
            right = [
                -w * ((a - m) ** 2 / (phi * a * m * m) + mp.log(2 * mp.pi * phi * a**3)) / 2
                for a, m, w in rows
            ]
            check_rows(InverseGaussian().log_likelihood(y, mu, weight, phi), right)
            right = [
                -(w * (a - m) ** 2 / phi + mp.log(2 * mp.pi * phi / w)) / 2 if w else 0
                for a, m, w in rows
            ]
            check_rows(Gaussian().log_likelihood(y, mu, weight, phi), right)
    assert Gaussian().likelihood_scale(10.0, 4.0, 5.0, 9.0) == 2.0
    assert Gamma().likelihood_scale(10.0, 4.0, 5.0, 9.0) == 2.5
    assert InverseGaussian().likelihood_scale(10.0, 4.0, 5.0, 9.0) == 2.5
    assert Tweedie().likelihood_scale(10.0, 4.0, 5.0, 9.0) == 9.0
    assert Poisson().likelihood_scale(10.0, 4.0, 5.0, 9.0) == 1.0


tweedie_rows = jax.jit(lambda law, y, mu, weight, scale: law.log_likelihood(y, mu, weight, scale))


@pytest.mark.usefixtures("forty_digits")
@pytest.mark.parametrize("power", [1.05, 1.5, 1.95])
def test_tweedie_series_from_few_terms_to_many(power: float) -> None:
    p = mp.mpf(power)
    rows = []
    for mode in (0.001, 1, 19.9, 20.1, 300):
        for y, ratio in ((0.01, 0.8), (1e4, 1.3)):
            rows.append((y, y * ratio, y ** (2 - power) / ((2 - power) * mode)))
    y, mu, phi = np.array(rows).T
    with jax.enable_x64(True):
        found = tweedie_rows(Tweedie(power=power), y, mu, 1 / phi, 1.0)
    check = [log_tweedie_density(*map(mp.mpf, row), p) for row in rows]
    np.testing.assert_allclose(found, [float(value) for value in check], rtol=1e-12, atol=1e-12)


def test_tweedie_density_integrates_to_one_and_meets_its_limits() -> None:
    n = 10
    y, mu, ones = np.linspace(0.1, 8, n), np.full(n, 2.0), np.ones(n)
    with jax.enable_x64(True):
        near = tweedie_rows(Tweedie(power=2 - 1e-9), y, mu, ones, 0.7)
        gamma = Gamma().log_likelihood(y, mu, ones, 0.7)
        np.testing.assert_allclose(near, gamma, atol=1e-6)
        for power, law in ((2.0, Gamma()), (3.0, InverseGaussian()), (0.0, Gaussian())):
            np.testing.assert_allclose(
                tweedie_rows(Tweedie(power=power), y, mu, ones, 0.7),
                law.log_likelihood(y, mu, ones, 0.7),
                rtol=1e-12,
            )
        counts = np.arange(float(n))
        np.testing.assert_allclose(
            tweedie_rows(Tweedie(power=1.0), 0.5 * counts, mu, ones, 0.5),
            Poisson().log_likelihood(counts, mu / 0.5, ones, 1.0),
            rtol=1e-12,
        )
        assert np.isnan(tweedie_rows(Tweedie(power=2.5), y, mu, ones, 0.7)).all()


@pytest.mark.parametrize("name", ["quine_tweedie_p15_log", "psid_tweedie_p16_log"])
def test_tweedie_likelihood_of_the_reference_fits(name: str) -> None:
    certified = json.loads((REFERENCE / "certified" / f"{name}.json").read_text())
    with open(REFERENCE / "design" / f"{name}.csv", newline="") as file:
        table = list(csv.DictReader(file))
    columns = [key for key in table[0] if not key.startswith("__")]
    design = np.array([[float(row[key]) for key in columns] for row in table])
    y = np.array([float(row["__y__"]) for row in table])
    mu = np.exp(design @ np.array(certified["coefficients"]))
    power = {"p15": 1.5, "p16": 1.6}[name.split("_")[2]]
    with jax.enable_x64(True):
        rows = tweedie_rows(
            Tweedie(power=power), y, mu, np.ones_like(y), float(certified["dispersion"])
        )
    right = float(certified["logLik_tweedie_at_pearson_dispersion"])
    assert float(np.sum(rows)) == pytest.approx(right, rel=1e-13)


# --------------------------------------------------------------------------- quasi families
def test_quasi_families_share_everything_but_the_likelihood() -> None:
    y, eta = np.array([0.0, 1.0, 0.4]), np.array([-1.0, 0.5, 2.0])
    with jax.enable_x64(True):
        for quasi, likelihood in ((QuasiPoisson(), Poisson()), (QuasiBinomial(), Binomial())):
            assert not quasi.dispersion_fixed
            assert not quasi.has_likelihood
            assert quasi.likelihood_scale(1.0, 1.0, 1.0, 3.0) == 3.0
            mu = quasi.link.inverse(eta)
            assert np.isnan(quasi.log_likelihood(y, mu, np.ones(3), 1.0)).all()
            np.testing.assert_array_equal(quasi.loss(y, eta), likelihood.loss(y, eta))
            np.testing.assert_array_equal(
                quasi.unit_deviance(y, mu), likelihood.unit_deviance(y, mu)
            )
            assert quasi.canonical
            assert quasi != likelihood


def power_variance(mu):
    return mu**1.5


@pytest.mark.parametrize(
    ("variance", "law", "responses"),
    [
        (power_variance, Tweedie(power=1.5), [0.0, 0.03, 1.0, 200.0]),
        (lambda mu: mu * (1 - mu), Binomial(link=Log()), [0.0, 0.2, 1.0]),
    ],
    ids=["mu^1.5", "mu(1-mu)"],
)
def test_a_variance_function_of_ones_own(variance, law: Family, responses: list) -> None:
    quasi = Quasi(variance, link=Log(), mean_domain=law.mean_domain)
    eta = np.array([-4.0, -1.2, -0.5, -0.01])
    y, eta = (part.ravel() for part in np.meshgrid(np.array(responses), eta))
    with jax.enable_x64(True):
        found, right = evaluate(quasi, y, eta), evaluate(law, y, eta)
        mu = np.exp(eta)
        unit = law.unit_deviance(y, mu)
        np.testing.assert_allclose(quasi.unit_deviance(y, mu), unit, rtol=1e-9)
        np.testing.assert_allclose(found["loss"], 0.5 * unit, rtol=1e-9)
    np.testing.assert_allclose(found["score"], right["score"], rtol=1e-12)
    np.testing.assert_allclose(found["fisher_weight"], right["fisher_weight"], rtol=1e-12)
    np.testing.assert_allclose(found["from_loss"], right["score"], rtol=1e-7)
    assert quasi == Quasi(variance, link=Log(), mean_domain=law.mean_domain)
    assert jax.tree.leaves(quasi) == []


def test_quasi_by_name() -> None:
    assert Quasi().link == Identity()
    assert Quasi("mu").mean_domain == (0.0, math.inf)
    assert Quasi("mu (1 - mu)").mean_domain == (0.0, 1.0)
    assert Quasi("mu^2", link=Inverse()).canonical
    assert Quasi("mu^2").with_link(Log()) == Quasi("mu^2", link=Log())
    assert Quasi("mu^2").valid_response(np.array([0.0, -1.0])).tolist() == [True, False]
    with pytest.raises(ValueError, match=r"choose one of 'constant', 'mu', .*function of the mean"):
        Quasi("mu^4")


# -------------------------------------------------------------------- starts and responses
@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: repr(pair[0]))
def test_starts_lie_inside_the_domain(pair: tuple) -> None:
    law, responses = pair
    y = np.array(responses, float)
    with jax.enable_x64(True):
        mu = np.asarray(law.initial_mean(y, np.ones_like(y)))
        eta = np.asarray(law.link.link(mu))
    lower, upper = law.link.domain(law.mean_domain)
    assert np.isfinite(eta).all()
    assert ((eta > lower) & (eta < upper)).all()


def test_starts_are_those_of_r() -> None:
    y, weight = np.array([0.0, 1.0, 4.0]), np.array([1.0, 1.0, 2.0])
    with jax.enable_x64(True):
        assert Poisson().initial_mean(y, weight).tolist() == [0.1, 1.1, 4.1]
        assert NegativeBinomial(alpha=1.0).initial_mean(y, weight).tolist() == [1 / 6, 1.0, 4.0]
        assert Gaussian().initial_mean(y, weight).tolist() == y.tolist()
        share = np.array([0.0, 1.0, 0.25])
        assert Binomial().initial_mean(share, weight).tolist() == [0.25, 0.75, 1 / 3]
        # R stops here; a tenth of the typical size stands in for what the link cannot give.
        assert Gaussian(link=Log()).initial_mean(y, weight).tolist() == [0.225, 1.0, 4.0]


def test_valid_responses() -> None:
    y = np.array([-1.0, 0.0, 0.5, 1.0, 2.0, math.inf, math.nan])
    expected = {
        Gaussian(): [1, 1, 1, 1, 1, 0, 0],
        Binomial(): [0, 1, 1, 1, 0, 0, 0],
        Poisson(): [0, 1, 1, 1, 1, 0, 0],
        Gamma(): [0, 0, 1, 1, 1, 0, 0],
        InverseGaussian(): [0, 0, 1, 1, 1, 0, 0],
        Tweedie(power=0): [1, 1, 1, 1, 1, 0, 0],
        Tweedie(power=1.5): [0, 1, 1, 1, 1, 0, 0],
        Tweedie(power=2): [0, 0, 1, 1, 1, 0, 0],
        NegativeBinomial(): [0, 1, 1, 1, 1, 0, 0],
        Quasi("mu(1-mu)"): [0, 1, 1, 1, 0, 0, 0],
        Quasi(power_variance, mean_domain=(0.0, math.inf)): [0, 1, 1, 1, 1, 0, 0],
    }
    for law, valid in expected.items():
        assert law.valid_response(y).tolist() == [bool(flag) for flag in valid], law
        assert isinstance(law.response_rule, str)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Tweedie(power=0.5), "must be 0 or at least 1"),
        (lambda: NegativeBinomial(alpha=-1.0), "0 or more"),
        (lambda: family("poison"), "choose one of gaussian, binomial, poisson"),
        (lambda: family("poisson", link="lgo"), "choose one of identity, log, logit"),
    ],
)
def test_bad_arguments_say_what_to_do(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


# ------------------------------------------------------------------------- names and trees
def test_family_by_name() -> None:
    assert family("poisson") == Poisson()
    assert family("Gamma") == Gamma()
    assert family("inverse.gaussian") == family("inverse_gaussian") == InverseGaussian()
    assert family("nb") == family("negative_binomial") == family("negative.binomial")
    assert family("Binomial", link="cloglog") == Binomial(link=CLogLog())
    assert family("inverse.gaussian", link="1/mu^2").canonical
    assert family(Poisson, link=Sqrt) == Poisson(link=Sqrt())
    law = NegativeBinomial(alpha=0.3)
    assert family(law) is law
    assert family(law, link="sqrt") == NegativeBinomial(alpha=0.3, link=Sqrt())
    with pytest.raises(TypeError, match="a name or a family object"):
        family(3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="a name or a link object"):
        family("poisson", link=3)  # type: ignore[arg-type]


def test_canonical_links() -> None:
    canonical = [
        Gaussian(),
        Binomial(),
        Poisson(),
        Gamma(),
        InverseGaussian(),
        Gamma(link=Power(-1)),
        Tweedie(power=1),
        Tweedie(power=2, link=Inverse()),
        Tweedie(power=1.5, link=Power(-0.5)),
    ]
    assert all(law.canonical for law in canonical)
    others = [
        Gaussian(link=Log()),
        Binomial(link=Probit()),
        Binomial(link=LogLog()),
        Tweedie(),
        NegativeBinomial(alpha=1.0),
        Quasi(WEDDERBURN, link=Logit()),
        Quasi(power_variance),
    ]
    assert not any(law.canonical for law in others)


def test_parameters_are_leaves_and_do_not_recompile() -> None:
    assert jax.tree.structure(Tweedie(power=1.2)) == jax.tree.structure(Tweedie(power=1.7))
    one, two = NegativeBinomial(alpha=0.1), NegativeBinomial(alpha=0.2)
    assert jax.tree.structure(one) == jax.tree.structure(two)
    assert jax.tree.structure(one) != jax.tree.structure(NegativeBinomial(alpha=0.1, link=Sqrt()))
    compiled = []

    @jax.jit
    def loss(law, y, eta):
        compiled.append(law)
        return law.loss(y, eta)

    y, eta = np.array([1.0, 2.0]), np.array([0.1, 0.2])
    with jax.enable_x64(True):
        first, second = loss(one, y, eta), loss(two.with_alpha(0.4), y, eta)
    assert len(compiled) == 1
    assert not np.array_equal(first, second)
    assert hash(one) == hash(NegativeBinomial(alpha=0.1)) != hash(two)
    assert jax.tree.map(lambda leaf: 2 * leaf, one) == two


@pytest.mark.parametrize("x64", [False, True])
@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: repr(pair[0]))
def test_float32_stays_float32(pair: tuple, x64: bool) -> None:
    law, _ = pair
    row = jax.ShapeDtypeStruct((4,), "float32")

    def everything(law, y, eta, weight):
        mu = law.link.inverse(eta)
        scale = jnp.ones((), mu.dtype)
        return (
            evaluate(law, y, eta),
            law.unit_deviance(y, mu),
            law.variance(mu),
            law.initial_mean(y, weight),
            law.log_likelihood(y, mu, weight, scale, weight),
        )

    # Under 64 bits too, where a stray constant would widen it.
    with jax.enable_x64(x64), jax.numpy_dtype_promotion("strict"):
        found = jax.eval_shape(everything, law, row, row, row)
    assert {part.dtype for part in jax.tree.leaves(found)} == {np.dtype("float32")}


# ------------------------------------------------------------------------ a user's families
class Geometric(Family):
    """Number of failures before a success, from its unit deviance."""

    name = "geometric"
    mean_domain = (0.0, math.inf)
    dispersion_fixed = True

    def variance(self, mu):
        return mu + mu**2

    def unit_deviance(self, y, mu):
        ratio = jax.scipy.special.xlogy(y, jnp.where(y > 0, y, 1.0) / mu)
        return 2 * (ratio - (y + 1) * jnp.log((y + 1) / (mu + 1)))


class GeometricByLoss(Family):
    """The same from its negative log-likelihood."""

    name = "geometric"
    mean_domain = (0.0, math.inf)
    dispersion_fixed = True

    def variance(self, mu):
        return mu + mu**2

    def loss(self, y, eta):
        log_mu = self.link.log_inverse(eta)
        return (y + 1) * jnp.logaddexp(0.0, log_mu) - jax.scipy.special.xlogy(y, jnp.exp(log_mu))


def test_a_family_of_ones_own() -> None:
    y, eta = np.array([0.0, 1.0, 5.0]), np.array([-0.5, 0.3, 1.0])
    with jax.enable_x64(True):
        right = evaluate(NegativeBinomial(alpha=1.0), y, eta)
        unit = NegativeBinomial(alpha=1.0).unit_deviance(y, np.exp(eta))
        by_deviance = evaluate(Geometric(link=Log()), y, eta)
        by_loss = evaluate(GeometricByLoss(link=Log()), y, eta)
        for key in ("score", "fisher_weight", "observed", "from_loss"):
            np.testing.assert_allclose(by_deviance[key], right[key], rtol=1e-10)
            np.testing.assert_allclose(by_loss[key], right[key], rtol=1e-10)
        np.testing.assert_allclose(by_deviance["loss"], 0.5 * unit, rtol=1e-12)
        np.testing.assert_allclose(
            GeometricByLoss(link=Log()).unit_deviance(y[1:], np.exp(eta)[1:]), unit[1:], rtol=1e-12
        )
    law = Geometric()  # whose default link, the identity, can give negative means
    assert law.loss(1.0, -1.0) == math.inf
    assert not law.canonical
    assert not law.has_likelihood
    assert jax.tree.leaves(law) == []
    assert law == Geometric() != Geometric(link=Log())
    with pytest.raises(TypeError, match=r"needs a method unit_deviance\(y, mu\) or loss\(y, eta\)"):

        class Empty(Family):
            pass


def test_families_reexport_what_they_name() -> None:
    assert all(hasattr(families, name) for name in families.__all__)
    assert all(hasattr(links, law.link.__class__.__name__) for law, _ in PAIRS)
