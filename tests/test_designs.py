"""Every design is, in all its verbs, the dense matrix it stands for."""

from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.sparse

from jaxglm.designs import (
    Categorical,
    Dense,
    DensePiece,
    Design,
    FactorPiece,
    Masked,
    Sparse,
    Split,
    Tiling,
    assemble,
    bucket,
    from_matrix,
)

from .make_designs import CODES, DESIGNS, MULTIPLIER, NUMERIC, N, Pair, one_hot

WEIGHT = np.random.default_rng(3).uniform(0.1, 2.0, size=N)


@pytest.fixture(autouse=True)
def double_precision() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


@pytest.fixture(params=DESIGNS)
def pair(request: pytest.FixtureRequest) -> Pair:
    return DESIGNS[request.param]


def close(one, other, rtol: float = 1e-13) -> bool:
    size = float(np.abs(other).max(initial=1.0))
    return np.allclose(np.asarray(one), other, rtol=0, atol=rtol * size)


def dense_of(design: Design) -> np.ndarray:
    return np.asarray(design.dense(np.float64))


def coefficients(pair: Pair, *more: int) -> jax.Array:
    shape = (pair.design.n_columns, *more)
    return jnp.asarray(np.random.default_rng(4).normal(size=shape))


def test_number_of_columns(pair: Pair) -> None:
    assert pair.design.n_columns == pair.dense.shape[1]


def test_dense_form(pair: Pair) -> None:
    assert np.array_equal(dense_of(pair.design), pair.dense)


@pytest.mark.parametrize("more", [(), (2,)], ids=["vector", "matrix"])
def test_matvec(pair: Pair, more: tuple[int, ...]) -> None:
    b = coefficients(pair, *more)
    assert close(pair.design.matvec(b), pair.dense @ np.asarray(b))


@pytest.mark.parametrize("together", [4, 1 << 15], ids=["parts", "whole"])
def test_times(pair: Pair, together: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jaxglm.designs._dense._NUMBERS_CONVERTED", together)
    monkeypatch.setattr("jaxglm.designs._dense._NUMBERS_TOGETHER", together)
    b = np.asarray(coefficients(pair))
    found = pair.design.times(b)
    assert found.dtype == np.float64 and close(found, pair.dense @ b)


def test_times_rows(pair: Pair) -> None:
    b = np.array(jax.random.normal(jax.random.key(3), pair.dense.shape))
    assert close(pair.design.times_rows(b), (pair.dense * b).sum(axis=1))
    # A coefficient that nobody knows matters in the rows that have a part in its column only.
    b[:, 0] = np.nan
    assert np.array_equal(np.isnan(pair.design.times_rows(b)), pair.dense[:, 0] != 0)


def test_rmatvec(pair: Pair) -> None:
    assert close(pair.design.rmatvec(jnp.asarray(WEIGHT)), pair.dense.T @ WEIGHT)


@pytest.mark.parametrize("signs", [1.0, (-1.0) ** np.arange(N)], ids=["positive", "mixed"])
def test_gram(pair: Pair, signs) -> None:
    w = WEIGHT * signs
    expected = pair.dense.T @ (w[:, None] * pair.dense)
    assert close(pair.design.gram(jnp.asarray(w)), expected)
    assert close(pair.design.gram_diagonal(jnp.asarray(w)), np.diag(expected))


@pytest.mark.parametrize("signs", [1.0, (-1.0) ** np.arange(N)], ids=["positive", "mixed"])
@pytest.mark.parametrize("p", [3, 40, 258], ids=["few", "transposed", "in strips"])
def test_gram_of_so_many_columns(p: int, signs) -> None:
    x = np.random.default_rng(p).normal(size=(N, p))
    w = WEIGHT * signs
    expected = x.T @ (w[:, None] * x)
    assert close(Dense(x).gram(jnp.asarray(w)), expected)
    quick = Dense(x).quick_gram(jnp.asarray(w))
    assert quick.dtype == jnp.float32
    np.testing.assert_allclose(quick, expected, atol=1e-6 * np.sum(np.abs(w)) * np.max(x**2))


@pytest.mark.slow
def test_computes_in_the_dtype_of_the_argument(pair: Pair) -> None:
    w = jnp.asarray(WEIGHT, jnp.float32)
    b = coefficients(pair).astype(jnp.float32)
    results = [pair.design.matvec(b), pair.design.rmatvec(w), pair.design.gram(w)]
    results += [pair.design.gram_diagonal(w), pair.design.dense(jnp.float32)]
    assert [result.dtype for result in results] == [jnp.float32] * 5
    assert close(results[2], pair.dense.T @ (WEIGHT[:, None] * pair.dense), 1e-5)


def masks(p: int) -> dict[str, np.ndarray]:
    every = np.ones(p, bool)
    return {
        "all": every,
        "all but the first": np.arange(p) > 0,
        "all but the last": np.arange(p) < p - 1,
        "every second": np.arange(p) % 2 == 1,
        "the last": np.arange(p) == p - 1,
    }


@pytest.mark.parametrize("which", list(masks(2)))
def test_take_columns(pair: Pair, which: str) -> None:
    keep = masks(pair.design.n_columns)[which]
    taken = pair.design.take_columns(keep)
    assert taken.n_columns == keep.sum()
    assert np.array_equal(dense_of(taken), pair.dense[:, keep])
    assert close(taken.gram(jnp.asarray(WEIGHT)),
                 (pair.dense.T @ (WEIGHT[:, None] * pair.dense))[np.ix_(keep, keep)])  # fmt: skip


def test_take_columns_twice(pair: Pair) -> None:
    """A level that joined the reference stays there."""
    once = pair.design.take_columns(np.arange(pair.design.n_columns) > 0)
    if once.n_columns < 2:
        return
    twice = once.take_columns(np.arange(once.n_columns) > 0)
    assert np.array_equal(dense_of(twice), pair.dense[:, 2:])


def test_a_factor_without_columns_left_is_gone() -> None:
    design = DESIGNS["split of four factors"].design
    assert isinstance(design, Split)
    keep = np.r_[np.ones(3, bool), np.zeros(3, bool), np.ones(7, bool)]
    taken = design.take_columns(keep)
    assert len(taken.factors) == 3
    assert np.array_equal(dense_of(taken), DESIGNS["split of four factors"].dense[:, keep])
    none = design.take_columns(np.arange(design.n_columns) < 3)
    assert none.factors == () and np.array_equal(dense_of(none), NUMERIC)
    assert close(none.gram(jnp.asarray(WEIGHT)), NUMERIC.T @ (WEIGHT[:, None] * NUMERIC))


ROWS = {
    "some": np.array([1, 2, 5, 20]),
    "in another order": np.arange(N)[::-1].copy(),
    "one": np.array([4]),
    "all": np.arange(N),
}


@pytest.mark.parametrize("which", ROWS)
def test_take_rows(pair: Pair, which: str) -> None:
    rows = ROWS[which]
    taken = pair.design.take_rows(rows)
    assert np.array_equal(dense_of(taken), pair.dense[rows])


TILINGS = {
    "one tile without padding": Tiling(1, N),
    "one tile": Tiling(1, 24),
    "three tiles": Tiling(3, 8),
    "a tile of padding only": Tiling(4, 8),
}


@pytest.mark.parametrize("which", TILINGS)
def test_tiles_hold_the_rows_in_order_and_padding_is_zero(pair: Pair, which: str) -> None:
    tiling = TILINGS[which]
    tiled = pair.design.tiled(tiling)
    rows = [dense_of(jax.tree.map(lambda leaf, i=i: leaf[i], tiled)) for i in range(tiling.count)]
    assert all(tile.shape == (tiling.rows, pair.design.n_columns) for tile in rows)
    stacked = np.concatenate(rows)
    assert np.array_equal(stacked[:N], pair.dense)
    assert np.all(np.isfinite(stacked))


def without_contrasts() -> list[str]:
    """With contrasts a padding row is one of the levels; only its weight makes it nothing."""

    def parts(design: Design) -> tuple[Design, ...]:
        return design.parts if isinstance(design, Split) else (design,)

    return [
        name
        for name, pair in DESIGNS.items()
        if not any(getattr(part, "contrasts", None) for part in parts(pair.design))
    ]


@pytest.mark.parametrize("name", without_contrasts())
def test_padding_rows_are_zero(name: str) -> None:
    pair = DESIGNS[name]
    tile = jax.tree.map(lambda leaf: leaf[-1], pair.design.tiled(TILINGS["three tiles"]))
    assert not dense_of(tile)[N % 8 :].any()


def test_leaves_keep_their_dtype_on_the_device() -> None:
    tiled = Dense(NUMERIC.astype(np.float32)).tiled(Tiling(3, 8))
    assert tiled.values.dtype == jnp.float32


@pytest.mark.parametrize(
    "order", ["rows", "columns", "random"], ids=lambda order: f"entries by {order}"
)
def test_sparse_entries_may_come_in_any_order(order: str) -> None:
    pair = DESIGNS["sparse"]
    assert isinstance(pair.design, Sparse)
    keys = {
        "rows": np.argsort(pair.design.rows, kind="stable"),
        "columns": np.argsort(pair.design.columns, kind="stable"),
        "random": np.random.default_rng(0).permutation(pair.design.rows.size),
    }[order]
    shuffled = Sparse(
        pair.design.values[keys], pair.design.rows[keys], pair.design.columns[keys], N, 4
    )
    tiled = shuffled.tiled(Tiling(3, 8))
    rows = [dense_of(jax.tree.map(lambda leaf, i=i: leaf[i], tiled)) for i in range(3)]
    assert np.array_equal(np.concatenate(rows)[:N], pair.dense)


def test_sparse_entries_given_twice_add_up() -> None:
    matrix = scipy.sparse.coo_array(
        (np.array([1.0, 2.0, 4.0]), (np.array([0, 0, 1]), np.array([1, 1, 0]))), shape=(2, 2)
    )
    design, order = from_matrix(matrix)
    assert np.array_equal(dense_of(design), [[0.0, 3.0], [4.0, 0.0]])
    assert close(design.gram_diagonal(jnp.ones(2)), np.array([16.0, 9.0]))
    assert np.array_equal(order, [0, 1])


@pytest.mark.parametrize("make", [scipy.sparse.csr_array, scipy.sparse.csc_matrix])
def test_from_matrix_leaves_the_matrix_as_it_was(make) -> None:
    matrix = make(DESIGNS["sparse"].dense)
    before = matrix.copy()
    design, _ = from_matrix(matrix)
    assert np.array_equal(dense_of(design), DESIGNS["sparse"].dense)
    assert (matrix != before).nnz == 0


def pieces() -> tuple[list[DensePiece | FactorPiece], np.ndarray]:
    """Factors and numbers in turn, in public order, and the matrix of their columns."""
    three = np.minimum(CODES, 2).astype(np.int32)
    contrasts = np.array([[1.0, 0.5], [-1.0, 0.5], [0.0, -2.0]])
    made: list[DensePiece | FactorPiece] = [
        DensePiece(np.ones((N, 1)), ("Intercept",)),
        FactorPiece(CODES, None, None, 4, ("g1", "g2", "g3")),
        DensePiece(NUMERIC[:, :2], ("a", "b")),
        FactorPiece(three, MULTIPLIER, contrasts, 3, ("h1", "h2")),
        DensePiece(NUMERIC[:, 2:], ("c",)),
    ]
    matrix = np.column_stack(
        [
            np.ones(N),
            one_hot(CODES, 3),
            NUMERIC[:, :2],
            contrasts[three] * MULTIPLIER[:, None],
            NUMERIC[:, 2],
        ]
    )
    return made, matrix


def test_assemble_tells_where_its_columns_belong() -> None:
    made, matrix = pieces()
    design, order = assemble(made, N)
    assert isinstance(design, Split)
    assert np.array_equal(np.sort(order), np.arange(matrix.shape[1]))
    assert np.array_equal(dense_of(design), matrix[:, order])
    assert np.array_equal(order[:4], [0, 4, 5, 8])  # the numbers in front, in their order


@pytest.mark.parametrize("only", [DensePiece, FactorPiece], ids=["numbers", "factors"])
def test_assemble_pieces_of_one_kind(only: type) -> None:
    made, _ = pieces()
    chosen = [piece for piece in made if isinstance(piece, only)]
    design, order = assemble(chosen, N)
    assert isinstance(design, Dense if only is DensePiece else Split)
    assert np.array_equal(order, np.arange(design.n_columns))
    assert design.n_columns == sum(len(piece.names) for piece in chosen)


def test_several_codes_may_mean_no_column() -> None:
    """Two columns of five levels: codes 2, 3 and 4 contribute to neither."""
    codes = (np.arange(N) % 5).astype(np.int32)
    for multiplier in (None, MULTIPLIER):
        design, _ = assemble([FactorPiece(codes, multiplier, None, 5, ("a", "b"))], N)
        scale = 1.0 if multiplier is None else multiplier[:, None]
        expected = one_hot(codes, 2) * scale
        assert np.array_equal(dense_of(design), expected)
        assert close(design.gram(jnp.asarray(WEIGHT)), expected.T @ (WEIGHT[:, None] * expected))


def test_a_factor_of_many_levels_holds_one_code_per_row() -> None:
    codes = np.arange(N, dtype=np.int32)
    design = Categorical(codes, None, 10_000)
    assert sum(leaf.size for leaf in jax.tree.leaves(design)) == N
    assert close(design.gram_diagonal(jnp.ones(N))[:N], np.ones(N))


@pytest.mark.parametrize("low", [1, 60, 1000, 100_000])
def test_bucket_is_the_smallest_that_fits(low: int) -> None:
    counts = np.arange(low, low + 700)
    buckets = np.array([bucket(int(count)) for count in counts])
    assert (buckets >= counts).all()
    assert (np.diff(buckets) >= 0).all()
    assert all(bucket(int(size)) == size for size in np.unique(buckets))
    large = counts > 64
    assert (buckets[large] <= 1.125 * counts[large]).all()


@pytest.mark.parametrize("octave", [7, 10, 13])
def test_few_buckets_an_octave(octave: int) -> None:
    counts = range(2**octave, 2 ** (octave + 1))
    assert len({bucket(count) for count in counts}) <= 9


def test_masked_columns_take_no_part_and_leave_the_gram_regular() -> None:
    keep = np.array([True, False, True])
    masked = Masked.of(jnp.asarray(NUMERIC), jnp.asarray(keep))
    kept = Dense(NUMERIC[:, keep])
    b, v = np.array([0.5, 7.0, -2.0]), WEIGHT - 1.0
    assert close(masked.matvec(jnp.asarray(b)), NUMERIC[:, keep] @ b[keep])
    score = np.asarray(masked.rmatvec(jnp.asarray(v)))
    assert score[1] == 0.0 and close(score[keep], kept.dense(float).T @ v)
    gram = np.asarray(masked.gram(jnp.asarray(WEIGHT)))
    assert close(gram[np.ix_(keep, keep)], kept.gram(jnp.asarray(WEIGHT)))
    assert gram[1].tolist() == gram[:, 1].tolist() == [0.0, 1.0, 0.0]
    assert close(masked.gram_diagonal(jnp.asarray(WEIGHT)), np.diag(gram))
    none = Masked.of(jnp.asarray(NUMERIC), jnp.zeros(3, bool))
    assert np.array_equal(none.gram(jnp.asarray(WEIGHT)), np.eye(3))


def test_sums_in_float32_hold_in_rows_that_are_in_order() -> None:
    """Sums that grow and come back: one term after the other, each is rounded to their size."""
    n = 5000
    v = np.where(np.arange(n) < n // 2, 1.0, -1.0) * np.random.default_rng(1).uniform(0.2, 1, n)
    x = np.column_stack([np.ones(n), np.linspace(1.0, 2.0, n)])
    v, x = v.astype(np.float32), x.astype(np.float32)
    found = np.asarray(jax.jit(Dense(x).rmatvec)(jnp.asarray(v)), float)
    wanted = v.astype(float) @ x
    rounding = np.finfo(np.float32).eps * np.abs(np.cumsum(v[:, None] * x, axis=0)).max(axis=0)
    assert (np.abs(found - wanted) < 2 * rounding).all()
