"""Owns the decision on rank in many segments: which of their columns earlier ones determine."""

from typing import Any, NamedTuple

import numpy as np

from jaxglm.algebra import Relations, span_of
from jaxglm.lanes._lanes import Lanes
from jaxglm.search._basis import RANK_TOLERANCE

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
    segments = lanes.segments
    p = segments.problem.n_columns
    in_public_order = np.argsort(segments.problem.order)
    penalty = lanes.objective.penalty
    held = None if penalty is None else penalty.as_rows()[:, in_public_order]
    shares = np.zeros((which.size, p))
    relations: dict[int, Relations] = {}
    sizes = lanes.size_of(which)
    for size in np.unique(sizes):
        of_size = np.flatnonzero(sizes == size)
        for some in np.array_split(of_size, -(-of_size.size * size * p // _STACK)):
            columns = segments.dense(which[some], int(size))[..., in_public_order]
            largest = np.abs(columns).max(axis=-2, keepdims=True)
            scale = np.where(largest > 0, largest, 1.0)
            columns = columns / scale
            triangle: Any = np.linalg.qr(columns, mode="r")
            if held is not None:
                triangle = np.concatenate([triangle, held / scale], axis=-2)
            span = span_of(triangle, RANK_TOLERANCE)
            shares[some[:, None], in_public_order] = span.shares
            follow = ((span.shares == 0) & (span.lengths > 0)).any(axis=1)
            for place in np.flatnonzero(follow).tolist():
                relations[int(some[place])] = (
                    span.one(place).relations().scaled(1 / scale[place, 0])
                )
    least = np.where(shares > 0, shares, 1.0).min(axis=1)
    return Rank(shares > 0, least**2 >= smallest_pivot, relations)
