"""Owns the averages of effects over lines, and their derivatives by the coefficients.

An effect on a line with linear predictor eta and columns x is, on a scale g, a slope
``g'(eta) d``, where d is the derivative of eta along the variable, or a step
``g(eta_high) - g(eta_low)``. By the coefficients they have the derivatives
``g''(eta) d x + g'(eta) dx`` and ``g'(eta_high) x_high - g'(eta_low) x_low``.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxglm.algebra import movement, run_off
from jaxglm.diagnostics import LINEAR, Scale
from jaxglm.inference._determined import broken
from jaxglm.inference.margins._changes import Change, Key, Slope, keys_of
from jaxglm.inference.margins._lines import Lines
from jaxglm.search import Fit
from jaxglm.words import FloatArray

# Slopes and levels whose weights meet the columns in one product.
_TOGETHER = 32


class Averages(NamedTuple):
    """Averages of k changes.

    Attributes
    ----------
    values : [k]
    jacobian : [k, p]
    unknown : [k] bool
        The rows of the fit do not determine it, and it is nan.
    separated : [k] bool
        The variable takes part in separation: there is no standard error, and a slope is nan.
    limit_share : [k]
        Share of the observations whose mean is at its limit.
    """

    values: FloatArray
    jacobian: FloatArray
    unknown: np.ndarray
    separated: np.ndarray
    limit_share: FloatArray


@dataclasses.dataclass
class _Sum:
    """A sum over lines, with its derivative [p] by the coefficients."""

    jacobian: FloatArray
    value: float = 0.0


class _Here(NamedTuple):
    """Lines as they are: linear predictor, how far it runs to infinity, and g' and g'' there."""

    eta: FloatArray
    moves: FloatArray | None
    slope: FloatArray
    curvature: FloatArray


class Averager:
    """Adds up the effects of changes over lines.

    Parameters
    ----------
    fit : Fit
    family : Family
    scale : Scale
    changes : sequence of Slope and Step
    """

    def __init__(self, fit: Fit, family: Any, scale: Scale, changes: Sequence[Change]):
        self._fit, self._family, self._scale, self._changes = fit, family, scale, changes
        self._coef = np.where(fit.aliased, 0.0, fit.coef)
        self._recession = fit.covariance.recession if fit.infinite.any() else None
        self._sums = {key: _Sum(np.zeros(self._coef.size)) for key in keys_of(changes)}
        self._moved = np.zeros(len(changes), bool)
        self._count = self._gone = 0.0

    def add(self, lines: Lines) -> None:
        """Add the effects on some lines."""
        self._count += float(lines.count.sum())
        eta, moves = lines.matrix @ self._coef + lines.offset, self._moves(lines.matrix)
        if moves is not None and self._scale is not LINEAR:
            self._gone += float(lines.count @ (movement(moves) != 0))
        here = _Here(
            eta,
            moves,
            self._held(self._scale.slope(self._family, eta), eta, moves),
            self._held(self._scale.curvature(self._family, eta), eta, moves),
        )
        far: dict[Key, FloatArray] = {}
        keys = list(self._sums)
        for first in range(0, len(keys), _TOGETHER):
            some = keys[first : first + _TOGETHER]
            weights = np.stack([self._add_one(key, lines, here, far) for key in some])
            for key, product in zip(some, weights @ lines.matrix, strict=True):
                self._sums[key].jacobian += product
        if far:
            self._note_moves(far)

    def _add_one(
        self, key: Key, lines: Lines, here: _Here, far: dict[Key, FloatArray]
    ) -> FloatArray:
        """Add the slope or level of a key; what is left to add is these weights [m] times rows.

        Where there is separation, `far` is told how far lines run to infinity with the change.
        """
        total, delta = self._sums[key], lines.delta(key)
        if self._recession is not None:
            far[key] = delta.times(self._recession)
        if isinstance(key, Slope):
            along = delta.eta(self._coef)
            size = lines.count * (lines.size(key) if key.proportional else 1.0)
            total.value += float(size * here.slope @ along)
            delta.add_against(size * here.slope, total.jacobian)
            return size * here.curvature * along
        eta = here.eta + delta.eta(self._coef)
        moves = None if here.moves is None else here.moves + far[key]
        total.value += float(lines.count @ self._level(eta, moves))
        weight = lines.count * self._held(self._scale.slope(self._family, eta), eta, moves)
        delta.add_against(weight, total.jacobian)
        return weight

    def averages(self) -> Averages:
        """The averages over all lines added."""
        k = len(self._changes)
        values, jacobian, unknown = np.zeros(k), np.zeros((k, self._coef.size)), np.zeros(k, bool)
        slopes = np.array([isinstance(change, Slope) for change in self._changes], bool)
        for i, change in enumerate(self._changes):
            for share, key in ((1.0, change),) if isinstance(change, Slope) else change.ends:
                total = self._sums[key]
                values[i] += share / self._count * total.value
                jacobian[i] += share / self._count * total.jacobian
                unknown[i] |= self._is_unknown(total.jacobian)
        separated = self._moved
        if self._recession is not None and self._scale is LINEAR:
            along = movement(jacobian @ self._recession)
            values, separated = run_off(values, along), along != 0
        else:
            values[separated & slopes] = np.nan
        values[unknown] = np.nan
        return Averages(values, jacobian, unknown, separated, np.full(k, self._gone / self._count))

    # -- inside ----------------------------------------------------------------------------------

    def _moves(self, matrix: Any) -> FloatArray | None:
        """How far lines run to infinity, [m]; None where no coefficient does."""
        return None if self._recession is None else matrix @ self._recession

    def _level(self, eta: FloatArray, moves: FloatArray | None) -> FloatArray:
        """g(eta), at its limit where eta runs to infinity."""
        if moves is not None and self._scale is not LINEAR:
            eta = run_off(eta, movement(moves))
        return self._scale.value(self._family, eta)

    def _held(self, rate: FloatArray, eta: FloatArray, moves: FloatArray | None) -> FloatArray:
        """Derivatives of g at eta; where eta runs to infinity 0, or nan if g does so too."""
        if moves is None or self._scale is LINEAR:
            return rate
        gone = movement(moves) != 0
        ends = np.isfinite(self._level(eta, moves))
        return np.where(gone, np.where(ends, 0.0, np.nan), rate)

    def _note_moves(self, far: dict[Key, FloatArray]) -> None:
        """Remember the changes along which a line runs to infinity; `far` is how far with each."""
        for i, change in enumerate(self._changes):
            if isinstance(change, Slope):
                moves = far[change] * change.spread
            else:
                moves = far[change.high] - far[change.low]
            self._moved[i] |= bool(movement(moves).any())

    def _is_unknown(self, jacobian: FloatArray) -> bool:
        """Whether a sum depends on what the rows of the fit leave open."""
        fit, p = self._fit, self._coef.size
        zero = fit.aliased.copy()
        known = [fit.relations_at_limit]
        if fit.relations is not None:
            known.append(fit.relations)
            zero[fit.relations.aliased] = False
            if (jacobian[zero] != 0).any():
                return True
        return any(_depends(jacobian, relations.directions(p)) for relations in known)


def _depends(jacobian: FloatArray, directions: FloatArray) -> bool:
    """Whether a function with this Jacobian [p] changes along any of [r, p] directions."""
    return bool(broken(directions @ jacobian, np.abs(directions) @ np.abs(jacobian)).any())
