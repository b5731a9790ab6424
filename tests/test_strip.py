"""Tiles read in place hold what copied tiles hold, wherever the user's array starts."""

from collections.abc import Iterator

import jax
import numpy as np
import pytest

import jaxglm as jg
from jaxglm._tuning import tuned
from jaxglm.designs import Dense, Strip, Tiling, _tiling
from jaxglm.designs._strip import strip
from jaxglm.sources import Block, Rows, Tiles, _placement, one_pass
from tests.marks import slow_among

ROWS = 32
_rng = np.random.default_rng(8)


@pytest.fixture(autouse=True)
def double_precision() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def late(values: np.ndarray, offset: int) -> np.ndarray:
    """A copy that starts `offset` bytes after a multiple of 64."""
    buffer = np.empty(values.nbytes + 128, np.uint8)
    start = -buffer.ctypes.data % 64 + offset
    out = buffer[start : start + values.nbytes].view(values.dtype).reshape(values.shape)
    out[...] = values
    return out


@jax.jit
def tile_of(tiles: Strip, index: int) -> jax.Array:
    inside = (index > 0) & (index < tiles.inside)
    return jax.lax.cond(inside, lambda: tiles.inner(index), lambda: tiles.edge(index))


def all_tiles(tiles: Strip) -> np.ndarray:
    return np.stack([np.asarray(tile_of(tiles, np.int32(i))) for i in range(tiles.count)])


def numbers(n: int, more: tuple[int, ...], dtype: str) -> np.ndarray:
    return (100 * _rng.normal(size=(n, *more))).astype(dtype)


@pytest.mark.parametrize("more", [(), (3,)], ids=["vector", "matrix"])
@pytest.mark.parametrize("dtype", ["float64", "float32", "int32"])
def test_any_alignment(dtype: str, more: tuple[int, ...]) -> None:
    """Every start that an array of this dtype can have: the same tiles, in the same shapes."""
    values = numbers(3 * ROWS + 17, more, dtype)
    copied = np.asarray(Tiling(4, ROWS).cut(values, 7))
    shapes = set()
    for offset in range(0, 64, values.itemsize):
        given = late(values, offset)
        tiles = strip(given, ROWS, 7, 4)
        assert tiles is not None and tiles.shape == copied.shape and tiles.dtype == values.dtype
        assert np.array_equal(all_tiles(tiles), copied)
        leaves, structure = jax.tree.flatten(tiles)
        shapes.add((structure, *((leaf.shape, str(leaf.dtype)) for leaf in leaves)))
        first = given.ctypes.data + int(tiles.skipped) * values.itemsize
        if jax.default_backend() == "cpu":
            assert tiles.elements.unsafe_buffer_pointer() == first  # no copy
    assert len(shapes) == 1


@pytest.mark.parametrize("left", [8, 9, ROWS - 1, ROWS])
def test_any_number_of_rows(left: int) -> None:
    """The last tile is short, nearly full or full."""
    values = numbers(2 * ROWS + left, (), "float64")
    tiles = strip(late(values, 16), ROWS, 0, 3)
    assert tiles is not None
    assert np.array_equal(all_tiles(tiles), np.asarray(Tiling(3, ROWS).cut(values, 0)))


def test_two_tiles_have_no_other_between_them() -> None:
    values = numbers(2 * ROWS - 3, (2,), "float32")
    tiles = strip(late(values, 60), ROWS, 0, 2)
    assert tiles is not None
    assert np.array_equal(all_tiles(tiles), np.asarray(Tiling(2, ROWS).cut(values, 0)))


UNREADABLE = {
    "one tile": numbers(ROWS, (), "float64"),
    "too few left over": numbers(2 * ROWS + 7, (), "float64"),
    "too few left over in float32": numbers(2 * ROWS + 5, (3,), "float32"),
    "by columns": np.asfortranarray(numbers(4 * ROWS, (3,), "float64")),
    "every second row": numbers(8 * ROWS, (), "float64")[::2],
    "half a number late": late(numbers(4 * ROWS, (), "float64"), 4),
    "without columns": numbers(4 * ROWS, (0,), "float64"),
}


@pytest.mark.parametrize("which", UNREADABLE)
def test_what_cannot_be_read_in_place_is_copied(which: str) -> None:
    values = UNREADABLE[which]
    count = -(-len(values) // ROWS)
    assert strip(values, ROWS, 0, count) is None
    assert not isinstance(Tiling(count, ROWS, in_place=True).cut(values, 0), Strip)


def test_alignment_does_not_compile_again() -> None:
    traced = []

    def gram(block: Block) -> jax.Array:
        traced.append(block)
        return block.design.gram(block.rows.weight)

    n = 5 * ROWS + 20
    X, weight = numbers(n, (3,), "float64"), _rng.uniform(size=n)
    tiling = Tiling(6, ROWS, in_place=True)
    expected = X.T @ (weight[:, None] * X)
    traces = set()
    for offsets in [(0, 16), (16, 16), (8, 56), (40, 0)]:
        x, w = late(X, offsets[0]), tiling.cut(late(weight, offsets[1]), 0.0)
        assert isinstance(w, Strip)
        tiles = Tiles(Block(Dense(x).tiled(tiling), Rows(y=w, weight=w)))
        np.testing.assert_allclose(one_pass(tiles, kernel=gram), expected, rtol=1e-13)
        traces.add(len(traced))
    assert len(traces) == 1


@pytest.mark.parametrize("in_place", [True, False], ids=["in place", "copied"])
def test_neighbouring_sizes_share_a_program(
    in_place: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_placement, "_IN_PLACE_BYTES", 0 if in_place else 1 << 30)
    traced, once = [], 0

    def gram(block: Block) -> jax.Array:
        traced.append(block)
        return block.design.gram(block.rows.weight)

    most = 62 * ROWS
    X, weight = numbers(most, (3,), "float64"), _rng.uniform(size=most)
    with tuned(smallest_tile=ROWS, largest_tile=ROWS, fewest_rows=ROWS):
        for n in np.linspace(60 * ROWS + 9, most, 10).astype(int):
            x, w = X[:n], weight[:n]
            tiles = _placement.place(Block(Dense(x), Rows(y=w, weight=w)), np.dtype(float))
            assert isinstance(tiles.block.design.values, Strip) == in_place
            assert tiles.live == -(-n // ROWS)
            expected = x.T @ (w[:, None] * x)
            np.testing.assert_allclose(one_pass(tiles, kernel=gram), expected, rtol=1e-12)
            once = once or len(traced)
    assert len(traced) == once


def test_tiles_without_rows_are_not_visited() -> None:
    with tuned(smallest_tile=ROWS, largest_tile=ROWS, fewest_rows=ROWS):
        y = np.ones(33 * ROWS)
        tiles = _placement.place(Block(Dense(y[:, None]), Rows(y=y, weight=y)), np.dtype(float))
    assert (tiles.count, int(tiles.live)) == (36, 33)
    assert one_pass(tiles, kernel=lambda block: jax.numpy.ones(())) == 33


N = 10 * 64 + 30
GROUP = _rng.choice(list("abcd"), size=N)
X1 = _rng.normal(size=N)
MATRIX = np.column_stack([np.ones(N), X1, _rng.normal(size=N)])
COUNTS = _rng.poisson(np.exp(0.4 + 0.3 * X1 + (GROUP == "b")))
EXTRA = {"offset": 0.1 * _rng.normal(size=N), "var_weights": _rng.uniform(0.5, 2.0, size=N)}
TABLE = {"y": COUNTS, "x": X1, "z": MATRIX[:, 2], "g": GROUP}

FITS = {
    "dense": lambda: jg.GLM(COUNTS, late(MATRIX, 24), "poisson", **EXTRA).fit(),
    "factors": lambda: jg.glm("y ~ x + g + g:z", TABLE, "poisson", **EXTRA),
}


@pytest.fixture
def small_tiles() -> Iterator[None]:
    with tuned(smallest_tile=64, largest_tile=64):
        yield


@pytest.mark.parametrize("which", slow_among(FITS, ["factors"]))
@pytest.mark.usefixtures("small_tiles")
def test_a_fit_in_place_is_the_same_fit(which: str, monkeypatch: pytest.MonkeyPatch) -> None:
    copied = FITS[which]()
    made = []

    def spy(*args):
        made.append(strip(*args))
        return made[-1]

    monkeypatch.setattr(_tiling, "strip", spy)
    monkeypatch.setattr(_placement, "_IN_PLACE_BYTES", 0)
    in_place = FITS[which]()
    vectors = 3  # response, offset, weight
    assert sum(tiles is not None for tiles in made) >= vectors + (1 if which == "dense" else 3)
    np.testing.assert_allclose(in_place.params, copied.params, rtol=1e-11)
    np.testing.assert_allclose(in_place.bse, copied.bse, rtol=1e-11)
    for name in ("llf", "llnull", "deviance", "null_deviance", "pearson_chi2"):
        assert getattr(in_place, name) == pytest.approx(getattr(copied, name), rel=1e-12)
    np.testing.assert_allclose(in_place.fittedvalues, copied.fittedvalues, rtol=1e-11)
