"""Owns the profile likelihood of a Tweedie power: its points, its maximum, its fall to a level."""

import dataclasses
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxglm._jax import computing
from jaxglm._status import DataError, Status
from jaxglm.families import Tweedie
from jaxglm.inference.comparisons._submodels import refitted
from jaxglm.inference.covariances._dispersion import likeliest_dispersion, slopes_at
from jaxglm.rows import Problem
from jaxglm.sums import power_likelihood, power_slope

# Between these the density is that of a sum of gamma amounts. A maximum, or the end of an interval,
# is not told from them within a hundredth.
LOW, HIGH = 1.0, 2.0
_NEAR = 0.01
# Powers are found to this much. A smooth slope is then as much smaller than at the ends of the
# bracket as that is smaller than the bracket, or this many times as large.
_TOLERANCE, _SMOOTH = 1e-7, 100.0
# Where no slope changes its sign between a point and the next one up, nothing rises this near.
_CLOSE = 1e-6


class Point(NamedTuple):
    """The likelihood at a power, largest over coefficients and dispersion."""

    power: float
    dispersion: float
    deviance: float
    llf: float


class PowerLikelihood:
    """The profile likelihood of rows, with every point that was asked for.

    Parameters
    ----------
    problem : Problem
        The rows that have a part in it.
    family : Tweedie
        Of any power.
    names : sequence of str
        Of its columns, in public order.
    start : [p]
        Coefficients to start from.
    """

    def __init__(self, problem: Problem, family: Tweedie, names: Sequence[str], start: np.ndarray):
        self._problem, self._family, self._names, self._start = problem, family, names, start
        self._points: dict[float, Point] = {}
        self._betas: dict[float, np.ndarray] = {}
        self._slopes: dict[float, float] = {}

    def at(self, power: float) -> Point:
        """The point at a power between 1 and 2.

        Raises
        ------
        DataError
            Where there is no optimum.
        """
        power = float(power)
        if power not in self._points:
            with computing():
                self._points[power] = self._computed(power)
        return self._points[power]

    def slope(self, power: float) -> float:
        """The derivative at a power.

        Coefficients and dispersion are at their optimum: it is the derivative at fixed ones.
        """
        power = float(power)
        if power not in self._slopes:
            point = self.at(power)
            with computing():
                self._slopes[power] = self._reduced(power_slope, power, point.dispersion)
        return self._slopes[power]

    def points(self, powers: Iterable[float]) -> list[Point]:
        """Those at some powers, in their order."""
        return [self.at(power) for power in sorted(set(powers))]

    @property
    def best(self) -> Point:
        """The best so far."""
        return max(self._points.values(), key=lambda point: point.llf)

    def beside(self, power: float, side: int) -> float:
        """The next power on a side among those that were asked for; 1 or 2 where there is none."""
        others = [p for p in self._points if (p - power) * side > 0]
        return min(others, key=lambda p: abs(p - power), default=HIGH if side > 0 else LOW)

    def _computed(self, power: float) -> Point:
        family, start, ratio = self._with(power), self._start, None
        if self._points:
            # Near power 1 the likelihood may have several maxima in the dispersion. That of a power
            # nearby is in the reach of the best one, in units of the average deviance.
            near = min(self._points.values(), key=lambda point: abs(point.power - power))
            start, ratio = self._betas[near.power], near.dispersion / near.deviance
        found = refitted(self._problem, family, start, self._names)
        deviance = float(found.sums.deviance)
        dispersion = llf = np.nan
        if found.has_means:
            self._betas[power] = found.beta
            first = deviance * (1 / float(found.totals.nobs) if ratio is None else ratio)
            slopes = slopes_at(self._problem.source, family, self._in_design(power))
            dispersion = float(likeliest_dispersion(family, np.asarray(first), slopes))
            llf = self._reduced(power_likelihood, power, dispersion)
        if not np.isfinite(llf):
            why = "no dispersion is the likeliest."
            if found.status is not Status.CONVERGED:
                why = found.status.message
            raise DataError(f"The model with power {power:.6g} has no likelihood: {why}")
        return Point(power, dispersion, deviance, llf)

    def _reduced(self, kernel: Callable[..., Any], power: float, dispersion: float) -> float:
        at = self._with(power), self._in_design(power), np.float64(dispersion)
        return float(self._problem.source.reduce(kernel, *at))

    def _in_design(self, power: float) -> np.ndarray:
        """The coefficients at a power in design order; 0 for columns that have none."""
        return np.nan_to_num(self._betas[power])[self._problem.order]

    def _with(self, power: float) -> Tweedie:
        return dataclasses.replace(self._family, power=np.float64(power))


def maximum(likelihood: PowerLikelihood) -> Point | None:
    """The point at which a profile likelihood is largest; None where it rises to 1 or to 2.

    The climb begins at the best point there is. It goes half of the way to the next point, or to
    the end, until the slope there has the other sign; then the slope has a root between. Or it
    jumps there, as it may near power 1, and there is no such point.
    """
    from scipy.optimize import brentq

    while True:
        best = likelihood.best
        slope = likelihood.slope(best.power)
        side = 1 if slope > 0 else -1
        beside = likelihood.beside(best.power, side)
        gap = abs(beside - best.power)
        if beside in (LOW, HIGH):
            if gap < _NEAR:
                return None
        elif likelihood.slope(beside) * side < 0:
            ends = sorted((best.power, beside))
            root = brentq(likelihood.slope, *ends, xtol=_TOLERANCE)
            steepest = max(abs(likelihood.slope(end)) for end in ends)
            jumps = abs(likelihood.slope(root)) > _SMOOTH * _TOLERANCE / gap * steepest
            return None if jumps else likelihood.at(root)
        elif gap < _CLOSE:
            return None
        likelihood.at((best.power + beside) / 2)


def interval_of(likelihood: PowerLikelihood, top: Point, alpha: float) -> tuple[float, float]:
    """The powers about the maximum whose likelihood is not significantly lower."""
    from scipy.special import chdtri

    loss = float(chdtri(1, alpha)) / 2
    return _fall(likelihood, top, loss, -1), _fall(likelihood, top, loss, 1)


def _fall(likelihood: PowerLikelihood, top: Point, loss: float, side: int) -> float:
    """The power on a side of the maximum at which so much is lost; 1 or 2 where it never is."""
    from scipy.optimize import brentq

    def excess(power: float) -> float:
        # The root of what is lost is nearly linear in the power.
        lost = top.llf - likelihood.at(power).llf
        return math.sqrt(max(lost, 0.0)) - math.sqrt(loss)

    inner = top.power
    while True:
        outer = likelihood.beside(inner, side)
        if outer in (LOW, HIGH):
            if abs(outer - inner) < _NEAR:
                return outer
            outer = (inner + outer) / 2
        if excess(outer) > 0:
            return brentq(excess, *sorted((inner, outer)), xtol=_TOLERANCE)
        inner = outer
