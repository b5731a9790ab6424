"""The fused kernel has the sums of the plain ones, and is taken only where it is right and faster.

The kernel runs in interpret mode: there is no GPU here. That it can be written for one is tested
by lowering it for CUDA, where jax does that without a device.
"""

import dataclasses
import sys
import warnings
from collections.abc import Callable, Iterator

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxglm as jg
from jaxglm._tuning import tuned
from jaxglm.designs import Dense, Split
from jaxglm.families import Family
from jaxglm.search import _attempts
from jaxglm.sources import Block, Rows, Tiles, one_pass
from jaxglm.sums import _fastest
from jaxglm.sums._fastest import fastest, fastest_kernel
from jaxglm.sums._fused import Fused, can_fuse
from jaxglm.sums._moments import Moments, diagonal_moments, full_moments, quick_moments
from jaxglm.sums._rowwise import Point

ROWS, COLUMNS = 96, 5
RNG = np.random.default_rng(2)
X = RNG.normal(size=(ROWS, COLUMNS)).astype("float32")
X[:, 0] = 1.0
OFFSET = 0.1 * RNG.normal(size=ROWS)
WEIGHT = np.where(np.arange(ROWS) % 7 == 0, 0.0, RNG.uniform(0.5, 2.0, ROWS))
BETA = np.array([1.5, 0.1, -0.1, 0.05, 0.1])  # positive linear predictors, for every link
YES = (RNG.uniform(size=ROWS) < 0.5).astype(float)
COUNTS = RNG.poisson(2.0, ROWS).astype(float)
AMOUNTS = RNG.gamma(2.0, 1.0, ROWS)

MODELS: dict[str, tuple[Family, np.ndarray]] = {
    "logit": (jg.Binomial(), YES),
    "probit": (jg.Binomial(link=jg.Probit()), YES),
    "cloglog": (jg.Binomial(link=jg.CLogLog()), YES),
    "poisson": (jg.Poisson(), COUNTS),
    "gamma-log": (jg.Gamma(link=jg.Log()), AMOUNTS),
    "gamma-inverse": (jg.Gamma(), AMOUNTS),
    "negative-binomial": (jg.NegativeBinomial(alpha=0.5), COUNTS),
    "tweedie": (jg.Tweedie(1.5), COUNTS),
    "gaussian": (jg.Gaussian(), AMOUNTS),
}


@pytest.fixture(autouse=True)
def x64() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def tiles(y: np.ndarray, dtype: str, *, offset: bool, x: np.ndarray = X, count: int = 1) -> Tiles:
    """The rows in `count` tiles."""

    def cut(values: np.ndarray) -> jax.Array:
        return jnp.asarray(values.reshape(count, -1, *values.shape[1:]))

    def vector(values: np.ndarray) -> jax.Array:
        return cut(values.astype(dtype))

    shift = vector(OFFSET) if offset else None
    return Tiles(Block(Dense(cut(x)), Rows(vector(y), vector(WEIGHT), shift)))


def point(dtype: str, start: int = 0, *, observed: bool = False) -> Point:
    scalar = np.dtype(dtype).type
    beta = BETA.astype(dtype)
    return Point(beta, np.bool_(observed), np.int32(start), scalar(0.6), scalar(0.0))


def assert_same(found: Moments, right: Moments, *, exact: float) -> None:
    for name, seen, wanted in zip(Moments._fields, found, right, strict=True):
        assert seen.dtype == wanted.dtype
        size = np.abs(wanted).max()
        rounded = 1e-6 if name == "info" else exact
        np.testing.assert_allclose(seen, wanted, rtol=0, atol=rounded * size, err_msg=name)


@pytest.mark.parametrize(
    ("name", "start"),
    [
        *((name, 0) for name in MODELS),
        ("probit", 1),
        ("gamma-inverse", 1),
        pytest.param("poisson", 2, marks=pytest.mark.slow),
    ],
)
def test_sums_are_those_of_quick_moments(name: str, start: int) -> None:
    family, y = MODELS[name]
    # float32 columns under float64 arithmetic; several chunks, several tiles.
    source = tiles(y, "float64", offset=start != 2, count=3)
    fused = Fused(quick_moments, chunk=16, interpret=True)
    for observed in (False, True):
        at = point("float64", start, observed=observed)
        right = one_pass(source, family, at, kernel=quick_moments)
        found = one_pass(source, family, at, kernel=fused)
        assert_same(found, right, exact=1e-14)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["logit", "tweedie", pytest.param("probit", marks=pytest.mark.slow)]
)
def test_float32_sums_are_those_of_full_moments(name: str) -> None:
    family, y = MODELS[name]
    source = tiles(y, "float32", offset=True)
    right = one_pass(source, family, point("float32"), kernel=full_moments)
    fused = Fused(full_moments, chunk=32, interpret=True)
    found = one_pass(source, family, point("float32"), kernel=fused)
    assert_same(found, right, exact=1e-6)


@pytest.mark.parametrize("rows", [96, 75, 1])
def test_rows_need_not_fill_programs_or_chunks(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jaxglm.sums._fused._ROWS_PER_COLUMN", 2)  # several programs for few rows
    family, y = MODELS["poisson"]
    block = jax.tree.map(lambda leaf: leaf[0, :rows], tiles(y, "float64", offset=True).block)
    block = Block(block.design, dataclasses.replace(block.rows, weight=jnp.ones(rows)))
    at = point("float64")
    fused = Fused(quick_moments, chunk=16, interpret=True)
    right = jax.jit(quick_moments)(block, family, at)
    assert_same(jax.jit(fused)(block, family, at), right, exact=1e-14)


def test_the_float32_score_is_compensated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Large sums that cancel, as at the end of a fit: what is left has its digits."""
    monkeypatch.setattr("jaxglm.sums._fused._PROGRAMS", 1)
    rows, chunk = 8192, 16
    y = np.where(np.arange(rows) < rows // 2, 3.1, -3.1).astype("float32")
    live = np.arange(rows) % chunk == 0  # one row of a chunk: its own sum is exact
    design = Dense(jnp.ones((rows, 1), "float32"))
    block = Block(design, Rows(jnp.asarray(y), jnp.asarray(live.astype("float32"))))
    at = point("float32")._replace(beta=np.array([0.3], "float32"))
    fused = Fused(full_moments, chunk=chunk, interpret=True)
    found = float(jax.jit(fused)(block, jg.Gaussian(), at).score[0])
    right = float((np.float32(0.3) - y)[live].astype(float).sum())
    assert found == pytest.approx(right, rel=1e-7)


@pytest.mark.slow
def test_a_fit_ends_where_it_does_with_the_plain_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    right = jg.GLM(YES, X, "binomial").fit()
    fused = Fused(quick_moments, chunk=32, interpret=True)
    monkeypatch.setattr(_attempts, "fastest_kernel", lambda *_: fused)
    with tuned(large_work=0.0):
        found = jg.GLM(YES, X, "binomial").fit()
    assert found.converged
    np.testing.assert_allclose(found.params, right.params, rtol=1e-9)
    np.testing.assert_allclose(found.bse, right.bse, rtol=1e-9)


# ------------------------------------------------------------------------- where it can be
@pytest.mark.parametrize("name", MODELS)
def test_families_can_be_fused_and_lowered_for_a_gpu(name: str) -> None:
    family, y = MODELS[name]
    source, at = tiles(y, "float64", offset=True), point("float64")
    assert can_fuse(source, family, at)
    program = jax.jit(lambda s, f, a: s.reduce(Fused(quick_moments), f, a))
    warnings.filterwarnings("ignore", "The Pallas Triton backend is deprecated")
    try:
        lowered = program.trace(source, family, at).lower(lowering_platforms=("cuda",))
    except RuntimeError as error:
        pytest.skip(f"this jax asks for a device: {error}")
    assert "triton" in lowered.as_text()


class Counted(Family):
    """A loss that needs log Gamma."""

    name = "counted"
    mean_domain = (0.0, float("inf"))

    def variance(self, mu):
        return mu

    def loss(self, y, eta):
        return jnp.exp(eta) - y * eta + jax.lax.lgamma(1.0 + jnp.exp(eta))


class Centred(Counted):
    """A loss that looks at all rows."""

    def loss(self, y, eta):
        return jnp.square(eta - jnp.mean(eta))


def test_other_rows_and_families_are_refused() -> None:
    source, at = tiles(COUNTS, "float64", offset=True), point("float64")
    assert not can_fuse(source, Counted(), at)
    assert not can_fuse(source, Centred(), at)
    assert not can_fuse(source, jg.Quasi(lambda mu: mu**1.5, mean_domain=(0.0, 9.0)), at)
    split = dataclasses.replace(source.block, design=Split(source.block.design, ()))
    assert not can_fuse(Tiles(split), jg.Poisson(), at)
    wide = tiles(COUNTS, "float64", offset=True, x=np.ones((ROWS, 129)))
    assert not can_fuse(wide, jg.Poisson(), at._replace(beta=np.zeros(129)))
    whole = tiles(COUNTS, "float64", offset=True, x=np.ones((ROWS, 5), int))
    assert not can_fuse(whole, jg.Poisson(), at)


# ------------------------------------------------------------------------------ the choice
@dataclasses.dataclass(frozen=True)
class Slow:
    """A kernel of a known duration, right or wrong by a factor in one of its sums."""

    seconds: float
    wrong: str = ""
    factor: float = 1.0

    def __call__(self, block: Block, family: Family, at: Point) -> Moments:
        sums = quick_moments(block, family, at)
        if self.wrong:
            sums = sums._replace(**{self.wrong: self.factor * getattr(sums, self.wrong)})
        return sums


def broken(block: Block, family: Family, at: Point) -> Moments:
    raise NotImplementedError("no rule for lgamma")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[], float]:
    """A clock that a pass moves on by the duration of its kernel."""
    now = [0.0]

    def timed_pass(*args, kernel):
        now[0] += getattr(kernel, "seconds", 0.0)
        return one_pass(*args, kernel=kernel)

    monkeypatch.setattr(_fastest, "one_pass", timed_pass)
    return lambda: now[0]


@pytest.mark.parametrize(
    ("other", "taken"),
    [
        (Slow(1.0), True),
        (Slow(3.0), False),
        (Slow(1.0, "info", 1 + 1e-4), True),  # as TF32 products round
        (Slow(1.0, "info", 1.01), False),
        (Slow(1.0, "score", 1 + 1e-7), False),  # as a sum in float32
        (Slow(1.0, "loss", 1 + 1e-7), False),
        (Slow(1.0, "pearson", float("nan")), False),
        (broken, False),
    ],
)
def test_a_kernel_is_taken_where_it_is_right_and_faster(other, taken: bool, clock) -> None:
    source, at = tiles(COUNTS, "float64", offset=True), point("float64", 1)
    chosen = fastest((Slow(2.0), other), source, jg.Poisson(), at, clock)
    assert chosen == (other if taken else Slow(2.0))


def test_a_start_that_cannot_be_stepped_from_leaves_the_first_kernel(clock) -> None:
    source, at = tiles(COUNTS, "float64", offset=True), point("float64", 1)
    kernels = (Slow(2.0, "info", float("nan")), Slow(1.0))
    assert fastest(kernels, source, jg.Poisson(), at, clock) == kernels[0]


@dataclasses.dataclass(frozen=True)
class Device:
    platform: str
    device_kind: str = "kind"


@pytest.fixture
def trials(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was timed, where every trial is won by the last kernel."""
    seen: list[str] = []

    def win(kernels, source, family, at):
        seen.append(family.name)
        return kernels[-1]

    monkeypatch.setattr(_fastest, "fastest", win)
    monkeypatch.setattr(_fastest, "_remembered", {})
    monkeypatch.setattr(_fastest, "_LEAST_WORK", 0.0)
    return seen


def test_nothing_is_tried_on_a_cpu(trials: list[str]) -> None:
    source, at = tiles(COUNTS, "float64", offset=True), point("float64", 1)
    assert fastest_kernel(quick_moments, source, jg.Poisson(), at) is quick_moments
    assert trials == []


def test_an_accelerator_is_asked_once_for_each_shape_and_family(
    trials: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_fastest, "_device", lambda _: Device("gpu"))
    source, at = tiles(COUNTS, "float64", offset=True), point("float64", 1)

    def ask(family: Family, plain=quick_moments, source: Tiles = source):
        return fastest_kernel(plain, source, family, at)

    assert ask(jg.NegativeBinomial(alpha=0.5)) == Fused(quick_moments)
    assert ask(jg.NegativeBinomial(alpha=0.7)) == Fused(quick_moments)
    assert trials == ["negative_binomial"]
    assert ask(jg.Poisson()) == Fused(quick_moments)
    ask(jg.Poisson(), source=tiles(COUNTS, "float64", offset=False))
    assert trials == ["negative_binomial", "poisson", "poisson"]
    # Full sums in float64, diagonals and families that do not lower are not up for choice.
    assert ask(jg.Poisson(), full_moments) is full_moments
    assert ask(jg.Poisson(), diagonal_moments) is diagonal_moments
    assert ask(Counted()) is quick_moments
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "jaxglm.sums._fused", None)
        assert ask(jg.Gamma()) is quick_moments
    monkeypatch.setattr(_fastest, "_LEAST_WORK", 1e10)
    assert ask(jg.Poisson()) is quick_moments
    assert len(trials) == 3
