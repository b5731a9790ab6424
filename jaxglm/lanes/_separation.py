"""Owns the test of separation in many segments."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxglm.families import Family
from jaxglm.lanes._lanes import Lanes, masked
from jaxglm.search._separation import common_step, grams_of_others, pulls_along, unseen_directions
from jaxglm.sources import Block
from jaxglm.sums import Middle


class _At(NamedTuple):
    """Where the loop of a segment ended."""

    beta: Any
    middle: Middle
    keep: Any
    directions: Any


def _others(block: Block, family: Family, at: _At, shared: None) -> Any:
    return grams_of_others(masked(block, at.keep), family, at.beta, at.middle)


def _pulls(block: Block, family: Family, at: _At, shared: None) -> Any:
    return pulls_along(masked(block, at.keep), family, at.beta, at.middle, at.directions)


def infinite_columns(
    lanes: Lanes, which: np.ndarray, *, beta: np.ndarray, middle: Middle, keep: np.ndarray
) -> np.ndarray:
    """Columns whose coefficients run to infinity, [k, p] bool in design order.

    Parameters
    ----------
    lanes : Lanes
    which : [k] int
        Segments in which rows have gone far.
    beta, middle, keep
        Where their loops ended and in which columns; leaves have a leading axis of k.
    """
    p, dtype = lanes.segments.problem.n_columns, lanes.segments.problem.dtype
    infinite = np.zeros((which.size, p), bool)
    directions = np.zeros((which.size, p, p), dtype)
    lengths = np.ones((which.size, p))
    counts = np.zeros(which.size, int)

    def over(function: Callable, some: np.ndarray) -> Iterator[tuple[np.ndarray, Any]]:
        at = jax.tree.map(lambda leaf: leaf[some], _At(beta, middle, keep, directions))
        found = lanes.over(function, which[some], at)
        return ((some[places], left) for places, left in found)

    for places, (grams, squares) in over(_others, np.flatnonzero(np.isfinite(beta).all(axis=1))):
        for i, gram, square in zip(places, grams.astype(float), squares, strict=True):
            lengths[i] = np.sqrt(square)
            null = unseen_directions(gram, lengths[i], dtype)
            counts[i] = null.shape[1]
            directions[i, :, : counts[i]] = null
    for places, pulls in over(_pulls, np.flatnonzero(counts)):
        for i, own in zip(places, pulls.astype(float), strict=True):
            step = common_step(own[:, : counts[i]])
            if step is not None:
                moved = np.abs(directions[i, :, : counts[i]] @ step) * lengths[i]
                infinite[i] = moved > 1e-6 * moved.max()
    return infinite
