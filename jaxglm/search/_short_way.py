"""Owns the short way of a large fit: a sample's optimum for a start, and an early end, proven.

Close to an optimum, Newton's method squares the distance at each turn. So the loop may end when the
step in hand is foreseen to leave next to nothing; the pass that makes the sums for the statistics
then tells what is left, exactly, and one more step removes it.
"""

import jax.numpy as jnp
import numpy as np

from jaxglm._status import Status
from jaxglm._tuning import tuning
from jaxglm.designs import Split
from jaxglm.search._attempts import Attempt, Search
from jaxglm.search._basis import Basis
from jaxglm.search._least_squares import least_squares
from jaxglm.search._settings import AT_BETA, AT_INITIAL_MEANS
from jaxglm.solvers import KeptFactor, Newton, unfactored
from jaxglm.sources import Block, Source
from jaxglm.sums import Point

# A sample has at least so many parts, and rows for each column; it skips at most so many parts.
_LEAST_PARTS, _MOST_STRIDE = 4, 16
_ROWS_PER_COLUMN, _LEAST_INFORMATION = 20, 20.0
_MOST_ROUNDS = 3
# A sample of so many rows for each column knows the information to three per cent.
_ROWS_TO_KEEP = 1000


def first_methods(search: Search, basis: Basis, source: Source) -> Attempt:
    """The first method that converges: large fits by the short way, while it will do."""
    few = source.design.gram_cells <= tuning().most_cells
    if search.large and few and search.options.method == "irls":
        way = least_squares if search.family.is_quadratic else _short_way
        found = way(search, basis, source)
        if found is not None:
            return found
    if search.quick:
        found = search.attempts(basis, source)
        if found.status is Status.CONVERGED:
            return found
        search.quick = False
    return search.attempts(basis, source)


def _short_way(search: Search, basis: Basis, source: Source) -> Attempt | None:
    design = source.design
    kept = unfactored(design.n_columns, design.n_eliminated, source.dtype)
    if search.options.start is not None:
        at = search.settings.point(search.given(basis), AT_BETA)
    else:
        at, kept = _sampled(search, basis, source, kept)
    for _ in range(_MOST_ROUNDS):
        controls = search.controls(reach=search.reach)
        found = search.run(basis, source, Newton(), "irls", at, controls, search.kernel, kept)
        if found.status is not Status.CONVERGED:
            return None
        settled = search.settled(found)
        if search.is_near(settled):
            return settled
        at = search.settings.point(settled.gamma, AT_BETA)
        kept = found.outcome.kept._replace(use=np.bool_(False))
    return None


def _sampled(
    search: Search, basis: Basis, source: Source, kept: KeptFactor
) -> tuple[Point, KeptFactor]:
    """Where a sample of the rows has its optimum, and its factor, if it says enough."""
    first = search.settings.point(np.zeros(int(basis.keep.sum())), AT_INITIAL_MEANS)
    stride = sample_stride(search, basis, source)
    if stride < 2:
        return first, kept
    found = of_sample(search, basis, source, stride, first)
    if found.status is not Status.CONVERGED:
        return first, kept
    sampled = factor_of_sample(found, basis, source, stride)
    return search.settings.point(found.gamma, AT_BETA), kept if sampled is None else sampled


def sample_stride(search: Search, basis: Basis, source: Source) -> int:
    """A sample is every so manyth part of the rows; 1 where it would not pay or not serve."""
    n, k = source.n_rows, int(basis.keep.sum())
    stride = min(source.n_parts // _LEAST_PARTS, n // (_ROWS_PER_COLUMN * k), _MOST_STRIDE)
    if stride >= 2 and isinstance(source.design, Split):
        # A level without an event in the sample would start far off: a start worse than none.
        stride = min(stride, int(_rarest_information(search, source) / _LEAST_INFORMATION))
    # The penalty belongs to all rows; beside some of them it would weigh too much.
    return stride if search.penalty is None else 1


def of_sample(search: Search, basis: Basis, source: Source, stride: int, at: Point) -> Attempt:
    """The optimum of a sample, to within a standard error of its own, several of the whole."""
    share = 1 / _parts_to_one(source, stride)
    return search.run(
        basis,
        source,
        Newton(),
        "irls",
        at,
        search.controls(tol=1.0, share=share, final=False),
        search.kernel,
        unfactored(source.design.n_columns, source.design.n_eliminated, source.dtype),
        stride,
    )


def factor_of_sample(
    found: Attempt, basis: Basis, source: Source, stride: int
) -> KeptFactor | None:
    """The factor of a sample as that of all rows; None where it says too little of them."""
    times = _parts_to_one(source, stride)
    enough = source.n_rows >= _ROWS_TO_KEEP * int(basis.keep.sum()) * times
    return found.outcome.kept.of_more_rows(times) if enough else None


def _parts_to_one(source: Source, stride: int) -> float:
    # The stride need not divide the parts, and a factor that is off by that is a poor one.
    return source.n_parts / -(-source.n_parts // stride)


def _rarest_information(search: Search, source: Source) -> float:
    """What all rows of the rarest level of a factor know of it, at the average response."""

    def counted(known: np.ndarray | None, block: Block) -> np.ndarray:
        assert isinstance(block.design, Split)
        own = block.design.level_rows()
        return own if known is None else known + own

    rows = source.scan(counted, None)
    assert rows is not None
    family, center = search.family, jnp.asarray(search.settings.null.inside)
    return float(rows.min()) * float(family.fisher_weight(center, family.link.link(center)))
