"""Owns separation in many segments: the test, and what it leaves open."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxglm.algebra import Relations, movement
from jaxglm.lanes._lanes import Lanes, masked
from jaxglm.lanes._rank import spans
from jaxglm.search._limit import relations_of_rest
from jaxglm.search._recession import common_step
from jaxglm.search._separation import (
    grams_of_others,
    movement_of_others,
    moving,
    pulls_along,
    unmoved,
    unseen_directions,
)
from jaxglm.sources import Block
from jaxglm.sums import NullModel, Objective


class _At(NamedTuple):
    """Where the loop of a segment ended."""

    beta: Any
    null: NullModel
    keep: Any
    directions: Any


def _others(block: Block, objective: Objective, at: _At, shared: None) -> Any:
    return grams_of_others(masked(block, at.keep), objective.family, at.beta, at.null)


def _movement(block: Block, objective: Objective, at: _At, shared: None) -> Any:
    rows = masked(block, at.keep)
    return movement_of_others(rows, objective.family, at.beta, at.null, at.directions)


def _pulls(block: Block, objective: Objective, at: _At, shared: None) -> Any:
    return pulls_along(masked(block, at.keep), objective.family, at.beta, at.null, at.directions)


def _one_part(pulls: np.ndarray) -> list[np.ndarray]:
    return [pulls]


def recession_directions(
    lanes: Lanes, which: np.ndarray, *, beta: np.ndarray, null: NullModel, keep: np.ndarray
) -> np.ndarray:
    """Directions in which coefficients run to infinity, [k, p] in design order; 0 where none does.

    Parameters
    ----------
    lanes : Lanes
    which : [k] int
        Segments in which rows have gone far.
    beta, null, keep
        Where their loops ended and in which columns; leaves have a leading axis of k.
    """
    p, dtype = lanes.segments.problem.n_columns, lanes.segments.problem.dtype
    recession = np.zeros((which.size, p))
    directions = np.zeros((which.size, p, p), dtype)
    lengths = np.ones((which.size, p))
    counts = np.zeros(which.size, int)

    def over(function: Callable, some: np.ndarray) -> Iterator[tuple[np.ndarray, Any]]:
        at = jax.tree.map(lambda leaf: leaf[some], _At(beta, null, keep, directions))
        found = lanes.over(function, which[some], at)
        return ((some[places], left) for places, left in found)

    for places, (grams, squares) in over(_others, np.flatnonzero(np.isfinite(beta).all(axis=1))):
        for i, gram, square in zip(places, grams.astype(float), squares, strict=True):
            lengths[i] = np.sqrt(square)
            unseen = unseen_directions(gram, lengths[i], dtype, lanes.objective.penalty)
            counts[i] = unseen.shape[1]
            directions[i, :, : counts[i]] = unseen
    for places, moves in over(_movement, np.flatnonzero(counts)):
        for i, own in zip(places, moves.astype(float), strict=True):
            k = counts[i]
            kept = directions[i, :, :k] @ unmoved(own[:k, :k], dtype)
            counts[i] = kept.shape[1]
            directions[i, :, : counts[i]] = kept
    for places, pulls in over(_pulls, np.flatnonzero(counts)):
        for i, own in zip(places, pulls.astype(float), strict=True):
            step = common_step(partial(_one_part, own[:, : counts[i]]))
            if step is not None:
                recession[i] = moving(directions[i, :, : counts[i]] @ step, lengths[i])
    return recession


def relations_at_limits(
    lanes: Lanes, which: np.ndarray, recession: np.ndarray, keep: np.ndarray
) -> dict[int, Relations]:
    """`search._limit.relations_at_limit` of separated segments, where there are any.

    Parameters
    ----------
    lanes : Lanes
    which : [k] int
        The segments.
    recession, keep : [k, p]
        Their directions and their columns, in design order.

    Returns
    -------
    dict of Relations
        By position in `which`; in public order.
    """

    def rest(some: np.ndarray, columns: np.ndarray) -> np.ndarray:
        moves = movement(np.matmul(columns, recession[some][..., None]))
        return np.where((moves == 0) & keep[some][:, None], columns, 0.0)

    public = keep[:, np.argsort(lanes.segments.problem.order)]
    found = {}
    for some, span, scale in spans(lanes, which, rest):
        left = (span.shares == 0) & public[some]
        for i in np.flatnonzero(left.any(axis=1)).tolist():
            own = relations_of_rest(span.one(i), public[some[i]]).scaled(1 / scale[i])
            if own.aliased.size:
                found[int(some[i])] = own
    return found
