"""Owns the linear programme of separation: a direction that moves rows and pulls none back.

The rows come part by part and as often as they are asked for, so that no more of them are held than
the programme (SciPy's HiGHS) is about.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

# A movement is one from this share of the largest pull on; constraints are kept to the other.
_MOVES, _KEPT = 1e-6, 1e-7
# Rows that enter the programme at a time: those that its last answer pulled back the farthest.
_MOST_ADDED = 2000
# Decimals of a pull, relative to the largest, that tell rows apart.
_DECIMALS = 9

Pulls = Callable[[], Iterable[np.ndarray]]


def common_step(pulls: Pulls) -> np.ndarray | None:
    """A combination [k] of directions that moves rows, as many as possible, and pulls none back.

    Parameters
    ----------
    pulls : callable
        Returns arrays [n, k], part by part: how far each direction moves each row towards the side
        that it wants.

    Returns
    -------
    [k] or None
        None where there is none.
    """
    parts = [_sums(part) for part in pulls()]
    size = max((part.largest for part in parts), default=0.0)
    if size == 0:
        return None
    moved = sum(part.moved for part in parts)
    total = np.sum([part.total for part in parts], axis=0) / size
    squares = np.sum([part.squares for part in parts], axis=0) / size**2
    # Often one combination moves all rows by about as much; no programme is needed then.
    step = np.linalg.lstsq(squares, total, rcond=None)[0]
    if all((_moved(part / size) @ step > _MOVES).all() for part in pulls()):
        return step
    return _most_moved(pulls, total, moved, size)


class _Sums(NamedTuple):
    moved: int
    total: np.ndarray
    squares: np.ndarray
    largest: float


def _sums(part: np.ndarray) -> _Sums:
    moved = _moved(part)
    return _Sums(len(moved), moved.sum(axis=0), moved.T @ moved, np.abs(moved).max(initial=0.0))


def _moved(part: np.ndarray) -> np.ndarray:
    """The rows that any direction moves."""
    return part[(part != 0).any(axis=1)]


def _most_moved(pulls: Pulls, total: np.ndarray, moved: int, size: float) -> np.ndarray | None:
    """The optimum of: maximise the sum of p_i'd with 0 <= p_i'd <= 1, for all moved rows p_i.

    Rows are added as they are violated; an answer that violates none is that of all rows.
    """
    from scipy.optimize import linprog

    rows = _some(pulls, size, lambda part: np.zeros(len(part)))
    scale = float(np.abs(total).max()) or 1.0
    while True:
        count = rows.shape[0]
        programme = linprog(
            -total / scale,
            # The last one keeps the programme bounded while rows are missing.
            A_ub=np.vstack([-rows, rows, total / scale]),
            b_ub=np.concatenate([np.zeros(count), np.ones(count), [moved / scale]]),
            bounds=(None, None),
            method="highs",
        )
        # Fewer rows allow more: where these allow no movement, all of them allow none.
        if programme.status != 0 or -programme.fun * scale <= _MOVES:
            return None
        step = programme.x

        def beyond(part: np.ndarray, step: np.ndarray = step) -> np.ndarray:
            along = part @ step
            return np.maximum(-along, along - 1.0) - _KEPT

        worst = _some(pulls, size, beyond, least=0.0)
        more = np.unique(np.vstack([rows, worst]), axis=0) if worst.size else rows
        if more.shape[0] == count:  # what is violated is so by no more than HiGHS allows
            return step
        rows = more


def _some(
    pulls: Pulls, size: float, score: Callable[[np.ndarray], np.ndarray], least: float = -np.inf
) -> np.ndarray:
    """Different rows of the highest scores above `least`, few enough for the programme."""
    found = np.empty((0, 0))
    for part in pulls():
        part = _moved(np.round(part / size, _DECIMALS))
        part = part[score(part) > least]
        found = np.unique(np.vstack([found, part]) if found.size else part, axis=0)
        if found.shape[0] > _MOST_ADDED:
            found = found[np.argsort(-score(found), kind="stable")[:_MOST_ADDED]]
    return found
