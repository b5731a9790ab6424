"""Owns profile likelihood: the deviance as a function of one coefficient, and intervals from it.

At each value the column's contribution is held as an offset and the other coefficients are fitted,
from where the covariance says that they go. An end of an interval is where the signed root of what
the deviance rises by, over the dispersion, reaches its quantile: it is nearly straight in the
coefficient, so inverse interpolation inside a bracket finds that in a few fits. All ends take their
next value together, where many fits in one program are faster than one after the other.
"""

import dataclasses
import functools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from jaxglm._jax import computing
from jaxglm._status import ConvergenceWarning, Status
from jaxglm.inference._wald import critical_value
from jaxglm.inference.comparisons._curve import REACH, is_open, place_of, values_about
from jaxglm.inference.comparisons._deviance import Dispersion
from jaxglm.inference.comparisons._likelihood import warn_beside_robust
from jaxglm.inference.comparisons._roots import find_roots
from jaxglm.inference.comparisons._submodels import Submodels, refitted
from jaxglm.intake import MAX_MEMORY, Columns, Model
from jaxglm.lanes import HeldModels
from jaxglm.rows import Problem
from jaxglm.search import Fit
from jaxglm.sources import Block
from jaxglm.words import warn

# A deviance below that of the fit by this share is that of another optimum, and no rounding.
_BETTER = 1e-7
# The curve towards an infinite estimate ends where its signed root is this small.
_FLAT = 0.05
# Fewer ends than these take a tenth of a second one after the other, and no program for them all.
_LEAST_TOGETHER = 16


def profile_intervals(fit: Fit, model: Model, alpha: float) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper ends [p] of the profile likelihood intervals of all coefficients."""
    quantile = _quantile(fit, alpha)
    fits = Submodels.of(fit, model, "conf_int(method='profile')")
    warn_beside_robust(fit)
    each = [j for j in range(fit.coef.size) if not is_open(fit, j)]
    together = _Together.of(fit, fits, 2 * len(each))
    profiles = (_Profile(fit, model, fits, j) for j in each)
    intervals = [[*profiles]] if together is not None else ([profile] for profile in profiles)
    ends = np.full((fit.coef.size, 2), np.nan)
    for some in intervals:
        ends[[profile.j for profile in some]] = _intervals(some, quantile, together)
    return ends[:, 0], ends[:, 1]


def profile_curve(fit: Fit, model: Model, name: Any, n: int) -> pd.DataFrame:
    """The profile of one coefficient at `n` values; see `Results.profile`."""
    j = place_of(fit, model, name, n)
    quantile = _quantile(fit, REACH)
    profile = _Profile(fit, model, Submodels.of(fit, model, "profile()"), j)
    warn_beside_robust(fit)
    low, high = _intervals([profile], quantile)[0]
    centre, reach = profile.centre, 3 * quantile * profile.step
    if profile.runs:  # the estimate is at infinity, where the curve becomes flat
        flat = _intervals([profile], _FLAT)[0]
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
    j : int
        The coefficient's place.
    others : [p] bool
        Coefficients that are fitted.
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
        self.fit, self.fits, self.j, self.phi = fit, fits, j, Dispersion.of(fit).value
        self.deviance = fits.fit(np.ones(fit.coef.size, bool)).deviance
        self.centre = float(fit.coef[j])
        self.runs = float(np.sign(fit.covariance.recession[j]))
        self.others = ~fit.aliased  # a column that was left out must not step in for this one
        self.others[j] = False
        unit = np.eye(fit.coef.size)[j]
        along = fit.covariance.expected.root.times(unit)
        moves = not self.runs and along[j] > 0
        self._slope = along / along[j] if moves else np.zeros(unit.size)
        if not self.runs and np.isfinite(along[j]):
            self.step = math.sqrt(along[j] * (1.0 if np.isnan(self.phi) else self.phi))
        else:
            self.step = 1.0 / np.abs(self._column).max()
        low, high = model.family.link.domain(model.family.mean_domain)
        self.bounded = math.isfinite(low) or math.isfinite(high)
        self._known: dict[float, float] = {self.centre: 0.0}

    @functools.cached_property
    def _column(self) -> np.ndarray:
        problem = self.fits.problem
        with computing():
            return Columns(problem.design, problem.order, len(problem.rows)).matvec(
                np.eye(self.fit.coef.size)[self.j]
            )

    @functools.cached_property
    def _problem(self) -> Problem:
        return self.columns()

    def zeta(self, value: float) -> float:
        """The signed root at a value; infinite where no model has it, or none was found."""
        if value not in self._known:
            self._known[value] = self.signed_root(value, self.deviance_at(value, self._problem))
        return self._known[value]

    def signed_root(self, value: float, deviance: float) -> float:
        """The signed root of the rise to the deviance of the model that has the value."""
        side = -self.runs if self.runs else math.copysign(1.0, value - self.centre)
        rise = deviance - self.deviance
        if rise < -_BETTER * (abs(self.deviance) + self.phi):
            warn(
                "A model of the profile has a smaller deviance than the fit, which is therefore no "
                "optimum: fit again from other coefficients, start=.",
                ConvergenceWarning,
            )
        return side * math.sqrt(max(rise, 0.0) / self.phi)

    def held_at(self, value: float) -> np.ndarray:
        """Coefficients [p] with this one at a value, the others where they should be near."""
        coef = np.nan_to_num(self.fit.coef + self._slope * (value - self.centre))
        coef[self.j] = value
        return coef

    def columns(self) -> Problem:
        """The columns of the coefficients that are fitted."""
        with computing():
            return self.fits.columns(self.others)

    def deviance_at(self, value: float, problem: Problem) -> float:
        """The deviance of the model of such columns that has a value; infinite where none is."""
        offset = self._column * value
        if problem.rows.offset is not None:
            offset = offset + problem.rows.offset
        block = Block(problem.design, dataclasses.replace(problem.rows, offset=offset))
        names = [name for name, kept in zip(self.fits.names, self.others, strict=True) if kept]
        start = self.held_at(value)[self.others] if self.others.any() else np.zeros(1)
        with computing():
            found = refitted(problem.with_block(block), self.fits.family, start, names)
        if not (found.status.usable or found.status is Status.SEPARATED):
            return math.inf
        return float(found.sums.deviance)


class _End(NamedTuple):
    """One end of the interval of a profile, at this side of the estimate."""

    profile: _Profile
    side: float

    def value(self, distance: float) -> float:
        return self.profile.centre + self.side * distance

    def known(self) -> float | None:
        """The end where that is known without a search."""
        if np.isnan(self.profile.phi) or self.profile.phi <= 0:
            return np.nan
        return math.copysign(math.inf, self.side) if self.side == self.profile.runs else None

    def first(self, quantile: float) -> float:
        """The distance at which a straight signed root reaches its quantile."""
        return self.profile.step * (1.0 if self.profile.runs else quantile)

    def at(self, distance: float, at_edge: bool) -> float:
        """The end that a search has found."""
        if at_edge and not self.profile.bounded:
            warn(
                "A limit of a profile interval is nan: the fit of the other coefficients does not "
                "converge near it.",
                ConvergenceWarning,
            )
            return np.nan
        return self.value(distance)


class _Together(NamedTuple):
    """Models of many profiles in one program."""

    models: HeldModels

    @classmethod
    def of(cls, fit: Fit, fits: Submodels, ends: int) -> "_Together | None":
        """For so many ends; None where they are better sought one by one.

        Models within one that is separated mostly are so too, which single fits tell.
        """
        if ends < _LEAST_TOGETHER or fit.covariance.recession.any():
            return None
        with computing():
            models = HeldModels.of(fits.problem, fits.family, ends, MAX_MEMORY)
        return None if models is None else cls(models)

    def signed_roots(self, profiles: Sequence[_Profile], values: Sequence[float]) -> list[float]:
        """The signed root of each profile at its value."""
        each = list(zip(profiles, values, strict=True))
        coef = np.stack([profile.held_at(value) for profile, value in each])
        fitted = np.stack([profile.others for profile in profiles])
        with computing():
            deviances = self.models.deviances(coef, fitted)
        roots = []
        for (profile, value), deviance in zip(each, deviances.tolist(), strict=True):
            if np.isnan(deviance):
                # These columns are not kept: there may be many such profiles.
                deviance = profile.deviance_at(value, profile.columns())
            roots.append(profile.signed_root(value, deviance))
        return roots


def _intervals(
    profiles: Sequence[_Profile], quantile: float, together: _Together | None = None
) -> np.ndarray:
    """Where the signed roots are -quantile and quantile, [k, 2]; infinite where they never are."""
    ends = [_End(profile, side) for profile in profiles for side in (-1.0, 1.0)]
    limits = [end.known() for end in ends]
    sought = [place for place, limit in enumerate(limits) if limit is None]

    def heights(places: Sequence[int], distances: Sequence[float]) -> list[float]:
        some = [ends[sought[place]] for place in places]
        values = [end.value(distance) for end, distance in zip(some, distances, strict=True)]
        of = [end.profile for end in some]
        if together is None:
            zeta = [profile.zeta(value) for profile, value in zip(of, values, strict=True)]
        else:
            zeta = together.signed_roots(of, values)
        return [end.side * root for end, root in zip(some, zeta, strict=True)]

    found = find_roots(heights, quantile, [ends[place].first(quantile) for place in sought])
    for place, (distance, at_edge) in zip(sought, found, strict=True):
        limits[place] = ends[place].at(distance, at_edge)
    return np.array(limits, float).reshape(-1, 2)
