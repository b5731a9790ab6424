"""Owns the settings of a loop: where it starts and when it stops, from a few facts about the rows.

The formulas are those of NumPy for a fit on the host, and of JAX inside a lane of many fits: `xp`
says which.
"""

import dataclasses
from typing import Any, NamedTuple

import numpy as np

from jaxglm.families import Family
from jaxglm.rows import Problem
from jaxglm.solvers import Controls
from jaxglm.sources import Block
from jaxglm.sums import Middle, Point

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
    """What the settings need to know of the rows.

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


def facts_of(rows: Problem | Block, family: Family, has_constant: Any, xp: Any = np) -> Facts:
    """The facts of some rows; `has_constant` tells whether the null model has an intercept."""
    live, weight, y = rows.weight > 0, rows.weight, rows.y
    count = xp.sum(live)
    total = xp.sum(weight)
    average = xp.sum(weight * y) / xp.where(total > 0, total, 1.0)
    size = xp.sum(xp.where(live, xp.abs(y), 0.0)) / xp.maximum(count, 1)
    return Facts(
        nobs=count if rows.freq is None else xp.sum(xp.where(live, rows.freq, 0.0)),
        average=average,
        center=_interior(family, average, size, xp),
        shift=xp.where(has_constant, _null_shift(rows, family, xp), 0.0),
    )


def _interior(family: Family, average: Any, size: Any, xp: Any) -> Any:
    lower, upper = family.mean_domain
    if np.isfinite(lower) and np.isfinite(upper):
        return xp.clip(average, lower + 1e-3, upper - 1e-3)
    link = family.link
    least = max(lower, link.mean_range[0])
    inside = (least < average) & (average < link.mean_range[1]) & (average != link.pole)
    return xp.where(inside, average, xp.maximum(size, 1e-3))


def _null_shift(rows: Problem | Block, family: Family, xp: Any) -> Any:
    """The `shift` of `Middle` beside an intercept where it needs no fit; nan elsewhere."""
    offset, weight = rows.offset, rows.weight
    if offset is None or not (family.canonical and family.link.name == "log"):
        return xp.nan
    # The score of an intercept beside the offset is sum w (y - exp(offset + shift)).
    live = xp.where(weight > 0, offset, -xp.inf)
    largest = xp.max(live)
    expected = xp.sum(weight * xp.exp(live - largest))
    with np.errstate(divide="ignore"):
        return xp.log(xp.sum(weight * rows.y)) - xp.log(expected) - largest


def tolerance(options: Options, dtype: np.dtype) -> Any:
    """Distance to the optimum at which to stop, in standard errors."""
    # eps^(2/3): 4e-11 in float64, 2e-5 in float32.
    return float(np.finfo(dtype).eps) ** (2 / 3) if options.tol is None else options.tol


def smallest_pivot(dtype: np.dtype) -> float:
    """Under this squared share a Gram matrix has lost more than half its digits."""
    return float(np.finfo(dtype).eps) ** 0.45


@dataclasses.dataclass(frozen=True)
class Settings:
    """Makes what a compiled loop is called with; see `Controls`, `Point` and `Middle`.

    `n_columns` are those whose number is taken off the observations for the residual df.
    """

    family: Family
    options: Options
    dtype: np.dtype
    n_columns: Any
    facts: Facts
    xp: Any = np

    @property
    def tol(self) -> Any:
        """See `tolerance`."""
        return tolerance(self.options, self.dtype)

    @property
    def smallest_pivot(self) -> float:
        """See `smallest_pivot`."""
        return smallest_pivot(self.dtype)

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
        nobs = self.facts.nobs
        df = self.xp.maximum(share * nobs - self.n_columns, 1.0)
        estimated = not self.family.dispersion_fixed
        return Controls(
            tol=self._scalar(self.tol if tol is None else tol),
            max_turns=self._scalar(self.options.max_turns, np.int32),
            smallest_pivot=self._scalar(self.smallest_pivot if pivot is None else pivot),
            residual_df=self._scalar(df if estimated else 0.0),
            adaptive=self._scalar(not self.family.canonical, np.bool_),
            reach=self._scalar(reach),
            keep_within=self._scalar(_CHANGE_TO_KEEP * self.xp.sqrt(nobs)),
            final=self._scalar(final, np.bool_),
        )

    def point(self, gamma: np.ndarray, start: int, *, observed=False, barrier=0.0) -> Point:
        """Where a loop starts."""
        return Point(
            beta=self.xp.asarray(gamma, self.dtype),
            observed=self._scalar(observed, np.bool_),
            start=self._scalar(start, np.int32),
            center=self._scalar(self.facts.center),
            barrier=self._scalar(barrier),
        )

    @property
    def middle(self) -> Middle:
        """What the response lies about."""
        facts = self.facts
        return Middle(*map(self._scalar, (facts.average, facts.center, facts.shift)))

    def _scalar(self, value: Any, dtype: Any = None) -> Any:
        """A scalar in the dtype of the arithmetic."""
        return self.xp.asarray(value, self.dtype if dtype is None else dtype)[()]
