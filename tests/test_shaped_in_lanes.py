"""Many fits with a negative binomial shape each, in lanes: what fits one by one make of them."""

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import digamma

import jaxglm as jg
from jaxglm._tuning import tuned

from .group_fits import assert_same_fit

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def however_few() -> Iterator[None]:
    with tuned(fewest_shaped=0):
        yield


@functools.cache
def table() -> pd.DataFrame:
    """Segments of several sizes and shapes, some of which are special in one way each."""
    rng = np.random.default_rng(8)
    sizes = rng.integers(25, 120, 14)
    s = np.repeat(np.arange(sizes.size), sizes)
    n = s.size
    x, z, e = rng.normal(size=n), rng.integers(0, 2, n) * 1.0, rng.uniform(0.5, 2, n)
    alpha = np.exp(rng.normal(size=sizes.size) - 0.5)[s]
    mean = np.exp(0.8 + 0.4 * x - 0.3 * z) * e
    y = rng.poisson(mean * rng.gamma(1 / alpha, alpha)) * 1.0
    y[s == 2] = np.round(mean[s == 2])  # less dispersed than Poisson counts
    y[s == 3] = 0.0
    z[s == 4] = 0.0
    y[(s == 5) & (z == 1)] = 0.0
    x[s == 6] = z[s == 6]
    y[s == 7] = rng.poisson(1e5 * mean[s == 7])
    out = pd.DataFrame({"s": s, "y": y, "x": x, "z": z, "e": e, "w": 1.0 + rng.integers(0, 3, n)})
    return out.sample(frac=1.0, random_state=1, ignore_index=True)


def fits(**options: Any) -> jg.GroupResults:
    return jg.fit_groups(
        "y ~ x + z", table(), "s", "negative_binomial", on_failure="ignore", **options
    )


def test_both_scores_vanish() -> None:
    rng = np.random.default_rng(2)
    g = np.repeat(np.arange(6), [30, 45, 60, 60, 90, 90])
    x = rng.normal(size=g.size)
    y = rng.poisson(np.exp(1 + 0.5 * x) * rng.gamma(1.5, 1 / 1.5, g.size)) * 1.0
    y[g == 2] = np.round(np.exp(1 + 0.5 * x[g == 2]))
    found = jg.fit_groups(
        "y ~ x", pd.DataFrame({"y": y, "x": x, "g": g}), "g", "nb", on_failure="ignore"
    )
    assert found.converged.all()
    for i in range(6):
        rows = g == i
        X = np.column_stack([np.ones(rows.sum()), x[rows]])
        mu, alpha = np.exp(X @ found.params.loc[i].to_numpy()), found[i].family.alpha
        if i == 2:
            assert alpha == 0.0
        else:
            theta = 1 / alpha
            of_shape = digamma(y[rows] + theta) - digamma(theta) - np.log1p(mu / theta)
            of_shape += (mu - y[rows]) / (mu + theta)
            assert abs(of_shape.sum()) < 1e-8 * np.abs(of_shape).sum()
        scores = X * ((y[rows] - mu) / (1 + alpha * mu))[:, None]
        assert (np.abs(scores.sum(axis=0)) < 1e-8 * np.abs(scores).sum(axis=0)).all()


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"freq_weights": "w"}, {"exposure": "e"}])
def test_fits_are_those_of_segments_by_themselves(options: dict[str, Any]) -> None:
    found = fits(**options)
    with tuned(fewest_shaped=1 << 40):
        single = fits(**options)
    assert found.status.equals(single.status)
    assert found.failed.equals(single.failed)
    for g in found.status.index:
        if found[g].method == single[g].method:
            assert_same_fit(found[g], single[g], rtol=1e-9)
        # Differences of losses, a million times as large in one of the segments.
        np.testing.assert_allclose(found[g].llf, single[g].llf, rtol=1e-10)
        np.testing.assert_allclose(found[g].llnull, single[g].llnull, rtol=1e-10)
        np.testing.assert_allclose(found[g].bse, single[g].bse, rtol=1e-9)
        np.testing.assert_allclose(found[g].family.alpha, single[g].family.alpha, rtol=1e-9)
