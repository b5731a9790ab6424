"""Owns derivatives of expressions along a column, from differences whose error is watched."""

import warnings
from collections.abc import Callable

import numpy as np

from jaxglm._status import JaxglmWarning

# A function of positions of rows [k] and of values there [k], to [k] or [k, w].
Function = Callable[[np.ndarray, np.ndarray], np.ndarray]

# The first step as a share of the spread: with the error of order step^4 that extrapolation leaves,
# about as much is lost to it as to rounding. Where a knot, an end of the domain or a steep bend is
# near, the next steps are shorter.
_STEP, _SHORTER, _MOST_STEPS = 1e-3, 0.1, 10
# Differences over a step and over half of it agree up to this share, or the step is shortened.
_AGREEMENT = 1e-6


def derivative(function: Function, x: np.ndarray, spread: float) -> np.ndarray:
    """The derivative of an elementwise function at `x` [n], of the shape of its values.

    Central differences over a step and its half, extrapolated (Richardson); each entry has a step
    of its own, the longest at which the two agree, or the one at which they agree best.

    Parameters
    ----------
    function : callable
    x : [n]
    spread : float
        The size of usual differences between values of `x`.

    Returns
    -------
    [n] or [n, w]
        nan where no step gives a number: the function ends there.

    Examples
    --------
    >>> derivative(lambda rows, x: np.log(x), np.array([1e-4, 2.0]), spread=50.0).round(6)
    array([1.e+04, 5.e-01])
    """
    rows, step = np.arange(x.size), _STEP * spread
    with np.errstate(all="ignore"), warnings.catch_warnings():
        # A step may lie beyond the knots of a spline, where no value of the user's does.
        warnings.simplefilter("ignore", JaxglmWarning)
        values = function(rows, x)
        finite = values[np.isfinite(values)]
        usual = 1e-3 * (np.ptp(finite) if finite.size else 0.0) / spread
        found, error = np.full(values.shape, np.nan), np.full(values.shape, np.inf)
        for _ in range(_MOST_STEPS):
            wide, narrow = (_central(function, rows, x[rows], h) for h in (step, step / 2))
            gap = np.abs(wide - narrow)
            better = gap < error[rows]
            found[rows] = np.where(better, narrow + (narrow - wide) / 3, found[rows])
            error[rows] = np.where(better, gap, error[rows])
            settled = error[rows] <= _AGREEMENT * (np.abs(found[rows]) + usual)
            rows = rows[~(settled if settled.ndim == 1 else settled.all(axis=1))]
            if not rows.size:
                break
            step *= _SHORTER
    return found


def _central(function: Function, rows: np.ndarray, x: np.ndarray, step: float) -> np.ndarray:
    up, down = x + step, x - step
    rise = np.asarray(function(rows, up) - function(rows, down), float)
    width = up - down
    return rise / (width if rise.ndim == 1 else width[:, None])
