"""Owns the transforms that learn from the training data: center, scale, standardize, poly.

Each is a pair: `fit(x, ...) -> state` (plain JSON values) and `apply(state, x) -> columns`. NaN
rows are left out of the fit and stay NaN.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from jaxglm._status import FormulaError
from jaxglm.io.formula._settings import flag, one_number, whole

State = dict[str, Any]


class Transform(NamedTuple):
    """A transform with a memory: what it learns, and what it then does to any data."""

    fit: Callable[..., State]
    apply: Callable[[State, np.ndarray], np.ndarray]


def complete(x: np.ndarray) -> np.ndarray:
    """The finite values of a column, to learn from.

    Raises
    ------
    FormulaError
        If there is none.
    """
    finite = np.isfinite(x)
    x = x if finite.all() else x[finite]
    if not len(x):
        raise FormulaError("there is no finite number to learn from")
    return x


def _fit_scale(x: np.ndarray, center: Any = True, scale: Any = True) -> State:
    """R's scale: a number given for `center` or `scale` is used as it is, 1/(n-1) in the spread."""
    inner = complete(x)
    given = {"center": center, "scale": scale}
    shift, spread = (
        None if isinstance(value, bool) else one_number(value, name)
        for name, value in given.items()
    )
    if shift is None:
        shift = float(inner.mean()) if center else 0.0
    if spread is None:
        degrees = max(len(inner) - 1, 1)
        spread = float(np.sqrt(np.sum((inner - shift) ** 2) / degrees)) if scale else 1.0
    return _shift_and_spread(shift, spread)


def _fit_standardize(
    x: np.ndarray, center: Any = True, rescale: Any = True, ddof: Any = 0
) -> State:
    """The standardize of patsy: 1/n in the standard deviation unless `ddof` is given."""
    inner = complete(x)
    ddof = whole(ddof, "ddof", 0, len(inner) - 1)
    shift = float(inner.mean()) if flag(center, "center") else 0.0
    spread = float(inner.std(ddof=ddof)) if flag(rescale, "rescale") else 1.0
    return _shift_and_spread(shift, spread)


def _fit_center(x: np.ndarray) -> State:
    return _shift_and_spread(float(complete(x).mean()), 1.0)


def _shift_and_spread(shift: float, spread: float) -> State:
    if spread == 0:
        raise FormulaError("the values are all the same, there is no spread to divide by")
    return {"shift": shift, "spread": spread}


def _apply_scale(state: State, x: np.ndarray) -> np.ndarray:
    return (x - state["shift"]) / state["spread"]


def _fit_poly(x: np.ndarray, degree: Any = 1, raw: Any = False) -> State:
    """Orthogonal polynomials as R's poly, by their three-term recurrence.

    p_{k+1} = (x - a_k) p_k - (|p_k|^2 / |p_{k-1}|^2) p_{k-1}, a_k = sum x p_k^2 / |p_k|^2
    (Kennedy & Gentle 1980, pp. 343-344, the source R names); columns are p_k / |p_k|.
    """
    degree = whole(degree, "degree", 1)
    inner = complete(x)
    if flag(raw, "raw"):
        return {"degree": degree, "raw": True}
    if len(np.unique(inner)) <= degree:
        raise FormulaError(f"degree {degree} needs more than {degree} different values")
    mean = float(inner.mean())
    centred = inner - mean
    previous, current = np.zeros_like(centred), np.ones_like(centred)
    squares = [1.0, float(len(inner))]
    roots = []
    for _ in range(degree):
        root = float(np.sum(centred * current**2) / squares[-1])
        ratio = squares[-1] / squares[-2]
        following = (centred - root) * current - ratio * previous
        previous, current = current, following
        roots.append(root)
        squares.append(float(np.sum(current**2)))
    return {"degree": degree, "raw": False, "mean": mean, "roots": roots, "squares": squares}


def _apply_poly(state: State, x: np.ndarray) -> np.ndarray:
    degree = state["degree"]
    columns = np.empty((len(x), degree))
    if state["raw"]:
        for k in range(degree):
            columns[:, k] = x ** (k + 1)
        return columns
    centred, squares = x - state["mean"], state["squares"]
    previous, current = np.zeros_like(centred), np.ones_like(centred)
    for k, root in enumerate(state["roots"]):
        ratio = squares[k + 1] / squares[k]
        previous, current = current, (centred - root) * current - ratio * previous
        columns[:, k] = current / np.sqrt(squares[k + 2])
    return columns


SCALINGS = {
    "center": Transform(_fit_center, _apply_scale),
    "scale": Transform(_fit_scale, _apply_scale),
    "standardize": Transform(_fit_standardize, _apply_scale),
    "poly": Transform(_fit_poly, _apply_poly),
}
