"""Owns profile likelihood: the deviance as a function of one coefficient, and intervals from it.

At each value the column's contribution is held as an offset and the other coefficients are fitted,
from where the covariance says that they go. An end of an interval is where the signed root of what
the deviance rises by, over the dispersion, reaches its quantile: it is nearly straight in the
coefficient, so inverse interpolation inside a bracket finds that in a few fits.
"""

import dataclasses
import math
from typing import Any

import numpy as np
import pandas as pd

from jaxglm._jax import computing
from jaxglm._status import ConvergenceWarning, Status
from jaxglm.inference._wald import critical_value
from jaxglm.inference.comparisons._curve import REACH, is_open, place_of, values_about
from jaxglm.inference.comparisons._deviance import Dispersion
from jaxglm.inference.comparisons._likelihood import warn_beside_robust
from jaxglm.inference.comparisons._roots import find_root
from jaxglm.inference.comparisons._submodels import Submodels, refitted
from jaxglm.intake import Columns, Model
from jaxglm.rows import Problem
from jaxglm.search import Fit
from jaxglm.sources import Block
from jaxglm.words import warn

# A deviance below that of the fit by this share is that of another optimum, and no rounding.
_BETTER = 1e-7
# The curve towards an infinite estimate ends where its signed root is this small.
_FLAT = 0.05


def profile_intervals(fit: Fit, model: Model, alpha: float) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper ends [p] of the profile likelihood intervals of all coefficients."""
    quantile = _quantile(fit, alpha)
    fits = Submodels.of(fit, model, "conf_int(method='profile')")
    warn_beside_robust(fit)
    ends = np.full((fit.coef.size, 2), np.nan)
    for j in range(fit.coef.size):
        if not is_open(fit, j):
            ends[j] = _Profile(fit, model, fits, j).interval(quantile)
    return ends[:, 0], ends[:, 1]


def profile_curve(fit: Fit, model: Model, name: Any, n: int) -> pd.DataFrame:
    """The profile of one coefficient at `n` values; see `Results.profile`."""
    j = place_of(fit, model, name, n)
    quantile = _quantile(fit, REACH)
    profile = _Profile(fit, model, Submodels.of(fit, model, "profile()"), j)
    warn_beside_robust(fit)
    low, high = profile.interval(quantile)
    centre, reach = profile.centre, 3 * quantile * profile.step
    if profile.runs:  # the estimate is at infinity, where the curve becomes flat
        flat = profile.interval(_FLAT)
        low, high = (low, flat[0]) if profile.runs > 0 else (flat[1], high)
        values = np.linspace(low, high, n)
    else:
        low = low if math.isfinite(low) else centre - reach
        high = high if math.isfinite(high) else centre + reach
        values = values_about(centre, low, high, n)
    zeta = np.array([profile.zeta(value) for value in values])
    deviance = profile.deviance + zeta**2 * profile.phi
    return pd.DataFrame({"value": values, "zeta": zeta, "deviance": deviance})


def _quantile(fit: Fit, alpha: float) -> float:
    """What the signed root reaches at an end: that of t where the dispersion is estimated."""
    return float(critical_value(alpha, Dispersion.of(fit).df))


class _Profile:
    """The models in which one coefficient is held at a value.

    Attributes
    ----------
    centre : float
        The estimate; where it is infinite, where the search stopped.
    step : float
        Its standard error, or what moves the linear predictor of some row by 1.
    runs : float
        The sign of the infinity to which the estimate runs; 0 for a finite one.
    phi, deviance : float
        The dispersion, and the deviance of the fit.
    """

    def __init__(self, fit: Fit, model: Model, fits: Submodels, j: int):
        self.fit, self.fits, self.phi = fit, fits, Dispersion.of(fit).value
        self.deviance = fits.fit(np.ones(fit.coef.size, bool)).deviance
        self.centre = float(fit.coef[j])
        self.runs = float(np.sign(fit.covariance.recession[j]))
        self.others = ~fit.aliased  # a column that was left out must not step in for this one
        self.others[j] = False
        unit = np.zeros(fit.coef.size)
        unit[j] = 1.0
        with computing():
            problem = fits.problem
            columns = Columns(problem.design, problem.order, len(problem.rows))
            self._column = columns.matvec(unit)
            self._problem = fits.columns(self.others)
        along = fit.covariance.expected.root.times(unit)
        moves = not self.runs and along[j] > 0
        self._slope = along / along[j] if moves else np.zeros(unit.size)
        largest = np.abs(self._column).max()
        self.step = 1.0 / largest
        if not self.runs and np.isfinite(along[j]):
            self.step = math.sqrt(along[j] * (1.0 if np.isnan(self.phi) else self.phi))
        low, high = model.family.link.domain(model.family.mean_domain)
        self._bounded = math.isfinite(low) or math.isfinite(high)
        self._known: dict[float, float] = {self.centre: 0.0}

    def interval(self, quantile: float) -> tuple[float, float]:
        """Where the signed root is -quantile and quantile; infinite where it never is."""
        if np.isnan(self.phi) or self.phi <= 0:
            return np.nan, np.nan
        ends = [
            math.copysign(math.inf, side) if side == self.runs else self._end(side, quantile)
            for side in (-1.0, 1.0)
        ]
        return ends[0], ends[1]

    def zeta(self, value: float) -> float:
        """The signed root at a value; infinite where no model has it, or none was found."""
        if value not in self._known:
            side = -self.runs if self.runs else math.copysign(1.0, value - self.centre)
            self._known[value] = side * self._root(value)
        return self._known[value]

    def _end(self, side: float, quantile: float) -> float:
        def height(distance: float) -> float:
            return side * self.zeta(self.centre + side * distance)

        first = self.step * (1.0 if self.runs else quantile)
        found, at_edge = find_root(height, quantile, first)
        if at_edge and not self._bounded:
            warn(
                "A limit of a profile interval is nan: the fit of the other coefficients does not "
                "converge near it.",
                ConvergenceWarning,
            )
            return np.nan
        return self.centre + side * found

    def _root(self, value: float) -> float:
        rows = self._problem.rows
        offset = self._column * value
        if rows.offset is not None:
            offset = offset + rows.offset
        start = (self.fit.coef + self._slope * (value - self.centre))[self.others]
        block = Block(self._problem.design, dataclasses.replace(rows, offset=offset))
        names = [name for name, kept in zip(self.fits.names, self.others, strict=True) if kept]
        with computing():
            problem: Problem = self._problem.with_block(block)
            first = start if start.size else np.zeros(1)
            found = refitted(problem, self.fits.family, np.nan_to_num(first), names)
        if not (found.status.usable or found.status is Status.SEPARATED):
            return math.inf
        rise = float(found.sums.deviance) - self.deviance
        if rise < -_BETTER * (abs(self.deviance) + self.phi):
            warn(
                "A model of the profile has a smaller deviance than the fit, which is therefore no "
                "optimum: fit again from other coefficients, start=.",
                ConvergenceWarning,
            )
        return math.sqrt(max(rise, 0.0) / self.phi)
