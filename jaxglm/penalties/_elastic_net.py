"""Owns the elastic net, and its two ends: the lasso and ridge regression."""

from typing import Any

import numpy as np

from jaxglm.penalties._asked import (
    AskedPenalty,
    PenalisedColumns,
    is_standardized,
    strength,
)
from jaxglm.words import is_from


class ElasticNet(AskedPenalty):
    """lam (l1_ratio |b|_1 + (1 - l1_ratio)/2 |b|_2^2), added to half of the mean deviance.

    Parameters
    ----------
    lam : float
        The strength, 0 or more, on the scale of the mean loss (glmnet's `lambda`).
    l1_ratio : float, between 0 and 1
        The share of the absolute values (glmnet's `alpha`): 1 is the lasso, 0 ridge regression.
    standardize : bool
        Penalise the coefficients of columns divided by their weighted standard deviation (divisor:
        the sum of the weights), as glmnet does. Coefficients are those of the columns as they are
        in any case.
    penalty_factor : array [p] or dict, optional
        Multiples of the penalty: one for each column, with or without the intercept, or by the name
        of a column or term, 1 for the others. 0 leaves a column free. They are taken as they are;
        glmnet first makes them add up to the number of columns.

    Raises
    ------
    ValueError
        For a negative strength, or a share that is not between 0 and 1.

    Notes
    -----
    The intercept, in a matrix its first constant column, is never penalised (Friedman, Hastie and
    Tibshirani 2010). Coefficients that the lasso leaves out are zero to the last bit.

    Examples
    --------
    >>> import jaxglm as jg
    >>> table = {"y": [1, 0, 2, 3, 5, 8], "x": [0.0, 1, 2, 3, 4, 5], "z": [1.0, 0, 1, 0, 1, 0]}
    >>> fit = jg.glm("y ~ x + z", table, "poisson", penalty=jg.ElasticNet(0.5, l1_ratio=0.5))
    >>> fit.params.round(4).to_dict()
    {'Intercept': -0.3471, 'x': 0.476, 'z': 0.0}
    """

    def __init__(
        self,
        lam: float,
        l1_ratio: float,
        *,
        standardize: bool = False,
        penalty_factor: Any = None,
    ):
        name = type(self).__name__
        self.lam = strength(f"{name}: lam", lam)
        if not is_from(l1_ratio, 0, 1):
            raise ValueError(
                f"{name}: l1_ratio must be a number from 0 (ridge) to 1 (lasso), not {l1_ratio!r}"
            )
        self.standardize = is_standardized(name, standardize)
        self.l1_ratio, self.penalty_factor = float(l1_ratio), penalty_factor

    def times(self, strength: float) -> "ElasticNet":
        return self._another(strength * self.lam, self.l1_ratio)

    def with_share(self, l1_ratio: float) -> "ElasticNet":
        """The same with another share of the absolute values."""
        return self._another(self.lam, l1_ratio)

    def _another(self, lam: float, l1_ratio: float) -> "ElasticNet":
        return ElasticNet(
            lam, l1_ratio, standardize=self.standardize, penalty_factor=self.penalty_factor
        )

    def quadratic(self, columns: PenalisedColumns) -> np.ndarray | None:
        factors, units = columns.factors(self.penalty_factor), columns.units(self.standardize)
        return self.lam * (1 - self.l1_ratio) * factors * units**2

    def thresholds(self, columns: PenalisedColumns) -> np.ndarray | None:
        factors, units = columns.factors(self.penalty_factor), columns.units(self.standardize)
        return self.lam * self.l1_ratio * factors * units

    def __repr__(self) -> str:
        parts = [f"{self.lam:g}"]
        if type(self) is ElasticNet:
            parts.append(f"l1_ratio={self.l1_ratio:g}")
        if self.standardize:
            parts.append("standardize=True")
        if self.penalty_factor is not None:
            parts.append("penalty_factor=...")
        return f"{type(self).__name__}({', '.join(parts)})"


class Ridge(ElasticNet):
    """lam/2 |b|_2^2, added to half of the mean deviance: an `ElasticNet` with a share of 0.

    Parameters
    ----------
    lam, standardize, penalty_factor
        As for `ElasticNet`.

    Examples
    --------
    >>> import jaxglm as jg
    >>> table = {"y": [1, 0, 2, 3, 5, 8], "x": [0.0, 1, 2, 3, 4, 5]}
    >>> fit = jg.glm("y ~ x", table, "poisson", penalty=jg.Ridge(0.1))
    >>> fit.params.round(4).to_dict()
    {'Intercept': -0.5427, 'x': 0.5278}
    """

    def __init__(self, lam: float, *, standardize: bool = False, penalty_factor: Any = None):
        super().__init__(lam, 0.0, standardize=standardize, penalty_factor=penalty_factor)


class Lasso(ElasticNet):
    """lam |b|_1, added to half of the mean deviance: an `ElasticNet` with a share of 1.

    Parameters
    ----------
    lam, standardize, penalty_factor
        As for `ElasticNet`.

    Examples
    --------
    >>> import jaxglm as jg
    >>> table = {"y": [1, 0, 2, 3, 5, 8], "x": [0.0, 1, 2, 3, 4, 5], "z": [1.0, 0, 1, 0, 1, 0]}
    >>> fit = jg.glm("y ~ x + z", table, "poisson", penalty=jg.Lasso(0.5))
    >>> fit.params.round(4).to_dict()
    {'Intercept': -0.2716, 'x': 0.4556, 'z': 0.0}
    """

    def __init__(self, lam: float, *, standardize: bool = False, penalty_factor: Any = None):
        super().__init__(lam, 1.0, standardize=standardize, penalty_factor=penalty_factor)
