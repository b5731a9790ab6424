"""Owns what a likelihood penalised by Jeffreys' prior says of coefficients, one by one.

Under a canonical link with a known dispersion, bias-reduced estimates maximise
``l(b) + log |I(b)| / 2`` (Firth 1993). Tests and intervals by this likelihood (Heinze and Schemper
2002, Statistics in Medicine 21, 2409-2419) hold where Wald's fail, as under separation.
"""

import dataclasses
import functools
from typing import Any, NamedTuple

import jax
import numpy as np
import pandas as pd

from jaxglm._jax import computing
from jaxglm._programs import program
from jaxglm.algebra import full_matrix
from jaxglm.families import Family
from jaxglm.inference._wald import check_alpha
from jaxglm.inference.comparisons._curve import REACH, place_of, values_about
from jaxglm.inference.comparisons._likelihood import warn_beside_robust
from jaxglm.inference.covariances._dispersion import scale_choice
from jaxglm.intake import Dataset, Model
from jaxglm.search import REDUCED, Fit
from jaxglm.sources import Resident, Tiles, is_small
from jaxglm.sums import Point, bias_score, full_moments, inverted

_MOST_STEPS, _MOST_HALVINGS = 200, 40
# Of a log-likelihood, which errs by the square of this distance in standard errors.
_NEAR = 1e-7


def has_penalised_likelihood(fit: Fit, family: Family) -> bool:
    """Whether the estimates of a fit maximise a likelihood with Jeffreys' prior."""
    known = family.dispersion_fixed and scale_choice(fit) is None
    return fit.method == REDUCED and family.canonical and known


def penalised_likelihood(fit: Fit) -> float:
    """The log-likelihood, and half the log determinant of the information at dispersion 1."""
    covariance = fit.covariance.expected
    dense, diagonal = covariance.root
    levels = diagonal > 0
    lengths = np.linalg.svd(dense[~covariance.aliased & ~levels], compute_uv=False)
    return float(fit.log_likelihood - np.log(lengths).sum() - np.log(diagonal[levels]).sum())


def penalised_tests(fit: Fit, family: Family, held: Dataset, alpha: float) -> dict[str, np.ndarray]:
    """For each coefficient the likelihood ratio against 0, and the interval of level 1 - alpha.

    The others are at their best for each value of it; nan where aliased.

    Returns
    -------
    dict of [p]
        `statistic`, `p_value`, `conf_low`, `conf_high`.
    """
    check_alpha(alpha)
    warn_beside_robust(fit)
    from scipy import special

    names = ("statistic", "p_value", "conf_low", "conf_high")
    out = {name: np.full(fit.coef.size, np.nan) for name in names}
    limit = float(special.chdtri(1, alpha))
    errors = fit.covariance.expected.standard_errors
    with computing():
        profile = _Profile.of(fit, family, held)
        for j in np.flatnonzero(~fit.aliased).tolist():
            at = profile.places[j]
            ratio = profile.ratio(at, 0.0)
            out["statistic"][j] = ratio
            out["p_value"][j] = special.chdtrc(1, ratio)
            out["conf_low"][j] = profile.end(at, -errors[j], limit)
            out["conf_high"][j] = profile.end(at, errors[j], limit)
    return out


def penalised_curve(fit: Fit, model: Model, name: Any, n: int) -> pd.DataFrame:
    """The profile of one coefficient at `n` values; see `Results.profile`."""
    from scipy import special

    j, held = place_of(fit, model, name, n), model.held("profile()")
    step = fit.covariance.expected.standard_errors[j]
    limit = float(special.chdtri(1, REACH))
    with computing():
        profile = _Profile.of(fit, model.family, held)
        at = profile.places[j]
        centre = float(profile.best[at])
        low, high = (profile.end(at, side * step, limit) for side in (-1, 1))
        value = values_about(centre, low, high, n)
        ratio = np.array([profile.ratio(at, own) if own != centre else 0.0 for own in value])
    zeta = np.sign(value - centre) * np.sqrt(np.maximum(ratio, 0.0))
    highest = penalised_likelihood(fit)
    return pd.DataFrame({"value": value, "zeta": zeta, "penalized_llf": highest - ratio / 2})


class _Sums(NamedTuple):
    """The penalised log-likelihood up to a constant, its gradient, and the information."""

    level: Any
    score: Any
    information: Any


@dataclasses.dataclass(frozen=True)
class _Profile:
    """The penalised likelihood of the rows of a fit, and its maximum.

    Attributes
    ----------
    source : Resident
        Without the aliased columns.
    family : Family
    best : [k]
        Where the maximum is, in design order.
    places : dict of int
        Where each public column stands in `best`.
    """

    source: Resident
    family: Family
    best: np.ndarray
    places: dict[int, int]

    @classmethod
    def of(cls, fit: Fit, family: Family, held: Dataset) -> "_Profile":
        """That of a fit, whose rows are held."""
        kept = ~fit.aliased[held.order]
        source = Resident(held.block, np.dtype(np.float64))
        if not kept.all():
            source = source.with_design(lambda block: block.design.take_columns(kept))
        order = held.order[kept]
        places = {int(column): place for place, column in enumerate(order)}
        return cls(source, family, fit.coef[order], places)

    @functools.cached_property
    def _highest(self) -> _Sums:
        return self._sums(self.best)

    def ratio(self, at: int, value: float) -> float:
        """Twice what the log-likelihood loses where a coefficient has a value."""
        return float(2.0 * (self._highest.level - self._held_at(at, value)))

    def end(self, at: int, step: float, limit: float) -> float:
        """Where the likelihood ratio reaches a limit, on the side to which `step` goes."""
        from scipy.optimize import brentq

        def over(value: float) -> float:
            return self.ratio(at, value) - limit

        inner, outer = self.best[at], self.best[at] + 2.0 * step
        while over(outer) < 0:
            inner, outer = outer, outer + 2.0 * (outer - self.best[at])
        return float(brentq(over, inner, outer, xtol=1e-9 * abs(step), rtol=1e-12))

    def _held_at(self, at: int, value: float) -> float:
        """The highest log-likelihood where a coefficient is held at a value."""
        free = np.arange(self.best.size) != at
        # The others move as they do where the likelihood is normal.
        among, beside = (self._highest.information[free][:, some] for some in (free, at))
        beta = np.where(free, self.best, value)
        beta[free] -= np.linalg.solve(among, beside) * (value - self.best[at])
        here = self._sums(beta)
        for _ in range(_MOST_STEPS):
            step = np.zeros_like(beta)
            step[free] = np.linalg.solve(here.information[np.ix_(free, free)], here.score[free])
            if not here.score @ step > _NEAR**2:
                break
            for _ in range(_MOST_HALVINGS):
                there = self._sums(beta + step)
                if there.level >= here.level:
                    break
                step /= 2
            else:
                break
            beta, here = beta + step, there
        return here.level

    def _sums(self, beta: np.ndarray) -> _Sums:
        at = Point(beta, np.bool_(False), np.int32(0), np.float64(0.5), np.float64(0.0))
        return jax.device_get(_penalised_sums(self.source.tiles, self.family, at))


@program(quick=is_small)
def _penalised_sums(tiles: Tiles, family: Family, at: Point) -> _Sums:
    sums = tiles.reduce(full_moments, family, at)
    inverse = inverted(sums.info)
    bias = tiles.reduce(bias_score, family, at, inverse.root, 1.0)
    level = 0.5 * inverse.log_determinant - sums.loss
    return _Sums(level, bias - sums.score, full_matrix(sums.info))
