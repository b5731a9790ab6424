"""A sum over tiles is the sum over the rows, whatever the tiles and the padding are."""

import math
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxglm import families
from jaxglm.designs import Dense, Tiling, bucket
from jaxglm.sources import Block, Rows, Tiles, each_row, one_pass, place
from jaxglm.sources._placement import tile_rows
from jaxglm.sums._moments import Moments, diagonal_moments, full_moments
from jaxglm.sums._rowwise import Point

from .make_designs import DESIGNS, N, Pair
from .marks import slow_among

_rng = np.random.default_rng(8)
Y = _rng.poisson(2.0, size=N).astype(float)
WEIGHT = _rng.uniform(0.5, 2.0, size=N)
OFFSET = 0.3 * _rng.normal(size=N)
POISSON = families.Poisson()


@pytest.fixture(autouse=True)
def double_precision() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def tiles_of(pair: Pair, tiling: Tiling, y: np.ndarray = Y, weight: np.ndarray = WEIGHT) -> Tiles:
    rows = Rows(
        y=tiling.cut(y, 1.0), weight=tiling.cut(weight, 0.0), offset=tiling.cut(OFFSET, 0.0)
    )
    return Tiles(Block(pair.design.tiled(tiling), rows))


def point(p: int) -> Point:
    return Point(
        beta=np.linspace(-0.4, 0.3, p),
        observed=np.bool_(False),
        start=np.int32(0),
        center=np.float64(1.0),
        barrier=np.float64(0.0),
    )


def expected_sums(dense: np.ndarray, weight: np.ndarray = WEIGHT) -> dict[str, np.ndarray]:
    """Of a Poisson log-linear model, by definition."""
    eta = dense @ point(dense.shape[1]).beta + OFFSET
    mu = np.exp(eta)
    return {
        "score": dense.T @ (weight * (mu - Y)),
        "info": dense.T @ ((weight * mu)[:, None] * dense),
        "pearson": np.sum(weight * (Y - mu) ** 2 / mu),
    }


def agrees(sums: Moments, dense: np.ndarray, weight: np.ndarray = WEIGHT) -> bool:
    return all(
        np.allclose(np.asarray(getattr(sums, name)), value, rtol=1e-12, atol=1e-12)
        for name, value in expected_sums(dense, weight).items()
    )


SLOW = (
    "dense of float32 values",
    "factor by number",
    "factor with contrasts by number",
    "sparse of float32 values",
    "sparse without entries",
    "split of one factor",
    "split without numbers",
)


@pytest.mark.parametrize(
    "tiling", slow_among([Tiling(1, N), Tiling(4, 8)], [Tiling(1, N)]), ids=str
)
@pytest.mark.parametrize("name", slow_among(DESIGNS, SLOW))
def test_sums_over_tiles_are_sums_over_rows(name: str, tiling: Tiling) -> None:
    pair = DESIGNS[name]
    at = point(pair.design.n_columns)
    sums = one_pass(tiles_of(pair, tiling), POISSON, at, kernel=full_moments)
    assert agrees(sums, pair.dense)
    if tiling.count == 1:
        return
    diagonal = one_pass(tiles_of(pair, tiling), POISSON, at, kernel=diagonal_moments)
    assert np.allclose(diagonal.info, np.diag(sums.info), rtol=1e-12, atol=1e-13)
    assert np.allclose(diagonal.loss, sums.loss, rtol=1e-13)


@pytest.mark.parametrize("name", ["dense", "factor with contrasts", "sparse"])
@pytest.mark.parametrize("tiling", [Tiling(1, 24), Tiling(3, 8)], ids=str)
def test_rows_of_weight_zero_may_hold_anything(name: str, tiling: Tiling) -> None:
    """A loss of inf and a score of nan, times weight 0, would be nan."""
    pair = DESIGNS[name]
    weight, y = WEIGHT.copy(), Y.copy()
    left_out = [2, 9, 20]
    weight[left_out] = 0.0
    y[left_out] = [np.nan, np.inf, -1.0]
    sums = one_pass(
        tiles_of(pair, tiling, y, weight),
        POISSON,
        point(pair.design.n_columns),
        kernel=full_moments,
    )
    assert agrees(sums, pair.dense, weight)
    assert np.isfinite(sums.loss) and np.isfinite(sums.rounding)


@pytest.mark.parametrize("kernel", [full_moments, diagonal_moments], ids=["full", "diagonal"])
def test_a_huge_predictor_in_a_row_of_weight_zero_is_nothing(kernel) -> None:
    """Its square overflows, and 0 * inf is nan."""
    columns = np.column_stack([np.ones(8), np.r_[np.linspace(-1, 1, 7), 1e200]])
    rows = Rows(y=jnp.ones(8), weight=jnp.asarray(np.r_[np.ones(7), 0.0]))
    block = Block(Dense(jnp.asarray(columns)), rows)
    sums = kernel(block, POISSON, point(2))
    assert all(np.isfinite(np.asarray(leaf)).all() for leaf in sums)


def test_padding_counts_for_nothing() -> None:
    """Every family is evaluated in padding rows; none of them may add anything, not even nan."""
    pair = DESIGNS["dense"]
    y = np.linspace(0.1, 0.9, N)
    for family in (families.Gamma(), families.InverseGaussian(), families.Binomial()):
        at = point(3)._replace(start=np.int32(1))
        padded, exact = (
            one_pass(tiles_of(pair, tiling, y), family, at, kernel=full_moments)
            for tiling in (Tiling(1, 64), Tiling(1, N))
        )
        for name, one, other in zip(Moments._fields, padded, exact, strict=True):
            assert np.allclose(one, other, rtol=1e-12), (family.name, name)


@pytest.mark.parametrize("n", [5, 21, 300, 5000])
def test_placed_rows_come_back_in_order(n: int) -> None:
    values = np.arange(float(n))
    placed = place(Block(Dense(values[:, None]), Rows(values, np.ones(n))), np.dtype(np.float64))
    tiles, rows = placed.block.rows.y.shape
    assert tiles * rows >= n
    back = np.asarray(each_row(placed, function=_first_column))
    assert np.array_equal(back[:n], values) and not back[n:].any()
    assert float(np.asarray(placed.block.rows.weight).sum()) == n


def _first_column(block: Block) -> jax.Array:
    return block.design.matvec(jnp.ones(1, block.rows.y.dtype))


@pytest.mark.parametrize("name", ["dense", "split of four factors", "sparse"])
@pytest.mark.parametrize("n", [1, 100, 10_000, 1_000_000])
def test_padding_of_placed_rows_is_at_most_an_eighth(name: str, n: int) -> None:
    rows = tile_rows(DESIGNS[name].design, n)
    tiles = math.ceil(n / rows)
    tiles = bucket(tiles) if tiles > 8 else tiles
    assert tiles * rows >= n
    assert tiles * rows <= max(1.27 * n, n + 8192)


def test_vectors_take_the_dtype_of_the_arithmetic_and_columns_keep_theirs() -> None:
    values = DESIGNS["dense of float32 values"].design
    placed = place(Block(values, Rows(Y, WEIGHT, OFFSET)), np.dtype(np.float64)).block
    assert placed.design.values.dtype == jnp.float32
    assert placed.rows.y.dtype == placed.rows.offset.dtype == jnp.float64


def _sum_of_y(block: Block) -> dict[str, jax.Array]:
    return {"sum": jnp.sum(block.rows.y), "count": jnp.sum(block.rows.weight)}


def _many_tiles(values: np.ndarray) -> Tiles:
    tiling = Tiling(values.size, 1)
    rows = Rows(y=tiling.cut(values, 0.0), weight=tiling.cut(np.ones_like(values), 0.0))
    return Tiles(Block(Dense(np.zeros((values.size, 1), np.float32)).tiled(tiling), rows))


SERIES = {
    "large then small": np.r_[np.float32(1e6), np.full(4095, 0.01, np.float32)],
    "small then large": np.r_[np.full(4095, 0.01, np.float32), np.float32(1e6)],
    "cancelling": np.tile(np.array([1e6, 0.01, -1e6, 0.01], np.float32), 1024),
}


@pytest.mark.parametrize("which", SERIES)
def test_float32_sums_over_tiles_are_compensated(which: str) -> None:
    values = SERIES[which].astype(np.float32)
    exact = math.fsum(values.astype(float))
    plain = np.float32(0)
    for value in values:
        plain += value
    total = float(one_pass(_many_tiles(values), kernel=_sum_of_y)["sum"])
    assert abs(total - exact) <= 1e-7 * abs(exact) + 1e-12 * np.abs(values.astype(float)).sum()
    if which != "small then large":
        assert abs(total - exact) < 0.01 * abs(float(plain) - exact)


@pytest.mark.parametrize("value", [np.inf, np.nan])
def test_compensation_passes_on_what_is_not_finite(value: float) -> None:
    total = one_pass(_many_tiles(np.array([1.0, value, 2.0], np.float32)), kernel=_sum_of_y)
    assert np.array_equal(np.asarray(total["sum"]), np.float32(value), equal_nan=True)
    assert float(total["count"]) == 3


@pytest.mark.parametrize(("n", "rows"), [(1000, 1024), (100_000_000, 1 << 20)])
def test_tiles_are_large_on_an_accelerator(
    n: int, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert tile_rows(Dense(np.empty((0, 20))), n) == rows
