"""Owns the search for where rising functions of a distance reach a target."""

import math
from collections.abc import Callable, Generator, Sequence

# A root is found where it is known to this share of the target, or of the distance.
_CLOSE, _RESOLVED = 1e-10, 1e-13
_MOST_VALUES, _MOST_DOUBLINGS = 80, 24
# Points that the inverse polynomial goes through, and guesses that may leave most of a bracket.
_POINTS, _PATIENCE = 4, 3


def find_root(height: Callable[[float], float], target: float, first: float) -> tuple[float, bool]:
    """The distance at which a function that rises from 0 at 0 reaches a target.

    Guesses are those of the inverse polynomial through the last values, which converge fast where
    the function is nearly straight; a bracket holds them, and is halved where they do not.

    Parameters
    ----------
    height : callable
        Of a distance above 0; inf where it has no value.
    target : float
    first : float
        A distance to try first: that of a straight line.

    Returns
    -------
    distance : float
        inf where the target is never reached.
    at_edge : bool
        The function ends before it reaches the target: the distance is where it does.

    Examples
    --------
    >>> root, at_edge = find_root(lambda x: x + 0.1 * x**3, 2.0, 2.0)
    >>> round(root, 9), at_edge
    (1.594562117, False)
    >>> find_root(lambda x: x / (1 + x), 2.0, 2.0)
    (inf, False)
    >>> edge, at_edge = find_root(lambda x: x if x < 1.5 else math.inf, 2.0, 2.0)
    >>> round(edge, 9), at_edge
    (1.5, True)
    """
    return find_roots(lambda _, distances: [height(distances[0])], target, [first])[0]


def find_roots(
    heights: Callable[[Sequence[int], Sequence[float]], Sequence[float]],
    target: float,
    firsts: Sequence[float],
) -> list[tuple[float, bool]]:
    """`find_root` of several functions, which are asked for their values together.

    Parameters
    ----------
    heights : callable
        Of the places of the functions that are still looked at, and of a distance for each.
    target : float
    firsts : sequence of float
        A distance to try first for each function.
    """
    searches = [_search(target, first) for first in firsts]
    found: list[tuple[float, bool]] = [(math.nan, False)] * len(searches)
    distances = {place: next(search) for place, search in enumerate(searches)}
    while distances:
        places = list(distances)
        values = heights(places, list(distances.values()))
        for place, value in zip(places, values, strict=True):
            try:
                distances[place] = searches[place].send(value)
            except StopIteration as end:
                found[place] = end.value
                del distances[place]
    return found


def _search(target: float, first: float) -> Generator[float, float, tuple[float, bool]]:
    """The search of `find_root`: yields distances, is sent the heights there, returns the root."""
    low, high, top = 0.0, math.inf, math.inf
    points = [(0.0, 0.0)]
    distance, doublings, idle = first, 0, 0
    for _ in range(_MOST_VALUES):
        value, width = (yield distance), high - low
        if abs(value - target) <= _CLOSE * target:
            return distance, False
        if math.isfinite(value):
            points.append((distance, value))
        if value < target:
            low = distance
        else:
            high, top = distance, value
        guess = _inverse(points[-_POINTS:], target)
        if high == math.inf:
            doublings += 1
            if doublings > _MOST_DOUBLINGS:
                return math.inf, False
            distance = guess if 1.05 * low < guess < 2 * low else 2 * low
            continue
        if high - low <= _RESOLVED * high:
            break
        idle = idle + 1 if high - low > 0.5 * width else 0
        inside = low < guess < high and idle < _PATIENCE
        distance = guess if inside else (low + high) / 2
        idle = idle if inside else 0
    return (low + high) / 2, top == math.inf


def _inverse(points: Sequence[tuple[float, float]], target: float) -> float:
    """The polynomial for the distance at a height, through some points; nan where there is none."""
    heights = [height for _, height in points]
    if len(set(heights)) < len(heights) or len(points) < 2:
        return math.nan
    row = [distance for distance, _ in points]
    for width in range(1, len(points)):  # Neville's scheme
        row = [
            ((target - heights[i]) * row[i + 1] - (target - heights[i + width]) * row[i])
            / (heights[i + width] - heights[i])
            for i in range(len(row) - 1)
        ]
    return row[0]
