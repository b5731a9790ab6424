"""What rounding hides of a fit is told: beside large offsets, and where there is no maximum."""

import numpy as np
import pandas as pd
import pytest

import jaxglm as jg
from tests.marks import slow_among

pytestmark = pytest.mark.slow

N = 60
_rng = np.random.default_rng(3)
X = _rng.normal(size=N)
SPREAD = 1 + 0.1 * _rng.normal(size=N)
NOISE = _rng.gamma(2.0, size=N) + 0.5
ORDERS = {"as given": np.arange(N), "turned": np.arange(N)[::-1], "mixed": _rng.permutation(N)}


def table(y: np.ndarray, offset: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"y": y, "x": X, "o": offset})


@pytest.mark.slow
@pytest.mark.parametrize("order", ORDERS)
def test_a_point_that_is_no_maximum_is_not_an_optimum(order: str) -> None:
    """Fisher scoring comes to rest where the likelihood still rises: rounding says where."""
    data = table(NOISE, 1e5 * SPREAD).iloc[ORDERS[order]]
    given = {"family": "gaussian", "link": "inverse", "offset": "o", "on_failure": "ignore"}
    assert not jg.glm("y ~ x", data, **given).converged
    segments = jg.fit_groups("y ~ x", data.assign(shop="a"), "shop", **given)
    assert not segments.converged["a"] and len(segments.failed) == 1


@pytest.mark.parametrize("family", slow_among(["gaussian", "poisson"], ["gaussian"]))
def test_offsets_that_drown_the_response(family: str) -> None:
    """In float64 too; nothing is said of offsets that leave enough digits."""
    for size, told in ((1e5, False), (1e12, True)):
        offset = size * SPREAD if family == "gaussian" else np.full(N, size) + 0.5 * X
        y = NOISE + offset if family == "gaussian" else _rng.poisson(3, size=N) * 1.0
        data = table(y, offset)
        results = jg.glm("y ~ x", data, family=family, offset="o", on_failure="ignore")
        notes = [note for note in results.notes if note.startswith("Precision: in float64")]
        assert len(notes) == told and results.converged
        many = jg.fit_groups(
            "y ~ x", data.assign(shop="a"), "shop", family=family, offset="o", on_failure="ignore"
        )
        assert len([n for n in many["a"].notes if "Precision" in n]) == told


def test_a_link_that_is_not_canonical_ends_as_before() -> None:
    data = table(NOISE, np.zeros(N))
    for family, link in (("gamma", "log"), ("gaussian", "log"), ("poisson", "sqrt")):
        results = jg.glm("y ~ x", data.round({"y": 0}) + 1.0, family=family, link=link)
        assert results.converged and not any("Precision" in note for note in results.notes)


@pytest.mark.slow
def test_a_plateau_where_means_are_at_a_limit_that_responses_do_not_want_is_no_optimum() -> None:
    """A mean of 1e-20 does not find back to a response of 2: there the loss is flat."""
    rng, n, count = np.random.default_rng(1), 12, 40
    kind, x = rng.integers(0, 2, (count, n)), rng.integers(-30, 31, (count, n)) / 10
    y = rng.integers(-30, 31, (count, n)) / 10
    shop = np.repeat(np.arange(count), n)
    frame = pd.DataFrame({"shop": shop, "y": y.ravel(), "x": x.ravel(), "kind": kind.ravel()})
    given = {"family": "gaussian", "link": "log", "on_failure": "ignore"}
    fits = jg.fit_groups("y ~ x * kind", frame, "shop", **given)
    turned = jg.fit_groups("y ~ x * kind", frame[::-1], "shop", **given)
    assert fits.converged.equals(turned.converged.loc[fits.keys])
    assert 0.3 < fits.converged.mean() < 0.9
    for g in fits.keys[:12]:
        single = jg.glm("y ~ x * kind", frame[frame["shop"] == g], **given)
        assert single.converged == fits.converged[g]
        told = np.asarray(single.fittedvalues) > 1e-8
        if single.converged:
            columns = np.asarray(single.design_matrix())
            assert np.linalg.matrix_rank(columns[told]) == np.linalg.matrix_rank(columns)
