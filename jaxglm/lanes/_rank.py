"""Owns the decision on rank in many segments: which of their columns earlier ones determine."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from jaxglm.algebra import Relations, Span, span_of
from jaxglm.designs import bucket
from jaxglm.lanes._lanes import Lanes
from jaxglm.search._triangle import RANK_TOLERANCE

# Numbers of a stack of segments.
_STACK = 1 << 22


class Rank(NamedTuple):
    """Columns are in design order, those of `relations` in public order.

    Attributes
    ----------
    keep : [k, p] bool
        Columns that earlier ones do not determine.
    sound : [k] bool
        The columns kept are so far from collinear that their Gram matrix tells it; the others want
        a fit in another basis.
    relations : dict of Relations
        By position of the segment, where columns follow from others.
    """

    keep: np.ndarray
    sound: np.ndarray
    relations: dict[int, Relations]


def rank_of(lanes: Lanes, which: np.ndarray, smallest_pivot: float) -> Rank:
    """The rank of some segments, by the rules of `search._basis.condition`."""
    in_public_order = np.argsort(lanes.segments.problem.order)
    shares = np.zeros((which.size, in_public_order.size))
    relations: dict[int, Relations] = {}
    for some, span, scale in spans(lanes, which):
        shares[some[:, None], in_public_order] = span.shares
        follow = ((span.shares == 0) & (span.lengths > 0)).any(axis=1)
        for place in np.flatnonzero(follow).tolist():
            relations[int(some[place])] = span.one(place).relations().scaled(1 / scale[place])
    least = np.where(shares > 0, shares, 1.0).min(axis=1)
    return Rank(shares > 0, least**2 >= smallest_pivot, relations)


def spans(
    lanes: Lanes,
    which: np.ndarray,
    chosen: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None,
) -> Iterator[tuple[np.ndarray, Span, np.ndarray]]:
    """The columns of some segments against those before them, in public order, stack by stack.

    Parameters
    ----------
    lanes : Lanes
    which : [k] int
        The segments.
    chosen : callable, optional
        Of positions in `which` and the columns of these segments, [b, n, p] in design order, to
        the columns with 0 for what takes no part.

    Yields
    ------
    some : [b] int
        Positions in `which`.
    span : Span
        Of columns that were divided by
    scale : [b, p]
    """
    segments, penalty = lanes.segments, lanes.objective.penalty
    p = segments.problem.n_columns
    in_public_order = np.argsort(segments.problem.order)
    held = None if penalty is None else penalty.as_rows()[:, in_public_order]
    # A stack of some size needs no program: they are as close to those of the segments as can be.
    sizes = np.array([bucket(rows) for rows in segments.sizes[which].tolist()], int)
    for size in np.unique(sizes):
        of_size = np.flatnonzero(sizes == size)
        for some in np.array_split(of_size, -(-of_size.size * size * p // _STACK)):
            columns = segments.dense(which[some], int(size))
            if chosen is not None:
                columns = chosen(some, columns)
            columns = columns[..., in_public_order]
            largest = np.abs(columns).max(axis=-2, keepdims=True)
            scale = np.where(largest > 0, largest, 1.0)
            triangle: Any = np.linalg.qr(columns / scale, mode="r")
            if held is not None:
                triangle = np.concatenate([triangle, held / scale], axis=-2)
            yield some, span_of(triangle, RANK_TOLERANCE), scale[:, 0]
