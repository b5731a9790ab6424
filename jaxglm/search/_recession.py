"""Owns the linear programme of separation: a direction that moves rows and pulls none back.

The rows come part by part and as often as they are asked for, so that no more of them are held than
the programme (SciPy's HiGHS) is about.
"""

from collections.abc import Callable, Iterable, Iterator

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
        So long that it moves the row that it moves most by one; None where there is none.
    """
    size = max((np.abs(part).max(initial=0.0) for part in pulls()), default=0.0)
    if size == 0:
        return None

    def moved() -> Iterator[np.ndarray]:
        # What rounding alone moves must count nowhere, neither in the sums nor as a row.
        for part in pulls():
            part = np.round(part / size, _DECIMALS)
            yield part[(part != 0).any(axis=1)]

    step = _moving_all(moved)
    return None if step is None else step / size


def _moving_all(pulls: Pulls) -> np.ndarray | None:
    """Of pulls without rounding: a step that moves every row that any step moves."""
    sums = [(len(part), part.sum(axis=0), part.T @ part) for part in pulls()]
    count, total, squares = (sum(parts) for parts in zip(*sums, strict=True))
    if not count:
        return None
    # Often one combination moves all rows by about as much; no programme is needed then.
    step = np.linalg.lstsq(squares, total, rcond=None)[0]
    least, most = _ends(pulls, step)
    if least > _MOVES:
        return step / most
    step = _most_moved(pulls, total, count)
    if step is None or _ends(pulls, step)[1] <= _MOVES:
        return None

    # The programme is bound by the rows that move most. Where it left a row that another step
    # moves, so much of that is added as keeps the others moving.
    def rest() -> Iterator[np.ndarray]:
        for part in pulls():
            yield part[part @ step <= _MOVES]

    further = _moving_all(rest)
    if further is None:
        return step
    share = 1.0
    for part in pulls():
        along, back = part @ step, -(part @ further)
        held = (along > _MOVES) & (back > 0)
        share = min(share, (along[held] / back[held]).min(initial=np.inf) / 2)
    step = step + share * further
    return step / _ends(pulls, step)[1]


def _ends(pulls: Pulls, step: np.ndarray) -> tuple[float, float]:
    """The least and the largest movement."""
    along = [part @ step for part in pulls()]
    return (
        min(float(own.min(initial=np.inf)) for own in along),
        max(float(own.max(initial=0.0)) for own in along),
    )


def _most_moved(pulls: Pulls, total: np.ndarray, moved: int) -> np.ndarray | None:
    """The optimum of: maximise the sum of p_i'd with 0 <= p_i'd <= 1, for all moved rows p_i.

    Rows are added as they are violated; an answer that violates none is that of all rows.
    """
    from scipy.optimize import linprog

    rows = _some(pulls, lambda part: np.zeros(len(part)))
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

        worst = _some(pulls, beyond, least=0.0)
        more = np.unique(np.vstack([rows, worst]), axis=0) if worst.size else rows
        if more.shape[0] == count:  # what is violated is so by no more than HiGHS allows
            return step
        rows = more


def _some(
    pulls: Pulls, score: Callable[[np.ndarray], np.ndarray], least: float = -np.inf
) -> np.ndarray:
    """Different rows of the highest scores above `least`, few enough for the programme."""
    found = np.empty((0, 0))
    for part in pulls():
        part = part[score(part) > least]
        found = np.unique(np.vstack([found, part]) if found.size else part, axis=0)
        if found.shape[0] > _MOST_ADDED:
            found = found[np.argsort(-score(found), kind="stable")[:_MOST_ADDED]]
    return found
