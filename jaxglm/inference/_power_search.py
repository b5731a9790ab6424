"""Owns the profile likelihood of a Tweedie power: its points, its maximum, its fall to a level."""

import dataclasses
import math
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from jaxglm._jax import computing
from jaxglm._status import DataError, Status
from jaxglm.families import Tweedie
from jaxglm.inference._dispersion import likeliest_dispersion, slopes_at
from jaxglm.rows import Problem
from jaxglm.search import Estimate, Options, estimate
from jaxglm.sums import power_likelihood, power_slope

# Between these the density is that of a sum of gamma amounts. A maximum, or the end of an interval,
# is not told from them within a hundredth.
LOW, HIGH = 1.0, 2.0
_NEAR = 0.01
# Powers are found to this much.
_TOLERANCE = 1e-7
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
    start : [p]
        Coefficients to start from.
    """

    def __init__(self, problem: Problem, family: Tweedie, start: np.ndarray):
        self._problem, self._family, self._start = problem, family, start
        self._last: Estimate | None = None
        self._points: dict[float, Point] = {}
        self._gammas: dict[float, np.ndarray] = {}

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
        point = self.at(power)
        with computing():
            return self._reduced(power_slope, point.power, point.dispersion)

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
        family = self._with(power)
        start = self._start if self._last is None else np.nan_to_num(self._last.beta)
        found = estimate(self._problem, family, Options(start=start), like=self._last)
        deviance = float(found.sums.deviance)
        dispersion = llf = np.nan
        if found.has_means:
            self._last, self._gammas[power] = found, found.gamma
            slopes = slopes_at(found.source, family, found.gamma)
            average = np.asarray(deviance / float(found.totals.nobs))
            dispersion = float(likeliest_dispersion(family, average, slopes))
            llf = self._reduced(power_likelihood, power, dispersion)
        if not np.isfinite(llf):
            why = "no dispersion is the likeliest."
            if found.status is not Status.CONVERGED:
                why = found.status.message
            raise DataError(f"The model with power {power:.6g} has no likelihood: {why}")
        return Point(power, dispersion, deviance, llf)

    def _reduced(self, kernel: Callable[..., Any], power: float, dispersion: float) -> float:
        assert self._last is not None
        gamma, scale = self._gammas[power], np.float64(dispersion)
        return float(self._last.source.reduce(kernel, self._with(power), gamma, scale))

    def _with(self, power: float) -> Tweedie:
        return dataclasses.replace(self._family, power=np.float64(power))


def maximum(likelihood: PowerLikelihood) -> Point | None:
    """The point at which a profile likelihood is largest; None where it rises to 1 or to 2.

    The climb begins at the best point there is. It goes half of the way to the next point, or to
    the end, until the slope there has the other sign; then the slope has a root between.
    """
    from scipy.optimize import brentq

    while True:
        best = likelihood.best
        side = 1 if likelihood.slope(best.power) > 0 else -1
        beside = likelihood.beside(best.power, side)
        gap = abs(beside - best.power)
        if beside in (LOW, HIGH):
            if gap < _NEAR:
                return None
        elif likelihood.slope(beside) * side < 0:
            ends = sorted((best.power, beside))
            root = brentq(likelihood.slope, *ends, xtol=_TOLERANCE)
            return likelihood.at(root)
        elif gap < _CLOSE:
            return best
        likelihood.at((best.power + beside) / 2)


def fall(likelihood: PowerLikelihood, top: Point, loss: float, side: int) -> float:
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
