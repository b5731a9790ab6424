"""Owns bounds on single coefficients."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxglm._status import DataError
from jaxglm.penalties._asked import AskedPenalty, PenalisedColumns
from jaxglm.words import listed


class Bounds(AskedPenalty):
    """Least and greatest values of coefficients, on the link scale: a penalty of infinity beyond.

    The result says which coefficients are at a bound. These are taken as known, and standard errors
    of the others are those of the model in which they are.

    Parameters
    ----------
    lower, upper : number, dict or array, optional
        A number is for all coefficients but the intercept; a dict has them by the name of a column
        or term; an array has one for each column.

    Raises
    ------
    ValueError
        Where neither is given.

    Examples
    --------
    >>> import jaxglm as jg
    >>> table = {"y": [1, 0, 2, 3, 5, 8], "x": [0.0, 1, 2, 3, 4, 5], "z": [1.0, 0, 1, 0, 1, 0]}
    >>> fit = jg.glm("y ~ x + z", table, "poisson", penalty=jg.Bounds(upper={"z": 0}))
    >>> fit.params.round(4).to_dict()
    {'Intercept': -0.5774, 'x': 0.5368, 'z': 0.0}
    >>> fit.notes[0][:16]
    "At a bound: 'z'."
    """

    def __init__(self, lower: Any = None, upper: Any = None):
        if lower is None and upper is None:
            raise ValueError("Bounds: give lower=, upper= or both")
        self.lower, self.upper = lower, upper

    def bounds(self, columns: PenalisedColumns) -> tuple[np.ndarray, np.ndarray]:
        return (
            _values("lower", self.lower, columns, -np.inf),
            _values("upper", self.upper, columns, np.inf),
        )

    def __repr__(self) -> str:
        given = {"lower": self.lower, "upper": self.upper}
        parts = [f"{name}={value!r}" for name, value in given.items() if value is not None]
        return f"Bounds({', '.join(parts)})"


def _values(called: str, given: Any, columns: PenalisedColumns, none: float) -> np.ndarray:
    """A bound [p] of each column; infinite for none."""
    out = np.full(len(columns.names), none)
    if given is None:
        return out
    named = isinstance(given, Mapping)
    places = {name: columns.place(name) for name in given} if named else {}
    try:
        if named:
            for name, place in places.items():
                out[place] = float(given[name])
        elif np.ndim(given) == 0:
            out[:] = float(given)
            if columns.constant is not None:
                out[columns.constant] = none
        else:
            out[:] = np.asarray(given, float)
    except (TypeError, ValueError):
        raise DataError(
            f"Bounds: {called} must be a number, a dict of numbers by column or term, or one for "
            f"each of {len(out)} columns ({listed(columns.names, 5)}), not {given!r}"
        ) from None
    if np.isnan(out).any():
        raise DataError(f"Bounds: {called} must not be nan; leave out a column that has no bound")
    return out
