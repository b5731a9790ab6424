"""The null model, summed beside the model; the likelihood of single trials."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

import jaxglm as jg
from jaxglm.families import QuasiBinomial
from jaxglm.families._binomial import _Bernoulli

pytestmark = pytest.mark.slow

N = 30
_rng = np.random.default_rng(14)
X = np.column_stack([np.ones(N), _rng.normal(size=N)])
OFFSET = 0.3 * _rng.normal(size=N) + 0.2
WEIGHT = _rng.integers(0, 3, size=N).astype(float)
COUNTS = _rng.poisson(np.exp(0.5 + 0.5 * X[:, 1])).astype(float)
YES = (_rng.uniform(size=N) < 0.4).astype(float)
LIVE = WEIGHT > 0

# Family, response, and the log-likelihood of a row at a mean.
FIXED: dict[str, tuple[Any, np.ndarray, Any]] = {
    "poisson": (jg.Poisson(), COUNTS, stats.poisson.logpmf),
    "logit": (jg.Binomial(), YES, stats.bernoulli.logpmf),
    "negative binomial": (
        jg.NegativeBinomial(alpha=0.5),
        COUNTS,
        lambda y, mu: stats.nbinom.logpmf(y, 2.0, 1 / (1 + 0.5 * mu)),
    ),
}


def deviance_of(family: Any, y: np.ndarray, mean: np.ndarray, weight: np.ndarray) -> float:
    rows = np.asarray(family.unit_deviance(y, mean), float)
    return float(np.sum(weight[LIVE] * rows[LIVE]))


@pytest.mark.parametrize("constant", [True, False], ids=["intercept", "no intercept"])
@pytest.mark.parametrize("name", FIXED)
def test_with_an_offset(name: str, constant: bool) -> None:
    """An intercept beside the offset, in closed form or fitted; without one, the offset alone."""
    family, y, logpmf = FIXED[name]
    columns = X if constant else X[:, 1:]
    given = {"offset": OFFSET, "freq_weights": WEIGHT}
    results = jg.GLM(y, columns, family, **given).fit()
    if constant:
        only = jg.GLM(y, X[:, :1], family, **given).fit()
        eta = OFFSET + only.params.iloc[0]
        assert results.llnull == pytest.approx(only.llf, rel=1e-12)
        assert results.null_deviance == pytest.approx(only.deviance, rel=1e-12)
        assert only.llnull == pytest.approx(only.llf, rel=1e-12)
    else:
        eta = OFFSET
    mean = np.asarray(family.link.inverse(eta), float)
    expected = np.sum(WEIGHT[LIVE] * logpmf(y, mean)[LIVE])
    # The family's own functions run here in float32.
    assert results.llnull == pytest.approx(expected, rel=2e-6)
    assert results.null_deviance == pytest.approx(deviance_of(family, y, mean, WEIGHT), rel=2e-6)


@pytest.mark.parametrize("name", ["poisson", "logit"])
def test_without_an_offset_it_is_the_average(name: str) -> None:
    family, y, logpmf = FIXED[name]
    results = jg.GLM(y, X, family, freq_weights=WEIGHT).fit()
    mean = np.average(y, weights=WEIGHT)
    expected = np.sum(WEIGHT[LIVE] * logpmf(y, mean)[LIVE])
    assert results.llnull == pytest.approx(expected, rel=1e-12)


def test_exposures_of_very_unlike_sizes() -> None:
    """The closed form has no overflow: exp(800) alone would be infinite."""
    offset = OFFSET + 800.0
    results = jg.GLM(COUNTS, X, "poisson", offset=offset).fit()
    near = jg.GLM(COUNTS, X, "poisson", offset=OFFSET).fit()
    assert results.null_deviance == pytest.approx(near.null_deviance, rel=1e-9)
    assert results.llnull == pytest.approx(near.llnull, rel=1e-9)


def test_no_count_at_all() -> None:
    """The intercept of the null model runs to minus infinity: a likelihood of one."""
    with pytest.warns(jg.SeparationWarning):
        results = jg.GLM(np.zeros(N), X, "poisson", offset=OFFSET).fit()
    assert results.llnull == pytest.approx(0.0, abs=1e-6)
    assert results.null_deviance == pytest.approx(0.0, abs=1e-6)


# -- single trials --------------------------------------------------------------------------------


def test_single_trials_have_the_likelihood_of_binomial_ones() -> None:
    mean = np.linspace(0.01, 0.99, N).astype(np.float32)
    binomial, weight = jg.Binomial(), WEIGHT.astype(np.float32)
    single = binomial.for_rows(YES, None)
    assert type(single) is _Bernoulli
    unit = np.where(weight > 0, 1.0, 0.0).astype(np.float32)
    expected = np.where(LIVE, stats.bernoulli.logpmf(YES, mean), 0.0)
    for family in (binomial, single):
        rows = family.log_likelihood(YES.astype(np.float32), mean, unit, 1.0)
        np.testing.assert_allclose(rows, expected, rtol=2e-6)


def test_only_single_trials() -> None:
    binomial = jg.Binomial(link=jg.Probit())
    single = binomial.for_rows(YES, None)
    assert type(single) is _Bernoulli and single.link == binomial.link
    assert binomial.for_rows(YES, np.full(N, 2.0)) is binomial
    assert binomial.for_rows(0.5 * YES, None) is binomial
    for family in (QuasiBinomial(), jg.Poisson(), jg.NegativeBinomial(alpha=1.0)):
        assert family.for_rows(YES, None) is family


GROUPED: dict[str, dict[str, Any]] = {
    "trials": {"trials": np.full(N, 3.0)},
    "prior weights": {"var_weights": 1.0 + WEIGHT},
    "frequencies": {"freq_weights": WEIGHT},
    "single trials": {"trials": np.ones(N)},
}


@pytest.mark.parametrize("which", GROUPED)
def test_the_likelihood_knows_the_trials(which: str) -> None:
    settings = GROUPED[which]
    numbers = False if "trials" in settings else None
    results = jg.GLM(YES, X, "binomial", proportions=numbers, **settings).fit()
    assert type(results.family) is jg.Binomial
    size = settings.get("trials", settings.get("var_weights", np.ones(N)))
    successes = YES if "trials" in settings else YES * size
    freq = settings.get("freq_weights", np.ones(N))
    mean = results.fittedvalues.to_numpy()
    expected = np.sum(freq * stats.binom.logpmf(successes, size, mean))
    assert results.llf == pytest.approx(expected, rel=1e-10)
    mean = np.full(N, np.sum(freq * successes) / np.sum(freq * size))
    expected = np.sum(freq * stats.binom.logpmf(successes, size, mean))
    assert results.llnull == pytest.approx(expected, rel=1e-10)


def test_the_result_is_binomial(tmp_path: Path) -> None:
    results = jg.GLM(YES, X, "binomial").fit()
    assert type(results.family) is jg.Binomial and repr(results.family) == repr(jg.Binomial())
    results.save(tmp_path / "fit")
    assert jg.load(tmp_path / "fit").family == jg.Binomial()
    assert "Bernoulli" not in f"{results!r}{results.summary()}"


def test_a_quasi_binomial_fit_of_single_trials_has_a_dispersion() -> None:
    results = jg.GLM(YES, X, "quasibinomial").fit()
    assert np.isnan(results.llf) and np.isnan(results.llnull)
    assert results.scale == pytest.approx(results.pearson_chi2 / (N - 2))
    assert results.scale != 1.0


def test_a_family_of_ones_own_keeps_its_likelihood() -> None:
    class Twice(jg.Binomial):
        """A binomial family of another likelihood."""

        def log_likelihood(self, y, mu, weight, scale, trials=None):
            return 2.0 * super().log_likelihood(y, mu, weight, scale, trials)

    results = jg.GLM(YES, X, Twice()).fit()
    mean = results.fittedvalues.to_numpy()
    assert results.llf == pytest.approx(2 * np.sum(stats.bernoulli.logpmf(YES, mean)), rel=1e-10)


@pytest.mark.slow
def test_no_optimum_is_worse_than_the_null_model() -> None:
    """Where the loss has several minima, Fisher scoring may come to rest in one of the bad ones."""
    rng, n, count = np.random.default_rng(1), 12, 40
    tables = []
    for _ in range(count):
        x, kind = rng.integers(-30, 31, (n, 2)) / 10, rng.integers(0, 2, n) == 1
        columns = np.column_stack([np.ones(n), x, kind]) * 1.0
        tables.append((rng.integers(-30, 31, n) / 10, columns))
    y, X = np.concatenate([y for y, _ in tables]), np.vstack([X for _, X in tables])
    model = jg.GLM(y, X, family="gaussian", link="inverse")
    many = model.fit_groups(np.repeat(np.arange(count), n), on_failure="ignore")
    one = [jg.GLM(*table, "gaussian", link="inverse").fit(on_failure="ignore") for table in tables]
    for fits in (one, [many[g] for g in range(count)]):
        ended = [fit for fit in fits if fit.converged]
        assert len(ended) > count / 2
        assert all(fit.deviance <= fit.null_deviance * (1 + 1e-9) for fit in ended)
