"""Owns the settings of a loop: where it starts and when it stops, from the totals of the rows.

The formulas are those of NumPy for a fit on the host, and of JAX inside a lane of many fits: `xp`
says which.
"""

import dataclasses
from typing import Any

import numpy as np

from jaxglm.families import Family
from jaxglm.penalties import Penalty
from jaxglm.solvers import Controls
from jaxglm.sums import NullModel, Point, Totals

# Where a loop starts; see `Point.start`.
AT_BETA, AT_INITIAL_MEANS, AT_COMMON_MEAN = 0, 1, 2
# A factor is kept while the information has changed by no more than about this.
_CHANGE_TO_KEEP = 3e-3


@dataclasses.dataclass(frozen=True)
class Options:
    """What the caller chose.

    Attributes
    ----------
    method : str or optax transformation
    start : [p] or None
        Coefficients in public column order.
    tol : float or None
        None follows the dtype.
    max_turns : int
    penalty : Penalty or None
        In public column order, beside the negative log-likelihood at dispersion 1.
    reduced : bool
        Whether the first-order bias is taken out of the estimates.
    reduce_separated : bool
        Of many fits: whether it is of those that are separated.
    """

    method: Any = "irls"
    start: np.ndarray | None = None
    tol: float | None = None
    max_turns: int = 100
    penalty: Penalty | None = None
    reduced: bool = False
    reduce_separated: bool = False


def tolerance(options: Options, dtype: np.dtype) -> Any:
    """Distance to the optimum at which to stop, in standard errors."""
    # eps^(2/3): 4e-11 in float64, 2e-5 in float32.
    return float(np.finfo(dtype).eps) ** (2 / 3) if options.tol is None else options.tol


def smallest_pivot(dtype: np.dtype) -> float:
    """Under this squared share a Gram matrix has lost more than half its digits."""
    return float(np.finfo(dtype).eps) ** 0.45


@dataclasses.dataclass(frozen=True)
class Settings:
    """Makes what a loop is called with; see `Controls` and `Point`.

    `n_columns` are those whose number is taken off the observations for the residual df; `of` are
    the totals of the rows; `reduced_at` is the dispersion at which the bias is taken out, None
    where it is not.
    """

    family: Family
    options: Options
    dtype: np.dtype
    n_columns: Any
    of: Totals
    null: NullModel
    xp: Any = np
    reduced_at: Any = None

    @property
    def tol(self) -> Any:
        """See `tolerance`."""
        return tolerance(self.options, self.dtype)

    @property
    def fixed_dispersion(self) -> Any:
        """See `Controls.fixed`."""
        if not self.family.dispersion_fixed and self.reduced_at is not None:
            return self.reduced_at
        average = self.of.weight / self.xp.maximum(self.of.rows, 1)
        return self.xp.minimum(1.0, average)

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
        """The controls of a loop over a share of the rows; `pivot` 0 damps instead of refusing.

        The information is not the derivative of a score without its bias: no step is foreseen to be
        the last one there, and the observed information is none for it either.
        """
        plain = self.reduced_at is None
        df = self.xp.maximum(share * self.of.nobs - self.n_columns, 1.0)
        estimated = not self.family.dispersion_fixed and plain
        return Controls(
            tol=self._scalar(self.tol if tol is None else tol),
            max_turns=self._scalar(self.options.max_turns, np.int32),
            smallest_pivot=self._scalar(self.smallest_pivot if pivot is None else pivot),
            residual_df=self._scalar(df if estimated else 0.0),
            fixed=self._scalar(self.fixed_dispersion),
            adaptive=self._scalar(plain and not self.family.canonical, np.bool_),
            reach=self._scalar(reach if plain else 0.0),
            keep_within=self._scalar(_CHANGE_TO_KEEP * self.xp.sqrt(self.of.nobs)),
            final=self._scalar(final, np.bool_),
        )

    def point(self, gamma: np.ndarray, start: int, *, observed=False, barrier=0.0) -> Point:
        """Where a loop starts."""
        return Point(
            beta=self.xp.asarray(gamma, self.dtype),
            observed=self._scalar(observed, np.bool_),
            start=self._scalar(start, np.int32),
            center=self._scalar(self.null.inside),
            barrier=self._scalar(barrier),
        )

    @property
    def null_model(self) -> NullModel:
        """What the response lies about, in the dtype of the arithmetic."""
        return NullModel(*map(self._scalar, self.null))

    def _scalar(self, value: Any, dtype: Any = None) -> Any:
        """A scalar in the dtype of the arithmetic."""
        return self.xp.asarray(value, self.dtype if dtype is None else dtype)[()]
