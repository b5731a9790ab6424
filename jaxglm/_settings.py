"""Owns the settings of a loop: where it starts and when it stops, from a few facts about the rows.

Imports families, `_problem`, `_final` and `_rowwise`, and solvers for their controls. The facts are
numbers for one fit, or arrays with one number for each segment; the formulas are the same.
"""

import dataclasses
from typing import Any, NamedTuple

import numpy as np

from jaxglm._final import Middle
from jaxglm._problem import Problem
from jaxglm._rowwise import Point
from jaxglm.families import Family
from jaxglm.solvers import Controls

# A factor is kept while the information has changed by no more than about this.
_CHANGE_TO_KEEP = 3e-3


@dataclasses.dataclass(frozen=True)
class Options:
    """What the caller chose. `tol` None follows the dtype; `start` is in public column order."""

    method: Any = "irls"
    start: np.ndarray | None = None
    tol: float | None = None
    max_turns: int = 100


class Facts(NamedTuple):
    """What the settings need to know of the rows; numbers, or arrays of one a segment.

    Attributes
    ----------
    nobs : float
        Observations.
    average : float
        Weighted mean of the response.
    center : float
        The same, moved inside the means that the family and the link allow.
    shift : float
        Of the null model; see `Middle`.
    """

    nobs: Any
    average: Any
    center: Any
    shift: Any


def facts_of(
    problem: Problem,
    family: Family,
    starts: np.ndarray | None = None,
    constant: np.ndarray | bool | None = None,
) -> Facts:
    """The facts of a problem, or with `starts` those of its segments.

    Parameters
    ----------
    problem : Problem
    family : Family
    starts : [G] int, optional
        The first row of each segment; none is empty.
    constant : bool or [G] bool, optional
        Whether the model has an intercept; by default what the problem says.
    """
    starts = np.zeros(1, int) if starts is None else starts

    def total(values: np.ndarray) -> np.ndarray:
        return np.add.reduceat(values, starts)

    live, weight, y = problem.live, problem.weight, problem.y
    freq = live.astype(float) if problem.freq is None else np.where(live, problem.freq, 0.0)
    counted = np.maximum(total(live.astype(float)), 1.0)
    weights = total(weight)
    average = total(weight * y) / np.where(weights > 0, weights, 1.0)
    size = total(np.where(live, np.abs(y), 0.0)) / counted
    center = _interior(family, average, size)
    has_constant = problem.constant is not None if constant is None else constant
    shift = np.where(has_constant, _null_shift(problem, family, starts), 0.0)
    return Facts(total(freq), average, center, shift)


def _interior(family: Family, average: np.ndarray, size: np.ndarray) -> np.ndarray:
    lower, upper = family.mean_domain
    if np.isfinite(lower) and np.isfinite(upper):
        return np.clip(average, lower + 1e-3, upper - 1e-3)
    link = family.link
    least = max(lower, link.mean_range[0])
    inside = (least < average) & (average < link.mean_range[1]) & (average != link.pole)
    return np.where(inside, average, np.maximum(size, 1e-3))


def _null_shift(problem: Problem, family: Family, starts: np.ndarray) -> np.ndarray:
    """The `shift` of `Middle` beside an intercept where it needs no fit; nan elsewhere."""
    offset, weight = problem.offset, problem.weight
    if offset is None or not (family.canonical and family.link.name == "log"):
        return np.full(starts.size, np.nan)
    # The score of an intercept beside the offset is sum w (y - exp(offset + shift)).
    rows = np.diff(np.append(starts, offset.size))
    live = np.where(problem.live, offset, -np.inf)
    largest = np.maximum.reduceat(live, starts)
    expected = np.add.reduceat(weight * np.exp(live - np.repeat(largest, rows)), starts)
    with np.errstate(divide="ignore"):
        return np.log(np.add.reduceat(weight * problem.y, starts)) - np.log(expected) - largest


@dataclasses.dataclass(frozen=True)
class Settings:
    """Makes what a compiled loop is called with; see `Controls`, `Point` and `Middle`.

    `n_columns` are those whose number is taken off the observations for the residual df.
    """

    family: Family
    options: Options
    dtype: np.dtype
    n_columns: int
    facts: Facts

    @property
    def eps(self) -> float:
        return float(np.finfo(self.dtype).eps)

    @property
    def tol(self) -> float:
        """Distance to the optimum at which to stop, in standard errors."""
        # eps^(2/3): 4e-11 in float64, 2e-5 in float32.
        return self.eps ** (2 / 3) if self.options.tol is None else self.options.tol

    @property
    def smallest_pivot(self) -> float:
        """Under this squared share a Gram matrix has lost more than half its digits."""
        return self.eps**0.45

    def controls(
        self,
        *,
        pivot: float | None = None,
        tol: float | None = None,
        reach: float = 0.0,
        share: float = 1.0,
        final: bool = True,
    ) -> Controls:
        """The controls of a loop over a share of the rows; `pivot` 0 damps instead of refusing."""
        nobs = np.asarray(self.facts.nobs)
        df = np.maximum(share * nobs - self.n_columns, 1.0)
        estimated = not self.family.dispersion_fixed
        return Controls(
            tol=self._each(self.tol if tol is None else tol),
            max_turns=self._each(self.options.max_turns, np.int32),
            smallest_pivot=self._each(self.smallest_pivot if pivot is None else pivot),
            residual_df=self._each(df if estimated else 0.0),
            adaptive=self._each(not self.family.canonical, np.bool_),
            reach=self._each(reach),
            keep_within=self._each(_CHANGE_TO_KEEP * np.sqrt(nobs)),
            final=self._each(final, np.bool_),
        )

    def point(self, gamma: np.ndarray, start: int, *, observed=False, barrier=0.0) -> Point:
        """Where a loop starts; `gamma` has a last axis of columns."""
        return Point(
            beta=np.asarray(gamma, self.dtype),
            observed=self._each(observed, np.bool_),
            start=self._each(start, np.int32),
            center=self._each(self.facts.center),
            barrier=self._each(barrier),
        )

    @property
    def middle(self) -> Middle:
        """What the response lies about."""
        facts = self.facts
        return Middle(*map(self._each, (facts.average, facts.center, facts.shift)))

    def _each(self, value: Any, dtype: Any = None) -> Any:
        """The value for each of the facts, in the dtype of the arithmetic."""
        out = np.broadcast_to(value, np.shape(self.facts.nobs)).astype(dtype or self.dtype)
        return out[()]
