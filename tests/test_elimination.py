"""A factor of many levels, eliminated from the information: the same numbers as without."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

import jaxglm as jg
from jaxglm._status import Status
from jaxglm._tuning import tuned
from jaxglm.algebra._factor import Bordered, all_finite, diagonal_of, factorise, full_matrix, solve
from jaxglm.algebra._root import root_of_inverse
from jaxglm.designs import DensePiece, FactorPiece, Split, assemble
from tests.marks import slow_among

from .make_designs import DESIGNS, one_hot

pytestmark = pytest.mark.slow

Q, M = 3, 5
_rng = np.random.default_rng(4)


@pytest.fixture
def double_precision() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


# -- algebra --------------------------------------------------------------------------------------


def bordered(empty: bool = False, indefinite: bool = False) -> Bordered:
    """The Gram matrix of Q numbers of unlike sizes and M levels, row 0 of one level only."""
    x = np.random.default_rng(2).normal(size=(40, Q)) * [1.0, 1e3, 1e-2]
    levels = one_hot(np.arange(40) % M, M)
    if empty:
        levels[:, 2] = 0.0
    corner = x.T @ x
    if indefinite:
        corner = corner - 1.001 * x.T @ levels @ levels.T @ x / 8
        corner[0, 0] *= 0.01
    return Bordered(*map(jnp.asarray, (corner, levels.T @ x, levels.sum(axis=0))))


@pytest.mark.parametrize("damping", [0.0, 0.3])
@pytest.mark.usefixtures("double_precision")
def test_solutions_are_those_of_the_whole_matrix(damping: float) -> None:
    h = bordered()
    dense = np.asarray(full_matrix(h))
    assert np.array_equal(dense, dense.T)
    assert np.array_equal(diagonal_of(h), np.diag(dense))
    damped = dense + damping * np.diag(np.diag(dense))
    g = _rng.normal(size=Q + M)
    factor = factorise(h, jnp.asarray(damping))
    expected = np.linalg.solve(damped, g)
    np.testing.assert_allclose(solve(factor, jnp.asarray(g)), expected, rtol=1e-11)
    # Shares in the order of elimination: the levels, which do not meet, and then the numbers.
    order = np.r_[Q : Q + M, :Q]
    scale = 1 / np.sqrt(np.diag(dense))
    lower = np.linalg.cholesky((damped * scale[:, None] * scale)[np.ix_(order, order)])
    shares = np.diag(lower)[M:] ** 2
    assert float(factor.pivot) == pytest.approx(min(shares.min(), 1.0), rel=1e-11)


@pytest.mark.usefixtures("double_precision")
def test_pivots_tell_what_is_wrong() -> None:
    zero, some = jnp.asarray(0.0), jnp.asarray(0.1)
    assert float(factorise(bordered(empty=True), zero).pivot) == 0.0
    assert np.isnan(float(factorise(bordered(indefinite=True), zero).pivot))
    damped = factorise(bordered(empty=True), some)
    assert float(damped.pivot) > 0
    g = jnp.ones(Q + M)
    whole = factorise(full_matrix(bordered(empty=True)), some)
    np.testing.assert_allclose(solve(damped, g), solve(whole, g), rtol=1e-11)
    assert bool(all_finite(bordered()))
    assert not bool(all_finite(bordered()._replace(border=jnp.full((M, Q), jnp.inf))))


@pytest.mark.usefixtures("double_precision")
def test_no_column_beside_the_levels() -> None:
    h = Bordered(jnp.zeros((0, 0)), jnp.zeros((M, 0)), jnp.arange(1.0, M + 1))
    factor = factorise(h, jnp.asarray(0.0))
    assert float(factor.pivot) == 1.0
    np.testing.assert_allclose(solve(factor, jnp.ones(M)), 1 / np.arange(1.0, M + 1))


@pytest.mark.usefixtures("double_precision")
def test_a_root_of_the_inverse() -> None:
    h = bordered()
    root = root_of_inverse(jax.device_get(h))
    inverse = np.linalg.inv(full_matrix(h))
    found = root.dense @ root.dense.T + np.diag(root.diagonal**2)
    assert root.dense.shape == (Q + M, Q)
    np.testing.assert_allclose(found, inverse, rtol=1e-10)
    g = _rng.normal(size=Q + M)
    np.testing.assert_allclose(root.times(g), inverse @ g, rtol=1e-10)
    assert root.norm(g) == pytest.approx(np.sqrt(g @ inverse @ g))
    whole = root_of_inverse(np.asarray(full_matrix(h)))
    np.testing.assert_allclose(whole.dense @ whole.dense.T, inverse, rtol=1e-10)
    assert not whole.diagonal.any()


@pytest.mark.usefixtures("double_precision")
def test_a_root_where_a_level_tells_nothing() -> None:
    """The other columns as if the level were not there; its own error as large as can be told."""
    root = root_of_inverse(jax.device_get(bordered(empty=True)))
    rest = np.delete(np.arange(Q + M), Q + 2)
    matrix = np.asarray(full_matrix(bordered(empty=True)))
    found = root.dense @ root.dense.T + np.diag(root.diagonal**2)
    inverse = np.linalg.inv(matrix[np.ix_(rest, rest)])
    np.testing.assert_allclose(found[np.ix_(rest, rest)], inverse, rtol=1e-10)
    assert found[Q + 2, Q + 2] == pytest.approx(1e16)


# -- designs --------------------------------------------------------------------------------------


def pieces(n: int) -> list[DensePiece | FactorPiece]:
    """The factor to eliminate stands between the others, which are of every kind."""
    code = [np.random.default_rng(seed).integers(0, 7, size=n).astype(np.int32) for seed in (1, 2)]
    three = (np.arange(n) % 3).astype(np.int32)
    contrasts = np.array([[1.0, 0.5], [-1.0, 0.5], [0.0, -2.0]])
    multiplier = _rng.normal(size=n)

    def names(prefix: str, count: int) -> tuple[str, ...]:
        return tuple(f"{prefix}{j}" for j in range(count))

    return [
        FactorPiece(three, None, contrasts, 3, names("a", 2)),
        FactorPiece(code[0], None, None, 7, names("b", 6)),
        DensePiece(_rng.normal(size=(n, 2)), names("x", 2)),
        FactorPiece(code[1], multiplier, None, 7, names("c", 7)),
        FactorPiece(three, None, None, 3, names("d", 2)),
    ]


@pytest.mark.slow
@pytest.mark.usefixtures("double_precision")
def test_the_gram_matrix_with_a_factor_eliminated() -> None:
    n = 60
    given = pieces(n)
    plain, order = assemble(given, n)
    assert plain.n_eliminated == 0 and plain.gram_cells == plain.n_columns**2
    with tuned(least_eliminated=6):
        design, permuted = assemble(given, n)
    assert isinstance(design, Split) and design.n_eliminated == 6  # not c, which has a multiplier
    assert np.array_equal(permuted[-6:], np.arange(2, 8))
    dense = np.asarray(design.dense(np.float64))
    public = np.asarray(plain.dense(np.float64))[:, np.argsort(order)]
    assert np.array_equal(dense, public[:, permuted])
    w = jnp.asarray(_rng.normal(size=n))
    gram: Any = jax.jit(design.gram)(w)
    expected = dense.T @ (np.asarray(w)[:, None] * dense)
    np.testing.assert_allclose(full_matrix(gram), expected, atol=1e-12)
    assert design.gram_cells == sum(part.size for part in gram)
    np.testing.assert_allclose(design.gram_diagonal(w), np.diag(expected), atol=1e-12)


@pytest.mark.usefixtures("double_precision")
def test_columns_of_an_eliminated_factor_are_taken() -> None:
    n = 60
    with tuned(least_eliminated=6):
        design, _ = assemble(pieces(n), n)
    dense, w = np.asarray(design.dense(np.float64)), np.ones(n)
    some = np.arange(design.n_columns) % 3 != 1
    without = np.arange(design.n_columns) < design.n_columns - 6
    for keep, eliminated in ((some, some[-6:].sum()), (without, 0)):
        taken = design.take_columns(keep)
        assert taken.n_eliminated == eliminated
        expected = (dense.T @ dense)[np.ix_(keep, keep)]
        np.testing.assert_allclose(
            full_matrix(jax.jit(taken.gram)(jnp.asarray(w))), expected, atol=1e-12
        )
    rows = design.take_rows(np.arange(0, n, 2))
    assert isinstance(rows, Split) and rows.n_eliminated == 6


@pytest.mark.parametrize("name", DESIGNS)
@pytest.mark.usefixtures("double_precision")
def test_the_largest_entries_without_the_dense_form(name: str) -> None:
    pair = DESIGNS[name]
    np.testing.assert_allclose(pair.design.largest(), np.abs(pair.dense).max(axis=0), rtol=1e-15)


@pytest.mark.usefixtures("double_precision")
def test_the_rows_of_each_level_are_counted() -> None:
    codes = np.array([0, 0, 0, 1, 1, 2, 3, 3], np.int32)  # 3: no column
    design, _ = assemble([FactorPiece(codes, None, None, 4, ("a", "b", "c"))], codes.size)
    assert isinstance(design, Split) and design.level_rows().tolist() == [3, 2, 1]
    more, _ = assemble([FactorPiece(codes, None, None, 5, tuple("abcde"))], codes.size)
    assert isinstance(more, Split) and more.level_rows().tolist() == [3, 2, 1, 2, 0]


# -- fits -----------------------------------------------------------------------------------------

N = 240
GROUP = np.r_[np.arange(9), _rng.integers(0, 9, size=N - 9)]
TABLE = pd.DataFrame(
    {
        "g": np.array(list("abcdefghi"))[GROUP],
        "region": np.array(list("rst"))[GROUP // 3],
        "x": _rng.normal(size=N),
        "h": _rng.choice(["u", "v", "w"], size=N),
    }
)
ETA = 0.3 + 0.4 * TABLE["x"] + 0.2 * GROUP / 9
COUNTS = _rng.poisson(np.exp(ETA) + 0.5).astype(float)
TABLE["counts"] = COUNTS
TABLE["amount"] = _rng.gamma(3.0, size=N) * np.exp(ETA)
TABLE["yes"] = (_rng.uniform(size=N) < 0.6) * 1.0
# Two of the levels without a count, and one without rows that count.
TABLE["zeros"] = np.where(np.isin(GROUP, [4, 7]), 0.0, COUNTS)
UNUSED = np.where(GROUP == 5, 0.0, 1.0)
OFFSET = 0.1 * _rng.normal(size=N)

MODELS: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "poisson": ("counts ~ g + x + h", "poisson", {"offset": OFFSET}),
    "gamma": ("amount ~ h + g + x", jg.Gamma(link=jg.Log()), {"var_weights": 1 + GROUP % 2}),
    "logit": ("yes ~ 0 + g + x", "binomial", {"freq_weights": 1 + np.arange(N) % 3}),
    "separated": ("zeros ~ g + x + h", "poisson", {"offset": OFFSET}),
    "empty": ("counts ~ g + x + h", "poisson", {"offset": OFFSET, "freq_weights": UNUSED}),
    "nested": ("counts ~ region + g + x", "poisson", {}),
}
NEW = TABLE.iloc[[3, 30, 77]]
FITTED: dict[tuple[str, bool, bool], jg.Results] = {}


def fitted(name: str, eliminated: bool = True, many: bool = False) -> jg.Results:
    """The fit, with its factor eliminated or not, and by the way for very many levels or not."""
    key = name, eliminated, many
    if key not in FITTED:
        formula, family, settings = MODELS[name]
        sizes = {"least_eliminated": 2 if eliminated else 10**6}
        if many:
            sizes["most_columns"] = 4
        with tuned(**sizes), warnings.catch_warnings():
            warnings.simplefilter("ignore", jg.JaxglmWarning)
            FITTED[key] = jg.glm(formula, TABLE, family, **settings)
    return FITTED[key]


SCALARS = ("llf", "llnull", "deviance", "null_deviance", "pearson_chi2", "scale", "df_resid")


def same(one: jg.Results, other: jg.Results, rtol: float = 1e-9) -> None:
    assert one.names == other.names and one.status is other.status
    np.testing.assert_allclose(one.params, other.params, rtol=rtol, atol=1e-10)
    np.testing.assert_allclose(one.bse, other.bse, rtol=rtol)
    np.testing.assert_allclose(one.cov_params(), other.cov_params(), rtol=rtol, atol=1e-12)
    np.testing.assert_allclose(one.conf_int(), other.conf_int(), rtol=rtol, atol=1e-10)
    for name in SCALARS:
        assert getattr(one, name) == pytest.approx(getattr(other, name), rel=rtol), name


@pytest.mark.parametrize("name", slow_among(["poisson", "gamma", "logit"], ["gamma", "logit"]))
def test_the_same_fit(name: str) -> None:
    whole = fitted(name, eliminated=False)
    results = fitted(name)
    assert not whole.fit.covariance.root.diagonal.any()
    levels = [term.startswith("g[") for term in results.names]
    root = results.fit.covariance.root
    assert np.array_equal(root.diagonal > 0, levels)  # in the user's order
    assert root.dense.shape[1] == len(results.names) - sum(levels)
    same(results, whole)


def test_predictions_and_files(tmp_path: Path) -> None:
    whole = fitted("poisson", eliminated=False)
    results = fitted("poisson")
    new = results.get_prediction(NEW, offset=0.2).summary_frame()
    expected = whole.get_prediction(NEW, offset=0.2).summary_frame()
    np.testing.assert_allclose(new, expected, rtol=1e-9)
    dense = np.asarray(whole.cov_params())
    row = np.array([1.0, *(NEW["g"].iloc[0] == level for level in "bcdefghi"), NEW["x"].iloc[0],
                    NEW["h"].iloc[0] == "v", NEW["h"].iloc[0] == "w"])  # fmt: skip
    se = results.get_prediction(NEW, offset=0.2).linear_se.iloc[0]
    assert se == pytest.approx(np.sqrt(row @ dense @ row))
    results.save(tmp_path / "fit")
    loaded = jg.load(tmp_path / "fit")
    same(loaded, results, rtol=1e-15)
    for one, other in zip(loaded.fit.covariance.root, results.fit.covariance.root, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_allclose(
        loaded.get_prediction(NEW, offset=0.2).summary_frame(), new, rtol=1e-15
    )


@pytest.mark.parametrize("many", [False, True], ids=["few", "very many"])
def test_levels_without_a_count(many: bool) -> None:
    whole = fitted("separated", eliminated=False)
    results = fitted("separated", many=many)
    assert results.status is whole.status is Status.SEPARATED
    infinite = np.flatnonzero(results.fit.infinite)
    assert [results.names[j] for j in infinite] == ["g[T.e]", "g[T.h]"]
    assert np.array_equal(results.fit.infinite, whole.fit.infinite)
    assert (results.params.iloc[infinite] == -np.inf).all()
    finite = ~whole.fit.infinite
    np.testing.assert_allclose(results.params[finite], whole.params[finite], atol=1e-7)
    np.testing.assert_allclose(results.bse[finite], whole.bse[finite], rtol=1e-7)


@pytest.mark.slow
@pytest.mark.parametrize("many", [False, True], ids=["few", "very many"])
def test_a_level_without_rows_that_count(many: bool) -> None:
    whole = fitted("empty", eliminated=False)
    results = fitted("empty", many=many)
    aliased = [results.names[j] for j in np.flatnonzero(results.fit.aliased)]
    assert aliased == ["g[T.f]"] and any("g[T.f]" in note for note in results.fit.notes)
    same(results, whole)


@pytest.mark.slow
def test_nested_factors() -> None:
    """Columns that earlier ones determine go; of very many levels, those that the levels do."""
    whole = fitted("nested", eliminated=False)
    many = fitted("nested", many=True)
    gone = [many.names[j] for j in np.flatnonzero(many.fit.aliased)]
    assert gone == ["region[T.s]", "region[T.t]"]
    assert whole.fit.aliased.sum() == 2 and many.converged and many.df_resid == whole.df_resid
    assert any("region[T.s]" in note for note in many.fit.notes)
    np.testing.assert_allclose(many.fittedvalues, whole.fittedvalues, rtol=1e-10)
    assert many.bse["x"] == pytest.approx(whole.bse["x"], rel=1e-10)
    assert many.llf == pytest.approx(whole.llf, rel=1e-12)


def test_a_column_out_of_range_is_named_without_dense_factors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No dense form of factors is made on the way to the message."""

    def refuse(*_: object) -> None:
        raise AssertionError("a dense form of factors")

    monkeypatch.setattr(Split, "dense", refuse)
    table = TABLE.assign(x=1e160 * TABLE["x"])
    with tuned(least_eliminated=2), pytest.raises(jg.DataError, match=r"'x'.*rescale"):
        jg.glm("counts ~ g + x + h", table, "poisson", offset=OFFSET)
