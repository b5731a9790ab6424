"""Owns the spline bases: bs and ns with the knots and columns of R's splines package, and s."""

from typing import Any

import numpy as np

from jaxglm._status import FormulaError, JaxglmWarning
from jaxglm.io.formula._settings import flag, several_numbers, whole
from jaxglm.io.formula._tokens import quoted
from jaxglm.io.formula._transforms import State, Transform, complete
from jaxglm.io.tables._messages import rows_text
from jaxglm.words import listed, warn


def _knots(
    x: np.ndarray, n_inner: int, knots: Any, boundary: Any
) -> tuple[list[float], list[float]]:
    """Inner knots (given, or at equally spaced quantiles inside the boundary) and the boundary."""
    inner = complete(x)
    ends = [float(inner.min()), float(inner.max())]
    if boundary is not None:
        ends = several_numbers(boundary, "Boundary.knots")
    if not (len(ends) == 2 and ends[0] < ends[1]):
        raise FormulaError(
            f"the boundary knots {_shown(ends)} must be two different, increasing values"
        )
    if knots is not None:
        given = sorted(several_numbers(knots, "knots"))
        if given and not ends[0] < given[0] <= given[-1] < ends[1]:
            raise FormulaError(
                f"the knots {_shown(given)} must lie between the boundary knots {_shown(ends)}"
            )
        return given, ends
    inside = inner if boundary is None else inner[(inner >= ends[0]) & (inner <= ends[1])]
    if n_inner and not len(inside):
        raise FormulaError(f"no value lies between the boundary knots {_shown(ends)}")
    share = np.linspace(0, 1, n_inner + 2)[1:-1]
    return [float(knot) for knot in np.quantile(inside, share)] if n_inner else [], ends


def _shown(values: list[float]) -> str:
    return listed(f"{value:g}" for value in values)


def warn_beyond(text: str, state: State, x: np.ndarray) -> None:
    """A warning for rows outside of the boundary knots of a B-spline, as R gives."""
    low, high = state["boundary"]
    outside = (x < low) | (x > high)
    if outside.any():
        warn(
            f"{quoted(text)} in the formula: there are values beyond its boundary knots {low:g} "
            f"and {high:g} in {rows_text(outside)}; the curve of the last piece goes on there and "
            "soon runs far, ns(...) would go on as a straight line",
            JaxglmWarning,
        )


def _design(knots: np.ndarray, x: np.ndarray, degree: int, derivative: int = 0) -> np.ndarray:
    """All B-splines on the full knot sequence at x; the end pieces are extended beyond it."""
    from scipy.interpolate import BSpline

    basis = BSpline(knots, np.eye(len(knots) - degree - 1), degree, extrapolate=True)
    return basis(x, nu=derivative)


def _all_knots(state: State) -> np.ndarray:
    low, high = state["boundary"]
    repeat = state["degree"] + 1
    return np.array([low] * repeat + state["knots"] + [high] * repeat)


def _fit_bs(
    x: np.ndarray,
    df: Any = None,
    knots: Any = None,
    degree: Any = 3,
    intercept: Any = False,
    boundary_knots: Any = None,
) -> State:
    """B-splines: df - degree inner knots (one less with the intercept column) as R's bs."""
    degree = whole(degree, "degree", 1)
    intercept = flag(intercept, "intercept")
    least = degree + intercept
    n_inner = 0 if df is None else whole(df, "df", least) - least
    inner, ends = _knots(x, n_inner, knots, boundary_knots)
    return {"knots": inner, "boundary": ends, "degree": degree, "intercept": intercept}


def _apply_bs(state: State, x: np.ndarray) -> np.ndarray:
    basis = _design(_all_knots(state), x, state["degree"])
    return basis if state["intercept"] else basis[:, 1:]


def _fit_ns(
    x: np.ndarray,
    df: Any = None,
    knots: Any = None,
    intercept: Any = False,
    boundary_knots: Any = None,
) -> State:
    """Natural cubic splines: B-splines whose second derivative is 0 at both boundary knots.

    The columns are the cubic basis times the last columns of the Q in the QR factorisation of
    the two constraints, as R's ns; Q is part of the state, so new data get the same columns.
    """
    intercept = flag(intercept, "intercept")
    least = 1 + intercept
    n_inner = 0 if df is None else whole(df, "df", least) - least
    inner, ends = _knots(x, n_inner, knots, boundary_knots)
    state: State = {"knots": inner, "boundary": ends, "degree": 3, "intercept": intercept}
    curvature = _design(_all_knots(state), np.array(ends), 3, derivative=2)
    curvature = curvature if intercept else curvature[:, 1:]
    q, _ = np.linalg.qr(curvature.T, mode="complete")
    return state | {"free": q[:, 2:].tolist()}


def _apply_ns(state: State, x: np.ndarray) -> np.ndarray:
    basis = _straight_beyond(_all_knots(state), state["boundary"], x)
    basis = basis if state["intercept"] else basis[:, 1:]
    return basis @ np.array(state["free"])


def _straight_beyond(knots: np.ndarray, boundary: list[float], x: np.ndarray) -> np.ndarray:
    """Cubic B-splines inside of the boundary, and straight lines outside."""
    low, high = boundary
    basis = _design(knots, np.clip(x, low, high), 3)
    for end, beyond in ((low, x < low), (high, x > high)):
        if beyond.any():
            slope = _design(knots, np.array([end]), 3, derivative=1)
            basis[beyond] += (x[beyond] - end)[:, None] * slope
    return basis


def _fit_s(x: np.ndarray, k: Any = 10) -> State:
    """K cubic B-splines on even knots, as mgcv's "ps" has them (Eilers and Marx 1996).

    They lose the direction in which the curve would be a constant, so that it adds up to zero over
    the rows. The columns that are left, in orthonormal coordinates, are those in which the squared
    second differences of the spline coefficients are a sum of squares: the last is a straight line.
    """
    k = whole(k, "k", 4)
    inner = complete(x)
    values = len(np.unique(inner))
    if values < k:
        raise FormulaError(
            f"the column has {values} different values, and a curve of k={k} needs as many: give "
            "a smaller k" + ("" if values > 3 else ", or take the column as it is")
        )
    low, high = float(inner.min()), float(inner.max())
    margin = 1e-3 * (high - low)
    ends = [low - margin, high + margin]
    away = _even_splines(ends, k, inner).mean(axis=0)
    away[0] += np.copysign(np.linalg.norm(away), away[0])
    # The reflection of Householder that takes the averages to the first axis, without that axis.
    free = (np.eye(k) - 2 * np.outer(away, away) / (away @ away))[:, 1:]
    steps = np.diff(free, n=2, axis=0)
    _, turned = np.linalg.eigh(steps.T @ steps)
    return {"boundary": ends, "free": (free @ turned[:, ::-1]).tolist()}


def _even_splines(ends: list[float], k: int, x: np.ndarray) -> np.ndarray:
    low, high = ends
    step = (high - low) / (k - 3)
    return _straight_beyond(low + step * np.arange(-3, k + 1), ends, x)


def _apply_s(state: State, x: np.ndarray) -> np.ndarray:
    free = np.array(state["free"])
    return _even_splines(state["boundary"], len(free), x) @ free


SPLINES = {
    "bs": Transform(_fit_bs, _apply_bs),
    "ns": Transform(_fit_ns, _apply_ns),
    "s": Transform(_fit_s, _apply_s),
}
