"""Visits that answer row by row, or add up by cluster: each row once, whatever the parts are."""

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxglm._tuning import tuned
from jaxglm.families import Poisson
from jaxglm.inference.covariances import _clustered
from jaxglm.inference.covariances._clustered import Clusters, clustered
from jaxglm.sources import Block, Chunked, Resident, Rows, Source, _in_parts, _placement, in_parts
from jaxglm.sums import Rooted

from .make_designs import DESIGNS, NUMERIC, N, Pair

RNG = np.random.default_rng(4)
Y = RNG.poisson(2.0, N).astype(float)
WEIGHT = np.where(np.arange(N) % 5 == 3, 0.0, RNG.uniform(0.5, 2.0, N))
FLOAT = np.dtype(np.float64)


@pytest.fixture(autouse=True)
def tiles_of_four_rows(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(_in_parts, "_NUMBERS", 2 * 4 * 3)  # two tiles of three numbers a row
    with (
        jax.enable_x64(True),
        tuned(smallest_tile=4, largest_tile=4, fewest_rows=4, small_cells=1 << 20),
    ):
        yield


def block_of(pair: Pair) -> Block:
    return Block(pair.design, Rows(Y, WEIGHT))


def both(block: Block, b: Any) -> tuple[Any, Any]:
    return block.design.matvec(b), block.rows.y[:, None] * jnp.ones(2)


@pytest.mark.parametrize("in_place", [False, True])
@pytest.mark.parametrize("name", DESIGNS)
def test_parts_hold_every_row_once(
    name: str, in_place: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if in_place:
        monkeypatch.setattr(_placement, "_IN_PLACE_BYTES", 0)
    pair = DESIGNS[name]
    b = RNG.normal(size=pair.dense.shape[1])
    found = list(in_parts(Resident(block_of(pair), FLOAT), both, b, width=3))
    # A tile of factors has more rows, as many as pay for adding up their Gram matrix.
    assert [which.size for which, _ in found] in ([8, 8, 5], [16, 5])
    assert np.array_equal(np.concatenate([which for which, _ in found]), np.arange(N))
    np.testing.assert_allclose(np.concatenate([e for _, (e, _) in found]), pair.dense @ b, 1e-12)
    assert np.array_equal(np.concatenate([y[:, 1] for _, (_, y) in found]), Y)


def test_parts_may_be_asked_for_in_an_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_in_parts, "_FEWEST", 5)
    pair = DESIGNS["split of four factors"]
    order, b = RNG.permutation(N)[:12], RNG.normal(size=pair.dense.shape[1])
    found = list(in_parts(Resident(block_of(pair), FLOAT), both, b, width=3, order=order))
    assert [which.size for which, _ in found] == [5, 5, 2]
    assert np.array_equal(np.concatenate([which for which, _ in found]), order)
    np.testing.assert_allclose(
        np.concatenate([eta for _, (eta, _) in found]), pair.dense[order] @ b, atol=1e-12
    )


def streamed() -> Source:
    block = block_of(DESIGNS["dense"])
    return Chunked([block.take(rows) for rows in np.array_split(np.arange(N), 4)], FLOAT)


def test_a_stream_comes_as_it_is() -> None:
    found = list(in_parts(streamed(), both, np.ones(3), width=3))
    assert np.array_equal(np.concatenate([which for which, _ in found]), np.arange(N))
    with pytest.raises(TypeError, match="in the order in which they come"):
        in_parts(streamed(), both, np.ones(3), width=3, order=np.arange(N))


@pytest.mark.parametrize("numbers", [1 << 25, 3 * 8])  # all clusters at a time, or eight
@pytest.mark.parametrize("stream", [False, True])
def test_scores_are_added_up_by_cluster(
    numbers: int, stream: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_clustered, "_NUMBERS", numbers)
    source = streamed() if stream else Resident(block_of(DESIGNS["dense"]), FLOAT)
    live, beta, root = WEIGHT > 0, np.array([0.3, -0.2, 0.1]), RNG.normal(size=(3, 3))
    codes = [RNG.integers(0, 12, N), RNG.integers(0, 4, N)]
    ways = [Clusters.of(own, live) for own in codes]
    wanted = np.zeros((3, 3))
    scores = (WEIGHT * (np.exp(NUMERIC @ beta) - Y))[:, None] * (NUMERIC @ root)
    for factor, own in zip((1.5, -0.5), codes, strict=True):
        for code in np.unique(own):
            one = scores[own == code].sum(axis=0)
            wanted += factor * np.outer(one, one)
    parts = list(zip((1.5, -0.5), ways, strict=True))
    found = clustered(source, Poisson(), Rooted(beta, root), parts, "HC0")
    np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("far", [1, -1, 10**12])
def test_clusters_are_numbered_in_order_whatever_their_codes_are(far: int) -> None:
    codes = np.array([3, 7, 3, 0, 7, 5]) * far
    found = Clusters.of(codes, np.array([True, True, True, True, True, False]))
    assert found.count == 3
    wanted = [1, 2, 1, 0, 2, -1] if far > 0 else [1, 0, 1, 2, 0, -1]
    assert found.codes.tolist() == wanted
    assert Clusters.of(codes, np.zeros(6, bool)).count == 0
