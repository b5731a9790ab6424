"""Owns bounds on single coefficients."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxglm._status import DataError
from jaxglm.penalties._asked import AskedPenalty, PenalisedColumns, is_labelled
from jaxglm.words import listed


class Bounds(AskedPenalty):
    """Least and greatest values of coefficients, on the link scale: a penalty of infinity beyond.

    The result says which coefficients are at a bound. These are taken as known, and standard errors
    of the others are those of the model in which they are.

    Parameters
    ----------
    lower, upper : number, dict, Series or array, optional
        A number is for all coefficients but the intercept; a dict, or a Series, has them by the
        name of a column or term; an array has one for each column.

    Raises
    ------
    ValueError
        Where neither is given, and for a bound that is no number.

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
        self.lower = _read("lower", lower, never=np.inf)
        self.upper = _read("upper", upper, never=-np.inf)
        ends = self.lower, self.upper
        if all(isinstance(end, float) for end in ends) and self.lower > self.upper:
            raise ValueError(
                f"Bounds: lower={lower:g} is above upper={upper:g}: no value is between"
            )

    def bounds(self, columns: PenalisedColumns) -> tuple[np.ndarray, np.ndarray]:
        return (
            _values("lower", self.lower, columns, -np.inf),
            _values("upper", self.upper, columns, np.inf),
        )

    def __repr__(self) -> str:
        given = {"lower": self.lower, "upper": self.upper}
        parts = [f"{name}={_text(value)}" for name, value in given.items() if value is not None]
        return f"Bounds({', '.join(parts)})"


def _text(bound: Any) -> str:
    if isinstance(bound, Mapping):
        return "{" + ", ".join(f"{name!r}: {value:g}" for name, value in bound.items()) + "}"
    return f"{bound:g}" if isinstance(bound, float) else "..."


def _read(called: str, given: Any, never: float) -> Any:
    """A bound as it is kept: None, a number, a dict of them by name, or an array.

    Raises
    ------
    ValueError
    """
    if given is None:
        return None
    if is_labelled(given):
        given = dict(zip(given.index, given, strict=True))
    try:
        if isinstance(given, Mapping):
            read: Any = {name: float(value) for name, value in given.items()}
            values = np.array(list(read.values()))
        else:
            values = np.asarray(given, float)
            read = float(values) if values.ndim == 0 else values
    except (TypeError, ValueError):
        raise ValueError(
            f"Bounds: {called} must be a number, numbers by the name of a column or term, or one "
            "for each column"
        ) from None
    if np.isnan(values).any() or (values == never).any():
        raise ValueError(
            f"Bounds: {called} must not be nan, or {never:g}; leave out a column that has no bound"
        )
    return read


def _values(called: str, given: Any, columns: PenalisedColumns, none: float) -> np.ndarray:
    """A bound [p] of each column; infinite for none."""
    out = np.full(len(columns.names), none)
    if isinstance(given, Mapping):
        for name, value in columns.terms_first(given):
            out[columns.place(name, "bound")] = value
    elif isinstance(given, float):
        out[:] = given
        if columns.constant is not None:
            out[columns.constant] = none
    elif given is not None:
        if given.shape != out.shape:
            raise DataError(
                f"Bounds: {called} has {given.size} numbers, and the model {out.size} columns "
                f"({listed(columns.names, 5)}): one for each is needed"
            )
        out[:] = given
    return out
