"""Visits that the cores share: the sums of their shares are those of all rows."""

import warnings
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
import pytest

import jaxglm as jg
from jaxglm._jax import computing
from jaxglm._tuning import tuned
from jaxglm.families import Poisson
from jaxglm.search import Options, _drive
from jaxglm.search._attempts import Search
from jaxglm.search._settings import AT_BETA
from jaxglm.sources import Resident, _shared
from jaxglm.sums import full_moments
from tests.engine import problem

N = 1500
_rng = np.random.default_rng(5)
X = np.column_stack([np.ones(N), *_rng.normal(size=(2, N))])
Y = _rng.poisson(np.exp(X @ [0.4, 0.4, -0.3])).astype(float)
TABLE = {"y": Y, "a": X[:, 1], "b": X[:, 2]}


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(_shared, "_cores", lambda: 3)
    with tuned(smallest_tile=64, largest_tile=64):
        yield


@pytest.fixture
def source() -> Resident:
    with computing():
        found = problem("y ~ a + b", TABLE, "poisson").source
        assert isinstance(found, Resident)
        return found


def visited(source: Resident) -> list[np.ndarray]:
    """The tiles of each share."""
    parts = _shared.shares(source.tiles, source.design)
    return [int(part._at(0)) + np.arange(0, int(part.n_live), int(part.stride)) for part in parts]


@pytest.mark.parametrize("stride", [1, 2, 5, 7])
def test_each_tile_is_in_one_share(stride: int, source: Resident) -> None:
    with computing(), tuned(fewest_shared=0):
        some = source.sample(stride)
        parts = visited(some)
        assert len(parts) == 3
        expected = np.arange(0, source.n_parts, stride)
        np.testing.assert_array_equal(np.sort(np.concatenate(parts)), expected)


def test_the_sums_are_those_of_all_rows(source: Resident) -> None:
    with computing():
        at = _point(source)
        alone = jax.device_get(source.reduce(full_moments, Poisson(), at))
        with tuned(fewest_shared=0):
            shared = source.reduce(full_moments, Poisson(), at)
            again = source.reduce(full_moments, Poisson(), at)
    for one, other, same in zip(*map(jax.tree.leaves, (alone, shared, again)), strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-12)
        np.testing.assert_array_equal(other, same)  # in the order of the shares, whichever ends


def _point(source: Resident) -> Any:
    of = problem("y ~ a + b", TABLE, "poisson")
    return Search(of, Poisson(), Options()).settings.point(np.array([0.1, 0.2, 0.3]), AT_BETA)


def test_what_is_not_shared(source: Resident) -> None:
    with tuned(fewest_shared=0):
        with computing():
            assert source.is_shared
            narrow = Resident(source.block, np.dtype(np.float32))
            assert not narrow.is_shared  # its sums are compensated
            few = Resident(source.block.take(np.arange(50)), source.dtype)
            assert not few.is_shared
        with jax.enable_x64(True):
            assert not source.is_shared  # a user's settings hold in the user's own thread
    with computing():
        assert not source.is_shared


@pytest.mark.parametrize("large", [False, True])
def test_a_fit_whose_visits_are_shared(large: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def fit() -> jg.Results:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return jg.GLM(Y, X, "poisson").fit(compress=False)

    alone = fit()
    monkeypatch.setattr(_drive, "_compiled_loop", None)  # nor is it asked for
    with tuned(fewest_shared=0, **({"large_rows": 0} if large else {})):
        shared = fit()
    np.testing.assert_allclose((shared.params - alone.params) / alone.bse, 0.0, atol=1e-9)
    np.testing.assert_allclose(shared.bse, alone.bse, rtol=1e-9)
    assert shared.llf == pytest.approx(alone.llf, rel=1e-12)


def test_an_error_in_a_share_is_raised(source: Resident) -> None:
    def broken(block: Any) -> Any:
        raise ValueError("no such sum")

    with computing(), tuned(fewest_shared=0), pytest.raises(ValueError, match="no such sum"):
        source.reduce(broken)
