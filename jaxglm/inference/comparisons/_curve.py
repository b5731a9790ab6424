"""Owns which values of a coefficient a profile is shown at."""

from typing import Any

import numpy as np

from jaxglm._status import DataError
from jaxglm.intake import Model
from jaxglm.search import Fit
from jaxglm.words import FloatArray, near_text

# A curve reaches to 99 % limits, as R's.
REACH = 0.01


def place_of(fit: Fit, model: Model, name: Any, n: int) -> int:
    """The position of a coefficient whose profile is asked for at `n` values.

    Raises
    ------
    DataError
        For a name of none, or one that nothing determines.
    ValueError
        For a number of values that is none.
    """
    if name not in model.names:
        raise DataError(f"no coefficient {name!r}; {near_text(str(name), model.names)}")
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 3:
        raise ValueError(f"n must be a number of values, 3 or more, not {n!r}")
    j = model.names.index(name)
    if is_open(fit, j):
        raise DataError(f"nothing determines the coefficient of {name!r}: it has no profile")
    return j


def is_open(fit: Fit, j: int) -> bool:
    """Whether nothing determines a coefficient."""
    return bool(fit.aliased[j] or fit.covariance.open[j])


def values_about(centre: float, low: float, high: float, n: int) -> FloatArray:
    """N values from `low` to `high`, the estimate among them."""
    below = np.linspace(low, centre, n - n // 2)
    return np.append(below, np.linspace(centre, high, n // 2 + 1)[1:])
