"""Many fits in one call are the fits of each segment's own rows, whatever else is in the call."""

from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
import pandas as pd
import pytest
import scipy.sparse

import jaxglm as jg
from jaxglm._tuning import tuned, tuning
from jaxglm.lanes._buckets import padded_sizes
from tests.marks import slow_among

from .group_fits import assert_same_fit, assert_same_segment, many, one
from .reference.cases import load

# Lengths in one bucket, so that single fits of them share a program too.
LENGTHS = np.array([31, 32, 31])
GROUPS = np.repeat(np.arange(LENGTHS.size), LENGTHS)
N = GROUPS.size
_rng = np.random.default_rng(7)
X = np.column_stack([np.ones(N), _rng.normal(size=N), _rng.integers(0, 2, N)])
MU = np.exp(X @ [0.4, 0.4, -0.3])
SHARE = MU / (1 + MU)
TRIALS = _rng.integers(1, 6, N).astype(float)
Y = {
    "normal": np.log(MU) + _rng.normal(size=N),
    "binary": (_rng.uniform(size=N) < SHARE) * 1.0,
    "successes": _rng.binomial(TRIALS.astype(int), SHARE) * 1.0,
    "counts": _rng.poisson(MU) * 1.0,
    "scattered": _rng.poisson(MU * _rng.gamma(1.0, 1.0, N)) * 1.0,
    "positive": _rng.gamma(2, MU / 2) + 0.01,
    "with zeros": np.where(_rng.uniform(size=N) < 0.3, 0.0, _rng.gamma(2, MU / 2)),
}
OFFSET = {"offset": 0.3 * _rng.normal(size=N)}
EXPOSURE = {"exposure": _rng.uniform(0.5, 3, N)}
PRIOR = {"var_weights": _rng.uniform(0.5, 2, N)}
# With rows that do not count.
REPEATED = {"freq_weights": _rng.integers(0, 4, N).astype(float)}

# Each family with options of its own: together they meet all that a call takes.
MODELS: dict[str, tuple[str, Any, dict, dict]] = {
    "gaussian": ("normal", jg.Gaussian(), PRIOR | OFFSET, {}),
    "logit": ("successes", jg.Binomial(), REPEATED | {"trials": TRIALS}, {}),
    "probit": ("binary", jg.Binomial(link=jg.Probit()), {}, {"method": "newton"}),
    "cloglog": ("binary", jg.Binomial(link=jg.CLogLog()), PRIOR, {"start": np.zeros(3)}),
    "log-binomial": ("binary", jg.Binomial(link=jg.Log()), {}, {}),
    "poisson": ("counts", jg.Poisson(), EXPOSURE | REPEATED | PRIOR, {}),
    "square root": ("counts", jg.QuasiPoisson(link=jg.Sqrt()), REPEATED, {}),
    "first order": ("counts", jg.Poisson(), {}, {"method": "lbfgs"}),
    "gamma": ("positive", jg.Gamma(), PRIOR, {}),
    "negative binomial": ("scattered", jg.NegativeBinomial(alpha=0.5), PRIOR, {}),
    "shape": ("scattered", jg.NegativeBinomial(), {}, {}),
}
# The other families: the same code for another distribution, and as much to compile.
OTHERS: dict[str, tuple[str, Any, dict, dict]] = {
    "tweedie": ("with zeros", jg.Tweedie(power=1.5), PRIOR, {}),
    "inverse gaussian": ("positive", jg.InverseGaussian(link=jg.Log()), PRIOR, {}),
    "quasi-binomial": ("successes", jg.QuasiBinomial(), {"trials": TRIALS}, {}),
    "quasi": ("positive", jg.Quasi(variance="mu^2", link=jg.Log()), REPEATED, {}),
    "identity": ("counts", jg.Poisson(link=jg.Identity()), {}, {}),
    "gamma, log": ("positive", jg.Gamma(link=jg.Log()), OFFSET, {}),
    "poisson, square root": ("counts", jg.Poisson(link=jg.Sqrt()), OFFSET, {}),
}
SLOW = [
    *OTHERS,
    "gamma",
    "gaussian",
    "probit",
    "square root",
    "cloglog",
    "log-binomial",
    "negative binomial",
    "poisson",
]


@pytest.mark.parametrize("name", slow_among(MODELS | OTHERS, SLOW))
def test_each_segment_is_the_fit_of_its_own_rows(name: str) -> None:
    kind, family, vectors, options = (MODELS | OTHERS)[name]
    fits = many(Y[kind], X, GROUPS, family, vectors, **options)
    for g in fits:
        single = one(Y[kind], X, g == GROUPS, family, vectors, **options)
        assert_same_fit(fits[g], single)
        assert fits[g].family == single.family


@pytest.mark.slow
def test_float32() -> None:
    fits = many(Y["counts"], X, GROUPS, "poisson", EXPOSURE, dtype="float32")
    for g in fits:
        single = one(Y["counts"], X, g == GROUPS, "poisson", EXPOSURE, dtype="float32")
        assert_same_fit(fits[g], single, rtol=2e-5)


# -- lengths --------------------------------------------------------------------------------------


def ragged(lengths: list[int], seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Counts, columns and groups; the columns take few values, so that many rows are identical."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(len(lengths)), lengths)
    columns = np.column_stack([np.ones(groups.size), rng.integers(-2, 3, groups.size)]) * 1.0
    return rng.poisson(np.exp(columns @ [0.5, 0.3])) * 1.0, columns, groups


@pytest.mark.slow
def test_from_one_row_to_more_than_a_lane_takes() -> None:
    y, columns, groups = ragged([40, 1, tuning().most_lane_rows + 4000, 2, 39])
    fits = many(y, columns, groups, "poisson")
    assert fits.failed.index.tolist() == [1]
    assert "Rank deficient: 'x1'" in fits.failed[1]
    for g in fits:
        assert_same_fit(fits[g], one(y, columns, groups == g, "poisson"))
    assert fits.fits.scalars["n_patterns"][2] < 100 < fits.fits.scalars["n_rows"][2]


def test_lanes_and_single_fits_answer_alike() -> None:
    y, columns, groups = ragged([40, 39, 40])
    lanes = many(y, columns, groups, "poisson")
    for most in (39, 0):
        with tuned(most_lane_rows=most):
            fits = many(y, columns, groups, "poisson")
        for g in fits:
            assert_same_fit(fits[g], lanes[g])


@pytest.fixture
def more_programs() -> Iterator[None]:
    with tuned(rows_a_program=20_000):
        yield


@pytest.mark.slow
@pytest.mark.usefixtures("more_programs")
def test_programs_are_few_and_serve_other_data() -> None:
    compiled = 0

    def count(event: str, duration: float, **_: object) -> None:
        nonlocal compiled
        compiled += event.endswith("backend_compile_duration")

    jax.monitoring.register_event_duration_secs_listener(count)
    # From 30 rows on all are settled in the first round.
    lengths = np.clip(np.exp(_rng.normal(4, 1.5, 150)), 30, 5000).astype(int)
    lengths[0] = 5000
    sizes = np.unique(padded_sizes(lengths)).size
    y, columns, groups = ragged(lengths.tolist(), seed=2)
    first = many(y, columns, groups, "poisson")
    assert 1 < sizes <= 4
    assert compiled == sizes
    compiled = 0
    y, _, _ = ragged(lengths.tolist(), seed=3)
    second = many(y, columns, groups, "poisson")
    assert compiled == 0
    assert first.converged.all() and second.converged.all()
    assert not np.allclose(first.params, second.params)


# -- independence ---------------------------------------------------------------------------------

MIXED = ragged([31, 32, 30, 31, 32, 8, 1, 29], seed=4)
# Segment 3 is all zeros, segment 4 has no second column.
MIXED[0][MIXED[2] == 3] = 0.0
MIXED[1][MIXED[2] == 4, 1] = 0.0


@pytest.fixture(scope="module")
def mixed() -> jg.GroupResults:
    return many(*MIXED, "poisson")


def some(rows: Any) -> jg.GroupResults:
    y, columns, groups = MIXED
    return many(y[rows], columns[rows], groups[rows], "poisson")


@pytest.mark.parametrize("left_out", [[3], [0, 1, 2], [1, 2, 3, 4, 5, 6, 7]])
@pytest.mark.slow
def test_other_segments_change_nothing(mixed: jg.GroupResults, left_out: list[int]) -> None:
    fits = some(~np.isin(MIXED[2], left_out))
    for g in fits:
        assert_same_segment(fits, mixed, g, rtol=1e-12)


def test_the_order_of_segments_changes_nothing(mixed: jg.GroupResults) -> None:
    y, columns, groups = MIXED
    fits = many(y, columns, -groups, "poisson")
    for g in mixed:
        assert fits.params.loc[-g].equals(mixed.params.loc[g].rename(-g))
        assert fits.bse.loc[-g].equals(mixed.bse.loc[g].rename(-g))
        assert fits.failed.get(-g) == mixed.failed.get(g)


def test_the_order_of_rows_changes_nothing(mixed: jg.GroupResults) -> None:
    shuffled = np.random.default_rng(5).permutation(MIXED[2].size)
    # Segments interleaved, the rows of each in the order that they had: the same sums.
    dealt = np.empty(shuffled.size, int)
    dealt[np.argsort(MIXED[2][shuffled], kind="stable")] = np.arange(shuffled.size)
    for rows, rtol in ((dealt, 0.0), (shuffled, 1e-12)):
        fits = some(rows)
        for g in mixed:
            assert_same_segment(fits, mixed, g, rtol=rtol)


@pytest.mark.slow
def test_lengths_and_memory_of_the_call_change_nothing(mixed: jg.GroupResults) -> None:
    y, columns, groups = MIXED
    more = ragged([200], seed=6)
    longer = many(
        np.append(y, more[0]),
        np.vstack([columns, more[1]]),
        np.append(groups, more[2] + 9),
        "poisson",
    )
    one_by_one = many(*MIXED, "poisson", max_memory=2.0**13)
    for g in mixed:
        assert_same_segment(longer, mixed, g, rtol=1e-12)
        assert_same_segment(one_by_one, mixed, g, rtol=1e-12)


# -- columns --------------------------------------------------------------------------------------


@pytest.mark.slow
def test_factor_levels_that_a_segment_lacks() -> None:
    kinds = np.array(list("abc"))[_rng.integers(0, 3, N)]
    kinds[(GROUPS == 0) & (kinds == "c")] = "b"
    kinds[(GROUPS == 1) & (kinds == "a")] = "b"
    table = pd.DataFrame({"y": Y["counts"], "x": X[:, 1], "kind": kinds, "g": GROUPS})
    fits = jg.fit_groups("y ~ kind + x", table, by="g", family="poisson")
    assert not len(fits.failed)
    for g in fits:
        own = table[table["g"] == g].drop(columns="g")
        single = jg.glm("y ~ kind + x", own, "poisson")
        for name in ("deviance", "null_deviance", "llf", "df_model", "df_resid", "bic"):
            assert getattr(fits[g], name) == pytest.approx(getattr(single, name), rel=1e-9)
        assert np.allclose(fits[g].fittedvalues, single.fittedvalues, rtol=1e-9)
        assert fits.params.loc[g, "x"] == pytest.approx(single.params["x"], rel=1e-9)
        assert fits.bse.loc[g, "x"] == pytest.approx(single.bse["x"], rel=1e-9)
    assert fits.aliased["kind[T.c]"].tolist() == [True, True, False]
    assert not fits.aliased[["Intercept", "kind[T.b]", "x"]].any(axis=None)


@pytest.mark.parametrize("most", [tuning().most_lane_rows, 0], ids=["lanes", "single fits"])
def test_a_column_that_is_constant_in_one_segment_is_its_intercept(most: int) -> None:
    columns = X.copy()
    columns[GROUPS != 1, 0] = np.random.default_rng(2).normal(size=int((GROUPS != 1).sum()))
    with tuned(most_lane_rows=most):
        fits = many(Y["counts"], columns, GROUPS, "poisson")
    assert fits.glance()["df_model"].tolist() == [3, 2, 3]
    for g in fits:
        assert_same_fit(fits[g], one(Y["counts"], columns, g == GROUPS, "poisson"))


@pytest.mark.parametrize("constant", [True, False])
def test_sparse_columns(constant: bool) -> None:
    columns = X * [constant, 1.0, 1.0]
    columns[GROUPS == 2, 0] = 2.0
    shuffled = np.random.default_rng(9).permutation(N)
    y, groups, columns = Y["counts"][shuffled], GROUPS[shuffled], columns[shuffled]
    dense = many(y, columns, groups, "poisson")
    sparse = many(y, scipy.sparse.coo_array(columns), groups, "poisson")
    for g in dense:
        assert_same_segment(sparse, dense, g)
    assert np.array_equal(sparse.predict(), dense.predict())


# -- against R ------------------------------------------------------------------------------------

LOTS = ["clotting_gamma_inverse_lot1", "clotting_gamma_inverse_lot2"]


def test_segments_of_reference_data_agree_with_r() -> None:
    cases = [load(name) for name in LOTS]
    y, X = np.concatenate([c.y for c in cases]), np.vstack([c.X for c in cases])
    fits = many(y, X, np.repeat(LOTS, [c.y.size for c in cases]), "gamma")
    for case in cases:
        truth, found = case.truth, fits[case.name]
        assert np.allclose(found.params, truth["coef"], rtol=1e-8)
        assert np.allclose(found.bse, truth["se"], rtol=1e-7)
        assert found.deviance == pytest.approx(truth["deviance"], rel=1e-7)
        assert found.null_deviance == pytest.approx(truth["null_deviance"], rel=1e-7)
        assert found.scale == pytest.approx(truth["dispersion"], rel=1e-7)
        assert found.df_resid == truth["df_residual"]
