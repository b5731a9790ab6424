"""Many fits by one elementwise program: what the full loop makes of them, and leaves of them.

Most tests have few rows, for which the full loop is compiled sooner: here all that may takes the
short way.
"""

import functools
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

import jaxglm as jg
from jaxglm import _programs
from jaxglm._jax import computing
from jaxglm._tuning import tuned
from jaxglm.algebra import Triangle, factorise_lanes
from jaxglm.lanes import _rounds, _short_way
from jaxglm.lanes._packing import Layout

from .group_fits import assert_same_fit, many
from .test_fit_groups import GROUPS, MODELS, OTHERS, X, Y

pytestmark = pytest.mark.slow

SKIPPED = ("first order", "shape")


@pytest.fixture(autouse=True)
def whatever_the_size() -> Iterator[None]:
    with tuned(small_cells=0):
        yield


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of segments that calls of the short way have brought."""
    counts: list[int] = []
    inner = _rounds.together

    def counted(*jobs: Any) -> Iterator[Any]:
        for job, places, found in inner(*jobs):
            counts.append(len(places))
            yield job, places, found

    monkeypatch.setattr(_rounds, "together", counted)
    return counts


def both(*args: Any, **options: Any) -> tuple[jg.GroupResults, jg.GroupResults]:
    """The fits by the short way, and by the full loop."""
    short = many(*args, **options)
    with tuned(small_cells=1 << 40):
        return short, many(*args, **options)


def assert_same_fits(short: jg.GroupResults, full: jg.GroupResults) -> None:
    """Up to how they were reached: a fit by itself may change to the observed information."""
    assert short.status.equals(full.status)
    assert short.failed.equals(full.failed)
    for g in full.status.index[full.status != jg.Status.INVALID]:
        if short[g].method == full[g].method:
            assert_same_fit(short[g], full[g], rtol=3e-9)
        difference = (short[g].params - full[g].params) / full[g].bse
        assert difference.abs().max() < 1e-8 or full.status[g] is not jg.Status.CONVERGED


NAMES = [name for name in MODELS | OTHERS if name not in SKIPPED]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_fits_are_those_of_the_full_loop(name: str, taken: list[int]) -> None:
    kind, family, vectors, options = (MODELS | OTHERS)[name]
    short, full = both(Y[kind], X, GROUPS, family, vectors, **options)
    assert_same_fits(short, full)
    assert sum(taken) == (0 if options.get("method") == "newton" else 3)


@functools.cache
def table() -> pd.DataFrame:
    """Segments of many sizes, in no order, some of them spoiled in one way each."""
    rng = np.random.default_rng(3)
    sizes = np.append(rng.integers(8, 90, 70), [400, 700])
    s = np.repeat(np.arange(sizes.size), sizes)
    n = s.size
    x, z = rng.normal(size=n), rng.integers(0, 2, n) * 1.0
    z[s == 5] = 1.0  # as the intercept
    z[s == 6] = x[s == 6]
    y = rng.poisson(np.exp(0.7 + 0.3 * x - 0.2 * z)) * 1.0
    y[s == 7] = 0.0
    y[(s == 8) & (z == 1)] = 0.0
    x[s == 9] *= 1e-170
    out = pd.DataFrame({"s": s, "y": y, "x": x, "z": z, "e": rng.uniform(0.5, 2, n)})
    return out.sample(frac=1.0, random_state=1, ignore_index=True)


def of_table(**options: Any) -> jg.GroupResults:
    return jg.fit_groups(
        "y ~ x + z", table(), "s", "poisson", exposure="e", on_failure="ignore", **options
    )


@functools.cache
def by_full_loop() -> jg.GroupResults:
    with tuned(small_cells=1 << 40):
        return of_table()


def test_segments_of_all_sizes_and_kinds(taken: list[int]) -> None:
    found = of_table()
    assert_same_fits(found, by_full_loop())
    assert set(found.failed.index) == {5, 6, 7, 8, 9}
    # All at first, and then those that lack a column.
    assert sum(taken) == 72 + 2


@pytest.mark.slow
def test_a_long_segment_is_cut_among_the_lanes(
    taken: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = Layout(rows=4, lanes=32, tiles=12, blocks=64)
    monkeypatch.setattr(Layout, "of", lambda *args: layout)
    assert layout.long < 90 and layout.most_rows >= 700
    assert_same_fits(of_table(), by_full_loop())
    assert len(taken) > 5


def test_other_segments_change_no_digit() -> None:
    all_of_them = of_table()
    rows = table()[table().s.isin([3, 71])]
    alone = jg.fit_groups("y ~ x + z", rows, "s", "poisson", exposure="e")
    for g in (3, 71):
        assert alone[g].params.tolist() == all_of_them[g].params.tolist()
        assert alone[g].bse.tolist() == all_of_them[g].bse.tolist()


@pytest.mark.slow
def test_families_from_elsewhere_take_the_full_loop(taken: list[int]) -> None:
    class Counts(jg.Poisson):
        name = "counts"

    assert not many(Y["counts"], X, GROUPS, Counts()).failed.size
    assert not taken


@pytest.mark.slow
def test_one_piece_and_many_are_one_computation(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = of_table()

    monkeypatch.setattr(_short_way, "piece", lambda function: function)
    ordinary = _programs.program(static_argnames=("from_beta", "constant"))
    monkeypatch.setattr(_short_way, "_over_blocks", ordinary(_short_way.over_blocks))
    pieces = of_table()
    np.testing.assert_allclose(whole.params, pieces.params, rtol=1e-13)
    np.testing.assert_allclose(whole.bse, pieces.bse, rtol=1e-13)


def test_factors_of_matrices_side_by_side() -> None:
    rng = np.random.default_rng(0)
    matrices = np.stack([a.T @ a for a in rng.normal(size=(6, 9, 4))], axis=-1)
    matrices[:, :, 1] *= 1e6
    matrices[..., 2] = np.ones((4, 4))  # of rank 1
    g = rng.normal(size=(4, 6))
    with computing():
        rows = tuple(jnp.asarray(matrices[i, : i + 1]) for i in range(4))
        factor = factorise_lanes(Triangle(rows).matrices())
        step, root = jax.device_get((factor.solve(jnp.asarray(g)), factor.inverse_root()))
        pivot = np.asarray(factor.pivot)
    assert not pivot[2] > 1e-12 and (np.delete(pivot, 2) > 1e-4).all()
    for w in (0, 1, 3, 4, 5):
        inverse = np.linalg.inv(matrices[..., w])
        np.testing.assert_allclose(step[:, w], inverse @ g[:, w], rtol=1e-10)
        np.testing.assert_allclose(root[..., w] @ root[..., w].T, inverse, rtol=1e-10)


def test_rows_that_are_far_and_do_not_move_need_no_other_way(
    taken: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(3)
    groups = np.repeat(np.arange(40), 60)
    x = rng.normal(size=groups.size) * 3
    x[::60] = 9.0  # certain to be a success, and seen to be one
    y = (rng.random(groups.size) < 1 / (1 + np.exp(-x))).astype(float)
    y[::60] = 1.0
    others = many(y, x[:, None], groups, "binomial")
    assert not others.failed.size

    def refused(*args: Any) -> None:
        raise AssertionError("another program was asked for")

    monkeypatch.setattr(_rounds.Lanes, "of", refused)
    # A separated segment goes on to the test of separation.
    again = many(y, x[:, None], groups, "binomial")
    np.testing.assert_array_equal(again.params, others.params)
    y[groups == 7] = (x > 0)[groups == 7]
    with pytest.raises(AssertionError, match="another program"):
        many(y, x[:, None], groups, "binomial")
