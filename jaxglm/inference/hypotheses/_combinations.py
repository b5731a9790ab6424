"""Owns linear combinations of coefficients: their estimates and errors, or why there is none.

A combination that touches coefficients without an estimate may have one itself: where columns
follow from each other in the rows of the fit, or coefficients run to infinity together, some
combinations are determined all the same, and these are answered.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jaxglm.algebra import Spread, run_off
from jaxglm.designs import from_matrix
from jaxglm.inference._determined import broken, undetermined, what_holds
from jaxglm.intake import Columns
from jaxglm.search import Fit
from jaxglm.words import FloatArray

INFINITE = (
    "it runs to infinity (separation), where Wald tests and intervals say nothing; compare the "
    "log-likelihoods (llf) of fits with and without it"
)
OPEN = "the rows of the fit that stay finite (separation) do not determine it"
NO_DISPERSION = (
    "the fit has no dispersion, for want of residual degrees of freedom or of residuals beyond "
    "rounding"
)
HELD = "the constraints of the fit hold it at a value, so that nothing of it is left to test"
NO_FIT = "the fit has no finite estimates and errors"
NEGATIVE = (
    "its variance is negative, which the covariance of clusterings of several ways can be; "
    "robust(..., correction='fixest') sets negative eigenvalues to 0"
)


# Of a combination that constraints hold at a value, what rounding leaves of its error.
_ROUNDING = 1e-10


@dataclass(frozen=True)
class Combinations:
    """m combinations of coefficients on the link scale.

    Attributes
    ----------
    estimate : [m]
        inf or -inf where a combination runs to it, nan where nothing determines it.
    spread : Spread
        Their covariance.
    reasons : tuple of m str
        Why there is no test of it; empty where there is one.
    """

    estimate: FloatArray
    spread: Spread
    reasons: tuple[str, ...]

    @property
    def standard_errors(self) -> FloatArray:
        """[m]; nan where there is a reason, but 0 for what constraints hold at a value."""
        told = np.array([reason in ("", HELD) for reason in self.reasons], bool)
        return np.where(told, self.spread.standard_errors, np.nan)


def combinations_of(
    fit: Fit, names: Sequence[str], matrix: FloatArray, *, strict: bool = False
) -> Combinations:
    """``matrix @ coefficients`` as the fit determines it.

    Parameters
    ----------
    fit : Fit
    names : sequence of str
    matrix : [m, p]
    strict : bool
        A combination must be the same whichever of several dependent columns was left out.
        Otherwise the coefficients that are there are those of the model without the others, as
        in a summary, and only what touches an aliased column is asked for more.
    """
    reasons = [""] * len(matrix)
    estimate = matrix @ np.where(fit.aliased, 0.0, fit.coef)

    def tell(rows: np.ndarray, reason: str) -> None:
        for i in np.flatnonzero(rows):
            reasons[i] = reasons[i] or reason

    columns = Columns(*from_matrix(matrix), len(matrix))
    if fit.aliased.any():
        unknown = undetermined_by(fit, matrix, strict=strict)
        estimate = np.where(unknown, np.nan, estimate)
        tell(unknown, why_undetermined(fit, names))
    if fit.infinite.any():
        direction = fit.covariance.recession
        along = matrix @ direction
        moves = broken(along, np.abs(matrix) @ np.abs(direction))
        estimate = run_off(estimate, np.where(moves, along, 0.0))
        tell(moves, INFINITE)
        left = fit.relations_at_limit.left(len(names))
        unknown = undetermined(columns, left, fit.relations_at_limit) & ~moves
        estimate = np.where(unknown, np.nan, estimate)
        tell(unknown, OPEN)
    if np.isnan(fit.covariance.scale):
        tell(np.ones(len(matrix), bool), NO_DISPERSION)
    spread = fit.covariance.spread(matrix)
    tell(np.isnan(estimate) | ~np.isfinite(spread.root).all(axis=1), fit.without_errors or NO_FIT)
    if is_constrained(fit):
        tell(_is_held(fit, matrix), HELD)
    tell(spread.negative, NEGATIVE)
    return Combinations(estimate, spread, tuple(reasons))


def undetermined_by(fit: Fit, matrix: FloatArray, *, strict: bool = False) -> np.ndarray:
    """Which combinations aliased columns leave undetermined, [m] bool; as `combinations_of`."""
    touched = (matrix[:, fit.aliased] != 0).any(axis=1)
    if fit.relations is None:
        return touched
    columns = Columns(*from_matrix(matrix), len(matrix))
    unknown = undetermined(columns, fit.aliased, fit.relations)
    return unknown if strict else unknown & touched


def is_constrained(fit: Fit) -> bool:
    """Whether constraints leave fewer coefficients free than there are."""
    return round(fit.nobs - fit.df_resid) < int(np.sum(~fit.aliased))


def _is_held(fit: Fit, matrix: FloatArray) -> np.ndarray:
    """Which combinations constraints leave no room to vary, [m] bool."""
    dense, diagonal = fit.covariance.expected.root
    sizes = np.hypot(np.linalg.norm(dense, axis=1), diagonal)
    varies = np.hypot(
        np.linalg.norm(matrix @ dense, axis=1), np.linalg.norm(matrix * diagonal, axis=1)
    )
    return varies <= _ROUNDING * (np.abs(matrix) @ sizes)


def why_undetermined(fit: Fit, names: Sequence[str]) -> str:
    """Why the fit does not determine a combination that touches an aliased column."""
    if fit.relations is None:
        return "it involves a column that was left out of the fit (aliased)"
    holds = what_holds(names, fit.aliased, fit.relations)
    return f"the rows of the fit do not determine it: in all of them {holds}"
