"""Quantile residuals: against R's statmod, within the jumps of counts, and normal where right."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import jaxglm as jg

R = json.loads((Path(__file__).parent / "data" / "quantile" / "quantile.json").read_text())
TABLE = pd.DataFrame(
    {
        "x": [0.2, 1.1, 2.3, 3.1, 4.2, 5.4, 6.1, 7.3],
        "y": [1.2, 0.8, 2.1, 3.9, 2.5, 6.1, 4.8, 9.7],
        "w": [1, 2, 1, 0.5, 1, 3, 1, 2],
        "k": [0, 1, 0, 3, 2, 5, 4, 9],
        "s": [0, 1, 1, 2, 2, 3, 4, 4],
    }
)


@pytest.mark.parametrize(
    ("name", "family", "given"),
    [
        ("gamma", jg.Gamma(link="log"), {}),
        ("gamma_weights", jg.Gamma(link="log"), {"var_weights": "w"}),
        # statmod takes the deviance for the dispersion here.
        ("inverse_gaussian", jg.InverseGaussian(link="log"), {"scale": "deviance"}),
    ],
)
def test_continuous_families_as_statmod(name: str, family: Any, given: dict[str, Any]) -> None:
    found = jg.glm("y ~ x", TABLE, family, **given).resid("quantile")
    np.testing.assert_allclose(found, R[name], rtol=1e-6)


def test_counts_and_shares_lie_between_the_quantiles_of_their_jumps() -> None:
    fit = jg.glm("k ~ x", TABLE, "poisson")
    law = stats.poisson(fit.fittedvalues)
    _between(fit, law.cdf(TABLE.k - 1), law.cdf(TABLE.k))
    fit = jg.glm("s ~ x", TABLE, "binomial", trials=5)
    law = stats.binom(5, fit.fittedvalues)
    _between(fit, law.cdf(TABLE.s - 1), law.cdf(TABLE.s))
    fit = jg.glm("k ~ x", TABLE, jg.Tweedie(power=1.5))
    found = fit.resid("quantile")
    rate = fit.fittedvalues**0.5 / (fit.scale * 0.5)
    zeros = TABLE.k == 0
    assert (stats.norm.cdf(found[zeros]) <= np.exp(-rate[zeros])).all()


def _between(fit: jg.Results, low: Any, high: Any) -> None:
    first, again, other = (fit.resid("quantile", seed=seed) for seed in (1, 1, 2))
    assert first.equals(again) and not first.equals(other)
    p = stats.norm.cdf(first)
    assert ((low <= p) & (p <= high)).all()


def test_they_are_normal_where_the_model_is_right() -> None:
    rng = np.random.default_rng(8)
    table = pd.DataFrame({"x": rng.normal(size=2000)})
    table["y"] = rng.poisson(np.exp(0.3 + 0.5 * table.x))
    found = jg.glm("y ~ x", table, "poisson").resid("quantile", seed=3)
    assert stats.kstest(found, "norm").pvalue > 0.01


def test_far_out_they_keep_their_digits() -> None:
    table = TABLE.assign(k=TABLE.k.where(TABLE.index != 3, 60))
    fit = jg.glm("k ~ x", table, "poisson")
    assert np.isfinite(fit.resid("quantile")).all()
    assert fit.resid("quantile")[3] > 5


def test_what_has_no_distribution_is_refused() -> None:
    with pytest.raises(jg.DataError, match="no distribution"):
        jg.glm("k ~ x", TABLE, "quasipoisson").resid("quantile")
    with pytest.raises(ValueError, match="'quantile', not 'quantiles'"):
        jg.glm("k ~ x", TABLE, "poisson").resid("quantiles")  # type: ignore[arg-type]
