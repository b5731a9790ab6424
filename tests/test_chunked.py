"""Rows that come block by block have the fit of the same rows in memory."""

import tracemalloc
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
import pytest
import scipy.sparse

import jaxglm as jg
from jaxglm._status import Status
from jaxglm._tuning import tuned
from jaxglm.designs import from_matrix
from jaxglm.families import family as resolve
from jaxglm.rows import Problem, constant_column
from jaxglm.search import Fit, Options
from jaxglm.sources import Block, Chunked, Rows
from tests.engine import Pieces, chunked, fit, problem
from tests.marks import slow_among

pytestmark = pytest.mark.slow

N, BLOCK = 500, 128
rng = np.random.default_rng(20)
x, z = rng.normal(size=(2, N))
TABLE: dict[str, Any] = {
    "x": x,
    "z": z,
    "twice": 2 * x - z,
    "far": x + 1e6,
    "g": rng.choice(list("abcd"), N),
    "h": rng.integers(0, 40, N).astype(str),
    "pos": rng.gamma(2, np.exp(0.2 * x)),
    "y": rng.poisson(np.exp(0.3 * x + 0.5)),
    "many": rng.negative_binomial(2, 0.4, N),
    "b": (rng.random(N) < 1 / (1 + np.exp(-x))) * 1,
    "side": (x + 0.3 * z > 0) * 1,
}
TABLE["none_in_a"] = np.where(TABLE["g"] == "a", 0, TABLE["y"])
EXPOSURE, TIMES = rng.uniform(0.5, 2, N), rng.integers(0, 4, N).astype(float)
TRIALS = rng.integers(1, 6, N)
TABLE["won"] = rng.binomial(TRIALS, 0.4)

CASES: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "dense": ("b ~ x + z", "binomial", {}),
    "factors": ("y ~ x + g + g:z", "poisson", {}),
    "eliminated": ("y ~ x + g + h", "poisson", {}),
    "offset": ("y ~ x + g", "poisson", {"exposure": EXPOSURE}),
    "null model with a fit of its own": ("b ~ x", "binomial", {"offset": z}),
    "frequencies": ("y ~ x", "poisson", {"freq_weights": TIMES}),
    "prior weights": ("pos ~ x + g", jg.Gamma(link=jg.Log()), {"var_weights": EXPOSURE}),
    "trials": ("won ~ x", "binomial", {"trials": TRIALS}),
    "aliased": ("y ~ x + z + twice + g", "poisson", {}),
    "ill-conditioned": ("y ~ far + z", "poisson", {}),
    "separated": ("side ~ x + z", "binomial", {}),
    "separated by a level": ("none_in_a ~ x + g", "poisson", {}),
    "at the boundary": ("b ~ x + z", jg.Binomial(link=jg.Log()), {}),
    "shape": ("many ~ x + g", "nb", {}),
    "a likelihood that is a series": ("pos ~ x", jg.Tweedie(1.5), {}),
    "float32": ("y ~ x + g", "poisson", {"dtype": "float32", "exposure": EXPOSURE}),
    "float32, separated": ("side ~ x + z", "binomial", {"dtype": "float32"}),
    "float32, shape": ("many ~ x + g", "nb", {"dtype": "float32"}),
}
ENDS = {
    "separated": Status.SEPARATED,
    "separated by a level": Status.SEPARATED,
    "float32, separated": Status.SEPARATED,
    "at the boundary": Status.BOUNDARY,
}
# In float32 a last digit of a sum may be another where XLA orders an addition otherwise.
TOLERANCE = {"float64": 1e-12, "float32": 4 * float(np.finfo(np.float32).eps)}
SCALARS = ("deviance", "null_deviance", "pearson_chi2", "log_likelihood", "scale")
SCALARS += ("null_log_likelihood", "nobs", "weight_sum", "df_resid", "df_model", "turns", "status")


def assert_same(found: Fit, wanted: Fit, tolerance: float) -> None:
    for name in SCALARS:
        a, b = np.asarray(getattr(found, name), float), np.asarray(getattr(wanted, name), float)
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=0, err_msg=name)
    own, se = (part.covariance.standard_errors for part in (found, wanted))
    np.testing.assert_allclose(own, se, rtol=tolerance)
    # A coefficient near zero is known to a share of its error, not of itself.
    off, size = np.abs(found.coef - wanted.coef), np.fmax(np.abs(wanted.coef), se)
    assert (found.aliased | (off <= tolerance * size)).all()
    assert (found.aliased == wanted.aliased).all() and (found.infinite == wanted.infinite).all()
    assert found.method == wanted.method and found.stopped_by == wanted.stopped_by


@pytest.fixture(autouse=True)
def tiles_of_a_block() -> Iterator[None]:
    """Resident rows are cut as the blocks are, so that sums are added up in the same order."""
    with tuned(smallest_tile=BLOCK, largest_tile=BLOCK):
        yield


# In float32 XLA's own settings add alike in both forms; its quickest compilation does not.
COMPILED = [case for case in CASES if case.startswith("float32")]
SLOW = (
    "offset",
    "dense",
    "frequencies",
    "factors",
    "shape",
    "a likelihood that is a series",
    "aliased",
    "at the boundary",
    "float32, separated",
    "float32, shape",
    "null model with a fit of its own",
    "prior weights",
    "separated by a level",
    "trials",
)
MARKED = [
    pytest.param(
        case,
        marks=[pytest.mark.compiled] * (case in COMPILED) + [pytest.mark.slow] * (case in SLOW),
    )
    for case in CASES
]


@pytest.mark.parametrize("case", MARKED)
def test_blocks_have_the_fit_of_resident_rows(case: str) -> None:
    formula, family, vectors = CASES[case]
    resident = problem(formula, TABLE, family, **vectors)
    wanted = fit(resident, family)
    assert Status(wanted.status) is ENDS.get(case, Status.CONVERGED)
    assert_same(fit(chunked(resident, BLOCK), family), wanted, TOLERANCE[resident.dtype.name])


@pytest.mark.parametrize(
    "case", slow_among(["dense", "eliminated", "aliased", "trials"], ["aliased"])
)
@pytest.mark.slow
def test_the_size_of_the_blocks_changes_nothing(case: str) -> None:
    formula, family, vectors = CASES[case]
    resident = problem(formula, TABLE, family, **vectors)
    wanted, other = fit(resident, family), fit(chunked(resident, 77), family)
    se = np.where(wanted.aliased, 1.0, wanted.covariance.standard_errors)
    assert np.nanmax(np.abs(other.coef - wanted.coef) / se) < 1e-12
    assert other.log_likelihood == pytest.approx(wanted.log_likelihood, rel=1e-13)


@pytest.mark.slow
@pytest.mark.parametrize("driver", ["compiled", "host"])
def test_sparse_rows(driver: str) -> None:
    X = np.column_stack([np.ones(N), x, (TABLE["g"] == "a") * z])
    design, order = from_matrix(scipy.sparse.csr_array(X))
    rows = Rows(TABLE["y"].astype(float), np.ones(N))
    resident = Problem.of_block(Block(design, rows), order, np.dtype(float))
    with tuned(driver=driver):
        wanted = fit(resident, "poisson")
    assert_same(fit(chunked(resident, BLOCK), "poisson"), wanted, 1e-12)
    dense = jg.GLM(TABLE["y"], X, family="poisson").fit()
    np.testing.assert_allclose(wanted.coef, dense.params, rtol=1e-10)


@pytest.mark.parametrize("method", ["newton", "lbfgs"])
def test_every_method(method: str) -> None:
    resident = problem("b ~ x + z", TABLE, "binomial")
    options = Options(method=method)
    wanted = fit(resident, "binomial", options)
    assert_same(fit(chunked(resident, BLOCK), "binomial", options), wanted, 1e-12)


@pytest.mark.slow
def test_the_short_way_takes_a_sample_of_the_blocks() -> None:
    resident = problem("b ~ x", TABLE, "binomial")
    with tuned(large_rows=0, smallest_tile=32, largest_tile=32):
        wanted = fit(resident, "binomial")
        assert_same(fit(chunked(resident, 32), "binomial"), wanted, 1e-12)


RESPONSES = {
    "b": lambda rng, x: (rng.random(len(x)) < 0.5) * 1.0,
    "separated": lambda rng, x: ((rng.random(len(x)) < 0.5) | (x[:, 1] > 0)) * 1.0,
    "many": lambda rng, x: rng.negative_binomial(2, 0.4, len(x)).astype(float),
    "pos": lambda rng, x: rng.gamma(2, np.exp(0.2 * x[:, 0])),
}


def numbers_on_devices() -> int:
    return sum(array.size for array in jax.live_arrays())


class Drawn:
    """Blocks of rows that are drawn when they are asked for; held nowhere."""

    def __init__(self, blocks: int, rows: int, response: str):
        self.blocks, self.rows, self.response, self.most = blocks, rows, response, 0
        self.before = numbers_on_devices()

    def __iter__(self) -> Iterator[Block]:
        for seed in range(self.blocks):
            rng = np.random.default_rng(seed)
            x = rng.normal(size=(self.rows, 2))
            x[:, 1] = x[:, 1] > 1
            y = RESPONSES[self.response](rng, x)
            columns, _ = from_matrix(np.column_stack([np.ones(self.rows), x]))
            self.most = max(self.most, numbers_on_devices() - self.before)
            yield Block(columns, Rows(y, np.ones(self.rows)))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("response", "family"),
    [
        ("b", "binomial"),
        ("separated", "binomial"),
        ("many", "nb"),
        ("pos", jg.Tweedie(1.5)),
    ],
)
def test_no_array_of_all_rows_is_made(response: str, family: Any) -> None:
    rows, count, of = 1024, 400, resolve(family)

    def fitted(blocks: Drawn) -> Fit:
        first = next(iter(blocks)).design
        source = Chunked(blocks, np.dtype(float))
        n = blocks.blocks * rows
        return fit(Problem(source, np.arange(3), constant_column(first), n), of)

    fitted(Drawn(2, rows, response))  # compiles
    blocks = Drawn(count, rows, response)
    tracemalloc.start()
    result = fitted(blocks)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    n = count * rows
    assert result.nobs == n
    # On devices, of all arrays together: some vectors and the columns of a block or two.
    assert blocks.most <= 10 * rows * 3 < n
    assert peak < n * 8  # of the host: less than one vector of all rows, all that is held at once


def test_blocks_that_can_be_read_once_only_are_refused() -> None:
    pieces = Pieces(problem("b ~ x", TABLE, "binomial").block, BLOCK)
    with pytest.raises(jg.DataError, match="read once only"):
        Chunked(iter(pieces), np.dtype(float))


class Restless:
    """Blocks that are others at some visit."""

    def __init__(self, block: Block, change: str, visit: int):
        self.block, self.change, self.visit, self.visits = block, change, visit, 0

    def __iter__(self) -> Iterator[Block]:
        self.visits += 1
        blocks = list(Pieces(self.block, BLOCK))
        if self.visits >= self.visit:
            last = blocks.pop()
            if self.change == "shorter":
                blocks.append(last.take(np.arange(5)))
            if self.change == "more":
                blocks += [last, last]
        yield from blocks


@pytest.mark.parametrize("visit", [2, 4])
@pytest.mark.parametrize("change", ["fewer", "more", "shorter"])
def test_blocks_that_change_between_visits_are_refused(change: str, visit: int) -> None:
    resident = problem("b ~ x", TABLE, "binomial")
    source = Chunked(Restless(resident.block, change, visit), np.dtype(float))
    with pytest.raises(jg.DataError, match="not those of the first visit"):
        fit(Problem(source, resident.order, resident.constant, N), "binomial")


def test_empty_blocks_are_passed_over_and_others_must_agree() -> None:
    resident = problem("b ~ x", TABLE, "binomial")
    none = resident.block.take(np.empty(0, int))
    blocks = [none, *Pieces(resident.block, BLOCK), none]
    source = Chunked(blocks, np.dtype(float))
    of = Problem(source, resident.order, resident.constant, N)
    assert_same(fit(of, "binomial"), fit(resident, "binomial"), 1e-12)
    with pytest.raises(jg.DataError, match="no rows"):
        _ = Chunked([none], np.dtype(float)).n_rows
    wide = problem("b ~ x + z", TABLE, "binomial").block
    with pytest.raises(jg.DataError, match="block 1 has 3 columns, the first one has 2"):
        _ = Chunked([resident.block, wide], np.dtype(float)).n_rows
